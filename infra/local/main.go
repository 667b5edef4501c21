// Local is the whole house in one process, for trying it, for developing against
// it and for small installations on one machine:
//
//	go run ./infra/local [-addr 127.0.0.1:8080] [-data DIR] [-dynamodb URL|aws] [-demo=true] [-chaos]
//	go run ./infra/local -repair look|mend|quarantine [-data DIR] [-dynamodb URL|aws]
//
// It makes its own issuer of tokens and has doors for developers (/dev/…) that no
// other composition has. For that reason it listens on this machine only, unless
// it is told otherwise.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

func main() {
	collect()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the next one ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// collect sets when garbage is collected: a request leaves much and the house keeps
// little, so a heap that may grow fivefold, not twofold, is collected a third as often
// and a settlement takes a sixth less of the processor. The limit holds it down where
// that would be much.
func collect() {
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(96 << 20)
}

// run is the program until ctx ends. It returns the exit status: 0 for an orderly
// end, 1 for a failure, 2 for arguments that cannot be read.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2 // parseOptions has said what was wrong
	}
	if !o.debuggable {
		if err := forbidDumps(); err != nil { // a sandbox may not have it; the house runs all the same
			fmt.Fprintln(stderr, "gongji: cores are not forbidden:", err)
		}
	}
	do := func() error { return live(ctx, o, stdout, stderr) }
	if o.repair != "" {
		do = func() error { return repair(ctx, o, stdout) }
	}
	if err := do(); err != nil {
		fmt.Fprintln(stderr, "gongji:", err)
		return 1
	}
	return 0
}
