package family

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Bounds of a visit. A bill takes MaxLines of its charges at most.
const (
	MaxCharges = 600
	// VisitLife is how long a visit is kept after something was last done in it.
	// A stay is billed within a year or never (SPEC 2304: 跨年结算).
	VisitLife = 400 * 24 * 60 * time.Minute
)

// Visit is one visit of a patient to an institution (就诊), from registration or
// admission on: what was told of it, and the charges that bills are made of. It
// moves no money by itself.
type Visit struct {
	ID      MessageID // mdtrt_id: the message that opened it
	Place   InstitutionCode
	Patient PersonNo
	// Number is the institution's own number of the visit (ipt_otp_no), 1 to 30
	// characters.
	Number string
	// Inpatient tells a stay (2401) from an outpatient's visit (2201).
	Inpatient bool
	Opened    time.Time
	// MedType is what kind of visit it is; empty until it is told (2203). One visit
	// has one kind, but for its registration fee.
	MedType MedType
	// Deducted is what the bills of a stay, as they stand, have taken of its deductible.
	Deducted Fen
	// Diagnoses are what was found (2203, 2401), at most 10, as they are told with the
	// kind.
	Diagnoses []string
	// Closed is when it was cancelled or the patient discharged; zero is open.
	Closed    time.Time
	Cancelled bool
	Charges   []Charge
}

// Charge is one line of a visit, before and after it was settled.
type Charge struct {
	// Serial is the institution's number of the line (feedetl_sn), one in the visit.
	Serial string
	// Batch is its number of the bill (chrg_bchno), often the constant "0".
	Batch string
	Line  Line // its No is the charge's number in the visit
	// OwnExpense tells that the institution did not approve it for insurance
	// (hosp_appr_flag 2): the person's own, whatever the catalogue says.
	OwnExpense bool
	Rx         Prescription
	Incurred   time.Time
	// SettledBy is the settlement that it stands in; empty while it can be undone.
	SettledBy MessageID
}

func notNow(field, detail string) *Refusal {
	return &Refusal{Code: StateForbids, Field: field, Detail: detail}
}

// open refuses a visit in which nothing can happen any more.
func (v *Visit) open() *Refusal {
	switch {
	case v.Cancelled:
		return notNow("mdtrt_id", "the visit was cancelled")
	case !v.Closed.IsZero():
		return notNow("mdtrt_id", "the patient was discharged")
	}
	return nil
}

func (v Visit) clone() Visit {
	v.Charges = slices.Clone(v.Charges)
	return v
}

// Describe returns the visit as a visit of a kind (2203). A kind that charges were
// settled under stays.
func (v Visit) Describe(kind MedType, diagnoses []string) (Visit, *Refusal) {
	if refusal := v.open(); refusal != nil {
		return v, refusal
	}
	if refusal := v.KindFits(kind); refusal != nil {
		return v, refusal
	}
	settled := slices.ContainsFunc(v.Charges, func(c Charge) bool { return c.SettledBy != "" })
	if settled && v.MedType != "" && v.MedType != kind {
		return v, &Refusal{Code: StateForbids, Field: "med_type", Observed: string(kind), Allowed: string(v.MedType), Detail: "a visit has one kind"}
	}
	v.MedType, v.Diagnoses = kind, diagnoses
	return v, nil
}

// KindFits refuses a stay as an outpatient's visit, and the other way round.
func (v *Visit) KindFits(kind MedType) *Refusal {
	if !slices.Contains(MedTypes, kind) {
		return &Refusal{Code: Malformed, Field: "med_type", Observed: clip(string(kind)), Allowed: fmt.Sprint(MedTypes), Detail: "this kind of visit is not offered"}
	}
	if kind.IsStay() != v.Inpatient {
		return &Refusal{Code: StateForbids, Field: "med_type", Observed: string(kind), Detail: "a stay is admitted, any other visit registered"}
	}
	return nil
}

// Charge returns the visit with charges added (2204). A charge that is there
// already, in all its fields, stays as it is, so that what was sent twice stands
// once; another under its serial number is refused.
func (v Visit) Charge(charges []Charge) (Visit, *Refusal) {
	if refusal := v.open(); refusal != nil {
		return v, refusal
	}
	v = v.clone()
	next := 1
	for _, c := range v.Charges {
		next = max(next, c.Line.No+1)
	}
	for i, c := range charges {
		at := func(field string) string { return fmt.Sprintf("lines[%d].%s", i, field) }
		if c.Serial == "" || len(c.Serial) > 30 {
			return v, &Refusal{Code: Malformed, Field: at("line_no"), Detail: "a serial number has 1 to 30 characters"}
		}
		if len(c.Batch) > 30 {
			return v, &Refusal{Code: Malformed, Field: at("chrg_bchno"), Detail: "a batch has at most 30 characters"}
		}
		if known := slices.IndexFunc(v.Charges, func(has Charge) bool { return has.Serial == c.Serial }); known >= 0 {
			has := v.Charges[known]
			c.Line.No, c.SettledBy = has.Line.No, has.SettledBy
			if !has.same(c) {
				return v, &Refusal{Code: StateForbids, Field: at("line_no"), Observed: c.Serial, Detail: "another line of the visit has this number"}
			}
			continue
		}
		c.Line.No, c.SettledBy = next, ""
		next++
		v.Charges = append(v.Charges, c)
	}
	if len(v.Charges) > MaxCharges {
		return v, &Refusal{Code: Malformed, Field: "lines", Observed: strconv.Itoa(len(v.Charges)), Allowed: "at most " + strconv.Itoa(MaxCharges), Detail: "too many lines in one visit"}
	}
	return v, nil
}

func (c Charge) same(d Charge) bool {
	a, b := c.Line, d.Line
	return c.Serial == d.Serial && c.Batch == d.Batch && c.OwnExpense == d.OwnExpense && c.Rx == d.Rx && c.Incurred.Equal(d.Incurred) &&
		a.Code == b.Code && a.Name == b.Name && a.Quantity == b.Quantity && a.UnitPrice == b.UnitPrice && a.Amount == b.Amount &&
		slices.Equal(a.TraceCodes, b.TraceCodes)
}

// EveryBatch names all unsettled charges where a batch is asked for (SPEC 2205).
const EveryBatch = "0000"

// Uncharge returns the visit without the unsettled charges that chosen tells of
// (2205). Where a settled one is among them, nothing is undone.
func (v Visit) Uncharge(chosen func(Charge) bool) (Visit, *Refusal) {
	if refusal := v.open(); refusal != nil {
		return v, refusal
	}
	for _, c := range v.Charges {
		if c.SettledBy != "" && chosen(c) {
			return v, &Refusal{Code: StateForbids, Field: "feedetl_sn", Observed: c.Serial, Detail: "the line is settled"}
		}
	}
	v = v.clone()
	v.Charges = slices.DeleteFunc(v.Charges, func(c Charge) bool { return chosen(c) })
	return v, nil
}

// Cancel returns the visit undone (2202, 2402): nothing of it may be charged.
func (v Visit) Cancel(now time.Time) (Visit, *Refusal) {
	if v.Cancelled {
		return v, nil
	}
	if refusal := v.open(); refusal != nil {
		return v, refusal
	}
	if len(v.Charges) > 0 {
		return v, notNow("mdtrt_id", "the visit has charges: undo them first")
	}
	v.Cancelled, v.Closed = true, now
	return v, nil
}

// Discharge ends a stay (2402): nothing more is charged, what was is still billed.
func (v Visit) Discharge(now time.Time) (Visit, *Refusal) {
	if refusal := v.open(); refusal != nil {
		return v, refusal
	}
	if !v.Inpatient {
		return v, notNow("mdtrt_id", "only a stay ends with a discharge")
	}
	v.Closed = now
	return v, nil
}

// Readmit undoes a discharge (2405).
func (v Visit) Readmit() (Visit, *Refusal) {
	if v.Cancelled || !v.Inpatient || v.Closed.IsZero() {
		return v, notNow("mdtrt_id", "there is no discharge to undo")
	}
	v.Closed = time.Time{}
	return v, nil
}

// Bill returns the lines of a bill over a batch's unsettled charges, or over all
// unsettled ones, what is told of the need for them, and which of them are the
// person's own expense.
func (v *Visit) Bill(batch string) ([]Line, Need, []int, *Refusal) {
	need := Need{Diagnoses: v.Diagnoses, Prescriptions: map[int]Prescription{}}
	if v.Cancelled { // a stay is billed after the discharge too
		return nil, need, nil, v.open()
	}
	var lines []Line
	var own []int
	for _, c := range v.Charges {
		if c.SettledBy != "" || batch != EveryBatch && c.Batch != batch {
			continue
		}
		lines = append(lines, c.Line)
		if c.OwnExpense {
			own = append(own, c.Line.No)
		}
		if c.Rx != (Prescription{}) {
			need.Prescriptions[c.Line.No] = c.Rx
		}
	}
	if len(lines) == 0 {
		return nil, need, nil, notNow("chrg_bchno", "there is nothing to settle: send the charges first")
	}
	return lines, need, own, nil
}

// Settled returns the visit after a settlement took these of its lines.
func (v Visit) Settled(s Settlement) Visit {
	v = v.clone()
	v.Deducted += s.stayDeductible()
	for _, l := range s.Lines {
		for i := range v.Charges {
			if v.Charges[i].Line.No == l.No {
				v.Charges[i].SettledBy = s.ID
			}
		}
	}
	return v
}

// GivenBack returns the visit after a reversal or refund of a settlement, which then
// stands as it is told. Given back whole, its charges can be undone, or settled anew.
func (v Visit) GivenBack(back, settlement Settlement) Visit {
	v = v.clone()
	v.Deducted += back.stayDeductible()
	for i := range v.Charges {
		if v.Charges[i].SettledBy == settlement.ID && settlement.State() == StateReversed {
			v.Charges[i].SettledBy = ""
		}
	}
	return v
}

// stayDeductible returns what the settlement took of its stay's deductible.
func (s *Settlement) stayDeductible() Fen {
	if !s.MedType.IsStay() {
		return 0
	}
	return s.Paid.Deductible
}
