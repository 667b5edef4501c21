package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// listed is what go list tells of a package.
type listed struct {
	ImportPath, Dir, Name string
	Standard, DepOnly     bool
	Deps                  []string
	Module                *struct {
		Path, Version, Dir, Sum string
		Main                    bool
		Replace                 *struct{ Path string }
	}
}

// modules returns the modules that are linked into the programs below root, and the
// standard library.
func modules(root string) ([]part, error) {
	tell := exec.Command("go", "list", "-deps", "-tags", "lambda.norpc", "-json=ImportPath,Dir,Name,Standard,DepOnly,Deps,Module", "./...")
	tell.Dir = root
	tell.Env = append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0", "GOFLAGS=-mod=readonly", "GOWORK=off")
	tell.Stderr = os.Stderr
	text, err := tell.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	packages := map[string]listed{}
	for in := json.NewDecoder(bytes.NewReader(text)); ; {
		var p listed
		if err := in.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		packages[p.ImportPath] = p
	}
	found := map[string]*part{}
	for _, program := range slices.Sorted(maps.Keys(packages)) {
		p := packages[program]
		if p.Name != "main" || p.DepOnly {
			continue
		}
		_, folder, _ := strings.Cut(program, "/")
		for _, imported := range p.Deps {
			if err := link(found, folder, packages[imported]); err != nil {
				return nil, err
			}
		}
	}
	standard, err := standardLibrary()
	if err != nil {
		return nil, err
	}
	var parts []part
	for _, p := range found {
		if p.name == standard.name {
			p.version, p.purl, p.texts = standard.version, standard.purl, standard.texts
		}
		parts = append(parts, *p)
	}
	return parts, nil
}

// link notes that a program contains a package, and where the package's licences lie:
// beside it, or in a folder above it up to the module's.
func link(found map[string]*part, program string, p listed) error {
	name := "Go's standard library"
	switch {
	case p.Standard:
	case p.Module == nil:
		return fmt.Errorf("%s belongs to no module", p.ImportPath)
	case p.Module.Main:
		return nil
	case p.Module.Replace != nil:
		return fmt.Errorf("%s is replaced: its licence and checksum are not those of its name", p.Module.Path)
	default:
		name = p.Module.Path
	}
	at := found[name]
	if at == nil {
		at = &part{name: name}
		if !p.Standard {
			at.version, at.sum = p.Module.Version, p.Module.Sum
			at.purl = "pkg:golang/" + p.Module.Path + "@" + p.Module.Version
		}
		found[name] = at
	}
	if !slices.Contains(at.programs, program) {
		at.programs = append(at.programs, program)
	}
	if p.Standard {
		return nil
	}
	for dir := p.Dir; ; dir = filepath.Dir(dir) {
		texts, err := licenseFiles(dir)
		if err != nil {
			return err
		}
		for _, text := range texts {
			if !slices.Contains(at.texts, text) {
				at.texts = append(at.texts, text)
			}
		}
		if dir == p.Module.Dir {
			return nil
		}
	}
}

// standardLibrary is the toolchain's own, which every program contains.
func standardLibrary() (part, error) {
	text, err := exec.Command("go", "env", "GOVERSION", "GOROOT").Output()
	if err != nil {
		return part{}, fmt.Errorf("go env: %w", err)
	}
	version, root, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	version = strings.TrimPrefix(version, "go")
	return part{
		name: "Go's standard library", version: version, purl: "pkg:golang/std@" + version,
		texts: []string{filepath.Join(root, "LICENSE")},
	}, nil
}

// extra are files of a browser library that do not bear its name.
var extra = map[string]string{"hooks": "preact"}

// browserLibraries returns what shared/web/refresh.sh has fetched into a folder: each
// library's licence begins with its name and version.
func browserLibraries(dir string) ([]part, error) {
	sums, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		return nil, err
	}
	found := map[string]*part{}
	at := func(stem string) *part {
		if other, is := extra[stem]; is {
			stem = other
		}
		if found[stem] == nil {
			found[stem] = &part{programs: []string{"functions/web", "infra/local"}}
		}
		return found[stem]
	}
	for line := range strings.Lines(string(sums)) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok {
			return nil, fmt.Errorf("%s: SHA256SUMS has the line %q", dir, line)
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(text)); got != sum {
			return nil, fmt.Errorf("%s is not the file of SHA256SUMS", name)
		}
		stem, kind, _ := strings.Cut(name, ".")
		p := at(stem)
		if kind != "LICENSE" {
			p.files = append(p.files, file{name, sum})
			continue
		}
		heading, _, _ := strings.Cut(string(text), "\n")
		p.name, p.version, ok = strings.Cut(heading, " ")
		if !ok {
			return nil, fmt.Errorf("%s does not begin with a name and a version", name)
		}
		p.purl = "pkg:npm/" + strings.ToLower(p.name) + "@" + p.version
		p.texts = []string{filepath.Join(dir, name)}
	}
	var parts []part
	for stem, p := range found {
		if p.name == "" || len(p.files) == 0 {
			return nil, fmt.Errorf("%s: %s has no licence, or nothing beside it", dir, stem)
		}
		parts = append(parts, *p)
	}
	return parts, nil
}
