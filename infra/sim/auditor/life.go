package auditor

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"gongji/shared/store"
)

// This file is the auditor's own reading of what the civil registry, reviewers, papers
// and time do to a binding.

// registry is what the civil registry's table held of two people when it was asked,
// and whether it was.
func (v *view) registry(p *pair) (holder, member *registryRecord, asked bool) {
	look := func(person *personRecord) *registryRecord {
		k := registryKey(person.IDIndex)
		r, read := v.trip.Reads[k]
		if v.quiet {
			r, read = v.a.disk.Peek(k), true
		}
		asked = asked || read
		if !r.Exists() {
			return nil
		}
		return shape[registryRecord](v.a, r)
	}
	holder = look(p.holderPerson)
	return holder, look(p.memberPerson), asked
}

// inverse is what the holder is to the member, by kind.
func inverse(kin string) string {
	if other, has := map[string]string{"parent": "child", "child": "parent", "grandparent": "grandchild", "grandchild": "grandparent"}[kin]; has {
		return other
	}
	return kin
}

// says is what the registry answers of a relation.
func (p *pair) says(holder, member *registryRecord) string {
	said := "cannot_say"
	for _, side := range []struct {
		record *registryRecord
		other  string
		kin    string
	}{{holder, p.memberPerson.IDIndex, kinOf(p.was.Relation)}, {member, p.holderPerson.IDIndex, inverse(kinOf(p.was.Relation))}} {
		if side.record == nil {
			continue
		}
		if side.record.Deceased {
			return "no_match"
		}
		known, found := side.record.Relations[side.other]
		switch {
		case found && kinOf(known) == side.kin:
			if said == "cannot_say" {
				said = "match"
			}
		case found, side.record.Complete:
			said = "no_match"
		}
	}
	return said
}

// promise is the holder's promise, of which the registry is asked.
func (v *view) promise(p *pair) string {
	said := "cannot_say"
	holder, member, asked := v.registry(p)
	if asked {
		said = p.says(holder, member)
		for no, record := range map[string]*registryRecord{p.was.Holder: holder, p.was.Member: member} {
			if record == nil {
				continue
			}
			person := shape[personRecord](v.a, v.trip.Asked[personKey(no)])
			if record.Name != v.a.index("name", v.a.open(no, person.Key, "name", person.Name)) {
				said = "no_match"
				v.a.Reached("the registry knows another name")
			}
		}
	}
	if p.b.nextIs("submit") && p.b.live() {
		if said == "no_match" {
			return "identity_mismatch"
		}
		p.b.Identity = said
		reviews := slices.ContainsFunc(p.b.Steps, func(s step) bool { return s.Action == "review" })
		if p.rules.Evidence == "machine" && said != "match" && !reviews {
			p.b.Steps = append(p.b.Steps, step{Action: "review", By: "reviewer"})
			v.a.Reached("the registry cannot say, and a reviewer decides")
		}
		v.a.Reached("at a promise the registry says: " + said)
	}
	return p.step("submit")
}

// The papers.

// announced adds a paper that is about to come.
func (v *view) announced(p *pair, r *Request, isHolder bool) string {
	m := r.Paper
	switch {
	case !isHolder:
		return "not_permitted"
	case m.Size > 10<<20:
		return "paper_wrong"
	case p.b.State != "draft" || p.b.lapsed(p.today):
		return "state_forbids"
	}
	for _, had := range p.b.Materials {
		if had.Kind == m.Kind && had.SHA256 == m.SHA256 && had.ContentType == m.ContentType && had.Size == m.Size && (had.State == "awaited" || had.State == "kept") {
			v.a.Reached("a paper is announced again")
			return ""
		}
	}
	if len(p.b.Materials) >= 12 {
		return "too_large"
	}
	p.b.Materials = append(p.b.Materials, material{m.ID, m.Kind, m.ContentType, m.Size, m.SHA256, "awaited", "", p.at})
	return ""
}

// received works out what a paper that has come does to its binding.
func (v *view) received(id string, p *pair) {
	at := slices.IndexFunc(p.b.Materials, func(m material) bool { return m.ID == id })
	if at < 0 || p.b.Materials[at].State != "awaited" {
		return
	}
	m := &p.b.Materials[at]
	why, there := v.a.shelf(id)
	if !there {
		v.a.fault("the paper %s never came, and was taken in", id)
	}
	if why == "" {
		k := proofKey(v.a.index("paper", m.SHA256))
		people := []string{}
		if proof, known := read[proofRecord](v, k); known {
			people = slices.Clone(proof.People)
			if !slices.Contains(people, p.was.Holder) && !slices.Contains(people, p.was.Member) {
				why = "papers.once"
			}
		}
		if why == "" {
			for _, no := range []string{p.was.Holder, p.was.Member} {
				if !slices.Contains(people, no) && len(people) < 16 {
					people = append(people, no)
				}
			}
			p.proofs = map[store.Key][]string{k: people}
		}
	}
	m.At, m.State, m.Why = p.at, "kept", why
	if why != "" {
		m.State = "refused"
		v.a.Reached("a paper is refused: " + why)
		return
	}
	v.a.Reached("a paper is kept")
	for i := range p.b.Materials {
		if other := &p.b.Materials[i]; i != at && other.Kind == m.Kind && other.State == "kept" {
			other.State = "deleted"
			v.a.Reached("a paper takes the place of another")
		}
	}
	for i := range p.b.Steps {
		if s := &p.b.Steps[i]; s.Action == "upload" && s.Kind == m.Kind {
			s.Done = true
		}
	}
}

// takenIn is the paper that a commit took in; empty is none. Whoever promises has the
// papers looked at that have come, each in a commit of its own.
func (a *Auditor) takenIn(writes []store.Write, before map[store.Key]store.Record) (binding, paper string) {
	for _, w := range writes {
		if w.Check || w.Base == 0 || !strings.HasPrefix(w.Key.Part, "BIND#") || w.Key.Sort != "B" {
			continue
		}
		was := shape[bindingRecord](a, before[w.Key]).Binding.Materials
		is := shape[bindingRecord](a, a.disk.Peek(w.Key)).Binding.Materials
		for i := range was {
			if was[i].State == "awaited" && (is[i].State == "kept" || is[i].State == "refused") {
				return w.Key.Part[len("BIND#"):], was[i].ID
			}
		}
	}
	return "", ""
}

// tookIn works out what a commit had to write that took a paper in; nil is another
// kind of commit.
func (v *view) tookIn(writes []store.Write) effects {
	id, paper := v.a.takenIn(writes, v.before)
	if paper == "" {
		return nil
	}
	p := v.pairOf(id, v.trip.At, always)
	v.received(paper, p)
	return v.paired(p)
}

// The reviewers.

// isKin tells whether a reviewer is of the family.
func (v *view) isKin(by string, p *pair) bool {
	self := personKey(by)
	v.aside = append(v.aside, self)
	mine, known := read[personRecord](v, self)
	has := func(list []bound, no string) bool {
		return slices.ContainsFunc(list, func(b bound) bool { return b.Member == no })
	}
	if has(mine.Bound, p.was.Holder) || has(mine.Bound, p.was.Member) || has(p.holderPerson.Bound, by) || has(p.memberPerson.Bound, by) {
		return true
	}
	if !known {
		return false
	}
	holder, member, _ := v.registry(p)
	for _, side := range []*registryRecord{holder, member} {
		if side != nil && side.Relations[mine.IDIndex] != "" {
			return true
		}
	}
	own := v.trip.Reads[registryKey(mine.IDIndex)]
	if !own.Exists() {
		return false
	}
	relations := shape[registryRecord](v.a, own).Relations
	return relations[p.holderPerson.IDIndex] != "" || relations[p.memberPerson.IDIndex] != ""
}

// reviewed works out what a reviewer is answered.
func (v *view) reviewed(r *Request, at time.Time) (effects, string) {
	p := v.pairOf(r.Binding, at, func(b *binding) bool {
		return b.State == "in_review" || len(b.Review.Looks) > 0 || b.Review.Reason != ""
	})
	if p == nil {
		return nil, "not_found"
	}
	own := p.was.Assisted != "" && p.was.Assisted == r.Subject
	if own {
		v.a.Reached("who filled it in does not review it")
	}
	family := own || r.By != "" && (r.By == p.was.Holder || r.By == p.was.Member || v.isKin(r.By, p))
	rv := &p.b.Review
	held := rv.By != "" && rv.By != r.Subject && at.Before(rv.Lease)
	face := p.b.face()
	seen := slices.IndexFunc(rv.Looks, func(l look) bool { return l.By == r.Subject })
	free := func() string {
		switch {
		case family:
			v.a.Reached("nobody reviews his own family")
			return "not_permitted"
		case p.b.State != "in_review" || p.b.lapsed(p.today):
			return "state_forbids"
		case held:
			v.a.Reached("another reviewer holds it")
			return "state_forbids"
		}
		return ""
	}
	decides := func(reasoned bool) string {
		if code := free(); code != "" {
			return code
		}
		saw := r.Version
		if saw == "" && seen >= 0 {
			saw = rv.Looks[seen].Face
		}
		if saw != "" && saw != face {
			v.a.Reached("it changed since the reviewer looked")
			return "state_forbids"
		}
		if reasoned && strings.TrimSpace(r.Reason) == "" {
			return "malformed"
		}
		return ""
	}
	code := ""
	switch r.Op {
	case OpLook:
		if family {
			return nil, "not_permitted"
		}
		if seen < 0 || rv.Looks[seen].Face != face {
			rv.Looks = slices.DeleteFunc(rv.Looks, func(l look) bool { return l.By == r.Subject })
			if len(rv.Looks) >= 8 {
				rv.Looks = rv.Looks[1:]
			}
			rv.Looks = append(rv.Looks, look{r.Subject, face})
		}
	case OpClaim:
		if code = free(); code == "" {
			if rv.By != "" && rv.By != r.Subject {
				v.a.Reached("a lease is over, and another reviewer takes it")
			}
			rv.By, rv.Lease = r.Subject, at.Add(30*time.Minute)
		}
	case OpRelease:
		switch {
		case rv.By == r.Subject:
			rv.By, rv.Lease = "", time.Time{}
		case held:
			code = "state_forbids"
		}
	case OpApprove:
		if code = decides(false); code == "" {
			if code = p.step("review"); code == "" {
				rv.By, rv.Lease, rv.Reason = "", time.Time{}, r.Reason
			}
		}
	case OpReject:
		if code = decides(true); code == "" {
			p.over("declined", "reviewer", "rejected")
			rv.Reason = r.Reason
		}
	case OpClarify:
		if code = decides(true); code == "" && len(p.b.Materials) >= 12 {
			code = "too_large"
		} else if code == "" {
			p.b.Steps = slices.DeleteFunc(p.b.Steps, func(s step) bool { return !s.Done })
			p.b.Steps = append(p.b.Steps, step{"upload", "holder", r.Paper.Kind, false}, step{Action: "submit", By: "holder"}, step{Action: "review", By: "reviewer"})
			p.b.State, p.b.Until = "draft", max(p.b.Until, daysBefore(p.today, -p.rules.RequestDays))
			*rv = review{Looks: rv.Looks, Reason: r.Reason}
		}
	}
	if code != "" {
		return nil, code
	}
	return v.paired(p), ""
}

// Time, the insurer and the registry.

// tended works out what has become of a binding by itself.
func (v *view) tended(p *pair) {
	holder, member, asked := v.registry(p)
	said := ""
	if asked {
		said = p.says(holder, member)
	}
	if p.b.live() {
		v.lived(p, said)
	}
	decided := p.b.Ended
	if decided.IsZero() {
		decided = p.b.Activated
	}
	if decided.IsZero() || p.today < daysBefore(day(decided), -p.rules.PaperDays) {
		return
	}
	for i := range p.b.Materials {
		if m := &p.b.Materials[i]; m.State == "kept" || m.State == "awaited" {
			m.State, m.At = "deleted", p.at
			v.a.Reached("a paper was kept long enough")
		}
	}
}

func (v *view) lived(p *pair, said string) {
	ends := func(why string) {
		p.over("ended", "rules", why)
		v.a.Reached("a binding ends of itself: " + why)
	}
	far := p.b.Pay != nil && (!slices.Contains(p.rules.Grantors, p.holder.Insurance.Insutype) || !within(p.rules.Insured, p.holder.Insurance.Region, p.member.Insurance.Region))
	misfit := far || !p.holder.Insurance.insured() || !p.member.Insurance.insured()
	switch {
	case p.b.lapsed(p.today):
		ends("expired")
		return
	case p.holder.Deceased || p.member.Deceased:
		ends("death")
		return
	case p.b.State != "active":
		return
	case said == "no_match":
		ends("relation_ended")
		return
	case p.rules.EndsOnMove && p.b.Pay != nil && misfit:
		ends("insurance_changed")
		return
	}
	if p.b.Pay != nil && p.b.Pay.ValidUntil != 0 && p.b.Pay.ValidUntil < p.today {
		p.b.Pay, p.b.Raise = nil, raise{}
		p.ungrant()
		v.a.Reached("a grant has run out")
	}
	if p.b.Pay != nil && p.b.Raise.From != 0 && p.b.Raise.From <= p.today {
		terms := p.b.Pay.on(p.today, p.b.Raise)
		p.b.Pay, p.b.Raise = &terms, raise{}
		p.grant(terms)
		v.a.Reached("a raised cap takes effect")
	}
	for _, years := range []int{14, 18} {
		if birthday(p.memberPerson.Born, years) == p.today {
			v.a.Reached(map[int]string{14: "a member is fourteen today", 18: "a member is eighteen today"}[years])
		}
	}
	if p.b.grown(p.today) {
		p.ungrant()
		p.b.Guardian, p.b.OfAge, p.b.ShowAgreed = false, 0, false
		p.b.State, p.b.Until = "awaiting_member", daysBefore(p.today, -p.rules.RequestDays)
		p.b.Steps = append(p.b.Steps, step{Action: "accept", By: "member"})
		v.a.Reached("a child has come of age and is asked")
	}
	switch {
	case p.holder.Frozen || p.member.Frozen:
		p.b.Obstacle = "frozen"
	case misfitNow(p):
		p.b.Obstacle = "insurance"
	default:
		p.b.Obstacle = ""
	}
	if p.b.Obstacle != p.was.Obstacle {
		v.a.Reached("a binding's obstacle is now: " + p.b.Obstacle)
	}
}

// misfitNow tells whether the insurance of a side does not carry what the binding is
// by now: its grant may have run out.
func misfitNow(p *pair) bool {
	return !p.holder.Insurance.insured() || !p.member.Insurance.insured() || p.b.Pay != nil &&
		(!slices.Contains(p.rules.Grantors, p.holder.Insurance.Insutype) || !within(p.rules.Insured, p.holder.Insurance.Region, p.member.Insurance.Region))
}

// looked works out what a commit of a look at somebody's bindings, or of the sweep,
// had to write.
func (v *view) looked(writes []store.Write) effects {
	for _, w := range writes {
		if id, is := strings.CutPrefix(w.Key.Part, "BIND#"); is && w.Key.Sort == "B" && !w.Check {
			p := v.pairOf(id, v.trip.At, always)
			v.tended(p)
			e := v.paired(p)
			e.binding(p.b) // its history has another line at the least
			return e
		}
	}
	return effects{store.Key{Part: "SWEPT", Sort: "S"}: anything}
}

// Tended is told when a sweep said that all is done through a day and nothing has
// moved since: then nothing is left to be done.
func (a *Auditor) Tended(at time.Time) {
	a.Reached("a sweep has come to its end")
	var all []string
	a.disk.Each(func(r store.Record) bool {
		if id, is := strings.CutPrefix(r.Key.Part, "BIND#"); is && r.Key.Sort == "B" {
			all = append(all, id)
		}
		return true
	})
	for _, id := range all {
		left := ""
		// New rules alone have nobody look, whoever settles asks them, and an older
		// program may have looked by its own: so what was left under one of them is done.
		for n := 0; ; n++ {
			v := &view{a: a, trip: &Trip{Request: &Request{Op: OpSweep}}, quiet: true}
			p := v.pairOf(id, at, always)
			laws := append([]*Rules{p.rules}, a.lawsOf(p.holder.Insurance.Region, day(at))...)
			if n == len(laws) {
				break
			}
			rules := *laws[n]
			rules.PaperDays = max(1, rules.PaperDays) // what was decided today is seen to tomorrow
			p.rules = &rules
			v.tended(p)
			if reflect.DeepEqual(plain(p.b), plain(p.was)) {
				left = ""
				break
			}
			left = differs("the binding", p.was, p.b)
		}
		if left != "" {
			a.fault("after the sweep: %s", left)
		}
	}
}

func always(*binding) bool { return true }

// fedKin works out what the registry's feed writes.
func (v *view) fedKin(r *Request) (e effects, same bool, code string) {
	e = effects{}
	want := registryRecord{r.Kin.Name, r.Kin.Deceased, r.Kin.Complete, r.Kin.Relations}
	if had, known := read[registryRecord](v, registryKey(r.Kin.Index)); known && reflect.DeepEqual(plain(*had), plain(want)) {
		return e, true, ""
	}
	e[registryKey(r.Kin.Index)] = is("what the registry knows", want)
	at, known := read[pointerRecord](v, IDKey(r.Kin.Index))
	if !known || at.To == "" {
		return e, false, ""
	}
	record, known := read[accountRecord](v, accountKey(at.To))
	if known && record.Account.Deceased != r.Kin.Deceased {
		me := record.Account.copied()
		me.Deceased = r.Kin.Deceased
		e.account(me)
		v.a.Reached(map[bool]string{true: "somebody dies", false: "somebody has not died after all"}[r.Kin.Deceased])
	}
	return e, false, ""
}
