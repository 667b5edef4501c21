package family

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// RegistryAnswer is what the civil registry says of two people and their relation.
type RegistryAnswer string

// What the registry can say. One that is not asked, does not answer or answers too late
// cannot say.
const (
	CannotSay RegistryAnswer = "cannot_say"
	Match     RegistryAnswer = "match"
	NoMatch   RegistryAnswer = "no_match"
)

// Review is a binding's way through the hands of reviewers.
type Review struct {
	Since time.Time // when it came into the queue; zero before
	// By is the reviewer who holds it, until Lease: others wait that long.
	By    string
	Lease time.Time
	// Looks are what reviewers saw of it, the newest look of each.
	Looks []Look
	// Reason is what the last reviewer wrote.
	Reason string
}

// Look is what one reviewer saw last.
type Look struct {
	By   string
	Face Hash
}

// Bounds of reviews.
const (
	LeaseTime = 30 * time.Minute
	maxLooks  = 8
	MaxReason = 200 // characters
)

// Reviewer is one who reviews, or serves people at the counter, as his token tells.
type Reviewer struct {
	Subject string
	Person  PersonNo // empty where the token does not say
	// Kin tells that the registry or a binding makes him a relative of a side.
	Kin bool
}

// Face returns a hash of all that a reviewer judges, so that an approval speaks of
// what was seen and of nothing else.
func (b *Binding) Face() Hash {
	text := fmt.Sprintf("gongji review 1\n%s %s %s %s %t %t %s\n", b.ID, b.Holder, b.Member, b.Relation, b.Show, b.Guardian, b.Identity)
	if b.Pay != nil {
		text += fmt.Sprintf("%v %d %d %d %s\n", b.Pay.Purposes, b.Pay.MonthlyCap, b.Pay.PerSettlementCap, b.Pay.Quota, b.Pay.ValidUntil)
	}
	for _, m := range b.Papers() {
		text += fmt.Sprintf("%s %s %s\n", m.ID, m.Kind, m.SHA256)
	}
	sum := sha256.Sum256([]byte(text))
	return Hash(hex.EncodeToString(sum[:]))
}

// may refuses a reviewer who may not touch the binding: whoever is of the family,
// and where an operator filled it in, that operator (four eyes).
func (r Reviewer) may(b *Binding) *Refusal {
	switch {
	case r.Person != "" && b.SideOf(r.Person) != "", r.Kin:
		return &Refusal{Code: NotPermitted, Rule: "review.own_family", Detail: "nobody reviews his own family"}
	case b.Assisted != "" && b.Assisted == r.Subject:
		return &Refusal{Code: NotPermitted, Rule: "review.four_eyes", Detail: "who filled it in does not review it"}
	}
	return nil
}

// held refuses while another reviewer holds the binding.
func (b *Binding) held(r Reviewer, now time.Time) *Refusal {
	if b.Review.By != "" && b.Review.By != r.Subject && now.Before(b.Review.Lease) {
		return &Refusal{Code: StateForbids, Field: "claim", Observed: "claimed", Allowed: b.Review.Lease.UTC().Format(time.RFC3339Nano), Detail: "another reviewer holds it"}
	}
	return nil
}

// Claim lets a reviewer hold a binding for a time; again, for longer.
func (pair Pair) Claim(r Reviewer, now time.Time) (Pair, *Refusal) {
	if refusal := pair.reviewable(r, now); refusal != nil {
		return pair, refusal
	}
	first := pair.Binding.Review.By != r.Subject || !now.Before(pair.Binding.Review.Lease)
	pair.Binding.Review.By, pair.Binding.Review.Lease = r.Subject, now.Add(LeaseTime)
	if first {
		pair = pair.Note(now, ByReviewer, r.Subject, Claimed, "")
	}
	return pair, nil
}

// Release gives it back to the queue. A repeat changes nothing.
func (pair Pair) Release(r Reviewer, now time.Time) (Pair, *Refusal) {
	if pair.Binding.Review.By != r.Subject {
		return pair, pair.Binding.held(r, now)
	}
	pair.Binding.Review.By, pair.Binding.Review.Lease = "", time.Time{}
	return pair.Note(now, ByReviewer, r.Subject, Released, ""), nil
}

// reviewable refuses what is not, or not by this reviewer.
func (pair *Pair) reviewable(r Reviewer, now time.Time) *Refusal {
	b := &pair.Binding
	if refusal := r.may(b); refusal != nil {
		return refusal
	}
	if b.State != BindingInReview || b.Expired(now) {
		return stateForbids(*b)
	}
	return b.held(r, now)
}

// Saw notes that a reviewer looked at the binding, or at one of its papers.
func (pair Pair) Saw(r Reviewer, paper MaterialID, now time.Time) (Pair, *Refusal) {
	if refusal := r.may(&pair.Binding); refusal != nil {
		return pair, refusal
	}
	b := &pair.Binding
	face := b.Face()
	i := slices.IndexFunc(b.Review.Looks, func(l Look) bool { return l.By == r.Subject })
	if i < 0 || b.Review.Looks[i].Face != face {
		looks := slices.DeleteFunc(slices.Clone(b.Review.Looks), func(l Look) bool { return l.By == r.Subject })
		if len(looks) >= maxLooks {
			looks = looks[1:]
		}
		b.Review.Looks = append(looks, Look{r.Subject, face})
	}
	if paper == "" {
		return pair, nil
	}
	m, found := b.Material(paper)
	if !found || m.State != MaterialKept {
		return pair, Refuse(NotFound)
	}
	return pair.Note(now, ByReviewer, r.Subject, PaperSeen, string(m.Kind)), nil
}

// unchanged refuses a decision on what is no longer what the reviewer saw.
func (b *Binding) unchanged(r Reviewer, version Hash) *Refusal {
	face := b.Face()
	if version == "" {
		if i := slices.IndexFunc(b.Review.Looks, func(l Look) bool { return l.By == r.Subject }); i >= 0 {
			version = b.Review.Looks[i].Face
		}
	}
	if version != "" && version != face {
		return &Refusal{Code: StateForbids, Field: "version", Detail: "it changed since it was looked at: look again"}
	}
	return nil
}

// Approve is the reviewer's "yes". version is the Face that he saw, empty for that
// of his last look.
func (pair Pair) Approve(r Reviewer, version Hash, reason string, p *Policy, now time.Time) (Pair, *Refusal) {
	if refusal := pair.reviewable(r, now); refusal != nil {
		return pair, refusal
	}
	if refusal := pair.Binding.unchanged(r, version); refusal != nil {
		return pair, refusal
	}
	if refusal := checkReason(reason, false); refusal != nil {
		return pair, refusal
	}
	done, refusal := pair.step(StepReview, Approved, ByReviewer, r.Subject, reason, p, now)
	if refusal != nil {
		return pair, refusal
	}
	done.Binding.Review.By, done.Binding.Review.Lease, done.Binding.Review.Reason = "", time.Time{}, reason
	return done, nil
}

// Reject is the reviewer's "no", with its reason.
func (pair Pair) Reject(r Reviewer, version Hash, reason string, now time.Time) (Pair, *Refusal) {
	if refusal := pair.reviewable(r, now); refusal != nil {
		return pair, refusal
	}
	if refusal := pair.Binding.unchanged(r, version); refusal != nil {
		return pair, refusal
	}
	if refusal := checkReason(reason, true); refusal != nil {
		return pair, refusal
	}
	pair = pair.over(BindingDeclined, ByReviewer, WhyRejected, now)
	pair.Binding.Review.Reason = reason
	return pair.Note(now, ByReviewer, r.Subject, Rejected, reason), nil
}

// Clarify asks the holder for one paper in the same request: he uploads it and
// promises once more, and it comes back to the reviewers.
func (pair Pair) Clarify(r Reviewer, version Hash, kind PaperKind, reason string, p *Policy, now time.Time) (Pair, *Refusal) {
	if !slices.Contains(PaperKinds, kind) {
		return pair, &Refusal{Code: Malformed, Field: "kind", Detail: "no kind of paper"}
	}
	if refusal := pair.reviewable(r, now); refusal != nil {
		return pair, refusal
	}
	if refusal := pair.Binding.unchanged(r, version); refusal != nil {
		return pair, refusal
	}
	if refusal := checkReason(reason, true); refusal != nil {
		return pair, refusal
	}
	b := &pair.Binding
	if len(b.Materials) >= MaxPapers {
		return pair, &Refusal{Code: TooLarge, Field: "materials", Allowed: fmt.Sprint(MaxPapers), Detail: "no more papers: approve or reject"}
	}
	steps := slices.DeleteFunc(slices.Clone(b.Steps), func(s Step) bool { return !s.Done })
	b.Steps = append(steps, Step{Action: StepUpload, By: BySelf, Kind: string(kind)}, Step{Action: StepSubmit, By: BySelf}, Step{Action: StepReview, By: ByReviewer})
	b.State, b.Until = BindingDraft, max(b.Until, DayOf(now).plus(p.Binding.RequestDays))
	b.Review = Review{Looks: b.Review.Looks, Reason: reason}
	return pair.Note(now, ByReviewer, r.Subject, Asked, string(kind)+": "+reason), nil
}

// checkReason refuses a reason that is missing or too long.
func checkReason(reason string, needed bool) *Refusal {
	n := len([]rune(reason))
	if n > MaxReason || needed && strings.TrimSpace(reason) == "" {
		return &Refusal{Code: Malformed, Field: "reason", Allowed: fmt.Sprintf("1 to %d characters", MaxReason), Detail: "a reason is needed, and not a long one"}
	}
	return nil
}
