package his

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"gongji/shared/app"
	"gongji/shared/family"
	"gongji/shared/throttle"
)

// Options are what the door is made of. App is needed.
type Options struct {
	App *app.App
	// Gate limits how much one may ask; nil limits nobody.
	Gate *throttle.Gate
	// Now is the clock by which signatures are judged; the default is time.Now. It
	// is the machine's own, as for tokens at the other door.
	Now func() time.Time
	// Log hears of errors that a client is not told. It is never given a body, a
	// name, an ID number or a code.
	Log *slog.Logger
}

// door is what the handlers share.
type door struct {
	app  *app.App
	gate *throttle.Gate
	now  func() time.Time
	log  *slog.Logger
	keys keyCache
}

// Prefix begins every path of the door.
const Prefix = "/fsi/api/"

// maxBody bounds a request, in bytes: a batch of a hundred lines takes some 80 KB, a
// statement's file of 256 KiB comes as text of twice its size.
const maxBody = 1 << 20

// New returns the door as a handler of all paths below Prefix.
func New(o Options) http.Handler {
	d := &door{app: o.App, gate: o.Gate, now: o.Now, log: o.Log}
	if d.now == nil {
		d.now = time.Now
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	return http.HandlerFunc(d.serve)
}

// serve answers one request.
func (d *door) serve(w http.ResponseWriter, r *http.Request) {
	requestID := rand.Text()
	h := w.Header()
	h.Set("Request-Id", requestID)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	c := &call{Context: r.Context(), door: d, began: d.now()}
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			d.log.ErrorContext(r.Context(), "panic", "request_id", requestID, "stack", string(debug.Stack()))
			c.refuse(w, family.Refuse(family.Internal))
		}
	}()
	if wait := d.gate.Address(r); wait > 0 {
		c.refuse(w, &family.Refusal{Code: family.RateLimited, RetryAfter: wait})
		return
	}
	infno, known := paths[strings.TrimPrefix(r.URL.Path, Prefix)]
	switch {
	case !known || !strings.HasPrefix(r.URL.Path, Prefix):
		gatewayAnswer(w, http.StatusNotFound, "没有此服务!")
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		gatewayAnswer(w, http.StatusMethodNotAllowed, "请使用POST方法!")
		return
	}
	mobile := strings.TrimPrefix(r.URL.Path, Prefix) == mobilePath
	var signed signature
	if !mobile { // which signs within the body
		var denied *family.Refusal
		if signed, denied = d.verify(r); denied != nil {
			c.refuse(w, denied)
			return
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var tooLong *http.MaxBytesError
		if !errors.As(err, &tooLong) {
			return // the client has gone
		}
		c.refuse(w, family.Refuse(family.TooLarge))
		return
	}
	var out any
	if mobile {
		err = c.serveMobile(w, body)
	} else if out, err = c.handle(body, infno, signed); err == nil {
		c.answer(w, out)
	}
	if err == nil {
		return
	}
	refusal := app.RefusalOf(err)
	if refusal == nil {
		d.log.ErrorContext(r.Context(), "internal", "request_id", requestID, "infno", c.infno, "error", err)
		refusal = family.Refuse(family.Internal)
	}
	c.refuse(w, refusal)
}

// call is one request on its way.
type call struct {
	context.Context
	*door
	envelope
	began  time.Time
	own    string // the transaction whose own address was asked; empty at the one for all
	mobile bool   // it came encrypted
	signed signature
	place  family.InstitutionCode
	// sent goes with every message that changes something.
	sent app.Sent
	// lines names a bill's lines as the request did, for a refusal that is of one.
	lines func(no int) string
}

// handle reads the message and carries out its transaction.
func (c *call) handle(body []byte, infno string, s signature) (any, error) {
	if !utf8.Valid(body) {
		return nil, &family.Refusal{Code: family.Malformed, Detail: "not UTF-8"}
	}
	if err := c.read(body); err != nil {
		return nil, err
	}
	if infno != "" && infno != c.infno && infno != strings.TrimRight(c.infno, "A") {
		return nil, &family.Refusal{Code: family.Malformed, Field: "infno", Observed: c.infno, Allowed: infno, Detail: "the address is of another transaction"}
	}
	if s.infno != "" && s.infno != c.infno {
		return nil, denial(mismatch)
	}
	if c.code != s.key.Institution {
		return nil, denial(stranger)
	}
	if wait := c.gate.Institution(string(c.code)); wait > 0 {
		return nil, &family.Refusal{Code: family.RateLimited, RetryAfter: wait}
	}
	c.signed, c.place, c.own = s, c.code, infno
	t, offered := transactions[c.infno]
	if !offered || c.mobile && !mobileOffers[c.infno] {
		return nil, &family.Refusal{Code: family.Unsupported, Field: "infno", Observed: c.infno}
	}
	c.sent = app.Sent{Form: c.form(), Signature: s.text, SignedTogether: s.together, SignedUntil: s.until}
	out, err := t(c)
	if fault := *c.input.fault; fault != nil {
		return nil, fault
	}
	return out, err
}
