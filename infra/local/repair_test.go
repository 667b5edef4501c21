package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"gongji/infra/demo"
	"gongji/shared/store"
	"gongji/shared/store/sqlite"
)

// TestRepair loses one record of a database and damages another: look tells of both
// and changes nothing, mend writes the one again, quarantine freezes for the other,
// and then there is nothing more to do.
func TestRepair(t *testing.T) {
	data := t.TempDir()
	h := launch(t, "-data", data, "-demo=false")
	moveIn(t, h)
	h.stop()

	does := func(what string) (int, string) {
		var out, log bytes.Buffer
		status := run(context.Background(), []string{"-data", data, "-repair", what}, &out, &log)
		return status, out.String() + log.String()
	}
	if status, out := does("look"); status != 0 || !strings.Contains(out, " 0 faults") {
		t.Fatalf("in good order: %d\n%s", status, out)
	}
	change := func(k store.Key) {
		t.Helper()
		file, err := sqlite.Open(t.Context(), filepath.Join(data, "gongji.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		records, err := file.Get(t.Context(), k)
		if err != nil || !records[0].Exists() {
			t.Fatalf("%+v, %v", records, err)
		}
		if err := file.Commit(t.Context(), []store.Write{{Key: k, Base: records[0].Version, Body: records[0].Body}}); err != nil {
			t.Fatal(err) // the same body at another version
		}
	}
	change(store.Key{Part: "CREDIT#DEMO-2026-01-1", Sort: "C"})
	for range 2 {
		if status, out := does("look"); status != 1 || !strings.Contains(out, "fault: ") {
			t.Fatalf("a damaged credit: %d\n%s", status, out)
		}
	}
	if status, out := does("mend"); status != 0 || !strings.Contains(out, "done: the credit DEMO-2026-01-1") {
		t.Errorf("a damaged credit is mended: %d\n%s", status, out)
	}
	change(store.Key{Part: "PERSON#" + demo.Father, Sort: "P"})
	if status, out := does("quarantine"); status != 0 || !strings.Contains(out, "frozen: "+demo.Father) {
		t.Errorf("a damaged person is set apart: %d\n%s", status, out)
	}
	if status, out := does("look"); status != 0 {
		t.Errorf("afterwards: %d\n%s", status, out)
	}
	if status, _ := does("guess"); status != 2 {
		t.Errorf("a word that is none ends with %d", status)
	}
}
