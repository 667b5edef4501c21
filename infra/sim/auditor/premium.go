package auditor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gongji/shared/store"
)

// This file is the auditor's own reading of premiums: what is owed, who may pay it
// from which account, and how it comes back.

type premium struct {
	ID, Person, Kind string
	Year             int
	Amount           int64
	From, To         int
	Payments         []payment
}

type payment struct {
	Payer, Binding string
	Paid           Pockets
	Policy         string
	At             time.Time
	Seq            uint64
	Month          int
	BackAt         time.Time
	BackSeq        uint64
}

type premiumRecord struct{ Premium premium }

// stands returns the payment that has not gone back, or nil.
func (p *premium) stands() *payment {
	if n := len(p.Payments); n > 0 && p.Payments[n-1].BackSeq == 0 {
		return &p.Payments[n-1]
	}
	return nil
}

func premiumKey(id string) store.Key { return store.Key{Part: "PREMIUM#" + id, Sort: "P"} }

func owedKey(person string, year int, kind string) store.Key {
	return store.Key{Part: "OWED#" + person, Sort: fmt.Sprintf("%d#%s", year, kind)}
}

// isPremium asks for a premium's record.
func (e effects) premium(want premium) {
	e[premiumKey(want.ID)] = is("the premium", premiumRecord{want})
}

// owed works out what becomes of a premium of which an operator tells.
func (v *view) owed(r *Request) (effects, bool, string) {
	in, e := r.Premium, effects{}
	if _, known := read[accountRecord](v, accountKey(r.By)); !known {
		return nil, false, "not_found"
	}
	key := owedKey(r.By, in.Year, in.Kind)
	at, listed := read[pointerRecord](v, key)
	if !listed {
		// The house draws its name.
		id := ""
		for k := range v.before {
			if name, is := strings.CutPrefix(k.Part, "PREMIUM#"); is {
				id = name
			}
		}
		e.premium(premium{ID: id, Person: r.By, Kind: in.Kind, Year: in.Year, Amount: in.Amount, From: in.From, To: in.To})
		e[key] = is("the row of the premium", pointerRecord{id})
		return e, false, ""
	}
	record, _ := read[premiumRecord](v, premiumKey(at.To))
	p := record.Premium
	if p.stands() != nil && p.Amount != in.Amount {
		return nil, false, "state_forbids"
	}
	if p.Amount == in.Amount && p.From == in.From && p.To == in.To {
		return e, true, ""
	}
	p.Amount, p.From, p.To = in.Amount, in.From, in.To
	e.premium(p)
	return e, false, ""
}

// premiumPaid works out what a person is answered who pays a premium.
func (v *view) premiumPaid(r *Request, at time.Time) (effects, string) {
	owner, in, today := r.By, r.Premium, day(at)
	if r.Binding != "" {
		b, found := read[bindingRecord](v, bindingKey(r.Binding))
		if !found || b.Binding.Holder != r.By {
			return nil, "not_found"
		}
		owner = b.Binding.Member
	}
	listed, found := read[pointerRecord](v, owedKey(owner, in.Year, in.Kind))
	if !found {
		return nil, "not_found"
	}
	record, _ := read[premiumRecord](v, premiumKey(listed.To))
	p := record.Premium
	if s := p.stands(); s != nil && s.Payer == r.By && in.Amount == p.Amount {
		v.a.Reached("who has paid a premium pays it again: nothing moves")
		return effects{}, ""
	}
	mine, found := read[accountRecord](v, accountKey(r.By))
	if !found {
		return nil, "person_not_insured"
	}
	whose, _ := read[accountRecord](v, accountKey(owner))
	me := mine.Account.copied()
	rules := v.rules(me.Insurance.Region, today)
	if whose.Account.Deceased || !me.insured() || r.Binding != "" && !slices.Contains(rules.Grantors, me.Insurance.Insutype) {
		return nil, "person_not_insured"
	}
	if me.Frozen {
		return nil, "person_frozen"
	}
	there, counted := ownFree(&me), today
	var g *grant
	elsewhere := false
	if r.Binding != "" {
		if g = me.given(r.Binding); g != nil {
			counted = max(counted, g.Spent.Month*100+1)
		}
		switch {
		case g == nil || g.Beneficiary != owner:
			return nil, "grant_none"
		case g.Terms.ValidUntil != 0 && counted > g.Terms.ValidUntil:
			return nil, "grant_none"
		case g.Paused, g.OfAge != 0 && counted >= g.OfAge:
			return nil, "grant_paused"
		}
		elsewhere = !slices.Contains(g.Terms.Purposes, "premium") ||
			!within(rules.Insured, me.Insurance.Region, whose.Account.Insurance.Region) || !within(rules.Usable, me.Insurance.Region, whose.Account.Insurance.Region)
		var most int64
		if there, most, _ = me.drawable(g, rules, counted); most < p.Amount {
			return nil, "grant_cap_reached"
		}
	}
	uses := map[string]string{"resident": "resident_premium", "long_term_care": "ltc_premium"}
	switch {
	case elsewhere:
		return nil, "grant_scope"
	case there.total() < p.Amount:
		return nil, "account_empty"
	case len(p.Payments) >= 20:
		return nil, "state_forbids"
	case in.Amount != p.Amount:
		return nil, "quote_stale"
	case !slices.Contains(rules.Pays, uses[p.Kind]):
		return nil, "account_scope"
	case today < p.From, today > p.To, p.stands() != nil:
		return nil, "premium_not_due"
	}
	pay := payment{Payer: r.By, Binding: r.Binding, Paid: there.upTo(p.Amount), Policy: rules.ID, At: at}
	d := entry{Account: r.By, At: at, Kind: "premium", Ref: fmt.Sprintf("%s-%d", p.ID, len(p.Payments)+1), Delta: pay.Paid.negative(), Grant: r.Binding}
	if g != nil {
		pay.Month, d.Month = counted/100, counted/100
		g.count(pay.Month, p.Amount)
	}
	e := effects{}
	e.book(&me, &d)
	pay.Seq = d.Seq
	p.Payments = append(slices.Clone(p.Payments), pay)
	e.premium(p)
	return e, ""
}

// returned works out what becomes of a premium that is given back.
func (v *view) returned(r *Request, at time.Time) (effects, string) {
	record, found := read[premiumRecord](v, premiumKey(r.Premium.ID))
	if !found {
		return nil, "not_found"
	}
	p := record.Premium
	s := p.stands()
	switch {
	case s == nil && len(p.Payments) > 0:
		return nil, "already_reversed"
	case s == nil:
		return nil, "state_forbids"
	}
	payer, _ := read[accountRecord](v, accountKey(s.Payer))
	me := payer.Account.copied()
	d := entry{Account: s.Payer, At: at, Kind: "premium_refund", Ref: fmt.Sprintf("%s-%d", p.ID, len(p.Payments)), Delta: s.Paid, Grant: s.Binding}
	if g := me.given(s.Binding); g != nil && g.Since < s.Seq {
		d.Month = s.Month
		g.count(s.Month, -s.Paid.total())
	} else if s.Binding != "" {
		v.a.Reached("a premium comes back after its grant has ended")
	}
	e := effects{}
	e.book(&me, &d)
	p.Payments = slices.Clone(p.Payments)
	last := &p.Payments[len(p.Payments)-1]
	last.BackAt, last.BackSeq = at, d.Seq
	e.premium(p)
	return e, ""
}

// count counts what a grant paid in a month.
func (g *grant) count(month int, fen int64) {
	if month > g.Spent.Month {
		g.Spent.Month, g.Spent.Spent = month, 0
	}
	if month == g.Spent.Month {
		g.Spent.Spent += fen
	}
	g.Used += fen
}

// premiumMoved finds what may not become of a premium, and returns what its commit moved
// into accounts.
func (a *Auditor) premiumMoved(before store.Record, p premium) int64 {
	was := premium{}
	if before.Exists() {
		was = shape[premiumRecord](a, before).Premium
	}
	paid := func(p *premium) (sum int64) {
		standing := 0
		for _, one := range p.Payments {
			if one.BackSeq == 0 {
				standing++
				sum += one.Paid.total()
			}
		}
		if standing > 1 || standing == 1 && sum != p.Amount {
			a.fault("the premium %s of %d is paid %d times, %d in all", p.ID, p.Amount, standing, sum)
		}
		return sum
	}
	if len(p.Payments) < len(was.Payments) {
		a.fault("the premium %s has forgotten a payment", p.ID)
	}
	return paid(&was) - paid(&p)
}
