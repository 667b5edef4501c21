package shared

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNoDoorWritesABalance: a balance is written in two places of the whole program,
// by an entry that is booked and by the repair that derives it from the entries (the
// balance in Particulars is what a till is told, and is stored nowhere); and
// an entry is booked by the law's own acts alone, each of which is a credit, an
// adjustment by two people, or a settlement.
func TestNoDoorWritesABalance(t *testing.T) {
	var writers, bookers []string
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "webtest" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || path == filepath.Join("..", "infra", "sim")) {
			return fs.SkipDir // the auditor keeps books of his own, to hold ours against
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			fn, is := decl.(*ast.FuncDecl)
			if !is || fn.Body == nil {
				continue
			}
			where := filepath.ToSlash(path[len("../"):]) + " " + fn.Name.Name
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.AssignStmt:
					if slices.ContainsFunc(n.Lhs, writesBalance) {
						writers = append(writers, where)
					}
				case *ast.IncDecStmt:
					if writesBalance(n.X) {
						writers = append(writers, where)
					}
				case *ast.UnaryExpr:
					if n.Op == token.AND && writesBalance(n.X) {
						writers = append(writers, where)
					}
				case *ast.CompositeLit:
					if isAccount(n.Type) && slices.ContainsFunc(n.Elts, func(e ast.Expr) bool {
						field, keyed := e.(*ast.KeyValueExpr)
						if !keyed {
							return true
						}
						name, _ := field.Key.(*ast.Ident)
						return name == nil || name.Name == "Balance"
					}) {
						writers = append(writers, where)
					}
				case *ast.CallExpr:
					if call, is := n.Fun.(*ast.SelectorExpr); is && call.Sel.Name == "book" {
						bookers = append(bookers, where)
					}
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(writers)
	slices.Sort(bookers)
	if want := []string{"shared/app/identify.go Particulars", "shared/family/ledger.go Derive", "shared/family/ledger.go book"}; !slices.Equal(slices.Compact(writers), want) {
		t.Errorf("a balance is written by %q, not by %q alone", writers, want)
	}
	if want := []string{"shared/family/account.go Credit", "shared/family/adjust.go Approve", "shared/family/premium.go PayPremium", "shared/family/premium.go RefundPremium", "shared/family/rollover.go Rollover", "shared/family/settle.go post"}; !slices.Equal(slices.Compact(bookers), want) {
		t.Errorf("an entry is booked by %q, not by %q alone", bookers, want)
	}
}

// writesBalance tells whether an expression is an account's balance or a pocket of it.
func writesBalance(e ast.Expr) bool {
	for {
		selector, is := e.(*ast.SelectorExpr)
		if !is {
			return false
		}
		if selector.Sel.Name == "Balance" {
			return true
		}
		e = selector.X
	}
}

// isAccount tells whether a literal's type is the law's account.
func isAccount(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "Account"
	case *ast.SelectorExpr:
		from, _ := e.X.(*ast.Ident)
		return e.Sel.Name == "Account" && from != nil && from.Name == "family"
	}
	return false
}
