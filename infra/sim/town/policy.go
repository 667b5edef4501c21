package town

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gongji/infra/sim/auditor"
	"gongji/shared/app"
	"gongji/shared/family"
)

// draft is a policy that operators drafted: for the auditor and for the house.
type draft struct {
	rules  *auditor.Rules
	policy *family.Policy
}

// Read reads the text of a policy: of those that the town drew, by number.
func (l *law) Read(text []byte) (*family.Policy, error) {
	if d := l.drafts[string(text)]; d != nil {
		return d.policy, nil
	}
	return nil, errors.New("nobody drew this policy")
}

// text is the same for the auditor.
func (l *law) text(text string) *auditor.Rules { return l.drafts[text].rules }

// drafted is a draft as operators know it.
type drafted struct {
	id, region, by string
	from           int
}

// policy is an operator who drafts a policy, or publishes one.
func (t *town) policy() *request {
	if len(t.drafts) == 0 || t.chance(0.6) {
		return t.draftPolicy()
	}
	return t.publish(pick(t, t.drafts))
}

// draftPolicy drafts new rules of a city, or others in the place of a draft.
func (t *town) draftPolicy() *request {
	d := drafted{region: pick(t, []string{regions[0], regions[0], regions[1], regions[2], regions[4]}), from: dayOf(t.now.AddDate(0, 0, pick(t, []int{0, 1, 1, 1, 2, 3})))}
	if len(t.drafts) > 0 && t.chance(0.25) {
		again := pick(t, t.drafts)
		d.id, d.region = again.id, again.region
	}
	return t.drafting(d)
}

// drafting drafts new rules of a city from a day on; without an id they are a new version.
func (t *town) drafting(d drafted) *request {
	t.sent++
	serial := 100 + t.sent
	if _, version, again := strings.Cut(d.id, "@"); again {
		n, err := strconv.Atoi(version)
		if err != nil {
			panic(err) // it was written here
		}
		serial = n - 1
	}
	rules := t.drawRules(d.region, serial, d.from)
	policy := policyOf(rules)
	if err := policy.Validate(); err != nil {
		panic(err) // the house would not read it
	}
	d.id, d.by = rules.ID, pick(t, []string{"op1", "op2", "op3"})
	text := fmt.Sprintf("policy %d", t.sent)
	t.law.drafts[text] = &draft{rules, policy}
	r := &request{audit: &auditor.Request{Op: auditor.OpDraft, Subject: d.by, Policy: auditor.PolicyText{ID: d.id, Text: text}}}
	if t.chance(t.rates.malformed) {
		r.audit.Malformed = true
		text = "nothing that reads"
	}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		_, err := a.DraftPolicy(ctx, d.by, text)
		return answerOf(err)
	}
	r.learn = func(t *town, a auditor.Answer) {
		if a.Code != "" {
			return
		}
		t.drafts = append(t.drafts, d)
		switch {
		case t.chance(0.2): // at the last moment at which it can be published
			t.eves = append(t.eves, eve{d, true})
		case t.chance(0.7):
			t.next = append(t.next, t.publish(d))
		}
	}
	return r
}

// publish is an operator who publishes a draft, now and then the one who drafted it, or
// one that nobody did.
func (t *town) publish(d drafted) *request {
	r := &request{audit: &auditor.Request{Op: auditor.OpPublish, Subject: pick(t, []string{"op1", "op2", "op3"}), Policy: auditor.PolicyText{ID: d.id}}}
	if r.audit.Subject == d.by && t.chance(0.7) {
		r.audit.Subject = "chief"
	}
	if t.chance(0.03) {
		r.audit.Policy.ID = d.region + "@none"
	}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		_, err := a.PublishPolicy(ctx, r.audit.Subject, r.audit.Policy.ID, "")
		return answerOf(err)
	}
	r.learn = func(t *town, a auditor.Answer) {
		switch {
		case a.Code != "":
		case t.chance(0.5):
			t.eves = append(t.eves, eve{d, false})
		case t.chance(0.3): // the same again, once it is published
			t.next = append(t.next, t.drafting(d))
		case t.chance(0.3): // another for the same day
			t.next = append(t.next, t.drafting(drafted{region: d.region, from: d.from}))
		}
	}
	return r
}

// eve is what is to be played of a policy: its first day, or its publication in the last
// moment before that day is closed.
type eve struct {
	policy drafted
	close  bool
}

// eve moves the clock to the edge of the first day of a policy, with patients before and
// after it; or to the edge of the time in which it can be published, with two who do.
func (t *town) eve() {
	d := t.eves[0]
	t.eves = t.eves[1:]
	begins := time.Date(d.policy.from/10000, time.Month(d.policy.from/100%100), d.policy.from%100, 0, 0, 0, 0, time.UTC)
	if !begins.Add(-8 * time.Hour).After(t.now) {
		return // it has begun
	}
	t.night()
	if d.close {
		if at := begins.Add(-8*time.Hour - 10*time.Minute - t.between(0, time.Second)); at.After(t.now) {
			t.now = at
		}
		t.next = append([]*request{t.publish(d.policy), t.visit(t.credential()), t.publish(d.policy)}, t.next...)
	} else {
		t.toTheEdge(begins)
		for range 4 {
			t.next = append([]*request{t.visit(t.credential())}, t.next...)
		}
		if t.chance(0.5) {
			t.now = t.now.Add(5 * time.Second)
		}
	}
	t.fault("the clock leaps")
}
