package main

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
	"gongji/shared/policy"
	"gongji/shared/store/sqlite"
	"gongji/shared/vault"

	"github.com/coreos/go-oidc/v3/oidc"
)

// TestTheDayConforms plays the day against a house of this program's: every check
// passes, and the report says what was checked.
func TestTheDayConforms(t *testing.T) {
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "gongji.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	policies, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.NewKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)
	now := func() time.Time { return noon }
	a := app.New(app.Options{Store: s, Policies: policies, Vault: vault.New(keys, rand.Reader), Now: now})
	issuer := onawstest.NewIssuer(t)
	doors := http.NewServeMux()
	doors.Handle("/", api.New(api.Options{
		App: a, Log: slog.New(slog.DiscardHandler),
		Verifier: api.NewVerifier(issuer.URL, onawstest.Audience, oidc.NewRemoteKeySet(t.Context(), issuer.URL+"/keys"), now),
	}))
	doors.Handle(his.Prefix, his.New(his.Options{App: a, Now: now}))
	server := httptest.NewServer(doors)
	t.Cleanup(server.Close)

	h := &house{base: server.URL, http: server.Client(), now: now}
	h.token = func(_ context.Context, claims object) (string, error) { return issuer.Token(t, noon, claims), nil }
	r := &report{}
	if err := play(t.Context(), h, r); err != nil {
		t.Error(err)
	}
	var text bytes.Buffer
	r.print(&text)
	if r.failed() > 0 || len(r.checks) < 30 {
		t.Errorf("%d checks, %d failed\n%s", len(r.checks), r.failed(), &text)
	}
	// A house that answers otherwise is told so.
	r.check("x", "x", "1", "2")
	if r.failed() != 1 {
		t.Error("what differs is not a failure")
	}
}
