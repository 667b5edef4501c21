package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"gongji/infra/rig"
)

// money is what each grantor begins with, in fen: little, so that it runs out.
const money = 3_000_000

// The even families live in Shenzhen, where the fullest account pays first and a
// grantor is asked when his pays more than so much of a parent's settlement; the others
// in Hunan, where the oldest grant pays first unless the patient chooses otherwise. Each has pharmacies of its own there.
var shenzhen = law{tier: 500_000, byBalance: true}

const (
	inShenzhen, inNanshan = "440300", "440305"
	inZhuzhou, inTianyuan = "430200", "430211"
)

var hunan = law{chooses: true}

// rationed is the drug of which one person buys so much in a month and no more.
var rationed = rig.Drug{Code: "LINEARLIMITED", Name: "示例限量片"}

// goods is its record of the catalogue.
func goods() []byte {
	return append(rig.Encode(map[string]any{
		"code": rationed.Code, "name": rationed.Name, "list_type": "101", "class": "A", "effective_from": "20210101",
		"limits": map[string]any{"period_days": 30, "period_quantity": fmt.Sprint(limit)},
	}), '\n')
}

// homeOf returns where a family is insured.
func homeOf(family int) string {
	if family%2 == 0 {
		return inShenzhen
	}
	return inZhuzhou
}

// lawOf returns what a family's region says otherwise.
func lawOf(family int) law {
	if family%2 == 0 {
		return shenzhen
	}
	return hunan
}

// boxes is how many boxes the tills of a family have between them: few, so that one
// is sold twice.
const boxes = 6

// town is what all clients of a round know: its families and what was said.
type town struct {
	houses   []*house
	clients  int
	families []*kin
	began    time.Time

	asked  atomic.Int64  // requests so far
	killAt int64         // the request at which a server is killed; 0 for none
	kill   chan struct{} // closed by then

	mu   sync.Mutex
	next int // number of a message id
}

// kin is a family and all that its clients have begun in it, with its history.
type kin struct {
	number  int // in the region
	law     law
	persons [people]string

	mu       sync.Mutex
	messages []*sent
	codes    []*shown
	bindings []bond       // the last of a holder is his newest
	parting  [people]bool // somebody ends the holder's binding and begins another
	credits  []*sent
	history  []event
}

// bond is a binding with the mother.
type bond struct {
	id     string // empty until it stands
	holder who
}

// is returns one of the family as whoever speaks to the house.
func (k *kin) is(p who) rig.Who { return rig.Who{Person: k.persons[p]} }

// event is one request of a history: from when until when, and what was heard.
type event struct {
	client     int
	call, back time.Duration // since the round began
	request    request
	answer     answer
}

// sent is a request that has an identity, and may be sent again.
type sent struct {
	id      string
	who     rig.Who
	request request
	http    rig.Request
}

// shown is a code that a phone asked for; empty until it was given.
type shown struct {
	sent
	token, digits string
}

// sizes counts what a family has.
func (k *kin) sizes() sizes {
	n := sizes{law: k.law, messages: len(k.messages), codes: len(k.codes), boxes: boxes, credits: len(k.credits)}
	for _, b := range k.bindings {
		n.bindings = append(n.bindings, b.holder)
	}
	return n
}

// client is one of those who speak to the house at once.
type client struct {
	*town
	n    int
	dice *rand.Rand
}

// newID returns a message id of an institution.
func (w *town) newID(institution string) string {
	w.mu.Lock()
	w.next++
	n := w.next
	w.mu.Unlock()
	at := time.Now().In(time.FixedZone("Asia/Shanghai", 8*60*60))
	return institution + at.Format("20060102150405") + fmt.Sprintf("%04d", n%10_000)
}

// givesUp is one request in how many whose client does not wait for the answer.
const givesUp = 20

// say sends a request as somebody, writes it down and returns what was heard.
func (c *client) say(ctx context.Context, k *kin, who rig.Who, r request, q rig.Request) (answer, rig.Reply) {
	patience := ctx
	if c.dice.IntN(givesUp) == 0 {
		var cancel context.CancelFunc
		patience, cancel = context.WithTimeout(ctx, time.Duration(200+c.dice.IntN(15_000))*time.Microsecond)
		defer cancel()
	}
	return c.sayFor(patience, k, who, r, q)
}

func (c *client) sayFor(ctx context.Context, k *kin, who rig.Who, r request, q rig.Request) (answer, rig.Reply) {
	e := event{client: c.n, request: r}
	reply := c.do(ctx, who, q, func() { e.call = time.Since(c.began) })
	e.back = time.Since(c.began)
	e.answer = heard(r, reply)
	code := reply.Code()
	switch {
	case !e.answer.heard && (r.kind == reads || r.kind == looks):
		return e.answer, reply // an answer that nobody heard of what changes nothing
	case code == "busy" || code == "rate_limited":
		e.answer.what = nothing // the house says that it did nothing: see history.go
	}
	k.mu.Lock()
	k.history = append(k.history, e)
	k.mu.Unlock()
	return e.answer, reply
}

// work does so many things, and returns when it has.
func (c *client) work(ctx context.Context, things int) error {
	for range things {
		k := c.families[c.dice.IntN(len(c.families))]
		if err := c.act(ctx, k); err != nil || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

func (c *client) act(ctx context.Context, k *kin) error {
	switch n := c.dice.IntN(100); {
	case n < 18:
		c.settleByCode(ctx, k)
	case n < 33:
		c.settle(ctx, k, []who{daughter, mother, mother, sister}[c.dice.IntN(4)], nil)
	case n < 42:
		c.again(ctx, k)
	case n < 46:
		if m := c.recent(k, func(m *sent) bool { return k.mayWait(m.request) }); m != nil {
			c.word(ctx, k, m, c.grantor(), c.yesOrNo())
		}
	case n < 59:
		c.undo(ctx, k)
	case n < 67:
		c.ask(ctx, k)
	case n < 75:
		c.credit(ctx, k)
	case n < 88:
		c.read(ctx, k, who(c.dice.IntN(people)))
	case n < 92:
		c.limit(ctx, k)
	case n < 94 && k.law.chooses:
		c.reorder(ctx, k)
	case n < 97:
		c.look(ctx, k)
	default:
		return c.part(ctx, k)
	}
	return nil
}

// place is the client's own pharmacy where a family lives.
func (c *client) place(k *kin) string {
	if homeOf(k.number) == inShenzhen {
		return rig.Institution(c.clients + c.n)
	}
	return rig.Institution(c.n)
}

// settle sells one to three packs, by card or by a code that was shown.
func (c *client) settle(ctx context.Context, k *kin, patient who, code *shown) {
	place := c.place(k)
	r := request{kind: settles, person: patient, price: int64(10_000 + c.dice.IntN(500_000)), quantity: 1 + c.dice.IntN(3), code: none, box: none, binding: none}
	credential, value := "card", rig.Card(k.persons[patient])
	if code != nil {
		credential, value = "qr", code.digits
		r.code, r.binding = code.request.code, code.request.binding
	}
	var traces []string
	if c.dice.IntN(4) == 0 {
		r.quantity, r.box = 1, c.dice.IntN(boxes)
		traces = []string{fmt.Sprintf("8312345%08d%05d", k.number, r.box)}
	}
	s := &sent{id: c.newID(place), who: rig.Who{Institution: place}}
	bill := rig.Medicine
	if r.limited = c.dice.IntN(3) == 0; r.limited {
		bill = rationed.Sold
	}
	s.http = rig.Request{Method: http.MethodPost, Path: "/v1/settlements", Body: bill(s.id, credential, value, r.price, r.quantity, traces...)}
	c.send(ctx, k, s, r)
}

// send begins a message: it is known to all before it is sent, so that questions,
// reversals and repeats may overtake it.
func (c *client) send(ctx context.Context, k *kin, s *sent, r request) {
	k.mu.Lock()
	r.message = len(k.messages)
	s.request = r
	k.messages = append(k.messages, s)
	k.mu.Unlock()
	var beside sync.WaitGroup
	if n := c.dice.IntN(10); n < 2 {
		other := &client{c.town, c.n, rand.New(rand.NewPCG(c.dice.Uint64(), 0))}
		beside.Go(func() {
			if n == 0 {
				other.askAbout(ctx, k, s)
				return
			}
			other.say(ctx, k, s.who, s.request, s.http)
		})
	}
	a, _ := c.say(ctx, k, s.who, s.request, s.http)
	if !a.heard && c.dice.IntN(3) > 0 {
		a, _ = c.say(ctx, k, s.who, s.request, s.http)
	}
	beside.Wait()
	for tries := 0; a.what == needed && tries < maxWaits; tries++ {
		a = c.wait(ctx, k, s)
	}
}

// maxWaits is how often a till sends again what waits for a grantor's word.
const maxWaits = 3

// wait sends a message again that waits, after one of those who may be asked has given
// his word, while he takes it back or the other gives his.
func (c *client) wait(ctx context.Context, k *kin, s *sent) answer {
	by := c.grantor()
	c.word(ctx, k, s, by, c.yesOrNo())
	var beside sync.WaitGroup
	other := &client{c.town, c.n, rand.New(rand.NewPCG(c.dice.Uint64(), 0))}
	switch c.dice.IntN(3) {
	case 0:
		beside.Go(func() { other.word(ctx, k, s, by, declines) })
	case 1:
		beside.Go(func() { other.word(ctx, k, s, other.grantor(), approves) })
	}
	a, _ := c.say(ctx, k, s.who, s.request, s.http)
	beside.Wait()
	return a
}

// grantor is one of the two.
func (c *client) grantor() who { return []who{daughter, sister}[c.dice.IntN(grantors)] }

// yesOrNo is mostly yes.
func (c *client) yesOrNo() kind {
	if c.dice.IntN(6) == 0 {
		return declines
	}
	return approves
}

// word is somebody's word to a message.
func (c *client) word(ctx context.Context, k *kin, m *sent, by who, says kind) {
	r := request{kind: says, message: m.request.message, person: by}
	c.say(ctx, k, k.is(by), r, rig.Request{Method: http.MethodPost, Path: "/v1/confirmations/" + m.id + "/" + string(says)})
}

// recent returns one of the newest messages that a client knows of.
func (c *client) recent(k *kin, fits func(*sent) bool) *sent {
	k.mu.Lock()
	defer k.mu.Unlock()
	for range 5 {
		if n := len(k.messages); n > 0 {
			if m := k.messages[n-1-c.dice.IntN(min(n, 12))]; fits(m) {
				return m
			}
		}
	}
	return nil
}

func anything(*sent) bool { return true }
func aSale(m *sent) bool  { return m.request.kind == settles }

// again sends a message of before once more.
func (c *client) again(ctx context.Context, k *kin) {
	if m := c.recent(k, anything); m != nil {
		c.say(ctx, k, m.who, m.request, m.http)
	}
}

// ask asks what became of a message.
func (c *client) ask(ctx context.Context, k *kin) {
	if m := c.recent(k, anything); m != nil {
		c.askAbout(ctx, k, m)
	}
}

func (c *client) askAbout(ctx context.Context, k *kin, m *sent) answer {
	r := request{kind: asks, message: m.request.message, quantity: m.request.quantity}
	a, _ := c.say(ctx, k, m.who, r, rig.Request{Method: http.MethodGet, Path: "/v1/messages/" + m.id})
	return a
}

// undo gives a sale back, in part or whole; perhaps before it has arrived.
func (c *client) undo(ctx context.Context, k *kin) {
	sale := c.recent(k, aSale)
	if sale == nil {
		return
	}
	if c.dice.IntN(3) == 0 {
		c.reverse(ctx, k, sale)
		return
	}
	s := &sent{id: c.newID(sale.who.Institution), who: sale.who}
	s.http = rig.Request{Method: http.MethodPost, Path: "/v1/settlements/" + sale.id + "/refunds", Body: rig.Encode(map[string]any{"message_id": s.id, "lines": []map[string]any{{"line_no": 1, "quantity": "1"}}})}
	c.send(ctx, k, s, sale.back(refunds))
}

// reverse takes a whole sale back, or one that waits out of its wait.
func (c *client) reverse(ctx context.Context, k *kin, sale *sent) {
	s := &sent{id: c.newID(sale.who.Institution), who: sale.who}
	s.http = rig.Request{Method: http.MethodPost, Path: "/v1/settlements/" + sale.id + "/reversal", Body: rig.Encode(map[string]string{"message_id": s.id, "reason": "退药"})}
	c.send(ctx, k, s, sale.back(reverses))
}

// back returns what gives a sale back.
func (s *sent) back(by kind) request {
	r := s.request
	r.kind, r.of, r.code = by, r.message, none
	return r
}

// credit pays something in, or the same once more.
func (c *client) credit(ctx context.Context, k *kin) {
	k.mu.Lock()
	var s *sent
	if n := len(k.credits); n > 0 && c.dice.IntN(3) == 0 {
		s = k.credits[n-1-c.dice.IntN(min(n, 4))]
	} else {
		r := request{kind: credits, person: who(c.dice.IntN(people)), credit: n, fen: int64(1 + c.dice.IntN(500_000))}
		s = &sent{id: fmt.Sprintf("LINEAR-%d-%d", k.number, n), who: operator, request: r}
		s.http = rig.Request{Method: http.MethodPost, Path: "/v1/credits", Body: rig.Encode(map[string]any{
			"reference": s.id, "person_no": k.persons[r.person], "amount_fen": r.fen, "pocket": "current",
		})}
		k.credits = append(k.credits, s)
	}
	k.mu.Unlock()
	c.say(ctx, k, s.who, s.request, s.http)
}

// operator is whom the insurer's feed comes from.
var operator = rig.Who{Roles: []string{"operator"}}

// named is the name under which a token is kept.
func named(w rig.Who) string { return string(rig.Encode(w)) }

// read looks at a balance.
func (c *client) read(ctx context.Context, k *kin, p who) answer {
	a, _ := c.say(ctx, k, k.is(p), request{kind: reads, person: p}, rig.Request{Method: http.MethodGet, Path: "/v1/account"})
	return a
}

// of returns the numbers of a holder's bindings, the newest last. The caller holds mu.
func (k *kin) of(holder who) []int {
	var all []int
	for n, b := range k.bindings {
		if b.holder == holder && b.id != "" {
			all = append(all, n)
		}
	}
	return all
}

// newest returns the number of one of the grantors' bindings, mostly the newest of a
// holder, and the binding.
func (c *client) newest(k *kin) (int, bond) {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := k.of(c.grantor())
	n := len(all) - 1
	if n > 0 && c.dice.IntN(6) == 0 {
		n--
	}
	return all[n], k.bindings[all[n]]
}

// limit sets another monthly cap, or takes it off.
func (c *client) limit(ctx context.Context, k *kin) {
	n, b := c.newest(k)
	r := request{kind: limits, binding: n}
	pay := map[string]any{"purposes": []string{"care", "pharmacy"}}
	if c.dice.IntN(3) > 0 {
		r.fen = int64(1 + c.dice.IntN(1_200_000))
		pay["monthly_cap_fen"] = r.fen
	}
	c.say(ctx, k, k.is(b.holder), r, rig.Request{Method: http.MethodPatch, Path: "/v1/bindings/" + b.id, Body: rig.Encode(map[string]any{"pay": pay})})
}

// reorder has the mother choose in which order her grantors pay. Where one is none of
// hers any more, she has named the wrong ones.
func (c *client) reorder(ctx context.Context, k *kin) {
	r := request{kind: orders}
	ids := make([]string, grantors)
	k.mu.Lock()
	for i, holder := range []who{daughter, sister} {
		all := k.of(holder)
		r.order[i] = int16(all[len(all)-1])
	}
	if c.dice.IntN(2) == 0 {
		r.order[0], r.order[1] = r.order[1], r.order[0]
	}
	for i, n := range r.order {
		ids[i] = k.bindings[n].id
	}
	k.mu.Unlock()
	c.say(ctx, k, k.is(mother), r, rig.Request{Method: http.MethodPut, Path: "/v1/me/grant-order", Body: rig.Encode(map[string][]string{"order": ids})})
}

// settleByCode shows the mother's code on her daughter's phone, and settles by it; or
// by a code that another till may have seen as well.
func (c *client) settleByCode(ctx context.Context, k *kin) {
	k.mu.Lock()
	if n := len(k.codes); n > 0 && c.dice.IntN(4) == 0 {
		code := k.codes[n-1-c.dice.IntN(min(n, 3))]
		shown := code.digits != ""
		k.mu.Unlock()
		if shown {
			c.settle(ctx, k, mother, code)
		}
		return
	}
	held := k.of(daughter)
	n := held[len(held)-1]
	code := &shown{sent: sent{who: k.is(daughter), request: request{kind: issues, code: len(k.codes), binding: n}}}
	code.http = rig.Request{
		Method: http.MethodPost, Path: "/v1/qr", Key: fmt.Sprint("code-", len(k.codes)), Body: rig.Encode(map[string]string{"binding_id": k.bindings[n].id}),
	}
	k.codes = append(k.codes, code)
	k.mu.Unlock()
	for range 2 {
		if c.issue(ctx, k, code) {
			break
		}
	}
	if code.digits != "" {
		c.settle(ctx, k, mother, code)
	}
}

// issue asks for a code, and tells whether it heard what became of that.
func (c *client) issue(ctx context.Context, k *kin, code *shown) bool {
	a, reply := c.say(ctx, k, code.who, code.request, code.http)
	var is struct {
		Token  string `json:"token_id"`
		Digits string
	}
	if a.heard && reply.OK() && decode(reply, &is) {
		k.mu.Lock()
		code.token, code.digits = is.Token, is.Digits
		k.mu.Unlock()
	}
	return a.heard
}

// look looks at what became of a code, as the phone does that shows it.
func (c *client) look(ctx context.Context, k *kin) {
	k.mu.Lock()
	n := len(k.codes)
	if n == 0 {
		k.mu.Unlock()
		return
	}
	at := n - 1 - c.dice.IntN(min(n, 3))
	token := k.codes[at].token
	k.mu.Unlock()
	if token != "" {
		c.say(ctx, k, k.is(daughter), request{kind: looks, code: at}, rig.Request{Method: http.MethodGet, Path: "/v1/qr/" + token})
	}
}

// maxAgain bounds how often a client sends what it needs an answer to.
const maxAgain = 100

// part ends a binding and begins another of its holder's, under which everybody goes on.
func (c *client) part(ctx context.Context, k *kin) error {
	n, b := c.newest(k)
	by := k.is([]who{b.holder, mother}[c.dice.IntN(2)])
	over := func() answer {
		a, _ := c.say(ctx, k, by, request{kind: ends, binding: n}, rig.Request{Method: http.MethodDelete, Path: "/v1/bindings/" + b.id})
		return a
	}
	k.mu.Lock()
	held := k.of(b.holder)
	busy := k.parting[b.holder] || n != held[len(held)-1]
	k.parting[b.holder] = k.parting[b.holder] || !busy
	k.mu.Unlock()
	if busy {
		over()
		return nil
	}
	err := until(ctx, func() bool { return over().heard })
	if err == nil {
		err = c.bind(ctx, k, b.holder)
	}
	k.mu.Lock()
	k.parting[b.holder] = false
	k.mu.Unlock()
	return err
}

// bind asks for a binding and takes the steps to it. Only the last is in the history:
// the others move nothing that anybody can see.
func (c *client) bind(ctx context.Context, k *kin, holder who) error {
	k.mu.Lock()
	n := len(k.bindings)
	k.bindings = append(k.bindings, bond{holder: holder})
	k.mu.Unlock()
	var b struct {
		ID    string `json:"binding_id"`
		State string
	}
	var last rig.Reply
	done := func(q rig.Request) func() bool {
		return func() bool {
			last = c.do(ctx, k.is(holder), q, func() {})
			return last.OK()
		}
	}
	err := until(ctx, done(rig.Request{Method: http.MethodPost, Path: "/v1/bindings", Key: bindingKey(n), Body: rig.BindBody(k.number)}))
	if err != nil || !decode(last, &b) {
		return fmt.Errorf("binding family %d: %d %s: %w", k.number, last.Status, last.Body, err)
	}
	if err := until(ctx, done(rig.Request{Method: http.MethodPost, Path: "/v1/bindings/" + b.ID + "/submit", Body: []byte(`{"commitment":true}`)})); err != nil {
		return fmt.Errorf("promising for family %d: %d %s: %w", k.number, last.Status, last.Body, err)
	}
	// Nobody else knows the binding until it stands.
	r := request{kind: accepts, binding: n}
	q := rig.Request{Method: http.MethodPost, Path: "/v1/bindings/" + b.ID + "/accept"}
	err = until(ctx, func() bool {
		a, _ := c.say(ctx, k, k.is(mother), r, q)
		return a.heard && a.what == ""
	})
	k.mu.Lock()
	k.bindings[n].id = b.ID
	k.mu.Unlock()
	return err
}

// bindingKey is the identity of the request of a family's n-th binding.
func bindingKey(n int) string { return fmt.Sprint("binding-", n) }

// until does something until it is done.
func until(ctx context.Context, done func() bool) error {
	for range maxAgain {
		if done() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return errNever
}

// errNever is a request that does not come to an end.
var errNever = fmt.Errorf("not done in %d tries", maxAgain)

// rest asks, when all is quiet, what became of everything that has an identity, and
// what is left.
func (c *client) rest(ctx context.Context, k *kin) error {
	var wrong []error
	resolves := func(what string, heard func() bool) {
		if err := until(ctx, heard); err != nil {
			wrong = append(wrong, fmt.Errorf("%s does not resolve: %w", what, err))
		}
	}
	for i := 0; i < len(k.messages); i++ { // what waits is taken out of its wait by a message more
		m := k.messages[i]
		resolves(m.id, func() bool {
			a := c.askAbout(ctx, k, m)
			if a.what == needed || a.what == confirmed {
				c.reverse(ctx, k, m)
				return false
			}
			return a.heard
		})
	}
	for _, s := range k.credits {
		resolves(s.id, func() bool {
			a, _ := c.say(ctx, k, s.who, s.request, s.http)
			return a.heard
		})
	}
	for _, code := range k.codes {
		resolves("a code", func() bool { return c.issue(ctx, k, code) })
	}
	for _, p := range []who{mother, sister, daughter} {
		resolves("a balance", func() bool { return c.read(ctx, k, p).heard })
	}
	return errors.Join(wrong...)
}
