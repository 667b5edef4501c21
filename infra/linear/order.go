package main

import (
	"math"

	"github.com/anishathalye/porcupine"
)

// The checker tries requests in the order in which they were sent, and where that
// leads nowhere, every other order. With many who speak at once there are too many
// orders that differ in nothing: a question that moves nothing may stand before or
// after its neighbour, and so may two payments into two accounts. So an order is
// followed in one form only: what changes nothing stands as early as it may, and of two
// neighbours that may change places without changing anything else the one that was
// sent first stands first. Every order can be brought into that form by changing
// neighbours, so none is lost.

// asked is a request of a history, as the checker passes it to the model.
type asked struct {
	request
	number     int // in the order of sending
	call, back int64
}

// moment is a state of the search: the books, and how they came to be so.
type moment struct {
	books
	before *books // what the last change changed; nil for none
	last   asked  // that change
	told   answer // and what was heard of it
	// since is the earliest return of what changed nothing since.
	since int64
}

func (m moment) equal(n moment) bool {
	return m.last.number == n.last.number && m.since == n.since && m.books.equal(n.books) &&
		(m.before == nil) == (n.before == nil) && (m.before == nil || m.before.equal(*n.before))
}

// says tells whether the clerk would say what was heard, and the books afterwards.
func (b books) says(r request, heard answer) (bool, books) {
	is, after := b.step(r)
	return !heard.heard || is.fits(r, heard), after
}

// next carries out a request, unless that is not what was heard, or the same order has
// another form.
func (m moment) next(r asked, heard answer) (bool, moment) {
	legal, after := m.books.says(r.request, heard)
	if !legal {
		return false, m
	}
	changes := !after.equal(m.books)
	if m.before != nil && r.call <= m.last.back && r.call <= m.since {
		legal, earlier := m.before.says(r.request, heard)
		switch {
		case !legal:
		case !changes && earlier.equal(*m.before):
			return false, m // it may stand before the change
		case changes && m.since == math.MaxInt64 && r.number < m.last.number:
			if legal, swapped := earlier.says(m.last.request, m.told); legal && swapped.equal(after) && !swapped.equal(earlier) && !earlier.equal(*m.before) {
				return false, m // they may change places
			}
		}
	}
	if !changes {
		m.since = min(m.since, r.back)
		return true, m
	}
	return true, moment{books: after, before: &m.books, last: r, told: heard, since: math.MaxInt64}
}

// model returns the sequential specification of one family for porcupine.
func model(n sizes, money int64) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return moment{books: begun(n, money), since: math.MaxInt64} },
		Step: func(state, input, output any) (bool, any) {
			return state.(moment).next(input.(asked), output.(answer))
		},
		Equal:             func(a, b any) bool { return a.(moment).equal(b.(moment)) },
		DescribeOperation: func(input, output any) string { return describe(input.(asked).request, output.(answer)) },
	}
}
