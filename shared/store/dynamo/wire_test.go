package dynamo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"gongji/shared/store"
)

// answer is what the wire brings back for one request: a status and a body, or
// an error. Wait is how long that takes.
type answer struct {
	status int
	body   string
	err    error
	wait   time.Duration
	// cancel ends the caller's context while the request is under way.
	cancel bool
}

var fine = answer{status: 200, body: `{}`}

// fault is an error as DynamoDB writes it down.
func fault(status int, kind, more string) answer {
	return answer{status: status, body: fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"told so"%s}`, kind, more)}
}

// cancelled is a transaction given up, with a reason for each write.
func cancelled(reasons ...string) answer {
	var list []string
	for _, r := range reasons {
		list = append(list, fmt.Sprintf(`{"Code":%q,"Message":"told so"}`, r))
	}
	return fault(400, "TransactionCanceledException", `,"CancellationReasons":[`+strings.Join(list, ",")+`]`)
}

// wire answers requests from a list, its last entry again and again, and keeps
// their bodies.
type wire struct {
	answers []answer
	cancel  context.CancelFunc
	bodies  []string
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	a := w.answers[min(len(w.bodies), len(w.answers)-1)]
	w.bodies = append(w.bodies, string(body))
	if a.cancel {
		w.cancel()
	}
	if a.wait > 0 {
		select {
		case <-time.After(a.wait):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{
		StatusCode: a.status, Header: http.Header{}, Request: r,
		Body: io.NopCloser(strings.NewReader(a.body)),
	}, nil
}

func (w *wire) store(options ...func(*Options)) *Store {
	o := Options{
		Region: "local", Endpoint: "http://127.0.0.1:1", Table: "t", Credentials: StaticCredentials("id", "secret", ""),
		HTTPClient: &http.Client{Transport: w, Timeout: tryTimeout},
	}
	for _, option := range options {
		option(&o)
	}
	return New(o)
}

var (
	a     = store.Key{Part: "P", Sort: "a"}
	write = store.Write{Key: a, Body: []byte("x")}

	reset   = answer{err: &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}}
	noRoute = answer{err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}}
	hangs   = answer{wait: time.Hour}

	check = cancelled("None", "ConditionalCheckFailed")
	hold  = cancelled("TransactionConflict", "None")
)

func TestCommitOutcomes(t *testing.T) {
	server := fault(500, "InternalServerError", "")
	for _, c := range []struct {
		name    string
		answers []answer
		want    error
		sent    int
	}{
		{"done", []answer{fine}, nil, 1},

		// The transaction is given up: certainly not done.
		{"condition failed", []answer{check}, store.ErrConflict, 1},
		{"held by another", []answer{hold}, store.ErrConflict, 1},
		{"condition failed beside a conflict", []answer{cancelled("TransactionConflict", "ConditionalCheckFailed")}, store.ErrConflict, 1},
		{"condition failed beside a throttle", []answer{cancelled("ThrottlingError", "ConditionalCheckFailed")}, store.ErrConflict, 1},
		{"held beside a throttle", []answer{cancelled("ThrottlingError", "TransactionConflict")}, store.ErrConflict, 1},
		{"throttled", []answer{cancelled("None", "ThrottlingError")}, store.ErrUnavailable, tries},
		{"out of throughput", []answer{cancelled("ProvisionedThroughputExceeded")}, store.ErrUnavailable, tries},
		{"a reason of tomorrow", []answer{cancelled("None", "SunSpots")}, store.ErrUnavailable, tries},
		{"no reasons", []answer{cancelled()}, store.ErrUnavailable, tries},
		{"an item refused", []answer{cancelled("ValidationError")}, store.ErrInvalid, 1},
		{"an item refused beside a conflict", []answer{cancelled("ValidationError", "TransactionConflict")}, store.ErrInvalid, 1},
		{"throttled, then done", []answer{cancelled("ThrottlingError"), fine}, nil, 2},
		{"throttled, then moved", []answer{cancelled("ThrottlingError"), check}, store.ErrConflict, 2},
		{"throttled, then held", []answer{cancelled("ThrottlingError"), hold}, store.ErrConflict, 2},

		// The request is refused: certainly not done.
		{"request throttled", []answer{fault(400, "ThrottlingException", "")}, store.ErrUnavailable, tries},
		{"request out of throughput", []answer{fault(400, "ProvisionedThroughputExceededException", "")}, store.ErrUnavailable, tries},
		{"account throttled", []answer{fault(400, "RequestLimitExceeded", "")}, store.ErrUnavailable, tries},
		{"invalid", []answer{fault(400, "ValidationException", "")}, store.ErrInvalid, 1},
		{"no table", []answer{fault(400, "ResourceNotFoundException", "")}, store.ErrUnavailable, 1},
		{"no right", []answer{fault(400, "AccessDeniedException", "")}, store.ErrUnavailable, 1},
		{"no such key", []answer{fault(400, "UnrecognizedClientException", "")}, store.ErrUnavailable, 1},
		{"nobody there", []answer{noRoute}, store.ErrUnavailable, tries},
		{"nobody there at first", []answer{noRoute, fine}, nil, 2},

		// Nobody knows.
		{"server error", []answer{server}, store.ErrUnknown, tries},
		{"service unavailable", []answer{fault(503, "ServiceUnavailable", "")}, store.ErrUnknown, tries},
		{"a gateway's page", []answer{{status: 502, body: `<html>`}}, store.ErrUnknown, tries},
		{"a stranger's 404", []answer{{status: 404, body: `<html>`}}, store.ErrUnknown, tries},
		{"half an answer", []answer{{status: 200, body: `{"Consumed`}}, store.ErrUnknown, tries},
		{"connection reset", []answer{reset}, store.ErrUnknown, tries},
		{"no answer", []answer{hangs}, store.ErrUnknown, tries},
		{"in progress", []answer{fault(400, "TransactionInProgressException", "")}, store.ErrUnknown, tries},
		{"token taken", []answer{fault(400, "IdempotentParameterMismatchException", "")}, store.ErrUnknown, tries},

		// Once unknown, only "done" and "moved for good" settle it.
		{"reset, then done", []answer{reset, fine}, nil, 2},
		{"server error, then done", []answer{server, fine}, nil, 2},
		{"in progress, then done", []answer{reset, fault(400, "TransactionInProgressException", ""), fine}, nil, 3},
		{"reset, then moved", []answer{reset, check}, store.ErrConflict, 2},
		{"reset, then held", []answer{reset, hold}, store.ErrUnknown, tries},
		{"reset, then held, then done", []answer{reset, hold, fine}, nil, 3},
		{"reset, then held, then moved", []answer{reset, hold, check}, store.ErrConflict, 3},
		{"reset, then throttled", []answer{reset, cancelled("ThrottlingError")}, store.ErrUnknown, tries},
		{"reset, then nobody there", []answer{reset, noRoute}, store.ErrUnknown, tries},
		{"reset, then no right", []answer{reset, fault(400, "AccessDeniedException", "")}, store.ErrUnknown, tries},
		{"reset, then invalid", []answer{reset, fault(400, "ValidationException", "")}, store.ErrUnknown, tries},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // so that no pause takes time
				w := &wire{answers: c.answers}
				err := w.store().Commit(t.Context(), []store.Write{write, {Key: store.Key{Part: "P", Sort: "b"}, Base: 7, Check: true}})
				if !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
				for _, other := range []error{store.ErrConflict, store.ErrUnknown, store.ErrUnavailable, store.ErrInvalid, context.DeadlineExceeded, context.Canceled} {
					if other != c.want && errors.Is(err, other) {
						t.Errorf("%v is %v as well", err, other)
					}
				}
				if len(w.bodies) != c.sent {
					t.Errorf("%d requests went out, want %d", len(w.bodies), c.sent)
				}
				if tokens := tokens(t, w); len(slices.Compact(tokens)) != 1 {
					t.Errorf("tries under different tokens: %v", tokens)
				}
			})
		})
	}
}

func tokens(t *testing.T, w *wire) []string {
	t.Helper()
	var tokens []string
	for _, body := range w.bodies {
		var request struct{ ClientRequestToken string }
		if err := json.Unmarshal([]byte(body), &request); err != nil || request.ClientRequestToken == "" {
			t.Fatalf("no token in %s (%v)", body, err)
		}
		tokens = append(tokens, request.ClientRequestToken)
	}
	return tokens
}

func TestEachCommitHasItsToken(t *testing.T) {
	w := &wire{answers: []answer{fine}}
	s := w.store()
	for range 2 { // the very same commit, sent again by its caller
		if err := s.Commit(t.Context(), []store.Write{write}); err != nil {
			t.Fatal(err)
		}
	}
	if tokens := tokens(t, w); tokens[0] == tokens[1] || len(tokens[0]) > 36 {
		t.Errorf("tokens %q", tokens)
	}
}

// TestCommitRequest holds the request to what the table's other users, the
// deployment's template and its operators, rely on.
func TestCommitRequest(t *testing.T) {
	w := &wire{answers: []answer{fine}}
	err := w.store().Commit(t.Context(), []store.Write{
		{Key: store.Key{Part: "ACCT#1", Sort: "A"}, Base: 41, Body: []byte{0, 255}, Expires: time.Unix(4102444800, 0)},
		{Key: store.Key{Part: "ACCT#1", Sort: "E#1"}, Body: []byte("x")},
		{Key: store.Key{Part: "ACCT#2", Sort: "A"}, Base: 7, Check: true},
		{Key: store.Key{Part: "ID#1", Sort: "A"}, Check: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	const names = `"ExpressionAttributeNames":{"#v":"v"},"TableName":"t"`
	want := `{"ClientRequestToken":"","TransactItems":[` +
		`{"Put":{"ConditionExpression":"#v = :base","ExpressionAttributeValues":{":base":{"N":"41"}},` + names + `,` +
		`"Item":{"part":{"S":"ACCT#1"},"sort":{"S":"A"},"v":{"N":"42"},"body":{"B":"AP8="},"expires":{"N":"4102444800"}}}},` +
		`{"Put":{"ConditionExpression":"attribute_not_exists(#v)",` + names + `,` +
		`"Item":{"part":{"S":"ACCT#1"},"sort":{"S":"E#1"},"v":{"N":"1"},"body":{"B":"eA=="}}}},` +
		`{"ConditionCheck":{"ConditionExpression":"#v = :base","ExpressionAttributeValues":{":base":{"N":"7"}},` + names + `,` +
		`"Key":{"part":{"S":"ACCT#2"},"sort":{"S":"A"}}}},` +
		`{"ConditionCheck":{"ConditionExpression":"attribute_not_exists(#v)",` + names + `,` +
		`"Key":{"part":{"S":"ID#1"},"sort":{"S":"A"}}}}]}`
	if got := canonical(t, w.bodies[0]); got != canonical(t, want) {
		t.Errorf("the request is\n%s\nwant\n%s", got, canonical(t, want))
	}
}

// canonical orders a request's members and leaves out its token.
func canonical(t *testing.T, text string) string {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	delete(v, "ClientRequestToken")
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCommitContext(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []answer
		want    error
	}{
		{"over while the request is under way", []answer{{cancel: true, wait: time.Hour}}, store.ErrUnknown},
		{"over while the answer comes", []answer{{cancel: true, status: 200, body: `{}`}}, nil},
		{"over between two tries, the first throttled", []answer{{cancel: true, status: 400, body: cancelled("ThrottlingError").body}}, context.Canceled},
		{"over between two tries, the first unknown", []answer{{cancel: true, status: 500, body: `{}`}}, store.ErrUnknown},
		// The SDK hides that nothing was sent: unknown is not wrong.
		{"over while nobody is there", []answer{{cancel: true, err: noRoute.err}}, store.ErrUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w := &wire{answers: c.answers, cancel: cancel}
				err := w.store().Commit(ctx, []store.Write{write})
				// A try that was answered in the same moment may count as unknown too.
				if c.want == nil && errors.Is(err, store.ErrUnknown) {
					return
				}
				if !errors.Is(err, c.want) || (errors.Is(err, context.Canceled) && errors.Is(err, store.ErrUnknown)) {
					t.Errorf("got %v, want %v", err, c.want)
				}
				if len(w.bodies) != 1 {
					t.Errorf("%d requests went out", len(w.bodies))
				}
			})
		})
	}
}

// TestNothingSent: what fails before a request goes out left no effect.
func TestNothingSent(t *testing.T) {
	w := &wire{answers: []answer{fine}}
	for name, spoil := range map[string]func(*Options){
		"no credentials": func(o *Options) {
			o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{}, errors.New("none")
			})
		},
		"no region":            func(o *Options) { o.Region, o.Endpoint = "", "" },
		"a senseless endpoint": func(o *Options) { o.Endpoint = "::" },
	} {
		err := w.store(spoil).Commit(t.Context(), []store.Write{write})
		if !errors.Is(err, store.ErrUnavailable) || len(w.bodies) != 0 {
			t.Errorf("%s: %v, and %d requests went out", name, err, len(w.bodies))
		}
	}
}

func TestReadOutcomes(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []answer
		want    error
	}{
		{"server error", []answer{fault(500, "InternalServerError", "")}, store.ErrUnavailable},
		{"connection reset", []answer{reset}, store.ErrUnavailable},
		{"no answer", []answer{hangs}, store.ErrUnavailable},
		{"throttled", []answer{fault(400, "ProvisionedThroughputExceededException", "")}, store.ErrUnavailable},
		{"no table", []answer{fault(400, "ResourceNotFoundException", "")}, store.ErrUnavailable},
		{"half an answer", []answer{{status: 200, body: `{"Resp`}}, store.ErrUnavailable},
		{"not a record", []answer{{status: 200, body: `{"Items":[{"part":{"S":"P"},"sort":{"S":"a"}}],"Responses":{"t":[{"part":{"S":"P"},"sort":{"S":"a"}}]}}`}}, store.ErrUnavailable},
		{"context over", []answer{{cancel: true, wait: time.Hour}}, context.Canceled},
		{"reset, then fine", []answer{reset, fine}, nil},
		{"throttled, then fine", []answer{fault(400, "ThrottlingException", ""), fine}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				w := &wire{answers: c.answers, cancel: cancel}
				if _, err := w.store().Get(ctx, a); !errors.Is(err, c.want) {
					t.Errorf("Get: %v, want %v", err, c.want)
				}
				cancel()
				ctx, cancel = context.WithCancel(t.Context())
				defer cancel()
				w = &wire{answers: c.answers, cancel: cancel}
				if _, err := w.store().List(ctx, store.Range{Part: "P", Limit: 1}); !errors.Is(err, c.want) {
					t.Errorf("List: %v, want %v", err, c.want)
				}
			})
		})
	}
}

// TestUnprocessedKeys: DynamoDB may answer some of the keys and name the rest.
func TestUnprocessedKeys(t *testing.T) {
	none := answer{status: 200, body: `{"Responses":{"t":[]},"UnprocessedKeys":{"t":{"Keys":[{"part":{"S":"P"},"sort":{"S":"a"}},{"part":{"S":"P"},"sort":{"S":"b"}}]}}}`}
	some := answer{status: 200, body: `{"Responses":{"t":[{"part":{"S":"P"},"sort":{"S":"b"},"v":{"N":"3"},"body":{"B":"eA=="}}]},` +
		`"UnprocessedKeys":{"t":{"Keys":[{"part":{"S":"P"},"sort":{"S":"a"}}],"ConsistentRead":true}}}`}
	rest := answer{status: 200, body: `{"Responses":{"t":[{"part":{"S":"P"},"sort":{"S":"a"},"v":{"N":"2"},"body":{"B":"eQ=="},"expires":{"N":"4102444800"}}]}}`}
	b := store.Key{Part: "P", Sort: "b"}
	for _, c := range []struct {
		name    string
		answers []answer
		want    error
		sent    int
	}{
		{"all the same", []answer{none}, store.ErrUnavailable, tries},
		{"none, some, the rest", []answer{none, some, rest}, nil, 3},
		{"patience anew after some", []answer{none, none, none, some, none, none, none, rest}, nil, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answers: c.answers}
				records, err := w.store().Get(t.Context(), a, b, a)
				if !errors.Is(err, c.want) || len(w.bodies) != c.sent {
					t.Fatalf("got %v after %d requests, want %v after %d", err, len(w.bodies), c.want, c.sent)
				}
				for i, body := range w.bodies {
					if !strings.Contains(body, `"ConsistentRead":true`) {
						t.Errorf("request %d does not ask for a consistent read: %s", i, body)
					}
				}
				if err != nil {
					return
				}
				got := fmt.Sprintf("%+v", records)
				want := fmt.Sprintf("%+v", []store.Record{
					{Key: a, Version: 2, Body: []byte("y"), Expires: time.Unix(4102444800, 0).UTC()},
					{Key: b, Version: 3, Body: []byte("x")},
					{Key: a, Version: 2, Body: []byte("y"), Expires: time.Unix(4102444800, 0).UTC()},
				})
				if got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			})
		})
	}
}

// TestRefusedUnsent: what breaks the bounds never goes out.
func TestRefusedUnsent(t *testing.T) {
	w := &wire{answers: []answer{fine}}
	s := w.store()
	_, getErr := s.Get(t.Context(), store.Key{Part: "P"})
	_, listErr := s.List(t.Context(), store.Range{Part: "P"})
	commitErr := s.Commit(t.Context(), nil)
	for _, err := range []error{getErr, listErr, commitErr} {
		if !errors.Is(err, store.ErrInvalid) {
			t.Errorf("got %v", err)
		}
	}
	if records, err := s.Get(t.Context()); err != nil || len(records) != 0 {
		t.Errorf("Get of nothing: %v, %v", records, err)
	}
	if len(w.bodies) != 0 {
		t.Errorf("%d requests went out", len(w.bodies))
	}
}

func TestFromEnv(t *testing.T) {
	env := map[string]string{
		"AWS_REGION": "cn-north-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_SESSION_TOKEN": "token", "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000",
	}
	getenv := func(name string) string { return env[name] }
	o, err := FromEnv(getenv)
	if err != nil {
		t.Fatal(err)
	}
	c, err := o.Credentials.Retrieve(t.Context())
	if err != nil || o.Region != "cn-north-1" || o.Endpoint != "http://127.0.0.1:8000" || o.Table != "" ||
		c.AccessKeyID != "id" || c.SecretAccessKey != "secret" || c.SessionToken != "token" {
		t.Errorf("got %+v, %+v, %v", o, c, err)
	}
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		saved := env[name]
		env[name] = ""
		if _, err := FromEnv(getenv); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
		env[name] = saved
	}
}
