package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"
	"gongji/shared/policy"
	"gongji/shared/store"
	"gongji/shared/store/sqlite"
	"gongji/shared/vault"
)

// noon is the time in most worlds: it stands still, so that codes stay good for as
// long as a measurement takes.
var noon = time.Date(2026, 3, 12, 4, 0, 0, 0, time.UTC)

// The institution and the goods of every world: a 二级 hospital, and two goods of
// which insurance covers one whole and one in part.
const (
	hospital family.InstitutionCode = "H43010399002"
	drug     string                 = "XJ01CAA040E001010100001"
	device   string                 = "C1402010000000000001"
)

// world is a house over a store with families in it.
type world struct {
	*app.App
	now      func() time.Time
	families []household
	apart    int // how many numbers of people lie between two families; 0 is none
	messages atomic.Int64
}

// household is a patient and those who pay for him.
type household struct {
	patient family.PersonNo
	payers  []family.PersonNo
}

// newWorld furnishes a house: places, goods, and nobody yet.
func newWorld(ctx context.Context, s store.Store, keys vault.Keys, now func() time.Time) (*world, error) {
	policies, err := policy.Load()
	if err != nil {
		return nil, err
	}
	w := &world{now: now, App: app.New(app.Options{Store: s, Policies: policies, Vault: vault.New(keys, rand.Reader), Now: now})}
	if _, err := w.FeedPlace(ctx, family.Place{Code: hospital, Name: "长沙示例医院（二级甲等）", Kind: family.Hospital, Level: "5", Region: "430103", Designated: true}); err != nil {
		return nil, err
	}
	for _, item := range []family.Item{
		{Code: drug, Name: "阿莫西林胶囊", ListType: "101", Class: family.ClassA, From: 20210101},
		{
			Code: device, Name: "一次性雾化器", ListType: "301", Class: family.ClassB, From: 20210101,
			SelfPay: map[family.Insutype]family.Ratio{family.Employee: 2000, family.Resident: 2000}, Ceiling: map[family.Level]family.Fen{"2": 8000},
		},
	} {
		if _, err := w.FeedItem(ctx, item); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// openWorld is newWorld over a new SQLite file in a folder, at noon.
func openWorld(ctx context.Context, folder string) (*world, *sqlite.Store, error) {
	keys, err := vault.NewKeys(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	return openWorldWith(ctx, folder, keys, func() time.Time { return noon })
}

func openWorldWith(ctx context.Context, folder string, keys vault.Keys, now func() time.Time) (*world, *sqlite.Store, error) {
	s, err := sqlite.Open(ctx, filepath.Join(folder, "gongji.db"), sqlite.WithClock(now))
	if err != nil {
		return nil, nil, err
	}
	w, err := newWorld(ctx, s, keys, now)
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return w, s, nil
}

// person feeds the n-th person, with money or without.
func (w *world) person(ctx context.Context, n int, money family.Fen) (app.PersonFeed, error) {
	id, err := idNumber(n)
	if err != nil {
		return app.PersonFeed{}, err
	}
	p := app.PersonFeed{
		Person: family.PersonNo(fmt.Sprintf("4301000000%08d", n)), Name: nameOf(n), ID: id,
		Insurance: family.Insurance{Region: "430100", Insutype: family.Employee, PsnType: "11", Active: true},
	}
	if _, err := w.FeedPerson(ctx, p); err != nil {
		return p, err
	}
	if money > 0 {
		_, err = w.FeedCredit(ctx, fmt.Sprintf("C%08d", n), p.Person, family.Pockets{Current: money})
	}
	return p, err
}

// nameOf makes up the name of the n-th person.
func nameOf(n int) string { return "测试" + string(rune('一'+n%5000)) }

// idNumber makes up the n-th ID number; no division begins with 99.
func idNumber(n int) (family.IDNumber, error) {
	born := time.Date(1970, 1, 1+n/1000%7000, 0, 0, 0, 0, time.UTC).Format("20060102")
	for _, check := range "0123456789X" {
		id, err := family.ParseIDNumber(fmt.Sprintf("99%04d%s%03d%c", n/7_000_000, born, n%1000, check))
		if err == nil {
			return id, nil
		}
	}
	return "", fmt.Errorf("no ID number is the %dth", n)
}

// settleIn adds n families, each a patient with own money or without, for whom
// payers relatives pay.
func (w *world) settleIn(ctx context.Context, n, payers int, own family.Fen) error {
	first := len(w.families)
	w.families = append(w.families, make([]household, n)...)
	return inParallel(n, 32, func(i int) error {
		base := (first + i) * max(1+payers, w.apart)
		patient, err := w.person(ctx, base, own)
		if err != nil {
			return err
		}
		home := household{patient: patient.Person}
		for j := range payers {
			payer, err := w.person(ctx, base+1+j, family.MaxFen)
			if err != nil {
				return err
			}
			if err := w.bind(ctx, payer.Person, patient); err != nil {
				return err
			}
			home.payers = append(home.payers, payer.Person)
		}
		w.families[first+i] = home
		return nil
	})
}

// bind lets a holder pay for his brother, by all its steps.
func (w *world) bind(ctx context.Context, holder family.PersonNo, member app.PersonFeed) error {
	asked, err := w.RequestBinding(ctx, holder, app.BindingAsk{
		Name: member.Name, ID: member.ID, Relation: "73", Show: true,
		Pay: &family.Terms{Purposes: []family.Purpose{family.ForCare, family.ForPharmacy}},
	}, app.Once{})
	if err != nil {
		return err
	}
	id := asked.Answer.Binding.ID
	view, err := w.Submit(ctx, holder, id)
	if err == nil && view.Binding.State == family.BindingAwaiting {
		view, err = w.Accept(ctx, member.Person, id)
	}
	if err == nil && view.Binding.State != family.BindingActive {
		err = fmt.Errorf("a binding is %s", view.Binding.State)
	}
	return err
}

// codes issues a code for each of n families from the first on.
func (w *world) codes(ctx context.Context, n int) ([]string, error) {
	digits := make([]string, n)
	return digits, inParallel(n, 64, func(i int) error {
		view, err := w.IssueQR(ctx, w.families[i].patient, "", app.Once{})
		digits[i] = view.Answer.Digits
		return err
	})
}

// bill is what every till of the benchmark sells: so many lines of the two goods.
func bill(lines int) family.Bill {
	b := family.Bill{MedType: family.Outpatient, UseAccount: true}
	for i := range lines {
		l := family.Line{No: i + 1, Code: drug, Name: "阿莫西林胶囊 0.25g×24", Quantity: 20_000, UnitPrice: 30, Amount: 60}
		if i%2 == 1 {
			l.Code, l.Name, l.Quantity, l.UnitPrice, l.Amount = device, "一次性雾化器", 10_000, 40, 40
		}
		b.Lines = append(b.Lines, l)
		b.Total += l.Amount
	}
	return b
}

// settleAsk is a settlement under a new message id.
func (w *world) settleAsk(digits string, lines int) app.SettleAsk {
	n := w.messages.Add(1) // 36⁴ have room in one second
	sent := w.now().In(time.FixedZone("", 8*60*60)).Add(time.Duration(n/1_000_000) * time.Second)
	return app.SettleAsk{
		Message:    family.MessageID(string(hospital) + sent.Format("20060102150405") + base36(n%1_000_000)),
		Credential: app.Credential{Type: app.ByQR, Value: digits}, Bill: bill(lines),
	}
}

func base36(n int64) string {
	const figures = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var s [4]byte
	for i := range s {
		s[len(s)-1-i] = figures[n%36]
		n /= 36
	}
	return string(s[:])
}

// inParallel does n pieces of work in so many goroutines and returns the first error.
func inParallel(n, goroutines int, work func(i int) error) error {
	var next atomic.Int64
	var failed sync.Once
	var first error
	var all sync.WaitGroup
	for range min(n, goroutines) {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := work(i); err != nil {
					failed.Do(func() { first = err })
					next.Store(int64(n))
					return
				}
			}
		})
	}
	all.Wait()
	return first
}
