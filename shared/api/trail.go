package api

import (
	"context"
	"net/http"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// actWire is a line of the trail of what operators do and look at.
type actWire struct {
	ID          string    `json:"act_id"`
	At          time.Time `json:"at"`
	By          string    `json:"by" doc:"The operator, as his token names him"`
	What        string    `json:"what" enum:"look,serve,freeze,unfreeze,suspend,resume,key,premium_back"`
	PersonNo    string    `json:"person_no,omitempty" doc:"Whom it is about"`
	Institution string    `json:"institution_code,omitempty" doc:"Or which"`
	Ref         string    `json:"reference,omitempty" doc:"A key_id or a premium_id"`
}

func actOf(a app.OperatorAct) actWire {
	return actWire{a.ID, a.At, a.By, string(a.What), string(a.Person), string(a.Institution), a.Ref}
}

// wires writes things one by one; none is an empty list.
func wires[T, W any](things []T, wire func(T) W) []W {
	out := make([]W, 0, len(things))
	for _, thing := range things {
		out = append(out, wire(thing))
	}
	return out
}

// personFile is what an operator sees of a person: masked, as everywhere.
type personFile struct {
	PersonNo   string        `json:"person_no"`
	NameMasked string        `json:"name_masked"`
	IDNoMasked string        `json:"id_no_masked"`
	Insurance  insuranceWire `json:"insurance"`
	Account    balanceWire   `json:"account"`
	Frozen     bool          `json:"frozen" doc:"By an operator or a repair"`
	Deceased   bool          `json:"deceased" doc:"As the civil registry says"`
	Quarantine string        `json:"quarantine,omitempty" doc:"Why a repair froze the account"`
	Bindings   []servedWire  `json:"bindings" nullable:"false" doc:"On both sides, the newest twenty"`
	Entries    []entryWire   `json:"entries" nullable:"false" doc:"The newest twenty"`
	Acts       []actWire     `json:"acts" nullable:"false" doc:"What operators did about him, this look too: the newest twenty"`
}

// keyWire is a key by which an institution signs, without its secret.
type keyWire struct {
	KeyID  string     `json:"key_id"`
	Scheme string     `json:"scheme" enum:"api,tif,sm"`
	State  string     `json:"state" enum:"coming,valid,ended"`
	From   *time.Time `json:"valid_from,omitempty"`
	To     *time.Time `json:"valid_to,omitempty"`
}

func keyOf(k app.SigningKey, now time.Time) keyWire {
	w := keyWire{KeyID: k.ID, Scheme: string(k.Scheme), State: "valid"}
	if !k.From.IsZero() {
		w.From = &k.From
	}
	if !k.To.IsZero() {
		w.To = &k.To
	}
	if now.Before(k.From) {
		w.State = "coming"
	} else if !k.ValidAt(now) {
		w.State = "ended"
	}
	return w
}

// placeFile is what an operator sees of an institution.
type placeFile struct {
	Code   string    `json:"code"`
	Name   string    `json:"name"`
	Kind   string    `json:"kind" enum:"hospital,pharmacy"`
	Level  string    `json:"level" doc:"hosp_lv"`
	Region string    `json:"region"`
	Status string    `json:"status" enum:"designated,suspended"`
	Keys   []keyWire `json:"keys" nullable:"false" doc:"At most a hundred"`
	Acts   []actWire `json:"acts" nullable:"false" doc:"What operators did about it: the newest twenty"`
}

// trailRoutes are for operators who look somebody or somewhere up, and for whoever
// audits what operators do.
func (d *door) trailRoutes() {
	tags := []string{"operators"}
	type search struct {
		Body struct {
			Type  string `json:"type" enum:"id,card,person" doc:"What kind of number: an ID number (GB 11643), a card's, a person_no"`
			Value string `json:"value" minLength:"1" maxLength:"64" doc:"The whole of it"`
		}
	}
	type personAnswer struct{ Body personFile }
	route(d, Operators, huma.Operation{
		OperationID: "find-person", Method: http.MethodPost, Path: "/v1/persons/searches", DefaultStatus: http.StatusOK, Tags: tags,
		Summary:     "A person by one whole number, with the account, bindings and entries",
		Description: "Nobody is found by a name or a part of a number. That the operator looked is in the trail before he sees anything.",
	},
		func(ctx context.Context, in *search) (*personAnswer, error) {
			var ask app.PersonAsk
			var err error
			switch in.Body.Type {
			case "id":
				ask.ID, err = family.ParseIDNumber(in.Body.Value)
			case "card":
				ask.Card = in.Body.Value
			default:
				ask.Person, err = family.ParsePersonNo(in.Body.Value)
			}
			if err != nil {
				return nil, family.Faulty("value", err)
			}
			f, err := d.app.LookAtPerson(ctx, reviewer(ctx), ask)
			if err != nil {
				return nil, err
			}
			no := f.Account.Person
			return &personAnswer{personFile{
				PersonNo: string(no), NameMasked: f.NameMasked, IDNoMasked: f.IDNoMasked, Insurance: insuranceOf(f.Self), Account: balanceOf(f.Account),
				Frozen: f.Account.Frozen, Deceased: f.Account.Deceased, Quarantine: f.Quarantine,
				Bindings: wires(f.Bindings, func(v app.BindingView) servedWire { return servedOf(v, no) }),
				Entries:  wires(f.Entries, entryOf), Acts: wires(f.Acts, actOf),
			}}, nil
		})

	type placePath struct {
		Code string `path:"code" maxLength:"12"`
	}
	type placeAnswer struct{ Body placeFile }
	route(d, Auditors, huma.Operation{
		OperationID: "institution", Method: http.MethodGet, Path: "/v1/institutions/{code}", Tags: tags,
		Summary: "An institution with its keys, by their ids, and what operators did about it",
	},
		func(ctx context.Context, in *placePath) (*placeAnswer, error) {
			code, err := family.ParseInstitutionCode(in.Code)
			if err != nil {
				return nil, family.Refuse(family.NotFound)
			}
			f, err := d.app.PlaceFileOf(ctx, code)
			if err != nil {
				return nil, err
			}
			p := f.Place
			return &placeAnswer{placeFile{
				string(p.Code), p.Name, string(p.Kind), string(p.Level), string(p.Region), statusOf(p),
				wires(f.Keys, func(k app.SigningKey) keyWire { return keyOf(k, f.Now) }), wires(f.Acts, actOf),
			}}, nil
		})

	type dayQuery struct {
		PageQuery
		Day string `path:"day"`
	}
	type actsAnswer struct{ Body Page[actWire] }
	route(d, Auditors, huma.Operation{
		OperationID: "acts", Method: http.MethodGet, Path: "/v1/acts/{day}", Tags: tags,
		Summary: "What operators did and whom they looked at on a day, newest first",
	},
		func(ctx context.Context, in *dayQuery) (*actsAnswer, error) {
			day, err := family.ParseDay(in.Day)
			if err != nil {
				return nil, family.Faulty("day", err)
			}
			if in.After != "" && !app.ActCursor(in.After) {
				return nil, notACursor
			}
			page, err := d.app.ActsOfDay(ctx, day, in.After, in.Limit)
			if err != nil {
				return nil, err
			}
			return &actsAnswer{pageOf(page, actOf)}, nil
		})

	type trailQuery struct {
		BindingPath
		PageQuery
	}
	type trailAnswer struct{ Body Page[eventWire] }
	route(d, Auditors, huma.Operation{
		OperationID: "binding-trail", Method: http.MethodGet, Path: "/v1/trails/{binding_id}", Tags: tags,
		Summary: "Who did what with a binding and looked at which of its papers, oldest first, each line with the hash of the one before",
	},
		func(ctx context.Context, in *trailQuery) (*trailAnswer, error) {
			page, err := d.app.BindingTrail(ctx, family.BindingID(in.BindingID), in.After, in.Limit)
			if err != nil {
				return nil, err
			}
			return &trailAnswer{pageOf(page, eventOf)}, nil
		})
}
