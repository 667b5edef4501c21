package his

import (
	"testing"

	"gongji/shared/app"
	"gongji/shared/family"
)

// TestATillWaitsForTheGrantor: above what his region lets pass unasked the till is told
// to wait; the same message, sent again, settles when he has approved, and is refused
// for good when he has not.
func TestATillWaitsForTheGrantor(t *testing.T) {
	h := newHouse(t)
	h.pay(clerk, 2000000)
	const boy = family.PersonNo("440300000077")
	id := family.IDNumber("440301201802150018")
	if _, err := family.ParseIDNumber(string(id)); err != nil { // find his check digit
		for _, last := range "0123456789X" {
			if try, err := family.ParseIDNumber(string(id[:17]) + string(last)); err == nil {
				id = try
			}
		}
	}
	ok(h.FeedPerson(t.Context(), app.PersonFeed{Person: boy, Name: "陈小小", ID: id, Insurance: family.Insurance{Region: "440300", Insutype: family.Resident, PsnType: "1402", Active: true}}))(t)
	asked := ok(h.RequestBinding(t.Context(), clerk, app.BindingAsk{
		Name: "陈小小", ID: id, Relation: "20", Show: true, Pay: &family.Terms{Purposes: []family.Purpose{family.ForCare}},
	}, app.Once{}))(t).Answer
	if _, err := h.Submit(t.Context(), clerk, asked.Binding.ID); err != nil {
		t.Fatal(err)
	}
	token := h.decode(southern, h.show(clerk, asked.Binding.ID))
	who := with(in{"psn_no": string(boy)}, byToken(token))
	visit := h.call("2201", southern, in{"data": with(who, in{"ipt_otp_no": "1"})}).text("data", "mdtrt_id")
	of := in{"mdtrt_id": visit, "psn_no": string(boy), "med_type": "11"}
	h.call("2203", southern, in{"mdtrtinfo": of})
	for _, serial := range []string{"1", "2"} {
		h.call("2204", southern, in{"feedetail": []in{with(feeLine(visit, serial, drugA, "1", "9000", "9000"), in{"psn_no": string(boy), "chrg_bchno": serial})}})
	}
	bill := func(batch string, who in) in {
		return in{"data": with(of, with(who, in{"medfee_sumamt": "9000.00", "chrg_bchno": batch, "acct_used_flag": "1"}))}
	}
	msgid := h.msgid(southern)
	h.wantRefused(h.send("2207", msgid, bill("1", who)), family.ConfirmationNeeded)
	h.wantRefused(h.send("2207", msgid, bill("1", who)), family.ConfirmationNeeded)
	if h.balance(clerk) != 2000000 {
		t.Errorf("the grantor has %s before he was asked", h.balance(clerk))
	}
	ok(h.Confirm(t.Context(), clerk, family.MessageID(msgid), family.ConsentGiven))(t)
	sale := h.send("2207", msgid, bill("1", who))
	h.wantMoney(sale, map[string]string{"acct_mulaid_pay": sale.text("setlinfo", "acct_pay"), "psn_cash_pay": "0.00"})
	h.sameOutput(h.send("2207", msgid, bill("1", who)), sale)
	after := h.balance(clerk)
	if after >= 2000000-500000 {
		t.Errorf("the grantor has %s", after)
	}
	// He declines: decided, and the message stays so. A till that gives up undoes its own.
	byCard := with(in{"psn_no": string(boy)}, in{"mdtrt_cert_type": "02", "mdtrt_cert_no": string(id), "psn_name": "陈小小"})
	declined := h.msgid(southern)
	h.wantRefused(h.send("2207", declined, bill("2", byCard)), family.ConfirmationNeeded)
	ok(h.Confirm(t.Context(), clerk, family.MessageID(declined), family.ConsentRefused))(t)
	h.wantRefused(h.send("2207", declined, bill("2", byCard)), family.ConfirmationDeclined)
	h.wantRefused(h.send("2207", declined, bill("2", byCard)), family.ConfirmationDeclined)
	waiting := h.msgid(southern)
	h.wantRefused(h.send("2207", waiting, bill("2", byCard)), family.ConfirmationNeeded)
	h.refused("2601", southern, in{"data": in{"psn_no": string(boy), "omsgid": waiting, "oinfno": "2207"}}, family.OriginalUnknown)
	h.wantRefused(h.send("2207", waiting, bill("2", byCard)), family.MessageFenced)
	if h.balance(clerk) != after {
		t.Errorf("the grantor has %s, had %s", h.balance(clerk), after)
	}
	h.books()
}
