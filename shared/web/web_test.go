package web

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// static returns the embedded files by name.
func static(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(embedded, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(embedded, name)
		files[strings.TrimPrefix(name, "static/")] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func pages(t *testing.T) *Pages {
	t.Helper()
	p, err := New(Options{Issuer: "https://issuer.example/oidc", ClientID: "gongji-web"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func ask(p *Pages, method, target string, header ...string) *httptest.ResponseRecorder {
	r, w := httptest.NewRequest(method, target, nil), httptest.NewRecorder()
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	p.ServeHTTP(w, r)
	return w
}

var addresses = regexp.MustCompile(`(?:href|src)="(/a/[^"]+)"`)

func TestFirstPage(t *testing.T) {
	p := pages(t)
	w := ask(p, "GET", "/")
	if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-cache" || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "connect-src 'self' https://issuer.example;", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %q: %s", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "data:") {
		t.Errorf("the policy: %s", policy)
	}
	found := addresses.FindAllStringSubmatch(w.Body.String(), -1)
	if len(found) < 5 {
		t.Fatalf("the first page names only %d files", len(found))
	}
	for _, address := range found {
		w := ask(p, "GET", address[1])
		if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", address[1], w.Code, w.Header())
		}
	}
	if w := ask(p, "GET", "/config.json"); w.Body.String() != `{"issuer":"https://issuer.example/oidc","client_id":"gongji-web"}` {
		t.Errorf("the configuration: %s", w.Body)
	}
}

// TestNothingInline: a page with a script or a style in it would need a weaker policy.
func TestNothingInline(t *testing.T) {
	for name, text := range static(t) {
		if strings.HasPrefix(name, "lib/") {
			continue
		}
		if path.Ext(name) == ".html" {
			if regexp.MustCompile(`<style|<script(?:[^>]*)>[^<]|\son[a-z]+=|style="`).MatchString(text) {
				t.Errorf("%s has a script or a style in it", name)
			}
		}
		for _, found := range regexp.MustCompile(`https?://[^\s'"<)]+`).FindAllString(text, -1) {
			if found != "http://www.w3.org/2000/svg" && found != "http://schemas.openxmlformats.org" { // names, not addresses
				t.Errorf("%s names somebody else's address: %s", name, found)
			}
		}
		for _, sink := range []string{"innerHTML", "dangerouslySetInnerHTML", "document.write", "eval(", "new Function"} {
			if strings.Contains(text, sink) {
				t.Errorf("%s uses %s", name, sink)
			}
		}
	}
}

func TestServing(t *testing.T) {
	p := pages(t)
	css := addresses.FindStringSubmatch(regexp.MustCompile(`<link rel="stylesheet"[^>]*>`).FindString(ask(p, "GET", "/").Body.String()))[1]
	plain, zipped := ask(p, "GET", css), ask(p, "GET", css, "Accept-Encoding", "br, gzip")
	if zipped.Header().Get("Content-Encoding") != "gzip" || zipped.Header().Get("Vary") != "Accept-Encoding" || plain.Header().Get("Content-Encoding") != "" {
		t.Errorf("gzip: %v, plain: %v", zipped.Header(), plain.Header())
	}
	z, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(z); err != nil || !bytes.Equal(text, plain.Body.Bytes()) {
		t.Errorf("what is unzipped is not what was zipped: %v", err)
	}
	if w := ask(p, "GET", css, "Accept-Encoding", "gzip;q=0"); w.Header().Get("Content-Encoding") != "" {
		t.Error("gzip although it is refused")
	}
	tag := plain.Header().Get("ETag")
	if w := ask(p, "GET", css, "If-None-Match", tag); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("unchanged: %d, %d bytes", w.Code, w.Body.Len())
	}
	if w := ask(p, "HEAD", css); w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD: %d %v", w.Code, w.Header())
	}
	if w := ask(p, "POST", "/"); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d %v", w.Code, w.Header())
	}
	for _, target := range []string{"/a/0000000000000000/app.css", "/v1/none", "/a/", "/static/index.html", "/../web.go", "/%2e%2e/web.go"} {
		if w := ask(p, "GET", target); w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", target, w.Code, w.Header())
		}
	}
	if p.Has("/v1/me") || p.Has("/openapi.json") || !p.Has("/") || !p.Has(css) || !p.Has("/a/old/app.css") {
		t.Error("it takes what is not its own, or not what is")
	}
}

func TestBadPlaces(t *testing.T) {
	for _, o := range []Options{{}, {Issuer: "https://issuer.example"}, {Issuer: "issuer.example", ClientID: "x"}, {Issuer: "javascript://x", ClientID: "x"}, {Issuer: "https://", ClientID: "x"}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

// TestLibraries: what was fetched is what refresh.sh fetched.
func TestLibraries(t *testing.T) {
	files := static(t)
	listed := map[string]bool{"lib/SHA256SUMS": true}
	for lines := bufio.NewScanner(strings.NewReader(files["lib/SHA256SUMS"])); lines.Scan(); {
		sum, name, _ := strings.Cut(lines.Text(), "  ")
		listed["lib/"+name] = true
		if got := sha256.Sum256([]byte(files["lib/"+name])); hex.EncodeToString(got[:]) != sum {
			t.Errorf("lib/%s is not the file that was fetched", name)
		}
	}
	for name := range files {
		if strings.HasPrefix(name, "lib/") && !listed[name] {
			t.Errorf("%s came from nowhere", name)
		}
	}
}

var (
	imported   = regexp.MustCompile(`(?m)^(?:import|export)[^;]*?from\s*'([^']+)'`)
	importedIn = regexp.MustCompile(`(?:^|;)import[^;"]*from"([^"]+)"`) // as minifiers write it
	importedBy = regexp.MustCompile(`import\('([^']+)'\)|new URL\('([^']+)', import\.meta\.url\)`)
)

// reach returns the modules that a module cannot run without.
func reach(t *testing.T, files map[string]string, into map[string]bool, name string) {
	t.Helper()
	if into[name] {
		return
	}
	text, there := files[name]
	if !there {
		t.Errorf("%s is imported and not there", name)
		return
	}
	into[name] = true
	pattern := imported
	if strings.HasPrefix(name, "lib/") {
		pattern = importedIn
	}
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		reach(t, files, into, path.Join(path.Dir(name), m[1]))
	}
}

// TestFirstLoad weighs what a family's phone fetches before the first page is there:
// 60 KB, compressed, at most.
func TestFirstLoad(t *testing.T) {
	files := static(t)
	first := map[string]bool{}
	reach(t, files, first, "main.js")
	var preloaded []string
	for _, m := range regexp.MustCompile(`rel="modulepreload" href="\{\{root\}\}/([^"]+)"`).FindAllStringSubmatch(files["index.html"], -1) {
		preloaded = append(preloaded, m[1])
		if !first[m[1]] {
			t.Errorf("%s is fetched ahead and not needed at first", m[1])
		}
	}
	for name := range first {
		if name != "main.js" && !slices.Contains(preloaded, name) {
			t.Errorf("%s is needed at once and not fetched ahead", name)
		}
	}
	reach(t, files, first, "family/app.js")
	for _, name := range []string{"index.html", "app.css", "icon.svg", "texts/shell.zh.json", "texts/family.zh.json"} {
		first[name] = true
	}
	weight := 0
	for name := range first {
		f := &file{text: []byte(files[name])}
		f.prepare()
		n := len(f.text)
		if f.zip != nil {
			n = len(f.zip)
		}
		weight += n
	}
	t.Logf("the first load: %d files, %d bytes compressed", len(first), weight)
	if weight > 60_000 {
		t.Errorf("the first load has %d bytes", weight)
	}
	late := map[string]bool{}
	for name, text := range files {
		if path.Ext(name) == ".js" && !strings.HasPrefix(name, "lib/") {
			for _, m := range importedBy.FindAllStringSubmatch(text, -1) {
				if target := path.Join(path.Dir(name), m[1]+m[2]); !strings.Contains(target, "$") {
					if files[target] == "" {
						t.Errorf("%s wants %s, which is not there", name, target)
					}
					if path.Ext(target) == ".js" {
						reach(t, files, late, target)
					}
				}
			}
		}
	}
	for name := range files {
		if path.Ext(name) == ".js" && !first[name] && !late[name] && name != "lib/jsqr.js" {
			t.Errorf("%s is a page's that nobody opens", name)
		}
	}
}

// TestUploads: pages whose papers go to a bucket may send to it, and to nothing that is
// no origin.
func TestUploads(t *testing.T) {
	place := Options{Issuer: "https://issuer.example", ClientID: "pages", Uploads: "https://papers.s3.cn-north-1.amazonaws.com.cn"}
	p, err := New(place)
	if err != nil {
		t.Fatal(err)
	}
	if policy := ask(p, "GET", "/").Header().Get("Content-Security-Policy"); !strings.Contains(policy, "connect-src 'self' https://issuer.example "+place.Uploads+";") {
		t.Errorf("the policy: %s", policy)
	}
	for _, wrong := range []string{"papers", "http://papers.example", "https://papers.example/x", "https://papers.example; script-src *"} {
		place.Uploads = wrong
		if _, err := New(place); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}
