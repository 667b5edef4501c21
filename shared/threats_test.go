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
	if rows, named := rowsNameTests(t, "../docs/threat-model.md", "threat"); rows < 30 || named < rows {
		t.Errorf("%d threats, %d tests", rows, named)
	}
}

// TestAttacksNameTheirTests: so does every row of the attacks of docs/binding.md.
func TestAttacksNameTheirTests(t *testing.T) {
	if rows, named := rowsNameTests(t, "../docs/binding.md", "attack"); rows < 12 || named < rows {
		t.Errorf("%d attacks, %d tests", rows, named)
	}
}

// rowsNameTests counts the rows of three cells of a page, below a head that begins
// with a word, and the tests that it names; each row has to name one that there is.
func rowsNameTests(t *testing.T, file, head string) (rows, named int) {
	t.Helper()
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
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile("`(Test[A-Za-z0-9_]+)`")
	for n, line := range strings.Split(string(page), "\n") {
		found := name.FindAllStringSubmatch(line, -1)
		for _, m := range found {
			if named++; !tests[m[1]] {
				t.Errorf("line %d: there is no %s", n+1, m[1])
			}
		}
		cells := strings.Split(line, " | ")
		if len(cells) == 3 && !strings.Contains(line, "| "+head+" |") {
			if rows++; !name.MatchString(cells[2]) {
				t.Errorf("line %d: a row without a test: %s", n+1, line)
			}
		}
	}
	t.Logf("%d rows, %d tests", rows, named)
	return rows, named
}
