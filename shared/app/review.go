package app

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"gongji/shared/family"
	"gongji/shared/papers"
	"gongji/shared/store"
)

// ReviewView is a binding as reviewers see it.
type ReviewView struct {
	BindingView
	Region family.Region // in which the holder is insured
	Now    time.Time
}

// reviewKeep is how long the row of a binding that left the queue stays.
const reviewKeep = 24 * time.Hour

// queue puts a binding into the queue of the reviewers, or takes it out.
func queue(t *tx, before, after family.Binding, region family.Region, now time.Time) error {
	was, is := before.State == family.BindingInReview, after.State == family.BindingInReview
	switch {
	case is && !was:
		row := reviewKey(after.Review.Since, after.ID)
		if err := t.read(row); err != nil { // it may have been there in the same second
			return err
		}
		return put(t, row, reviewRecord{Binding: after.ID, Region: region})
	case was && !is:
		row := reviewKey(before.Review.Since, before.ID)
		if err := t.read(row); err != nil {
			return err
		}
		return putUntil(t, row, reviewRecord{Binding: before.ID, Region: region, Done: true}, now.Add(reviewKeep))
	}
	return nil
}

// ReviewFilter narrows the queue.
type ReviewFilter struct {
	Region  string        // the first digits of the holder's region: 43 is Hunan, 4301 Changsha
	Older   time.Duration // waiting for at least so long
	Mine    bool          // held by the reviewer who asks
	Free    bool          // held by nobody
	Subject string        // the reviewer who asks
}

// maxQueue bounds how many rows of the queue one call looks at.
const maxQueue = 2_000

// Reviews lists what waits for a reviewer, the longest first, after a row's name.
func (a *App) Reviews(ctx context.Context, f ReviewFilter, after string, limit int) (Page[ReviewView], error) {
	page, now := Page[ReviewView]{}, a.now()
	r := store.Range{Part: reviewsPart, After: after, Limit: min(store.MaxList, max(100, limit))}
	for looked := 0; looked < maxQueue; {
		records, err := a.list(ctx, r)
		if err != nil {
			return page, err
		}
		rows, err := decodeAll[reviewRecord](records)
		if err != nil {
			return page, err
		}
		var refs []ref[bindingRecord]
		for _, row := range rows {
			refs = append(refs, bindingKey(row.Binding))
		}
		bindings, err := many(ctx, a, refs...)
		if err != nil {
			return page, err
		}
		for i, row := range rows {
			b := bindings[i]
			if row.Done || b == nil || b.Binding.State != family.BindingInReview || b.Binding.Expired(now) || !f.fits(row, b.Binding, now) {
				continue
			}
			if len(page.Items) == limit {
				page.Next = r.After
				return page, nil
			}
			page.Items = append(page.Items, ReviewView{BindingView{Binding: b.Binding, HolderMasked: b.HolderMasked, MemberMasked: b.MemberMasked}, row.Region, now})
			r.After = records[i].Key.Sort
		}
		if len(records) < r.Limit {
			return page, nil
		}
		r.After, looked = records[len(records)-1].Key.Sort, looked+len(records)
	}
	page.Next = r.After
	return page, nil
}

func (f ReviewFilter) fits(row reviewRecord, b family.Binding, now time.Time) bool {
	held := b.Review.By != "" && now.Before(b.Review.Lease)
	return strings.HasPrefix(string(row.Region), f.Region) && now.Sub(b.Review.Since) >= f.Older &&
		(!f.Mine || held && b.Review.By == f.Subject) && (!f.Free || !held)
}

// everSubmitted lets reviewers see what was once put before them, and nothing that a
// family is still filling in.
func everSubmitted(b family.Binding) bool {
	return b.State == family.BindingInReview || len(b.Review.Looks) > 0 || b.Review.Reason != ""
}

// reviewer tells whether a reviewer is of the family, by bindings and by the civil
// registry.
func (a *App) reviewer(h hand, r family.Reviewer, b family.Binding) (family.Reviewer, error) {
	if r.Person == "" {
		return r, nil
	}
	self := personKey(r.Person)
	if err := h.t.refer(self); err != nil {
		return r, err
	}
	person, known, err := get(h.t, self)
	if err != nil {
		return r, err
	}
	bound := func(list []family.Bound, p family.PersonNo) bool {
		return slices.ContainsFunc(list, func(b family.Bound) bool { return b.Member == p })
	}
	r.Kin = bound(person.Bound, b.Holder) || bound(person.Bound, b.Member) || bound(h.holder.Bound, r.Person) || bound(h.member.Bound, r.Person)
	if r.Kin || !known {
		return r, nil
	}
	own, holder, member := registryKey(person.IDIndex), registryKey(h.holder.IDIndex), registryKey(h.member.IDIndex)
	if err := h.t.refer(own, holder, member); err != nil {
		return r, err
	}
	mine, _, err := get(h.t, own)
	if err != nil {
		return r, err
	}
	for _, side := range []ref[registryRecord]{holder, member} {
		theirs, _, err := get(h.t, side)
		if err != nil {
			return r, err
		}
		r.Kin = r.Kin || theirs.Relations[person.IDIndex] != ""
	}
	r.Kin = r.Kin || mine.Relations[h.holder.IDIndex] != "" || mine.Relations[h.member.IDIndex] != ""
	return r, nil
}

// onReview is every act of a reviewer on a binding.
func (a *App) onReview(ctx context.Context, id family.BindingID, r family.Reviewer, decide func(family.Pair, family.Reviewer, hand) (family.Pair, *family.Refusal)) (ReviewView, error) {
	view := ReviewView{Now: a.now()}
	var err error
	view.BindingView, err = a.onPair(ctx, id, everSubmitted, func(p family.Pair, h hand) (family.Pair, error) {
		r, err := a.reviewer(h, r, p.Binding)
		if err != nil {
			return p, err
		}
		view.Region = p.Holder.Insurance.Region
		return lawful(decide(p, r, h))
	})
	return view, err
}

// Review shows a reviewer a binding. That he looked is remembered, so that what he
// decides is decided on what he saw.
func (a *App) Review(ctx context.Context, id family.BindingID, r family.Reviewer) (ReviewView, error) {
	return a.onReview(ctx, id, r, func(p family.Pair, r family.Reviewer, h hand) (family.Pair, *family.Refusal) {
		return p.Saw(r, "", h.now)
	})
}

// Claim lets a reviewer hold a binding; Release gives it back.
func (a *App) Claim(ctx context.Context, id family.BindingID, r family.Reviewer) (ReviewView, error) {
	return a.onReview(ctx, id, r, func(p family.Pair, r family.Reviewer, h hand) (family.Pair, *family.Refusal) {
		return p.Claim(r, h.now)
	})
}

// Release gives a binding back to the queue.
func (a *App) Release(ctx context.Context, id family.BindingID, r family.Reviewer) (ReviewView, error) {
	return a.onReview(ctx, id, r, func(p family.Pair, r family.Reviewer, h hand) (family.Pair, *family.Refusal) {
		return p.Release(r, h.now)
	})
}

// ReviewAsk is what a reviewer decides.
type ReviewAsk struct {
	// Version is what he saw, as the answer of Review named it; empty for his last
	// look.
	Version family.Hash
	Reason  string
	Kind    family.PaperKind // of the paper that he asks for
}

// Approve is a reviewer's "yes".
func (a *App) Approve(ctx context.Context, id family.BindingID, r family.Reviewer, in ReviewAsk) (ReviewView, error) {
	return a.onReview(ctx, id, r, func(p family.Pair, r family.Reviewer, h hand) (family.Pair, *family.Refusal) {
		return p.Approve(r, in.Version, in.Reason, h.policy, h.now)
	})
}

// Reject is a reviewer's "no".
func (a *App) Reject(ctx context.Context, id family.BindingID, r family.Reviewer, in ReviewAsk) (ReviewView, error) {
	return a.onReview(ctx, id, r, func(p family.Pair, r family.Reviewer, h hand) (family.Pair, *family.Refusal) {
		return p.Reject(r, in.Version, in.Reason, h.now)
	})
}

// Clarify asks the family for one more paper in the same request.
func (a *App) Clarify(ctx context.Context, id family.BindingID, r family.Reviewer, in ReviewAsk) (ReviewView, error) {
	return a.onReview(ctx, id, r, func(p family.Pair, r family.Reviewer, h hand) (family.Pair, *family.Refusal) {
		return p.Clarify(r, in.Version, in.Kind, in.Reason, h.policy, h.now)
	})
}

// paperDoor is how long a reviewer's door to a paper is open.
const paperDoor = 5 * time.Minute

// PaperDoor returns the key of a reviewer's door to a paper, and when it closes.
func (a *App) PaperDoor(r family.Reviewer, id family.MaterialID, now time.Time) (string, time.Time) {
	until := now.Add(paperDoor)
	end := strconv.FormatInt(until.Unix(), 10)
	return end + "-" + a.vault.Index("paper door", r.Subject+"\n"+string(id)+"\n"+end), until
}

// Paper is what a reviewer sees of a paper.
type Paper struct {
	ContentType string
	Content     []byte
}

// SeePaper opens a paper to the reviewer whose door it is. The look is in the
// binding's history before the paper is in his hands.
func (a *App) SeePaper(ctx context.Context, id family.MaterialID, r family.Reviewer, door string) (Paper, error) {
	if a.papers == nil {
		return Paper{}, errNoShelf
	}
	none := family.Refuse(family.NotFound)
	end, _, _ := strings.Cut(door, "-")
	until, err := strconv.ParseInt(end, 10, 64)
	if err != nil || !id.Valid() || end+"-"+a.vault.Index("paper door", r.Subject+"\n"+string(id)+"\n"+end) != door || !a.now().Before(time.Unix(until, 0)) {
		return Paper{}, none
	}
	at, found, err := one(ctx, a, materialKey(id))
	if err != nil {
		return Paper{}, err
	}
	if !found {
		return Paper{}, none
	}
	var material family.Material
	if _, err := a.onReview(ctx, at.Binding, r, func(p family.Pair, r family.Reviewer, h hand) (family.Pair, *family.Refusal) {
		material, _ = p.Binding.Material(id)
		return p.Saw(r, id, h.now)
	}); err != nil {
		return Paper{}, err
	}
	sealed, err := a.papers.Kept(ctx, string(id))
	if errors.Is(err, papers.ErrNone) {
		return Paper{}, none
	}
	if err != nil {
		return Paper{}, err
	}
	content, err := a.vault.Open(string(sealed), paperAt(string(id)))
	return Paper{material.ContentType, []byte(content)}, err
}

// History returns a binding's events after one, to its sides.
func (a *App) History(ctx context.Context, by family.PersonNo, id family.BindingID, after string, limit int) (Page[family.Event], error) {
	return a.history(ctx, id, after, limit, func(b family.Binding) bool { return b.SideOf(by) != "" })
}

// history returns a binding's events after one to whom see lets.
func (a *App) history(ctx context.Context, id family.BindingID, after string, limit int, see func(family.Binding) bool) (Page[family.Event], error) {
	var page Page[family.Event]
	from, refusal := seqCursor(after)
	if refusal != nil {
		return page, refusal
	}
	if !id.Valid() {
		return page, family.Refuse(family.NotFound)
	}
	record, found, err := one(ctx, a, bindingKey(id))
	if err != nil {
		return page, err
	}
	if !found || !see(record.Binding) {
		return page, family.Refuse(family.NotFound)
	}
	r := store.Range{Part: bindingKey(id).Part, Prefix: eventPrefix, Limit: limit + 1}
	if from > 0 {
		r.After = eventKey(id, from).Sort
	}
	records, err := a.list(ctx, r)
	if err != nil {
		return page, err
	}
	if page.Items, err = decodeAll[family.Event](records); err != nil {
		return page, err
	}
	if len(page.Items) > limit {
		page.Items = page.Items[:limit]
		page.Next = strconv.FormatUint(page.Items[limit-1].Seq, 10)
	}
	return page, nil
}
