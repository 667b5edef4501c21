package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// measureMemory has 64 clients show codes and settle for some minutes, and watches
// the server's memory.
func measureMemory(ctx context.Context, p plan, t table) (err error) {
	h, err := startServer(ctx, p.folder, min(1024, p.families), p.people)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.stop()) }()
	var held []float64 // MB, one sample in a hundredth of the time
	var settled atomic.Int64
	var over atomic.Bool
	failed := make(chan error, 1)
	go func() {
		failed <- inParallel(clients, clients, func(c int) error {
			for i := c; !over.Load(); i = (i + clients) % len(h.tokens) {
				var view struct{ Digits string }
				if err := h.call(http.StatusCreated, "/v1/qr", h.tokens[i], struct{}{}, &view); err != nil {
					return err
				}
				if err := h.settleOne(view.Digits); err != nil {
					return err
				}
				settled.Add(1)
			}
			return nil
		})
	}()
	for range 100 {
		select {
		case err := <-failed:
			return err
		case <-time.After(p.memory / 100):
		}
		bytes, err := h.resident()
		if err != nil {
			return err
		}
		held = append(held, float64(bytes)/1e6)
	}
	over.Store(true)
	if err := <-failed; err != nil {
		return err
	}
	most := span(held, "%.0f MB")
	peak, err := memoryOf(h.process.PID(), "VmHWM:")
	if err != nil {
		return err
	}
	t.row(fmt.Sprintf("memory of the server, 64 clients, %d accounts, %d settlements in %v", p.people+2*len(h.tokens), settled.Load(), p.memory),
		fmt.Sprintf("at most %.0f MB; sampled %s", float64(peak)/1e6, most), "≤ 150 MB", peak <= 150e6)
	grown := median(held[75:]) / median(held[25:50])
	t.row("… its last quarter / its second", fmt.Sprintf("%.2f", grown), "flat: ≤ 1.05", grown <= 1.05)
	return nil
}
