package onawstest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// HISKey and HISToken sign the hospital's requests at the national interface. Any
// other institution's key is its code, its token the same.
const (
	HISKey   = "PAAS0001"
	HISToken = "token-of-the-story"
	hisPath  = "/fsi/api/rsfComIfsService/callService"
)

// signed returns the headers of the TIF gateway's convention.
func (s *Scene) signed(institution string) http.Header {
	s.serial++
	at, nonce := strconv.FormatInt(s.Now().Unix(), 10), fmt.Sprintf("nonce-%d", s.serial)
	sum := sha256.Sum256([]byte(at + HISToken + nonce + at))
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("X-Tif-Paasid", institution)
	if institution == Hospital {
		h.Set("X-Tif-Paasid", HISKey)
	}
	h.Set("X-Tif-Timestamp", at)
	h.Set("X-Tif-Nonce", nonce)
	h.Set("X-Tif-Signature", hex.EncodeToString(sum[:]))
	return h
}

// HIS sends a message of the national interface and returns its output; infcode is
// what it must answer.
func (s *Scene) HIS(infcode int, infno, msgid string, input any) object {
	s.T.Helper()
	body, err := json.Marshal(object{"infno": infno, "msgid": msgid, "mdtrtarea_admvs": "430100", "fixmedins_code": msgid[:12], "input": input})
	if err != nil {
		s.T.Fatal(err)
	}
	reply := s.Do(Request{Method: "POST", Target: hisPath, Header: s.signed(msgid[:12]), Body: body})
	var out struct {
		Infcode *int
		Output  object
	}
	d := json.NewDecoder(bytes.NewReader(reply.Body))
	d.UseNumber()
	if err := d.Decode(&out); err != nil || reply.Status != 200 || out.Infcode == nil || *out.Infcode != infcode {
		s.T.Fatalf("%s: %d %s", infno, reply.Status, reply.Body)
	}
	return out.Output
}

// SameToTheFen reads a settlement of the national interface back through the JSON
// door: both tell the same amounts.
func (s *Scene) SameToTheFen(info object, id string) {
	s.T.Helper()
	told := s.must(200, s.Place(Hospital), "GET", "/v1/settlements/"+id, nil)
	fen := func(v any) string {
		yuan, part, _ := strings.Cut(v.(json.Number).String(), ".")
		return strings.TrimLeft(yuan+part, "0")
	}
	for wire, names := range map[string][]string{
		"medfee_sumamt": {"total_fen"}, "fulamt_ownpay_amt": {"out_of_scope_fen"}, "overlmt_selfpay": {"over_limit_fen"}, "preselfpay_amt": {"pre_self_pay_fen"},
		"inscp_scp_amt": {"in_scope_fen"}, "act_pay_dedc": {"deductible_fen"}, "fund_pay_sumamt": {"fund_paid_fen"}, "psn_part_amt": {"person_burden_fen"},
		"acct_pay": {"own_paid_fen", "shared_paid_fen"}, "acct_mulaid_pay": {"shared_paid_fen"}, "psn_cash_pay": {"cash_due_fen"},
	} {
		sum := 0.0
		for _, name := range names {
			sum += told[name].(float64)
		}
		if want := strings.TrimLeft(strconv.FormatFloat(sum, 'f', -1, 64), "0"); fen(info[wire]) != want {
			s.T.Errorf("%s is %v at one door and %s at the other", wire, info[wire], want)
		}
	}
}

// Key feeds the hospital's key for the national interface.
func (s *Scene) Key() {
	s.T.Helper()
	s.Ask(201, s.Operator(), "POST", "/v1/institutions/"+Hospital+"/keys", object{"scheme": "tif", "key_id": HISKey, "secret": HISToken})
}

// TellHIS tells a hospital's day through the national interface: a code is decoded, a
// visit opened, charged, settled and given back. It needs a binding of the child.
func (s *Scene) TellHIS(binding string) {
	s.T.Helper()
	s.Key()
	if r := s.Do(Request{Method: "POST", Target: hisPath, Header: http.Header{}, Body: []byte("{}")}); r.Status != 401 || !bytes.Contains(r.Body, []byte(`"code":401`)) {
		s.T.Fatalf("unsigned: %d %s", r.Status, r.Body)
	}
	s.Ask(201, s.Operator(), "POST", "/v1/catalogue", object{"code": "H1", "name": "甲二", "list_type": "101", "class": "A", "effective_from": "20260101", "limits": object{"period_days": 30, "period_quantity": "1000"}})
	call := func(infno string, input any) object {
		s.T.Helper()
		return s.HIS(0, infno, s.MessageID(Hospital), input)
	}
	call("9001", object{"signIn": object{"opter_no": "c01"}})
	_, digits := s.ShowQR(binding)
	token := call("6101", object{"data": object{"ecQrCode": digits, "businessType": "01301"}})["ecToken"].(string)
	shown := object{"mdtrt_cert_type": "01", "mdtrt_cert_no": token, "psn_no": Child}
	with := func(more object) object {
		for k, v := range shown {
			more[k] = v
		}
		return more
	}
	call("1101", object{"data": object{"mdtrt_cert_type": "01", "mdtrt_cert_no": token}})
	call("1101", object{"data": object{"mdtrt_cert_type": "02", "mdtrt_cert_no": "999999198503070022", "psn_name": "王小芳"}})
	s.HIS(-1, "1101", s.MessageID(Hospital), object{"data": object{"mdtrt_cert_type": "03", "mdtrt_cert_no": "C1", "psn_name": "某某"}})
	call("1201", object{"medinsinfo": object{"fixmedins_code": Hospital}})
	call("2001", object{"data": object{"psn_no": Child, "med_type": "11"}})
	visit := call("2201", object{"data": with(object{"ipt_otp_no": "OP1", "insutype": "390"})})["data"].(object)["mdtrt_id"]
	of := object{"mdtrt_id": visit, "psn_no": Child, "med_type": "11"}
	call("2203", object{"mdtrtinfo": of, "diseinfo": []object{{"diag_code": "J06.900"}}})
	call("2204", object{"feedetail": []object{{
		"mdtrt_id": visit, "psn_no": Child, "chrg_bchno": "0", "feedetl_sn": 1, "med_list_codg": "H1", "medins_list_codg": "L1", "cnt": 2, "pric": 5, "det_item_fee_sumamt": 10,
		"durg_trac_info": []object{{"drug_trac_codg": "TRACEHIS1"}},
	}}})
	bill := object{"data": with(object{"mdtrt_id": visit, "med_type": "11", "chrg_bchno": "0", "medfee_sumamt": 10, "acct_used_flag": "1"})}
	call("2206", bill)
	msgid := s.MessageID(Hospital)
	first, again := s.HIS(0, "2207", msgid, bill), s.HIS(0, "2207", msgid, bill)
	if a, b := fmt.Sprint(first), fmt.Sprint(again); a != b {
		s.T.Fatalf("the repeat was answered otherwise:\n%s\n%s", a, b)
	}
	s.SameToTheFen(first["setlinfo"].(object), msgid)
	call("5201", object{"data": object{"psn_no": Child}})
	day := object{"stmt_begndate": s.Now().In(time.FixedZone("", 8*3600)).Format("2006-01-02"), "stmt_enddate": s.Now().In(time.FixedZone("", 8*3600)).Format("2006-01-02")}
	call("3201", object{"data": day})
	file := call("9101", object{"fsUploadIn": object{"in": "UEsDBA==", "filename": "a.zip"}})["file_qury_no"]
	s.HIS(-1, "3202", s.MessageID(Hospital), object{"data": object{"file_qury_no": file, "stmt_begndate": day["stmt_begndate"], "stmt_enddate": day["stmt_enddate"]}}) // no zip
	s.HIS(0, "2208", s.MessageID(Hospital), object{"data": object{"setl_id": msgid, "mdtrt_id": visit, "psn_no": Child}})
	spent := s.MessageID(Hospital)
	s.HIS(-1, "2207", spent, bill)
	s.HIS(-1, "2601", s.MessageID(Hospital), object{"data": object{"omsgid": spent, "oinfno": "2207", "psn_no": Child}})
	s.HIS(-1, "6101", s.MessageID(Hospital), object{"data": object{"ecQrCode": NeverIssued}})
	s.HIS(-1, "2601", s.MessageID(Hospital), object{"data": object{"omsgid": s.MessageID(Hospital), "oinfno": "2207", "psn_no": Child}})
	s.HIS(-1, "9999", s.MessageID(Hospital), object{})
}

// WaitHIS has a till at the national interface wait for a grantor's word: it asks,
// is told to wait, and settles by the same message when he has approved. It needs
// what Confirm fed.
func (s *Scene) WaitHIS() {
	s.T.Helper()
	his := s.Person(husband)
	s.Ask(201, s.Operator(), "POST", "/v1/institutions/"+shop+"/keys", object{"scheme": "tif", "key_id": shop, "secret": HISToken})
	bindings := s.must(200, his, "GET", "/v1/bindings", nil)["items"].([]any)
	qr := s.must(201, his, "POST", "/v1/qr", object{"binding_id": bindings[0].(object)["binding_id"]})
	token := s.HIS(0, "6101", s.MessageID(shop), object{"data": object{"ecQrCode": qr["digits"], "businessType": "02121"}})["ecToken"]
	bill := object{
		"druginfo":   object{"psn_no": wife, "mdtrt_cert_type": "01", "mdtrt_cert_no": token, "medfee_sumamt": 6000, "acct_used_flag": "1", "med_type": "41"},
		"drugdetail": []object{{"feedetl_sn": 1, "med_list_codg": "A1", "medins_list_codg": "L1", "cnt": 1, "pric": 6000, "det_item_fee_sumamt": 6000}},
	}
	message := s.MessageID(shop)
	s.HIS(-1, "2102", message, bill)
	s.Ask(200, his, "POST", "/v1/confirmations/"+message+"/approve", nil)
	s.HIS(0, "2102", message, bill)
}
