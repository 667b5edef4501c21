package onaws

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// issuerTimeout is how long the issuer may take for an answer.
const issuerTimeout = 5 * time.Second

// keySet is the keys of an issuer, fetched when the first token comes, so that a
// function starts without waiting for anybody, and kept. A key that it does not
// know makes it ask the issuer again; so a flood of tokens with made-up keys would
// be a flood to the issuer, if API Gateway did not verify them first.
type keySet struct {
	issuer, url string
	client      *http.Client

	mu   sync.Mutex
	keys oidc.KeySet
}

func newKeySet(issuer, url string) *keySet {
	return &keySet{issuer: issuer, url: url, client: &http.Client{Timeout: issuerTimeout}}
}

// VerifySignature implements oidc.KeySet.
func (k *keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	keys, err := k.find(ctx)
	if err != nil {
		return nil, unreachable{err}
	}
	payload, err := keys.VerifySignature(ctx, jwt)
	if err != nil && strings.HasPrefix(err.Error(), "fetching keys ") { // as oidc.RemoteKeySet says it
		err = unreachable{err}
	}
	return payload, err
}

// unreachable is an error of an issuer who could not be asked for his keys: nothing
// was found out about the token.
type unreachable struct{ error }

// Temporary tells the door that asking again may help.
func (unreachable) Temporary() bool { return true }

// find returns the issuer's own set. Where that is, the issuer says, as API
// Gateway's authorizer asks it too (OpenID Connect Discovery).
func (k *keySet) find(ctx context.Context) (oidc.KeySet, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys != nil {
		return k.keys, nil
	}
	url := k.url
	if url == "" {
		provider, err := oidc.NewProvider(oidc.ClientContext(ctx, k.client), k.issuer)
		if err != nil {
			return nil, fmt.Errorf("onaws: the issuer's discovery document: %w", err)
		}
		var document struct {
			Keys string `json:"jwks_uri"`
		}
		if err := provider.Claims(&document); err != nil {
			return nil, fmt.Errorf("onaws: the issuer's discovery document: %w", err)
		}
		url = document.Keys
	}
	// The set outlives the request that asked first.
	k.keys = oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), k.client), url)
	return k.keys, nil
}
