package onaws

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"gongji/shared/api"
	"gongji/shared/app"
	"gongji/shared/gateway"
	"gongji/shared/his"
	"gongji/shared/onaws/onawstest"
	"gongji/shared/policy"
	"gongji/shared/store"
	"gongji/shared/store/sqlite"
	"gongji/shared/vault"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
)

// noon is when the tests' clock stands.
var noon = time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)

// newStore returns an empty store that lives as long as its test.
func newStore(t testing.TB) store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "gongji.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// twin returns a house over a store that draws the same ids as every other twin.
func twin(t testing.TB, records store.Store) *House { return twinSigning(t, records, nil) }

func twinSigning(t testing.TB, records store.Store, signer note.Signer) *House {
	t.Helper()
	policies, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.NewKeys(rand.NewChaCha8([32]byte{1}))
	if err != nil {
		t.Fatal(err)
	}
	return &House{
		App: app.New(app.Options{
			Store: records, Signer: signer, Policies: policies, Vault: vault.New(keys, rand.NewChaCha8([32]byte{2})),
			Now: func() time.Time { return noon }, Random: rand.NewChaCha8([32]byte{3}),
			Pause: func(ctx context.Context, _ int) error { return ctx.Err() },
		}),
		Log: slog.New(slog.DiscardHandler),
	}
}

func door(h *House, i *onawstest.Issuer) http.Handler {
	verifier := api.NewVerifier(i.URL, onawstest.Audience, newKeySet(i.URL, ""), func() time.Time { return noon })
	doors := http.NewServeMux()
	doors.Handle("/", api.New(api.Options{App: h.App, Verifier: verifier, Log: h.Log}))
	doors.Handle(his.Prefix, his.New(his.Options{App: h.App, Now: func() time.Time { return noon }, Log: h.Log}))
	return doors
}

// drawn is the number that the national interface gives each of its answers: a region,
// a time, and ten digits that are drawn anew.
var drawn = regexp.MustCompile(`("inf_refmsgid":"[0-9]{20})[0-9]{10}`)

// TestSameAnswers tells the main story, and all that goes wrong beside it, to two
// houses that draw the same ids: one behind a server of net/http, one behind
// API Gateway's events, at both doors. Their answers are the same, byte for byte.
func TestSameAnswers(t *testing.T) {
	issuer := onawstest.NewIssuer(t)
	server := httptest.NewServer(door(twin(t, newStore(t)), issuer))
	t.Cleanup(server.Close)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	handle := gateway.Handler(door(twin(t, newStore(t)), issuer), slog.New(slog.DiscardHandler))

	asked := 0
	scene := &onawstest.Scene{
		T:     t,
		Token: func(claims map[string]any) string { return issuer.Token(t, noon, claims) },
		Now:   func() time.Time { return noon },
		Do: func(q onawstest.Request) onawstest.Reply {
			t.Helper()
			asked++
			want := onawstest.OverHTTP(t, client, q.HTTP(t, server.URL))
			got := overEvent(t, handle, q)
			for _, header := range []http.Header{want.Header, got.Header} {
				if header.Get("Request-Id") == "" {
					t.Errorf("%s %s: no Request-Id", q.Method, q.Target)
				}
				for _, name := range []string{"Request-Id", "Date", "Content-Length"} { // the server's own, or drawn anew
					header.Del(name)
				}
			}
			want.Body, got.Body = drawn.ReplaceAll(want.Body, []byte("$1")), drawn.ReplaceAll(got.Body, []byte("$1"))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s: HTTP (-) and event (+):\n%s", q.Method, q.Target, diff)
			}
			return got
		},
	}
	scene.Tell()
	scene.Trouble()
	binding := scene.Bind()
	scene.TellHIS(binding)
	scene.WaitHIS()
	scene.Largest(binding)
	if n := issuer.Asked.Load(); n != 2 {
		t.Errorf("the issuer was asked for its keys %d times by two houses", n)
	}
	if asked < 170 {
		t.Errorf("only %d requests", asked)
	}
}

// overEvent sends a request as an event, through JSON as Lambda does.
func overEvent(t testing.TB, handle func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error), q onawstest.Request) onawstest.Reply {
	t.Helper()
	out, err := handle(t.Context(), onawstest.ThroughJSON(t, q.Event(q.Method+" /{route}")))
	if err != nil {
		t.Fatal(err)
	}
	return onawstest.ReplyOf(t, onawstest.ThroughJSON(t, out))
}

// TestSameRequests: whatever the path, the query and the headers look like, a
// handler sees the same behind an event as behind a server.
func TestSameRequests(t *testing.T) {
	type seen struct {
		Method, Path, Escaped, Query, URI, Host string
		Header                                  http.Header
		Cookies                                 []string
		Body                                    []byte
	}
	var last seen
	look := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last = seen{Method: r.Method, Path: r.URL.Path, Escaped: r.URL.EscapedPath(), Query: r.URL.RawQuery, URI: r.RequestURI, Host: r.Host, Header: r.Header.Clone()}
		for _, c := range r.Cookies() {
			last.Cookies = append(last.Cookies, c.String())
		}
		var body bytes.Buffer
		if _, err := body.ReadFrom(r.Body); err != nil {
			t.Error(err)
		}
		last.Body = slices.Clone(body.Bytes())
		for _, name := range []string{"Accept-Encoding", "User-Agent", "Content-Length"} { // the client's own
			last.Header.Del(name)
		}
	})
	server := httptest.NewServer(look)
	t.Cleanup(server.Close)
	handle := gateway.Handler(look, slog.New(slog.DiscardHandler))
	for _, q := range []onawstest.Request{
		{Method: "GET", Target: "/"},
		{Method: "GET", Target: "/a%2Fb/%E5%85%B1%E6%B5%8E/%20?x=1&x=2&y=%20+&z"},
		{Method: "GET", Target: "//twice//over"},
		{Method: "GET", Target: "/a;b=c/d,e/f:g@h?q=a,b;c"},
		{Method: "GET", Target: "/plain?"},
		{Method: "DELETE", Target: "/x", Header: http.Header{"X-List": {"a, b,c"}, "X-Quoted": {`"a,b"; c`}, "Date-Like": {"Sat, 21 Nov 2026 04:00:00 GMT"}}},
		{Method: "GET", Target: "/", Header: http.Header{"Cookie": {`a=1; b="2, 3"; c=`}}},
		{Method: "POST", Target: "/", Body: []byte(`{"a":"<&>\u2028 共济"}`), Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}},
		{Method: "POST", Target: "/", Body: []byte{0, 255, 10, 13, 128}, Header: http.Header{"Content-Type": {"application/octet-stream"}}},
		{Method: "PUT", Target: "/", Body: []byte("a\nb\r\n"), Header: http.Header{"Content-Type": {"application/x-ndjson"}}},
	} {
		if q.Header == nil {
			q.Header = http.Header{}
		}
		r := q.HTTP(t, server.URL)
		r.Host = "api.test"
		onawstest.OverHTTP(t, server.Client(), r)
		want := last
		overEvent(t, handle, q)
		if q.Target == "/plain?" {
			want.URI = "/plain" // an event has no place for an empty query
		}
		if diff := cmp.Diff(want, last); diff != "" {
			t.Errorf("%s %s: HTTP (-) and event (+):\n%s", q.Method, q.Target, diff)
		}
	}
}
