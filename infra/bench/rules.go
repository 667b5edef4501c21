package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"gongji/shared/app"
	"gongji/shared/catalogue"
	"gongji/shared/family"
	"gongji/shared/policy"
	"gongji/shared/vault"
)

// measureRules adjudicates a large bill, and replays a year under a draft policy.
func measureRules(ctx context.Context, p plan, t table) error {
	if err := measureLaw(p, t); err != nil {
		return err
	}
	return measureWhatIf(ctx, p, t)
}

// measureLaw settles a bill of 60 lines, with shares paid first, ceilings and limits,
// that the own account and two grantors pay, in the law alone.
func measureLaw(p plan, t table) error {
	rules, err := policy.Load()
	if err != nil {
		return err
	}
	changsha := rules.For("430100", family.DayOf(noon))
	insured := family.Insurance{Region: "430100", Insutype: family.Employee, PsnType: "11", Active: true}
	c := family.Case{
		Message: family.MessageID(string(hospital) + "202603121200000001"), Now: noon, Policy: changsha, Born: 19800101, Sex: family.Male,
		Place: family.Place{Code: hospital, Kind: family.Hospital, Level: "5", Region: "430103", Designated: true},
		Items: map[string]family.Item{},
		Bill:  family.Bill{MedType: family.Outpatient, UseAccount: true},
	}
	c.Patient, _ = family.Credit(family.Account{Person: "P0", Insurance: insured}, "C0", family.Pockets{Current: 50_00}, noon)
	for i := range 2 {
		person, binding := family.PersonNo(fmt.Sprintf("P%d", i+1)), family.BindingID(fmt.Sprintf("B%d", i+1))
		grantor := family.Grantor{Person: person, Binding: binding}
		c.Patient.Grantors = append(c.Patient.Grantors, grantor)
		account, _ := family.Credit(family.Account{
			Person: person, Insurance: insured,
			Given: []family.Grant{{Binding: binding, Beneficiary: "P0", Relation: "73", Terms: family.Terms{Purposes: []family.Purpose{family.ForCare}, MonthlyCap: 5000_00}}},
		}, "C"+string(person), family.Pockets{Current: 300_00}, noon)
		c.Payers = append(c.Payers, family.Payer{Grantor: grantor, Policy: changsha, Account: account})
	}
	for i := range family.MaxLines {
		code := fmt.Sprintf("X%d", i)
		c.Items[code] = family.Item{
			Code: code, Class: family.ClassB, From: 20210101, SelfPay: map[family.Insutype]family.Ratio{family.Employee: 1000},
			Ceiling: map[family.Level]family.Fen{"2": 900}, Limits: &family.Limits{MinAge: 1, MaxQuantity: 1_000_0000},
		}
		c.Bill.Lines = append(c.Bill.Lines, family.Line{No: i + 1, Code: code, Name: "货品", Quantity: 2_0000, UnitPrice: 1000, Amount: 2000})
		c.Bill.Total += 2000
	}
	var times []float64
	for range p.rounds {
		const n = 2000
		before := processor()
		for range n {
			s, _, refusal := family.Settle(c)
			if refusal != nil {
				return refusal
			}
			if s.Paid.SharedPaid == 0 || s.Shares[1].Paid.Total() == 0 {
				return errors.New("not all pay who should")
			}
		}
		times = append(times, float64((processor()-before).Nanoseconds())/n/1000)
	}
	t.row("processor time of the law for a bill of 60 lines, two grantors", span(times, "%.0f µs"), "< 100 µs", median(times) < 100)
	return nil
}

// measureWhatIf makes a year of settlements by the acts themselves and replays it under
// a draft.
func measureWhatIf(ctx context.Context, p plan, t table) (err error) {
	folder := filepath.Join(p.folder, "year")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	var clock atomic.Int64
	clock.Store(time.Date(2025, 12, 31, 4, 0, 0, 0, time.UTC).Unix())
	keys, err := vault.NewKeys(rand.Reader)
	if err != nil {
		return err
	}
	w, s, err := openWorldWith(ctx, folder, keys, func() time.Time { return time.Unix(clock.Load(), 0) })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	people := max(10, p.year/10) // each comes ten times
	if err := inParallel(people, 32, func(i int) error { _, err := w.person(ctx, i, 2000_00*family.Fen(i%2)); return err }); err != nil {
		return err
	}
	const days = 365
	for day := range days {
		clock.Add(24 * 60 * 60)
		first, next := p.year*day/days, p.year*(day+1)/days
		if err := inParallel(next-first, 64, func(i int) error { return w.visit(ctx, (first+i)%people) }); err != nil {
			return err
		}
	}
	text, err := os.ReadFile("shared/policy/regions/430100.json")
	if err != nil {
		return err
	}
	draft := strings.NewReplacer(`"version": "2026-01"`, `"version": "2027-01"`, `"from": "20260101"`, `"from": "20270101"`, `"2": "0.6000"`, `"2": "0.7000"`, `"2": 20000`, `"2": 15000`).Replace(string(text))
	if _, err := w.DraftPolicy(ctx, "clerk", draft); err != nil {
		return err
	}
	var pace, used []float64
	var report app.WhatIf
	for range p.rounds {
		before, began := processor(), time.Now()
		report, err = w.WhatIf(ctx, app.WhatIfAsk{Policy: "430100@2027-01", From: 20260101, To: 20261231, Most: p.year})
		if err != nil {
			return err
		}
		n := float64(report.Settlements)
		pace, used = append(pace, n/time.Since(began).Minutes()), append(used, float64((processor()-before).Microseconds())/n)
	}
	if report.Settlements != p.year || report.Change.Changed == 0 {
		return fmt.Errorf("a replay of %d settlements looked at %d and changed %d", p.year, report.Settlements, report.Change.Changed)
	}
	t.row(fmt.Sprintf("what-if: settlements a minute, of a year of %d with five lines (%d would change)", p.year, report.Change.Changed), span(pace, "%.0f"), "≥ 200,000", median(pace) >= 200_000)
	t.note("… processor time of one", span(used, "%.0f µs"))
	return nil
}

// visit settles five lines worth some hundred yuan for the n-th person, by ID number.
func (w *world) visit(ctx context.Context, n int) error {
	id, err := idNumber(n)
	if err != nil {
		return err
	}
	ask := w.settleAsk("", 5)
	for i := range ask.Bill.Lines {
		l := &ask.Bill.Lines[i]
		l.UnitPrice, l.Amount = l.UnitPrice*100, l.Amount*100
	}
	ask.Bill.Total *= 100
	ask.Credential = app.Credential{Type: app.ByID, Value: string(id), Name: nameOf(n)}
	_, err = w.Settle(ctx, hospital, ask)
	return err
}

// measureCatalogue imports a large price list and prices a bill of 60 lines by it.
func measureCatalogue(ctx context.Context, p plan, t table) (err error) {
	w, err := openMetered(ctx, p, "catalogue")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.store.Close()) }()
	list := priceList(p.items)
	for _, c := range []struct {
		what string
		dry  bool
		want app.Fed
	}{
		{"a dry run of a price list", true, app.FedCreated},
		{"the import", false, app.FedCreated},
		{"the same list again", false, app.FedUnchanged},
	} {
		began := time.Now()
		if err := w.imports(ctx, list, c.dry, c.want); err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
		took := time.Since(began)
		t.note(fmt.Sprintf("%s of %d items, CSV of %d MB, one batch after another", c.what, p.items, len(list)>>20), took.Round(time.Second/10).String())
	}

	// A bill of 60 lines, each of another item, by a process that knows none of them.
	fresh, err := newWorld(ctx, w.meter, w.keys, func() time.Time { return noon })
	if err != nil {
		return err
	}
	person, err := w.person(ctx, 0, 500_00)
	if err != nil {
		return err
	}
	b := family.Bill{MedType: family.Outpatient, UseAccount: true}
	for i := range family.MaxLines {
		b.Lines = append(b.Lines, family.Line{No: i + 1, Code: codeOf(i * p.items / family.MaxLines), Name: "货品", Quantity: 1_0000, UnitPrice: 100, Amount: 100})
		b.Total += 100
	}
	var times []float64
	for range max(2, p.rounds) {
		view, err := w.IssueQR(ctx, person.Person, "", once)
		if err != nil {
			return err
		}
		w.meter.Reset()
		before := processor()
		if _, err := fresh.Quote(ctx, hospital, app.SettleAsk{Credential: app.Credential{Type: app.ByQR, Value: view.Answer.Digits}, Bill: b}); err != nil {
			return err
		}
		times = append(times, float64((processor() - before).Microseconds()))
	}
	rounds := w.meter.Bill().Rounds
	t.row("rounds of reads that price 60 lines, each of another item", fmt.Sprint(rounds), "≤ 2", rounds <= 2)
	t.note("… processor time, the first by a process that knows none of them", fmt.Sprintf("%.0f µs, then %s", times[0], span(times[1:], "%.0f µs")))
	return nil
}

// codeOf makes up the n-th drug's code, of the shape of its list.
func codeOf(n int) string {
	return fmt.Sprintf("X%c%02d%c%cA%03dA%03d%04d%05d", 'A'+n%26, n/26%100, 'A'+n/2600%26, 'A'+n/67600%26, n%1000, n/1000%1000, 101, n%100000)
}

// priceList makes up a list of n drugs.
func priceList(n int) []byte {
	var b bytes.Buffer
	b.WriteString("code,name,list_type,class,effective_from,self_pay_ratio.310,self_pay_ratio.390,ceiling_fen.5\n")
	for i := range n {
		fmt.Fprintf(&b, "%s,%c%c%c片剂,101,B,20260101,0.1000,0.2000,%d\n", codeOf(i), '一'+rune(i%5000), '一'+rune(i/7%5000), '一'+rune(i/49%5000), 1000+i%9000)
	}
	return b.Bytes()
}

// imports takes a list over as the door does: so many lines at a time.
func (w *world) imports(ctx context.Context, list []byte, dry bool, want app.Fed) error {
	reader, err := catalogue.NewReader(bytes.NewReader(list))
	if err != nil {
		return err
	}
	for ended := false; !ended; {
		var items []family.Item
		for len(items) < 500 {
			entry, _, err := reader.Next()
			if err == io.EOF {
				ended = true
				break
			}
			if err != nil {
				return err
			}
			item, err := entry.Item()
			if err != nil {
				return err
			}
			items = append(items, item)
		}
		for _, fed := range w.FeedItems(ctx, items, dry) {
			if fed.Err != nil || fed.Fed != want {
				return fmt.Errorf("an item is %s: %w", fed.Fed, fed.Err)
			}
		}
	}
	return nil
}
