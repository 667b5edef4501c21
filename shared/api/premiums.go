package api

import (
	"context"
	"net/http"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// premiumWire is a premium as whoever may pay it sees it.
type premiumWire struct {
	PremiumID  string     `json:"premium_id"`
	NameMasked string     `json:"name_masked" doc:"Whose it is"`
	Kind       string     `json:"kind" enum:"resident,long_term_care"`
	Year       int        `json:"year" doc:"For which"`
	Amount     family.Fen `json:"amount_fen"`
	From       string     `json:"from" doc:"First day on which it may be paid"`
	To         string     `json:"to" doc:"Last day"`
	State      string     `json:"state" enum:"owed,paid,refunded"`
	PaidAt     *time.Time `json:"paid_at,omitempty"`
	PaidByMe   bool       `json:"paid_by_me"`
	RefundedAt *time.Time `json:"refunded_at,omitempty"`
}

func premiumOf(v app.PremiumView, by family.PersonNo) premiumWire {
	p := v.Premium
	w := premiumWire{
		PremiumID: string(p.ID), NameMasked: v.Masked, Kind: string(p.Kind), Year: p.Year, Amount: p.Amount, From: p.From.String(), To: p.To.String(), State: "owed",
	}
	if n := len(p.Payments); n > 0 {
		last := p.Payments[n-1]
		w.State, w.PaidAt, w.PaidByMe = "paid", &last.At, last.Payer == by
		if last.BackSeq > 0 {
			w.State, w.RefundedAt = "refunded", &last.BackAt
		}
	}
	return w
}

// dueFeed is what somebody owes, as whoever collects it feeds it.
type dueFeed struct {
	PersonNo string `json:"person_no" maxLength:"30"`
	Kind     string `json:"kind" enum:"resident,long_term_care"`
	Year     int    `json:"year" minimum:"2000" maximum:"2999" doc:"For which"`
	Amount   int64  `json:"amount_fen" minimum:"1" maximum:"1000000000"`
	From     string `json:"from" doc:"First day on which it may be paid"`
	To       string `json:"to" doc:"Last day"`
}

func (f dueFeed) feed(ctx context.Context, a *app.App) (app.Fed, error) {
	no, err := family.ParsePersonNo(f.PersonNo)
	if err != nil {
		return "", family.Faulty("person_no", err)
	}
	p := family.Premium{Person: no, Kind: family.PremiumKind(f.Kind), Year: f.Year, Amount: family.Fen(f.Amount)}
	if p.From, err = family.ParseDay(f.From); err != nil {
		return "", family.Faulty("from", err)
	}
	if p.To, err = family.ParseDay(f.To); err != nil {
		return "", family.Faulty("to", err)
	}
	return a.FeedPremium(ctx, p)
}

// premiumRoutes are for who pays a premium and who collects it.
func (d *door) premiumRoutes() {
	feedRoute[dueFeed](d, huma.Operation{
		OperationID: "feed-dues", Path: "/v1/dues", Summary: "Premiums that people owe, as whoever collects them knows",
		Description: "One a person, kind and year. What is paid keeps its amount until it is given back.",
	})

	type listQuery struct {
		BindingID string `query:"binding_id" maxLength:"64" doc:"Of the member of a binding that I hold and by which I pay premiums; leave it out for my own"`
	}
	type listAnswer struct {
		Body struct {
			Items []premiumWire `json:"items" nullable:"false"`
		}
	}
	route(d, Persons, huma.Operation{
		OperationID: "premiums", Method: http.MethodGet, Path: "/v1/premiums", Tags: []string{"people"},
		Summary: "Premiums that I or a relative owe, the newest year first, at most twenty",
	},
		func(ctx context.Context, in *listQuery) (*listAnswer, error) {
			by := person(ctx)
			views, err := d.app.Premiums(ctx, by, family.BindingID(in.BindingID))
			if err != nil {
				return nil, err
			}
			var out listAnswer
			out.Body.Items = make([]premiumWire, 0, len(views))
			for _, v := range views {
				out.Body.Items = append(out.Body.Items, premiumOf(v, by))
			}
			return &out, nil
		})

	type pay struct {
		IdempotencyKey string `header:"Idempotency-Key" maxLength:"128"`
		Body           struct {
			BindingID string `json:"binding_id,omitempty" nullable:"true" maxLength:"64" doc:"Whose member's premium my account pays; leave it out for my own"`
			Kind      string `json:"kind" enum:"resident,long_term_care"`
			Year      int    `json:"year" minimum:"2000" maximum:"2999"`
			Amount    int64  `json:"amount_fen" minimum:"1" maximum:"1000000000" doc:"What I was told that it is; another amount is not paid"`
		}
	}
	type payAnswer struct {
		Replay string `header:"Idempotent-Replay"`
		Body   premiumWire
	}
	route(d, Persons, huma.Operation{
		OperationID: "pay-premium", Method: http.MethodPost, Path: "/v1/premiums", DefaultStatus: http.StatusCreated, Tags: []string{"people"},
		Summary:     "Pay a premium of mine or of a bound relative from my account",
		Description: "Whole or not at all, by a grant whose purposes have premium. What I have paid I have paid: asking again pays nothing more.",
	},
		func(ctx context.Context, in *pay) (*payAnswer, error) {
			by := person(ctx)
			done, err := d.app.PayPremium(ctx, by, app.PremiumAsk{
				Binding: family.BindingID(in.Body.BindingID), Kind: family.PremiumKind(in.Body.Kind), Year: in.Body.Year, Amount: family.Fen(in.Body.Amount),
			}, app.Once{Key: in.IdempotencyKey, Content: in.Body})
			if err != nil {
				return nil, replayed(err, done.Replay)
			}
			return &payAnswer{replayHeader(done.Replay), premiumOf(done.Answer, by)}, nil
		})

	type premiumPath struct {
		PremiumID string `path:"premium_id" maxLength:"64"`
	}
	type backAnswer struct{ Body premiumWire }
	route(d, Operators, huma.Operation{
		OperationID: "refund-premium", Method: http.MethodPost, Path: "/v1/premiums/{premium_id}/refund", DefaultStatus: http.StatusOK, Tags: []string{"operators"},
		Summary: "Give a premium back, whole, to the account and the limits that it came from",
	},
		func(ctx context.Context, in *premiumPath) (*backAnswer, error) {
			view, err := d.app.RefundPremium(ctx, reviewer(ctx), family.PremiumID(in.PremiumID))
			if err != nil {
				return nil, err
			}
			return &backAnswer{premiumOf(view, "")}, nil
		})
}
