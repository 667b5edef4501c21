package his

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"
	"gongji/shared/policy"
	"gongji/shared/store"
	"gongji/shared/store/sqlite"
	"gongji/shared/store/storetest"
	"gongji/shared/vault"
)

// The people, places and goods of the tests. All are made up.
const (
	mother family.PersonNo = "430100000001"
	father family.PersonNo = "430100000002"
	child  family.PersonNo = "430100000003"
	clerk  family.PersonNo = "440300000007" // insured in Shenzhen

	hospital family.InstitutionCode = "H43010000001" // 二级, Changsha
	pharmacy family.InstitutionCode = "P43010000002"
	clinic   family.InstitutionCode = "H43010000004" // 无等级
	southern family.InstitutionCode = "H44030000005" // Shenzhen

	drugA = "XA01AAA001A001010100001" // 甲
	drugB = "XB01AAA001A001010100002" // 乙, 10 % first
	limit = "XB01AAA001A001010100003" // 乙, 20 % first, at most 80.00 at 二级
	drugC = "XC01AAA001A001010100004" // 丙
	fee   = "001102000000100"         // 挂号, 甲
)

type human struct {
	no       family.PersonNo
	name, id string
	in       family.Insurance
}

var cast = []human{
	{mother, "王小芳", "430102198503070022", family.Insurance{Region: "430100", Insutype: family.Employee, PsnType: "11", Active: true}},
	{father, "李大山", "430102198206110032", family.Insurance{Region: "430100", Insutype: family.Employee, PsnType: "11", Active: true}},
	{child, "李小乐", "430102201801150017", family.Insurance{Region: "430100", Insutype: family.Resident, PsnType: "1403", Active: true}},
	{clerk, "陈一二", "430102197001010017", family.Insurance{Region: "440300", Insutype: family.Employee, PsnType: "11", Active: true}},
}

func the(p family.PersonNo) human {
	for _, h := range cast {
		if h.no == p {
			return h
		}
	}
	panic("nobody")
}

// noon is when every story begins: 21 November 2026, 12:00 in Changsha.
var noon = time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)

const keyDocument = `{
  "current": "0000aaaa",
  "seal": {"0000aaaa": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
  "index": "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
  "qr": "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="
}`

// draws is a random source that repeats itself from the same start.
type draws struct {
	mu sync.Mutex
	n  uint64
}

func (d *draws) Read(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := 0; i < len(p); i += sha256.Size {
		d.n++
		sum := sha256.Sum256(fmt.Appendf(nil, "draw %d", d.n))
		copy(p[i:], sum[:])
	}
	return len(p), nil
}

// ticker is the tests' time: it moves when they say so.
type ticker struct {
	mu  sync.Mutex
	now time.Time
}

func (c *ticker) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *ticker) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// house is the door over a real store that can go wrong by plan.
type house struct {
	*app.App
	t     testing.TB
	store *storetest.Faulty
	door  http.Handler
	clock *ticker
	sent  atomic.Int64
}

var policies = sync.OnceValues(policy.Load)

// newHouse is a house on SQLite that knows the cast, with a mother who pays for her
// child and shows his code.
func newHouse(t testing.TB) *house {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "gongji-his-")
	if err != nil {
		dir = t.TempDir()
	}
	s, err := sqlite.Open(t.Context(), filepath.Join(dir, "gongji.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	return houseOver(t, s)
}

func houseOver(t testing.TB, s store.Store) *house {
	t.Helper()
	set, err := policies()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.ParseKeys([]byte(keyDocument))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, store: &storetest.Faulty{Store: s}, clock: &ticker{now: noon}}
	h.App = app.New(app.Options{
		Store: h.store, Policies: set, Vault: vault.New(keys, &draws{}), Now: h.clock.Now, Random: &draws{},
		Pause: func(ctx context.Context, _ int) error { return ctx.Err() },
	})
	h.door = New(Options{App: h.App, Now: h.clock.Now})
	for _, p := range cast {
		id, err := family.ParseIDNumber(p.id)
		if err != nil {
			t.Fatal(err)
		}
		ok(h.FeedPerson(t.Context(), app.PersonFeed{Person: p.no, Name: p.name, ID: id, Insurance: p.in, Card: "C" + string(p.no)}))(t)
	}
	for _, p := range []family.Place{
		{Code: hospital, Name: "演示第二医院", Kind: family.Hospital, Level: "5", Region: "430100", Designated: true},
		{Code: pharmacy, Name: "演示大药房", Kind: family.Pharmacy, Level: "11", Region: "430100", Designated: true},
		{Code: clinic, Name: "演示社区卫生站", Kind: family.Hospital, Level: "11", Region: "430100", Designated: true},
		{Code: southern, Name: "演示南方医院", Kind: family.Hospital, Level: "5", Region: "440300", Designated: true},
	} {
		ok(h.FeedPlace(t.Context(), p))(t)
		ok(h.FeedSigningKey(t.Context(), family.Reviewer{Subject: "operator"}, app.SigningKey{ID: "AK" + string(p.Code), Institution: p.Code, Scheme: app.SchemeAPI, Secret: "SK-" + string(p.Code)}))(t)
	}
	share := func(r family.Ratio) map[family.Insutype]family.Ratio {
		return map[family.Insutype]family.Ratio{family.Employee: r, family.Resident: r}
	}
	for _, i := range []family.Item{
		{Code: drugA, Name: "甲类药", ListType: "101", Class: family.ClassA, From: 20260101},
		{Code: drugB, Name: "乙类药", ListType: "101", Class: family.ClassB, SelfPay: share(1000), From: 20260101},
		{Code: limit, Name: "乙类限价药", ListType: "101", Class: family.ClassB, SelfPay: share(2000), Ceiling: map[family.Level]family.Fen{"5": 8000}, From: 20260101},
		{Code: drugC, Name: "丙类药", ListType: "101", Class: family.ClassC, From: 20260101},
		{Code: fee, Name: "普通门诊诊察费", ListType: "201", Class: family.ClassA, From: 20260101},
	} {
		ok(h.FeedItem(t.Context(), i))(t)
	}
	return h
}

// ok returns an answer that must have come without an error.
func ok[A any](answer A, err error) func(testing.TB) A {
	return func(t testing.TB) A {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

// pay credits an account.
func (h *house) pay(p family.PersonNo, amount family.Fen) {
	h.t.Helper()
	ok(h.FeedCredit(h.t.Context(), fmt.Sprintf("%s-%d", p, h.sent.Add(1)), p, family.Pockets{Current: amount}))(h.t)
}

// bind binds a mother's child: below the age of consent she accepts for him.
func (h *house) bind() family.BindingID {
	h.t.Helper()
	kid, err := family.ParseIDNumber(the(child).id)
	if err != nil {
		h.t.Fatal(err)
	}
	asked := ok(h.RequestBinding(h.t.Context(), mother, app.BindingAsk{
		Name: the(child).name, ID: kid, Relation: "20", Show: true,
		Pay: &family.Terms{Purposes: []family.Purpose{family.ForCare, family.ForPharmacy}},
	}, app.Once{}))(h.t).Answer
	ok(h.Submit(h.t.Context(), mother, asked.Binding.ID))(h.t)
	return asked.Binding.ID
}

// show issues a code: the child's by his mother, or one's own.
func (h *house) show(by family.PersonNo, id family.BindingID) string {
	h.t.Helper()
	return ok(h.IssueQR(h.t.Context(), by, id, app.Once{}))(h.t).Answer.Digits
}

func (h *house) balance(p family.PersonNo) family.Fen {
	h.t.Helper()
	return ok(h.Account(h.t.Context(), p))(h.t).Balance.Total()
}

// msgid makes a new message id of an institution.
func (h *house) msgid(place family.InstitutionCode) string {
	return string(place) + h.clock.Now().In(shanghai).Format("20060102150405") + fmt.Sprintf("%04d", h.sent.Add(1))
}

// response is an answer as it came.
type response struct {
	status int
	header http.Header
	body   []byte
	reply
}

// output returns a value of the output by its path, numbers as they were written.
func (r response) output(path ...any) any {
	d := json.NewDecoder(bytes.NewReader(r.body))
	d.UseNumber()
	var whole map[string]any
	if err := d.Decode(&whole); err != nil {
		return err
	}
	var v any = whole["output"]
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func (r response) text(path ...any) string { return fmt.Sprint(r.output(path...)) }

// in is a shorthand for objects of a request.
type in = map[string]any

// message wraps an input as systems do.
func message(infno, msgid string, input any) in {
	return in{
		"infno": infno, "msgid": msgid, "mdtrtarea_admvs": "430100", "insuplc_admdvs": "430100", "recer_sys_code": "GONGJI", "dev_no": "", "dev_safe_info": "",
		"cainfo": "", "signtype": "", "infver": "V1.0", "opter_type": "1", "opter": "c01", "opter_name": "收费员", "inf_time": "2026-11-21 12:00:00",
		"fixmedins_code": msgid[:12], "fixmedins_name": "演示", "sign_no": "", "input": input,
	}
}

// signed puts the signature of the first convention on a request.
func (h *house) signed(r *http.Request, infno string, place family.InstitutionCode) {
	// Each request is signed at a moment of its own, as by a clock that runs.
	at := strconv.FormatInt(h.clock.Now().UnixMilli()+h.sent.Add(1)%60_000, 10)
	key := "AK" + string(place)
	r.Header.Set("_api_name", infno)
	r.Header.Set("_api_version", "1.0.0")
	r.Header.Set("_api_timestamp", at)
	r.Header.Set("_api_access_key", key)
	r.Header.Set("_api_signature", signAPI(key, "SK-"+string(place), infno, at, "1.0.0"))
}

// do sends a request to the door.
func (h *house) do(r *http.Request) response {
	h.t.Helper()
	w := httptest.NewRecorder()
	h.door.ServeHTTP(w, r)
	out := response{status: w.Code, header: w.Header(), body: w.Body.Bytes()}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(out.body, &out.reply); err != nil {
			h.t.Fatalf("%v: %s", err, out.body)
		}
	}
	return out
}

const callService = Prefix + "rsfComIfsService/callService"

// post sends bytes as a message of an institution.
func (h *house) post(infno string, place family.InstitutionCode, body []byte) response {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodPost, callService, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	h.signed(r, infno, place)
	return h.do(r)
}

// send sends a message under an id.
func (h *house) send(infno, msgid string, input any) response {
	h.t.Helper()
	body, err := json.Marshal(message(infno, msgid, input))
	if err != nil {
		h.t.Fatal(err)
	}
	return h.post(infno, family.InstitutionCode(msgid[:12]), body)
}

// call sends a new message and wants it taken.
func (h *house) call(infno string, place family.InstitutionCode, input any) response {
	h.t.Helper()
	r := h.send(infno, h.msgid(place), input)
	if r.status != http.StatusOK || r.Infcode != 0 {
		h.t.Fatalf("%s: %d %s", infno, r.status, r.body)
	}
	return r
}

// refused sends a new message and wants it refused with a code.
func (h *house) refused(infno string, place family.InstitutionCode, input any, code family.Code) response {
	h.t.Helper()
	r := h.send(infno, h.msgid(place), input)
	h.wantRefused(r, code)
	return r
}

// wantRefused wants a business error as the interface has it.
func (h *house) wantRefused(r response, code family.Code) {
	h.t.Helper()
	if r.status != http.StatusOK || r.Infcode != -1 || !strings.HasSuffix(r.ErrMsg, "["+string(code)+"]") || len([]rune(r.ErrMsg)) > 200 {
		h.t.Fatalf("not refused with %s: %d %s", code, r.status, r.body)
	}
	if !strings.ContainsFunc(r.ErrMsg, func(c rune) bool { return c >= 0x4e00 && c <= 0x9fff }) {
		h.t.Errorf("no Chinese: %s", r.ErrMsg)
	}
}

// with returns a copy of an object with some fields changed; nil takes one out.
func with(o in, changes in) in {
	out := maps.Clone(o)
	for name, v := range changes {
		if v == nil {
			delete(out, name)
			continue
		}
		out[name] = v
	}
	return out
}

// drug is a line of a purchase.
func drug(serial, code, cnt, pric, sum string) in {
	return in{
		"feedetl_sn": serial, "rxno": "", "rx_circ_flag": "0", "fee_ocur_time": "2026-11-21 11:30:00", "med_list_codg": code, "medins_list_codg": "Y" + code,
		"det_item_fee_sumamt": json.Number(sum), "cnt": json.Number(cnt), "pric": json.Number(pric),
	}
}

// purchase is a child's bill at the pharmacy (E14 in small).
func purchase(cred in, lines ...in) in {
	return in{
		"druginfo": with(in{
			"psn_no": string(child), "psn_cert_type": "01", "begntime": "2026-11-21 11:30:00", "medfee_sumamt": "197.90", "invono": "1",
			"insutype": "390", "dise_codg": "", "dise_name": "", "acct_used_flag": "1", "med_type": "41", "exp_content": "", "psn_name": the(child).name,
		}, cred),
		"drugdetail": lines,
	}
}

var e14 = []in{drug("1", drugB, "2", "45", "90"), drug("2", drugA, "1", "19.9", "19.90"), drug("3", drugC, "1", "88.000000", "88.00")}

func byID(p family.PersonNo) in {
	return in{"mdtrt_cert_type": "02", "mdtrt_cert_no": the(p).id, "certno": the(p).id, "psn_name": the(p).name}
}

func byToken(token string) in { return in{"mdtrt_cert_type": "01", "mdtrt_cert_no": token} }

// decode decodes a code at an institution.
func (h *house) decode(place family.InstitutionCode, digits string) string {
	h.t.Helper()
	return h.call("6101", place, in{"data": in{"orgId": string(place), "businessType": "01301", "operatorId": "c01", "operatorName": "收费员", "officeId": "01", "officeName": "收费处", "ecQrCode": digits}}).text("ecToken")
}

// books proves the books of the day.
func (h *house) books() {
	h.t.Helper()
	proof := ok(h.ProveDay(h.t.Context(), family.DayOf(h.clock.Now()), ""))(h.t)
	for _, f := range proof.Faults {
		h.t.Errorf("the books: %+v", f)
	}
}

var _ io.Closer = (*sqlite.Store)(nil)
