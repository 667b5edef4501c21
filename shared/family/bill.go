package family

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MaxLines bounds a bill: with [MaxTraceCodes] boxes it is read in two batches of a
// hundred records and fits one commit.
const MaxLines = 60

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

// Line is one line of a bill, as the till sent it.
type Line struct {
	No         int    // the till's number of the line, 1 to 99999
	Code, Name string // national code; the till's own name of the goods
	Quantity   Quantity
	UnitPrice  Fen
	Amount     Fen // authoritative; the price is rounded by the till
	TraceCodes []string
}

// Prescription is what the till tells of a line's prescription (rxno, prd_days).
type Prescription struct {
	No   string // 1 to 50 letters, digits and hyphens; empty is none
	Days int    // days of supply; 0 is not told
}

// Need is what the till tells of why the patient needs what is on the bill.
type Need struct {
	// Diagnoses are codes of ICD-10 (医保版), at most 10; they matter where an item
	// is paid for some of them only.
	Diagnoses []string
	// Prescriptions are by line number, of the lines that have one.
	Prescriptions map[int]Prescription
}

// maxDaysSupplied bounds the days that one line may supply.
const maxDaysSupplied = 366

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

// Check refuses diagnoses and prescriptions that cannot be read as such.
func (n *Need) Check(b *Bill) *Refusal {
	if len(n.Diagnoses) > 10 {
		return &Refusal{Code: Malformed, Field: "diagnoses", Observed: strconv.Itoa(len(n.Diagnoses)), Allowed: "at most 10", Detail: "too many diagnoses for one bill"}
	}
	for i, code := range n.Diagnoses {
		if !IsDiagnosis(code) {
			return &Refusal{Code: Malformed, Field: fmt.Sprintf("diagnoses[%d]", i), Detail: "a diagnosis is a letter, a digit and at most 18 letters, digits and points"}
		}
	}
	for i, l := range b.Lines {
		p := n.Prescriptions[l.No]
		if len(p.No) > 50 || p.No != "" && !alphanumeric(strings.ReplaceAll(p.No, "-", ""), 1, 50) {
			return &Refusal{Code: Malformed, Field: fmt.Sprintf("lines[%d].prescription_no", i), Line: l.No, Detail: "a prescription's number has 1 to 50 letters, digits and hyphens"}
		}
		if p.Days < 0 || p.Days > maxDaysSupplied {
			return &Refusal{Code: Malformed, Field: fmt.Sprintf("lines[%d].supply_days", i), Line: l.No, Allowed: "1 to " + strconv.Itoa(maxDaysSupplied), Detail: "so many days cannot be supplied"}
		}
	}
	for no := range n.Prescriptions {
		if !slices.ContainsFunc(b.Lines, func(l Line) bool { return l.No == no }) {
			return &Refusal{Code: Malformed, Field: "lines", Line: no, Detail: "a prescription of a line that is not there"}
		}
	}
	return nil
}

// IsDiagnosis tells whether code has the shape of a diagnosis of ICD-10 医保版 2.0,
// such as I63.900, or of a long illness, such as M03900 (domain 4).
func IsDiagnosis(code string) bool {
	if len(code) < 2 || len(code) > 20 || code[0] < 'A' || code[0] > 'Z' || code[1] < '0' || code[1] > '9' {
		return false
	}
	return alphanumeric(strings.ReplaceAll(code, ".", ""), 2, 20)
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
