package shared_test

import (
	"go/ast"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestThreatsNameTheirTests: every row of docs/threat-model.md names at least one
// test, and every test that the page names is in the tree.
func TestThreatsNameTheirTests(t *testing.T) {
	tests := map[string]bool{}
	for _, s := range sources(t) {
		if !s.test {
			continue
		}
		for _, decl := range s.syntax.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				tests[f.Name.Name] = true
			}
		}
	}
	page, err := os.ReadFile("../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile("`(Test[A-Za-z0-9_]+)`")
	named, rows := 0, 0
	for n, line := range strings.Split(string(page), "\n") {
		found := name.FindAllStringSubmatch(line, -1)
		for _, m := range found {
			if named++; !tests[m[1]] {
				t.Errorf("line %d: there is no %s", n+1, m[1])
			}
		}
		cells := strings.Split(line, " | ")
		if len(cells) == 3 && !strings.Contains(line, "| threat |") {
			if rows++; !name.MatchString(cells[2]) {
				t.Errorf("line %d: a threat without a test: %s", n+1, line)
			}
		}
	}
	if rows < 30 || named < rows {
		t.Errorf("%d threats, %d tests", rows, named)
	}
	t.Logf("%d threats, %d tests", rows, named)
}
