package api

import (
	"context"
	"net/http"

	"gongji/shared/answer"
	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// BillAsk is a bill as a till sends it to be quoted or settled.
type BillAsk struct {
	Credential struct {
		Type  string `json:"type" enum:"qr,id,card"`
		Value string `json:"value" minLength:"1" maxLength:"64" doc:"The 20 digits of the code, the ID number or the card number"`
		Name  string `json:"name,omitempty" nullable:"true" maxLength:"50" doc:"Needed with an ID number; must fit wherever it is given"`
	} `json:"credential"`
	MedType      string    `json:"med_type" maxLength:"6" doc:"11, 12, 13 or 41; of stays in hospital 21, 2101, 22 or 28"`
	Total        int64     `json:"total_fen" minimum:"1" maximum:"1000000000"`
	Lines        []lineAsk `json:"lines" nullable:"false" minItems:"1" doc:"At most 60, with at most 80 boxes on all of them"`
	Diagnoses    []string  `json:"diagnoses,omitempty" nullable:"true" maxItems:"10" doc:"ICD-10 (医保版); needed where an item is paid for some of them only"`
	UseAccount   *bool     `json:"use_account,omitempty" nullable:"true" default:"true" doc:"false: neither the patient's account nor a relative's pays"`
	ExpectedCash *int64    `json:"expected_cash_fen,omitempty" nullable:"true" minimum:"0" doc:"cash_due_fen of the quote; where it no longer fits: quote_stale, nothing moved"`
}

func (b *BillAsk) ask(id family.MessageID) (app.SettleAsk, error) {
	bill, need, err := billOf(b.MedType, b.Lines, b.Diagnoses)
	if err != nil {
		return app.SettleAsk{}, err
	}
	bill.Total, bill.UseAccount = family.Fen(b.Total), b.UseAccount == nil || *b.UseAccount
	ask := app.SettleAsk{
		Message:    id,
		Credential: app.Credential{Type: app.CredentialType(b.Credential.Type), Value: b.Credential.Value, Name: b.Credential.Name},
		Bill:       bill, Need: need,
	}
	if b.ExpectedCash != nil {
		expected := family.Fen(*b.ExpectedCash)
		ask.Bill.ExpectedCash = &expected
	}
	return ask, nil
}

type settlementAnswer struct {
	Replay string `header:"Idempotent-Replay"`
	Body   Settlement
}

// settled writes the answer of a message; a refusal that is repeated says so too.
func settled(o app.Outcome, err error) (*settlementAnswer, error) {
	if err != nil {
		return nil, replayed(err, o.Replay)
	}
	return &settlementAnswer{Replay: replayHeader(o.Replay), Body: settlementOf(o)}, nil
}

// messageID reads an institution's message id.
func messageID(field, s string) (family.MessageID, error) {
	id, err := family.ParseMessageID(s)
	if err != nil {
		return "", family.Faulty(field, err)
	}
	return id, nil
}

// settlementID reads the id of a settlement in a path. What is none names nothing.
func settlementID(s string) (family.MessageID, error) {
	id, err := family.ParseMessageID(s)
	if err != nil {
		return "", family.Refuse(family.NotFound)
	}
	return id, nil
}

// totalsWire sums a day; what was given back counts negative.
type totalsWire struct {
	Settlements int        `json:"settlements"`
	GivenBack   int        `json:"given_back" doc:"Reversals and refunds"`
	Total       family.Fen `json:"total_fen"`
	FundPaid    family.Fen `json:"fund_paid_fen"`
	OwnPaid     family.Fen `json:"own_paid_fen"`
	SharedPaid  family.Fen `json:"shared_paid_fen"`
	CashDue     family.Fen `json:"cash_due_fen"`
	Complete    bool       `json:"complete" doc:"false when the day has more messages than are summed in one answer"`
}

// messageWire is what became of a message.
type messageWire struct {
	MessageID  string    `json:"message_id"`
	State      string    `json:"state" enum:"settled,refused,fenced,waiting" doc:"waiting: for a confirmation, nothing has moved; send it again under the same id"`
	Kind       string    `json:"kind,omitempty" enum:"settlement,reversal,refund"`
	MessageZH  string    `json:"message_zh"`
	MessageEN  string    `json:"message_en"`
	Next       string    `json:"next" enum:"fix,refresh_qr,requote,collect_cash,retry_same_id,do_nothing,contact"`
	Code       string    `json:"code" doc:"From the catalogue of answers: why it was refused, or what became of it"`
	Settlement *Standing `json:"settlement,omitempty"`
}

func messageOf(v app.MessageView) messageWire {
	w := messageWire{MessageID: string(v.Message), State: "settled"}
	var row answer.Row
	switch {
	case v.Settled != nil:
		standing := standingOf(*v.Settled)
		w.Kind, w.Settlement = standing.Kind, &standing
		row = answer.Of(outcomes[v.Settled.Settlement.State()])
		if v.Settled.Settlement.Kind != family.Settled {
			row = answer.Of(family.MessageGaveMoneyBack)
		}
	case v.Waits != nil && v.Confirmed:
		w.State, row = "waiting", answer.Of(family.MessageConfirmed)
	case v.Waits != nil:
		w.State, row = "waiting", answer.Of(v.Refusal.Code)
	case v.Fenced:
		w.State, row = "fenced", answer.Of(family.MessageFenced)
	default:
		w.State, row = "refused", answer.Of(v.Refusal.Code)
	}
	w.Code, w.MessageZH, w.MessageEN, w.Next = string(row.Code), row.Message.ZH, row.Message.EN, string(row.Next)
	return w
}

// outcomes say what became of a settlement.
var outcomes = map[family.State]family.Code{
	family.StateSettled:           family.MessageSettled,
	family.StatePartiallyRefunded: family.MessagePartlyUndone,
	family.StateReversed:          family.MessageUndone,
}

// tillRoutes are for the institutions' systems.
func (d *door) tillRoutes() {
	tags := []string{"institutions"}
	type quoteAsk struct {
		Body struct {
			MessageID string `json:"message_id,omitempty" nullable:"true" maxLength:"30" doc:"Ignored: a quote has no identity"`
			BillAsk
		}
	}
	type quoteAnswer struct{ Body Settlement }
	route(d, Places, huma.Operation{
		OperationID: "quote", Method: http.MethodPost, Path: "/v1/quotes", DefaultStatus: http.StatusOK,
		Summary: "What a settlement would be; moves nothing", Tags: tags,
	},
		func(ctx context.Context, in *quoteAsk) (*quoteAnswer, error) {
			ask, err := in.Body.ask("")
			if err != nil {
				return nil, err
			}
			outcome, err := d.app.Quote(ctx, place(ctx), ask)
			if err != nil {
				return nil, err
			}
			return &quoteAnswer{settlementOf(outcome)}, nil
		})

	type settleAsk struct {
		Body struct {
			MessageID string `json:"message_id" doc:"30 characters: institution code 12, yyyyMMddHHmmss, 4 more"`
			BillAsk
		}
	}
	route(d, Places, huma.Operation{
		OperationID: "settle", Method: http.MethodPost, Path: "/v1/settlements", DefaultStatus: http.StatusCreated,
		Summary: "Settle a bill", Tags: tags,
		Description: "202 confirmation_needed: a relative whose account pays has to confirm on his phone and nothing has moved; send the same message again until it settles, is declined or has lapsed. The same message again gets the first answer, with Idempotent-Replay: true. After 503, ask GET /v1/messages/{message_id} or send the same again; never charge the patient otherwise.",
	},
		func(ctx context.Context, in *settleAsk) (*settlementAnswer, error) {
			id, err := messageID("message_id", in.Body.MessageID)
			if err != nil {
				return nil, err
			}
			ask, err := in.Body.ask(id)
			if err != nil {
				return nil, err
			}
			return settled(d.app.Settle(ctx, place(ctx), ask))
		}, func(api huma.API) {
			api.OpenAPI().Paths["/v1/settlements"].Post.Responses["202"] = problemResponse(api, "confirmation_needed: nothing has moved")
		})

	type SettlementPath struct {
		SettlementID string `path:"settlement_id" maxLength:"64"`
	}
	// One route for two kinds of caller: the shape follows from who asks.
	type anyAnswer struct{ Body any }
	route(d, PersonOrPlace, huma.Operation{
		OperationID: "get-settlement", Method: http.MethodGet, Path: "/v1/settlements/{settlement_id}",
		Summary: "A settlement to its institution, a receipt to the patient and to whoever paid or showed the code", Tags: []string{"institutions", "people"},
	},
		func(ctx context.Context, in *SettlementPath) (*anyAnswer, error) {
			id, err := settlementID(in.SettlementID)
			if err != nil {
				return nil, err
			}
			if c := callerOf(ctx); c.place == "" {
				receipt, err := d.app.Receipt(ctx, c.person, id)
				if err != nil {
					return nil, err
				}
				return &anyAnswer{receiptOf(receipt, c.person)}, nil
			}
			outcome, err := d.app.PlaceSettlement(ctx, place(ctx), id)
			if err != nil {
				return nil, err
			}
			return &anyAnswer{standingOf(outcome)}, nil
		},
		oneOf("/v1/settlements/{settlement_id}", Standing{}, receiptWire{}))

	type reverseAsk struct {
		SettlementPath
		Body struct {
			MessageID string `json:"message_id"`
			Reason    string `json:"reason" minLength:"1" maxLength:"60"`
		}
	}
	route(d, Places, huma.Operation{
		OperationID: "reverse", Method: http.MethodPost, Path: "/v1/settlements/{settlement_id}/reversal", DefaultStatus: http.StatusCreated,
		Summary: "Give a whole settlement back, to where the money came from", Tags: tags,
	},
		func(ctx context.Context, in *reverseAsk) (*settlementAnswer, error) {
			original, id, err := undoIDs(in.SettlementID, in.Body.MessageID)
			if err != nil {
				return nil, err
			}
			return settled(d.app.Reverse(ctx, place(ctx), original, id, in.Body.Reason))
		})

	type refundAsk struct {
		SettlementPath
		Body struct {
			MessageID string `json:"message_id"`
			Lines     []struct {
				LineNo   int    `json:"line_no" minimum:"1" maximum:"99999"`
				Quantity string `json:"quantity" maxLength:"20"`
			} `json:"lines" nullable:"false" minItems:"1"`
		}
	}
	route(d, Places, huma.Operation{
		OperationID: "refund", Method: http.MethodPost, Path: "/v1/settlements/{settlement_id}/refunds", DefaultStatus: http.StatusCreated,
		Summary: "Give part of a settlement back, by line and quantity", Tags: tags,
	},
		func(ctx context.Context, in *refundAsk) (*settlementAnswer, error) {
			original, id, err := undoIDs(in.SettlementID, in.Body.MessageID)
			if err != nil {
				return nil, err
			}
			returns := make([]family.Return, len(in.Body.Lines))
			for i, l := range in.Body.Lines {
				quantity, err := family.ParseQuantity(l.Quantity)
				if err != nil {
					return nil, &family.Refusal{Code: family.Malformed, Field: indexed("lines", i) + ".quantity", Line: l.LineNo, Detail: err.Error()}
				}
				returns[i] = family.Return{LineNo: l.LineNo, Quantity: quantity}
			}
			return settled(d.app.Refund(ctx, place(ctx), original, id, returns))
		})

	type messagePath struct {
		MessageID string `path:"message_id" maxLength:"64"`
	}
	type messageAnswer struct{ Body messageWire }
	route(d, Places, huma.Operation{
		OperationID: "find-message", Method: http.MethodGet, Path: "/v1/messages/{message_id}",
		Summary: "What became of my message; one that was never seen is fenced and cannot land any more", Tags: tags,
	},
		func(ctx context.Context, in *messagePath) (*messageAnswer, error) {
			id, err := messageID("message_id", in.MessageID)
			if err != nil {
				return nil, err
			}
			view, err := d.app.FindMessage(ctx, place(ctx), id)
			if err != nil {
				return nil, err
			}
			return &messageAnswer{messageOf(view)}, nil
		})

	type dayQuery struct {
		PageQuery
		Day string `path:"day" doc:"YYYYMMDD, of the message ids"`
	}
	type dayAnswer struct {
		Body struct {
			Day    string     `json:"day"`
			Totals totalsWire `json:"totals"`
			Page[Standing]
		}
	}
	route(d, Places, huma.Operation{OperationID: "day", Method: http.MethodGet, Path: "/v1/days/{day}", Summary: "The settlements and totals of a day", Tags: tags},
		func(ctx context.Context, in *dayQuery) (*dayAnswer, error) {
			day, err := family.ParseDay(in.Day)
			if err != nil {
				return nil, family.Faulty("day", err)
			}
			if in.After != "" {
				if _, err := family.ParseMessageID(in.After); err != nil {
					return nil, notACursor
				}
			}
			page, t, err := d.app.Day(ctx, place(ctx), day, in.After, in.Limit)
			if err != nil {
				return nil, err
			}
			var out dayAnswer
			out.Body.Day = day.String()
			out.Body.Totals = totalsWire{t.Settlements, t.GivenBack, t.Total, t.FundPaid, t.OwnPaid, t.SharedPaid, t.CashIn, t.Complete}
			out.Body.Page = pageOf(page, standingOf)
			return &out, nil
		})
}

// undoIDs reads the ids of a reversal or refund: of what, and its own.
func undoIDs(settlement, message string) (original, id family.MessageID, err error) {
	if id, err = messageID("message_id", message); err != nil {
		return "", "", err
	}
	if original, err = family.ParseMessageID(settlement); err != nil {
		err = family.Refuse(family.OriginalUnknown)
	}
	return original, id, err
}
