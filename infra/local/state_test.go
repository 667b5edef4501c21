package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"gongji/infra/demo"
)

// TestDirectory holds what a start leaves behind, that another start finds it
// again, and that a database without its keys is not given new ones.
func TestDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	h := launch(t, "-data", dir, "-demo=false")
	_, binding := moveIn(t, h)
	if status := h.stop(); status != 0 {
		t.Fatalf("the program ended with %d:\n%s", status, h.log())
	}
	if got := files(t, dir); got != "gongji.db keys.json seal.key seal.pub" { // closed: no log beside it
		t.Errorf("the directory holds %s", got)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "gongji.db"): 0o600, filepath.Join(dir, "keys.json"): 0o600, filepath.Join(dir, sealFile): 0o600} {
		if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v (%v)", path, info.Mode().Perm(), want, err)
		}
	}

	h = launch(t, "-data", dir, "-demo=false")
	if b := get[struct{ State string }](t, h, mother, "/v1/bindings/"+binding); b.State != "active" {
		t.Errorf("after a restart the binding is %s", b.State)
	}
	me := get[struct {
		ID string `json:"id_no_masked"`
	}](t, h, claims{Person: demo.Child}, "/v1/me")
	if me.ID != "999***********0022" {
		t.Errorf("after a restart the ID number opens as %s", me.ID)
	}
	h.stop()

	other := filepath.Join(t.TempDir(), "other")
	launch(t, "-data", other, "-demo=false").stop()
	own := filepath.Join(dir, "keys.json")
	if err := os.Rename(filepath.Join(other, "keys.json"), own); err != nil {
		t.Fatal(err)
	}
	if said := refused(t, 1, "-addr", "127.0.0.1:0", "-data", dir); !strings.Contains(said, "不是数据库") || !strings.Contains(said, "its own keys.json") {
		t.Errorf("another house's keys: %s", said)
	}
	if err := os.Remove(own); err != nil {
		t.Fatal(err)
	}
	said := refused(t, 1, "-addr", "127.0.0.1:0", "-data", dir)
	for _, want := range []string{"没有密钥文件", "no new keys are made", "keys.json"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q: %s", want, said)
		}
	}
	if got := files(t, dir); got != "gongji.db seal.key seal.pub" {
		t.Errorf("the directory holds %s", got)
	}
}
