package onaws

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"gongji/shared/app"
	"gongji/shared/civil"
	"gongji/shared/gateway"
	"gongji/shared/papers"
	"gongji/shared/papers/bucket"
	"gongji/shared/policy"
	"gongji/shared/store/dynamo"
	"gongji/shared/throttle"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/mod/sumdb/note"
)

// House is what a door is hung in: made once in the life of a process.
type House struct {
	App *app.App
	Log *slog.Logger
	// Issuer and Audience are whose tokens are taken, KeySet verifies them.
	Issuer, Audience string
	KeySet           oidc.KeySet
	// Gate limits how much one may ask of this process.
	Gate *throttle.Gate
	// resign is set where the days ought to be signed and KMS was away at the start: it
	// looks for the signer again.
	resign func(context.Context) error
}

// Serve answers API Gateway's events with a door, for as long as Lambda keeps the
// process. What keeps it from starting is logged and ends the process.
func Serve(door func(*House) http.Handler) {
	h, err := Open(context.Background(), os.Getenv)
	if err != nil {
		gateway.Fail(err)
	}
	gateway.Serve(door(h), h.Log)
}

// ServeExpiry runs the schedule's work: see [Expiry].
func ServeExpiry() {
	h, err := OpenBooks(context.Background(), os.Getenv)
	if err != nil {
		gateway.Fail(err)
	}
	slog.SetDefault(h.Log)
	lambda.Start(Expiry(h))
}

// Open returns the house of an environment; getenv is os.Getenv. It reads the hash
// keys from their secret, or has KMS decrypt all keys, and is silent otherwise: the
// table and the issuer are asked when a request needs them.
func Open(ctx context.Context, getenv func(string) string) (*House, error) {
	e, err := readEnv(getenv, "GONGJI_TABLE", "GONGJI_ISSUER", "GONGJI_AUDIENCE")
	if err != nil {
		return nil, err
	}
	tokens, err := e.tokenKeys()
	if err != nil {
		return nil, err
	}
	h, err := e.house(ctx, nil)
	if err != nil {
		return nil, err
	}
	rates, err := throttle.Parse(getenv("GONGJI_RATES"))
	if err != nil {
		return nil, fmt.Errorf("onaws: GONGJI_RATES: %w", err)
	}
	h.Gate = throttle.NewGate(rates, time.Now)
	h.Issuer, h.Audience, h.KeySet = getenv("GONGJI_ISSUER"), getenv("GONGJI_AUDIENCE"), tokens
	return h, nil
}

// OpenBooks returns the house for the schedule: nobody signs in, so it needs no
// issuer. It needs the keys, for every record is stamped.
func OpenBooks(ctx context.Context, getenv func(string) string) (*House, error) {
	e, err := readEnv(getenv, "GONGJI_TABLE")
	if err != nil {
		return nil, err
	}
	signer, unsigned := e.sealer(ctx)
	h, err := e.house(ctx, signer)
	if err != nil || unsigned == nil {
		return h, err
	}
	// KMS is away: what has to be swept and proved needs no signature.
	h.Log.ErrorContext(ctx, "nobody signs", "error", unsigned.Error())
	h.resign = func(ctx context.Context) error {
		signer, err := e.sealer(ctx)
		if err != nil {
			return err
		}
		again, err := e.house(ctx, signer)
		if err != nil {
			return err
		}
		h.App, h.resign = again.App, nil
		return nil
	}
	return h, nil
}

// env is an environment that has been looked at.
type env struct {
	get func(string) string
	db  dynamo.Options
	// local tells that the table is in a DynamoDB Local: only there may keys lie
	// open and the issuer be reached without TLS.
	local bool
	// registry is the civil registry, nil without one.
	registry app.Registry
	// now is the clock, and patience how long the sealing keys are asked for while
	// somebody waits.
	now      func() time.Time
	patience func() time.Duration
}

// readEnv reads what every function needs, and all that is missing is said at once.
func readEnv(getenv func(string) string, needed ...string) (env, error) {
	var missing []error
	for _, name := range needed {
		if getenv(name) == "" {
			missing = append(missing, fmt.Errorf("onaws: %s is not set", name))
		}
	}
	db, err := dynamo.FromEnv(getenv)
	if err := errors.Join(append(missing, err)...); err != nil {
		return env{}, err
	}
	db.Table = getenv("GONGJI_TABLE")
	registry, err := openRegistry(getenv)
	return env{getenv, db, db.Endpoint != "", registry, time.Now, func() time.Duration { return lateTries }}, err
}

// house puts the acts together over the table.
func (e env) house(ctx context.Context, signer note.Signer) (*House, error) {
	policies, err := policy.Load()
	if err != nil {
		return nil, err
	}
	log := gateway.NewLog(os.Stdout)
	sealer, err := e.openVault(ctx, log)
	if err != nil {
		return nil, err
	}
	return &House{
		App: app.New(app.Options{Store: dynamo.New(e.db), Policies: policies, Vault: sealer, Papers: e.shelf(), Registry: e.registry, Signer: signer, Log: log}),
		Log: log,
	}, nil
}

// openRegistry returns the civil registry, nil where the environment names none. It
// asks nobody.
func openRegistry(getenv func(string) string) (app.Registry, error) {
	at := getenv("GONGJI_REGISTRY_URL")
	if at == "" {
		return nil, nil
	}
	return civil.New(civil.Options{
		URL: at, KeyID: getenv("GONGJI_REGISTRY_KEY"), Secret: []byte(getenv("GONGJI_REGISTRY_SECRET")), Random: rand.Reader, Log: gateway.NewLog(os.Stdout),
	})
}

// shelf returns the bucket of papers, nil without one.
func (e env) shelf() papers.Shelf {
	name := e.get("GONGJI_PAPERS")
	if name == "" {
		return nil
	}
	return bucket.New(bucket.Options{Name: name, Region: e.db.Region, Endpoint: e.get("AWS_ENDPOINT_URL_S3"), Credentials: e.db.Credentials})
}

// tokenKeys returns the issuer's key set. An issuer without TLS would let anybody
// on the way be anybody.
func (e env) tokenKeys() (oidc.KeySet, error) {
	for _, name := range []string{"GONGJI_ISSUER", "GONGJI_JWKS_URL"} {
		if url := e.get(name); url != "" && !strings.HasPrefix(url, "https://") && !e.local {
			return nil, fmt.Errorf("onaws: %s does not begin with https://", name)
		}
	}
	return newKeySet(e.get("GONGJI_ISSUER"), e.get("GONGJI_JWKS_URL")), nil
}
