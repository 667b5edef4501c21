package api

import (
	"context"
	"net/http"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// confirmationWire is a settlement that waits for a grantor's word, as he sees it.
type confirmationWire struct {
	ConfirmationID string          `json:"confirmation_id" doc:"The settlement_id that it gets when it settles"`
	State          string          `json:"state" enum:"waiting,approved,settled,declined,lapsed,withdrawn"`
	Institution    institutionWire `json:"institution"`
	Patient        patientWire     `json:"patient"`
	Relation       string          `json:"relation" doc:"What the patient is to me, GB/T 4761"`
	RelationZH     string          `json:"relation_zh"`
	RelationEN     string          `json:"relation_en"`
	Amount         family.Fen      `json:"amount_fen" doc:"What it would take from my account, and the most it takes once I approve"`
	AskedAt        time.Time       `json:"asked_at"`
	ExpiresAt      time.Time       `json:"expires_at" doc:"From then on it has lapsed and nothing moves"`
}

func confirmationOf(v app.ConfirmationView) confirmationWire {
	w := confirmationWire{
		ConfirmationID: string(v.Message), State: string(v.State), Institution: institutionWire{string(v.Place.Code), v.Place.Name, string(v.Place.Kind)},
		Patient: patientWire{NameMasked: v.PatientMasked}, Relation: string(v.Asked.Relation), Amount: v.Asked.Amount, AskedAt: v.At, ExpiresAt: v.Until,
	}
	w.RelationZH, w.RelationEN = v.Asked.Relation.Names()
	return w
}

// confirmationRoutes are for those whose account a settlement would draw on.
func (d *door) confirmationRoutes() {
	tags := []string{"people"}
	type listAnswer struct{ Body Page[confirmationWire] }
	route(d, Persons, huma.Operation{
		OperationID: "confirmations", Method: http.MethodGet, Path: "/v1/confirmations",
		Summary: "Settlements that wait, or waited of late, for my word, newest first", Tags: tags,
	},
		func(ctx context.Context, in *PageQuery) (*listAnswer, error) {
			page, err := d.app.Confirmations(ctx, person(ctx), in.After, in.Limit)
			if err != nil {
				return nil, err
			}
			return &listAnswer{pageOf(page, confirmationOf)}, nil
		})

	type confirmationPath struct {
		ID string `path:"confirmation_id" maxLength:"64"`
	}
	type confirmationAnswer struct{ Body confirmationWire }
	for _, word := range []struct {
		path, summary string
		says          family.Consent
	}{
		{"approve", "Let it pass: nothing moves until the till sends its message again, and never more than this amount", family.ConsentGiven},
		{"decline", "My account does not pay; until the till has settled an approval can be taken back so", family.ConsentRefused},
	} {
		route(d, Persons, huma.Operation{
			OperationID: word.path + "-confirmation", Method: http.MethodPost, Path: "/v1/confirmations/{confirmation_id}/" + word.path,
			DefaultStatus: http.StatusOK, Summary: word.summary, Tags: tags,
		},
			func(ctx context.Context, in *confirmationPath) (*confirmationAnswer, error) {
				id, err := settlementID(in.ID)
				if err != nil {
					return nil, err
				}
				view, err := d.app.Confirm(ctx, person(ctx), id, word.says)
				if err != nil {
					return nil, err
				}
				return &confirmationAnswer{confirmationOf(view)}, nil
			})
	}
}
