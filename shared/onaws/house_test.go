package onaws

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gongji/shared/api"
	"gongji/shared/gateway"
	"gongji/shared/onaws/onawstest"
	"gongji/shared/vault"
)

// fakeKMS decrypts by turning bytes over, and answers as KMS does.
type fakeKMS struct {
	t       *testing.T
	answers []int // statuses; the last one again and again; 200 is an answer
	asked   int
	tamper  func(answer map[string]any)
}

func (k *fakeKMS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status := k.answers[min(k.asked, len(k.answers)-1)]
	k.asked++
	body, err := io.ReadAll(r.Body)
	if err != nil {
		k.t.Error(err)
	}
	var ask struct {
		CiphertextBlob    []byte
		EncryptionContext map[string]string
	}
	if err := json.Unmarshal(body, &ask); err != nil || r.Header.Get("X-Amz-Target") != "TrentService.Decrypt" || !maps.Equal(ask.EncryptionContext, map[string]string{"gongji": "vault"}) {
		k.t.Errorf("asked %s with %s: %v", r.Header.Get("X-Amz-Target"), body, err)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if status != 200 {
		w.WriteHeader(status)
		kind := map[int]string{400: "AccessDeniedException", 500: "KMSInternalException"}[status]
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": kind, "message": "told so"})
		return
	}
	answer := map[string]any{"KeyId": "arn:test:kms:key/1", "Plaintext": onawstest.Encrypted(ask.CiphertextBlob), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}
	if k.tamper != nil {
		k.tamper(answer)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// account is the environment of a function in an account, with a KMS of our own.
func account(t *testing.T, k *fakeKMS) (map[string]string, vault.Keys) {
	t.Helper()
	keys, err := vault.NewKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(k)
	t.Cleanup(server.Close)
	return map[string]string{
		"AWS_REGION": "test-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session",
		"AWS_ENDPOINT_URL_KMS": server.URL, "GONGJI_TABLE": "gongji", "GONGJI_ISSUER": "https://issuer.example", "GONGJI_AUDIENCE": "gongji",
		"GONGJI_KEYS_CIPHERTEXT": base64.StdEncoding.EncodeToString(onawstest.Encrypted(keys.Document())),
	}, keys
}

func getenv(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

// TestKMS: one call for the life of a process, tried again a few times.
func TestKMS(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []int
		tamper  func(map[string]any)
		asked   int
		want    string
	}{
		{"at once", []int{200}, nil, 1, ""},
		{"after a while", []int{500, 500, 200}, nil, 3, ""},
		{"never", []int{500}, nil, tries, "KMS does not decrypt the keys"},
		{"refused", []int{400}, nil, 1, "AccessDeniedException"},
		{"no keys inside", []int{200}, func(a map[string]any) { a["Plaintext"] = []byte("text") }, 1, "vault: "},
		{"somebody else", []int{200}, func(a map[string]any) { delete(a, "KeyId") }, 1, "by which key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := &fakeKMS{t: t, answers: c.answers, tamper: c.tamper}
			env, keys := account(t, k)
			h, err := Open(t.Context(), getenv(env))
			if k.asked != c.asked {
				t.Errorf("asked %d times", k.asked)
			}
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), string(keys.Document())) {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if h.Issuer != "https://issuer.example" || h.Audience != "gongji" || h.App == nil || h.Log == nil {
				t.Errorf("house %+v", h)
			}
		})
	}
}

// TestKMSGivesUp: a KMS that never answers ends with the start.
func TestKMSGivesUp(t *testing.T) {
	k := &fakeKMS{t: t, answers: []int{500}}
	env, _ := account(t, k)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, getenv(env)); err == nil {
		t.Error("opened without keys")
	}
}

// TestEnvironment: what is wrong with an environment is said by name, all that is
// missing at once, before anybody is asked anything.
func TestEnvironment(t *testing.T) {
	document := func(t *testing.T) string {
		keys, err := vault.NewKeys(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return string(keys.Document())
	}
	const local = "http://127.0.0.1:8000"
	for _, c := range []struct {
		name   string
		change map[string]string
		want   []string // nil opens
	}{
		{"whole", nil, nil},
		{"nothing of ours", map[string]string{"GONGJI_TABLE": "", "GONGJI_ISSUER": "", "GONGJI_AUDIENCE": ""}, []string{"GONGJI_TABLE", "GONGJI_ISSUER", "GONGJI_AUDIENCE"}},
		{"nothing of AWS's", map[string]string{"AWS_REGION": ""}, []string{"AWS_REGION"}},
		{"no keys", map[string]string{"GONGJI_KEYS_CIPHERTEXT": ""}, []string{"GONGJI_KEYS_CIPHERTEXT is not set", "docs/operations.md"}},
		{"keys that are no base64", map[string]string{"GONGJI_KEYS_CIPHERTEXT": "!"}, []string{"GONGJI_KEYS_CIPHERTEXT is not base64"}},
		{"keys in the clear", map[string]string{"GONGJI_KEYS_CIPHERTEXT": "", "GONGJI_KEYS_DOCUMENT": document(t)}, []string{"in the clear"}},
		{"two kinds of keys", map[string]string{"GONGJI_KEYS_DOCUMENT": document(t)}, []string{"both set"}},
		{"keys in the clear beside a local table", map[string]string{"GONGJI_KEYS_CIPHERTEXT": "", "GONGJI_KEYS_DOCUMENT": document(t), "AWS_ENDPOINT_URL_DYNAMODB": local}, nil},
		{"an issuer without TLS", map[string]string{"GONGJI_ISSUER": "http://issuer.example"}, []string{"GONGJI_ISSUER does not begin with https://"}},
		{"keys of the issuer without TLS", map[string]string{"GONGJI_JWKS_URL": "http://issuer.example/keys"}, []string{"GONGJI_JWKS_URL does not"}},
		{"a civil registry", map[string]string{"GONGJI_REGISTRY_URL": "https://registry.example", "GONGJI_REGISTRY_KEY": "k", "GONGJI_REGISTRY_SECRET": "sixteen bytes at least"}, nil},
		{"a civil registry without TLS", map[string]string{"GONGJI_REGISTRY_URL": "http://registry.example", "GONGJI_REGISTRY_KEY": "k", "GONGJI_REGISTRY_SECRET": "sixteen bytes at least"}, []string{"https"}},
		{"a civil registry without a key", map[string]string{"GONGJI_REGISTRY_URL": "https://registry.example"}, []string{"key id"}},
		{"an issuer without TLS beside a local table", map[string]string{"GONGJI_ISSUER": local, "AWS_ENDPOINT_URL_DYNAMODB": local}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &fakeKMS{t: t, answers: []int{200}}
			env, _ := account(t, k)
			maps.Copy(env, c.change)
			_, err := Open(t.Context(), getenv(env))
			if (err == nil) != (c.want == nil) {
				t.Fatalf("error %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v: nothing of %q", err, want)
				}
			}
			if c.want != nil && k.asked != 0 {
				t.Error("KMS was asked")
			}
		})
	}
}

// TestBooksNeedNoIssuer: nobody signs in to the schedule's function. It needs the keys
// that every record is stamped with.
func TestBooksNeedNoIssuer(t *testing.T) {
	keys, err := vault.NewKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"AWS_REGION": "test-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "GONGJI_TABLE": "gongji",
		"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1", "GONGJI_KEYS_DOCUMENT": string(keys.Document()), "GONGJI_PAPERS": "papers",
	}
	if _, err := OpenBooks(t.Context(), getenv(env)); err != nil {
		t.Error(err)
	}
	env["GONGJI_TABLE"] = ""
	if _, err := OpenBooks(t.Context(), getenv(env)); err == nil || !strings.Contains(err.Error(), "GONGJI_TABLE") {
		t.Errorf("without a table: %v", err)
	}
}

// TestKeySet: the issuer is found by its own word or at the address given, asked
// once, asked again when it was away, and for a key that it did not have before.
func TestKeySet(t *testing.T) {
	issuer := onawstest.NewIssuer(t)
	ask := func(k *keySet, token string) int {
		t.Helper()
		h := twin(t, newStore(t))
		d := api.New(api.Options{App: h.App, Log: h.Log, Verifier: api.NewVerifier(issuer.URL, onawstest.Audience, k, func() time.Time { return noon })})
		q := onawstest.Request{Method: "GET", Target: "/v1/account", Header: http.Header{"Authorization": {"Bearer " + token}}}
		return overEvent(t, gateway.Handler(d, slog.New(slog.DiscardHandler)), q).Status
	}
	token := issuer.Token(t, noon, map[string]any{"person_no": onawstest.Mother})
	for name, k := range map[string]*keySet{"found": newKeySet(issuer.URL, ""), "told": newKeySet(issuer.URL, issuer.URL+"/keys")} {
		before := issuer.Asked.Load()
		for range 3 {
			if status := ask(k, token); status != 404 { // let in; there is no such person
				t.Errorf("%s: %d", name, status)
			}
		}
		if n := issuer.Asked.Load() - before; n != 1 {
			t.Errorf("%s: asked for its keys %d times", name, n)
		}
		if status := ask(k, onawstest.NewIssuer(t).Token(t, noon, map[string]any{"person_no": onawstest.Mother, "iss": issuer.URL})); status != 401 {
			t.Errorf("%s: another's signature: %d", name, status)
		}
	}
	away := httptest.NewServer(http.NotFoundHandler())
	away.Close()
	k := newKeySet(issuer.URL, "")
	k.client = &http.Client{Transport: &firstFails{to: away.URL}}
	if status := ask(k, token); status != 503 {
		t.Errorf("with an issuer that is away: %d", status)
	}
	if status := ask(k, token); status != 404 {
		t.Errorf("after the issuer came back: %d", status)
	}
}

// TestTokenKeysRotateWithoutDowntime: a token of the issuer's new key is good the
// first time that it is seen, and those of the old one stay good beside it. With the
// issuer away, what is known goes on and what is not known is no refusal.
func TestTokenKeysRotateWithoutDowntime(t *testing.T) {
	issuer := onawstest.NewIssuer(t)
	ways := &firstFails{sent: 1, to: "127.0.0.1:1"}
	k := newKeySet(issuer.URL, "")
	k.client = &http.Client{Transport: ways}
	door := api.New(api.Options{App: twin(t, newStore(t)).App, Verifier: api.NewVerifier(issuer.URL, onawstest.Audience, k, func() time.Time { return noon })})
	send := func(token string) *httptest.ResponseRecorder {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/v1/account", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		door.ServeHTTP(w, r)
		return w
	}
	ask := func(want int, what, token string) {
		t.Helper()
		w := send(token)
		if w.Code != want || (want == 503) != (w.Header().Get("Retry-After") != "") || (want == 401) != (w.Header().Get("WWW-Authenticate") != "") {
			t.Errorf("%s: %d, not %d\n%s", what, w.Code, want, w.Body)
		}
	}
	claims := map[string]any{"person_no": onawstest.Mother} // of whom nobody has heard: 404 is let in
	old := issuer.Token(t, noon, claims)
	ask(404, "the first key", old)
	issuer.Rotate(t)
	next := issuer.Token(t, noon, claims)
	ways.sent = 0
	ask(503, "a new key while the issuer is away", next)
	ways.sent = 0
	ask(404, "the old key while he is away", old)
	ways.sent = 1
	// The library may still hand out the failure before for a moment after it was told.
	for tries := 0; tries < 100 && send(next).Code == 503; tries++ {
		time.Sleep(time.Millisecond)
	}
	ask(404, "the new key", next)
	ask(404, "the old key beside it", old)
	ask(401, "a key that he never had", onawstest.NewIssuer(t).Token(t, noon, map[string]any{"person_no": onawstest.Mother, "iss": issuer.URL}))
}

// firstFails sends the first request astray.
type firstFails struct {
	to   string
	sent int
}

func (f *firstFails) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.sent++; f.sent == 1 {
		r = r.Clone(r.Context())
		r.URL.Host = strings.TrimPrefix(f.to, "http://")
	}
	return http.DefaultTransport.RoundTrip(r)
}
