package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// client speaks to the house through its doors, as anybody would.
type client struct {
	base string
	http *http.Client
}

func newClient(base string) *client {
	return &client{base, &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}}
}

// problem is the answer "no" of the house.
type problem struct {
	Status    int    `json:"status"`
	Code      string `json:"code"`
	MessageZH string `json:"message_zh"`
	MessageEN string `json:"message_en"`
	Detail    string `json:"detail"`
}

// Error implements error.
func (p *problem) Error() string {
	if p.Detail == p.MessageEN {
		return fmt.Sprintf("%s\n%s\n(%d %s)", p.MessageZH, p.MessageEN, p.Status, p.Code)
	}
	return fmt.Sprintf("%s\n%s\n(%d %s: %s)", p.MessageZH, p.MessageEN, p.Status, p.Code, p.Detail)
}

// request is one request; zero fields are left out.
type request struct {
	method, path string
	token        string
	key          string // Idempotency-Key
	body         any    // JSON, or as it is when it is bytes
}

// reply is what came back.
type reply struct {
	replay bool // the answer was given before
	body   []byte
	tries  int
}

// maxTries bounds how often one request is sent. All of them may be sent again:
// they change nothing, or carry an identity, or change nothing when repeated.
const maxTries = 8

// call sends a request, again when its answer was lost or unknown, and reads the
// answer into out.
func (c *client) call(ctx context.Context, q request, out any) (reply, error) {
	var body []byte
	contentType := "application/json"
	switch b := q.body.(type) {
	case nil:
	case []byte:
		body, contentType = b, "application/x-ndjson"
	default:
		var err error
		if body, err = json.Marshal(b); err != nil {
			return reply{}, err
		}
	}
	for try := 1; ; try++ {
		r, status, err := c.once(ctx, q, contentType, body)
		r.tries = try
		if err == nil && status/100 == 2 {
			if out == nil {
				return r, nil
			}
			return r, json.Unmarshal(r.body, out)
		}
		lost := err != nil || status == http.StatusServiceUnavailable
		if !lost || try == maxTries || ctx.Err() != nil {
			if err != nil {
				return r, err
			}
			p := &problem{Status: status}
			if json.Unmarshal(r.body, p) != nil || p.Code == "" {
				return r, fmt.Errorf("%s %s: status %d", q.method, q.path, status)
			}
			return r, p
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(try) * 50 * time.Millisecond):
		}
	}
}

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 8 << 20

// once sends a request once. An answer that did not arrive whole is none.
func (c *client) once(ctx context.Context, q request, contentType string, body []byte) (reply, int, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, c.base+q.path, bytes.NewReader(body))
	if err != nil {
		return reply{}, 0, err
	}
	if body != nil {
		r.Header.Set("Content-Type", contentType)
	}
	if q.token != "" {
		r.Header.Set("Authorization", "Bearer "+q.token)
	}
	if q.key != "" {
		r.Header.Set("Idempotency-Key", q.key)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return reply{}, 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return reply{}, 0, err
	}
	return reply{replay: answer.Header.Get("Idempotent-Replay") == "true", body: text}, answer.StatusCode, nil
}

// token asks the issuer for a token.
func (c *client) token(ctx context.Context, who claims) (string, error) {
	var out struct{ Token string }
	_, err := c.call(ctx, request{method: "POST", path: "/dev/token", body: who}, &out)
	return out.Token, err
}

// refusedAs tells whether an error is the house's answer with a code.
func refusedAs(err error, code string) bool {
	p := (*problem)(nil)
	return errors.As(err, &p) && p.Code == code
}
