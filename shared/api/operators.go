package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"reflect"
	"strconv"

	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// personFeed is a person as the insurer feeds him.
type personFeed struct {
	PersonNo string `json:"person_no" maxLength:"30"`
	Name     string `json:"name" minLength:"1" maxLength:"50"`
	IDNo     string `json:"id_no" maxLength:"18"`
	Region   string `json:"region" doc:"Of insurance, six digits"`
	Insutype string `json:"insutype" enum:"310,390,none"`
	PsnType  string `json:"psn_type" pattern:"^[0-9]{1,6}$"`
	Status   string `json:"status" enum:"0,1,2,3,4" doc:"psn_insu_stas: 1 normal; every other is not insured"`
	CardNo   string `json:"card_no,omitempty" nullable:"true" maxLength:"64"`
	Phone    string `json:"phone,omitempty" nullable:"true" maxLength:"32"`
}

func (f personFeed) feed(ctx context.Context, a *app.App) (app.Fed, error) {
	no, err := family.ParsePersonNo(f.PersonNo)
	if err != nil {
		return "", family.Faulty("person_no", err)
	}
	id, err := family.ParseIDNumber(f.IDNo)
	if err != nil {
		return "", family.Faulty("id_no", err)
	}
	region, err := family.ParseRegion(f.Region)
	if err != nil {
		return "", family.Faulty("region", err)
	}
	return a.FeedPerson(ctx, app.PersonFeed{
		Person: no, Name: f.Name, ID: id, Card: f.CardNo, Phone: f.Phone,
		Insurance: family.Insurance{Region: region, Insutype: family.Insutype(f.Insutype), PsnType: family.PsnType(f.PsnType), Active: f.Status == "1"},
	})
}

// placeFeed is an institution as the insurer feeds it.
type placeFeed struct {
	Code   string `json:"code"`
	Name   string `json:"name" minLength:"1" maxLength:"200"`
	Kind   string `json:"kind" enum:"hospital,pharmacy"`
	Level  string `json:"level" enum:"1,2,3,4,5,6,7,8,9,10,11" doc:"hosp_lv"`
	Region string `json:"region"`
	Status string `json:"status" enum:"designated,suspended"`
}

func (f placeFeed) feed(ctx context.Context, a *app.App) (app.Fed, error) {
	code, err := family.ParseInstitutionCode(f.Code)
	if err != nil {
		return "", family.Faulty("code", err)
	}
	region, err := family.ParseRegion(f.Region)
	if err != nil {
		return "", family.Faulty("region", err)
	}
	return a.FeedPlace(ctx, family.Place{
		Code: code, Name: f.Name, Kind: family.InstitutionKind(f.Kind), Level: family.Level(f.Level), Region: region, Designated: f.Status == "designated",
	})
}

// itemFeed is one version of a catalogue item as the insurer feeds it.
type itemFeed struct {
	Code     string            `json:"code" minLength:"1" maxLength:"50"`
	Name     string            `json:"name" minLength:"1" maxLength:"300"`
	ListType string            `json:"list_type" maxLength:"6" doc:"101 drugs … 201 services, 301 consumables"`
	Class    string            `json:"class" enum:"A,B,C"`
	SelfPay  map[string]string `json:"self_pay_ratio,omitempty" nullable:"true" doc:"先行自付 by insutype, four decimals; absent is nothing"`
	Ceiling  map[string]int64  `json:"ceiling_fen,omitempty" nullable:"true" doc:"Highest unit price that counts, by hosp_lv; a level without one of its own takes its grade's (1, 2 or 3); absent is none"`
	From     string            `json:"effective_from"`
	To       string            `json:"effective_to,omitempty" nullable:"true"`
}

func (f itemFeed) feed(ctx context.Context, a *app.App) (app.Fed, error) {
	item := family.Item{Code: f.Code, Name: f.Name, ListType: f.ListType, Class: family.Class(f.Class)}
	if !family.IsItemCode(f.Code) {
		return "", family.Faulty("code", errors.New("a code has 1 to 50 letters, digits and signs"))
	}
	var err error
	if item.From, err = family.ParseDay(f.From); err != nil {
		return "", family.Faulty("effective_from", err)
	}
	if f.To != "" {
		if item.To, err = family.ParseDay(f.To); err != nil {
			return "", family.Faulty("effective_to", err)
		}
		if item.To < item.From {
			return "", family.Faulty("effective_to", errors.New("it ends before it begins"))
		}
	}
	for insutype, text := range f.SelfPay {
		if i := family.Insutype(insutype); i != family.Employee && i != family.Resident {
			return "", family.Faulty("self_pay_ratio", errors.New("an insurance is 310 or 390"))
		}
		ratio, err := family.ParseRatio(text)
		if err != nil {
			return "", family.Faulty("self_pay_ratio."+insutype, err)
		}
		if item.SelfPay == nil {
			item.SelfPay = map[family.Insutype]family.Ratio{}
		}
		item.SelfPay[family.Insutype(insutype)] = ratio
	}
	for level, fen := range f.Ceiling {
		if family.Level(level).Grade() == "" {
			return "", family.Faulty("ceiling_fen", errors.New("a level is 1 to 11"))
		}
		if fen < 1 || fen > int64(family.MaxFen) {
			return "", family.Faulty("ceiling_fen."+level, fmt.Errorf("a ceiling is 1 to %d", int64(family.MaxFen)))
		}
		if item.Ceiling == nil {
			item.Ceiling = map[family.Level]family.Fen{}
		}
		item.Ceiling[family.Level(level)] = family.Fen(fen)
	}
	return a.FeedItem(ctx, item)
}

// creditFeed is a payment into an account as the insurer feeds it.
type creditFeed struct {
	Reference string `json:"reference" minLength:"1" maxLength:"64" pattern:"^[!-~]+$" doc:"Its identity"`
	PersonNo  string `json:"person_no" maxLength:"30"`
	Amount    int64  `json:"amount_fen" minimum:"1" maximum:"1000000000"`
	Pocket    string `json:"pocket" enum:"current,past"`
}

func (f creditFeed) feed(ctx context.Context, a *app.App) (app.Fed, error) {
	no, err := family.ParsePersonNo(f.PersonNo)
	if err != nil {
		return "", family.Faulty("person_no", err)
	}
	amount := family.Pockets{Current: family.Fen(f.Amount)}
	if f.Pocket == "past" {
		amount = family.Pockets{Past: family.Fen(f.Amount)}
	}
	return a.FeedCredit(ctx, f.Reference, no, amount)
}

// feeder is a record of the insurer's feed.
type feeder interface {
	feed(context.Context, *app.App) (app.Fed, error)
}

// fedWire is what became of one record.
type fedWire struct {
	Line      int    `json:"line"`
	Status    int    `json:"status" doc:"201 created, 200 updated or unchanged, else as a problem's status"`
	Result    string `json:"result,omitempty" enum:"created,updated,unchanged"`
	Code      string `json:"code,omitempty"`
	Field     string `json:"field,omitempty"`
	MessageZH string `json:"message_zh,omitempty"`
	MessageEN string `json:"message_en,omitempty"`
	Detail    string `json:"detail,omitempty"`
}

// feedRoute registers a route that takes one record as JSON, or many as NDJSON
// answered by one line each: a bad line answers with its reason and stops nothing.
func feedRoute[R feeder](d *door, op huma.Operation) {
	type ask struct {
		ContentType string `header:"Content-Type" hidden:"true"`
		RawBody     []byte `contentType:"application/x-ndjson"`
	}
	type feedAnswer struct {
		Status      int
		ContentType string `header:"Content-Type" hidden:"true"`
		Body        []byte
	}
	op.Method, op.Tags, op.MaxBodyBytes = http.MethodPost, []string{"operators"}, maxFeed
	var shape feedShape
	route(d, Operators, op, func(ctx context.Context, in *ask) (*feedAnswer, error) {
		if kind, _, _ := mime.ParseMediaType(in.ContentType); kind != "application/x-ndjson" {
			if len(in.RawBody) > maxBody {
				return nil, &family.Refusal{Code: family.TooLarge, Allowed: strconv.Itoa(maxBody) + " bytes"}
			}
			fed, err := feedOne[R](ctx, d, shape, in.RawBody)
			if err != nil {
				return nil, err
			}
			line := fedOf(1, fed)
			body, err := json.Marshal(line)
			return &feedAnswer{Status: line.Status, ContentType: "application/json", Body: append(body, '\n')}, err
		}
		var out bytes.Buffer
		lines := bufio.NewScanner(bytes.NewReader(in.RawBody))
		lines.Buffer(nil, maxFeed+1)
		for n := 1; lines.Scan(); n++ {
			if len(bytes.TrimSpace(lines.Bytes())) == 0 {
				continue
			}
			var line fedWire
			if len(lines.Bytes()) > maxBody {
				line = d.notFed(ctx, n, &family.Refusal{Code: family.TooLarge, Allowed: strconv.Itoa(maxBody) + " bytes"})
			} else if fed, err := feedOne[R](ctx, d, shape, lines.Bytes()); err != nil {
				line = d.notFed(ctx, n, err)
			} else {
				line = fedOf(n, fed)
			}
			if err := json.NewEncoder(&out).Encode(line); err != nil {
				return nil, err
			}
		}
		return &feedAnswer{Status: http.StatusOK, ContentType: "application/x-ndjson", Body: out.Bytes()}, lines.Err()
	}, func(api huma.API) {
		shape.registry = api.OpenAPI().Components.Schemas
		shape.record = shape.registry.Schema(reflect.TypeFor[R](), true, "")
		post := api.OpenAPI().Paths[op.Path].Post
		post.Metadata["feed"] = true
		post.RequestBody.Content["application/json"] = &huma.MediaType{Schema: shape.record}
		for status, description := range map[string]string{"200": "One record: nothing new. Many: a line for each", "201": "Created"} {
			post.Responses[status] = &huma.Response{Description: description, Content: map[string]*huma.MediaType{
				"application/json":     {Schema: shape.registry.Schema(reflect.TypeFor[fedWire](), true, "")},
				"application/x-ndjson": {Schema: &huma.Schema{Type: "string"}},
			}}
		}
	})
}

// feedShape is what a record of a feed must look like, and where that refers to.
type feedShape struct {
	record   *huma.Schema
	registry huma.Registry
}

// feedOne reads one record as strictly as every other body and feeds it.
func feedOne[R feeder](ctx context.Context, d *door, shape feedShape, text []byte) (app.Fed, error) {
	if refusal := checkJSON(text); refusal != nil {
		return "", refusal
	}
	var loose any
	if err := json.Unmarshal(text, &loose); err != nil {
		return "", &family.Refusal{Code: family.Malformed, Detail: "not JSON"}
	}
	path, found := huma.NewPathBuffer(nil, 0), &huma.ValidateResult{}
	path.Push("body")
	huma.Validate(shape.registry, shape.record, path, huma.ModeWriteToServer, loose, found)
	if len(found.Errors) > 0 {
		return "", refusalOf(http.StatusUnprocessableEntity, "validation failed", found.Errors)
	}
	var record R
	if err := json.Unmarshal(text, &record); err != nil {
		return "", &family.Refusal{Code: family.Malformed, Detail: "not a record of this feed"}
	}
	return record.feed(ctx, d.app)
}

func fedOf(line int, fed app.Fed) fedWire {
	status := http.StatusOK
	if fed == app.FedCreated {
		status = http.StatusCreated
	}
	return fedWire{Line: line, Status: status, Result: string(fed)}
}

func (d *door) notFed(ctx context.Context, line int, err error) fedWire {
	p := d.problem(ctx, err)
	return fedWire{Line: line, Status: p.Status, Code: p.Code, Field: p.Field, MessageZH: p.MessageZH, MessageEN: p.MessageEN, Detail: p.Detail}
}

// operatorRoutes are for the insurer's people and systems.
func (d *door) operatorRoutes() {
	tags := []string{"operators"}
	feedRoute[personFeed](d, huma.Operation{OperationID: "feed-persons", Path: "/v1/persons", Summary: "Persons, as the insurer knows them"})
	feedRoute[placeFeed](d, huma.Operation{OperationID: "feed-institutions", Path: "/v1/institutions", Summary: "Hospitals and pharmacies"})
	feedRoute[itemFeed](d, huma.Operation{OperationID: "feed-catalogue", Path: "/v1/catalogue", Summary: "Catalogue items, a version each"})
	feedRoute[creditFeed](d, huma.Operation{OperationID: "feed-credits", Path: "/v1/credits", Summary: "Payments into accounts"})

	type personPath struct {
		PersonNo string `path:"person_no" maxLength:"30"`
	}
	type frozenAnswer struct {
		Body struct {
			PersonNo string `json:"person_no"`
			Frozen   bool   `json:"frozen"`
		}
	}
	for path, frozen := range map[string]bool{"freeze": true, "unfreeze": false} {
		route(d, Operators, huma.Operation{
			OperationID: path + "-person", Method: http.MethodPost, Path: "/v1/persons/{person_no}/" + path, DefaultStatus: http.StatusOK,
			Summary: "Freeze or unfreeze a person: while frozen nothing leaves the account and there is no benefit; refunds come back", Tags: tags,
		},
			func(ctx context.Context, in *personPath) (*frozenAnswer, error) {
				no, err := family.ParsePersonNo(in.PersonNo)
				if err != nil {
					return nil, family.Refuse(family.NotFound)
				}
				var out frozenAnswer
				out.Body.PersonNo, out.Body.Frozen = in.PersonNo, frozen
				return &out, d.app.Freeze(ctx, no, frozen)
			})
	}

	type placePath struct {
		Code string `path:"code" maxLength:"12"`
	}
	type placeAnswer struct {
		Body struct {
			Code   string `json:"code"`
			Status string `json:"status" enum:"designated,suspended"`
		}
	}
	for path, status := range map[string]string{"suspend": "suspended", "resume": "designated"} {
		route(d, Operators, huma.Operation{
			OperationID: path + "-institution", Method: http.MethodPost, Path: "/v1/institutions/{code}/" + path, DefaultStatus: http.StatusOK,
			Summary: "Suspend or resume an institution's agreement", Tags: tags,
		},
			func(ctx context.Context, in *placePath) (*placeAnswer, error) {
				code, err := family.ParseInstitutionCode(in.Code)
				if err != nil {
					return nil, family.Refuse(family.NotFound)
				}
				var out placeAnswer
				out.Body.Code, out.Body.Status = in.Code, status
				return &out, d.app.Suspend(ctx, code, status == "suspended")
			})
	}

	type proofQuery struct {
		Day   string `path:"day"`
		After string `query:"after" maxLength:"12" doc:"next_after of the proof before"`
	}
	type faultWire struct {
		PersonNo  string `json:"person_no,omitempty"`
		Seq       uint64 `json:"seq,omitempty"`
		Reference string `json:"reference,omitempty"`
		What      string `json:"what"`
	}
	type proofAnswer struct {
		Body struct {
			Day          string      `json:"day"`
			OK           bool        `json:"ok" doc:"Nothing was found, in what this answer covers"`
			Institutions int         `json:"institutions"`
			Settlements  int         `json:"settlements"`
			Accounts     int         `json:"accounts"`
			Entries      int         `json:"entries"`
			Faults       []faultWire `json:"faults" nullable:"false"`
			NextAfter    string      `json:"next_after,omitempty" doc:"The day has more: ask again with after= this"`
		}
	}
	route(d, Auditors, huma.Operation{OperationID: "prove-day", Method: http.MethodGet, Path: "/v1/proofs/{day}", Summary: "Are the books of a day in order?", Tags: tags},
		func(ctx context.Context, in *proofQuery) (*proofAnswer, error) {
			day, err := family.ParseDay(in.Day)
			if err != nil {
				return nil, family.Faulty("day", err)
			}
			if in.After != "" {
				if _, err := family.ParseInstitutionCode(in.After); err != nil {
					return nil, notACursor // what is proven after it would be nothing, and in order
				}
			}
			proof, err := d.app.ProveDay(ctx, day, in.After)
			if err != nil {
				return nil, err
			}
			var out proofAnswer
			b := &out.Body
			b.Day, b.OK, b.NextAfter = day.String(), len(proof.Faults) == 0, proof.Next
			b.Institutions, b.Settlements, b.Accounts, b.Entries = proof.Institutions, proof.Settlements, proof.Accounts, proof.Entries
			b.Faults = make([]faultWire, 0, len(proof.Faults))
			for _, f := range proof.Faults {
				b.Faults = append(b.Faults, faultWire{string(f.Account), f.Seq, f.Ref, f.What})
			}
			return &out, nil
		})
}
