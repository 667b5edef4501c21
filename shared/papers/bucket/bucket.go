// Package bucket keeps papers in an S3 bucket. What is uploaded goes there directly,
// by a presigned URL that binds type, size, checksum and time, and that can be used
// once. It signs by the signer of the AWS SDK and speaks plain HTTP: five requests do
// not need a client of their own.
package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"gongji/shared/papers"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Options are what a Bucket is made of.
type Options struct {
	Name, Region string
	// Endpoint is the address of the bucket; empty for Amazon's in the region.
	Endpoint    string
	Credentials aws.CredentialsProvider
	Client      *http.Client
	// Now is the clock by which requests are signed.
	Now func() time.Time
}

// Bucket is a papers.Shelf in S3.
type Bucket struct {
	o      Options
	signer *v4.Signer
}

var _ papers.Shelf = (*Bucket)(nil)

// New returns the shelf of a bucket.
func New(o Options) *Bucket {
	if o.Endpoint == "" {
		domain := "amazonaws.com"
		if len(o.Region) > 3 && o.Region[:3] == "cn-" {
			domain += ".cn"
		}
		o.Endpoint = "https://" + o.Name + ".s3." + o.Region + "." + domain
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 20 * time.Second}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Bucket{o, v4.NewSigner(func(s *v4.SignerOptions) { s.DisableURIPathEscaping = true })}
}

func uploaded(id string) string { return "/uploaded/" + id }
func kept(id string) string     { return "/kept/" + id }

// unsigned stands for a body whose hash is bound by another header.
const unsigned = "UNSIGNED-PAYLOAD"

// Door implements papers.Shelf. If-None-Match has S3 refuse a second upload.
func (b *Bucket) Door(ctx context.Context, id string, a papers.Announced, until time.Time) (papers.Upload, error) {
	sum, err := hex.DecodeString(a.SHA256)
	if err != nil {
		return papers.Upload{}, fmt.Errorf("bucket: checksum: %w", err)
	}
	now := b.o.Now()
	q := url.Values{"X-Amz-Expires": {strconv.FormatInt(int64(until.Sub(now)/time.Second), 10)}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, b.o.Endpoint+uploaded(id)+"?"+q.Encode(), nil)
	if err != nil {
		return papers.Upload{}, fmt.Errorf("bucket: %w", err)
	}
	headers := map[string]string{
		"Content-Type": a.ContentType, "X-Amz-Checksum-Sha256": base64.StdEncoding.EncodeToString(sum), "If-None-Match": "*",
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	r.ContentLength = a.Size
	credentials, err := b.o.Credentials.Retrieve(ctx)
	if err != nil {
		return papers.Upload{}, fmt.Errorf("bucket: credentials: %w", err)
	}
	signed, _, err := b.signer.PresignHTTP(ctx, credentials, r, unsigned, "s3", b.o.Region, now)
	if err != nil {
		return papers.Upload{}, fmt.Errorf("bucket: signing: %w", err)
	}
	return papers.Upload{Method: http.MethodPut, URL: signed, Headers: headers, Expires: until.UTC().Truncate(time.Second)}, nil
}

// Uploaded implements papers.Shelf. What is empty is the trace of an upload that was
// kept or discarded: no paper is announced as empty.
func (b *Bucket) Uploaded(ctx context.Context, id string) ([]byte, error) {
	content, err := b.get(ctx, uploaded(id), papers.MaxBytes+1)
	if err == nil && len(content) == 0 {
		return nil, papers.ErrNone
	}
	return content, err
}

// Kept implements papers.Shelf.
func (b *Bucket) Kept(ctx context.Context, id string) ([]byte, error) {
	return b.get(ctx, kept(id), papers.MaxSealed)
}

func (b *Bucket) get(ctx context.Context, path string, most int64) ([]byte, error) {
	answer, err := b.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusNotFound {
		return nil, papers.ErrNone
	}
	if answer.StatusCode != http.StatusOK {
		return nil, status(answer)
	}
	content, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err != nil {
		return nil, fmt.Errorf("bucket: %w", err)
	}
	return content, nil
}

// Keep implements papers.Shelf. The upload is emptied and not deleted, so that its door
// finds it used; the bucket's lifecycle deletes it days after the door has closed.
func (b *Bucket) Keep(ctx context.Context, id string, sealed []byte) error {
	if err := b.expect(ctx, http.MethodPut, kept(id), sealed, http.StatusOK); err != nil {
		return err
	}
	return b.expect(ctx, http.MethodPut, uploaded(id), nil, http.StatusOK)
}

// Discard implements papers.Shelf. What marks the door as used is the empty upload, as
// after [Bucket.Keep].
func (b *Bucket) Discard(ctx context.Context, id string) error {
	return errors.Join(b.expect(ctx, http.MethodPut, uploaded(id), nil, http.StatusOK), b.expect(ctx, http.MethodDelete, kept(id), nil, http.StatusNoContent))
}

// Drop implements papers.Shelf.
func (b *Bucket) Drop(ctx context.Context, id string) error {
	return errors.Join(b.expect(ctx, http.MethodDelete, uploaded(id), nil, http.StatusNoContent), b.expect(ctx, http.MethodDelete, kept(id), nil, http.StatusNoContent))
}

func (b *Bucket) expect(ctx context.Context, method, path string, body []byte, want int) error {
	answer, err := b.do(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != want {
		return status(answer)
	}
	return nil
}

// do sends one signed request. Its errors name no address: an id of a paper is in it.
func (b *Bucket) do(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, b.o.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("bucket: %w", err)
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	r.Header.Set("X-Amz-Content-Sha256", hash)
	credentials, err := b.o.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("bucket: credentials: %w", err)
	}
	if err := b.signer.SignHTTP(ctx, credentials, r, hash, "s3", b.o.Region, b.o.Now()); err != nil {
		return nil, fmt.Errorf("bucket: signing: %w", err)
	}
	answer, err := b.o.Client.Do(r)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("bucket: %s: %w", method, err)
	}
	return answer, nil
}

func status(r *http.Response) error {
	return fmt.Errorf("bucket: %s was answered %d", r.Request.Method, r.StatusCode)
}
