package deploy

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// function is a built function that runs under a Lambda runtime of ours: the
// interface that Lambda documents for custom runtimes, one invocation at a time.
type function struct {
	t       *testing.T
	cmd     *exec.Cmd
	started time.Time
	polled  chan time.Time // when it asked for work first
	exited  chan struct{}
	log     lockedBuffer

	turn  sync.Mutex // one invocation at a time
	next  chan invocation
	mu    sync.Mutex
	under map[string]invocation // not answered yet
	n     int
}

// invocation is a piece of work and where its outcome goes.
type invocation struct {
	id       string
	event    []byte
	deadline time.Time
	outcome  chan outcome
}

// outcome is what a function made of an invocation.
type outcome struct {
	body   []byte
	failed bool // it reported an error instead of an answer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs a program as Lambda does: nothing in its environment but what is given
// and the address of the runtime.
func start(t *testing.T, program string, env map[string]string) *function {
	t.Helper()
	f := &function{t: t, polled: make(chan time.Time, 1), exited: make(chan struct{}), next: make(chan invocation), under: map[string]invocation{}}
	api := httptest.NewServer(f)
	f.cmd = exec.Command(program)
	f.cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://"), "AWS_LAMBDA_FUNCTION_NAME=test", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512"}
	for name, value := range env {
		f.cmd.Env = append(f.cmd.Env, name+"="+value)
	}
	f.cmd.Stdout, f.cmd.Stderr = &f.log, &f.log
	f.started = time.Now()
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = f.cmd.Wait() // the test asks for the state
		close(f.exited)
	}()
	t.Cleanup(func() {
		f.stop()
		api.CloseClientConnections()
		api.Close()
		if t.Failed() {
			text := f.log.String()
			t.Logf("%s wrote at last:\n%s", program, text[max(0, len(text)-2000):])
		}
	})
	return f
}

func (f *function) stop() {
	_ = f.cmd.Process.Kill() // or it is gone already
	<-f.exited
}

// ServeHTTP is the runtime interface.
func (f *function) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, _ := strings.CutPrefix(r.URL.Path, "/2018-06-01/runtime/")
	if path == "invocation/next" {
		select {
		case f.polled <- time.Now():
		default:
		}
		select {
		case i := <-f.next:
			f.mu.Lock()
			f.under[i.id] = i
			f.mu.Unlock()
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", i.id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.deadline.UnixMilli(), 10))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:test:lambda:function:test")
			w.Header().Set("Lambda-Runtime-Trace-Id", "Root=1-"+i.id)
			_, _ = w.Write(i.event)
		case <-r.Context().Done():
		}
		return
	}
	rest, _ := strings.CutPrefix(path, "invocation/")
	id, what, _ := strings.Cut(rest, "/")
	f.mu.Lock()
	i, known := f.under[id]
	delete(f.under, id)
	f.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil || !known || what != "response" && what != "error" {
		f.t.Errorf("%s %s (%v): %s", r.Method, r.URL.Path, err, body)
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	i.outcome <- outcome{body, what == "error"}
}

// invoke has the function do a piece of work within a time.
func (f *function) invoke(event any, within time.Duration) outcome {
	f.t.Helper()
	text, err := json.Marshal(event)
	if err != nil {
		f.t.Fatal(err)
	}
	f.turn.Lock()
	defer f.turn.Unlock()
	f.n++
	i := invocation{strconv.Itoa(f.n), text, time.Now().Add(within), make(chan outcome, 1)}
	over := time.After(within)
	select {
	case f.next <- i:
	case <-f.exited:
		f.t.Fatalf("it has ended: %v\n%s", f.cmd.ProcessState, f.log.String())
	case <-over:
		f.t.Fatal("it asked for no work")
	}
	select {
	case o := <-i.outcome:
		return o
	case <-f.exited:
		f.t.Fatalf("it ended: %v\n%s", f.cmd.ProcessState, f.log.String())
	case <-over:
		f.t.Fatalf("no answer within %v", within)
	}
	panic("unreachable")
}

// answered returns how often it was asked and answered.
func (f *function) answered() int {
	f.turn.Lock()
	defer f.turn.Unlock()
	return f.n
}

// coldStart returns the time from exec to the first question for work.
func (f *function) coldStart() time.Duration {
	f.t.Helper()
	select {
	case at := <-f.polled:
		return at.Sub(f.started)
	case <-f.exited:
		f.t.Fatalf("it ended: %v\n%s", f.cmd.ProcessState, f.log.String())
	case <-time.After(20 * time.Second):
		f.t.Fatal("it asked for no work")
	}
	panic("unreachable")
}

// peak returns the most memory it has held, in KiB; 0 where the system does not say.
func (f *function) peak() int {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(f.cmd.Process.Pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			return n
		}
	}
	return 0
}
