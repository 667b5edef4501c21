package onaws

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"gongji/shared/vault"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// Bounds of the one call to KMS. A function has ten seconds to start.
const (
	kmsTries   = 4
	kmsTry     = 2 * time.Second        // one try, answer and all
	kmsPause   = 300 * time.Millisecond // at most, between two tries
	kmsAll     = 8 * time.Second
	kmsPurpose = "vault"
)

// keySource returns where the vault's keys come from. In the clear they may only
// be where the people are made up too.
func (e env) keySource() (vault.Source, error) {
	ciphertext, document := e.get("GONGJI_KEYS_CIPHERTEXT"), e.get("GONGJI_KEYS_DOCUMENT")
	switch {
	case ciphertext != "" && document != "":
		return nil, errors.New("onaws: GONGJI_KEYS_CIPHERTEXT and GONGJI_KEYS_DOCUMENT are both set")
	case document != "" && !e.local:
		return nil, errors.New("onaws: GONGJI_KEYS_DOCUMENT holds keys in the clear, which is for a DynamoDB Local only (AWS_ENDPOINT_URL_DYNAMODB)")
	case document != "":
		return plainKeys(document), nil
	case ciphertext == "":
		return nil, errors.New("onaws: GONGJI_KEYS_CIPHERTEXT is not set: the deployment has no keys yet, see docs/operations.md")
	}
	blob, err := base64.StdEncoding.DecodeString(ciphertext)
	if err != nil {
		return nil, errors.New("onaws: GONGJI_KEYS_CIPHERTEXT is not base64")
	}
	return newKMSKeys(e, blob), nil
}

// plainKeys is a key document in the clear.
type plainKeys string

// Keys implements vault.Source.
func (p plainKeys) Keys(context.Context) (vault.Keys, error) { return vault.ParseKeys([]byte(p)) }

// kmsKeys is a key document that KMS decrypts: one call in the life of a process,
// after which KMS may fail without anybody noticing.
//
// The document comes with the function's settings. A rotation changes those, and
// Lambda then starts new processes, so there is never anything to ask for again.
type kmsKeys struct {
	client     *kms.Client
	ciphertext []byte
}

func newKMSKeys(e env, ciphertext []byte) kmsKeys { return kmsKeys{newKMSClient(e), ciphertext} }

// newKMSClient returns a client whose calls end in time.
func newKMSClient(e env) *kms.Client {
	o := kms.Options{
		Region: e.db.Region, Credentials: e.db.Credentials,
		HTTPClient: awshttp.NewBuildableClient().WithTimeout(kmsTry),
		Retryer:    retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = kmsTries, kmsPause }),
	}
	if endpoint := e.get("AWS_ENDPOINT_URL_KMS"); endpoint != "" {
		o.BaseEndpoint = &endpoint
	}
	return kms.New(o)
}

// Keys implements vault.Source.
func (k kmsKeys) Keys(ctx context.Context) (vault.Keys, error) {
	ctx, cancel := context.WithTimeout(ctx, kmsAll)
	defer cancel()
	out, err := k.client.Decrypt(ctx, &kms.DecryptInput{
		CiphertextBlob: k.ciphertext,
		// What the operator encrypted it with; the key's policy asks for it too.
		EncryptionContext: map[string]string{"gongji": kmsPurpose},
	})
	if err != nil {
		return vault.Keys{}, fmt.Errorf("onaws: KMS does not decrypt the keys: %w", err)
	}
	defer clear(out.Plaintext)
	if aws.ToString(out.KeyId) == "" { // an answer of something that is not KMS
		return vault.Keys{}, errors.New("onaws: KMS does not say by which key it decrypted")
	}
	return vault.ParseKeys(out.Plaintext)
}
