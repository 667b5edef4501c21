package onawstest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Audience is for whom the tokens of an [Issuer] are.
const Audience = "gongji"

// Issuer is an issuer of tokens on this machine, with a discovery document and a
// key set as any has them.
type Issuer struct {
	URL string
	// Asked counts the requests for its keys.
	Asked atomic.Int64

	mu     sync.Mutex
	keys   []jose.JSONWebKey // public
	signer jose.Signer       // with the newest
}

// NewIssuer returns an issuer that lives as long as its test.
func NewIssuer(t testing.TB) *Issuer {
	t.Helper()
	i := &Issuer{}
	i.Rotate(t)
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	i.URL = server.URL
	return i
}

// Rotate makes the issuer sign with a new key from now on; those before stay in its
// key set.
func (i *Issuer) Rotate(t testing.TB) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	id := strconv.Itoa(len(i.keys) + 1)
	if i.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil); err != nil {
		t.Fatal(err)
	}
	i.keys = append(i.keys, jose.JSONWebKey{Key: key.Public(), KeyID: id, Algorithm: "RS256", Use: "sig"})
}

// ServeHTTP implements http.Handler.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var answer any
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		answer = map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}}
	case "/keys":
		i.Asked.Add(1)
		i.mu.Lock()
		answer = jose.JSONWebKeySet{Keys: slices.Clone(i.keys)}
		i.mu.Unlock()
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// Token returns a token that is good for an hour from a time on, with claims beside
// the usual ones.
func (i *Issuer) Token(t testing.TB, from time.Time, claims map[string]any) string {
	t.Helper()
	all := map[string]any{"iss": i.URL, "aud": Audience, "sub": "test", "iat": from.Unix(), "exp": from.Add(time.Hour).Unix()}
	maps.Copy(all, claims)
	i.mu.Lock()
	defer i.mu.Unlock()
	text, err := jwt.Signed(i.signer).Claims(all).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}
