package auditor

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"gongji/shared/store"
)

// This file is the auditor's own reading of visits: their steps, which move no money,
// and the bills that are made of their charges.

// The acts on a visit; its bills are settled, quoted and given back as others are.
const (
	OpOpen      Op = "open a visit"
	OpUndo      Op = "undo an opening"
	OpDescribe  Op = "describe a visit"
	OpCharge    Op = "charge a visit"
	OpUncharge  Op = "uncharge a visit"
	OpCancel    Op = "cancel a visit"
	OpDischarge Op = "discharge a patient"
	OpReadmit   Op = "readmit a patient"
)

// steps are the acts whose first answer is kept by message and kind of step, under these
// names.
var steps = map[Op]string{
	OpOpen: "open", OpUndo: "undo open", OpDescribe: "describe", OpCharge: "charge", OpUncharge: "uncharge",
	OpCancel: "cancel", OpDischarge: "discharge", OpReadmit: "readmit",
}

func (o Op) step() bool { return steps[o] != "" }

// StepIdentity names a step: its message and what kind it is.
func StepIdentity(message string, op Op) string { return "step " + message + " " + steps[op] }

// Visit is what a request says of a visit.
type Visit struct {
	ID, Patient string
	Stay        bool // a stay is meant
	Number      string
	MedType     string // of an opening or a description
	Diagnoses   []string
	Charges     []Charge
	// Batch is the charges' batch of a bill or of what is undone, Serial one charge.
	Batch, Serial string
	// Told are the amounts that the till was told of a bill; nil is any.
	Told *Amounts
}

// Amounts is how a bill divides before anybody pays.
type Amounts = amounts

// every names all unsettled charges in place of a batch.
const every = "0000"

// Charge is one line of a visit.
type Charge struct {
	Serial, Batch string
	Line          Line // without a number
	OwnExpense    bool
	Rx            Prescription
	Incurred      time.Time
}

// The shapes of the records.

type visit struct {
	ID, Place, Patient, Number string
	Inpatient                  bool
	Opened                     time.Time
	MedType                    string
	Deducted                   int64
	Diagnoses                  []string
	Closed                     time.Time
	Cancelled                  bool
	Charges                    []charge
}

type charge struct {
	Serial, Batch string
	Line          chargeLine
	OwnExpense    bool
	Rx            Prescription
	Incurred      time.Time
	SettledBy     string
}

type chargeLine struct {
	No                          int
	Code                        string
	Quantity, UnitPrice, Amount int64
	TraceCodes                  []string
}

// stepRecord is the first answer to a step.
type stepRecord struct {
	Fingerprint string
	Answer      json.RawMessage
}

func visitKey(place, patient, id string) store.Key {
	return store.Key{Part: "VISIT#" + place + "#" + patient, Sort: "V#" + id}
}

func stepKey(message, step string) store.Key {
	return store.Key{Part: "STEP#" + message, Sort: "P#" + step}
}

// VisitKey is where a visit lies.
func VisitKey(place, patient, id string) store.Key { return visitKey(place, patient, id) }

// OwedOf returns what a batch of a visit comes to that is not settled.
func OwedOf(r store.Record, batch string) (total int64) {
	var is visit
	if json.Unmarshal(r.Body, &is) != nil {
		return 0
	}
	for _, c := range is.Charges {
		if c.SettledBy == "" && (batch == every || c.Batch == batch) {
			total += c.Line.Amount
		}
	}
	return total
}

func (is visit) copied() visit {
	is.Charges = slices.Clone(is.Charges)
	return is
}

func (is *visit) over() bool { return is.Cancelled || !is.Closed.IsZero() }

// ofBatch tells whether a charge is meant by a batch.
func (c *charge) ofBatch(batch string) bool { return batch == every || c.Batch == batch }

// stepped works out what a step must be answered, and what it writes.
func (v *view) stepped(r *Request, at time.Time) (e effects, answer any, code string) {
	e = effects{}
	switch r.Op {
	case OpOpen:
		answer, code = v.opened(e, r, at)
		if code == "qr_invalid" && r.Credential.counts() {
			v.guessed(e, r, at)
		}
	case OpUndo:
		answer, code = v.undone(e, r, at)
	case OpCharge:
		answer, code = v.charged(e, r, at)
	default:
		answer, code = v.visitChanged(e, r, at)
	}
	if code == "" || r.Op == OpUndo && code == "original_unknown" {
		e[stepKey(r.Message, steps[r.Op])] = func(a *Auditor, rec store.Record) string {
			return a.sameAnswer(shape[stepRecord](a, rec).Answer, answer)
		}
	}
	return e, answer, code
}

// sameAnswer holds a step's answer against what it should be.
func (a *Auditor) sameAnswer(text []byte, want any) string {
	rec := store.Record{Key: store.Key{Part: "STEP ANSWER"}, Version: 1, Body: text}
	switch want := want.(type) {
	case visit:
		return is("the visit that is answered", want)(a, rec)
	case []pricedLine:
		return is("the lines that are answered", want)(a, rec)
	default:
		return is("the answer", want.(bool))(a, rec)
	}
}

// opened works out an opening.
func (v *view) opened(e effects, r *Request, at time.Time) (any, string) {
	ask := r.Visit
	if _, known := read[visit](v, visitKey(r.Place, ask.Patient, r.Message)); known {
		v.a.Reached("an opening comes again whose answer is forgotten")
		return nil, "message_reused"
	}
	place, known := read[Place](v, placeKey(r.Place))
	if !known || !place.Designated {
		return nil, "institution_not_designated"
	}
	if r.Credential.coded() {
		if tried, _ := read[guessesRecord](v, guessesKey(r.Place)); tried != nil && at.Before(tried.Guesses.Paused) {
			return nil, "rate_limited"
		}
	}
	patient, qr, code := v.credited(r)
	if code == "" && patient != ask.Patient {
		code = "identity_mismatch"
	}
	if code == "" && v.named(r, patient, qr) != "" {
		code = "identity_mismatch"
	}
	if code != "" {
		return nil, code
	}
	record, known := read[accountRecord](v, accountKey(patient))
	switch {
	case !known || !record.Account.insured():
		return nil, "person_not_insured"
	case record.Account.Frozen:
		return nil, "person_frozen"
	}
	if qr != nil {
		t := qr.Token
		if code := t.redeemed(r.Place, "", r.Credential.Kind == "ec", at); code != "" {
			return nil, code
		}
		if t.Visit != "" {
			v.a.Reached("a code opened another visit")
			return nil, "qr_spent"
		}
		t.Visit = r.Message
		e.token(r.Credential.Key, t)
		v.a.Reached("a visit is opened by a code")
	}
	is1 := visit{ID: r.Message, Place: r.Place, Patient: patient, Number: ask.Number, Inpatient: ask.Stay, Opened: at, MedType: ask.MedType}
	e[visitKey(r.Place, patient, r.Message)] = is("the visit", is1)
	return is1, ""
}

// undone works out what becomes of an opening that its sender is not sure of.
func (v *view) undone(e effects, r *Request, at time.Time) (any, string) {
	key := visitKey(r.Place, r.Visit.Patient, r.Visit.ID)
	was, known := read[visit](v, key)
	if !known {
		opening := stepKey(r.Visit.ID, steps[OpOpen])
		if _, came := read[stepRecord](v, opening); !came {
			v.a.Reached("an opening is fenced that never came")
			e[opening] = func(a *Auditor, rec store.Record) string {
				if got := *shape[stepRecord](a, rec); got.Fingerprint != "fenced" {
					return differs("the fence", got, "fenced")
				}
				return ""
			}
		}
		return false, "original_unknown"
	}
	after, code := was.cancelled(at)
	if code != "" {
		return nil, code
	}
	e[key] = is("the visit", after)
	return true, ""
}

// cancelled is a visit undone.
func (is visit) cancelled(at time.Time) (visit, string) {
	if is.Cancelled {
		return is, ""
	}
	if is.over() || len(is.Charges) > 0 {
		return is, "state_forbids"
	}
	is.Cancelled, is.Closed = true, at
	return is, ""
}

// visitOf returns the visit that a request is about, or why there is none.
func (v *view) visitOf(r *Request, patient string) (visit, string) {
	was, known := read[visit](v, visitKey(r.Place, patient, r.Visit.ID))
	switch {
	case !known:
		return visit{}, "not_found"
	case was.Inpatient != r.Visit.Stay:
		return visit{}, "state_forbids"
	}
	return was.copied(), ""
}

// visitChanged works out a step that changes a visit and prices nothing.
func (v *view) visitChanged(e effects, r *Request, at time.Time) (any, string) {
	now, code := v.visitOf(r, r.Visit.Patient)
	if code != "" {
		return nil, code
	}
	switch r.Op {
	case OpDescribe:
		code = now.describe(r.Visit)
	case OpUncharge:
		code = now.uncharge(r.Visit)
	case OpCancel:
		now, code = now.cancelled(at)
	case OpDischarge:
		if now.over() || !now.Inpatient {
			code = "state_forbids"
		}
		now.Closed = at
	case OpReadmit:
		if now.Cancelled || !now.Inpatient || now.Closed.IsZero() {
			code = "state_forbids"
		}
		now.Closed = time.Time{}
	}
	if code != "" {
		return nil, code
	}
	e[visitKey(r.Place, r.Visit.Patient, r.Visit.ID)] = is("the visit", now)
	return now, ""
}

// describe tells what a visit is for. What was settled under a kind keeps it.
func (is *visit) describe(ask *Visit) string {
	known := slices.Contains([]string{"11", "12", "13", "41", "21", "2101", "22", "28"}, ask.MedType)
	switch {
	case is.over():
		return "state_forbids"
	case !known:
		return "malformed"
	case isStay(ask.MedType) != is.Inpatient:
		return "state_forbids"
	case is.MedType != "" && is.MedType != ask.MedType && slices.ContainsFunc(is.Charges, func(c charge) bool { return c.SettledBy != "" }):
		return "state_forbids"
	}
	is.MedType, is.Diagnoses = ask.MedType, ask.Diagnoses
	return ""
}

// uncharge takes charges out that nobody has settled: all, one, or a batch.
func (is *visit) uncharge(ask *Visit) string {
	if is.over() {
		return "state_forbids"
	}
	var left []charge
	for _, c := range is.Charges {
		chosen := c.Serial == ask.Serial
		if ask.Serial == "" {
			chosen = c.ofBatch(ask.Batch)
		}
		switch {
		case chosen && c.SettledBy != "" && ask.Batch != every:
			return "state_forbids"
		case !chosen || c.SettledBy != "":
			left = append(left, c)
		}
	}
	is.Charges = left
	return ""
}

// charged works out charges that come, and how each divides before anybody pays.
func (v *view) charged(e effects, r *Request, at time.Time) (any, string) {
	now, code := v.visitOf(r, r.Visit.Patient)
	if code == "" {
		code = v.add(&now, r.Visit.Charges)
	}
	if code != "" {
		return nil, code
	}
	asked := *r
	asked.Bill, asked.Need = Bill{MedType: "11"}, Need{Diagnoses: now.Diagnoses, Prescriptions: map[int]Prescription{}}
	if now.MedType != "" {
		asked.Bill.MedType = now.MedType
	}
	for i, c := range r.Visit.Charges {
		l := c.Line
		l.No = i + 1
		asked.Bill.Lines, asked.Bill.Total = append(asked.Bill.Lines, l), asked.Bill.Total+l.Amount
		asked.Need.Prescriptions[l.No] = c.Rx
		if c.OwnExpense {
			asked.own = append(asked.own, l.No)
		}
	}
	place, known := read[Place](v, placeKey(r.Place))
	if !known {
		return nil, "institution_not_designated"
	}
	record, known := read[accountRecord](v, accountKey(now.Patient))
	if !known {
		return nil, "person_not_insured"
	}
	me := &record.Account
	rules := v.rules(me.Insurance.Region, day(at))
	s := &settlement{Patient: now.Patient}
	if !asked.Bill.readable() {
		return nil, "malformed"
	}
	if code := place.serves(me); code != "" {
		return nil, code
	}
	if code := v.goods(s, &asked, me, place, rules, day(at)); code != "" {
		return nil, code
	}
	if isStay(asked.Bill.MedType) && (place.Kind != "hospital" || rules.benefit(me.Insurance, asked.Bill.MedType) == nil) {
		return nil, "state_forbids"
	}
	if !asked.Bill.agrees() {
		return nil, "sum_mismatch"
	}
	e[visitKey(r.Place, now.Patient, now.ID)] = is("the visit", now)
	return s.Lines, ""
}

// add adds charges to a visit, or says why none is added. What is there already stays.
func (v *view) add(now *visit, charges []Charge) string {
	if now.over() {
		return "state_forbids"
	}
	no := 0
	for _, c := range now.Charges {
		no = max(no, c.Line.No)
	}
	for _, c := range charges {
		if c.Serial == "" || len(c.Serial) > 30 || len(c.Batch) > 30 {
			return "malformed"
		}
		l := c.Line
		comes := charge{c.Serial, c.Batch, chargeLine{0, l.Code, l.Quantity, l.UnitPrice, l.Amount, l.Boxes}, c.OwnExpense, c.Rx, c.Incurred, ""}
		i := slices.IndexFunc(now.Charges, func(has charge) bool { return has.Serial == c.Serial })
		if i < 0 {
			no++
			comes.Line.No = no
			now.Charges = append(now.Charges, comes)
			continue
		}
		comes.Line.No, comes.SettledBy = now.Charges[i].Line.No, now.Charges[i].SettledBy
		if differ := is("a charge", comes)(v.a, v.a.asRecord(now.Charges[i])); differ != "" {
			v.a.Reached("a charge comes again as another")
			return "state_forbids"
		}
		v.a.Reached("a charge comes again")
	}
	if len(now.Charges) > 600 {
		return "malformed"
	}
	return ""
}

// asRecord makes a record of a value, to hold it against another.
func (a *Auditor) asRecord(value any) store.Record {
	text, _ := json.Marshal(value)
	return store.Record{Key: store.Key{Part: "A VALUE"}, Version: 1, Body: text}
}

// readable tells whether a bill that is made of charges can be read as one.
func (b *Bill) readable() bool {
	boxes := map[string]bool{}
	for _, l := range b.Lines {
		for _, box := range l.Boxes {
			if boxes[box] {
				return false
			}
			boxes[box] = true
		}
	}
	return b.Total >= 1 && b.Total <= 1_000_000_000 && len(b.Lines) >= 1 && len(b.Lines) <= 60 && len(boxes) <= 80
}

// billed returns a request for a bill of a visit with the lines that it is of, or why
// there is none.
func (v *view) billed(r *Request, patient string, qr *qrRecord) (*Request, *visit, string) {
	if r.Visit == nil {
		if qr != nil && qr.Token.Visit != "" {
			v.a.Reached("a visit's code buys nothing beside it")
			return r, nil, "qr_spent"
		}
		return r, nil, ""
	}
	if r.Visit.Patient != patient {
		return r, nil, "identity_mismatch"
	}
	if qr != nil && qr.Token.Visit != "" && qr.Token.Visit != r.Visit.ID {
		v.a.Reached("a code is another visit's")
		return r, nil, "qr_spent"
	}
	of, code := v.visitOf(r, patient)
	if code != "" {
		return r, nil, code
	}
	fee := r.Bill.MedType == "12" && !of.Inpatient // settled before anything is told
	if !fee && (of.MedType == "" || of.MedType != r.Bill.MedType) || of.Cancelled {
		return r, nil, "state_forbids"
	}
	out := *r
	out.Bill.Lines, out.own = nil, nil
	out.Need = Need{Diagnoses: of.Diagnoses, Prescriptions: map[int]Prescription{}}
	for _, c := range of.Charges {
		if c.SettledBy != "" || !c.ofBatch(r.Visit.Batch) {
			continue
		}
		l := c.Line
		out.Bill.Lines = append(out.Bill.Lines, Line{l.No, l.Code, l.Quantity, l.UnitPrice, l.Amount, l.TraceCodes})
		out.Need.Prescriptions[l.No] = c.Rx
		if c.OwnExpense {
			out.own = append(out.own, l.No)
		}
	}
	if out.Bill.Lines == nil {
		return r, nil, "state_forbids"
	}
	return &out, &of, ""
}

// takes asks for a visit's charges to stand in the sale that takes them.
func (v *view) takes(e effects, p *paying) {
	if p.visit == nil {
		return
	}
	s, now := p.sale, p.visit.copied()
	for i := range now.Charges {
		if slices.ContainsFunc(s.Lines, func(l pricedLine) bool { return l.No == now.Charges[i].Line.No }) {
			now.Charges[i].SettledBy = s.ID
		}
	}
	if isStay(s.MedType) {
		if now.Deducted > 0 {
			v.a.Reached("a stay's next bill finds what its deductible has left")
		}
		now.Deducted += s.Paid.Deductible
		v.a.Reached("a stay is settled")
	}
	switch {
	case !now.Closed.IsZero():
		v.a.Reached("a stay is settled after its discharge")
	case s.MedType == "12" && now.MedType != "12":
		v.a.Reached("a registration's fee is settled")
	}
	if p.qr != nil && p.qr.Token.Visit == now.ID {
		v.a.Reached("a visit is settled by the code that opened it")
	}
	if s.Paid.SharedPaid > 0 {
		v.a.Reached("relatives pay a visit")
	}
	if day(now.Opened)/10000 < day(s.At)/10000 {
		v.a.Reached("a visit is settled in another year")
	}
	e[visitKey(s.Place, s.Patient, now.ID)] = is("the visit", now)
}

// gives asks for what comes back of a visit's sale to come out of the visit.
func (v *view) gives(e effects, id string, back, after *settlement) {
	whole := slices.Max(after.Kept) == 0
	if id == "" || !whole && !isStay(after.MedType) {
		return
	}
	was, known := read[visit](v, visitKey(after.Place, after.Patient, id))
	if !known {
		return // forgotten
	}
	now := was.copied()
	if isStay(after.MedType) {
		now.Deducted += back.Paid.Deductible
		v.a.Reached("a stay's deductible comes back")
	}
	for i := range now.Charges {
		if whole && now.Charges[i].SettledBy == after.ID {
			now.Charges[i].SettledBy = ""
		}
	}
	if whole {
		v.a.Reached("a visit's charges come back")
	}
	e[visitKey(after.Place, after.Patient, id)] = is("the visit", now)
}

// ofVisit asks for a message to say of which visit it is.
func (e effects) ofVisit(message, id string) {
	all := e[messageKey(message)]
	e[messageKey(message)] = func(a *Auditor, r store.Record) string {
		if got := shape[messageRecord](a, r).Visit; got != id {
			return differs("the message's visit", got, id)
		}
		return all(a, r)
	}
}

// unwrittenStep holds the answer of a step that wrote nothing against what was read.
func (a *Auditor) unwrittenStep(v *view, ans Answer, said func(string)) {
	r := v.trip.Request
	if r.Op == OpUndo && r.Visit.ID[:12] != r.Place {
		said("original_unknown")
		return
	}
	if first, found := read[stepRecord](v, stepKey(r.Message, steps[r.Op])); found {
		switch {
		case first.Fingerprint == "fenced":
			said("message_fenced")
		case a.decided[r.Identity] != r.Content:
			said("message_reused")
		default:
			a.Reached("a step's repeat gets the first answer")
			a.durableStep(r, ans)
		}
		return
	}
	_, _, code := v.stepped(r, v.trip.At)
	said(code)
	if code == "" || code == "original_unknown" || code == "qr_invalid" && r.Credential.counts() && !a.countedBeside(v.trip) {
		a.fault("%s %s: it was answered %s, and nothing was written", r.Op, r.Identity, orDone(ans.Code))
	}
}

// durableStep holds the answer of a step against what is kept of it.
func (a *Auditor) durableStep(r *Request, ans Answer) {
	if r.Op == OpOpen && ans.Code == "qr_invalid" {
		return // a guess, which is counted; the step may come again
	}
	rec := a.disk.Peek(stepKey(r.Message, steps[r.Op]))
	if !rec.Exists() {
		a.fault("%s %s: it was answered %q, and there is no record of it", r.Op, r.Identity, orDone(ans.Code))
		return
	}
	kept := shape[stepRecord](a, rec).Answer
	wrong := ""
	switch {
	case r.Op == OpUndo:
		want := map[string]string{"": "true", "original_unknown": "false"}[ans.Code]
		if string(kept) != want {
			wrong = differs("what is kept", string(kept), ans.Code)
		}
	case ans.Code != "":
		wrong = "a refusal is kept"
	case r.Op == OpCharge:
		wrong = a.sameAnswer(ans.Step, *shape[[]pricedLine](a, store.Record{Key: store.Key{Part: "STEP KEPT"}, Version: 1, Body: kept}))
	default:
		wrong = a.sameAnswer(ans.Step, *shape[visit](a, store.Record{Key: store.Key{Part: "STEP KEPT"}, Version: 1, Body: kept}))
	}
	if wrong != "" {
		a.fault("%s %s (%s): %s", r.Op, r.Identity, orDone(ans.Code), wrong)
	}
}

// guesses tells whether a commit of a step only counts a bad code: the step itself is
// not done and may come again.
func (r *Request) guesses(writes []store.Write) bool {
	return r.Op.step() && !slices.ContainsFunc(writes, func(w store.Write) bool { return !w.Check && w.Key == stepKey(r.Message, steps[r.Op]) })
}

// forgotSteps forgets the answers of steps whose records the store dropped: they may
// come again.
func (a *Auditor) forgotSteps() {
	for _, identity := range slices.Sorted(maps.Keys(a.landed)) {
		kind, rest, _ := strings.Cut(identity, " ")
		message, name, _ := strings.Cut(rest, " ")
		if kind != "step" || a.disk.Peek(stepKey(message, name)).Exists() {
			continue
		}
		delete(a.answers, identity+"\n"+a.decided[identity])
		delete(a.landed, identity)
		delete(a.decided, identity)
	}
}

// visitMoves finds what no commit may do to a visit, whatever was asked.
func (a *Auditor) visitMoves(t *Trip, was, is *visit) {
	if was.ID != "" && (is.ID != was.ID || is.Place != was.Place || is.Patient != was.Patient || is.Inpatient != was.Inpatient || !is.Opened.Equal(was.Opened)) {
		a.fault("%s: the visit %s was overwritten", t.Request.Op, was.ID)
	}
	if is.Deducted < 0 || is.Cancelled && len(is.Charges) > 0 {
		a.fault("%s: the visit %s has taken %d, cancelled %v with %d charges", t.Request.Op, is.ID, is.Deducted, is.Cancelled, len(is.Charges))
	}
	before, numbers := map[string]charge{}, map[int]bool{}
	for _, c := range was.Charges {
		before[c.Serial] = c
	}
	for _, c := range is.Charges {
		if numbers[c.Line.No] {
			a.fault("the visit %s has two charges %d", is.ID, c.Line.No)
		}
		numbers[c.Line.No] = true
		old := before[c.Serial]
		delete(before, c.Serial)
		switch {
		case old.SettledBy == c.SettledBy:
		case old.SettledBy == "":
			if c.SettledBy != t.Request.Message || t.Request.Op != OpSettle {
				a.fault("%s: the charge %s of %s stands in %s", t.Request.Op, c.Serial, is.ID, c.SettledBy)
			}
			if a.books.settledOnce[is.ID+" "+c.Serial] {
				a.Reached("a charge is settled again that came back")
			}
			a.books.settledOnce[is.ID+" "+c.Serial] = true
		default: // it comes back, and whole
			if s := shape[messageRecord](a, a.disk.Peek(messageKey(old.SettledBy))).Settlement; c.SettledBy != "" || slices.Max(s.Kept) > 0 {
				a.fault("%s: the charge %s of %s stood in %s and stands in %q", t.Request.Op, c.Serial, is.ID, old.SettledBy, c.SettledBy)
			}
		}
	}
	for serial, c := range before {
		if c.SettledBy != "" {
			a.fault("%s: the settled charge %s of %s is gone", t.Request.Op, serial, is.ID)
		}
	}
}

// auditVisits holds visits, the sales of their charges and the codes that opened them
// against one another.
func (a *Auditor) auditVisits() {
	visits, bills := map[string]*visit{}, map[string][]*settlement{}
	sales, of := map[string]*settlement{}, map[string]string{}
	var spent []token
	a.disk.Each(func(r store.Record) bool {
		kind, _, _ := strings.Cut(r.Key.Part, "#")
		switch {
		case kind == "VISIT":
			is := shape[visit](a, r)
			visits[is.ID] = is
		case kind == "DAY" && r.Key.Sort[0] == 'S':
			if m := shape[messageRecord](a, r); m.Settlement != nil {
				sales[m.Settlement.ID], of[m.Settlement.ID] = m.Settlement, m.Visit
				bills[m.Visit] = append(bills[m.Visit], m.Settlement)
			}
		case kind == "QR":
			if t := shape[qrRecord](a, r).Token; t.Visit != "" && t.State == "spent" {
				spent = append(spent, t)
			}
		}
		return true
	})
	for _, t := range spent {
		if of[t.SpentBy] != t.Visit {
			a.fault("the code of the visit %s was spent by %s, which is of %q", t.Visit, t.SpentBy, of[t.SpentBy])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(visits)) {
		is := visits[id]
		var deducted int64
		standing := 0
		for _, s := range bills[id] {
			if s.Place != is.Place || s.Patient != is.Patient || isStay(s.MedType) != is.Inpatient {
				a.fault("%s is of the visit %s, and of another place, patient or kind", s.ID, id)
			}
			if is.Inpatient {
				deducted += s.Paid.Deductible
			}
			if s.Kind == "settlement" && slices.Max(s.Kept) > 0 {
				standing += len(s.Lines)
			}
		}
		if deducted != is.Deducted {
			a.fault("the stay %s says that %d of its deductible are taken, and its bills %d", id, is.Deducted, deducted)
		}
		taken := 0
		for _, c := range is.Charges {
			if c.SettledBy == "" {
				continue
			}
			taken++
			s := sales[c.SettledBy]
			if s == nil || of[s.ID] != id || slices.Max(s.Kept) == 0 || !slices.ContainsFunc(s.Lines, func(l pricedLine) bool {
				return l.No == c.Line.No && l.Code == c.Line.Code && l.Quantity == c.Line.Quantity && l.Amount == c.Line.Amount
			}) {
				a.fault("the charge %s of %s stands in %s, which does not say so", c.Serial, id, c.SettledBy)
			}
		}
		if taken != standing {
			a.fault("of the visit %s %d charges are settled, and its bills that stand have %d lines", id, taken, standing)
		}
	}
}
