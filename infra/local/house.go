package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"gongji/infra/demo"
	"gongji/shared/api"
	"gongji/shared/app"
	"gongji/shared/civil"
	"gongji/shared/family"
	"gongji/shared/his"
	"gongji/shared/papers"
	"gongji/shared/papers/folder"
	"gongji/shared/policy"
	"gongji/shared/throttle"
	"gongji/shared/vault"
	"gongji/shared/web"
)

// live opens the house, serves it and closes it again when ctx ends.
func live(ctx context.Context, o options, stdout, stderr io.Writer) (err error) {
	listener, err := listen(o.addr, o.allowRemote) // before a file is made
	if err != nil {
		return err
	}
	defer listener.Close()
	state, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, state.close()) }()

	level := new(slog.LevelVar)
	log := slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: level}))
	base := baseOf(listener.Addr().(*net.TCPAddr))
	door, err := build(ctx, state, o, base, log)
	if err != nil {
		return err
	}
	server, failed := serve(listener, door, usual, log)
	defer func() { err = errors.Join(err, shutDown(server)) }()
	fmt.Fprintln(stdout, "listening on", base)
	if o.chaos.on {
		fmt.Fprintln(stdout, "chaos seed", o.chaos.seed)
	}

	if o.demo {
		level.Set(slog.LevelError) // the story tells of its own requests
		if err := tell(ctx, newClient(base), stdout); err != nil {
			if ctx.Err() != nil {
				return nil // interrupted
			}
			return err
		}
		level.Set(slog.LevelInfo)
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// baseOf returns the address at which a browser on this machine reaches a listener.
func baseOf(at *net.TCPAddr) string {
	if at.IP.IsUnspecified() {
		return "http://127.0.0.1:" + strconv.Itoa(at.Port)
	}
	return "http://" + at.String()
}

// build puts the doors together over the opened state; base is the address of the
// whole.
func build(ctx context.Context, s *state, o options, base string, log *slog.Logger) (http.Handler, error) {
	policies, err := policy.Load()
	if err != nil {
		return nil, err
	}
	tokens, err := newIssuer(base)
	if err != nil {
		return nil, err
	}
	clock := new(clock)
	sealer := vault.New(s.keys, rand.Reader)
	shelf := folder.Open(folder.Options{
		Dir: filepath.Join(o.data, "papers"), Base: base, Sign: func(text string) string { return sealer.Index("upload", text) }, Now: clock.Now, Refuse: refusePaper,
	})
	var registry app.Registry
	if o.registry != "" {
		// Its signatures bear the machine's time, not the house's.
		registry, err = civil.New(civil.Options{URL: o.registry, KeyID: o.registryKey, Secret: []byte(os.Getenv("GONGJI_REGISTRY_SECRET")), Random: rand.Reader, Log: log})
		if err != nil {
			return nil, err
		}
	}
	house := app.New(app.Options{
		Store: s.store, Policies: policies, Vault: sealer, Papers: shelf, Registry: registry, Signer: s.signer, Now: clock.Now, Log: log,
	})
	go keepSwept(ctx, house, sweepEvery, log)
	shelf.Received = func(ctx context.Context, id string) error { return house.ReceivePaper(ctx, family.MaterialID(id)) }
	if err := house.CheckKeys(ctx); err != nil {
		if errors.Is(err, app.ErrForeignKeys) {
			err = s.foreignKeys()
		}
		return nil, err
	}
	gate := throttle.NewGate(o.rates, time.Now)
	door := api.New(api.Options{
		App:  house,
		Gate: gate,
		// Tokens expire by the machine's own clock. A test that moves the house a
		// month on, to see a cap begin anew, would otherwise log everybody out; and
		// the issuer, here as in production, keeps a clock of its own.
		Verifier: api.NewVerifier(tokens.name, audience, tokens.keySet(), time.Now),
		Log:      log,
	})
	// The national interface judges signatures by the machine's clock too.
	national := his.New(his.Options{App: house, Gate: gate, Log: log})
	there := web.Options{Issuer: tokens.name, ClientID: webClient}
	if o.demo {
		there.Example = &web.Example{Name: demo.SonName, IDNo: demo.SonID, Relation: "20"}
	}
	pages, err := web.New(there)
	if err != nil {
		return nil, err
	}
	in, err := newSignIn(tokens, base, o.demo)
	if err != nil {
		return nil, err
	}
	front := &frontDoor{base: base, signIn: in, pages: pages, his: national, next: door}
	uploads := http.NewServeMux()
	uploads.Handle(folder.Path, shelf)
	uploads.Handle("/", front)
	dev := &devDoors{tokens: tokens, clock: clock, next: uploads, allowRemote: o.allowRemote}
	return newChaos(o.chaos, logAccess(dev, log), log), nil
}

// refusePaper answers an upload that is not taken.
func refusePaper(w http.ResponseWriter, r *http.Request, err error) {
	var fault *papers.Fault
	switch {
	case errors.Is(err, papers.ErrNone):
		err = family.Refuse(family.NotFound)
	case errors.As(err, &fault):
		err = &family.Refusal{Code: family.PaperWrong, Rule: fault.Rule, Detail: fault.Detail}
	}
	writeProblem(w, r, err)
}
