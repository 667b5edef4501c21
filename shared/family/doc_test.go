package family_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gongji/shared/family"
)

// TestDocNamesTheLaws checks that doc.go names exactly the tests that exist, in
// their order and with their numbers.
func TestDocNamesTheLaws(t *testing.T) {
	doc := lawFiles(t)["doc.go"].Doc.Text()
	named := regexp.MustCompile(`TestLaw\d+\w*`).FindAllString(doc, -1)
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "TestLaw") {
				declared = append(declared, fn.Name.Name)
			}
		}
	}
	slices.Sort(declared)
	if !slices.Equal(named, declared) {
		t.Errorf("doc.go names %d laws:\n%s\nthere are %d:\n%s", len(named), strings.Join(named, "\n"), len(declared), strings.Join(declared, "\n"))
	}
	for i, name := range named {
		number := strconv.Itoa(i + 1)
		if !strings.HasPrefix(name, "TestLaw"+strings.Repeat("0", 2-len(number))+number+"_") {
			t.Errorf("law %d is held by %s", i+1, name)
		}
		if !regexp.MustCompile(`(?m)^Law ` + number + `\. [^.]+\.`).MatchString(doc) {
			t.Errorf("doc.go has no sentence for law %d", i+1)
		}
	}
}

// TestOneFileHasThePackageComment keeps the glossary the first thing that a reader
// of the package meets.
func TestOneFileHasThePackageComment(t *testing.T) {
	for name, f := range lawFiles(t) {
		if (f.Doc != nil) != (name == "doc.go") {
			t.Errorf("%s: package comment: %t", name, f.Doc != nil)
		}
	}
}

// constants returns the values of the constants of a type, as declared.
func constants(f *ast.File, typeName string) []family.Code {
	var all []family.Code
	for _, decl := range f.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.CONST {
			continue
		}
		for _, spec := range gen.Specs {
			v := spec.(*ast.ValueSpec)
			if t, ok := v.Type.(*ast.Ident); ok && t.Name == typeName {
				text, _ := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				all = append(all, family.Code(text))
			}
		}
	}
	return all
}
