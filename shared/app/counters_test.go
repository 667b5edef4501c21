package app

import (
	"testing"
	"time"

	"gongji/shared/family"
)

// at sets the clock to a time in China.
func (h *house) at(year int, month time.Month, day, hour, minute, second int) {
	h.clock.now = time.Date(year, month, day, hour, minute, second, 0, time.FixedZone("", 8*60*60))
}

// TestHowMuchMayBeBought: so much in one settlement and so much within the period, at all
// institutions together; a refusal and a quote count nothing, what comes back may be
// bought again, and the period ends at midnight in China.
func TestHowMuchMayBeBought(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	const code = "XQ000001"
	ok(h.FeedItem(ctx, family.Item{
		Code: code, Name: "限量药", ListType: "101", Class: family.ClassA, From: 20200101,
		Limits: &family.Limits{MaxQuantity: 3_0000, PeriodDays: 30, PeriodQuantity: 5_0000},
	}))(t)
	buy := func(place family.InstitutionCode, units int) (Outcome, error) {
		kind := family.Outpatient
		if place == pharmacy {
			kind = family.PharmacyBuy
		}
		return h.Settle(ctx, place, SettleAsk{Message: h.message(place), Credential: h.byID(zhou), Bill: bill(kind, line(1, code, units, 1000))})
	}
	beyond := func(what, rule, observed string) func(Outcome, error) {
		return func(o Outcome, err error) {
			t.Helper()
			r := refused(o, err)(t, family.QuantityLimit)
			same(t, what, []any{r.Rule, r.Observed, r.Line}, []any{rule, observed, 1})
		}
	}
	beyond("four at once", "limits.max_quantity", "4")(buy(pharmacy, 4))
	first := ok(buy(pharmacy, 3))(t)
	beyond("three more, elsewhere", "limits.period_quantity", "6")(buy(hospital, 3))
	ok(h.Quote(ctx, hospital, SettleAsk{Credential: h.byID(zhou), Bill: bill(family.Outpatient, line(1, code, 2, 1000))}))(t)
	ok(buy(hospital, 2))(t)
	beyond("one more", "limits.period_quantity", "6")(buy(clinic, 1))
	ok(h.Settle(ctx, clinic, SettleAsk{Message: h.message(clinic), Credential: h.byID(wang), Bill: bill(family.Outpatient, line(1, code, 3, 1000))}))(t) // another's count is his own

	ok(h.Refund(ctx, pharmacy, first.Settlement.ID, h.message(pharmacy), []family.Return{{LineNo: 1, Quantity: 1_0000}}))(t)
	beyond("two for the one that came back", "limits.period_quantity", "6")(buy(clinic, 2))
	ok(buy(clinic, 1))(t)

	h.at(2026, 4, 10, 23, 59, 59) // the thirtieth day, 12 March among them
	beyond("in the period's last second", "limits.period_quantity", "6")(buy(pharmacy, 1))
	h.clock.add(time.Second)
	ok(buy(pharmacy, 3))(t)
	h.prove()
}

// TestTheYearTurnsAtMidnightInChina: deductible and cap of a year are used up until its
// last second there, which is four in the afternoon in UTC; what comes back afterwards
// leaves the new year's counters alone.
func TestTheYearTurnsAtMidnightInChina(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b := bill(family.Outpatient, line(1, classA, 1, 50000))
	visit := func(what string, deductible, fund family.Fen) Outcome {
		t.Helper()
		out := h.settle(hospital, h.byID(zhou), b)
		same(t, what, []family.Fen{out.Settlement.Paid.Deductible, out.Settlement.Paid.FundPaid}, []family.Fen{deductible, fund})
		return out
	}
	h.at(2026, 12, 31, 7, 59, 59) // in UTC the day before
	visit("the first of 2026", 200_00, 180_00)
	h.at(2026, 12, 31, 23, 59, 59)
	old := visit("the last second of 2026", 0, 300_00)
	h.clock.add(time.Second)
	visit("the first second of 2027", 200_00, 180_00)
	h.at(2027, 1, 1, 8, 0, 0) // the year begins in UTC
	visit("the same morning", 0, 300_00)
	ok(h.Reverse(t.Context(), hospital, old.Settlement.ID, h.message(hospital), "退"))(t)
	visit("after what came back for the old year", 0, 300_00)
	account := h.account(zhou)
	same(t, "used up of 2027", account.UsedOn(20270101, false).Pool, family.Fen(780_00))
	h.prove()
}

// TestInsuranceChangesInMidYear: who becomes a resident in mid-year has a resident's
// benefit with counters of its own, and finds what he had used when he comes back; a
// refund counts where its sale counted.
func TestInsuranceChangesInMidYear(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b := bill(family.Outpatient, line(1, classA, 1, 50000))
	visit := func(what string, place family.InstitutionCode, deductible, fund family.Fen) Outcome {
		t.Helper()
		out := h.settle(place, h.byID(zhou), b)
		same(t, what, []family.Fen{out.Settlement.Paid.Deductible, out.Settlement.Paid.FundPaid}, []family.Fen{deductible, fund})
		return out
	}
	become := func(i family.Insurance) {
		t.Helper()
		p := h.human(zhou)
		p.insurance = i
		same(t, "the feed", h.feed(p), FedUpdated)
	}
	employee := h.human(zhou).insurance
	resident := family.Insurance{Region: changsha, Insutype: family.Resident, PsnType: "1501", Active: true}

	first := visit("employed, at a hospital", hospital, 200_00, 180_00)
	become(resident)
	visit("a resident, at a hospital", hospital, 0, 0)
	visit("a resident, at a clinic", clinic, 0, 350_00)
	visit("again", clinic, 0, 350_00)
	visit("the rest of 800.00 a year", clinic, 0, 100_00)
	become(employee)
	visit("employed again: the deductible was paid", hospital, 0, 300_00)
	become(resident)
	ok(h.Reverse(t.Context(), hospital, first.Settlement.ID, h.message(hospital), "退"))(t) // while a resident
	become(employee)
	visit("its deductible is due again", hospital, 200_00, 180_00)
	become(resident)
	visit("nothing is left of the resident's year", clinic, 0, 0)
	h.at(2027, 1, 1, 0, 0, 0)
	visit("until the year turns", clinic, 0, 350_00)
	h.prove()
}
