package main

import (
	"fmt"
	"io"
)

// report is what the day found.
type report struct{ checks []check }

type check struct {
	ok             bool
	part, what     string
	expected, came string
}

// check notes whether what came is what has to come.
func (r *report) check(part, what, expected, came string) {
	r.checks = append(r.checks, check{expected == came, part, what, expected, came})
}

func (r *report) failed() int {
	n := 0
	for _, c := range r.checks {
		if !c.ok {
			n++
		}
	}
	return n
}

func (r *report) print(w io.Writer) {
	part := ""
	for _, c := range r.checks {
		if c.part != part {
			part = c.part
			fmt.Fprintf(w, "\n%s\n", part)
		}
		if c.ok {
			fmt.Fprintf(w, "  通过 PASS  %s: %s\n", c.what, c.came)
		} else {
			fmt.Fprintf(w, "  未过 FAIL  %s: %s, 应为 expected %s\n", c.what, c.came, c.expected)
		}
	}
	fmt.Fprintf(w, "\n%d 项检查, %d 项未过 · %d checks, %d failed\n", len(r.checks), r.failed(), len(r.checks), r.failed())
}
