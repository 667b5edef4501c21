package his

import (
	"net/http"
	"testing"

	"gongji/shared/family"
)

// TestPharmacy is a purchase from the scan to the refund: a child's medicine, paid by
// his mother's account (E14).
func TestPharmacy(t *testing.T) {
	h := newHouse(t)
	h.pay(mother, 10000)
	id := h.bind()
	token := h.decode(pharmacy, h.show(mother, id))
	if len(token) != 40 {
		t.Fatalf("an ecToken of %d characters", len(token))
	}
	who := h.call("1101", pharmacy, in{"data": byToken(token)})
	if got := who.text("baseinfo", "psn_no") + who.text("baseinfo", "psn_name") + who.text("insuinfo", 0, "insutype"); got != string(child)+"李小乐390" {
		t.Errorf("1101: %s", who.body)
	}
	bill := purchase(byToken(token), e14...)
	for range 3 { // a pre-settlement moves nothing, however often it is asked
		quote := h.call("2101", pharmacy, bill)
		h.wantMoney(quote, e14Money)
		if quote.text("setlinfo", "setl_id") != "" || h.balance(mother) != 10000 {
			t.Errorf("2101 moved something: %s", quote.body)
		}
	}
	msgid := h.msgid(pharmacy)
	sale := h.send("2102", msgid, bill)
	h.wantMoney(sale, e14Money)
	if sale.text("setlinfo", "setl_id") != msgid || h.balance(mother) != 0 {
		t.Fatalf("%s", sale.body)
	}
	// The same message again: the same answer, nothing moved.
	again := h.send("2102", msgid, bill)
	h.sameOutput(again, sale)
	// The same id with another body is refused, never merged.
	h.wantRefused(h.send("2102", msgid, purchase(byToken(token), e14[:2]...)), family.MessageReused)
	// The code is spent.
	h.refused("2102", pharmacy, bill, family.QRSpent)

	// 2103: the same numbers negated under an id of its own, money back where it came from.
	ref := in{"data": in{"setl_id": msgid, "mdtrt_id": sale.text("setlinfo", "mdtrt_id"), "psn_no": string(child)}}
	back := h.msgid(pharmacy)
	undone := h.send("2103", back, ref)
	for name, want := range map[string]string{
		"setl_id": back, "medfee_sumamt": "-197.90", "fulamt_ownpay_amt": "-88.00", "preselfpay_amt": "-9.00", "inscp_scp_amt": "-100.90", "acct_pay": "-100.00",
		"acct_mulaid_pay": "-100.00", "psn_cash_pay": "-97.90", "pdn_cash_pay": "-97.90", "balc": "0.00",
	} {
		if got := undone.text("setlinfo", name); got != want {
			t.Errorf("2103 %s: %s, want %s", name, got, want)
		}
	}
	if h.balance(mother) != 10000 {
		t.Errorf("the mother has %s", h.balance(mother))
	}
	h.sameOutput(h.send("2103", back, ref), undone)
	h.refused("2103", pharmacy, ref, family.AlreadyReversed)
	h.books()
}

var e14Money = map[string]string{
	"medfee_sumamt": "197.90", "fulamt_ownpay_amt": "88.00", "overlmt_selfpay": "0.00", "preselfpay_amt": "9.00", "inscp_scp_amt": "100.90",
	"act_pay_dedc": "0.00", "hifp_pay": "0.00", "pool_prop_selfpay": "0.0000", "cvlserv_pay": "0.00", "hifes_pay": "0.00", "hifmi_pay": "0.00", "hifob_pay": "0.00",
	"maf_pay": "0.00", "hifdm_pay": "0.00", "oth_pay": "0.00", "fund_pay_sumamt": "0.00", "psn_part_amt": "197.90", "acct_pay": "100.00", "psn_cash_pay": "97.90",
	"hosp_part_amt": "0.00", "balc": "0.00", "acct_mulaid_pay": "100.00",
}

// wantMoney wants every amount of setlinfo as it is written.
func (h *house) wantMoney(r response, want map[string]string) {
	h.t.Helper()
	if r.status != http.StatusOK || r.Infcode != 0 {
		h.t.Fatalf("%d %s", r.status, r.body)
	}
	for name, amount := range want {
		if got := r.text("setlinfo", name); got != amount {
			h.t.Errorf("%s: %s, want %s", name, got, amount)
		}
	}
}

// sameOutput wants two answers to be one but for when they were given.
func (h *house) sameOutput(a, b response) {
	h.t.Helper()
	if a.status != b.status || a.Infcode != b.Infcode || a.ErrMsg != b.ErrMsg || a.text() != b.text() {
		h.t.Errorf("two answers:\n%s\n%s", a.body, b.body)
	}
}
