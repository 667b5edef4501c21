package main

import (
	"fmt"
	"io"
	"strings"
)

// narrator writes for a person who knows nothing of the house: Chinese first, and
// the same in English beneath it.
type narrator struct {
	out      io.Writer
	chapters int
}

// chapter begins a chapter.
func (n *narrator) chapter(zh, en string) {
	n.chapters++
	fmt.Fprintf(n.out, "\n━━ %d  %s · %s ━━\n", n.chapters, zh, en)
}

// say says one thing.
func (n *narrator) say(zh, en string) { fmt.Fprintf(n.out, "  %s\n  %s\n", zh, en) }

// done says that a step is done.
func (n *narrator) done(zh, en string) { fmt.Fprintf(n.out, "    ✓ %s\n      %s\n", zh, en) }

// row writes a label and an amount, the amounts beneath each other.
func (n *narrator) row(label, amount string) {
	fmt.Fprintf(n.out, "    %s%12s\n", pad(label, 56), amount)
}

// text writes lines as they are, set in.
func (n *narrator) text(lines string) {
	for line := range strings.Lines(lines) {
		fmt.Fprint(n.out, "    ", line)
	}
}

// pad fills a text up to so many columns of a terminal, where a Chinese character
// takes two.
func pad(s string, columns int) string {
	for _, r := range s {
		columns--
		if r >= 0x2e80 { // CJK and full-width signs, as far as they are used here
			columns--
		}
	}
	return s + strings.Repeat(" ", max(0, columns))
}
