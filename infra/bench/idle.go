package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// measureIdle opens many connections that ask one thing each and then keep still, has
// the clients settle meanwhile, and counts how many of the connections the server
// still serves.
func measureIdle(ctx context.Context, p plan, t table) (err error) {
	h, err := startServer(ctx, p.folder, min(1024, p.families), 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.stop()) }()
	alone, err := h.settle(ctx) // and the server is warm
	if err != nil {
		return err
	}
	before, err := h.resident()
	if err != nil {
		return err
	}
	held := make([]net.Conn, p.idle)
	defer func() {
		for _, conn := range held {
			if conn != nil {
				_ = conn.Close()
			}
		}
	}()
	address := h.process.Base[len("http://"):]
	err = inParallel(len(held), clients, func(i int) error {
		// Two addresses, since one has some 28,000 ports, and those of connections
		// that ended a minute ago are not free again.
		from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+i%2))}}
		conn, err := from.DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		held[i] = conn
		return ask(conn)
	})
	if err != nil {
		return err
	}
	after, err := h.resident()
	if err != nil {
		return err
	}
	beside, err := h.settle(ctx)
	if err != nil {
		return fmt.Errorf("beside %d idle connections: %w", p.idle, err)
	}
	peak, err := memoryOf(h.process.PID(), "VmHWM:")
	if err != nil {
		return err
	}
	if err := inParallel(len(held), clients, func(i int) error { return ask(held[i]) }); err != nil {
		return fmt.Errorf("a connection that was idle: %w", err)
	}
	t.note(fmt.Sprintf("memory of the server with %d idle connections", p.idle),
		fmt.Sprintf("%.0f MB before, %.0f MB with them, %.1f KB each; at most %.0f MB", float64(before)/1e6, float64(after)/1e6, float64(after-before)/1e3/float64(p.idle), float64(peak)/1e6))
	t.note("… settlements a second beside them, 64 clients, and without; all of the idle are served after", fmt.Sprintf("%.0f, %.0f", beside, alone))
	return nil
}

// ask asks over a connection for what needs a token, without one.
func ask(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("GET /v1/account HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("it answered %d", answer.StatusCode)
	}
	var rest [4096]byte // the answer is read whole: it is smaller
	for {
		if _, err := answer.Body.Read(rest[:]); err != nil {
			return nil
		}
	}
}
