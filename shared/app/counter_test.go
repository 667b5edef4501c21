package app

import (
	"strings"
	"testing"

	"gongji/shared/family"
)

// uploadFor is upload by an operator at the counter.
func (h *house) uploadFor(r family.Reviewer, id family.BindingID, kind family.PaperKind, file []byte) {
	h.t.Helper()
	door := ok(h.AnnounceAtCounter(h.t.Context(), r, id, announced(kind, file)))(h.t)
	if status, text := h.send(door, file); status != 200 {
		h.t.Fatalf("the upload of %s: %d %s", kind, status, text)
	}
}

// cardOf is what a person's identity card shows.
func (h *house) cardOf(no family.PersonNo) Identity {
	for _, p := range cast {
		if p.no == no {
			return Identity{Name: p.name, ID: h.feedOf(p).ID}
		}
	}
	panic(no)
}

// TestTheCounterServesPeopleWithoutAPhone: an operator fills in, another approves, and
// what one operator began no colleague has a hand in but the one who reviews.
func TestTheCounterServesPeopleWithoutAPhone(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	ask := h.ask(chen, "52", false, forAll()) // Li's mother, who may spend from his account
	unknown := h.cardOf(li)
	unknown.Name = "李明"
	refused(h.RequestAtCounter(ctx, anna, unknown, ask))(t, family.IdentityMismatch)
	refused(h.RequestAtCounter(ctx, family.Reviewer{}, h.cardOf(li), ask))(t, family.NotPermitted)
	own := refused(h.RequestAtCounter(ctx, family.Reviewer{Subject: "li at work", Person: li}, h.cardOf(li), ask))(t, family.NotPermitted)
	same(t, "the rule", own.Rule, "counter.own_family")

	view := ok(h.RequestAtCounter(ctx, anna, h.cardOf(li), ask))(t)
	id := view.Binding.ID
	same(t, "steps", doneSteps(view.Binding), "upload id_card?, upload commitment_letter?, submit?, accept?, review?")
	for _, r := range []family.Reviewer{bert, {}} { // a colleague, and nobody
		refused(h.ServedAtCounter(ctx, r, id))(t, family.NotFound)
		refused(h.SubmitAtCounter(ctx, r, id))(t, family.NotFound)
		refused(h.AcceptAtCounter(ctx, r, id))(t, family.NotFound)
		refused(h.AnnounceAtCounter(ctx, r, id, announced(family.IDCard, scan(t, 1))))(t, family.NotFound)
	}
	refused(h.SubmitAtCounter(ctx, anna, id))(t, family.PaperMissing)
	h.uploadFor(anna, id, family.IDCard, scan(t, 1))
	h.uploadFor(anna, id, family.CommitmentLetter, scan(t, 2))
	refused(h.AcceptAtCounter(ctx, anna, id))(t, family.StateForbids)
	same(t, "state", ok(h.SubmitAtCounter(ctx, anna, id))(t).Binding.State, family.BindingAwaiting)
	same(t, "state", ok(h.AcceptAtCounter(ctx, anna, id))(t).Binding.State, family.BindingInReview)
	before := h.dump()
	ok(h.SubmitAtCounter(ctx, anna, id))(t) // repeats
	ok(h.AcceptAtCounter(ctx, anna, id))(t)
	h.wantNothingMoved(before)

	eyes := refused(h.Approve(ctx, id, anna, ReviewAsk{}))(t, family.NotPermitted)
	same(t, "the rule", eyes.Rule, "review.four_eyes")
	ok(h.Review(ctx, id, bert))(t)
	same(t, "state", ok(h.Approve(ctx, id, bert, ReviewAsk{}))(t).Binding.State, family.BindingActive)
	same(t, "his grants", len(h.account(li).Given), 1)

	// Both are told of every step that was done in their names.
	for _, side := range []family.PersonNo{li, chen} {
		var told []string
		for _, e := range ok(h.Notices(ctx, side, "", 20))(t).Items {
			told = append(told, string(e.What))
		}
		same(t, "told to "+string(side), strings.Join(told, " "), "activated review_approved accepted submitted requested")
	}

	// She takes her consent back at another counter, with her card; a stranger cannot.
	live, no, err := h.BindingsAtCounter(ctx, anna, h.cardOf(chen))
	if err != nil || no != chen || len(live) != 1 || live[0].Binding.ID != id {
		t.Fatalf("%v %v %v", live, no, err)
	}
	_, _, err = h.EndAtCounter(ctx, bert, id, h.cardOf(zhou))
	same(t, "a stranger", codeOf(err), family.NotFound)
	_, _, err = h.EndAtCounter(ctx, family.Reviewer{Subject: "x", Person: li}, id, h.cardOf(chen))
	same(t, "her son at work", codeOf(err), family.NotPermitted)
	ended, _, err := h.EndAtCounter(ctx, bert, id, h.cardOf(chen))
	if err != nil || ended.Binding.State != family.BindingEnded || ended.Binding.EndedBy != family.ByMember {
		t.Fatalf("%+v %v", ended.Binding, err)
	}
	before = h.dump()
	if _, _, err = h.EndAtCounter(ctx, bert, id, h.cardOf(chen)); err != nil {
		t.Fatal(err)
	}
	h.wantNothingMoved(before)
	same(t, "his grants after", len(h.account(li).Given), 0)
	h.prove()
}

// TestAtTheCounterOneSideMayHaveAPhone: a daughter without time for the counter accepts
// on her phone what her mother signed there; a relative in the registry is family too.
func TestAtTheCounterOneSideMayHaveAPhone(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	id := ok(h.RequestAtCounter(ctx, anna, h.cardOf(li), h.ask(wang, "12", true, nil)))(t).Binding.ID
	h.uploadFor(anna, id, family.IDCard, scan(t, 1))
	h.uploadFor(anna, id, family.CommitmentLetter, scan(t, 2))

	// Anna turns out to be Wang's sister.
	ok(h.FeedRegistry(ctx, KinFeed{Identity: h.cardOf(wang), Relations: []KinRelation{{h.cardOf(lijun).ID, "77"}}}))(t)
	sister := family.Reviewer{Subject: "anna", Person: lijun}
	kin := refused(h.SubmitAtCounter(ctx, sister, id))(t, family.NotPermitted)
	same(t, "the rule", kin.Rule, "counter.own_family")

	ok(h.SubmitAtCounter(ctx, anna, id))(t)
	refused(h.Accept(ctx, li, id))(t, family.NotPermitted)
	same(t, "state", ok(h.Accept(ctx, wang, id))(t).Binding.State, family.BindingInReview)
	ok(h.Reject(ctx, id, bert, ReviewAsk{Reason: "签名看不清"}))(t)
	refused(h.AcceptAtCounter(ctx, anna, id))(t, family.StateForbids)
}
