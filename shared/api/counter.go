package api

import (
	"context"
	"net/http"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// identityWire is who stands before an operator, as the identity card shows him.
type identityWire struct {
	Name string `json:"name" minLength:"1" maxLength:"50"`
	IDNo string `json:"id_no" maxLength:"18" doc:"GB 11643"`
}

func (w identityWire) identity(field string) (app.Identity, error) {
	id, err := family.ParseIDNumber(w.IDNo)
	if err != nil {
		return app.Identity{}, family.Faulty(field, err)
	}
	return app.Identity{Name: w.Name, ID: id}, nil
}

// servedWire is a binding as an operator at the counter sees it.
type servedWire struct {
	BindingID  string         `json:"binding_id"`
	State      string         `json:"state" enum:"draft,awaiting_member,in_review,active,declined,ended"`
	Steps      []stepWire     `json:"steps" nullable:"false"`
	Holder     sideWire       `json:"holder"`
	Member     sideWire       `json:"member"`
	Role       string         `json:"role,omitempty" enum:"holder,member" doc:"Of the person who was named"`
	Relation   string         `json:"relation" doc:"What the member is to the holder, GB/T 4761"`
	RelationZH string         `json:"relation_zh"`
	RelationEN string         `json:"relation_en"`
	Guardian   bool           `json:"guardian"`
	Show       bool           `json:"show"`
	Pay        bool           `json:"pay"`
	CreatedAt  time.Time      `json:"created_at"`
	ExpiresOn  string         `json:"expires_on,omitempty"`
	Reason     string         `json:"review_reason,omitempty" doc:"What the reviewer wrote"`
	Materials  []materialWire `json:"materials" nullable:"false"`
}

func servedOf(v app.BindingView, named family.PersonNo) servedWire {
	b := v.Binding
	w := servedWire{
		BindingID: string(b.ID), State: string(b.State), Holder: sideWire{v.HolderMasked}, Member: sideWire{v.MemberMasked},
		Role: string(b.SideOf(named)), Relation: string(b.Relation), Guardian: b.Guardian, Show: b.Show, Pay: b.Pay != nil, CreatedAt: b.Created,
		Reason: b.Review.Reason, Materials: materialsOf(b), Steps: make([]stepWire, 0, len(b.Steps)),
	}
	w.RelationZH, w.RelationEN = b.Relation.Names()
	if b.Until != 0 {
		w.ExpiresOn = b.Until.String()
	}
	for _, s := range b.Steps {
		w.Steps = append(w.Steps, stepWire{string(s.Action), string(s.By), s.Kind, s.Done})
	}
	if w.Materials == nil {
		w.Materials = []materialWire{}
	}
	return w
}

type servedAnswer struct{ Body servedWire }

func served(v app.BindingView, err error) (*servedAnswer, error) {
	if err != nil {
		return nil, err
	}
	return &servedAnswer{servedOf(v, "")}, nil
}

// counterRoutes are for operators who serve people without a phone.
func (d *door) counterRoutes() {
	tags := []string{"counter"}
	const base = "/v1/counter/bindings"
	type create struct {
		Body struct {
			Holder   identityWire `json:"holder" doc:"Who asks, and stands here"`
			Member   identityWire `json:"member"`
			Relation string       `json:"relation" doc:"What the member is to the holder, GB/T 4761, two digits"`
			Show     bool         `json:"show" doc:"May the holder show the member's code? (亲情账户)"`
			Pay      *termsWire   `json:"pay" required:"false" doc:"May the holder's account pay for the member? (家庭共济); null for no"`
		}
	}
	route(d, Operators, huma.Operation{
		OperationID: "counter-request", Method: http.MethodPost, Path: base, DefaultStatus: http.StatusCreated,
		Summary: "Fill in a binding for people without a phone; another one reviews it (four eyes)", Tags: tags,
	},
		func(ctx context.Context, in *create) (*servedAnswer, error) {
			holder, err := in.Body.Holder.identity("holder.id_no")
			if err != nil {
				return nil, err
			}
			member, err := in.Body.Member.identity("member.id_no")
			if err != nil {
				return nil, err
			}
			relation, err := family.ParseRelation(in.Body.Relation)
			if err != nil {
				return nil, family.Faulty("relation", err)
			}
			terms, err := in.Body.Pay.terms()
			if err != nil {
				return nil, err
			}
			return served(d.app.RequestAtCounter(ctx, reviewer(ctx), holder, app.BindingAsk{Name: member.Name, ID: member.ID, Relation: relation, Show: in.Body.Show, Pay: terms}))
		})

	type find struct{ Body identityWire }
	type foundAnswer struct {
		Body struct {
			Items []servedWire `json:"items" nullable:"false"`
		}
	}
	route(d, Operators, huma.Operation{
		OperationID: "counter-find", Method: http.MethodPost, Path: "/v1/counter/searches", DefaultStatus: http.StatusOK,
		Summary: "The bindings, on both sides, of a person who stands here and shows his identity card", Tags: tags,
	},
		func(ctx context.Context, in *find) (*foundAnswer, error) {
			who, err := in.Body.identity("id_no")
			if err != nil {
				return nil, err
			}
			live, no, err := d.app.BindingsAtCounter(ctx, reviewer(ctx), who)
			if err != nil {
				return nil, err
			}
			out := &foundAnswer{}
			out.Body.Items = make([]servedWire, 0, len(live))
			for _, v := range live {
				out.Body.Items = append(out.Body.Items, servedOf(v, no))
			}
			return out, nil
		})

	route(d, Operators, huma.Operation{OperationID: "counter-binding", Method: http.MethodGet, Path: base + "/{binding_id}", Summary: "A binding that I filled in", Tags: tags},
		func(ctx context.Context, in *BindingPath) (*servedAnswer, error) {
			return served(d.app.ServedAtCounter(ctx, reviewer(ctx), family.BindingID(in.BindingID)))
		})

	type announce struct {
		BindingPath
		Body materialAsk
	}
	route(d, Operators, huma.Operation{
		OperationID: "counter-paper", Method: http.MethodPost, Path: base + "/{binding_id}/materials", DefaultStatus: http.StatusCreated,
		Summary: "Announce a paper that was scanned here, and get the door through which it is uploaded", Tags: tags,
	},
		func(ctx context.Context, in *announce) (*uploadAnswer, error) {
			return uploadOf(d.app.AnnounceAtCounter(ctx, reviewer(ctx), family.BindingID(in.BindingID), in.Body.ask()))
		})

	type signed struct {
		BindingPath
		Body struct {
			Signed bool `json:"signed" doc:"It was signed before me, and is among the papers"`
		}
	}
	for name, step := range map[string]struct {
		summary string
		act     func(context.Context, family.Reviewer, family.BindingID) (app.BindingView, error)
	}{
		"submit": {"The holder signed the promise (个人承诺书) before me", d.app.SubmitAtCounter},
		"accept": {"The member stood before me and signed that he agrees", d.app.AcceptAtCounter},
	} {
		route(d, Operators, huma.Operation{
			OperationID: "counter-" + name, Method: http.MethodPost, Path: base + "/{binding_id}/" + name, DefaultStatus: http.StatusOK, Summary: step.summary, Tags: tags,
		},
			func(ctx context.Context, in *signed) (*servedAnswer, error) {
				if !in.Body.Signed {
					return nil, &family.Refusal{Code: family.Malformed, Field: "signed", Observed: "false", Allowed: "true", Detail: "the signature is needed"}
				}
				return served(step.act(ctx, reviewer(ctx), family.BindingID(in.BindingID)))
			})
	}

	type end struct {
		BindingPath
		Body identityWire
	}
	route(d, Operators, huma.Operation{
		OperationID: "counter-end", Method: http.MethodPost, Path: base + "/{binding_id}/end", DefaultStatus: http.StatusOK,
		Summary: "End a binding now, for the side that stands here and wants it", Tags: tags,
	},
		func(ctx context.Context, in *end) (*servedAnswer, error) {
			who, err := in.Body.identity("id_no")
			if err != nil {
				return nil, err
			}
			view, no, err := d.app.EndAtCounter(ctx, reviewer(ctx), family.BindingID(in.BindingID), who)
			if err != nil {
				return nil, err
			}
			return &servedAnswer{servedOf(view, no)}, nil
		})
}
