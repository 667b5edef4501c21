package auditor

import (
	"reflect"
	"slices"
	"time"

	"gongji/shared/store"
)

// This file is the auditor's own reading of what people are answered who bind one
// another and show codes.

// kinOf is what the relations that a simulation uses are; the others are none.
func kinOf(relation string) string {
	return map[string]string{
		"10": "spouse", "11": "spouse", "12": "spouse", "20": "child", "30": "child", "51": "parent", "52": "parent",
		"61": "grandparent", "41": "grandchild", "71": "sibling", "77": "sibling",
	}[relation]
}

// age is how many birthdays somebody has had.
func age(born, today int) int {
	n := today/10000 - born/10000
	if today%10000 < born%10000 {
		n--
	}
	return n
}

// birthday is the day on which somebody completes so many years.
func birthday(born, years int) int {
	return daysBefore(born+years*10000, 0) // who is born on 29 February does on 1 March
}

// mayBind is what refuses a pair of people whoever asks.
func mayBind(holder, member *account, pays bool, rules *Rules) string {
	switch {
	case !holder.insured(), !member.insured():
		return "person_not_insured"
	case pays && !slices.Contains(rules.Grantors, holder.Insurance.Insutype):
		return "person_not_insured"
	case pays && !within(rules.Insured, holder.Insurance.Region, member.Insurance.Region):
		return "person_not_insured"
	case holder.Frozen, member.Frozen:
		return "person_frozen"
	}
	return ""
}

// tooManyGrantors is what refuses somebody one grantor more.
func tooManyGrantors(holder, member *account, rules *Rules) string {
	switch {
	case !rules.DualRole && len(holder.Grantors)+len(member.Given) > 0:
		return "already_bound"
	case len(member.Grantors) < rules.MaxGrantors:
		return ""
	case rules.MaxGrantors == 1:
		return "already_bound"
	}
	return "binding_limit_reached"
}

// badTerms tells whether terms can be kept in a region.
func badTerms(t *Terms, rules *Rules, today int) bool {
	for i, p := range t.Purposes {
		if !slices.Contains(rules.Purposes, p) || slices.Contains(t.Purposes[:i], p) {
			return true
		}
	}
	for _, limit := range []int64{t.MonthlyCap, t.PerSettlementCap, t.Quota} {
		if limit < 0 || limit > 1_000_000_000 {
			return true
		}
	}
	return len(t.Purposes) == 0 || t.ValidUntil != 0 && t.ValidUntil < today
}

// asked works out what a request for a binding is answered. id is the binding's,
// which the house draws. A request with a Subject is filled in by an operator, and
// operator is who that is in the families.
func (v *view) asked(r *Request, operator string, at time.Time, id string) (effects, string) {
	person, known := read[personRecord](v, personKey(r.By))
	if !known {
		return nil, "person_not_insured"
	}
	index, known := read[pointerRecord](v, r.Ask.ID)
	if !known || index.To == "" {
		return nil, "identity_mismatch"
	}
	other, _ := read[personRecord](v, personKey(index.To))
	if other == nil || v.a.open(index.To, other.Key, "name", other.Name) != r.Ask.Name {
		return nil, "identity_mismatch"
	}
	holder, _ := read[accountRecord](v, accountKey(r.By))
	member, _ := read[accountRecord](v, accountKey(index.To))
	rules, today := v.rules(holder.Account.Insurance.Region, day(at)), day(at)
	if !r.Ask.Show && r.Ask.Pay == nil || r.Ask.Pay != nil && badTerms(r.Ask.Pay, rules, today) {
		return nil, "malformed"
	}
	if code := mayBind(&holder.Account, &member.Account, r.Ask.Pay != nil, rules); code != "" {
		return nil, code
	}
	kin := kinOf(r.Ask.Relation)
	if r.By == index.To || kin == "" || !slices.Contains(rules.Kins, kin) || age(person.Born, today) < rules.ConsentAge {
		return nil, "relation_not_allowed"
	}
	shows, pays, ofKin := 0, 0, 0
	live := slices.DeleteFunc(slices.Clone(person.Bound), func(b bound) bool { return b.Until != 0 && b.Until < today })
	if len(live) < len(person.Bound) {
		v.a.Reached("a request that is over holds no place")
	}
	for _, b := range live {
		if b.Show {
			shows++
		}
		if b.Pay {
			pays++
		}
		if kinOf(b.Relation) == kin && b.Member != index.To {
			ofKin++
		}
	}
	most, limited := rules.MaxPerKin[kin]
	switch {
	case r.Ask.Show && shows >= rules.MaxLinks, r.Ask.Pay != nil && pays >= rules.MaxMembers, limited && ofKin >= most, len(live) >= 20:
		return nil, "binding_limit_reached"
	}
	if r.Ask.Pay != nil {
		if code := tooManyGrantors(&holder.Account, &member.Account, rules); code != "" {
			return nil, code
		}
	}
	for _, b := range live {
		if b.Member == index.To {
			return nil, "already_bound"
		}
	}
	for _, f := range person.Former {
		if f.Member == index.To && !f.Fate && rules.RebindDays > 0 && today < daysBefore(f.Ended, -rules.RebindDays) {
			return nil, "cooling_off"
		}
	}
	b := binding{
		ID: id, Holder: r.By, Member: index.To, Relation: r.Ask.Relation, State: "draft", Show: r.Ask.Show, Pay: r.Ask.Pay, Assisted: r.Subject,
		Guardian: age(other.Born, today) < rules.ConsentAge, Until: daysBefore(today, -rules.RequestDays),
	}
	papers := slices.Clone(rules.Papers[kin])
	if b.Guardian {
		b.OfAge = birthday(other.Born, rules.ConsentAge)
		papers = append(papers, rules.GuardianPapers...)
		v.a.Reached("a guardian binds a child")
	}
	if b.Assisted != "" {
		papers = append(papers, "id_card", "commitment_letter")
	}
	for i, kind := range papers {
		if !slices.Contains(papers[:i], kind) {
			b.Steps = append(b.Steps, step{"upload", "holder", kind, false})
		}
	}
	b.Steps = append(b.Steps, step{Action: "submit", By: "holder"})
	if !b.Guardian && (b.Show || !rules.AtOnce) {
		b.Steps = append(b.Steps, step{Action: "accept", By: "member"})
	}
	if rules.Evidence == "review" || b.Assisted != "" {
		b.Steps = append(b.Steps, step{Action: "review", By: "reviewer"})
	}
	if operator != "" && (operator == b.Holder || operator == b.Member) {
		v.a.Reached("nobody serves his own family")
		return nil, "not_permitted"
	}
	e := effects{pointerKey(b.Holder, id): is("the pointer", pointerRecord{id}), pointerKey(b.Member, id): is("the pointer", pointerRecord{id})}
	e.binding(b)
	e.person(r.By, append(live, bound{id, b.Member, b.Relation, b.Show, b.Pay != nil, b.Until}), person.Former)
	return e, ""
}

// pair is a binding with both accounts, as they were and as they become.
type pair struct {
	was, b                     binding
	holderWas, memberWas       *account
	holder, member             account
	holderPerson, memberPerson *personRecord
	rules                      *Rules
	at                         time.Time
	today                      int
	proofs                     map[store.Key][]string
}

// pairOf reads a binding with both sides; nil is none that see lets see.
func (v *view) pairOf(id string, at time.Time, see func(*binding) bool) *pair {
	record, known := read[bindingRecord](v, bindingKey(id))
	if !known || !see(&record.Binding) {
		return nil
	}
	p := &pair{was: record.Binding, b: record.Binding.copied(), at: at, today: day(at)}
	p.holderPerson, _ = read[personRecord](v, personKey(p.was.Holder))
	if p.was.Member != p.was.Holder {
		v.aside = append(v.aside, personKey(p.was.Member)) // a reference: no commit checks it
	}
	p.memberPerson, _ = read[personRecord](v, personKey(p.was.Member))
	holder, _ := read[accountRecord](v, accountKey(p.was.Holder))
	member, _ := read[accountRecord](v, accountKey(p.was.Member))
	p.holderWas, p.memberWas = &holder.Account, &member.Account
	p.holder, p.member = holder.Account.copied(), member.Account.copied()
	p.rules = v.rules(holder.Account.Insurance.Region, p.today)
	return p
}

// onBinding works out what an act on a binding by one of its sides is answered.
func (v *view) onBinding(r *Request, at time.Time) (effects, string) {
	p := v.pairOf(r.Binding, at, func(b *binding) bool { return b.Holder == r.By || b.Member == r.By })
	if p == nil {
		return nil, "not_found"
	}
	isHolder := r.By == p.was.Holder
	code := ""
	switch r.Op {
	case OpSubmit:
		code = "not_permitted"
		if isHolder {
			code = v.promise(p)
		}
	case OpAccept:
		code = "not_permitted"
		if !isHolder {
			code = p.step("accept")
		}
	case OpDecline:
		switch {
		case isHolder:
			code = "not_permitted"
		case p.was.State == "declined":
		case p.was.State == "active" || p.was.State == "ended":
			code = "state_forbids"
		default:
			p.over("declined", "member", "")
		}
	case OpEnd:
		side := map[bool]string{true: "holder", false: "member"}[isHolder]
		switch {
		case !p.was.live():
		case p.was.State == "active" && !slices.Contains(p.rules.EndedBy, side):
			code = "not_permitted"
		default:
			p.over("ended", side, "")
		}
	case OpChange:
		code = p.change(r.Change, isHolder)
	case OpAnnounce:
		code = v.announced(p, r, isHolder)
	}
	if code != "" {
		return nil, code
	}
	return v.paired(p), ""
}

// paired is what has to be written for what a pair has become.
func (v *view) paired(p *pair) effects {
	e := effects{}
	if reflect.DeepEqual(plain(p.b), plain(p.was)) {
		return e // a repeat changes nothing
	}
	e.binding(p.b)
	person := p.holderPerson
	bounds := slices.DeleteFunc(slices.Clone(person.Bound), func(b bound) bool { return b.ID == p.b.ID && !p.b.live() })
	for i := range bounds {
		if bounds[i].ID == p.b.ID {
			bounds[i].Show, bounds[i].Pay, bounds[i].Until = p.b.Show, p.b.Pay != nil, p.b.Until
		}
	}
	before := p.bygones()
	if !slices.Equal(bounds, person.Bound) || !slices.Equal(before, person.Former) {
		e.person(p.was.Holder, bounds, before)
	}
	if !reflect.DeepEqual(plain(p.holder), plain(*p.holderWas)) {
		e.account(p.holder)
	}
	if !reflect.DeepEqual(plain(p.member), plain(*p.memberWas)) {
		e.account(p.member)
	}
	if p.was.mayShow() && !p.b.mayShow() {
		v.replaced(e, p.was.Holder, p.was.Member, p.at)
	}
	v.queued(e, p)
	for k, people := range p.proofs {
		e[k] = is("whom a paper proved", proofRecord{people})
	}
	return e
}

// bygones are the relatives whom the holder had bound, after what happened.
func (p *pair) bygones() []former {
	had := p.holderPerson.Former
	if p.b.live() || p.b.Activated.IsZero() {
		return had
	}
	is := former{p.b.Member, day(p.b.Ended), p.b.Pay != nil, p.b.EndWhy != ""}
	next := slices.Clone(had)
	if i := slices.IndexFunc(next, func(f former) bool { return f.Member == is.Member }); i >= 0 {
		if next[i].Ended == is.Ended && next[i].Fate == is.Fate {
			return had
		}
		is.Pay = is.Pay || next[i].Pay
		next = slices.Delete(next, i, i+1)
	}
	return append(next, is)
}

// queued asks for the row of a binding in the reviewers' queue.
func (v *view) queued(e effects, p *pair) {
	was, now := p.was.State == "in_review", p.b.State == "in_review"
	b, done := p.b, false
	if was && !now {
		b, done = p.was, true
	}
	if was != now {
		k := store.Key{Part: "REVIEWS", Sort: b.Review.Since.UTC().Format("20060102T150405") + "#" + b.ID}
		e[k] = is("the row in the queue", queueRecord{b.ID, p.holderWas.Insurance.Region, done})
	}
}

// over ends a binding, or what never became one.
func (p *pair) over(state, by, why string) {
	p.ungrant()
	p.b.State, p.b.EndedBy, p.b.EndWhy, p.b.Ended, p.b.Until = state, by, why, p.at, 0
	p.b.Review.By, p.b.Review.Lease = "", time.Time{}
}

// replaced asks for the code that somebody shows for somebody to be taken out of use.
func (v *view) replaced(e effects, presenter, patient string, at time.Time) {
	at1, known := read[pointerRecord](v, currentKey(presenter, patient))
	if !known || at1.To == "" {
		return
	}
	qr, known := read[qrRecord](v, QRKey(at1.To))
	if !known || qr.Token.State != "issued" || !at.Before(qr.Token.Expires) || qr.Token.heldBy(at) != "" {
		return
	}
	t := qr.Token
	if t.DecodedBy != "" { // it belongs to a visit
		e.token(QRKey(at1.To), t)
		v.a.Reached("a decoded code stays")
		return
	}
	t.State = "replaced"
	e.token(QRKey(at1.To), t)
	v.a.Reached("a shown code is taken out of use")
}

// step does a step of a binding if it is the next.
func (p *pair) step(action string) string {
	next := p.b.next()
	asked, did := false, false
	for _, s := range p.b.Steps {
		if s.Action == action {
			asked, did = true, did || s.Done
		}
	}
	switch {
	case !asked, !p.b.live(), p.b.lapsed(p.today):
		return "state_forbids"
	case p.b.nextIs(action):
	case action == "submit" && p.b.nextIs("upload"):
		for _, m := range p.b.Materials {
			if m.Kind == p.b.Steps[next].Kind && m.State == "refused" {
				return "paper_wrong"
			}
		}
		return "paper_missing"
	case did:
		return ""
	default:
		return "state_forbids"
	}
	p.b.Steps[next].Done = true
	switch {
	case p.b.next() < 0:
		return p.activate()
	case p.b.nextIs("accept"):
		p.b.State = "awaiting_member"
	case p.b.nextIs("review"):
		p.b.State, p.b.Review.Since = "in_review", p.at
	default:
		p.b.State = "draft"
	}
	return ""
}

// activate makes a binding active whose steps are done.
func (p *pair) activate() string {
	if code := mayBind(&p.holder, &p.member, p.b.Pay != nil, p.rules); code != "" {
		return code
	}
	p.b.State, p.b.ShowAgreed, p.b.Until, p.b.Activated = "active", p.b.Show, 0, p.at
	if p.b.Pay == nil {
		return ""
	}
	if code := tooManyGrantors(&p.holder, &p.member, p.rules); code != "" {
		return code
	}
	p.grant(*p.b.Pay)
	return p.quotaTooLarge()
}

// change changes an active binding.
func (p *pair) change(c Change, isHolder bool) string {
	rules, today, bounds := p.rules, p.today, p.holderPerson.Bound
	anew := c.SetPay && c.Pay != nil && p.b.Pay == nil
	showMore := c.Show != nil && *c.Show && !p.b.Show
	speaksFor := p.b.Guardian && age(p.memberPerson.Born, today) < 14 // whose guardian alone consents
	switch {
	case c.SetPay && c.Pay != nil && badTerms(c.Pay, rules, today):
		return "malformed"
	case c.SetPay && !isHolder:
		return "not_permitted"
	case showMore && isHolder && p.b.State == "active" && !p.b.ShowAgreed && !speaksFor:
		return "not_permitted"
	case isHolder && p.b.grown(today), p.b.State != "active":
		return "state_forbids"
	}
	if anew {
		if code := mayBind(&p.holder, &p.member, true, rules); code != "" {
			return code
		}
	}
	shows := 0
	for _, b := range bounds {
		if b.Show {
			shows++
		}
	}
	if showMore && shows >= rules.MaxLinks || anew && len(p.holder.Given) >= rules.MaxMembers {
		return "binding_limit_reached"
	}
	if anew {
		if code := tooManyGrantors(&p.holder, &p.member, rules); code != "" {
			return code
		}
	}
	if c.Show != nil {
		p.b.Show = *c.Show
		if !isHolder || speaksFor {
			p.b.ShowAgreed = *c.Show
		}
	}
	if c.Paused != nil && isHolder {
		p.b.PausedByHolder = *c.Paused
	}
	if c.Paused != nil && !isHolder {
		p.b.PausedByMember = *c.Paused
	}
	switch {
	case c.SetPay && c.Pay == nil:
		p.b.Pay, p.b.Raise = nil, raise{}
		p.ungrant()
	case c.SetPay:
		terms := *c.Pay
		had, hadRaise := p.b.Pay, p.b.Raise
		p.b.Raise = raise{}
		if had != nil && rules.RaiseDays > 0 {
			terms, p.b.Raise = raised(had.on(today, hadRaise), terms, daysBefore(today, -rules.RaiseDays))
		}
		p.b.Pay = &terms
		p.grant(terms)
	case p.b.Pay != nil:
		p.grant(*p.b.Pay)
	}
	return p.quotaTooLarge()
}

// raised lets higher caps wait for a day, and lower ones hold at once.
func raised(is, asked Terms, from int) (Terms, raise) {
	higher := func(old, new int64) bool { return old != 0 && (new == 0 || new > old) }
	month, one := higher(is.MonthlyCap, asked.MonthlyCap), higher(is.PerSettlementCap, asked.PerSettlementCap)
	if !month && !one {
		return asked, raise{}
	}
	now := asked
	if month {
		now.MonthlyCap = is.MonthlyCap
	}
	if one {
		now.PerSettlementCap = is.PerSettlementCap
	}
	return now, raise{from, asked.MonthlyCap, asked.PerSettlementCap}
}

// grant puts the grant into the holder's account, and the way to it into the
// member's.
func (p *pair) grant(t Terms) {
	g := p.holder.given(p.b.ID)
	if g == nil {
		p.holder.Given = append(p.holder.Given, grant{Binding: p.b.ID, Beneficiary: p.b.Member, Relation: p.b.Relation, Since: p.holder.Seq})
		p.member.Grantors = append(p.member.Grantors, grantor{p.b.Holder, p.b.ID})
		g = &p.holder.Given[len(p.holder.Given)-1]
	}
	g.Terms, g.Raise, g.Paused, g.OfAge = t, p.b.Raise, p.b.paused(), 0
	if p.b.Guardian {
		g.OfAge = p.b.OfAge
	}
}

func (p *pair) ungrant() {
	p.holder.Given = slices.DeleteFunc(p.holder.Given, func(g grant) bool { return g.Binding == p.b.ID })
	p.member.Grantors = slices.DeleteFunc(p.member.Grantors, func(g grantor) bool { return g.Binding == p.b.ID })
}

// quotaTooLarge refuses to freeze more than the account may share.
func (p *pair) quotaTooLarge() string {
	there := p.holder.Balance.total()
	if p.rules.PastOnly {
		there = p.holder.Balance.Past
	}
	held := p.holder.heldInQuotas()
	if held > p.holderWas.heldInQuotas() && held > max(0, there-p.rules.Floor) {
		return "account_empty"
	}
	return ""
}

// ordered works out what somebody is answered who chooses in which order his
// grantors pay.
func (v *view) ordered(r *Request, at time.Time) (effects, string) {
	record, known := read[accountRecord](v, accountKey(r.By))
	if !known {
		return nil, "not_found"
	}
	me := record.Account.copied()
	byID := map[string]grantor{}
	for _, g := range me.Grantors {
		byID[g.Binding] = g
	}
	me.Grantors = nil
	for _, id := range r.Order {
		g, has := byID[id]
		if !has {
			return nil, "malformed"
		}
		delete(byID, id)
		me.Grantors = append(me.Grantors, g)
	}
	switch {
	case len(byID) > 0:
		return nil, "malformed"
	case !v.rules(me.Insurance.Region, day(at)).Chosen:
		return nil, "state_forbids"
	}
	e := effects{}
	if !slices.Equal(me.Grantors, record.Account.Grantors) {
		e.account(me)
	}
	return e, ""
}

// issued works out what somebody is answered who wants a code. The new one's token
// is the house's to draw; made is where it lies.
func (v *view) issued(r *Request, at time.Time, made *qrRecord) (token, effects, string) {
	patient, t := r.By, token{}
	if r.Binding != "" {
		b, known := read[bindingRecord](v, bindingKey(r.Binding))
		if !known || b.Binding.Holder != r.By {
			return t, nil, "not_found"
		}
		patient = b.Binding.Member
	}
	record, known := read[accountRecord](v, accountKey(patient))
	switch {
	case !known || !record.Account.insured():
		return t, nil, "person_not_insured"
	case record.Account.Frozen:
		return t, nil, "person_frozen"
	}
	if r.Binding != "" {
		b, _ := read[bindingRecord](v, bindingKey(r.Binding))
		if !b.Binding.mayShow() || b.Binding.grown(day(at)) {
			return t, nil, "state_forbids"
		}
		t.Binding, t.Relation = r.Binding, b.Binding.Relation
	}
	rules := v.rules(record.Account.Insurance.Region, day(at))
	t.Patient, t.Presenter, t.State = patient, r.By, "issued"
	t.Issued, t.Expires = at, at.Add(rules.QRLife)
	e := effects{}
	if made != nil {
		t.ID = made.Token.ID
	}
	v.replaced(e, r.By, patient, at)
	return t, e, ""
}
