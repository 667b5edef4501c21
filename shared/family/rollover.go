package family

import (
	"strconv"
	"time"
)

// RolloverReference returns the reference of the turn into a year: one a person and
// year. A credit's reference has no spaces, so none can be mistaken for it.
func RolloverReference(p PersonNo, year int) string {
	return "turn " + strconv.Itoa(year) + " " + string(p)
}

// Rollover makes what is left of the money of years before into past years' surplus
// (历年结余), at the turn into the year that now stands in (Asia/Shanghai). It may come
// late: since are the account's entries of the year, oldest first and complete, and
// what moves is what would have been past years' money had it been done at midnight.
// Afterwards this year's money was spent before it, as always, and what came back went
// to where it had been taken from. There is an entry even where nothing is left.
//
// A refund after this of a sale before it goes to the pocket that paid, which is this
// year's by then: it becomes surplus a year later.
func Rollover(a Account, since []Entry, now time.Time) (Account, Entry) {
	old, young, lent := a.Balance.Current, Fen(0), Fen(0) // lent is what was spent of the old since
	for _, e := range since {
		old -= e.Delta.Current // what stood at midnight
	}
	for _, e := range since {
		switch delta := e.Delta.Current; {
		case e.Kind == Credited:
			young += delta
		case delta < 0:
			from := min(young, -delta)
			young -= from
			old -= -delta - from
			lent += -delta - from
		default:
			back := min(lent, delta)
			old, lent, young = old+back, lent-back, young+delta-back
		}
	}
	next := a.clone()
	entry := next.book(Entry{At: now, Kind: RolledOver, Ref: RolloverReference(a.Person, DayOf(now).Year()), Delta: Pockets{Current: -old, Past: old}})
	return next, entry
}
