// Package rig tries the house from outside: the built server of infra/local as a
// process of its own, clients that speak to its doors, and a made-up region to
// speak of. What a client has not heard it calls unknown, as a till does.
package rig

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Build builds the local server into a folder, with further flags of go build, and
// returns the program's path.
func Build(ctx context.Context, folder string, flags ...string) (string, error) {
	program := filepath.Join(folder, "local")
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build", "-o", program}, flags...), "gongji/infra/local")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("rig: building the server: %w\n%s", err, out)
	}
	return program, nil
}

// Server is a running house.
type Server struct {
	// Base is the address of its doors.
	Base  string
	cmd   *exec.Cmd
	ended chan error // its exit, once
}

// maxStart bounds how long a server may take to open its doors. It is not an aim:
// the machine may be busy with other things.
const maxStart = time.Minute

// Start runs a server over a data directory, and returns when its doors are open.
// What the server logs goes to log. wrapper, if any, is a command that runs the
// server, such as a tracer of its system calls.
func Start(ctx context.Context, program, data string, log io.Writer, wrapper []string, more ...string) (*Server, error) {
	s, out, err := launch(program, data, log, wrapper, more...)
	if err != nil {
		return nil, err
	}
	said := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if base, found := strings.CutPrefix(lines.Text(), "listening on "); found {
				said <- base
				break
			}
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	select {
	case s.Base = <-said:
		return s, nil
	case err := <-s.ended:
		return nil, fmt.Errorf("rig: the server ended while it started: %w", err)
	case <-time.After(maxStart):
		err = errors.New("rig: the server did not start in time")
	case <-ctx.Done():
		err = ctx.Err()
	}
	return nil, errors.Join(err, s.Kill())
}

// StartAndKill runs a server and kills it after a while, whether or not it has
// opened its doors by then.
func StartAndKill(program, data string, log io.Writer, after time.Duration) error {
	s, out, err := launch(program, data, log, nil)
	if err != nil {
		return err
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	time.Sleep(after)
	return s.Kill()
}

func launch(program, data string, log io.Writer, wrapper []string, more ...string) (*Server, io.Reader, error) {
	args := append([]string{program, "-addr", "127.0.0.1:0", "-data", data, "-demo=false", "-rates", "off"}, more...)
	args = append(append([]string(nil), wrapper...), args...)
	cmd := exec.Command(args[0], args[1:]...) // not bound to a context: Kill says when it ends
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		return nil, nil, errors.Join(err, r.Close(), w.Close())
	}
	s := &Server{cmd: cmd, ended: make(chan error, 1)}
	go func() {
		err := cmd.Wait()
		_ = w.Close()
		s.ended <- err
		close(s.ended)
	}()
	return s, r, nil
}

// PID returns the number of the server's process, or of its wrapper's.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Kill ends the server without a word to it (SIGKILL), and whoever runs it, and
// returns when it is gone.
func (s *Server) Kill() error {
	select {
	case <-s.ended: // its number may be another's by now
		return nil
	default:
	}
	if err := syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	<-s.ended
	return nil
}

// Abort ends the server as a fault in it would (SIGABRT), upon which it tells its log
// where it was and may leave a core, and returns when it is gone.
func (s *Server) Abort() error {
	if err := syscall.Kill(s.cmd.Process.Pid, syscall.SIGABRT); err != nil {
		return err
	}
	<-s.ended
	return nil
}

// Stop asks the server to end in order, and returns when it has.
func (s *Server) Stop() error {
	if err := syscall.Kill(-s.cmd.Process.Pid, syscall.SIGTERM); err != nil {
		return err
	}
	return <-s.ended
}
