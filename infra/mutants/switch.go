package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// switchName is the variable of the environment that says which bug is on, by its
// number in the run's list from 1 on.
const switchName = "GONGJI_BUG"

// programs are the simulator and the tests with all bugs of a list in them, each
// behind a switch: building a program takes longer than most bugs live.
type programs struct {
	dir, overlay string
	// apart are the bugs, by number in the list, that do not fit behind a switch because
	// they lie outside a function or in one with nameless parameters: each of them is
	// built by itself.
	apart map[int]bool

	mu    sync.Mutex
	built map[string]string // what was built where
}

// newPrograms plants bugs in copies of their files, in a folder. A single one is planted
// as it is.
func newPrograms(dir string, list ...mutant) (*programs, error) {
	p := &programs{dir: dir, overlay: filepath.Join(dir, "overlay.json"), apart: map[int]bool{}, built: map[string]string{}}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	byFile := map[string][]int{}
	for i, m := range list {
		byFile[m.file] = append(byFile[m.file], i)
	}
	replace, folders := map[string]string{}, map[string]string{}
	for n, file := range slices.Sorted(maps.Keys(byFile)) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		source := string(text)
		if len(list) == 1 {
			source = strings.Replace(source, list[0].old, list[0].bad, 1)
		} else {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			folders[filepath.Dir(file)] = parsed.Name.Name
			switched := switches{source: source, parsed: parsed, before: map[int]string{}}
			for _, i := range byFile[file] {
				if !switched.plant(list[i], i+1) {
					p.apart[i] = true
				}
			}
			source = switched.text()
		}
		if err := p.put(replace, file, fmt.Sprintf("bad%d.go", n), source); err != nil {
			return nil, err
		}
	}
	for folder, name := range folders {
		source := "package " + name + "\n\nimport (\n\t\"os\"\n\t\"strconv\"\n)\n\nvar plantedBug, _ = strconv.Atoi(os.Getenv(\"" + switchName + "\"))\n"
		if err := p.put(replace, folder+"/planted_bug.go", name+"_switch.go", source); err != nil {
			return nil, err
		}
	}
	plan, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, err
	}
	return p, os.WriteFile(p.overlay, plan, 0o600)
}

// put writes a file that the compiler takes for another.
func (p *programs) put(replace map[string]string, file, name, source string) error {
	real, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	replace[real] = filepath.Join(p.dir, name)
	return os.WriteFile(replace[real], []byte(source), 0o600)
}

// simulator builds infra/sim, once.
func (p *programs) simulator() (string, error) {
	return p.build("sim", "build", "-ldflags", "-s -w", "./infra/sim")
}

// tests builds a folder's tests, once.
func (p *programs) tests(folder string) (string, error) {
	return p.build(strings.ReplaceAll(folder, "/", "-"), "test", "-c", "-vet=off", "-ldflags", "-s -w", "./"+folder)
}

func (p *programs) build(name, verb string, args ...string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := p.built[name]; at != "" {
		return at, nil
	}
	at, err := filepath.Abs(filepath.Join(p.dir, name))
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", append([]string{verb, "-overlay", p.overlay, "-o", at}, args...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	p.built[name] = at
	return at, nil
}

// switches is a file with bugs behind switches: a function with a bug in it stands
// beside the right one, which calls it when the bug is on.
type switches struct {
	source string
	parsed *ast.File
	before map[int]string // what is inserted at an offset
	copies strings.Builder
}

// plant puts a bug behind a switch, and tells whether that can be done.
func (s *switches) plant(m mutant, number int) bool {
	at := strings.Index(s.source, m.old)
	for _, d := range s.parsed.Decls {
		f, isFunc := d.(*ast.FuncDecl)
		if !isFunc || f.Body == nil {
			continue
		}
		// Offsets: the file is the first of its set, which begins at 1.
		begin, name, body, end := int(f.Pos())-1, int(f.Name.Pos())-1, int(f.Body.Lbrace)-1, int(f.End())-1
		if at <= body || at+len(m.old) > end {
			continue
		}
		call, callable := s.callOf(f)
		if !callable {
			return false
		}
		bad := fmt.Sprintf("%s_bug%d", f.Name.Name, number)
		after := name + len(f.Name.Name)
		fmt.Fprintf(&s.copies, "\n%s%s%s\n", s.source[begin:name], bad, s.source[after:at]+m.bad+s.source[at+len(m.old):end])
		call = fmt.Sprintf(call, bad)
		if f.Type.Results == nil {
			call += "; return"
		} else {
			call = "return " + call
		}
		s.before[body+1] += fmt.Sprintf(" if plantedBug == %d { %s };", number, call)
		return true
	}
	return false
}

// callOf returns how a function calls another of the same form, whose name is %s.
func (s *switches) callOf(f *ast.FuncDecl) (string, bool) {
	call := "%s"
	if f.Recv != nil {
		names := f.Recv.List[0].Names
		if len(names) == 0 || names[0].Name == "_" {
			return "", false
		}
		call = names[0].Name + ".%s"
	}
	if f.Type.TypeParams != nil {
		call += "[" + strings.TrimSuffix(namesOf(f.Type.TypeParams), ",") + "]"
	}
	arguments := namesOf(f.Type.Params)
	if arguments == "" && f.Type.Params.NumFields() > 0 || strings.Contains(arguments, "_,") {
		return "", false
	}
	arguments = strings.TrimSuffix(arguments, ",")
	if n := len(f.Type.Params.List); n > 0 {
		if _, variadic := f.Type.Params.List[n-1].Type.(*ast.Ellipsis); variadic {
			arguments += "..."
		}
	}
	return call + "(" + arguments + ")", true
}

// namesOf lists the names of fields, each with a comma behind it.
func namesOf(fields *ast.FieldList) string {
	list := ""
	for _, field := range fields.List {
		for _, name := range field.Names {
			list += name.Name + ","
		}
	}
	return list
}

// text is the file with all bugs that were planted.
func (s *switches) text() string {
	var out strings.Builder
	last := 0
	for _, at := range slices.Sorted(maps.Keys(s.before)) {
		out.WriteString(s.source[last:at] + s.before[at])
		last = at
	}
	return out.String() + s.source[last:] + s.copies.String()
}
