package app

import (
	"sync"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/store/storetest"
)

// The couple of these stories lives in Shenzhen, whose policy asks the grantor about
// more than 5,000.00 in one settlement.
const (
	husband family.PersonNo        = "P5000"
	wife    family.PersonNo        = "P5001"
	shop    family.InstitutionCode = "P44030000005"
	his     family.Fen             = 10000_00 // what he has
	large   family.Fen             = 6000_00
)

// couple is a house with the husband's money and his grant to his wife, whose own
// account is empty.
func couple(t *testing.T) (*house, family.BindingID) {
	t.Helper()
	h := newHouse(t)
	return h, h.addCouple()
}

func (h *house) addCouple() family.BindingID {
	h.t.Helper()
	insured := family.Insurance{Region: "440300", Insutype: family.Employee, PsnType: "11", Active: true}
	he, she := human{husband, "郑大海", "19800101", insured, "A50000000", ""}, human{wife, "郑小溪", "19820202", insured, "A50000001", ""}
	h.feed(he)
	h.feed(she)
	h.pay(husband, his, 0)
	ok(h.FeedPlace(h.t.Context(), family.Place{Code: shop, Name: "测试深圳药房", Kind: family.Pharmacy, Level: "11", Region: "440305", Designated: true}))(h.t)
	ask := BindingAsk{Name: she.name, ID: h.feedOf(she).ID, Relation: "12", Show: true, Pay: forAll()}
	id := ok(h.RequestBinding(h.t.Context(), husband, ask, Once{}))(h.t).Answer.Binding.ID
	ok(h.Submit(h.t.Context(), husband, id))(h.t)
	ok(h.Accept(h.t.Context(), wife, id))(h.t)
	return id
}

// waits sends a bill that has to wait, by the code that he shows or by her card.
func (h *house) waits(c Credential, price family.Fen) SettleAsk {
	h.t.Helper()
	ask := SettleAsk{Message: h.message(shop), Credential: c, Bill: medicine(price, "WAIT1")}
	refused(h.Settle(h.t.Context(), shop, ask))(h.t, family.ConfirmationNeeded)
	return ask
}

func herCard() Credential { return Credential{Type: ByCard, Value: "A50000001"} }

// confirmationsOf lists what a person is asked, with its state and amount.
func (h *house) confirmationsOf(p family.PersonNo) map[family.MessageID]ConfirmationState {
	h.t.Helper()
	states := map[family.MessageID]ConfirmationState{}
	for _, v := range ok(h.Confirmations(h.t.Context(), p, "", 100))(h.t).Items {
		states[v.Message] = v.State
	}
	return states
}

// TestALargeShareWaitsForItsOwner is the whole story: nothing moves before he has
// approved, nor by his approval; then the same message settles, once.
func TestALargeShareWaitsForItsOwner(t *testing.T) {
	h, link := couple(t)
	qr := h.show(husband, link)
	books := [2]family.Account{h.account(husband), h.account(wife)}
	ask := h.waits(byQR(qr.Digits), large)
	asked := ok(h.Confirmations(t.Context(), husband, "", 10))(t).Items[0]
	same(t, "what he is asked", asked, ConfirmationView{
		Message: ask.Message, At: noon, Until: noon.Add(3 * time.Minute), State: ConfirmationWaits,
		Asked: family.Question{Grantor: husband, Binding: link, Relation: "12", Amount: large},
		Place: family.Place{Code: shop, Name: "测试深圳药房", Kind: family.Pharmacy, Level: "11", Region: "440305", Designated: true}, PatientMasked: "郑**",
	})
	same(t, "what she is asked", len(h.confirmationsOf(wife)), 0)

	// The till sends it again; another till tries the code; the phone looks.
	before := h.dump()
	out, err := h.Settle(t.Context(), shop, ask)
	same(t, "again", []any{codeOf(err), out.Replay}, []any{family.ConfirmationNeeded, true})
	view := ok(h.FindMessage(t.Context(), shop, ask.Message))(t)
	same(t, "looked up", []any{view.Refusal.Code, view.Confirmed, view.Settled == nil}, []any{family.ConfirmationNeeded, false, true})
	shown := ok(h.GetQR(t.Context(), husband, qr.Token.ID))(t)
	same(t, "the code", []any{shown.Token.StateAt(shown.Now), shown.Digits}, []any{family.QRStateHeld, ""})
	h.wantNothingMoved(before)
	other := ask
	other.Message = h.message(shop)
	refused(h.Settle(t.Context(), shop, other))(t, family.QRSpent)
	refused(h.Quote(t.Context(), shop, SettleAsk{Credential: ask.Credential, Bill: ask.Bill}))(t, family.QRSpent)
	other = ask
	other.Bill = medicine(large + 1)
	refused(h.Settle(t.Context(), shop, other))(t, family.MessageReused)

	// Nobody but he is asked; a new code on his phone leaves the held one alone.
	for _, p := range []family.PersonNo{wife, zhou} {
		refused(h.Confirm(t.Context(), p, ask.Message, family.ConsentGiven))(t, family.NotFound)
	}
	refused(h.Confirm(t.Context(), husband, h.message(shop), family.ConsentGiven))(t, family.NotFound)
	h.show(husband, link)

	h.clock.add(2 * time.Minute) // longer than a code lives
	same(t, "approved", ok(h.Confirm(t.Context(), husband, ask.Message, family.ConsentGiven))(t).State, ConfirmationApproved)
	before = h.dump()
	ok(h.Confirm(t.Context(), husband, ask.Message, family.ConsentGiven))(t)
	same(t, "looked up", ok(h.FindMessage(t.Context(), shop, ask.Message))(t).Confirmed, true)
	h.wantNothingMoved(before)
	same(t, "the accounts before", books, [2]family.Account{h.account(husband), h.account(wife)})

	settled := ok(h.Settle(t.Context(), shop, ask))(t)
	same(t, "who paid", partsOf(settled), parts{Total: large, Shared: large})
	same(t, "his balance", h.balance(husband), his-large)
	same(t, "given twice", ok(h.Settle(t.Context(), shop, ask))(t).Replay, true)
	same(t, "his list", h.confirmationsOf(husband), map[family.MessageID]ConfirmationState{ask.Message: ConfirmationSettled})
	same(t, "the code", ok(h.GetQR(t.Context(), husband, qr.Token.ID))(t).Token.State, family.QRStateSpent)
	same(t, "approved too late to matter", ok(h.Confirm(t.Context(), husband, ask.Message, family.ConsentGiven))(t).State, ConfirmationSettled)
	refused(h.Confirm(t.Context(), husband, ask.Message, family.ConsentRefused))(t, family.StateForbids)
	ok(h.Reverse(t.Context(), shop, ask.Message, h.message(shop), "退药"))(t)
	same(t, "his balance after the reversal", h.balance(husband), his)
	h.prove()
}

// TestHowAWaitEnds: whatever ends it but the approval moves nothing, for good.
func TestHowAWaitEnds(t *testing.T) {
	approve := func(h *house, ask SettleAsk) {
		ok(h.Confirm(h.t.Context(), husband, ask.Message, family.ConsentGiven))(h.t)
	}
	for name, c := range map[string]struct {
		ends  func(*house, SettleAsk)
		want  family.Code
		state ConfirmationState
	}{
		"he declines": {func(h *house, ask SettleAsk) {
			ok(h.Confirm(h.t.Context(), husband, ask.Message, family.ConsentRefused))(h.t)
		}, family.ConfirmationDeclined, ConfirmationDeclined},
		"he takes his approval back": {func(h *house, ask SettleAsk) {
			approve(h, ask)
			ok(h.Confirm(h.t.Context(), husband, ask.Message, family.ConsentRefused))(h.t)
		}, family.ConfirmationDeclined, ConfirmationDeclined},
		"he says nothing": {func(h *house, _ SettleAsk) { h.clock.add(3 * time.Minute) }, family.ConfirmationLapsed, ConfirmationLapsed},
		"the till comes too late": {func(h *house, ask SettleAsk) {
			approve(h, ask)
			h.clock.add(3 * time.Minute)
		}, family.ConfirmationLapsed, ConfirmationLapsed},
		"the till looks it up when it has lapsed, and a slower clock comes after": {func(h *house, ask SettleAsk) {
			approve(h, ask)
			h.clock.add(3 * time.Minute)
			same(h.t, "looked up", ok(h.FindMessage(h.t.Context(), shop, ask.Message))(h.t).Refusal.Code, family.ConfirmationLapsed)
			h.clock.add(-time.Minute)
		}, family.ConfirmationLapsed, ConfirmationLapsed},
		"the till takes it back": {func(h *house, ask SettleAsk) {
			approve(h, ask)
			refused(h.Reverse(h.t.Context(), shop, ask.Message, h.message(shop), "不等了"))(h.t, family.OriginalUnknown)
		}, family.MessageFenced, ConfirmationWithdrawn},
		"the link ends": {func(h *house, ask SettleAsk) {
			approve(h, ask)
			bindings := ok(h.Bindings(h.t.Context(), wife, "", 1))(h.t)
			ok(h.EndBinding(h.t.Context(), wife, bindings.Items[0].Binding.ID))(h.t)
		}, family.QRReplaced, ConfirmationWithdrawn},
		"the account is frozen": {func(h *house, ask SettleAsk) {
			approve(h, ask)
			ok(0, h.Freeze(h.t.Context(), anna, wife, true))(h.t)
		}, family.PersonFrozen, ConfirmationWithdrawn},
	} {
		t.Run(name, func(t *testing.T) {
			h, link := couple(t)
			ask := h.waits(byQR(h.show(husband, link).Digits), large)
			c.ends(h, ask)
			refused(h.Settle(t.Context(), shop, ask))(t, c.want)
			same(t, "his list", h.confirmationsOf(husband), map[family.MessageID]ConfirmationState{ask.Message: c.state})
			before := h.dump()
			refused(h.Settle(t.Context(), shop, ask))(t, c.want)
			if _, err := h.Confirm(t.Context(), husband, ask.Message, family.ConsentGiven); err == nil && c.state != ConfirmationWithdrawn && c.want != family.ConfirmationLapsed {
				t.Error("approved after its end")
			}
			h.wantNothingMoved(before)
			same(t, "his balance", h.balance(husband), his)
			h.prove()
		})
	}
}

// TestTheTierItselfPassesUnasked: the tier is what passes; a fen more is asked about.
func TestTheTierItselfPassesUnasked(t *testing.T) {
	h, _ := couple(t)
	h.pay(husband, 1, 0)
	h.settle(shop, herCard(), medicine(5000_00))
	h.waits(herCard(), 5000_01)
	same(t, "his balance", h.balance(husband), his-5000_00+1)
}

// TestNobodyPaysMoreThanHeApproved: what her own account no longer pays is not taken
// from his; it is cash.
func TestNobodyPaysMoreThanHeApproved(t *testing.T) {
	h, _ := couple(t)
	h.pay(wife, 1000_00, 0)
	ask := h.waits(herCard(), 7000_00)
	ok(h.Confirm(t.Context(), husband, ask.Message, family.ConsentGiven))(t)
	h.settle(shop, herCard(), medicine(1000_00)) // she spends her own meanwhile
	same(t, "who paid", partsOf(ok(h.Settle(t.Context(), shop, ask))(t)), parts{Total: 7000_00, Shared: 6000_00, Cash: 1000_00})
	h.prove()
}

// TestAGrantThatEndedMeanwhilePaysNothing: an approval is no grant.
func TestAGrantThatEndedMeanwhilePaysNothing(t *testing.T) {
	h, link := couple(t)
	ask := h.waits(herCard(), large)
	ok(h.Confirm(t.Context(), husband, ask.Message, family.ConsentGiven))(t)
	ok(h.EndBinding(t.Context(), husband, link))(t)
	same(t, "who paid", partsOf(ok(h.Settle(t.Context(), shop, ask))(t)), parts{Total: large, Cash: large})
	same(t, "his balance", h.balance(husband), his)
	h.prove()
}

// TestAllWhoAreAskedMustApprove: of two sons who would each pay much, one approval
// is not enough and one "no" ends it.
func TestAllWhoAreAskedMustApprove(t *testing.T) {
	h, mother, sons, place := shenzhen(t)
	for i, son := range sons {
		h.pay(son, family.Fen(5500_00+i), 0)
	}
	ask := SettleAsk{Message: h.message(place), Credential: mother, Bill: medicine(11000_00)}
	for range 2 {
		refused(h.Settle(t.Context(), place, ask))(t, family.ConfirmationNeeded)
		ok(h.Confirm(t.Context(), sons[0], ask.Message, family.ConsentGiven))(t)
	}
	view := ok(h.Confirm(t.Context(), sons[1], ask.Message, family.ConsentGiven))(t)
	same(t, "the second son", view.State, ConfirmationApproved)
	same(t, "who paid", partsOf(ok(h.Settle(t.Context(), place, ask))(t)), parts{Total: 11000_00, Shared: 11000_00})
	h.prove()
}

// TestANoInTheGapIsHeard: he takes his approval back between the till's look and its
// commit: it looks again and moves nothing. The same with the end of the grant.
func TestANoInTheGapIsHeard(t *testing.T) {
	for name, c := range map[string]struct {
		gap  func(*house, SettleAsk, family.BindingID)
		want any
	}{
		"no": {func(h *house, ask SettleAsk, _ family.BindingID) {
			ok(h.Confirm(h.t.Context(), husband, ask.Message, family.ConsentRefused))(h.t)
		}, family.ConfirmationDeclined},
		"the link ends": {func(h *house, _ SettleAsk, link family.BindingID) {
			ok(h.EndBinding(h.t.Context(), husband, link))(h.t)
		}, family.QRReplaced},
		"fenced": {func(h *house, ask SettleAsk, _ family.BindingID) {
			refused(h.Reverse(h.t.Context(), shop, ask.Message, h.message(shop), "不等了"))(h.t, family.OriginalUnknown)
		}, family.MessageFenced},
	} {
		t.Run(name, func(t *testing.T) {
			h, link := couple(t)
			ask := h.waits(byQR(h.show(husband, link).Digits), large)
			ok(h.Confirm(t.Context(), husband, ask.Message, family.ConsentGiven))(t)
			a, calls := h.inTheGap(func() { c.gap(h, ask, link) })
			_, err := a.Settle(t.Context(), shop, ask)
			same(t, "answer", codeOf(err), c.want)
			if calls.Calls(storetest.Commit) == 0 {
				t.Error("the gap was not reached")
			}
			same(t, "his balance", h.balance(husband), his)
			h.prove()
		})
	}
}

// TestApproveDeclineFenceAndSettleAtOnce: whoever comes first, the money moves once
// or never, and what each was told is so.
func TestApproveDeclineFenceAndSettleAtOnce(t *testing.T) {
	settledOnce := 0
	for round := range 12 {
		h, link := couple(t)
		ask := h.waits(byQR(h.show(husband, link).Digits), large)
		var mu sync.Mutex
		answers := map[string]family.Code{}
		acts := []func() (string, error){
			func() (string, error) {
				_, err := h.Confirm(t.Context(), husband, ask.Message, family.ConsentGiven)
				return "approve", err
			},
			func() (string, error) { _, err := h.Settle(t.Context(), shop, ask); return "settle", err },
			func() (string, error) { _, err := h.Settle(t.Context(), shop, ask); return "settle again", err },
			func() (string, error) {
				if round%3 == 0 {
					_, err := h.Confirm(t.Context(), husband, ask.Message, family.ConsentRefused)
					return "decline", err
				}
				return "", nil
			},
			func() (string, error) {
				if round%3 == 1 {
					_, err := h.Reverse(t.Context(), shop, ask.Message, h.message(shop), "不等了")
					return "reverse", err
				}
				return "", nil
			},
		}
		together(len(acts), func(i int) {
			name, err := acts[i]()
			mu.Lock()
			defer mu.Unlock()
			answers[name] = codeOf(err)
		})
		_, err := h.Settle(t.Context(), shop, ask)
		last, left := codeOf(err), his
		if reversed, sent := answers["reverse"]; last == "" && !(sent && reversed == "") {
			left = his - large
			settledOnce++
		}
		if told := answers["settle"] == "" || answers["settle again"] == ""; told && last != "" || h.balance(husband) != left {
			t.Errorf("round %d: %v, at last %v, balance %v", round, answers, err, h.balance(husband))
		}
		h.prove()
	}
	if settledOnce == 0 {
		t.Error("it was never settled")
	}
}

// TestConfirmationsComeInPagesNewestFirst walks the list by twos.
func TestConfirmationsComeInPagesNewestFirst(t *testing.T) {
	h, _ := couple(t)
	var sent []family.MessageID
	for range 5 {
		h.clock.add(time.Second)
		sent = append([]family.MessageID{h.waits(herCard(), large).Message}, sent...)
	}
	var got []family.MessageID
	for after := ""; ; {
		page := ok(h.Confirmations(t.Context(), husband, after, 2))(t)
		for _, v := range page.Items {
			got = append(got, v.Message)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	same(t, "all pages", got, sent)
	for _, bad := range []string{"x", "1234567890", "1234567890#", string(sent[0])} {
		refused(h.Confirmations(t.Context(), husband, bad, 2))(t, family.Malformed)
	}
}
