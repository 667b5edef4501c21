package onaws

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gongji/shared/vault"
)

// kmsPurpose is the encryption context under which an operator encrypts the key
// document; the key's policy asks for it too.
const kmsPurpose = "vault"

// Bounds of asking for the sealing keys while somebody waits for his answer: how long,
// and how soon after it was in vain the next one may.
const (
	lateTries = 3 * time.Second
	lateRest  = time.Second
)

// openVault returns the vault of an environment. With the hash keys in a secret it
// begins with those, and KMS is asked for the whole document when a name is needed;
// without them, or where the secret cannot be read, KMS has to decrypt it now. So one
// of the two services is enough to start. In the clear keys may only be where the
// people are made up too.
func (e env) openVault(ctx context.Context, log *slog.Logger) (*vault.Vault, error) {
	ciphertext, document, secret := e.get("GONGJI_KEYS_CIPHERTEXT"), e.get("GONGJI_KEYS_DOCUMENT"), e.get("GONGJI_HASH_KEYS")
	switch {
	case ciphertext != "" && document != "":
		return nil, errors.New("onaws: GONGJI_KEYS_CIPHERTEXT and GONGJI_KEYS_DOCUMENT are both set")
	case document != "" && !e.local:
		return nil, errors.New("onaws: GONGJI_KEYS_DOCUMENT holds keys in the clear, which is for a DynamoDB Local only (AWS_ENDPOINT_URL_DYNAMODB)")
	case document != "":
		keys, err := vault.ParseKeys([]byte(document))
		if err != nil {
			return nil, err
		}
		return vault.New(keys, rand.Reader), nil
	case ciphertext == "":
		return nil, errors.New("onaws: GONGJI_KEYS_CIPHERTEXT is not set: the deployment has no keys yet, see docs/operations.md")
	}
	blob, err := base64.StdEncoding.DecodeString(ciphertext)
	if err != nil {
		return nil, errors.New("onaws: GONGJI_KEYS_CIPHERTEXT is not base64")
	}
	source := kmsKeys{e.kms(), blob}
	if secret != "" {
		known, err := e.hashKeys(ctx, secret)
		if err == nil {
			return vault.NewLate(known, e.restful(source, log), rand.Reader), nil
		}
		log.ErrorContext(ctx, "the hash keys cannot be read, KMS has to do", "error", err.Error())
	}
	keys, err := source.Keys(ctx)
	if err != nil {
		return nil, err
	}
	return vault.New(keys, rand.Reader), nil
}

// restful asks a source while somebody waits, and after it was in vain rests for a
// moment, in which whoever needs a name is told at once that it cannot be had.
func (e env) restful(source vault.Source, log *slog.Logger) func() (vault.Keys, error) {
	var mu sync.Mutex
	var last error
	var until time.Time
	return func() (vault.Keys, error) {
		mu.Lock()
		defer mu.Unlock()
		if e.now().Before(until) {
			return vault.Keys{}, last
		}
		ctx, cancel := context.WithTimeout(context.Background(), e.patience())
		defer cancel()
		keys, err := source.Keys(ctx)
		if err != nil {
			last, until = err, e.now().Add(lateRest)
			log.Error("the sealing keys cannot be had", "error", err.Error())
		}
		return keys, err
	}
}

// hashKeys reads the hash keys from a secret of AWS Secrets Manager.
func (e env) hashKeys(ctx context.Context, secret string) (vault.HashKeys, error) {
	var answer struct{ SecretString string }
	manager := e.service("secretsmanager", "secretsmanager", e.get("AWS_ENDPOINT_URL_SECRETS_MANAGER"))
	if err := manager.call(ctx, "GetSecretValue", map[string]string{"SecretId": secret}, &answer); err != nil {
		return vault.HashKeys{}, fmt.Errorf("onaws: the secret GONGJI_HASH_KEYS: %w", err)
	}
	return vault.ParseHashKeys([]byte(answer.SecretString))
}

// kmsKeys is a key document that KMS decrypts: one call in the life of a process,
// after which KMS may fail without anybody noticing.
//
// The document comes with the function's settings. A rotation changes those, and
// Lambda then starts new processes, so there is never anything to ask for again.
type kmsKeys struct {
	kms        service
	ciphertext []byte
}

func (e env) kms() service { return e.service("kms", "TrentService", e.get("AWS_ENDPOINT_URL_KMS")) }

// Keys implements vault.Source.
func (k kmsKeys) Keys(ctx context.Context) (vault.Keys, error) {
	ask := struct {
		CiphertextBlob    []byte
		EncryptionContext map[string]string
	}{k.ciphertext, map[string]string{"gongji": kmsPurpose}}
	var answer struct {
		KeyId     string
		Plaintext []byte
	}
	if err := k.kms.call(ctx, "Decrypt", ask, &answer); err != nil {
		return vault.Keys{}, fmt.Errorf("onaws: KMS does not decrypt the keys: %w", err)
	}
	defer clear(answer.Plaintext)
	if answer.KeyId == "" { // an answer of something that is not KMS
		return vault.Keys{}, errors.New("onaws: KMS does not say by which key it decrypted")
	}
	return vault.ParseKeys(answer.Plaintext)
}
