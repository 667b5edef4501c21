package onawstest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Encrypted is a text as the stand-in for KMS encrypts it: its bytes turned over.
func Encrypted(text []byte) []byte {
	out := slices.Clone(text)
	for i := range out {
		out[i] ^= 0x5a
	}
	return out
}

// The ways of a service.
const (
	Answers = "answers"
	Refuses = "refuses" // as it does of a key that is disabled
	Fails   = "fails"
	Hangs   = "hangs" // takes what it is asked and says nothing
)

// Services stands in for KMS and for AWS Secrets Manager, each in a way of its own that
// may change while it runs. It checks that it was asked as AWS wants to be.
type Services struct {
	URL string

	t      testing.TB
	secret string // the one there is

	mu           sync.Mutex
	kms, secrets string
	asked        int
}

// NewServices starts both, which answer; secret is what the secret called "hash-keys"
// holds.
func NewServices(t testing.TB, secret []byte) *Services {
	t.Helper()
	s := &Services{t: t, secret: string(secret), kms: Answers, secrets: Answers}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	s.URL = server.URL
	return s
}

// Env is the environment of a process that is to ask the two, for keys that KMS is to
// decrypt.
func (s *Services) Env(document []byte) map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL_KMS": s.URL, "AWS_ENDPOINT_URL_SECRETS_MANAGER": s.URL, "GONGJI_HASH_KEYS": "hash-keys",
		"GONGJI_KEYS_CIPHERTEXT": base64.StdEncoding.EncodeToString(Encrypted(document)),
	}
}

// Become sets the ways of the two from now on.
func (s *Services) Become(kms, secrets string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kms, s.secrets = kms, secrets
}

// Asked returns how often KMS was asked.
func (s *Services) Asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// ServeHTTP implements http.Handler.
func (s *Services) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		CiphertextBlob    []byte
		EncryptionContext map[string]string
		SecretId          string
	}
	err := json.NewDecoder(r.Body).Decode(&ask)
	name, target := "kms", r.Header.Get("X-Amz-Target")
	var answer map[string]any
	s.mu.Lock()
	way := s.kms
	switch {
	case target == "TrentService.Decrypt" && len(ask.EncryptionContext) == 1 && ask.EncryptionContext["gongji"] == "vault":
		s.asked++
		answer = map[string]any{"KeyId": "arn:test:kms:key/1", "Plaintext": Encrypted(ask.CiphertextBlob)}
	case target == "secretsmanager.GetSecretValue" && ask.SecretId == "hash-keys":
		name, way = "secretsmanager", s.secrets
		answer = map[string]any{"Name": ask.SecretId, "SecretString": s.secret}
	default:
		s.t.Errorf("asked %s: %+v", target, ask)
	}
	s.mu.Unlock()
	if signed := r.Header.Get("Authorization"); err != nil || !strings.Contains(signed, "/"+name+"/aws4_request, SignedHeaders=") || !strings.Contains(signed, "x-amz-target") {
		s.t.Errorf("%s: signed %q, %v", target, signed, err)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	switch way {
	case Refuses:
		w.WriteHeader(http.StatusBadRequest)
		answer = map[string]any{"__type": "com.amazonaws." + name + "#DisabledException", "message": "it is disabled"}
	case Fails:
		w.WriteHeader(http.StatusInternalServerError)
		answer = map[string]any{"__type": "InternalException"}
	case Hangs:
		<-r.Context().Done()
		return
	}
	_ = json.NewEncoder(w).Encode(answer) // whoever asked may have gone
}
