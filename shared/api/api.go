// Package api is the JSON door: it reads requests, finds out who asks, calls the
// acts of package app and writes their answers. Paths and field names are a
// contract that clients are written against; /openapi.json describes it.
//
// No rule of the trade lives here. What a client hears of an error comes from
// package answer; only a *family.Refusal has content, everything else is
// "internal" with the number of the request.
package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"sync"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"
	"gongji/shared/throttle"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Options are what the door is made of. App and Verifier are needed.
type Options struct {
	App      *app.App
	Verifier *Verifier
	// Gate limits how much one may ask; nil limits nobody.
	Gate *throttle.Gate
	// Log hears of errors that a client is not told. It is never given a body, a
	// name, an ID number or a code.
	Log *slog.Logger
	// Now and WaitUntil are the time in which requests come and answers that must not
	// tell anything by it are held back; the default is the machine's own. WaitUntil
	// returns when the request's context ends, too.
	Now       func() time.Time
	WaitUntil func(context.Context, time.Time)
}

// door is what the handlers share.
type door struct {
	app      *app.App
	verifier *Verifier
	gate     *throttle.Gate
	log      *slog.Logger
	mux      *http.ServeMux
	routes   []Route

	now       func() time.Time
	waitUntil func(context.Context, time.Time)
}

// Route is one route of the door and who may use it.
type Route struct {
	Method, Path string
	Access       Access
	// register puts the route into an API of huma's, once.
	register func(huma.API)
}

// Bounds of a request's body, in bytes.
const (
	maxBody = 256 << 10
	maxFeed = 4 << 20 // many records in one request, each within maxBody
)

// New returns the door as a handler.
func New(o Options) http.Handler { handler, _ := build(o); return handler }

// build returns the door and its routes, which the tests walk.
func build(o Options) (http.Handler, *door) {
	d := newDoor(o)
	return d.outermost(), d
}

// newDoor returns a door with all its routes.
func newDoor(o Options) *door {
	d := &door{app: o.App, verifier: o.Verifier, gate: o.Gate, log: o.Log, mux: http.NewServeMux(), now: o.Now, waitUntil: o.WaitUntil}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.now == nil {
		d.now = time.Now
	}
	if d.waitUntil == nil {
		d.waitUntil = waitUntil
	}
	d.bindingRoutes()
	d.counterRoutes()
	d.reviewRoutes()
	d.qrRoutes()
	d.accountRoutes()
	d.checkRoutes()
	d.confirmationRoutes()
	d.premiumRoutes()
	d.tillRoutes()
	d.searchRoutes()
	d.operatorRoutes()
	d.trailRoutes()
	d.adjustmentRoutes()
	d.checkpointRoutes()
	d.policyRoutes()
	d.keyRoutes()
	d.openRoutes(o)
	return d
}

// served returns the handler of a route, which is put together when it is asked for
// first: huma looks at every type of a route, and a Lambda function, which starts
// often, is asked for a few of them.
func (d *door) served(r Route) http.Handler {
	handler := sync.OnceValue(func() http.Handler {
		mux := http.NewServeMux()
		api := humago.New(mux, config())
		api.UseMiddleware(d.authorize, d.readBody)
		r.register(api)
		return mux
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler().ServeHTTP(w, r) })
}

// describe returns the document of all routes.
func describe(o Options) ([]byte, error) {
	api := humago.New(http.NewServeMux(), config())
	for _, r := range newDoor(o).routes {
		r.register(api)
	}
	return json.Marshal(api.OpenAPI())
}

// config describes the document. Formats are set here because huma's own default
// also adds links to every body.
func config() huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:   "共济 Gongji",
				Version: "1",
				Description: "绑定亲属，出示医保码，结算账单。Bind a relative, show the code, settle the bill.\n\n" +
					"Money is in integer fen (`_fen`), times are RFC 3339 in UTC, days are YYYYMMDD in Asia/Shanghai, ratios are strings with four decimals. " +
					"Errors are RFC 9457 problem documents of three kinds: `malformed` (mend it and send it again), `decided` (final under this message id), `unknown` (do not charge again, ask with the same id).",
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
				},
			},
		},
		Formats: map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
	}
}

// route registers a handler with the door's ways: who may use it, how much it
// reads, and how it answers errors. What huma cannot see for itself, more describes.
func route[I, O any](d *door, access Access, op huma.Operation, handle func(context.Context, *I) (*O, error), more ...func(huma.API)) {
	bound := int64(maxBody)
	if op.MaxBodyBytes != 0 {
		bound = op.MaxBodyBytes
	}
	// readBody bounds the body and reads it before huma does. Left to itself huma
	// refuses what just fits, and its read deadline would cut off a long act.
	op.MaxBodyBytes, op.BodyReadTimeout = -1, -1
	op.Metadata = map[string]any{"access": access, "bound": bound}
	if access != Open {
		op.Security = []map[string][]string{{"bearer": {}}}
		op.Description = joinText(op.Description, "Access: "+string(access)+".")
	}
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	r := Route{op.Method, op.Path, access, func(api huma.API) {
		op.Responses["default"] = problemResponse(api, "A problem document")
		huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
			out, err := handle(ctx, in)
			if err != nil {
				d.even(ctx, err)
				return nil, d.problem(ctx, err)
			}
			return out, nil
		})
		for _, describe := range more {
			describe(api)
		}
	}}
	d.routes = append(d.routes, r)
	d.mux.Handle(r.Method+" "+r.Path, d.served(r))
}

// problemResponse describes an answer that is a problem document.
func problemResponse(api huma.API, description string) *huma.Response {
	schema := api.OpenAPI().Components.Schemas.Schema(problemType, true, "Problem")
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema}}}
}

// answers describes an answer that huma cannot read from a type.
func answers(contentType string, schema *huma.Schema) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{contentType: {Schema: schema}}}}
}

func joinText(a, b string) string {
	if a == "" {
		return b
	}
	return a + " " + b
}

// openRoutes are for everybody.
func (d *door) openRoutes(o Options) {
	type health struct {
		Body struct {
			Status string `json:"status" example:"ok"`
		}
	}
	route(d, Open, huma.Operation{OperationID: "health", Method: http.MethodGet, Path: "/healthz", Summary: "Is the door open?", Tags: []string{"everybody"}},
		func(context.Context, *struct{}) (*health, error) {
			var h health
			h.Body.Status = "ok"
			return &h, nil
		})
	type documentAnswer struct {
		ContentType string `header:"Content-Type" hidden:"true"`
		Body        []byte
	}
	text := sync.OnceValues(func() ([]byte, error) { return describe(o) })
	route(d, Open, huma.Operation{
		OperationID: "openapi", Method: http.MethodGet, Path: "/openapi.json", Summary: "This document", Tags: []string{"everybody"},
		Responses: answers("application/json", &huma.Schema{Type: huma.TypeObject}),
	},
		func(context.Context, *struct{}) (*documentAnswer, error) {
			body, err := text()
			return &documentAnswer{ContentType: "application/json", Body: body}, err
		})
}

// requestKey is where a request lies in its context.
type requestKey struct{}

// request is what an answer says of its request.
type request struct {
	id, path string
	came     time.Time
}

// tooMany refuses who asks more than he may.
func tooMany(wait int) *family.Refusal {
	return &family.Refusal{Code: family.RateLimited, RetryAfter: wait}
}

// outermost gives every request a number, answers what no route takes, and turns
// a panic into an answer that says nothing.
func (d *door) outermost() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, request{id, r.URL.EscapedPath(), d.now()}))
		r.Header.Del("Accept") // there is one format, and nothing to negotiate
		h := w.Header()
		h.Set("Request-Id", id)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				d.log.ErrorContext(r.Context(), "panic", "request_id", id, "stack", string(debug.Stack()))
				d.write(w, r, errPanic)
			}
		}()
		if wait := d.gate.Address(r); wait > 0 {
			d.write(w, r, tooMany(wait))
			return
		}
		// A path that is not clean names nothing: the router would redirect it.
		if _, pattern := d.mux.Handler(r); pattern == "" || path.Clean(r.URL.EscapedPath()) != r.URL.EscapedPath() {
			d.noRoute(w, r)
			return
		}
		d.mux.ServeHTTP(w, r)
	})
}
