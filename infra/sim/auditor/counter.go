package auditor

import (
	"slices"
	"time"

	"gongji/shared/store"
)

// This file is the auditor's own reading of the counter: what an operator does for
// people who stand before him and have no phone.

// Identity is somebody as his identity card tells.
type Identity struct {
	Key  store.Key // where the index of his ID number lies
	Name string
}

// stood is who stands before the operator, by what the act found when it looked who he
// is; empty is nobody.
func (v *view) stood(r *Request) string {
	index, looked := v.trip.First[r.Who.Key]
	if !looked {
		v.blind = append(v.blind, r.Who.Key)
	}
	if !index.Exists() {
		return ""
	}
	no := shape[pointerRecord](v.a, index).To
	if no == "" {
		return ""
	}
	person, looked := v.trip.First[personKey(no)]
	if !looked {
		v.blind = append(v.blind, personKey(no))
		return ""
	}
	if has := shape[personRecord](v.a, person); v.a.open(no, has.Key, "name", has.Name) != r.Who.Name {
		return ""
	}
	return no
}

// served works out what an operator is answered who goes on with what he filled in, or
// who ends a binding for one of its sides.
func (v *view) served(r *Request, at time.Time) (effects, string) {
	who, mine := "", func(b *binding) bool { return b.Assisted != "" && b.Assisted == r.Subject }
	if r.Op == OpServeEnd {
		if who = v.stood(r); who == "" {
			return nil, "identity_mismatch"
		}
		mine = func(b *binding) bool { return b.Holder == who || b.Member == who }
	}
	p := v.pairOf(r.Binding, at, mine)
	if p == nil {
		return nil, "not_found"
	}
	if r.By != "" && (r.By == p.was.Holder || r.By == p.was.Member || r.Op != OpServeAnnounce && v.isKin(r.By, p)) {
		v.a.Reached("nobody serves his own family")
		return nil, "not_permitted"
	}
	code := ""
	switch r.Op {
	case OpServeSubmit:
		code = v.promise(p)
	case OpServeAccept:
		code = p.step("accept")
	case OpServeAnnounce:
		code = v.announced(p, r, true)
	case OpServeEnd:
		side := map[bool]string{true: "holder", false: "member"}[who == p.was.Holder]
		switch {
		case !p.was.live():
		case p.was.State == "active" && !slices.Contains(p.rules.EndedBy, side):
			code = "not_permitted"
		default:
			p.over("ended", side, "")
		}
	}
	if code != "" {
		return nil, code
	}
	if p.b.State == "in_review" && p.was.State != "in_review" {
		v.a.Reached("what an operator filled in goes to another pair of eyes")
	}
	return v.paired(p), ""
}

// fourEyes finds a binding that an operator filled in and that nobody else agreed to.
func (a *Auditor) fourEyes(t *Trip, was, is *binding) {
	if is.Assisted == "" || is.State != "active" || was.State == "active" {
		return
	}
	if !was.Activated.IsZero() { // it was agreed to before; the member has come of age
		return
	}
	if t.Request.Op != OpApprove || t.Request.Subject == is.Assisted {
		a.fault("%s by %q made the binding %s active, which %q filled in", t.Request.Op, t.Request.Subject, is.ID, is.Assisted)
	}
	a.Reached("what an operator filled in is active by another's word")
}
