// Package web holds the pages: what families, tills and reviewers see. They are
// plain files that a browser reads as they are, and speak to the JSON door like
// everybody else; nothing is decided here.
//
// The files lie under /a/ and one hash of them all, so that a browser may keep them
// for ever and never mixes two versions. Only the first page and what it has to know
// of the place it is served from are asked for each time.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed static
var embedded embed.FS

// Options say where the pages are served.
type Options struct {
	// Issuer is who signs people in (OpenID Connect), as in its tokens' claim iss:
	// an absolute URL. Its endpoints lie on the same origin.
	Issuer string
	// ClientID is the pages' name at the issuer: a public client with PKCE, whose
	// one redirect address is the first page's.
	ClientID string
	// Uploads is the origin to which papers are uploaded, where that is not the pages'
	// own: a bucket's, "https://…". It may be empty.
	Uploads string
	// Example is a made-up relative whom the form for adding one offers to fill in:
	// for a place where everybody is made up. It may be nil.
	Example *Example
}

// Example is somebody who can be added: a name, an ID number, and what he is to the
// person who adds him (GB/T 4761).
type Example struct {
	Name     string `json:"name"`
	IDNo     string `json:"id_no"`
	Relation string `json:"relation"`
}

// Pages answers for the pages. It is safe for concurrent use.
type Pages struct {
	files  map[string]*file // by path, "/" and "/a/…"
	policy string           // Content-Security-Policy
}

// New returns the pages of a place.
func New(o Options) (*Pages, error) {
	issuer, err := url.Parse(o.Issuer)
	if err != nil || issuer.Scheme != "https" && issuer.Scheme != "http" || issuer.Host == "" {
		return nil, fmt.Errorf("web: %q is no issuer's URL", o.Issuer)
	}
	if o.ClientID == "" {
		return nil, errors.New("web: the pages have no client id")
	}
	if u, err := url.Parse(o.Uploads); o.Uploads != "" && (err != nil || u.Scheme != "https" || o.Uploads != "https://"+u.Host) {
		return nil, fmt.Errorf("web: %q is no origin that papers are uploaded to", o.Uploads)
	}
	config, err := json.Marshal(struct {
		Issuer   string   `json:"issuer"`
		ClientID string   `json:"client_id"`
		Example  *Example `json:"example,omitempty"`
	}{o.Issuer, o.ClientID, o.Example})
	if err != nil {
		return nil, err
	}
	p := &Pages{files: map[string]*file{}, policy: policyFor(issuer.Scheme+"://"+issuer.Host, o.Uploads)}
	index, err := p.read()
	if err != nil {
		return nil, err
	}
	p.files["/"] = &file{kind: "text/html; charset=utf-8", text: index}
	p.files["/config.json"] = &file{kind: "application/json", text: config}
	return p, nil
}

// read takes over the embedded files and returns the first page.
func (p *Pages) read() ([]byte, error) {
	static, err := fs.Sub(embedded, "static")
	if err != nil {
		return nil, err
	}
	texts, sum := map[string][]byte{}, sha256.New()
	err = fs.WalkDir(static, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(static, name)
		texts[name] = text
		fmt.Fprintf(sum, "%s\x00%d\x00", name, len(text))
		sum.Write(text)
		return err
	})
	if err != nil {
		return nil, err
	}
	root := "/a/" + hex.EncodeToString(sum.Sum(nil))[:16]
	for name, text := range texts {
		if name != "index.html" {
			p.files[root+"/"+name] = &file{kind: kindOf(name), text: text, immutable: true}
		}
	}
	return bytes.ReplaceAll(texts["index.html"], []byte("{{root}}"), []byte(root)), nil
}

// kinds are the media types of the pages' files. A system's own table may have them
// otherwise or not at all, and takes longer to read than a function to start.
var kinds = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json",
	".svg": "image/svg+xml", ".webmanifest": "application/manifest+json",
}

func kindOf(name string) string {
	if kind, ok := kinds[path.Ext(name)]; ok {
		return kind
	}
	return "text/plain; charset=utf-8" // licences, checksums
}

// policyFor returns the Content-Security-Policy: our own scripts and styles from
// their files, none written into a page; nobody else's anything, but for the
// issuer's answers. Pictures of a code need a token, so they come as blobs.
func policyFor(issuer, uploads string) string {
	return strings.Join([]string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob:", "media-src 'self' blob:",
		strings.TrimSpace("connect-src 'self' " + issuer + " " + uploads), "worker-src 'self'", "manifest-src 'self'", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'",
	}, "; ")
}

// Has tells whether a path is one of the pages'.
func (p *Pages) Has(path string) bool {
	return p.files[path] != nil || strings.HasPrefix(path, "/a/")
}

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer") // the first page's address carries the issuer's one-time code
	h.Set("Permissions-Policy", "camera=(self), microphone=(), geolocation=(), payment=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	f := p.files[r.URL.Path]
	switch {
	case f == nil:
		h.Set("Cache-Control", "no-store")
		http.Error(w, "这里没有这个页面。There is no such page.", http.StatusNotFound)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "GET, HEAD", http.StatusMethodNotAllowed)
	default:
		f.serve(w, r)
	}
}

// file is a file as it is served.
type file struct {
	kind      string
	text      []byte
	immutable bool // its path holds a hash of it

	once sync.Once
	tag  string
	zip  []byte // gzipped; nil where that gains nothing
}

// prepare does what is only needed when somebody asks: a Lambda that starts should
// not compress what nobody fetches.
func (f *file) prepare() {
	sum := sha256.Sum256(f.text)
	f.tag = `"` + hex.EncodeToString(sum[:12]) + `"`
	var zipped bytes.Buffer
	z, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression) // the level is one of gzip's own
	_, _ = z.Write(f.text)
	_ = z.Close() // a bytes.Buffer takes everything
	if zipped.Len() < len(f.text)*9/10 {
		f.zip = zipped.Bytes()
	}
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	f.once.Do(f.prepare)
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("ETag", f.tag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache") // keep it, but ask each time
	if f.immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if strings.Contains(r.Header.Get("If-None-Match"), f.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.text
	if f.zip != nil && takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = f.zip
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return
	}
	_, _ = w.Write(body) // the client has gone; there is nobody to tell
}

// takesGzip tells whether a client says that it takes gzip.
func takesGzip(r *http.Request) bool {
	for _, offer := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(offer), ";")
		if name == "gzip" && strings.TrimSpace(weight) != "q=0" {
			return true
		}
	}
	return false
}
