package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestOpenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	var source Source = File{path, rand.Reader}
	made, err := source.Keys(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("the file was made with mode %v, want 0600", info.Mode())
	}
	found, err := OpenFile(path, bytes.NewReader(nil)) // nothing to draw from
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made.Document(), found.Document()) {
		t.Error("opened twice, other keys the second time")
	}
	alone(t, path)
}

// alone checks that nothing but path is left in its directory.
func alone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(path) {
			t.Errorf("left behind: %s", e.Name())
		}
	}
}

func TestOpenFileModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, []byte(fixedDocument), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode := os.FileMode(0); mode <= 0o777; mode++ {
		if mode&0o400 == 0 {
			continue // not readable, unless one is root
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := OpenFile(path, rand.Reader)
		if mode&0o077 == 0 {
			if err != nil {
				t.Errorf("mode %04o: %v", mode, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("mode %04o was taken", mode)
		} else if mode == 0o640 {
			for _, want := range []string{"0640", "chmod 600 " + path, path, "权限"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("mode %04o: error %q does not say %q", mode, err, want)
				}
			}
		}
	}
}

func TestOpenFileRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	dangling := filepath.Join(dir, "dangling")
	if err := os.Symlink(filepath.Join(dir, "nothing"), dangling); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ path, want string }{
		"empty file":        {write("empty", ""), "is empty"},
		"half a document":   {write("half", fixedDocument[:100]), "near byte"},
		"a directory":       {dir, "not a regular file"},
		"no directory":      {filepath.Join(dir, "no", "keys.json"), "no such file"},
		"no path":           {"", "no such file"},
		"a link to nowhere": {dangling, "no such file"},
	} {
		if _, err := OpenFile(tt.path, rand.Reader); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, tt.want)
		}
	}
	if _, err := OpenFile(filepath.Join(dir, "new"), bytes.NewReader(nil)); err == nil {
		t.Error("a file was made without a random source")
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "half")); string(text) != fixedDocument[:100] {
		t.Error("a broken key file was written over")
	}
}

func TestOpenFileRace(t *testing.T) {
	for range 20 {
		path := filepath.Join(t.TempDir(), "keys.json")
		const n = 16
		var got [n][]byte
		var wait sync.WaitGroup
		begin := make(chan struct{})
		for i := range n {
			wait.Go(func() {
				<-begin
				keys, err := OpenFile(path, rand.Reader)
				if err != nil {
					t.Error(err)
				}
				got[i] = keys.Document()
			})
		}
		close(begin)
		wait.Wait()
		for i := range n {
			if !bytes.Equal(got[i], got[0]) {
				t.Fatal("two goroutines got different keys")
			}
		}
		alone(t, path)
	}
}

func TestOpenFileProcesses(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keys.json")
	type process struct {
		*exec.Cmd
		begin io.Closer
		out   *bytes.Buffer
	}
	var all []process
	for range 8 {
		p := process{Cmd: exec.Command(self), out: new(bytes.Buffer)}
		p.Env = append(os.Environ(), "VAULT_TEST_OPEN="+path)
		p.Stdout, p.Stderr = p.out, p.out
		if p.begin, err = p.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	for _, p := range all {
		p.begin.Close()
	}
	for _, p := range all {
		if err := p.Wait(); err != nil {
			t.Fatalf("%v: %s", err, p.out)
		}
		if p.out.Len() != 64 || p.out.String() != all[0].out.String() {
			t.Fatalf("two processes got different keys: %q, %q", p.out, all[0].out)
		}
	}
	alone(t, path)
}
