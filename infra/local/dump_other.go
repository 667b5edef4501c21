//go:build !linux

package main

// forbidDumps does nothing here: on other systems whoever starts the server has to
// forbid core dumps himself (ulimit -c 0).
func forbidDumps() error { return nil }
