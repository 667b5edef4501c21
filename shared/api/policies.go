package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// policyWire is a policy that was drafted or published.
type policyWire struct {
	PolicyID    string     `json:"policy_id" doc:"Region and version, such as 430100@2026-07"`
	State       string     `json:"state" enum:"draft,published"`
	InForce     bool       `json:"in_force" doc:"Today"`
	From        string     `json:"from"`
	To          string     `json:"to,omitempty"`
	DraftedBy   string     `json:"drafted_by"`
	DraftedAt   time.Time  `json:"drafted_at"`
	PublishedBy string     `json:"published_by,omitempty"`
	PublishedAt *time.Time `json:"published_at,omitempty"`

	Version family.Hash `json:"version" doc:"Of its text: say it when you approve what you read"`

	Policy map[string]any `json:"policy,omitempty" doc:"The policy's file"`
}

func policyOf(v app.PolicyView) policyWire {
	w := policyWire{
		PolicyID: v.ID, State: string(v.State), InForce: v.InForce, From: v.Policy.From.String(),
		DraftedBy: v.DraftedBy, DraftedAt: v.DraftedAt, PublishedBy: v.PublishedBy, Version: v.Version,
	}
	if v.Policy.To != 0 {
		w.To = v.Policy.To.String()
	}
	if v.State == app.PolicyPublished {
		w.PublishedAt = &v.PublishedAt
	}
	return w
}

// changeSum is what a draft would make otherwise; amounts are what would be more, or
// with a minus less.
type changeSum struct {
	Ruled   int        `json:"settlements" doc:"That the draft would rule"`
	Changed int        `json:"changed"`
	Fund    family.Fen `json:"fund_paid_fen"`
	Account family.Fen `json:"accounts_paid_fen"`
	Cash    family.Fen `json:"cash_due_fen"`
}

func sumOf(c app.Change) changeSum { return changeSum{c.Ruled, c.Changed, c.Fund, c.Shared, c.Cash} }

func sumsOf(m map[string]app.Change) map[string]changeSum {
	out := make(map[string]changeSum, len(m))
	for key, c := range m {
		out[key] = sumOf(c)
	}
	return out
}

// exampleWire is one settlement that would be otherwise.
type exampleWire struct {
	SettlementID string  `json:"settlement_id"`
	Was          Amounts `json:"was"`
	Would        Amounts `json:"would"`
}

// policyRoutes are for those who make the rules and those who look after them.
func (d *door) policyRoutes() {
	tags := []string{"operators"}
	type policyAnswer struct{ Body policyWire }
	type PolicyPath struct {
		PolicyID string `path:"policy_id" maxLength:"32"`
	}
	type draftAsk struct {
		Body struct {
			Policy map[string]any `json:"policy" doc:"A policy file, as shared/policy/regions holds them"`
		}
	}
	route(d, Operators, huma.Operation{
		OperationID: "draft-policy", Method: http.MethodPost, Path: "/v1/policies", DefaultStatus: http.StatusCreated, Tags: tags,
		Summary: "Draft a policy, in the place of an earlier draft of the version; it decides nothing",
	},
		func(ctx context.Context, in *draftAsk) (*policyAnswer, error) {
			text, err := json.MarshalIndent(in.Body.Policy, "", "  ")
			if err != nil {
				return nil, err
			}
			view, err := d.app.DraftPolicy(ctx, callerOf(ctx).subject, string(text))
			if err != nil {
				return nil, err
			}
			return &policyAnswer{policyOf(view)}, nil
		})

	type policiesAnswer struct{ Body Page[policyWire] }
	route(d, Auditors, huma.Operation{
		OperationID: "policies", Method: http.MethodGet, Path: "/v1/policies", Tags: tags,
		Summary: "The policies that were drafted or published beside those that the program brings along",
	},
		func(ctx context.Context, in *PageQuery) (*policiesAnswer, error) {
			page, err := d.app.PoliciesOf(ctx, in.After, in.Limit)
			if err != nil {
				return nil, err
			}
			return &policiesAnswer{pageOf(page, policyOf)}, nil
		})
	route(d, Auditors, huma.Operation{OperationID: "policy", Method: http.MethodGet, Path: "/v1/policies/{policy_id}", Tags: tags, Summary: "A policy that was drafted or published, with its text"},
		func(ctx context.Context, in *PolicyPath) (*policyAnswer, error) {
			view, err := d.app.PolicyOf(ctx, in.PolicyID)
			if err != nil {
				return nil, err
			}
			out := policyAnswer{policyOf(view)}
			return &out, json.Unmarshal([]byte(view.Text), &out.Body.Policy)
		})
	type approveAsk struct {
		PolicyPath
		Body *struct {
			Version family.Hash `json:"version,omitempty" maxLength:"64" doc:"Of the text that you read, as its answer names it; without it, whatever the draft says now"`
		}
	}
	route(d, Operators, huma.Operation{
		OperationID: "approve-policy", Method: http.MethodPost, Path: "/v1/policies/{policy_id}/approve", DefaultStatus: http.StatusOK, Tags: tags,
		Summary: "Publish a draft: by another person than drafted it, from a day that has not begun",
	},
		func(ctx context.Context, in *approveAsk) (*policyAnswer, error) {
			var saw family.Hash
			if in.Body != nil {
				saw = in.Body.Version
			}
			view, err := d.app.PublishPolicy(ctx, callerOf(ctx).subject, in.PolicyID, saw)
			if err != nil {
				return nil, err
			}
			return &policyAnswer{policyOf(view)}, nil
		})

	type whatIfAsk struct {
		PolicyPath
		Body struct {
			From string `json:"from" doc:"First day"`
			To   string `json:"to" doc:"Last day, at most a year later"`
			Most int    `json:"most,omitempty" minimum:"1" maximum:"200000" default:"20000" doc:"Settlements to look at; a day is never cut"`
		}
	}
	type whatIfAnswer struct {
		Body struct {
			PolicyID    string               `json:"policy_id"`
			Settlements int                  `json:"settlements" doc:"Looked at"`
			Change      changeSum            `json:"change"`
			ByRegion    map[string]changeSum `json:"by_region" doc:"Of insurance"`
			ByGrade     map[string]changeSum `json:"by_institution_grade"`
			ByPsnType   map[string]changeSum `json:"by_psn_type"`
			Examples    []exampleWire        `json:"examples" nullable:"false" doc:"Those that would change most in cash"`
			NextFrom    string               `json:"next_from,omitempty" doc:"There are more days: ask again with from= this"`
		}
	}
	route(d, Auditors, huma.Operation{
		OperationID: "what-if", Method: http.MethodPost, Path: "/v1/policies/{policy_id}/what-if", DefaultStatus: http.StatusOK, Tags: tags,
		Summary: "What a policy would have made of past settlements; moves nothing",
	},
		func(ctx context.Context, in *whatIfAsk) (*whatIfAnswer, error) {
			ask := app.WhatIfAsk{Policy: in.PolicyID, Most: in.Body.Most}
			var err error
			if ask.From, err = family.ParseDay(in.Body.From); err != nil {
				return nil, family.Faulty("from", err)
			}
			if ask.To, err = family.ParseDay(in.Body.To); err != nil {
				return nil, family.Faulty("to", err)
			}
			report, err := d.app.WhatIf(ctx, ask)
			if err != nil {
				return nil, err
			}
			var out whatIfAnswer
			b := &out.Body
			b.PolicyID, b.Settlements, b.Change = in.PolicyID, report.Settlements, sumOf(report.Change)
			b.ByRegion, b.ByGrade, b.ByPsnType = sumsOf(report.ByRegion), sumsOf(report.ByGrade), sumsOf(report.ByPsnType)
			b.Examples = make([]exampleWire, 0, len(report.Examples))
			for _, e := range report.Examples {
				b.Examples = append(b.Examples, exampleWire{string(e.ID), amountsOf(e.Was), amountsOf(e.Would)})
			}
			if report.Next != 0 {
				b.NextFrom = report.Next.String()
			}
			return &out, nil
		})

	type replayPath struct {
		SettlementID string `path:"settlement_id" maxLength:"64"`
	}
	type replayAnswer struct {
		Body struct {
			SettlementID string       `json:"settlement_id"`
			Policy       string       `json:"policy"`
			Inputs       string       `json:"inputs" doc:"Fingerprint of all that decided it"`
			Same         bool         `json:"same" doc:"It comes out as it did, to the fen"`
			Differences  []changeWire `json:"differences" nullable:"false" doc:"Where it would come out otherwise"`
		}
	}
	route(d, Auditors, huma.Operation{
		OperationID: "replay", Method: http.MethodGet, Path: "/v1/replays/{settlement_id}", Tags: tags,
		Summary: "Decide a settlement again from what is stored, and say where it comes out otherwise; moves nothing",
	},
		func(ctx context.Context, in *replayPath) (*replayAnswer, error) {
			id, err := settlementID(in.SettlementID)
			if err != nil {
				return nil, err
			}
			replayed, err := d.app.Replay(ctx, id)
			if err != nil {
				return nil, err
			}
			var out replayAnswer
			b := &out.Body
			b.SettlementID, b.Policy, b.Inputs = in.SettlementID, replayed.Settlement.Policy, replayed.Settlement.Inputs
			b.Same, b.Differences = len(replayed.Differences) == 0, make([]changeWire, 0, len(replayed.Differences))
			for _, diff := range replayed.Differences {
				b.Differences = append(b.Differences, changeWire(diff))
			}
			return &out, nil
		})
}
