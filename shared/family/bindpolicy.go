package family

import (
	"fmt"
	"slices"
)

// Evidence is what a region wants to see of a relation before it believes it.
type Evidence string

// The kinds of evidence, from the lightest on.
const (
	// Declared takes the holder's promise (个人承诺) for it, unless the civil
	// registry says that it is wrong.
	Declared Evidence = "declaration"
	// Checked asks the civil registry, and a reviewer where that cannot say.
	Checked Evidence = "machine"
	// Reviewed has a reviewer look at the papers, whatever the registry says.
	Reviewed Evidence = "review"
)

// QuotaRule says whether a grant may freeze a part of the account for its
// beneficiary (共济额度).
type QuotaRule string

// The rules of quotas.
const (
	QuotaMay   QuotaRule = "may"
	QuotaMust  QuotaRule = "must" // the nation-wide model of 2026
	QuotaNever QuotaRule = "never"
)

// OnMove is what becomes of a grant when the insurance of one side moves or ends.
type OnMove string

// What becomes of a grant.
const (
	MoveHolds OnMove = "hold" // it pays nothing until the insurance fits again
	MoveEnds  OnMove = "end"  // "参保关系变更的自动解除" (notice of 2026-01-09)
)

// BindPolicy holds a region's rules of how bindings come about and end.
type BindPolicy struct {
	Evidence Evidence
	// Papers are what the holder uploads, by what the member is to him.
	Papers map[Kin][]PaperKind
	// GuardianPapers come in addition where the holder acts for a child.
	GuardianPapers []PaperKind
	// GrantAtOnce lets a grant alone take effect by the holder's promise: the
	// member gains by it, and may end it. What shows his code always waits for him.
	GrantAtOnce bool
	// RequestDays is how many days a request holds its place unfinished.
	RequestDays int
	// PaperDays is how many days papers are kept after the decision.
	PaperDays int
	// RebindDays is how many days after its end a pair is not bound again.
	RebindDays int
	// RaiseDays is how many days after it was asked for a higher cap takes effect;
	// a lower one does at once.
	RaiseDays int
	// EndedBy are the sides that may end a binding. The other can still pause it
	// and hide its code.
	EndedBy []Side
	// OnMove is what becomes of a grant when an insurance moves or ends.
	OnMove OnMove
}

// Bounds of a region's rules of binding.
const (
	maxDays = 3650
	// MaxEver bounds how many relatives a holder may ever have bound.
	MaxEver = 60
)

func (p *BindPolicy) validate() error {
	switch {
	case !slices.Contains([]Evidence{Declared, Checked, Reviewed}, p.Evidence):
		return fmt.Errorf("evidence: %q", p.Evidence)
	case !slices.Contains([]OnMove{MoveHolds, MoveEnds}, p.OnMove):
		return fmt.Errorf("on_move: %q", p.OnMove)
	case !knownAll(p.EndedBy, []Side{BySelf, ByMember}):
		return fmt.Errorf("ended_by: %v", p.EndedBy)
	case p.RequestDays < 1 || p.RequestDays > maxDays:
		return fmt.Errorf("request_days: %d is not in 1..%d", p.RequestDays, maxDays)
	case p.PaperDays < 0 || p.PaperDays > maxDays:
		return fmt.Errorf("paper_days: %d is not in 0..%d", p.PaperDays, maxDays)
	case p.RebindDays < 0 || p.RebindDays > maxDays:
		return fmt.Errorf("rebind_days: %d is not in 0..%d", p.RebindDays, maxDays)
	case p.RaiseDays < 0 || p.RaiseDays > maxDays:
		return fmt.Errorf("raise_days: %d is not in 0..%d", p.RaiseDays, maxDays)
	case len(p.GuardianPapers) > 0 && !knownAll(p.GuardianPapers, PaperKinds):
		return fmt.Errorf("guardian_papers: %v", p.GuardianPapers)
	}
	for kin, papers := range p.Papers {
		if !slices.Contains(Kins, kin) || !knownAll(papers, PaperKinds) {
			return fmt.Errorf("papers: %s: %v", kin, papers)
		}
	}
	return nil
}

// steps returns what is to be done before a binding is active, in order: papers,
// promise, the member's consent, and last the reviewer, who need not look at what
// the member does not want.
func (p *Policy) steps(kin Kin, guardian, show bool, assisted string) []Step {
	var steps []Step
	papers := slices.Clone(p.Binding.Papers[kin])
	if guardian {
		papers = append(papers, p.Binding.GuardianPapers...)
	}
	if assisted != "" { // the promise is signed on paper, and who stood there had his card
		papers = append(papers, IDCard, CommitmentLetter)
	}
	for i, kind := range papers {
		if !slices.Contains(papers[:i], kind) {
			steps = append(steps, Step{Action: StepUpload, By: BySelf, Kind: string(kind)})
		}
	}
	steps = append(steps, Step{Action: StepSubmit, By: BySelf})
	if !guardian && (show || !p.Binding.GrantAtOnce) {
		steps = append(steps, Step{Action: StepAccept, By: ByMember})
	}
	if p.Binding.Evidence == Reviewed || assisted != "" {
		steps = append(steps, Step{Action: StepReview, By: ByReviewer})
	}
	return steps
}

// plus returns the day n days later.
func (d Day) plus(n int) Day { return DayOf(d.noon().AddDate(0, 0, n)) }
