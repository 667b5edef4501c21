package onaws

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

// sealName is under whose name a deployment signs its days.
const sealName = "gongji"

// kmsSigner signs notes with an Ed25519 key that never leaves KMS: who reads the
// process's memory, or its settings, cannot sign an older day anew elsewhere.
type kmsSigner struct {
	note.Verifier
	kms service
	key string
}

// sealer returns what signs the days, nil where no key is named.
func (e env) sealer(ctx context.Context) (note.Signer, error) {
	key := e.get("GONGJI_SEAL_KEY")
	if key == "" {
		return nil, nil
	}
	var out struct{ PublicKey []byte }
	kms := e.kms()
	if err := kms.call(ctx, "GetPublicKey", map[string]string{"KeyId": key}, &out); err != nil {
		return nil, fmt.Errorf("onaws: KMS does not tell the public key of GONGJI_SEAL_KEY: %w", err)
	}
	public, err := x509.ParsePKIXPublicKey(out.PublicKey)
	ed, is := public.(ed25519.PublicKey)
	if err != nil || !is {
		return nil, errors.New("onaws: GONGJI_SEAL_KEY is not an Ed25519 key")
	}
	text, err := note.NewEd25519VerifierKey(sealName, ed)
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(text)
	if err != nil {
		return nil, err
	}
	return kmsSigner{verifier, kms, key}, nil
}

// Sign implements note.Signer.
func (s kmsSigner) Sign(text []byte) ([]byte, error) {
	ask := struct {
		KeyId, MessageType, SigningAlgorithm string
		Message                              []byte
	}{s.key, "RAW", "ED25519_SHA_512", text}
	var out struct{ Signature []byte }
	if err := s.kms.call(context.Background(), "Sign", ask, &out); err != nil {
		return nil, fmt.Errorf("onaws: KMS does not sign: %w", err)
	}
	if !s.Verify(text, out.Signature) {
		return nil, errors.New("onaws: KMS's signature is not right")
	}
	return out.Signature, nil
}
