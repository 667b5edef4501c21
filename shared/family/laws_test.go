package family_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gongji/shared/family"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The laws of the house, in the order in which doc.go names them.

// posted returns the settlement that the newest event made, of whatever kind.
func (l *life) posted() *family.Settlement {
	if l.last.sale != nil {
		return l.last.sale
	}
	return l.last.back
}

func TestLaw01_PostingsSumToZero(t *testing.T) {
	live(t, func(t *rapid.T, l *life) {
		s := l.posted()
		if s == nil {
			return
		}
		var sum family.Fen
		for _, leg := range s.Legs {
			sum += leg.Delta.Total()
			if leg.Party != family.Personal {
				continue
			}
			entries := l.entries[leg.Account]
			if uint64(len(entries)) < leg.Seq || entries[leg.Seq-1].Delta != leg.Delta || entries[leg.Seq-1].Ref != string(s.ID) {
				t.Fatalf("leg %+v is not entry %d of its account", leg, leg.Seq)
			}
		}
		if sum != 0 {
			t.Fatalf("the legs sum to %v: %+v", sum, s.Legs)
		}
		// What moved in all accounts together is what accounts paid.
		var moved family.Fen
		for p, account := range l.accounts {
			moved += account.Balance.Total() - l.last.before.accounts[p].Balance.Total()
		}
		if moved != -(s.Paid.OwnPaid + s.Paid.SharedPaid) {
			t.Fatalf("accounts moved by %v, the settlement says %v", moved, -(s.Paid.OwnPaid + s.Paid.SharedPaid))
		}
	})
}

func TestLaw02_NothingBelowZero(t *testing.T) {
	live(t, func(t *rapid.T, l *life) {
		for p, a := range l.accounts {
			free := a.Free()
			below := a.Balance.Current < 0 || a.Balance.Past < 0 || free.Current < 0 || free.Past < 0 || a.Year.Deductible < 0 || a.Year.Pool < 0
			for _, g := range a.Given {
				below = below || g.Spent.Spent < 0 || g.Used < 0 || g.QuotaLeft() < 0
			}
			if below {
				t.Fatalf("%s: %+v", p, a)
			}
		}
	})
	// An account that was overdrawn by a mistake of its caller stops the program.
	defer func() {
		if recover() == nil {
			t.Error("a credit below the balance was booked")
		}
	}()
	family.Credit(family.Account{Person: "A", Balance: family.Pockets{Current: 5, Past: 5}}, "r", family.Pockets{Current: -6}, time.Time{})
}

func TestLaw03_QuotasAreHeld(t *testing.T) {
	live(t, func(t *rapid.T, l *life) {
		for p, a := range l.accounts {
			if a.FrozenQuota() != held(a) || a.FrozenQuota() > a.Balance.Total() || a.Free().Total() != a.Balance.Total()-a.FrozenQuota() {
				t.Fatalf("%s holds %v, free %v, quotas %v", p, a.Balance, a.Free(), a.FrozenQuota())
			}
		}
		s := l.last.sale
		if s == nil {
			return
		}
		// A sale takes from a quota exactly what its own grant paid.
		paid := map[family.BindingID]family.Fen{}
		for _, share := range s.Shares {
			paid[share.Binding] += share.Paid.Total()
		}
		for p, a := range l.accounts {
			for i, g := range a.Given {
				was := l.last.before.accounts[p].Given[i]
				if g.Terms.Quota > 0 && was.QuotaLeft()-g.QuotaLeft() != paid[g.Binding] {
					t.Fatalf("%s had %v left for %s and has %v, though %v were paid", p, was.QuotaLeft(), g.Beneficiary, g.QuotaLeft(), paid[g.Binding])
				}
			}
		}
	})
}

func TestLaw04_PartsSumToTheTotal(t *testing.T) {
	live(t, func(t *rapid.T, l *life) {
		s := l.posted()
		if s == nil {
			return
		}
		p := s.Paid
		var lines family.Amounts
		for _, line := range s.Lines {
			a := line.Amounts
			if a.Total != line.Amount || a.Total != a.OutOfScope+a.OverLimit+a.PreSelfPay+a.InScope {
				t.Fatalf("line %d: %+v", line.No, line)
			}
			lines.Total += a.Total
			lines.OutOfScope += a.OutOfScope
			lines.OverLimit += a.OverLimit
			lines.PreSelfPay += a.PreSelfPay
			lines.InScope += a.InScope
		}
		var shared family.Fen
		for _, share := range s.Shares {
			shared += share.Paid.Total()
		}
		switch {
		case lines != p.Amounts:
			t.Fatalf("lines %+v, bill %+v", lines, p.Amounts)
		case p.Total != p.FundPaid+p.PersonBurden,
			p.PersonBurden != p.OwnPaid+p.SharedPaid+p.CashDue,
			p.Total != p.OutOfScope+p.OverLimit+p.PreSelfPay+p.InScope,
			p.OwnPaid != s.Own.Total(), p.SharedPaid != shared:
			t.Fatalf("%+v own %v shares %+v", p, s.Own, s.Shares)
		}
		if l.last.sale != nil {
			if want, _ := audit(*l.last.asked); want != p {
				t.Fatalf("the auditor disagrees: %s", cmp.Diff(want, p))
			}
		}
	})
}

func TestLaw05_OwnThenRelativesThenCash(t *testing.T) {
	live(t, func(t *rapid.T, l *life) {
		s, c := l.last.sale, l.last.asked
		if s == nil || !c.Bill.UseAccount {
			return
		}
		own := ownMayPay(*c)
		if s.Paid.SharedPaid > 0 && s.Paid.OwnPaid != own {
			t.Fatalf("relatives paid %v while the own account, with %v, paid %v", s.Paid.SharedPaid, own, s.Paid.OwnPaid)
		}
		rest := s.Paid.AccountBase - s.Paid.OwnPaid
		if rest > 0 && s.Paid.OwnPaid != own {
			t.Fatalf("%v were left to others while the own account, with %v, paid %v", rest, own, s.Paid.OwnPaid)
		}
		_, want := audit(*c)
		for i, paid := range want {
			share := s.Shares[i]
			if share.Paid.Total() != paid {
				t.Fatalf("grantor %d, %s, paid %v and not %v", i, share.Grantor, share.Paid.Total(), paid)
			}
			if rest -= paid; (share.Reason == "") != (rest == 0 && paid > 0) {
				t.Fatalf("grantor %d, %s, paid %v, %v are left, and the reason is %q", i, share.Grantor, paid, rest, share.Reason)
			}
		}
		if s.Paid.CashDue < rest {
			t.Fatalf("%v of the base are left, and only %v are cash", rest, s.Paid.CashDue)
		}
	})
}

func TestLaw06_AccountsPayInScopeOnly(t *testing.T) {
	live(t, func(t *rapid.T, l *life) {
		s := l.last.sale
		if s == nil {
			return
		}
		most := s.Paid.PersonBurden
		if !l.last.asked.Policy.AccountPaysOutOfScope {
			most -= s.Paid.OutOfScope + s.Paid.OverLimit
			if s.Paid.CashDue < s.Paid.OutOfScope+s.Paid.OverLimit {
				t.Fatalf("%v are out of scope and only %v are cash", s.Paid.OutOfScope+s.Paid.OverLimit, s.Paid.CashDue)
			}
		}
		if !l.last.asked.Policy.Pays(useOf(*l.last.asked)) {
			most = 0
		}
		if s.Paid.AccountBase != most || s.Paid.OwnPaid+s.Paid.SharedPaid > most {
			t.Fatalf("accounts paid %v of at most %v", s.Paid.OwnPaid+s.Paid.SharedPaid, most)
		}
	})
}

func TestLaw07_LimitsOfAGrantHold(t *testing.T) {
	live(t, func(t *rapid.T, l *life) {
		s := l.last.sale
		if s == nil {
			return
		}
		for _, share := range s.Shares {
			if share.Paid == (family.Pockets{}) {
				continue
			}
			given := l.accounts[share.Grantor].Given
			g := given[slices.IndexFunc(given, func(g family.Grant) bool { return g.Binding == share.Binding })]
			paid, terms := share.Paid.Total(), g.Terms
			policy := l.policyOf(share.Grantor)
			switch {
			case g.Beneficiary != s.Patient,
				terms.PerSettlementCap > 0 && paid > terms.PerSettlementCap,
				terms.MonthlyCap > 0 && l.netOf(g.Binding, share.Grantor, g.Since, s.Basis.Day.Month()) > terms.MonthlyCap,
				terms.Quota > 0 && l.netOf(g.Binding, share.Grantor, g.Since, 0) > terms.Quota,
				terms.ValidUntil != 0 && terms.ValidUntil < family.DayOf(l.now),
				policy.Grants.Money == family.PastYears && share.Paid.Current != 0,
				terms.Quota == 0 && l.accounts[share.Grantor].Balance.Total() < policy.Grants.Floor,
				g.Paused:
				t.Fatalf("%s paid %v under %+v", share.Grantor, share.Paid, g)
			}
		}
	})
}

// netOf sums what a grant paid, less what came back, over the sales of a month,
// 0 for all, from the sales' own records.
func (w *town) netOf(id family.BindingID, grantor family.PersonNo, since uint64, month family.Month) (net family.Fen) {
	for saleID, sale := range w.sales {
		i := slices.IndexFunc(sale.Legs, func(l family.Posting) bool { return l.Account == grantor })
		if i < 0 || sale.Legs[i].Seq <= since || month != 0 && sale.Basis.Day.Month() != month {
			continue
		}
		for _, s := range append([]family.Settlement{sale}, w.given[saleID]...) {
			for _, share := range s.Shares {
				if share.Binding == id {
					net += share.Paid.Total()
				}
			}
		}
	}
	return net
}

func TestLaw08_ABenefitIsUsedUpOnce(t *testing.T) {
	live(t, func(t *rapid.T, l *life) {
		if l.last.sale == nil {
			return
		}
		s, p := l.last.sale, l.last.asked.Patient.Person
		// From the sales' own records: what the year has used up, less what came back.
		used := family.YearToDate{Year: s.Basis.Day.Year(), Insutype: s.Basis.Insutype, Stays: s.MedType.IsStay()}
		for id, sale := range l.sales {
			if sale.Patient != p || sale.MedType.IsStay() != used.Stays || sale.Basis.Day.Year() != s.Basis.Day.Year() {
				continue
			}
			for _, s := range append([]family.Settlement{sale}, l.given[id]...) {
				used.Deductible += s.Paid.Deductible
				used.Pool += s.Paid.FundPaid
				if s.Basis.Day > used.Day {
					used.Day, used.DayPool = s.Basis.Day, 0
				}
				if s.Basis.Day == used.Day {
					used.DayPool += s.Paid.FundPaid
				}
			}
		}
		if all := append([]family.YearToDate{l.accounts[p].Year}, l.accounts[p].Others...); !slices.Contains(all, used) {
			t.Fatalf("%s: the account counts %+v, the sales %+v", p, all, used)
		}
		if s.Paid.Deductible > 0 || s.Paid.FundPaid > 0 {
			b, _ := l.last.asked.Policy.Benefit(l.last.asked.Patient.Insurance.Insutype, l.last.asked.Patient.Insurance.PsnType, s.MedType)
			grade := l.last.asked.Place.Level.Grade()
			before, deductible := used.Deductible-s.Paid.Deductible, b.Deductible[grade]
			if later, less := b.LaterDeductible[grade]; less && before > 0 {
				deductible = later
			}
			if used.Stays { // each is one of its own
				before = 0
			}
			if s.Paid.Deductible > 0 && before+s.Paid.Deductible > deductible {
				t.Fatalf("%v of a deductible of %v were asked for", before+s.Paid.Deductible, deductible)
			}
			if b.YearlyCap > 0 && s.Paid.FundPaid > 0 && used.Pool > b.YearlyCap {
				t.Fatalf("the fund paid %v, its cap is %v", used.Pool, b.YearlyCap)
			}
			if s.Paid.FundPaid > 0 && s.Paid.Deductible < min(s.Paid.InScope, deductible-before) {
				t.Fatalf("the fund paid %v before the deductible was", s.Paid.FundPaid)
			}
		}
	})
}

func TestLaw09_ThePayerIsDecidedAtSettlement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := grown(t)
		c := l.randomCase(t)
		var quotes []family.Settlement
		for _, token := range []*family.QRToken{
			nil,
			{Patient: c.Patient.Person, Presenter: c.Patient.Person, Expires: c.Now.Add(time.Minute), State: family.QRStateIssued},
			{Patient: c.Patient.Person, Presenter: "A", Expires: c.Now.Add(time.Minute), State: family.QRStateIssued},
			{Patient: c.Patient.Person, Presenter: "stranger", Expires: c.Now.Add(time.Minute), State: family.QRStateIssued},
		} {
			c.Token = token
			s, refusal := family.Quote(c)
			if refusal != nil {
				t.Skip(refusal.Error())
			}
			s.Presenter, s.Inputs = "", ""
			s.Shares = slices.DeleteFunc(s.Shares, func(share family.Share) bool {
				return token != nil && share.Grantor == token.Presenter && share.Binding == token.Binding && share.Reason == family.GrantNone
			})
			quotes = append(quotes, s)
		}
		for _, s := range quotes[1:] {
			if diff := cmp.Diff(quotes[0], s); diff != "" {
				t.Fatalf("who shows the code decides who pays: %s", diff)
			}
		}
	})
	// A grant that ends between the code and the till pays nothing; one that is
	// given in between pays.
	w := newTown(at(2026, 3, 10, 10, 0), func(family.Region, family.Day) *family.Policy { return samplePolicy() })
	w.enrol("child", 20150101, family.Insurance{Region: "430100", Insutype: family.Resident, PsnType: "1403", Active: true})
	for _, p := range []family.PersonNo{"mother", "father"} {
		w.enrol(p, 19800101, family.Insurance{Region: "430100", Insutype: family.Employee, PsnType: "11", Active: true})
		w.credit(p, family.Pockets{Current: 100_00})
	}
	w.places["H43010000001"] = places[0]
	w.items["X1"] = family.Item{Code: "X1", Class: family.ClassA, From: 20210101}
	pay := &family.Terms{Purposes: []family.Purpose{family.ForCare}}
	id, refusal := w.bind("mother", "child", "20", true, pay)
	refusedWith(t, refusal, "")
	b := w.bindings[id]
	code, refusal := family.IssueQR("Q", "mother", w.accounts["child"], &b, w.policyOf("child"), w.now)
	refusedWith(t, refusal, "")
	refusedWith(t, w.end("mother", id), "")
	_, refusal = w.bind("father", "child", "20", false, pay)
	refusedWith(t, refusal, "")
	bill := family.Bill{MedType: family.Outpatient, Total: 30_00, UseAccount: true, Lines: []family.Line{{No: 1, Code: "X1", Quantity: 1_0000, UnitPrice: 30_00, Amount: 30_00}}}
	s, refusal := w.settle(w.caseOf("child", "H43010000001", bill, &code))
	refusedWith(t, refusal, "")
	if w.accounts["mother"].Balance.Total() != 100_00 || w.accounts["father"].Balance.Total() != 70_00 || s.Presenter != "mother" {
		t.Errorf("%+v", s.Shares)
	}
	want := []family.Share{
		{Grantor: "father", Binding: s.Shares[0].Binding, Relation: "20", Paid: family.Pockets{Current: 30_00}, Limit: family.Pockets{Current: 100_00}},
		{Grantor: "mother", Binding: id, Relation: "20", Reason: family.GrantNone}, // she believes that hers pays
	}
	if diff := cmp.Diff(want, s.Shares); diff != "" {
		t.Error(diff)
	}
}

func TestLaw10_ACodeIsRedeemedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := grown(t)
		c := l.randomCase(t)
		c.Bill.MedType = family.Outpatient // a stay may not be settled here at all
		elsewhere := family.InstitutionCode("H99999999999")
		life := time.Duration(rapid.Int64Range(10, 600).Draw(t, "life")) * time.Second
		p := *c.Policy
		p.QRLife = life
		issuedAt := l.now.Add(time.Duration(rapid.Int64Range(0, 999_999_999).Draw(t, "part of a second")))
		code, refusal := family.IssueQR("Q", c.Patient.Person, c.Patient, nil, &p, issuedAt)
		if refusal != nil {
			t.Skip(refusal.Error())
		}
		switch {
		case code.Patient != c.Patient.Person, code.Presenter != c.Patient.Person, code.State != family.QRStateIssued,
			code.Expires.Sub(code.Issued) != life, code.Issued.After(issuedAt), issuedAt.Sub(code.Issued) >= time.Second,
			code.Issued.Nanosecond() != 0 || code.Expires.Nanosecond() != 0:
			t.Fatalf("%+v", code)
		}
		shown := code
		c.Token = &shown
		quote := func(now time.Time, token family.QRToken) family.Code {
			c.Now, c.Token = now, &token
			if _, refusal := family.Quote(c); refusal != nil {
				return refusal.Code
			}
			return ""
		}
		last := code.Expires.Add(-time.Nanosecond)
		// What an institution decodes is good for its visit, there and once.
		p.QRVisitLife = 10 * life
		decoded, refusal := code.Decode(c.Place.Code, &p, last)
		if refusal != nil {
			t.Fatal(refusal)
		}
		if again, refusal := decoded.Decode(c.Place.Code, &p, last); refusal != nil || again != decoded {
			t.Fatalf("decoded again: %+v %v", again, refusal)
		}
		if _, refusal := decoded.Decode(elsewhere, &p, last); refusal == nil || refusal.Code != family.QRSpent {
			t.Fatalf("decoded by another: %v", refusal)
		}
		if _, refusal := code.Decode(c.Place.Code, &p, code.Expires); refusal == nil || refusal.Code != family.QRExpired {
			t.Fatalf("decoded too late: %v", refusal)
		}
		end := decoded.DecodedUntil
		for _, try := range []struct {
			by      family.InstitutionCode
			decoded bool
			now     time.Time
			token   family.QRToken
			want    family.Code
		}{
			{c.Place.Code, true, end.Add(-time.Nanosecond), decoded, ""},
			{c.Place.Code, true, end.Add(-time.Nanosecond), decoded.Replace(), ""},
			{c.Place.Code, true, end, decoded, family.QRExpired},
			{c.Place.Code, false, last, decoded, ""},
			{c.Place.Code, false, code.Expires, decoded, family.QRExpired},
			{elsewhere, true, last, decoded, family.QRSpent},
			{elsewhere, false, last, decoded, family.QRSpent},
			{c.Place.Code, true, last, code, family.QRExpired}, // nobody decoded it
			{c.Place.Code, true, last, decoded.Spend("m"), family.QRSpent},
		} {
			got := try.token.Redeemable(try.by, "", try.decoded, try.now)
			if (got == nil) != (try.want == "") || got != nil && got.Code != try.want {
				t.Fatalf("redeemed by %s, decoded %t, at %v: %v, want %q", try.by, try.decoded, try.now, got, try.want)
			}
		}
		for _, try := range []struct {
			now   time.Time
			token family.QRToken
			want  family.Code
			state family.QRState
		}{
			{issuedAt, code, "", family.QRStateIssued},
			{last, code, "", family.QRStateIssued},
			{code.Expires, code, family.QRExpired, family.QRStateExpired},
			{last, code.Replace(), family.QRReplaced, family.QRStateReplaced},
			{last, code.Spend("m"), family.QRSpent, family.QRStateSpent},
			{last, code.Spend("m").Replace(), family.QRSpent, family.QRStateSpent}, // what is spent stays spent
			{code.Expires, code.Spend("m"), family.QRExpired, family.QRStateSpent},
		} {
			if got := quote(try.now, try.token); got != try.want {
				t.Fatalf("at %v of %v, %s: %q, want %q", try.now, code.Expires, try.token.State, got, try.want)
			}
			if got := try.token.StateAt(try.now); got != try.state {
				t.Fatalf("at %v of %v it is %s, want %s", try.now, code.Expires, got, try.state)
			}
		}
		c.Now, c.Token, c.Message = issuedAt, &shown, "H43010000001202603101000000001"
		_, effects, refusal := family.Settle(c)
		if refusal != nil {
			t.Fatal(refusal)
		}
		if effects.Token == nil || effects.Token.State != family.QRStateSpent || effects.Token.SpentBy != c.Message || shown != code {
			t.Fatalf("%+v", effects.Token)
		}
		other := code
		other.Patient = "somebody else"
		if got := quote(issuedAt, other); got != family.QRWrongPatient {
			t.Fatalf("another's code: %q", got)
		}
	})
}

func TestLaw11_FrozenOrUninsuredNeitherPaysNorBenefits(t *testing.T) {
	live(t, func(t *rapid.T, l *life) {
		out := func(p family.PersonNo) bool {
			a := l.accounts[p]
			return a.Frozen || !a.Insurance.Insured()
		}
		if c := l.last.asked; c != nil && out(c.Patient.Person) && l.last.sale != nil {
			t.Fatalf("a settlement for %+v", c.Patient)
		}
		if s := l.last.sale; s != nil {
			for _, share := range s.Shares {
				if out(share.Grantor) && share.Paid != (family.Pockets{}) {
					t.Fatalf("%s paid %v", share.Grantor, share.Paid)
				}
			}
		}
		if l.last.back != nil {
			return // what comes back comes back to anyone
		}
		for p, a := range l.accounts {
			if was := l.last.before.accounts[p]; out(p) && a.Balance.Total() < was.Balance.Total() {
				t.Fatalf("%v left the account of %+v", was.Balance.Total()-a.Balance.Total(), a)
			}
		}
	})
	for _, i := range []family.Insurance{
		{},
		{Insutype: family.NoCover, Active: true},
		{Insutype: family.Employee},
	} {
		if i.Insured() {
			t.Errorf("%+v is no insurance", i)
		}
		if _, refusal := family.IssueQR("Q", "A", family.Account{Person: "A", Insurance: i}, nil, samplePolicy(), at(2026, 3, 10, 10, 0)); refusal == nil || refusal.Code != family.PersonNotInsured {
			t.Errorf("%v", refusal)
		}
	}
}

// years returns all counters of an account, in the order of what they count.
func years(a family.Account) []family.YearToDate {
	all := append([]family.YearToDate{a.Year}, a.Others...)
	slices.SortFunc(all, func(x, y family.YearToDate) int {
		return strings.Compare(fmt.Sprint(x.Insutype, x.Stays), fmt.Sprint(y.Insutype, y.Stays))
	})
	return all
}

// standing returns an account as it stands on a day, without the place in its
// history: counters of past months and years count as none.
func standing(a family.Account, day family.Day) family.Account {
	a.Seq, a.Head = 0, ""
	if a.Year.Year != day.Year() {
		a.Year = family.YearToDate{Year: day.Year()}
	}
	if a.Year.Day != day || a.Year.DayPool == 0 {
		a.Year.Day, a.Year.DayPool = 0, 0
	}
	none := func(y family.YearToDate) bool { // nothing was used yet
		return y == family.YearToDate{Year: day.Year(), Insutype: y.Insutype, Stays: y.Stays}
	}
	others := slices.Clone(a.Others)
	a.Others = nil
	for _, y := range others {
		if y.Day != day || y.DayPool == 0 {
			y.Day, y.DayPool = 0, 0
		}
		if y.Year == day.Year() && !none(y) {
			a.Others = append(a.Others, y)
		}
	}
	if none(a.Year) {
		a.Year.Insutype, a.Year.Stays = "", false
		if len(a.Others) > 0 {
			a.Year, a.Others = a.Others[0], a.Others[1:]
		}
	}
	if len(a.Others) == 0 {
		a.Others = nil
	}
	a.Given = slices.Clone(a.Given)
	for i := range a.Given {
		if g := &a.Given[i]; g.Spent.Month != day.Month() {
			g.Spent = family.MonthSpent{Month: day.Month()}
		}
	}
	return a
}

func standings(w *town) map[family.PersonNo]family.Account {
	all := map[family.PersonNo]family.Account{}
	for p, a := range w.accounts {
		all[p] = standing(a, family.DayOf(w.now))
	}
	return all
}

func TestLaw12_ReverseUndoesSettle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := grown(t)
		before := standings(l.town)
		s, refusal := l.settle(l.randomCase(t))
		if refusal != nil {
			t.Skip(refusal.Error())
		}
		back, refusal := l.reverse(s.ID)
		if refusal != nil {
			t.Fatal(refusal)
		}
		if diff := cmp.Diff(before, standings(l.town)); diff != "" {
			t.Fatal(diff)
		}
		if back.Paid != negative(s.Paid) || back.Own != (family.Pockets{}).Minus(s.Own) || back.Original != s.ID || back.Kind != family.Reversed {
			t.Fatalf("%+v is not the reverse of %+v", back.Paid, s.Paid)
		}
		sale := l.sales[s.ID]
		if sale.State() != family.StateReversed || back.State() != family.StateSettled {
			t.Fatal(sale.State(), back.State())
		}
		if _, refusal := l.reverse(s.ID); refusal == nil || refusal.Code != family.AlreadyReversed {
			t.Fatalf("reversed twice: %v", refusal)
		}
	})
}

// negative turns the signs of a breakdown.
func negative(b family.Breakdown) family.Breakdown {
	return family.Breakdown{
		Amounts:    family.Amounts{Total: -b.Total, OutOfScope: -b.OutOfScope, OverLimit: -b.OverLimit, PreSelfPay: -b.PreSelfPay, InScope: -b.InScope},
		Deductible: -b.Deductible, FundPaid: -b.FundPaid, PersonBurden: -b.PersonBurden, AccountBase: -b.AccountBase,
		OwnPaid: -b.OwnPaid, SharedPaid: -b.SharedPaid, CashDue: -b.CashDue,
	}
}

func add(a, b family.Breakdown) family.Breakdown {
	return family.Breakdown{
		Amounts: family.Amounts{
			Total: a.Total + b.Total, OutOfScope: a.OutOfScope + b.OutOfScope, OverLimit: a.OverLimit + b.OverLimit,
			PreSelfPay: a.PreSelfPay + b.PreSelfPay, InScope: a.InScope + b.InScope,
		},
		Deductible: a.Deductible + b.Deductible, FundPaid: a.FundPaid + b.FundPaid, PersonBurden: a.PersonBurden + b.PersonBurden, AccountBase: a.AccountBase + b.AccountBase,
		OwnPaid: a.OwnPaid + b.OwnPaid, SharedPaid: a.SharedPaid + b.SharedPaid, CashDue: a.CashDue + b.CashDue,
	}
}

// shared sums what came back to each grantor and to the own account.
func shared(backs []family.Settlement) (map[family.PersonNo]family.Pockets, family.Pockets) {
	shares, own := map[family.PersonNo]family.Pockets{}, family.Pockets{}
	for _, s := range backs {
		own = own.Plus(s.Own)
		for _, share := range s.Shares {
			shares[share.Grantor] = shares[share.Grantor].Plus(share.Paid)
		}
	}
	return shares, own
}

func TestLaw13_AnySplitOfRefundsIsTheReversal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := grown(t)
		s, refusal := l.settle(l.randomCase(t))
		if refusal != nil {
			t.Skip(refusal.Error())
		}
		// First down to a target by two ways that meet there, then to nothing.
		target := make([]family.Quantity, len(s.Kept))
		for i, q := range s.Kept {
			target[i] = family.Quantity(rapid.Int64Range(0, int64(q)).Draw(t, "kept"))
		}
		straight, winding := l.town.clone(), l.town.clone()
		var once []family.Return
		for i, line := range s.Lines {
			if q := s.Kept[i] - target[i]; q > 0 {
				once = append(once, family.Return{LineNo: line.No, Quantity: q})
			}
		}
		if len(once) > 0 {
			if _, refusal := straight.refund(s.ID, once...); refusal != nil {
				t.Fatal(refusal)
			}
			wind(t, winding, s.ID, target)
		}
		if diff := cmp.Diff(standings(straight), standings(winding)); diff != "" {
			t.Fatalf("two ways to the same goods end differently: %s", diff)
		}
		wind(t, winding, s.ID, make([]family.Quantity, len(target)))
		if _, refusal := l.reverse(s.ID); refusal != nil {
			t.Fatal(refusal)
		}
		if diff := cmp.Diff(standings(l.town), standings(winding)); diff != "" {
			t.Fatalf("refunds are not the reversal: %s", diff)
		}
		sum := s.Paid
		for _, back := range winding.given[s.ID] {
			sum = add(sum, back.Paid)
		}
		if sum != (family.Breakdown{}) {
			t.Fatalf("%+v did not come back", sum)
		}
		wantShares, wantOwn := shared(l.given[s.ID])
		gotShares, gotOwn := shared(winding.given[s.ID])
		if diff := cmp.Diff(wantShares, gotShares); diff != "" || wantOwn != gotOwn {
			t.Fatalf("own %v and %v, %s", wantOwn, gotOwn, diff)
		}
		sale := winding.sales[s.ID]
		if sale.State() != family.StateReversed || len(sale.Refunds) != len(winding.given[s.ID]) {
			t.Fatal(sale.State(), sale.Refunds)
		}
		if _, refusal := winding.reverse(s.ID); refusal == nil || refusal.Code != family.AlreadyReversed {
			t.Fatalf("what came back by refunds was reversed: %v", refusal)
		}
	})
}

// wind refunds a sale down to a target in pieces of any size and order.
func wind(t *rapid.T, w *town, sale family.MessageID, target []family.Quantity) {
	for {
		s := w.sales[sale]
		var open []int
		for i := range s.Kept {
			if s.Kept[i] > target[i] {
				open = append(open, i)
			}
		}
		if len(open) == 0 {
			return
		}
		var returns []family.Return
		for _, i := range some(t, open, "lines that come back") {
			q := s.Kept[i] - target[i]
			if rapid.Bool().Draw(t, "part") {
				q = max(1, q-family.Quantity(rapid.Int64Range(0, int64(q)).Draw(t, "not yet")), q/4)
			}
			returns = append(returns, family.Return{LineNo: s.Lines[i].No, Quantity: q})
		}
		if _, refusal := w.refund(sale, returns...); refusal != nil {
			t.Fatal(refusal)
		}
	}
}

func TestLaw14_RefundsAreNeverNegativeNorTooMuch(t *testing.T) {
	live(t, func(t *rapid.T, l *life) {
		back := l.last.back
		if back == nil {
			return
		}
		sale := l.sales[back.Original]
		left := sale.Paid
		shares, own := map[family.PersonNo]family.Pockets{}, sale.Own
		for _, share := range sale.Shares {
			shares[share.Grantor] = share.Paid
		}
		for _, b := range l.given[back.Original] {
			left, own = add(left, b.Paid), own.Plus(b.Own)
			for _, share := range b.Shares {
				shares[share.Grantor] = shares[share.Grantor].Plus(share.Paid)
			}
		}
		for what, part := range map[string][2]family.Fen{
			"total": {back.Paid.Total, left.Total}, "out of scope": {back.Paid.OutOfScope, left.OutOfScope}, "over limit": {back.Paid.OverLimit, left.OverLimit},
			"pre-self-pay": {back.Paid.PreSelfPay, left.PreSelfPay}, "in scope": {back.Paid.InScope, left.InScope}, "deductible": {back.Paid.Deductible, left.Deductible},
			"fund": {back.Paid.FundPaid, left.FundPaid}, "burden": {back.Paid.PersonBurden, left.PersonBurden}, "base": {back.Paid.AccountBase, left.AccountBase},
			"own": {back.Paid.OwnPaid, left.OwnPaid}, "shared": {back.Paid.SharedPaid, left.SharedPaid}, "cash": {back.Paid.CashDue, left.CashDue},
			"own current": {back.Own.Current, own.Current}, "own past": {back.Own.Past, own.Past},
		} {
			if part[0] > 0 || part[1] < 0 {
				t.Fatalf("%s: %v came back, %v are left", what, part[0], part[1])
			}
		}
		for p, paid := range shares {
			if paid.Current < 0 || paid.Past < 0 {
				t.Fatalf("more came back to %s than it paid", p)
			}
		}
		for _, line := range back.Lines {
			if line.Quantity >= 0 || line.Amount > 0 {
				t.Fatalf("%+v", line)
			}
		}
		// Cash comes back before relatives' money, and theirs before the own.
		if cashOfBase := left.CashDue - (left.PersonBurden - left.AccountBase); back.Paid.SharedPaid < 0 && cashOfBase > 0 ||
			back.Paid.OwnPaid < 0 && left.SharedPaid > 0 {
			t.Fatalf("came back %+v, left %+v", back.Paid, left)
		}
	})
}

func TestLaw15_ARefundGoesBackToWhereItCameFrom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := grown(t)
		s, refusal := l.settle(l.randomCase(t))
		if refusal != nil {
			t.Skip(refusal.Error())
		}
		// Whatever becomes of the family, and whenever it comes back:
		later := pick(t, []time.Duration{0, 24 * time.Hour, 31 * 24 * time.Hour, 366 * 24 * time.Hour}, "later")
		l.now = l.now.Add(later)
		gone := rapid.Bool().Draw(t, "the grants end")
		for _, share := range s.Shares {
			if b := l.bindings[share.Binding]; gone && b.Live() {
				if refusal := l.end(share.Grantor, share.Binding); refusal != nil {
					t.Fatal(refusal)
				}
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "fates") {
			fates(t, l)
		}
		before := l.town.clone()
		if _, refusal := l.reverse(s.ID); refusal != nil {
			t.Fatal(refusal)
		}
		for _, share := range s.Shares {
			if got, want := l.accounts[share.Grantor].Balance, before.accounts[share.Grantor].Balance.Plus(share.Paid); got != want {
				t.Fatalf("%s has %v, want %v", share.Grantor, got, want)
			}
		}
		if got, want := l.accounts[s.Patient].Balance, before.accounts[s.Patient].Balance.Plus(s.Own); got != want {
			t.Fatalf("the patient has %v, want %v", got, want)
		}
		day := family.DayOf(l.now)
		for p, a := range l.accounts {
			was := standing(before.accounts[p], day)
			a = standing(a, day)
			for i, g := range a.Given {
				j := slices.IndexFunc(s.Shares, func(share family.Share) bool { return share.Binding == g.Binding })
				wantSpent, wantUsed := was.Given[i].Spent, was.Given[i].Used
				if j >= 0 {
					wantUsed -= s.Shares[j].Paid.Total()
					if s.Basis.Day.Month() == day.Month() {
						wantSpent.Spent -= s.Shares[j].Paid.Total()
					}
				}
				if g.Spent != wantSpent || g.Used != wantUsed {
					t.Fatalf("the grant for %s spent %v used %v, want %v and %v", g.Beneficiary, g.Spent, g.Used, wantSpent, wantUsed)
				}
			}
			want := years(was)
			if p == s.Patient && s.Basis.Day.Year() == day.Year() {
				for i, y := range want {
					if y.Insutype == s.Basis.Insutype && y.Stays == s.MedType.IsStay() {
						y.Deductible -= s.Paid.Deductible
						y.Pool -= s.Paid.FundPaid
						if s.Basis.Day == day {
							y.DayPool -= s.Paid.FundPaid
						}
						want[i] = y
					}
				}
				want = years(standing(family.Account{Year: want[0], Others: want[1:]}, day))
			}
			if got := years(a); !slices.Equal(got, want) {
				t.Fatalf("%s counts %+v, want %+v", p, got, want)
			}
		}
	})
}

func TestLaw16_LineOrderChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := grown(t)
		c := l.randomCase(t)
		s, refusal := family.Quote(c)
		if refusal != nil {
			t.Skip(refusal.Error())
		}
		c.Bill.Lines = rapid.Permutation(c.Bill.Lines).Draw(t, "order of lines")
		turned, refusal := family.Quote(c)
		if refusal != nil {
			t.Fatal(refusal)
		}
		if diff := cmp.Diff(s.Shares, turned.Shares); diff != "" || s.Paid != turned.Paid || s.Own != turned.Own {
			t.Fatalf("%+v, turned %+v %s", s.Paid, turned.Paid, diff)
		}
		for _, line := range s.Lines {
			i := slices.IndexFunc(turned.Lines, func(other family.PricedLine) bool { return other.No == line.No })
			if diff := cmp.Diff(line, turned.Lines[i]); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func TestLaw17_AQuoteIsTheSettlement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := grown(t)
		c := l.randomCase(t)
		c.Message = "H43010000001202603101000000001"
		if rapid.Bool().Draw(t, "spoilt") {
			c.Bill.Lines[0].Code = pick(t, []string{"X1", "X9"}, "code")
			c.Place.Designated = rapid.Bool().Draw(t, "designated")
			cash := fen(t, 100_00, "expected cash")
			c.Bill.ExpectedCash = &cash
		}
		quote, refusedQuote := family.Quote(c)
		s, effects, refused := family.Settle(c)
		if diff := cmp.Diff(refusedQuote, refused); diff != "" {
			t.Fatal(diff)
		}
		if refused != nil {
			if len(effects.Accounts)+len(effects.Entries) > 0 || effects.Token != nil || s.ID != "" {
				t.Fatalf("a refusal moved %+v", effects)
			}
			return
		}
		if quote.Legs != nil {
			t.Fatal("a quote posted legs")
		}
		s.Legs = nil
		if diff := cmp.Diff(quote, s); diff != "" {
			t.Fatal(diff)
		}
		// What a quote said of the cash can be held against the settlement.
		c.Bill.ExpectedCash = &quote.Paid.CashDue
		if _, _, refusal := family.Settle(c); refusal != nil {
			t.Fatal(refusal)
		}
		other := quote.Paid.CashDue + 1
		c.Bill.ExpectedCash = &other
		if _, _, refusal := family.Settle(c); refusal == nil || refusal.Code != family.QuoteStale {
			t.Fatalf("%v", refusal)
		}
	})
}

func TestLaw20_DecidingTouchesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := grown(t)
		unchanged := func(what string, v any, act func()) {
			before := jsonOf(t, v)
			act()
			if diff := cmp.Diff(before, jsonOf(t, v)); diff != "" {
				t.Fatalf("%s changed what it was given: %s", what, diff)
			}
		}
		c := l.randomCase(t)
		unchanged("a quote", c, func() { family.Quote(c) })
		unchanged("a settlement", c, func() { family.Settle(c) })
		for id, sale := range l.sales {
			payers := l.payersOf(sale)
			given := []any{sale, l.accounts[sale.Patient], payers}
			unchanged("a reversal", given, func() { family.Reverse("m", sale, l.accounts[sale.Patient], payers, l.now) })
			if returns := randomReturns(t, sale); len(returns) > 0 {
				unchanged("a refund", append(given, returns), func() { family.Refund("m", sale, returns, l.accounts[sale.Patient], payers, l.now) })
			}
			unchanged("a proof", []any{sale, l.accounts, l.entries}, func() {
				family.ProveSettlement(l.sales[id])
				family.ProveAccount(l.accounts[sale.Patient], l.entries[sale.Patient])
			})
		}
		for id := range l.bindings {
			pair := l.pair(id)
			h, m, policy := pair.Binding.Holder, pair.Binding.Member, l.policyOf(pair.Binding.Holder)
			yes := true
			unchanged("an act on a binding", []any{pair, l.bound}, func() {
				pair.Submit(h, policy, l.now)
				pair.Accept(m, policy, l.now)
				pair.Decline(m, l.now)
				pair.End(h, l.policyOf(h), l.now)
				pair.Change(h, family.Change{Paused: &yes, SetPay: true, Pay: randomTerms(t, family.DayOf(l.now))}, l.bound[h], policy, l.now)
				pair.Change(m, family.Change{Show: &yes}, l.bound[h], policy, l.now)
				family.Rebound(l.bound[h], family.Binding{ID: id, State: family.BindingEnded})
			})
		}
		for p, a := range l.accounts {
			unchanged("a credit", a, func() { family.Credit(a, "r", family.Pockets{Current: 1}, l.now) })
			var order []family.BindingID
			for _, g := range slices.Backward(a.Grantors) {
				order = append(order, g.Binding)
			}
			unchanged("an order", a, func() { family.ChooseOrder(a, order, l.policyOf(p)) })
		}
	})
}

// lawFiles parses the law: the files of this package that are no tests.
func lawFiles(t *testing.T) map[string]*ast.File {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]*ast.File{}
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = f
		}
	}
	if len(files) < 10 {
		t.Fatalf("the law has only %d files", len(files))
	}
	return files
}

func TestLaw21_MoneyNeverFloats(t *testing.T) {
	for name, f := range lawFiles(t) {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if n.Kind == token.FLOAT || n.Kind == token.IMAG {
					t.Errorf("%s: the number %s", name, n.Value)
				}
			case *ast.Ident:
				if slices.Contains([]string{"float32", "float64", "complex64", "complex128", "ParseFloat", "FormatFloat"}, n.Name) {
					t.Errorf("%s: %s", name, n.Name)
				}
			}
			return true
		})
	}
}

func TestLaw22_NoClockNoChanceNoWorld(t *testing.T) {
	allowed := []string{"crypto/sha256", "encoding/hex", "fmt", "maps", "math/bits", "slices", "strconv", "strings", "time"}
	for name, f := range lawFiles(t) {
		for _, spec := range f.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if !slices.Contains(allowed, path) || spec.Name != nil {
				t.Errorf("%s imports %s", name, spec.Path.Value)
			}
		}
		for _, decl := range f.Decls {
			if v, ok := decl.(*ast.GenDecl); ok && v.Tok == token.VAR {
				for _, spec := range v.Specs {
					// Tables that nobody writes.
					for _, n := range spec.(*ast.ValueSpec).Names {
						if !slices.Contains([]string{"shanghai", "kinship", "Kins", "MedTypes", "Purposes", "Uses", "PremiumKinds", "Levels", "Grades", "Codes", "Happenings", "PaperKinds", "PaperTypes", "Readinesses"}, n.Name) {
							t.Errorf("%s: the variable %s", name, n.Name)
						}
					}
				}
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && (x.Name == "time" && !slices.Contains([]string{"Time", "Duration", "Second", "Minute", "FixedZone", "ParseInLocation", "RFC3339Nano", "Date", "Month"}, n.Sel.Name) || x.Name == "fmt" && strings.Contains(n.Sel.Name, "rint") && !strings.HasPrefix(n.Sel.Name, "S")) {
					t.Errorf("%s: %s.%s", name, x.Name, n.Sel.Name)
				}
			case *ast.GoStmt:
				t.Errorf("%s: a goroutine", name)
			case *ast.Field:
				if n.Tag != nil {
					t.Errorf("%s: the tag %s", name, n.Tag.Value)
				}
			case *ast.FuncDecl:
				if n.Name.Name == "init" {
					t.Errorf("%s: an init", name)
				}
			}
			return true
		})
	}
}

func TestLaw23_TheBooksProve(t *testing.T) {
	live(t, func(t *rapid.T, l *life) {
		for _, p := range l.people() {
			account, entries := l.accounts[p], l.entries[p]
			if faults := family.ProveAccount(account, entries); len(faults) > 0 {
				t.Fatalf("%+v", faults)
			}
			for i, e := range entries {
				var prev family.Hash
				if i > 0 {
					prev = entries[i-1].Hash()
				}
				if e.Seq != uint64(i)+1 || e.Account != p || e.Prev != prev {
					t.Fatalf("entry %d is %+v", i, e)
				}
			}
		}
		// Entries are only ever added, one at most for each account and event.
		for p, entries := range l.entries {
			was := l.last.before.entries[p]
			if len(entries) < len(was) || len(entries) > len(was)+1 || !slices.Equal(entries[:len(was)], was) {
				t.Fatalf("the history of %s was rewritten", p)
			}
		}
	})
	// Whatever is changed afterwards is found.
	rapid.Check(t, func(t *rapid.T) {
		l := grown(t)
		for _, p := range l.people() {
			account, entries := l.accounts[p], slices.Clone(l.entries[p])
			proves := func() bool { return len(family.ProveAccount(account, entries)) == 0 }
			if !proves() {
				t.Fatal("the account does not prove")
			}
			if len(entries) == 0 {
				continue
			}
			i := rapid.IntRange(0, len(entries)-1).Draw(t, "entry")
			spoilEach(t, &entries[i], nil, func(field string) {
				if proves() {
					t.Fatalf("%s of entry %d was changed, and nobody saw", field, i+1)
				}
			})
			spoilEach(t, &account, accountCounts, func(field string) {
				if proves() {
					t.Fatalf("%s of the account was changed, and nobody saw", field)
				}
			})
			for what, changed := range map[string][]family.Entry{
				"dropped": slices.Delete(slices.Clone(entries), i, i+1),
				"doubled": slices.Insert(slices.Clone(entries), i, entries[i]),
				"cut off": entries[:i],
			} {
				if len(family.ProveAccount(account, changed)) == 0 {
					t.Fatalf("entry %d was %s, and nobody saw", i+1, what)
				}
			}
			if i > 0 {
				entries[i-1], entries[i] = entries[i], entries[i-1]
				if proves() {
					t.Fatalf("entries %d and %d were swapped, and nobody saw", i, i+1)
				}
			}
		}
	})
}

// accountCounts tells which fields of an account follow from its entries.
func accountCounts(path string) bool {
	return !strings.HasPrefix(path, ".Insurance") && !strings.HasPrefix(path, ".Grantors") && path != ".Frozen" && path != ".Deceased" && path != ".Year.Year" && path != ".Year.Insutype" && path != ".Year.Stays" &&
		(!strings.HasPrefix(path, ".Given") || strings.HasSuffix(path, ".Spent.Spent") || strings.HasSuffix(path, ".Used"))
}

func TestLaw24_SettlementsProve(t *testing.T) {
	live(t, func(t *rapid.T, l *life) {
		s := l.posted()
		if s == nil {
			return
		}
		if faults := family.ProveSettlement(*s); len(faults) > 0 {
			t.Fatalf("%+v: %+v", faults, s)
		}
		id := s.ID
		if s.Kind != family.Settled {
			id = s.Original
		}
		sale, given := l.sales[id], slices.Clone(l.given[id])
		if faults := append(family.ProveSettlement(sale), family.ProveRefunds(sale, given)...); len(faults) > 0 {
			t.Fatalf("%+v: %+v", faults, sale)
		}
		if len(given) > 0 {
			i := rapid.IntRange(0, len(given)-1).Draw(t, "refund")
			counts := func(path string) bool { return path == ".Original" || strings.HasPrefix(path, ".Paid") }
			spoilEach(t, &given[i], counts, func(field string) {
				if len(family.ProveRefunds(sale, given)) == 0 {
					t.Fatalf("%s of a refund was changed, and nobody saw", field)
				}
			})
			if len(family.ProveRefunds(sale, given[1:])) == 0 || len(family.ProveRefunds(sale, append(given, given[i]))) == 0 {
				t.Fatal("a refund was lost or doubled, and nobody saw")
			}
		}
		changed := *s
		changed.Lines, changed.Shares, changed.Legs = slices.Clone(s.Lines), slices.Clone(s.Shares), slices.Clone(s.Legs)
		spoilEach(t, &changed, func(path string) bool { return settlementCounts(s.Kind, path) }, func(field string) {
			if len(family.ProveSettlement(changed)) == 0 {
				t.Fatalf("%s of the settlement was changed, and nobody saw", field)
			}
		})
	})
}

// settlementCounts tells which fields of a settlement its proof speaks of: all
// money, and for a sale all that its money follows from. That a refund's
// deductible is right follows from the patient's account.
func settlementCounts(kind family.EntryKind, path string) bool {
	switch {
	case strings.HasPrefix(path, ".Paid"):
		return kind == family.Settled || path != ".Paid.Deductible"
	case strings.HasPrefix(path, ".Own"), strings.HasPrefix(path, ".Legs"):
		return !strings.HasSuffix(path, ".Seq")
	case strings.HasPrefix(path, ".Shares"):
		return strings.Contains(path, ".Paid")
	case strings.HasPrefix(path, ".Lines"):
		return strings.Contains(path, ".Amounts") || kind == family.Settled && strings.HasSuffix(path, "].Line.Amount")
	}
	return false
}

// town for the laws of binding: everybody is insured at Changsha, and rules can be
// changed in place.
func bindingTown() (*town, *family.Policy) {
	policy := samplePolicy()
	w := newTown(at(2026, 3, 10, 10, 0), func(family.Region, family.Day) *family.Policy { return policy })
	for i := range 30 {
		p := family.PersonNo("P" + strconv.Itoa(i))
		w.enrol(p, 19800101, family.Insurance{Region: "430100", Insutype: family.Employee, PsnType: "11", Active: true})
		w.credit(p, family.Pockets{Current: 100_00})
	}
	return w, policy
}

var forCare = &family.Terms{Purposes: []family.Purpose{family.ForCare}}

func TestLaw25_OnlyNearRelatives(t *testing.T) {
	w, policy := bindingTown()
	for code := range 100 {
		relation, _ := family.ParseRelation(string([]byte{byte('0' + code/10), byte('0' + code%10)}))
		_, refusal := w.clone().bind("P0", "P1", relation, true, forCare)
		if relation.Kin() != "" {
			refusedWith(t, refusal, "")
			continue
		}
		refusedWith(t, refusal, family.RelationNotAllowed)
		if refusal.Rule != "grants.kins" || refusal.Policy != policy.ID() || refusal.Observed != string(relation) {
			t.Errorf("%+v", refusal)
		}
	}
	// A region may allow fewer, and nobody is his own relative.
	policy.Grants.Kins = []family.Kin{family.Spouse, family.Parent, family.Child}
	_, refusal := w.clone().bind("P0", "P1", "71", true, nil)
	refusedWith(t, refusal, family.RelationNotAllowed)
	_, refusal = w.clone().bind("P0", "P0", "51", true, nil)
	refusedWith(t, refusal, family.RelationNotAllowed)
}

func TestLaw26_BindingsAreLimited(t *testing.T) {
	// bindMany binds members 1, 2, … to holder 0 until it is refused.
	bindMany := func(w *town, relation family.Relation, show bool, pay *family.Terms) (n int, refusal *family.Refusal) {
		for i := 1; ; i++ {
			if _, refusal = w.bind("P0", family.PersonNo("P"+strconv.Itoa(i)), relation, show, pay); refusal != nil {
				return i - 1, refusal
			}
		}
	}
	for _, c := range []struct {
		rule     string
		most     int
		relation family.Relation
		show     bool
		pay      *family.Terms
		change   func(*family.Policy)
	}{
		{"links.max_members", 5, "20", true, nil, func(*family.Policy) {}},
		{"links.max_members", 3, "20", true, forCare, func(p *family.Policy) { p.MaxLinks = 3 }},
		{"grants.max_members", 10, "20", false, forCare, func(*family.Policy) {}},
		{"grants.max_members", 4, "20", true, forCare, func(p *family.Policy) { p.Grants.MaxMembers = 4 }},
		{"grants.max_per_kin.spouse", 1, "10", false, forCare, func(*family.Policy) {}},
		{"grants.max_per_kin.parent", 2, "57", false, forCare, func(*family.Policy) {}},
		{"grants.max_per_kin.parent", 2, "51", true, nil, func(*family.Policy) {}},
	} {
		w, policy := bindingTown()
		c.change(policy)
		n, refusal := bindMany(w, c.relation, c.show, c.pay)
		refusedWith(t, refusal, family.BindingLimitReached)
		if n != c.most || refusal.Rule != c.rule || refusal.Allowed != strconv.Itoa(c.most) || refusal.Observed != strconv.Itoa(c.most) {
			t.Errorf("%d were bound, then %+v; want %d by %s", n, refusal, c.most, c.rule)
		}
		// One that ends makes room for another; one that waits holds its place.
		ids := slices.Sorted(maps.Keys(w.bindings))
		refusedWith(t, w.end("P0", ids[0]), "")
		_, refusal = w.request("P0", "P20", c.relation, c.show, c.pay)
		refusedWith(t, refusal, "")
		_, refusal = w.request("P0", "P21", c.relation, c.show, c.pay)
		refusedWith(t, refusal, family.BindingLimitReached)
	}

	// The same relative once, in either state; another holder may bind him too.
	w, policy := bindingTown()
	_, refusal := w.request("P0", "P1", "20", true, nil)
	refusedWith(t, refusal, "")
	_, refusal = w.request("P0", "P1", "20", false, forCare)
	refusedWith(t, refusal, family.AlreadyBound)
	_, refusal = w.bind("P2", "P1", "20", true, forCare)
	refusedWith(t, refusal, "")

	// A beneficiary has so many grantors and no more, counted again when he accepts.
	policy.Grants.MaxGrantors = 3
	for _, p := range []family.PersonNo{"P3", "P4"} {
		_, refusal = w.bind(p, "P1", "20", false, forCare)
		refusedWith(t, refusal, "")
	}
	_, refusal = w.bind("P5", "P1", "20", false, forCare)
	refusedWith(t, refusal, family.BindingLimitReached)
	policy.Grants.MaxGrantors = 1
	_, refusal = w.bind("P5", "P1", "20", false, forCare)
	refusedWith(t, refusal, family.AlreadyBound) // "每名共济对象只能被一名主账户人绑定"
	one, refusal := w.request("P5", "P10", "20", false, forCare)
	refusedWith(t, refusal, "")
	two, refusal := w.request("P6", "P10", "20", false, forCare)
	refusedWith(t, refusal, "")
	submit(t, w, one)
	refusedWith(t, accept(w, one), "")
	submit(t, w, two)
	refusedWith(t, accept(w, two), family.AlreadyBound)
	if len(w.accounts["P10"].Grantors) != 1 || len(w.accounts["P6"].Given) != 0 {
		t.Errorf("%+v", w.accounts["P10"].Grantors)
	}

	// Switching the grant on later meets the same limits.
	w, policy = bindingTown()
	policy.Grants.MaxMembers = 1
	id, refusal := w.bind("P0", "P1", "20", true, nil)
	refusedWith(t, refusal, "")
	_, refusal = w.bind("P0", "P2", "20", false, forCare)
	refusedWith(t, refusal, "")
	refusedWith(t, w.change("P0", id, family.Change{SetPay: true, Pay: forCare}), family.BindingLimitReached)
	policy.Grants.MaxMembers, policy.MaxLinks = 10, 1
	yes, no := true, false
	refusedWith(t, w.change("P0", id, family.Change{Show: &no}), "")
	_, refusal = w.bind("P0", "P3", "20", true, nil)
	refusedWith(t, refusal, "")
	refusedWith(t, w.change("P0", id, family.Change{Show: &yes}), family.BindingLimitReached)

	// After an end of their own both wait, where the region says how long; an end that
	// neither spoke keeps nobody waiting.
	w, policy = bindingTown()
	policy.Binding.RebindDays = 90
	ends := map[family.PersonNo]func(family.BindingID) *family.Refusal{
		"P1": func(id family.BindingID) *family.Refusal { return w.end("P0", id) },
		"P2": func(id family.BindingID) *family.Refusal {
			return w.on(id, func(p family.Pair) (family.Pair, *family.Refusal) {
				return p.Tend(family.Facts{Registry: family.NoMatch}, policy, w.now), nil
			})
		},
	}
	for member, want := range map[family.PersonNo]family.Code{"P1": family.CoolingOff, "P2": ""} {
		id, refusal := w.bind("P0", member, "20", true, forCare)
		refusedWith(t, refusal, "")
		refusedWith(t, ends[member](id), "")
		if b := w.bindings[id]; b.State != family.BindingEnded {
			t.Fatalf("%+v", b)
		}
		_, refusal = w.bind("P0", member, "20", true, forCare)
		refusedWith(t, refusal, want)
	}
}

func submit(t testing.TB, w *town, id family.BindingID) {
	t.Helper()
	holder := w.bindings[id].Holder
	refusedWith(t, w.on(id, func(p family.Pair) (family.Pair, *family.Refusal) { return p.Submit(holder, w.policyOf(holder), w.now) }), "")
}

func accept(w *town, id family.BindingID) *family.Refusal {
	b := w.bindings[id]
	return w.on(id, func(p family.Pair) (family.Pair, *family.Refusal) {
		return p.Accept(b.Member, w.policyOf(b.Holder), w.now)
	})
}

func TestLaw27_TheMemberConsents(t *testing.T) {
	w, policy := bindingTown()
	w.born["P1"] = 20100311 // sixteen tomorrow
	id, refusal := w.request("P0", "P1", "20", true, forCare)
	refusedWith(t, refusal, "")
	if b := w.bindings[id]; !b.Guardian || b.State != family.BindingDraft || b.MayShow() {
		t.Errorf("%+v", b)
	}
	submit(t, w, id)
	if b := w.bindings[id]; b.State != family.BindingActive || !b.MayShow() || b.Activated != w.now || !b.ShowAgreed {
		t.Errorf("below the age of consent the holder's promise is enough: %+v", b)
	}
	refusedWith(t, w.end("P0", id), "")

	w.now = w.now.AddDate(0, 0, 1)
	id, refusal = w.request("P0", "P1", "20", true, forCare)
	refusedWith(t, refusal, "")
	want := []family.Step{{Action: family.StepSubmit, By: family.BySelf}, {Action: family.StepAccept, By: family.ByMember}}
	if diff := cmp.Diff(want, w.bindings[id].Steps); diff != "" || w.bindings[id].Guardian {
		t.Error(diff)
	}
	nothingYet := func() {
		t.Helper()
		if b := w.bindings[id]; b.MayShow() || len(w.accounts["P0"].Given)+len(w.accounts["P1"].Grantors) != 0 {
			t.Errorf("before the member accepted: %+v", b)
		}
	}
	nothingYet()
	refusedWith(t, accept(w, id), family.StateForbids) // not submitted yet
	submit(t, w, id)
	if b := w.bindings[id]; b.State != family.BindingAwaiting {
		t.Error(b.State)
	}
	submit(t, w, id) // a repeat
	nothingYet()
	for _, by := range []family.PersonNo{"P0", "P2"} { // nobody else can accept
		refusedWith(t, w.on(id, func(p family.Pair) (family.Pair, *family.Refusal) { return p.Accept(by, policy, w.now) }), family.NotPermitted)
		refusedWith(t, w.on(id, func(p family.Pair) (family.Pair, *family.Refusal) { return p.Decline(by, w.now) }), family.NotPermitted)
	}
	for _, by := range []family.PersonNo{"P1", "P2"} {
		refusedWith(t, w.on(id, func(p family.Pair) (family.Pair, *family.Refusal) { return p.Submit(by, policy, w.now) }), family.NotPermitted)
	}
	nothingYet()
	declined := w.clone()
	refusedWith(t, accept(w, id), "")
	refusedWith(t, accept(w, id), "") // a repeat
	if b := w.bindings[id]; b.State != family.BindingActive || !b.MayShow() || len(w.accounts["P0"].Given) != 1 || len(w.accounts["P1"].Grantors) != 1 {
		t.Errorf("%+v", b)
	}
	decline := func(w *town) *family.Refusal {
		return w.on(id, func(p family.Pair) (family.Pair, *family.Refusal) { return p.Decline("P1", w.now) })
	}
	refusedWith(t, decline(w), family.StateForbids)
	w = declined
	refusedWith(t, decline(w), "")
	refusedWith(t, decline(w), "") // a repeat
	nothingYet()
	if b := w.bindings[id]; b.State != family.BindingDeclined || b.EndedBy != family.ByMember || len(w.bound["P0"]) != 0 {
		t.Errorf("%+v", b)
	}
	refusedWith(t, accept(w, id), family.StateForbids)
	// A holder must have come of age himself.
	_, refusal = w.request("P1", "P0", "51", true, nil)
	refusedWith(t, refusal, "")
	w.born["P1"] = 20100313
	_, refusal = w.request("P1", "P2", "52", true, nil)
	refusedWith(t, refusal, family.RelationNotAllowed)

	// A guardian gives again what a child took back, until the fourteenth birthday.
	for born, want := range map[family.Day]family.Code{20120311: "", 20120310: family.NotPermitted} {
		w, _ := bindingTown()
		w.born["P1"] = born
		id, refusal := w.bind("P0", "P1", "20", true, forCare)
		refusedWith(t, refusal, "")
		yes, no := true, false
		refusedWith(t, w.change("P0", id, family.Change{Show: &no}), "")
		refusedWith(t, w.change("P0", id, family.Change{Show: &yes}), "") // what he himself hid
		refusedWith(t, w.change("P1", id, family.Change{Show: &no}), "")
		refusedWith(t, w.change("P0", id, family.Change{Show: &yes}), want)
		refusedWith(t, w.change("P1", id, family.Change{Show: &yes}), "")
	}

	// What has changed between the request and the consent counts.
	for _, spoil := range []func(*family.Account){
		func(a *family.Account) { a.Insurance.Active = false },
		func(a *family.Account) { a.Frozen = true },
		func(a *family.Account) { a.Insurance.Region = "110100" },
	} {
		w, _ := bindingTown()
		id, refusal := w.request("P0", "P1", "20", true, forCare)
		refusedWith(t, refusal, "")
		submit(t, w, id)
		a := w.accounts["P1"]
		spoil(&a)
		w.accounts["P1"] = a
		if refusal := accept(w, id); refusal == nil || w.bindings[id].State != family.BindingAwaiting {
			t.Error("it was accepted")
		}
	}
}

func TestLaw28_ShownOnlyWithConsent(t *testing.T) {
	yes, no := true, false
	show := func(w *town, id family.BindingID, presenter family.PersonNo) *family.Refusal {
		b := w.bindings[id]
		_, refusal := family.IssueQR("Q", presenter, w.accounts[b.Member], &b, w.policyOf(b.Member), w.now)
		return refusal
	}
	// Bound for money alone, the member has not agreed to be shown.
	w, _ := bindingTown()
	id, refusal := w.bind("P0", "P1", "20", false, forCare)
	refusedWith(t, refusal, "")
	refusedWith(t, show(w, id, "P0"), family.StateForbids)
	refusedWith(t, w.change("P0", id, family.Change{Show: &yes}), family.NotPermitted)
	refusedWith(t, w.change("P2", id, family.Change{Show: &yes}), family.NotFound)
	refusedWith(t, w.change("P1", id, family.Change{Show: &yes}), "")
	refusedWith(t, show(w, id, "P0"), "")
	// The holder may switch it off and on again; what the member takes back, only
	// he gives again.
	refusedWith(t, w.change("P0", id, family.Change{Show: &no}), "")
	refusedWith(t, show(w, id, "P0"), family.StateForbids)
	refusedWith(t, w.change("P0", id, family.Change{Show: &yes}), "")
	refusedWith(t, w.change("P1", id, family.Change{Show: &no}), "")
	refusedWith(t, w.change("P0", id, family.Change{Show: &yes}), family.NotPermitted)
	refusedWith(t, w.change("P1", id, family.Change{Show: &yes}), "")
	// Paused by either, it cannot be shown; each ends only his own pause.
	for _, side := range []family.PersonNo{"P0", "P1"} {
		refusedWith(t, w.change(side, id, family.Change{Paused: &yes}), "")
		refusedWith(t, show(w, id, "P0"), family.StateForbids)
		if b := w.bindings[id]; b.Standing() != "paused" || !w.accounts["P0"].Given[0].Paused {
			t.Error(b.Standing())
		}
	}
	refusedWith(t, w.change("P0", id, family.Change{Paused: &no}), "")
	refusedWith(t, show(w, id, "P0"), family.StateForbids)
	refusedWith(t, w.change("P1", id, family.Change{Paused: &no}), "")
	refusedWith(t, show(w, id, "P0"), "")
	if w.accounts["P0"].Given[0].Paused {
		t.Error("the grant is still paused")
	}
	// Nobody else shows it: not a stranger, not the member under the holder's link,
	// not the holder for somebody else, not anyone without a binding.
	refusedWith(t, show(w, id, "P2"), family.NotPermitted)
	refusedWith(t, show(w, id, "P1"), family.NotPermitted)
	b := w.bindings[id]
	_, refusal = family.IssueQR("Q", "P0", w.accounts["P2"], &b, w.policyOf("P2"), w.now)
	refusedWith(t, refusal, family.NotPermitted)
	_, refusal = family.IssueQR("Q", "P0", w.accounts["P1"], nil, w.policyOf("P1"), w.now)
	refusedWith(t, refusal, family.NotPermitted)
	_, refusal = family.IssueQR("Q", "P1", w.accounts["P1"], nil, w.policyOf("P1"), w.now)
	refusedWith(t, refusal, "")
	token, refusal := family.IssueQR("Q", "P0", w.accounts["P1"], &b, w.policyOf("P1"), w.now)
	refusedWith(t, refusal, "")
	if token.Presenter != "P0" || token.Patient != "P1" || token.Binding != id || token.Relation != "20" {
		t.Errorf("%+v", token)
	}
	// For a child the guardian consents, and may consent later.
	w.born["P3"] = 20200101
	id, refusal = w.bind("P0", "P3", "20", false, forCare)
	refusedWith(t, refusal, "")
	refusedWith(t, show(w, id, "P0"), family.StateForbids)
	refusedWith(t, w.change("P0", id, family.Change{Show: &yes}), "")
	refusedWith(t, show(w, id, "P0"), "")
}

func TestLaw29_EitherSideEndsAtOnce(t *testing.T) {
	live(t, func(t *rapid.T, l *life) {
		for id, b := range l.bindings {
			given := slices.ContainsFunc(l.accounts[b.Holder].Given, func(g family.Grant) bool { return g.Binding == id })
			points := slices.ContainsFunc(l.accounts[b.Member].Grantors, func(g family.Grantor) bool { return g == family.Grantor{Person: b.Holder, Binding: id} })
			may := b.State == family.BindingActive && b.Pay != nil
			if given != may || points != may {
				t.Fatalf("the binding is %s, a grant lies in the account: %t, the member's account points at it: %t", b.Standing(), given, points)
			}
			if was, ok := l.last.before.bindings[id]; ok && !was.Live() && !cmp.Equal(was, b) {
				t.Fatalf("what had ended changed: %s", cmp.Diff(was, b))
			}
		}
	})
	for by, side := range map[family.PersonNo]family.Side{"P0": family.BySelf, "P1": family.ByMember} {
		w, _ := bindingTown()
		quota := &family.Terms{Purposes: []family.Purpose{family.ForCare}, Quota: 60_00}
		id, refusal := w.bind("P0", "P1", "20", true, quota)
		refusedWith(t, refusal, "")
		if free := w.accounts["P0"]; free.Free().Total() != 40_00 {
			t.Error(free.Free())
		}
		refusedWith(t, w.end("P2", id), family.NotFound)
		refusedWith(t, w.end(by, id), "")
		ended := w.bindings[id]
		if ended.State != family.BindingEnded || ended.EndedBy != side || ended.Ended != w.now || ended.MayShow() {
			t.Errorf("%+v", ended)
		}
		// Nothing can be spent, what was frozen is the grantor's again.
		a := w.accounts["P0"]
		if len(a.Given)+len(w.accounts["P1"].Grantors)+len(w.bound["P0"]) != 0 || a.Free().Total() != 100_00 {
			t.Errorf("%+v", a)
		}
		w.now = w.now.Add(time.Hour)
		for _, again := range []family.PersonNo{"P0", "P1"} {
			refusedWith(t, w.end(again, id), "")
			if diff := cmp.Diff(ended, w.bindings[id]); diff != "" {
				t.Error(diff)
			}
		}
		yes := true
		refusedWith(t, w.change("P0", id, family.Change{Paused: &yes}), family.StateForbids)
		submitted := w.on(id, func(p family.Pair) (family.Pair, *family.Refusal) { return p.Submit("P0", w.policyOf("P0"), w.now) })
		refusedWith(t, submitted, family.StateForbids)
	}
	// What waits can be ended too, by either side.
	w, _ := bindingTown()
	id, refusal := w.request("P0", "P1", "20", true, forCare)
	refusedWith(t, refusal, "")
	refusedWith(t, w.end("P1", id), "")
	if b := w.bindings[id]; b.State != family.BindingEnded {
		t.Error(b.State)
	}
}

func TestLaw30_NothingLargeUnasked(t *testing.T) {
	asked, paid := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		l := grown(t)
		c := l.randomCase(t)
		c.Message = "H43010000001202603101000000001"
		tier := fen(t, 50_00, "tier")
		free := c
		free.Payers = slices.Clone(c.Payers)
		for i, p := range c.Payers {
			policy := *p.Policy
			policy.Grants.ConfirmAbove = map[family.Kin]family.Fen{}
			for _, kin := range family.Kins {
				policy.Grants.ConfirmAbove[kin] = tier
			}
			c.Payers[i].Policy = &policy
		}
		home := *c.Policy
		home.Grants.ConfirmLife = time.Minute
		c.Policy = &home
		within := func(s family.Settlement, approved *family.Confirmation) {
			for _, share := range s.Shares {
				most := tier
				if approved != nil {
					if a, is := approved.Of(share.Grantor); is {
						most = max(most, a.Amount)
					}
				}
				if share.Paid.Total() > most {
					t.Fatalf("%s pays %v, unasked beyond %v", share.Grantor, share.Paid, most)
				}
			}
		}
		s, effects, refusal := family.Settle(c)
		if refusal == nil {
			within(s, nil)
			return
		}
		unasked, _, refused := family.Settle(free)
		if refusal.Code != family.ConfirmationNeeded {
			if refused == nil || refused.Code != refusal.Code {
				t.Fatalf("%v, and without tiers %v", refusal, refused)
			}
			return
		}
		asked++
		wait := effects.Confirmation
		if wait == nil || len(wait.Asked) == 0 || len(effects.Accounts)+len(effects.Entries) > 0 || s.ID != "" {
			t.Fatalf("%+v %+v", s, effects)
		}
		if token := effects.Token; token != nil {
			good := func(message family.MessageID, now time.Time) bool {
				return token.Redeemable(c.Place.Code, message, false, now) == nil
			}
			if token.StateAt(c.Now) != family.QRStateHeld || good("another", c.Now) || good("", c.Now) || !good(c.Message, c.Now) ||
				!good(c.Message, wait.Until.Add(-1)) || good(c.Message, wait.Until) || token.StateAt(wait.Until) != family.QRStateExpired {
				t.Fatalf("%+v", token)
			}
			c.Token = token
		}
		// The till comes again before, between and after; somebody says no.
		said := *wait
		for _, a := range wait.Asked {
			c.Confirmation = &said
			if _, effects, refusal := family.Settle(c); refusal == nil || refusal.Code != family.ConfirmationNeeded || effects.Confirmation != nil || effects.Token != nil {
				t.Fatalf("%v %+v", refusal, effects)
			}
			if _, refusal := said.Say(a.Grantor, family.ConsentGiven, wait.Until); refusal == nil || refusal.Code != family.ConfirmationLapsed {
				t.Fatalf("approved after its time: %v", refusal)
			}
			no, refusal := said.Say(a.Grantor, family.ConsentRefused, c.Now)
			if refusal != nil || no.Answer(c.Now).Code != family.ConfirmationDeclined {
				t.Fatalf("%v %+v", refusal, no)
			}
			if _, refusal := no.Say(a.Grantor, family.ConsentGiven, c.Now); refusal == nil || refusal.Code != family.ConfirmationDeclined {
				t.Fatalf("a no was taken back: %v", refusal)
			}
			if said, refusal = said.Say(a.Grantor, family.ConsentGiven, c.Now); refusal != nil {
				t.Fatal(refusal)
			}
		}
		if _, refusal := said.Say("nobody", family.ConsentGiven, c.Now); refusal == nil || refusal.Code != family.NotFound {
			t.Fatalf("somebody who was not asked: %v", refusal)
		}
		c.Confirmation = &said
		s, _, refusal = family.Settle(c)
		if refusal != nil || refused != nil {
			t.Fatalf("approved by all: %v; without tiers: %v", refusal, refused)
		}
		within(s, &said)
		unasked.Inputs = s.Inputs // the tiers are of them
		for i := range s.Shares { // what he could have paid of a larger bill is less
			unasked.Shares[i].Limit = s.Shares[i].Limit
		}
		if diff := cmp.Diff(unasked, s); diff != "" {
			t.Fatalf("it is not what was approved: %s", diff)
		}
		paid++
		c.Now = wait.Until
		if _, _, refusal := family.Settle(c); refusal == nil || refusal.Code != family.ConfirmationLapsed {
			t.Fatalf("after its time: %v", refusal)
		}
	})
	if asked == 0 || paid == 0 {
		t.Errorf("asked %d times, paid %d", asked, paid)
	}
}

func TestLaw31_TwoPeopleAdjust(t *testing.T) {
	refused, booked := 0, 0
	live(t, func(t *rapid.T, l *life) {
		p := rapid.SampledFrom(l.people()).Draw(t, "whose")
		a := l.accounts[p]
		who := rapid.SampledFrom([]family.Reviewer{{Subject: "one"}, {Subject: "two"}, {Subject: "one", Person: "P-one"}, {Subject: "three", Person: "P-one"}, {Subject: "owner", Person: p}, {}})
		first, second := who.Draw(t, "who proposes"), who.Draw(t, "who approves")
		fen := func(label string) family.Fen {
			return family.Fen(rapid.Int64Range(-2, 2).Draw(t, label)) * max(1, a.Balance.Total()/2)
		}
		j := family.Adjustment{Reference: "A", Person: p, Amount: family.Pockets{Current: fen("current"), Past: fen("past")}, Reason: "ruling"}
		proposed, err := j.Propose(first, l.now)
		if err != nil {
			if first.Person != p {
				t.Fatal(err)
			}
			return
		}
		done, after, entry, err := proposed.Approve(a, second, l.now)
		onePerson := second.Subject == "" || second.Subject == first.Subject || second.Person == p || second.Person != "" && second.Person == first.Person
		sum := a.Balance.Plus(j.Amount)
		below := sum.Current < 0 || sum.Past < 0 || sum.Total() < a.FrozenQuota()
		if (err != nil) != (onePerson || below) {
			t.Fatalf("%v: %+v by %+v and %+v on %+v", err, j, first, second, a)
		}
		if err != nil {
			refused++
			if !cmp.Equal(after, a) || done.State != family.AdjustmentProposed {
				t.Fatalf("refused, and moved: %+v", after)
			}
			return
		}
		booked++
		if after.Balance != sum || entry.After != sum || entry.Kind != family.Adjusted || !done.Booked(entry) || entry.Seq != a.Seq+1 {
			t.Fatalf("%+v %+v", entry, after)
		}
		if _, _, _, err := done.Approve(after, family.Reviewer{Subject: "four"}, l.now); err == nil {
			t.Fatal("it was approved twice")
		}
		if _, err := done.Reject(second, l.now); err == nil {
			t.Fatal("it was rejected after it was booked")
		}
		l.accounts[p], l.entries[p] = after, append(l.entries[p], entry)
		if faults := family.ProveAccount(after, l.entries[p]); len(faults) > 0 {
			t.Fatal(faults)
		}
	})
	if refused == 0 || booked == 0 {
		t.Errorf("refused %d times, booked %d", refused, booked)
	}
}
