package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/store/storetest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestAHusbandPaysWhatHisWifesAccountDoesNot(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 0, 5000)
	h.pay(li, 0, 12000)
	id := h.bind(li, wang, "12", true, forAll())
	qr := h.show(li, id)

	out := h.settle(hospital, byQR(qr.Digits), clinicVisit())
	// The worked example E9, to the fen.
	p := out.Settlement.Paid
	same(t, "paid", p, family.Breakdown{
		Amounts:    family.Amounts{Total: 52500, OverLimit: 1500, PreSelfPay: 2100, InScope: 48900},
		Deductible: 20000, FundPaid: 17340, PersonBurden: 35160, AccountBase: 33660,
		OwnPaid: 5000, SharedPaid: 12000, CashDue: 18160,
	})
	same(t, "who paid", reasons(out), []string{"P1001 120.00 account_empty"})
	same(t, "policy", out.Settlement.Policy, "430100@2026-01")
	same(t, "settled at", out.Settlement.At, noon)
	if out.Replay {
		t.Fatal("a first answer is called a replay")
	}

	// Both accounts moved, each with its line of history, and nothing is left.
	same(t, "balances", []family.Fen{h.balance(wang), h.balance(li)}, []family.Fen{0, 0})
	same(t, "her year", h.account(wang).Year, family.YearToDate{Year: 2026, Insutype: family.Employee, Deductible: 20000, Pool: 17340, Day: 20260312, DayPool: 17340})
	grant := h.account(li).Given[0]
	same(t, "the grant's month and all", []any{grant.Spent, grant.Used}, []any{family.MonthSpent{Month: 202603, Spent: 12000}, family.Fen(12000)})
	for _, line := range []struct {
		whose   family.PersonNo
		delta   family.Pockets
		patient bool
	}{{wang, family.Pockets{Past: -5000}, true}, {li, family.Pockets{Past: -12000}, false}} {
		page := ok(h.Entries(t.Context(), line.whose, "", 1))(t)
		e := page.Items[0]
		if e.Delta != line.delta || e.Patient != line.patient || e.Ref != string(out.Settlement.ID) || e.Kind != family.Settled {
			t.Errorf("the newest line of %s is %+v", line.whose, e)
		}
	}
	same(t, "the institution's view", ok(h.PlaceSettlement(t.Context(), hospital, out.Settlement.ID))(t), out)
	h.prove()
}

func TestAQuoteMovesNothingAndIsWhatTheSettlementBecomes(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 0, 5000)
	h.pay(li, 30000, 0)
	id := h.bind(li, wang, "12", true, forAll())
	qr := h.show(li, id)
	ask := SettleAsk{Credential: byQR(qr.Digits), Bill: clinicVisit()}

	before := h.dump()
	quote := ok(h.Quote(t.Context(), hospital, ask))(t)
	same(t, "a second quote", ok(h.Quote(t.Context(), hospital, ask))(t), quote)
	check := ok(h.Check(t.Context(), li, id, hospital, clinicVisit(), family.Need{}))(t)
	same(t, "what he asked beforehand", partsOf(check), partsOf(quote))
	h.wantNothingMoved(before)

	cash := quote.Settlement.Paid.CashDue
	ask.Message, ask.Bill.ExpectedCash = h.message(hospital), &cash
	out := ok(h.Settle(t.Context(), hospital, ask))(t)
	if diff := cmp.Diff(quote, out, cmpopts.IgnoreFields(family.Settlement{}, "ID", "Legs")); diff != "" {
		t.Fatalf("the settlement is not what was quoted (-quote +settlement):\n%s", diff)
	}
	same(t, "parts", partsOf(out), parts{Total: 52500, Fund: 17340, Own: 5000, Shared: 28660, Cash: 1500})
	h.prove()
}

func TestWhomACheckIsFor(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 10000, 0)
	id := h.bind(li, wang, "12", true, forAll())
	same(t, "for himself", partsOf(ok(h.Check(t.Context(), li, "", pharmacy, medicine(100), family.Need{}))(t)), parts{Total: 100, Own: 100})
	same(t, "for his wife", partsOf(ok(h.Check(t.Context(), li, id, pharmacy, medicine(100), family.Need{}))(t)), parts{Total: 100, Shared: 100})
	refused(h.Check(t.Context(), wang, id, pharmacy, medicine(100), family.Need{}))(t, family.NotFound)
	refused(h.Check(t.Context(), zhou, id, pharmacy, medicine(100), family.Need{}))(t, family.NotFound)
	refused(h.Check(t.Context(), li, "", "P43010009999", medicine(100), family.Need{}))(t, family.InstitutionNotDesignated)
	refused(h.Check(t.Context(), "P9999", "", pharmacy, medicine(100), family.Need{}))(t, family.PersonNotInsured)
	refused(h.Check(t.Context(), li, "", pharmacy, family.Bill{}, family.Need{}))(t, family.Malformed)
	ok(h.ChangeBinding(t.Context(), li, id, family.Change{Paused: new(true)}))(t)
	refused(h.Check(t.Context(), li, id, pharmacy, medicine(100), family.Need{}))(t, family.StateForbids)
}

func TestThePatientIsToldByAnyCredential(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 10000, 0)
	id := h.bind(li, wang, "12", true, forAll())
	her := h.human(wang)
	wangID := string(h.idOf(wang))
	for _, c := range []struct {
		what       string
		credential func() Credential
		code       family.Code
	}{
		{"her code", func() Credential { return byQR(h.show(li, id).Digits) }, ""},
		{"her code and name", func() Credential { return Credential{ByQR, h.show(li, id).Digits, her.name} }, ""},
		{"her code, the presenter's name", func() Credential { return Credential{ByQR, h.show(li, id).Digits, "李明远"} }, family.QRWrongPatient},
		{"ID number and name", func() Credential { return Credential{ByID, wangID, her.name} }, ""},
		{"ID number and another name", func() Credential { return Credential{ByID, wangID, "王秀梅"} }, family.IdentityMismatch},
		{"another's ID number", func() Credential { return Credential{ByID, string(h.idOf(li)), her.name} }, family.IdentityMismatch},
		{"an ID number nobody has", func() Credential {
			return Credential{ByID, string(idNumber(t, "990102", "19600101", "333")), her.name}
		}, family.IdentityMismatch},
		{"ID number without a name", func() Credential { return Credential{ByID, wangID, ""} }, family.Malformed},
		{"no ID number", func() Credential { return Credential{ByID, strings.Repeat("9", 18), her.name} }, family.Malformed},
		{"her card", func() Credential { return Credential{ByCard, her.card, ""} }, ""},
		{"her card and name", func() Credential { return Credential{ByCard, her.card, her.name} }, ""},
		{"her card and another name", func() Credential { return Credential{ByCard, her.card, "王秀梅"} }, family.IdentityMismatch},
		{"a card nobody has", func() Credential { return Credential{ByCard, "A99999999", ""} }, family.IdentityMismatch},
		{"no card", func() Credential { return Credential{ByCard, "", ""} }, family.Malformed},
		{"a code too short", func() Credential { return byQR("8612345") }, family.Malformed},
		{"a code misread", func() Credential { return byQR(misread(h.show(li, id).Digits)) }, family.QRInvalid},
		{"a code never issued", func() Credential { return byQR(family.QRDigits("12345678901234567")) }, family.QRInvalid},
		{"her word", func() Credential { return Credential{"word", "王秀兰", ""} }, family.Malformed},
	} {
		message := h.message(pharmacy)
		credential := c.credential()
		out, err := h.Settle(t.Context(), pharmacy, SettleAsk{Message: message, Credential: credential, Bill: medicine(100)})
		switch {
		case codeOf(err) != c.code || c.code == "" && err != nil:
			t.Errorf("%s: %v, want %q", c.what, err, c.code)
		case c.code == "" && (out.Settlement.Patient != wang || partsOf(out) != parts{Total: 100, Shared: 100}):
			t.Errorf("%s: the patient is %s and paid %+v", c.what, out.Settlement.Patient, partsOf(out))
		}
		// What could not be taken as a request leaves its message id unused; every
		// other answer stands.
		view := ok(h.FindMessage(t.Context(), pharmacy, message))(t)
		if view.Fenced != (c.code == family.Malformed) {
			t.Errorf("%s: the message is now %+v", c.what, view)
		}
	}
	h.prove()
}

// misread changes the last digit but one of a code, as a worn screen does.
func misread(digits string) string {
	b := []byte(digits)
	b[18] = '0' + (b[18]-'0'+1)%10
	return string(b)
}

func TestAnIDNumberMayEndInASmallX(t *testing.T) {
	h := newHouse(t)
	p := human{born: "19900101", name: "钱小溪", insurance: cast[0].insurance}
	for n := 1; ; n++ { // until a number's check character is X
		p.no = family.PersonNo(fmt.Sprintf("P5%03d", n))
		if id := h.feedOf(p).ID; id[17] == 'X' {
			break
		}
	}
	h.feed(p)
	ask := SettleAsk{Message: h.message(pharmacy), Credential: Credential{ByID, strings.ToLower(string(h.feedOf(p).ID)), p.name}, Bill: medicine(100)}
	ok(h.Settle(t.Context(), pharmacy, ask))(t)
	ask.Credential.Value = strings.ToUpper(ask.Credential.Value)
	if out := ok(h.Settle(t.Context(), pharmacy, ask))(t); !out.Replay {
		t.Fatal("the same number in another spelling is another message")
	}
}

func TestAMessageDecidedIsFinal(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 10000, 0)
	ask := SettleAsk{Message: h.message(pharmacy), Credential: h.byID(wang), Bill: medicine(3000)}
	first := ok(h.Settle(t.Context(), pharmacy, ask))(t)

	before := h.dump()
	h.clock.add(48 * time.Hour)
	again := ok(h.Settle(t.Context(), pharmacy, ask))(t)
	if !again.Replay {
		t.Fatal("the second answer is not called a replay")
	}
	again.Replay = false
	same(t, "the second answer", again, first)

	for what, change := range map[string]func(*SettleAsk){
		"the bill":       func(a *SettleAsk) { a.Bill = medicine(3001) },
		"the patient":    func(a *SettleAsk) { a.Credential = h.byID(li) },
		"the credential": func(a *SettleAsk) { a.Credential = Credential{ByCard, h.human(wang).card, ""} },
		"the cash":       func(a *SettleAsk) { a.Bill.ExpectedCash = new(family.Fen) },
	} {
		other := ask
		change(&other)
		if _, err := h.Settle(t.Context(), pharmacy, other); codeOf(err) != family.MessageReused {
			t.Errorf("%s changed: %v", what, err)
		}
	}
	// Neither may another act use the id.
	refused(h.Refund(t.Context(), pharmacy, "P43010000002202603010000000001", ask.Message, []family.Return{{LineNo: 1, Quantity: 1}}))(t, family.MessageReused)
	refused(h.Settle(t.Context(), hospital, ask))(t, family.Malformed) // it begins with another's code
	h.wantNothingMoved(before)
}

func TestARepeatAfterARefundIsStillTheFirstAnswer(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 10000, 0)
	ask := SettleAsk{Message: h.message(pharmacy), Credential: h.byID(wang), Bill: bill(family.PharmacyBuy, line(1, classA, 2, 1000))}
	first := ok(h.Settle(t.Context(), pharmacy, ask))(t)
	refund := ok(h.Refund(t.Context(), pharmacy, ask.Message, h.message(pharmacy), []family.Return{{LineNo: 1, Quantity: 10_000}}))(t)
	again := ok(h.Settle(t.Context(), pharmacy, ask))(t)
	// Only what became of it since is told besides.
	same(t, "what is kept", []any{again.Settlement.Kept, again.Settlement.Refunds}, []any{[]family.Quantity{10_000}, []family.MessageID{refund.Settlement.ID}})
	again.Replay, again.Settlement.Kept, again.Settlement.Refunds = false, first.Settlement.Kept, nil
	same(t, "the second answer", again, first)
}

func TestARefusalIsFinalToo(t *testing.T) {
	h := newHouse(t)
	ask := SettleAsk{Message: h.message(pharmacy), Credential: h.byID(wang), Bill: medicine(3000)}
	ask.Bill.ExpectedCash = new(family.Fen) // nothing: her account should pay it all
	first := refused(h.Settle(t.Context(), pharmacy, ask))(t, family.QuoteStale)
	same(t, "observed and allowed", []string{first.Observed, first.Allowed}, []string{"0", "3000"})

	h.pay(wang, 10000, 0) // now it could
	before := h.dump()
	out, err := h.Settle(t.Context(), pharmacy, ask)
	same(t, "the second answer", refused(out, err)(t, family.QuoteStale), first)
	if !out.Replay {
		t.Fatal("the second answer is not called a replay")
	}
	other := ask
	other.Bill = medicine(3000)
	refused(h.Settle(t.Context(), pharmacy, other))(t, family.MessageReused)
	h.wantNothingMoved(before)

	ask.Message = h.message(pharmacy)
	same(t, "parts", partsOf(ok(h.Settle(t.Context(), pharmacy, ask))(t)), parts{Total: 3000, Own: 3000})
	h.prove()
}

func TestWhatABillIsRefusedFor(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 10000, 0)
	h.settle(pharmacy, h.byID(wang), medicine(100, "83000000000000000001"))
	for _, c := range []struct {
		what   string
		bill   family.Bill
		change func(*family.Bill)
		code   family.Code
	}{
		{"a total that is not its lines'", medicine(100), func(b *family.Bill) { b.Total++ }, family.SumMismatch},
		{"a line that is not its price", medicine(100), func(b *family.Bill) { b.Lines[0].UnitPrice = 50 }, family.SumMismatch},
		{"goods that nobody knows", medicine(100), func(b *family.Bill) { b.Lines[0].Code = "XX999999" }, family.ItemNotCovered},
		{"a box that was sold", medicine(100, "83000000000000000001"), nil, family.TraceAlreadySold},
		{"a box twice", bill(family.PharmacyBuy, line(1, classA, 1, 100, "X1"), line(2, classA, 1, 100, "X1")), nil, family.Malformed},
		{"a line twice", bill(family.PharmacyBuy, line(1, classA, 1, 100), line(1, classA, 1, 100)), nil, family.Malformed},
		{"no lines", family.Bill{MedType: family.PharmacyBuy, Total: 1}, nil, family.Malformed},
		{"a stay of one price", medicine(100), func(b *family.Bill) { b.MedType = "2102" }, family.Malformed},
		{"a stay in a pharmacy", medicine(100), func(b *family.Bill) { b.MedType = "21" }, family.StateForbids},
	} {
		if c.change != nil {
			c.change(&c.bill)
		}
		before := h.balance(wang)
		if _, err := h.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: h.byID(wang), Bill: c.bill}); codeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", c.what, err, c.code)
		}
		same(t, "her balance", h.balance(wang), before)
	}
	h.prove()
}

func TestATillMayLeaveAccountsAlone(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 10000, 0)
	h.pay(li, 10000, 0)
	h.bind(li, wang, "12", true, forAll())
	b := medicine(3000)
	b.UseAccount = false
	same(t, "parts", partsOf(h.settle(pharmacy, h.byID(wang), b)), parts{Total: 3000, Cash: 3000})
	same(t, "balances", []family.Fen{h.balance(wang), h.balance(li)}, []family.Fen{10000, 10000})
	h.prove()
}

func TestABoxIsSoldOnceAndAgainAfterItCameBack(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 100000, 0)
	b := bill(family.PharmacyBuy, line(1, classA, 2, 1000, "BOX1", "BOX2"), line(2, classB, 1, 500, "BOX3"))
	sale := h.settle(pharmacy, h.byID(wang), b)
	sold := func(code string, want bool) {
		t.Helper()
		_, err := h.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: h.byID(wang), Bill: medicine(1000, code)})
		if (codeOf(err) == family.TraceAlreadySold) != want || !want && err != nil {
			t.Fatalf("box %s: %v", code, err)
		}
	}
	sold("BOX1", true)
	refund := func(no int, units family.Quantity) {
		t.Helper()
		ok(h.Refund(t.Context(), pharmacy, sale.Settlement.ID, h.message(pharmacy), []family.Return{{LineNo: no, Quantity: units * 10_000}}))(t)
	}
	refund(1, 1)
	sold("BOX1", true) // which of the two came back, nobody said
	sold("BOX2", true)
	refund(1, 1)
	sold("BOX1", false)
	sold("BOX1", true) // and is sold again
	sold("BOX2", false)
	sold("BOX3", true)
	ok(h.Reverse(t.Context(), pharmacy, sale.Settlement.ID, h.message(pharmacy), ""))(t)
	sold("BOX3", false)
	sold("BOX1", true) // the reversal gave back what refunds had left, not the boxes sold since
	h.prove()
}

// shenzhen is a house with a mother in Shenzhen, where the richest grantor pays
// first, and her two sons, who have 10.00 and 20.00.
func shenzhen(t *testing.T) (h *house, mother Credential, sons []family.PersonNo, shop family.InstitutionCode) {
	h = newHouse(t)
	insured := family.Insurance{Region: "440300", Insutype: family.Employee, PsnType: "11", Active: true}
	m := human{"P4000", "赵素云", "19600101", insured, "", ""}
	h.feed(m)
	for i, son := range []human{{"P4001", "赵一鸣", "19850101", insured, "", ""}, {"P4002", "赵二鸣", "19870101", insured, "", ""}} {
		h.feed(son)
		h.pay(son.no, family.Fen(1000*(i+1)), 0)
		ask := BindingAsk{Name: m.name, ID: h.feedOf(m).ID, Relation: "52", Pay: forAll()}
		id := ok(h.RequestBinding(t.Context(), son.no, ask, Once{}))(t).Answer.Binding.ID
		ok(h.Submit(t.Context(), son.no, id))(t)
		ok(h.Accept(t.Context(), m.no, id))(t)
		sons = append(sons, son.no)
	}
	shop = "P44030000001"
	ok(h.FeedPlace(t.Context(), family.Place{Code: shop, Name: "测试深圳药房", Kind: family.Pharmacy, Level: "11", Region: "440305", Designated: true}))(t)
	return h, Credential{Type: ByID, Value: string(h.feedOf(m).ID), Name: m.name}, sons, shop
}

func TestTheRichestGrantorPaysFirstInShenzhen(t *testing.T) {
	h, mother, _, shop := shenzhen(t)
	buy := func(want ...string) {
		t.Helper()
		same(t, "who paid", reasons(h.settle(shop, mother, medicine(1500))), want)
	}
	buy("P4002 15.00", "P4001 0.00 nothing_left") // 20.00 against 10.00
	buy("P4001 10.00 account_empty", "P4002 5.00")
	h.prove()
}

func TestTheLargestSettlementFitsOneCommit(t *testing.T) {
	h := newHouse(t)
	patient := human{"P6000", "孙外婆", "19400101", cast[3].insurance, "", ""}
	h.feed(patient)
	var boxes []string
	for i := range family.MaxTraceCodes {
		boxes = append(boxes, fmt.Sprintf("8300%016d", i))
	}
	var shows family.BindingID
	for i := range family.MaxGrantors {
		p := human{family.PersonNo(fmt.Sprintf("P601%d", i)), "孙孙辈", fmt.Sprintf("199001%02d", i+1), cast[0].insurance, "", ""}
		h.feed(p)
		h.pay(p.no, 100, 0)
		ask := BindingAsk{Name: patient.name, ID: h.feedOf(patient).ID, Relation: "63", Show: true, Pay: forAll()}
		shows = ok(h.RequestBinding(t.Context(), p.no, ask, Once{}))(t).Answer.Binding.ID
		ok(h.Submit(t.Context(), p.no, shows))(t)
		ok(h.Accept(t.Context(), patient.no, shows))(t)
	}
	last := family.PersonNo(fmt.Sprintf("P601%d", family.MaxGrantors-1))
	b := bill(family.PharmacyBuy, line(1, classA, len(boxes), 10, boxes...))

	before := h.dump()
	sale := h.settle(pharmacy, Credential{ByQR, h.show(last, shows).Digits, patient.name}, b)
	same(t, "parts", partsOf(sale), parts{Total: 800, Shared: 800})
	same(t, "legs", len(sale.Settlement.Legs), 3+1+family.MaxGrantors)
	if wrote := len(changed(before, h.dump())); wrote != 100+1 { // and the code's pointer, which its issue wrote
		t.Fatalf("%d records were written", wrote)
	}
	ok(h.Reverse(t.Context(), pharmacy, sale.Settlement.ID, h.message(pharmacy), "全退"))(t)
	same(t, "the last grantor's balance", h.balance(last), family.Fen(100))
	h.prove()
}

// TestWhatASettlementCosts holds what a settlement reads and writes: records are
// what the production store charges for, rounds are what the till waits for.
func TestWhatASettlementCosts(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 5000, 0)
	h.pay(li, 1000000, 0)
	h.pay(lijun, 1000000, 0)
	threeLines := bill(family.PharmacyBuy, line(1, classA, 1, 1000), line(2, classB, 1, 1000), line(3, classC, 1, 1000))
	boxed := bill(family.PharmacyBuy, line(1, classA, 1, 1000, "COST1"), line(2, classB, 1, 1000), line(3, classC, 1, 1000))

	cost := func(what string, c Credential, b family.Bill, want parts, records, checks int) {
		t.Helper()
		before := h.dump()
		counted, calls := h.watched()
		var commit struct{ writes, checks, bytes int }
		calls.Before = func(call storetest.Call) {
			for _, w := range call.Writes {
				if w.Check {
					commit.checks++
				} else {
					commit.writes++
					commit.bytes += len(w.Body)
				}
			}
		}
		out := ok(counted.Settle(t.Context(), pharmacy, SettleAsk{Message: h.message(pharmacy), Credential: c, Bill: b}))(t)
		same(t, what, partsOf(out), want)
		t.Logf("%-42s %d read rounds, %d commit of %d records and %d checks, %d bytes", what+":",
			calls.Calls("Get"), calls.Calls("Commit"), commit.writes, commit.checks, commit.bytes)
		if wrote := changed(before, h.dump()); len(wrote) != records || commit.writes != records || commit.checks != checks || calls.Calls("Commit") != 1 || calls.Calls("List") > 1 { // a new process lists the policies, once a day
			t.Errorf("%s: %d commits wrote %d records with %d checks, want %d and %d: %q", what, calls.Calls("Commit"), len(wrote), commit.checks, records, checks, wrote)
		}
		most := 3 // whether the day's rules are closed, once a day in a process; the message with all that the till named; the patient with his grantors
		if c.Type != ByQR {
			most = 4 // only the patient's account says who his grantors are
		}
		if rounds := calls.Calls("Get"); rounds > most {
			t.Errorf("%s: %d read rounds", what, rounds)
		}
	}
	own := func() Credential { return byQR(h.show(wang, "").Digits) }
	cost("QR, own account", own(), threeLines, parts{Total: 3000, Own: 2000, Cash: 1000}, 4, 0)
	link := h.bind(li, wang, "12", true, forAll())
	code := func() Credential { return byQR(h.show(li, link).Digits) }
	cost("QR, own account, a grantor not needed", own(), threeLines, parts{Total: 3000, Own: 2000, Cash: 1000}, 4, 0)
	cost("QR, own account and one grantor", code(), threeLines, parts{Total: 3000, Own: 1000, Shared: 1000, Cash: 1000}, 6, 0)
	cost("QR, one grantor", code(), threeLines, parts{Total: 3000, Shared: 2000, Cash: 1000}, 6, 0)
	cost("QR, one grantor, a box", code(), boxed, parts{Total: 3000, Shared: 2000, Cash: 1000}, 7, 0)
	h.bind(li, chen, "52", true, forAll())
	h.bind(lijun, chen, "52", false, forAll())
	cost("ID number, the first of two grantors", h.byID(chen), threeLines, parts{Total: 3000, Shared: 2000, Cash: 1000}, 5, 0)
}

func TestGrantorsPayInTheOrderOfFiling(t *testing.T) {
	h := newHouse(t)
	h.pay(li, 1000, 0)
	h.pay(lijun, 3000, 0)
	h.bind(li, chen, "52", true, forAll())
	h.bind(lijun, chen, "52", true, forAll())
	same(t, "first", reasons(h.settle(pharmacy, h.byID(chen), medicine(800))), []string{"P1001 8.00", "P1005 0.00 nothing_left"})
	out := h.settle(pharmacy, h.byID(chen), medicine(800))
	same(t, "second", reasons(out), []string{"P1001 2.00 account_empty", "P1005 6.00"})
	h.prove()
}
