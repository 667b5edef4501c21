package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

// listen takes an address of this machine's own. One that other machines reach is
// refused unless it is allowed: the doors for developers make anybody anybody.
// An address without a host means this machine alone, not every network it is in,
// unless remote is allowed.
func listen(addr string, allowRemote bool) (*net.TCPListener, error) {
	at, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("-addr: %w", err)
	}
	if at.IP == nil && !allowRemote {
		at.IP = net.IPv4(127, 0, 0, 1)
	}
	if !at.IP.IsLoopback() && !allowRemote {
		return nil, fmt.Errorf("拒绝监听 %[1]s：其他机器也能连到这个地址，而 /dev/ 可以签发任何人的令牌。请用 127.0.0.1，或确认无误后加 -allow-remote。\n"+
			"refusing to listen on %[1]s: other machines reach it, and /dev/ gives out tokens for anybody. Use 127.0.0.1, or add -allow-remote if you are sure.", addr)
	}
	listener, err := net.ListenTCP("tcp", at)
	if err != nil {
		return nil, fmt.Errorf("-addr: %w", err)
	}
	return listener, nil
}

// limits bound what one connection, and all of them together, may hold.
type limits struct {
	header time.Duration // from a connection's beginning, or a request's first byte, to the end of its header
	whole  time.Duration // to the end of its body
	answer time.Duration // from the end of its header until its answer is taken
	idle   time.Duration // between an answer and the next request

	headerBytes int
	connections int // at once; who comes after them waits until one ends
}

// usual are the limits of the local server: 12,000 connections are what it holds
// within its memory, and fewer than the 20,000 descriptors that a process often has.
var usual = limits{
	header: 5 * time.Second,
	whole:  time.Minute,
	answer: 2 * time.Minute, // a feed of many records is answered as a whole
	idle:   2 * time.Minute,

	headerBytes: 16 << 10,
	connections: 12_000,
}

// serve serves a handler within limits until the server is shut down. What ends it
// otherwise comes out of the channel.
func serve(listener net.Listener, handler http.Handler, l limits, log *slog.Logger) (*http.Server, <-chan error) {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: l.header,
		ReadTimeout:       l.whole,
		WriteTimeout:      l.answer,
		IdleTimeout:       l.idle,
		MaxHeaderBytes:    l.headerBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	listener = netutil.LimitListener(listener, l.connections)
	failed := make(chan error, 1)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	}()
	return server, failed
}

// shutDown lets the requests under way finish, for a while, and ends the rest.
func shutDown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests did not end: %w", err), server.Close())
	}
	return nil
}
