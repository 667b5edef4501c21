package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"gongji/shared/answer"
	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// eventWire is a line of a binding's history.
type eventWire struct {
	Seq    uint64    `json:"seq"`
	At     time.Time `json:"at"`
	By     string    `json:"by" enum:"holder,member,reviewer,operator,rules" doc:"rules: a day that came, a thing that happened"`
	Event  string    `json:"event"`
	Detail string    `json:"detail,omitempty" doc:"The kind of paper, or the reviewer's reason"`
	TextZH string    `json:"text_zh"`
	TextEN string    `json:"text_en"`
	Hash   string    `json:"hash" doc:"Of the line, which holds the hash of the one before"`
	Prev   string    `json:"prev,omitempty"`
}

func eventOf(e family.Event) eventWire {
	text := answer.Event(e.What)
	return eventWire{e.Seq, e.At, string(e.By), string(e.What), e.Detail, text.ZH, text.EN, string(e.Hash()), string(e.Prev)}
}

// noticeWire is an event of which a person is told.
type noticeWire struct {
	BindingID string    `json:"binding_id"`
	At        time.Time `json:"at"`
	By        string    `json:"by" enum:"holder,member,reviewer,operator,rules"`
	Event     string    `json:"event"`
	Detail    string    `json:"detail,omitempty"`
	TextZH    string    `json:"text_zh"`
	TextEN    string    `json:"text_en"`
}

func noticeOf(e family.Event) noticeWire {
	text := answer.Event(e.What)
	return noticeWire{string(e.Binding), e.At, string(e.By), string(e.What), e.Detail, text.ZH, text.EN}
}

// reviewWire is a binding as reviewers see it.
type reviewWire struct {
	BindingID    string         `json:"binding_id"`
	State        string         `json:"state" enum:"draft,awaiting_member,in_review,active,declined,ended"`
	Region       string         `json:"region" doc:"In which the holder is insured"`
	Since        time.Time      `json:"since" doc:"When it came into the queue"`
	AgeSeconds   int64          `json:"age_seconds"`
	Holder       sideWire       `json:"holder"`
	Member       sideWire       `json:"member"`
	Relation     string         `json:"relation" doc:"What the member is to the holder, GB/T 4761"`
	RelationZH   string         `json:"relation_zh"`
	RelationEN   string         `json:"relation_en"`
	Guardian     bool           `json:"guardian"`
	Assisted     bool           `json:"assisted"`
	Show         bool           `json:"show"`
	Pay          bool           `json:"pay"`
	Identity     string         `json:"identity,omitempty" enum:"match,no_match,cannot_say" doc:"What the civil registry said"`
	Claimed      bool           `json:"claimed"`
	ClaimedByMe  bool           `json:"claimed_by_me"`
	ClaimedUntil *time.Time     `json:"claimed_until,omitempty"`
	Version      string         `json:"version" doc:"Of all that is judged: send it back with a decision"`
	Reason       string         `json:"reason,omitempty" doc:"What the last reviewer wrote"`
	Materials    []materialWire `json:"materials" nullable:"false"`
}

func (d *door) reviewOf(v app.ReviewView, r family.Reviewer, doors bool) reviewWire {
	b := v.Binding
	w := reviewWire{
		BindingID: string(b.ID), State: string(b.State), Region: string(v.Region), Since: b.Review.Since,
		Holder: sideWire{v.HolderMasked}, Member: sideWire{v.MemberMasked}, Relation: string(b.Relation), Guardian: b.Guardian, Assisted: b.Assisted != "",
		Show: b.Show, Pay: b.Pay != nil, Identity: string(b.Identity), Version: string(b.Face()), Reason: b.Review.Reason, Materials: materialsOf(b),
	}
	w.RelationZH, w.RelationEN = b.Relation.Names()
	if !b.Review.Since.IsZero() {
		w.AgeSeconds = int64(v.Now.Sub(b.Review.Since) / time.Second)
	}
	if b.Review.By != "" && v.Now.Before(b.Review.Lease) {
		w.Claimed, w.ClaimedByMe, w.ClaimedUntil = true, b.Review.By == r.Subject, &b.Review.Lease
	}
	if w.Materials == nil {
		w.Materials = []materialWire{}
	}
	for i := range w.Materials {
		if m := &w.Materials[i]; doors && m.State == string(family.MaterialKept) {
			key, until := d.app.PaperDoor(r, family.MaterialID(m.MaterialID), v.Now)
			m.Door = &doorWire{"/v1/papers/" + m.MaterialID + "?door=" + url.QueryEscape(key), until.UTC().Truncate(time.Second)}
		}
	}
	return w
}

type reviewAnswer struct{ Body reviewWire }

// maxPart bounds how much of a paper one answer carries: Lambda sends no more than
// 4.5 MB at once.
const maxPart = 4 << 20

// reviewRoutes are for those who review what families ask for.
func (d *door) reviewRoutes() {
	tags := []string{"reviewers"}
	type listQuery struct {
		PageQuery
		Region string `query:"region" maxLength:"6" pattern:"^[0-9]*$" doc:"The first digits of the holder's region: 43, 4301"`
		Hours  int    `query:"older_than_hours" minimum:"0" maximum:"8760" doc:"Waiting for at least so long"`
		Claim  string `query:"claim" enum:"any,mine,free" default:"any"`
	}
	type listAnswer struct{ Body Page[reviewWire] }
	route(d, Reviewers, huma.Operation{OperationID: "list-reviews", Method: http.MethodGet, Path: "/v1/reviews", Summary: "What waits for a reviewer, the longest first", Tags: tags},
		func(ctx context.Context, in *listQuery) (*listAnswer, error) {
			r := reviewer(ctx)
			if !reviewCursor(in.After) {
				return nil, notACursor
			}
			page, err := d.app.Reviews(ctx, app.ReviewFilter{
				Region: in.Region, Older: time.Duration(in.Hours) * time.Hour, Mine: in.Claim == "mine", Free: in.Claim == "free", Subject: r.Subject,
			}, in.After, in.Limit)
			if err != nil {
				return nil, err
			}
			return &listAnswer{pageOf(page, func(v app.ReviewView) reviewWire { return d.reviewOf(v, r, false) })}, nil
		})

	on := func(name, method, tail, summary string, act func(context.Context, family.BindingID, family.Reviewer) (app.ReviewView, error)) {
		route(d, Reviewers, huma.Operation{OperationID: name, Method: method, Path: "/v1/reviews/{binding_id}" + tail, DefaultStatus: http.StatusOK, Summary: summary, Tags: tags},
			func(ctx context.Context, in *BindingPath) (*reviewAnswer, error) {
				r := reviewer(ctx)
				view, err := act(ctx, family.BindingID(in.BindingID), r)
				if err != nil {
					return nil, err
				}
				return &reviewAnswer{d.reviewOf(view, r, method == http.MethodGet)}, nil
			})
	}
	on("get-review", http.MethodGet, "", "One request with its papers, each behind a door of this reviewer's", d.app.Review)
	on("claim-review", http.MethodPost, "/claim", "Hold it for half an hour: others wait", d.app.Claim)
	on("release-review", http.MethodPost, "/release", "Give it back to the queue", d.app.Release)

	type decision struct {
		BindingPath
		Body *struct {
			Version string `json:"version,omitempty" nullable:"true" maxLength:"64" doc:"Of what was looked at; left out, that of my last look"`
			Reason  string `json:"reason,omitempty" nullable:"true" maxLength:"800" doc:"Both sides read it; needed for a rejection"`
		} `required:"false"`
	}
	for name, act := range map[string]func(context.Context, family.BindingID, family.Reviewer, app.ReviewAsk) (app.ReviewView, error){
		"approve": d.app.Approve, "reject": d.app.Reject,
	} {
		route(d, Reviewers, huma.Operation{
			OperationID: name + "-review", Method: http.MethodPost, Path: "/v1/reviews/{binding_id}/" + name, DefaultStatus: http.StatusOK,
			Summary: "Decide on what was looked at; what changed since is refused", Tags: tags,
		},
			func(ctx context.Context, in *decision) (*reviewAnswer, error) {
				r, ask := reviewer(ctx), app.ReviewAsk{}
				if in.Body != nil {
					ask.Version, ask.Reason = family.Hash(in.Body.Version), in.Body.Reason
				}
				view, err := act(ctx, family.BindingID(in.BindingID), r, ask)
				if err != nil {
					return nil, err
				}
				return &reviewAnswer{d.reviewOf(view, r, false)}, nil
			})
	}
	type clarify struct {
		BindingPath
		Body struct {
			Version string `json:"version,omitempty" nullable:"true" maxLength:"64"`
			Kind    string `json:"kind" enum:"household_register,marriage_certificate,birth_certificate,commitment_letter,id_card,guardianship"`
			Reason  string `json:"reason" minLength:"1" maxLength:"800"`
		}
	}
	route(d, Reviewers, huma.Operation{
		OperationID: "clarify-review", Method: http.MethodPost, Path: "/v1/reviews/{binding_id}/clarify", DefaultStatus: http.StatusOK,
		Summary: "Ask the family for one more paper, in the same request", Tags: tags,
	},
		func(ctx context.Context, in *clarify) (*reviewAnswer, error) {
			r := reviewer(ctx)
			view, err := d.app.Clarify(ctx, family.BindingID(in.BindingID), r, app.ReviewAsk{
				Version: family.Hash(in.Body.Version), Kind: family.PaperKind(in.Body.Kind), Reason: in.Body.Reason,
			})
			if err != nil {
				return nil, err
			}
			return &reviewAnswer{d.reviewOf(view, r, false)}, nil
		})

	type paperQuery struct {
		MaterialID string `path:"material_id" maxLength:"64"`
		Door       string `query:"door" maxLength:"128" doc:"From the answer of the review"`
		Part       int    `query:"part" minimum:"1" maximum:"4" default:"1" doc:"Papers above 4 MiB come in parts"`
	}
	type paperAnswer struct {
		ContentType string `header:"Content-Type" hidden:"true"`
		Disposition string `header:"Content-Disposition" hidden:"true"`
		Sandbox     string `header:"Content-Security-Policy" hidden:"true"`
		Parts       string `header:"Paper-Parts"`
		Body        []byte
	}
	route(d, Reviewers, huma.Operation{
		OperationID: "see-paper", Method: http.MethodGet, Path: "/v1/papers/{material_id}", Summary: "A paper, to the reviewer whose door it is; the look is in the binding's history", Tags: tags,
		Responses: paperResponses(),
	},
		func(ctx context.Context, in *paperQuery) (*paperAnswer, error) {
			paper, err := d.app.SeePaper(ctx, family.MaterialID(in.MaterialID), reviewer(ctx), in.Door)
			if err != nil {
				return nil, err
			}
			parts := max(1, (len(paper.Content)+maxPart-1)/maxPart)
			if in.Part > parts {
				return nil, family.Refuse(family.NotFound)
			}
			from := (in.Part - 1) * maxPart
			return &paperAnswer{
				ContentType: paper.ContentType, Disposition: "inline", Sandbox: "sandbox; default-src 'none'",
				Parts: strconv.Itoa(parts), Body: paper.Content[from:min(len(paper.Content), from+maxPart)],
			}, nil
		})
}

// paperResponses describes a paper of each type.
func paperResponses() map[string]*huma.Response {
	content := map[string]*huma.MediaType{}
	for _, kind := range family.PaperTypes {
		content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	return map[string]*huma.Response{"200": {Description: "OK", Content: content}}
}

// reviewCursor tells whether a text is a cursor of the queue: when it came, and the
// binding.
func reviewCursor(after string) bool {
	if after == "" {
		return true
	}
	const stamp = "20060102T150405"
	if len(after) != len(stamp)+1+26 || after[len(stamp)] != '#' || !family.BindingID(after[len(stamp)+1:]).Valid() {
		return false
	}
	_, err := time.Parse(stamp, after[:len(stamp)])
	return err == nil
}
