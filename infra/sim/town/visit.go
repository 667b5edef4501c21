package town

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gongji/infra/sim/auditor"
	"gongji/shared/app"
	"gongji/shared/family"
)

// attended is a visit as the hospital's programs know it.
type attended struct {
	id, place, patient string
	stay               bool
	kind               string // that was told, or is to be
	shown              app.Credential
	seen               auditor.Credential
	known              bool // somebody was told that it is open
	serial             int
	charges            []auditor.Charge // sent and taken
	bills              []*sale
	script             []string // what is still to be done, step by step
}

// scripts are how visits go, as a row of steps; what fails or comes between is chance.
var (
	visitScripts = [][]string{
		{"describe", "charge", "quote"},
		{"describe", "charge", "charge", "settle", "charge", "settle"},
		{"describe", "charge", "charge", "batch", "quote"},
		{"charge", "fee", "describe", "charge", "settle"},
		{"describe", "charge", "again", "alter", "settle", "again"},
		{"describe", "charge", "uncharge", "charge", "settle", "back", "uncharge", "cancel", "charge"},
		{"describe", "charge", "settle", "cancel", "uncharge", "redescribe", "back", "settle"},
		{"describe", "charge", "settle", "part", "part", "back", "settle"},
		{"charge", "settle", "describe", "settle"},
		{"cancel", "charge", "cancel"},
		{"undo", "charge", "undo"},
	}
	stayScripts = [][]string{
		{"describe", "charge", "settle", "night", "charge", "settle", "discharge", "charge", "readmit", "charge", "settle"},
		{"charge", "night", "charge", "discharge", "settle", "part", "settle"},
		{"charge", "charge", "batch", "batch", "discharge", "settle", "back", "readmit", "uncharge", "cancel"},
		{"charge", "settle", "part", "charge", "settle", "back", "back", "settle"},
		{"charge", "discharge", "discharge", "quote", "readmit", "readmit", "fee"},
		{"undo", "charge"},
	}
)

// attend is a hospital's program at work: a new visit, or the next step of one.
func (t *town) attend() *request {
	if len(t.visits) == 0 || t.chance(0.6) {
		return t.comes()
	}
	v := t.visits[max(0, len(t.visits)-1-t.rng.IntN(6))]
	if len(v.script) == 0 {
		v.script = append(v.script, pick(t, [][]string{{"charge", "settle"}, {"back", "settle"}, {"uncharge"}, {"describe"}, {"quote"}, {"discharge"}, {"readmit"}, {"again"}, {"cancel"}})...)
	}
	return t.proceeds(v)
}

// proceeds is the next step of a visit, or none.
func (t *town) proceeds(v *attended) *request {
	for len(v.script) > 0 {
		word := v.script[0]
		v.script = v.script[1:]
		if r := t.stepOf(v, word); r != nil {
			return r
		}
	}
	return nil
}

// then goes on with a visit after an answer, once.
func (t *town) then(v *attended, r *request) *request {
	learn, over := r.learn, false
	r.learn = func(t *town, a auditor.Answer) {
		if learn != nil {
			learn(t, a)
		}
		if over {
			return
		}
		over = true
		if v.known && t.chance(0.95) {
			if next := t.proceeds(v); next != nil {
				t.next = append(t.next, next)
			}
		}
	}
	return r
}

// comes is a patient who comes to a hospital: his visit is opened by what he shows.
func (t *town) comes() *request {
	p := pick(t, t.places)
	if p.Kind != "hospital" && t.chance(0.8) {
		p = t.places[0]
	}
	v := &attended{stay: t.chance(0.4)}
	switch n := t.rng.IntN(10); {
	case n < 4 && len(t.decoded) > 0:
		d := t.decoded[max(0, len(t.decoded)-1-t.rng.IntN(3))]
		p = t.placeOf(d.place)
		v.shown, v.seen = t.byCode(d.digits, true)
		v.shown.Type, v.shown.Value = app.ByECToken, d.token
		v.seen.Kind, v.seen.For = "ec", d.place
		v.patient = t.patientOf(d.digits)
	case n < 6 && len(t.codes) > 0:
		c := t.codes[max(0, len(t.codes)-1-t.rng.IntN(3))]
		digits := c.digits
		if t.chance(0.05) {
			digits = family.QRDigits(fmt.Sprintf("%017d", t.rng.Int64N(1e16)))
		}
		v.shown, v.seen = t.byCode(digits, true)
		v.patient = t.patientOf(c.digits)
	default:
		h := pick(t, t.people)
		for range 3 { // rather one for whom others pay
			if len(auditor.GrantorsOf(t.disk.Peek(auditor.AccountKey(h.No)))) == 0 {
				h = pick(t, t.people)
			}
		}
		v.shown, v.seen = t.byID(h)
		v.patient = h.No
	}
	v.place = p.Code
	if t.chance(0.03) {
		v.patient = pick(t, t.people).No
	}
	v.script = slices.Clone(pick(t, visitScripts))
	v.kind = pick(t, []string{"11", "11", "13", "12"})
	if v.stay {
		v.script, v.kind = slices.Clone(pick(t, stayScripts)), pick(t, []string{"21", "2101"})
	}
	v.id = t.message(p)
	r := t.opens(v)
	if t.chance(0.05) { // the undoing overtakes it
		t.next = append(t.next, r)
		return t.stepOf(v, "undo")
	}
	return r
}

// patientOf is whom a code names.
func (t *town) patientOf(digits string) string {
	for _, c := range t.codes {
		if c.digits != digits {
			continue
		}
		for _, b := range t.bindings {
			if b.id == c.binding {
				return b.member
			}
		}
		return c.presenter
	}
	panic("town: nobody showed this code")
}

// opens opens a visit.
func (t *town) opens(v *attended) *request {
	ask := auditor.Visit{Number: "N" + v.id[20:], Stay: v.stay}
	if v.stay {
		ask.MedType = v.kind
	}
	r := t.stepAt(v, auditor.OpOpen, ask, func(ctx context.Context, a *app.App, in app.VisitAsk) (any, error) {
		in.Credential, in.Number, in.Inpatient, in.MedType = v.shown, ask.Number, ask.Stay, family.MedType(ask.MedType)
		return a.OpenVisit(ctx, family.InstitutionCode(v.place), in)
	})
	r.audit.Credential = v.seen
	r.learn = func(t *town, a auditor.Answer) {
		if a.Code == "" && !v.known {
			v.known = true
			t.visits = append(t.visits, v)
		}
	}
	return t.then(v, r)
}

// stepAt is one step of a visit under a message of its own; an opening's is the visit's.
func (t *town) stepAt(v *attended, op auditor.Op, ask auditor.Visit, do func(context.Context, *app.App, app.VisitAsk) (any, error)) *request {
	ask.Patient, ask.Stay = v.patient, v.stay
	message := v.id
	if op != auditor.OpOpen {
		ask.ID = v.id
		message = t.message(t.placeOf(v.place))
		switch { // now and then of a visit that is none
		case t.chance(0.01):
			ask.Patient = pick(t, t.people).No
		case t.chance(0.01):
			ask.Stay = !ask.Stay
		case t.chance(0.01) && op != auditor.OpUndo:
			ask.ID = message
		}
		if old := t.stepped[op]; t.chance(t.rates.altered) && old != nil && old.Place == v.place {
			message = old.Message // other content under an id that was used
		}
	}
	form := told(op, ask, v.shown)
	r := &request{audit: &auditor.Request{Op: op, Place: v.place, Message: message, Visit: &ask}}
	r.audit.Identity, r.audit.Content = auditor.StepIdentity(message, op), form
	if t.stepped == nil {
		t.stepped = map[auditor.Op]*auditor.Request{}
	}
	t.stepped[op] = r.audit
	in := app.VisitAsk{Message: family.MessageID(message), Patient: family.PersonNo(ask.Patient), Sent: app.Sent{Form: form}}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		out, err := do(ctx, a, in)
		answer := answerOf(err)
		if err == nil && out != nil {
			text, err := json.Marshal(out)
			if err != nil {
				return auditor.Answer{Broken: err}
			}
			answer.Step = text
		}
		return answer
	}
	return r
}

// refOf names the visit that a step is of.
func refOf(r *request) app.VisitRef {
	ask := r.audit.Visit
	return app.VisitRef{ID: family.MessageID(ask.ID), Patient: family.PersonNo(ask.Patient), Stay: ask.Stay}
}

// changesVisit is a step that changes a visit and prices nothing.
func (t *town) changesVisit(v *attended, op auditor.Op, ask auditor.Visit, change func(family.Visit, time.Time) (family.Visit, *family.Refusal)) *request {
	name := map[auditor.Op]string{
		auditor.OpDescribe: "describe", auditor.OpUncharge: "uncharge", auditor.OpCancel: "cancel",
		auditor.OpDischarge: "discharge", auditor.OpReadmit: "readmit",
	}[op]
	var r *request
	r = t.stepAt(v, op, ask, func(ctx context.Context, a *app.App, in app.VisitAsk) (any, error) {
		return a.ChangeVisit(ctx, family.InstitutionCode(v.place), refOf(r), in.Message, name, in.Sent, change)
	})
	return r
}

// stepOf is a step of a visit by its word in the script, or none.
func (t *town) stepOf(v *attended, word string) *request {
	switch word {
	case "describe", "redescribe":
		ask := auditor.Visit{MedType: v.kind}
		if word == "redescribe" || t.chance(0.03) {
			ask.MedType = pick(t, []string{"11", "13", "21", "2102"})
		}
		if t.chance(0.5) {
			ask.Diagnoses = []string{pick(t, []string{"J01.1", "E11.9", "I10.x"})}
		}
		r := t.changesVisit(v, auditor.OpDescribe, ask, func(is family.Visit, _ time.Time) (family.Visit, *family.Refusal) {
			return is.Describe(family.MedType(ask.MedType), ask.Diagnoses)
		})
		return t.then(v, r)
	case "charge", "again", "alter":
		return t.charges(v, word)
	case "uncharge":
		return t.uncharges(v)
	case "cancel":
		return t.then(v, t.changesVisit(v, auditor.OpCancel, auditor.Visit{}, func(is family.Visit, now time.Time) (family.Visit, *family.Refusal) { return is.Cancel(now) }))
	case "discharge":
		return t.then(v, t.changesVisit(v, auditor.OpDischarge, auditor.Visit{}, func(is family.Visit, now time.Time) (family.Visit, *family.Refusal) { return is.Discharge(now) }))
	case "readmit":
		return t.then(v, t.changesVisit(v, auditor.OpReadmit, auditor.Visit{}, func(is family.Visit, _ time.Time) (family.Visit, *family.Refusal) { return is.Readmit() }))
	case "undo":
		var r *request
		r = t.stepAt(v, auditor.OpUndo, auditor.Visit{}, func(ctx context.Context, a *app.App, in app.VisitAsk) (any, error) {
			return nil, a.UndoOpening(ctx, family.InstitutionCode(v.place), refOf(r), in.Message, in.Sent)
		})
		return t.then(v, r)
	case "settle", "quote", "batch", "fee":
		return t.bills(v, word)
	case "back":
		if len(v.bills) == 0 {
			return nil
		}
		return t.then(v, t.backOf(v, v.bills[max(0, len(v.bills)-1-t.rng.IntN(2))]))
	case "part":
		if len(v.bills) == 0 {
			return nil
		}
		return t.then(v, t.refundOf(v.bills[len(v.bills)-1]))
	case "night":
		t.dawns = t.dawns || t.chance(0.3)
		return nil
	}
	panic("town: no such step: " + word)
}

// charges sends charges: new ones, with some that were sent before, or those as others.
func (t *town) charges(v *attended, word string) *request {
	p := t.placeOf(v.place)
	bill := t.drawBill(p)
	need := t.drawNeed(bill)
	ask := auditor.Visit{}
	batch := pick(t, []string{"0", "0", "1", "2"})
	for _, l := range bill.Lines {
		v.serial++
		c := auditor.Charge{
			Serial: "S" + strconv.Itoa(v.serial), Batch: batch, Line: l, OwnExpense: t.chance(0.08), Rx: need.Prescriptions[l.No],
			Incurred: t.now.UTC().Truncate(time.Second).Add(-time.Minute),
		}
		c.Line.No = 0
		if t.chance(0.01) {
			c.Serial = pick(t, []string{"", strings.Repeat("9", 31)})
		}
		ask.Charges = append(ask.Charges, c)
	}
	if len(v.charges) > 0 && (word != "charge" || t.chance(0.15)) {
		old := pick(t, v.charges)
		if word == "alter" || t.chance(0.1) {
			old.Batch += "9"
		} else if word == "again" && t.chance(0.5) {
			ask.Charges = nil
		}
		ask.Charges = append(ask.Charges, old)
	}
	var in []family.Charge
	for _, c := range ask.Charges {
		l := billOf(auditor.Bill{Lines: []auditor.Line{c.Line}}).Lines[0]
		in = append(in, family.Charge{Serial: c.Serial, Batch: c.Batch, Line: l, OwnExpense: c.OwnExpense, Rx: family.Prescription{No: c.Rx.No, Days: c.Rx.Days}, Incurred: c.Incurred})
	}
	var r *request
	r = t.stepAt(v, auditor.OpCharge, ask, func(ctx context.Context, a *app.App, step app.VisitAsk) (any, error) {
		return a.ChargeVisit(ctx, family.InstitutionCode(v.place), refOf(r), step.Message, in, step.Sent)
	})
	taken := false
	r.learn = func(t *town, a auditor.Answer) {
		if a.Code == "" && !taken {
			taken = true
			v.charges = append(v.charges, ask.Charges...)
		}
		if !taken && a.Code != "state_forbids" && a.Code != "not_found" && t.chance(0.8) { // once more, and rightly
			v.script = slices.Concat([]string{word}, v.script)
		}
	}
	return t.then(v, r)
}

// uncharges takes charges out: all, a batch, or one.
func (t *town) uncharges(v *attended) *request {
	ask := auditor.Visit{Batch: "0000"}
	if len(v.charges) > 0 {
		switch c := pick(t, v.charges); t.rng.IntN(3) {
		case 0:
			ask.Batch = c.Batch
		case 1:
			ask.Batch, ask.Serial = "", c.Serial
		}
	}
	r := t.changesVisit(v, auditor.OpUncharge, ask, func(is family.Visit, _ time.Time) (family.Visit, *family.Refusal) {
		return is.Uncharge(func(c family.Charge) bool {
			switch {
			case ask.Batch == family.EveryBatch:
				return c.SettledBy == ""
			case ask.Serial != "":
				return c.Serial == ask.Serial
			}
			return c.Batch == ask.Batch
		})
	})
	return t.then(v, r)
}

// shows is what a patient shows when his visit is billed: what opened it, or his number
// without a name, for the visit says who he is.
func (t *town) shows(v *attended) (app.Credential, auditor.Credential) {
	if v.seen.Kind == "ec" && t.chance(0.8) || v.seen.Kind == "qr" && t.chance(0.5) {
		return v.shown, v.seen
	}
	var his []decoded // other codes of his that were decoded there
	for _, d := range t.decoded {
		if d.place == v.place && d.token != v.shown.Value && t.patientOf(d.digits) == v.patient {
			his = append(his, d)
		}
	}
	if len(his) > 0 && t.chance(0.3) {
		d := pick(t, his)
		shown, seen := t.byCode(d.digits, true)
		shown.Type, shown.Value = app.ByECToken, d.token
		seen.Kind, seen.For = "ec", d.place
		return shown, seen
	}
	shown, seen := t.byID(t.human(v.patient))
	if t.chance(0.7) {
		shown.Name, seen.Name = "", ""
	}
	return shown, seen
}

// bills settles what a visit owes, whole or a batch of it, or asks first what it would
// be ("quote").
func (t *town) bills(v *attended, word string) *request {
	ask := auditor.Visit{ID: v.id, Patient: v.patient, Stay: v.stay, Batch: "0000"}
	if word == "batch" && len(v.charges) > 0 {
		ask.Batch = v.charges[0].Batch
	}
	switch {
	case t.chance(0.01):
		ask.Patient = pick(t, t.people).No
	case t.chance(0.01):
		ask.Stay = !ask.Stay
	case t.chance(0.01):
		ask.ID = t.message(t.placeOf(v.place))
	case t.chance(0.02):
		ask.Batch = "7"
	}
	bill := auditor.Bill{MedType: v.kind, UseAccount: t.chance(0.95)}
	if word == "fee" || t.chance(0.01) {
		bill.MedType = "12"
	}
	if t.chance(0.02) {
		bill.MedType = "41"
	}
	bill.Total = auditor.OwedOf(t.disk.Peek(auditor.VisitKey(v.place, v.patient, v.id)), ask.Batch)
	if t.chance(0.02) {
		bill.Total++
	}
	if bill.Total == 0 && t.chance(0.5) {
		bill.Total = 1
	}
	shown, seen := t.shows(v)
	if word == "quote" {
		return t.quotesVisit(v, ask, bill, shown, seen)
	}
	return t.settlesVisit(v, ask, bill, shown, seen)
}

// askOf writes a bill of a visit as the house takes it.
func askOf(ask auditor.Visit, bill auditor.Bill, shown app.Credential) app.SettleAsk {
	at := app.VisitRef{ID: family.MessageID(ask.ID), Patient: family.PersonNo(ask.Patient), Stay: ask.Stay}
	in := app.SettleAsk{Credential: shown, Patient: at.Patient, Bill: billOf(bill), Visit: &app.VisitBill{VisitRef: at, Batch: ask.Batch}}
	if a := ask.Told; a != nil {
		in.Expected = &family.Amounts{
			Total: family.Fen(a.Total), OutOfScope: family.Fen(a.OutOfScope), OverLimit: family.Fen(a.OverLimit),
			PreSelfPay: family.Fen(a.PreSelfPay), InScope: family.Fen(a.InScope),
		}
	}
	return in
}

// quotesVisit asks what a visit's bill would be, and settles exactly that.
func (t *town) quotesVisit(v *attended, ask auditor.Visit, bill auditor.Bill, shown app.Credential, seen auditor.Credential) *request {
	r := &request{fleeting: true, audit: &auditor.Request{Op: auditor.OpQuote, Place: v.place, Credential: seen, Bill: bill, Visit: &ask}}
	in := askOf(ask, bill, shown)
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		return outcome(a.Quote(ctx, family.InstitutionCode(v.place), in))
	}
	r.learn = func(t *town, a auditor.Answer) {
		if a.Code != "" {
			return
		}
		var s struct {
			Paid struct {
				auditor.Amounts
				CashDue int64
			}
		}
		if err := json.Unmarshal(a.Settlement, &s); err != nil {
			panic(err) // the house wrote it
		}
		next := ask
		told := s.Paid.Amounts
		if t.chance(0.25) { // read wrongly
			told.InScope, told.PreSelfPay = told.InScope+1, told.PreSelfPay-1
		}
		next.Told = &told
		if t.chance(0.3) {
			bill.Expected = &s.Paid.CashDue
		}
		t.next = append(t.next, t.settlesVisit(v, next, bill, shown, seen))
		t.reached("a visit's bill is settled as it was quoted, or not")
	}
	return r
}

// settlesVisit settles a bill of a visit.
func (t *town) settlesVisit(v *attended, ask auditor.Visit, bill auditor.Bill, shown app.Credential, seen auditor.Credential) *request {
	p := t.placeOf(v.place)
	r := &request{audit: &auditor.Request{Op: auditor.OpSettle, Place: v.place, Message: t.message(p), Credential: seen, Bill: bill, Visit: &ask}}
	in := askOf(ask, bill, shown)
	in.Message = family.MessageID(r.audit.Message)
	in.Sent.Form = told(ask, bill, shown)
	r.audit.Identity, r.audit.Content = r.audit.Message, told("settle", in.Sent.Form)
	t.settles(r, in)
	s := &sale{r.audit.Message, v.place, bill}
	t.hoped = append(t.hoped, s)
	made := false
	r.learn = func(t *town, a auditor.Answer) {
		if a.Code == "confirmation_needed" && t.chance(0.8) {
			t.waits(r)
		}
		if a.Code != "" || made {
			return
		}
		made = true
		var of struct {
			Lines []struct {
				No       int
				Quantity int64
			}
		}
		if err := json.Unmarshal(a.Settlement, &of); err != nil {
			panic(err) // the house wrote it
		}
		for _, l := range of.Lines {
			s.bill.Lines = append(s.bill.Lines, auditor.Line{No: l.No, Quantity: l.Quantity})
		}
		v.bills, t.sales = append(v.bills, s), append(t.sales, s)
		t.helps(s, a.Settlement)
	}
	return t.then(v, r)
}

// backOf takes a visit's bill back, as a hospital does that names the patient.
func (t *town) backOf(v *attended, s *sale) *request {
	p := t.placeOf(v.place)
	ask := auditor.Visit{ID: v.id, Patient: v.patient, Stay: v.stay}
	if t.chance(0.03) {
		ask.Patient = pick(t, t.people).No
	}
	r := &request{audit: &auditor.Request{Op: auditor.OpReverse, Place: v.place, Message: t.message(p), Original: s.message, Visit: &ask}}
	form := told(s.message, ask)
	r.audit.Identity, r.audit.Content = r.audit.Message, told("reverse", form)
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		return outcome(a.ReverseSent(ctx, family.InstitutionCode(v.place), family.MessageID(s.message), family.MessageID(r.audit.Message), family.PersonNo(ask.Patient), app.Sent{Form: form}))
	}
	return r
}
