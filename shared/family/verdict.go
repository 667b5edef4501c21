package family

import "strconv"

// Verdict answers "will it pay?" of a bill that was quoted.
type Verdict struct {
	// Code is [WillPay] when nothing is left to be paid in cash, [WillPayPartly]
	// when something is and something is not, [WillNotPay] when all is.
	Code Code
	// Condition is what keeps the most money out, and so the first thing to mend;
	// nil when all is paid.
	Condition *Condition
}

// Condition is one condition that a bill did not meet.
type Condition struct {
	Code Code
	Line int // 0 where it is not of one line
	Fen  Fen // what is paid in cash for its sake
	// Rule, Observed and Allowed are as in a [Refusal], where there are figures.
	Rule, Observed, Allowed string
}

// Verdict tells whether the settlement would pay, and what stands in the way.
func (s *Settlement) Verdict() Verdict {
	v := Verdict{Code: WillPayPartly}
	switch s.Paid.CashDue {
	case 0:
		return Verdict{Code: WillPay}
	case s.Paid.Total:
		v.Code = WillNotPay
	}
	var worst Condition
	consider := func(c Condition) {
		if c.Fen > worst.Fen {
			worst = c
		}
	}
	if s.Basis.NoAccount {
		return Verdict{v.Code, &Condition{Code: AccountScope, Fen: s.Paid.CashDue, Rule: "account.pays", Observed: string(useOf(s.MedType, s.Basis.Kind))}}
	}
	for i := range s.Lines {
		consider(s.outOfBase(&s.Lines[i]))
	}
	if unpaid := s.Paid.AccountBase - s.Paid.OwnPaid - s.Paid.SharedPaid; unpaid > 0 {
		code, rule := s.unpaid()
		consider(Condition{Code: code, Rule: rule, Fen: unpaid})
	}
	v.Condition = &worst
	return v
}

// outOfBase returns what of a line no account may pay, and why.
func (s *Settlement) outOfBase(l *PricedLine) Condition {
	c := Condition{Code: l.Reason, Line: l.No}
	lines := []PricedLine{*l}
	b := Breakdown{Amounts: l.Amounts}
	c.Fen = b.outOfBase(s.Basis, lines, []Amounts{l.Amounts})
	if why, ok := s.why(l); ok {
		c.Rule, c.Observed, c.Allowed = why.Rule, why.Observed, why.Allowed
	}
	return c
}

// unpaid returns why accounts did not pay all that they may: the first grantor's
// reason and rule, or that there is nobody to pay.
func (s *Settlement) unpaid() (Code, string) {
	for _, share := range s.Shares {
		if share.Reason != "" && share.Reason != NothingLeft {
			return share.Reason, share.Rule
		}
	}
	if s.Free == (Pockets{}) {
		return GrantNone, ""
	}
	return AccountEmpty, ""
}

// why returns what a line's reason rests on, where there are figures to tell.
func (s *Settlement) why(l *PricedLine) (Why, bool) {
	if s.Told != nil {
		if why, ok := s.Told.Why[l.No]; ok {
			return why, true
		}
	}
	switch l.Reason {
	case CeilingReached:
		return Why{"catalogue.ceiling_fen", strconv.Itoa(int(l.UnitPrice)), strconv.Itoa(int(l.Ceiling))}, true
	case CoveredInPart:
		return Why{Rule: "catalogue.self_pay_ratio", Observed: l.SelfPay.String()}, true
	case CoveredInFull, ItemNotCovered:
		return Why{Rule: "catalogue.class", Observed: string(l.Class)}, true
	case NeverCovered:
		return Why{Rule: "catalogue.negative_list"}, true
	}
	return Why{}, false
}

// Owes returns what of the i-th line no account may pay: the person's, in cash.
func (s *Settlement) Owes(i int) Fen { return s.outOfBase(&s.Lines[i]).Fen }

// Why returns what the reason of the i-th line rests on: the rule, what was found
// and what would have been paid.
func (s *Settlement) Why(i int) Why {
	why, _ := s.why(&s.Lines[i])
	return why
}
