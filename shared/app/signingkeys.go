package app

import (
	"context"
	"time"

	"gongji/shared/family"
)

// Scheme is a convention by which institutions sign their requests.
type Scheme string

// The schemes in use (SPEC 4.5; the TIF gateway of the other provinces).
const (
	SchemeAPI Scheme = "api"
	SchemeTIF Scheme = "tif"
	// SchemeSM is an app's, for the encrypted mobile envelope: its id is the appId,
	// its secret the app's secret, its public key and our private one.
	SchemeSM Scheme = "sm"
)

// SigningKey is a key by which an institution signs its requests.
type SigningKey struct {
	ID          string // _api_access_key, x-tif-paasid
	Institution family.InstitutionCode
	Scheme      Scheme
	Secret      string
	// From and To are the first and the first no longer valid moment; zero is open.
	// An institution may have several keys at once: that is how they rotate.
	From, To time.Time
}

// ValidAt tells whether the key is in force.
func (k SigningKey) ValidAt(now time.Time) bool {
	return !now.Before(k.From) && (k.To.IsZero() || now.Before(k.To))
}

func (k SigningKey) check() *family.Refusal {
	printable := func(s string, least, most int) bool {
		for i := range len(s) {
			if s[i] <= ' ' || s[i] > '~' {
				return false
			}
		}
		return len(s) >= least && len(s) <= most
	}
	switch {
	case k.Scheme != SchemeAPI && k.Scheme != SchemeTIF && k.Scheme != SchemeSM:
		return &family.Refusal{Code: family.Malformed, Field: "scheme", Allowed: "api, tif, sm"}
	case !printable(k.ID, 1, 64):
		return &family.Refusal{Code: family.Malformed, Field: "key_id", Detail: "a key's id has 1 to 64 printable characters"}
	case !printable(k.Secret, 8, 512):
		return &family.Refusal{Code: family.Malformed, Field: "secret", Detail: "a secret has 8 to 512 printable characters"}
	case !k.To.IsZero() && !k.From.Before(k.To):
		return &family.Refusal{Code: family.Malformed, Field: "valid_to", Detail: "it ends before it begins"}
	}
	return nil
}

func sealedSecretAt(id string) string { return "HISKEY#" + id + "/secret" }

// FeedSigningKey takes over a key of an institution's. A repeat changes nothing; a
// key that another institution has refuses.
func (a *App) FeedSigningKey(ctx context.Context, by family.Reviewer, k SigningKey) (Fed, error) {
	if refusal := k.check(); refusal != nil {
		return "", refusal
	}
	line, err := a.newAct(by, a.now(), ActKey)
	if err != nil {
		return "", err
	}
	line.Institution, line.Ref = k.Institution, k.ID
	return act(ctx, a, func(t *tx) (Fed, error) {
		key := signingKeyKey(k.ID)
		row := keyRowKey(k.Institution, k.ID)
		if err := t.load([]keyed{key, row}, []keyed{placeKey(k.Institution)}); err != nil {
			return "", err
		}
		if _, known, err := get(t, placeKey(k.Institution)); err != nil || !known {
			if err == nil {
				err = &family.Refusal{Code: family.NotFound, Field: "code"}
			}
			return "", err
		}
		has, known, err := get(t, key)
		if err != nil {
			return "", err
		}
		fed := FedCreated
		if known {
			if has.Institution != k.Institution {
				return "", &family.Refusal{Code: family.AlreadyBound, Field: "key_id", Detail: "another institution has this key"}
			}
			same, err := a.sameKey(has, k)
			if err != nil || same && t.version(row) != 0 {
				return FedUnchanged, err
			}
			fed = FedUpdated
		}
		sealed, err := a.vault.Seal(k.Secret, sealedSecretAt(k.ID))
		if err != nil {
			return "", err
		}
		if err := put(t, row, pointerRecord{To: k.ID}); err != nil {
			return "", err
		}
		if err := put(t, key, signingKeyRecord{Institution: k.Institution, Scheme: k.Scheme, Secret: sealed, From: k.From, To: k.To}); err != nil {
			return "", err
		}
		return fed, t.trace(line)
	})
}

func (a *App) sameKey(has signingKeyRecord, k SigningKey) (bool, error) {
	secret, err := a.vault.Open(has.Secret, sealedSecretAt(k.ID))
	return secret == k.Secret && has.Scheme == k.Scheme && has.From.Equal(k.From) && has.To.Equal(k.To) && !a.vault.Stale(has.Secret), err
}

// FindSigningKey returns a key by its id.
func (a *App) FindSigningKey(ctx context.Context, id string) (SigningKey, error) {
	if len(id) > 64 || id == "" {
		return SigningKey{}, family.Refuse(family.NotFound)
	}
	has, found, err := one(ctx, a, signingKeyKey(id))
	if err == nil && !found {
		err = family.Refuse(family.NotFound)
	}
	if err != nil {
		return SigningKey{}, err
	}
	secret, err := a.vault.Open(has.Secret, sealedSecretAt(id))
	return SigningKey{ID: id, Institution: has.Institution, Scheme: has.Scheme, Secret: secret, From: has.From, To: has.To}, err
}
