// Package onawstest holds what the tests of the deployment share: requests that can
// go both ways, over HTTP and as API Gateway's events, an issuer of tokens, and the
// house's main story told in such requests.
package onawstest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// Request is a request that has not gone anywhere yet.
type Request struct {
	Method, Target string // the target with its query, escaped
	Header         http.Header
	Body           []byte
}

// Reply is what came back.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// HTTP returns the request to a server.
func (q Request) HTTP(t testing.TB, base string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(q.Method, base+q.Target, bytes.NewReader(q.Body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = q.Header.Clone()
	return r
}

// OverHTTP returns the reply of a server.
func OverHTTP(t testing.TB, client *http.Client, r *http.Request) Reply {
	t.Helper()
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Reply{answer.StatusCode, answer.Header, body}
}

// Event returns the request as API Gateway hands it to a function that is reached
// by a route: small names of headers, values of one name joined by commas, cookies
// apart, and a body in base64 unless its type is one of text.
func (q Request) Event(route string) events.APIGatewayV2HTTPRequest {
	path, query, _ := strings.Cut(q.Target, "?")
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: route, RawPath: path, RawQueryString: query, Headers: map[string]string{"host": "api.test"},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: route, Stage: "$default", RequestID: "gateway-request", DomainName: "api.test",
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: q.Method, Path: path, Protocol: "HTTP/1.1", SourceIP: "192.0.2.1"},
		},
		Body: string(q.Body),
	}
	if parsed, err := url.ParseQuery(query); err == nil && query != "" {
		e.QueryStringParameters = map[string]string{}
		for name, values := range parsed {
			e.QueryStringParameters[name] = strings.Join(values, ",")
		}
	}
	for name, values := range q.Header {
		if name == "Cookie" {
			e.Cookies = strings.Split(strings.Join(values, "; "), "; ")
			continue
		}
		e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	kind := q.Header.Get("Content-Type")
	if text := kind == "" || strings.HasPrefix(kind, "application/json") || strings.HasPrefix(kind, "text/"); !text || !utf8.Valid(q.Body) {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(q.Body), true
	}
	return e
}

// ReplyOf returns a function's answer as API Gateway sends it on.
func ReplyOf(t testing.TB, out events.APIGatewayV2HTTPResponse) Reply {
	t.Helper()
	reply := Reply{out.StatusCode, http.Header{}, []byte(out.Body)}
	for name, value := range out.Headers {
		reply.Header.Set(name, value)
	}
	for _, cookie := range out.Cookies {
		reply.Header.Add("Set-Cookie", cookie)
	}
	if out.IsBase64Encoded {
		var err error
		if reply.Body, err = base64.StdEncoding.DecodeString(out.Body); err != nil {
			t.Fatal(err)
		}
	}
	return reply
}

// ThroughJSON returns a value as it comes out of JSON, which is how Lambda hands on
// events and answers.
func ThroughJSON[T any](t testing.TB, v T) (out T) {
	t.Helper()
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}
