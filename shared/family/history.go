package family

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

// Happening is a kind of thing that happens to a binding.
type Happening string

// What happens to a binding.
const (
	Requested      Happening = "requested"
	PaperAnnounced Happening = "paper_announced"
	PaperReceived  Happening = "paper_received"
	PaperRefused   Happening = "paper_refused"
	PaperSeen      Happening = "paper_seen" // a reviewer looked at it
	PaperDeleted   Happening = "paper_deleted"
	Submitted      Happening = "submitted"
	Accepted       Happening = "accepted"
	Declined       Happening = "declined"
	Claimed        Happening = "review_claimed"
	Released       Happening = "review_released"
	Approved       Happening = "review_approved"
	Rejected       Happening = "review_rejected"
	Asked          Happening = "review_clarify" // a reviewer asks for a paper
	Activated      Happening = "activated"
	Shown          Happening = "link_on"
	Hidden         Happening = "link_off"
	TermsChanged   Happening = "terms_changed"
	GrantEnded     Happening = "grant_ended"
	PausedNow      Happening = "paused"
	ResumedNow     Happening = "resumed"
	Finished       Happening = "ended"
	RequestLapsed  Happening = "request_expired"
	TurnedFourteen Happening = "turned_fourteen"
	CameOfAge      Happening = "came_of_age"
	TurnedEighteen Happening = "turned_eighteen"
	Died           Happening = "death"
	KinshipEnded   Happening = "relation_ended"
	InsuranceMoved Happening = "insurance_changed"
	InsuranceStops Happening = "insurance_stopped"
	InsuranceBack  Happening = "insurance_resumed"
	FrozenNow      Happening = "person_frozen"
	UnfrozenNow    Happening = "person_unfrozen"
)

// Happenings lists all that can happen to a binding.
var Happenings = []Happening{
	Requested, PaperAnnounced, PaperReceived, PaperRefused, PaperSeen, PaperDeleted, Submitted, Accepted, Declined,
	Claimed, Released, Approved, Rejected, Asked, Activated, Shown, Hidden, TermsChanged, GrantEnded, PausedNow, ResumedNow,
	Finished, RequestLapsed, TurnedFourteen, CameOfAge, TurnedEighteen, Died, KinshipEnded, InsuranceMoved, InsuranceStops, InsuranceBack,
	FrozenNow, UnfrozenNow,
}

// Event is one line of a binding's history. Events are numbered without gaps and
// each holds the hash of the one before, so that none can be changed, dropped or
// slipped in unseen.
type Event struct {
	Binding BindingID
	Seq     uint64
	At      time.Time
	By      Side
	// Actor is the subject of a reviewer's or operator's token. The families are
	// not told.
	Actor  string
	What   Happening
	Detail string // the kind of paper, or a reviewer's reason
	Prev   Hash
}

// Hash returns the hash of the event, over one canonical text.
func (e Event) Hash() Hash {
	sum := sha256.Sum256(fmt.Appendf(nil, "gongji event 1\n%s\n%d\n%s\n%s\n%q\n%s\n%q\n%s\n",
		e.Binding, e.Seq, e.At.UTC().Format(time.RFC3339Nano), e.By, e.Actor, e.What, e.Detail, e.Prev))
	return Hash(hex.EncodeToString(sum[:]))
}

// FirstEvent returns the event with which a binding's history begins.
func (b *Binding) FirstEvent() Event {
	e := Event{Binding: b.ID, Seq: 1, At: b.Created, By: BySelf, What: Requested}
	if b.Assisted != "" {
		e.By, e.Actor = ByOperator, b.Assisted
	}
	return e
}

// Note appends an event to the binding's history. It is the only way one gets there.
func (pair Pair) Note(now time.Time, by Side, actor string, what Happening, detail string) Pair {
	b := &pair.Binding
	e := Event{Binding: b.ID, Seq: b.Events + 1, At: now, By: by, Actor: actor, What: what, Detail: detail, Prev: b.Head}
	b.Events, b.Head = e.Seq, e.Hash()
	pair.Events = append(slices.Clone(pair.Events), e)
	return pair
}

// ProveHistory derives a binding's chain from its events, oldest first and complete,
// and returns what does not agree.
func ProveHistory(b Binding, events []Event) []string {
	var faults []string
	var head Hash
	for i, e := range events {
		switch {
		case e.Binding != b.ID:
			faults = append(faults, fmt.Sprintf("event %d is of another binding", i+1))
		case e.Seq != uint64(i)+1:
			faults = append(faults, fmt.Sprintf("event %d stands in place %d", e.Seq, i+1))
		case e.Prev != head:
			faults = append(faults, fmt.Sprintf("the chain is broken before event %d", e.Seq))
		}
		head = e.Hash()
	}
	if uint64(len(events)) != b.Events || head != b.Head {
		faults = append(faults, "the binding's newest event is another")
	}
	return faults
}
