// Package dynamo keeps the records of [gongji/shared/store] in one DynamoDB
// table: the adapter for production.
//
// A record is an item with the attributes part and sort (the table's key), v
// (the version), body or packed1 (a large body deflated), and expires, which is there only when the record expires
// and is the table's time-to-live attribute. Reads are consistent, one record at
// a time. A commit is one TransactWriteItems whose conditions are of two kinds,
// absent and version equals; of what goes wrong with one, see [Store.Commit].
package dynamo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gongji/shared/store"
)

const (
	tries      = 4                      // of one request, the first included
	tryTimeout = 5 * time.Second        // of one try, answer and all
	maxPause   = 200 * time.Millisecond // between two tries
	getKeys    = 100                    // DynamoDB's bound for one BatchGetItem
)

// HTTPClient sends requests; *http.Client is one.
type HTTPClient interface {
	Do(*http.Request) (*http.Response, error)
}

// Options say which table, where, and as whom.
type Options struct {
	// Region is the table's, such as cn-north-1.
	Region string
	// Endpoint is the address to speak to; empty is AWS's own for the region.
	Endpoint string
	// Table is the table's name.
	Table string
	// Credentials sign the requests.
	Credentials aws.CredentialsProvider
	// HTTPClient sends the requests. Nil is a client of the SDK's that gives up
	// on a try after five seconds.
	HTTPClient HTTPClient
}

// FromEnv reads the region, the endpoint and the credentials from the variables
// that AWS gives them in (AWS_REGION, AWS_ENDPOINT_URL_DYNAMODB,
// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), as a Lambda
// function finds them; getenv is os.Getenv. The endpoint and the session token
// may be missing. The table is left to the caller.
func FromEnv(getenv func(string) string) (Options, error) {
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if getenv(name) == "" {
			return Options{}, fmt.Errorf("dynamo: %s is not set", name)
		}
	}
	return Options{
		Region:   getenv("AWS_REGION"),
		Endpoint: getenv("AWS_ENDPOINT_URL_DYNAMODB"),
		Credentials: StaticCredentials(
			getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN")),
	}, nil
}

// StaticCredentials are a key that does not change; token may be empty.
func StaticCredentials(id, secret, token string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}, nil
	})
}

// Store is a [store.Store] in one table. New makes one.
type Store struct {
	client *dynamodb.Client
	table  string
}

var _ store.Store = (*Store)(nil)

// New returns the store in a table. It sends nothing: a mistake in o shows in
// the first call, as store.ErrUnavailable.
func New(o Options) *Store {
	if o.HTTPClient == nil {
		o.HTTPClient = awshttp.NewBuildableClient().WithTimeout(tryTimeout)
	}
	options := dynamodb.Options{
		Region:      o.Region,
		Credentials: o.Credentials,
		HTTPClient:  watchedClient{o.HTTPClient},
		Retryer: retry.NewStandard(func(r *retry.StandardOptions) { // for reads; Commit has its own way
			r.MaxAttempts = tries
			r.MaxBackoff = maxPause
		}),
	}
	if o.Endpoint != "" {
		options.BaseEndpoint = &o.Endpoint
	}
	return &Store{client: dynamodb.New(options), table: o.Table}
}

// Get implements [store.Store].
func (s *Store) Get(ctx context.Context, keys ...store.Key) ([]store.Record, error) {
	if err := store.CheckGet(keys); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	found := make(map[store.Key]store.Record, len(keys))
	var wanted []map[string]types.AttributeValue
	for _, k := range keys {
		if _, named := found[k]; named { // one request may not name a key twice
			continue
		}
		found[k] = store.Record{Key: k}
		wanted = append(wanted, keyAttributes(k))
	}
	for len(wanted) > 0 {
		n := min(len(wanted), getKeys)
		if err := s.getBatch(ctx, wanted[:n], found); err != nil {
			return nil, unavailable(ctx, err)
		}
		wanted = wanted[n:]
	}
	records := make([]store.Record, len(keys))
	for i, k := range keys {
		r := found[k]
		r.Body = append([]byte(nil), r.Body...) // a key named twice gives two records
		records[i] = r
	}
	return records, nil
}

// getBatch puts the records under the keys into found. DynamoDB answers as many
// as it likes to (16 MB at most) and names the others, to be asked for again.
func (s *Store) getBatch(ctx context.Context, keys []map[string]types.AttributeValue, found map[store.Key]store.Record) error {
	for try := 1; len(keys) > 0; {
		out, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{s.table: {Keys: keys, ConsistentRead: aws.Bool(true)}},
		})
		if err != nil {
			return err
		}
		for _, attributes := range out.Responses[s.table] {
			r, err := recordOf(attributes)
			if err != nil {
				return err
			}
			found[r.Key] = r
		}
		rest := out.UnprocessedKeys[s.table].Keys
		if len(rest) < len(keys) {
			try = 1
		} else if try++; try > tries || !pause(ctx, try) {
			return fmt.Errorf("%d keys of %d go unanswered", len(rest), len(keys))
		}
		keys = rest
	}
	return nil
}

// List implements [store.Store].
func (s *Store) List(ctx context.Context, r store.Range) ([]store.Record, error) {
	if err := store.CheckRange(r); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	input := &dynamodb.QueryInput{
		TableName:                &s.table,
		ConsistentRead:           aws.Bool(true),
		ScanIndexForward:         aws.Bool(!r.Descending),
		KeyConditionExpression:   aws.String("#part = :part"),
		ExpressionAttributeNames: map[string]string{"#part": "part"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":part": &types.AttributeValueMemberS{Value: r.Part},
		},
	}
	if r.Prefix != "" {
		input.KeyConditionExpression = aws.String("#part = :part AND begins_with(#sort, :prefix)")
		input.ExpressionAttributeNames["#sort"] = "sort"
		input.ExpressionAttributeValues[":prefix"] = &types.AttributeValueMemberS{Value: r.Prefix}
	}
	// DynamoDB begins after a key that need not be there, but must lie within
	// the prefix. One outside has either all of the records after it or none.
	switch {
	case r.After == "":
	case strings.HasPrefix(r.After, r.Prefix):
		input.ExclusiveStartKey = keyAttributes(store.Key{Part: r.Part, Sort: r.After})
	case r.After > r.Prefix != r.Descending:
		return nil, nil
	}

	var records []store.Record
	for {
		input.Limit = aws.Int32(int32(r.Limit - len(records)))
		out, err := s.client.Query(ctx, input)
		if err != nil {
			return nil, unavailable(ctx, err)
		}
		for _, attributes := range out.Items {
			record, err := recordOf(attributes)
			if err != nil {
				return nil, unavailable(ctx, err)
			}
			records = append(records, record)
		}
		// One answer holds at most 1 MB.
		if len(out.LastEvaluatedKey) == 0 || len(records) >= r.Limit {
			return records, nil
		}
		input.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// Scan implements [store.Scanner].
func (s *Store) Scan(ctx context.Context, after store.Key, limit int) ([]store.Record, error) {
	if limit < 1 || limit > store.MaxList {
		return nil, fmt.Errorf("%w: limit %d is not in 1..%d", store.ErrInvalid, limit, store.MaxList)
	}
	input := &dynamodb.ScanInput{TableName: &s.table, ConsistentRead: aws.Bool(true), Limit: aws.Int32(int32(limit))}
	if after != (store.Key{}) {
		input.ExclusiveStartKey = keyAttributes(after)
	}
	for {
		out, err := s.client.Scan(ctx, input)
		if err != nil {
			return nil, unavailable(ctx, err)
		}
		var records []store.Record
		for _, attributes := range out.Items {
			record, err := recordOf(attributes)
			if err != nil {
				return nil, unavailable(ctx, err)
			}
			records = append(records, record)
		}
		if len(records) > 0 || len(out.LastEvaluatedKey) == 0 {
			return records, nil
		}
		input.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// pause waits before a try (the second is 2), the longer the more there were
// before. It reports false when the context ends meanwhile.
func pause(ctx context.Context, try int) bool {
	longest := min(maxPause, 25*time.Millisecond<<(try-1))
	timer := time.NewTimer(rand.N(longest)) // #nosec G404 -- nobody guesses it to gain; all of it random, so that rivals part
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// unavailable turns a failure that left no effect into the port's words.
func unavailable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: %v", store.ErrUnavailable, err)
}

// CreateTable makes the table, paid by request, with time to live on expires,
// and returns when it can be used. It is for tests and for a local server; in
// production the table belongs to the deployment. A table that is there already
// is left as it is.
func (s *Store) CreateTable(ctx context.Context) error {
	attribute := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS}
	}
	_, err := s.client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:            &s.table,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{attribute("part"), attribute("sort")},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("part"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sort"), KeyType: types.KeyTypeRange},
		},
	})
	if exists := (*types.ResourceInUseException)(nil); errors.As(err, &exists) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("dynamo: create table %s: %w", s.table, err)
	}
	ready := dynamodb.NewTableExistsWaiter(s.client, func(w *dynamodb.TableExistsWaiterOptions) {
		w.MinDelay, w.MaxDelay = 50*time.Millisecond, 2*time.Second
	})
	if err := ready.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &s.table}, time.Minute); err != nil {
		return fmt.Errorf("dynamo: table %s does not get ready: %w", s.table, err)
	}
	_, err = s.client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: &s.table,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: aws.String("expires"), Enabled: aws.Bool(true),
		},
	})
	if err != nil {
		return fmt.Errorf("dynamo: time to live of table %s: %w", s.table, err)
	}
	return nil
}
