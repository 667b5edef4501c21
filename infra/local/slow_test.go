package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hold serves a handler within limits, and returns where.
func hold(t *testing.T, l limits, handler http.HandlerFunc) string {
	t.Helper()
	listener, err := listen("127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	server, _ := serve(listener, handler, l, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { _ = server.Close() })
	return listener.Addr().String()
}

// dial opens a connection that ends with the test. Its deadline is there for a server
// that never lets go: no test waits for it otherwise.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// drip sends a beginning and then a byte now and then, until it is let go.
func drip(conn net.Conn, beginning string) {
	_, err := io.WriteString(conn, beginning)
	for err == nil {
		time.Sleep(5 * time.Millisecond)
		_, err = io.WriteString(conn, "a")
	}
}

// TestSlowClientsAreLetGo has clients that send their header or their body drop by
// drop, say nothing, say nothing more, or never read their answer. Each of them is let
// go, and others are served meanwhile.
func TestSlowClientsAreLetGo(t *testing.T) {
	t.Parallel()
	const short = 200 * time.Millisecond
	l := limits{header: short, whole: 2 * short, answer: 4 * short, idle: short, headerBytes: usual.headerBytes, connections: 100}
	unread := make(chan error, 100) // what the answers that nobody read ended with
	address := hold(t, l, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return // a body that did not come
		}
		if r.URL.Path != "/large" {
			_, _ = io.WriteString(w, "done")
			return
		}
		part, err := make([]byte, 1<<20), error(nil)
		for n := 0; n < 1<<10 && err == nil; n++ {
			_, err = w.Write(part)
		}
		unread <- err
	})
	const each = 4
	var slow sync.WaitGroup
	for _, c := range []struct {
		what, sends string
		drips       bool
	}{
		{"nothing", "", false},
		{"a header drop by drop", "GET / HTTP/1.1\r\nHost: x\r\nA: ", true},
		{"a body drop by drop", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", true},
		{"a request, and then nothing", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", false},
	} {
		for range each {
			conn := dial(t, address)
			slow.Go(func() {
				if c.drips {
					go drip(conn, c.sends)
				} else if _, err := io.WriteString(conn, c.sends); err != nil {
					t.Errorf("%s: %v", c.what, err)
				}
				// Until the server closes it. A reset is such an end too.
				if _, err := io.Copy(io.Discard, conn); isTimeout(err) {
					t.Errorf("%s: it is held", c.what)
				}
			})
		}
	}
	for range each {
		if _, err := io.WriteString(dial(t, address), "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for range 20 {
		answer, err := client.Get("http://" + address)
		if err != nil {
			t.Fatalf("beside the slow: %v", err)
		}
		_ = answer.Body.Close()
	}
	slow.Wait()
	for range each {
		select {
		case err := <-unread:
			if err == nil {
				t.Error("an answer of 1 GB was taken by nobody")
			}
		case <-time.After(time.Minute):
			t.Fatal("an answer that nobody reads is held")
		}
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// TestLimitsAreSet: a limit of zero is none.
func TestLimitsAreSet(t *testing.T) {
	l := usual
	if l.header <= 0 || l.whole < l.header || l.answer <= 0 || l.idle <= 0 || l.headerBytes <= 0 || l.connections <= 10_000 {
		t.Errorf("%+v", l)
	}
	address := hold(t, l, func(http.ResponseWriter, *http.Request) { t.Error("a header of 64 KiB came in") })
	conn := dial(t, address)
	go func() { _, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nA: "+strings.Repeat("a", 64<<10)) }()
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Error(answer.Status)
	}
}

// TestConnectionsAreCounted: never more than so many at once, and all in the end.
func TestConnectionsAreCounted(t *testing.T) {
	t.Parallel()
	l := usual
	l.connections = 3
	var inside, most atomic.Int64
	address := hold(t, l, func(w http.ResponseWriter, _ *http.Request) {
		n := inside.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(10 * time.Millisecond)
		inside.Add(-1)
		w.Header().Set("Connection", "close")
	})
	var all sync.WaitGroup
	for range 30 {
		conn := dial(t, address)
		all.Go(func() {
			if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				t.Error(err)
			}
			if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most.Load() > 3 || most.Load() == 0 {
		t.Errorf("%d connections at once", most.Load())
	}
}

// TestIdleConnections holds 500 of them at a house, which settles meanwhile and serves
// each of them after. The idle group of infra/bench holds 10,000.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	h := launch(t, "-data", t.TempDir(), "-demo=false")
	s, binding := moveIn(t, h)
	address := strings.TrimPrefix(h.base, "http://")
	idle := make([]net.Conn, 500)
	ask := func(i int) error {
		if _, err := io.WriteString(idle[i], "GET /v1/account HTTP/1.1\r\nHost: "+address+"\r\n\r\n"); err != nil {
			return err
		}
		answer, err := http.ReadResponse(bufio.NewReader(idle[i]), nil)
		if err != nil {
			return err
		}
		if answer.StatusCode != http.StatusUnauthorized {
			return fmt.Errorf("it is answered %s", answer.Status)
		}
		_, err = io.Copy(io.Discard, answer.Body)
		return err
	}
	for i := range idle {
		idle[i] = dial(t, address)
		if err := ask(i); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
	}
	if err := s.visit(binding); err != nil {
		t.Fatalf("a settlement beside them: %v", err)
	}
	for i := range idle {
		if err := ask(i); err != nil {
			t.Fatalf("connection %d, after it was idle: %v", i, err)
		}
	}
}
