package auditor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"gongji/shared/store"
)

// view is what an act had before it when it decided: the records as they stand on
// the disk at the moment of its commit, or what it read where nothing was committed
// and for reference data, which no commit checks.
type view struct {
	a    *Auditor
	trip *Trip
	// before are the records that the commit wrote, as they were; nil for an answer
	// without a commit.
	before map[store.Key]store.Record
	blind  []store.Key // needed for the decision, and never read
	aside  []store.Key // references of this decision
	// quiet tells that nothing moves: all is as it lies.
	quiet bool
}

// reference tells whether an act reads a record without checking it.
func (v *view) reference(k store.Key) bool {
	if slices.Contains(v.aside, k) {
		return true
	}
	switch v.trip.Request.Op {
	case OpRegistry:
		return strings.HasPrefix(k.Part, "ID#")
	case OpDecode:
		kind, _, _ := strings.Cut(k.Part, "#")
		return kind != "QR"
	case OpSettle, OpQuote, OpCheck, OpReverse, OpRefund:
		kind, _, _ := strings.Cut(k.Part, "#")
		return slices.Contains([]string{"INST", "ITEM", "ID", "CARD", "PERSON", "GUESS"}, kind)
	case OpOpen, OpCharge:
		kind, _, _ := strings.Cut(k.Part, "#")
		return !slices.Contains([]string{"VISIT", "STEP", "QR"}, kind)
	case OpPremium:
		return strings.HasPrefix(k.Part, "OWED#")
	case OpOwe:
		return strings.HasPrefix(k.Part, "ACCT#")
	case OpPropose:
		return k.Part != "ADJUSTMENTS"
	}
	return false
}

func (v *view) record(k store.Key) store.Record {
	if v.quiet {
		return v.a.disk.Peek(k)
	}
	read, looked := v.trip.Reads[k]
	if v.before != nil && !v.reference(k) {
		if r, written := v.before[k]; written {
			return r
		}
		return v.a.disk.Peek(k)
	}
	if !looked {
		v.blind = append(v.blind, k)
	}
	return read
}

// decoded is a record's body, read once.
type decoded struct {
	body  []byte
	value any
}

// read returns a record and whether it is there. What it returns must not be
// written.
func read[T any](v *view, k store.Key) (*T, bool) {
	r := v.record(k)
	if !r.Exists() {
		return nil, false
	}
	return shape[T](v.a, r), true
}

// shape decodes a record, or remembers that it has.
func shape[T any](a *Auditor, r store.Record) *T {
	if known, found := a.shapes[r.Key]; found && bytes.Equal(known.body, r.Body) {
		if value, is := known.value.(*T); is {
			return value
		}
	}
	value := new(T)
	if err := json.Unmarshal(r.Body, value); err != nil {
		a.fault("the record %v does not decode: %v", r.Key, err)
	}
	a.shapes[r.Key] = decoded{r.Body, value}
	return value
}

// effects are the records that a commit must write, and what each must hold; it
// must write no others.
type effects map[store.Key]func(*Auditor, store.Record) string

// keys lists what has to be written.
func (e effects) keys() (list []string) {
	for k := range e {
		list = append(list, k.Part+" "+k.Sort)
	}
	slices.Sort(list)
	return list
}

// differs says how a record is not what it should be.
func differs(what string, got, want any) string {
	g, _ := json.Marshal(got)
	w, _ := json.Marshal(want)
	return fmt.Sprintf("%s is\n\t%s\nand should be\n\t%s", what, g, w)
}

// is asks for a record to hold exactly a value, as far as the shape goes.
func is[T any](what string, want T) func(*Auditor, store.Record) string {
	return func(a *Auditor, r store.Record) string {
		got := *shape[T](a, r)
		if !reflect.DeepEqual(plain(got), plain(want)) {
			return differs(what, got, want)
		}
		return ""
	}
}

// plain makes nil and empty lists one, and times comparable.
func plain(v any) any {
	out := reflect.New(reflect.TypeOf(v)).Elem()
	out.Set(reflect.ValueOf(v))
	flatten(out)
	return out.Interface()
}

var timeType = reflect.TypeFor[time.Time]()

func flatten(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		if v.Len() == 0 {
			v.SetZero()
			return
		}
		copied := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(copied, v)
		for i := range copied.Len() {
			flatten(copied.Index(i))
		}
		v.Set(copied)
	case reflect.Map:
		if v.Len() == 0 {
			v.SetZero()
		}
	case reflect.Pointer:
		if !v.IsNil() {
			copied := reflect.New(v.Type().Elem())
			copied.Elem().Set(v.Elem())
			flatten(copied.Elem())
			v.Set(copied)
		}
	case reflect.Struct:
		if v.Type() == timeType {
			v.Set(reflect.ValueOf(v.Interface().(time.Time).UTC().Round(0)))
			return
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				flatten(v.Field(i))
			}
		}
	}
}

// anything asks for no more than that the record is written.
func anything(*Auditor, store.Record) string { return "" }

// isMessage asks for a message's record: its state, its refusal or settlement, and
// what it waits or waited for.
func isMessage(state, code string, s *settlement, waits *confirmation) func(*Auditor, store.Record) string {
	return func(a *Auditor, r store.Record) string {
		m := *shape[messageRecord](a, r)
		got := ""
		if m.Refusal != nil {
			got = m.Refusal.Code
		}
		if m.State != state || got != code || (m.Settlement == nil) != (s == nil) {
			return differs("the message", m, messageRecord{State: state, Refusal: &refusal{code}, Settlement: s})
		}
		if !reflect.DeepEqual(plain(m.Confirmation), plain(waits)) {
			return differs("what the message waits for", m.Confirmation, waits)
		}
		if s == nil {
			return ""
		}
		return sameSale(*m.Settlement, *s)
	}
}

func sameSale(got, want settlement) string {
	if !reflect.DeepEqual(plain(got), plain(want)) {
		return differs("the settlement", got, want)
	}
	return ""
}

// messageOf asks for the answer of a message.
func (e effects) messageOf(r *Request, s *settlement, waited *confirmation) {
	e[messageKey(r.Message)] = isMessage("settled", "", s, waited)
	if settled := day(s.At); strconv.Itoa(settled) != r.Message[12:20] {
		e[lateKey(r.Message, settled)] = is("the row of a late message", pointerRecord{r.Message})
	}
}

func (e effects) token(k store.Key, want token) {
	e[k] = func(a *Auditor, r store.Record) string { return is("the code", want)(a, tokenOf(a, r)) }
}

// tokenOf takes the token out of a code's record.
func tokenOf(a *Auditor, r store.Record) store.Record {
	text, _ := json.Marshal(shape[qrRecord](a, r).Token)
	return store.Record{Key: store.Key{Part: "TOKEN OF " + r.Key.Part, Sort: r.Key.Sort}, Version: r.Version, Body: text}
}

func (e effects) box(code, soldBy string) {
	e[boxKey(code)] = is("the box", boxRecord{soldBy})
}

// account asks for an account to be written as it should be, its name aside.
func (e effects) account(want account) {
	e[accountKey(want.Person)] = func(a *Auditor, r store.Record) string {
		got := shape[accountRecord](a, r).Account
		if !reflect.DeepEqual(plain(got), plain(want)) {
			return differs("the account", got, want)
		}
		return ""
	}
}

// book moves an account by an entry and asks for both.
func (e effects) book(a *account, d *entry) {
	a.Balance = a.Balance.plus(d.Delta)
	a.Seq++
	d.Seq, d.After, d.Prev = a.Seq, a.Balance, a.Head
	a.Head = d.hash()
	e.account(*a)
	e[entryKey(a.Person, d.Seq)] = is("the entry", *d)
}

// binding asks for a binding to be written as it should be.
func (e effects) binding(want binding) {
	e[bindingKey(want.ID)] = func(a *Auditor, r store.Record) string {
		got := shape[bindingRecord](a, r).Binding
		if !reflect.DeepEqual(plain(got), plain(want)) {
			return differs("the binding", got, want)
		}
		return ""
	}
}

// person asks for a person's live bindings, and those that he had.
func (e effects) person(person string, want []bound, had []former) {
	e[personKey(person)] = func(a *Auditor, r store.Record) string {
		got := shape[personRecord](a, r)
		if !reflect.DeepEqual(plain(got.Bound), plain(want)) || !reflect.DeepEqual(plain(got.Former), plain(had)) {
			return differs("the person's bindings", []any{got.Bound, got.Former}, []any{want, had})
		}
		return ""
	}
}
