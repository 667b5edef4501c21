package webtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// house is a house of its own, running for one test.
type house struct {
	t    *testing.T
	base string
}

// program builds the house once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gongji-webtest")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "local")
	build := exec.Command("go", "build", "-o", path, "./infra/local")
	build.Dir = "../.."
	if text, err := build.CombinedOutput(); err != nil {
		return "", &buildError{text, err}
	}
	return path, nil
})

type buildError struct {
	text []byte
	err  error
}

func (e *buildError) Error() string { return e.err.Error() + "\n" + string(e.text) }

// start starts a house, with its story told or an empty one with the demo region fed.
func start(t *testing.T, told bool) *house {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	// Without the story the demo's people are still to be chosen from: they are on the
	// page by -demo, so the story runs in every house and its bindings are ended.
	run := exec.Command(path, "-addr", "127.0.0.1:0", "-data", t.TempDir())
	var said bytes.Buffer
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	run.Stderr = &said
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	go func() {
		base := ""
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if at, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
				base = at
			}
			if strings.Contains(lines.Text(), "advance_seconds") { // the last thing it says
				ready <- base
				break
			}
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	t.Cleanup(func() {
		_ = run.Process.Signal(syscall.SIGTERM)
		_ = run.Wait()
		if t.Failed() {
			t.Logf("the house:\n%.3000s", said.String())
		}
	})
	h := &house{t: t}
	select {
	case h.base = <-ready:
	case <-time.After(time.Minute):
		t.Fatalf("the house did not start:\n%s", said.String())
	}
	if !told {
		h.endBindings()
	}
	return h
}

// endBindings ends what the story bound, so that a test can begin at the beginning.
func (h *house) endBindings() {
	h.t.Helper()
	var list struct {
		Items []struct {
			ID    string `json:"binding_id"`
			State string
		}
	}
	mother := h.token(`{"person_no":"DEMO01"}`)
	h.ask("GET", "/v1/bindings", mother, nil, &list)
	for _, b := range list.Items {
		if b.State != "ended" {
			h.ask("DELETE", "/v1/bindings/"+b.ID, mother, nil, nil)
		}
	}
}

// token is a token of the developers' door.
func (h *house) token(claims string) string {
	h.t.Helper()
	var answer struct{ Token string }
	h.ask("POST", "/dev/token", "", json.RawMessage(claims), &answer)
	return answer.Token
}

// ask asks a door of the house, beside the browser.
func (h *house) ask(method, path, token string, body, into any) int {
	h.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		h.t.Fatal(err)
	}
	if body == nil {
		text = nil
	}
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.base+path, bytes.NewReader(text))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer answer.Body.Close()
	heard, err := io.ReadAll(answer.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(heard, into); err != nil {
			h.t.Fatalf("%s %s: %d %s", method, path, answer.StatusCode, heard)
		}
	}
	return answer.StatusCode
}
