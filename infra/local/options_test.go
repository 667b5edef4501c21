package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// refused runs the program, which is to end at once, and returns what it says.
func refused(t *testing.T, status int, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // if it starts after all, it ends
	defer cancel()
	var out, errout bytes.Buffer
	if got := run(ctx, args, &out, &errout); got != status {
		t.Errorf("%v: it ends with %d, want %d", args, got, status)
	}
	if out.Len() > 0 {
		t.Errorf("%v: it says %q", args, out.String())
	}
	return errout.String()
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{{"-none"}, {"extra"}, {"-dynamodb", "somewhere"}, {"-dynamodb="}, {"-chaos=x"}, {"-demo=x"}} {
		if said := refused(t, 2, args...); said == "" {
			t.Errorf("%v: it says nothing", args)
		}
	}
	if said := refused(t, 0, "-h"); !strings.Contains(said, "-allow-remote") {
		t.Errorf("-h: %s", said)
	}
	if said := refused(t, 1, "-addr", "127.0.0.1:port"); !strings.Contains(said, "-addr") {
		t.Errorf("a port that is none: %s", said)
	}
	for _, c := range []struct {
		args []string
		demo bool
	}{
		{nil, true},
		{[]string{"-demo=false"}, false},
		{[]string{"-dynamodb", "http://127.0.0.1:8000"}, true},
		{[]string{"-dynamodb", "aws"}, false},
		{[]string{"-dynamodb", "aws", "-demo"}, true},
	} {
		o, err := parseOptions(c.args, os.Stderr)
		if err != nil || o.demo != c.demo || o.addr != "127.0.0.1:8080" || o.data != ".data" || o.chaos.on {
			t.Errorf("%v: %+v, %v", c.args, o, err)
		}
	}
	if o, err := parseOptions([]string{"-chaos"}, os.Stderr); err != nil || !o.chaos.on {
		t.Errorf("-chaos: %+v, %v", o, err)
	}
	if o, err := parseOptions([]string{"-chaos=42"}, os.Stderr); err != nil || o.chaos != (dice{true, 42}) {
		t.Errorf("-chaos=42: %+v, %v", o, err)
	}
}
