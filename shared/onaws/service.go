package onaws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Bounds of a call. A function has ten seconds to start.
const (
	tries      = 4
	oneTry     = 2 * time.Second        // answer and all
	pause      = 300 * time.Millisecond // at most, between two tries
	allTries   = 8 * time.Second
	maxReply   = 64 << 10
	maxMessage = 300 // of an error that a service tells, in bytes
)

// service is a service of AWS that takes JSON by POST (protocol AWS JSON 1.1). It is
// signed by the signer of the AWS SDK and asked over plain HTTP: four calls of two
// services do not need two clients, which cost every cold start more than all of ours.
type service struct {
	name, target string // "kms", "TrentService"
	region, at   string
	credentials  aws.CredentialsProvider
	client       *http.Client
	signer       *v4.Signer
}

// service returns a service of the region's, or what stands in for it.
func (e env) service(name, target, endpoint string) service {
	if endpoint == "" {
		domain := "amazonaws.com"
		if strings.HasPrefix(e.db.Region, "cn-") {
			domain += ".cn"
		}
		endpoint = "https://" + name + "." + e.db.Region + "." + domain
	}
	return service{
		name: name, target: target, region: e.db.Region, at: endpoint + "/", credentials: e.db.Credentials,
		client: &http.Client{Timeout: oneTry}, signer: v4.NewSigner(),
	}
}

// fault is an error that a service answered with.
type fault struct {
	status        int
	code, message string
}

func (f *fault) Error() string { return fmt.Sprintf("%d %s: %s", f.status, f.code, f.message) }

// passing tells whether the same call may do better.
func (f *fault) passing() bool {
	_, throttled := retry.DefaultThrottleErrorCodes[f.code]
	return f.status >= 500 || f.status == http.StatusTooManyRequests || throttled
}

// call has an action done, trying a few times what may pass.
func (s service) call(ctx context.Context, action string, ask, answer any) error {
	body, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, allTries)
	defer cancel()
	for n := 1; ; n++ {
		err := s.try(ctx, action, body, answer)
		if f := (*fault)(nil); err == nil || n == tries || ctx.Err() != nil || errors.As(err, &f) && !f.passing() {
			return err
		}
		select {
		case <-time.After(pause * time.Duration(n) / tries):
		case <-ctx.Done():
			return err
		}
	}
}

func (s service) try(ctx context.Context, action string, body []byte, answer any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.at, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", s.target+"."+action)
	credentials, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	if err := s.signer.SignHTTP(ctx, credentials, r, hex.EncodeToString(sum[:]), s.name, s.region, time.Now()); err != nil {
		return err
	}
	reply, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(io.LimitReader(reply.Body, maxReply))
	if err != nil {
		return err
	}
	if reply.StatusCode != http.StatusOK {
		// "com.amazonaws.kms#Name" and "Name:http://…" are Name; the message is
		// spelled either way, and encoding/json takes both.
		var told struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		_ = json.Unmarshal(text, &told) // what is not JSON tells nothing
		code, _, _ := strings.Cut(told.Type[strings.LastIndexByte(told.Type, '#')+1:], ":")
		return &fault{reply.StatusCode, code, told.Message[:min(len(told.Message), maxMessage)]}
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return errors.New("the answer is not what it should be") // it may hold keys, and errors quote
	}
	return nil
}
