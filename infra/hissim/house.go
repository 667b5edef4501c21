package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object.
type object = map[string]any

// house is the house that is tried, from outside.
type house struct {
	base  string
	http  *http.Client
	now   func() time.Time
	token func(ctx context.Context, claims object) (string, error)

	operator, place, person, idNo, key, secret string
	serial                                     int
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 4 << 20

func (h *house) do(ctx context.Context, path string, header http.Header, body io.Reader) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.base+path, body)
	if err != nil {
		return 0, nil, err
	}
	r.Header = header
	r.Header.Set("Content-Type", "application/json")
	answer, err := h.http.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	return answer.StatusCode, text, err
}

// devToken asks a local house for a token.
func (h *house) devToken(ctx context.Context, claims object) (string, error) {
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	status, text, err := h.do(ctx, "/dev/token", http.Header{}, bytes.NewReader(body))
	var out struct{ Token string }
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("/dev/token: %d: not a local house?", status)
	}
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	return out.Token, err
}

// post sends JSON to the house's other door.
func (h *house) post(ctx context.Context, token, path string, body object) (object, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	status, answer, err := h.do(ctx, path, http.Header{"Authorization": {"Bearer " + token}}, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if status >= 300 {
		return nil, fmt.Errorf("%s: %d %s", path, status, answer)
	}
	var out object
	return out, json.Unmarshal(answer, &out)
}

// digits draws n digits.
func digits(n int) (string, error) {
	v, err := rand.Int(rand.Reader, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil))
	return fmt.Sprintf("%0*d", n, v), err
}

// idNumber completes an ID number of a division that nobody was given one of.
func idNumber(serial string) string {
	body := "99999919800101" + serial
	weights := []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += w * int(body[i]-'0')
	}
	return body + string("10X98765432"[sum%11])
}

// furnish feeds what the day needs.
func (h *house) furnish(ctx context.Context) error {
	run, err := digits(10)
	if err != nil {
		return err
	}
	h.place, h.person, h.idNo = "H430100"+run[:5], "SIM"+run, idNumber(run[5:8])
	h.key, h.secret = "SIM"+run, "secret-"+run
	if h.operator, err = h.token(ctx, object{"roles": []string{"operator"}}); err != nil {
		return err
	}
	for _, f := range []struct {
		path string
		body object
	}{
		{"/v1/institutions", object{"code": h.place, "name": "仿真医院", "kind": "hospital", "level": "11", "region": "430100", "status": "designated"}},
		{"/v1/institutions/" + h.place + "/keys", object{"scheme": "tif", "key_id": h.key, "secret": h.secret}},
		{"/v1/persons", object{"person_no": h.person, "name": "仿真患者", "id_no": h.idNo, "region": "430100", "insutype": "310", "psn_type": "11", "status": "1"}},
		{"/v1/credits", object{"reference": h.person, "person_no": h.person, "amount_fen": 100000, "pocket": "current"}},
		{"/v1/catalogue", object{"code": "SIM-A-" + run, "name": "仿真甲类药", "list_type": "101", "class": "A", "effective_from": "20260101"}},
	} {
		if _, err := h.post(ctx, h.operator, f.path, f.body); err != nil {
			return err
		}
	}
	return nil
}

func (h *house) drug() string { return "SIM-A-" + strings.TrimPrefix(h.person, "SIM") }

// shanghai is the time of message ids.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

func (h *house) msgid() string {
	h.serial++
	return h.place + h.now().In(shanghai).Format("20060102150405") + fmt.Sprintf("%04d", h.serial)
}

// message is a message as a system keeps it, to send it again as it was.
type message struct {
	id, infno string
	body      []byte
	header    http.Header
}

func (h *house) message(infno string, input any) (message, error) {
	m := message{id: h.msgid(), infno: infno, header: http.Header{}}
	var err error
	m.body, err = json.Marshal(object{
		"infno": infno, "msgid": m.id, "mdtrtarea_admvs": "430100", "insuplc_admdvs": "430100", "recer_sys_code": "HISSIM", "infver": "V1.0", "opter_type": "1",
		"opter": "sim", "opter_name": "sim", "inf_time": h.now().In(shanghai).Format("2006-01-02 15:04:05"), "fixmedins_code": h.place, "sign_no": "", "input": input,
	})
	at, nonce := strconv.FormatInt(h.now().Unix(), 10), m.id
	sum := sha256.Sum256([]byte(at + h.secret + nonce + at))
	for name, v := range map[string]string{"X-Tif-Paasid": h.key, "X-Tif-Timestamp": at, "X-Tif-Nonce": nonce, "X-Tif-Signature": hex.EncodeToString(sum[:])} {
		m.header.Set(name, v)
	}
	return m, err
}

// said is an answer of the interface.
type said struct {
	status  int
	Infcode int    `json:"infcode"`
	ErrMsg  string `json:"err_msg"`
	Output  object `json:"output"`
}

// code is how an answer is told in the report: "0", or our code.
func (s said) code() string {
	if s.status == http.StatusOK && s.Infcode == 0 {
		return "0"
	}
	if _, code, ok := strings.Cut(s.ErrMsg, "["); ok {
		return strings.TrimSuffix(code, "]")
	}
	return "HTTP " + strconv.Itoa(s.status)
}

func (s said) at(path ...string) string {
	var v any = s.Output
	for _, p := range path {
		m, _ := v.(object)
		v = m[p]
	}
	return fmt.Sprint(v)
}

// send sends a message; body may be a slower reader of it.
func (h *house) send(ctx context.Context, m message, body io.Reader) (said, error) {
	status, text, err := h.do(ctx, "/fsi/api/rsfComIfsService/callService", m.header.Clone(), body)
	out := said{status: status}
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		err = d.Decode(&out)
	}
	return out, err
}
