package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"gongji/infra/demo"
)

// TestCodeExpires moves the house's clock: a code that was shown is not good any
// more, and everybody is still signed in.
func TestCodeExpires(t *testing.T) {
	h := launch(t, "-data", t.TempDir(), "-demo=false")
	s, binding := moveIn(t, h)
	digits, err := s.showCode(binding)
	if err != nil {
		t.Fatal(err)
	}
	bill := billAsk{
		Credential: credential{"qr", digits}, MedType: "11", Total: 6000,
		Lines: []lineAsk{{1, "002501010150000", "血细胞分析", "1", 6000, 6000}},
	}
	quote := request{method: "POST", path: "/v1/quotes", token: s.clinic, body: bill}
	if _, err := h.call(t.Context(), quote, nil); err != nil {
		t.Fatal(err)
	}
	before := advance(t, h, 0)
	if moved := advance(t, h, 60).Sub(before); moved < 60*time.Second {
		t.Errorf("the clock moved by %v", moved)
	}
	if _, err := h.call(t.Context(), quote, nil); !refusedAs(err, "qr_expired") {
		t.Errorf("a minute later: %v", err)
	}
	advance(t, h, 30*24*60*60)
	if _, err := h.call(t.Context(), request{method: "GET", path: "/v1/me", token: s.mother}, nil); err != nil {
		t.Errorf("a month later: %v", err)
	}
}

func advance(t *testing.T, h *house, seconds int) time.Time {
	t.Helper()
	var out struct{ Now time.Time }
	if _, err := h.call(t.Context(), request{method: "POST", path: "/dev/clock", body: map[string]int{"advance_seconds": seconds}}, &out); err != nil {
		t.Fatal(err)
	}
	return out.Now
}

func TestClockIsBounded(t *testing.T) {
	var c clock
	for _, step := range []struct {
		by   time.Duration
		want bool
	}{{-1, false}, {maxAhead + 1, false}, {maxAhead - 1, true}, {2, false}, {1, true}, {0, true}, {1, false}} {
		if got := c.advance(step.by); got != step.want {
			t.Errorf("advance(%d) = %v", step.by, got)
		}
	}
}

// post sends a body as it is.
func post(t *testing.T, h *house, path, body string, header ...string) (int, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, text
}

func TestTokens(t *testing.T) {
	h := launch(t, "-data", t.TempDir(), "-demo=false")
	for body, want := range map[string]string{
		`{"person_no":"P1"}`:                         `"sub":"dev:person:P1"`,
		`{"fixmedins_code":"H43010200001"}`:          `"fixmedins_code":"H43010200001"`,
		`{"roles":["operator","auditor"]}`:           `"roles":["operator","auditor"]`,
		` {"person_no":"P1" , "roles":["reviewer"]}`: `"person_no":"P1","roles":["reviewer"]`,
	} {
		status, text := post(t, h, "/dev/token", body)
		if status != http.StatusOK {
			t.Errorf("%s: %d %s", body, status, text)
			continue
		}
		out := decode[struct {
			Token   string
			Expires int `json:"expires_in"`
		}](t, text)
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(out.Token, ".")[1])
		if err != nil || !bytes.Contains(payload, []byte(want)) || !bytes.Contains(payload, []byte(`"aud":"gongji"`)) {
			t.Errorf("%s: the token says %s (%v)", body, payload, err)
		}
		if out.Expires != 12*60*60 {
			t.Errorf("%s: expires_in %d", body, out.Expires)
		}
	}
	// Another process's token is nobody's here.
	other, err := newIssuer("http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	strange, err := other.token(mother)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.call(t.Context(), request{method: "GET", path: "/v1/me", token: strange}, nil); !refusedAs(err, "unauthenticated") {
		t.Errorf("a token of another issuer: %v", err)
	}
}

// TestDevDoorsAreStrict sends what the doors for developers refuse.
func TestDevDoorsAreStrict(t *testing.T) {
	h := launch(t, "-data", t.TempDir(), "-demo=false")
	for _, c := range []struct {
		path, body  string
		status      int
		code, field string
	}{
		{"/dev/token", ``, 400, "malformed", ""},
		{"/dev/token", `{}`, 400, "malformed", ""},
		{"/dev/token", `[]`, 400, "malformed", ""},
		{"/dev/token", `{"person_no":"P1"`, 400, "malformed", ""},
		{"/dev/token", `{"person_no":"P1"} {}`, 400, "malformed", ""},
		{"/dev/token", `{"person_no":"P1","person_no":"P2"}`, 400, "malformed", "person_no"},
		{"/dev/token", `{"Person_no":"P1"}`, 400, "malformed", ""},
		{"/dev/token", `{"person_no":"P1","sub":"x"}`, 400, "malformed", ""},
		{"/dev/token", `{"person_no":null}`, 400, "malformed", "person_no"},
		{"/dev/token", `{"person_no":1}`, 400, "malformed", "person_no"},
		{"/dev/token", `{"person_no":"P-1"}`, 400, "malformed", "person_no"},
		{"/dev/token", `{"fixmedins_code":"H1"}`, 400, "malformed", "fixmedins_code"},
		{"/dev/token", `{"roles":[]}`, 400, "malformed", ""},
		{"/dev/token", `{"roles":["operator","admin"]}`, 400, "malformed", "roles[1]"},
		{"/dev/token", `{"roles":["operator","operator"]}`, 400, "malformed", "roles[1]"},
		{"/dev/token", `{"roles":["` + strings.Repeat("x", maxDevBody) + `"]}`, 413, "too_large", ""},
		{"/dev/clock", `{}`, 400, "malformed", "advance_seconds"},
		{"/dev/clock", `{"advance_seconds":-1}`, 400, "malformed", "advance_seconds"},
		{"/dev/clock", `{"advance_seconds":1.5}`, 400, "malformed", "advance_seconds"},
		{"/dev/clock", `{"advance_seconds":"60"}`, 400, "malformed", "advance_seconds"},
		{"/dev/clock", `{"advance_seconds":9223372036854775807}`, 400, "malformed", "advance_seconds"},
		{"/dev/other", `{}`, 404, "not_found", ""},
	} {
		status, text := post(t, h, c.path, c.body)
		got := decode[struct {
			Code, Field, Instance, Next string
			Status                      int
		}](t, text)
		if status != c.status || got.Status != c.status || got.Code != c.code || got.Field != c.field || got.Instance != c.path || got.Next == "" {
			t.Errorf("%s %.60s: %d %s", c.path, c.body, status, text)
		}
	}
}

// TestDevDoorsKeepWebPagesOut asks as a page of somebody else's would.
func TestDevDoorsKeepWebPagesOut(t *testing.T) {
	h := launch(t, "-data", t.TempDir(), "-demo=false")
	const body = `{"roles":["operator"]}`
	for _, c := range []struct {
		status int
		header []string
	}{
		{200, nil},
		{200, []string{"Host", "localhost:1"}},
		{200, []string{"Host", "[::1]"}},
		{200, []string{"Sec-Fetch-Site", "same-origin"}},
		{403, []string{"Host", "gongji.example:8080"}},
		{403, []string{"Host", "10.0.0.1"}},
		{403, []string{"Sec-Fetch-Site", "cross-site"}},
		{403, []string{"Origin", "https://gongji.example"}},
	} {
		if status, text := post(t, h, "/dev/token", body, c.header...); status != c.status {
			t.Errorf("%v: %d %s", c.header, status, text)
		}
	}
}

// TestQuiet starts without a demo: one line, and nothing in the house.
func TestQuiet(t *testing.T) {
	h := launch(t, "-data", t.TempDir(), "-demo=false")
	if _, err := h.call(t.Context(), request{method: "GET", path: "/v1/me", token: h.as(t, mother)}, nil); !refusedAs(err, "not_found") {
		t.Errorf("who the mother is in an empty house: %v", err)
	}
	if status := h.stop(); status != 0 {
		t.Errorf("the program ended with %d", status)
	}
	<-h.told
	if said := h.said(); said != "" {
		t.Errorf("it also says %q", said)
	}
}

// TestAccessLogNamesNobody looks into the log for everything that was sent.
func TestAccessLogNamesNobody(t *testing.T) {
	h := launch(t, "-data", t.TempDir(), "-demo=false")
	s, binding := moveIn(t, h)
	digits, err := s.showCode(binding)
	if err != nil {
		t.Fatal(err)
	}
	get[any](t, h, mother, "/v1/bindings/"+binding+"?limit=10&after="+demo.Child)
	_, _ = post(t, h, "/v1/王芳/"+demo.Mother, "{}")
	h.stop()
	log := h.log()
	for _, secret := range []string{"王芳", "李小雨", "9999992018", demo.Mother, demo.Child, binding, digits, "limit", "after="} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q:\n%s", secret, log)
		}
	}
	for _, want := range []string{`"route":"/v1/bindings/*"`, `"route":"/v1/*/*"`, `"method":"POST"`, `"status":201`, `"ms":`, `"request_id":"`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not hold %s:\n%s", want, log)
		}
	}
}

// TestInterrupted ends the program in the middle of its story: that is no failure.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var status int
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		status = run(ctx, []string{"-addr", "127.0.0.1:0", "-data", t.TempDir()}, w, io.Discard)
		_ = w.Close()
	}()
	buffer := make([]byte, 1<<10)
	if _, err := r.Read(buffer); err != nil { // it listens; what it says next waits for a reader
		t.Fatal(err)
	}
	cancel()
	_, _ = io.Copy(io.Discard, r)
	if <-done; status != 0 {
		t.Errorf("the program ended with %d", status)
	}
}
