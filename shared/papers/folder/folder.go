// Package folder keeps papers in a directory, and is the door through which they are
// uploaded there: the embedded default, in one process with the house.
//
// A door's URL carries its terms (paper, type, size, checksum, end) and a keyed hash
// of them, so that none can be changed, and a paper is taken once.
package folder

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"gongji/shared/papers"
)

// Path is where the doors are served.
const Path = "/papers/"

// Options are what a Folder is made of.
type Options struct {
	Dir string // made if it is not there
	// Base is the address of the server that serves [Folder.ServeHTTP], without a
	// slash at its end.
	Base string
	// Sign returns a keyed hash of a text, as printable ASCII.
	Sign func(string) string
	// Now is the clock by which doors close.
	Now func() time.Time
	// Refuse answers an upload that is not taken: an error of [Folder.Received], a
	// *papers.Fault, or papers.ErrNone for a door that is not open.
	Refuse func(http.ResponseWriter, *http.Request, error)
}

// Folder is a papers.Shelf in a directory.
type Folder struct {
	o Options
	// Received hears of a paper that has come; what it answers the uploader hears.
	// It is set before the first upload.
	Received func(ctx context.Context, id string) error
}

var _ papers.Shelf = (*Folder)(nil)

// Open returns the folder of a directory, which is made with the first paper.
func Open(o Options) *Folder { return &Folder{o: o} }

// create makes a file in a part of the directory, under a name that is nobody's.
func (f *Folder) create(part string) (*os.File, error) {
	dir := filepath.Join(f.o.Dir, part)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return os.CreateTemp(dir, ".coming-")
}

func (f *Folder) uploaded(id string) string { return filepath.Join(f.o.Dir, "uploaded", id) }
func (f *Folder) kept(id string) string     { return filepath.Join(f.o.Dir, "kept", id) }

// named tells whether a text is an id, and so a file name and nothing else.
func named(id string) bool {
	for i := range len(id) {
		if (id[i] < '0' || id[i] > '9') && (id[i] < 'A' || id[i] > 'Z') && (id[i] < 'a' || id[i] > 'z') {
			return false
		}
	}
	return len(id) == 26
}

var errID = errors.New("folder: an id has 26 letters and digits")

// terms is the text that a door's signature is of.
func terms(id string, a papers.Announced, until int64) string {
	return fmt.Sprintf("paper door 1\n%s\n%s\n%d\n%s\n%d", id, a.ContentType, a.Size, a.SHA256, until)
}

// Door implements papers.Shelf.
func (f *Folder) Door(_ context.Context, id string, a papers.Announced, until time.Time) (papers.Upload, error) {
	if !named(id) {
		return papers.Upload{}, errID
	}
	q := url.Values{
		"type": {a.ContentType}, "size": {strconv.FormatInt(a.Size, 10)}, "sha256": {a.SHA256}, "until": {strconv.FormatInt(until.Unix(), 10)},
		"signature": {f.o.Sign(terms(id, a, until.Unix()))},
	}
	return papers.Upload{
		Method: http.MethodPut, URL: f.o.Base + Path + id + "?" + q.Encode(),
		Headers: map[string]string{"Content-Type": a.ContentType}, Expires: until.UTC().Truncate(time.Second),
	}, nil
}

// ServeHTTP takes an upload: PUT with a door's URL. A door that was changed, has
// closed or was used is not found: it says nothing of what lies behind it.
func (f *Folder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	id, q := r.URL.Path[len(Path):], r.URL.Query()
	size, sizeErr := strconv.ParseInt(q.Get("size"), 10, 64)
	until, untilErr := strconv.ParseInt(q.Get("until"), 10, 64)
	a := papers.Announced{ContentType: q.Get("type"), Size: size, SHA256: q.Get("sha256")}
	signed := subtle.ConstantTimeCompare([]byte(f.o.Sign(terms(id, a, until))), []byte(q.Get("signature"))) == 1
	if r.Method != http.MethodPut || !named(id) || sizeErr != nil || untilErr != nil || !signed || !f.o.Now().Before(time.Unix(until, 0)) || f.used(id) {
		f.o.Refuse(w, r, papers.ErrNone)
		return
	}
	if err := f.take(w, r, id, a); err != nil {
		f.o.Refuse(w, r, err)
		return
	}
	if err := f.Received(r.Context(), id); err != nil {
		f.o.Refuse(w, r, err)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (f *Folder) used(id string) bool {
	for _, path := range []string{f.uploaded(id), f.kept(id)} {
		if _, err := os.Lstat(path); err == nil {
			return true
		}
	}
	return false
}

// take writes the body to the folder, if it is what was announced: under another
// name first, so that what is there is whole.
func (f *Folder) take(w http.ResponseWriter, r *http.Request, id string, a papers.Announced) error {
	if r.Header.Get("Content-Type") != a.ContentType {
		return &papers.Fault{Rule: "papers.type", Detail: "the upload's Content-Type is not " + a.ContentType}
	}
	if r.ContentLength >= 0 && r.ContentLength != a.Size || a.Size > papers.MaxBytes {
		return &papers.Fault{Rule: "papers.size", Detail: fmt.Sprintf("the upload has not the %d bytes that were announced", a.Size)}
	}
	file, err := f.create("uploaded")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // gone already when all went well
	defer file.Close()
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, hash), http.MaxBytesReader(w, r.Body, a.Size))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) || err == nil && n != a.Size || errors.Is(err, io.ErrUnexpectedEOF) {
		return &papers.Fault{Rule: "papers.size", Detail: fmt.Sprintf("the upload has not the %d bytes that were announced", a.Size)}
	}
	if err != nil {
		return err
	}
	if hex.EncodeToString(hash.Sum(nil)) != a.SHA256 {
		return &papers.Fault{Rule: "papers.sha256", Detail: "the upload has not the checksum that was announced"}
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	// A link and not a rename: of two uploads at once the second finds the first.
	if err := os.Link(file.Name(), f.uploaded(id)); errors.Is(err, fs.ErrExist) {
		return papers.ErrNone
	} else if err != nil {
		return err
	}
	return nil
}

// Uploaded implements papers.Shelf. What is empty is the trace of an upload that was
// discarded: no paper is announced as empty.
func (f *Folder) Uploaded(_ context.Context, id string) ([]byte, error) {
	content, err := read(id, f.uploaded(id), papers.MaxBytes+1)
	if err == nil && len(content) == 0 {
		return nil, papers.ErrNone
	}
	return content, err
}

// Kept implements papers.Shelf.
func (f *Folder) Kept(_ context.Context, id string) ([]byte, error) {
	return read(id, f.kept(id), papers.MaxSealed)
}

func read(id, path string, most int64) ([]byte, error) {
	if !named(id) {
		return nil, errID
	}
	file, err := os.Open(path) // #nosec G304 -- its name was looked at by named
	if errors.Is(err, fs.ErrNotExist) {
		return nil, papers.ErrNone
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, most))
}

// Keep implements papers.Shelf.
func (f *Folder) Keep(_ context.Context, id string, sealed []byte) error {
	if !named(id) {
		return errID
	}
	file, err := f.create("kept")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(sealed)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), f.kept(id)); err != nil {
		return err
	}
	return remove(f.uploaded(id))
}

// traceDays is how long the trace of a discarded upload stays, in days: far longer than
// any door is open.
const traceDays = 2

// Discard implements papers.Shelf. The upload is emptied and not deleted, so that its
// door finds it used; traces of doors that have long closed go with it.
func (f *Folder) Discard(_ context.Context, id string) error {
	if !named(id) {
		return errID
	}
	trace, now := f.uploaded(id), f.o.Now()
	if err := errors.Join(os.MkdirAll(filepath.Dir(trace), 0o700), os.WriteFile(trace, nil, 0o600), os.Chtimes(trace, now, now), remove(f.kept(id))); err != nil {
		return err
	}
	there, err := os.ReadDir(filepath.Dir(trace))
	if err != nil {
		return err
	}
	for _, entry := range there {
		info, err := entry.Info()
		if err != nil || !named(entry.Name()) || info.Size() > 0 || now.Before(info.ModTime().AddDate(0, 0, traceDays)) {
			continue // or it was just deleted by another
		}
		if err := remove(f.uploaded(entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// Drop implements papers.Shelf.
func (f *Folder) Drop(_ context.Context, id string) error {
	if !named(id) {
		return errID
	}
	return errors.Join(remove(f.uploaded(id)), remove(f.kept(id)))
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
