// Package shared_test holds the shape of the whole tree: which package may know
// which (section 3 of docs/architecture.md).
package shared_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "gongji"

// arrows says which packages of ours each package may import; tests may import
// more. A folder with no row fails the test: whoever makes one says here what it
// may know.
var arrows = map[string][]string{
	"shared/family":    {},
	"shared/store":     {},
	"shared/vault":     {},
	"shared/qrimage":   {},
	"shared/pinyin":    {},
	"shared/answer":    {"shared/family"},
	"shared/policy":    {"shared/family"},
	"shared/catalogue": {"shared/family"},
	"shared/papers":    {},

	"shared/checkpoint": {"shared/family"},
	"shared/throttle":   {},

	"shared/papers/folder": {"shared/papers"},
	"shared/papers/bucket": {"shared/papers"},

	"shared/store/sqlite":    {"shared/store"},
	"shared/store/dynamo":    {"shared/store"},
	"shared/store/storetest": {"shared/seedtest", "shared/store"},
	"shared/seedtest":        {},

	"shared/app": {"shared/checkpoint", "shared/family", "shared/papers", "shared/pinyin", "shared/store", "shared/vault"},
	"shared/api": {"shared/app", "shared/answer", "shared/catalogue", "shared/family", "shared/throttle", "shared/qrimage"},
	"shared/his": {"shared/app", "shared/answer", "shared/family", "shared/throttle"},
	"shared/web": {},

	"shared/civil": {"shared/app", "shared/family"},

	// The compositions know the parts that they put together.
	"shared/gateway":         {"shared/app", "shared/answer", "shared/family"},
	"shared/onaws":           {"shared/app", "shared/civil", "shared/gateway", "shared/family", "shared/throttle", "shared/papers", "shared/papers/bucket", "shared/policy", "shared/store", "shared/store/dynamo", "shared/vault"},
	"shared/onaws/onawstest": {},
	"functions/*":            {"shared/api", "shared/his", "shared/web", "shared/gateway", "shared/onaws"},
	"infra/demo":             {},
	"infra/hissim":           {},
	"infra/keys":             {"shared/vault"},
	"infra/verify":           {"shared/checkpoint", "shared/family"},
	"infra/rig":              {"infra/demo"},
	"infra/crash":            {"infra/rig", "shared/app", "shared/family", "shared/policy", "shared/vault", "shared/store", "shared/store/sqlite"},
	"infra/linear":           {"infra/rig"},
	"infra/meter":            {"shared/store", "shared/store/dynamo"},
	"infra/bench": {
		"shared/app", "shared/catalogue", "shared/family", "shared/policy", "shared/qrimage", "shared/vault", "shared/store", "shared/store/sqlite",
		"infra/meter", "infra/rig",
	},
	"infra/mutants":     {},
	"infra/sim":         {"infra/sim/town"},
	"infra/sim/town":    {"infra/sim/auditor", "infra/sim/disk", "shared/app", "shared/family", "shared/papers", "shared/store", "shared/vault"},
	"infra/sim/auditor": {"shared/store"}, // and nothing of the law
	"infra/sim/disk":    {"shared/store"},
	"infra/local": {
		"shared/api", "shared/his", "shared/web", "shared/app", "shared/answer", "shared/civil", "shared/family", "shared/throttle", "shared/policy", "shared/qrimage", "shared/vault",
		"shared/papers", "shared/papers/folder", "shared/store", "shared/store/sqlite", "shared/store/dynamo", "infra/demo",
	},
}

// forTests may be imported by tests alone.
var forTests = []string{"shared/store/storetest", "shared/seedtest", "shared/onaws/onawstest"}

// direct are all packages, of whomever, that the two at the bottom may import: a
// law without a clock, a database or an environment, and a port without a driver.
var direct = map[string][]string{
	"shared/family": {"cmp", "crypto/sha256", "encoding/hex", "errors", "fmt", "maps", "math/bits", "slices", "strconv", "strings", "time"},
	"shared/store":  {"context", "errors", "fmt", "strings", "time", "unicode/utf8"},
}

// only names outside packages that one of ours alone may import.
var only = map[string][]string{
	"github.com/aws/aws-lambda-go":                  {"shared/gateway", "shared/onaws", "shared/onaws/onawstest"},
	"github.com/aws/aws-sdk-go-v2/service/dynamodb": {"shared/store/dynamo", "infra/local"}, // which makes a table for tests
	"modernc.org/sqlite":                            {"shared/store/sqlite"},
	"github.com/ncruces/go-sqlite3":                 {"shared/store/sqlite"},
	"database/sql":                                  {"shared/store/sqlite"},
	"github.com/emmansun/gmsm":                      {"shared/his"},
	"github.com/danielgtaylor/huma":                 {"shared/api"},
	"github.com/sony/gobreaker":                     {"shared/civil"},
}

// source is one file of ours.
type source struct {
	pkg, file string // "shared/app", "loop.go"
	test      bool
	syntax    *ast.File
	imports   []string
}

// sources parses every Go file of the module but those of nested modules.
func sources(t *testing.T) []source {
	t.Helper()
	root := ".."
	var all []source
	files := token.NewFileSet()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			hidden := name != root && (strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_"))
			_, nested := os.Stat(filepath.Join(name, "go.mod"))
			if hidden || d.Name() == "testdata" || d.Name() == "node_modules" || name != root && nested == nil {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		syntax, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		s := source{pkg: filepath.ToSlash(rel), file: d.Name(), test: strings.HasSuffix(name, "_test.go"), syntax: syntax}
		for _, spec := range syntax.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, imported)
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("only %d files were found: this is not the whole tree", len(all))
	}
	return all
}

// ours returns the folder of a package of ours.
func ours(imported string) (string, bool) { return strings.CutPrefix(imported, module+"/") }

// rowOf returns the row under which a package's arrows stand.
func rowOf(pkg string) string {
	if path.Dir(pkg) == "functions" {
		return "functions/*"
	}
	return pkg
}

func TestArrows(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		allowed, listed := arrows[rowOf(s.pkg)]
		if !listed {
			t.Errorf("%s has no row in arrows: say what it may import", s.pkg)
			continue
		}
		for _, imported := range s.imports {
			if p, is := ours(imported); is && !slices.Contains(allowed, p) {
				t.Errorf("%s/%s imports %s, which is no arrow of the architecture", s.pkg, s.file, imported)
			}
			if list, bounded := direct[s.pkg]; bounded && !slices.Contains(list, imported) {
				t.Errorf("%s/%s imports %s, which is not on the list of that package", s.pkg, s.file, imported)
			}
		}
	}
}

func TestRowsNameWhatThereIs(t *testing.T) {
	for pkg, allowed := range arrows {
		for _, p := range allowed {
			if _, listed := arrows[p]; !listed {
				t.Errorf("%s may import %s, which has no row", pkg, p)
			}
			if slices.Contains(forTests, p) && !slices.Contains(forTests, pkg) {
				t.Errorf("%s may import %s, which is for tests", pkg, p)
			}
		}
	}
}

func TestOneDoorToEachOutsidePackage(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, imported := range s.imports {
			for outside, allowed := range only {
				if (imported == outside || strings.HasPrefix(imported, outside+"/")) && !slices.Contains(allowed, s.pkg) {
					t.Errorf("%s/%s imports %s, which only %v may import", s.pkg, s.file, imported, allowed)
				}
			}
		}
	}
}

// TestNoFunctionLinksSQLite follows the imports of every Lambda: what is linked is
// paid for at every cold start.
func TestNoFunctionLinksSQLite(t *testing.T) {
	imports := map[string]map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		if imports[s.pkg] == nil {
			imports[s.pkg] = map[string]bool{}
		}
		for _, imported := range s.imports {
			if p, is := ours(imported); is {
				imported = p
			}
			imports[s.pkg][imported] = true
		}
	}
	for _, function := range slices.Sorted(maps.Keys(imports)) {
		if !strings.HasPrefix(function, "functions/") {
			continue
		}
		linked, next := map[string]bool{}, []string{function}
		for len(next) > 0 {
			p := next[0]
			next = next[1:]
			for imported := range imports[p] {
				if !linked[imported] {
					linked[imported] = true
					next = append(next, imported)
				}
			}
		}
		for p := range linked {
			if p == "shared/store/sqlite" || p == "database/sql" || strings.Contains(p, "sqlite") {
				t.Errorf("%s links %s", function, p)
			}
			if function == "functions/web" && strings.HasPrefix(p, "github.com/aws/aws-sdk-go-v2") {
				t.Errorf("%s links %s, and the pages ask no table", function, p)
			}
		}
	}
}

// TestFunctionsHoldNoLogic: a folder under functions/ is one main.go.
func TestFunctionsHoldNoLogic(t *testing.T) {
	for _, s := range sources(t) {
		if strings.HasPrefix(s.pkg, "functions") && (path.Dir(s.pkg) != "functions" || s.file != "main.go" && !s.test || s.syntax.Name.Name != "main") {
			t.Errorf("%s/%s: a function is a folder with one main.go", s.pkg, s.file)
		}
	}
}

// TestTheLawIsPure looks through the law for what would make one case have two
// answers, and for tags of a wire or a table.
func TestTheLawIsPure(t *testing.T) {
	forbidden := map[string][]string{
		"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Local", "LoadLocation"},
		"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
	}
	files := 0
	for _, s := range sources(t) {
		if s.pkg != "shared/family" || s.test {
			continue
		}
		files++
		for _, imported := range s.imports {
			switch imported {
			case "math/rand", "math/rand/v2", "crypto/rand", "os", "log", "log/slog", "context", "database/sql", "encoding/json":
				t.Errorf("%s imports %s", s.file, imported)
			}
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, is := n.X.(*ast.Ident); is && slices.Contains(forbidden[x.Name], n.Sel.Name) {
					t.Errorf("%s uses %s.%s", s.file, x.Name, n.Sel.Name)
				}
			case *ast.Field:
				if n.Tag != nil {
					t.Errorf("%s has the tag %s: how things are written is decided elsewhere", s.file, n.Tag.Value)
				}
			case *ast.GoStmt:
				t.Errorf("%s starts a goroutine", s.file)
			}
			return true
		})
	}
	if files == 0 {
		t.Fatal("the law was not found")
	}
}
