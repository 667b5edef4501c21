package his

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gongji/shared/answer"
	"gongji/shared/family"
)

// reply is the envelope of an answer (SPEC 4.3), with what live servers add.
type reply struct {
	Infcode     int    `json:"infcode"` // a number: some clients take nothing else
	RefMsgID    string `json:"inf_refmsgid"`
	RefMsgTime  string `json:"refmsg_time"`
	RespondTime string `json:"respond_time"`
	ErrMsg      string `json:"err_msg"`
	Output      any    `json:"output"`
	WarnMsg     string `json:"warn_msg"`
	CAInfo      string `json:"cainfo"`
	SignType    string `json:"signtype"`
	EncType     string `json:"enctype"`
}

// download is an answer that is a file and not an envelope (9102).
type download struct {
	name string
	body []byte
}

// empty is the output of a transaction that has none.
type empty struct{}

// stamp writes a time as the interface does: yyyyMMddHHmmssSSS.
func stamp(t time.Time) string {
	t = t.In(shanghai)
	return t.Format("20060102150405") + fmt.Sprintf("%03d", t.Nanosecond()/int(time.Millisecond))
}

func (c *call) reply(infcode int, errMsg string, output any) reply {
	now := c.now()
	region := c.region
	if region == "" {
		region = "000000"
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(10_000_000_000))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return reply{
		Infcode: infcode, RefMsgID: region + now.In(shanghai).Format("20060102150405") + fmt.Sprintf("%010d", serial),
		RefMsgTime: stamp(c.began), RespondTime: stamp(now), ErrMsg: errMsg, Output: output,
	}
}

// answer writes what a transaction returned.
func (c *call) answer(w http.ResponseWriter, out any) {
	switch out := out.(type) {
	case download:
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Disposition", `attachment; filename="`+out.name+`"`)
		_, _ = w.Write(out.body) // the client has gone; there is nobody to tell
	case raw:
		writeJSON(w, http.StatusOK, out.v)
	default:
		writeJSON(w, http.StatusOK, c.reply(0, "", out))
	}
}

// raw is an answer of another shape than the envelope's (1162).
type raw struct{ v any }

// refuse writes a refusal: the gateway's own answer to who may not ask, a status of
// 429 and above where nothing was decided, and else 200 with infcode −1.
func (c *call) refuse(w http.ResponseWriter, r *family.Refusal) {
	if text, denied := denials[r.Rule]; denied {
		gatewayAnswer(w, http.StatusUnauthorized, text)
		return
	}
	status := status(r)
	if status == http.StatusUnauthorized {
		gatewayAnswer(w, status, denials[mismatch])
		return
	}
	row := answer.Of(r.Code)
	if after := max(r.RetryAfter, row.RetryAfter); status != http.StatusOK && after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(after))
	}
	writeJSON(w, status, c.reply(-1, c.sentence(row, r), empty{}))
}

// status is the HTTP status of a refusal. What is not 200 is an exception to the
// systems that ask, and is sent again with the same message.
func status(r *family.Refusal) int {
	row := answer.Of(r.Code)
	switch {
	case r.Code == family.Unauthenticated, r.Code == family.NotPermitted:
		return http.StatusUnauthorized
	case r.Code == family.RateLimited, row.Kind == answer.Unknown:
		return row.Status
	}
	return http.StatusOK
}

// sentence returns the text of a refusal, at most 200 characters: the sentence of the
// catalogue, where it is at fault in the client's own words, and our code.
func (c *call) sentence(row answer.Row, r *family.Refusal) string {
	text, _ := strings.CutSuffix(row.HISText, "["+string(row.Code)+"]")
	where := c.where(r)
	if r.Code.Malformed() && r.Detail != "" && where != "" {
		where += ": " + r.Detail
	}
	if yuan := strings.HasSuffix(r.Field, "_fen"); r.Observed != "" && r.Code != family.Unsupported && printable(r.Observed) {
		where = strings.TrimSpace(where + " " + inYuan(r.Observed, yuan))
		if r.Allowed != "" && printable(r.Allowed) {
			where += " ≠ " + inYuan(r.Allowed, yuan)
		}
	}
	end := "[" + string(row.Code) + "]"
	if where == "" {
		return text + end
	}
	room := 200 - len([]rune(text)) - len(end) - 2
	if short := []rune(where); len(short) > room {
		where = string(short[:room])
	}
	return text + "（" + where + "）" + end
}

func inYuan(s string, fen bool) string {
	if n, err := strconv.ParseInt(s, 10, 64); fen && err == nil {
		return family.Fen(n).String()
	}
	return s
}

// printable tells whether a value may be repeated in an answer: what a client wrote
// may be anything.
func printable(s string) bool {
	return len(s) <= 40 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`<>"'{}$`, r) })
}

// wireNames are the interface's names of the fields that the house names.
var wireNames = map[string]string{
	"credential.type": "mdtrt_cert_type", "credential.value": "mdtrt_cert_no", "credential.name": "psn_name", "person_no": "psn_no",
	"total_fen": "medfee_sumamt", "message_id": "msgid", "lines": "detail",
	"line_no": "feedetl_sn", "code": "med_list_codg", "name": "medins_list_codg", "quantity": "cnt", "unit_price_fen": "pric",
	"amount_fen": "det_item_fee_sumamt", "trace_codes": "drug_trac_codg",
}

// where names the field and the line at fault as the client did.
func (c *call) where(r *family.Refusal) string {
	field := r.Field
	if rest, ok := strings.CutPrefix(field, "lines["); ok {
		_, field, _ = strings.Cut(rest, "].")
		field, _, _ = strings.Cut(field, "[")
	}
	if name, ok := wireNames[field]; ok {
		field = name
	}
	if !printable(field) {
		field = ""
	}
	if r.Line > 0 && c.lines != nil {
		if serial := c.lines(r.Line); serial != "" && printable(serial) {
			field = strings.TrimSpace("feedetl_sn " + serial + " " + strings.TrimPrefix(field, "feedetl_sn"))
		}
	}
	return field
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // the client has gone; there is nobody to tell
}
