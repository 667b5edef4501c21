package his

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- the gateway's convention; the secret, not the hash, is what holds
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"
)

// window is how far a signature's time may lie from ours, either way (SPEC 4.5: 30
// minutes). The TIF gateway's is not published and taken for the same.
const window = 30 * time.Minute

// signature is a request's signature after it was verified.
type signature struct {
	key   app.SigningKey
	infno string // that it is of, where the convention says
	text  string // tells it from every other
	until time.Time
	// together tells that it may serve other messages too: of the first convention,
	// which has no nonce, messages of one millisecond have one signature.
	together bool
}

// The gateway's own answers (SPEC 4.5), by what is wrong.
const (
	missing  = "gateway.missing"
	expired  = "gateway.expired"
	stranger = "gateway.stranger"
	mismatch = "gateway.mismatch"
)

var denials = map[string]string{
	missing:  "缺少服务网关的请求头!",
	expired:  "签名时间戳超时!",
	stranger: "非法用户!",
	mismatch: "签名不一致!",
}

// denial is the refusal that the gateway's answer stands for.
func denial(what string) *family.Refusal {
	return &family.Refusal{Code: family.Unauthenticated, Rule: what}
}

func gatewayAnswer(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{status, message})
}

// header returns a header of the first convention. Its names begin with an
// underscore: proxies drop or rewrite such, so the same names with hyphens are
// taken too (DIVERGENCES.md).
func header(h http.Header, name string) string {
	for _, spelling := range []string{"_api_" + name, "X-Api-" + strings.ReplaceAll(name, "_", "-")} {
		if v := h.Get(spelling); v != "" {
			return v
		}
	}
	return ""
}

// verify returns whose system signed a request, or the gateway's answer to one that
// is not signed as it should be. Both conventions leave the body unsigned: that one
// signature serves one message is held in the act that the message asks for.
func (d *door) verify(r *http.Request) (signature, *family.Refusal) {
	name, version, at, access, signed := header(r.Header, "name"), header(r.Header, "version"), header(r.Header, "timestamp"), header(r.Header, "access_key"), header(r.Header, "signature")
	if name != "" && version != "" && at != "" && access != "" && signed != "" {
		return d.check(r.Context(), app.SchemeAPI, access, at, 1000, signature{infno: name}, signed, func(secret string) string {
			return signAPI(access, secret, name, at, version)
		})
	}
	access, at, nonce, signed := r.Header.Get("X-Tif-Paasid"), r.Header.Get("X-Tif-Timestamp"), r.Header.Get("X-Tif-Nonce"), r.Header.Get("X-Tif-Signature")
	if access != "" && at != "" && nonce != "" && signed != "" {
		return d.check(r.Context(), app.SchemeTIF, access, at, 1, signature{}, strings.ToLower(signed), func(secret string) string {
			return signTIF(secret, at, nonce)
		})
	}
	return signature{}, denial(missing)
}

// check compares a signature with the one that its key makes.
func (d *door) check(ctx context.Context, scheme app.Scheme, access, at string, perSecond int64, s signature, signed string, sign func(secret string) string) (signature, *family.Refusal) {
	n, err := strconv.ParseInt(at, 10, 64)
	if err != nil || n <= 0 || n/perSecond > 1e11 {
		return s, denial(expired)
	}
	then := time.UnixMilli(n * (1000 / perSecond))
	if skew := d.now().Sub(then); skew > window || skew < -window {
		return s, denial(expired)
	}
	key, refusal := d.key(ctx, scheme, access)
	if refusal != nil {
		return s, refusal
	}
	if subtle.ConstantTimeCompare([]byte(sign(key.Secret)), []byte(signed)) == 0 {
		return s, denial(mismatch)
	}
	s.key, s.text, s.until = key, access+"\n"+signed, then.Add(window)
	s.together = scheme == app.SchemeAPI
	return s, nil
}

// key returns a key that is in force, of the convention that it is used by.
func (d *door) key(ctx context.Context, scheme app.Scheme, id string) (app.SigningKey, *family.Refusal) {
	key, err := d.keys.find(ctx, d.app, id, d.now())
	if refusal := (*family.Refusal)(nil); err != nil && (!errors.As(err, &refusal) || refusal.Code != family.NotFound) {
		d.log.ErrorContext(ctx, "a signing key could not be read", "error", err)
		return key, family.Refuse(family.Busy)
	}
	if err != nil || key.Scheme != scheme || !key.ValidAt(d.now()) {
		return key, denial(stranger)
	}
	return key, nil
}

// signAPI is the first convention: Base64(HmacSHA1) over the sorted headers.
func signAPI(access, secret, name, timestamp, version string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte("_api_access_key=" + access + "&_api_name=" + name + "&_api_timestamp=" + timestamp + "&_api_version=" + version))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// signTIF is the second: SHA-256 over time, token, nonce and time.
func signTIF(token, timestamp, nonce string) string {
	sum := sha256.Sum256([]byte(timestamp + token + nonce + timestamp))
	return hex.EncodeToString(sum[:])
}

// keyCache keeps keys for a minute: every request asks for one, and they change
// once a year. A key that is taken out of force by its time is so at once; one that
// is given another end, within the minute.
type keyCache struct {
	mu   sync.Mutex
	kept map[string]keptKey
}

type keptKey struct {
	key   app.SigningKey
	until time.Time
}

const (
	keyLife = time.Minute
	maxKeys = 1000
)

func (k *keyCache) find(ctx context.Context, a *app.App, id string, now time.Time) (app.SigningKey, error) {
	k.mu.Lock()
	kept, ok := k.kept[id]
	k.mu.Unlock()
	if ok && now.Before(kept.until) {
		return kept.key, nil
	}
	key, err := a.FindSigningKey(ctx, id)
	if err != nil {
		return app.SigningKey{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil || len(k.kept) >= maxKeys {
		k.kept = map[string]keptKey{}
	}
	k.kept[id] = keptKey{key, now.Add(keyLife)}
	return key, nil
}
