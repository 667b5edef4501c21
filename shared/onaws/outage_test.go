package onaws

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"gongji/shared/app"
	"gongji/shared/gateway"
	"gongji/shared/onaws/onawstest"
	"gongji/shared/policy"
	"gongji/shared/store"
	"gongji/shared/vault"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// outage is a deployment whose two services can be away, and the story's people in it.
type outage struct {
	*onawstest.Services
	*onawstest.Scene
	records store.Store
	env     env
	now     time.Time // by which the process rests
	// patience is short only while KMS is away: a service that answers may be slow.
	patience time.Duration
	log      bytes.Buffer
	handle   http.Handler
	keys     vault.Keys
}

func newOutage(t *testing.T) *outage {
	t.Helper()
	keys, err := vault.NewKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o := &outage{Services: onawstest.NewServices(t, keys.HashKeys().Document()), records: newStore(t), now: noon, patience: time.Minute, keys: keys}
	settings := o.Env(keys.Document())
	o.env = env{get: getenv(settings), now: func() time.Time { return o.now }, patience: func() time.Duration { return o.patience }}
	o.env.db.Region = "local"
	o.env.db.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "made-up", SecretAccessKey: "made-up"}, nil
	})
	issuer := onawstest.NewIssuer(t)
	o.Scene = &onawstest.Scene{
		T:     t,
		Token: func(claims map[string]any) string { return issuer.Token(t, noon, claims) },
		Now:   func() time.Time { return noon },
		Do: func(q onawstest.Request) onawstest.Reply {
			return overEvent(t, gateway.Handler(o.handle, slog.New(slog.NewJSONHandler(&o.log, nil))), q)
		},
	}
	o.process(t, issuer)
	return o
}

// process starts a process anew, which has to succeed.
func (o *outage) process(t *testing.T, issuer *onawstest.Issuer) {
	t.Helper()
	log := slog.New(slog.NewJSONHandler(&o.log, nil))
	sealer, err := o.env.openVault(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	policies, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	o.handle = door(&House{Log: log, App: app.New(app.Options{
		Store: o.records, Policies: policies, Vault: sealer, Now: func() time.Time { return noon }, Log: log,
		Pause: func(ctx context.Context, _ int) error { return ctx.Err() },
	})}, issuer)
}

// TestKMSAway: whatever becomes of KMS, a process starts and settles what needs no
// name. What needs one is told to ask again, at once while KMS was asked in vain a
// moment ago; nothing of it is kept for a decision; and when KMS is back it is done.
func TestKMSAway(t *testing.T) {
	for _, way := range []string{onawstest.Refuses, onawstest.Fails, onawstest.Hangs} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			o := newOutage(t)
			if n := o.Asked(); n != 0 {
				t.Fatalf("KMS was asked %d times before anybody needed a name", n)
			}
			o.Feed()
			binding := o.Bind()
			if n := o.Asked(); n != 1 {
				t.Errorf("KMS was asked %d times by one process", n)
			}
			_, digits := o.ShowQR(binding)
			issuer := onawstest.NewIssuer(t)
			o.Token = func(claims map[string]any) string { return issuer.Token(t, noon, claims) }
			o.Become(way, onawstest.Answers)
			o.patience = 50 * time.Millisecond
			o.process(t, issuer)
			hospital := o.Place(onawstest.Hospital)
			o.Ask(201, hospital, "POST", "/v1/settlements", onawstest.Bill(o.MessageID(onawstest.Hospital), digits))
			if o.Asked() != 1 {
				t.Error("KMS was asked for a settlement without a name")
			}

			named := onawstest.Bill(o.MessageID(onawstest.Hospital), "")
			named["credential"] = map[string]any{"type": "id", "value": "999999198503070022", "name": "王小芳"}
			before := 0
			for n, what := range []func() onawstest.Reply{
				func() onawstest.Reply { return o.Ask(503, hospital, "POST", "/v1/settlements", named) },
				func() onawstest.Reply { return o.Ask(503, o.Person(onawstest.Mother), "GET", "/v1/me", nil) },
			} {
				reply := what()
				if !bytes.Contains(reply.Body, []byte(`"busy"`)) || reply.Header.Get("Retry-After") == "" {
					t.Errorf("%d %s", reply.Status, reply.Body)
				}
				if n == 0 {
					before = o.Asked()
				}
			}
			if n := o.Asked(); n != before || before < 2 {
				t.Errorf("KMS was asked %d times, and then %d", before, n)
			}
			_, digits = o.ShowQR(binding)
			o.Ask(201, hospital, "POST", "/v1/settlements", onawstest.Bill(o.MessageID(onawstest.Hospital), digits)) // meanwhile

			o.Become(onawstest.Answers, onawstest.Hangs)
			o.patience = time.Minute
			o.Ask(503, hospital, "POST", "/v1/settlements", named) // it rests
			o.now = o.now.Add(lateRest)
			o.Ask(201, hospital, "POST", "/v1/settlements", named)
			o.Ask(200, o.Person(onawstest.Mother), "GET", "/v1/me", nil)
			text := o.log.String()
			if !strings.Contains(text, "the sealing keys cannot be had") || strings.Contains(text, "王小芳") || strings.Contains(text, "999999198503070022") {
				t.Errorf("the log: %s", text)
			}
		})
	}
}

// TestSecretAway: without Secrets Manager KMS is enough to start; without either, and
// with a secret that is another house's, nobody starts or settles.
func TestSecretAway(t *testing.T) {
	t.Parallel()
	o := newOutage(t)
	o.Become(onawstest.Answers, onawstest.Refuses)
	log := slog.New(slog.NewJSONHandler(&o.log, nil))
	sealer, err := o.env.openVault(t.Context(), log)
	if err != nil || !strings.Contains(o.log.String(), "DisabledException") {
		t.Fatalf("%v: %s", err, o.log.String())
	}
	sealed, err := sealer.Seal("x", "y")
	if err != nil || o.Asked() != 1 {
		t.Errorf("%v, KMS asked %d times", err, o.Asked())
	}
	o.Become(onawstest.Refuses, onawstest.Refuses)
	if _, err := o.env.openVault(t.Context(), log); err == nil || !strings.Contains(err.Error(), "it is disabled") {
		t.Errorf("with neither: %v", err)
	}
	o.Become(onawstest.Answers, onawstest.Answers)
	if sealer, err = o.env.openVault(t.Context(), log); err != nil {
		t.Fatal(err)
	}
	if plain, err := sealer.Open(sealed, "y"); err != nil || plain != "x" {
		t.Errorf("%q %v", plain, err)
	}
	other, err := vault.NewKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	theirs := onawstest.NewServices(t, other.HashKeys().Document())
	strange := o.env
	strange.get = getenv(theirs.Env(o.keys.Document()))
	if sealer, err = strange.openVault(t.Context(), slog.New(slog.NewTextHandler(io.Discard, nil))); err != nil {
		t.Fatal(err)
	}
	if _, err := sealer.Open(sealed, "y"); err == nil || !strings.Contains(err.Error(), "not those of the key document") {
		t.Errorf("with another house's hash keys: %v", err)
	}
}
