package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// machine names what the figures are of.
func machine() (string, error) {
	cpu, kernel := runtime.GOARCH, runtime.GOOS
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, is := strings.CutPrefix(line, "model name"); is {
				cpu = strings.TrimSpace(strings.TrimLeft(name, "\t :"))
				break
			}
		}
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		kernel += " " + strings.TrimSpace(string(text))
	}
	return fmt.Sprintf("%s: %d × %s, %s, %s, load %s", time.Now().UTC().Format("2006-01-02 15:04 MST"), runtime.NumCPU(), cpu, kernel, runtime.Version(), load()), nil
}

// load returns the machine's load averages, 1, 5 and 15 minutes.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

// ticks is what the kernel has counted of the processors' time, in ticks of its own.
type ticks struct{ all, stolen uint64 }

// processors returns what was counted since the machine began; nothing where nobody
// counts, which is everywhere but on Linux.
func processors() ticks {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return ticks{}
	}
	// cpu user nice system idle iowait irq softirq steal guest guest_nice, the last two
	// of which are in the first two already (proc_stat(5)).
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return ticks{}
	}
	var t ticks
	for i, field := range fields[1:9] {
		n, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return ticks{}
		}
		t.all += n
		if i == 7 {
			t.stolen = n
		}
	}
	return t
}

// taken tells which hundredths of the processors' time since t the host of this virtual
// machine gave to others, while something here was waiting for it. No program sees
// that, but that all takes longer.
func (t ticks) taken() (percent float64, known bool) {
	now := processors()
	if now.all <= t.all || now.stolen < t.stolen {
		return 0, false
	}
	return 100 * float64(now.stolen-t.stolen) / float64(now.all-t.all), true
}

// takenWords is taken in words.
func (t ticks) takenWords() string {
	percent, known := t.taken()
	if !known {
		return "stolen by the host: unknown"
	}
	return fmt.Sprintf("stolen by the host: %.0f %%", percent)
}

// appended is a plain file beside the database, to which a page at a time is appended
// and synced as the log of a database is.
type appended struct{ *os.File }

func newAppended(folder string) (appended, error) {
	f, err := os.Create(filepath.Join(folder, "plain"))
	return appended{f}, err
}

// page appends 4 KiB, syncs them and returns how long it took.
func (a appended) page() (time.Duration, error) {
	began := time.Now()
	if _, err := a.Write(make([]byte, 4096)); err != nil {
		return 0, err
	}
	err := a.Sync()
	return time.Since(began), err
}

// processor returns the processor time that this process has used.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
