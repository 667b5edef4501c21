package his

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"
)

// The vectors of SPEC 4.5 and of the TIF gateway (domain 3.2).
func TestSignatureVectors(t *testing.T) {
	if got := signAPI("AKTEST0001", "SKTEST0001", "1101", "1700000000000", "1.0.0"); got != "tmbSSScH6F+HVC7HyVhDrJGZOds=" {
		t.Error(got)
	}
	if got := signTIF("TOKEN", "1700000000", "nonce-1"); got != "3ff88ba4c72ec5b3299b834300372a53910655da5883574f717f4081d4b96b62" {
		t.Error(got)
	}
}

// asked is a request of the hospital, signed, before anything is wrong with it.
func (h *house) asked(infno string, input any) *http.Request {
	h.t.Helper()
	body, err := json.Marshal(message(infno, h.msgid(hospital), input))
	if err != nil {
		h.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, callService, bytes.NewReader(body))
	h.signed(r, infno, hospital)
	return r
}

var whoIsIt = in{"data": in{"mdtrt_cert_type": "02", "mdtrt_cert_no": the(mother).id, "psn_name": the(mother).name}}

// TestGateway: who does not sign as the gateway wants hears the gateway's own 401.
func TestGateway(t *testing.T) {
	h := newHouse(t)
	resign := func(r *http.Request, at time.Time) {
		ms := strconv.FormatInt(at.UnixMilli(), 10)
		r.Header.Set("_api_timestamp", ms)
		r.Header.Set("_api_signature", signAPI("AK"+string(hospital), "SK-"+string(hospital), "1101", ms, "1.0.0"))
	}
	for name, c := range map[string]struct {
		spoil func(*http.Request)
		want  string
	}{
		"as it should be":         {func(*http.Request) {}, ""},
		"no headers":              {func(r *http.Request) { r.Header = http.Header{} }, "缺少服务网关的请求头!"},
		"one header short":        {func(r *http.Request) { r.Header.Del("_api_version") }, "缺少服务网关的请求头!"},
		"a key that nobody knows": {func(r *http.Request) { r.Header.Set("_api_access_key", "AKnobody") }, "非法用户!"},
		"another's key":           {func(r *http.Request) { h.signed(r, "1101", clinic) }, "非法用户!"},
		"a wrong signature":       {func(r *http.Request) { r.Header.Set("_api_signature", "AAAA") }, "签名不一致!"},
		"signed for another":      {func(r *http.Request) { h.signed(r, "2207", hospital) }, "签名不一致!"},
		"30 minutes old":          {func(r *http.Request) { resign(r, noon.Add(-30*time.Minute)) }, ""},
		"older":                   {func(r *http.Request) { resign(r, noon.Add(-30*time.Minute-time.Millisecond)) }, "签名时间戳超时!"},
		"a clock that is ahead":   {func(r *http.Request) { resign(r, noon.Add(30*time.Minute)) }, ""},
		"too far ahead":           {func(r *http.Request) { resign(r, noon.Add(31*time.Minute)) }, "签名时间戳超时!"},
		"no time":                 {func(r *http.Request) { r.Header.Set("_api_timestamp", "now") }, "签名时间戳超时!"},
		"hyphens for underscores": {func(r *http.Request) {
			for _, name := range []string{"name", "version", "timestamp", "access_key", "signature"} {
				r.Header.Set("X-Api-"+strings.ReplaceAll(name, "_", "-"), r.Header.Get("_api_"+name))
				r.Header.Del("_api_" + name)
			}
		}, ""},
		"the other convention, the wrong key": {func(r *http.Request) {
			r.Header = http.Header{}
			at := strconv.FormatInt(noon.Unix(), 10)
			r.Header.Set("x-tif-paasid", "AK"+string(hospital))
			r.Header.Set("x-tif-timestamp", at)
			r.Header.Set("x-tif-nonce", "n")
			r.Header.Set("x-tif-signature", signTIF("SK-"+string(hospital), at, "n"))
		}, "非法用户!"},
	} {
		r := h.asked("1101", whoIsIt)
		c.spoil(r)
		got := h.do(r)
		if c.want == "" {
			if got.status != http.StatusOK || got.Infcode != 0 {
				t.Errorf("%s: %d %s", name, got.status, got.body)
			}
			continue
		}
		if want := fmt.Sprintf(`{"code":401,"message":"%s"}`, c.want); got.status != http.StatusUnauthorized || strings.TrimSpace(string(got.body)) != want {
			t.Errorf("%s: %d %s, not %s", name, got.status, got.body, want)
		}
	}
}

// TestKeysRotate: two keys of an institution are in force side by side, each for its
// time; another institution cannot take one.
func TestKeysRotate(t *testing.T) {
	h := newHouse(t)
	next := app.SigningKey{ID: "NEXT", Institution: hospital, Scheme: app.SchemeTIF, Secret: "next-secret", From: noon.Add(time.Hour), To: noon.Add(48 * time.Hour)}
	ok(h.FeedSigningKey(t.Context(), family.Reviewer{Subject: "operator"}, next))(t)
	if fed := ok(h.FeedSigningKey(t.Context(), family.Reviewer{Subject: "operator"}, next))(t); fed != app.FedUnchanged {
		t.Errorf("again: %s", fed)
	}
	stolen := next
	stolen.Institution = clinic
	if _, err := h.FeedSigningKey(t.Context(), family.Reviewer{Subject: "operator"}, stolen); err == nil {
		t.Error("another institution has the key")
	}
	sign := func() response {
		r := h.asked("1101", whoIsIt)
		r.Header = http.Header{}
		at := strconv.FormatInt(h.clock.Now().Unix(), 10)
		r.Header.Set("x-tif-paasid", "NEXT")
		r.Header.Set("x-tif-timestamp", at)
		r.Header.Set("x-tif-nonce", "n1")
		r.Header.Set("x-tif-signature", signTIF("next-secret", at, "n1"))
		return h.do(r)
	}
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{0, 401}, {time.Hour, 200}, {46 * time.Hour, 200}, {time.Hour, 401}} {
		h.clock.add(c.after)
		if got := sign(); got.status != c.want {
			t.Errorf("%v on: %d %s", c.after, got.status, got.body)
		}
	}
}

// TestASignatureServesOneMessage: the conventions do not sign the body, so whoever
// overheard a signature could put another under it.
func TestASignatureServesOneMessage(t *testing.T) {
	h := newHouse(t)
	h.pay(mother, 10000)
	send := func(r *http.Request, body []byte) response {
		again := httptest.NewRequest(http.MethodPost, callService, bytes.NewReader(body))
		again.Header = r.Header
		return h.do(again)
	}
	bill := func(sum string) in {
		return in{"druginfo": with(in{"psn_no": string(mother), "medfee_sumamt": sum, "acct_used_flag": "1", "med_type": "41"}, byID(mother)), "drugdetail": []in{drug("1", drugA, "1", sum, sum)}}
	}
	bytesOf := func(msgid, sum string) []byte { b, _ := json.Marshal(message("2102", msgid, bill(sum))); return b }
	r := httptest.NewRequest(http.MethodPost, callService, nil)
	h.signed(r, "2102", hospital)
	body := bytesOf(h.msgid(hospital), "10")
	first := send(r, body)
	if first.Infcode != 0 {
		t.Fatalf("%s", first.body)
	}
	h.sameOutput(send(r, body), first) // a system sends the identical request up to three times
	// Two tills that sign in one millisecond make one signature: both are served, and
	// each gets its own answer again.
	other := bytesOf(h.msgid(hospital), "20")
	second := send(r, other)
	if second.Infcode != 0 || h.balance(mother) != 7000 {
		t.Errorf("another message of the same millisecond: %s", second.body)
	}
	h.clock.add(11 * time.Second)
	h.sameOutput(send(r, body), first)
	h.sameOutput(send(r, other), second)
	if got := send(r, bytesOf(h.msgid(hospital), "10")); got.status != http.StatusUnauthorized {
		t.Errorf("another message under the same signature: %d %s", got.status, got.body)
	}
	if h.balance(mother) != 7000 {
		t.Errorf("the mother has %s", h.balance(mother))
	}
}

// TestANonceServesOneMessage: a signature of the second convention has a nonce, so
// even in the moment in which it was made it is of one message.
func TestANonceServesOneMessage(t *testing.T) {
	h := newHouse(t)
	key := app.SigningKey{ID: "TIF", Institution: hospital, Scheme: app.SchemeTIF, Secret: "tif-secret", From: noon.Add(-time.Hour)}
	ok(h.FeedSigningKey(t.Context(), family.Reviewer{Subject: "operator"}, key))(t)
	visit := in{"data": with(with(in{"psn_no": string(mother)}, byID(mother)), in{"ipt_otp_no": "1"})}
	at := strconv.FormatInt(h.clock.Now().Unix(), 10)
	send := func(msgid string) response {
		body, _ := json.Marshal(message("2201", msgid, visit))
		r := httptest.NewRequest(http.MethodPost, callService, bytes.NewReader(body))
		r.Header.Set("x-tif-paasid", "TIF")
		r.Header.Set("x-tif-timestamp", at)
		r.Header.Set("x-tif-nonce", "n1")
		r.Header.Set("x-tif-signature", signTIF("tif-secret", at, "n1"))
		return h.do(r)
	}
	id := h.msgid(hospital)
	first := send(id)
	if first.Infcode != 0 {
		t.Fatalf("%s", first.body)
	}
	h.sameOutput(send(id), first)
	if got := send(h.msgid(hospital)); got.status != http.StatusUnauthorized {
		t.Errorf("another message under the same signature: %d %s", got.status, got.body)
	}
}

// TestTolerance: what real systems send is taken (domain 3.7).
func TestTolerance(t *testing.T) {
	h := newHouse(t)
	h.pay(mother, 100000)
	base := func() (in, in) {
		info := with(in{"psn_no": string(mother), "medfee_sumamt": 10, "acct_used_flag": "1", "med_type": "41"}, byID(mother))
		return info, drug("1", drugA, "1", "10", "10")
	}
	for name, change := range map[string]func(info, line in) any{
		"input as a text": func(info, line in) any {
			b, _ := json.Marshal(in{"druginfo": info, "drugdetail": []in{line}})
			return string(b)
		},
		"numbers as texts": func(info, line in) any {
			info["medfee_sumamt"], line["cnt"], line["pric"], line["det_item_fee_sumamt"] = "10.00", "1.0000", "10.000000", "10.00"
			return nil
		},
		"numbers with exponents": func(info, line in) any {
			info["medfee_sumamt"], line["det_item_fee_sumamt"] = json.Number("1E+1"), json.Number("0.1e2")
			return nil
		},
		"a serial that is a number": func(_, line in) any { line["feedetl_sn"] = json.Number("123456789012345"); return nil },
		"a serial that is long":     func(_, line in) any { line["feedetl_sn"] = "20261121000000012345"; return nil },
		"null as a text": func(info, line in) any {
			info["dise_codg"], info["exp_content"], line["rxno"], line["sin_dos_dscr"], line["prd_days"] = "null", "NULL", nil, "null", ""
			return nil
		},
		"unknown fields": func(info, line in) any { info["hospital_own"], line["x"] = in{"a": []int{1}}, 1.5; return nil },
		"a list of one for an object": func(info, line in) any {
			return in{"druginfo": []in{info}, "drugdetail": line}
		},
		"no price":              func(_, line in) any { line["pric"] = ""; return nil },
		"a price of six digits": func(_, line in) any { line["cnt"], line["pric"] = "3", "3.333333"; return nil },
		"traces by every name": func(_, line in) any {
			line["durg_trac_info"], line["drug_trac_info"] = []in{{"feedetl_sn": "1", "drug_trac_codg": "83000000000000000001", "trdn_flag": "0"}}, in{"drug_trac_codg": "83000000000000000002"}
			line["drugtracinfo"] = []in{{"drug_trac_codg": "83000000000000000003"}}
			return nil
		},
		"no flag of accounts": func(info, _ in) any { delete(info, "acct_used_flag"); return nil },
		"Hunan's flag 2":      func(info, _ in) any { info["acct_used_flag"] = "2"; return nil },
	} {
		info, line := base()
		input := change(info, line)
		if input == nil {
			input = in{"druginfo": info, "drugdetail": []in{line}}
		}
		before := h.balance(mother)
		r := h.send("2102", h.msgid(pharmacy), input)
		if r.status != http.StatusOK || r.Infcode != 0 || r.text("setlinfo", "acct_pay") != "10.00" || h.balance(mother) != before-1000 {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		if bytes.Contains(r.body, []byte(":null")) {
			t.Errorf("%s: something is null: %s", name, r.body)
		}
	}
	// Accounts are left alone where the till says so.
	info, line := base()
	info["acct_used_flag"] = json.Number("0")
	r := h.call("2102", pharmacy, in{"druginfo": info, "drugdetail": []in{line}})
	h.wantMoney(r, map[string]string{"acct_pay": "0.00", "psn_cash_pay": "10.00"})
	// A byte order mark, text/plain and an identical re-POST.
	body, _ := json.Marshal(message("2102", h.msgid(pharmacy), in{"druginfo": with(info, in{"acct_used_flag": "1"}), "drugdetail": []in{line}}))
	var answers []response
	for range 3 {
		q := httptest.NewRequest(http.MethodPost, callService, bytes.NewReader(append([]byte("\xef\xbb\xbf"), body...)))
		q.Header.Set("Content-Type", "text/plain; charset=utf-8")
		h.signed(q, "2102", pharmacy)
		answers = append(answers, h.do(q))
	}
	h.sameOutput(answers[1], answers[0])
	h.sameOutput(answers[2], answers[0])
	if !bytes.Contains(answers[0].body, []byte(`"infcode":0,`)) {
		t.Errorf("infcode is no number: %s", answers[0].body)
	}
	h.books()
}

// TestAddresses: the misspelt addresses of domain 3.2 are the interface's own.
func TestAddresses(t *testing.T) {
	h := newHouse(t)
	for path, infno := range paths {
		if infno == "" {
			continue
		}
		if _, offered := transactions[infno]; !offered {
			t.Errorf("%s is of %s, which is not offered", path, infno)
		}
		body, _ := json.Marshal(message("9999", h.msgid(hospital), in{}))
		r := httptest.NewRequest(http.MethodPost, Prefix+path, bytes.NewReader(body))
		h.signed(r, "9999", hospital)
		h.wantRefused(h.do(r), family.Malformed) // the address is of another transaction
	}
	for _, path := range []string{"outpatientSettleService/saveSettlement", "", "x/y"} {
		r := httptest.NewRequest(http.MethodPost, Prefix+path, strings.NewReader("{}"))
		if got := h.do(r); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if got := h.do(httptest.NewRequest(http.MethodGet, callService, nil)); got.status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", got.status)
	}
	// 1162 at its own address answers in its own shape.
	h.pay(mother, 100)
	local := func(digits string) string {
		body, _ := json.Marshal(message("1162", h.msgid(hospital), in{"data": in{"orgId": "1", "ecQrCode": digits}}))
		r := httptest.NewRequest(http.MethodPost, Prefix+"hsecfc/localQrCodeQuery", bytes.NewReader(body))
		h.signed(r, "1162", hospital)
		return strings.TrimSpace(string(h.do(r).body))
	}
	if got := local(h.show(mother, "")); !strings.HasPrefix(got, `{"code":0,"type":"success","message":"成功","data":{"userName":"王小芳"`) {
		t.Error(got)
	}
	if got := local("12345678901234567890"); got != `{"message":"请使用医保电子凭证二维码","success":false,"code":500159}` {
		t.Error(got)
	}
}

// TestBadInput: infcode −1, a Chinese sentence, our code; nothing moved.
func TestBadInput(t *testing.T) {
	h := newHouse(t)
	h.pay(mother, 100000)
	good := func() in {
		return message("2102", h.msgid(pharmacy), in{
			"druginfo":   with(in{"psn_no": string(mother), "medfee_sumamt": "10.00", "acct_used_flag": "1", "med_type": "41"}, byID(mother)),
			"drugdetail": []in{drug("1", drugA, "1", "10", "10.00")},
		})
	}
	info := func(m in) in { return m["input"].(in)["druginfo"].(in) }
	line := func(m in) in { return m["input"].(in)["drugdetail"].([]in)[0] }
	for name, c := range map[string]struct {
		spoil func(in) any
		want  family.Code
	}{
		"truncated": {func(m in) any { b, _ := json.Marshal(m); return b[:len(b)-9] }, family.Malformed},
		"GBK":       {func(m in) any { return []byte("{\"infno\":\"2102\",\"opter_name\":\"\xca\xd5\xb7\xd1\"}") }, family.Malformed},
		"GBK in a good message": {func(m in) any {
			m["opter_name"] = "@"
			b, _ := json.Marshal(m)
			return bytes.Replace(b, []byte(`"@"`), []byte("\"\xca\xd5\xb7\xd1\""), 1)
		}, family.Malformed},
		"a megabyte":           {func(m in) any { m["x"] = strings.Repeat("x", 1<<20); return nil }, family.TooLarge},
		"nothing":              {func(in) any { return []byte{} }, family.Malformed},
		"a list":               {func(in) any { return []byte("[]") }, family.Malformed},
		"nested without end":   {func(in) any { return []byte(strings.Repeat("[", 100_000)) }, family.Malformed},
		"a name twice":         {func(in) any { return []byte(`{"infno":"2102","infno":"2102"}`) }, family.Malformed},
		"an unknown infno":     {func(m in) any { m["infno"] = "7777"; return nil }, family.Unsupported},
		"no infno":             {func(m in) any { delete(m, "infno"); return nil }, family.Malformed},
		"another's msgid":      {func(m in) any { m["msgid"] = string(clinic) + m["msgid"].(string)[12:]; return nil }, family.Malformed},
		"a short msgid":        {func(m in) any { m["msgid"] = "1"; return nil }, family.Malformed},
		"an unknown province":  {func(m in) any { m["mdtrtarea_admvs"] = "990000"; return nil }, family.Malformed},
		"no region":            {func(m in) any { m["mdtrtarea_admvs"] = "43010"; return nil }, family.Malformed},
		"a billion pieces":     {func(m in) any { line(m)["cnt"] = json.Number("1e9"); return nil }, family.Malformed},
		"more than an integer": {func(m in) any { line(m)["cnt"] = json.Number("1e30"); return nil }, family.Malformed},
		"a negative count":     {func(m in) any { line(m)["cnt"] = "-1"; return nil }, family.Malformed},
		"no count":             {func(m in) any { line(m)["cnt"] = ""; return nil }, family.Malformed},
		"a negative amount":    {func(m in) any { line(m)["det_item_fee_sumamt"] = json.Number("-10.00"); return nil }, family.Malformed},
		"a negative total":     {func(m in) any { info(m)["medfee_sumamt"] = "-10.00"; return nil }, family.Malformed},
		"three decimals":       {func(m in) any { info(m)["medfee_sumamt"] = json.Number("10.001"); return nil }, family.Malformed},
		"not a number":         {func(m in) any { info(m)["medfee_sumamt"] = "十元"; return nil }, family.Malformed},
		"true for a number":    {func(m in) any { info(m)["medfee_sumamt"] = true; return nil }, family.Malformed},
		"a fen too much":       {func(m in) any { info(m)["medfee_sumamt"] = "10.01"; return nil }, family.SumMismatch},
		"a line that does not fit": {func(m in) any {
			line(m)["det_item_fee_sumamt"], info(m)["medfee_sumamt"] = "20.00", "20.00"
			return nil
		}, family.SumMismatch},
		"a fen too little":      {func(m in) any { info(m)["medfee_sumamt"] = "9.99"; return nil }, family.SumMismatch},
		"bought next year":      {func(m in) any { info(m)["begntime"] = "2027-11-21 12:00:00"; return nil }, family.Malformed},
		"a line of next year's": {func(m in) any { line(m)["fee_ocur_time"] = "2027-11-21 12:00:00"; return nil }, family.Malformed},
		"a day that is none":    {func(m in) any { line(m)["fee_ocur_time"] = "2026-02-30 12:00:00"; return nil }, family.Malformed},
		"SQL for goods":         {func(m in) any { line(m)["med_list_codg"] = "X' OR '1'='1"; return nil }, family.Malformed},
		"SQL for a person":      {func(m in) any { info(m)["psn_no"] = "1; DROP TABLE records"; return nil }, family.Malformed},
		"no lines":              {func(m in) any { m["input"].(in)["drugdetail"] = []in{}; return nil }, family.Malformed},
		"lines that are none":   {func(m in) any { m["input"].(in)["drugdetail"] = []any{1}; return nil }, family.Malformed},
		"two of one number":     {func(m in) any { m["input"].(in)["drugdetail"] = []in{line(m), line(m)}; return nil }, family.Malformed},
		"line number 0":         {func(m in) any { line(m)["feedetl_sn"] = json.Number("0"); return nil }, family.Malformed},
		"goods nobody knows":    {func(m in) any { line(m)["med_list_codg"] = "X-UNKNOWN"; return nil }, family.ItemNotCovered},
		"SQL for a name":        {func(m in) any { info(m)["psn_name"] = "'; DROP TABLE records; --"; return nil }, family.IdentityMismatch},
		"a template for one":    {func(m in) any { info(m)["psn_name"] = "{{.Secret}}${7*7}<%= 1 %>"; return nil }, family.IdentityMismatch},
		"controls in a name":    {func(m in) any { info(m)["psn_name"] = "王\u0000小芳"; return nil }, family.Malformed},
		"nobody's number":       {func(m in) any { info(m)["psn_no"] = string(father); return nil }, family.IdentityMismatch},
		"no number":             {func(m in) any { info(m)["psn_no"] = "null"; return nil }, family.Malformed},
		"a wrong ID number":     {func(m in) any { info(m)["mdtrt_cert_no"] = "430102198503070023"; return nil }, family.Malformed},
		"no credential":         {func(m in) any { info(m)["mdtrt_cert_type"] = "09"; return nil }, family.Malformed},
		"an ecToken of nobody": {func(m in) any {
			info(m)["mdtrt_cert_type"], info(m)["mdtrt_cert_no"] = "01", strings.Repeat("0", 40)
			return nil
		}, family.QRInvalid},
		"a visit not offered": {func(m in) any { info(m)["med_type"] = "51"; return nil }, family.Malformed},
		"a flag of its own":   {func(m in) any { info(m)["acct_used_flag"] = "9"; return nil }, family.Malformed},
	} {
		m := good()
		out := c.spoil(m)
		body, raw := out.([]byte)
		if !raw {
			var err error
			if body, err = json.Marshal(m); err != nil {
				t.Fatal(err)
			}
		}
		infno, _ := m["infno"].(string)
		if infno == "" {
			infno = "2102"
		}
		got := h.post(infno, pharmacy, body)
		if got.status != http.StatusOK || got.Infcode != -1 || !strings.HasSuffix(got.ErrMsg, "["+string(c.want)+"]") || len([]rune(got.ErrMsg)) > 200 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
		if strings.Contains(got.ErrMsg, "DROP") || strings.Contains(got.ErrMsg, "{{") {
			t.Errorf("%s is repeated: %s", name, got.ErrMsg)
		}
		if h.balance(mother) != 100000 {
			t.Fatalf("%s moved money", name)
		}
	}
	// A date in the future.
	h.refused("1312", hospital, in{"data": in{"hilist_code": drugA, "query_date": "2027-01-01"}}, family.Malformed)
	h.books()
}

// TestBadVisits: the same at a visit, whose bill comes in steps. What is refused
// leaves the visit as it was: in the end it is settled by what was good.
func TestBadVisits(t *testing.T) {
	h := newHouse(t)
	h.pay(mother, 100000)
	who := with(in{"psn_no": string(mother)}, byID(mother))
	const later = "2027-11-21 12:00:00"
	h.refused("2201", clinic, in{"data": with(who, in{"ipt_otp_no": "1", "begntime": later})}, family.Malformed)
	visit := h.call("2201", clinic, in{"data": with(who, in{"ipt_otp_no": "1"})}).text("data", "mdtrt_id")
	of := in{"mdtrt_id": visit, "psn_no": string(mother), "med_type": "11"}
	h.refused("2203", clinic, in{"mdtrtinfo": with(of, in{"begntime": later})}, family.Malformed)
	h.call("2203", clinic, in{"mdtrtinfo": of})
	good := with(feeLine(visit, "1", drugA, "1", "10", "10"), in{"psn_no": string(mother)})
	for name, c := range map[string]struct {
		change in
		want   family.Code
	}{
		"charged next year":  {in{"fee_ocur_time": later}, family.Malformed},
		"a billion pieces":   {in{"cnt": json.Number("1e9")}, family.Malformed},
		"a negative count":   {in{"cnt": json.Number("-1")}, family.Malformed},
		"a negative amount":  {in{"det_item_fee_sumamt": json.Number("-10.00")}, family.Malformed},
		"SQL for goods":      {in{"med_list_codg": "X' OR '1'='1"}, family.Malformed},
		"three decimals":     {in{"det_item_fee_sumamt": json.Number("10.001")}, family.Malformed},
		"a line not its sum": {in{"det_item_fee_sumamt": json.Number("20.00")}, family.SumMismatch},
	} {
		r := h.send("2204", h.msgid(clinic), in{"feedetail": []in{with(good, c.change)}})
		if r.Infcode != -1 || !strings.HasSuffix(r.ErrMsg, "["+string(c.want)+"]") {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	h.call("2204", clinic, in{"feedetail": []in{good}})
	bill := func(change in) in {
		return in{"data": with(with(of, with(who, in{"medfee_sumamt": "10.00", "chrg_bchno": "0", "acct_used_flag": "1"})), change)}
	}
	for _, infno := range []string{"2206", "2207"} {
		h.refused(infno, clinic, bill(in{"medfee_sumamt": "10.01"}), family.SumMismatch)
		h.refused(infno, clinic, bill(in{"medfee_sumamt": "9.99"}), family.SumMismatch)
		h.refused(infno, clinic, bill(in{"medfee_sumamt": "-10.00"}), family.Malformed)
		h.refused(infno, clinic, bill(in{"psn_name": "{{.Secret}}"}), family.IdentityMismatch)
	}
	if h.balance(mother) != 100000 {
		t.Errorf("the mother has %s", h.balance(mother))
	}
	h.wantMoney(h.call("2207", clinic, bill(nil)), map[string]string{"medfee_sumamt": "10.00"})
	h.refused("2206", clinic, bill(nil), family.StateForbids) // a charge is settled once
	h.refused("2207", clinic, bill(nil), family.StateForbids)
	h.books()
}

// TestOutOfOrder: the steps of a visit have an order.
func TestOutOfOrder(t *testing.T) {
	h := newHouse(t)
	h.pay(mother, 10000)
	nowhere := in{"mdtrt_id": h.msgid(clinic), "psn_no": string(mother), "med_type": "11"}
	h.refused("2203", clinic, in{"mdtrtinfo": nowhere}, family.NotFound)
	visit := h.call("2201", clinic, in{"data": with(in{"psn_no": string(mother), "ipt_otp_no": "1"}, byID(mother))}).text("data", "mdtrt_id")
	of := in{"mdtrt_id": visit, "psn_no": string(mother), "med_type": "11"}
	line := with(feeLine(visit, "1", drugA, "1", "10", "10"), in{"psn_no": string(mother)})
	bill := in{"data": with(of, with(byID(mother), in{"medfee_sumamt": "10.00", "chrg_bchno": "0", "acct_used_flag": "1"}))}
	h.call("2204", clinic, in{"feedetail": []in{line}})
	h.refused("2207", clinic, bill, family.StateForbids) // what the visit is for was not told
	h.call("2203", clinic, in{"mdtrtinfo": of})
	h.refused("2207", clinic, in{"data": with(bill["data"].(in), in{"med_type": "13"})}, family.StateForbids)  // one visit, one kind
	h.refused("2207", clinic, in{"data": with(bill["data"].(in), in{"chrg_bchno": "7"})}, family.StateForbids) // nothing in that batch
	h.refused("2202", clinic, in{"data": of}, family.StateForbids)                                             // it has charges
	// The same serial with other content is another line.
	h.refused("2204", clinic, in{"feedetail": []in{with(line, in{"cnt": "2", "det_item_fee_sumamt": "20"})}}, family.StateForbids)
	h.call("2204", clinic, in{"feedetail": []in{line}}) // the same line again stands once
	// Not approved by the hospital: the person's own expense, account and all.
	own := with(feeLine(visit, "2", drugA, "1", "5", "5"), in{"psn_no": string(mother), "hosp_appr_flag": "2", "chrg_bchno": "2"})
	if got := h.call("2204", clinic, in{"feedetail": []in{own}}).text("result", 0, "fulamt_ownpay_amt"); got != "5.00" {
		t.Errorf("not approved: %s", got)
	}
	h.wantMoney(h.call("2206", clinic, in{"data": with(bill["data"].(in), in{"chrg_bchno": "2", "medfee_sumamt": "5.00"})}), map[string]string{"fulamt_ownpay_amt": "5.00", "psn_cash_pay": "5.00"})
	// The bill was told otherwise than it is: nothing is settled.
	h.refused("2207", clinic, in{"data": with(bill["data"].(in), in{"fulamt_ownpay_amt": "10.00", "inscp_scp_amt": "0.00"})}, family.QuoteStale)
	msgid := h.msgid(clinic)
	h.send("2207", msgid, bill)
	// Given back, its lines can be undone, and the visit then too.
	h.call("2208", clinic, in{"data": in{"setl_id": msgid, "mdtrt_id": visit, "psn_no": string(mother)}})
	h.call("2205", clinic, in{"data": with(of, in{"chrg_bchno": "0000"})})
	h.call("2202", clinic, in{"data": of})
	h.refused("2204", clinic, in{"feedetail": []in{line}}, family.StateForbids)
	if h.balance(mother) != 10000 {
		t.Errorf("the mother has %s", h.balance(mother))
	}
	h.books()
}

// TestAnotherPlacesToken: what one institution decoded is nothing to another.
func TestAnotherPlacesToken(t *testing.T) {
	h := newHouse(t)
	h.pay(mother, 10000)
	digits := h.show(mother, "")
	token := h.decode(hospital, digits)
	if again := h.decode(hospital, digits); again != token {
		t.Error("to decode again gives another token")
	}
	h.refused("1101", clinic, in{"data": byToken(token)}, family.QRInvalid)
	h.refused("6101", clinic, in{"data": in{"ecQrCode": digits}}, family.QRSpent)
	h.clock.add(23 * time.Hour) // the code's minute is long over; the visit is not
	h.call("1101", hospital, in{"data": byToken(token)})
	h.clock.add(time.Hour)
	h.refused("1101", hospital, in{"data": byToken(token)}, family.QRExpired)
}

// TestGuangdong sums up fund_pay_sumamt with the account.
func TestGuangdong(t *testing.T) {
	h := newHouse(t)
	h.pay(clerk, 100000)
	visit := h.call("2201", southern, in{"data": with(in{"psn_no": string(clerk), "ipt_otp_no": "1"}, byID(clerk))}).text("data", "mdtrt_id")
	of := in{"mdtrt_id": visit, "psn_no": string(clerk), "med_type": "11"}
	h.call("2203", southern, in{"mdtrtinfo": of})
	h.call("2204", southern, in{"feedetail": []in{with(feeLine(visit, "1", drugA, "1", "100", "100"), in{"psn_no": string(clerk)})}})
	bill := h.call("2206", southern, in{"data": with(of, with(byID(clerk), in{"medfee_sumamt": "100.00", "chrg_bchno": "0", "acct_used_flag": "1"}))})
	h.wantMoney(bill, map[string]string{"hifp_pay": "65.00", "psn_part_amt": "35.00", "acct_pay": "35.00", "fund_pay_sumamt": "100.00", "psn_cash_pay": "0.00"})
}

// TestMoneyIsWhole: every amount of setlinfo stands in every answer, and the parts sum
// to the total.
func TestMoneyIsWhole(t *testing.T) {
	h := newHouse(t)
	h.pay(mother, 10000)
	token := h.decode(pharmacy, h.show(mother, h.bind()))
	r := h.call("2102", pharmacy, purchase(byToken(token), e14...))
	fen := func(name string) int64 {
		text := r.text("setlinfo", name)
		n, err := parseNumber(text, 2)
		if _, part, point := strings.Cut(text, "."); err != nil || !point || len(part) != 2 {
			t.Errorf("%s is %q", name, text)
		}
		return n
	}
	for name := range e14Money {
		if name != "pool_prop_selfpay" {
			fen(name)
		}
	}
	if fen("medfee_sumamt") != fen("fund_pay_sumamt")+fen("psn_part_amt")+fen("hosp_part_amt") || fen("psn_part_amt") != fen("acct_pay")+fen("psn_cash_pay") {
		t.Errorf("the parts do not sum: %s", r.body)
	}
	var shared struct {
		Shares []struct {
			Grantor string      `json:"grantor_masked"`
			Paid    json.Number `json:"acct_mulaid_pay"`
		} `json:"mulaid_shares"`
	}
	if err := json.Unmarshal([]byte(r.text("setlinfo", "exp_content")), &shared); err != nil || len(shared.Shares) != 1 || shared.Shares[0].Paid != "100.00" || strings.Contains(shared.Shares[0].Grantor, "小芳") {
		t.Errorf("exp_content: %s %v", r.text("setlinfo", "exp_content"), err)
	}
}

func TestParseNumber(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "-0": 0, "1": 100, "1.5": 150, "1.50000": 150, "0.01": 1, "-4.52": -452, "1E+2": 10000, "1e2": 10000, "123e-2": 123, "00012.3": 1230,
		"9999999999999999.99": 999999999999999999, "0e30": 0, "0.0000000": 0,
	} {
		if got, err := parseNumber(text, 2); err != nil || got != want {
			t.Errorf("%s: %d %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-", ".", ".5", "5.", "+1", "1 ", "1,0", "0x1", "1e", "1e99", "1.001", "NaN", "Infinity", "١", "99999999999999999999", "1e30", "1-1", "--1"} {
		if got, err := parseNumber(text, 2); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}

// FuzzMessage: whatever comes is answered as the interface has it, and what is not a
// good message moves nothing.
func FuzzMessage(f *testing.F) {
	h := newHouse(f)
	h.pay(mother, 100000)
	for infno := range transactions {
		body, err := json.Marshal(message(infno, h.msgid(hospital), in{"data": in{"psn_no": string(mother), "mdtrt_cert_type": "02"}}))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(infno, body)
	}
	f.Add("2102", []byte(`{"infno":"2102","input":"{\"druginfo\":{}}"}`))
	before := h.balance(mother)
	f.Fuzz(func(t *testing.T, infno string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, callService, bytes.NewReader(body))
		h.signed(r, infno, hospital)
		w := httptest.NewRecorder()
		h.door.ServeHTTP(w, r)
		var out reply
		err := json.Unmarshal(w.Body.Bytes(), &out)
		if w.Code != http.StatusUnauthorized && (w.Code != http.StatusOK || err != nil || out.Infcode != 0 && !strings.HasSuffix(out.ErrMsg, "]")) {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if now := ok(h.Account(t.Context(), mother))(t).Balance.Total(); now != before {
			t.Fatal("something moved")
		}
	})
}

// FuzzNumber: a number is read exactly or not at all.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"1.5", "1E+2", "-0.01", "999999999999.99", "1e-7"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parseNumber(s, 2)
		if err != nil {
			return
		}
		again, err := parseNumber(fmt.Sprintf("%de-2", n), 2)
		if err != nil && !errors.Is(err, strconv.ErrRange) || again != n {
			t.Errorf("%q is %d, and that is %d (%v)", s, n, again, err)
		}
	})
}
