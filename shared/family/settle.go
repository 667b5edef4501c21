package family

import (
	"slices"
	"strconv"
	"time"
)

// Case is all that decides one settlement: what the till sent, and the records
// as they were read.
type Case struct {
	Message MessageID // of the settlement; empty in a quote
	Now     time.Time
	Place   Place
	Patient Account
	// Token is the QR token that was shown; nil when the patient was told by ID
	// number or card.
	Token *QRToken
	// Decoded tells that the token was shown by what decoding it gave (ecToken).
	Decoded bool
	// Link is the binding under which a token was shown that has waited for a
	// confirmation, as it now stands; nil otherwise.
	Link *Binding
	// Confirmation is what this message has waited for; nil when it comes first.
	Confirmation *Confirmation
	// Payers are the patient's grantors, in the order of his list.
	Payers []Payer
	Bill   Bill
	// StayPaid is what earlier bills of the same stay, that stand, have taken of its
	// deductible.
	StayPaid Fen
	// OwnExpense are the lines, by number, that the institution did not approve for
	// insurance: out of scope, whatever the catalogue says.
	OwnExpense []int
	Need       Need
	Items      map[string]Item      // in force today, by code
	Sold       map[string]MessageID // boxes on the bill that were sold before
	// Bought is how much of an item that is limited by period the patient bought
	// within its period, by code.
	Bought map[string]Quantity
	// Born and Sex are the patient's; needed only for items that ask who he is.
	Born   Day
	Sex    Sex
	Policy *Policy // of the patient's region of insurance
}

// Payer is one grantor of the patient, as he was read.
type Payer struct {
	Grantor Grantor
	Account Account
	Policy  *Policy // of the grantor's region of insurance
	// Beyond rules grants across provinces; nil where that region gives none.
	Beyond *Policy
}

// usesOf returns the policy that says what the account may pay for by a grant: the
// grantor's region's, or that of grants across provinces for such a one (notice of
// 2026-01-09: 长期护理保险 too, whatever the region's accounts pay at home).
func (p *Payer) usesOf(g Grant) *Policy {
	if g.Nationwide && p.Beyond != nil {
		return p.Beyond
	}
	return p.Policy
}

// Breakdown is who pays what of a bill. Total = FundPaid + PersonBurden, and
// PersonBurden = OwnPaid + SharedPaid + CashDue.
type Breakdown struct {
	Amounts
	Deductible   Fen // act_pay_dedc
	FundPaid     Fen // fund_pay_sumamt
	PersonBurden Fen // psn_part_amt
	AccountBase  Fen // what accounts may pay
	OwnPaid      Fen // acct_pay − acct_mulaid_pay
	SharedPaid   Fen // acct_mulaid_pay
	CashDue      Fen // psn_cash_pay
}

func (b Breakdown) minus(c Breakdown) Breakdown {
	return Breakdown{
		b.Amounts.minus(c.Amounts), b.Deductible - c.Deductible, b.FundPaid - c.FundPaid, b.PersonBurden - c.PersonBurden,
		b.AccountBase - c.AccountBase, b.OwnPaid - c.OwnPaid, b.SharedPaid - c.SharedPaid, b.CashDue - c.CashDue,
	}
}

// Share is what one grantor paid, and why no more.
type Share struct {
	Grantor  PersonNo
	Binding  BindingID
	Relation Relation // what the patient is to the grantor
	Paid     Pockets
	// Limit is what he could have paid of a larger bill, at most; nothing where his
	// grant did not apply or his turn never came.
	Limit  Pockets
	Reason Code // empty when he paid all that was left
	// Rule names the limit that let no more pass, such as "pay.monthly_cap_fen", where
	// the reason is [GrantCapReached].
	Rule string
}

// Basis holds the fund's terms as they stood for this patient when he came, so
// that any part of the bill can be reckoned again.
type Basis struct {
	Day Day // on which he came
	// PsnType, Kind, Level and Used are the facts from which the fund's terms follow
	// under a policy: who came, where, and what his benefit had used up.
	PsnType PsnType
	Kind    InstitutionKind
	Level   Level
	Used    Used

	DeductibleLeft Fen
	Ratio          Ratio
	PoolCapped     bool
	PoolLeft       Fen // when PoolCapped
	PaysOutOfScope bool
	// NoAccount tells that the patient's region lets no account pay for this kind of
	// visit.
	NoAccount     bool
	InsuredRegion Region
	Insutype      Insutype
}

// Used is what a benefit has used up.
type Used struct {
	Deductible Fen // in the year
	Pool       Fen // paid by the fund in the year
	Day        Fen // paid by the fund today
	Stay       Fen // of the deductible, by earlier bills of the same stay
}

// Settlement is a bill that was settled, or a reversal or refund of one, which is
// a settlement with its signs turned.
type Settlement struct {
	ID        MessageID
	Kind      EntryKind // Settled, Reversed or Refunded
	Original  MessageID // what a reversal or refund is of
	At        time.Time
	Place     InstitutionCode
	Patient   PersonNo
	Presenter PersonNo // who showed the code; empty without one
	MedType   MedType
	Policy    string
	// Inputs is the fingerprint of all that decided the settlement.
	Inputs string
	Basis  Basis
	Lines  []PricedLine
	Told   *Told // nil unless an item has limits
	Paid   Breakdown
	Own    Pockets
	// Free is what the own account could have paid, at most.
	Free   Pockets
	Shares []Share
	// Legs are all postings of the settlement; they sum to zero.
	Legs []Posting
	// Kept is what is left of each line after refunds. With Refunds, the only
	// part of a settlement that ever changes.
	Kept    []Quantity
	Refunds []MessageID
}

// Effects are the records that a settlement changes.
type Effects struct {
	Accounts []Account // the patient's first, then each that paid or got back
	Entries  []Entry   // one for each account
	Token    *QRToken  // spent, or held
	// Confirmation is what the settlement has to wait for; then nothing has moved.
	Confirmation *Confirmation
}

// Quote decides what a settlement of the case would be, and moves nothing.
func Quote(c Case) (Settlement, *Refusal) {
	refusal := c.Bill.Check()
	if refusal == nil {
		refusal = c.Need.Check(&c.Bill)
	}
	if refusal != nil {
		return Settlement{}, refusal
	}
	if !c.Place.Designated {
		return Settlement{}, Refuse(InstitutionNotDesignated)
	}
	if refusal := MayBenefit(c.Patient); refusal != nil {
		return Settlement{}, refusal
	}
	if c.Token != nil {
		if refusal := c.Token.Redeemable(c.Place.Code, c.Message, c.Decoded, c.Now); refusal != nil {
			return Settlement{}, refusal
		}
		if c.Token.Patient != c.Patient.Person {
			return Settlement{}, Refuse(QRWrongPatient)
		}
		if c.Link != nil && !c.Link.MayShow() {
			return Settlement{}, Refuse(QRReplaced) // the code died with its link
		}
	}
	lines, told, refusal := c.prices()
	if refusal == nil {
		refusal = c.boxes()
	}
	if refusal == nil {
		refusal = c.amounts()
	}
	if refusal == nil {
		refusal = c.stayBenefit()
	}
	if refusal != nil {
		return Settlement{}, refusal
	}
	s := Settlement{
		ID: c.Message, Kind: Settled, At: c.Now, Place: c.Place.Code, Patient: c.Patient.Person,
		MedType: c.Bill.MedType, Policy: c.Policy.ID(), Basis: c.basis(), Lines: lines, Told: told, Kept: quantities(lines),
	}
	if c.Token != nil {
		s.Presenter = c.Token.Presenter
	}
	if c.Bill.UseAccount && !(c.Bill.MedType.IsStay() && c.Policy.StayPayers == NobodyPaysStays) {
		s.Free = c.Patient.Free()
	}
	base := reckon(s.Basis, s.Lines, s.Kept, Pockets{}, nil).paid.AccountBase
	s.Shares = c.shares(base - s.Free.take(base).Total())
	s.reckonInto()
	if c.Bill.ExpectedCash != nil && *c.Bill.ExpectedCash != s.Paid.CashDue {
		return Settlement{}, &Refusal{
			Code: QuoteStale, Field: "expected_cash_fen",
			Observed: strconv.Itoa(int(*c.Bill.ExpectedCash)), Allowed: strconv.Itoa(int(s.Paid.CashDue)),
		}
	}
	if refusal := c.Bill.sums(); refusal != nil {
		return Settlement{}, refusal
	}
	s.Inputs = s.inputs()
	return s, nil
}

// Settle decides as Quote does and posts what it decided. What needs a grantor's
// word first is refused as [ConfirmationNeeded], with what it waits for and the
// token held as its only effects; the same case decides again when he has spoken.
func Settle(c Case) (Settlement, Effects, *Refusal) {
	if c.Confirmation != nil {
		if refusal := c.Confirmation.Answer(c.Now); refusal != nil {
			return Settlement{}, Effects{}, refusal
		}
	}
	s, refusal := Quote(c)
	if refusal != nil {
		return Settlement{}, Effects{}, refusal
	}
	if wait := c.confirmation(s); wait != nil {
		effects := Effects{Confirmation: wait}
		if c.Token != nil {
			held := c.Token.Hold(c.Message, wait.Until)
			effects.Token = &held
		}
		return Settlement{}, effects, wait.Answer(c.Now)
	}
	payers := make(map[PersonNo]Account, len(c.Payers))
	for _, p := range c.Payers {
		payers[p.Account.Person] = p.Account
	}
	effects := s.post(c.Patient, payers)
	if c.Token != nil {
		spent := c.Token.Spend(c.Message)
		effects.Token = &spent
	}
	return s, effects, nil
}

// stayBenefit refuses a stay whose benefit nobody has told us of: where an
// outpatient's bill is left to the person, a stay's would empty his family's accounts.
func (c *Case) stayBenefit() *Refusal {
	if !c.Bill.MedType.IsStay() {
		return nil
	}
	refusal := &Refusal{Code: StateForbids, Field: "med_type", Observed: string(c.Bill.MedType), Rule: "benefits", Policy: c.Policy.ID()}
	if c.Place.Kind != Hospital {
		refusal.Detail = "a pharmacy takes nobody in"
		return refusal
	}
	i := c.Patient.Insurance
	if _, found := c.Policy.Benefit(i.Insutype, i.PsnType, c.Bill.MedType); !found {
		refusal.Detail = "the region's benefit for stays is not known here"
		return refusal
	}
	return nil
}

// Entitled returns why the fund does not pay for the case's kind of visit, or "" and
// whether it does: a region without a benefit of the kind refuses nobody.
func Entitled(c Case) (Code, bool) {
	if !c.Place.Designated {
		return InstitutionNotDesignated, false
	}
	if refusal := MayBenefit(c.Patient); refusal != nil {
		return refusal.Code, false
	}
	if refusal := c.stayBenefit(); refusal != nil {
		return refusal.Code, false
	}
	return "", c.basis().Ratio > 0
}

// day returns the day on which the settlement counts: today, or the newest day that
// one of the accounts has counted already. Clocks differ, and the one that still has
// yesterday, last month or last year must not find their counters empty because
// another has begun new ones.
func (c *Case) day() Day {
	day := DayOf(c.Now)
	for _, y := range c.Patient.counters() {
		day = max(day, y.Day, Day(y.Year*10000+101))
	}
	for _, p := range c.Payers {
		if i := p.Account.grant(p.Grantor.Binding); i >= 0 {
			day = max(day, Day(p.Account.Given[i].Spent.Month)*100+1)
		}
	}
	return day
}

// basis returns the fund's terms for the patient at this place and time.
func (c *Case) basis() Basis {
	day := c.day()
	i := c.Patient.Insurance
	b := Basis{
		Day: day, InsuredRegion: i.Region, Insutype: i.Insutype, PsnType: i.PsnType,
		Kind: c.Place.Kind, Level: c.Place.Level, Used: c.Patient.used(day, i.Insutype, c.Bill.MedType.IsStay()),
	}
	if c.Bill.MedType.IsStay() {
		b.Used.Stay = c.StayPaid
	}
	return b.under(c.Policy, c.Bill.MedType)
}

// under returns the terms that a policy makes of a basis's facts: its own as they
// stood then, or those of a draft.
func (b Basis) under(p *Policy, med MedType) Basis {
	b.PaysOutOfScope, b.NoAccount = p.AccountPaysOutOfScope, !p.Pays(useOf(med, b.Kind))
	b.DeductibleLeft, b.Ratio, b.PoolCapped, b.PoolLeft = 0, 0, false, 0
	benefit, found := p.Benefit(b.Insutype, b.PsnType, med)
	grade := b.Level.Grade()
	ratio, paid := benefit.Ratio[grade]
	if !found || !paid || b.Kind != Hospital {
		return b // no pooled benefit here: the whole burden is the person's
	}
	b.Ratio = ratio
	b.DeductibleLeft = max(0, benefit.Deductible[grade]-b.Used.Deductible)
	if med.IsStay() {
		deductible := benefit.Deductible[grade]
		if later, less := benefit.LaterDeductible[grade]; less && b.Used.Deductible > b.Used.Stay {
			deductible = later
		}
		b.DeductibleLeft = max(0, deductible-b.Used.Stay)
	}
	cap := func(limit, used Fen) {
		if limit == 0 {
			return
		}
		left := max(0, limit-used)
		if b.PoolCapped {
			left = min(left, b.PoolLeft)
		}
		b.PoolCapped, b.PoolLeft = true, left
	}
	cap(benefit.YearlyCap, b.Used.Pool)
	cap(benefit.DailyCap, b.Used.Day)
	cap(benefit.VisitCap, 0)
	return b
}

// shares decides what each grantor may pay of the rest, in the order of the
// patient's region, and why no more.
func (c *Case) shares(rest Fen) []Share {
	payers := slices.Clone(c.Payers)
	if c.Policy.Grants.Order == BalanceOrder {
		slices.SortStableFunc(payers, func(a, b Payer) int {
			return int(b.Account.Balance.Total() - a.Account.Balance.Total())
		})
	}
	shares := make([]Share, 0, len(payers)+1)
	presenterIsGrantor := false
	for _, p := range payers {
		share := c.share(p, rest)
		rest -= share.Paid.Total()
		shares = append(shares, share)
		presenterIsGrantor = presenterIsGrantor || c.Token != nil && share.Grantor == c.Token.Presenter
	}
	// Who shows a relative's code often believes that his account pays. Where he
	// has given no grant, the answer says so.
	if t := c.Token; t != nil && t.Presenter != t.Patient && !presenterIsGrantor {
		shares = append(shares, Share{Grantor: t.Presenter, Binding: t.Binding, Relation: t.Relation, Reason: GrantNone})
	}
	return shares
}

// share decides what one grantor pays of the rest.
func (c *Case) share(p Payer, rest Fen) Share {
	share := Share{Grantor: p.Grantor.Person, Binding: p.Grantor.Binding}
	day := c.day()
	g, reason := p.grantFor(cause{c.Patient.Person, c.Patient.Insurance.Region, c.Place.Region, c.purpose(), day})
	share.Relation = g.Relation
	switch {
	case g.Binding == "":
		share.Reason = reason
	case !c.Bill.UseAccount:
		share.Reason = AccountUnused
	case !c.Policy.Pays(c.use()):
		share.Reason = AccountScope
	case rest == 0:
		share.Reason = NothingLeft
	case reason != "":
		share.Reason = reason
	case c.Bill.MedType.IsStay() && p.Policy.StayPayers != FamilyPaysStays:
		share.Reason = GrantScope
	case !p.usesOf(g).Pays(c.use()):
		share.Reason = AccountScope
	}
	if share.Reason != "" {
		return share
	}
	limit, allowed, rule := p.most(g, day)
	share.Limit = limit
	share.Paid = share.Limit.take(rest)
	if most := c.unasked(g, p.Account.Person); share.Limit.Total() > most {
		share.Limit = share.Limit.take(most)
		if share.Paid.Total() > most {
			share.Paid, allowed, rule = share.Limit, most, "grants.confirm_above_fen"
		}
	}
	switch paid := share.Paid.Total(); {
	case paid == rest:
	case paid == allowed:
		share.Reason, share.Rule = GrantCapReached, rule
	default:
		share.Reason = AccountEmpty
	}
	return share
}

// cause is what a grant is asked to pay for.
type cause struct {
	of      PersonNo // whose need it is
	insured Region   // where he is insured
	at      Region   // where the money goes
	purpose Purpose
	day     Day
}

// grantFor returns the payer's grant and why it pays nothing for a cause, or "". There
// is no grant where its Binding is empty.
func (p *Payer) grantFor(c cause) (Grant, Code) {
	i := p.Account.grant(p.Grantor.Binding)
	if i < 0 || p.Account.Given[i].Beneficiary != c.of {
		return Grant{}, GrantNone
	}
	g := p.Account.Given[i]
	switch {
	case !p.Account.Insurance.Insured() || p.Account.Deceased, // dissolved when the insurance changes (notice of 2026-01-09)
		!slices.Contains(p.Policy.Grants.Grantors, p.Account.Insurance.Insutype):
		return g, PersonNotInsured
	case p.Account.Frozen:
		return g, PersonFrozen
	case g.Terms.ValidUntil != 0 && g.Terms.ValidUntil < c.day:
		return g, GrantNone
	case g.Paused, g.OfAge != 0 && g.OfAge <= c.day: // who has come of age has not yet agreed himself
		return g, GrantPaused
	case !g.Nationwide && !p.Policy.Grants.Insured.Covers(p.Account.Insurance.Region, c.insured):
		return g, GrantScope
	case !slices.Contains(g.Terms.Purposes, c.purpose) || !g.Nationwide && !p.Policy.Grants.Usable.Covers(p.Account.Insurance.Region, c.at):
		return g, GrantScope
	}
	return g, ""
}

// most returns what a grant may draw from its account on a day, what its limits let
// pass whatever the account holds, and the rule of the narrowest of them.
func (p *Payer) most(g Grant, day Day) (limit Pockets, allowed Fen, rule string) {
	terms := g.Terms.On(day, g.Raise)
	allowed = MaxFen
	narrow := func(to Fen, by string) {
		if to < allowed {
			allowed, rule = to, by
		}
	}
	if cap := terms.PerSettlementCap; cap > 0 {
		narrow(cap, "pay.per_settlement_cap_fen")
	}
	if cap := terms.MonthlyCap; cap > 0 {
		narrow(max(0, cap-g.SpentIn(day.Month())), "pay.monthly_cap_fen")
	}
	if g.Terms.Quota > 0 {
		narrow(g.QuotaLeft(), "pay.quota_fen")
	}
	available := p.Account.shareable(g, p.Policy.Grants)
	return available.take(min(available.Total(), allowed)), allowed, rule
}

// use returns what an account pays for when it pays this bill.
func (c *Case) use() Use { return useOf(c.Bill.MedType, c.Place.Kind) }

// purpose returns what a grant must allow for this bill.
func (c *Case) purpose() Purpose {
	if c.use() == UsePharmacy {
		return ForPharmacy
	}
	return ForCare
}

// reckoning is what reckon found.
type reckoning struct {
	lines  []Amounts
	paid   Breakdown
	own    Pockets
	shares []Pockets
}

// reckon divides the kept quantities of a bill among the fund, the patient's own
// account, the grantors and cash, each account paying no more than its limit.
// A settlement and a refund are both this: a refund reckons what is kept with the
// money that the settlement had, and the difference goes back.
// The formulae are those of the national settlement (domain 5).
func reckon(b Basis, lines []PricedLine, kept []Quantity, own Pockets, shares []Pockets) reckoning {
	r := reckoning{lines: make([]Amounts, len(lines)), shares: make([]Pockets, len(shares))}
	p := &r.paid
	for i := range lines {
		r.lines[i] = lines[i].divide(kept[i])
		p.Amounts = p.Amounts.plus(r.lines[i])
	}
	p.Deductible = min(p.InScope, b.DeductibleLeft)
	p.FundPaid = b.Ratio.Of(p.InScope - p.Deductible)
	if b.PoolCapped {
		p.FundPaid = min(p.FundPaid, b.PoolLeft)
	}
	p.PersonBurden = p.Total - p.FundPaid
	p.AccountBase = p.PersonBurden - p.outOfBase(b, lines, r.lines)
	rest := p.AccountBase
	r.own = own.take(rest)
	p.OwnPaid = r.own.Total()
	rest -= p.OwnPaid
	for i, limit := range shares {
		r.shares[i] = limit.take(rest)
		p.SharedPaid += r.shares[i].Total()
		rest -= r.shares[i].Total()
	}
	p.CashDue = p.PersonBurden - p.OwnPaid - p.SharedPaid
	return r
}

// outOfBase returns what of a bill no account may pay: all of it where the region lets
// accounts pay nothing of the kind; else all that is out of scope or above a ceiling,
// or where the region lets accounts pay that, what is of the negative list.
func (b *Breakdown) outOfBase(basis Basis, lines []PricedLine, amounts []Amounts) Fen {
	if basis.NoAccount {
		return b.PersonBurden
	}
	if !basis.PaysOutOfScope {
		return b.OutOfScope + b.OverLimit
	}
	var never Fen
	for i := range lines {
		if lines[i].never() {
			never += amounts[i].Total
		}
	}
	return never
}

// reckonInto fills the settlement's amounts.
func (s *Settlement) reckonInto() {
	limits := make([]Pockets, len(s.Shares))
	for i, share := range s.Shares {
		limits[i] = share.Limit
	}
	r := reckon(s.Basis, s.Lines, s.Kept, s.Free, limits)
	s.Paid, s.Own = r.paid, r.own
	for i := range s.Shares {
		s.Shares[i].Paid = r.shares[i]
	}
}

func quantities(lines []PricedLine) []Quantity {
	q := make([]Quantity, len(lines))
	for i, l := range lines {
		q[i] = l.Quantity
	}
	return q
}

// post books the settlement, or the refund, in the accounts that it touches,
// counts it on caps and counters, and writes down its legs.
func (s *Settlement) post(patient Account, payers map[PersonNo]Account) Effects {
	var effects Effects
	sold := s.Legs // of the original, in a reversal or refund
	month := s.Basis.Day.Month()
	legs := []Posting{
		{Party: Institution, Delta: Pockets{Current: s.Paid.Total}},
		{Party: Fund, Delta: Pockets{Current: -s.Paid.FundPaid}},
		{Party: Cash, Delta: Pockets{Current: -s.Paid.CashDue}},
	}
	book := func(a Account, e Entry) {
		e.At, e.Kind, e.Ref = s.At, s.Kind, string(s.ID)
		e = a.book(e)
		legs = append(legs, Posting{Party: Personal, Account: a.Person, Seq: e.Seq, Delta: e.Delta})
		effects.Accounts, effects.Entries = append(effects.Accounts, a), append(effects.Entries, e)
	}
	patient = patient.clone()
	patient.count(DayOf(s.At).Year(), s)
	book(patient, Entry{
		Patient: true, Delta: Pockets{}.Minus(s.Own), Day: s.Basis.Day, Insutype: s.Basis.Insutype, Stay: s.MedType.IsStay(),
		Deductible: s.Paid.Deductible, Pool: s.Paid.FundPaid,
	})
	for _, share := range s.Shares {
		if share.Paid == (Pockets{}) {
			continue
		}
		payer, read := payers[share.Grantor]
		if !read {
			panic("family: a payer's account was not read")
		}
		payer = payer.clone()
		entry := Entry{Delta: Pockets{}.Minus(share.Paid), Grant: share.Binding}
		if i := payer.grant(share.Binding); i >= 0 && soldUnder(payer.Given[i], share.Grantor, sold) {
			entry.Month = month
			payer.Given[i].spend(month, share.Paid.Total())
		}
		book(payer, entry)
	}
	s.Legs = legs
	return effects
}

// soldUnder tells whether a grant was given before the sale whose legs these are.
// A grant that ended and was given again begins anew, and what was sold before
// counts on none of its limits when it comes back. A sale itself has no legs yet.
func soldUnder(g Grant, grantor PersonNo, sold []Posting) bool {
	i := slices.IndexFunc(sold, func(l Posting) bool { return l.Party == Personal && l.Account == grantor })
	return i < 0 || sold[i].Seq > g.Since
}
