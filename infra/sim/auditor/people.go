package auditor

import (
	"reflect"
	"slices"
	"time"
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
	case !holder.Insurance.insured(), !member.Insurance.insured():
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
func tooManyGrantors(member *account, rules *Rules) string {
	switch {
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
// which the house draws.
func (v *view) asked(r *Request, at time.Time, id string) (effects, string) {
	person, known := read[personRecord](v, personKey(r.By))
	if !known {
		return nil, "person_not_insured"
	}
	index, known := read[pointerRecord](v, r.Ask.ID)
	if !known || index.To == "" {
		return nil, "identity_mismatch"
	}
	other, _ := read[personRecord](v, personKey(index.To))
	if other == nil || v.a.open(index.To, "name", other.Name) != r.Ask.Name {
		return nil, "identity_mismatch"
	}
	holder, _ := read[accountRecord](v, accountKey(r.By))
	member, _ := read[accountRecord](v, accountKey(index.To))
	rules, today := v.a.rules(holder.Account.Insurance.Region, day(at)), day(at)
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
	for _, b := range person.Bound {
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
	case r.Ask.Show && shows >= rules.MaxLinks, r.Ask.Pay != nil && pays >= rules.MaxMembers, limited && ofKin >= most, len(person.Bound) >= 20:
		return nil, "binding_limit_reached"
	}
	if r.Ask.Pay != nil {
		if code := tooManyGrantors(&member.Account, rules); code != "" {
			return nil, code
		}
	}
	for _, b := range person.Bound {
		if b.Member == index.To {
			return nil, "already_bound"
		}
	}
	b := binding{
		ID: id, Holder: r.By, Member: index.To, Relation: r.Ask.Relation, State: "draft", Show: r.Ask.Show, Pay: r.Ask.Pay,
		Guardian: age(other.Born, today) < rules.ConsentAge, Steps: []step{{"submit", "holder", false}},
		Until: daysBefore(today, -rules.RequestDays),
	}
	if !b.Guardian {
		b.Steps = append(b.Steps, step{"accept", "member", false})
	} else {
		b.OfAge = birthday(other.Born, rules.ConsentAge)
		v.a.Reached("a guardian binds a child")
	}
	e := effects{pointerKey(b.Holder, id): is("the pointer", pointerRecord{id}), pointerKey(b.Member, id): is("the pointer", pointerRecord{id})}
	e.binding(b)
	e.bounds(r.By, append(slices.Clone(person.Bound), bound{id, b.Member, b.Relation, b.Show, b.Pay != nil, b.Until}))
	return e, ""
}

// pair is a binding with both accounts.
type pair struct {
	b              binding
	holder, member account
}

// onBinding works out what an act on a binding is answered.
func (v *view) onBinding(r *Request, at time.Time) (effects, string) {
	record, known := read[bindingRecord](v, bindingKey(r.Binding))
	if !known || record.Binding.Holder != r.By && record.Binding.Member != r.By {
		return nil, "not_found"
	}
	was := record.Binding
	person, _ := read[personRecord](v, personKey(was.Holder))
	holder, _ := read[accountRecord](v, accountKey(was.Holder))
	member, _ := read[accountRecord](v, accountKey(was.Member))
	rules := v.a.rules(holder.Account.Insurance.Region, day(at))
	p := pair{was, holder.Account.copied(), member.Account.copied()}
	p.b.Steps = slices.Clone(was.Steps)
	isHolder := r.By == was.Holder
	code := ""
	switch r.Op {
	case OpSubmit:
		code = "not_permitted"
		if isHolder {
			code = p.step("submit", rules, &holder.Account)
		}
	case OpAccept:
		code = "not_permitted"
		if !isHolder {
			code = p.step("accept", rules, &holder.Account)
		}
	case OpDecline:
		switch {
		case isHolder:
			code = "not_permitted"
		case was.State == "active" || was.State == "ended":
			code = "state_forbids"
		default:
			p.b.State, p.b.EndedBy, p.b.Until = "declined", "member", 0
		}
	case OpEnd:
		if was.live() {
			p.ungrant()
			p.b.Until = 0
			p.b.State, p.b.EndedBy = "ended", map[bool]string{true: "holder", false: "member"}[isHolder]
		}
	case OpChange:
		code = p.change(r.Change, isHolder, person.Bound, rules, &holder.Account, day(at))
	}
	if code != "" {
		return nil, code
	}
	e := effects{}
	if reflect.DeepEqual(plain(p.b), plain(was)) {
		return e, "" // a repeat changes nothing
	}
	e.binding(p.b)
	bounds := slices.DeleteFunc(slices.Clone(person.Bound), func(b bound) bool { return b.ID == p.b.ID && !p.b.live() })
	for i := range bounds {
		if bounds[i].ID == p.b.ID {
			bounds[i].Show, bounds[i].Pay, bounds[i].Until = p.b.Show, p.b.Pay != nil, p.b.Until
		}
	}
	if !slices.Equal(bounds, person.Bound) {
		e.bounds(was.Holder, bounds)
	}
	if !reflect.DeepEqual(plain(p.holder), plain(holder.Account)) {
		e.account(p.holder)
	}
	if !reflect.DeepEqual(plain(p.member), plain(member.Account)) {
		e.account(p.member)
	}
	if was.mayShow() && !p.b.mayShow() {
		v.replaced(e, was.Holder, was.Member, at)
	}
	return e, ""
}

// replaced asks for the code that somebody shows for somebody to be taken out of use.
func (v *view) replaced(e effects, presenter, patient string, at time.Time) {
	at1, known := read[pointerRecord](v, currentKey(presenter, patient))
	if !known || at1.To == "" {
		return
	}
	qr, known := read[qrRecord](v, QRKey(at1.To))
	if !known || qr.Token.State != "issued" || !at.Before(qr.Token.Expires) {
		return
	}
	t := qr.Token
	t.State = "replaced"
	e.token(QRKey(at1.To), t)
	v.a.Reached("a shown code is taken out of use")
}

// step does a step of a binding if it is the next.
func (p *pair) step(action string, rules *Rules, holderWas *account) string {
	at, next := -1, -1
	for i, s := range p.b.Steps {
		if s.Action == action && at < 0 {
			at = i
		}
		if !s.Done && next < 0 {
			next = i
		}
	}
	switch {
	case at < 0, !p.b.live():
		return "state_forbids"
	case p.b.Steps[at].Done:
		return ""
	case at != next:
		return "state_forbids"
	}
	if at < len(p.b.Steps)-1 {
		p.b.Steps[at].Done = true
		p.b.State = "awaiting_member"
		return ""
	}
	if code := mayBind(&p.holder, &p.member, p.b.Pay != nil, rules); code != "" {
		return code
	}
	if p.b.Pay != nil {
		if code := tooManyGrantors(&p.member, rules); code != "" {
			return code
		}
	}
	p.b.Steps[at].Done = true
	p.b.State, p.b.ShowAgreed, p.b.Until = "active", p.b.Show, 0
	if p.b.Pay == nil {
		return ""
	}
	p.grant(*p.b.Pay)
	return p.quotaTooLarge(rules, holderWas)
}

// change changes an active binding.
func (p *pair) change(c Change, isHolder bool, bounds []bound, rules *Rules, holderWas *account, today int) string {
	anew := c.SetPay && c.Pay != nil && p.b.Pay == nil
	showMore := c.Show != nil && *c.Show && !p.b.Show
	switch {
	case c.SetPay && c.Pay != nil && badTerms(c.Pay, rules, today):
		return "malformed"
	case c.SetPay && !isHolder:
		return "not_permitted"
	case showMore && isHolder && p.b.State == "active" && !p.b.ShowAgreed && !p.b.Guardian:
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
		if code := tooManyGrantors(&p.member, rules); code != "" {
			return code
		}
	}
	if c.Show != nil {
		p.b.Show = *c.Show
		if !isHolder || p.b.Guardian {
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
		p.b.Pay = nil
		p.ungrant()
	case c.SetPay:
		p.b.Pay = c.Pay
		p.grant(*c.Pay)
	case p.b.Pay != nil:
		p.grant(*p.b.Pay)
	}
	return p.quotaTooLarge(rules, holderWas)
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
	g.Terms, g.Paused, g.OfAge = t, p.b.paused(), 0
	if p.b.Guardian {
		g.OfAge = p.b.OfAge
	}
}

func (p *pair) ungrant() {
	p.holder.Given = slices.DeleteFunc(p.holder.Given, func(g grant) bool { return g.Binding == p.b.ID })
	p.member.Grantors = slices.DeleteFunc(p.member.Grantors, func(g grantor) bool { return g.Binding == p.b.ID })
}

// quotaTooLarge refuses to freeze more than the account may share.
func (p *pair) quotaTooLarge(rules *Rules, was *account) string {
	there := p.holder.Balance.total()
	if rules.PastOnly {
		there = p.holder.Balance.Past
	}
	held := p.holder.heldInQuotas()
	if held > was.heldInQuotas() && held > max(0, there-rules.Floor) {
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
	case !v.a.rules(me.Insurance.Region, day(at)).Chosen:
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
	case !known || !record.Account.Insurance.insured():
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
	rules := v.a.rules(record.Account.Insurance.Region, day(at))
	t.Patient, t.Presenter, t.State = patient, r.By, "issued"
	t.Issued, t.Expires = at, at.Add(rules.QRLife)
	e := effects{}
	if made != nil {
		t.ID = made.Token.ID
	}
	v.replaced(e, r.By, patient, at)
	return t, e, ""
}
