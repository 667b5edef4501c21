package family_test

import (
	"math/big"
	"slices"

	"gongji/shared/family"
)

// The auditor reckons a settlement a second time, from the design's formulae and
// in fractions without bounds, and knows nothing of how the law does it.

// halfUp returns a/b rounded half up, for a not negative.
func halfUp(a, b int64) family.Fen { return half(big.NewRat(a, b)) }

// half rounds a fraction that is not negative half up.
func half(r *big.Rat) family.Fen {
	r = new(big.Rat).Add(r, big.NewRat(1, 2))
	return family.Fen(new(big.Int).Quo(r.Num(), r.Denom()).Int64())
}

// times returns a × b / unit.
func times(a, b, unit int64) *big.Rat {
	return new(big.Rat).Mul(big.NewRat(a, 1), big.NewRat(b, unit))
}

// audit returns who pays what of a case, and what each grantor pays, in turn.
func audit(c family.Case) (family.Breakdown, []family.Fen) {
	var b family.Breakdown
	for _, l := range c.Bill.Lines {
		item := c.Items[l.Code]
		b.Total += l.Amount
		if item.Class == family.ClassC {
			b.OutOfScope += l.Amount
			continue
		}
		var over, pre family.Fen
		ceiling, ok := item.Ceiling[c.Place.Level]
		if !ok {
			ceiling, ok = item.Ceiling[family.Level(c.Place.Level.Grade())]
		}
		if ok && l.UnitPrice > ceiling {
			over = min(l.Amount, half(times(int64(l.UnitPrice-ceiling), int64(l.Quantity), 10_000)))
		}
		if item.Class == family.ClassB {
			pre = half(times(int64(l.Amount-over), int64(item.SelfPay[c.Patient.Insurance.Insutype]), 10_000))
		}
		b.OverLimit += over
		b.PreSelfPay += pre
		b.InScope += l.Amount - over - pre
	}
	day := family.DayOf(c.Now)
	for _, benefit := range c.Policy.Benefits {
		grade := c.Place.Level.Grade()
		ratio, paid := benefit.Ratio[grade]
		if benefit.Insutype != c.Patient.Insurance.Insutype || !slices.Contains(benefit.MedTypes, c.Bill.MedType) || !paid || c.Place.Kind != family.Hospital {
			continue
		}
		var deductibleUsed, fundUsed family.Fen
		stay := c.Bill.MedType == family.OrdinaryStay
		for _, y := range append([]family.YearToDate{c.Patient.Year}, c.Patient.Others...) {
			if y.Year == day.Year() && y.Stays == stay {
				deductibleUsed, fundUsed = y.Deductible, y.Pool
			}
		}
		deductible := max(0, benefit.Deductible[grade]-deductibleUsed)
		if stay {
			deductible = benefit.Deductible[grade]
			if later, ok := benefit.LaterDeductible[grade]; ok && deductibleUsed > 0 {
				deductible = later
			}
		}
		b.Deductible = min(b.InScope, deductible)
		b.FundPaid = half(times(int64(b.InScope-b.Deductible), int64(ratio), 10_000))
		if benefit.YearlyCap > 0 {
			b.FundPaid = min(b.FundPaid, max(0, benefit.YearlyCap-fundUsed))
		}
		break
	}
	b.PersonBurden = b.Total - b.FundPaid
	b.AccountBase = b.PersonBurden - b.OutOfScope - b.OverLimit
	if c.Policy.AccountPaysOutOfScope {
		b.AccountBase = b.PersonBurden
	}
	if !slices.Contains(c.Policy.AccountPays, useOf(c)) {
		b.AccountBase = 0
	}
	var shares []family.Fen
	if c.Bill.UseAccount {
		b.OwnPaid = min(b.AccountBase, ownMayPay(c))
		payers := slices.Clone(c.Payers)
		if c.Policy.Grants.Order == family.BalanceOrder {
			slices.SortStableFunc(payers, func(p, q family.Payer) int { return int(q.Account.Balance.Total() - p.Account.Balance.Total()) })
		}
		rest := b.AccountBase - b.OwnPaid
		for _, p := range payers {
			paid := min(rest, mayPay(c, p))
			rest -= paid
			b.SharedPaid += paid
			shares = append(shares, paid)
		}
	}
	b.CashDue = b.PersonBurden - b.OwnPaid - b.SharedPaid
	return b, shares
}

// useOf returns what an account pays for when it pays the bill.
func useOf(c family.Case) family.Use {
	switch {
	case c.Bill.MedType == family.PharmacyBuy, c.Place.Kind == family.Pharmacy:
		return family.UsePharmacy
	case c.Bill.MedType == family.Registration:
		return family.UseRegistration
	}
	return family.UseCare
}

// left returns what is left of a quota.
func left(g family.Grant) family.Fen {
	if g.Terms.Quota == 0 {
		return 0
	}
	return max(0, g.Terms.Quota-g.Used)
}

// held returns what is frozen in an account's quotas.
func held(a family.Account) (sum family.Fen) {
	for _, g := range a.Given {
		sum += left(g)
	}
	return sum
}

// ownMayPay is what the patient's own account may pay.
func ownMayPay(c family.Case) family.Fen {
	if c.Bill.MedType == family.OrdinaryStay && c.Policy.StayPayers == family.NobodyPaysStays {
		return 0
	}
	return c.Patient.Balance.Total() - held(c.Patient)
}

// mayPay returns the most that a grantor may pay of a bill, however large.
func mayPay(c family.Case, p family.Payer) family.Fen {
	day := family.DayOf(c.Now)
	i := slices.IndexFunc(p.Account.Given, func(g family.Grant) bool { return g.Binding == p.Grantor.Binding })
	if i < 0 || !p.Account.Insurance.Active || p.Account.Frozen {
		return 0
	}
	if c.Bill.MedType == family.OrdinaryStay && p.Policy.StayPayers != family.FamilyPaysStays {
		return 0
	}
	g, a := p.Account.Given[i], p.Account
	purpose := family.ForCare
	if c.Place.Kind == family.Pharmacy || c.Bill.MedType == family.PharmacyBuy {
		purpose = family.ForPharmacy
	}
	near := map[family.Scope]bool{
		family.SameCity:     a.Insurance.Region.City() == c.Place.Region.City(),
		family.SameProvince: a.Insurance.Region[:2] == c.Place.Region[:2],
		family.SameNation:   true,
	}
	if g.Paused || g.Terms.ValidUntil != 0 && g.Terms.ValidUntil < day || !slices.Contains(g.Terms.Purposes, purpose) || !near[p.Policy.Grants.Usable] {
		return 0
	}
	if !slices.Contains(p.Policy.AccountPays, useOf(c)) {
		return 0
	}
	var most family.Fen
	past := p.Policy.Grants.Money == family.PastYears
	switch {
	case g.Terms.Quota > 0 && past:
		most = min(left(g), a.Balance.Past)
	case g.Terms.Quota > 0:
		most = min(left(g), a.Balance.Total())
	case past: // quotas lie in past years' money first
		most = max(0, a.Balance.Past-held(a)-p.Policy.Grants.Floor)
	default:
		most = max(0, a.Balance.Total()-held(a)-p.Policy.Grants.Floor)
	}
	if g.Terms.PerSettlementCap > 0 {
		most = min(most, g.Terms.PerSettlementCap)
	}
	if g.Terms.MonthlyCap > 0 {
		var spent family.Fen
		if g.Spent.Month == day.Month() {
			spent = g.Spent.Spent
		}
		most = min(most, max(0, g.Terms.MonthlyCap-spent))
	}
	return most
}
