package family

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// PremiumKind is an insurance whose yearly contribution of a person accounts may pay.
type PremiumKind string

// The kinds of premium (国办发〔2024〕38号; notice of 2026-01-09, Beijing).
const (
	ResidentPremium PremiumKind = "resident"       // 城乡居民医保个人缴费
	LTCPremium      PremiumKind = "long_term_care" // 长期护理保险个人缴费
)

// PremiumKinds lists every kind.
var PremiumKinds = []PremiumKind{ResidentPremium, LTCPremium}

// use returns what an account pays for when it pays a premium of the kind.
func (k PremiumKind) use() Use {
	if k == LTCPremium {
		return UseLTCPremium
	}
	return UseResidentPremium
}

// PremiumID names a premium.
type PremiumID string

// Premium is what a person owes for one insurance in one year, as whoever collects it
// told, and all that was paid of it. It is paid whole or not at all.
type Premium struct {
	ID       PremiumID
	Person   PersonNo // whose insurance it is
	Kind     PremiumKind
	Year     int // for which
	Amount   Fen
	From, To Day // first and last day on which it may be paid
	// Payments are all that were made, oldest first. Only the last can stand; those
	// before it went back.
	Payments []PremiumPayment
}

// PremiumPayment is one payment of a premium from one account.
type PremiumPayment struct {
	Payer   PersonNo
	Binding BindingID // of the grant by which it was paid; empty from the own account
	Paid    Pockets
	Policy  string // of the payer's region
	At      time.Time
	Seq     uint64 // number of the payer's entry
	Month   Month  // of the grant's cap on which it counts; 0 without a grant
	// BackAt and BackSeq tell when it went back to the payer and by which entry; zero
	// while it stands.
	BackAt  time.Time
	BackSeq uint64
}

// maxPremiumPayments bounds how often one premium is paid and given back.
const maxPremiumPayments = 20

// Standing returns the number of the payment that stands, from 1; 0 is none.
func (p *Premium) Standing() int {
	if n := len(p.Payments); n > 0 && p.Payments[n-1].BackSeq == 0 {
		return n
	}
	return 0
}

// Ref names a payment of the premium in the payer's entries, by its number from 1.
func (p *Premium) Ref(n int) string { return string(p.ID) + "-" + strconv.Itoa(n) }

// ParsePremiumRef returns which payment of which premium an entry's Ref names.
func ParsePremiumRef(ref string) (PremiumID, int, bool) {
	i := strings.LastIndexByte(ref, '-')
	if i < 0 {
		return "", 0, false
	}
	n, err := strconv.Atoi(ref[i+1:])
	return PremiumID(ref[:i]), n, err == nil && n >= 1
}

// Check refuses what cannot be a premium that is owed.
func (p *Premium) Check() *Refusal {
	switch {
	case !slices.Contains(PremiumKinds, p.Kind):
		return &Refusal{Code: Malformed, Field: "kind", Allowed: fmt.Sprint(PremiumKinds)}
	case p.Year < 2000 || p.Year > 2999:
		return &Refusal{Code: Malformed, Field: "year", Detail: "a year is 2000 to 2999"}
	case p.Amount < 1 || p.Amount > MaxFen:
		return &Refusal{Code: Malformed, Field: "amount_fen", Detail: "an amount is above 0 and at most " + strconv.Itoa(int(MaxFen))}
	case p.To < p.From:
		return &Refusal{Code: Malformed, Field: "to", Detail: "the last day comes before the first"}
	}
	return nil
}

// Owe takes over what whoever collects a premium tells of it anew. What is paid cannot
// become dearer or cheaper.
func (p Premium) Owe(told Premium) (Premium, *Refusal) {
	if p.Standing() > 0 && told.Amount != p.Amount {
		return p, &Refusal{Code: StateForbids, Field: "amount_fen", Rule: "premiums.paid", Detail: "it is paid: give it back first"}
	}
	p.Amount, p.From, p.To = told.Amount, told.From, told.To
	return p, nil
}

// PremiumCase is all that decides the payment of one premium.
type PremiumCase struct {
	Now     time.Time
	Premium Premium
	Owner   Account // of him whose premium it is
	// Payer is whose account pays, with the grant to the owner by which it does; without
	// a binding it is the owner's own.
	Payer  Payer
	Amount Fen // what the payer was told that it is
}

// PayPremium pays a premium from one account. The grantor acts himself, so his word
// is not asked for; his grant's purposes, limits and last day hold as at a till. Whoever
// has paid it already is told so by [Premium.Standing], and asks for nothing here.
func PayPremium(c PremiumCase) (Premium, Account, Entry, *Refusal) {
	refuse := func(r *Refusal) (Premium, Account, Entry, *Refusal) {
		return c.Premium, c.Payer.Account, Entry{}, r
	}
	p, payer, today := c.Premium, c.Payer.Account, DayOf(c.Now)
	if c.Owner.Deceased || !payer.Insurance.Insured() || payer.Deceased ||
		c.Payer.Grantor.Binding != "" && !slices.Contains(c.Payer.Policy.Grants.Grantors, payer.Insurance.Insutype) {
		return refuse(Refuse(PersonNotInsured))
	}
	if payer.Frozen {
		return refuse(Refuse(PersonFrozen))
	}
	day, limit, reason := today, payer.Free(), Code("")
	var g Grant
	if c.Payer.Grantor.Binding != "" {
		i := payer.grant(c.Payer.Grantor.Binding)
		if i >= 0 { // see Case.day
			day = max(day, Day(payer.Given[i].Spent.Month)*100+1)
		}
		g, reason = c.Payer.grantFor(cause{c.Owner.Person, c.Owner.Insurance.Region, c.Owner.Insurance.Region, ForPremium, day})
		if reason != "" && reason != GrantScope {
			return refuse(Refuse(reason))
		}
		allowed, rule := MaxFen, ""
		if limit, allowed, rule = c.Payer.most(g, day); allowed < p.Amount {
			return refuse(&Refusal{Code: GrantCapReached, Rule: rule, Observed: strconv.Itoa(int(p.Amount)), Allowed: strconv.Itoa(int(allowed))})
		}
	} else if payer.Person != c.Owner.Person {
		return refuse(Refuse(GrantNone))
	}
	rules := c.Payer.usesOf(g)
	switch use := p.Kind.use(); {
	case reason != "":
		return refuse(&Refusal{Code: reason, Rule: "pay.purposes"})
	case limit.Total() < p.Amount:
		return refuse(Refuse(AccountEmpty))
	case len(p.Payments) >= maxPremiumPayments:
		return refuse(&Refusal{Code: StateForbids, Rule: "premiums.payments", Observed: strconv.Itoa(len(p.Payments))})
	case c.Amount != p.Amount:
		return refuse(&Refusal{Code: QuoteStale, Field: "amount_fen", Observed: strconv.Itoa(int(c.Amount)), Allowed: strconv.Itoa(int(p.Amount))})
	case !rules.Pays(use):
		return refuse(&Refusal{Code: AccountScope, Rule: "account.pays", Policy: rules.ID(), Observed: string(use)})
	case today < p.From || today > p.To:
		return refuse(&Refusal{Code: PremiumNotDue, Rule: "premiums.days", Observed: today.String(), Allowed: p.From.String() + " to " + p.To.String()})
	case p.Standing() > 0:
		return refuse(&Refusal{Code: PremiumNotDue, Rule: "premiums.paid"})
	}
	paid := PremiumPayment{Payer: payer.Person, Binding: c.Payer.Grantor.Binding, Paid: limit.take(p.Amount), Policy: c.Payer.Policy.ID(), At: c.Now}
	payer = payer.clone()
	entry := Entry{At: c.Now, Kind: PremiumPaid, Ref: p.Ref(len(p.Payments) + 1), Delta: Pockets{}.Minus(paid.Paid), Grant: paid.Binding}
	if paid.Binding != "" {
		paid.Month = day.Month()
		entry.Month = paid.Month
		payer.Given[payer.grant(paid.Binding)].spend(paid.Month, p.Amount)
	}
	entry = payer.book(entry)
	paid.Seq = entry.Seq
	p.Payments = append(slices.Clone(p.Payments), paid)
	return p, payer, entry, nil
}

// RefundPremium gives the payment of a premium that stands back to the account and the
// pockets that it came from, and to the grant's limits as far as the grant is still the
// one that paid, whatever became of the people since.
func RefundPremium(p Premium, payer Account, now time.Time) (Premium, Account, Entry, *Refusal) {
	n := p.Standing()
	if n == 0 {
		if len(p.Payments) > 0 {
			return p, payer, Entry{}, Refuse(AlreadyReversed)
		}
		return p, payer, Entry{}, &Refusal{Code: StateForbids, Rule: "premiums.paid", Detail: "nobody has paid it"}
	}
	p.Payments = slices.Clone(p.Payments)
	back := &p.Payments[n-1]
	payer = payer.clone()
	entry := Entry{At: now, Kind: PremiumBack, Ref: p.Ref(n), Delta: back.Paid, Grant: back.Binding}
	if i := payer.grant(back.Binding); back.Binding != "" && i >= 0 && back.Seq > payer.Given[i].Since {
		entry.Month = back.Month
		payer.Given[i].spend(back.Month, -back.Paid.Total())
	}
	entry = payer.book(entry)
	back.BackAt, back.BackSeq = now, entry.Seq
	return p, payer, entry, nil
}

// Entered tells whether an entry is one that a payment of the premium made, going or
// coming back.
func (p *Premium) Entered(e Entry) bool {
	id, n, ok := ParsePremiumRef(e.Ref)
	if !ok || id != p.ID || n > len(p.Payments) {
		return false
	}
	paid := p.Payments[n-1]
	month := e.Month == paid.Month
	switch e.Kind {
	case PremiumPaid:
		return month && e.Account == paid.Payer && e.Grant == paid.Binding && e.Seq == paid.Seq && e.At.Equal(paid.At) && e.Delta == Pockets{}.Minus(paid.Paid)
	case PremiumBack:
		return (month || e.Month == 0) && e.Account == paid.Payer && e.Grant == paid.Binding && e.Seq == paid.BackSeq && e.At.Equal(paid.BackAt) && e.Delta == paid.Paid
	}
	return false
}

// ProvePremium returns what does not agree inside a premium: each payment was the
// whole, and none was made before the one before it had gone back.
func ProvePremium(p Premium) []Fault {
	var faults []Fault
	for i, paid := range p.Payments {
		found := func(what string) {
			faults = append(faults, Fault{Account: paid.Payer, Seq: paid.Seq, Ref: p.Ref(i + 1), What: what})
		}
		back := paid.BackSeq > 0
		if back != !paid.BackAt.IsZero() || back && paid.BackSeq <= paid.Seq || paid.Seq == 0 || paid.Paid.Current < 0 || paid.Paid.Past < 0 {
			found("the payment of the premium cannot be")
		}
		if i+1 < len(p.Payments) && !back {
			found("the premium is paid twice")
		}
		if i+1 == len(p.Payments) && !back && paid.Paid.Total() != p.Amount {
			found("what was paid is not the premium")
		}
	}
	return faults
}
