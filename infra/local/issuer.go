package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// audience is whom the tokens are for.
const audience = "gongji"

// issuerPath is where the issuer's own pages and documents lie.
const issuerPath = "/oidc"

// tokenLife is how long a token is good, by the machine's clock: a working day and
// the evening after it.
const tokenLife = 12 * time.Hour

// issuer signs tokens with a key that lives as long as the process: after a restart
// everybody asks for a new token.
type issuer struct {
	name   string // as in its tokens' claim iss: the address of its documents
	public jose.JSONWebKey
	signer jose.Signer
}

// newIssuer makes an issuer for the house at base, "http://127.0.0.1:8080".
func newIssuer(base string) (*issuer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	jwk := jose.JSONWebKey{Key: key, Algorithm: string(jose.RS256), Use: "sig"}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jwk}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	return &issuer{base + issuerPath, jwk.Public(), signer}, nil
}

// keySet verifies what the issuer signed.
func (i *issuer) keySet() oidc.KeySet {
	return &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{i.public.Key}}
}

// claims say who somebody is: a person, an institution's system, somebody with
// roles, or several at once.
type claims struct {
	Person      string   `json:"person_no,omitempty"`
	Institution string   `json:"fixmedins_code,omitempty"`
	Roles       []string `json:"roles,omitempty"`
}

// token returns a signed token for claims.
func (i *issuer) token(c claims) (string, error) {
	return i.sign(struct {
		standard
		claims
	}{i.standard(c, audience), c})
}

// idToken returns what the pages hear of a sign-in: who it was, and that it was
// theirs.
func (i *issuer) idToken(c claims, client, nonce string) (string, error) {
	return i.sign(struct {
		standard
		Nonce string `json:"nonce,omitempty"`
	}{i.standard(c, client), nonce})
}

// standard are the claims that every token carries.
type standard struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Subject  string `json:"sub"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

func (i *issuer) standard(c claims, audience string) standard {
	now := time.Now()
	return standard{i.name, audience, c.subject(), now.Unix(), now.Add(tokenLife).Unix()}
}

func (i *issuer) sign(claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed, err := i.signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// subject names whom the token is for, the same each time.
func (c claims) subject() string {
	var parts []string
	if c.Person != "" {
		parts = append(parts, "person:"+c.Person)
	}
	if c.Institution != "" {
		parts = append(parts, "institution:"+c.Institution)
	}
	return "dev:" + strings.Join(append(parts, c.Roles...), ",")
}
