package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"gongji/infra/demo"
	"gongji/shared/family"
)

// house is the program, running in this process.
type house struct {
	*client
	stop func() int // ends it as a signal does, and returns its exit status

	mu          sync.Mutex
	out, errout bytes.Buffer
	told        chan struct{} // closed when the story is over
}

// launch starts the program on a free port and waits until it listens. It ends
// with the test.
func launch(t *testing.T, args ...string) *house {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	h := &house{told: make(chan struct{})}
	reader, writer := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		status := run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), writer, h.logTo())
		_ = writer.Close()
		ended <- status
	}()
	h.stop = sync.OnceValue(func() int { cancel(); return <-ended })
	t.Cleanup(func() { h.stop() })

	lines := bufio.NewScanner(reader)
	if !lines.Scan() {
		t.Fatalf("the program ended before it listened, with status %d:\n%s", h.stop(), h.log())
	}
	base, ok := strings.CutPrefix(lines.Text(), "listening on ")
	if !ok {
		t.Fatalf("the first line is %q", lines.Text())
	}
	h.client = newClient(base)
	go func() {
		defer close(h.told)
		for lines.Scan() {
			h.mu.Lock()
			h.out.WriteString(lines.Text() + "\n")
			h.mu.Unlock()
			if strings.Contains(lines.Text(), "advance_seconds") { // the last thing it says
				h.told <- struct{}{}
			}
		}
	}()
	return h
}

// hear waits until the story is over and returns all that was said.
func (h *house) hear(t *testing.T) string {
	t.Helper()
	if _, over := <-h.told; !over {
		t.Fatalf("the program ended in the story, with status %d:\n%s%s", h.stop(), h.said(), h.log())
	}
	return h.said()
}

func (h *house) said() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.out.String()
}

func (h *house) log() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.errout.String()
}

type logWriter struct{ *house }

func (w logWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.errout.Write(b)
}

func (h *house) logTo() io.Writer { return logWriter{h} }

// as returns a token.
func (h *house) as(t *testing.T, who claims) string {
	t.Helper()
	token, err := h.token(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// get asks a door and reads its answer.
func get[A any](t *testing.T, h *house, who claims, path string) A {
	t.Helper()
	var answer A
	if _, err := h.call(t.Context(), request{method: "GET", path: path, token: h.as(t, who)}, &answer); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return answer
}

// moveIn feeds the demo region and returns a story in it that has bound the
// child, and the binding.
func moveIn(t *testing.T, h *house) (*story, string) {
	t.Helper()
	s := &story{narrator: narrator{out: io.Discard}, ctx: t.Context(), house: h.client, days: map[string]bool{}}
	if err := s.introduce(); err != nil {
		t.Fatal(err)
	}
	id, err := s.bindChild()
	if err != nil {
		t.Fatal(err)
	}
	return s, id
}

type account struct {
	Balance family.Fen `json:"balance_fen"`
}

func balance(t *testing.T, h *house, person string) family.Fen {
	t.Helper()
	return get[account](t, h, claims{Person: person}, "/v1/account").Balance
}

var mother = claims{Person: demo.Mother}

// files lists a directory.
func files(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func decode[A any](t *testing.T, text []byte) A {
	t.Helper()
	var a A
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return a
}
