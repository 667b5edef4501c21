package app

import (
	"testing"
	"time"

	"gongji/shared/family"
)

func TestACodeLivesAMinute(t *testing.T) {
	h := newHouse(t)
	id := h.bind(li, wang, "12", true, nil)
	qr := h.show(li, id)
	ok(family.ParseQRDigits(qr.Digits))(t)
	same(t, "patient", []string{string(qr.Token.Patient), qr.PatientMasked}, []string{"P1002", "王**"})
	same(t, "expiry", qr.Token.Expires, noon.Add(time.Minute))

	look := func(want family.QRState) {
		t.Helper()
		view := ok(h.GetQR(t.Context(), li, qr.Token.ID))(t)
		same(t, "state", view.Token.StateAt(view.Now), want)
		if shown := view.Digits == qr.Digits; shown != (want == family.QRStateIssued) || !shown && view.Digits != "" {
			t.Fatalf("a code that is %s shows the digits %q", want, view.Digits)
		}
	}
	look(family.QRStateIssued)
	h.clock.add(59 * time.Second)
	look(family.QRStateIssued)
	ok(h.Quote(t.Context(), pharmacy, SettleAsk{Credential: byQR(qr.Digits), Bill: medicine(100)}))(t)
	h.clock.add(time.Second)
	look(family.QRStateExpired)
	refused(h.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: byQR(qr.Digits), Bill: medicine(100)}))(t, family.QRExpired)

	// Only the presenter sees it.
	refused(h.GetQR(t.Context(), wang, qr.Token.ID))(t, family.NotFound)
	for _, id := range []family.TokenID{"", "junk", "01JZZZZZZZZZZZZZZZZZZZZZZZ"} {
		refused(h.GetQR(t.Context(), li, id))(t, family.NotFound)
	}
}

func TestANewCodeReplacesTheOneBefore(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 10000, 0)
	id := h.bind(li, wang, "12", true, nil)
	old := h.show(li, id)
	others := []QRView{h.show(wang, ""), h.show(li, "")} // her own and his own
	h.clock.add(10 * time.Second)
	fresh := h.show(li, id)
	if fresh.Digits == old.Digits {
		t.Fatal("two codes have the same digits")
	}
	refused(h.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: byQR(old.Digits), Bill: medicine(100)}))(t, family.QRReplaced)
	view := ok(h.GetQR(t.Context(), li, old.Token.ID))(t)
	same(t, "the old one's state", view.Token.State, family.QRStateReplaced)
	for _, qr := range append(others, fresh) {
		h.settle(pharmacy, byQR(qr.Digits), medicine(100))
	}
	h.prove()
}

func TestACodeIsSpentOnce(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 10000, 0)
	id := h.bind(li, wang, "12", true, nil)
	qr := h.show(li, id)
	ok(h.Quote(t.Context(), pharmacy, SettleAsk{Credential: byQR(qr.Digits), Bill: medicine(100)}))(t) // a quote spends nothing
	out := h.settle(pharmacy, byQR(qr.Digits), medicine(100))
	same(t, "presenter", out.Settlement.Presenter, li)
	same(t, "the names", out.Names, map[family.PersonNo]string{li: "李**", wang: "王**"})
	refused(h.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: byQR(qr.Digits), Bill: medicine(100)}))(t, family.QRSpent)
	refused(h.Quote(t.Context(), pharmacy, SettleAsk{Credential: byQR(qr.Digits), Bill: medicine(100)}))(t, family.QRSpent)
	view := ok(h.GetQR(t.Context(), li, qr.Token.ID))(t)
	same(t, "what became of it", []string{string(view.Token.State), string(view.Token.SpentBy), view.Digits}, []string{"spent", string(out.Settlement.ID), ""})

	// A reversal does not bring the code back to life.
	ok(h.Reverse(t.Context(), pharmacy, out.Settlement.ID, h.message(pharmacy), ""))(t)
	refused(h.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: byQR(qr.Digits), Bill: medicine(100)}))(t, family.QRSpent)
	h.prove()
}

func TestACodeDiesWithItsLink(t *testing.T) {
	for _, c := range []struct {
		what string
		by   family.PersonNo
		end  func(*house, family.PersonNo, family.BindingID) error
		dies bool
	}{
		{"ended by the holder", li, (*house).end, true},
		{"ended by the member", wang, (*house).end, true},
		{"paused by the holder", li, change(family.Change{Paused: new(true)}), true},
		{"paused by the member", wang, change(family.Change{Paused: new(true)}), true},
		{"no longer shown", li, change(family.Change{Show: new(false)}), true},
		{"her consent taken back", wang, change(family.Change{Show: new(false)}), true},
		{"the grant alone ended", li, change(family.Change{SetPay: true}), false},
		{"the grant alone changed", li, change(family.Change{SetPay: true, Pay: &family.Terms{Purposes: []family.Purpose{family.ForCare}}}), false},
	} {
		h := newHouse(t)
		h.pay(wang, 10000, 0)
		id := h.bind(li, wang, "12", true, forAll())
		qr, own := h.show(li, id), h.show(wang, "")
		if err := c.end(h, c.by, id); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		_, err := h.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: byQR(qr.Digits), Bill: medicine(100)})
		if c.dies && codeOf(err) != family.QRReplaced || !c.dies && err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		h.settle(pharmacy, byQR(own.Digits), medicine(100)) // her own goes on
	}
}

func (h *house) end(by family.PersonNo, id family.BindingID) error {
	_, err := h.EndBinding(h.t.Context(), by, id)
	return err
}

func change(c family.Change) func(*house, family.PersonNo, family.BindingID) error {
	return func(h *house, by family.PersonNo, id family.BindingID) error {
		_, err := h.ChangeBinding(h.t.Context(), by, id, c)
		return err
	}
}

func TestWhoMayShowWhom(t *testing.T) {
	h := newHouse(t)
	shows := h.bind(li, wang, "12", true, nil)
	pays := h.bind(li, chen, "52", false, forAll())
	before := h.dump()
	refused(h.IssueQR(t.Context(), wang, shows, Once{}))(t, family.NotFound) // the member is not the presenter
	refused(h.IssueQR(t.Context(), zhou, shows, Once{}))(t, family.NotFound) // another's looks like a missing one
	refused(h.IssueQR(t.Context(), li, "01JUNKNOWN", Once{}))(t, family.NotFound)
	refused(h.IssueQR(t.Context(), li, pays, Once{}))(t, family.StateForbids)
	refused(h.IssueQR(t.Context(), "P9999", "", Once{}))(t, family.PersonNotInsured)
	h.wantNothingMoved(before)

	paused := h.human(wang)
	paused.insurance.Active = false
	h.feed(paused)
	refused(h.IssueQR(t.Context(), li, shows, Once{}))(t, family.PersonNotInsured)
}
