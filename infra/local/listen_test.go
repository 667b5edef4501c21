package main

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestListensOnThisMachineOnly refuses before a file is made.
func TestListensOnThisMachineOnly(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[2001:db8::1]:0"} {
		dir := filepath.Join(t.TempDir(), "data")
		said := refused(t, 1, "-addr", addr, "-data", dir)
		for _, want := range []string{"拒绝监听", "refusing to listen on " + addr, "-allow-remote"} {
			if !strings.Contains(said, want) {
				t.Errorf("%s: it does not say %q: %s", addr, want, said)
			}
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: it made %s", addr, dir)
		}
	}
	for _, addr := range []string{":0", "localhost:0", "127.0.0.1:0"} {
		listener, err := listen(addr, false)
		if err != nil {
			t.Errorf("%s: %v", addr, err)
			continue
		}
		if at := listener.Addr().(*net.TCPAddr); !at.IP.IsLoopback() || at.Port == 0 {
			t.Errorf("%s: it listens on %s", addr, at)
		}
		_ = listener.Close()
	}
	listener, err := listen("0.0.0.0:0", true)
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
}

// TestShutDownWaits holds a request open while the server shuts down: it is
// answered, and no other gets in.
func TestShutDownWaits(t *testing.T) {
	listener, err := listen("127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	inside, release := make(chan struct{}), make(chan struct{})
	server, failed := serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(inside)
		<-release
		_, _ = io.WriteString(w, "done")
	}), usual, slog.New(slog.DiscardHandler))
	base := "http://" + listener.Addr().String()

	type heard struct {
		text string
		err  error
	}
	answers := make(chan heard, 1)
	go func() {
		answer, err := http.Get(base)
		if err != nil {
			answers <- heard{"", err}
			return
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		answers <- heard{string(text), err}
	}()
	<-inside
	down := make(chan error, 1)
	server.RegisterOnShutdown(func() { close(release) }) // the listener is closed by now
	go func() { down <- shutDown(server) }()
	if a := <-answers; a.err != nil || a.text != "done" {
		t.Errorf("the request under way: %+v", a)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
	if _, err := http.Get(base); err == nil {
		t.Error("a request after the shutdown was answered")
	}
	select {
	case err := <-failed:
		t.Errorf("the server failed: %v", err)
	default:
	}
}
