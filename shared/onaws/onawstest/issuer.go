package onawstest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
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
	Asked  atomic.Int64
	key    *rsa.PrivateKey
	signer jose.Signer
}

// NewIssuer returns an issuer that lives as long as its test.
func NewIssuer(t testing.TB) *Issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &Issuer{key: key}
	if i.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	i.URL = server.URL
	return i
}

// ServeHTTP implements http.Handler.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var answer any
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		answer = map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}}
	case "/keys":
		i.Asked.Add(1)
		answer = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}}
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
	text, err := jwt.Signed(i.signer).Claims(all).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}
