package deploy

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"gongji/shared/api"
	"gongji/shared/app"
	"gongji/shared/his"
	"gongji/shared/onaws/onawstest"
	"gongji/shared/papers/folder"
	"gongji/shared/policy"
	"gongji/shared/store"
	"gongji/shared/store/sqlite"
	"gongji/shared/vault"

	"github.com/coreos/go-oidc/v3/oidc"
)

// noon is when the clock of the tests stands.
var noon = time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)

// newStore returns an empty store that lives as long as its test.
func newStore(t *testing.T) store.Store {
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

// house is the whole door over a store, in this process.
type house struct {
	t      *testing.T
	app    *app.App
	door   http.Handler
	issuer *onawstest.Issuer
	shelf  *folder.Folder
}

func open(t *testing.T, records store.Store) *house {
	t.Helper()
	policies, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.NewKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return noon }
	sealer := vault.New(keys, rand.Reader)
	h := &house{t: t, issuer: onawstest.NewIssuer(t)}
	h.shelf = folder.Open(folder.Options{
		Dir: t.TempDir(), Sign: func(text string) string { return sealer.Index("upload", text) }, Now: now,
		Refuse: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		},
	})
	// As with a bucket, nobody hears of a paper before the promise.
	h.shelf.Received = func(context.Context, string) error { return nil }
	h.app = app.New(app.Options{Store: records, Policies: policies, Vault: sealer, Papers: h.shelf, Now: now})
	log := slog.New(slog.DiscardHandler)
	doors := http.NewServeMux()
	doors.Handle("/", api.New(api.Options{
		App: h.app, Log: log,
		Verifier: api.NewVerifier(h.issuer.URL, onawstest.Audience, oidc.NewRemoteKeySet(t.Context(), h.issuer.URL+"/keys"), now),
	}))
	doors.Handle(his.Prefix, his.New(his.Options{App: h.app, Now: now, Log: log}))
	h.door = doors
	return h
}

// scene is where the story is told to the house.
func (h *house) scene(do func(onawstest.Request) onawstest.Reply) *onawstest.Scene {
	return &onawstest.Scene{
		T:     h.t,
		Token: func(claims map[string]any) string { return h.issuer.Token(h.t, noon, claims) },
		Now:   func() time.Time { return noon },
		Do:    do,
		Upload: func(method, url string, headers map[string]string, file []byte) {
			r, w := httptest.NewRequest(method, url, bytes.NewReader(file)), httptest.NewRecorder()
			for name, value := range headers {
				r.Header.Set(name, value)
			}
			if h.shelf.ServeHTTP(w, r); w.Code != http.StatusOK {
				h.t.Fatalf("the upload: %d %s", w.Code, w.Body)
			}
		},
	}
}
