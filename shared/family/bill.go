package family

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// MaxLines bounds a bill.
const MaxLines = 200

// InstitutionKind tells a hospital from a pharmacy.
type InstitutionKind string

// The kinds of institution.
const (
	Hospital InstitutionKind = "hospital"
	Pharmacy InstitutionKind = "pharmacy"
)

// Place is a hospital or pharmacy, as the insurer told it.
type Place struct {
	Code       InstitutionCode
	Name       string
	Kind       InstitutionKind
	Level      Level
	Region     Region
	Designated bool // 定点, and not suspended
}

// Class is a catalogue class.
type Class string

// The classes: 甲 in scope whole, 乙 after a share that the person pays first,
// 丙 not in scope (用药管理暂行办法).
const (
	ClassA Class = "A"
	ClassB Class = "B"
	ClassC Class = "C"
)

// Item is one version of a catalogue entry: a drug, a treatment or a consumable
// under its national code.
type Item struct {
	Code     string
	Name     string
	ListType string
	Class    Class
	// SelfPay is what the person pays first of a class B item (先行自付), by
	// insurance; absent is nothing.
	SelfPay map[Insutype]Ratio
	// Ceiling is the highest unit price that counts, by hospital level; a level
	// without one of its own takes its grade's; absent is no ceiling.
	Ceiling map[Level]Fen
	From    Day // first day in force
	To      Day // last day in force; 0 is open
}

// Equal tells whether two versions say the same.
func (i Item) Equal(j Item) bool {
	return i.Code == j.Code && i.Name == j.Name && i.ListType == j.ListType && i.Class == j.Class &&
		i.From == j.From && i.To == j.To && maps.Equal(i.SelfPay, j.SelfPay) && maps.Equal(i.Ceiling, j.Ceiling)
}

// IsItemCode tells whether an item can have the code (med_list_codg, 50): printable
// ASCII without spaces, as every national code and local suffix is (domain 4).
func IsItemCode(code string) bool {
	for i := range len(code) {
		if code[i] <= ' ' || code[i] > '~' {
			return false
		}
	}
	return len(code) >= 1 && len(code) <= 50
}

// ItemOn returns the version that is in force on a day, the latest begun if
// several are.
func ItemOn(versions []Item, day Day) (Item, bool) {
	best := -1
	for i, v := range versions {
		if v.From <= day && (v.To == 0 || day <= v.To) && (best < 0 || v.From > versions[best].From) {
			best = i
		}
	}
	if best < 0 {
		return Item{}, false
	}
	return versions[best], true
}

// ceilingAt returns the ceiling at a level; 0 is none. Price lists name either
// the level (hosp_lv) or only the grade, 1 to 3, of a hospital.
func (i *Item) ceilingAt(level Level) Fen {
	if c, ok := i.Ceiling[level]; ok {
		return c
	}
	return i.Ceiling[Level(level.Grade())]
}

// Line is one line of a bill, as the till sent it.
type Line struct {
	No         int    // the till's number of the line, 1 to 99999
	Code, Name string // national code; the till's own name of the goods
	Quantity   Quantity
	UnitPrice  Fen
	Amount     Fen // authoritative; the price is rounded by the till
	TraceCodes []string
}

// Bill is what the till wants settled.
type Bill struct {
	MedType    MedType
	Total      Fen
	Lines      []Line
	UseAccount bool
	// ExpectedCash is what a quote said; nil accepts any.
	ExpectedCash *Fen
}

// Check refuses a bill that cannot be read as one, whoever sends it.
func (b *Bill) Check() *Refusal {
	if !slices.Contains(MedTypes, b.MedType) {
		return &Refusal{Code: Malformed, Field: "med_type", Observed: clip(string(b.MedType)), Allowed: fmt.Sprint(MedTypes), Detail: "this kind of visit is not offered"}
	}
	if b.Total < 1 || b.Total > MaxFen {
		return &Refusal{Code: Malformed, Field: "total_fen", Detail: "a total is above 0 and at most " + strconv.Itoa(int(MaxFen))}
	}
	if len(b.Lines) < 1 || len(b.Lines) > MaxLines {
		return &Refusal{Code: Malformed, Field: "lines", Observed: strconv.Itoa(len(b.Lines)), Allowed: "1 to " + strconv.Itoa(MaxLines), Detail: "too few or too many lines"}
	}
	numbers := make(map[int]bool, len(b.Lines))
	boxes := make(map[string]bool)
	for i, l := range b.Lines {
		at := func(field, detail string) *Refusal {
			return &Refusal{Code: Malformed, Field: fmt.Sprintf("lines[%d].%s", i, field), Line: l.No, Detail: detail}
		}
		switch {
		case l.No < 1 || l.No > 99_999:
			return at("line_no", "a line number is 1 to 99999")
		case numbers[l.No]:
			return at("line_no", "another line has this number")
		case !IsItemCode(l.Code):
			return at("code", "a code has 1 to 50 letters, digits and signs")
		case len(l.Name) > 300:
			return at("name", "a name has at most 300 bytes")
		case l.Quantity <= 0 || l.Quantity > MaxQuantity:
			return at("quantity", "a quantity is above 0 and at most "+MaxQuantity.String())
		case l.UnitPrice < 0 || l.UnitPrice > MaxFen:
			return at("unit_price_fen", "a price is 0 to "+strconv.Itoa(int(MaxFen)))
		case l.Amount < 0 || l.Amount > MaxFen:
			return at("amount_fen", "an amount is 0 to "+strconv.Itoa(int(MaxFen)))
		}
		numbers[l.No] = true
		for j, code := range l.TraceCodes {
			field := fmt.Sprintf("trace_codes[%d]", j)
			if !alphanumeric(code, 1, 100) {
				return at(field, "a trace code has 1 to 100 letters and digits")
			}
			if boxes[code] {
				return at(field, "the same box stands twice on the bill")
			}
			boxes[code] = true
		}
	}
	if len(boxes) > MaxTraceCodes {
		return &Refusal{Code: Malformed, Field: "lines", Observed: strconv.Itoa(len(boxes)), Allowed: "at most " + strconv.Itoa(MaxTraceCodes), Detail: "too many trace codes for one bill"}
	}
	return nil
}

// sums refuses a bill whose numbers do not agree: a line's amount with price and
// quantity, within half a fen a unit, as tills round the price; and the total
// with the lines, to the fen.
func (b *Bill) sums() *Refusal {
	var sum Fen
	for i, l := range b.Lines {
		sum += l.Amount
		product := l.Quantity.times(l.UnitPrice)
		tolerance := Fen(mulDiv(int64(l.Quantity), 1, 2*int64(oneUnit))) + 1
		if product > 2*MaxFen || l.Amount-product > tolerance || product-l.Amount > tolerance {
			return &Refusal{
				Code: SumMismatch, Field: fmt.Sprintf("lines[%d].amount_fen", i), Line: l.No,
				Observed: strconv.Itoa(int(l.Amount)), Allowed: strconv.Itoa(int(product)),
			}
		}
	}
	if sum != b.Total {
		return &Refusal{Code: SumMismatch, Field: "total_fen", Observed: strconv.Itoa(int(b.Total)), Allowed: strconv.Itoa(int(sum))}
	}
	return nil
}

// Amounts is how a line, or a bill, divides before anybody pays.
type Amounts struct {
	Total      Fen
	OutOfScope Fen // 全自费 fulamt_ownpay_amt
	OverLimit  Fen // 超限价自费 overlmt_selfpay
	PreSelfPay Fen // 先行自付 preselfpay_amt
	InScope    Fen // 符合政策范围 inscp_scp_amt
}

func (a Amounts) plus(b Amounts) Amounts {
	return Amounts{a.Total + b.Total, a.OutOfScope + b.OutOfScope, a.OverLimit + b.OverLimit, a.PreSelfPay + b.PreSelfPay, a.InScope + b.InScope}
}

func (a Amounts) minus(b Amounts) Amounts {
	return Amounts{a.Total - b.Total, a.OutOfScope - b.OutOfScope, a.OverLimit - b.OverLimit, a.PreSelfPay - b.PreSelfPay, a.InScope - b.InScope}
}

// PricedLine is a line with what the catalogue said of it, enough to price any
// part of it again.
type PricedLine struct {
	Line
	Class   Class
	SelfPay Ratio
	Ceiling Fen // 0 is none
	Amounts Amounts
	Reason  Code
}

// price looks a line up and divides it. A code that the catalogue does not have
// in force is refused: nobody can say whether insurance covers it.
func price(l Line, item Item, found bool, insutype Insutype, level Level) (PricedLine, *Refusal) {
	if !found {
		return PricedLine{}, &Refusal{Code: ItemNotCovered, Line: l.No, Observed: l.Code, Detail: "the catalogue has no such code in force"}
	}
	p := PricedLine{Line: l, Class: item.Class}
	p.Reason = CoveredInFull
	switch item.Class {
	case ClassC:
		p.Reason = ItemNotCovered
	case ClassB:
		p.SelfPay, p.Reason = item.SelfPay[insutype], CoveredInPart
	}
	if c := item.ceilingAt(level); c > 0 && l.UnitPrice > c && item.Class != ClassC {
		p.Ceiling, p.Reason = c, CeilingReached
	}
	p.Amounts = p.divide(l.Quantity)
	return p, nil
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
	if p.Class == ClassC {
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
