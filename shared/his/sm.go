package his

import (
	"bytes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"strings"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm4"
	"github.com/emmansun/gmsm/smx509"
)

// The ciphers of the mobile envelope (domain 3.6): SM4 in ECB with PKCS #7 padding
// under a key that follows from the app's id and secret, and SM2 with SM3 over the
// sorted fields. ECB is the interface's choice, not ours: it shows which blocks of
// two messages are alike, so the envelope goes over TLS as all else does.

// ecb runs a block cipher over whole blocks, one by one.
func ecb(b cipher.Block, crypt func(dst, src []byte), text []byte) []byte {
	out := make([]byte, len(text))
	for i := 0; i < len(text); i += b.BlockSize() {
		crypt(out[i:], text[i:i+b.BlockSize()])
	}
	return out
}

// sm4Seal encrypts a text under a key of 16 bytes and writes it in capital hex.
func sm4Seal(key string, text []byte) (string, error) {
	b, err := sm4.NewCipher([]byte(key))
	if err != nil {
		return "", err
	}
	pad := b.BlockSize() - len(text)%b.BlockSize()
	text = append(bytes.Clone(text), bytes.Repeat([]byte{byte(pad)}, pad)...)
	return strings.ToUpper(hex.EncodeToString(ecb(b, b.Encrypt, text))), nil
}

var errSealed = errors.New("it does not decrypt")

// sm4Open decrypts what sm4Seal wrote.
func sm4Open(key, sealed string) ([]byte, error) {
	b, err := sm4.NewCipher([]byte(key))
	if err != nil {
		return nil, err
	}
	text, err := hex.DecodeString(sealed)
	if err != nil || len(text) == 0 || len(text)%b.BlockSize() != 0 {
		return nil, errSealed
	}
	text = ecb(b, b.Decrypt, text)
	pad := int(text[len(text)-1])
	if pad < 1 || pad > b.BlockSize() || !bytes.Equal(text[len(text)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, errSealed
	}
	return text[:len(text)-pad], nil
}

// secKey returns the key of an app's envelopes.
func secKey(appID, appSecret string) (string, error) {
	if len(appID) < 16 {
		return "", errors.New("an app's id has 16 characters or more")
	}
	sealed, err := sm4Seal(appID[:16], []byte(appSecret))
	if err != nil {
		return "", err
	}
	return sealed[:16], nil
}

// compact writes JSON with sorted names and without what is empty, as signatures
// cover it.
func compact(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(full(v)); err != nil {
		panic(err) // it was JSON
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// full returns a value without the empty fields of its objects.
func full(v any) any {
	switch v := v.(type) {
	case object:
		out := map[string]any{}
		for name, field := range v {
			if field != nil && field != "" {
				out[name] = full(field)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = full(v[i])
		}
		return out
	}
	return v
}

// smUser is the user id of the signatures (GB/T 32918's default).
var smUser = []byte("1234567812345678")

// toSign returns what an envelope's signature covers: its fields sorted by name, the
// data in them compact, and the app's secret at the end.
func toSign(appID, encType, signType, timestamp, version string, data object, appSecret string) []byte {
	return []byte("appId=" + appID + "&data=" + compact(data) + "&encType=" + encType + "&signType=" + signType +
		"&timestamp=" + timestamp + "&version=" + version + "&key=" + appSecret)
}

// smKeys are what an app's envelopes are signed with: its public key and our private
// one for it.
type smKeys struct {
	appSecret string
	theirs    *ecdsa.PublicKey
	ours      *sm2.PrivateKey
}

// parseSMKeys reads the secret of a key of scheme "sm": the app's secret, its public
// key (PKIX) and our private key for it (PKCS #8), the keys in Base64, with points in
// between.
func parseSMKeys(secret string) (smKeys, error) {
	parts := strings.Split(secret, ".")
	if len(parts) != 3 {
		return smKeys{}, errors.New("his: not the three parts of a key")
	}
	public, err := base64.StdEncoding.DecodeString(parts[1])
	if err != nil {
		return smKeys{}, errors.New("his: the public key is not Base64")
	}
	private, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return smKeys{}, errors.New("his: the private key is not Base64")
	}
	k := smKeys{appSecret: parts[0]}
	theirs, err := smx509.ParsePKIXPublicKey(public)
	if err != nil {
		return smKeys{}, errors.New("his: the public key does not read")
	}
	ours, err := smx509.ParsePKCS8PrivateKey(private)
	if err != nil {
		return smKeys{}, errors.New("his: the private key does not read")
	}
	var isPublic, isPrivate bool
	k.theirs, isPublic = theirs.(*ecdsa.PublicKey)
	k.ours, isPrivate = ours.(*sm2.PrivateKey)
	if !isPublic || !isPrivate || !sm2.IsSM2PublicKey(k.theirs) {
		return smKeys{}, errors.New("his: the keys are not of SM2")
	}
	return k, nil
}

// smSign signs with SM3withSM2: r and s, 32 bytes each, in Base64.
func smSign(key *sm2.PrivateKey, text []byte) (string, error) {
	r, s, err := sm2.SignWithSM2(rand.Reader, &key.PrivateKey, smUser, text)
	if err != nil {
		return "", err
	}
	raw := make([]byte, 64)
	r.FillBytes(raw[:32])
	s.FillBytes(raw[32:])
	return base64.StdEncoding.EncodeToString(raw), nil
}

// smVerify tells whether a signature is of a text by a key.
func smVerify(key *ecdsa.PublicKey, text []byte, signed string) bool {
	raw, err := base64.StdEncoding.DecodeString(signed)
	if err != nil || len(raw) != 64 {
		return false
	}
	return sm2.VerifyWithSM2(key, smUser, text, new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:]))
}
