package app

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/seedtest"
	"gongji/shared/store"
	"gongji/shared/store/storetest"
)

// deed is an act that commits, ready to be done in a house that is prepared.
type deed struct {
	name    string
	prepare func(t *testing.T) (*house, func(*App) (any, error))
	// again tells what the same request answers after its effect is there; nil is
	// the first answer once more.
	again func(any, error) bool
}

// does makes an act's answer one for any deed.
func does[A any](answer A, err error) (any, error) { return answer, err }

// gone is the again of an act without a key: asked once more it finds its own
// effect in the way.
func gone(code family.Code) func(any, error) bool {
	return func(_ any, err error) bool { return codeOf(err) == code }
}

// deeds are all acts that commit, each in the fullest form that it has.
var deeds = []deed{
	{name: "feed a new person", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		p := human{"P2001", "宋江河", "19700101", cast[0].insurance, "A20000001", "10000002001"}
		return h, func(a *App) (any, error) { return does(a.FeedPerson(t.Context(), h.feedOf(p))) }
	}},
	{name: "feed a person with a new ID number and card", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		p := h.human(li)
		p.born, p.card, p.name = "19850413", "A10000099", "李明原"
		return h, func(a *App) (any, error) { return does(a.FeedPerson(t.Context(), h.feedOf(p))) }
	}},
	{name: "feed a place", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		p := places[0]
		p.Code = "H43010000009"
		return h, func(a *App) (any, error) { return does(a.FeedPlace(t.Context(), p)) }
	}},
	{name: "feed an item", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		item := goods[1]
		item.From = 20260401
		return h, func(a *App) (any, error) { return does(a.FeedItem(t.Context(), item)) }
	}},
	{name: "mark a new store", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		return newHouse(t), func(a *App) (any, error) { return nil, a.CheckKeys(t.Context()) }
	}},
	{name: "credit", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		h.pay(li, 100, 0)
		return h, func(a *App) (any, error) {
			return does(a.FeedCredit(t.Context(), "2026-03-P1001", li, family.Pockets{Current: 4711, Past: 42}))
		}
	}},
	{name: "propose an adjustment", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		return h, func(a *App) (any, error) {
			return does(a.ProposeAdjustment(t.Context(), clerk, adjustment("A1", -1)))
		}
	}},
	{name: "approve an adjustment", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		h.pay(li, 100, 0)
		ok(h.ProposeAdjustment(t.Context(), clerk, adjustment("A1", -60)))(t)
		return h, func(a *App) (any, error) { return does(a.ApproveAdjustment(t.Context(), chief, "A1")) }
	}},
	{name: "reject an adjustment", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		ok(h.ProposeAdjustment(t.Context(), clerk, adjustment("A1", -60)))(t)
		return h, func(a *App) (any, error) { return does(a.RejectAdjustment(t.Context(), clerk, "A1")) }
	}},
	{name: "freeze", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		return newHouse(t), func(a *App) (any, error) { return nil, a.Freeze(t.Context(), anna, li, true) }
	}},
	{name: "suspend", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		return newHouse(t), func(a *App) (any, error) { return nil, a.Suspend(t.Context(), anna, pharmacy, true) }
	}},
	{name: "request with a key", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		ask := h.ask(wang, "12", true, forAll())
		return h, func(a *App) (any, error) { return does(a.RequestBinding(t.Context(), li, ask, Once{"k", ask})) }
	}},
	{name: "request without a key", again: gone(family.AlreadyBound), prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		return h, func(a *App) (any, error) {
			return does(a.RequestBinding(t.Context(), li, h.ask(wang, "12", true, forAll()), Once{}))
		}
	}},
	{name: "request refused, with a key", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		ask := h.ask(wang, "12", true, forAll())
		ask.Name = "王秀梅"
		return h, func(a *App) (any, error) { return does(a.RequestBinding(t.Context(), li, ask, Once{"k", ask})) }
	}},
	{name: "submit", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		id := h.request(li, wang, "12", true, forAll())
		return h, func(a *App) (any, error) { return does(a.Submit(t.Context(), li, id)) }
	}},
	{name: "submit for a child", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		id := h.request(li, ming, "20", true, forAll())
		return h, func(a *App) (any, error) { return does(a.Submit(t.Context(), li, id)) }
	}},
	{name: "accept", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		id := h.request(li, wang, "12", true, forAll())
		ok(h.Submit(t.Context(), li, id))(t)
		return h, func(a *App) (any, error) { return does(a.Accept(t.Context(), wang, id)) }
	}},
	{name: "decline", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		id := h.request(li, wang, "12", true, forAll())
		return h, func(a *App) (any, error) { return does(a.Decline(t.Context(), wang, id)) }
	}},
	{name: "change", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		h.pay(li, 50000, 0)
		id := h.bind(li, wang, "12", true, forAll())
		h.show(li, id)
		terms := forAll()
		terms.MonthlyCap, terms.Quota = 20000, 10000
		return h, func(a *App) (any, error) {
			return does(a.ChangeBinding(t.Context(), li, id, family.Change{Show: new(false), SetPay: true, Pay: terms}))
		}
	}},
	{name: "end", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		id := h.bind(li, wang, "12", true, forAll())
		h.show(li, id)
		return h, func(a *App) (any, error) { return does(a.EndBinding(t.Context(), wang, id)) }
	}},
	{name: "issue with a key", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		id := h.bind(li, wang, "12", true, nil)
		h.show(li, id) // to be replaced
		return h, func(a *App) (any, error) { return does(a.IssueQR(t.Context(), li, id, Once{"k", string(id)})) }
	}},
	{name: "issue without a key", again: func(any, error) bool { return true }, prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		return h, func(a *App) (any, error) { return does(a.IssueQR(t.Context(), li, "", Once{})) }
	}},
	{name: "settle by code, own account and two grantors, boxes", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h, ask := fullCounter(t)
		return h, func(a *App) (any, error) { return does(a.Settle(t.Context(), pharmacy, ask)) }
	}},
	{name: "settle what has to wait", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h, link := couple(t)
		ask := SettleAsk{Message: h.message(shop), Credential: byQR(h.show(husband, link).Digits), Bill: medicine(large, "WAIT1")}
		return h, func(a *App) (any, error) { return does(a.Settle(t.Context(), shop, ask)) }
	}},
	{name: "approve", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h, link := couple(t)
		ask := h.waits(byQR(h.show(husband, link).Digits), large)
		return h, func(a *App) (any, error) {
			return does(a.Confirm(t.Context(), husband, ask.Message, family.ConsentGiven))
		}
	}},
	{name: "decline to pay", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h, link := couple(t)
		ask := h.waits(byQR(h.show(husband, link).Digits), large)
		return h, func(a *App) (any, error) {
			return does(a.Confirm(t.Context(), husband, ask.Message, family.ConsentRefused))
		}
	}},
	{name: "settle what was approved", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h, link := couple(t)
		ask := h.waits(byQR(h.show(husband, link).Digits), large)
		ok(h.Confirm(t.Context(), husband, ask.Message, family.ConsentGiven))(t)
		return h, func(a *App) (any, error) { return does(a.Settle(t.Context(), shop, ask)) }
	}},
	{name: "ask about what has lapsed", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h, link := couple(t)
		ask := h.waits(byQR(h.show(husband, link).Digits), large)
		h.clock.add(time.Hour)
		return h, func(a *App) (any, error) { return does(a.FindMessage(t.Context(), shop, ask.Message)) }
	}},
	{name: "reverse what waits", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h, link := couple(t)
		ask := h.waits(byQR(h.show(husband, link).Digits), large)
		undo := h.message(shop)
		return h, func(a *App) (any, error) { return does(a.Reverse(t.Context(), shop, ask.Message, undo, "不等了")) }
	}},
	{name: "settle by ID number at a hospital", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		h.pay(wang, 100, 100)
		h.pay(li, 10000, 0)
		h.bind(li, wang, "12", true, forAll())
		ask := SettleAsk{Message: h.message(hospital), Credential: h.byID(wang), Bill: clinicVisit()}
		return h, func(a *App) (any, error) { return does(a.Settle(t.Context(), hospital, ask)) }
	}},
	{name: "settle, refused", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		h.pay(wang, 10000, 0)
		qr := h.show(wang, "")
		h.settle(pharmacy, byQR(qr.Digits), medicine(100))
		ask := SettleAsk{Message: h.message(pharmacy), Credential: byQR(qr.Digits), Bill: medicine(100)}
		return h, func(a *App) (any, error) { return does(a.Settle(t.Context(), pharmacy, ask)) }
	}},
	{name: "reverse", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h, ask := fullCounter(t)
		ok(h.Settle(t.Context(), pharmacy, ask))(t)
		id := h.message(pharmacy)
		return h, func(a *App) (any, error) { return does(a.Reverse(t.Context(), pharmacy, ask.Message, id, "全退")) }
	}},
	{name: "refund", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h, ask := fullCounter(t)
		ok(h.Settle(t.Context(), pharmacy, ask))(t)
		id := h.message(pharmacy)
		returns := []family.Return{{LineNo: 1, Quantity: 20_000}, {LineNo: 2, Quantity: 10_000}}
		return h, func(a *App) (any, error) {
			return does(a.Refund(t.Context(), pharmacy, ask.Message, id, returns))
		}
	}},
	{name: "reverse what was never seen", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		original, id := h.message(pharmacy), h.message(pharmacy)
		return h, func(a *App) (any, error) { return does(a.Reverse(t.Context(), pharmacy, original, id, "")) }
	}},
	{name: "fence", prepare: func(t *testing.T) (*house, func(*App) (any, error)) {
		h := newHouse(t)
		id := h.message(pharmacy)
		return h, func(a *App) (any, error) { return does(a.FindMessage(t.Context(), pharmacy, id)) }
	}},
}

// shortly are the deeds of a test: all of them, or with -short those that move
// money or claim a place.
func shortly() []deed {
	if !testing.Short() {
		return slices.Concat(deeds, further)
	}
	return slices.DeleteFunc(slices.Clone(deeds), func(d deed) bool {
		return !slices.Contains([]string{"request without a key", "settle by code, own account and two grantors, boxes", "reverse"}, d.name)
	})
}

// fullCounter is a house in which Chen's code is shown by her son, who pays for
// her together with her daughter: four lines, three boxes, every pocket in use.
func fullCounter(t *testing.T) (*house, SettleAsk) {
	h := newHouse(t)
	h.pay(chen, 500, 300)
	h.pay(li, 700, 200)
	h.pay(lijun, 90000, 0)
	id := h.bind(li, chen, "52", true, forAll())
	terms := forAll()
	terms.MonthlyCap = 50000
	h.bind(lijun, chen, "52", false, terms)
	b := bill(family.PharmacyBuy, line(1, classA, 2, 1000, "FULL1", "FULL2"), line(2, classB, 1, 990, "FULL3"), line(3, ceiling, 1, 9500), line(4, classC, 1, 100))
	return h, SettleAsk{Message: h.message(pharmacy), Credential: byQR(h.show(li, id).Digits), Bill: b}
}

// trial is a deed with what is known of it: the house before it, the records that
// it writes, its answer, and the calls that it makes.
type trial struct {
	deed
	before  frozen
	run     func(*App) (any, error)
	records map[store.Key]row // before
	effect  map[string]string // the records that it writes
	answer  string
	known   map[string]bool // names that were there before
	calls   []storetest.Verb
	touches int // records that it reads
}

// try prepares a deed and does it once without faults.
func try(t *testing.T, d deed) *trial {
	h, run := d.prepare(t)
	h.prove()
	tr := &trial{deed: d, run: run, known: map[string]bool{}, records: h.dump()}
	for k, r := range tr.records {
		for _, name := range drawn.FindAllString(k.Part+" "+k.Sort+" "+r.Body, -1) {
			tr.known[name] = true
		}
	}
	tr.before = h.freeze()

	h = tr.before.thaw(t)
	a, calls := h.watched()
	calls.Plan = func(c storetest.Call) storetest.Fault {
		tr.calls = append(tr.calls, c.Verb)
		tr.touches += len(c.Keys)
		return storetest.None
	}
	answer, err := run(a)
	tr.answer, tr.effect = tr.plain(answer, err), tr.written(h)
	if n := len(tr.calls); n < 2 || tr.calls[n-1] != storetest.Commit || slices.Contains(tr.calls[:n-1], storetest.Commit) {
		t.Fatalf("the calls are %v, want one commit, the last", tr.calls)
	}
	if len(tr.effect) == 0 {
		t.Fatal("the deed has no effect")
	}
	h.prove()
	return tr
}

// drawn matches what is drawn by chance, and therefore differs between two runs:
// ids, and the hash of a code that follows from one.
var (
	drawn  = regexp.MustCompile(`\b0[0-9A-HJKMNP-TV-Z]{25}\b|QR#[A-Za-z0-9_-]{43}|"To":"[A-Za-z0-9_-]{43}"|"Digits":"[0-9]{20}"`)
	sealed = regexp.MustCompile(`(v1\.[0-9a-f]{8}|p1)\.[A-Za-z0-9_-]+`)
	// Hashes over what was drawn: a record's stamp, the head of a binding's history.
	stamps  = regexp.MustCompile(`,"Stamp":"[A-Za-z0-9_-]{16}"|"Events":\d+,"Head":"[0-9a-f]{64}"`)
	replays = regexp.MustCompile(`"Replay":(true|false)`)
)

// tell replaces by one word what a run drew by chance.
func (tr *trial) tell(s string) string {
	s = stamps.ReplaceAllString(s, "")
	return sealed.ReplaceAllString(drawn.ReplaceAllStringFunc(s, func(name string) string {
		if tr.known[name] {
			return name
		}
		return "drawn"
	}), "sealed")
}

// written are the records of a house, with their versions, that are not as they
// were before the deed.
func (tr *trial) written(h *house) map[string]string {
	h.t.Helper()
	out := map[string]string{}
	for k, r := range h.dump() {
		if tr.records[k] == r {
			continue
		}
		key := tr.tell(k.Part + " " + k.Sort)
		if out[key] != "" {
			h.t.Fatalf("two records are %s, of which the deed makes one", key)
		}
		out[key] = fmt.Sprintf("%d %d %s", r.Version, r.Expires.Int64, tr.tell(r.Body))
	}
	return out
}

// plain writes an answer so that two can be compared: whether it was given before
// does not count, and the feed's words for "it is there" are one.
func (tr *trial) plain(answer any, err error) string {
	if _, is := answer.(Fed); is {
		answer = "it is there"
	}
	text, jsonErr := json.Marshal(answer)
	if jsonErr != nil {
		panic(jsonErr)
	}
	return tr.tell(replays.ReplaceAllString(string(text), `"Replay":any`)) + fmt.Sprintf(" %#v", refusalOf(err))
}

func refusalOf(err error) any {
	if refusal, is := err.(*family.Refusal); is && refusal != nil {
		return *refusal
	}
	return err
}

// faulty is a store that goes wrong, and can be told to do now what it still has
// under way.
type faulty interface {
	store.Store
	Settle(context.Context)
}

// plan is a store whose calls meet the faults of a plan.
func plan(faults func(storetest.Call) storetest.Fault) func(store.Store) faulty {
	return func(s store.Store) faulty { return &storetest.Faulty{Store: s, Plan: faults} }
}

// under does the deed once in a house whose store goes wrong, and holds the answer
// against what became of the records. Where they are to the letter those of a house
// whose books were proved, with the deed or without it, the books are in order here
// too.
func (tr *trial) under(t *testing.T, what string, wrong func(store.Store) faulty) family.Code {
	t.Helper()
	h := tr.before.thaw(t)
	defer h.close()
	faulty := wrong(h.store)
	answer, err := tr.run(h.over(faulty))
	// effect tells whether the deed's effect is there: whole, once, and no other.
	effect := func(when string) bool {
		t.Helper()
		is := tr.written(h)
		if len(is) > 0 {
			same(t, fmt.Sprintf("%s, the answer was %v, %s: what was written", what, err, when), is, tr.effect)
		}
		return len(is) > 0
	}
	want := func(when string, there bool) {
		t.Helper()
		if effect(when) != there {
			t.Fatalf("%s: the answer was %v, and %s the effect is there: %v", what, err, when, !there)
		}
	}
	code := codeOf(err)
	switch {
	case code == family.Busy:
		faulty.Settle(t.Context()) // whatever was still under way
		want("at once", false)
	case code == family.OutcomeUnknown:
		effect("at once")
	default:
		if got := tr.plain(answer, err); got != tr.answer {
			t.Fatalf("%s: the answer is\n%s\nwant\n%s", what, got, tr.answer)
		}
		faulty.Settle(t.Context())
		want("at once", true)
	}
	// The same request again resolves it, and a third gets the same answer. What
	// was still under way comes in between, when nobody waits for it any more.
	there := effect("before it was asked again")
	for range 2 {
		answer, err := tr.run(h.App)
		switch {
		case there && tr.again != nil:
			if !tr.again(answer, err) {
				t.Fatalf("%s: asked again, the answer is %v", what, err)
			}
		case tr.plain(answer, err) != tr.answer:
			t.Fatalf("%s: asked again, the answer is\n%s\nwant\n%s", what, tr.plain(answer, err), tr.answer)
		}
		faulty.Settle(t.Context())
		if tr.name == "issue without a key" {
			break // it makes another code each time
		}
		want("asked again", true)
		there = true
	}
	return code
}

// TestEveryFaultAtEveryCall does every deed with every single fault at every call
// to the store.
func TestEveryFaultAtEveryCall(t *testing.T) {
	for _, d := range shortly() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			tr := try(t, d)
			runs := 0
			// The n past the last call: the fault never comes.
			for n := 1; n <= len(tr.calls)+1; n++ {
				for _, fault := range storetest.Faults[1:] {
					if n <= len(tr.calls) && tr.calls[n-1] != storetest.Commit && fault != storetest.Fails {
						continue // a read fails in one way only
					}
					runs++
					count := 0
					code := tr.under(t, fmt.Sprintf("%v at call %d", fault, n), plan(func(storetest.Call) storetest.Fault {
						if count++; count == n {
							return fault
						}
						return storetest.None
					}))
					if code == family.Busy || code == family.OutcomeUnknown {
						t.Fatalf("%v at call %d: one fault was too much: %s", fault, n, code)
					}
				}
			}
			t.Logf("%d calls, %d runs", len(tr.calls), runs)
		})
	}
}

// TestEveryPairOfFaultsAtCommits lets the first two commits of every deed go wrong
// in every pair of ways, and the read between them too.
func TestEveryPairOfFaultsAtCommits(t *testing.T) {
	for _, d := range shortly() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			tr := try(t, d)
			for _, first := range storetest.Faults[1:] {
				for _, second := range storetest.Faults[1:] {
					commits, reads := 0, 0
					code := tr.under(t, fmt.Sprintf("%v, then %v", first, second), plan(func(c storetest.Call) storetest.Fault {
						switch {
						case c.Verb != storetest.Commit && commits > 0:
							if reads++; reads == 1 {
								return storetest.Fails
							}
						case c.Verb == storetest.Commit:
							if commits++; commits <= 2 {
								return []storetest.Fault{first, second}[commits-1]
							}
						}
						return storetest.None
					}))
					if code == family.Busy || code == family.OutcomeUnknown {
						t.Fatalf("%v, then %v: two faults were too much: %s", first, second, code)
					}
				}
			}
		})
	}
}

// TestFaultsThatDoNotEnd lets every commit, or every call, go wrong: the act gives
// up after a bounded number of calls, and says truthfully what it knows.
func TestFaultsThatDoNotEnd(t *testing.T) {
	const most = maxAttempts * maxAttempts
	for _, d := range shortly() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			tr := try(t, d)
			for _, c := range []struct {
				fault storetest.Fault
				reads bool
				code  family.Code
			}{
				{storetest.Fails, false, family.Busy},
				{storetest.Conflicts, false, family.Busy},
				{storetest.Fails, true, family.Busy},
				{storetest.Vanishes, false, family.OutcomeUnknown},
				{storetest.Loses, false, family.OutcomeUnknown},
				{storetest.Late, false, family.OutcomeUnknown},
			} {
				commits := 0
				code := tr.under(t, fmt.Sprintf("always %v", c.fault), plan(func(call storetest.Call) storetest.Fault {
					if call.Verb == storetest.Commit {
						commits++
					}
					if (call.Verb == storetest.Commit) != c.reads {
						return c.fault
					}
					return storetest.None
				}))
				if code != c.code {
					t.Fatalf("always %v: %s, want %s", c.fault, code, c.code)
				}
				if commits > most || c.reads && commits > 0 {
					t.Fatalf("always %v: %d commits", c.fault, commits)
				}
			}
		})
	}
}

// TestFaultsByChance does every deed under faults thrown by dice, light and heavy.
func TestFaultsByChance(t *testing.T) {
	t.Parallel()
	r := seedtest.Rand(t)
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	outcomes := map[family.Code]int{}
	for _, d := range shortly() {
		tr := try(t, d)
		for round := range rounds {
			share := []float64{0.3, 0.6, 0.9}[round%3]
			code := tr.under(t, d.name, plan(func(c storetest.Call) storetest.Fault {
				fault := storetest.None
				if r.Float64() < share {
					fault = storetest.Faults[r.IntN(len(storetest.Faults))]
				}
				return fault
			}))
			outcomes[code]++
		}
	}
	t.Logf("answers: %v (no code: answered)", outcomes)
}

// slow is a store whose first commit is under way for a while, as a transaction
// whose answer was lost can be: until it lands it holds its records, and every
// other commit meets a conflict. It lands before the touch of a record, or the
// commit, with the number lands, so that a Get can see one record as of before and
// the next as of after.
type slow struct {
	store.Store
	lands    int
	backward bool // a Get reads its keys from the last to the first
	touched  int
	first    []store.Write
	landed   bool
}

// Settle lands what is under way.
func (s *slow) Settle(ctx context.Context) {
	if s.first != nil && !s.landed {
		s.landed = true
		_ = s.Store.Commit(ctx, s.first)
	}
}

func (s *slow) touch(ctx context.Context) {
	if s.first == nil {
		return
	}
	if s.touched++; s.touched == s.lands {
		s.Settle(ctx)
	}
}

func (s *slow) Get(ctx context.Context, keys ...store.Key) ([]store.Record, error) {
	records := make([]store.Record, len(keys))
	for i := range keys {
		if s.backward {
			i = len(keys) - 1 - i
		}
		s.touch(ctx)
		one, err := s.Store.Get(ctx, keys[i])
		if err != nil {
			return nil, err
		}
		records[i] = one[0]
	}
	return records, nil
}

func (s *slow) Commit(ctx context.Context, writes []store.Write) error {
	s.touch(ctx)
	switch {
	case s.first == nil:
		s.first = writes
		return store.ErrUnknown
	case !s.landed:
		return store.ErrConflict
	}
	return s.Store.Commit(ctx, writes)
}

// TestACommitThatIsUnderWayForLong lets the first commit of every deed land before
// every touch of a record in two further attempts, and after the last.
func TestACommitThatIsUnderWayForLong(t *testing.T) {
	for _, d := range shortly() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			tr := try(t, d)
			runs := 0
			for _, backward := range []bool{false, true} {
				for lands := 1; ; lands++ {
					runs++
					what := fmt.Sprintf("landed before touch %d, backward %v", lands, backward)
					var wrong *slow
					code := tr.under(t, what, func(s store.Store) faulty {
						wrong = &slow{Store: s, lands: lands, backward: backward}
						return wrong
					})
					if lands > 2*(tr.touches+1) {
						break
					}
					if code == family.Busy || code == family.OutcomeUnknown || !wrong.landed {
						t.Fatalf("%s: %q", what, code)
					}
				}
			}
			if code := tr.under(t, "landed when nobody waited", func(s store.Store) faulty { return &slow{Store: s} }); code != family.OutcomeUnknown {
				t.Fatalf("landed when nobody waited: %q", code)
			}
			t.Logf("%d runs", runs)
		})
	}
}

// TestNothingIsDeniedWhileACommitMayLand: the first commit is under way, and by the next
// attempt something that no commit checks, such as the time, has the act refuse. "Nothing
// was written" would be a lie when it lands.
func TestNothingIsDeniedWhileACommitMayLand(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	wrong := &slow{Store: h.store}
	key, tries := boxKey("BOX1"), 0
	_, err := act(t.Context(), h.over(wrong), func(t *tx) (struct{}, error) {
		if err := t.read(key); err != nil {
			return struct{}{}, err
		}
		if tries++; tries > 1 {
			return struct{}{}, family.Refuse(family.StateForbids)
		}
		return struct{}{}, put(t, key, boxRecord{SoldBy: "somebody"})
	})
	if codeOf(err) != family.OutcomeUnknown || tries < 2 {
		t.Errorf("after %d attempts: %v", tries, err)
	}
	wrong.Settle(t.Context())
	if box, found, err := one(t.Context(), h.App, key); !found || box.SoldBy != "somebody" {
		t.Errorf("it landed, and there is %+v, %v", box, err)
	}
}

// TestReadsSurviveAStoreThatStumbles lets every act that only reads meet a failure
// at each of its reads, and at all of them.
func TestReadsSurviveAStoreThatStumbles(t *testing.T) {
	h, id, sale := visit(t)
	qr := h.show(li, id)
	ask := SettleAsk{Credential: byQR(qr.Digits), Bill: clinicVisit()}
	for what, read := range map[string]func(*App) (any, error){
		"quote": func(a *App) (any, error) { return does(a.Quote(t.Context(), hospital, ask)) },
		"check": func(a *App) (any, error) {
			return does(a.Check(t.Context(), li, id, hospital, ask.Bill, family.Need{}))
		},
		"me":         func(a *App) (any, error) { return does(a.Me(t.Context(), li)) },
		"account":    func(a *App) (any, error) { return does(a.Account(t.Context(), li)) },
		"entries":    func(a *App) (any, error) { return does(a.Entries(t.Context(), li, "", 10)) },
		"receipts":   func(a *App) (any, error) { return does(a.Receipts(t.Context(), wang, AsPatient, "", 10)) },
		"receipt":    func(a *App) (any, error) { return does(a.Receipt(t.Context(), li, sale.Settlement.ID)) },
		"bindings":   func(a *App) (any, error) { return does(a.Bindings(t.Context(), li, "", 10)) },
		"binding":    func(a *App) (any, error) { return does(a.GetBinding(t.Context(), li, id)) },
		"code":       func(a *App) (any, error) { return does(a.GetQR(t.Context(), li, qr.Token.ID)) },
		"settlement": func(a *App) (any, error) { return does(a.PlaceSettlement(t.Context(), hospital, sale.Settlement.ID)) },
		"message":    func(a *App) (any, error) { return does(a.FindMessage(t.Context(), hospital, sale.Settlement.ID)) },
		"day": func(a *App) (any, error) {
			page, totals, err := a.Day(t.Context(), hospital, today, "", 10)
			return []any{page, totals}, err
		},
		"day's proof": func(a *App) (any, error) { return told(a.ProveDay(t.Context(), today, "")) },
		"proof":       func(a *App) (any, error) { return told(a.ProveAccount(t.Context(), li)) },
	} {
		a, calls := h.watched()
		want, err := read(a)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		reads := calls.Calls(storetest.Get) + calls.Calls(storetest.List)
		for n := 1; n <= reads; n++ {
			a, calls := h.watched()
			count := 0
			calls.Plan = func(storetest.Call) storetest.Fault {
				if count++; count == n {
					return storetest.Fails
				}
				return storetest.None
			}
			got, err := read(a)
			if err != nil {
				t.Fatalf("%s, failing read %d: %v", what, n, err)
			}
			same(t, fmt.Sprintf("%s, failing read %d", what, n), got, want)
		}
		a, calls = h.watched()
		calls.Plan = func(storetest.Call) storetest.Fault { return storetest.Fails }
		if _, err := read(a); codeOf(err) != family.Busy || calls.Calls(storetest.Commit) > 0 {
			t.Errorf("%s, failing for good: %v", what, err)
		}
		if n := calls.Calls(storetest.Get) + calls.Calls(storetest.List); n > maxAttempts {
			t.Errorf("%s, failing for good: %d calls", what, n)
		}
	}
}

// TestWhoWaitsNoLongerIsAnsweredTruthfully ends the caller's time at each pause.
func TestWhoWaitsNoLongerIsAnsweredTruthfully(t *testing.T) {
	for _, c := range []struct {
		fault storetest.Fault
		code  family.Code
	}{{storetest.Fails, family.Busy}, {storetest.Conflicts, family.Busy}, {storetest.Vanishes, family.OutcomeUnknown}, {storetest.Loses, family.OutcomeUnknown}} {
		h, ask := fullCounter(t)
		a, faulty := h.watched()
		faulty.Plan = func(call storetest.Call) storetest.Fault {
			if call.Verb == storetest.Commit {
				return c.fault
			}
			return storetest.None
		}
		a.pause = backOff // the real one
		ctx, cancel := context.WithCancel(t.Context())
		faulty.Before = func(call storetest.Call) {
			if call.Verb == storetest.Commit {
				cancel()
			}
		}
		if _, err := a.Settle(ctx, pharmacy, ask); codeOf(err) != c.code {
			t.Errorf("%v: %v, want %s", c.fault, err, c.code)
		}
		if n := faulty.Calls(storetest.Commit); n != 1 {
			t.Errorf("%v: %d commits after nobody waits", c.fault, n)
		}
		same(t, "the settlement after all", partsOf(ok(h.Settle(t.Context(), pharmacy, ask))(t)), parts{Total: 12590, Own: 800, Shared: 11690, Cash: 100})
		h.prove()
	}
	// And before anything began.
	h, ask := fullCounter(t)
	before := h.dump()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Settle(ctx, pharmacy, ask); codeOf(err) != family.Busy {
		t.Errorf("an act that never began: %v", err)
	}
	h.wantNothingMoved(before)
}

// TestADamagedRecordIsAFailureAndNoAnswer: what was changed past the house, or
// cannot be decoded, reaches no client as a refusal, and moves nothing.
func TestADamagedRecordIsAFailureAndNoAnswer(t *testing.T) {
	h, ask := fullCounter(t)
	for _, damage := range []func(store.Key, []byte){h.overwrite, h.forge} {
		damage(store.Key(accountKey(li)), []byte(`{"Account": 7}`))
		before := h.dump()
		if _, err := h.Settle(t.Context(), pharmacy, ask); err == nil || codeOf(err) != "" {
			t.Fatalf("a settlement over a damaged account: %v", err)
		}
		if proof, err := h.ProveAccount(t.Context(), li); err == nil && len(proof.Faults) != 1 {
			t.Fatalf("the proof of a damaged account: %+v, %v", proof, err)
		}
		h.wantNothingMoved(before)
	}
}

// told is what a proof tells.
func told(p Proof, err error) (any, error) {
	return []any{p.Institutions, p.Settlements, p.Accounts, p.Entries, p.Faults, p.Next}, err
}
