package auditor

import (
	"math/big"
	"slices"
	"sort"
	"time"
)

// This file is the auditor's own reading of what a till is answered. It was written
// from the rules, not from the law's code, and every number that the house answers
// or stores is held against it.

// day returns the day of a time in China as YYYYMMDD.
func day(t time.Time) int {
	t = t.UTC().Add(8 * time.Hour)
	return t.Year()*10000 + int(t.Month())*100 + t.Day()
}

// roundedShare is a·b/c, half a unit upwards.
func roundedShare(a, b, c int64) int64 {
	if max(a, b) > 1<<30 { // the product could be too large
		n := new(big.Int).Mul(big.NewInt(2*a), big.NewInt(b))
		n.Add(n, big.NewInt(c))
		return n.Div(n, big.NewInt(2*c)).Int64()
	}
	return (2*a*b + c) / (2 * c)
}

func grade(level string) string {
	return map[string]string{"1": "3", "2": "3", "3": "3", "4": "3", "5": "2", "6": "2", "7": "2", "8": "1", "9": "1", "10": "1", "11": "0"}[level]
}

func city(region string) string {
	if slices.Contains([]string{"11", "12", "31", "50"}, region[:2]) {
		return region[:2]
	}
	return region[:4]
}

// within tells whether two regions lie together.
func within(scope, a, b string) bool {
	switch scope {
	case "city":
		return city(a) == city(b)
	case "province":
		return a[:2] == b[:2]
	}
	return true
}

// ownCost are the reasons that make a line the person's own cost.
var ownCost = map[string]bool{
	"never_covered": true, "kind_limited": true, "level_limited": true, "prescription_needed": true, "age_limited": true,
	"sex_limited": true, "indication_limited": true,
}

// priced divides a line before anybody pays; total is what of its amount counts.
func (l *pricedLine) priced(total int64) amounts {
	out := amounts{Total: total}
	if l.Class == "C" || ownCost[l.Reason] {
		out.OutOfScope = total
		return out
	}
	if l.Ceiling > 0 && l.Amount > 0 {
		above := roundedShare(l.UnitPrice-l.Ceiling, l.Quantity, 10_000)
		above = min(above, l.Amount)
		out.OverLimit = total - roundedShare(l.Amount-above, total, l.Amount)
	}
	counts := total - out.OverLimit
	if l.Class == "B" {
		out.PreSelfPay = roundedShare(counts, int64(l.SelfPay), 10_000)
	}
	out.InScope = counts - out.PreSelfPay
	return out
}

// part is priced for a part of the quantity.
func (l *pricedLine) part(kept int64) amounts {
	total := l.Amount
	if kept != l.Quantity {
		total = roundedShare(l.Amount, kept, l.Quantity)
	}
	return l.priced(total)
}

// money is who pays what, and of which pocket.
type money struct {
	lines  []amounts
	paid   breakdown
	own    Pockets
	shares []Pockets
}

// divided divides what is kept of a bill: fund, own account, relatives, cash. No
// account gives more than it may.
func (s *settlement) divided(kept []int64, own Pockets, relatives []Pockets) money {
	var m money
	never := int64(0)
	for i := range s.Lines {
		a := s.Lines[i].part(kept[i])
		if s.Lines[i].Reason == "never_covered" {
			never += a.Total
		}
		m.lines = append(m.lines, a)
		m.paid.Total += a.Total
		m.paid.OutOfScope += a.OutOfScope
		m.paid.OverLimit += a.OverLimit
		m.paid.PreSelfPay += a.PreSelfPay
		m.paid.InScope += a.InScope
	}
	p, b := &m.paid, s.Basis
	p.Deductible = p.InScope
	if p.Deductible > b.DeductibleLeft {
		p.Deductible = b.DeductibleLeft
	}
	p.FundPaid = roundedShare(p.InScope-p.Deductible, int64(b.Ratio), 10_000)
	if b.PoolCapped && p.FundPaid > b.PoolLeft {
		p.FundPaid = b.PoolLeft
	}
	p.PersonBurden = p.Total - p.FundPaid
	p.AccountBase = p.PersonBurden - never
	if !b.PaysOutOfScope {
		p.AccountBase = p.PersonBurden - p.OutOfScope - p.OverLimit
	}
	if b.NoAccount {
		p.AccountBase = 0
	}
	open := p.AccountBase
	m.own = own.upTo(open)
	p.OwnPaid = m.own.total()
	open -= p.OwnPaid
	for _, most := range relatives {
		gives := most.upTo(open)
		m.shares = append(m.shares, gives)
		p.SharedPaid += gives.total()
		open -= gives.total()
	}
	p.CashDue = p.PersonBurden - p.OwnPaid - p.SharedPaid
	return m
}

// paying is a sale as the auditor works it out, with the accounts that it reads.
type paying struct {
	sale    *settlement
	patient *account
	payers  map[string]*account
	qr      *qrRecord
	visit   *visit // whose charges the bill is of
	// waited is what the sale has waited for; ask is what it has to wait for.
	waited, ask *confirmation
}

// sale works out what a till must be answered to a bill: a sale, or the code of a
// refusal.
func (v *view) sale(r *Request, at time.Time) (*paying, string) {
	out := &paying{payers: map[string]*account{}}
	patient := r.By
	if r.Binding != "" {
		b, known := read[bindingRecord](v, bindingKey(r.Binding))
		if !known || b.Binding.Holder != r.By {
			return nil, "not_found"
		}
		if !b.Binding.mayShow() {
			return nil, "state_forbids"
		}
		patient = b.Binding.Member
	}
	place, known := read[Place](v, placeKey(r.Place))
	if !known || !place.Designated && r.Op != OpCheck {
		return nil, "institution_not_designated"
	}
	if r.Credential.coded() {
		tried, _ := read[guessesRecord](v, guessesKey(r.Place))
		if tried != nil && at.Before(tried.Guesses.Paused) {
			return nil, "rate_limited"
		}
	}
	if r.Op != OpCheck {
		no, qr, code := v.credited(r)
		if code == "" {
			r, out.visit, code = v.billed(r, no, qr)
		}
		if code == "" {
			code = v.named(r, no, qr)
		}
		if code != "" {
			return nil, code
		}
		patient, out.qr = no, qr
	}
	record, known := read[accountRecord](v, accountKey(patient))
	if !known {
		return nil, "person_not_insured"
	}
	me := &record.Account
	if me.Deceased {
		v.a.Reached("one who has died is a patient")
	}
	out.patient = me
	if r.Op == OpSettle {
		if m, found := read[messageRecord](v, messageKey(r.Message)); found && m.State == "waiting" {
			out.waited = m.Confirmation
			if code := out.waited.word(at); code != "" {
				return nil, code
			}
		}
	}
	if out.visit != nil && !r.Bill.readable() {
		return nil, "malformed"
	}
	if code := place.serves(me); code != "" {
		return nil, code
	}
	if out.qr != nil {
		if code := out.qr.Token.redeemed(r.Place, r.Message, r.Credential.Kind == "ec", at); code != "" {
			return nil, code
		}
		if b := out.qr.Token.Binding; out.waited != nil && b != "" {
			if link, _ := read[bindingRecord](v, bindingKey(b)); !link.Binding.mayShow() {
				v.a.Reached("a code that was held dies with its link")
				return nil, "qr_replaced"
			}
		}
	}
	rules := v.rules(me.Insurance.Region, day(at))
	for _, g := range me.Grantors {
		out.payers[g.Person] = &account{}
		if record, known := read[accountRecord](v, accountKey(g.Person)); known {
			out.payers[g.Person] = &record.Account
		}
	}
	s := &settlement{
		ID: r.Message, Kind: "settlement", At: at, Place: r.Place, Patient: patient,
		MedType: r.Bill.MedType, Policy: rules.ID, Basis: v.basisOf(me, out.visit, place, rules, r.Bill.MedType, v.countedDay(out, day(at))),
	}
	if out.qr != nil {
		s.Presenter = out.qr.Token.Presenter
	}
	if code := v.goods(s, r, me, place, rules, day(at)); code != "" {
		return nil, code
	}
	if isStay(r.Bill.MedType) && (place.Kind != "hospital" || rules.benefit(me.Insurance, r.Bill.MedType) == nil) {
		return nil, "state_forbids"
	}
	own := Pockets{}
	if r.Bill.UseAccount && !(isStay(r.Bill.MedType) && rules.StayPayers == "nobody") {
		own = ownFree(me)
	}
	m := s.divided(s.Kept, own, nil)
	limits := v.relatives(s, out, r, place, rules, m.paid.AccountBase-m.paid.OwnPaid, at)
	m = s.divided(s.Kept, own, limits)
	s.Paid, s.Own, s.Free = m.paid, m.own, own
	if e := r.Bill.Expected; e != nil && *e != s.Paid.CashDue {
		return nil, "quote_stale"
	}
	if !r.Bill.agrees() {
		return nil, "sum_mismatch"
	}
	out.sale = s
	if r.Op == OpSettle && out.waited == nil {
		if out.ask = v.asks(out, at, rules); out.ask != nil {
			return out, "confirmation_needed"
		}
	}
	if r.Op == OpSettle && r.Visit != nil && r.Visit.Told != nil && *r.Visit.Told != s.Paid.amounts {
		v.a.Reached("what was told of a visit is no longer so")
		return nil, "quote_stale"
	}
	return out, ""
}

// serves tells why a person gets no benefit at a place, whatever the bill; "" if he does.
func (p *Place) serves(me *account) string {
	switch {
	case !p.Designated:
		return "institution_not_designated"
	case !me.insured():
		return "person_not_insured"
	case me.Frozen:
		return "person_frozen"
	}
	return ""
}

// coded tells whether a credential is a code or comes of one.
func (c *Credential) coded() bool { return c.Kind == "qr" || c.Kind == "ec" }

// counts tells whether a bad code counts as a guess: what does not fit together was
// never looked up.
func (c *Credential) counts() bool { return c.Kind == "qr" && c.Readable }

// unasked is what a grantor's region lets pass without asking him; false where it
// never asks.
func (v *view) unasked(payer *account, relation string, at time.Time) (int64, bool) {
	most, asks := v.rules(payer.Insurance.Region, day(at)).ConfirmAbove[kinOf(relation)]
	return most, asks
}

// asks is what a sale has to wait for, or nil.
func (v *view) asks(p *paying, at time.Time, rules *Rules) *confirmation {
	c := &confirmation{Patient: p.sale.Patient, At: at, Until: at.Add(rules.ConfirmLife)}
	for _, sh := range p.sale.Shares {
		payer := p.payers[sh.Grantor]
		if payer == nil {
			continue // he shows the code and has given no grant
		}
		if most, asks := v.unasked(payer, sh.Relation, at); asks && sh.Paid.total() > most {
			c.Asked = append(c.Asked, question{sh.Grantor, sh.Binding, sh.Relation, sh.Paid.total(), ""})
		}
	}
	if c.Asked == nil {
		return nil
	}
	if len(c.Asked) > 1 {
		v.a.Reached("two are asked about one sale")
	}
	return c
}

// putOff is what a sale writes that has to wait.
func (v *view) putOff(p *paying, r *Request) effects {
	e := effects{messageKey(r.Message): isMessage("waiting", "confirmation_needed", nil, p.ask)}
	if p.qr != nil {
		t := p.qr.Token
		t.Held = &hold{r.Message, p.ask.Until}
		e.token(r.Credential.Key, t)
		v.a.Reached("a code is held for a sale that waits")
	}
	for _, q := range p.ask.Asked {
		e[confirmationKey(q.Grantor, p.ask.At, r.Message)] = is("the row of what is asked", pointerRecord{r.Message})
	}
	return e
}

// confirmed works out what a grantor is answered who says his word.
func (v *view) confirmed(r *Request, at time.Time) (effects, string) {
	m, known := read[messageRecord](v, messageKey(r.Message))
	if !known || m.Confirmation.of(r.By) == nil {
		return nil, "not_found"
	}
	e := effects{}
	switch q := m.Confirmation.of(r.By); {
	case q.Said == r.Says:
		return e, ""
	case m.State != "waiting":
		return nil, "state_forbids"
	case q.Said != "":
		v.a.Reached("an approval is taken back")
	}
	if code := m.Confirmation.word(at); code == "confirmation_declined" || code == "confirmation_lapsed" {
		return nil, code
	}
	said := *m.Confirmation
	said.Asked = slices.Clone(said.Asked)
	said.of(r.By).Said = r.Says
	state, code := "waiting", "confirmation_needed"
	if r.Says == "declined" {
		state, code = "refused", "confirmation_declined"
	}
	v.a.Reached("a grantor says " + r.Says)
	e[messageKey(r.Message)] = isMessage(state, code, nil, &said)
	return e, ""
}

// decoded works out what a place is answered that decodes a code.
func (v *view) decoded(r *Request, at time.Time) (effects, string) {
	e := effects{}
	place, known := read[Place](v, placeKey(r.Place))
	if !known || !place.Designated {
		return e, "institution_not_designated"
	}
	if tried, _ := read[guessesRecord](v, guessesKey(r.Place)); tried != nil && at.Before(tried.Guesses.Paused) {
		return e, "rate_limited"
	}
	patient, qr, code := v.credited(r)
	if code != "" {
		if code == "qr_invalid" && r.Credential.counts() {
			v.guessed(e, r, at)
		}
		return e, code
	}
	record, known := read[accountRecord](v, accountKey(patient))
	if !known {
		return e, "person_not_insured"
	}
	t := qr.Token
	if code := t.redeemed(r.Place, "", false, at); code != "" {
		return e, code
	}
	if t.DecodedBy != "" {
		v.a.Reached("a code is decoded again")
		return e, ""
	}
	t.DecodedBy, t.DecodedUntil = r.Place, at.Add(v.rules(record.Account.Insurance.Region, day(at)).VisitLife)
	e.token(r.Credential.Key, t)
	return e, ""
}

// credited tells whom the credential of a request names.
func (v *view) credited(r *Request) (string, *qrRecord, string) {
	c, patient, qr := r.Credential, "", (*qrRecord)(nil)
	if c.coded() {
		record, known := (*qrRecord)(nil), false
		if c.Readable && (c.Kind == "qr" || c.For == r.Place) {
			record, known = read[qrRecord](v, c.Key)
		}
		if !known {
			return "", nil, "qr_invalid"
		}
		patient, qr = record.Token.Patient, record
	} else {
		p, known := read[pointerRecord](v, c.Key)
		if !known || p.To == "" {
			return "", nil, "identity_mismatch"
		}
		patient = p.To
	}
	return patient, qr, ""
}

// named tells whether the name fits that was told with a credential, if one was.
func (v *view) named(r *Request, patient string, qr *qrRecord) string {
	if r.Credential.Name == "" {
		return ""
	}
	person, known := read[personRecord](v, personKey(patient))
	switch {
	case known && v.a.open(patient, person.Key, "name", person.Name) == r.Credential.Name:
		return ""
	case qr != nil:
		return "qr_wrong_patient"
	}
	return "identity_mismatch"
}

// countedDay is the day on which a sale counts: no account's counters run back, so
// that what one clock has counted in a new month the next clock does not count in
// the old one.
func (v *view) countedDay(p *paying, today int) int {
	counted := today
	for _, c := range append([]counter{p.patient.Year}, p.patient.Others...) {
		counted = max(counted, c.Year*10000+101, c.Day)
	}
	for _, way := range p.patient.Grantors {
		if g := p.payers[way.Person].given(way.Binding); g != nil {
			counted = max(counted, g.Spent.Month*100+1)
		}
	}
	if counted > today {
		v.a.Reached("a clock has yet to come to what is counted")
	}
	return counted
}

// basisOf is the fund's terms for a patient at a place on a day.
func (v *view) basisOf(me *account, of *visit, place *Place, rules *Rules, med string, today int) basis {
	in := me.Insurance
	b := basis{
		Day: today, PsnType: in.PsnType, Kind: place.Kind, Level: place.Level, PaysOutOfScope: rules.PaysOutOfScope,
		NoAccount:     !slices.Contains(rules.Pays, used(place.Kind, med)),
		InsuredRegion: in.Region, Insutype: in.Insutype,
	}
	if c := me.counter(b.Day/10000, in.Insutype, isStay(med)); c != nil {
		b.Used.Deductible, b.Used.Pool = c.Deductible, c.Pool
		if c.Day == b.Day {
			b.Used.Day = c.DayPool
		}
	}
	if isStay(med) && of != nil {
		b.Used.Stay = of.Deducted
	}
	if place.Kind != "hospital" {
		return b
	}
	if benefit := rules.benefit(in, med); benefit != nil {
		ratio, pays := benefit.Ratio[grade(place.Level)]
		if !pays {
			return b
		}
		b.Ratio = Ratio(ratio)
		b.DeductibleLeft = max(benefit.Deductible[grade(place.Level)]-b.Used.Deductible, 0)
		if isStay(med) { // a bill without a visit is a stay of its own
			whole := benefit.Deductible[grade(place.Level)]
			if less, ok := benefit.LaterDeductible[grade(place.Level)]; ok && b.Used.Deductible > b.Used.Stay {
				whole = less
				v.a.Reached("a second stay in the year")
			}
			b.DeductibleLeft = max(0, whole-b.Used.Stay)
		}
		left := []int64{}
		if benefit.YearlyCap != 0 {
			left = append(left, max(benefit.YearlyCap-b.Used.Pool, 0))
		}
		if benefit.DailyCap != 0 {
			left = append(left, max(benefit.DailyCap-b.Used.Day, 0))
		}
		if benefit.VisitCap != 0 {
			left = append(left, benefit.VisitCap)
		}
		if len(left) > 0 {
			b.PoolCapped, b.PoolLeft = true, slices.Min(left)
		}
		return b
	}
	return b
}

// benefit is the fund's share for a class of persons and a kind of visit, or nil.
func (r *Rules) benefit(in Insurance, med string) *Benefit {
	for i, b := range r.Benefits {
		if b.Insutype == in.Insutype && slices.Contains(b.MedTypes, med) && (len(b.PsnTypes) == 0 || slices.Contains(b.PsnTypes, in.PsnType)) {
			return &r.Benefits[i]
		}
	}
	return nil
}

// isStay tells whether a kind of visit is a stay in hospital.
func isStay(med string) bool { return slices.Contains([]string{"21", "2101", "22", "28"}, med) }

// agrees tells whether the numbers of a bill do: half a fen a unit on each line, and
// the fen that rounding may take; the total exactly.
func (b *Bill) agrees() bool {
	var sum int64
	for _, l := range b.Lines {
		product := roundedShare(l.UnitPrice, l.Quantity, 10_000)
		slack := 1 + roundedShare(l.Quantity, 1, 20_000)
		if l.Amount > product+slack || l.Amount < product-slack || product > 2_000_000_000 {
			return false
		}
		sum += l.Amount
	}
	return sum == b.Total
}

// ownFree is what a patient may spend of his own: all but what lies in quotas, which
// take past years' money first.
func ownFree(me *account) Pockets {
	free, held := me.Balance, me.heldInQuotas()
	fromPast := min(held, free.Past)
	free.Past -= fromPast
	free.Current = max(0, free.Current-(held-fromPast))
	return free
}

// relatives works out what each grantor may pay, and why no more.
func (v *view) relatives(s *settlement, out *paying, r *Request, place *Place, rules *Rules, open int64, at time.Time) []Pockets {
	order := slices.Clone(out.patient.Grantors)
	if rules.ByBalance {
		sort.SliceStable(order, func(i, j int) bool {
			return out.payers[order[i].Person].Balance.total() > out.payers[order[j].Person].Balance.total()
		})
	}
	var limits []Pockets
	presenterPays := false
	for _, g := range order {
		sh, gives := v.relative(g, s, out, r, place, open, at)
		open -= gives.total()
		s.Shares, limits = append(s.Shares, sh), append(limits, gives)
		presenterPays = presenterPays || g.Person == s.Presenter
	}
	if out.qr != nil && s.Presenter != s.Patient && !presenterPays {
		t := out.qr.Token
		s.Shares = append(s.Shares, share{Grantor: t.Presenter, Binding: t.Binding, Relation: t.Relation, Reason: "grant_none"})
		limits = append(limits, Pockets{})
	}
	return limits
}

func (v *view) relative(at1 grantor, s *settlement, out *paying, r *Request, place *Place, open int64, at time.Time) (share, Pockets) {
	payer := out.payers[at1.Person]
	sh := share{Grantor: at1.Person, Binding: at1.Binding}
	no := func(why string) (share, Pockets) {
		v.a.Reached("a relative pays nothing: " + why)
		sh.Reason = why
		return sh, Pockets{}
	}
	g := payer.given(at1.Binding)
	if g == nil || g.Beneficiary != s.Patient {
		return no("grant_none")
	}
	sh.Relation = g.Relation
	rules := v.rules(payer.Insurance.Region, day(at))
	purpose := "care"
	if place.Kind == "pharmacy" || r.Bill.MedType == "41" {
		purpose = "pharmacy"
	}
	switch {
	case !r.Bill.UseAccount:
		return no("account_not_asked")
	case s.Basis.NoAccount:
		return no("account_scope")
	case open == 0:
		return no("nothing_left")
	case !payer.insured(), !slices.Contains(rules.Grantors, payer.Insurance.Insutype):
		return no("person_not_insured")
	case payer.Frozen:
		return no("person_frozen")
	case g.Terms.ValidUntil != 0 && s.Basis.Day > g.Terms.ValidUntil:
		return no("grant_none")
	case g.Paused, g.OfAge != 0 && s.Basis.Day >= g.OfAge:
		return no("grant_paused")
	case !within(rules.Insured, payer.Insurance.Region, s.Basis.InsuredRegion):
		return no("grant_scope")
	case !slices.Contains(g.Terms.Purposes, purpose) || !within(rules.Usable, payer.Insurance.Region, place.Region):
		return no("grant_scope")
	case isStay(r.Bill.MedType) && rules.StayPayers != "family":
		return no("grant_scope")
	case !slices.Contains(rules.Pays, used(place.Kind, r.Bill.MedType)):
		return no("account_scope")
	}
	there, most, rule := payer.drawable(g, rules, s.Basis.Day)
	if g.Raise.From != 0 {
		v.a.Reached(map[bool]string{true: "a raised cap has come", false: "a raised cap waits for its day"}[g.Raise.From <= s.Basis.Day])
	}
	sh.Limit = there
	gives := sh.Limit.upTo(open)
	if tier, asks := v.unasked(payer, g.Relation, at); asks && out.waited != nil {
		// What was approved, or what nobody asks about.
		if q := out.waited.of(sh.Grantor); q != nil && q.Binding == g.Binding {
			tier = max(tier, q.Amount)
		}
		if sh.Limit.total() > tier {
			sh.Limit = sh.Limit.upTo(tier)
			if gives.total() > tier {
				gives, most, rule = sh.Limit, tier, "grants.confirm_above_fen"
				v.a.Reached("what became dearer than approved is paid otherwise")
			}
		}
	}
	sh.Paid = gives
	switch paid := gives.total(); {
	case paid == open:
		v.a.Reached("a relative pays all that is left")
	case paid == most:
		sh.Reason, sh.Rule = "grant_cap_reached", rule
		v.a.Reached("a relative pays up to a cap")
	default:
		sh.Reason = "account_empty"
		v.a.Reached("a relative pays all he may share")
	}
	return sh, gives
}

// limit is one limit of a grant.
type limit struct {
	fen  int64
	rule string
}

// used is what an account pays for that pays a bill.
func used(kind, med string) string {
	if kind == "pharmacy" || med == "41" {
		return "pharmacy"
	}
	if med == "12" {
		return "registration"
	}
	return "care"
}

// drawable is what a grant may draw from an account on a day, what its limits let it
// take whatever is there, and which of them is the narrowest.
func (payer *account) drawable(g *grant, rules *Rules, day int) (there Pockets, most int64, rule string) {
	// What there is for him in the account.
	quota := g.Terms.Quota > 0
	there = payer.Balance
	if !quota {
		there = ownFree(payer)
	}
	if rules.PastOnly {
		there.Current = 0
	}
	if quota {
		there = there.upTo(min(g.quotaLeft(), there.total()))
	} else {
		there = there.upTo(max(0, there.total()-rules.Floor))
	}
	// What he may take of it.
	limits := []limit{{1_000_000_000, ""}}
	caps := g.Terms.on(day, g.Raise)
	if c := caps.PerSettlementCap; c > 0 {
		limits = append(limits, limit{c, "pay.per_settlement_cap_fen"})
	}
	if c := caps.MonthlyCap; c > 0 {
		spent := int64(0)
		if g.Spent.Month == day/100 {
			spent = g.Spent.Spent
		}
		limits = append(limits, limit{max(0, c-spent), "pay.monthly_cap_fen"})
	}
	if quota {
		limits = append(limits, limit{g.quotaLeft(), "pay.quota_fen"})
	}
	least := limits[0]
	for _, l := range limits[1:] {
		if l.fen < least.fen {
			least = l
		}
	}
	return there.upTo(min(there.total(), least.fen)), least.fen, least.rule
}

// sold is what a sale writes.
func (v *view) sold(p *paying, r *Request) effects {
	s := p.sale
	e := effects{}
	e.messageOf(r, s, p.waited)
	if p.waited != nil {
		v.a.Reached("a sale goes on that has waited")
	}
	if p.qr != nil {
		t := p.qr.Token
		t.State, t.SpentBy, t.Held = "spent", s.ID, nil
		if r.Credential.Kind == "ec" {
			v.a.Reached("a decoded code is spent")
		}
		if !s.At.Before(t.Expires) && r.Credential.Kind == "qr" {
			v.a.Reached("a held code is spent after its time")
		}
		e.token(r.Credential.Key, t)
	}
	for _, l := range s.Lines {
		for _, box := range l.TraceCodes {
			e.box(box, s.ID)
		}
	}
	v.bought(e, s, s.Told)
	v.takes(e, p)
	if p.visit != nil {
		e.ofVisit(s.ID, p.visit.ID)
	}
	e.post(s, nil, p.patient, p.payers)
	return e
}

// post works out what a settlement does to accounts, and its legs.
func (e effects) post(s *settlement, original *settlement, patient *account, payers map[string]*account) {
	s.Legs = []leg{
		{Party: "institution", Delta: Pockets{Current: s.Paid.Total}},
		{Party: "fund", Delta: Pockets{Current: -s.Paid.FundPaid}},
		{Party: "cash", Delta: Pockets{Current: -s.Paid.CashDue}},
	}
	book := func(a account, d entry) {
		d.Account, d.At, d.Kind, d.Ref = a.Person, s.At, s.Kind, s.ID
		e.book(&a, &d)
		s.Legs = append(s.Legs, leg{Party: "account", Account: a.Person, Seq: d.Seq, Delta: d.Delta})
	}
	me := patient.copied()
	in, year, stays := s.Basis.Insutype, s.Basis.Day/10000, isStay(s.MedType)
	if now := day(s.At) / 10000; me.Year.Year < now {
		me.Year, me.Others = counter{Year: now, Insutype: in, Stays: stays}, nil
	}
	if me.Year.Year == year {
		if me.counter(year, in, stays) == nil {
			me.Others = append(me.Others, counter{Year: year, Insutype: in, Stays: stays})
		}
		me.counter(year, in, stays).add(s.Basis.Day, s.Paid.Deductible, s.Paid.FundPaid)
	}
	book(me, entry{Patient: true, Delta: s.Own.negative(), Day: s.Basis.Day, Insutype: in, Stay: stays, Deductible: s.Paid.Deductible, Pool: s.Paid.FundPaid})
	for _, sh := range s.Shares {
		if sh.Paid == (Pockets{}) {
			continue
		}
		payer := payers[sh.Grantor].copied()
		d := entry{Delta: sh.Paid.negative(), Grant: sh.Binding}
		if g := payer.given(sh.Binding); g != nil && (original == nil || original.entryOf(sh.Grantor) > g.Since) {
			d.Month = s.Basis.Day / 100
			if g.Spent.Month < d.Month {
				g.Spent.Month, g.Spent.Spent = d.Month, 0
			}
			if g.Spent.Month == d.Month {
				g.Spent.Spent += sh.Paid.total()
			}
			g.Used += sh.Paid.total()
		}
		book(payer, d)
	}
}

// entryOf is the number of the entry that a sale made in an account.
func (s *settlement) entryOf(person string) uint64 {
	for _, l := range s.Legs {
		if l.Party == "account" && l.Account == person {
			return l.Seq
		}
	}
	return 0
}

// givenBack works out what a reversal or a refund must be answered.
func (v *view) givenBack(r *Request, at time.Time) (effects, *settlement, string) {
	e := effects{}
	if r.Original[:12] != r.Place {
		v.a.fault("%s %s: another's sale was given back", r.Op, r.Identity)
	}
	record, known := read[messageRecord](v, messageKey(r.Original))
	if !known {
		e[messageKey(r.Original)] = isMessage("fenced", "", nil, nil)
		v.a.Reached("a reversal of a message never seen")
		return e, nil, "original_unknown"
	}
	if record.State == "waiting" {
		e[messageKey(r.Original)] = isMessage("fenced", "", nil, record.Confirmation)
		v.a.Reached("a sale that waits is withdrawn")
		return e, nil, "original_unknown"
	}
	if record.Settlement == nil {
		return e, nil, "original_unknown"
	}
	sale := *record.Settlement
	if r.Visit != nil && sale.Patient != r.Visit.Patient {
		v.a.Reached("another patient's sale is not given back")
		return e, nil, "identity_mismatch"
	}
	kept := make([]int64, len(sale.Kept))
	if r.Op == OpRefund {
		copy(kept, sale.Kept)
		for _, back := range r.Returns {
			if !slices.ContainsFunc(sale.Lines, func(l pricedLine) bool { return l.No == back.No }) {
				return e, nil, "not_found"
			}
		}
	}
	left := false
	for _, k := range sale.Kept {
		left = left || k > 0
	}
	switch {
	case sale.Kind != "settlement":
		return e, nil, "original_unknown"
	case !left:
		return e, nil, "already_reversed"
	}
	if r.Op == OpRefund {
		for _, back := range r.Returns {
			i := slices.IndexFunc(sale.Lines, func(l pricedLine) bool { return l.No == back.No })
			if kept[i] < back.Quantity {
				return e, nil, "already_refunded"
			}
			kept[i] -= back.Quantity
		}
	}
	var limits []Pockets
	for _, sh := range sale.Shares {
		limits = append(limits, sh.Paid)
	}
	was, is := sale.divided(sale.Kept, sale.Own, limits), sale.divided(kept, sale.Own, limits)
	back := sale
	back.ID, back.Original, back.At = r.Message, sale.ID, at
	back.Kind = map[Op]string{OpReverse: "reversal", OpRefund: "refund"}[r.Op]
	back.Presenter, back.Kept, back.Refunds, back.Lines, back.Shares, back.Told, back.Free = "", nil, nil, nil, nil, nil, Pockets{}
	back.Paid = is.paid.minus(was.paid)
	back.Own = is.own.plus(was.own.negative())
	for i, l := range sale.Lines {
		if kept[i] == sale.Kept[i] {
			continue
		}
		l.Quantity = kept[i] - sale.Kept[i]
		l.Amounts = is.lines[i].minus(was.lines[i])
		l.Amount = l.Amounts.Total
		if kept[i] != 0 {
			l.TraceCodes = nil
		}
		for _, box := range l.TraceCodes {
			e.box(box, "")
		}
		back.Lines = append(back.Lines, l)
	}
	payers := map[string]*account{}
	for i, sh := range sale.Shares {
		if sh.Paid != (Pockets{}) {
			record, _ := read[accountRecord](v, accountKey(sh.Grantor))
			payers[sh.Grantor] = &record.Account
		}
		sh.Paid, sh.Limit, sh.Reason, sh.Rule = is.shares[i].plus(was.shares[i].negative()), Pockets{}, "", ""
		if sh.Paid != (Pockets{}) {
			back.Shares = append(back.Shares, sh)
		}
	}
	v.bought(e, &back, sale.Told)
	patient, _ := read[accountRecord](v, accountKey(sale.Patient))
	e.post(&back, &sale, &patient.Account, payers)
	after := sale
	after.Kept, after.Refunds = kept, append(slices.Clone(sale.Refunds), r.Message)
	e[messageKey(r.Original)] = isMessage("settled", "", &after, record.Confirmation)
	e.messageOf(r, &back, nil)
	e.ofVisit(r.Original, record.Visit)
	e.ofVisit(r.Message, record.Visit)
	v.gives(e, record.Visit, &back, &after)
	v.a.backTo(&sale, &back, &patient.Account, payers)
	return e, &back, ""
}

// backTo notes what kinds of giving back were reached.
func (a *Auditor) backTo(sale, back *settlement, patient *account, payers map[string]*account) {
	if back.Kind == "refund" {
		a.Reached("part of a sale comes back")
	} else if len(sale.Refunds) > 0 {
		a.Reached("what refunds have left of a sale is reversed")
	}
	if patient.Year.Year > sale.Basis.Day/10000 {
		a.Reached("money comes back into an earlier year")
	}
	for _, sh := range back.Shares {
		g := payers[sh.Grantor].given(sh.Binding)
		switch {
		case g == nil:
			a.Reached("money comes back after its grant has ended")
		case sale.entryOf(sh.Grantor) <= g.Since:
			a.Reached("money comes back to a grant that began anew")
		case g.Spent.Month > sale.Basis.Day/100:
			a.Reached("money comes back into an earlier month")
		}
	}
}
