package api

import (
	"context"
	"net/http"
	"time"

	"gongji/shared/answer"
	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// grantWire is the grant of a binding as it stands.
type grantWire struct {
	_ struct{} `nullable:"true"`

	Purposes         []string    `json:"purposes" nullable:"false"`
	MonthlyCap       *family.Fen `json:"monthly_cap_fen,omitempty"`
	PerSettlementCap *family.Fen `json:"per_settlement_cap_fen,omitempty"`
	Quota            *family.Fen `json:"quota_fen,omitempty"`
	ValidUntil       string      `json:"valid_until,omitempty"`
	SpentThisMonth   family.Fen  `json:"spent_this_month_fen"`
	QuotaLeft        *family.Fen `json:"quota_left_fen,omitempty"`
}

type stepWire struct {
	Action string `json:"action" enum:"upload,submit,accept,review"`
	By     string `json:"by" enum:"holder,member,reviewer"`
	Kind   string `json:"kind,omitempty" doc:"Of the paper to upload"`
	Done   bool   `json:"done"`
}

type sideWire struct {
	NameMasked string `json:"name_masked"`
}

// bindingWire is a binding as one of its sides sees it.
type bindingWire struct {
	BindingID   string     `json:"binding_id"`
	Role        string     `json:"role" enum:"holder,member" doc:"The side on which I stand"`
	State       string     `json:"state" enum:"draft,awaiting_member,in_review,active,declined,ended"`
	Steps       []stepWire `json:"steps" nullable:"false"`
	Holder      sideWire   `json:"holder"`
	Member      sideWire   `json:"member"`
	Relation    string     `json:"relation" doc:"What the member is to the holder, GB/T 4761"`
	RelationZH  string     `json:"relation_zh"`
	RelationEN  string     `json:"relation_en"`
	Guardian    bool       `json:"guardian" doc:"The holder acts for the member, who is a child"`
	Show        bool       `json:"show" doc:"亲情账户: the holder may show the member's code"`
	Pay         *grantWire `json:"pay" doc:"家庭共济: the holder's account may pay for the member"`
	Paused      bool       `json:"paused"`
	PausedByMe  bool       `json:"paused_by_me"`
	Policy      string     `json:"policy"`
	CreatedAt   time.Time  `json:"created_at"`
	ActivatedAt *time.Time `json:"activated_at,omitempty"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
	EndedBy     string     `json:"ended_by,omitempty"`
	EndWhy      string     `json:"end_reason,omitempty" enum:"expired,rejected,death,relation_ended,insurance_changed" doc:"Where nobody just wanted it"`

	Readiness readyWire      `json:"readiness" doc:"Would my relative's bill be paid now, and if not, who mends it how"`
	Materials []materialWire `json:"materials,omitempty" doc:"The papers of the request"`
	Reason    string         `json:"review_reason,omitempty" doc:"What the reviewer wrote"`
	ExpiresOn string         `json:"expires_on,omitempty" doc:"Last day of a request that is not finished"`
	Assisted  bool           `json:"assisted,omitempty" doc:"An operator filled it in at the counter"`
}

// readyWire says whether a binding would pay now.
type readyWire struct {
	Pays   bool   `json:"pays"`
	Code   string `json:"code"`
	TextZH string `json:"text_zh"`
	TextEN string `json:"text_en"`
	By     string `json:"by,omitempty" enum:"holder,member,reviewer" doc:"Who can mend it"`
	Action string `json:"action,omitempty" enum:"upload,submit,accept,review,request,grant,resume,contact,wait"`
}

func readyOf(r family.Readiness) readyWire {
	text, mend := answer.Ready(r)
	return readyWire{r == family.Ready, string(r), text.ZH, text.EN, mend.By, mend.Action}
}

// bindingOf returns how a side sees a binding at a time.
func bindingOf(v app.BindingView, by family.PersonNo) bindingWire {
	b := v.Binding
	w := bindingWire{
		BindingID: string(b.ID), Role: string(b.SideOf(by)), State: string(b.State), Relation: string(b.Relation),
		Holder: sideWire{v.HolderMasked}, Member: sideWire{v.MemberMasked}, Guardian: b.Guardian,
		Show: b.Show, Paused: b.Paused(), PausedByMe: b.SideOf(by) == family.BySelf && b.PausedByHolder || b.SideOf(by) == family.ByMember && b.PausedByMember,
		Policy: b.Policy, CreatedAt: b.Created, ActivatedAt: unlessZero(b.Activated), EndedAt: unlessZero(b.Ended), EndedBy: string(b.EndedBy),
		Steps:     make([]stepWire, 0, len(b.Steps)),
		Readiness: readyOf(v.Ready), EndWhy: string(b.EndWhy), Materials: materialsOf(b), Reason: b.Review.Reason, Assisted: b.Assisted != "",
	}
	if b.Until != 0 {
		w.ExpiresOn = b.Until.String()
	}
	w.RelationZH, w.RelationEN = b.Relation.Names()
	for _, s := range b.Steps {
		w.Steps = append(w.Steps, stepWire{string(s.Action), string(s.By), s.Kind, s.Done})
	}
	if b.Pay != nil {
		w.Pay = &grantWire{Purposes: purposesOf(b.Pay), MonthlyCap: unlessNone(b.Pay.MonthlyCap), PerSettlementCap: unlessNone(b.Pay.PerSettlementCap), Quota: unlessNone(b.Pay.Quota)}
		if b.Pay.ValidUntil != 0 {
			w.Pay.ValidUntil = b.Pay.ValidUntil.String()
		}
		if v.Grant != nil {
			w.Pay.SpentThisMonth = v.SpentThisMonth
			if b.Pay.Quota > 0 {
				left := v.Grant.QuotaLeft()
				w.Pay.QuotaLeft = &left
			}
		}
	}
	return w
}

func unlessZero(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func unlessNone(f family.Fen) *family.Fen {
	if f == 0 {
		return nil
	}
	return &f
}

type BindingPath struct {
	BindingID string `path:"binding_id" maxLength:"64"`
}

type bindingAnswer struct {
	Replay string `header:"Idempotent-Replay"`
	Body   bindingWire
}

// bindingRoutes are for people: links and grants.
func (d *door) bindingRoutes() {
	tags := []string{"people"}
	type ask struct {
		Name     string     `json:"name" minLength:"1" maxLength:"50"`
		IDNo     string     `json:"id_no,omitempty" maxLength:"18" doc:"GB 11643; missing only with birth_certificate"`
		Birth    string     `json:"birth_certificate,omitempty" maxLength:"10" doc:"The number of the certificate of birth (出生医学证明) of a child who has no ID number yet, in its place: a letter and nine digits. Only the mother whom it names binds the child by it"`
		Relation string     `json:"relation" doc:"What the member is to the holder, GB/T 4761, two digits"`
		Show     bool       `json:"show" doc:"May I show the member's code? (亲情账户)"`
		Pay      *termsWire `json:"pay" required:"false" doc:"May my account pay for the member? (家庭共济); null for no"`
	}
	type create struct {
		IdempotencyKey string `header:"Idempotency-Key" maxLength:"128"`
		Body           ask
	}
	route(d, Persons, huma.Operation{
		OperationID: "request-binding", Method: http.MethodPost, Path: "/v1/bindings", DefaultStatus: http.StatusCreated,
		Summary: "Ask for a binding with a relative", Tags: tags,
	},
		func(ctx context.Context, in *create) (*bindingAnswer, error) {
			var id family.IDNumber
			var certificate family.CertificateNumber
			var err error
			switch {
			case in.Body.Birth == "":
				if id, err = family.ParseIDNumber(in.Body.IDNo); err != nil {
					return nil, family.Faulty("id_no", err)
				}
			case in.Body.IDNo != "":
				return nil, twoNumbers
			default:
				if certificate, err = family.ParseCertificateNumber(in.Body.Birth); err != nil {
					return nil, family.Faulty("birth_certificate", err)
				}
			}
			relation, err := family.ParseRelation(in.Body.Relation)
			if err != nil {
				return nil, family.Faulty("relation", err)
			}
			terms, err := in.Body.Pay.terms()
			if err != nil {
				return nil, err
			}
			by := person(ctx)
			done, err := d.app.RequestBinding(ctx, by,
				app.BindingAsk{Name: in.Body.Name, ID: id, Certificate: certificate, Relation: relation, Show: in.Body.Show, Pay: terms},
				app.Once{Key: in.IdempotencyKey, Content: in.Body})
			if err != nil {
				return nil, replayed(err, done.Replay)
			}
			return &bindingAnswer{Replay: replayHeader(done.Replay), Body: bindingOf(done.Answer, by)}, nil
		})

	type listAnswer struct{ Body Page[bindingWire] }
	route(d, Persons, huma.Operation{
		OperationID: "list-bindings", Method: http.MethodGet, Path: "/v1/bindings",
		Summary: "My bindings, those I asked for and those that name me, newest first", Tags: tags,
	},
		func(ctx context.Context, in *PageQuery) (*listAnswer, error) {
			by := person(ctx)
			page, err := d.app.Bindings(ctx, by, in.After, in.Limit)
			if err != nil {
				return nil, err
			}
			return &listAnswer{pageOf(page, func(v app.BindingView) bindingWire { return bindingOf(v, by) })}, nil
		})

	d.onBinding(huma.Operation{OperationID: "get-binding", Method: http.MethodGet, Path: "/v1/bindings/{binding_id}", Summary: "One binding", Tags: tags}, d.app.GetBinding)
	d.onBinding(huma.Operation{
		OperationID: "accept-binding", Method: http.MethodPost, Path: "/v1/bindings/{binding_id}/accept",
		Summary: "The member agrees (from 16 on; a guardian acts for a child)", Tags: tags,
	}, d.app.Accept)
	d.onBinding(huma.Operation{
		OperationID: "decline-binding", Method: http.MethodPost, Path: "/v1/bindings/{binding_id}/decline",
		Summary: "The member does not agree", Tags: tags,
	}, d.app.Decline)
	d.onBinding(huma.Operation{
		OperationID: "end-binding", Method: http.MethodDelete, Path: "/v1/bindings/{binding_id}",
		Summary: "End a binding now, by either side; refunds still come back", Tags: tags,
	}, d.app.EndBinding)

	type submit struct {
		BindingPath
		Body struct {
			Commitment bool   `json:"commitment" doc:"个人承诺: I promise that the relation is true"`
			FaceToken  string `json:"face_token,omitempty" nullable:"true" maxLength:"8192" doc:"Passed to the civil registry as it is, where a region asks for one"`
		}
	}
	route(d, Persons, huma.Operation{
		OperationID: "submit-binding", Method: http.MethodPost, Path: "/v1/bindings/{binding_id}/submit", DefaultStatus: http.StatusOK,
		Summary: "The holder promises that the relation is true", Tags: tags,
	},
		func(ctx context.Context, in *submit) (*bindingAnswer, error) {
			if !in.Body.Commitment {
				return nil, &family.Refusal{Code: family.Malformed, Field: "commitment", Observed: "false", Allowed: "true", Detail: "the promise is needed"}
			}
			by := person(ctx)
			view, err := d.app.SubmitWithFace(ctx, by, family.BindingID(in.BindingID), in.Body.FaceToken)
			if err != nil {
				return nil, err
			}
			return &bindingAnswer{Body: bindingOf(view, by)}, nil
		})

	type announce struct {
		BindingPath
		Body materialAsk
	}
	route(d, Persons, huma.Operation{
		OperationID: "announce-paper", Method: http.MethodPost, Path: "/v1/bindings/{binding_id}/materials", DefaultStatus: http.StatusCreated,
		Summary: "Announce a paper and get the door through which it is uploaded, once and soon", Tags: tags,
	},
		func(ctx context.Context, in *announce) (*uploadAnswer, error) {
			return uploadOf(d.app.AnnouncePaper(ctx, person(ctx), family.BindingID(in.BindingID), in.Body.ask()))
		})

	type historyQuery struct {
		BindingPath
		PageQuery
	}
	type historyAnswer struct{ Body Page[eventWire] }
	route(d, Persons, huma.Operation{
		OperationID: "binding-history", Method: http.MethodGet, Path: "/v1/bindings/{binding_id}/history",
		Summary: "Who did what when, oldest first, each line with the hash of the one before", Tags: tags,
	},
		func(ctx context.Context, in *historyQuery) (*historyAnswer, error) {
			page, err := d.app.History(ctx, person(ctx), family.BindingID(in.BindingID), in.After, in.Limit)
			if err != nil {
				return nil, err
			}
			return &historyAnswer{pageOf(page, eventOf)}, nil
		})

	type change struct {
		BindingPath
		Body struct {
			Show   *bool               `json:"show,omitempty" nullable:"true"`
			Pay    optional[termsWire] `json:"pay" required:"false" doc:"New terms; null ends the grant alone"`
			Paused *bool               `json:"paused,omitempty" nullable:"true" doc:"For my side; only I can resume"`
		}
	}
	route(d, Persons, huma.Operation{
		OperationID: "change-binding", Method: http.MethodPatch, Path: "/v1/bindings/{binding_id}",
		Summary: "Change or pause an active binding", Tags: tags,
	},
		func(ctx context.Context, in *change) (*bindingAnswer, error) {
			terms, err := in.Body.Pay.Value.terms()
			if err != nil {
				return nil, err
			}
			if in.Body.Show == nil && in.Body.Paused == nil && !in.Body.Pay.Set {
				return nil, &family.Refusal{Code: family.Malformed, Detail: "nothing to change: show, pay or paused"}
			}
			by := person(ctx)
			view, err := d.app.ChangeBinding(ctx, by, family.BindingID(in.BindingID),
				family.Change{Show: in.Body.Show, Paused: in.Body.Paused, SetPay: in.Body.Pay.Set, Pay: terms})
			if err != nil {
				return nil, err
			}
			return &bindingAnswer{Body: bindingOf(view, by)}, nil
		})

	type noticesAnswer struct{ Body Page[noticeWire] }
	route(d, Persons, huma.Operation{
		OperationID: "list-notices", Method: http.MethodGet, Path: "/v1/notices",
		Summary: "What happened to my bindings without me, newest first", Tags: tags,
	},
		func(ctx context.Context, in *PageQuery) (*noticesAnswer, error) {
			if in.After != "" && !app.NoticeCursor(in.After) {
				return nil, notACursor
			}
			page, err := d.app.Notices(ctx, person(ctx), in.After, in.Limit)
			if err != nil {
				return nil, err
			}
			return &noticesAnswer{pageOf(page, noticeOf)}, nil
		})

	type order struct {
		Body struct {
			Order []string `json:"order" nullable:"false" maxItems:"8" doc:"binding_id of each grant I may use, first to pay first"`
		}
	}
	type orderAnswer struct {
		Body struct {
			Order []string `json:"order" nullable:"false"`
		}
	}
	route(d, Persons, huma.Operation{
		OperationID: "choose-grant-order", Method: http.MethodPut, Path: "/v1/me/grant-order",
		Summary: "The order in which my grantors pay, where the region lets people choose", Tags: tags,
	},
		func(ctx context.Context, in *order) (*orderAnswer, error) {
			ids := make([]family.BindingID, len(in.Body.Order))
			for i, id := range in.Body.Order {
				ids[i] = family.BindingID(id)
			}
			if _, err := d.app.ChooseOrder(ctx, person(ctx), ids); err != nil {
				return nil, err
			}
			var out orderAnswer
			out.Body.Order = in.Body.Order
			return &out, nil
		})
}

// onBinding registers an act that takes nothing but a binding.
func (d *door) onBinding(op huma.Operation, act func(context.Context, family.PersonNo, family.BindingID) (app.BindingView, error)) {
	op.DefaultStatus = http.StatusOK
	route(d, Persons, op, func(ctx context.Context, in *BindingPath) (*bindingAnswer, error) {
		by := person(ctx)
		view, err := act(ctx, by, family.BindingID(in.BindingID))
		if err != nil {
			return nil, err
		}
		return &bindingAnswer{Body: bindingOf(view, by)}, nil
	})
}
