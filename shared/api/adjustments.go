package api

import (
	"context"
	"net/http"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// adjustmentWire is an account put right, or a proposal to do so.
type adjustmentWire struct {
	Reference  string     `json:"reference"`
	PersonNo   string     `json:"person_no"`
	Amount     family.Fen `json:"amount_fen" doc:"Added; with a minus taken"`
	Pocket     string     `json:"pocket" enum:"current,past"`
	Reason     string     `json:"reason" enum:"duplicate_credit,missed_credit,wrong_amount,wrong_person,ruling"`
	State      string     `json:"state" enum:"proposed,booked,rejected"`
	ProposedBy string     `json:"proposed_by"`
	ProposedAt time.Time  `json:"proposed_at"`
	DecidedBy  string     `json:"decided_by,omitempty"`
	DecidedAt  *time.Time `json:"decided_at,omitempty"`
	Seq        uint64     `json:"seq,omitempty" doc:"Of its entry in the account's history"`
}

func adjustmentOf(j family.Adjustment) adjustmentWire {
	w := adjustmentWire{
		Reference: j.Reference, PersonNo: string(j.Person), Amount: j.Amount.Total(), Pocket: "current", Reason: string(j.Reason), State: string(j.State),
		ProposedBy: j.ProposedBy, ProposedAt: j.ProposedAt, DecidedBy: j.DecidedBy, Seq: j.Seq,
	}
	if j.Amount.Past != 0 {
		w.Pocket = "past"
	}
	if j.State != family.AdjustmentProposed {
		w.DecidedAt = &j.DecidedAt
	}
	return w
}

// adjustmentRoutes are for operators who put an account right, two for each.
func (d *door) adjustmentRoutes() {
	tags := []string{"operators"}
	type adjustmentAnswer struct{ Body adjustmentWire }
	type proposedAnswer struct {
		Replay string `header:"Idempotent-Replay"`
		Body   adjustmentWire
	}
	type proposal struct {
		Body struct {
			Reference string `json:"reference" pattern:"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$" doc:"Its identity: a repeat changes nothing. Credits and adjustments share them"`
			PersonNo  string `json:"person_no" maxLength:"30"`
			Amount    int64  `json:"amount_fen" minimum:"-1000000000" maximum:"1000000000" doc:"To be added; with a minus to be taken; not 0"`
			Pocket    string `json:"pocket" enum:"current,past"`
			Reason    string `json:"reason" enum:"duplicate_credit,missed_credit,wrong_amount,wrong_person,ruling"`
		}
	}
	route(d, Operators, huma.Operation{
		OperationID: "propose-adjustment", Method: http.MethodPost, Path: "/v1/adjustments", DefaultStatus: http.StatusCreated, Tags: tags,
		Summary: "Propose to put an account right; nothing moves before another operator approves it",
	},
		func(ctx context.Context, in *proposal) (*proposedAnswer, error) {
			b := in.Body
			no, err := family.ParsePersonNo(b.PersonNo)
			if err != nil {
				return nil, family.Faulty("person_no", err)
			}
			ask := family.Adjustment{Reference: b.Reference, Person: no, Amount: family.Pockets{Current: family.Fen(b.Amount)}, Reason: family.AdjustmentReason(b.Reason)}
			if b.Pocket == "past" {
				ask.Amount = family.Pockets{Past: family.Fen(b.Amount)}
			}
			j, err := d.app.ProposeAdjustment(ctx, reviewer(ctx), ask)
			if err != nil {
				return nil, err
			}
			return &proposedAnswer{replayHeader(j.Replay), adjustmentOf(j.Answer)}, nil
		})

	type adjustmentsQuery struct {
		PageQuery
		State string `query:"state" enum:"proposed,booked,rejected"`
	}
	type adjustmentsAnswer struct{ Body Page[adjustmentWire] }
	route(d, Auditors, huma.Operation{OperationID: "adjustments", Method: http.MethodGet, Path: "/v1/adjustments", Tags: tags, Summary: "Adjustments of accounts, by their references"},
		func(ctx context.Context, in *adjustmentsQuery) (*adjustmentsAnswer, error) {
			if in.After != "" && !app.AdjustmentCursor(in.After) {
				return nil, notACursor
			}
			page, err := d.app.Adjustments(ctx, family.AdjustmentState(in.State), in.After, in.Limit)
			if err != nil {
				return nil, err
			}
			return &adjustmentsAnswer{pageOf(page, adjustmentOf)}, nil
		})

	type adjustmentPath struct {
		Reference string `path:"reference" maxLength:"64"`
	}
	for _, r := range []struct {
		id, method, path, summary string
		access                    Access
		do                        func(context.Context, family.Reviewer, string) (family.Adjustment, error)
	}{
		{"adjustment", http.MethodGet, "", "An adjustment and who brought it how far", Auditors, func(ctx context.Context, _ family.Reviewer, reference string) (family.Adjustment, error) {
			return d.app.AdjustmentOf(ctx, reference)
		}},
		{"approve-adjustment", http.MethodPost, "/approve", "Book an adjustment: by another person than proposed it, neither of them the account's owner, never below zero", Operators, d.app.ApproveAdjustment},
		{"reject-adjustment", http.MethodPost, "/reject", "End a proposal, or take one's own back; nothing moves", Operators, d.app.RejectAdjustment},
	} {
		route(d, r.access, huma.Operation{OperationID: r.id, Method: r.method, Path: "/v1/adjustments/{reference}" + r.path, DefaultStatus: http.StatusOK, Tags: tags, Summary: r.summary},
			func(ctx context.Context, in *adjustmentPath) (*adjustmentAnswer, error) {
				j, err := r.do(ctx, reviewer(ctx), in.Reference)
				if err != nil {
					return nil, err
				}
				return &adjustmentAnswer{adjustmentOf(j)}, nil
			})
	}
}
