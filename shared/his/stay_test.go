package his

import (
	"slices"
	"strings"
	"testing"

	"gongji/shared/family"
	"gongji/shared/store/storetest"
)

// stay is a patient's stay, as its steps name it.
func (h *house) stay(p family.PersonNo, kind string) (visit string, of, who in) {
	h.t.Helper()
	who = with(in{"psn_no": string(p)}, byID(p))
	visit = h.call("2401", hospital, in{"mdtrtinfo": with(who, in{"ipt_otp_no": "ZY1", "med_type": kind})}).text("result", "mdtrt_id")
	return visit, in{"mdtrt_id": visit, "psn_no": string(p)}, who
}

func stayLine(visit string, p family.PersonNo, serial, batch, sum string) in {
	return with(feeLine(visit, serial, drugA, "1", sum, sum), in{"psn_no": string(p), "chrg_bchno": batch})
}

// TestAStayIsSettled: in bills of its batches, whose deductible is one, before and
// after the discharge; given back, it is as if it had never been.
func TestAStayIsSettled(t *testing.T) {
	h := newHouse(t)
	h.pay(mother, 100000)
	visit, of, who := h.stay(mother, "2101")
	h.call("2403", hospital, in{"mdtrtinfo": with(of, in{"med_type": "2101", "dise_codg": "I63.900"})})
	first := h.msgid(hospital)
	charges := in{"feedetail": []in{stayLine(visit, mother, "1", "1", "600.00"), stayLine(visit, mother, "2", "1", "100.00")}}
	h.sameOutput(h.send("2301", first, charges), h.send("2301", first, charges))
	h.call("2301", hospital, in{"feedetail": []in{stayLine(visit, mother, "3", "2", "1400.00")}})
	bill := func(batch, sum string) in {
		return in{"data": with(who, in{"mdtrt_id": visit, "med_type": "2101", "medfee_sumamt": sum, "chrg_bchno": batch, "acct_used_flag": "1", "psn_setlway": "01"})}
	}
	// At the second grade: 800 first, then 90 %. The mother is in work.
	h.wantMoney(h.call("2303", hospital, bill("1", "700.00")), map[string]string{"act_pay_dedc": "700.00", "hifp_pay": "0.00", "psn_part_amt": "700.00", "acct_pay": "700.00"})
	id1, id2 := h.msgid(hospital), h.msgid(hospital)
	one := h.send("2304", id1, bill("1", "700.00"))
	h.wantMoney(one, map[string]string{"act_pay_dedc": "700.00", "hifp_pay": "0.00", "acct_pay": "700.00", "psn_cash_pay": "0.00", "balc": "300.00"})
	h.sameOutput(h.send("2304", id1, bill("1", "700.00")), one)
	h.call("2402", hospital, in{"dscginfo": of})
	h.refused("2301", hospital, in{"feedetail": []in{stayLine(visit, mother, "4", "2", "1")}}, family.StateForbids)
	// The second bill finds what the first left of the deductible.
	two := h.send("2304", id2, bill("2", "1400.00"))
	h.wantMoney(two, map[string]string{"act_pay_dedc": "100.00", "hifp_pay": "1170.00", "fund_pay_sumamt": "1170.00", "psn_part_amt": "230.00", "acct_pay": "230.00", "psn_cash_pay": "0.00", "pool_prop_selfpay": "0.9000"})
	if got := two.text("setldetail", 0, "fund_pay_type") + " " + two.text("setlinfo", "clr_type"); got != "310100 21" {
		t.Errorf("the fund of stays: %s", got)
	}
	for _, id := range []string{id1, id2} {
		again := ok(h.Replay(t.Context(), family.MessageID(id)))(t)
		if len(again.Differences) != 0 {
			t.Errorf("decided again, %s comes out otherwise: %+v", id, again.Differences)
		}
	}
	// Another stay of the year asks for half, one that was given back for none.
	visit3, of3, _ := h.stay(mother, "2101")
	next := in{"data": with(who, in{"mdtrt_id": visit3, "med_type": "2101", "medfee_sumamt": "1000.00", "chrg_bchno": "0000", "acct_used_flag": "1"})}
	h.call("2301", hospital, in{"feedetail": []in{stayLine(visit3, mother, "1", "0", "1000.00")}})
	h.wantMoney(h.call("2303", hospital, next), map[string]string{"act_pay_dedc": "400.00", "hifp_pay": "540.00"})
	for _, id := range []string{id1, id2} { // the first first: the order is the hospital's
		h.call("2305", hospital, in{"data": with(of, in{"setl_id": id})})
	}
	h.refused("2305", hospital, in{"data": with(of, in{"setl_id": id1})}, family.AlreadyReversed)
	h.wantMoney(h.call("2303", hospital, next), map[string]string{"act_pay_dedc": "800.00", "hifp_pay": "180.00"})
	if h.balance(mother) != 100000 {
		t.Errorf("the mother has %s", h.balance(mother))
	}
	// Back in bed, its lines are taken out, and the stay is none.
	h.call("2405", hospital, in{"data": of})
	h.refused("2405", hospital, in{"data": of}, family.StateForbids)
	h.refused("2404", hospital, in{"data": of}, family.StateForbids)
	h.call("2302", hospital, in{"data": with(of, in{"chrg_bchno": "0000"})})
	h.call("2404", hospital, in{"data": of})
	h.refused("2303", hospital, bill("1", "700.00"), family.StateForbids)
	h.call("2302", hospital, in{"data": with(of3, in{"chrg_bchno": "0000"})})
	h.books()
}

// TestStaysAndVisitsAreTwo: a stay takes no step of an outpatient's visit, nor the
// other way round; and none is settled of a kind that nobody told the benefit of.
func TestStaysAndVisitsAreTwo(t *testing.T) {
	h := newHouse(t)
	_, of, who := h.stay(mother, "2101")
	h.refused("2203", hospital, in{"mdtrtinfo": with(of, in{"med_type": "11"})}, family.StateForbids)
	h.refused("2205", hospital, in{"data": with(of, in{"chrg_bchno": "0000"})}, family.StateForbids)
	h.refused("2403", hospital, in{"mdtrtinfo": with(of, in{"med_type": "11"})}, family.StateForbids)
	h.refused("2401", hospital, in{"mdtrtinfo": with(who, in{"ipt_otp_no": "1", "med_type": "11"})}, family.StateForbids)
	h.refused("2401", hospital, in{"mdtrtinfo": with(who, in{"ipt_otp_no": "1", "med_type": "2102"})}, family.Malformed)
	visit := h.call("2201", hospital, in{"data": with(who, in{"ipt_otp_no": "1"})}).text("data", "mdtrt_id")
	other := in{"mdtrt_id": visit, "psn_no": string(mother)}
	h.refused("2402", hospital, in{"dscginfo": other}, family.StateForbids)
	h.refused("2203", hospital, in{"mdtrtinfo": with(other, in{"med_type": "2101"})}, family.StateForbids)
	h.refused("2301", hospital, in{"feedetail": []in{stayLine(visit, mother, "1", "0", "1")}}, family.StateForbids)
	// Shenzhen's file has no benefit for stays.
	visit, _, _ = h.stay(clerk, "2101")
	h.refused("2301", hospital, in{"feedetail": []in{stayLine(visit, clerk, "1", "0", "1")}}, family.StateForbids)
	if got := h.call("2001", hospital, in{"data": in{"psn_no": string(clerk), "med_type": "2101"}}).text("trtinfo", 0, "trt_enjymnt_flag"); got != "0" {
		t.Errorf("a stay is paid for: %s", got)
	}
	if got := h.call("2001", hospital, in{"data": in{"psn_no": string(mother), "med_type": "2101"}}); got.text("trtinfo", 0, "trt_enjymnt_flag") != "1" || got.text("trtinfo", 0, "fund_pay_type") != "310100" {
		t.Errorf("%s", got.body)
	}
}

// TestAnAdmissionIsUndone by 2601, whether it came or not.
func TestAnAdmissionIsUndone(t *testing.T) {
	h := newHouse(t)
	visit, of, who := h.stay(mother, "2101")
	undo := func(id string) in {
		return in{"data": in{"psn_no": string(mother), "omsgid": id, "oinfno": "2401"}}
	}
	h.call("2601", hospital, undo(visit))
	h.refused("2301", hospital, in{"feedetail": []in{stayLine(visit, mother, "1", "0", "1")}}, family.StateForbids)
	h.call("2404", hospital, in{"data": of}) // it is undone already
	never := h.msgid(hospital)
	h.refused("2601", hospital, undo(never), family.OriginalUnknown)
	h.wantRefused(h.send("2401", never, in{"mdtrtinfo": with(who, in{"ipt_otp_no": "1", "med_type": "2101"})}), family.MessageFenced)
}

// TestStepsMeetEveryFault: each step of a visit and of a stay, with every commit of it
// failing before it is written and after, then sent again: it happens once.
func TestStepsMeetEveryFault(t *testing.T) {
	for _, fault := range []storetest.Fault{storetest.Fails, storetest.Loses} {
		h := newHouse(t)
		h.pay(mother, 1000000)
		send := func(infno string, input any) response {
			t.Helper()
			id, failed := h.msgid(hospital), false
			h.store.Plan = func(c storetest.Call) storetest.Fault {
				if c.Verb == storetest.Commit && !failed {
					return fault
				}
				return storetest.None
			}
			r := h.send(infno, id, input)
			if r.status == 200 && r.Infcode == 0 || r.status == 200 && r.Infcode == -1 {
				t.Errorf("%s: decided while its commit %v: %s", infno, fault, r.body)
			}
			failed = true
			again := h.send(infno, id, input)
			if again.status != 200 || again.Infcode != 0 {
				t.Fatalf("%s sent again after %v: %d %s", infno, fault, again.status, again.body)
			}
			h.store.Plan = nil
			h.sameOutput(h.send(infno, id, input), again)
			return again
		}
		who := with(in{"psn_no": string(mother)}, byID(mother))
		for _, s := range []struct{ open, node, result, tell, charge, uncharge, settle, back, cancel, kind string }{
			{"2201", "data", "data", "2203", "2204", "2205", "2207", "2208", "2202", "11"},
			{"2401", "mdtrtinfo", "result", "2403", "2301", "2302", "2304", "2305", "2404", "2101"},
		} {
			visit := send(s.open, in{s.node: with(who, in{"ipt_otp_no": "1", "med_type": s.kind})}).text(s.result, "mdtrt_id")
			of := in{"mdtrt_id": visit, "psn_no": string(mother), "med_type": s.kind}
			line := in{"feedetail": []in{stayLine(visit, mother, "1", "0", "2000.00")}}
			send(s.tell, in{"mdtrtinfo": of})
			send(s.charge, line)
			send(s.uncharge, in{"data": with(of, in{"chrg_bchno": "0000"})})
			send(s.charge, line)
			before := h.balance(mother)
			bill := in{"data": with(of, with(who, in{"medfee_sumamt": "2000.00", "chrg_bchno": "0", "acct_used_flag": "1"}))}
			sale := send(s.settle, bill)
			if h.balance(mother) == before {
				t.Error("nothing was paid")
			}
			if s.kind == "2101" {
				send("2402", in{"dscginfo": of})
				send("2405", in{"data": of})
			}
			send(s.back, in{"data": with(of, in{"setl_id": sale.text("setlinfo", "setl_id")})})
			if h.balance(mother) != before {
				t.Errorf("%s and %s: the mother has %s of %s", s.settle, s.back, h.balance(mother), before)
			}
			send(s.uncharge, in{"data": with(of, in{"chrg_bchno": "0000"})})
			send(s.cancel, in{"data": of})
		}
		h.books()
	}
}

// TestWalk walks through every transaction: the good case, a field that is missing,
// another institution, the same message again, and the same message with other content.
func TestWalk(t *testing.T) {
	h := newHouse(t)
	h.pay(mother, 10000000)
	who := with(in{"psn_no": string(mother)}, byID(mother))
	// What there is to speak of: a visit and a stay with lines, and settlements.
	open := func(stay bool) (string, in) {
		if stay {
			visit, of, _ := h.stay(mother, "2101")
			h.call("2301", hospital, in{"feedetail": []in{stayLine(visit, mother, "1", "0", "2000.00")}})
			return visit, of
		}
		visit := h.call("2201", hospital, in{"data": with(who, in{"ipt_otp_no": "1"})}).text("data", "mdtrt_id")
		of := in{"mdtrt_id": visit, "psn_no": string(mother)}
		h.call("2203", hospital, in{"mdtrtinfo": with(of, in{"med_type": "11"})})
		h.call("2204", hospital, in{"feedetail": []in{stayLine(visit, mother, "1", "0", "2000.00")}})
		return visit, of
	}
	empty := func(stay bool) in {
		if stay {
			_, of, _ := h.stay(mother, "2101")
			return of
		}
		return in{"mdtrt_id": h.call("2201", hospital, in{"data": with(who, in{"ipt_otp_no": "1"})}).text("data", "mdtrt_id"), "psn_no": string(mother)}
	}
	bill := func(stay bool) in {
		_, of := open(stay)
		kind := map[bool]string{false: "11", true: "2101"}[stay]
		return in{"data": with(of, with(who, in{"med_type": kind, "medfee_sumamt": "2000.00", "chrg_bchno": "0", "acct_used_flag": "1"}))}
	}
	settled := func(stay bool) in {
		b := bill(stay)
		id := h.call(map[bool]string{false: "2207", true: "2304"}[stay], hospital, b).text("setlinfo", "setl_id")
		data := b["data"].(in)
		return in{"data": in{"setl_id": id, "mdtrt_id": data["mdtrt_id"], "psn_no": string(mother)}}
	}
	purchase := in{"druginfo": with(who, in{"medfee_sumamt": "10.00", "acct_used_flag": "1", "med_type": "41"}), "drugdetail": []in{drug("1", drugA, "1", "10", "10")}}
	orders := in{"data": in{"patient_dtos": []in{{"patn_id": string(mother), "fsi_encounter_dtos": []in{{"mdtrt_id": "1", "med_type": "11", "fsi_order_dtos": []in{{"hilist_code": drugC, "hilist_name": "丙", "cnt": 1, "pric": 10, "sumamt": 10}}}}}}}}
	day := in{"data": in{"insutype": "310", "clr_type": "11", "setl_optins": "430100", "stmt_begndate": "2026-11-21", "stmt_enddate": "2026-11-21", "medfee_sumamt": "0", "fund_pay_sumamt": "0", "acct_pay": "0", "fixmedins_setl_cnt": "0"}}
	code := func() in { return in{"data": in{"businessType": "01301", "ecQrCode": h.show(mother, "")}} }
	item := in{"data": in{"hilist_code": drugB, "query_date": "2026-11-21"}}
	type step struct {
		good func() in
		need string // a field without which it is malformed: node.field
		// of tells that it is about a record that another institution does not have.
		of bool
		// writes tells that the same id with other content is refused.
		writes bool
	}
	fixed := func(i in) func() in { return func() in { return i } }
	walk := map[string]step{
		"9001":  {fixed(in{"signIn": in{"opter_no": "c01"}}), "signIn.opter_no", false, false},
		"9002":  {fixed(in{"signOut": in{"sign_no": "1"}}), "signOut.sign_no", false, false},
		"1101":  {fixed(in{"data": byID(mother)}), "data.mdtrt_cert_type", false, false},
		"1201":  {fixed(in{"medinsinfo": in{"fixmedins_type": "1", "fixmedins_code": string(hospital)}}), "", false, false},
		"1162":  {code, "data.ecQrCode", false, false},
		"6101":  {code, "data.ecQrCode", false, false},
		"2001":  {fixed(in{"data": in{"psn_no": string(mother), "med_type": "11"}}), "data.med_type", false, false},
		"1312":  {fixed(item), "data.hilist_code", false, false},
		"1318":  {fixed(item), "data.hilist_code", false, false},
		"1319":  {fixed(item), "data.hilist_code", false, false},
		"2101":  {fixed(purchase), "druginfo.medfee_sumamt", false, false},
		"2102":  {fixed(purchase), "druginfo.medfee_sumamt", false, true},
		"2103":  {func() in { return settled(false) }, "data.setl_id", true, true},
		"2201":  {fixed(in{"data": with(who, in{"ipt_otp_no": "7"})}), "data.ipt_otp_no", false, true},
		"2202":  {func() in { return in{"data": empty(false)} }, "data.mdtrt_id", true, true},
		"2203":  {func() in { return in{"mdtrtinfo": with(empty(false), in{"med_type": "11"})} }, "mdtrtinfo.med_type", true, true},
		"2203A": {func() in { return in{"mdtrtinfo": with(empty(false), in{"med_type": "11"})} }, "mdtrtinfo.med_type", true, true},
		"2204": {func() in {
			visit, _ := open(false)
			return in{"feedetail": []in{stayLine(visit, mother, "9", "0", "1.00")}}
		}, "feedetail", true, true},
		"2205": {func() in { _, of := open(false); return in{"data": with(of, in{"chrg_bchno": "0"})} }, "data.chrg_bchno", true, true},
		"2206": {func() in { return bill(false) }, "data.med_type", true, false},
		"2207": {func() in { return bill(false) }, "data.med_type", true, true},
		"2208": {func() in { return settled(false) }, "data.setl_id", true, true},
		"2301": {func() in {
			visit, _ := open(true)
			return in{"feedetail": []in{stayLine(visit, mother, "9", "0", "1.00")}}
		}, "feedetail", true, true},
		"2302": {func() in { _, of := open(true); return in{"data": with(of, in{"chrg_bchno": "0"})} }, "data.chrg_bchno", true, true},
		"2303": {func() in { return bill(true) }, "data.med_type", true, false},
		"2304": {func() in { return bill(true) }, "data.med_type", true, true},
		"2305": {func() in { return settled(true) }, "data.setl_id", true, true},
		"2401": {fixed(in{"mdtrtinfo": with(who, in{"ipt_otp_no": "7", "med_type": "2101"})}), "mdtrtinfo.med_type", false, true},
		"2402": {func() in { return in{"dscginfo": empty(true)} }, "dscginfo.mdtrt_id", true, true},
		"2403": {func() in { return in{"mdtrtinfo": with(empty(true), in{"med_type": "22"})} }, "mdtrtinfo.med_type", true, true},
		"2404": {func() in { return in{"data": empty(true)} }, "data.mdtrt_id", true, true},
		"2405": {func() in { of := empty(true); h.call("2402", hospital, in{"dscginfo": of}); return in{"data": of} }, "data.mdtrt_id", true, true},
		"2601": {func() in {
			id := h.call("2102", hospital, purchase).text("setlinfo", "setl_id")
			return in{"data": in{"psn_no": string(mother), "omsgid": id, "oinfno": "2102"}}
		}, "data.oinfno", true, true},
		"3101": {fixed(orders), "", false, false},
		"3102": {fixed(orders), "", false, false},
		"3201": {fixed(day), "data.stmt_begndate", false, false},
		"5201": {func() in { _, of := open(false); return in{"data": of} }, "data.psn_no", false, false},
		"5203": {func() in { return settled(false) }, "data.setl_id", true, false},
		"5204": {func() in { return settled(true) }, "data.setl_id", true, false},
		"5206": {fixed(in{"data": in{"psn_no": string(mother)}}), "data.psn_no", false, false},
	}
	for infno, s := range walk {
		t.Run(infno, func(t *testing.T) {
			h.t = t
			input, id := s.good(), h.msgid(hospital)
			without := func(path string) in {
				node, field, deep := strings.Cut(path, ".")
				if !deep {
					return with(input, in{node: nil})
				}
				return with(input, in{node: with(input[node].(in), in{field: nil})})
			}
			if s.need != "" {
				r := h.refused(infno, hospital, without(s.need), family.Malformed)
				if field := s.need[strings.LastIndex(s.need, ".")+1:]; !strings.Contains(r.ErrMsg, field) && field != "medfee_sumamt" {
					t.Errorf("without %s: %s", s.need, r.ErrMsg)
				}
			}
			if s.of { // another institution has no such visit or settlement
				if r := h.send(infno, h.msgid(clinic), input); r.status != 200 || r.Infcode != -1 {
					t.Errorf("another institution: %d %s", r.status, r.body)
				}
			}
			balance := h.balance(mother)
			first := h.send(infno, id, input)
			if first.status != 200 || infno != "1162" && first.Infcode != 0 {
				t.Fatalf("%d %s", first.status, first.body)
			}
			after := h.balance(mother)
			h.sameOutput(h.send(infno, id, input), first)
			if h.balance(mother) != after {
				t.Errorf("the same message again moved %s", after-h.balance(mother))
			}
			if moves := map[string]bool{"2102": true, "2103": true, "2207": true, "2208": true, "2304": true, "2305": true, "2601": true}[infno]; moves != (after != balance) {
				t.Errorf("it moved %s", after-balance)
			}
			if s.writes {
				h.wantRefused(h.send(infno, id, with(input, in{"more": "1"})), family.MessageReused)
			}
			// Another's message: the key is not this institution's.
			body := []byte(`{"infno":"` + infno + `","msgid":"` + h.msgid(clinic) + `","fixmedins_code":"` + string(clinic) + `","input":{}}`)
			if r := h.post(infno, hospital, body); r.status != 401 {
				t.Errorf("for another institution: %d %s", r.status, r.body)
			}
		})
	}
	h.t = t
	// Walked elsewhere: files and their comparison (TestGolden), orders (TestMobile).
	for infno := range transactions {
		if _, here := walk[infno]; !here && !slices.Contains([]string{"9101", "9102", "3202", "6201", "6202", "6203", "6301"}, infno) {
			t.Errorf("nobody walks through %s", infno)
		}
	}
	for _, infno := range []string{"0000", "1301", "1313", "1314", "1315", "1316", "1317", "1320", "2209", "2306", "2406", "2501", "3103", "3301", "4101", "5102", "5205", "5301", "6401", "7101", "9103", "9601", "100001", "x", "二二"} {
		h.refused(infno, hospital, in{"data": in{}}, family.Unsupported)
	}
	h.books()
}

// TestPreAudit: what the rules say of orders before there is a bill.
func TestPreAudit(t *testing.T) {
	h := newHouse(t)
	ask := func(code, kind string) in {
		return in{"data": in{"patient_dtos": []in{{"patn_id": string(mother), "fsi_encounter_dtos": []in{{"mdtrt_id": "1", "med_type": kind, "fsi_order_dtos": []in{{"hilist_code": code, "cnt": 1, "pric": 10, "sumamt": 10}}}}}}}}
	}
	for _, infno := range []string{"3101", "3102"} {
		for _, c := range []struct{ code, kind, degree, rule string }{
			{drugA, "11", "", ""},
			{drugC, "11", "3", "item_not_covered"},
			{"NOSUCH", "11", "1", "item_not_covered"},
			{drugC, "2101", "3", "item_not_covered"},
		} {
			r := h.call(infno, hospital, ask(c.code, c.kind))
			rows, _ := r.output("result").([]any)
			if c.degree == "" && len(rows) != 0 || c.degree != "" && (len(rows) != 1 || r.text("result", 0, "sev_deg") != c.degree || r.text("result", 0, "rule_id") != c.rule || r.text("result", 0, "vola_amt") != "10.00") {
				t.Errorf("%s of %s: %s", infno, c.code, r.body)
			}
		}
	}
	// Catalogue queries tell what the settlement would use.
	item := in{"data": in{"hilist_code": limit, "query_date": "2026-11-21"}}
	if got := h.call("1312", hospital, item).text("data", 0, "chrgitm_lv"); got != "02" {
		t.Errorf("1312: %s", got)
	}
	if got := h.call("1318", hospital, item); got.text("data", 0, "hilist_pric_uplmt_amt") != "80.00" || got.text("data", 0, "hosp_lv") != "5" {
		t.Errorf("1318: %s", got.body)
	}
	if got := h.call("1319", hospital, item); got.text("data", 0, "selfpay_prop") != "0.2000" || got.text("data", 1, "selfpay_prop_psn_type") != "390" {
		t.Errorf("1319: %s", got.body)
	}
	for _, infno := range []string{"1312", "1318", "1319"} {
		h.refused(infno, hospital, in{"data": in{"hilist_code": "NOSUCH"}}, family.NotFound)
		h.refused(infno, hospital, in{"data": in{"hilist_code": drugA, "query_date": "2020-01-01"}}, family.NotFound)
	}
}
