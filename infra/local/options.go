package main

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strconv"

	"gongji/shared/throttle"
)

// defaultRates has none for an address: on this machine all come from one.
const defaultRates = "subject=100:1000,institution=2000:10000"

// options are the program's arguments.
type options struct {
	addr        string
	data        string
	dynamodb    string // an endpoint, "aws", or empty for SQLite
	demo        bool
	chaos       dice
	registry    string // URL of a civil registry; empty asks none
	registryKey string
	rates       throttle.Rates
	repair      string // what to do instead of serving; empty serves
	allowRemote bool
	debuggable  bool
}

// parseOptions reads the arguments. What it cannot read it says on stderr.
func parseOptions(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8080", "`address` to listen on; port 0 takes a free one")
	flags.StringVar(&o.data, "data", ".data", "`directory` of the database and the keys, made if it is not there")
	flags.Func("dynamodb", "keep the records in DynamoDB instead of SQLite: the `URL` of a DynamoDB Local, or aws for the account in the environment", o.setDynamoDB)
	flags.BoolVar(&o.demo, "demo", true, "load a small region and tell a story in it; with -dynamodb aws only if it is asked for")
	flags.StringVar(&o.registry, "registry", "", "ask the civil registry at this `URL` where the table cannot say; its secret is in GONGJI_REGISTRY_SECRET")
	flags.StringVar(&o.registryKey, "registry-key", "local", "`id` of the key by which it is asked")
	flags.Var(&o.chaos, "chaos", "drop one answer in twenty after its work is done; -chaos=`SEED` repeats an earlier run")
	o.rates, _ = throttle.Parse(defaultRates)
	flags.Func("rates", "requests a second and at once for one address, subject or institution, such as address=50:200,subject=20:100; `off` limits nobody (default "+defaultRates+")", func(text string) (err error) {
		o.rates, err = throttle.Parse(text)
		return err
	})
	flags.Func("repair", "do not serve: prove the whole table (`look`), mend what can be known (mend), or freeze the rest besides (quarantine)", o.setRepair)
	flags.BoolVar(&o.allowRemote, "allow-remote", false, "listen on an address that other machines reach: whoever reaches it can be anybody")
	flags.BoolVar(&o.debuggable, "debuggable", false, "let debuggers and tracers of the same user in, and cores be dumped: they hold keys and names")
	if err := flags.Parse(args); err != nil {
		return options{}, err // which flags has said
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "不认识的参数 / unknown argument: %q\n", flags.Arg(0))
		return options{}, errors.New("an argument too many")
	}
	asked := false
	flags.Visit(func(f *flag.Flag) { asked = asked || f.Name == "demo" })
	if o.dynamodb == "aws" && !asked {
		o.demo = false // nobody should find demo people in the cloud because he left a flag out
	}
	return o, nil
}

// setDynamoDB reads the flag -dynamodb.
func (o *options) setDynamoDB(where string) error {
	u, err := url.Parse(where)
	if where != "aws" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return errors.New("it takes a URL or aws")
	}
	o.dynamodb = where
	return nil
}

// setRepair reads the flag -repair.
func (o *options) setRepair(what string) error {
	if what != "look" && what != "mend" && what != "quarantine" {
		return errors.New("it takes look, mend or quarantine")
	}
	o.repair = what
	return nil
}

// dice is the flag -chaos[=SEED].
type dice struct {
	on   bool
	seed uint64
}

// String implements flag.Value.
func (d *dice) String() string {
	if !d.on {
		return "false"
	}
	return strconv.FormatUint(d.seed, 10)
}

// IsBoolFlag lets -chaos stand without a value.
func (*dice) IsBoolFlag() bool { return true }

// Set implements flag.Value.
func (d *dice) Set(s string) error {
	switch s {
	case "false":
		*d = dice{}
		return nil
	case "true":
		var seed [8]byte
		_, _ = rand.Read(seed[:]) // never fails
		*d = dice{true, binary.BigEndian.Uint64(seed[:]) >> 32}
		return nil
	}
	seed, err := strconv.ParseUint(s, 10, 64)
	*d = dice{true, seed}
	return err
}
