// Command hissim plays a hospital's day at the national interface, with what goes
// wrong on such days, and prints a report of conformance: what was asked, what has to
// come, what came. A vendor of a hospital's system can run it against a house and lay
// his own system's day beside it.
//
//	go run ./infra/local -demo=false &
//	go run ./infra/hissim [-url http://127.0.0.1:8080]
//
// It feeds people, an institution, goods and a key of its own, all made up, so it asks
// the local house for an operator's token (/dev/token). It exits 1 where a check fails.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	url := flag.String("url", "http://127.0.0.1:8080", "the house's address")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	h := &house{base: strings.TrimSuffix(*url, "/"), http: &http.Client{Timeout: 30 * time.Second}, now: time.Now}
	h.token = h.devToken
	r := &report{}
	if err := play(ctx, h, r); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "hissim:", err)
		os.Exit(2)
	}
	r.print(os.Stdout)
	if r.failed() > 0 {
		os.Exit(1)
	}
}
