package bucket

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gongji/shared/papers"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	region  = "cn-north-1"
	keyID   = "AKIDEXAMPLE"
	secret  = "a secret of this test"
	session = "a session of this test"
	paper   = "01JD3Q0000000000000000000A"
)

// s3 is as much of Amazon S3 as the bucket meets. It checks signatures by its own
// hand, after "Signature Version 4" of the S3 API reference, and not by the signer
// that made them; what S3 refuses it refuses with S3's status and code.
type s3 struct {
	mu      sync.Mutex
	now     time.Time
	objects map[string][]byte
	down    int  // answered to everything, if not 0
	blind   bool // the caller lacks s3:ListBucket
}

func (s *s3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "IncompleteBody", http.StatusBadRequest)
		return
	}
	if s.down != 0 {
		http.Error(w, "InternalError", s.down)
		return
	}
	if code := s.authorize(r, body); code != "" {
		http.Error(w, code, http.StatusForbidden)
		return
	}
	object, there := s.objects[r.URL.Path]
	switch r.Method {
	case http.MethodPut:
		if want := r.Header.Get("X-Amz-Checksum-Sha256"); want != "" {
			sum := sha256.Sum256(body)
			if want != base64.StdEncoding.EncodeToString(sum[:]) {
				http.Error(w, "BadDigest", http.StatusBadRequest)
				return
			}
		}
		if there && r.Header.Get("If-None-Match") == "*" {
			http.Error(w, "PreconditionFailed", http.StatusPreconditionFailed)
			return
		}
		s.objects[r.URL.Path] = body
	case http.MethodGet:
		if !there && s.blind {
			http.Error(w, "AccessDenied", http.StatusForbidden) // GetObject, "Permissions"
			return
		}
		if !there {
			http.Error(w, "NoSuchKey", http.StatusNotFound)
			return
		}
		w.Write(object)
	case http.MethodDelete:
		delete(s.objects, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "MethodNotAllowed", http.StatusMethodNotAllowed)
	}
}

// authorize returns S3's code for a request that is not signed as it has to be, by its
// header or by its address, or "".
func (s *s3) authorize(r *http.Request, body []byte) string {
	var credential, signedHeaders, signature, date, token, hash string
	query := r.URL.Query()
	presigned := query.Has("X-Amz-Signature")
	if presigned {
		credential, signedHeaders, signature = query.Get("X-Amz-Credential"), query.Get("X-Amz-SignedHeaders"), query.Get("X-Amz-Signature")
		date, token, hash = query.Get("X-Amz-Date"), query.Get("X-Amz-Security-Token"), "UNSIGNED-PAYLOAD"
		query.Del("X-Amz-Signature")
	} else {
		text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
		if !ok {
			return "AccessDenied"
		}
		for part := range strings.SplitSeq(text, ", ") {
			name, value, _ := strings.Cut(part, "=")
			switch name {
			case "Credential":
				credential = value
			case "SignedHeaders":
				signedHeaders = value
			case "Signature":
				signature = value
			}
		}
		date, token, hash = r.Header.Get("X-Amz-Date"), r.Header.Get("X-Amz-Security-Token"), r.Header.Get("X-Amz-Content-Sha256")
		if sum := sha256.Sum256(body); hash != hex.EncodeToString(sum[:]) {
			return "XAmzContentSHA256Mismatch"
		}
	}
	at, err := time.Parse("20060102T150405Z", date)
	if err != nil || token != session {
		return "AccessDenied"
	}
	if presigned {
		seconds, err := strconv.Atoi(query.Get("X-Amz-Expires"))
		if err != nil || seconds < 1 || seconds > 604_800 {
			return "AuthorizationQueryParametersError"
		}
		if !s.now.Before(at.Add(time.Duration(seconds) * time.Second)) {
			return "AccessDenied" // Request has expired
		}
	} else if s.now.Sub(at).Abs() > 15*time.Minute {
		return "RequestTimeTooSkewed"
	}
	scope := at.Format("20060102") + "/" + region + "/s3/aws4_request"
	if credential != keyID+"/"+scope {
		return "InvalidAccessKeyId"
	}
	names := strings.Split(signedHeaders, ";")
	if !slices.IsSorted(names) || !slices.Contains(names, "host") {
		return "AccessDenied"
	}
	for name := range r.Header { // "There were headers present in the request which were not signed"
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") && !slices.Contains(names, name) {
			return "AccessDenied"
		}
	}
	canonical := r.Method + "\n" + r.URL.EscapedPath() + "\n" + strings.ReplaceAll(query.Encode(), "+", "%20") + "\n"
	for _, name := range names {
		value := r.Header.Get(name)
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = strconv.FormatInt(r.ContentLength, 10)
		}
		canonical += name + ":" + strings.TrimSpace(value) + "\n"
	}
	canonical += "\n" + signedHeaders + "\n" + hash
	sum := sha256.Sum256([]byte(canonical))
	key := []byte("AWS4" + secret)
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	want := hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+date+"\n"+scope+"\n"+hex.EncodeToString(sum[:])))
	if subtle.ConstantTimeCompare([]byte(want), []byte(signature)) != 1 {
		return "SignatureDoesNotMatch"
	}
	return ""
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func (s *s3) add(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *s3) fail(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = status
}

func (s *s3) keys() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := []string{}
	for k := range s.objects {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

// open returns a bucket and the S3 that it lies in.
func open(t *testing.T, by aws.CredentialsProvider) (*Bucket, *s3) {
	t.Helper()
	s := &s3{now: time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC), objects: map[string][]byte{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return New(Options{Name: "papers", Region: region, Endpoint: server.URL, Credentials: by, Client: server.Client(), Now: func() time.Time {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.now
	}}), s
}

func with(secret string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: session}, nil
	})
}

// send sends a file through a door and returns S3's status and code.
func send(t *testing.T, up papers.Upload, file []byte) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), up.Method, up.URL, bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range up.Headers {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(fmt.Sprint(answer.StatusCode, " ", string(text)))
}

func terms(file []byte) papers.Announced {
	sum := sha256.Sum256(file)
	return papers.Announced{ContentType: "image/jpeg", Size: int64(len(file)), SHA256: hex.EncodeToString(sum[:])}
}

func TestAPaperGoesThroughTheBucket(t *testing.T) {
	t.Parallel()
	b, s := open(t, with(secret))
	ctx := t.Context()
	file, sealed := []byte("\xff\xd8\xff a photograph"), []byte("what the vault made of it")
	none := func(what string, _ []byte, err error) {
		t.Helper()
		if !errors.Is(err, papers.ErrNone) {
			t.Errorf("%s: %v", what, err)
		}
	}
	got, err := b.Uploaded(ctx, paper)
	none("before the upload", got, err)
	up, err := b.Door(ctx, paper, terms(file), s.now.Add(15*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if want := s.now.Add(15 * time.Minute); !up.Expires.Equal(want) {
		t.Errorf("the door says that it closes at %v, not at %v", up.Expires, want)
	}
	s.add(14 * time.Minute)
	if got := send(t, up, file); got != "200" {
		t.Fatal(got)
	}
	if got, err := b.Uploaded(ctx, paper); err != nil || !bytes.Equal(got, file) {
		t.Fatalf("%q %v", got, err)
	}
	if got := send(t, up, file); got != "412 PreconditionFailed" {
		t.Errorf("the same upload again: %s", got)
	}
	got, err = b.Kept(ctx, paper)
	none("before it is kept", got, err)
	if err := b.Keep(ctx, paper, sealed); err != nil {
		t.Fatal(err)
	}
	got, err = b.Uploaded(ctx, paper)
	none("after it was kept", got, err)
	if left := s.objects["/uploaded/"+paper]; len(left) != 0 {
		t.Errorf("the upload lies there unsealed: %q", left)
	}
	if got := send(t, up, file); got != "412 PreconditionFailed" {
		t.Errorf("the same upload after it was kept: %s", got)
	}
	if got, err := b.Kept(ctx, paper); err != nil || !bytes.Equal(got, sealed) {
		t.Fatalf("%q %v", got, err)
	}
	for range 2 { // and what is not there is discarded
		if err := b.Discard(ctx, paper); err != nil {
			t.Fatal(err)
		}
	}
	got, err = b.Kept(ctx, paper)
	none("after it was discarded", got, err)
	got, err = b.Uploaded(ctx, paper)
	none("the upload after it was discarded", got, err)
	if got := send(t, up, file); got != "412 PreconditionFailed" {
		t.Errorf("the same upload after it was discarded: %s", got)
	}
	for range 2 { // what is not there is dropped
		if err := b.Drop(ctx, paper); err != nil {
			t.Fatal(err)
		}
	}
	got, err = b.Kept(ctx, paper)
	none("after it was dropped", got, err)
	if got := s.keys(); got != "" {
		t.Errorf("what lies in the bucket: %s", got)
	}
}

// TestADoorBindsWhatWasAnnounced: whatever is changed of an upload, S3 refuses it and
// keeps nothing.
func TestADoorBindsWhatWasAnnounced(t *testing.T) {
	t.Parallel()
	file := []byte("\xff\xd8\xff a photograph")
	other := []byte("\xff\xd8\xff b photograph") // of the same size
	sum := func(file []byte) string {
		s := sha256.Sum256(file)
		return base64.StdEncoding.EncodeToString(s[:])
	}
	query := func(up *papers.Upload, name, value string) {
		at, err := url.Parse(up.URL)
		if err != nil {
			t.Fatal(err)
		}
		q := at.Query()
		if !q.Has(name) {
			t.Fatalf("no %s in %s", name, up.URL)
		}
		q.Set(name, value)
		at.RawQuery = q.Encode()
		up.URL = at.String()
	}
	const unlike = "403 SignatureDoesNotMatch"
	for name, c := range map[string]struct {
		change func(*papers.Upload)
		file   []byte
		wait   time.Duration
		want   string
	}{
		"nothing changed":      {want: "200"},
		"a longer file":        {file: append(bytes.Clone(file), 0), want: unlike},
		"a shorter file":       {file: file[1:], want: unlike},
		"another file":         {file: other, want: "400 BadDigest"},
		"another checksum":     {func(u *papers.Upload) { u.Headers["X-Amz-Checksum-Sha256"] = sum(other) }, other, 0, unlike},
		"no checksum":          {func(u *papers.Upload) { delete(u.Headers, "X-Amz-Checksum-Sha256") }, other, 0, unlike},
		"another type":         {change: func(u *papers.Upload) { u.Headers["Content-Type"] = "text/html" }, want: unlike},
		"no type":              {change: func(u *papers.Upload) { delete(u.Headers, "Content-Type") }, want: unlike},
		"over what is there":   {change: func(u *papers.Upload) { delete(u.Headers, "If-None-Match") }, want: unlike},
		"for everybody":        {change: func(u *papers.Upload) { u.Headers["X-Amz-Acl"] = "public-read" }, want: "403 AccessDenied"},
		"another person's":     {change: func(u *papers.Upload) { u.URL = strings.Replace(u.URL, paper, paper[:25]+"B", 1) }, want: unlike},
		"what is kept":         {change: func(u *papers.Upload) { u.URL = strings.Replace(u.URL, "/uploaded/", "/kept/", 1) }, want: unlike},
		"read instead":         {change: func(u *papers.Upload) { u.Method = http.MethodGet }, want: unlike},
		"delete instead":       {change: func(u *papers.Upload) { u.Method = http.MethodDelete }, want: unlike},
		"a longer time":        {change: func(u *papers.Upload) { query(u, "X-Amz-Expires", "604800") }, want: unlike},
		"another signature":    {change: func(u *papers.Upload) { query(u, "X-Amz-Signature", strings.Repeat("0", 64)) }, want: unlike},
		"a second before time": {wait: 15*time.Minute - time.Second, want: "200"},
		"too late":             {wait: 15 * time.Minute, want: "403 AccessDenied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, s := open(t, with(secret))
			up, err := b.Door(t.Context(), paper, terms(file), s.now.Add(15*time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			if c.change != nil {
				c.change(&up)
			}
			s.add(c.wait)
			sent := file
			if c.file != nil {
				sent = c.file
			}
			if got := send(t, up, sent); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if got := s.keys(); (got != "") != (c.want == "200") {
				t.Errorf("what lies in the bucket: %s", got)
			}
		})
	}
}

// TestAnS3ThatFails: a fault is a fault and never "there is no such paper", and names
// no paper.
func TestAnS3ThatFails(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	wrong, _ := open(t, with("another secret"))
	failing, s := open(t, with(secret))
	s.fail(http.StatusServiceUnavailable)
	gone := New(Options{Name: "papers", Region: region, Endpoint: "http://127.0.0.1:1", Credentials: with(secret)})
	for name, b := range map[string]*Bucket{"503": failing, "403": wrong, "refused": gone} {
		_, uploadedErr := b.Uploaded(ctx, paper)
		_, keptErr := b.Kept(ctx, paper)
		for what, err := range map[string]error{"uploaded": uploadedErr, "kept": keptErr, "keep": b.Keep(ctx, paper, []byte("x")), "discard": b.Discard(ctx, paper), "drop": b.Drop(ctx, paper)} {
			if err == nil || errors.Is(err, papers.ErrNone) || strings.Contains(err.Error(), paper) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
	// A role without s3:ListBucket does not hear what is not there: that is a fault too.
	blind, hidden := open(t, with(secret))
	hidden.blind = true
	if _, err := blind.Uploaded(ctx, paper); err == nil || errors.Is(err, papers.ErrNone) {
		t.Errorf("without s3:ListBucket: %v", err)
	}
	// What was not sealed stays until it is: Keep does not delete the upload first.
	s.fail(0)
	s.objects["/uploaded/"+paper] = []byte("x")
	s.fail(http.StatusInternalServerError)
	if err := failing.Keep(ctx, paper, []byte("sealed")); err == nil {
		t.Error("kept, with a failing S3")
	}
	if got := s.keys(); got != "/uploaded/"+paper {
		t.Errorf("what lies in the bucket: %s", got)
	}
}

// TestWhatIsReadIsBounded: of a file that is larger than a paper one byte more is read.
func TestWhatIsReadIsBounded(t *testing.T) {
	t.Parallel()
	b, s := open(t, with(secret))
	s.objects["/uploaded/"+paper] = make([]byte, 11<<20)
	if got, err := b.Uploaded(t.Context(), paper); err != nil || len(got) != papers.MaxBytes+1 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
