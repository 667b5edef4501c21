package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
)

// Policies are the rules that the program brings with it, and how a policy's text is
// read. The rules that are published while it runs lie in the table (rulebook).
type Policies interface {
	// For returns the policy of a region on a day, never nil.
	For(family.Region, family.Day) *family.Policy
	// Get returns the policy with an id such as "430100@2026-01", whatever the day.
	Get(id string) (*family.Policy, bool)
	// Read reads the text of a policy file. Its error names the field.
	Read(text []byte) (*family.Policy, error)
}

// A published policy is in force from the beginning of a day that is at least
// publishLead away. Whoever is the first to look so near to a day closes it, before he
// reads the policies: what is published with that day, or one before it, does not land
// any more, however late its commit comes. So a day has one rule from its beginning to
// its end, in every process. The lead is more than clocks of processes are apart.
const publishLead = 10 * time.Minute

// closedRecord is the last day for which nothing can be published any more.
type closedRecord struct{ Through family.Day }

// rulebook is what one process knows of the published policies.
type rulebook struct {
	mu        sync.Mutex
	through   family.Day        // closed before they were read; 0 is not read yet
	versions  map[string]uint64 // of the records, by id
	published map[string]*family.Policy
	byRegion  map[family.Region][]*family.Policy // in the order of their days
}

// fresh reads the published policies of a day that nobody here has decided on yet.
func (a *App) fresh(ctx context.Context) error {
	day := family.DayOf(a.lately().Add(publishLead))
	if a.rules.closed(day) {
		return nil
	}
	// Not under the lock: whoever else comes to the day reads them too.
	if err := a.closeDay(ctx, day); err != nil {
		return err
	}
	records, err := a.published(ctx)
	if err != nil {
		return err
	}
	return a.rules.take(a.policies, records, day)
}

// closeDay has nothing published any more for a day and those before it.
func (a *App) closeDay(ctx context.Context, day family.Day) error {
	records, err := a.store.Get(ctx, store.Key(closedKey))
	if err != nil {
		return err
	}
	if records[0].Exists() {
		var closed closedRecord
		if err := decode(closedKey, records[0].Body, &closed); err != nil {
			a.log.WarnContext(ctx, "the record of the day that is closed is damaged, and written anew")
		} else if closed.Through >= day {
			return nil
		}
	}
	body, err := json.Marshal(closedRecord{day})
	if err != nil {
		return err
	}
	err = a.store.Commit(ctx, []store.Write{{Key: store.Key(closedKey), Base: records[0].Version, Body: body}})
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrUnknown) {
		return fmt.Errorf("%w: whether a day is closed is to be read again", store.ErrUnavailable)
	}
	return err
}

// closed tells whether the policies were read after a day was closed.
func (b *rulebook) closed(day family.Day) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.through >= day
}

// policiesAlone cuts a list of the table's policies where the records begin that only
// point at one.
func policiesAlone(records []store.Record) []store.Record {
	if i := slices.IndexFunc(records, func(r store.Record) bool { return !isPolicyID(r.Key.Sort) }); i >= 0 {
		return records[:i]
	}
	return records
}

// published lists the records of all policies of the table.
func (a *App) published(ctx context.Context) ([]store.Record, error) {
	var all []store.Record
	r := store.Range{Part: policiesPart, Limit: store.MaxList}
	for {
		records, err := a.store.List(ctx, r)
		if err != nil {
			return nil, err
		}
		all = append(all, policiesAlone(records)...)
		if len(records) < r.Limit {
			return all, nil
		}
		r.After = records[len(records)-1].Key.Sort
	}
}

// take takes over the published ones of a list of policies that was read after a day was
// closed, unless a newer one was taken meanwhile; those that it knows it does not read
// again.
func (b *rulebook) take(from Policies, records []store.Record, through family.Day) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.through >= through {
		return nil
	}
	versions, published := map[string]uint64{}, map[string]*family.Policy{}
	byRegion := map[family.Region][]*family.Policy{}
	for _, r := range records {
		var draft policyRecord
		if err := decode(ref[policyRecord](r.Key), r.Body, &draft); err != nil {
			return err
		}
		if draft.State != PolicyPublished {
			continue
		}
		p := b.published[draft.ID]
		if p == nil || b.versions[draft.ID] != r.Version {
			var err error
			if p, err = from.Read([]byte(draft.Text)); err != nil {
				return fmt.Errorf("app: a published policy does not read: %w", err)
			}
		}
		versions[draft.ID], published[draft.ID] = r.Version, p
		byRegion[p.Region] = append(byRegion[p.Region], p)
	}
	for _, versions := range byRegion {
		slices.SortFunc(versions, func(p, q *family.Policy) int { return int(p.From - q.From) })
	}
	b.through, b.versions, b.published, b.byRegion = through, versions, published, byRegion
	return nil
}

// on returns the published policy of exactly a region on a day: the newest that has
// begun. It closes the one before, and nil is none.
func (b *rulebook) on(region family.Region, day family.Day) *family.Policy {
	b.mu.Lock()
	defer b.mu.Unlock()
	versions := b.byRegion[region]
	for i := len(versions) - 1; i >= 0; i-- {
		if p := versions[i]; p.From <= day {
			if p.To != 0 && p.To < day {
				return nil
			}
			return p
		}
	}
	return nil
}

// rules tells whether a policy is the one of its region on a day.
func (b *rulebook) rules(p *family.Policy, day family.Day) bool {
	on := b.on(p.Region, day)
	return on != nil && on.ID() == p.ID()
}

// policyFor returns the rules of a region on a day: of its city, else of its
// province, else the default; for each what was published before what the program
// brought with it.
func (a *App) policyFor(region family.Region, day family.Day) *family.Policy {
	brought := a.policies.For(region, day)
	levels := []family.Region{region.City(), region.Province(), "000000"}
	for i, r := range levels {
		if p := a.rules.on(r, day); p != nil {
			return p
		}
		if brought != nil && (brought.Region == r || i == 0 && !slices.Contains(levels, brought.Region)) {
			return brought
		}
	}
	return brought
}

// policyNamed returns the policy with an id, published or brought along.
func (a *App) policyNamed(id string) (*family.Policy, bool) {
	a.rules.mu.Lock()
	p, ok := a.rules.published[id]
	a.rules.mu.Unlock()
	if ok {
		return p, true
	}
	return a.policies.Get(id)
}

// PolicyState is how far a policy has come.
type PolicyState string

// The states of a policy: drafted by one person, published by another.
const (
	PolicyDraft     PolicyState = "draft"
	PolicyPublished PolicyState = "published"
)

// PolicyView is a policy of the table, and who brought it how far.
type PolicyView struct {
	ID      string
	Policy  *family.Policy
	State   PolicyState
	InForce bool // today
	Text    string
	Version family.Hash // of the text

	DraftedBy   string
	DraftedAt   time.Time
	PublishedBy string
	PublishedAt time.Time
}

// lastPolicyRecord is the policy of a region that was published last. Two who publish
// at once meet in it, and a region may have as many policies as there are.
type lastPolicyRecord struct {
	ID   string
	From family.Day
}

// maxPolicyText bounds the text of a policy, in bytes; the longest of ours has 20,000.
const maxPolicyText = 128 << 10

// DraftPolicy takes over the text of a policy as a draft, in the place of an earlier
// draft with its id. A draft decides nothing.
func (a *App) DraftPolicy(ctx context.Context, by, text string) (PolicyView, error) {
	if len(text) > maxPolicyText {
		return PolicyView{}, &family.Refusal{Code: family.TooLarge, Field: "policy", Allowed: strconv.Itoa(maxPolicyText) + " bytes"}
	}
	p, err := a.policies.Read([]byte(text))
	if err != nil {
		return PolicyView{}, family.Faulty("policy", err)
	}
	if _, ok := a.policies.Get(p.ID()); ok {
		return PolicyView{}, &family.Refusal{Code: family.StateForbids, Field: "policy", Rule: "policies.version", Observed: p.ID()}
	}
	now := a.now()
	draft := policyRecord{ID: p.ID(), Text: text, State: PolicyDraft, DraftedBy: by, DraftedAt: now}
	_, err = act(ctx, a, func(t *tx) (struct{}, error) {
		has, found, err := t.policy(p.ID())
		if err != nil {
			return struct{}{}, err
		}
		if found && has.State == PolicyPublished {
			return struct{}{}, &family.Refusal{Code: family.StateForbids, Field: "policy", Rule: "policies.version", Observed: p.ID()}
		}
		return struct{}{}, put(t, policyKey(p.ID()), draft)
	})
	return a.policyView(draft, p), err
}

// version tells texts of one draft apart, so that whoever publishes publishes what he
// read: its drafter may have put another in its place since.
func (r policyRecord) version() family.Hash {
	sum := sha256.Sum256([]byte(r.Text))
	return family.Hash(hex.EncodeToString(sum[:]))
}

// PublishPolicy puts a draft in force from its first day: by another person than
// drafted it, from a day that has not begun, after all that is published of the
// region. The rule of a past day never changes. saw is the version that he read, as
// its view names it; empty is whatever the draft says now.
func (a *App) PublishPolicy(ctx context.Context, by, id string, saw family.Hash) (PolicyView, error) {
	now := a.now()
	return act(ctx, a, func(t *tx) (PolicyView, error) {
		draft, found, err := t.policy(id)
		switch {
		case err != nil:
			return PolicyView{}, err
		case !found:
			return PolicyView{}, family.Refuse(family.NotFound)
		}
		p, err := a.policies.Read([]byte(draft.Text))
		if err != nil {
			return PolicyView{}, family.Faulty("policy", err)
		}
		if draft.State == PolicyPublished {
			return a.policyView(draft, p), nil
		}
		if draft.DraftedBy == by {
			return PolicyView{}, &family.Refusal{Code: family.NotPermitted, Rule: "policies.two_people", Policy: id}
		}
		if saw != "" && saw != draft.version() {
			return PolicyView{}, &family.Refusal{Code: family.StateForbids, Field: "version", Rule: "policies.seen", Policy: id}
		}
		lastRef := lastPolicyKey(p.Region)
		if err := t.read(closedKey, lastRef); err != nil {
			return PolicyView{}, err
		}
		closed, _, err := get(t, closedKey)
		if err != nil {
			return PolicyView{}, err
		}
		if through := max(closed.Through, family.DayOf(now.Add(publishLead))); through >= p.From {
			return PolicyView{}, &family.Refusal{Code: family.StateForbids, Field: "from", Rule: "policies.from", Policy: id, Observed: p.From.String(), Allowed: "after " + through.String() + ", whose rules stand"}
		}
		last, found, err := get(t, lastRef)
		if err != nil {
			return PolicyView{}, err
		}
		if found && last.From >= p.From {
			return PolicyView{}, &family.Refusal{Code: family.StateForbids, Field: "from", Rule: "policies.from", Policy: id, Observed: p.From.String(), Allowed: "after " + last.From.String() + ", when " + last.ID + " begins"}
		}
		if err := put(t, lastRef, lastPolicyRecord{ID: id, From: p.From}); err != nil {
			return PolicyView{}, err
		}
		draft.State, draft.PublishedBy, draft.PublishedAt = PolicyPublished, by, now
		return a.policyView(draft, p), put(t, policyKey(id), draft)
	})
}

// isPolicyID tells whether a policy can have an id, such as "430100@2026-07".
func isPolicyID(id string) bool {
	region, version, _ := strings.Cut(id, "@")
	_, err := family.ParseRegion(region)
	return err == nil && version != "" && len(version) <= 16 && strings.Trim(version, "0123456789abcdefghijklmnopqrstuvwxyz-") == ""
}

// policy reads a policy of the table.
func (t *tx) policy(id string) (policyRecord, bool, error) {
	if !isPolicyID(id) {
		return policyRecord{}, false, nil
	}
	if err := t.read(policyKey(id)); err != nil {
		return policyRecord{}, false, err
	}
	return get(t, policyKey(id))
}

// PolicyOf returns a policy of the table.
func (a *App) PolicyOf(ctx context.Context, id string) (PolicyView, error) {
	draft, err := act(ctx, a, func(t *tx) (policyRecord, error) {
		draft, found, err := t.policy(id)
		if err == nil && !found {
			err = family.Refuse(family.NotFound)
		}
		return draft, err
	})
	if err != nil {
		return PolicyView{}, err
	}
	p, err := a.policies.Read([]byte(draft.Text))
	if err != nil {
		return PolicyView{}, err
	}
	return a.policyView(draft, p), nil
}

// PoliciesOf lists the policies of the table.
func (a *App) PoliciesOf(ctx context.Context, after string, limit int) (Page[PolicyView], error) {
	var page Page[PolicyView]
	records, err := a.list(ctx, store.Range{Part: policiesPart, After: after, Limit: limit + 1})
	if err != nil {
		return page, err
	}
	drafts, err := decodeAll[policyRecord](policiesAlone(records))
	for i, draft := range drafts {
		if i == limit {
			page.Next = drafts[limit-1].ID
			break
		}
		p, err := a.policies.Read([]byte(draft.Text))
		if err != nil {
			return page, errors.New("app: a policy of the table does not read")
		}
		page.Items = append(page.Items, a.policyView(draft, p))
	}
	return page, err
}

func (a *App) policyView(r policyRecord, p *family.Policy) PolicyView {
	today := family.DayOf(a.now())
	return PolicyView{
		ID: r.ID, Policy: p, State: r.State, Text: r.Text, Version: r.version(), DraftedBy: r.DraftedBy, DraftedAt: r.DraftedAt, PublishedBy: r.PublishedBy, PublishedAt: r.PublishedAt,
		InForce: r.State == PolicyPublished && p.From <= today && (p.To == 0 || today <= p.To) && a.rules.rules(p, today),
	}
}
