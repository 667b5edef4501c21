package main

import (
	"cmp"
	"fmt"
	"slices"
)

// The model is what one family's records would be if a single clerk carried out one
// request after another. A settlement links the patient's account with his grantor's,
// with the code that was shown, the boxes that were sold and the sale that a refund
// gives back; no request here reaches beyond a family. So the family is the smallest
// unit whose histories can honestly be checked apart: an account by itself is not.
//
// It knows the law of this one corner only, and knows it by itself: a pharmacy's goods
// of class A, which the fund does not pay and accounts may pay whole. It has no clock:
// nothing here lapses.

// law is what the regions of the families say otherwise.
type law struct {
	// tier is up to what amount of a settlement, in fen, a grantor's account pays
	// unasked; 0 asks nobody.
	tier int64
	// byBalance tells that the fullest account pays first, not the oldest grant.
	byBalance bool
	// chooses tells that the patient may set another order.
	chooses bool
}

// limit is how many packs of the drug that is limited one person buys in a month.
const limit = 5

// kind is what a request asks for.
type kind string

const (
	settles  kind = "settle"
	refunds  kind = "refund"  // of one pack
	reverses kind = "reverse" // of the whole
	asks     kind = "ask"     // what became of a message; fences one never seen
	credits  kind = "credit"
	reads    kind = "read" // a balance
	limits   kind = "limit"
	ends     kind = "end"
	accepts  kind = "accept"
	issues   kind = "issue"
	looks    kind = "look" // at a code
	approves kind = "approve"
	declines kind = "decline"
	orders   kind = "order" // of grantors
)

// who is one of a family, and the index of his balance.
type who int

const (
	daughter who = iota // holds the phone, and is her mother's grantor
	mother
	sister // her mother's grantor too

	people = 3
)

// grantors is how many grantors a patient has at most.
const grantors = 2

// none is no code, no box, no binding.
const none = -1

// request is one request, with everything named by its number in the family.
type request struct {
	kind     kind
	person   who   // whose account is read, paid into, or pays first
	message  int   // the request's own, or the one that is asked about
	of       int   // the sale that a refund or a reversal is of
	price    int64 // of one pack of that sale, in fen
	quantity int   // of its packs
	code     int
	box      int
	binding  int // in a sale: under which its code is shown
	credit   int
	fen      int64 // what is paid in, or the monthly cap; 0 is no cap
	limited  bool  // the sale is of the drug of which nobody buys more than so much
	order    [grantors]int16
}

// answer is what a client heard.
type answer struct {
	heard  bool   // false: nobody knows whether the request was carried out, or when it will be
	what   string // a refusal's code, or a state; "" for done
	replay bool   // said to be the first answer again
	// own and cash are who paid, in fen; negative for what came back.
	own, cash int64
	// shares are what the grantors paid who paid, the first to pay first.
	shares [grantors]int64
	fen    int64 // a balance
}

// money tells whether two answers name the same payers.
func (a answer) money(b answer) bool {
	return a.own == b.own && a.shares == b.shares && a.cash == b.cash
}

// stage is what became of a message or a code.
type stage uint8

const (
	unseen stage = iota
	fenced
	settled
	refused
	issued
	spent
	replaced
	waiting // for a grantor's word
	held    // for a message that waits, or did
)

// saw is a message as the clerk's books have it.
type saw struct {
	stage     stage
	why       string // a refusal's code
	own, cash int32
	shares    [grantors]int32 // in the order in which they paid
	grants    [grantors]int16 // the bindings under which
	kept      int8            // packs that did not come back
	asked     [grantors]question
}

// question is what a grantor was asked about a message; of nothing nobody was.
type question struct {
	amount  int32 // the most that he pays once he approves
	binding int16
	said    kind // approves or declines, once he has
}

func (m saw) answer() answer {
	a := answer{what: m.why, own: int64(m.own), cash: int64(m.cash)}
	n := 0
	for _, share := range m.shares {
		if share != 0 {
			a.shares[n] = int64(share)
			n++
		}
	}
	return a
}

// standing is what became of a binding.
type standing uint8

const (
	pending standing = iota
	active
	over
)

// bound is a binding, and what the grant in it has paid this month under what cap.
type bound struct {
	holder     who
	standing   standing
	cap, spent int64
}

// books are a family's records. A step never changes what it was given: it changes a
// copy that shares no list that it writes to.
type books struct {
	law      law
	balance  [people]int64
	bought   [people]int     // packs of the drug that is limited
	grants   [grantors]int16 // the active bindings, the first to pay first, then none
	shown    int             // the newest code, or none
	messages []saw
	codes    []stage
	bindings []bound
	boxes    []int16 // the message that sold it, plus 1; 0 is unsold
	credits  []bool
}

// sizes are how many of everything a family has.
type sizes struct {
	law                             law
	messages, codes, boxes, credits int
	bindings                        []who // who holds each; the first grantors' stand from the beginning
}

// begun returns a family's records as a round finds them: bound under the first
// bindings, and with money in the accounts of those who hold them.
func begun(n sizes, money int64) books {
	b := books{
		law: n.law, grants: noGrants, shown: none,
		messages: make([]saw, n.messages), codes: make([]stage, n.codes), bindings: make([]bound, len(n.bindings)),
		boxes: make([]int16, n.boxes), credits: make([]bool, n.credits),
	}
	for i, holder := range n.bindings {
		b.bindings[i].holder = holder
		if i < grantors {
			b.bindings[i].standing, b.grants[i], b.balance[holder] = active, int16(i), money
		}
	}
	return b
}

// noGrants is a patient without a grantor.
var noGrants = [grantors]int16{none, none}

func (b books) equal(c books) bool {
	return b.balance == c.balance && b.bought == c.bought && b.grants == c.grants && b.shown == c.shown && same(b.messages, c.messages) &&
		same(b.codes, c.codes) && same(b.bindings, c.bindings) && same(b.boxes, c.boxes) && same(b.credits, c.credits)
}

// same tells whether two lists of one length are equal. Most are one and the same.
func same[T comparable](a, b []T) bool {
	return len(a) == 0 || &a[0] == &b[0] || slices.Equal(a, b)
}

// fits tells whether what was heard is what the clerk would have said.
func (a answer) fits(r request, heard answer) bool {
	same := a.what == heard.what && a.money(heard) && a.fen == heard.fen
	switch r.kind {
	case settles, refunds, reverses, credits, issues:
		// A message that was fenced is refused as it comes, and has no first answer.
		return same && (a.replay == heard.replay || a.what == "message_fenced")
	}
	return same
}

// step carries out a request: what is answered, and the books after it.
func (b books) step(r request) (answer, books) {
	switch r.kind {
	case settles, refunds, reverses:
		return b.decide(r)
	case asks:
		return b.ask(r)
	case credits:
		if b.credits[r.credit] {
			return answer{replay: true}, b
		}
		b.credits = with(b.credits, r.credit, true)
		b.balance[r.person] += r.fen
		return answer{}, b
	case reads:
		return answer{fen: b.balance[r.person]}, b
	case limits:
		is := b.bindings[r.binding]
		if is.standing != active {
			return answer{what: "state_forbids"}, b
		}
		is.cap = r.fen
		b.bindings = with(b.bindings, r.binding, is)
		return answer{}, b
	case ends:
		return b.end(r)
	case accepts:
		is := b.bindings[r.binding]
		if is.standing == over {
			return answer{what: "state_forbids"}, b
		}
		if is.standing == pending { // who is new pays last
			b.grants[slices.Index(b.grants[:], none)] = int16(r.binding)
		}
		is.standing = active
		b.bindings = with(b.bindings, r.binding, is)
		return answer{}, b
	case issues:
		return b.issue(r)
	case looks:
		return answer{what: map[stage]string{issued: "issued", held: "held", spent: "spent", replaced: "replaced"}[b.codes[r.code]]}, b
	case approves, declines:
		return b.hear(r)
	case orders:
		return b.reorder(r)
	}
	panic("linear: no request is of kind " + string(r.kind))
}

// with returns a copy of a list in which one is another.
func with[T any](list []T, at int, is T) []T {
	list = slices.Clone(list)
	list[at] = is
	return list
}

// decide carries out a message that moves money: once. One that waits for a grantor's
// word is decided when it comes again and all have approved.
func (b books) decide(r request) (answer, books) {
	waited := b.messages[r.message]
	switch waited.stage {
	case fenced:
		return answer{what: "message_fenced"}, b
	case settled, refused:
		first := waited.answer()
		first.replay = true
		return first, b
	case waiting:
		if !waited.approved() {
			return answer{what: needed, replay: true}, b
		}
	}
	var m saw
	if r.kind == settles {
		m, b = b.settle(r, waited)
	} else {
		m, b = b.giveBack(r)
	}
	if m.why != "" && m.stage != waiting {
		m.stage = refused
	}
	if waited.stage == waiting {
		m.asked = waited.asked
	}
	b.messages = with(b.messages, r.message, m)
	return m.answer(), b
}

// What is said of a message that waits, before and after all have approved.
const (
	needed    = "confirmation_needed"
	confirmed = "message_confirmed"
	declined  = "confirmation_declined"
)

// approved tells whether all who were asked have.
func (m saw) approved() bool {
	return !slices.ContainsFunc(m.asked[:], func(q question) bool { return q.amount > 0 && q.said != approves })
}

// turns returns the grants in the order in which they pay.
func (b books) turns() [grantors]int16 {
	turns := b.grants
	if b.law.byBalance {
		slices.SortStableFunc(turns[:], func(m, n int16) int {
			if m == none || n == none {
				return 0 // it stands last already
			}
			return cmp.Compare(b.balance[b.bindings[n].holder], b.balance[b.bindings[m].holder])
		})
	}
	return turns
}

// unasked is the most that a grant pays of a message that has waited: what its
// grantor approved under it, or what he is not asked about.
func (b books) unasked(waited saw, grant int16) int64 {
	most := b.law.tier
	for _, q := range waited.asked {
		if q.amount > 0 && q.binding == grant && q.said == approves {
			most = max(most, int64(q.amount))
		}
	}
	return most
}

func (b books) settle(r request, waited saw) (saw, books) {
	again := waited.stage == waiting
	if r.code != none {
		switch is := b.codes[r.code]; {
		case is == replaced, again && b.bindings[r.binding].standing != active:
			return saw{why: "qr_replaced"}, b
		case is == spent, is == held && !again:
			return saw{why: "qr_spent"}, b
		}
	}
	if r.box != none && b.boxes[r.box] != 0 {
		return saw{why: "trace_already_sold"}, b
	}
	if r.limited && b.bought[r.person]+r.quantity > limit {
		return saw{why: "quantity_limit"}, b
	}
	total := r.price * int64(r.quantity)
	own := min(total, b.balance[r.person])
	rest := total - own
	m := saw{stage: settled, own: int32(own), kept: int8(r.quantity), grants: b.turns()}
	after := b
	for i, n := range m.grants {
		if r.person != mother || n == none {
			break
		}
		g := after.bindings[n]
		share := min(rest, b.balance[g.holder])
		if g.cap > 0 {
			share = min(share, max(0, g.cap-g.spent))
		}
		if again {
			share = min(share, b.unasked(waited, n))
		}
		if share == 0 {
			continue
		}
		if b.law.tier > 0 && share > b.law.tier && !again {
			m.asked[i] = question{amount: int32(share), binding: n}
		}
		g.spent += share
		rest -= share
		m.shares[i] = int32(share)
		after.bindings = with(after.bindings, int(n), g)
		after.balance[g.holder] -= share
	}
	if m.asked != [grantors]question{} {
		if r.code != none {
			b.codes = with(b.codes, r.code, held)
		}
		return saw{stage: waiting, why: needed, asked: m.asked}, b
	}
	m.cash = int32(rest)
	after.balance[r.person] -= own
	if r.code != none {
		after.codes = with(after.codes, r.code, spent)
	}
	if r.box != none {
		after.boxes = with(after.boxes, r.box, int16(r.message+1))
	}
	if r.limited {
		after.bought[r.person] += r.quantity
	}
	return m, after
}

// hear takes a grantor's word. Until the till has gone on he may take his approval
// back; a "no" is final.
func (b books) hear(r request) (answer, books) {
	m := b.messages[r.message]
	i := slices.IndexFunc(m.asked[:], func(q question) bool { return q.amount > 0 && b.bindings[q.binding].holder == r.person })
	switch {
	case i < 0:
		return answer{what: "not_found"}, b
	case m.asked[i].said == r.kind:
	case m.stage != waiting:
		return answer{what: "state_forbids"}, b
	default:
		m.asked[i].said = r.kind
		if r.kind == declines {
			m.stage, m.why = refused, declined
		}
		b.messages = with(b.messages, r.message, m)
	}
	switch {
	case m.stage == settled:
		return answer{what: "settled"}, b
	case m.stage == waiting:
		return answer{what: "approved"}, b
	case m.why == declined:
		return answer{what: "declined"}, b
	}
	return answer{what: "withdrawn"}, b
}

// giveBack gives one pack back, or all that are left. What stays is paid by the own
// account first and then by the relatives' in their order, as far as each had paid;
// the rest comes back.
func (b books) giveBack(r request) (saw, books) {
	sale := b.messages[r.of]
	if sale.stage == unseen || sale.stage == waiting {
		sale.stage, sale.why = fenced, ""
		b.messages = with(b.messages, r.of, sale)
	}
	if sale.stage != settled {
		return saw{why: "original_unknown"}, b
	}
	if sale.kept == 0 {
		return saw{why: "already_reversed"}, b
	}
	paid := func(packs int8) (m saw) {
		m.cash = int32(r.price) * int32(packs)
		m.own = min(sale.own, m.cash)
		m.cash -= m.own
		for i, share := range sale.shares {
			m.shares[i] = min(share, m.cash)
			m.cash -= m.shares[i]
		}
		return m
	}
	left := sale.kept - 1
	if r.kind == reverses {
		left = 0
	}
	before, back := paid(sale.kept), paid(left)
	back.stage, back.own, back.cash = settled, back.own-before.own, back.cash-before.cash
	b.balance[r.person] -= int64(back.own)
	for i := range back.shares {
		if back.shares[i] -= before.shares[i]; back.shares[i] == 0 {
			continue
		}
		g := b.bindings[sale.grants[i]]
		b.balance[g.holder] -= int64(back.shares[i])
		if g.standing == active { // what a grant of before paid counts on no grant of now
			g.spent += int64(back.shares[i])
			b.bindings = with(b.bindings, int(sale.grants[i]), g)
		}
	}
	if r.box != none && left == 0 {
		b.boxes = with(b.boxes, r.box, 0)
	}
	if r.limited {
		b.bought[r.person] -= int(sale.kept - left)
	}
	sale.kept = left
	b.messages = with(b.messages, r.of, sale)
	return back, b
}

// ask tells what became of a message; one that was never seen is fenced by that.
func (b books) ask(r request) (answer, books) {
	m := b.messages[r.message]
	switch m.stage {
	case unseen:
		b.messages = with(b.messages, r.message, saw{stage: fenced})
		return answer{what: "fenced"}, b
	case fenced:
		return answer{what: "fenced"}, b
	case refused:
		return answer{what: m.why}, b
	case waiting:
		if m.approved() {
			return answer{what: confirmed}, b
		}
		return answer{what: needed}, b
	}
	is := m.answer()
	is.what = "settled"
	switch {
	case m.own < 0 || m.cash < 0 || min(m.shares[0], m.shares[1]) < 0: // a refund stays as it is
	case m.kept == 0:
		is.what = "reversed"
	case int(m.kept) < r.quantity:
		is.what = "partially_refunded"
	}
	return is, b
}

func (b books) end(r request) (answer, books) {
	is := b.bindings[r.binding]
	if is.standing == active {
		left := noGrants
		copy(left[:], slices.DeleteFunc(slices.Clone(b.grants[:]), func(n int16) bool { return int(n) == r.binding }))
		b.grants = left
		if is.holder == daughter { // who alone shows codes
			b.codes = b.replaceShown()
		}
	}
	is.standing = over
	b.bindings = with(b.bindings, r.binding, is)
	return answer{}, b
}

// reorder sets the order in which the grantors pay, who are all named once.
func (b books) reorder(r request) (answer, books) {
	for _, n := range r.order {
		if n == none || !slices.Contains(b.grants[:], n) {
			return answer{what: "malformed"}, b
		}
	}
	if !b.law.chooses {
		return answer{what: "state_forbids"}, b
	}
	b.grants = r.order
	return answer{}, b
}

// replaceShown takes the code that is shown out of use.
func (b books) replaceShown() []stage {
	if b.shown == none || b.codes[b.shown] != issued {
		return b.codes
	}
	return with(b.codes, b.shown, replaced)
}

// issue shows a new code, once for each of the phone's requests.
func (b books) issue(r request) (answer, books) {
	a := answer{replay: true}
	if b.codes[r.code] == unseen {
		a.replay = false
		if b.bindings[r.binding].standing != active {
			b.codes = with(b.codes, r.code, refused)
		} else {
			b.codes = with(b.replaceShown(), r.code, issued)
			b.shown = r.code
		}
	}
	if b.codes[r.code] == refused {
		a.what = "state_forbids"
	}
	return a, b
}

// describe writes a request and its answer for a person who looks for what is wrong.
func describe(r request, a answer) string {
	text := string(r.kind)
	switch r.kind {
	case settles:
		text += fmt.Sprintf(" m%d: %d × %d for %v, code %d, box %d", r.message, r.quantity, r.price, r.person, r.code, r.box)
	case refunds, reverses:
		text += fmt.Sprintf(" m%d of m%d", r.message, r.of)
	case asks:
		text += fmt.Sprintf(" m%d", r.message)
	case approves, declines:
		text += fmt.Sprintf(" m%d by %v", r.message, r.person)
	case credits:
		text += fmt.Sprintf(" c%d: %d to %v", r.credit, r.fen, r.person)
	case reads:
		text += fmt.Sprintf(" %v", r.person)
	case limits:
		text += fmt.Sprintf(" b%d: %d", r.binding, r.fen)
	case orders:
		text += fmt.Sprint(" ", r.order)
	case issues:
		text += fmt.Sprintf(" q%d under b%d", r.code, r.binding)
	case looks:
		text += fmt.Sprintf(" q%d", r.code)
	default:
		text += fmt.Sprintf(" b%d", r.binding)
	}
	if !a.heard {
		return text + " → ?"
	}
	text += " → " + a.what
	if !a.money(answer{}) {
		text += fmt.Sprintf(" %d+%v+%d", a.own, a.shares, a.cash)
	}
	if r.kind == reads {
		text += fmt.Sprint(a.fen)
	}
	if a.replay {
		text += " (again)"
	}
	return text
}
