// Package civil asks a civil registry over HTTP: the adapter of the port [app.Registry].
//
// One question is one POST of JSON, and its answer one of three words:
//
//	POST <url>
//	Content-Type: application/json
//	Gongji-Key: <key id>
//	Gongji-Timestamp: <seconds since 1970>
//	Gongji-Signature: <hex of HMAC-SHA256(secret, "ask\n" timestamp "\n" body)>
//
//	{"request_id": "32 hex digits", "relation": "20", "face_token": "…",
//	 "holder": {"name": "…", "id_no": "…"}, "member": {"name": "…", "id_no": "…"}}
//
//	200
//	Gongji-Signature: <hex of HMAC-SHA256(secret, "answer\n" request_id "\n" body)>
//
//	{"answer": "match"}            or "no_match", or "cannot_say"
//
// relation is a GB/T 4761 code, what the member is to the holder; face_token is left out
// where the region asks for none. Asking again with the same request_id is the same
// question. An answer that is not signed, not one of the three, late or not there is
// "cannot say", and so is every one while the registry has been failing: nobody is
// refused because a machine was down.
package civil

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/sony/gobreaker/v2"
)

// Options say where the registry is and how long it may take. URL, KeyID and Secret
// are needed.
type Options struct {
	URL    string // https, or http to this machine
	KeyID  string
	Secret []byte // at least 16 bytes
	// Try bounds one try and All a question with its second try; the defaults are 2 and
	// 5 seconds.
	Try, All time.Duration
	// Failures in a row after which it is not asked for Rest; the defaults are 5 and
	// 30 seconds.
	Failures uint32
	Rest     time.Duration
	// Transport carries requests; the default is a copy of http.DefaultTransport.
	Transport http.RoundTripper
	Now       func() time.Time // default time.Now
	Random    io.Reader        // for request ids; needed
	Log       *slog.Logger     // hears of failures, never of people; default silent
}

// Provider is a civil registry over HTTP. It is safe for concurrent use.
type Provider struct {
	o       Options
	client  *http.Client
	breaker *gobreaker.CircuitBreaker[family.RegistryAnswer]
}

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 4 << 10

// pause is what a second try waits for.
const pause = 100 * time.Millisecond

// New returns a provider. A registry without TLS would let anybody on the way read whom
// families bind, so one is taken on this machine alone.
func New(o Options) (*Provider, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, errors.New("civil: the registry's URL is https, or http to this machine")
	}
	if o.KeyID == "" || len(o.Secret) < 16 || o.Random == nil {
		return nil, errors.New("civil: a key id, a secret of at least 16 bytes and a source of ids are needed")
	}
	o.Try, o.All, o.Rest = or(o.Try, 2*time.Second), or(o.All, 5*time.Second), or(o.Rest, 30*time.Second)
	if o.Failures == 0 {
		o.Failures = 5
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	p := &Provider{o: o, client: &http.Client{
		Transport: o.Transport,
		// Who is sent elsewhere would take names with him.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	p.breaker = gobreaker.NewCircuitBreaker[family.RegistryAnswer](gobreaker.Settings{
		Name: "civil registry", MaxRequests: 1, Timeout: o.Rest,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= o.Failures },
		OnStateChange: func(name string, from, to gobreaker.State) {
			o.Log.Warn("the civil registry's circuit", "from", from.String(), "to", to.String())
		},
		// Who hung up says nothing of the registry.
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
	})
	return p, nil
}

func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

type identity struct {
	Name string `json:"name"`
	IDNo string `json:"id_no"`
}

type question struct {
	RequestID string   `json:"request_id"`
	Relation  string   `json:"relation"`
	Face      string   `json:"face_token,omitempty"`
	Holder    identity `json:"holder"`
	Member    identity `json:"member"`
}

// Ask implements [app.Registry].
func (p *Provider) Ask(ctx context.Context, q app.RegistryQuestion) family.RegistryAnswer {
	var id [16]byte
	if _, err := io.ReadFull(p.o.Random, id[:]); err != nil {
		return family.CannotSay
	}
	requestID := hex.EncodeToString(id[:])
	body, err := json.Marshal(question{
		RequestID: requestID, Relation: string(q.Relation), Face: q.Face,
		Holder: identity{q.Holder.Name, string(q.Holder.ID)}, Member: identity{q.Member.Name, string(q.Member.ID)},
	})
	if err != nil {
		return family.CannotSay
	}
	ctx, cancel := context.WithTimeout(ctx, p.o.All)
	defer cancel()
	said, err := p.breaker.Execute(func() (family.RegistryAnswer, error) {
		said, again, err := p.try(ctx, requestID, body)
		if err == nil || !again {
			return said, err
		}
		select {
		case <-ctx.Done():
			return said, err
		case <-time.After(pause):
		}
		said, _, err = p.try(ctx, requestID, body)
		return said, err
	})
	if err != nil {
		p.o.Log.WarnContext(ctx, "the civil registry cannot say", "error", kindOf(err))
		return family.CannotSay
	}
	return said
}

// kindOf says of a failure what no name can be in.
func kindOf(err error) string {
	var at *url.Error
	switch {
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return "not asked: it has been failing"
	case errors.As(err, &at) && at.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "time-out"
	case errors.As(err, &at):
		return "no connection"
	}
	return err.Error()
}

// try asks once, and tells whether to ask again where it failed.
func (p *Provider) try(ctx context.Context, requestID string, body []byte) (said family.RegistryAnswer, again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.o.Try)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.o.URL, bytes.NewReader(body))
	if err != nil {
		return family.CannotSay, false, err
	}
	stamp := strconv.FormatInt(p.o.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Gongji-Key", p.o.KeyID)
	r.Header.Set("Gongji-Timestamp", stamp)
	r.Header.Set("Gongji-Signature", Sign(p.o.Secret, "ask", stamp, body))
	answer, err := p.client.Do(r)
	if err != nil {
		return family.CannotSay, true, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return family.CannotSay, true, fmt.Errorf("civil: the answer broke off")
	case answer.StatusCode != http.StatusOK:
		return family.CannotSay, answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests, fmt.Errorf("civil: status %d", answer.StatusCode)
	case len(text) > maxAnswer:
		return family.CannotSay, false, errors.New("civil: too long an answer")
	case !hmac.Equal([]byte(answer.Header.Get("Gongji-Signature")), []byte(Sign(p.o.Secret, "answer", requestID, text))):
		return family.CannotSay, false, errors.New("civil: the answer's signature is not right")
	}
	var out struct {
		Answer family.RegistryAnswer `json:"answer"`
	}
	if json.Unmarshal(text, &out) != nil {
		return family.CannotSay, false, errors.New("civil: the answer is not JSON")
	}
	switch out.Answer {
	case family.Match, family.NoMatch, family.CannotSay:
		return out.Answer, false, nil
	}
	return family.CannotSay, false, errors.New("civil: the answer is none of the three")
}

// Sign returns the signature of a question ("ask", its timestamp) or of an answer
// ("answer", the request_id): whoever stands behind a registry needs it too.
func Sign(secret []byte, what, of string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s\n%s\n", what, of)
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
