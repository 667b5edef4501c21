package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"gongji/shared/family"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/danielgtaylor/huma/v2"
)

// Access says who may use a route.
type Access string

// Who may use a route.
const (
	Open          Access = "everybody"
	Persons       Access = "person"
	Places        Access = "institution"
	PersonOrPlace Access = "person or institution"
	Operators     Access = "operator"
	Auditors      Access = "operator or auditor"
	Finders       Access = "person, institution, operator or auditor"
	Reviewers     Access = "operator or reviewer"
)

// caller is who asks, from the token's claims alone.
type caller struct {
	subject string // who it is to the issuer, whatever else
	person  family.PersonNo
	place   family.InstitutionCode
	roles   []string
}

func (c caller) may(a Access) bool {
	switch a {
	case Persons:
		return c.person != ""
	case Places:
		return c.place != ""
	case PersonOrPlace:
		return c.person != "" || c.place != ""
	case Finders:
		return c.may(PersonOrPlace) || c.may(Auditors)
	case Operators:
		return slices.Contains(c.roles, "operator")
	case Reviewers:
		return slices.Contains(c.roles, "operator") || slices.Contains(c.roles, "reviewer")
	case Auditors:
		return slices.Contains(c.roles, "operator") || slices.Contains(c.roles, "auditor")
	}
	return a == Open
}

// Verifier verifies the tokens of one issuer.
type Verifier struct {
	tokens *oidc.IDTokenVerifier
	now    func() time.Time

	mu    sync.Mutex
	known map[[sha256.Size]byte]verified // by the hash of the token
}

// verified is a token whose signature and claims were found good.
type verified struct {
	caller
	at, until time.Time
}

// A till sends one token with each of its requests, and the signature alone takes a
// sixth of a settlement: a good token is remembered for as long as it lasts, yet no
// longer than a minute, so that a key which its issuer has withdrawn ends as soon as
// that.
const (
	remember = time.Minute
	maxKnown = 4096 // tokens
)

// recall returns the bearer of a token that was verified lately.
func (v *Verifier) recall(token [sha256.Size]byte) (caller, bool) {
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	known, there := v.known[token]
	return known.caller, there && !now.Before(known.at) && now.Before(known.until)
}

// keep remembers a token, in the place of another when there are too many.
func (v *Verifier) keep(token [sha256.Size]byte, c caller, expires time.Time) {
	now := v.now()
	until := now.Add(remember)
	if expires.Before(until) {
		until = expires
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.known) >= maxKnown {
		for other := range v.known { // any: maps are walked from a random place
			delete(v.known, other)
			break
		}
	}
	v.known[token] = verified{c, now, until}
}

// errNoKeys says that the issuer's keys could not be had: the token may be good.
var errNoKeys = errors.New("api: the issuer's keys cannot be had")

// reported is a key set that tells the request when its issuer could not be asked;
// the library's verifier makes one text of all errors.
type reported struct{ oidc.KeySet }

type reportKey struct{}

// VerifySignature implements oidc.KeySet.
func (r reported) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := r.KeySet.VerifySignature(ctx, token)
	if later := (interface{ Temporary() bool })(nil); errors.As(err, &later) && later.Temporary() {
		if away, ok := ctx.Value(reportKey{}).(*bool); ok {
			*away = true
		}
	}
	return payload, err
}

// NewVerifier returns a verifier of RS256 tokens that an issuer signed for an
// audience with one of its keys. now is the clock by which tokens expire.
func NewVerifier(issuer, audience string, keys oidc.KeySet, now func() time.Time) *Verifier {
	tokens := oidc.NewVerifier(issuer, reported{keys}, &oidc.Config{
		ClientID: audience, SupportedSigningAlgs: []string{oidc.RS256}, Now: now,
	})
	return &Verifier{tokens: tokens, now: now, known: map[[sha256.Size]byte]verified{}}
}

// maxToken bounds a token, in bytes; API Gateway takes headers up to 8 KB.
const maxToken = 8 << 10

// verify returns who the bearer of an Authorization header is.
func (v *Verifier) verify(ctx context.Context, header string) (caller, error) {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxToken {
		return caller{}, errors.New("api: no bearer token")
	}
	hash := sha256.Sum256([]byte(token))
	if c, known := v.recall(hash); known {
		return c, nil
	}
	away := false
	verified, err := v.tokens.Verify(context.WithValue(ctx, reportKey{}, &away), token)
	if away {
		return caller{}, errNoKeys
	}
	if err != nil {
		return caller{}, err
	}
	var claims map[string]json.RawMessage // not a struct: that would take Person_No too
	if err := verified.Claims(&claims); err != nil {
		return caller{}, err
	}
	c := caller{subject: verified.Subject}
	var person, place string
	for name, into := range map[string]any{"person_no": &person, "fixmedins_code": &place, "roles": &c.roles} {
		if text, there := claims[name]; there {
			if err := json.Unmarshal(text, into); err != nil {
				return caller{}, err
			}
		}
	}
	if person != "" {
		if c.person, err = family.ParsePersonNo(person); err != nil {
			return caller{}, err
		}
	}
	if place != "" {
		if c.place, err = family.ParseInstitutionCode(place); err != nil {
			return c, err
		}
	}
	v.keep(hash, c, verified.Expiry)
	return c, nil
}

// callerKey is where the caller lies in a request's context. No header or body
// can put anything there.
type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

func person(ctx context.Context) family.PersonNo { return callerOf(ctx).person }

func place(ctx context.Context) family.InstitutionCode { return callerOf(ctx).place }

// reviewer is the caller as the law knows one who reviews.
func reviewer(ctx context.Context) family.Reviewer {
	c := callerOf(ctx)
	return family.Reviewer{Subject: c.subject, Person: c.person}
}

// authorize lets a request through to the route whose Access its caller has.
func (d *door) authorize(ctx huma.Context, next func(huma.Context)) {
	access, _ := ctx.Operation().Metadata["access"].(Access)
	if access == Open {
		next(ctx)
		return
	}
	c, err := d.verifier.verify(ctx.Context(), ctx.Header("Authorization"))
	if errors.Is(err, errNoKeys) {
		d.log.ErrorContext(ctx.Context(), "the issuer's keys cannot be had")
		d.refuse(ctx, family.Refuse(family.Busy)) // nobody knows whether the token is good
		return
	}
	if err != nil {
		ctx.SetHeader("WWW-Authenticate", "Bearer")
		d.refuse(ctx, family.Refuse(family.Unauthenticated))
		return
	}
	if !c.may(access) {
		d.refuse(ctx, &family.Refusal{Code: family.NotPermitted, Allowed: string(access)})
		return
	}
	if wait := max(d.gate.Subject(c.subject), d.gate.Institution(string(c.place))); wait > 0 {
		d.refuse(ctx, tooMany(wait))
		return
	}
	next(huma.WithValue(ctx, callerKey{}, c))
}
