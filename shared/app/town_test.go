package app

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/seedtest"
	"gongji/shared/store/storetest"
)

// TestATownLivesThroughAnything lets a town of families do whatever the dice say,
// over a store that stumbles, with repeats, late messages and leaps of time across
// months and a year's end. Nothing may fail but by a refusal, every repeat gets the
// first answer, and the books are proved all along.
func TestATownLivesThroughAnything(t *testing.T) {
	t.Parallel()
	r := seedtest.Rand(t)
	steps := 1200
	if testing.Short() {
		steps = 200
	}
	town := &town{house: newHouse(t), t: t, r: r, told: map[family.Code]int{}}
	town.stumbling = town.over(&storetest.Faulty{Store: town.store, Plan: func(storetest.Call) storetest.Fault {
		if r.IntN(12) > 0 {
			return storetest.None
		}
		return storetest.Faults[r.IntN(len(storetest.Faults))]
	}})
	town.clock.add(270 * 24 * time.Hour) // it is December
	for n := range steps {
		town.step()
		if n%100 == 99 {
			town.prove()
		}
	}
	town.prove()
	t.Logf("answers: %v", town.told)
	if town.told[""] < steps/5 {
		t.Errorf("only %d of %d steps did anything", town.told[""], steps)
	}
}

// town is a house in which everything happens by chance.
type town struct {
	*house
	t         *testing.T
	r         *rand.Rand
	stumbling *App
	bindings  []family.Binding
	codes     []string
	sent      []sent // every message that was answered
	told      map[family.Code]int
}

// sent is a message and what it was first answered.
type sent struct {
	place  family.InstitutionCode
	id     family.MessageID
	send   func(*App) (Outcome, error)
	sale   bool
	answer parts
	code   family.Code
}

// one of a list; the list is not empty.
func pick[E any](r *rand.Rand, list []E) E { return list[r.IntN(len(list))] }

// done carries an act out, again while it is told to, and wants an answer or a
// refusal.
func done[A any](w *town, what string, run func(*App) (A, error)) (A, error) {
	w.t.Helper()
	a := w.stumbling
	answer, err := until(func() (A, error) {
		answer, err := run(a)
		if codeOf(err) == family.OutcomeUnknown && w.r.IntN(3) == 0 {
			a = w.App // some ask at another door
		}
		return answer, err
	})
	if _, refusal := err.(*family.Refusal); err != nil && !refusal {
		w.t.Fatalf("%s: %v", what, err)
	}
	w.told[codeOf(err)]++
	return answer, err
}

func (w *town) person() family.PersonNo { return pick(w.r, cast).no }

func (w *town) terms() *family.Terms {
	if w.r.IntN(4) == 0 {
		return nil
	}
	some := func(most int) family.Fen { return family.Fen(w.r.IntN(2) * w.r.IntN(most)) }
	terms := &family.Terms{Purposes: forAll().Purposes[w.r.IntN(2):], MonthlyCap: some(20000), PerSettlementCap: some(6000), Quota: some(8000)}
	if w.r.IntN(5) == 0 {
		terms.ValidUntil = family.DayOf(w.clock.Now().Add(time.Duration(w.r.IntN(60)) * 24 * time.Hour))
	}
	return terms
}

func (w *town) bill(med family.MedType) family.Bill {
	b := family.Bill{MedType: med, UseAccount: w.r.IntN(10) > 0}
	for no := range 1 + w.r.IntN(4) {
		l := line(no+1, pick(w.r, goods).Code, 1+w.r.IntN(3), family.Fen(w.r.IntN(9000)))
		if w.r.IntN(3) == 0 {
			l.TraceCodes = []string{fmt.Sprintf("BOX%d", w.r.IntN(60))}
		}
		if len(b.Lines) == 0 || l.TraceCodes == nil { // so that no bill has a box twice
			b.Lines, b.Total = append(b.Lines, l), b.Total+l.Amount
		}
	}
	return b
}

// message sends a message of an institution and remembers what it was answered.
func (w *town) message(s sent) {
	out, err := done(w, "a message", s.send)
	s.answer, s.code = partsOf(out), codeOf(err)
	if s.code != family.Malformed {
		w.sent = append(w.sent, s)
	}
}

// step is one thing that happens.
func (w *town) step() {
	ctx := w.t.Context()
	switch n := w.r.IntN(100); {
	case n < 8:
		reference := fmt.Sprintf("T%d", w.house.sent.Add(1))
		amount := family.Pockets{Current: family.Fen(w.r.IntN(9000)), Past: family.Fen(1 + w.r.IntN(9000))}
		p := w.person()
		_, _ = done(w, "a credit", func(a *App) (Fed, error) { return a.FeedCredit(ctx, reference, p, amount) })
	case n < 20:
		holder, member := w.person(), w.person()
		ask := w.ask(member, pick(w.r, []family.Relation{"12", "20", "52", "73", "55"}), w.r.IntN(3) > 0, w.terms())
		key := Once{fmt.Sprint(w.house.sent.Add(1)), ask}
		view, err := done(w, "a request", func(a *App) (Answered[BindingView], error) { return a.RequestBinding(ctx, holder, ask, key) })
		if err == nil {
			id := view.Answer.Binding.ID
			w.bindings = append(w.bindings, view.Answer.Binding)
			_, _ = done(w, "a submit", func(a *App) (BindingView, error) { return a.Submit(ctx, holder, id) })
			if w.r.IntN(5) > 0 {
				_, _ = done(w, "an accept", func(a *App) (BindingView, error) { return a.Accept(ctx, member, id) })
			}
		}
	case n < 34 && len(w.bindings) > 0:
		b := pick(w.r, w.bindings)
		id, by := b.ID, pick(w.r, []family.PersonNo{b.Holder, b.Holder, b.Holder, b.Member, b.Member, w.person()})
		switch w.r.IntN(16) {
		case 0:
			_, _ = done(w, "an end", func(a *App) (BindingView, error) { return a.EndBinding(ctx, by, id) })
		case 1:
			_, _ = done(w, "a decline", func(a *App) (BindingView, error) { return a.Decline(ctx, by, id) })
		case 2, 3:
			paused := w.r.IntN(2) == 0
			_, _ = done(w, "a pause", func(a *App) (BindingView, error) {
				return a.ChangeBinding(ctx, by, id, family.Change{Paused: &paused})
			})
		default:
			terms, show := w.terms(), w.r.IntN(2) == 0
			_, _ = done(w, "a change", func(a *App) (BindingView, error) {
				return a.ChangeBinding(ctx, by, id, family.Change{Show: &show, SetPay: true, Pay: terms})
			})
		}
	case n < 46:
		by, id, key := w.person(), family.BindingID(""), Once{fmt.Sprint(w.house.sent.Add(1)), nil}
		if len(w.bindings) > 0 && w.r.IntN(3) > 0 {
			b := pick(w.r, w.bindings)
			by, id = b.Holder, b.ID
		}
		code, err := done(w, "a code", func(a *App) (Answered[QRView], error) { return a.IssueQR(ctx, by, id, key) })
		if err == nil {
			w.codes = append(w.codes, code.Answer.Digits)
		}
	case n < 72:
		place := pick(w.r, places)
		med := family.PharmacyBuy
		if place.Kind == family.Hospital {
			med = family.Outpatient
		}
		ask := SettleAsk{Message: w.house.message(place.Code), Credential: w.byID(w.person()), Bill: w.bill(med)}
		if len(w.codes) > 0 && w.r.IntN(2) == 0 {
			ask.Credential = byQR(w.codes[len(w.codes)-1-w.r.IntN(min(3, len(w.codes)))])
		}
		if w.r.IntN(20) == 0 { // somebody asks before it arrives
			_, _ = done(w, "a question", func(a *App) (MessageView, error) { return a.FindMessage(ctx, place.Code, ask.Message) })
		}
		w.message(sent{place: place.Code, id: ask.Message, sale: true, send: func(a *App) (Outcome, error) { return a.Settle(ctx, place.Code, ask) }})
	case n < 86 && len(w.sent) > 0:
		of := pick(w.r, w.sent)
		for range 20 { // mostly of a sale
			if of.sale && of.code == "" {
				break
			}
			of = pick(w.r, w.sent)
		}
		id := w.house.message(of.place)
		if w.r.IntN(3) == 0 {
			w.message(sent{place: of.place, id: id, send: func(a *App) (Outcome, error) { return a.Reverse(ctx, of.place, of.id, id, "") }})
			return
		}
		returns := []family.Return{{LineNo: 1 + w.r.IntN(3), Quantity: family.Quantity(1 + w.r.IntN(15_000))}}
		w.message(sent{place: of.place, id: id, send: func(a *App) (Outcome, error) { return a.Refund(ctx, of.place, of.id, id, returns) }})
	case n < 93 && len(w.sent) > 0:
		again := pick(w.r, w.sent)
		out, err := done(w, "a repeat", again.send)
		if codeOf(err) != again.code || partsOf(out) != again.answer || err == nil && !out.Replay {
			w.t.Fatalf("%s was answered %s %+v and is now answered %v %+v", again.id, again.code, again.answer, err, partsOf(out))
		}
	case n < 95:
		p, frozen := w.person(), w.r.IntN(4) == 0
		_, _ = done(w, "a freeze", func(a *App) (struct{}, error) { return struct{}{}, a.Freeze(ctx, anna, p, frozen) })
	case n < 98:
		p := pick(w.r, cast)
		p.insurance.Active = w.r.IntN(5) > 0
		_, _ = done(w, "a feed", func(a *App) (Fed, error) { return a.FeedPerson(ctx, w.feedOf(p)) })
	default:
		w.clock.add(time.Duration(1+w.r.IntN(15*24*60)) * time.Minute)
	}
	w.clock.add(time.Duration(w.r.IntN(20)) * time.Second)
}
