package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
)

// sector is the piece that a disk writes whole or not at all, in bytes.
const sector = 512

// disk is the data directory as it was when the trace began, all of it durable.
type disk map[string][]byte

func readDisk(folder string) (disk, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	d := disk{}
	for _, e := range entries {
		if d[e.Name()], err = os.ReadFile(filepath.Join(folder, e.Name())); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// fate is what becomes of what was written and not yet synced when the power goes.
type fate string

const (
	dropped fate = "dropped" // all of it is lost
	kept    fate = "kept"    // all of it is there
	torn    fate = "torn"    // the newest write is there in part
	mixed   fate = "mixed"   // each sector is as after any of its writes, or as before
	chosen  fate = "chosen"  // each write is there or not, whatever came after it
)

var fates = []fate{dropped, kept, torn, mixed, mixed, chosen}

// image returns what the disk holds when the power goes after the first n steps:
// all that was synced, and of the rest what fate leaves.
func (d disk) image(steps []step, n int, f fate, dice *rand.Rand) disk {
	out := disk{}
	for name, body := range d {
		out[name] = append([]byte(nil), body...)
	}
	// A step is durable when a sync of its file began after it and has ended.
	durable := make([]bool, n)
	listed := map[string]bool{} // files whose name is durable
	for name := range d {
		listed[name] = true
	}
	created := map[string]int{}
	for i, s := range steps[:n] {
		if _, known := d[s.file]; (s.what == wrote || s.what == truncated) && !known && created[s.file] == 0 {
			created[s.file] = i + 1
		}
		if s.what != synced {
			continue
		}
		for j := range s.sync {
			switch {
			case s.file != "" && steps[j].file == s.file && steps[j].what != removed:
				durable[j] = true
			case s.file == "" && steps[j].what == removed:
				durable[j] = true
			}
		}
		if s.file == "" {
			for name, at := range created {
				listed[name] = listed[name] || at > 0 && at <= s.sync
			}
		}
	}
	var loose []int
	for i, s := range steps[:n] {
		switch {
		case s.what == synced || s.what == told:
		case durable[i]:
			out.apply(s)
		default:
			loose = append(loose, i)
		}
	}
	out.befall(steps, loose, f, dice)
	for name := range created {
		if !listed[name] && f != kept && (f == dropped || dice.IntN(2) == 0) {
			delete(out, name) // its name never reached the disk
		}
	}
	return out
}

// befall does to what was not synced what fate wants.
func (d disk) befall(steps []step, loose []int, f fate, dice *rand.Rand) {
	for k, i := range loose {
		s := steps[i]
		switch {
		case f == dropped:
		case f == torn && k == len(loose)-1 && s.what == wrote:
			s.data = s.data[:dice.IntN(len(s.data)+1)]
			d.apply(s)
		case f == kept, f == torn, f == chosen && dice.IntN(2) == 0:
			d.apply(s)
		case f == mixed && s.what == wrote:
			for from := int64(0); from < int64(len(s.data)); {
				to := min(int64(len(s.data)), from+sector-(s.at+from)%sector)
				if dice.IntN(2) == 0 {
					d.apply(step{what: wrote, file: s.file, at: s.at + from, data: s.data[from:to]})
				}
				from = to
			}
		case f == mixed && dice.IntN(2) == 0:
			d.apply(s)
		}
	}
}

// apply does a step.
func (d disk) apply(s step) {
	switch s.what {
	case wrote:
		d.resize(s.file, max(int64(len(d[s.file])), s.at+int64(len(s.data))))
		copy(d[s.file][s.at:], s.data)
	case truncated:
		d.resize(s.file, s.at)
	case removed:
		delete(d, s.file)
	}
}

func (d disk) resize(name string, size int64) {
	body := d[name]
	if grown := size - int64(len(body)); grown > 0 {
		body = append(body, make([]byte, grown)...)
	}
	d[name] = body[:size]
}

// write puts the disk into a folder, without the file of locks, which does not
// outlive the machine.
func (d disk) write(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for name, body := range d {
		if filepath.Ext(name) == ".db-shm" {
			continue
		}
		if err := os.WriteFile(filepath.Join(folder, name), body, 0o600); err != nil {
			return err
		}
	}
	return nil
}
