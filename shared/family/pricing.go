package family

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// PricedLine is a line with what the catalogue said of it, enough to price any
// part of it again.
type PricedLine struct {
	Line
	Class   Class
	SelfPay Ratio
	Ceiling Fen // 0 is none
	// Since is the first day of the catalogue's version that priced the line: with
	// the code its name.
	Since   Day
	Amounts Amounts
	// Reason is why the line divides as it does; some reasons make it the person's
	// own cost whatever its class.
	Reason Code
}

// Told is what the till told of the patient's need, and what the limits of the
// items made of it: kept only where an item has limits, for it says much of him.
type Told struct {
	Need
	Why     map[int]Why // by line number, of the lines that a limit hit
	Counted []string    // codes of the items that count by period
	// OwnExpense are the lines that the institution did not approve for insurance.
	OwnExpense []int
}

// Why is what a limit found and what it would have let pass.
type Why struct{ Rule, Observed, Allowed string }

// limited tells whether a reason makes a line the person's own cost whatever its
// class.
func limited(reason Code) bool {
	switch reason {
	case NeverCovered, KindLimited, LevelLimited, PrescriptionNeeded, AgeLimited, SexLimited, IndicationLimited:
		return true
	}
	return false
}

// never tells whether the line is of the negative list: no account pays it.
func (p *PricedLine) never() bool { return p.Reason == NeverCovered }

// prices looks the bill's lines up and divides them. A code that the catalogue does
// not have in force is refused: nobody can say whether insurance covers it.
func (c *Case) prices() ([]PricedLine, *Told, *Refusal) {
	lines := make([]PricedLine, 0, len(c.Bill.Lines))
	var told *Told
	if len(c.OwnExpense) > 0 {
		told = &Told{OwnExpense: c.OwnExpense}
	}
	for i := range c.Bill.Lines {
		l := &c.Bill.Lines[i]
		item, found := c.Items[l.Code]
		if !found {
			return nil, nil, &Refusal{Code: ItemNotCovered, Field: lineField(i, "code"), Line: l.No, Observed: l.Code, Detail: "the catalogue has no such code in force"}
		}
		p := item.price(*l, c.Patient.Insurance.Insutype, c.Place)
		if slices.Contains(c.OwnExpense, l.No) && !p.never() {
			p.Class, p.SelfPay, p.Ceiling = ClassC, 0, 0
			p.Reason = ItemNotCovered
			p.Amounts = p.divide(l.Quantity)
		}
		if item.Limits != nil {
			if told == nil {
				told = &Told{}
			}
			told.Need = c.Need
			if told.Why == nil {
				told.Why = map[int]Why{}
			}
			if item.PerPeriod() && !slices.Contains(told.Counted, l.Code) {
				told.Counted = append(told.Counted, l.Code)
			}
			if reason, why := c.beyond(item.Limits, l.No); reason != "" && p.Class != ClassC && !p.never() {
				p.Reason, told.Why[l.No] = reason, why
				p.Amounts = p.divide(l.Quantity)
			}
		}
		lines = append(lines, p)
	}
	return lines, told, nil
}

// price divides a line by what the catalogue says, apart from the item's limits.
func (i *Item) price(l Line, insutype Insutype, place Place) PricedLine {
	v := i.in(place.Region)
	p := PricedLine{Line: l, Class: v.Class, Since: i.From, Reason: CoveredInFull}
	switch v.Class {
	case ClassC:
		p.Reason = ItemNotCovered
	case ClassB:
		p.SelfPay, p.Reason = v.SelfPay[insutype], CoveredInPart
	}
	if c := v.ceilingAt(place.Level); c > 0 && l.UnitPrice > c && v.Class != ClassC {
		p.Ceiling, p.Reason = c, CeilingReached
	}
	if i.Excluded != "" {
		p.Reason = NeverCovered
	}
	p.Amounts = p.divide(l.Quantity)
	return p
}

// beyond returns the first limit beyond which a line lies, and so is the person's
// own cost.
func (c *Case) beyond(limits *Limits, line int) (Code, Why) {
	day := DayOf(c.Now)
	age := ageOn(c.Born, day)
	grade := c.Place.Level.Grade()
	switch {
	case len(limits.Kinds) > 0 && !slices.Contains(limits.Kinds, c.Place.Kind):
		return KindLimited, Why{Rule: "limits.institution_kinds", Observed: string(c.Place.Kind), Allowed: joined(limits.Kinds)}
	case len(limits.Grades) > 0 && !slices.Contains(limits.Grades, grade):
		return LevelLimited, Why{Rule: "limits.institution_grades", Observed: string(grade), Allowed: joined(limits.Grades)}
	case limits.Prescription && c.Need.Prescriptions[line].No == "":
		return PrescriptionNeeded, Why{Rule: "limits.prescription"}
	case age < limits.MinAge || limits.MaxAge > 0 && age > limits.MaxAge:
		return AgeLimited, Why{Rule: "limits.age", Observed: strconv.Itoa(age), Allowed: ages(limits)}
	case limits.Sex != "" && c.Sex != limits.Sex:
		return SexLimited, Why{Rule: "limits.sex", Observed: string(c.Sex), Allowed: string(limits.Sex)}
	case len(limits.Diagnoses) > 0 && !slices.ContainsFunc(c.Need.Diagnoses, func(d string) bool {
		return slices.ContainsFunc(limits.Diagnoses, func(prefix string) bool { return strings.HasPrefix(d, prefix) })
	}):
		return IndicationLimited, Why{Rule: "limits.indications", Observed: joined(c.Need.Diagnoses), Allowed: joined(limits.Diagnoses)}
	}
	return "", Why{}
}

func ages(l *Limits) string {
	if l.MaxAge == 0 {
		return "from " + strconv.Itoa(l.MinAge)
	}
	return strconv.Itoa(l.MinAge) + " to " + strconv.Itoa(l.MaxAge)
}

// joined writes a list for an answer.
func joined[T ~string](list []T) string {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = string(v)
	}
	return strings.Join(parts, ", ")
}

// lineField names a field of a bill's line.
func lineField(i int, field string) string { return fmt.Sprintf("lines[%d].%s", i, field) }

// boxes refuses a line whose boxes are not named where the region asks for it, and
// a box that was sold before. It tells that fact and nothing else: not where, not
// when, not to whom.
func (c *Case) boxes() *Refusal {
	for i, l := range c.Bill.Lines {
		if len(l.TraceCodes) == 0 && c.Policy.Traces(c.Items[l.Code]) {
			return &Refusal{Code: TraceMissing, Field: lineField(i, "trace_codes"), Line: l.No, Rule: "traces.list_types", Policy: c.Policy.ID()}
		}
	}
	for i, l := range c.Bill.Lines {
		for j, code := range l.TraceCodes {
			if c.Sold[code] != "" {
				return &Refusal{Code: TraceAlreadySold, Field: lineField(i, fmt.Sprintf("trace_codes[%d]", j)), Line: l.No, Observed: code}
			}
		}
	}
	return nil
}

// amounts refuses more of an item than one settlement, one period or the days of
// supply allow. All lines of an item count together.
func (c *Case) amounts() *Refusal {
	sum := map[string]Quantity{}
	counted := 0
	for i, l := range c.Bill.Lines {
		counted += len(l.TraceCodes)
		item := c.Items[l.Code]
		limits := item.Limits
		if limits == nil {
			continue
		}
		first := sum[l.Code] == 0
		sum[l.Code] += l.Quantity
		refuse := func(field, rule, observed, allowed string) *Refusal {
			return &Refusal{Code: QuantityLimit, Field: lineField(i, field), Line: l.No, Rule: rule, Observed: observed, Allowed: allowed}
		}
		if days := c.Need.Prescriptions[l.No].Days; limits.MaxDays > 0 && days > limits.MaxDays {
			return refuse("supply_days", "limits.max_days", strconv.Itoa(days), strconv.Itoa(limits.MaxDays))
		}
		if limits.MaxQuantity > 0 && sum[l.Code] > limits.MaxQuantity {
			return refuse("quantity", "limits.max_quantity", sum[l.Code].String(), limits.MaxQuantity.String())
		}
		if item.PerPeriod() {
			if first {
				counted++
			}
			if all := c.Bought[l.Code] + sum[l.Code]; all > limits.PeriodQuantity {
				return refuse("quantity", "limits.period_quantity", all.String(), limits.PeriodQuantity.String()+" in "+strconv.Itoa(limits.PeriodDays)+" days")
			}
		}
	}
	if counted > MaxTraceCodes { // each is a record of the commit
		return &Refusal{Code: TooLarge, Field: "lines", Observed: strconv.Itoa(counted), Allowed: "at most " + strconv.Itoa(MaxTraceCodes) + " boxes and items that are counted by period"}
	}
	return nil
}

// divide divides the part of the line that a quantity of it makes up. Every part
// follows from the part's whole amount, an integer, by a slope of at most one, so
// no part of a smaller quantity is ever larger than of a greater: a refund never
// gives back less than nothing.
func (p *PricedLine) divide(q Quantity) Amounts {
	a := Amounts{Total: p.Amount}
	if q != p.Quantity {
		a.Total = Fen(mulDiv(int64(p.Amount), int64(q), int64(p.Quantity)))
	}
	if p.Class == ClassC || limited(p.Reason) {
		a.OutOfScope = a.Total
		return a
	}
	within := a.Total
	if p.Ceiling > 0 && p.Amount > 0 {
		over := min(p.Amount, p.Quantity.times(p.UnitPrice-p.Ceiling))
		within = Fen(mulDiv(int64(p.Amount-over), int64(a.Total), int64(p.Amount)))
	}
	a.OverLimit = a.Total - within
	if p.Class == ClassB {
		a.PreSelfPay = p.SelfPay.Of(within)
	}
	a.InScope = within - a.PreSelfPay
	return a
}
