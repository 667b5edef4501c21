package main

import (
	"context"
	"errors"
	"io"
	"sync"

	"gongji/infra/rig"
)

// house is one server over the table, which others may have too. While it is started
// again its lock is held, and whoever wants to begin a request waits or goes elsewhere.
type house struct {
	program, data string
	options       []string

	mu     sync.RWMutex
	server *rig.Server
	client *rig.Client
	tokens map[string]string // by whom they are for
}

// open starts the house.
func (h *house) open(ctx context.Context) (err error) {
	if h.server, err = rig.Start(ctx, h.program, h.data, io.Discard, nil, h.options...); err != nil {
		return err
	}
	h.client = rig.NewClient(h.server.Base)
	return nil
}

// introduce gets tokens for all, which are good at this server alone and until it ends.
func (h *house) introduce(ctx context.Context, all []rig.Who) (err error) {
	h.tokens = map[string]string{}
	for _, who := range all {
		if h.tokens[named(who)], err = h.client.Token(ctx, who); err != nil {
			return err
		}
	}
	return nil
}

// killed kills the server in the middle of what it does, and starts it again. Nobody
// knows what became of the requests that were under way.
func (h *house) killed(ctx context.Context, all []rig.Who) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := errors.Join(h.close(), h.open(ctx)); err != nil {
		return err
	}
	return h.introduce(ctx, all)
}

// close ends the server without a word to it.
func (h *house) close() error {
	if h.server == nil {
		return nil
	}
	h.client.Close()
	return h.server.Kill()
}

// do sends a request once, as somebody, to one of the houses: to one that is open if
// there is any. begins is called when it goes out.
func (c *client) do(ctx context.Context, who rig.Who, q rig.Request, begins func()) rig.Reply {
	if c.asked.Add(1) == c.killAt {
		close(c.kill)
	}
	at := c.dice.IntN(len(c.houses))
	h := c.houses[at]
	for i := 0; !h.mu.TryRLock(); i++ {
		if i == len(c.houses) {
			h.mu.RLock()
			break
		}
		h = c.houses[(at+i)%len(c.houses)]
	}
	to := h.client
	q.Token = h.tokens[named(who)]
	h.mu.RUnlock()
	begins()
	return to.Do(ctx, q)
}
