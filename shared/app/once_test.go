package app

import (
	"strings"
	"testing"
	"time"

	"gongji/shared/family"
)

func TestARequestWithAKeyIsAnsweredOnce(t *testing.T) {
	h := newHouse(t)
	ask := h.ask(wang, "12", true, forAll())
	key := Once{Key: "a-phone's-key", Content: ask}
	first := ok(h.RequestBinding(t.Context(), li, ask, key))(t)
	if first.Replay {
		t.Fatal("a first answer is called a replay")
	}
	before := h.dump()
	h.clock.add(time.Hour)
	again := ok(h.RequestBinding(t.Context(), li, ask, key))(t)
	if !again.Replay {
		t.Fatal("the second answer is not called a replay")
	}
	same(t, "the second answer", again.Answer, first.Answer)

	other := h.ask(chen, "52", true, nil)
	refused(h.RequestBinding(t.Context(), li, other, Once{key.Key, other}))(t, family.MessageReused)
	refused(h.IssueQR(t.Context(), li, "", Once{key.Key, ask}))(t, family.MessageReused) // another act
	refused(h.RequestBinding(t.Context(), li, other, Once{strings.Repeat("k", 129), other}))(t, family.Malformed)
	h.wantNothingMoved(before)

	// Keys are a person's own.
	ok(h.RequestBinding(t.Context(), wang, h.ask(li, "11", true, nil), key))(t)
}

func TestARefusalWithAKeyIsRemembered(t *testing.T) {
	h := newHouse(t)
	id := h.request(li, wang, "12", true, nil)
	key := Once{"k1", string(id)}
	first := refused(h.IssueQR(t.Context(), li, id, key))(t, family.StateForbids) // not yet accepted
	ok(h.Submit(t.Context(), li, id))(t)
	ok(h.Accept(t.Context(), wang, id))(t)
	before := h.dump()
	out, err := h.IssueQR(t.Context(), li, id, key)
	same(t, "the second answer", refused(out, err)(t, family.StateForbids), first)
	if !out.Replay {
		t.Fatal("the second answer is not called a replay")
	}
	h.wantNothingMoved(before)
	ok(h.IssueQR(t.Context(), li, id, Once{"k2", string(id)}))(t)

	// What could not be taken as a request is not remembered.
	refused(h.RequestBinding(t.Context(), li, BindingAsk{Name: "王秀兰", ID: h.idOf(chen), Relation: "52"}, Once{"k3", 1}))(t, family.IdentityMismatch)
	bad := h.ask(chen, "52", false, nil)
	before = h.dump()
	refused(h.RequestBinding(t.Context(), li, bad, Once{"k4", bad}))(t, family.Malformed)
	h.wantNothingMoved(before)
	bad.Show = true
	ok(h.RequestBinding(t.Context(), li, bad, Once{"k4", bad}))(t)
}

func TestACodeAskedForTwiceWithOneKeyIsOneCode(t *testing.T) {
	h := newHouse(t)
	first := ok(h.IssueQR(t.Context(), li, "", Once{"k", nil}))(t)
	again := ok(h.IssueQR(t.Context(), li, "", Once{"k", nil}))(t)
	if !again.Replay || again.Answer.Digits != first.Answer.Digits || again.Answer.Token != first.Answer.Token {
		t.Fatalf("two codes: %+v and %+v", first, again)
	}
	if other := ok(h.IssueQR(t.Context(), li, "", Once{}))(t); other.Answer.Digits == first.Answer.Digits {
		t.Fatal("without a key the same code comes again")
	}
}

// TestACodesAnswerIsRepeatedForItsLifeAlone: the answer to a request for a code is
// kept for two days, the code in it is shown for its minute, and not when it was
// spent or replaced since.
func TestACodesAnswerIsRepeatedForItsLifeAlone(t *testing.T) {
	for name, c := range map[string]struct {
		since func(*house, QRView)
		state family.QRState
	}{
		"expired":                {func(h *house, _ QRView) { h.clock.add(time.Minute) }, family.QRStateExpired},
		"spent":                  {func(h *house, v QRView) { h.settle(pharmacy, byQR(v.Digits), medicine(100)) }, family.QRStateSpent},
		"replaced":               {func(h *house, _ QRView) { h.show(li, "") }, family.QRStateReplaced},
		"forgotten by the store": {func(h *house, _ QRView) { h.clock.add(onceLife - time.Second) }, family.QRStateExpired},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			first := ok(h.IssueQR(t.Context(), li, "", Once{"k", nil}))(t).Answer
			c.since(h, first)
			again := ok(h.IssueQR(t.Context(), li, "", Once{"k", nil}))(t)
			state := again.Answer.Token.StateAt(again.Answer.Now)
			if !again.Replay || again.Answer.Token.ID != first.Token.ID || again.Answer.Digits != "" || state != c.state {
				t.Errorf("%+v is %s", again, state)
			}
		})
	}
}

// TestAKeyComesBeforeWhatItIsFor: a request that is refused for what it names hears
// of its key first, as every other does.
func TestAKeyComesBeforeWhatItIsFor(t *testing.T) {
	h := newHouse(t)
	refused(h.IssueQR(t.Context(), li, "no binding's id", Once{strings.Repeat("k", 129), nil}))(t, family.Malformed)
	ok(h.IssueQR(t.Context(), li, "", Once{"k", "one"}))(t)
	refused(h.IssueQR(t.Context(), li, "no binding's id", Once{"k", "another"}))(t, family.MessageReused)
	refused(h.IssueQR(t.Context(), li, "no binding's id", Once{}))(t, family.NotFound)
}
