package main

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"gongji/shared/app"
)

// logAccess writes one line for each request: what was asked and how it was
// answered, and nothing that names anybody.
func logAccess(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		seen := &statusWriter{ResponseWriter: w}
		ctx, tally := app.WithTally(r.Context())
		r = r.WithContext(ctx)
		defer func() { // also of a request that ends in a panic: its status is 0
			method := r.Method
			if !slices.Contains(methods, method) {
				method = "other"
			}
			level := slog.LevelInfo
			if seen.status >= http.StatusInternalServerError {
				level = slog.LevelError
			}
			attrs := append(tally.Attrs(), slog.String("method", method), slog.String("route", routeOf(r.URL.Path)),
				slog.Int("status", seen.status), slog.Int64("ms", time.Since(began).Milliseconds()), slog.String("request_id", w.Header().Get("Request-Id")))
			log.LogAttrs(ctx, level, "request", attrs...)
		}()
		next.ServeHTTP(seen, r)
	})
}

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the writer beneath.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// routeOf returns a path with a star for all that is no word of the doors. A list
// of what may be logged stays right when somebody puts a name where nobody
// expected one; the router's own pattern is not seen from here.
func routeOf(path string) string {
	parts := strings.Split(path, "/")
	if len(parts) > 8 {
		return "*"
	}
	for i, part := range parts {
		if part != "" && !slices.Contains(routeWords, part) {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}

// routeWords are the fixed words in the paths of the doors.
var routeWords = strings.Fields(`
	v1 me bindings materials submit accept decline grant-order
	premiums dues refund confirmations qr image.svg image.png code128.svg checks account entries
	quotes settlements reversal refunds messages days
	reviews approve reject clarify claim release papers history registry persons freeze unfreeze institutions suspend resume keys
	proofs catalogue credits searches acts trails healthz openapi.json dev token clock
	fsi api rsfComIfsService callService
	config.json oidc authorize logout jwks .well-known openid-configuration
`)
