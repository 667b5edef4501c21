// Crash breaks the house off in the middle of its work and looks at what is left:
//
//	go run ./infra/crash kill    kill -9 of the running server under many clients, again and again
//	go run ./infra/crash power   images of the disk as a loss of power could leave it
//	go run ./infra/crash reopen  how long a large database takes to open after a kill
//	go run ./infra/crash leak    who is named in what it leaves: files, log, traceback, core
//
// Each prints its figures, and fails when a settlement that was answered is not
// there, or is another; when a message that nobody heard of does not resolve by its
// id; when a balance is not what the messages come to; when the books do not prove.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("say what: kill, power, reopen or leak")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	folder := flags.String("dir", "", "`folder` for the databases; the default is a temporary one")
	seed := flags.Uint64("seed", 0, "`seed` of what happens; 0 takes one by chance and prints it")
	var do func(context.Context, string, uint64) error
	switch args[0] {
	case "kill":
		k := killing{}
		flags.IntVar(&k.cycles, "cycles", 60, "how often the server is killed")
		flags.IntVar(&k.clients, "clients", 32, "clients at once")
		do = k.run
	case "power":
		p := power{lasting: 2 * time.Second}
		flags.IntVar(&p.rounds, "rounds", 1, "runs of the server that are traced")
		flags.IntVar(&p.images, "images", 30, "images that are made of each run")
		flags.IntVar(&p.clients, "clients", 8, "clients at once")
		do = p.run
	case "reopen":
		r := reopening{}
		flags.IntVar(&r.settlements, "settlements", 20_000, "settlements in the database")
		do = r.run
	case "leak":
		do = leak
	default:
		return fmt.Errorf("%q is not one of kill, power, reopen and leak", args[0])
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	if *seed == 0 {
		*seed = uint64(os.Getpid())<<20 ^ uint64(os.Getppid())
	}
	fmt.Println("seed", *seed)
	if *folder == "" {
		temporary, err := os.MkdirTemp("", "gongji-crash-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temporary)
		*folder = temporary
	}
	return do(ctx, *folder, *seed)
}
