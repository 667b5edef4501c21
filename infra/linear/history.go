package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"gongji/infra/rig"

	"github.com/anishathalye/porcupine"
)

// nothing marks a request that the house said it had not carried out, nor ever would.
const nothing = "nothing"

// decode reads the body of an answer.
func decode(reply rig.Reply, into any) bool { return json.Unmarshal(reply.Body, into) == nil }

// heard reads an answer as the model has it.
func heard(r request, reply rig.Reply) answer {
	if reply.Unknown() {
		return answer{}
	}
	a := answer{heard: true, replay: reply.Replay, what: reply.Code()}
	if !reply.OK() {
		return a
	}
	if reply.Status == http.StatusAccepted { // a problem document all the same
		a.what = needed
		return a
	}
	var body struct {
		State   string
		Code    string
		Balance int64 `json:"balance_fen"`
		payers
		Settlement struct {
			State string
			payers
		}
	}
	if r.kind != limits && r.kind != ends && !decode(reply, &body) {
		a.what = fmt.Sprintf("an answer that cannot be read: %s", reply.Body)
		return a
	}
	paid := body.payers
	switch r.kind {
	case credits:
		a.replay = reply.Status == 200 // a new one is 201
	case reads:
		a.fen = body.Balance
	case looks, approves, declines:
		a.what = body.State
	case asks:
		paid = body.Settlement.payers
		if a.what = body.State; a.what == "refused" || a.what == "waiting" {
			a.what = body.Code
		} else if a.what == "settled" {
			a.what = body.Settlement.State
		}
	}
	if r.kind == asks || r.kind == settles || r.kind == refunds || r.kind == reverses {
		a.own, a.cash = paid.Own, paid.Cash
		n := 0
		for _, share := range paid.Shares {
			if paid.Shared -= share.Paid; share.Paid == 0 {
				continue
			}
			if n < grantors {
				a.shares[n] = share.Paid
			}
			n++
		}
		if paid.Shared != 0 || n > grantors {
			a.what = fmt.Sprintf("shares that are none: %s", reply.Body)
		}
	}
	return a
}

// payers is who paid, in fen.
type payers struct {
	Own    int64 `json:"own_paid_fen"`
	Shared int64 `json:"shared_paid_fen"`
	Cash   int64 `json:"cash_due_fen"`
	Shares []struct {
		Paid int64 `json:"paid_fen"`
	}
}

// operations returns a family's history for porcupine.
//
// What nobody heard of may have been carried out at any time since it was sent, or may
// yet be, or never: a search that leaves all of that open does not end. What was heard
// later closes it, and loses nothing by that. A request that has an identity is carried
// out once. Who was told that his was the first answer sent the request that did it, so
// the unheard ones of the same identity did nothing. Where all were told that it had
// been done before, an unheard one did it: after the first of them was sent, and before
// the first who knew of it heard. Where it was never done, none did anything.
//
// A sale that may have waited for a grantor's word is done in two steps, and what began
// its wait and what ended it may both be unheard. Its unheard requests, and words to
// it, stay open until it is known what became of it, after which they change nothing.
//
// What the house says it has not done is left out: if it has, what was heard afterwards
// does not fit.
func (k *kin) operations() []porcupine.Operation {
	firsts := map[identity]*first{}
	for _, e := range k.history {
		for _, told := range e.tells() {
			if firsts[told.of] == nil {
				firsts[told.of] = &first{known: never}
			}
			firsts[told.of].hear(e, told)
		}
	}
	var all []porcupine.Operation
	add := func(e event) {
		all = append(all, porcupine.Operation{ClientId: e.client, Input: e.request, Call: int64(e.call), Output: e.answer, Return: int64(e.back)})
	}
	for _, e := range k.history {
		if e.answer.what == nothing {
			continue
		}
		if e.answer.heard {
			add(e)
			continue
		}
		f := firsts[e.identity()]
		switch {
		case k.mayWait(e.request):
			over := k.over(firsts, e.request.message)
			if began := f != nil && f.began; e.call < over.known && !(began && over.unsettled) {
				e.back = over.known
				add(e)
			}
		case f == nil: // of what has no identity, or nobody ever heard again
			e.back = never
			add(e)
		case f.answered || e.call > f.known:
		case f.answer != nil: // it was done, and nobody was told so first
			if !f.done {
				f.done = true
				e.call, e.back, e.answer = f.sent, f.known, *f.answer
				add(e)
			}
		case f.known != never: // a thing that can be done twice without a trace
			e.back = f.known
			add(e)
		}
	}
	slices.SortFunc(all, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	for i, o := range all {
		all[i].Input = asked{o.Input.(request), i, o.Call, o.Return}
	}
	return all
}

// mayWait tells whether a request is a sale that can have had to wait, or a word to it.
func (k *kin) mayWait(r request) bool {
	if r.kind == approves || r.kind == declines {
		return true
	}
	return r.kind == settles && k.law.tier > 0 && r.price*int64(r.quantity) > k.law.tier
}

// ending is what is known of the end of a message that may have waited.
type ending struct {
	known time.Duration // when the first who knew of it had heard so
	// unsettled tells that no unheard request to settle ended it: a heard one did, a
	// "no", or a fence.
	unsettled bool
}

func (k *kin) over(firsts map[identity]*first, message int) ending {
	is := ending{known: never}
	if f := firsts[identity{settles, message}]; f != nil {
		is.known = f.known
		is.unsettled = f.answered || f.answer != nil && f.answer.what == declined
	}
	if f := firsts[identity{asks, message}]; f != nil && f.known < never {
		is.known, is.unsettled = min(is.known, f.known), true
	}
	return is
}

// never is later than everything.
const never = time.Duration(math.MaxInt64)

// identity is what is carried out once, however often it is sent.
type identity struct {
	kind   kind // settles stands for all messages that move money
	number int
}

func (e event) identity() identity {
	switch r := e.request; r.kind {
	case settles, refunds, reverses:
		return identity{settles, r.message}
	case asks:
		return identity{asks, r.message} // that it is fenced
	case credits:
		return identity{credits, r.credit}
	case issues:
		return identity{issues, r.code}
	case approves, declines:
		return identity{r.kind, none}
	case ends, accepts:
		return identity{r.kind, r.binding}
	}
	return identity{e.request.kind, none}
}

// first is what all that was heard says of the first time that a thing was done.
type first struct {
	answered bool          // somebody was told that his request did it
	began    bool          // somebody was told that his request began its wait
	sent     time.Duration // the first request that nobody heard of
	known    time.Duration // when the first who knew that it was done had heard so
	answer   *answer       // what whoever did it would have been told, if it was done
	done     bool          // an unheard request stands for it
}

// told is what an answer tells of a thing.
type told struct {
	of     identity
	unsent bool    // nothing: nobody heard it
	began  bool    // this request began its wait
	first  bool    // this request did it
	answer *answer // it was done, and this is the answer to it
}

// tells returns what an event says of the things that are done once.
func (e event) tells() []told {
	of, a := e.identity(), e.answer
	switch {
	case of.number == none || a.what == nothing:
		return nil
	case !a.heard:
		return []told{{of: of, unsent: true}}
	}
	plain := a
	plain.replay = false
	switch e.request.kind {
	case asks:
		message := identity{settles, e.request.message}
		switch a.what {
		case "fenced":
			return []told{{of: of}}
		case needed, confirmed:
			return nil
		}
		if done[a.what] {
			plain.what = ""
		}
		return []told{{of: message, answer: &plain}}
	case ends:
		return []told{{of: of}}
	case accepts:
		if a.what == "" {
			return []told{{of: of}}
		}
		return nil
	case settles, refunds, reverses:
		if a.what == "message_fenced" {
			return []told{{of: identity{asks, e.request.message}}}
		}
		if a.what == needed {
			return []told{{of: of, began: !a.replay}}
		}
	}
	return []told{{of: of, first: !a.replay, answer: &plain}}
}

// done are the states of a message that moved money.
var done = map[string]bool{"settled": true, "partially_refunded": true, "reversed": true}

func (f *first) hear(e event, t told) {
	if t.unsent {
		if f.sent == 0 || e.call < f.sent {
			f.sent = e.call
		}
		return
	}
	if t.of.kind == settles && t.answer == nil { // it waits
		f.began = f.began || t.began
		return
	}
	f.answered = f.answered || t.first
	f.known = min(f.known, e.back)
	if t.answer != nil {
		f.answer = t.answer
	}
}

// maxChecking bounds the search for an order of one family's requests.
const maxChecking = time.Minute

// check looks for an order of a family's requests that explains what was heard. Where
// there is none it fails, says where the longest that explains something ends, and
// draws it in the folder.
func (k *kin) check(folder string) (porcupine.CheckResult, error) {
	m, all := model(k.sizes(), money), k.operations()
	result, info := porcupine.CheckOperationsVerbose(m, all, maxChecking)
	if result != porcupine.Illegal {
		return result, nil
	}
	picture := filepath.Join(folder, fmt.Sprintf("family-%d.html", k.number))
	if err := porcupine.VisualizePath(m, info, picture); err != nil {
		picture = err.Error()
	}
	return result, &crookedError{k.number, stuck(m, all, info), picture}
}

// crookedError is a history that no order of its requests explains.
type crookedError struct {
	family         int
	where, picture string
}

func (c *crookedError) Error() string {
	return fmt.Sprintf("the history of family %d is not linearizable: %s(%s)", c.family, c.where, c.picture)
}

// stuck says where the longest order that explains something ends: the last requests
// in it, and those that should come next with what the clerk would say to each.
func stuck(m porcupine.Model, all []porcupine.Operation, info porcupine.LinearizationInfo) string {
	var longest []porcupine.Operation
	for _, partial := range info.PartialLinearizationsOperations()[0] {
		if len(partial) > len(longest) {
			longest = partial
		}
	}
	is := m.Init().(moment).books
	ordered := map[int]bool{}
	text := fmt.Sprintf("%d of %d requests have an order, which ends:\n", len(longest), len(all))
	for i, o := range longest {
		_, is = is.step(o.Input.(asked).request)
		ordered[o.Input.(asked).number] = true
		if i >= len(longest)-8 {
			text += fmt.Sprintf("  %v to %v: %s\n", time.Duration(o.Call), time.Duration(o.Return), m.DescribeOperation(o.Input, o.Output))
		}
	}
	back := int64(never)
	for i, o := range all {
		if !ordered[i] {
			back = min(back, o.Return)
		}
	}
	text += fmt.Sprintf("with balances of %v; next may be:\n", is.balance)
	for i, o := range all {
		if !ordered[i] && o.Call <= back {
			a, _ := is.step(o.Input.(asked).request)
			a.heard = true
			text += fmt.Sprintf("  %v to %v: %s, but the clerk says %s\n", time.Duration(o.Call), time.Duration(o.Return), m.DescribeOperation(o.Input, o.Output), m.DescribeOperation(o.Input, a))
		}
	}
	return text
}
