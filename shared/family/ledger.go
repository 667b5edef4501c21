package family

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

// Hash is a SHA-256 in lower-case hex; empty before the first entry.
type Hash string

// EntryKind says what moved an account.
type EntryKind string

// The kinds of entry.
const (
	Credited EntryKind = "credit"
	Settled  EntryKind = "settlement"
	Reversed EntryKind = "reversal"
	Refunded EntryKind = "refund"
	Adjusted EntryKind = "adjustment"
	// RolledOver moves money between the pockets at the turn of the year.
	RolledOver EntryKind = "rollover"
	// PremiumPaid and PremiumBack are of a premium, and Ref names the payment of it.
	PremiumPaid EntryKind = "premium"
	PremiumBack EntryKind = "premium_refund"
)

// PaidIn tells whether an entry of the kind is the insurer's doing and not a till's:
// it has a reference of the insurer's and no settlement.
func (k EntryKind) PaidIn() bool { return k == Credited || k == Adjusted || k == RolledOver }

// Entry is one line of an account's history. Entries are numbered without gaps
// and each holds the hash of the one before, so that none can be changed, dropped
// or slipped in unseen. All that the account counts can be derived from them.
type Entry struct {
	Account PersonNo
	Seq     uint64
	At      time.Time
	Kind    EntryKind
	// Ref names the cause: the reference of a credit, an adjustment or the turn of a year, else the
	// message id of the settlement, reversal or refund.
	Ref string
	// Reason is why an account was adjusted; empty in every other entry.
	Reason AdjustmentReason
	// Patient tells whether the account's owner was the patient of Ref (he has an
	// entry even when his account paid nothing).
	Patient bool
	// Delta is what was added, negative when taken, and After what then stood.
	Delta, After Pockets
	// Deductible and Pool are what Ref added to the owner's counters of the day and
	// insurance of the sale; Day is 0 when it touched none.
	Day              Day
	Insutype         Insutype
	Stay             bool // it counts in stays
	Deductible, Pool Fen
	// Grant names the grant by which Delta was paid, and Month the month of its
	// cap on which it counts: 0 when the grant has ended since the sale.
	Grant BindingID
	Month Month
	Prev  Hash
}

// OfBill tells whether the entry is of a bill: of a settlement, a reversal or a refund,
// whose message Ref names.
func (e *Entry) OfBill() bool { return e.Kind == Settled || e.Kind == Reversed || e.Kind == Refunded }

// Hash returns the hash of the entry. Its text is canonical: one spelling for
// one entry, independent of how the entry is stored.
func (e Entry) Hash() Hash {
	text := fmt.Sprintf("gongji entry 2\n%s\n%d\n%s\n%s\n%q\n%t\n%d %d\n%d %d\n%d %s %d %d\n%s %d\n%s\n",
		e.Account, e.Seq, e.At.UTC().Format(time.RFC3339Nano), e.Kind, e.Ref, e.Patient,
		e.Delta.Current, e.Delta.Past, e.After.Current, e.After.Past,
		e.Day, e.Insutype, e.Deductible, e.Pool, e.Grant, e.Month, e.Prev)
	if e.Reason != "" {
		text += fmt.Sprintf("%q\n", e.Reason)
	}
	if e.Stay { // entries are older than stays
		text += "stay\n"
	}
	sum := sha256.Sum256([]byte(text))
	return Hash(hex.EncodeToString(sum[:]))
}

// countOn adds what the entry counts to the counters of its insurance, and tells
// whether there are any.
func (e *Entry) countOn(years []YearToDate) bool {
	if e.Day == 0 {
		return true
	}
	i := slices.IndexFunc(years, func(y YearToDate) bool { return y.counts(e.Insutype, e.Stay) })
	if i < 0 {
		return false
	}
	y := &years[i]
	y.Deductible += e.Deductible
	y.Pool += e.Pool
	if y.Day < e.Day {
		y.Day, y.DayPool = e.Day, 0
	}
	if y.Day == e.Day {
		y.DayPool += e.Pool
	}
	return true
}

// book moves the account by an entry, completes the entry and returns it. It is
// the only place where a balance changes.
func (a *Account) book(e Entry) Entry {
	a.Balance = a.Balance.Plus(e.Delta)
	if a.Balance.Current < 0 || a.Balance.Past < 0 {
		// Law 2. Every caller takes no more than there is.
		panic("family: a balance below zero")
	}
	a.Seq++
	e.Account, e.Seq, e.After, e.Prev = a.Person, a.Seq, a.Balance, a.Head
	a.Head = e.Hash()
	return e
}

// Party names the other side of a posting.
type Party string

// The parties that are no personal accounts: they have no balance record, and
// what they hold is the sum of their postings.
const (
	Insurer     Party = "insurer"     // pays credits in
	Fund        Party = "fund"        // the pooled fund of the patient's region
	Cash        Party = "cash"        // what the patient pays at the till
	Institution Party = "institution" // what the hospital or pharmacy gets
	Personal    Party = "account"     // a personal account
)

// Posting is one leg of a settlement. The deltas of all legs of one settlement
// sum to zero.
type Posting struct {
	Party   Party
	Account PersonNo // when Party is Personal
	Seq     uint64   // number of the account's entry, when Party is Personal
	Delta   Pockets  // other parties have one pocket, Current
}

// Fault is one thing that the proof of the books found.
type Fault struct {
	Account PersonNo
	Seq     uint64
	Ref     string
	What    string
}

// Derive returns the account with all that entries say put right: balance, number
// and head of the chain, the year's counters, what each grant spent. Entries are all
// there are, oldest first, and chained.
func Derive(a Account, entries []Entry) Account {
	next := a.clone()
	next.Balance, next.Seq, next.Head, next.Year, next.Others = Pockets{}, 0, "", YearToDate{}, nil
	for i := range next.Given {
		next.Given[i].Spent, next.Given[i].Used = MonthSpent{}, 0
	}
	for _, e := range entries {
		next.Balance, next.Seq, next.Head = next.Balance.Plus(e.Delta), e.Seq, e.Hash()
		if e.Patient {
			s := Settlement{Basis: Basis{Day: e.Day, Insutype: e.Insutype}, Paid: Breakdown{Deductible: e.Deductible, FundPaid: e.Pool}}
			if e.Stay {
				s.MedType = Stay
			}
			next.count(DayOf(e.At).Year(), &s)
		}
		if i := next.grant(e.Grant); i >= 0 && e.Month != 0 && e.Seq > next.Given[i].Since {
			next.Given[i].spend(e.Month, -e.Delta.Total())
		}
	}
	return next
}

// Follows tells whether the entry can stand after another, the zero Entry for the
// first of an account.
func (e Entry) Follows(before Entry) bool {
	head := Hash("")
	if before.Seq > 0 {
		head = before.Hash()
	}
	return e.Seq == before.Seq+1 && e.Prev == head && e.After == before.After.Plus(e.Delta)
}

// EntriesOf returns the entries that a leg of a settlement can have made after
// another entry, the zero Entry for the first of an account. There are two where
// a grant paid: one that counts on its cap, and one that does not because the
// grant was given anew between the sale and its refund.
func (s *Settlement) EntriesOf(leg Posting, before Entry) []Entry {
	e := Entry{Account: leg.Account, Seq: leg.Seq, At: s.At, Kind: s.Kind, Ref: string(s.ID), Delta: leg.Delta, After: before.After.Plus(leg.Delta)}
	if before.Seq > 0 {
		e.Prev = before.Hash()
	}
	if leg.Account == s.Patient {
		e.Patient, e.Day, e.Insutype, e.Stay = true, s.Basis.Day, s.Basis.Insutype, s.MedType.IsStay()
		e.Deductible, e.Pool = s.Paid.Deductible, s.Paid.FundPaid
		return []Entry{e}
	}
	for _, share := range s.Shares {
		if share.Grantor != leg.Account {
			continue
		}
		e.Grant, e.Month = share.Binding, s.Basis.Day.Month()
		if s.Kind == Settled {
			return []Entry{e}
		}
		late := e
		late.Month = 0
		return []Entry{e, late}
	}
	return nil
}

// Redo returns a settlement as it stands after refunds of it of which it does not
// know.
func (s Settlement) Redo(refunds []Settlement) Settlement {
	s.Kept, s.Refunds = slices.Clone(s.Kept), slices.Clone(s.Refunds)
	for _, r := range refunds {
		if slices.Contains(s.Refunds, r.ID) {
			continue
		}
		for _, back := range r.Lines {
			if i := slices.IndexFunc(s.Lines, func(l PricedLine) bool { return l.No == back.No }); i >= 0 && i < len(s.Kept) {
				s.Kept[i] += back.Quantity // its sign is turned
			}
		}
		s.Refunds = append(s.Refunds, r.ID)
	}
	return s
}

// ProveAccount derives an account from its entries, oldest first and complete,
// and returns what does not agree.
func ProveAccount(a Account, entries []Entry) []Fault {
	var faults []Fault
	found := func(seq uint64, ref, what string, args ...any) {
		faults = append(faults, Fault{Account: a.Person, Seq: seq, Ref: ref, What: fmt.Sprintf(what, args...)})
	}
	var (
		balance Pockets
		head    Hash
		years   = a.counters()
		spent   = map[BindingID]Fen{} // in the month that the grant counts
		used    = map[BindingID]Fen{} // in all
	)
	for i := range years { // the same counters, from zero
		if years[i].Year != a.Year.Year {
			found(a.Seq, "", "counters of several years")
		}
		years[i] = YearToDate{Year: years[i].Year, Insutype: years[i].Insutype, Stays: years[i].Stays}
	}
	for i, e := range entries {
		balance = balance.Plus(e.Delta)
		switch {
		case e.Account != a.Person:
			found(e.Seq, e.Ref, "the entry is of another account")
		case e.Seq != uint64(i)+1:
			found(e.Seq, e.Ref, "entry %d stands in place %d", e.Seq, i+1)
		case e.Prev != head:
			found(e.Seq, e.Ref, "the chain is broken before this entry")
		case e.After != balance:
			found(e.Seq, e.Ref, "the balance after the entry is not the sum of the entries")
		case balance.Current < 0 || balance.Past < 0:
			found(e.Seq, e.Ref, "the balance is below zero")
		}
		head = e.Hash()
		if e.Day.Year() == a.Year.Year && !e.countOn(years) {
			found(e.Seq, e.Ref, "the entry counts under an insurance that the account does not count")
		}
		if g := a.grant(e.Grant); g >= 0 && e.Month != 0 && e.Seq > a.Given[g].Since {
			used[e.Grant] -= e.Delta.Total()
			if e.Month == a.Given[g].Spent.Month {
				spent[e.Grant] -= e.Delta.Total()
			}
		}
	}
	if uint64(len(entries)) != a.Seq || head != a.Head {
		found(a.Seq, "", "the account counts %d entries and there are %d, or its head is not their last", a.Seq, len(entries))
	}
	if balance != a.Balance {
		found(a.Seq, "", "the balance is not the sum of the entries")
	}
	if !slices.Equal(years, a.counters()) {
		found(a.Seq, "", "the year's counters are not the sum of the entries")
	}
	if a.FrozenQuota() > a.Balance.Total() {
		found(a.Seq, "", "the quotas exceed the balance")
	}
	for _, g := range a.Given {
		if spent[g.Binding] != g.Spent.Spent {
			found(a.Seq, string(g.Binding), "what the grant spent in %d is not the sum of the entries", g.Spent.Month)
		}
		if used[g.Binding] != g.Used {
			found(a.Seq, string(g.Binding), "what the grant used in all is not the sum of the entries")
		}
	}
	return faults
}
