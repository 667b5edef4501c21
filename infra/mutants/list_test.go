package main

import (
	"bytes"
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
	"strings"
	"testing"
)

// TestEveryBugBuilds: each bug's text occurs exactly once in the tree as it is, and
// with the bug in it the package still compiles. A list that is out of date would say
// nothing of the simulation.
func TestEveryBugBuilds(t *testing.T) {
	t.Chdir("../..")
	if err := check(); err != nil {
		t.Fatal(err)
	}
	folders := map[string][]mutant{}
	for _, m := range mutants {
		folders[filepath.Dir(m.file)] = append(folders[filepath.Dir(m.file)], m)
	}
	exports := exported(t)
	for folder, list := range folders {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			files := token.NewFileSet()
			from := importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
			clean := parsed(t, files, folder)
			for _, m := range list {
				text, err := os.ReadFile(m.file)
				if err != nil {
					t.Fatal(err)
				}
				bad, err := parser.ParseFile(files, m.file, bytes.Replace(text, []byte(m.old), []byte(m.bad), 1), 0)
				if err != nil {
					t.Errorf("%s: %s: %v", m.file, m.breaks, err)
					continue
				}
				var sources []*ast.File
				for name, file := range clean {
					if name == m.file {
						file = bad
					}
					sources = append(sources, file)
				}
				checks := types.Config{Importer: from}
				if _, err := checks.Check("gongji/"+folder, files, sources, nil); err != nil {
					t.Errorf("%s: %s: %v", m.file, m.breaks, err)
				}
			}
		})
	}
}

// parsed reads a package without its tests.
func parsed(t *testing.T, files *token.FileSet, folder string) map[string]*ast.File {
	t.Helper()
	names, err := filepath.Glob(folder + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*ast.File{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		if out[name], err = parser.ParseFile(files, name, nil, 0); err != nil {
			t.Fatal(err)
		}
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
