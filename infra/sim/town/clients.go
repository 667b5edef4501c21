package town

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"gongji/infra/sim/auditor"
	"gongji/shared/app"
	"gongji/shared/family"
)

// request is what a client asks for. Sent again, it is the same request.
type request struct {
	audit *auditor.Request
	run   func(context.Context, *app.App) auditor.Answer
	learn func(*town, auditor.Answer)

	open     int  // trips under way
	unknown  bool // the last answer was none
	lost     bool // a process died with it
	fleeting bool // nobody asks again
	anew     bool // it has several acts, each with a time of its own
}

// memory is what the clients of the town remember.
type memory struct {
	asked    []*request // newest last, at most maxAsked
	next     []*request // what a client does next
	codes    []code
	decoded  []decoded
	sales    []*sale // made
	hoped    []*sale // and those of which nobody is sure
	helped   []helped
	turns    bool // the month is about to turn
	bindings []bond
	served   []bond // those that were filled in at the counter
	premiums []owed
	paid     []string // premiums that somebody paid
	// adjustments are those that were proposed, by their references.
	adjustments []string
	// drafts are policies that operators drafted, eves what is to be played of them.
	drafts  []drafted
	eves    []eve
	keys    map[string]string // that each sent last
	days    map[int]bool
	visits  []*attended                     // open, or were
	stepped map[auditor.Op]*auditor.Request // the last step of a kind
	dawns   bool                            // a patient stays overnight
	sent    int
	swept   bool // by the last sweep
}

const maxAsked = 400

// code is a code on somebody's phone.
type code struct{ digits, presenter, binding string }

// decoded is what decoding a code gave to a place.
type decoded struct{ token, place, digits string }

// sale is a settlement as a till knows it.
type sale struct {
	message, place string
	bill           auditor.Bill
}

// bond is a binding as its sides know it.
type bond struct {
	id, holder, member, relation string
	by                           string // who filled it in at the counter; empty is nobody
}

// answered is told what the request was answered.
func (r *request) answered(t *town, a auditor.Answer) {
	again := a.Code == string(family.Busy) || a.Code == string(family.OutcomeUnknown)
	r.unknown = again
	if again {
		return
	}
	r.lost = false
	if r.learn != nil {
		r.learn(t, a)
	}
}

// answerOf tells a refusal from a failure.
func answerOf(err error) auditor.Answer {
	var refusal *family.Refusal
	switch {
	case err == nil:
		return auditor.Answer{}
	case errors.As(err, &refusal):
		return auditor.Answer{Code: string(refusal.Code)}
	}
	return auditor.Answer{Broken: err}
}

// begin begins something in the town.
func (t *town) begin() {
	p := t.processes[t.rng.IntN(len(t.processes))]
	if r := t.repeat(); r != nil {
		t.start(r, p)
		return
	}
	var r *request
	if len(t.next) > 0 {
		r, t.next = t.next[0], t.next[1:]
	} else {
		r = t.fresh()
	}
	if r == nil {
		return
	}
	if !r.fleeting && !slices.Contains(t.asked, r) {
		t.asked = append(t.asked, r)
		if len(t.asked) > maxAsked {
			t.asked = slices.DeleteFunc(t.asked, func(old *request) bool {
				return len(t.asked) > maxAsked/2 && old.open == 0 && !old.unknown && !old.lost && t.chance(0.5)
			})
		}
	}
	t.start(r, p)
}

// repeat is a request that is sent once more: because nobody knows what became of
// it, or by mistake, or late.
func (t *town) repeat() *request {
	if len(t.asked) == 0 {
		return nil
	}
	if t.chance(t.rates.retry) {
		for range 8 {
			if r := pick(t, t.asked); (r.unknown || r.lost) && !r.fleeting {
				t.reached("what is unknown is asked again")
				return r
			}
		}
	}
	if t.chance(t.rates.again) {
		r := pick(t, t.asked)
		if r.open > 0 {
			t.reached("two copies of a request are under way")
		}
		return r
	}
	return nil
}

// fresh is something new that somebody wants.
func (t *town) fresh() *request {
	if len(t.helped) > 0 && t.chance(0.02) {
		return t.story()
	}
	if t.chance(0.08) {
		return t.attend()
	}
	switch n := t.rng.IntN(100); {
	case n < 24:
		if len(t.decoded) > 0 && t.chance(0.2) {
			return t.visitDecoded()
		}
		return t.visit(t.credential())
	case n < 30:
		return t.quote()
	case n < 33:
		return t.reverse()
	case n < 39:
		return t.refund()
	case n < 42:
		return t.lookup()
	case n < 56:
		return t.issue()
	case n < 57:
		return t.decode()
	case n < 58 || n < 62 && t.chance(0.4):
		return t.counter()
	case n < 62:
		return t.anyBind()
	case n < 74:
		return t.anyOnBinding()
	case n < 79:
		return t.anyReview()
	case n < 82:
		return t.anyPaper()
	case n < 84:
		return t.chooseOrder()
	case n < 91:
		return t.credit(pick(t, t.people).No)
	case n < 92 && t.chance(0.6):
		return t.premium()
	case n < 93 && t.chance(0.4):
		return t.turn()
	case n < 93 && t.chance(0.5):
		return t.adjust()
	case n < 93:
		return t.operate()
	case n < 96 && t.chance(0.15):
		return t.policy()
	case n < 96:
		return t.reference()
	case n < 97:
		return t.feedKin()
	case n < 99:
		if t.sweeps && t.chance(0.5) {
			return t.sweep()
		}
		return t.tend()
	}
	if len(t.days) > 0 && t.chance(0.5) {
		return t.prove("", pick(t, slices.Sorted(maps.Keys(t.days))))
	}
	return t.prove(pick(t, t.people).No, 0)
}

// message makes up a message id: the place's code, its till's idea of the time, and
// four more.
func (t *town) message(p *place) string {
	t.sent++
	at := t.now.Add(p.clock)
	if t.chance(0.02) { // a till whose clock jumped
		at = at.Add(t.between(-48*time.Hour, 48*time.Hour))
	}
	serial := strings.ToUpper(strconv.FormatInt(int64(t.sent%(36*36*36*36)), 36))
	id := p.Code + at.UTC().Add(8*time.Hour).Format("20060102150405") + strings.Repeat("0", 4-len(serial)) + serial
	day, err := strconv.Atoi(id[12:20])
	if err != nil {
		panic(err) // it was written two lines above
	}
	if t.days == nil {
		t.days = map[int]bool{}
	}
	t.days[day] = true
	return id
}

// told writes down all that makes two requests of one identity the same.
func told(parts ...any) string {
	text, err := json.Marshal(parts)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// once makes up the key of a person's request, or none.
func (t *town) once(r *auditor.Request, content any) app.Once {
	if t.chance(0.3) {
		return app.Once{}
	}
	t.sent++
	key := "k" + strconv.Itoa(t.sent)
	if t.chance(t.rates.altered) && t.sent > 3 { // a key that was used for something else
		key = "k" + strconv.Itoa(1+t.rng.IntN(t.sent))
		if last := t.keys[r.By]; last != "" && t.chance(0.5) { // his own
			key = last
		}
	}
	if t.keys == nil {
		t.keys = map[string]string{}
	}
	t.keys[r.By] = key
	r.Once = auditor.OnceKey(r.By, t.vault.Index("idempotency_key", key))
	r.Identity, r.Content = "key "+r.By+" "+key, told(r.Op, content)
	return app.Once{Key: key, Content: content}
}

// lastBinding is the binding that a request made, if it did.
func (t *town) lastBinding(r *request) string {
	for i := len(t.bindings) - 1; i >= 0; i-- {
		if b := t.bindings[i]; b.holder == r.audit.By {
			return b.id
		}
	}
	return ""
}

// human returns who has a number.
func (t *town) human(no string) *human {
	for _, h := range t.people {
		if h.No == no {
			return h
		}
	}
	panic(fmt.Sprintf("town: nobody is %s", no))
}
