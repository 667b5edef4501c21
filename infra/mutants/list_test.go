package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEveryBugBuilds: each bug's text occurs exactly once in the tree as it is, and
// with all bugs in them, each behind its switch, the packages still compile; so do they
// with each bug that has no switch. A list that is out of date would say nothing of the
// simulation.
func TestEveryBugBuilds(t *testing.T) {
	t.Chdir("../..")
	if err := check(); err != nil {
		t.Fatal(err)
	}
	all, err := newPrograms(t.TempDir(), mutants...)
	if err != nil {
		t.Fatal(err)
	}
	plans := map[string][]*programs{} // by folder
	for i, m := range mutants {
		folder := filepath.Dir(m.file)
		if plans[folder] == nil {
			plans[folder] = append(plans[folder], all)
		}
		if all.apart[i] {
			alone, err := newPrograms(t.TempDir(), m)
			if err != nil {
				t.Fatal(err)
			}
			plans[folder] = append(plans[folder], alone)
		}
	}
	t.Logf("%d bugs, %d of them without a switch", len(mutants), len(all.apart))
	exports := exported(t)
	for folder, plans := range plans {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			files := token.NewFileSet()
			from := importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
			for _, p := range plans {
				checks := types.Config{Importer: from}
				if _, err := checks.Check("gongji/"+folder, files, parsed(t, files, folder, p.overlay), nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestEveryNamedTestIsThere: a bug that towns cannot see names the test that does.
func TestEveryNamedTestIsThere(t *testing.T) {
	t.Chdir("../..")
	for _, m := range mutants {
		if m.test == "" {
			continue
		}
		folder, name, _ := strings.Cut(m.test, ".")
		files, err := filepath.Glob(folder + "/*_test.go")
		if err != nil {
			t.Fatal(err)
		}
		there := slices.ContainsFunc(files, func(file string) bool {
			text, err := os.ReadFile(file)
			return err == nil && bytes.Contains(text, []byte("\nfunc "+name+"(t "))
		})
		if !there || m.tests == "" {
			t.Errorf("%s: %s: there is no test %s, or it is not said why towns do not see the bug", m.file, m.breaks, m.test)
		}
	}
}

// parsed reads a package without its tests, as an overlay has it.
func parsed(t *testing.T, files *token.FileSet, folder, overlay string) []*ast.File {
	t.Helper()
	text, err := os.ReadFile(overlay)
	if err != nil {
		t.Fatal(err)
	}
	var plan struct{ Replace map[string]string }
	if err := json.Unmarshal(text, &plan); err != nil {
		t.Fatal(err)
	}
	folder, err = filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(folder + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for name := range plan.Replace {
		if filepath.Dir(name) == folder && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	var out []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, cmp.Or(plan.Replace[name], name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, file)
	}
	return out
}

// exported asks the go command where the compiled form lies of all that is imported.
func exported(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", "./shared/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	where := map[string]string{}
	for line := range strings.Lines(string(out)) {
		var path, file string
		if n, _ := fmt.Sscan(line, &path, &file); n == 2 {
			where[path] = file
		}
	}
	return where
}
