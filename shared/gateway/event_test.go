package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gongji/shared/onaws/onawstest"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"
)

// event returns a plain event for a handler to answer.
func event() events.APIGatewayV2HTTPRequest {
	return onawstest.Request{Method: "GET", Target: "/", Header: http.Header{}}.Event("GET /")
}

// answerOf returns how a handler answers a plain event.
func answerOf(t *testing.T, h http.HandlerFunc) events.APIGatewayV2HTTPResponse {
	t.Helper()
	out, err := Handler(h, slog.New(slog.DiscardHandler))(t.Context(), event())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestHeadersVerbatim(t *testing.T) {
	e := event()
	e.Headers = map[string]string{
		"host": "api.example.com", "accept": "a, b;q=0.1,c", "x-json": `{"a":[1,2]}`,
		"x-dup": "1", "X-Dup": "2", "cookie": "lost=no", "content-length": "999",
	}
	e.Cookies = []string{"a=1", `b="x, y"`}
	r, err := request(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	want := http.Header{
		"Accept": {"a, b;q=0.1,c"}, "X-Json": {`{"a":[1,2]}`}, "X-Dup": {"2", "1"}, // none is lost, the order is always the same
		"Cookie": {"lost=no", `a=1; b="x, y"`}, "Content-Length": {"999"},
	}
	if diff := cmp.Diff(want, r.Header); diff != "" {
		t.Error(diff)
	}
	if r.Host != "api.example.com" || r.ContentLength != 0 || r.RemoteAddr != "192.0.2.1:0" {
		t.Errorf("host %q, length %d, from %q", r.Host, r.ContentLength, r.RemoteAddr)
	}
}

func TestPaths(t *testing.T) {
	for raw, want := range map[string][2]string{ // path, escaped path
		"/v1/qr/a%2Fb":   {"/v1/qr/a/b", "/v1/qr/a%2Fb"},
		"/a b":           {"/a b", "/a%20b"},   // decoded by somebody on the way
		"/100%":          {"/100%", "/100%25"}, // no escape, so it stands for itself
		"/a?b":           {"/a?b", "/a%3Fb"},   // no query: that comes apart
		"http://x.com/y": {"http://x.com/y", "http://x.com/y"},
		"":               {"", ""},
	} {
		e := event()
		e.RawPath, e.RawQueryString = raw, "q=%2F&q=2"
		r, err := request(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]string{r.URL.Path, r.URL.EscapedPath()}; got != want || r.URL.RawQuery != "q=%2F&q=2" || r.URL.Host != "" {
			t.Errorf("%q became %q, want %q", raw, got, want)
		}
	}
}

func TestBodies(t *testing.T) {
	for _, c := range []struct {
		body   string
		base64 bool
		want   string
	}{{"text", false, "text"}, {"dGV4dA==", true, "text"}, {"dGV4dA==", false, "dGV4dA=="}, {"/wA=", true, "\xff\x00"}, {"", true, ""}} {
		e := event()
		e.Body, e.IsBase64Encoded = c.body, c.base64
		r, err := request(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r.Body); err != nil || string(got) != c.want || r.ContentLength != int64(len(c.want)) {
			t.Errorf("%q: %q, length %d, %v", c.body, got, r.ContentLength, err)
		}
	}
}

// TestNoEvent: what API Gateway never sends is an error of the invocation, which
// the alarm hears of, not an empty request.
func TestNoEvent(t *testing.T) {
	for name, spoil := range map[string]func(*events.APIGatewayV2HTTPRequest){
		"empty":      func(e *events.APIGatewayV2HTTPRequest) { *e = events.APIGatewayV2HTTPRequest{} },
		"format 1.0": func(e *events.APIGatewayV2HTTPRequest) { e.Version = "1.0" },
		"no method":  func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = "" },
		"not base64": func(e *events.APIGatewayV2HTTPRequest) { e.Body, e.IsBase64Encoded = "not base64!", true },
	} {
		e := event()
		spoil(&e)
		handle := Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Errorf("%s: handled", name) }), slog.New(slog.DiscardHandler))
		if out, err := handle(t.Context(), e); err == nil {
			t.Errorf("%s: answered %+v", name, out)
		}
	}
}

// TestContext: the request context comes from the event alone.
func TestContext(t *testing.T) {
	e := event()
	e.RequestContext.RequestID = "the gateway's"
	for _, name := range []string{"x-amzn-request-context", "x-amzn-apigateway-event", "x-golambdaproxy-apigw-context", "x-apigateway-context"} {
		e.Headers[name] = `{"requestId":"the client's"}`
	}
	_, err := Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if g, ok := contextOf(r.Context()); !ok || g.RequestID != "the gateway's" {
			t.Errorf("request context %+v, %t", g, ok)
		}
	}), slog.New(slog.DiscardHandler))(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := contextOf(t.Context()); ok {
		t.Error("a request context without an event")
	}
}

func TestDeadline(t *testing.T) {
	end := time.Now().Add(time.Minute)
	ctx, cancel := context.WithDeadline(t.Context(), end)
	defer cancel()
	look := func(want bool) http.HandlerFunc {
		return func(_ http.ResponseWriter, r *http.Request) {
			if at, ok := r.Context().Deadline(); ok != want || ok && !at.Equal(end.Add(-reserve)) {
				t.Errorf("the work ends at %v (%t), the function at %v", at, ok, end)
			}
		}
	}
	for ctx, has := range map[context.Context]bool{ctx: true, t.Context(): false} {
		if _, err := Handler(look(has), slog.New(slog.DiscardHandler))(ctx, event()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnswers(t *testing.T) {
	const png = "\x89PNG\r\n\x1a\n\x00\xff"
	for name, c := range map[string]struct {
		handle http.HandlerFunc
		want   events.APIGatewayV2HTTPResponse
	}{
		"nothing": {func(http.ResponseWriter, *http.Request) {}, events.APIGatewayV2HTTPResponse{StatusCode: 200, Headers: map[string]string{}}},
		"status":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, events.APIGatewayV2HTTPResponse{StatusCode: 204, Headers: map[string]string{}}},
		"a binary": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/png")
			fmt.Fprint(w, png)
		}, events.APIGatewayV2HTTPResponse{StatusCode: 200, Headers: map[string]string{"Content-Type": "image/png"}, Body: base64.StdEncoding.EncodeToString([]byte(png)), IsBase64Encoded: true}},
		"type unsaid": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>共济") }, events.APIGatewayV2HTTPResponse{
			StatusCode: 200, Headers: map[string]string{"Content-Type": "text/html; charset=utf-8"}, Body: "<html>共济",
		}},
		"many headers": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Vary"] = []string{"Origin", "Accept"}
			w.Header()["Empty"] = nil
			w.Header().Add("Set-Cookie", "a=1; Expires=Sat, 21 Nov 2026 04:00:00 GMT")
			w.Header().Add("Set-Cookie", "b=2")
		}, events.APIGatewayV2HTTPResponse{StatusCode: 200, Headers: map[string]string{"Vary": "Origin, Accept"}, Cookies: []string{"a=1; Expires=Sat, 21 Nov 2026 04:00:00 GMT", "b=2"}}},
		"too late": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(103)
			w.WriteHeader(201)
			w.WriteHeader(500)
			w.Header().Set("Late", "1")
		}, events.APIGatewayV2HTTPResponse{StatusCode: 201, Headers: map[string]string{}}},
		"no body allowed": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(304)
			if _, err := w.Write([]byte("x")); err != http.ErrBodyNotAllowed {
				t.Errorf("a body with 304: %v", err)
			}
		}, events.APIGatewayV2HTTPResponse{StatusCode: 304, Headers: map[string]string{}}},
	} {
		if diff := cmp.Diff(c.want, answerOf(t, c.handle)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestLargeAnswers: Lambda takes 6,291,556 bytes, as JSON.
func TestLargeAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		body   []byte
		status int
		base64 bool
	}{
		"text that escapes most": {bytes.Repeat([]byte{1}, maxText), 200, false},
		"more text":              {bytes.Repeat([]byte("a"), maxText+1), 200, true},
		"the largest":            {bytes.Repeat([]byte("a"), maxAnswer), 200, true},
		"too large":              {bytes.Repeat([]byte("a"), maxAnswer+1), 500, false},
	} {
		out := answerOf(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(c.body) })
		text, err := json.Marshal(out)
		if err != nil || len(text) > 6<<20 || out.StatusCode != c.status || out.IsBase64Encoded != c.base64 {
			t.Errorf("%s: status %d, %d bytes, base64 %t, %v", name, out.StatusCode, len(text), out.IsBase64Encoded, err)
		}
		if c.status == 200 && !bytes.Equal(onawstest.ReplyOf(t, out).Body, c.body) {
			t.Errorf("%s: another body", name)
		}
	}
}

// TestPanic: the answer says nothing of a panic, and nothing of what was written
// before it.
func TestPanic(t *testing.T) {
	for name, panics := range map[string]any{"text": "张三 secret", "error": fmt.Errorf("secret"), "abort": http.ErrAbortHandler, "bad status": nil} {
		var lines bytes.Buffer
		out, err := Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Half", "done")
			fmt.Fprint(w, "half an answer")
			if panics == nil {
				w.WriteHeader(7)
			}
			panic(panics)
		}), NewLog(&lines))(t.Context(), event())
		if err != nil {
			t.Fatal(err)
		}
		reply := onawstest.ReplyOf(t, out)
		var problem map[string]any
		if err := json.Unmarshal(reply.Body, &problem); err != nil {
			t.Fatal(err)
		}
		if reply.Status != 500 || reply.Header.Get("Content-Type") != "application/problem+json" || reply.Header.Get("Half") != "" ||
			problem["code"] != "internal" || problem["kind"] != "unknown" || problem["next"] != "retry_same_id" || problem["request_id"] != "gateway-request" {
			t.Errorf("%s: %d %v %v", name, reply.Status, reply.Header, problem)
		}
		if text := string(reply.Body); strings.Contains(text, "secret") || strings.Contains(text, "goroutine") || strings.Contains(text, ".go") {
			t.Errorf("%s: it tells: %s", name, text)
		}
		if text := lines.String(); strings.Contains(text, "secret") || !strings.Contains(text, `"message":"panic"`) || !strings.Contains(text, "event_test.go") {
			t.Errorf("%s: the log: %s", name, text)
		}
	}
}

// TestLog: one line for each request, with its numbers, and nothing of the path.
func TestLog(t *testing.T) {
	var lines bytes.Buffer
	log := NewLog(&lines)
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "invocation"})
	//lint:ignore SA1029 the Lambda library's own key
	ctx = context.WithValue(ctx, "x-amzn-trace-id", "Root=1-2")
	e := onawstest.Request{Method: "GET", Target: "/v1/qr/zhangsan?name=lisi", Header: http.Header{"Authorization": {"Bearer wangwu"}}}.Event("GET /v1/qr/{token_id}")
	out, err := Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		log.With("kind", "inner").WarnContext(r.Context(), "commit refused", "attempt", 1)
		w.Header().Set("Request-Id", "R1")
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(503)
		fmt.Fprint(w, `{"code":"outcome_unknown","detail":"zhaoliu"}`)
	}), log)(ctx, e)
	if err != nil {
		t.Fatal(err)
	}
	if got := onawstest.ReplyOf(t, out).Header.Get("Trace-Id"); got != "Root=1-2" {
		t.Errorf("the caller is told trace id %q", got)
	}
	for _, secret := range []string{"zhangsan", "lisi", "wangwu", "zhaoliu"} {
		if strings.Contains(lines.String(), secret) {
			t.Errorf("the log tells %s:\n%s", secret, &lines)
		}
	}
	var got []map[string]any
	for line := range strings.Lines(lines.String()) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		delete(v, "timestamp")
		if v["message"] == "request" {
			delete(v, "Milliseconds")
			delete(v["_aws"].(map[string]any), "Timestamp")
		}
		got = append(got, v)
	}
	numbers := map[string]any{"lambda_request_id": "invocation", "gateway_request_id": "gateway-request", "trace_id": "Root=1-2", "route": "GET /v1/qr/{token_id}"}
	inner := map[string]any{"level": "WARN", "message": "commit refused", "kind": "inner", "attempt": 1.0}
	outer := map[string]any{
		"level": "ERROR", "message": "request", "status": 503.0, "code": "outcome_unknown", "request_id": "R1", "Unknown": 1.0, "Function": "",
		"reads": 0.0, "commits": 0.0, "again": 0.0,
		"_aws": map[string]any{"CloudWatchMetrics": []any{map[string]any{
			"Namespace": "Gongji", "Dimensions": []any{[]any{"Function"}},
			"Metrics": []any{map[string]any{"Name": "Milliseconds", "Unit": "Milliseconds"}, map[string]any{"Name": "Unknown", "Unit": "Count"}},
		}}},
	}
	maps.Copy(inner, numbers)
	maps.Copy(outer, numbers)
	if diff := cmp.Diff([]map[string]any{inner, outer}, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzEvent: an event becomes a request and the request an event again, and nothing
// was lost on the way, nor anything invented.
func FuzzEvent(f *testing.F) {
	f.Add("GET", "/v1/qr/%41", "a=1&a=2", "x-a", "1, 2", "c=1", "body", false)
	f.Add("POST", "/", "", "Host", "h", "", "AP8=", true)
	f.Add("PUT", "//%zz", "%", "cookie", "a=b", "c=d; e=f", "\xff", false)
	f.Fuzz(func(t *testing.T, method, path, query, name, value, cookie, body string, encoded bool) {
		if method == "" {
			t.Skip()
		}
		e := events.APIGatewayV2HTTPRequest{Version: "2.0", RawPath: path, RawQueryString: query, Headers: map[string]string{name: value}, Body: body, IsBase64Encoded: encoded}
		e.RequestContext.HTTP.Method, e.RequestContext.RequestID = method, "id"
		if cookie != "" {
			e.Cookies = []string{cookie}
		}
		want := []byte(body)
		if encoded {
			var err error
			if want, err = base64.StdEncoding.DecodeString(body); err != nil {
				if _, err := request(t.Context(), e); err == nil {
					t.Fatal("a body that is not base64 was taken")
				}
				return
			}
		}
		out, err := Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != method || r.URL.RawQuery != query || r.URL.Host != "" || r.URL.Scheme != "" {
				t.Errorf("%s %+v", r.Method, r.URL)
			}
			if r.URL.Path != path && r.URL.RawPath != path {
				t.Errorf("the path %q became %q (%q)", path, r.URL.Path, r.URL.RawPath)
			}
			values := slices.Concat(slices.Collect(maps.Values(r.Header))...)
			if http.CanonicalHeaderKey(name) == "Host" {
				values = append(values, r.Host)
			}
			sent := []string{value}
			if cookie != "" {
				sent = append(sent, cookie)
			}
			slices.Sort(values)
			slices.Sort(sent)
			if !slices.Equal(values, sent) {
				t.Errorf("sent %q, arrived %q", sent, values)
			}
			if g, ok := contextOf(r.Context()); !ok || g.RequestID != "id" {
				t.Errorf("request context %+v", g)
			}
			got, err := io.ReadAll(r.Body)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("body %q, %v, want %q", got, err, want)
			}
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = w.Write(got)
		}), slog.New(slog.DiscardHandler))(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		reply := onawstest.ReplyOf(t, onawstest.ThroughJSON(t, out))
		if !bytes.Equal(reply.Body, want) || out.IsBase64Encoded != !utf8.Valid(want) {
			t.Errorf("%q came back as %q (%t)", want, reply.Body, out.IsBase64Encoded)
		}
	})
}
