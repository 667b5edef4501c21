package auditor

import (
	"slices"
	"time"

	"gongji/shared/store"
)

// This file is the auditor's own reading of rules that are published while the house
// runs. A day has one rule of a region from its beginning to its end: whatever was
// decided by a day's rules, nothing is published into that day, or one before it, any
// more.

// PolicyText is a policy as an operator drafts it: its name and its text. Who publishes
// one gives the name alone.
type PolicyText struct {
	ID, Text string
}

type policyRecord struct {
	ID, Text, State        string
	DraftedBy, PublishedBy string
	DraftedAt, PublishedAt time.Time
}

// lastPolicyRecord is the newest of a region.
type lastPolicyRecord struct {
	ID   string
	From int
}

// closedRecord is the last day for which nothing is published any more.
type closedRecord struct{ Through int }

func policyKey(id string) store.Key { return store.Key{Part: "POLICIES", Sort: id} }

func lastPolicyKey(region string) store.Key {
	return store.Key{Part: "POLICIES", Sort: "L#" + region}
}

var closedKey = store.Key{Part: "RULES", Sort: "R"}

// publishLead is how long before a day its rules are closed at the latest.
const publishLead = 10 * time.Minute

// rulebook is what the auditor saw published, and how far it was decided by.
type rulebook struct {
	published map[string][]*Rules // by city, in the order in which they were published
	decided   map[string]int      // the last day by whose rules anybody decided in a city
}

// policyCity is the city by which a region finds its policies.
func policyCity(region string) string { return (city(region) + "0100")[:4] + "00" }

// publishedFor is the published policy of a region on a day, or nil.
func (a *Auditor) publishedFor(region string, today int) *Rules {
	list := a.rulebook.published[policyCity(region)]
	for _, r := range slices.Backward(list) {
		if r.From <= today {
			return r
		}
	}
	return nil
}

// rules are a region's on a day, as a program has them that brought some along;
// published ones come before those.
func (v *view) rules(region string, today int) *Rules {
	if !v.quiet {
		decided := v.a.rulebook.decided
		decided[policyCity(region)] = max(decided[policyCity(region)], today)
	}
	if r := v.a.publishedFor(region, today); r != nil {
		return r
	}
	if v.trip.Rules == nil {
		return v.a.rules(region, today)
	}
	rules := v.trip.Rules(region, today)
	if rules != v.a.rules(region, today) {
		v.a.Reached("an older program decides by its own rules")
	}
	return rules
}

// drafted works out what a draft is answered. It takes an earlier one's place.
func (v *view) drafted(r *Request, at time.Time) (effects, bool, string) {
	has, found := read[policyRecord](v, policyKey(r.Policy.ID))
	if found && has.State == "published" {
		return nil, false, "state_forbids"
	}
	return effects{policyKey(r.Policy.ID): is("the draft", policyRecord{
		ID: r.Policy.ID, Text: r.Policy.Text, State: "draft", DraftedBy: r.Subject, DraftedAt: at,
	})}, false, ""
}

// published works out what somebody is answered who publishes.
func (v *view) published(r *Request, at time.Time) (effects, bool, string) {
	has, found := read[policyRecord](v, policyKey(r.Policy.ID))
	switch {
	case !found:
		return nil, false, "not_found"
	case has.State == "published":
		v.a.Reached("publish: done before")
		return effects{}, true, ""
	case has.DraftedBy == r.Subject:
		return nil, false, "not_permitted"
	}
	rules := v.a.text(has.Text)
	closed, last := closedRecord{}, lastPolicyRecord{}
	if c, found := read[closedRecord](v, closedKey); found {
		closed = *c
	}
	if l, found := read[lastPolicyRecord](v, lastPolicyKey(rules.Region)); found {
		last = *l
	}
	switch {
	case day(at.Add(publishLead)) >= rules.From:
		v.a.Reached("publish: too near to its day")
		return nil, false, "state_forbids"
	case closed.Through >= rules.From:
		v.a.Reached("publish: its day was closed meanwhile")
		return nil, false, "state_forbids"
	case last.From >= rules.From:
		v.a.Reached("publish: before what is published")
		return nil, false, "state_forbids"
	}
	now := *has
	now.State, now.PublishedBy, now.PublishedAt = "published", r.Subject, at
	return effects{
		policyKey(now.ID):           is("the policy", now),
		lastPolicyKey(rules.Region): is("the newest policy", lastPolicyRecord{now.ID, rules.From}),
	}, false, ""
}

// Closes tells whether a commit is no act's: who comes to a day first closes it.
func Closes(writes []store.Write) bool {
	return len(writes) == 1 && writes[0].Key == closedKey && !writes[0].Check
}

// Closed is told that a day was closed.
func (a *Auditor) Closed(before store.Record) {
	a.Reached("a day is closed")
	through := shape[closedRecord](a, a.disk.Peek(closedKey)).Through
	if before.Exists() && through <= shape[closedRecord](a, before).Through {
		a.fault("days were closed through %d, and are through %d", shape[closedRecord](a, before).Through, through)
	}
}

// inForce enters a policy that a commit has published in the rulebook, and finds what no
// publication may do, whatever was asked.
func (a *Auditor) inForce(was store.Record, is *policyRecord) {
	if was.Exists() && shape[policyRecord](a, was).State == "published" {
		a.fault("the published policy %s was written again", is.ID)
		return
	}
	if is.State != "published" {
		return
	}
	rules := a.text(is.Text)
	at := policyCity(rules.Region)
	if decided := a.rulebook.decided[at]; decided >= rules.From {
		a.fault("%s begins on %d and was published when somebody had decided by the rules of %d", is.ID, rules.From, decided)
	}
	if list := a.rulebook.published[at]; len(list) > 0 && list[len(list)-1].From >= rules.From {
		a.fault("%s begins on %d, and %s was published with %d before", is.ID, rules.From, list[len(list)-1].ID, list[len(list)-1].From)
	}
	if is.DraftedBy == is.PublishedBy {
		a.fault("one person drafted and published %s", is.ID)
	}
	a.rulebook.published[at] = append(a.rulebook.published[at], rules)
}

// turnOfRules notes sales on either side of the beginning of published rules.
func (a *Auditor) turnOfRules(s *settlement) {
	today := day(s.At)
	for _, r := range a.rulebook.published[policyCity(s.Basis.InsuredRegion)] {
		switch {
		case r.From == today && s.Policy == r.ID:
			a.Reached("a settlement on the first day of published rules")
		case daysBefore(r.From, 1) == today && s.Policy != r.ID:
			a.Reached("a settlement on the day before published rules")
		}
	}
}

// allPublished finds a policy that is published and was not seen to be, or the other way
// round, and a region whose newest is another.
func (a *Auditor) allPublished(policies map[string]*policyRecord, last map[string]*lastPolicyRecord) {
	lie := 0
	for _, p := range policies {
		if p.State == "published" {
			lie++
		}
	}
	for at, list := range a.rulebook.published {
		newest := list[len(list)-1]
		if l := last[at]; l == nil || l.ID != newest.ID || l.From != newest.From {
			a.fault("the newest policy of %s is %s, and the record says %+v", at, newest.ID, l)
		}
		for _, r := range list {
			if p := policies[r.ID]; p == nil || p.State != "published" || a.text(p.Text) != r {
				a.fault("%s was published, and its record is %+v", r.ID, p)
			}
		}
		lie -= len(list)
	}
	if lie != 0 {
		a.fault("%d more policies are published than were seen to be", lie)
	}
}

// lawsOf are the rules by which anybody may have looked at a region's bindings so far:
// those that programs brought along, and all that were published.
func (a *Auditor) lawsOf(region string, today int) []*Rules {
	laws := []*Rules{a.rules(region, today), a.rules(region, 20210101), a.rules(region, 99991231)}
	return append(laws, a.rulebook.published[policyCity(region)]...)
}
