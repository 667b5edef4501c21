package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// personFeed is a person as the insurer feeds him.
type personFeed struct {
	PersonNo string `json:"person_no" maxLength:"30"`
	Name     string `json:"name" minLength:"1" maxLength:"50"`
	IDNo     string `json:"id_no,omitempty" maxLength:"18" doc:"GB 11643; missing only of a child who has none yet"`
	// Birth is in the place of IDNo.
	Birth    *birthWire `json:"birth_certificate,omitempty" doc:"Of a child who has no ID number yet, in its place; fed with an ID number later, the child keeps its bindings"`
	Region   string     `json:"region" doc:"Of insurance, six digits"`
	Insutype string     `json:"insutype" enum:"310,390,none"`
	PsnType  string     `json:"psn_type" pattern:"^[0-9]{1,6}$"`
	Status   string     `json:"status" enum:"0,1,2,3,4" doc:"psn_insu_stas: 1 normal; every other is not insured"`
	CardNo   string     `json:"card_no,omitempty" nullable:"true" maxLength:"64"`
	Phone    string     `json:"phone,omitempty" nullable:"true" maxLength:"32"`
}

// birthWire is a medical certificate of birth (出生医学证明) as the insurer feeds it.
type birthWire struct {
	Number     string `json:"number" maxLength:"10" doc:"A letter and nine digits"`
	MotherIDNo string `json:"mother_id_no" maxLength:"18" doc:"Of the mother whom it names: she alone binds the child by it"`
	Born       string `json:"born" doc:"yyyyMMdd"`
	Sex        string `json:"sex" enum:"1,2" doc:"1 male, 2 female"`
}

// birth returns what the certificate says; nil where there is none.
func (w *birthWire) birth() (*app.Birth, error) {
	if w == nil {
		return nil, nil
	}
	number, err := family.ParseCertificateNumber(w.Number)
	if err != nil {
		return nil, family.Faulty("birth_certificate.number", err)
	}
	mother, err := family.ParseIDNumber(w.MotherIDNo)
	if err != nil {
		return nil, family.Faulty("birth_certificate.mother_id_no", err)
	}
	born, err := family.ParseDay(w.Born)
	if err != nil {
		return nil, family.Faulty("birth_certificate.born", err)
	}
	return &app.Birth{Certificate: number, Mother: mother, Born: born, Sex: family.Sex(w.Sex)}, nil
}

// twoNumbers refuses who is named by both numbers.
var twoNumbers = &family.Refusal{Code: family.Malformed, Field: "birth_certificate", Detail: "either the ID number or the certificate of birth"}

func (f personFeed) feed(ctx context.Context, a *app.App) (app.Fed, error) {
	no, err := family.ParsePersonNo(f.PersonNo)
	if err != nil {
		return "", family.Faulty("person_no", err)
	}
	var id family.IDNumber
	birth, err := f.Birth.birth()
	switch {
	case err != nil:
		return "", err
	case birth == nil:
		if id, err = family.ParseIDNumber(f.IDNo); err != nil {
			return "", family.Faulty("id_no", err)
		}
	case f.IDNo != "":
		return "", twoNumbers
	}
	region, err := family.ParseRegion(f.Region)
	if err != nil {
		return "", family.Faulty("region", err)
	}
	return hastily(a.FeedPerson(ctx, app.PersonFeed{
		Person: no, Name: f.Name, ID: id, Birth: birth, Card: f.CardNo, Phone: f.Phone,
		Insurance: family.Insurance{Region: region, Insutype: family.Insutype(f.Insutype), PsnType: family.PsnType(f.PsnType), Active: f.Status == "1"},
	}))(func() { _, _ = a.TendPerson(ctx, no) })
}

// hastily sees at once to what a record changed for somebody's bindings. Where that
// fails nothing is lost: the day's sweep does it.
func hastily(fed app.Fed, err error) func(func()) (app.Fed, error) {
	return func(tend func()) (app.Fed, error) {
		if err == nil && fed != app.FedUnchanged {
			tend()
		}
		return fed, err
	}
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

// rolloverFeed is a person for whom a year turns.
type rolloverFeed struct {
	PersonNo string `json:"person_no" maxLength:"30"`
	Year     int    `json:"year" minimum:"2000" maximum:"9999" doc:"The year that begins, which must be the present one; once a person and year"`
}

func (f rolloverFeed) feed(ctx context.Context, a *app.App) (app.Fed, error) {
	no, err := family.ParsePersonNo(f.PersonNo)
	if err != nil {
		return "", family.Faulty("person_no", err)
	}
	return a.Rollover(ctx, no, f.Year)
}

// kinFeed is a person as the civil registry knows him.
type kinFeed struct {
	IDNo      string    `json:"id_no" maxLength:"18"`
	Name      string    `json:"name" minLength:"1" maxLength:"50"`
	Status    string    `json:"status" enum:"alive,deceased"`
	Complete  bool      `json:"complete,omitempty" nullable:"true" doc:"The relations are all that there are: whoever is not named is none"`
	Relations []kinWire `json:"relations,omitempty" nullable:"true" maxItems:"50"`
}

type kinWire struct {
	IDNo     string `json:"id_no" maxLength:"18"`
	Relation string `json:"relation" doc:"What he is to the person, GB/T 4761"`
}

func (f kinFeed) feed(ctx context.Context, a *app.App) (app.Fed, error) {
	id, err := family.ParseIDNumber(f.IDNo)
	if err != nil {
		return "", family.Faulty("id_no", err)
	}
	in := app.KinFeed{Identity: app.Identity{Name: f.Name, ID: id}, Deceased: f.Status == "deceased", Complete: f.Complete}
	for i, r := range f.Relations {
		other, err := family.ParseIDNumber(r.IDNo)
		if err != nil {
			return "", family.Faulty(fmt.Sprintf("relations[%d].id_no", i), err)
		}
		relation, err := family.ParseRelation(r.Relation)
		if err != nil {
			return "", family.Faulty(fmt.Sprintf("relations[%d].relation", i), err)
		}
		in.Relations = append(in.Relations, app.KinRelation{ID: other, Relation: relation})
	}
	return hastily(a.FeedRegistry(ctx, in))(func() { _, _ = a.TendRelative(ctx, id) })
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

	Warnings []warningWire `json:"warnings,omitempty" doc:"Of a catalogue item that was taken, or would be: what a clerk should look at"`
	Changes  []changeWire  `json:"changes,omitempty" doc:"Of a catalogue item: what is otherwise than in force on its first day"`
}

// feedRoute registers a route that takes one record as JSON, or many as NDJSON
// answered by one line each: a bad line answers with its reason and stops nothing.
func feedRoute[R feeder](d *door, op huma.Operation) {
	type ask struct {
		ContentType string `header:"Content-Type" hidden:"true"`
		RawBody     []byte `contentType:"application/x-ndjson"`
	}
	op.Method, op.Tags, op.MaxBodyBytes = http.MethodPost, []string{"operators"}, maxFeed
	var shape feedShape
	route(d, Operators, op, func(ctx context.Context, in *ask) (*feedAnswer, error) {
		return takeFeed(ctx, d, shape, in.ContentType, in.RawBody, func(value R) (app.Fed, error) { return value.feed(ctx, d.app) })
	}, func(api huma.API) { shape = describeFeed[R](api, op.Path) })
}

// takeFeed takes the records of a feed's body over, and answers as they came.
func takeFeed[R any](ctx context.Context, d *door, shape feedShape, contentType string, body []byte, take func(R) (app.Fed, error)) (*feedAnswer, error) {
	feed := func(r record[R]) (fedWire, error) {
		if r.err != nil {
			return fedWire{}, r.err
		}
		fed, err := take(r.value)
		return fedOf(r.line, fed), err
	}
	if kind, _, _ := mime.ParseMediaType(contentType); kind != "application/x-ndjson" {
		value, err := readRecord[R](shape, body)
		line, err := feed(record[R]{1, value, err})
		return fedAlone(line, err)
	}
	return fedMany(readRecords[R](shape, body), func(r record[R]) fedWire {
		line, err := feed(r)
		if err != nil {
			line = d.notFed(ctx, r.line, err)
		}
		return line
	})
}

// feedAnswer is the answer of a feed: one line, or a line for each record.
type feedAnswer struct {
	Status      int
	ContentType string `header:"Content-Type" hidden:"true"`
	Body        []byte
}

// fedAlone answers a single record.
func fedAlone(line fedWire, err error) (*feedAnswer, error) {
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(line)
	return &feedAnswer{Status: line.Status, ContentType: "application/json", Body: append(body, '\n')}, err
}

// fedMany answers many records, a line each, in their order.
func fedMany[R any](records iter.Seq[R], feed func(R) fedWire) (*feedAnswer, error) {
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	for r := range records {
		if err := lines.Encode(feed(r)); err != nil {
			return nil, err
		}
	}
	return &feedAnswer{Status: http.StatusOK, ContentType: "application/x-ndjson", Body: out.Bytes()}, nil
}

// feedShape is what a record of a feed must look like, and where that refers to.
type feedShape struct {
	record   *huma.Schema
	registry huma.Registry
}

// describeFeed tells in the document what a feed takes and answers.
func describeFeed[R any](api huma.API, path string) feedShape {
	registry := api.OpenAPI().Components.Schemas
	shape := feedShape{registry.Schema(reflect.TypeFor[R](), true, ""), registry}
	post := api.OpenAPI().Paths[path].Post
	post.Metadata["feed"] = true
	post.RequestBody.Content["application/json"] = &huma.MediaType{Schema: shape.record}
	for status, description := range map[string]string{"200": "One record: nothing new. Many: a line for each", "201": "Created"} {
		post.Responses[status] = &huma.Response{Description: description, Content: map[string]*huma.MediaType{
			"application/json":     {Schema: registry.Schema(reflect.TypeFor[fedWire](), true, "")},
			"application/x-ndjson": {Schema: &huma.Schema{Type: "string"}},
		}}
	}
	return shape
}

// record is one record of a feed as it was read.
type record[R any] struct {
	line  int
	value R
	err   error // why it could not be read
}

// readRecords reads NDJSON line by line; empty lines are none.
func readRecords[R any](shape feedShape, body []byte) iter.Seq[record[R]] {
	return func(yield func(record[R]) bool) {
		n := 0
		for text := range bytes.Lines(body) {
			n++
			if len(bytes.TrimSpace(text)) == 0 {
				continue
			}
			value, err := readRecord[R](shape, text)
			if !yield(record[R]{n, value, err}) {
				return
			}
		}
	}
}

// readRecord reads one record as strictly as every other body.
func readRecord[R any](shape feedShape, text []byte) (R, error) {
	var record R
	if len(text) > maxBody {
		return record, &family.Refusal{Code: family.TooLarge, Allowed: strconv.Itoa(maxBody) + " bytes"}
	}
	if refusal := checkJSON(text); refusal != nil {
		return record, refusal
	}
	var loose any
	if err := json.Unmarshal(text, &loose); err != nil {
		return record, &family.Refusal{Code: family.Malformed, Detail: "not JSON"}
	}
	path, found := huma.NewPathBuffer(nil, 0), &huma.ValidateResult{}
	path.Push("body")
	huma.Validate(shape.registry, shape.record, path, huma.ModeWriteToServer, loose, found)
	if len(found.Errors) > 0 {
		return record, refusalOf(http.StatusUnprocessableEntity, "validation failed", found.Errors)
	}
	if err := json.Unmarshal(text, &record); err != nil {
		return record, &family.Refusal{Code: family.Malformed, Detail: "not a record of this feed"}
	}
	return record, nil
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
	d.catalogueRoute()
	feedRoute[kinFeed](d, huma.Operation{OperationID: "feed-registry", Path: "/v1/registry", Summary: "What the civil registry says of people and their relatives"})
	feedRoute[creditFeed](d, huma.Operation{OperationID: "feed-credits", Path: "/v1/credits", Summary: "Payments into accounts"})
	feedRoute[rolloverFeed](d, huma.Operation{OperationID: "feed-rollovers", Path: "/v1/rollovers", Summary: "The turn of the year: what is left of this year's money becomes past years' surplus (历年结余)"})

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
				if err := d.app.Freeze(ctx, reviewer(ctx), no, frozen); err != nil {
					return nil, err
				}
				_, _ = d.app.TendPerson(ctx, no) // tells both sides now; else the day's sweep does
				return &out, nil
			})
	}

	type erasureAnswer struct {
		Body struct {
			PersonNo   string     `json:"person_no"`
			State      string     `json:"state" enum:"proposed,erased"`
			ProposedBy string     `json:"proposed_by"`
			ProposedAt time.Time  `json:"proposed_at"`
			DecidedBy  string     `json:"decided_by,omitempty"`
			DecidedAt  *time.Time `json:"decided_at,omitempty"`
		}
	}
	route(d, Operators, huma.Operation{
		OperationID: "erase-person", Method: http.MethodPost, Path: "/v1/persons/{person_no}/erase", DefaultStatus: http.StatusOK, Tags: tags,
		Summary: "Destroy for good who a person is: the first operator proposes it, a second one within seven days does it. " +
			"Not while he is insured, has money or is bound. The books stay whole",
	},
		func(ctx context.Context, in *personPath) (*erasureAnswer, error) {
			no, err := family.ParsePersonNo(in.PersonNo)
			if err != nil {
				return nil, family.Refuse(family.NotFound)
			}
			e, err := d.app.Erase(ctx, reviewer(ctx), no)
			if err != nil {
				return nil, err
			}
			var out erasureAnswer
			out.Body.PersonNo, out.Body.State, out.Body.ProposedBy, out.Body.ProposedAt = in.PersonNo, "proposed", e.ProposedBy, e.ProposedAt
			if e.Done() {
				out.Body.State, out.Body.DecidedBy, out.Body.DecidedAt = "erased", e.DecidedBy, &e.DecidedAt
			}
			return &out, nil
		})

	type sweptAnswer struct {
		Body struct {
			Looked   int    `json:"looked"`
			Changed  int    `json:"changed"`
			Through  string `json:"through" doc:"The last day that is done"`
			Complete bool   `json:"complete" doc:"That day is today; else ask again"`
		}
	}
	route(d, Operators, huma.Operation{
		OperationID: "sweep", Method: http.MethodPost, Path: "/v1/sweeps", DefaultStatus: http.StatusOK,
		Summary: "See to what has come due: requests, birthdays, grants and papers. The schedule does it; twice does no harm", Tags: tags,
	},
		func(ctx context.Context, _ *struct{}) (*sweptAnswer, error) {
			done, err := d.app.Sweep(ctx)
			if err != nil {
				return nil, err
			}
			var out sweptAnswer
			b := &out.Body
			b.Looked, b.Changed, b.Through, b.Complete = done.Looked, done.Changed, done.Through.String(), done.Complete
			return &out, nil
		})

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
				return &out, d.app.Suspend(ctx, reviewer(ctx), code, status == "suspended")
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
