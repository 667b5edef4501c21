package dynamo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"gongji/shared/store"
)

// Commit implements [store.Store].
//
// It sends the transaction at most four times under one token, by which DynamoDB
// knows the tries for the same for ten minutes. Each try is judged by itself,
// and the SDK's own retries are off, for once the outcome of a try is unknown, a
// later one that certainly failed does not speak for it: the first may still be
// on its way. Only two answers then settle the matter: that it is done, and that
// a record has moved off the version it must be at, to which it never returns.
func (s *Store) Commit(ctx context.Context, writes []store.Write) error {
	if err := store.CheckCommit(writes); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	input, err := s.transaction(writes)
	if err != nil {
		return fmt.Errorf("%w: %v", store.ErrInvalid, err)
	}

	unknown := false // the outcome of some try
	for try := 1; try <= tries; try++ {
		if try > 1 && !pause(ctx, try) {
			break
		}
		var o outcome
		o, err = s.try(ctx, input)
		switch {
		case o == done:
			return nil
		case o == moved:
			return store.ErrConflict
		case o == unsure:
			unknown = true
		case unknown:
		case o == held:
			return store.ErrConflict
		case o == invalid:
			return fmt.Errorf("%w: %v", store.ErrInvalid, err)
		case o == refused:
			return unavailable(ctx, err)
		}
	}
	if unknown {
		// Without %w for err: it may wrap the context's, which says "not done".
		return fmt.Errorf("%w: %v", store.ErrUnknown, err)
	}
	return unavailable(ctx, err)
}

// transaction is the one request for all the writes.
func (s *Store) transaction(writes []store.Write) (*dynamodb.TransactWriteItemsInput, error) {
	input := &dynamodb.TransactWriteItemsInput{
		ClientRequestToken: aws.String(rand.Text()),
		TransactItems:      make([]types.TransactWriteItem, len(writes)),
	}
	for i, w := range writes {
		condition, names, values := "#v = :base", map[string]string{"#v": "v"}, map[string]types.AttributeValue{
			":base": &types.AttributeValueMemberN{Value: fmt.Sprint(w.Base)},
		}
		if w.Base == 0 {
			condition, names, values = "attribute_not_exists(#v)", map[string]string{"#v": "v"}, nil
		}
		if w.Check {
			input.TransactItems[i].ConditionCheck = &types.ConditionCheck{
				TableName: &s.table, Key: keyAttributes(w.Key),
				ConditionExpression: &condition, ExpressionAttributeNames: names, ExpressionAttributeValues: values,
			}
			continue
		}
		next, err := encode(w.Key, w.Base+1, w.Body, expiry(w))
		if err != nil {
			return nil, err
		}
		input.TransactItems[i].Put = &types.Put{
			TableName: &s.table, Item: next.attributes(),
			ConditionExpression: &condition, ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		}
	}
	return input, nil
}

// outcome is what one try came to.
type outcome int

const (
	unsure  outcome = iota // nobody knows whether it is done, or will be
	done                   //
	moved                  // not done: a record is at another version, for good
	held                   // not done: another transaction had a record in its hands
	slow                   // not done: not now, but the same again may be
	refused                // not done: something is wrong with the table, the rights, the options
	invalid                // not done: the request is wrong
)

func (s *Store) try(ctx context.Context, input *dynamodb.TransactWriteItemsInput) (outcome, error) {
	sent := false
	_, err := s.client.TransactWriteItems(context.WithValue(ctx, sentKey{}, &sent), input,
		func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	if err != nil && !sent {
		return refused, err
	}
	return judge(err), err
}

// judge tells the outcome of a try that was sent. Whatever it does not know is
// unsure.
func judge(err error) outcome {
	if err == nil {
		return done
	}
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		return judgeReasons(cancelled.CancellationReasons)
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return slow // no connection, so nothing went out
	}
	var answer *smithyhttp.ResponseError
	var api smithy.APIError
	if !errors.As(err, &answer) || !errors.As(err, &api) {
		return unsure
	}
	switch api.ErrorCode() {
	case "TransactionInProgressException", // an earlier try of ours
		"IdempotentParameterMismatchException", // somebody's try under our token
		"UnknownError":                         // the answer is not DynamoDB's
		return unsure
	case "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded":
		return slow
	case "ValidationException":
		return invalid
	}
	if status := answer.HTTPStatusCode(); status >= 400 && status < 500 {
		return refused
	}
	return unsure
}

// judgeReasons weighs the reasons for which DynamoDB gave a transaction up, one
// for each write. That a record has moved counts before all else: it is final.
func judgeReasons(reasons []types.CancellationReason) outcome {
	o := slow // given up for a reason that has no name yet
	for _, r := range reasons {
		switch aws.ToString(r.Code) {
		case "ConditionalCheckFailed":
			return moved
		case "TransactionConflict":
			if o == slow {
				o = held
			}
		case "ValidationError", "ItemCollectionSizeLimitExceeded":
			o = invalid
		}
	}
	return o
}

// sentKey is the context's key of a bool that watchedClient sets when a request
// goes out: what failed before, for want of credentials say, left no effect.
type sentKey struct{}

type watchedClient struct{ HTTPClient }

func (c watchedClient) Do(r *http.Request) (*http.Response, error) {
	if sent, ok := r.Context().Value(sentKey{}).(*bool); ok {
		*sent = true
	}
	return c.HTTPClient.Do(r)
}
