// Linear has many clients speak to one house at once, writes down what each asked and
// heard and when, and looks for an order in which one clerk, who does one thing after
// another, would have given the very same answers (linearizability). Where there is
// none, somebody was told something that was not so at any moment between his
// question and its answer.
//
//	go run ./infra/linear                    64 clients against SQLite
//	go run ./infra/linear -dynamodb URL      against a DynamoDB Local
//	go run ./infra/linear -servers 2 -kill   two over one table, and one killed in each round
//	go run ./infra/linear -planted           servers with planted bugs: each has to be found
//
// The server loses one answer in twenty (-chaos), and one request in twenty is given
// up by its client: nobody knows what became of those until somebody asks. The
// checker is porcupine; model.go is the clerk.
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
		fmt.Fprintln(os.Stderr, "linear:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	c := campaign{}
	flags := flag.NewFlagSet("linear", flag.ContinueOnError)
	flags.IntVar(&c.rounds, "rounds", 10, "histories, each of families of its own")
	flags.IntVar(&c.clients, "clients", 64, "clients at once")
	flags.IntVar(&c.families, "families", 20, "families whom they meet in")
	flags.IntVar(&c.things, "things", 20, "things that each client does in a round")
	flags.IntVar(&c.servers, "servers", 1, "servers over one table")
	flags.BoolVar(&c.kills, "kill", false, "kill a server in the middle of each round, and start it again")
	flags.StringVar(&c.dynamodb, "dynamodb", "", "`URL` of a DynamoDB Local; empty is SQLite")
	flags.Uint64Var(&c.seed, "seed", 0, "`seed` of what the clients do; 0 takes one by chance and prints it")
	flags.StringVar(&c.folder, "dir", "", "`folder` for the database and the pictures of what is wrong; the default is a temporary one, kept where something is")
	planted := flags.Bool("planted", false, "plant bugs in the server, one after another: each has to be found")
	flags.StringVar(&c.only, "only", "", "of the planted bugs only those whose description has the `text`")
	flags.IntVar(&c.plants, "plants", len(plants), "plant only the first so `many` of them")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	if c.servers < 1 {
		return fmt.Errorf("-servers: %d is none", c.servers)
	}
	if c.seed == 0 {
		c.seed = uint64(os.Getpid())<<20 ^ uint64(os.Getppid())
	}
	fmt.Println("seed", c.seed)
	if c.dynamodb != "" { // a table of its own, which the server takes from here
		if err := os.Setenv("GONGJI_TABLE", fmt.Sprintf("linear-%d", time.Now().UnixNano())); err != nil {
			return err
		}
	}
	temporary := c.folder == ""
	if temporary {
		folder, err := os.MkdirTemp("", "gongji-linear-")
		if err != nil {
			return err
		}
		c.folder = folder
	}
	err := c.run(ctx)
	if *planted && err == nil {
		err = c.plantAll(ctx)
	}
	if err == nil && temporary {
		err = os.RemoveAll(c.folder)
	}
	return err
}
