package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Client speaks to one house. It sends nothing twice: whoever uses it decides what
// to do about an answer that did not come.
type Client struct {
	base string
	http *http.Client
}

// maxIdle bounds the connections that a client keeps open.
const maxIdle = 256

// NewClient returns a client of the house at an address.
func NewClient(base string) *Client {
	return &Client{base, &http.Client{
		Timeout:   time.Minute,
		Transport: &http.Transport{MaxIdleConns: maxIdle, MaxIdleConnsPerHost: maxIdle},
	}}
}

// Close gives the connections back.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Request is one request; empty fields are left out.
type Request struct {
	Method, Path string
	Token        string
	Key          string // Idempotency-Key
	Body         []byte
	NDJSON       bool
}

// Reply is what came back whole. Status 0 is no answer: nobody knows what became
// of the request.
type Reply struct {
	Status int
	Replay bool
	Body   []byte
}

// Unknown tells whether the reply leaves open what becomes of the request: none
// came, or the house said itself that it does not know, or not now.
func (r Reply) Unknown() bool {
	return r.Status == 0 || r.Status >= http.StatusInternalServerError || r.Status == http.StatusTooManyRequests
}

// OK tells whether the request did what it asked for.
func (r Reply) OK() bool { return r.Status/100 == 2 }

// Code returns the code of a problem document, or "".
func (r Reply) Code() string {
	var p struct{ Code string }
	if r.OK() || json.Unmarshal(r.Body, &p) != nil {
		return ""
	}
	return p.Code
}

// Do sends a request once.
func (c *Client) Do(ctx context.Context, q Request) Reply {
	r, err := http.NewRequestWithContext(ctx, q.Method, c.base+q.Path, bytes.NewReader(q.Body))
	if err != nil {
		return Reply{}
	}
	// A transport sends what carries an Idempotency-Key once more by itself when the
	// connection breaks, if it can read the body again.
	r.GetBody = nil
	if q.Body != nil {
		r.Header.Set("Content-Type", "application/json")
		if q.NDJSON {
			r.Header.Set("Content-Type", "application/x-ndjson")
		}
	}
	if q.Token != "" {
		r.Header.Set("Authorization", "Bearer "+q.Token)
	}
	if q.Key != "" {
		r.Header.Set("Idempotency-Key", q.Key)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return Reply{}
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return Reply{} // an answer that did not arrive whole is none
	}
	return Reply{answer.StatusCode, answer.Header.Get("Idempotent-Replay") == "true", body}
}

// Read sends a request whose answer must be a success, and reads it into out.
func (c *Client) Read(ctx context.Context, q Request, out any) error {
	reply := c.Do(ctx, q)
	if !reply.OK() {
		return fmt.Errorf("rig: %s %s: %d %s", q.Method, q.Path, reply.Status, reply.Body)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(reply.Body, out)
}

// Who is whom a token is for: a person, an institution, or somebody with a role.
type Who struct {
	Person      string   `json:"person_no,omitempty"`
	Institution string   `json:"fixmedins_code,omitempty"`
	Roles       []string `json:"roles,omitempty"`
}

// Token asks the local server's own issuer for a token.
func (c *Client) Token(ctx context.Context, who Who) (string, error) {
	var out struct{ Token string }
	return out.Token, c.Read(ctx, Request{Method: http.MethodPost, Path: "/dev/token", Body: Encode(who)}, &out)
}

// Encode writes a value that is known to be JSON.
func Encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // a value of this package's own
	}
	return text
}
