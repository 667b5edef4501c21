package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"gongji/shared/answer"
	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// problem is the body of every error, and how it is sent.
type problem struct {
	answer.Problem
	replay bool // the answer was given before
}

var problemType = reflect.TypeFor[problem]()

// Error implements error.
func (p *problem) Error() string { return p.Code }

// GetStatus implements huma.StatusError.
func (p *problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	if p.replay {
		h.Set("Idempotent-Replay", replayHeader(true))
	}
	return h
}

// ContentType implements huma.ContentTypeFilter.
func (p *problem) ContentType(string) string { return answer.ProblemType }

// again is an error that was answered before.
type again struct{ error }

func (a again) Unwrap() error { return a.error }

// replayed marks an error that was answered before.
func replayed(err error, replay bool) error {
	if err != nil && replay {
		return again{err}
	}
	return err
}

// errPanic stands for whatever a handler panicked with.
var errPanic = errors.New("api: panic")

// problemOf returns the problem document of a refusal.
func problemOf(r *family.Refusal) *problem { return &problem{Problem: answer.ProblemOf(r)} }

// problem returns the problem document of an error. Only a refusal has content.
func (d *door) problem(ctx context.Context, err error) *problem {
	asked, _ := ctx.Value(requestKey{}).(request)
	if refusal := app.RefusalOf(err); refusal != nil {
		p := problemOf(refusal)
		p.Instance, p.replay = asked.path, errors.As(err, new(again))
		return p
	}
	d.log.ErrorContext(ctx, "internal", "request_id", asked.id, "error", err)
	p := problemOf(family.Refuse(family.Internal))
	p.Instance, p.RequestID = asked.path, asked.id
	return p
}

// write answers an error outside any route.
func (d *door) write(w http.ResponseWriter, r *http.Request, err error) {
	writeProblem(w, d.problem(r.Context(), err))
}

func writeProblem(w http.ResponseWriter, p *problem) {
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	p.WriteTo(w)
}

// refuse answers a refusal before a handler runs.
func (d *door) refuse(ctx huma.Context, r *family.Refusal) {
	_, w := humago.Unwrap(ctx)
	writeProblem(w, d.problem(ctx.Context(), r))
}

// noRoute answers a path, or a method, that no route takes.
func (d *door) noRoute(w http.ResponseWriter, r *http.Request) {
	muted := &mutedWriter{header: http.Header{}}
	d.mux.ServeHTTP(muted, r)
	refusal := family.Refuse(family.NotFound)
	if muted.status == http.StatusMethodNotAllowed {
		refusal = &family.Refusal{Code: family.Malformed, Field: "method", Observed: r.Method, Allowed: muted.header.Get("Allow"), Detail: "the path does not take this method"}
		w.Header().Set("Allow", muted.header.Get("Allow"))
	}
	p := d.problem(r.Context(), refusal)
	if muted.status == http.StatusMethodNotAllowed {
		p.Status = muted.status
	}
	writeProblem(w, p)
}

// mutedWriter keeps the head of the router's own answer, to learn what it was.
type mutedWriter struct {
	header http.Header
	status int
}

func (m *mutedWriter) Header() http.Header         { return m.header }
func (m *mutedWriter) Write(b []byte) (int, error) { return len(b), nil }
func (m *mutedWriter) WriteHeader(status int)      { m.status = status }

// What huma itself refuses becomes a document of ours: huma keeps the makers of its
// errors in package variables.
func init() {
	huma.ValidateStrictCasing = true
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return problemOf(refusalOf(status, msg, errs))
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		refusal := refusalOf(status, msg, errs)
		body, _ := ctx.Context().Value(bodyKey{}).([]byte)
		refusal.Line = lineNo(body, refusal.Field)
		p := problemOf(refusal)
		asked, _ := ctx.Context().Value(requestKey{}).(request)
		p.Instance = asked.path
		return p
	}
}

// refusalOf turns an error of huma's into the refusal that it means: what it
// refuses is always malformed. Values are left out: they may be anybody's.
func refusalOf(status int, msg string, errs []error) *family.Refusal {
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return family.Refuse(family.TooLarge)
	case status == http.StatusUnsupportedMediaType:
		return &family.Refusal{Code: family.Malformed, Field: "Content-Type", Allowed: "application/json", Detail: "the body is of another type"}
	case status >= http.StatusInternalServerError:
		return family.Refuse(family.Internal)
	}
	r := &family.Refusal{Code: family.Malformed, Detail: msg}
	for _, err := range errs {
		var detailed huma.ErrorDetailer
		if errors.As(err, &detailed) {
			d := detailed.ErrorDetail()
			r.Field, r.Detail = fieldName(d.Location), d.Message
			if name, missing := strings.CutPrefix(d.Message, "expected required property "); missing {
				name, _, _ = strings.Cut(name, " ")
				r.Field, r.Detail = within(r.Field, name), "the field is missing"
			}
			break
		}
	}
	if !printable(r.Field) {
		r.Field = ""
	}
	return r
}

// fieldName returns a location of huma's, "body.lines[0].code", as clients know it;
// the whole body has no name.
func fieldName(location string) string {
	_, field, _ := strings.Cut(location, ".")
	return field
}

// within names a field of an object.
func within(object, name string) string {
	if object == "" {
		return name
	}
	return object + "." + name
}

// printable tells whether a field's name, which may be a client's own, can be
// repeated in an answer: it looks like a name of ours. A number that somebody put
// where a name belongs may be anybody's.
func printable(s string) bool { return len(s) <= maxField && ourField().MatchString(s) }

// maxField bounds the name of a field that is repeated, in bytes; the longest of
// ours has 37.
const maxField = 64

// ourField is the form of our names: words and their places in lists, and the codes
// of up to three digits that some words are told apart by, or end with. The expression
// is large, and a malformed body alone needs it.
var ourField = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([A-Za-z_-]{1,32}[0-9]{0,3}(\[[0-9]{1,6}\])*)?(\.([A-Za-z_-]{1,32}[0-9]{0,3}|[0-9]{1,3})(\[[0-9]{1,6}\])*)*$`)
})
