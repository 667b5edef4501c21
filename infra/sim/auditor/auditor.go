// Package auditor watches a house from outside while it is put to the test: it
// reads the raw records, hears what was asked and what was answered, and says what
// is not right.
//
// It imports nothing of the law and nothing of the acts. It has its own shapes of
// the records, its own arithmetic and its own reading of the rules: at each commit
// it works out from the records as they lay there, and from what was asked, what
// had to be written, to the fen, and holds what was written against it. Because it
// decides on the records at the moment of the commit, an act that decided on
// anything older is found out.
package auditor

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gongji/shared/store"
)

// Disk is where the records lie.
type Disk interface {
	// Peek returns one record as it lies there.
	Peek(store.Key) store.Record
	// Each walks through all records in a fixed order.
	Each(func(store.Record) bool)
}

// Auditor watches one house. It is not safe for concurrent use.
type Auditor struct {
	disk  Disk
	rules func(region string, day int) *Rules
	// text reads the text of a policy that operators drafted.
	text func(text string) *Rules
	// open reads a sealed field.
	open func(person, key, field, sealed string) string
	// index is the keyed hash of a value of a kind, and shelf tells whether a paper has
	// come and by which rule it is none; empty where it is.
	index func(kind, value string) string
	shelf func(paper string) (why string, there bool)

	shapes  map[store.Key]decoded
	reached map[string]int
	faults  []string

	decided map[string]string          // the content of the request that an identity stands for
	landed  map[string]int             // commits of an identity that happened
	answers map[string]string          // the first answer of an identity
	commits map[[sha256.Size]byte]bool // that happened
	books   books

	rulebook rulebook
}

// New returns an auditor of what lies on a disk.
func New(disk Disk, rules func(region string, day int) *Rules, text func(string) *Rules, open func(person, key, field, sealed string) string,
	index func(kind, value string) string, shelf func(paper string) (why string, there bool),
) *Auditor {
	return &Auditor{
		disk: disk, rules: rules, text: text, open: open, index: index, shelf: shelf,
		shapes: map[store.Key]decoded{}, reached: map[string]int{},
		decided: map[string]string{}, landed: map[string]int{}, answers: map[string]string{},
		commits: map[[sha256.Size]byte]bool{}, books: newBooks(),
		rulebook: rulebook{map[string][]*Rules{}, map[string]int{}},
	}
}

// Faults returns what was found; nothing is right.
func (a *Auditor) Faults() []string { return a.faults }

// Reached counts that something worth reaching was reached.
func (a *Auditor) Reached(what string) { a.reached[what]++ }

// Counts returns how often each thing was reached.
func (a *Auditor) Counts() map[string]int { return a.reached }

// maxFaults bounds what is kept: the first says most.
const maxFaults = 5

func (a *Auditor) fault(format string, args ...any) {
	if len(a.faults) < maxFaults {
		a.faults = append(a.faults, fmt.Sprintf(format, args...))
	}
}

// Landed is told of every commit that happened, at the moment it does, with the
// records that it wrote as they were before.
func (a *Auditor) Landed(t *Trip, writes []store.Write, before map[store.Key]store.Record) {
	r := t.Request
	t.landed++
	a.commits[commitOf(writes)] = true
	waits := a.putOff(r)
	if waits {
		t.waits++
	}
	_, paper := a.takenIn(writes, before)
	if paper != "" && (r.Op == OpSubmit || r.Op == OpServeSubmit) {
		t.receipts++
	}
	switch {
	case r.Op.tends():
	case t.denied && paper == "":
		a.fault("%s %s: a commit landed after the answer that nothing was done", r.Op, r.Identity)
	case t.landed > 1 && t.Doubted && r.sets():
		a.Reached("a setting is set again after its answer was lost")
	case t.landed > 1 && t.Doubted && (r.Op == OpQuote || r.Op == OpDecode || r.guesses(writes)):
		a.Reached("a bad code counts once more")
	case t.landed-t.waits-t.receipts > 1:
		a.fault("%s %s: one request wrote twice", r.Op, r.Identity)
	}
	if r.guesses(writes) {
		a.Reached("a bad code opens no visit")
	} else if r.Identity != "" && waits {
		a.decided[r.Identity] = r.Content
	} else if r.Identity != "" {
		if a.landed[r.Identity]++; a.landed[r.Identity] > 1 && r.Once == (store.Key{}) {
			a.fault("%s %s: its effect is there twice", r.Op, r.Identity)
		}
		if _, known := a.decided[r.Identity]; !known || r.Op != OpLookup { // which writes down the end of another's wait
			a.decided[r.Identity] = r.Content
		}
	}
	if r.Malformed {
		a.fault("%s %s: a malformed request wrote", r.Op, r.Identity)
	}
	a.wrote(&view{a: a, trip: t, before: before}, writes)
	a.enter(t, writes, before)
}

// tends tells of acts that look after many bindings, each in a commit of its own.
func (o Op) tends() bool { return o == OpTend || o == OpSweep }

// putOff tells whether a settlement's commit only put it off, until a grantor says
// his word.
func (a *Auditor) putOff(r *Request) bool {
	if r.Op != OpSettle {
		return false
	}
	rec := a.disk.Peek(messageKey(r.Message))
	return rec.Exists() && shape[messageRecord](a, rec).State == "waiting"
}

// wrote holds what a commit wrote against what it had to write.
func (a *Auditor) wrote(v *view, writes []store.Write) {
	r := v.trip.Request
	want, code := v.decide(writes)
	a.Reached(fmt.Sprintf("%s: %s", r.Op, orDone(code)))
	for _, k := range v.blind {
		a.fault("%s %s: it decided without reading %s", r.Op, r.Identity, k.Part)
	}
	for _, w := range writes {
		if w.Check {
			continue
		}
		check, wanted := want[w.Key]
		if !wanted && unaudited(w.Key) {
			continue
		}
		if !wanted {
			a.fault("%s %s (%s): it wrote %s %s\n\t%s", r.Op, r.Identity, orDone(code), w.Key.Part, w.Key.Sort, w.Body)
			continue
		}
		delete(want, w.Key)
		if wrong := check(a, a.disk.Peek(w.Key)); wrong != "" {
			a.fault("%s %s (%s): %s", r.Op, r.Identity, orDone(code), wrong)
		}
	}
	for k := range want {
		a.fault("%s %s (%s): it did not write %s %s", r.Op, r.Identity, orDone(code), k.Part, k.Sort)
	}
}

// unaudited tells whether a record is none of the auditor's business: it moves no
// money and decides nothing about any. By what words a thing is found, when a binding
// is to be looked at again, what its sides are told, and its history, which proves
// itself.
func unaudited(k store.Key) bool {
	kind, _, _ := strings.Cut(k.Part, "#")
	return kind == "FIND" || kind == "DUE" || kind == "BIND" && strings.HasPrefix(k.Sort, "H#") || kind == "PERSON" && strings.HasPrefix(k.Sort, "N#")
}

func orDone(code string) string {
	if code == "" {
		return "done"
	}
	return code
}

// decide works out what a commit had to write, and the answer that goes with it.
func (v *view) decide(writes []store.Write) (effects, string) {
	r, at := v.trip.Request, v.trip.At
	switch r.Op {
	case OpSettle:
		waited := v.unheard()
		p, code := v.sale(r, at)
		if p != nil && p.ask != nil {
			return v.putOff(p, r), code
		}
		if code != "" {
			e := effects{messageKey(r.Message): isMessage("refused", code, nil, waited)}
			if code == "qr_invalid" && r.Credential.counts() {
				v.guessed(e, r, at)
			}
			return e, code
		}
		return v.sold(p, r), ""
	case OpReverse, OpRefund:
		v.unheard()
		e, _, code := v.givenBack(r, at)
		if code != "" {
			e[messageKey(r.Message)] = isMessage("refused", code, nil, nil)
		}
		return e, code
	case OpLookup:
		if waited := v.unheard(); waited != nil { // its end is written down
			code := waited.word(at)
			return effects{messageKey(r.Message): isMessage("refused", code, nil, waited)}, code
		}
		return effects{messageKey(r.Message): isMessage("fenced", "", nil, nil)}, ""
	case OpTend, OpSweep:
		return v.looked(writes), ""
	case OpReceive:
		return v.tookIn(writes), ""
	case OpRegistry:
		e, _, code := v.fedKin(r)
		return e, code
	case OpDecode:
		return v.decoded(r, at)
	case OpOpen, OpUndo, OpDescribe, OpCharge, OpUncharge, OpCancel, OpDischarge, OpReadmit:
		if _, found := read[stepRecord](v, stepKey(r.Message, steps[r.Op])); found {
			v.a.fault("%s %s: a step that had its answer got another", r.Op, r.Identity)
		}
		e, _, code := v.stepped(r, at)
		return e, code
	case OpConfirm:
		return v.confirmed(r, at)
	case OpQuote:
		e := effects{}
		_, code := v.sale(r, at)
		if code == "qr_invalid" && r.Credential.counts() {
			v.guessed(e, r, at)
		}
		return e, code
	case OpCheck, OpProve:
		return effects{}, ""
	case OpPerson, OpPlace, OpItem, OpCredit, OpTurn, OpFreeze, OpSuspend, OpOwe, OpPropose, OpBook, OpDrop, OpDraft, OpPublish:
		e, same, code := v.fed(r, at)
		if code == "" && !same {
			v.traced(e, writes, at)
		}
		return e, code
	case OpReturn:
		e, code := v.returned(r, at)
		if code == "" {
			v.traced(e, writes, at)
		}
		return e, code
	}
	if r.Op == OpSubmit || r.Op == OpServeSubmit {
		if e := v.tookIn(writes); e != nil {
			return e, ""
		}
	}
	e, code := v.personal(writes)
	if r.Once != (store.Key{}) && code != "malformed" {
		if _, found := read[onceRecord](v, r.Once); found {
			v.a.fault("%s %s: the first answer was overwritten", r.Op, r.Identity)
		}
		if e == nil || code != "" {
			e = effects{}
		}
		e[r.Once] = func(a *Auditor, rec store.Record) string {
			once := shape[onceRecord](a, rec)
			got := ""
			if once.Refusal != nil {
				got = once.Refusal.Code
			}
			if got != code {
				return differs("the first answer", got, code)
			}
			return ""
		}
	} else if code != "" {
		e = effects{}
	}
	return e, code
}

// unheard finds fault with a message that is decided again, unless it waits: then it
// returns what for.
func (v *view) unheard() *confirmation {
	m, found := read[messageRecord](v, messageKey(v.trip.Request.Message))
	switch {
	case !found:
		return nil
	case m.State != "waiting":
		v.a.fault("%s %s: a message that had its answer got another", v.trip.Request.Op, v.trip.Request.Message)
	}
	return m.Confirmation
}

// personal is decide for what people ask.
func (v *view) personal(writes []store.Write) (effects, string) {
	r, at := v.trip.Request, v.trip.At
	switch r.Op {
	case OpBind, OpServe:
		id := ""
		for _, w := range writes {
			if w.Base == 0 && !w.Check && len(w.Key.Part) > 5 && w.Key.Part[:5] == "BIND#" {
				id = w.Key.Part[5:]
			}
		}
		if r.Op == OpServe {
			named := *r
			if named.By = v.stood(r); named.By == "" {
				return nil, "identity_mismatch"
			}
			return v.asked(&named, r.By, at, id)
		}
		return v.asked(r, "", at, id)
	case OpIssue:
		made := -1
		for i, w := range writes {
			if w.Base == 0 && !w.Check && len(w.Key.Part) > 3 && w.Key.Part[:3] == "QR#" {
				made = i
			}
		}
		var qr *qrRecord
		if made >= 0 {
			qr = shape[qrRecord](v.a, store.Record{Key: writes[made].Key, Version: 1, Body: writes[made].Body})
		}
		t, e, code := v.issued(r, at, qr)
		if code == "" && made >= 0 {
			e.token(writes[made].Key, t)
			e[currentKey(r.By, t.Patient)] = is("the pointer", pointerRecord{To: writes[made].Key.Part[3:]})
		} else if code == "" {
			e[store.Key{Part: "QR#", Sort: "a new code"}] = anything
		}
		return e, code
	case OpOrder:
		return v.ordered(r, at)
	case OpLook, OpClaim, OpRelease, OpApprove, OpReject, OpClarify:
		return v.reviewed(r, at)
	case OpServeSubmit, OpServeAccept, OpServeEnd:
		return v.served(r, at)
	case OpAnnounce, OpServeAnnounce:
		named, decide := *r, v.onBinding
		if r.Op == OpServeAnnounce {
			decide = v.served
		}
		for _, w := range writes {
			if id, is := strings.CutPrefix(w.Key.Part, "PAPER#"); is {
				named.Paper.ID = id
			}
		}
		e, code := decide(&named, at)
		if len(e) > 0 {
			e[paperKey(named.Paper.ID)] = is("the paper's row", materialRecord{r.Binding})
		}
		return e, code
	case OpPremium:
		return v.premiumPaid(r, at)
	}
	return v.onBinding(r, at)
}

// Answer is what a caller was told.
type Answer struct {
	// Code is the code of the refusal; empty for yes.
	Code   string
	Replay bool
	// Settlement is the settlement of the answer as JSON of the law's type.
	Settlement []byte
	// ID is what the answer names: a binding or a code's token.
	ID string
	// State is what a lookup says became of a message.
	State string
	// Step is the answer of a step of a visit as JSON of the law's type.
	Step []byte
	// Digits tells that an issued code came with its digits.
	Digits bool
	// ECToken is what decoding a code gave.
	ECToken string
	// Faults are what a proof of the books found.
	Faults []string
	// Broken is an error that is no refusal: nothing that a client may see.
	Broken error
}

// Answered is told of every answer that a caller was given.
func (a *Auditor) Answered(t *Trip, ans Answer) {
	r := t.Request
	if ans.Broken != nil {
		a.fault("%s %s: a failure and no answer: %v", r.Op, r.Identity, ans.Broken)
		return
	}
	if ans.Code == "outcome_unknown" {
		a.Reached("an answer: unknown")
		return // nothing was promised
	}
	done := t.landed - t.receipts
	t.answered, t.denied = true, done == 0 && ans.Code != "confirmation_needed"
	if ans.Code == "busy" {
		a.Reached("an answer: busy")
		if done > 0 && !r.Op.tends() {
			a.fault("%s %s: busy is the answer, and it wrote", r.Op, r.Identity)
		}
		return
	}
	if r.Malformed {
		if ans.Code != "malformed" {
			a.fault("%s %s: a malformed request was answered %q", r.Op, r.Identity, orDone(ans.Code))
		}
		a.Reached("an answer: malformed")
		return
	}
	if r.Op.tends() {
		if ans.Code != "" {
			a.fault("%s: %s is the answer", r.Op, ans.Code)
		}
		return
	}
	if r.Op == OpProve {
		for _, f := range ans.Faults {
			a.fault("the proof of the books found: %s", f)
		}
		a.Reached("a proof of the books while they move")
		return
	}
	if done == 0 {
		a.unwritten(&view{a: a, trip: t}, ans)
	} else {
		a.written(t, ans)
	}
	if r.Identity != "" && ans.Code != "message_reused" && ans.Code != "message_fenced" && ans.Code != "confirmation_needed" && r.Op != OpLookup && !(r.Op.step() && ans.Code != "") && ans.Code != "malformed" {
		told := ans.Code + " " + ans.ID + " " + a.saleText(ans.Settlement) + string(ans.Step)
		key := r.Identity + "\n" + r.Content
		if first, known := a.answers[key]; known && first != told && t.landed == 0 {
			a.fault("%s %s: it was answered\n\t%s\nand before\n\t%s", r.Op, r.Identity, told, first)
		}
		a.answers[key] = told
	}
}

// saleText writes a settlement as it was when it was made.
func (a *Auditor) saleText(text []byte) string {
	if text == nil {
		return ""
	}
	s := shape[settlement](a, store.Record{Key: store.Key{Part: "ANSWER"}, Version: 1, Body: text})
	first := *s
	first.Kept, first.Refunds = nil, nil
	told, _ := json.Marshal(first)
	return string(told)
}

// recorded tells whether a decided refusal is kept as the answer of its message.
func recorded(op Op) bool { return op == OpSettle || op == OpReverse || op == OpRefund }

// written holds an answer against what its own commit wrote.
func (a *Auditor) written(t *Trip, ans Answer) {
	r := t.Request
	if ans.Replay && !t.Doubted && r.Op != OpPremium { // who has paid it under another key has paid it
		a.fault("%s %s: it was done now and is said to be a repeat", r.Op, r.Identity)
	}
	switch {
	case ans.Code == "confirmation_needed" && t.waits > 0:
		// It may have been decided since.
		if shape[messageRecord](a, a.disk.Peek(messageKey(r.Message))).Confirmation == nil {
			a.fault("%s %s: it is said to wait, and does not", r.Op, r.Identity)
		}
	case recorded(r.Op):
		a.durable(r, ans)
	case r.Op.step():
		a.durableStep(r, ans)
	case r.Op == OpLookup && ans.State == "refused":
		a.Reached("a lookup writes down how a wait ended")
		if m := shape[messageRecord](a, a.disk.Peek(messageKey(r.Message))); m.State != "refused" {
			a.fault("lookup %s: it is said to be refused, and the record says %s", r.Identity, m.State)
		}
	case r.Op == OpLookup:
		if ans.State != "fenced" {
			a.fault("lookup %s: %q is the answer, and the message was fenced", r.Identity, ans.State)
		}
	case r.Once != (store.Key{}):
		once := shape[onceRecord](a, a.disk.Peek(r.Once))
		if (once.Refusal == nil) != (ans.Code == "") || once.Refusal != nil && once.Refusal.Code != ans.Code {
			a.fault("%s %s: the answer is %q and the record says %+v", r.Op, r.Identity, ans.Code, once.Refusal)
		}
	case ans.Code == "paper_wrong" && r.Op == OpReceive:
		a.Reached("receive: paper_wrong")
	case ans.Code != "" && r.Op != OpQuote && r.Op != OpDecode:
		a.fault("%s %s: %s is the answer, and it wrote", r.Op, r.Identity, ans.Code)
	}
	if (r.Op == OpBind || r.Op == OpServe) && ans.Code == "" && !a.disk.Peek(bindingKey(ans.ID)).Exists() {
		a.fault("bind %s: the binding of the answer is not there", r.Identity)
	}
	if r.Op == OpIssue && ans.Code == "" && !ans.Digits && !ans.Replay {
		a.fault("issue %s: a code without digits", r.Identity)
	}
}

// durable holds the answer to a message against the message's record.
func (a *Auditor) durable(r *Request, ans Answer) {
	rec := a.disk.Peek(messageKey(r.Message))
	if !rec.Exists() {
		a.fault("%s %s: it was answered %q, and there is no record of it", r.Op, r.Identity, orDone(ans.Code))
		return
	}
	m := shape[messageRecord](a, rec)
	switch {
	case ans.Code == "" && m.Settlement == nil, ans.Code != "" && (m.Refusal == nil || m.Refusal.Code != ans.Code):
		a.fault("%s %s: the answer is %q and the record says %s %+v", r.Op, r.Identity, orDone(ans.Code), m.State, m.Refusal)
	case ans.Code == "":
		got := *shape[settlement](a, store.Record{Key: store.Key{Part: "ANSWER"}, Version: 1, Body: ans.Settlement})
		want := *m.Settlement
		got.Kept, got.Refunds, want.Kept, want.Refunds = nil, nil, nil, nil
		if wrong := sameSale(got, want); wrong != "" {
			a.fault("%s %s: the answer's %s", r.Op, r.Identity, wrong)
		}
	}
}

// unwritten holds an answer that came without a commit against what was read.
func (a *Auditor) unwritten(v *view, ans Answer) {
	r, at := v.trip.Request, v.trip.At
	said := func(want string) {
		if ans.Code != want {
			a.fault("%s %s: the answer is %s, and should be %s", r.Op, r.Identity, orDone(ans.Code), orDone(want))
		}
		a.Reached(fmt.Sprintf("%s: %s", r.Op, orDone(want)))
	}
	switch {
	case r.Op == OpQuote || r.Op == OpCheck:
		p, code := v.sale(r, at)
		if code == "qr_invalid" && r.Credential.counts() && !a.countedBeside(v.trip) {
			a.fault("quote: a bad code was not counted")
		}
		said(code)
		if code == "" && ans.Code == "" {
			got := *shape[settlement](a, store.Record{Key: store.Key{Part: "ANSWER"}, Version: 1, Body: ans.Settlement})
			if wrong := sameSale(got, *p.sale); wrong != "" {
				a.fault("%s: the answer's %s", r.Op, wrong)
			}
		}
	case r.Original != "" && r.Original[:12] != r.Place:
		said("original_unknown")
		a.Reached("another's settlement looks like a missing one")
	case recorded(r.Op), r.Op == OpLookup:
		m, found := read[messageRecord](v, messageKey(r.Message))
		switch {
		case !found && r.Op == OpSettle && (ans.Code == "rate_limited" || r.Visit != nil && ans.Code == "malformed"):
			_, code := v.sale(r, at)
			said(code)
		case !found:
			a.fault("%s %s: %s is the answer, and nothing is recorded", r.Op, r.Identity, orDone(ans.Code))
		case m.State == "waiting" && r.Op == OpLookup:
			if want := map[string]string{"": "confirmed", "confirmation_needed": "waiting"}[m.Confirmation.word(at)]; ans.State != want {
				a.fault("lookup %s: %s is the answer, and it is %s", r.Identity, ans.State, want)
			}
			a.Reached("lookup: " + ans.State)
		case m.State == "waiting" && r.Op == OpSettle && a.decided[r.Identity] == r.Content:
			_, code := v.sale(r, at)
			if code != "confirmation_needed" && code != "rate_limited" && code != "malformed" {
				a.fault("settle %s: nothing is recorded, and the answer should be %s", r.Identity, orDone(code))
			}
			said(code)
			a.Reached("a sale is asked for again that waits")
		case r.Op == OpLookup:
			if ans.State != m.State {
				a.fault("lookup %s: %s is the answer, and the record says %s", r.Identity, ans.State, m.State)
			}
			a.Reached("lookup: " + m.State)
		case m.State == "fenced":
			said("message_fenced")
		case a.decided[r.Identity] != r.Content:
			said("message_reused")
		default:
			if !ans.Replay && !v.trip.Doubted { // a twin's commit looks like one's own
				a.fault("%s %s: it was done before and is said to be new", r.Op, r.Identity)
			}
			a.Reached("a repeat gets the first answer")
			a.durable(r, ans)
		}
	case slices.Contains([]Op{OpPerson, OpPlace, OpItem, OpCredit, OpTurn, OpFreeze, OpSuspend, OpOwe, OpPropose, OpBook, OpDrop, OpDraft, OpPublish}, r.Op):
		_, same, code := v.fed(r, at)
		said(code)
		if code == "" && !same && !a.twin(v.trip) {
			a.fault("%s %s: it was answered as done, and nothing was written", r.Op, r.Identity)
		}
	case r.Op == OpReceive && ans.Code == "paper_wrong":
		if !v.trip.Doubted { // a twin's commit looks like one's own
			a.fault("receive %s: the paper is said to be refused, and nothing was written", r.Paper.ID)
		}
	case r.Op == OpReceive:
		said("")
	case r.Op == OpRegistry:
		_, same, code := v.fedKin(r)
		said(code)
		if !same {
			a.fault("registry: it was answered as done, and nothing was written")
		}
	case r.Op.step():
		a.unwrittenStep(v, ans, said)
	case r.Op == OpDecode || r.Op == OpConfirm:
		decide := v.decoded
		if r.Op == OpConfirm {
			decide = v.confirmed
		}
		todo, code := decide(r, at)
		said(code)
		if len(todo) > 0 && ans.Code == "" {
			a.fault("%s %s: it was answered as done, and nothing was written of %v", r.Op, r.Identity, todo.keys())
		}
	case r.Op == OpReturn:
		_, code := v.returned(r, at)
		said(code)
		if code == "" {
			a.fault("%s %s: it was answered as done, and nothing was written", r.Op, r.Premium.ID)
		}
	default:
		a.unwrittenPersonal(v, ans, said)
	}
	for _, k := range v.blind {
		a.fault("%s %s: it decided without reading %s", r.Op, r.Identity, k.Part)
	}
}

func (a *Auditor) unwrittenPersonal(v *view, ans Answer, said func(string)) {
	r := v.trip.Request
	if r.Once != (store.Key{}) {
		if once, found := read[onceRecord](v, r.Once); found {
			switch {
			case a.decided[r.Identity] != r.Content:
				said("message_reused")
			case once.Refusal != nil:
				said(once.Refusal.Code)
				a.Reached("a keyed repeat gets the first answer")
			default:
				said("")
				a.Reached("a keyed repeat gets the first answer")
			}
			return
		}
	}
	e, code := v.personal(nil)
	if r.Once != (store.Key{}) && code != "malformed" {
		a.fault("%s %s: %s is the answer, and its first answer is not recorded", r.Op, r.Identity, orDone(ans.Code))
	}
	if ans.Code == "" && a.twin(v.trip) {
		a.Reached("a twin's commit looks like one's own")
		return
	}
	said(code)
	if code == "" && len(e) > 0 {
		a.fault("%s %s: it was answered as done, and nothing was written of %v", r.Op, r.Identity, e.keys())
	}
}

// twin tells whether what a trip sent, and never heard of, was written by another's
// commit to the letter: the same request, sent twice at once.
func (a *Auditor) twin(t *Trip) bool {
	return slices.ContainsFunc(t.doubts, func(c [sha256.Size]byte) bool { return a.commits[c] })
}

// Forgot is told that the store dropped records that had expired: people's keys are
// then free for other requests.
func (a *Auditor) Forgot() {
	a.Reached("the store forgets what has expired")
	a.forgotSteps()
	for key := range a.answers {
		if strings.HasPrefix(key, "key ") {
			delete(a.answers, key)
		}
	}
}

// Panicked is told of what broke outside of any answer: a panic of the law, or an
// error that the store must never give.
func (a *Auditor) Panicked(t *Trip, what string) {
	a.fault("%s %s: %s", t.Request.Op, t.Request.Identity, what)
}
