package family

import "time"

// Erasure is the destruction of what is known of who a person is, for good: two people
// of the insurer ask for it, one after the other, neither of them the person. His
// account, its history and everybody's settlements stay as they are.
type Erasure struct {
	ProposedBy string // subject of the token
	// Proposer is who that is as a person, empty where the token did not say.
	Proposer   PersonNo
	ProposedAt time.Time
	DecidedBy  string
	// DecidedAt is when it was done, zero until then.
	DecidedAt time.Time
}

// erasureStands is how long a proposal waits for the second person.
const erasureStands = 7 * 24 * 60 * time.Minute

// Done tells whether the person's data are destroyed.
func (e Erasure) Done() bool { return !e.DecidedAt.IsZero() }

// Ask is one person's word that somebody's data be destroyed. The first proposes it,
// the second within a week does it, and who asks again changes nothing. It is refused
// as long as the person is insured, has money, or is bound to somebody: then it is
// still needed who he is. bound tells whether a binding of his is live.
func (e Erasure) Ask(a Account, bound bool, by Reviewer, now time.Time) (Erasure, error) {
	switch {
	case by.Person == a.Person:
		return e, &Refusal{Code: NotPermitted, Rule: "erasures.own"}
	case e.Done():
		return e, nil
	case a.Insurance.Insured() || a.Balance.Total() != 0 || bound:
		return e, &Refusal{Code: StateForbids, Rule: "erasures.needed"}
	case by.Subject == "":
		return e, &Refusal{Code: NotPermitted, Rule: "erasures.two_people"}
	case e.ProposedBy == "" || !now.Before(e.ProposedAt.Add(erasureStands)):
		return Erasure{ProposedBy: by.Subject, Proposer: by.Person, ProposedAt: now}, nil
	case by.Subject == e.ProposedBy:
		return e, nil
	case by.Person != "" && by.Person == e.Proposer:
		return e, &Refusal{Code: NotPermitted, Rule: "erasures.two_people"}
	}
	e.DecidedBy, e.DecidedAt = by.Subject, now
	return e, nil
}
