package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// forbidDumps keeps what the process holds in memory, opened names and its keys, from
// the disk and from others: the kernel writes no core of it, whatever the limits and
// wherever cores go, and lets nobody but root look into it (prctl(2), PR_SET_DUMPABLE).
// The limit stands beside that for what it starts, which is nothing today.
func forbidDumps() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("setrlimit: %w", err)
	}
	return nil
}
