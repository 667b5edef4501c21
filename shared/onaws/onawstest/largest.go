package onawstest

import (
	"bytes"
	"fmt"
)

// maxLines and maxBoxes bound a bill (family.MaxLines, family.MaxTraceCodes), maxHIS a
// message of the national interface, in bytes (shared/his/door.go).
const (
	maxLines = 60
	maxBoxes = 80
	maxHIS   = 1 << 20
)

// boxes returns how many boxes the n-th line of the largest bill has, n from 0: some
// have two, so that all are maxBoxes.
func boxes(n int) int {
	if n < maxBoxes-maxLines {
		return 2
	}
	return 1
}

// Largest settles the largest bill there can be at the JSON door and at the national
// interface, and sends the latter the largest message that it takes, and one that is
// larger. It needs a binding of the child, and the hospital's key.
func (s *Scene) Largest(binding string) {
	s.T.Helper()
	name := func(kind string, line, box int) string {
		return fmt.Sprintf("%s%07d%07d%02d", kind, s.serial, line, box)
	}
	_, digits := s.ShowQR(binding)
	bill := Bill(s.MessageID(Hospital), digits)
	var list, detail []object
	for n := range maxLines {
		line := object{"line_no": n + 1, "code": "A1", "name": "甲一", "quantity": "1", "unit_price_fen": 100, "amount_fen": 100}
		var codes []string
		for box := range boxes(n) {
			codes = append(codes, name("8100", n, box))
		}
		line["trace_codes"] = codes
		list = append(list, line)
	}
	bill["lines"], bill["total_fen"] = list, 100*maxLines
	s.Ask(201, s.Place(Hospital), "POST", "/v1/settlements", bill)

	call := func(infno string, input any) object {
		s.T.Helper()
		return s.HIS(0, infno, s.MessageID(Hospital), input)
	}
	_, digits = s.ShowQR(binding)
	token := call("6101", object{"data": object{"ecQrCode": digits, "businessType": "01301"}})["ecToken"]
	visit := call("2201", object{"data": object{"mdtrt_cert_type": "01", "mdtrt_cert_no": token, "psn_no": Child, "ipt_otp_no": "OP2", "insutype": "390"}})["data"].(object)["mdtrt_id"]
	call("2203", object{"mdtrtinfo": object{"mdtrt_id": visit, "psn_no": Child, "med_type": "11"}, "diseinfo": []object{{"diag_code": "J06.900"}}})
	for n := range maxLines {
		var codes []object
		for box := range boxes(n) {
			codes = append(codes, object{"drug_trac_codg": name("8200", n, box)})
		}
		detail = append(detail, object{
			"mdtrt_id": visit, "psn_no": Child, "chrg_bchno": "0", "feedetl_sn": n + 1, "med_list_codg": "A1", "medins_list_codg": "L1", "cnt": 1, "pric": 1, "det_item_fee_sumamt": 1,
			"durg_trac_info": codes,
		})
	}
	call("2204", object{"feedetail": detail})
	call("2207", object{"data": object{
		"mdtrt_cert_type": "01", "mdtrt_cert_no": token, "psn_no": Child, "mdtrt_id": visit, "med_type": "11", "chrg_bchno": "0", "medfee_sumamt": maxLines, "acct_used_flag": "1",
	}})

	// A file comes as a list of its bytes, four characters each.
	file := make([]int, maxHIS/4-1000)
	for i := range file {
		file[i] = 100 + i%156
	}
	call("9101", object{"fsUploadIn": object{"in": file, "filename": "a.zip"}})
	more := s.Do(Request{Method: "POST", Target: hisPath, Header: s.signed(Hospital), Body: bytes.Repeat([]byte(" "), maxHIS+1)})
	if more.Status != 200 || !bytes.HasPrefix(more.Body, []byte(`{"infcode":-1,`)) {
		s.T.Fatalf("too much: %d %s", more.Status, more.Body)
	}
}
