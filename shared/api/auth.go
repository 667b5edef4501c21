package api

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
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
type Verifier struct{ tokens *oidc.IDTokenVerifier }

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
	return &Verifier{oidc.NewVerifier(issuer, reported{keys}, &oidc.Config{
		ClientID: audience, SupportedSigningAlgs: []string{oidc.RS256}, Now: now,
	})}
}

// maxToken bounds a token, in bytes; API Gateway takes headers up to 8 KB.
const maxToken = 8 << 10

// verify returns who the bearer of an Authorization header is.
func (v *Verifier) verify(ctx context.Context, header string) (caller, error) {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxToken {
		return caller{}, errors.New("api: no bearer token")
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
		c.place, err = family.ParseInstitutionCode(place)
	}
	return c, err
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
	next(huma.WithValue(ctx, callerKey{}, c))
}
