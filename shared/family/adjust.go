package family

import "time"

// AdjustmentState is how far an adjustment has come.
type AdjustmentState string

// The states of an adjustment: proposed by one person, booked or rejected by another.
const (
	AdjustmentProposed AdjustmentState = "proposed"
	AdjustmentBooked   AdjustmentState = "booked"
	AdjustmentRejected AdjustmentState = "rejected"
)

// AdjustmentReason says why an account is put right. It is one of a list and no free
// text: it stands in the account's history for good, and no name may get there.
type AdjustmentReason string

// The reasons for an adjustment.
const (
	DuplicateCredit AdjustmentReason = "duplicate_credit" // 重复入账: a payment was booked twice
	MissedCredit    AdjustmentReason = "missed_credit"    // 漏入账: a payment was not booked
	WrongAmount     AdjustmentReason = "wrong_amount"     // 金额有误
	WrongPerson     AdjustmentReason = "wrong_person"     // 入错账户
	Ruling          AdjustmentReason = "ruling"           // 司法或行政决定
)

// Valid tells whether the reason is one of the list.
func (r AdjustmentReason) Valid() bool {
	switch r {
	case DuplicateCredit, MissedCredit, WrongAmount, WrongPerson, Ruling:
		return true
	}
	return false
}

// Adjustment puts an account right that neither a payment of the insurer nor a
// message of a till can put right any more. One person proposes it and another
// approves it; nothing moves before that.
type Adjustment struct {
	// Reference is its identity, of one space with the references of credits.
	Reference string
	Person    PersonNo
	// Amount is what is added, negative where it is taken.
	Amount Pockets
	Reason AdjustmentReason
	State  AdjustmentState

	ProposedBy string // subject of the token
	// Proposer is who that is as a person, empty where the token did not say.
	Proposer   PersonNo
	ProposedAt time.Time
	DecidedBy  string
	DecidedAt  time.Time
	// Seq is the number of its entry, 0 until it is booked.
	Seq uint64
}

// Same tells whether another proposal asks for the same.
func (j Adjustment) Same(o Adjustment) bool {
	return j.Reference == o.Reference && j.Person == o.Person && j.Amount == o.Amount && j.Reason == o.Reason
}

// Propose makes a proposal of what is asked: by nobody for his own account.
func (j Adjustment) Propose(by Reviewer, now time.Time) (Adjustment, error) {
	if by.Person == j.Person {
		return j, &Refusal{Code: NotPermitted, Rule: "adjustments.own"}
	}
	j.State, j.ProposedBy, j.Proposer, j.ProposedAt = AdjustmentProposed, by.Subject, by.Person, now
	return j, nil
}

// decidable refuses who may not decide on the adjustment, and what is decided.
func (j Adjustment) decidable(by Reviewer) error {
	switch {
	case by.Person == j.Person:
		return &Refusal{Code: NotPermitted, Rule: "adjustments.own"}
	case by.Subject == "" || by.Subject == j.ProposedBy || by.Person != "" && by.Person == j.Proposer:
		return &Refusal{Code: NotPermitted, Rule: "adjustments.two_people"}
	case j.State != AdjustmentProposed:
		return &Refusal{Code: StateForbids, Rule: "adjustments.state", Observed: string(j.State)}
	}
	return nil
}

// Approve books the adjustment: by another person than proposed it, and never below
// zero nor below what is frozen for relatives. The refusal does not tell the balance.
func (j Adjustment) Approve(a Account, by Reviewer, now time.Time) (Adjustment, Account, Entry, error) {
	if err := j.decidable(by); err != nil {
		return j, a, Entry{}, err
	}
	if after := a.Balance.Plus(j.Amount); after.Current < 0 || after.Past < 0 || after.Total() < a.FrozenQuota() {
		return j, a, Entry{}, &Refusal{Code: StateForbids, Rule: "adjustments.below_zero"}
	}
	next := a.clone()
	entry := next.book(Entry{At: now, Kind: Adjusted, Ref: j.Reference, Reason: j.Reason, Delta: j.Amount})
	j.State, j.DecidedBy, j.DecidedAt, j.Seq = AdjustmentBooked, by.Subject, now, entry.Seq
	return j, next, entry, nil
}

// Reject ends the proposal; nothing moves. Who proposed it may take it back.
func (j Adjustment) Reject(by Reviewer, now time.Time) (Adjustment, error) {
	if j.State != AdjustmentProposed {
		return j, &Refusal{Code: StateForbids, Rule: "adjustments.state", Observed: string(j.State)}
	}
	j.State, j.DecidedBy, j.DecidedAt = AdjustmentRejected, by.Subject, now
	return j, nil
}

// Booked tells whether the adjustment is what made an entry: approved, by two people.
func (j Adjustment) Booked(e Entry) bool {
	return j.State == AdjustmentBooked && j.ProposedBy != j.DecidedBy && j.DecidedBy != "" &&
		j.Reference == e.Ref && j.Person == e.Account && j.Amount == e.Delta && j.Reason == e.Reason && j.Seq == e.Seq && j.DecidedAt.Equal(e.At)
}
