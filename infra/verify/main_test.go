package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gongji/shared/checkpoint"
	"gongji/shared/family"

	"golang.org/x/mod/sumdb/note"
)

// signed is a house that tells signed days to whoever has the auditor's token, a head a
// page, and a folder of an auditor.
type signed struct {
	t      *testing.T
	signer note.Signer
	notes  map[string]string
	heads  map[string][]checkpoint.Head
	dir    string
	url    string
}

const auditorsToken = "auditor"

func newSigned(t *testing.T) *signed {
	t.Helper()
	s := &signed{t: t, notes: map[string]string{}, heads: map[string][]checkpoint.Head{}, dir: t.TempDir()}
	s.signer = s.key("seal.pub")
	s.file("token", auditorsToken+"\n")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/checkpoints/{day}", func(w http.ResponseWriter, r *http.Request) {
		if s.allowed(w, r) {
			s.tell(w, map[string]string{"note": s.notes[r.PathValue("day")]})
		}
	})
	mux.HandleFunc("GET /v1/checkpoints/{day}/heads", func(w http.ResponseWriter, r *http.Request) {
		if !s.allowed(w, r) {
			return
		}
		type head struct {
			PersonNo string `json:"person_no"`
			Seq      uint64 `json:"seq"`
			Hash     string `json:"hash"`
		}
		var page struct {
			Items []head `json:"items"`
			Next  string `json:"next_after"`
		}
		after := r.URL.Query().Get("after")
		for i, h := range s.heads[r.PathValue("day")] {
			if string(h.Account) <= after {
				continue
			}
			page.Items = []head{{string(h.Account), h.Seq, string(h.Hash)}}
			if i < len(s.heads[r.PathValue("day")])-1 {
				page.Next = string(h.Account)
			}
			break
		}
		s.tell(w, page)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// key makes a key, writes its public half to a file and returns its signer.
func (s *signed) key(file string) note.Signer {
	s.t.Helper()
	private, public, err := note.GenerateKey(rand.Reader, "house")
	if err != nil {
		s.t.Fatal(err)
	}
	s.file(file, public)
	signer, err := note.NewSigner(private)
	if err != nil {
		s.t.Fatal(err)
	}
	return signer
}

func (s *signed) file(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *signed) allowed(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Authorization") != "Bearer "+auditorsToken || s.notes[r.PathValue("day")] == "" {
		http.Error(w, "no", http.StatusNotFound)
		return false
	}
	return true
}

func (s *signed) tell(w http.ResponseWriter, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.t.Error(err)
	}
}

// sign has the house sign a day's heads after the note of the day before.
func (s *signed) sign(day family.Day, previous string, heads ...checkpoint.Head) {
	s.t.Helper()
	text, err := checkpoint.Of(day, heads, previous).Sign(s.signer)
	if err != nil {
		s.t.Fatal(err)
	}
	s.notes[day.String()], s.heads[day.String()] = text, heads
}

// verify runs the program and returns what it says and its status.
func (s *signed) verify(day, key string) (string, int) {
	var out bytes.Buffer
	in := func(name string) string { return filepath.Join(s.dir, name) }
	status := run([]string{"-key", in(key), "-keep", s.dir, "-token", in("token"), "-day", day, "-url", s.url}, &out, &out)
	return out.String(), status
}

func (s *signed) wants(day, key string, status int, says string) {
	s.t.Helper()
	if out, got := s.verify(day, key); got != status || !strings.Contains(out, says) {
		s.t.Errorf("%s with %s: %d %q, want %d and %q", day, key, got, out, status, says)
	}
}

// TestSignedDays: a good chain is kept and agrees; a head that was changed, one that is
// gone, a day that was signed again, a day that is missing and another key are found,
// and nothing is kept that does not agree.
func TestSignedDays(t *testing.T) {
	t.Parallel()
	s := newSigned(t)
	head := func(p family.PersonNo, seq uint64, fill string) checkpoint.Head {
		return checkpoint.Head{Account: p, Seq: seq, Hash: family.Hash(strings.Repeat(fill, 64))}
	}
	first := []checkpoint.Head{head("P1", 3, "a"), head("P2", 7, "b"), head("P3", 1, "c")}
	s.sign(20261120, "", first...)
	s.sign(20261121, s.notes["20261120"], head("P1", 4, "d"))
	for range 2 { // kept, then compared
		s.wants("20261120", "seal.pub", 0, "20261120 is what was signed")
		s.wants("20261121", "seal.pub", 0, "20261121 is what was signed")
	}

	for _, c := range []struct {
		what string
		now  []checkpoint.Head
	}{
		{"changed", []checkpoint.Head{first[0], head("P2", 7, "e"), first[2]}},
		{"gone", []checkpoint.Head{first[0], first[2]}},
		{"shorter", []checkpoint.Head{first[0], head("P2", 6, "b"), first[2]}},
	} {
		s.heads["20261120"] = c.now
		if out, status := s.verify("20261120", "seal.pub"); status != 1 || !strings.Contains(out, "P2") {
			t.Errorf("a head that is %s: %d %q", c.what, status, out)
		}
	}
	s.sign(20261120, "", first[0], head("P2", 7, "e"), first[2])
	s.wants("20261120", "seal.pub", 1, "signed again")
	s.sign(20261120, "", first...)
	s.wants("20261120", "seal.pub", 0, "is what was signed")

	// A day that the house does not tell cannot be found out; nor is it kept.
	s.wants("20261119", "seal.pub", 2, "404")
	// Another day's note in the place of one.
	s.notes["20261122"] = s.notes["20261121"]
	s.wants("20261122", "seal.pub", 1, "not signed with this key")

	// Another's key, and a house that signs with another.
	other := s.key("other.pub")
	s.wants("20261121", "other.pub", 1, "not signed with this key")
	s.signer = other
	s.sign(20261121, s.notes["20261120"], head("P1", 4, "d"))
	s.wants("20261121", "seal.pub", 1, "not signed with this key")

	// What never agreed is not kept: the heads of a new day are others than were signed.
	s.sign(20261123, s.notes["20261121"], head("P1", 5, "a"))
	s.heads["20261123"] = []checkpoint.Head{head("P1", 5, "b")}
	s.wants("20261123", "other.pub", 1, "")
	for _, name := range []string{"20261119.note", "20261122.note", "20261123.note"} {
		if _, err := os.Stat(filepath.Join(s.dir, name)); err == nil {
			t.Errorf("%s was kept", name)
		}
	}
	// Mistakes of whoever calls it.
	s.wants("2026112", "seal.pub", 2, "")
	s.wants("20261120", "token", 2, "")
	s.file("token", "nobody")
	s.wants("20261120", "seal.pub", 2, "404")
}
