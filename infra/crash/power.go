package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gongji/infra/rig"
)

// power is the campaign of losses of power: the server runs under a tracer of its
// system calls, and from the trace the disk is made as it could be at any moment.
type power struct {
	rounds, images, clients int
	lasting                 time.Duration // of a run under the tracer
	tally                   tally
	fates                   map[fate]int
	syncs, writes           int
	inCheckpoint            int // images between the syncs of a checkpoint
}

// errNoTracer says that this machine cannot trace.
var errNoTracer = errors.New("crash: power needs strace (apt-get install strace) and leave to trace")

func canTrace(ctx context.Context) error {
	if err := exec.CommandContext(ctx, "strace", "-f", "--seccomp-bpf", "-o", os.DevNull, "true").Run(); err != nil {
		return fmt.Errorf("%w: %w", errNoTracer, err)
	}
	return nil
}

func (p *power) run(ctx context.Context, folder string, seed uint64) error {
	if err := canTrace(ctx); err != nil {
		return err
	}
	program, err := rig.Build(ctx, folder)
	if err != nil {
		return err
	}
	p.fates = map[fate]int{}
	dice := rand.New(rand.NewPCG(seed, 1))
	for round := range p.rounds {
		if err := p.round(ctx, program, filepath.Join(folder, fmt.Sprintf("round-%d", round)), dice); err != nil {
			return fmt.Errorf("seed %d, round %d: %w", seed, round, err)
		}
	}
	t := p.tally
	fmt.Printf("%d images of %d runs (%d writes, %d syncs; what was not synced: %v; %d images in the middle of a checkpoint)\n",
		p.rounds*p.images, p.rounds, p.writes, p.syncs, p.fates, p.inCheckpoint)
	fmt.Printf("every image opened; of settlements and bindings answered before the loss %d were asked for: none lost, none changed; unknown: done %d, not done %d; books proved in each\n",
		t.answered, t.resolved, t.vanished)
	return nil
}

// round traces one run and looks at its images.
func (p *power) round(ctx context.Context, program, folder string, dice *rand.Rand) error {
	w := newTown(p.clients)
	before, steps, err := p.trace(ctx, w, program, folder, dice)
	if err != nil {
		return err
	}
	for n := range p.images {
		image := filepath.Join(folder, fmt.Sprintf("image-%d", n))
		if err := p.look(ctx, w, program, image, before, steps, dice); err != nil {
			return fmt.Errorf("image %d: %w", n, err)
		}
		if err := os.RemoveAll(image); err != nil {
			return err
		}
	}
	return os.RemoveAll(folder)
}

// trace runs the server under the tracer until it is killed, and returns the disk
// as it was before and all that was done to it.
func (p *power) trace(ctx context.Context, w *town, program, folder string, dice *rand.Rand) (disk, []step, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, nil, err
	}
	folder, err := filepath.EvalSymlinks(folder) // as the tracer names it
	if err != nil {
		return nil, nil, err
	}
	data, trace := filepath.Join(folder, "data"), filepath.Join(folder, "trace")
	server, err := rig.Start(ctx, program, data, io.Discard, nil)
	if err != nil {
		return nil, nil, err
	}
	w.enter(server)
	if err := errors.Join(w.settleIn(ctx), server.Stop()); err != nil {
		return nil, nil, err
	}
	before, err := readDisk(data)
	if err != nil {
		return nil, nil, err
	}
	if server, err = rig.Start(ctx, program, data, io.Discard, tracer(trace), "-debuggable"); err != nil {
		return nil, nil, err
	}
	w.enter(server)
	if err := w.untilKilled(ctx, server, dice, p.lasting); err != nil {
		return nil, nil, err
	}
	steps, err := readTrace(trace, data)
	if err != nil {
		return nil, nil, err
	}
	steps, err = p.same(before, steps, data)
	return before, steps, err
}

// same holds the trace against the disk: all steps together make the files that the
// killed server left. Without that no image would mean anything. It returns the
// steps that were done: a call at which the server was killed may not have been.
func (p *power) same(before disk, steps []step, data string) ([]step, error) {
	left, err := readDisk(data)
	if err != nil {
		return nil, err
	}
	if err = before.makes(steps, left); err != nil {
		steps = slices.DeleteFunc(steps, func(s step) bool { return s.cut })
		err = before.makes(steps, left)
	}
	if err != nil {
		return nil, err
	}
	answers := 0
	for _, s := range steps {
		switch s.what {
		case wrote:
			p.writes++
		case synced:
			p.syncs++
		case told:
			answers++
		}
	}
	if answers == 0 || p.syncs == 0 {
		return nil, fmt.Errorf("the trace has %d answers and %d syncs", answers, p.syncs)
	}
	return steps, nil
}

// makes tells whether steps make the files that were left out of those before.
func (d disk) makes(steps []step, left disk) error {
	all := d.image(steps, len(steps), kept, nil)
	for name, body := range left {
		if !strings.HasSuffix(name, "-shm") && string(all[name]) != string(body) {
			return fmt.Errorf("the trace makes another %s than the server left: %d bytes and %d", name, len(all[name]), len(body))
		}
	}
	return nil
}

// moment chooses when the power goes: anywhere, or within a checkpoint, when pages
// go from the log into the database, which is seldom and where most could go wrong.
func (p *power) moment(steps []step, dice *rand.Rand) int {
	n := dice.IntN(len(steps) + 1)
	if dice.IntN(3) > 0 {
		return n
	}
	var inside []int
	for i, s := range steps {
		if s.what == wrote && strings.HasSuffix(s.file, ".db") {
			inside = append(inside, i+1)
		}
	}
	if len(inside) == 0 {
		return n
	}
	p.inCheckpoint++
	return inside[dice.IntN(len(inside))]
}

// look makes an image of a moment by chance.
func (p *power) look(ctx context.Context, w *town, program, folder string, before disk, steps []step, dice *rand.Rand) error {
	n, f := p.moment(steps, dice), fates[dice.IntN(len(fates))]
	p.fates[f]++
	return p.lookAt(ctx, w, program, folder, before, steps, n, f, dice)
}

// lookAt makes one image, opens it and audits it.
func (p *power) lookAt(ctx context.Context, w *town, program, folder string, before disk, steps []step, n int, f fate, dice *rand.Rand) (err error) {
	if err := before.image(steps, n, f, dice).write(folder); err != nil {
		return err
	}
	answered := map[string]bool{}
	for _, s := range steps[:n] {
		for _, id := range s.ids {
			answered[id] = true
		}
	}
	server, err := rig.Start(ctx, program, folder, io.Discard, nil)
	if err != nil {
		return fmt.Errorf("power lost after step %d of %d, the rest %s: %w", n, len(steps), f, err)
	}
	defer func() { err = errors.Join(err, server.Kill()) }()
	after := w.knowing(answered)
	after.enter(server)
	if err := after.audit(ctx, dice, &p.tally); err != nil {
		return fmt.Errorf("power lost after step %d of %d, the rest %s: %w", n, len(steps), f, err)
	}
	return nil
}

// knowing returns the town as its clients know it when they have heard the answers
// that name some settlements and bindings, and no others.
func (w *town) knowing(answered map[string]bool) *town {
	after := newTown(w.clients)
	after.binding = w.binding
	for _, m := range w.messages {
		again := *m
		if !m.namedIn(answered) || m.kind == code { // whose answer is not repeated for long
			again.reply = rig.Reply{}
		}
		if again.reply.Unknown() && m.shown != nil && !m.shown.namedIn(answered) {
			continue // nobody had seen the code: a till that sends such codes is paused
		}
		after.messages = append(after.messages, &again)
	}
	return after
}

// namedIn tells whether the answer to a message names one of those.
func (m *message) namedIn(answered map[string]bool) bool {
	var heard struct {
		Settlement string `json:"settlement_id"`
		Binding    string `json:"binding_id"`
		Token      string `json:"token_id"`
	}
	if !m.reply.OK() || m.decode(&heard) != nil {
		return false
	}
	switch m.kind {
	case code: // which names its binding too
		return answered[heard.Token]
	case binding:
		return answered[heard.Binding]
	}
	return answered[heard.Settlement]
}
