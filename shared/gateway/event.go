// Package gateway answers API Gateway's events with an http.Handler: [Handler] turns an
// event into a request and the answer back, [Serve] does so for as long as Lambda keeps
// the process. It knows neither a table nor a key, so that the function of the pages
// carries neither (package onaws is the house with both). No other package of ours but
// that one imports the Lambda library.
package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gongji/shared/answer"
	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/aws/aws-lambda-go/events"
)

// reserve is the time that stays for the answer when the work has to end: whoever
// waits hears "unknown, ask with the same id", and not that a function broke off.
const reserve = 300 * time.Millisecond

// Lambda takes 6 MB from a function, escapes and all. In base64, which does not
// grow any further, maxAnswer bytes fit; text up to maxText fits however many of
// its characters are escaped.
const (
	maxAnswer = 4_500_000
	maxText   = 512 << 10
)

// gatewayKey is where API Gateway's request context lies in a request's context.
// No header can put anything there.
type gatewayKey struct{}

func contextOf(ctx context.Context) (events.APIGatewayV2HTTPRequestContext, bool) {
	g, ok := ctx.Value(gatewayKey{}).(events.APIGatewayV2HTTPRequestContext)
	return g, ok
}

// Handler returns the Lambda function that answers API Gateway's HTTP events
// (payload format 2.0) with next, as a server of net/http would. It logs one line
// for each.
//
// An event that is none of API Gateway's is an error of the invocation.
func Handler(next http.Handler, log *slog.Logger) func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return func(ctx context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		began := time.Now()
		if end, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, end.Add(-reserve))
			defer cancel()
		}
		ctx, tally := app.WithTally(ctx)
		r, err := request(ctx, e)
		if err != nil {
			return events.APIGatewayV2HTTPResponse{}, err
		}
		w := answerTo(next, r, log)
		logRequest(r.Context(), log, w, tally, time.Since(began))
		return w.response(), nil
	}
}

// request returns the request that an event tells of. Everything in it is as it
// came: names of headers are brought to net/http's form, values are not touched,
// and what API Gateway parsed for our convenience is left aside.
func request(ctx context.Context, e events.APIGatewayV2HTTPRequest) (*http.Request, error) {
	if e.Version != "2.0" || e.RequestContext.HTTP.Method == "" {
		return nil, fmt.Errorf("gateway: version %q: not an HTTP event of payload format 2.0", e.Version)
	}
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil, fmt.Errorf("gateway: the body of an event: %w", err)
		}
	}
	r := &http.Request{
		Method: e.RequestContext.HTTP.Method, URL: &url.URL{RawQuery: e.RawQueryString}, RequestURI: e.RawPath,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		Host: e.RequestContext.DomainName, RemoteAddr: net.JoinHostPort(e.RequestContext.HTTP.SourceIP, "0"),
	}
	if e.RawQueryString != "" {
		r.RequestURI += "?" + e.RawQueryString
	}
	// A path whose escapes do not read is taken for one without: no route has it.
	r.URL.Path = e.RawPath
	if path, err := url.PathUnescape(e.RawPath); err == nil {
		r.URL.Path, r.URL.RawPath = path, e.RawPath
	}
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		r.Header.Add(name, e.Headers[name])
	}
	if len(e.Cookies) > 0 {
		r.Header.Add("Cookie", strings.Join(e.Cookies, "; "))
	}
	if hosts := r.Header["Host"]; len(hosts) > 0 { // net/http keeps it apart
		r.Host = hosts[0]
		delete(r.Header, "Host")
	}
	return r.WithContext(context.WithValue(ctx, gatewayKey{}, e.RequestContext)), nil
}

// answerTo has next answer a request. A panic becomes an answer that says nothing
// of it, and so does an answer that Lambda would not take.
func answerTo(next http.Handler, r *http.Request, log *slog.Logger) (w *recorder) {
	w = &recorder{header: http.Header{}, head: r.Method == http.MethodHead}
	defer func() {
		if p := recover(); p != nil {
			log.ErrorContext(r.Context(), "panic", "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			w = internal(r)
		}
	}()
	if trace := traceID(r.Context()); trace != "" {
		w.header.Set("Trace-Id", trace)
	}
	next.ServeHTTP(w, r)
	if w.body.Len() > maxAnswer {
		log.ErrorContext(r.Context(), "the answer is too large", "bytes", w.body.Len())
		w = internal(r)
	}
	return w
}

// internal returns the answer "internal" in the manner of the JSON door: nobody
// knows what was done, so the same request again is safe and a new one is not.
func internal(r *http.Request) *recorder {
	g, _ := contextOf(r.Context())
	p := answer.ProblemOf(family.Refuse(family.Internal))
	p.Instance, p.RequestID = r.URL.Path, g.RequestID
	w := &recorder{header: http.Header{"Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"}}}
	p.WriteTo(w)
	return w
}

// recorder keeps an answer until it is whole: Lambda takes it in one piece.
type recorder struct {
	header http.Header // as the handler sees it
	sent   http.Header // as it stood when the status was written
	status int
	body   bytes.Buffer
	head   bool // the answer has no body, only the head of one
}

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter. API Gateway cannot send a status
// before the last one (1xx), so those are passed over.
func (w *recorder) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("gateway: status %d", status))
	}
	if w.status == 0 && status >= 200 {
		w.status, w.sent = status, w.header.Clone()
	}
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.status == http.StatusNoContent, w.status == http.StatusNotModified:
		return 0, http.ErrBodyNotAllowed
	case w.head:
		return len(b), nil
	}
	return w.body.Write(b)
}

// response returns the answer as API Gateway takes it.
func (w *recorder) response() events.APIGatewayV2HTTPResponse {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	out := events.APIGatewayV2HTTPResponse{StatusCode: w.status, Headers: map[string]string{}}
	body := w.body.Bytes()
	if _, set := w.sent["Content-Type"]; !set && len(body) > 0 && w.sent.Get("Content-Encoding") == "" {
		w.sent.Set("Content-Type", http.DetectContentType(body)) // as net/http does; API Gateway would say JSON
	}
	for name, values := range w.sent {
		switch {
		case name == "Set-Cookie": // the one header whose values cannot be joined
			out.Cookies = values
		case len(values) > 0:
			out.Headers[name] = strings.Join(values, ", ")
		}
	}
	if len(body) <= maxText && utf8.Valid(body) {
		out.Body = string(body)
	} else {
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return out
}
