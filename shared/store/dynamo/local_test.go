package dynamo

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gongji/shared/store"
	"gongji/shared/store/storetest"
)

// endpoint is that of the DynamoDB to test against.
func endpoint(t *testing.T) string {
	t.Helper()
	endpoint := os.Getenv("GONGJI_DYNAMODB_ENDPOINT")
	if endpoint == "" {
		t.Skip("needs a DynamoDB: GONGJI_DYNAMODB_ENDPOINT=$(infra/dynamodb-local.sh 8123) go test ./shared/store/dynamo")
	}
	return endpoint
}

// local returns a store in a table of its own. A nil client is the adapter's.
func local(t *testing.T, client HTTPClient) *Store {
	t.Helper()
	s := New(Options{
		Region: "local", Endpoint: endpoint(t), Table: "test-" + rand.Text(),
		Credentials: StaticCredentials("local", "local", ""),
		HTTPClient:  client,
	})
	if err := s.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's own context is over by now.
		_, err := s.client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &s.table})
		if err != nil {
			t.Logf("the table stays behind: %v", err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	endpoint(t) // skips all of it at once
	storetest.Run(t, func(t *testing.T) store.Store { return local(t, nil) })
}

// lossy loses the answers to transactions, after DynamoDB has given them, as
// long as lose says so.
type lossy struct {
	lose func() bool
}

func (l *lossy) Do(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultClient.Do(r)
	if err == nil && strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".TransactWriteItems") && l.lose() {
		_ = answer.Body.Close()
		return nil, errors.New("the answer was lost")
	}
	return answer, err
}

// TestLostAnswers: the token makes a commit that is tried again after it was
// done come out as done, and not as a conflict with itself.
func TestLostAnswers(t *testing.T) {
	lost, most := 0, 0
	s := local(t, &lossy{func() bool {
		lost++
		return lost <= most
	}})
	for i, c := range []struct {
		lose int
		want error
	}{{0, nil}, {1, nil}, {tries - 1, nil}, {tries, store.ErrUnknown}} {
		lost, most = 0, c.lose
		err := s.Commit(t.Context(), []store.Write{{Key: a, Base: uint64(i), Body: []byte("x")}})
		if !errors.Is(err, c.want) {
			t.Errorf("%d answers lost: %v, want %v", c.lose, err, c.want)
		}
		records, err := s.Get(t.Context(), a)
		if err != nil || records[0].Version != uint64(i)+1 {
			t.Errorf("%d answers lost: %+v, %v", c.lose, records, err)
		}
	}
	// To send the unknown one again is to learn that it was done.
	lost, most = 0, 0
	if err := s.Commit(t.Context(), []store.Write{{Key: a, Base: 3, Body: []byte("x")}}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("sent again: %v", err)
	}
}

func TestCreateTable(t *testing.T) {
	s := local(t, nil)
	if err := s.CreateTable(t.Context()); err != nil {
		t.Errorf("a table that is there: %v", err)
	}
	table, err := s.client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &s.table})
	if err != nil {
		t.Fatal(err)
	}
	if mode := table.Table.BillingModeSummary.BillingMode; mode != types.BillingModePayPerRequest {
		t.Errorf("billing mode %s", mode)
	}
	ttl, err := s.client.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &s.table})
	if err != nil {
		t.Fatal(err)
	}
	if d := ttl.TimeToLiveDescription; d.TimeToLiveStatus != types.TimeToLiveStatusEnabled || aws.ToString(d.AttributeName) != "expires" {
		t.Errorf("time to live: %+v", d)
	}
}

func TestNoTable(t *testing.T) {
	s := local(t, nil)
	absent := *s
	absent.table = "none-" + rand.Text()
	_, getErr := absent.Get(t.Context(), a)
	_, listErr := absent.List(t.Context(), store.Range{Part: "P", Limit: 1})
	commitErr := absent.Commit(t.Context(), []store.Write{write})
	for _, err := range []error{getErr, listErr, commitErr} {
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("without a table: %v", err)
		}
	}
}
