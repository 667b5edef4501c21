// Sbom writes the bill of materials of every program of this repository, and holds
// the licence of each part against the list of those allowed.
//
//	go run ./sbom [-root ../..] [-out ../../bin/sbom.cdx.json] [-update]
//
// The parts are the modules whose packages are linked into a program for Linux, as
// go list tells, Go's standard library, and the browser libraries of shared/web. The
// bill is CycloneDX in JSON; it bears no time and no random number, so that one tree
// has one bill. The table of licences stands in docs/dependencies.md: the program
// fails where that differs, and writes it with -update.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func main() {
	root := flag.String("root", "../..", "the repository's `folder`")
	out := flag.String("out", "../../bin/sbom.cdx.json", "the `file` that the bill is written to")
	update := flag.Bool("update", false, "write the table of docs/dependencies.md instead of comparing it")
	flag.Parse()
	if err := run(*root, *out, *update); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(root, out string, update bool) error {
	parts, err := modules(root)
	if err != nil {
		return err
	}
	libraries, err := browserLibraries(filepath.Join(root, "shared/web/static/lib"))
	if err != nil {
		return err
	}
	parts = append(parts, libraries...)
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.purl, b.purl) })

	var wrong []error
	for i := range parts {
		if err := parts[i].license(); err != nil {
			wrong = append(wrong, err)
		}
	}
	list := table(parts)
	fmt.Print(list)
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	if err := write(out, parts); err != nil {
		return err
	}
	fmt.Printf("\n%d parts, every licence allowed; the bill is %s\n", len(parts), filepath.Base(out))
	return publish(filepath.Join(root, "docs/dependencies.md"), list, update)
}

// part is one thing of somebody else's that a program of ours contains.
type part struct {
	name, version, purl string
	sum                 string   // go.sum's, of a module
	files               []file   // of a browser library
	programs            []string // that contain it, sorted
	texts               []string // the files of its licences
	licenses            []string // their SPDX names, sorted
}

// file is one file of a browser library.
type file struct{ name, sha256 string }

// shipped tells the programs that run in a house from those that test and measure it.
func shipped(program string) bool {
	return strings.HasPrefix(program, "functions/") || slices.Contains([]string{"infra/local", "infra/keys", "infra/verify"}, program)
}

// where says in a few words which programs contain a part.
func (p part) where() string {
	var functions int
	var others []string
	for _, name := range p.programs {
		switch {
		case strings.HasPrefix(name, "functions/"):
			functions++
		case shipped(name):
			others = append(others, strings.TrimPrefix(name, "infra/"))
		}
	}
	if functions > 0 {
		others = append([]string{count(functions)}, others...)
	}
	if len(others) == 0 {
		return "tests and measurements"
	}
	return strings.Join(others, ", ")
}

func count(functions int) string {
	if functions == 1 {
		return "1 function"
	}
	return fmt.Sprintf("%d functions", functions)
}

// table is the list of licences as the page has it. It has no versions: go.mod does.
func table(parts []part) string {
	var b strings.Builder
	b.WriteString("| part | licences | in |\n|---|---|---|\n")
	for _, p := range parts {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", p.name, strings.Join(p.licenses, ", "), p.where())
	}
	return b.String()
}

// write writes the bill, and reads it back.
func write(out string, parts []part) error {
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &cdx.Component{Type: cdx.ComponentTypeApplication, BOMRef: "gongji", Name: "gongji"}}
	components := make([]cdx.Component, 0, len(parts))
	var all []string
	programs := map[string][]string{}
	for _, p := range parts {
		components = append(components, p.component())
		all = append(all, p.purl)
		for _, name := range p.programs {
			programs[name] = append(programs[name], p.purl)
		}
	}
	var dependencies []cdx.Dependency
	for name, of := range programs {
		components = append(components, cdx.Component{Type: cdx.ComponentTypeApplication, BOMRef: name, Name: name})
		dependencies = append(dependencies, cdx.Dependency{Ref: name, Dependencies: &of})
		all = append(all, name)
	}
	slices.Sort(all)
	dependencies = append(dependencies, cdx.Dependency{Ref: "gongji", Dependencies: &all})
	slices.SortFunc(components, func(a, b cdx.Component) int { return cmp.Compare(a.BOMRef, b.BOMRef) })
	slices.SortFunc(dependencies, func(a, b cdx.Dependency) int { return cmp.Compare(a.Ref, b.Ref) })
	bom.Components, bom.Dependencies = &components, &dependencies

	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	err = cdx.NewBOMEncoder(f, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	f, err = os.Open(out)
	if err != nil {
		return err
	}
	defer f.Close()
	read := new(cdx.BOM)
	if err := cdx.NewBOMDecoder(f, cdx.BOMFileFormatJSON).Decode(read); err != nil {
		return err
	}
	if read.Components == nil || len(*read.Components) != len(components) {
		return fmt.Errorf("%s does not hold what was written", out)
	}
	return nil
}

func (p part) component() cdx.Component {
	c := cdx.Component{Type: cdx.ComponentTypeLibrary, BOMRef: p.purl, Name: p.name, Version: p.version, PackageURL: p.purl, Scope: cdx.ScopeOptional}
	if slices.ContainsFunc(p.programs, shipped) {
		c.Scope = cdx.ScopeRequired
	}
	licenses := cdx.Licenses{}
	for _, id := range p.licenses {
		license := &cdx.License{ID: id}
		if id == publicDomain {
			license = &cdx.License{Name: id} // SPDX has no short name for it
		}
		licenses = append(licenses, cdx.LicenseChoice{License: license})
	}
	c.Licenses = &licenses
	if p.sum != "" {
		c.Properties = &[]cdx.Property{{Name: "go.sum", Value: p.sum}}
	}
	if len(p.files) > 0 {
		files := make([]cdx.Component, 0, len(p.files))
		for _, f := range p.files {
			files = append(files, cdx.Component{
				Type: cdx.ComponentTypeFile, BOMRef: "file:" + f.name, Name: f.name,
				Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: f.sha256}},
			})
		}
		c.Components = &files
	}
	return c
}

// publish compares the table with the page's, or puts it there.
func publish(page, list string, update bool) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	const from, to = "<!-- licences -->\n", "<!-- end of the licences -->"
	before, rest, found := strings.Cut(string(text), from)
	there, after, ended := strings.Cut(rest, to)
	switch {
	case !found || !ended:
		return fmt.Errorf("%s has no place for the licences: %q and %q", page, from, to)
	case there == list:
		return nil
	case !update:
		return errors.New("docs/dependencies.md has another table of licences: look at the difference, then make licences")
	}
	return os.WriteFile(page, []byte(before+from+list+to+after), 0o644)
}
