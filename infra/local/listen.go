package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
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

// serve serves a handler until the server is shut down. What ends it otherwise
// comes out of the channel.
func serve(listener net.Listener, handler http.Handler, log *slog.Logger) (*http.Server, <-chan error) {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      2 * time.Minute, // a feed of many records is answered as a whole
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
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
