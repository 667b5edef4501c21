package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// step is one thing that the server did to its files, or told a client, in the
// order in which its system calls were made.
type step struct {
	what stepKind
	file string // its name in the data directory; empty for the directory itself
	at   int64  // offset of a write, size of a truncation
	data []byte
	ids  []string // that an answer of 200 or 201 named
	sync int      // of a sync that has ended: the step at which it began
	cut  bool     // the server was killed at it: it was done or not
}

type stepKind int

const (
	wrote stepKind = iota
	truncated
	removed
	synced // the sync of a file, or of the directory, has ended
	told
)

// tracer is the command that writes down the system calls of a server.
func tracer(file string) []string {
	return []string{
		"strace", "-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "1000000", "-o", file,
		"-e", "signal=none",
		"-e", "trace=open,openat,creat,pwrite64,pwritev,pwritev2,write,writev,fsync,fdatasync,sync_file_range,ftruncate,truncate,fallocate,rename,renameat,renameat2,unlink,unlinkat,msync",
	}
}

var (
	callLine = regexp.MustCompile(`^(\d+)\s+(?:<\.\.\. )?(\w+)(\(| resumed>)(.*)$`)
	ended    = regexp.MustCompile(`= -?\d+[^"]*$`)
	onFile   = regexp.MustCompile(`^-?\d+<((?:\\x[0-9a-f]{2})*)>`)
	quoted   = regexp.MustCompile(`"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?`)
	named    = regexp.MustCompile(`"(?:settlement_id|binding_id|token_id)":"([0-9A-Z]{26,30})"`)
)

// readTrace reads what tracer wrote about a server over a data directory.
func readTrace(file, data string) ([]step, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var steps []step
	begun := map[string]step{}   // syncs that have not ended, by thread
	underWay := map[string]int{} // the step of a thread's other call, until it ends
	unread := map[string]error{} // calls of which the trace does not say what they would do
	good := map[string]bool{}    // sockets on which the answer under way is a 200 or 201
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		call := callLine.FindStringSubmatch(lines.Text())
		if call == nil {
			continue // the end of a thread
		}
		thread, name, resumed, rest := call[1], call[2], call[3] != "(", call[4]
		if strings.HasSuffix(name, "sync") {
			s, under := begun[thread]
			if !resumed {
				path, on := pathOf(rest, data)
				if !on {
					continue
				}
				s, under = step{what: synced, file: path, sync: len(steps)}, true
			}
			if !under {
				continue
			}
			if begun[thread] = s; strings.HasSuffix(rest, "= 0") {
				delete(begun, thread)
				steps = append(steps, s)
			}
			continue
		}
		if resumed { // told of where it began
			if err := unread[thread]; err != nil && ended.MatchString(rest) {
				return nil, err
			}
			if i, under := underWay[thread]; under && ended.MatchString(rest) {
				steps[i].cut = false
				delete(underWay, thread)
			}
			continue
		}
		if socket := onFile.FindStringSubmatch(rest); socket != nil && name == "write" && strings.HasPrefix(unhex(socket[1]), "socket:") {
			text, err := textOf(rest)
			if err != nil {
				return nil, err
			}
			if strings.HasPrefix(text, "HTTP/1.1 ") {
				good[socket[1]] = strings.HasPrefix(text, "HTTP/1.1 20")
			}
			s := step{what: told}
			for _, id := range named.FindAllStringSubmatch(text, -1) {
				s.ids = append(s.ids, id[1])
			}
			if good[socket[1]] && s.ids != nil {
				steps = append(steps, s)
			}
			continue
		}
		s, on, err := fileStep(name, rest, data)
		if err != nil && !ended.MatchString(rest) {
			// The kill came while the tracer was still reading what the call would do:
			// it was never done, unless it is told to have ended.
			unread[thread] = err
			continue
		}
		if err != nil {
			return nil, err
		}
		if on {
			if s.cut = !ended.MatchString(rest); s.cut {
				underWay[thread] = len(steps)
			}
			steps = append(steps, s)
		}
	}
	return steps, lines.Err()
}

// fileStep reads a call that changes a file of the data directory; on is false for
// all others. A call that it does not know how to undo is an error: the images would
// be of a disk that never was.
func fileStep(name, rest, data string) (s step, on bool, err error) {
	if name == "unlink" || name == "unlinkat" {
		text, err := textOf(rest)
		if err != nil || filepath.Dir(text) != data {
			return s, false, err
		}
		return step{what: removed, file: filepath.Base(text)}, true, nil
	}
	path, on := pathOf(rest, data)
	if !on || path == "" || strings.HasSuffix(path, "-shm") { // which SQLite makes anew
		return s, false, nil
	}
	numbers := strings.Split(strings.TrimSuffix(strings.TrimSpace(strings.SplitN(rest[strings.LastIndex(rest, `"`)+1:], ")", 2)[0]), " <unfinished ...>"), ", ")
	last, err := strconv.ParseInt(strings.TrimSuffix(numbers[len(numbers)-1], " <unfinished ...>"), 10, 64)
	switch name {
	case "pwrite64":
		if err != nil {
			return s, false, fmt.Errorf("crash: the trace has a write without an offset: %.80s", rest)
		}
		text, err := textOf(rest)
		return step{what: wrote, file: path, at: last, data: []byte(text)}, true, err
	case "ftruncate":
		if err != nil {
			return s, false, fmt.Errorf("crash: the trace has a truncation without a size: %.80s", rest)
		}
		return step{what: truncated, file: path, at: last}, true, nil
	case "open", "openat":
		return s, false, nil
	}
	return s, false, fmt.Errorf("crash: the server does %s to %s, which the images do not know", name, path)
}

// pathOf returns the name of the file that a call's first argument is, when it is the
// data directory, which is empty, or lies in it.
func pathOf(rest, data string) (string, bool) {
	fd := onFile.FindStringSubmatch(rest)
	if fd == nil {
		return "", false
	}
	path := unhex(fd[1])
	if path == data {
		return "", true
	}
	return filepath.Base(path), filepath.Dir(path) == data
}

// textOf returns the first text among a call's arguments.
func textOf(rest string) (string, error) {
	text := quoted.FindStringSubmatch(rest)
	if text == nil || text[2] != "" {
		return "", fmt.Errorf("crash: the trace does not hold all that was written: %.80s", rest)
	}
	return unhex(text[1]), nil
}

// unhex reads \x61\x62.
func unhex(s string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
	if err != nil {
		panic(err) // the pattern lets nothing else through
	}
	return string(b)
}
