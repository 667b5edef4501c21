package his

import (
	"slices"
	"strings"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"
)

// visitRef reads which visit a step is of: a stay, if the step is one of stays.
func (c *call) visitRef(n node) app.VisitRef {
	stay := strings.HasPrefix(c.infno, "23") || strings.HasPrefix(c.infno, "24")
	return app.VisitRef{ID: messageIn(n, "mdtrt_id"), Patient: psnNo(n), Stay: stay}
}

// timeIn reads a time (yyyy-MM-dd HH:mm:ss, or a day); nothing is zero. A time more
// than a day ahead of ours is refused.
func (c *call) timeIn(n node, name string) time.Time {
	s := n.text(name, 19)
	if s == "" {
		return time.Time{}
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02", "20060102150405", "20060102"} {
		if t, err := time.ParseInLocation(layout, s, shanghai); err == nil {
			if t.After(c.now().Add(24 * time.Hour)) {
				n.wrong(name, "it lies in the future")
			}
			return t
		}
	}
	n.wrong(name, "not a time yyyy-MM-dd HH:mm:ss")
	return time.Time{}
}

// register opens an outpatient's visit (2201).
func register(c *call) (any, error) { return c.open(c.input.first("data"), false) }

// admit opens a stay (2401).
func admit(c *call) (any, error) { return c.open(c.input.first("mdtrtinfo", "data"), true) }

func (c *call) open(in node, inpatient bool) (any, error) {
	shown, _ := credential(in)
	ask := app.VisitAsk{
		Message: c.message, Credential: shown, Patient: psnNo(in), Number: in.need("ipt_otp_no", 30), Inpatient: inpatient, Sent: c.sent,
	}
	if inpatient {
		ask.MedType = family.MedType(in.need("med_type", 6))
	}
	c.timeIn(in, "begntime")
	if *in.fault != nil {
		return nil, *in.fault
	}
	v, err := c.app.OpenVisit(c, c.place, ask)
	if err != nil {
		return nil, err
	}
	type opened struct {
		MdtrtID  string `json:"mdtrt_id"`
		PsnNo    string `json:"psn_no"`
		IptOtpNo string `json:"ipt_otp_no"`
	}
	out := opened{string(v.ID), string(v.Patient), v.Number}
	if inpatient {
		return struct {
			Result opened `json:"result"`
		}{out}, nil
	}
	return struct {
		Data opened `json:"data"`
	}{out}, nil
}

// change carries out a step of a visit that has no output.
func (c *call) change(in node, op string, step func(family.Visit, time.Time) (family.Visit, *family.Refusal)) (any, error) {
	at := c.visitRef(in)
	if *in.fault != nil {
		return nil, *in.fault
	}
	_, err := c.app.ChangeVisit(c, c.place, at, c.message, op, c.sent, step)
	return empty{}, err
}

// cancelVisit undoes a registration (2202) or an admission (2404).
func cancelVisit(c *call) (any, error) {
	return c.change(c.input.first("data"), "cancel", func(v family.Visit, now time.Time) (family.Visit, *family.Refusal) { return v.Cancel(now) })
}

// discharge ends a stay (2402).
func discharge(c *call) (any, error) {
	return c.change(c.input.first("data", "dscginfo", "mdtrtinfo"), "discharge", func(v family.Visit, now time.Time) (family.Visit, *family.Refusal) { return v.Discharge(now) })
}

// readmit undoes a discharge (2405).
func readmit(c *call) (any, error) {
	return c.change(c.input.first("data"), "readmit", func(v family.Visit, _ time.Time) (family.Visit, *family.Refusal) { return v.Readmit() })
}

// describe tells what a visit is for (2203, 2203A).
func describe(c *call) (any, error) {
	in := c.input.first("mdtrtinfo", "data")
	kind := family.MedType(in.need("med_type", 6))
	c.timeIn(in, "begntime")
	found := diagnosis(nil, in, "dise_codg")
	for _, d := range c.input.list("diseinfo", 100) {
		found = diagnosis(found, d, "diag_code")
		c.timeIn(d, "diag_time")
	}
	return c.change(in, "describe", func(v family.Visit, _ time.Time) (family.Visit, *family.Refusal) { return v.Describe(kind, found) })
}

// maxDiagnoses bounds the diagnoses that are looked at: the ones that matter come
// first (diag_srt_no).
const maxDiagnoses = 10

// diagnosis adds a diagnosis to those that are known. What is no code of ICD-10 is
// passed over: many systems send their own, and no item is paid for those.
func diagnosis(known []string, n node, name string) []string {
	code := strings.ToUpper(n.text(name, 30))
	if !family.IsDiagnosis(code) || slices.Contains(known, code) || len(known) == maxDiagnoses {
		return known
	}
	return append(known, code)
}

// prescription reads what is told of a line's prescription. Numbers that are none are
// passed over, as above.
func prescription(n node) family.Prescription {
	rx := family.Prescription{No: n.text("rxno", 50)}
	if strings.Trim(rx.No, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-") != "" {
		rx.No = ""
	}
	if days := n.number("prd_days", 4); days > 0 && days <= 366*10_000 {
		rx.Days = int((days + 9_999) / 10_000)
	}
	return rx
}

// charge adds lines to a visit and tells how each divides (2204, 2301).
func charge(c *call) (any, error) {
	var at app.VisitRef
	var charges []family.Charge
	details := c.input.list("feedetail", maxDetails)
	if len(details) == 0 {
		c.input.wrong("feedetail", "there are no lines")
	}
	for i, d := range details {
		of := c.visitRef(d)
		if i > 0 && of != at {
			d.wrong("mdtrt_id", "the lines of one message are of one visit")
		}
		at = of
		l, serial := lineOf(d, i+1)
		charges = append(charges, family.Charge{
			Serial: serial, Batch: d.text("chrg_bchno", 30), Line: l, OwnExpense: d.text("hosp_appr_flag", 3) == "2", Rx: prescription(d), Incurred: c.timeIn(d, "fee_ocur_time").UTC(),
		})
	}
	c.lines = func(no int) string {
		if no < 1 || no > len(charges) {
			return ""
		}
		return charges[no-1].Serial
	}
	if fault := *c.input.fault; fault != nil {
		return nil, fault
	}
	priced, err := c.app.ChargeVisit(c, c.place, at, c.message, charges, c.sent)
	if err != nil {
		return nil, err
	}
	out := make([]lineinfo, len(priced))
	for i, l := range priced {
		out[i] = lineinfoOf(l, charges[i].Serial)
	}
	return struct {
		Result []lineinfo `json:"result"`
	}{out}, nil
}

// uncharge takes lines out of a visit again (2205, 2302): by batch, by line, or all
// that are not settled ("0000").
func uncharge(c *call) (any, error) {
	in := c.input.first("data")
	batch, serial := in.text("chrg_bchno", 30), in.text("feedetl_sn", 30)
	if batch == "" && serial == "" {
		in.wrong("chrg_bchno", "the field is missing")
	}
	return c.change(in, "uncharge", func(v family.Visit, _ time.Time) (family.Visit, *family.Refusal) {
		return v.Uncharge(func(charge family.Charge) bool {
			switch {
			case batch == family.EveryBatch || serial == family.EveryBatch:
				return charge.SettledBy == ""
			case serial != "":
				return charge.Serial == serial
			}
			return charge.Batch == batch
		})
	})
}

// visitBill reads the bill of a visit (2206, 2207, 2303, 2304).
func (c *call) visitBill() (app.SettleAsk, error) {
	in := c.input.first("data")
	shown, certType := credential(in)
	at := c.visitRef(in)
	bill := &app.VisitBill{VisitRef: at, Batch: in.text("chrg_bchno", 30)}
	ask := app.SettleAsk{Credential: shown, Patient: at.Patient, Visit: bill, Bill: family.Bill{
		MedType: family.MedType(in.need("med_type", 6)), Total: in.money("medfee_sumamt"), UseAccount: useAccount(in),
	}}
	// What 2204 said comes back with 2207: where it is whole and no longer holds, the
	// patient was told of another bill.
	echo := family.Amounts{
		Total: ask.Bill.Total, OutOfScope: in.money("fulamt_ownpay_amt"), OverLimit: in.money("overlmt_selfpay"),
		PreSelfPay: in.money("preselfpay_amt"), InScope: in.money("inscp_scp_amt"),
	}
	if echo.Total > 0 && echo.OutOfScope+echo.OverLimit+echo.PreSelfPay+echo.InScope == echo.Total {
		ask.Expected = &echo
	}
	c.lines = func(no int) string {
		v, err := c.app.FindVisit(c, c.place, at)
		if err != nil {
			return ""
		}
		return serialOf(v, no)
	}
	ask.Sent = c.sent
	if fault := *c.input.fault; fault != nil {
		return ask, fault
	}
	ask.Sent.Note = noted{Infno: c.infno, CertType: certType, Batch: bill.Batch}.String()
	return ask, nil
}

// serialOf names a line of a visit as its sender did.
func serialOf(v family.Visit, no int) string {
	for _, c := range v.Charges {
		if c.Line.No == no {
			return c.Serial
		}
	}
	return ""
}
