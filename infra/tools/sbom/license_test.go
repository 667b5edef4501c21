package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const gpl = `This program is free software; you can redistribute it and/or modify it under the
terms of the GNU General Public License as published by the Free Software Foundation;
either version 2 of the License, or (at your option) any later version.`

func TestLicensesNotAllowed(t *testing.T) {
	mit, err := os.ReadFile("../../../shared/web/static/lib/preact.LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, text, says string }{
		{"MIT", string(mit), ""},
		{"GPL", gpl, "GPL-2.0"},
		{"both", string(mit) + "\n" + gpl, "GPL-2.0"},
		{"words", "Do what you like with it, but ask us first, and never on a Sunday.", "0 % known"},
		{"MIT and a sheet of other words", string(mit) + strings.Repeat("and never on a Sunday, unless it rains; ", 60), "% known"},
		{"an address", "https://opensource.org/licenses/MIT", "% known"},
		{"nothing", "", "% known"},
	} {
		name := filepath.Join(t.TempDir(), "LICENSE")
		if err := os.WriteFile(name, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		p := part{name: "it", texts: []string{name}}
		err := p.license()
		switch {
		case c.says == "" && (err != nil || !slices.Equal(p.licenses, []string{"MIT"})):
			t.Errorf("%s: %v, %v", c.what, p.licenses, err)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: %v, want %q", c.what, err, c.says)
		}
	}
	if err := (&part{name: "it"}).license(); err == nil {
		t.Error("a part without a licence is taken")
	}
}

func TestNamesOfLicenses(t *testing.T) {
	for name, is := range map[string]bool{
		"LICENSE": true, "LICENCE.md": true, "COPYING": true, "LICENSE-3RD-PARTY.md": true, "SQLITE-LICENSE": true, "license.txt": true,
		"README.md": false, "licenser": false, "NOTICE": false,
	} {
		if isLicense.MatchString(name) != is {
			t.Errorf("%s: %v", name, !is)
		}
	}
}

// TestAChangedLibraryIsSeen alters a browser library beside its checksum.
func TestAChangedLibraryIsSeen(t *testing.T) {
	from, dir := "../../../shared/web/static/lib", t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	parts, err := browserLibraries(dir)
	if err != nil || len(parts) < 4 {
		t.Fatal(parts, err)
	}
	name := filepath.Join(dir, "htm.js")
	if err := os.WriteFile(name, []byte("alert(1)"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := browserLibraries(dir); err == nil || !strings.Contains(err.Error(), "htm.js") {
		t.Error(err)
	}
}
