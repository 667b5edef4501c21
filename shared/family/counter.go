package family

import "time"

// This file is for people without a phone: an operator of the insurer fills the request
// in at the counter, where they stand before him with their papers, and does their steps
// for them. Four eyes follow: another one reviews what he filled in.

// counter refuses an operator who may not do a side's steps on the binding: what is of
// his own family, what was not filled in at the counter, and what a colleague began, or
// that colleague could review what he had a hand in.
func (b *Binding) counter(r Reviewer) *Refusal {
	switch {
	case r.Person != "" && b.SideOf(r.Person) != "", r.Kin:
		return &Refusal{Code: NotPermitted, Rule: "counter.own_family", Detail: "nobody serves himself or his relatives"}
	case b.Assisted == "" || b.Assisted != r.Subject:
		return &Refusal{Code: NotPermitted, Rule: "counter.own_request", Detail: "who filled it in at the counter goes on with it"}
	}
	return nil
}

// Assist is an operator's step at the counter: the holder's promise, signed on paper,
// or the member's consent. A repeat changes nothing.
func (pair Pair) Assist(action Action, r Reviewer, p *Policy, now time.Time) (Pair, *Refusal) {
	if refusal := pair.Binding.counter(r); refusal != nil {
		return pair, refusal
	}
	switch action {
	case StepSubmit:
		return pair.submit(ByOperator, r.Subject, p, now)
	case StepAccept:
		return pair.step(StepAccept, Accepted, ByOperator, r.Subject, "", p, now)
	}
	return pair, stateForbids(pair.Binding)
}

// AnnounceFor adds a paper that an operator has before him and is about to upload.
func (b Binding) AnnounceFor(r Reviewer, m Material, now time.Time) (Binding, MaterialID, *Refusal) {
	if refusal := b.counter(r); refusal != nil {
		return b, "", refusal
	}
	return b.announce(m, now)
}

// EndFor ends the binding at the counter for the side whose wish it is and who stands
// there: any operator may, but not for his own family. Nobody has to wait for a second
// pair of eyes to take a consent back. A repeat changes nothing.
func (pair Pair) EndFor(by PersonNo, r Reviewer, p *Policy, now time.Time) (Pair, *Refusal) {
	b := &pair.Binding
	if b.SideOf(by) == "" {
		return pair, Refuse(NotFound)
	}
	if r.Person != "" && b.SideOf(r.Person) != "" || r.Kin {
		return pair, &Refusal{Code: NotPermitted, Rule: "counter.own_family", Detail: "nobody serves himself or his relatives"}
	}
	if !b.Live() {
		return pair, nil
	}
	if refusal := b.mayEnd(b.SideOf(by), p); refusal != nil {
		return pair, refusal
	}
	return pair.over(BindingEnded, b.SideOf(by), "", now).Note(now, ByOperator, r.Subject, Finished, ""), nil
}
