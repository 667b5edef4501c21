package civil

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"
)

var secret = []byte("a secret of the tests")

// asks is the question of all tests, about nobody.
var asks = app.RegistryQuestion{
	Holder: app.Identity{Name: "甲某某", ID: "999999198001010015"}, Member: app.Identity{Name: "乙某某", ID: "999999201001010012"}, Relation: "20", Face: "face",
}

// answers answers as a registry does, signed.
func answers(w http.ResponseWriter, r *http.Request, text string) {
	body, _ := io.ReadAll(r.Body)
	var q question
	_ = json.Unmarshal(body, &q)
	w.Header().Set("Gongji-Signature", Sign(secret, "answer", q.RequestID, []byte(text)))
	_, _ = io.WriteString(w, text)
}

// registry is a provider of a server that does what is said, the log of failures, and
// how often the server was asked.
func registry(t *testing.T, change func(*Options), do func(n int64, w http.ResponseWriter, r *http.Request)) (*Provider, *bytes.Buffer, *atomic.Int64) {
	t.Helper()
	asked := new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { do(asked.Add(1), w, r) }))
	t.Cleanup(server.Close)
	log := new(bytes.Buffer)
	o := Options{URL: server.URL, KeyID: "K1", Secret: secret, Random: rand.Reader, Log: slog.New(slog.NewTextHandler(log, nil))}
	if change != nil {
		change(&o)
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p, log, asked
}

func TestTheThreeAnswers(t *testing.T) {
	for _, want := range []family.RegistryAnswer{family.Match, family.NoMatch, family.CannotSay} {
		p, log, asked := registry(t, nil, func(_ int64, w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if got := Sign(secret, "ask", r.Header.Get("Gongji-Timestamp"), body); r.Header.Get("Gongji-Signature") != got || r.Header.Get("Gongji-Key") != "K1" || r.URL.RawQuery != "" {
				t.Errorf("the question is signed %q, not %q", r.Header.Get("Gongji-Signature"), got)
			}
			var q question
			if err := json.Unmarshal(body, &q); err != nil || q.Holder.Name != "甲某某" || q.Member.IDNo != "999999201001010012" || q.Relation != "20" || q.Face != "face" || len(q.RequestID) != 32 {
				t.Errorf("it is asked %s", body)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			answers(w, r, fmt.Sprintf(`{"answer":%q}`, want))
		})
		if got := p.Ask(t.Context(), asks); got != want || asked.Load() != 1 || log.Len() > 0 {
			t.Errorf("%s was heard as %s, asked %d times\n%s", want, got, asked.Load(), log)
		}
	}
}

// TestWhatGoesWrongCannotSay: whatever a registry answers that it should not, in however
// many tries, nobody is matched and nobody refused; and no log names anybody.
func TestWhatGoesWrongCannotSay(t *testing.T) {
	quick := func(o *Options) { o.Try, o.All = 60*time.Millisecond, 400*time.Millisecond }
	say := func(text string) func(int64, http.ResponseWriter, *http.Request) {
		return func(_ int64, w http.ResponseWriter, r *http.Request) { answers(w, r, text) }
	}
	status := func(code int) func(int64, http.ResponseWriter, *http.Request) {
		return func(_ int64, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(code)
			answers(w, r, `{"answer":"match"}`)
		}
	}
	for what, c := range map[string]struct {
		do    func(int64, http.ResponseWriter, *http.Request)
		tries int64
	}{
		"garbage":      {say("<html>匹配 match</html>"), 1},
		"nothing":      {say(""), 1},
		"another word": {say(`{"answer":"MATCH"}`), 1},
		"a list":       {say(`["match"]`), 1},
		"too long":     {say(`{"answer":"match","x":"` + strings.Repeat("x", maxAnswer) + `"}`), 1},
		"500":          {status(500), 2},
		"503":          {status(503), 2},
		"429":          {status(429), 2},
		"400":          {status(400), 1},
		"401":          {status(401), 1},
		"a redirect": {func(_ int64, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, 1},
		"not signed": {func(_ int64, w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"answer":"match"}`) }, 1},
		"signed by another": {func(_ int64, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Gongji-Signature", Sign([]byte("another secret 123"), "answer", "", []byte(`{"answer":"match"}`)))
			_, _ = io.WriteString(w, `{"answer":"match"}`)
		}, 1},
		"the answer to another question": {func(_ int64, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Gongji-Signature", Sign(secret, "answer", strings.Repeat("0", 32), []byte(`{"answer":"match"}`)))
			_, _ = io.WriteString(w, `{"answer":"match"}`)
		}, 1},
		"slow": {func(_ int64, _ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, 2},
		"slow after its first bytes": {func(_ int64, w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, `{"answer":`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, 2},
		"hangs up": {func(_ int64, w http.ResponseWriter, _ *http.Request) {
			if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
				conn.Close()
			}
		}, 2},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p, log, asked := registry(t, quick, c.do)
			if got := p.Ask(t.Context(), asks); got != family.CannotSay || asked.Load() != c.tries {
				t.Errorf("it says %s after %d tries, not %d", got, asked.Load(), c.tries)
			}
			if !strings.Contains(log.String(), "cannot say") || strings.Contains(log.String(), "某") || strings.Contains(log.String(), "999999") {
				t.Errorf("the log: %s", log)
			}
		})
	}
}

func TestASecondTryHelps(t *testing.T) {
	ids := map[string]bool{}
	p, _, asked := registry(t, nil, func(n int64, w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var q question
		_ = json.Unmarshal(body, &q)
		ids[q.RequestID] = true
		if n == 1 {
			w.WriteHeader(503)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answers(w, r, `{"answer":"match"}`)
	})
	if got := p.Ask(t.Context(), asks); got != family.Match || asked.Load() != 2 || len(ids) != 1 {
		t.Errorf("it says %s after %d tries under the ids %v", got, asked.Load(), ids)
	}
}

// TestAFailingRegistryIsLeftAlone: after some failures it is not asked for a while, then
// once, and if that is well again as before.
func TestAFailingRegistryIsLeftAlone(t *testing.T) {
	var well atomic.Bool
	p, _, asked := registry(t, func(o *Options) { o.Failures, o.Rest = 3, 30*time.Millisecond }, func(_ int64, w http.ResponseWriter, r *http.Request) {
		if !well.Load() {
			w.WriteHeader(400) // no second try
			return
		}
		answers(w, r, `{"answer":"match"}`)
	})
	for range 10 {
		if got := p.Ask(t.Context(), asks); got != family.CannotSay {
			t.Fatal(got)
		}
	}
	if n := asked.Load(); n < 3 || n > 4 { // a slow machine may have rested in between
		t.Errorf("it was asked %d times", n)
	}
	well.Store(true)
	time.Sleep(50 * time.Millisecond)
	for range 2 {
		if got := p.Ask(t.Context(), asks); got != family.Match {
			t.Errorf("it is well and says %s", got)
		}
	}
}

// TestWhoHangsUpBlamesNobody: callers that go away do not make the registry a failing one.
func TestWhoHangsUpBlamesNobody(t *testing.T) {
	p, _, _ := registry(t, func(o *Options) { o.Failures = 1 }, func(_ int64, w http.ResponseWriter, r *http.Request) { answers(w, r, `{"answer":"match"}`) })
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if got := p.Ask(gone, asks); got != family.CannotSay {
		t.Error(got)
	}
	if got := p.Ask(t.Context(), asks); got != family.Match {
		t.Errorf("the next one hears %s", got)
	}
}

func TestWhatIsNoRegistry(t *testing.T) {
	good := Options{URL: "https://registry.test/ask", KeyID: "K", Secret: secret, Random: rand.Reader}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
	for what, change := range map[string]func(*Options){
		"no TLS":       func(o *Options) { o.URL = "http://registry.test/ask" },
		"no URL":       func(o *Options) { o.URL = "" },
		"a password":   func(o *Options) { o.URL = "https://u:p@registry.test" },
		"no key":       func(o *Options) { o.KeyID = "" },
		"short secret": func(o *Options) { o.Secret = secret[:15] },
		"no ids":       func(o *Options) { o.Random = nil },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}
