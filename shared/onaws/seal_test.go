package onaws

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gongji/shared/checkpoint"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/mod/sumdb/note"
)

// TestKMSSigns: a day is signed with a key that stays in KMS, and verified with its
// public half alone; what is no good signature of it is not believed.
func TestKMSSigns(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	spoil := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var ask struct {
			KeyId, MessageType, SigningAlgorithm string
			Message                              []byte
		}
		if err := json.NewDecoder(r.Body).Decode(&ask); err != nil || ask.KeyId != "arn:test:seal" {
			t.Errorf("%+v %v", ask, err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		switch r.Header.Get("X-Amz-Target") {
		case "TrentService.GetPublicKey":
			der, err := x509.MarshalPKIXPublicKey(public)
			if err != nil {
				t.Error(err)
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"KeyId": ask.KeyId, "PublicKey": der})
		case "TrentService.Sign":
			if ask.MessageType != "RAW" || ask.SigningAlgorithm != "ED25519_SHA_512" {
				t.Errorf("%+v", ask)
			}
			signature := ed25519.Sign(private, ask.Message)
			if spoil {
				signature[0] ^= 1
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"KeyId": ask.KeyId, "Signature": signature})
		}
	}))
	t.Cleanup(server.Close)
	settings := map[string]string{"GONGJI_SEAL_KEY": "arn:test:seal", "AWS_ENDPOINT_URL_KMS": server.URL}
	e := env{get: func(name string) string { return settings[name] }}
	e.db.Region = "local"
	e.db.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "made-up", SecretAccessKey: "made-up"}, nil
	})
	signer, err := e.sealer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	signed, err := checkpoint.Of(20261120, []checkpoint.Head{{Account: "P1", Seq: 1, Hash: "00"}}, "").Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	key, err := note.NewEd25519VerifierKey(sealName, public)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	if c, _, err := checkpoint.Open(signed, verifier); err != nil || c.Accounts != 1 {
		t.Errorf("%+v %v", c, err)
	}
	spoil = true
	if _, err := checkpoint.Of(20261120, nil, "").Sign(signer); err == nil || !strings.Contains(err.Error(), "not right") {
		t.Errorf("a spoilt signature: %v", err)
	}
	settings["GONGJI_SEAL_KEY"] = ""
	if none, err := e.sealer(t.Context()); none != nil || err != nil {
		t.Errorf("without a key: %v %v", none, err)
	}
}
