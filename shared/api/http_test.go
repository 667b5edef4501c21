package api

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// TestNoSuchPath: what no route takes is a problem like any other, before anybody
// asks who is there.
func TestNoSuchPath(t *testing.T) {
	h := fedHouse(t)
	for _, path := range []string{
		"/v1", "/v1/", "/v1/me/", "/v2/me", "/V1/me", "/v1/Me", "/me", "/favicon.ico", "/openapi.yaml", "/docs", "/schemas/Problem.json", "/debug/pprof/", "/.git/config",
		"/v1/qr/x/image.gif", "/v1/qr/x/image.svg/", "/v1/bindings/x/y", "/v1/bindings/", "/v1/me%2faccount", "/v1%2fme", "/v1/me%00", "/v1/me;x=1",
		"//v1/me", "/v1//me", "/v1/./me", "/v1/../v1/me", "/./v1/me", "/v1/bindings//accept", "/v1/bindings/../me", "/dev/token", "/" + strings.Repeat("x", 4000),
	} {
		for _, method := range []string{"GET", "POST", "HEAD"} {
			for _, token := range []string{"", h.person(mother)} {
				r := h.ask(token, method, path, nil)
				if r.status != 404 || r.problem(t).Code != "not_found" || r.header.Get("Location") != "" {
					t.Errorf("%s %.50s: %d\n%.300s", method, path, r.status, r.body)
				}
			}
		}
	}
}

// TestNoSuchMethod tries every path with every method that it does not take.
func TestNoSuchMethod(t *testing.T) {
	h := fedHouse(t)
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"}
	taken := map[string][]string{}
	for _, r := range h.door.routes {
		taken[r.Path] = append(taken[r.Path], r.Method)
		if r.Method == "GET" {
			taken[r.Path] = append(taken[r.Path], "HEAD")
		}
	}
	for path, allowed := range taken {
		slices.Sort(allowed)
		for _, method := range methods {
			if slices.Contains(allowed, method) {
				continue
			}
			r := h.ask(h.person(mother), method, strings.NewReplacer("{", "", "}", "").Replace(path), nil)
			p := r.problem(t)
			if want := strings.Join(allowed, ", "); r.status != 405 || r.header.Get("Allow") != want || p.Code != "malformed" || p.Field != "method" || p.Observed != method || p.Allowed != want {
				t.Errorf("%s %s: %d, Allow %q\n%s", method, path, r.status, r.header.Get("Allow"), r.body)
			}
		}
	}
	if h.commits() != 0 {
		t.Errorf("%d commits", h.commits())
	}
}

// TestHead: a server answers HEAD as GET without its body.
func TestHead(t *testing.T) {
	h := fedHouse(t)
	server := httptest.NewServer(h.handler)
	defer server.Close()
	for path, want := range map[string]int{"/healthz": 200, "/v1/me": 200, "/v1/bindings/x": 404, "/nowhere": 404} {
		r, err := http.NewRequestWithContext(t.Context(), "HEAD", server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+h.person(mother))
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err := fmt.Sprint(err, answer.Body.Close()); err != "<nil> <nil>" {
			t.Fatal(err)
		}
		got := h.send(h.person(mother), "GET", path, nil)
		if answer.StatusCode != want || got.status != want || len(body) != 0 || answer.Header.Get("Content-Type") != got.header.Get("Content-Type") {
			t.Errorf("%s: %d and %d, %d bytes, %s", path, answer.StatusCode, got.status, len(body), answer.Header.Get("Content-Type"))
		}
	}
}

// TestBodyBreaksOff: a body that ends before its length was reached is not taken.
func TestBodyBreaksOff(t *testing.T) {
	h := fedHouse(t)
	for name, broken := range map[string]io.Reader{
		"at once":    &breaking{},
		"in between": &breaking{first: []byte(`{"name":"陈一二","id_no":"430102`)},
		"at its end": &breaking{first: []byte(`{}`)},
	} {
		r := httptest.NewRequest("POST", "/v1/qr", broken)
		r.Header.Set("Authorization", "Bearer "+h.person(mother))
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, r)
		got := reply{w.Code, w.Header(), w.Body.Bytes()}
		h.hold("POST", "/v1/qr", "application/json", nil, got)
		if heard(t, got) != "400 malformed" || h.commits() != 0 {
			t.Errorf("%s: %s", name, got.body)
		}
	}
}

// breaking is a body that breaks off.
type breaking struct{ first []byte }

func (b *breaking) Read(p []byte) (int, error) {
	if len(b.first) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, b.first)
	b.first = b.first[n:]
	return n, nil
}

// TestNoDeadlineAfterTheBody: once the body was read, a read deadline would do
// nothing but cancel an act that takes longer.
func TestNoDeadlineAfterTheBody(t *testing.T) {
	h := fedHouse(t)
	for _, path := range []string{"/v1/qr", "/v1/bindings"} {
		r := httptest.NewRequest("POST", path, strings.NewReader(`{}`))
		r.Header.Set("Authorization", "Bearer "+h.person(mother))
		w := &timed{ResponseRecorder: httptest.NewRecorder()}
		h.handler.ServeHTTP(w, r)
		for _, deadline := range w.deadlines {
			if !deadline.IsZero() {
				t.Errorf("%s: it must be read by %v", path, deadline)
			}
		}
	}
}

// timed is a connection that keeps the deadlines it was given.
type timed struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
}

func (w *timed) SetReadDeadline(deadline time.Time) error {
	w.deadlines = append(w.deadlines, deadline)
	return nil
}

// TestPanic: whatever a handler panics with, the client hears that something went
// wrong and under which number, and no more.
func TestPanic(t *testing.T) {
	h := newHouse(t)
	type in struct {
		How string `query:"how"`
	}
	type out struct{ Body any }
	var nobody *out
	route(h.door, Open, huma.Operation{OperationID: "panic", Method: "GET", Path: "/breaks"}, func(_ context.Context, in *in) (*out, error) {
		switch in.How {
		case "text":
			panic("王小芳 430102198503070022")
		case "error":
			panic(fmt.Errorf("sqlite: %w", io.ErrShortWrite))
		case "nil":
			nobody.Body = 1
		case "refusal":
			panic(family.Refuse(family.NotFound))
		case "failure":
			return nil, fmt.Errorf("sqlite: the disk of 王小芳 is full: %w", io.ErrShortWrite)
		}
		panic(http.ErrAbortHandler)
	})
	for _, how := range []string{"text", "error", "nil", "refusal", "failure"} {
		r := h.send("", "GET", "/breaks?how="+how, nil)
		p := r.problem(t)
		if r.status != 500 || p.Code != "internal" || p.RequestID != r.header.Get("Request-Id") || p.Next != "retry_same_id" || p.Instance != "/breaks" {
			t.Errorf("%s: %d\n%s", how, r.status, r.body)
		}
		if got := goText(r.body); got != "" || bytes.Contains(r.body, []byte("王小芳")) {
			t.Errorf("%s: it says %q\n%s", how, got, r.body)
		}
		if !strings.Contains(h.log.String(), p.RequestID) {
			t.Errorf("%s: the log does not know %s", how, p.RequestID)
		}
	}
	if strings.Contains(strings.ReplaceAll(h.log.String(), "the disk of 王小芳", ""), "王小芳") {
		t.Errorf("the log names whom a handler panicked with:\n%s", h.log)
	}
	func() {
		defer func() {
			if p := recover(); p != http.ErrAbortHandler {
				t.Errorf("a handler that aborts ends in %v", p)
			}
		}()
		h.send("", "GET", "/breaks?how=abort", nil)
	}()
	if r := h.ask("", "GET", "/healthz", nil); r.status != 200 {
		t.Errorf("after it all: %d", r.status)
	}
}

// TestContentOfAnswers looks at the answers that are no JSON.
func TestContentOfAnswers(t *testing.T) {
	h := fedHouse(t)
	mothers := h.person(mother)
	qr := h.must(201, mothers, "POST", "/v1/qr", `{}`)
	for name, contentType := range map[string]string{"svg_url": "image/svg+xml", "png_url": "image/png", "code128_url": "image/svg+xml"} {
		r := h.ask(mothers, "GET", qr[name].(string), nil, "Accept", "text/html, */*;q=0.1")
		if r.status != 200 || r.header.Get("Content-Type") != contentType {
			t.Errorf("%s: %d %s", name, r.status, r.header.Get("Content-Type"))
		}
		switch contentType {
		case "image/png":
			if picture, err := png.Decode(bytes.NewReader(r.body)); err != nil || picture.Bounds().Dx() < 100 {
				t.Errorf("%s: %v", name, err)
			}
		default:
			if !bytes.Contains(r.body, []byte("<svg ")) || bytes.Contains(r.body, []byte("<script")) || bytes.Contains(r.body, []byte("href")) {
				t.Errorf("%s: %.200s", name, r.body)
			}
		}
	}
	for _, accept := range []string{"json", "text/html", "application/cbor", "application/xml", "*/*;q=0", "application/problem+json", "\x00"} {
		for path, want := range map[string]string{"/v1/account": "application/json", "/v1/bindings/x": "application/problem+json", "/nowhere": "application/problem+json", "/openapi.json": "application/json"} {
			if r := h.ask(mothers, "GET", path, nil, "Accept", accept); r.header.Get("Content-Type") != want {
				t.Errorf("%s for who accepts %q: %s", path, accept, r.header.Get("Content-Type"))
			}
		}
	}
	for _, path := range []string{"/v1/qr/" + qr["token_id"].(string), "/v1/account"} { // what the act of another makes of it
		if r := h.ask(mothers, "GET", path, nil, "If-None-Match", "*", "Range", "bytes=0-1", "If-Modified-Since", "Sat, 21 Nov 2026 02:00:00 GMT"); r.status != 200 {
			t.Errorf("%s: %d for who has it already", path, r.status)
		}
	}
}

// TestPicturesOfACode: there is a picture while the code can be redeemed, and then
// its presenter hears why there is none.
func TestPicturesOfACode(t *testing.T) {
	s := sceneOf(t)
	for state, gone := range map[string]string{"issued": "200", "spent": "410 qr_spent", "replaced": "410 qr_replaced", "expired": "410 qr_expired", "ended": "410 qr_replaced"} {
		h := s.open(t)
		mothers := h.person(mother)
		qr := h.must(201, mothers, "POST", "/v1/qr", map[string]any{"binding_id": s.bound})
		want := state
		switch state {
		case "spent":
			h.must(201, h.place(hospital), "POST", "/v1/settlements", bill(h.messageID(hospital), qr["digits"].(string)))
		case "replaced":
			h.must(201, mothers, "POST", "/v1/qr", map[string]any{"binding_id": s.bound})
		case "expired":
			h.advance(time.Minute)
		case "ended":
			h.must(200, h.person(father), "DELETE", "/v1/bindings/"+s.bound, nil)
			want = "replaced"
		}
		now := h.must(200, mothers, "GET", "/v1/qr/"+qr["token_id"].(string), nil)
		if now["state"] != want || (now["digits"] != nil) != (state == "issued") || (now["settlement_id"] != nil) != (state == "spent") {
			t.Errorf("%s: %v", state, now)
		}
		for _, name := range []string{"svg_url", "png_url", "code128_url"} {
			if r := h.ask(mothers, "GET", qr[name].(string), nil); heard(t, r) != gone {
				t.Errorf("%s %s: %s, not %s", state, name, heard(t, r), gone)
			}
		}
	}
}
