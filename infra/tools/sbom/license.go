package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// publicDomain is for a text that gives up all rights, such as SQLite's.
const publicDomain = "public domain"

// allowed are the licences under which a part may be in a program: each lets it be
// used, changed and passed on in closed programs as well, and asks for no more than
// its notice.
var allowed = []string{"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", publicDomain}

// enough is how much of a file has to be a licence that is known, in percent: the
// rest is names, years and headings.
const enough = 75

// readByHand are texts that licensecheck does not know whole, by their SHA-256, and
// what they say of what is linked: another text has to be read again.
var readByHand = map[string][]string{
	// aws-lambda-go: which of the two texts beside it is for what.
	"00c31061d11a7d289e3f5ac49f58b0d5cffdd9d1d24a9ee4c9848354356386bc": nil,
	// modernc.org/memory: where a picture comes from, which no program contains.
	"5ae5bee3072a841376451b48d8cfcec7188e10543926d5870828d36c8a750dc5": nil,
	// modernc.org/libc: Go, musl with its parts, go-netdb, nixpkgs.
	"f597097efe3d97021f89170746bd3a0fb9a8b6fb26b82043ed68a4e0283bee6c": {"BSD-2-Clause", "BSD-3-Clause", "MIT"},
	// modernc.org/sqlite: SQLite's dedication.
	"8438c9c89b849131ead81d5435cb97fcf052df5b0b286dda8a2d4c29e6cb3fd0": {publicDomain},
	// modernc.org/sqlite: the first of its tables; the others are of its tests.
	"b4366b9c27a9364633e015011a231913ed19bf1228f335bf617e50a6f7b168a6": {"BSD-3-Clause", "MIT", publicDomain},
}

// isLicense knows the names that licences go by.
var isLicense = regexp.MustCompile(`(?i)^([a-z0-9]+-)?(licen[cs]e|copying|unlicense)([-._].*)?$`)

// licenseFiles returns the files of a folder that go by a licence's name, sorted.
func licenseFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, e := range entries {
		if e.Type().IsRegular() && isLicense.MatchString(e.Name()) && filepath.Ext(e.Name()) != ".go" {
			texts = append(texts, filepath.Join(dir, e.Name()))
		}
	}
	return texts, nil
}

// license reads what a part's licences are. It fails where there is none, where one is
// not known, and where one is not allowed.
func (p *part) license() error {
	if len(p.texts) == 0 {
		return fmt.Errorf("%s has no licence", p.name)
	}
	for _, name := range p.texts {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		ids, err := identify(text)
		if err != nil {
			return fmt.Errorf("%s: %s %w", p.name, filepath.Base(name), err)
		}
		p.licenses = append(p.licenses, ids...)
	}
	slices.Sort(p.licenses)
	p.licenses = slices.Compact(p.licenses)
	if len(p.licenses) == 0 {
		return fmt.Errorf("%s names its licence and does not have its text", p.name)
	}
	return nil
}

// identify returns the SPDX names of the licences that a text is, all of them allowed.
func identify(text []byte) ([]string, error) {
	if ids, read := readByHand[fmt.Sprintf("%x", sha256.Sum256(text))]; read {
		return ids, nil
	}
	cover := licensecheck.Scan(text)
	if cover.Percent < enough {
		return nil, fmt.Errorf("is %.0f %% known licence, of %d %% at least", cover.Percent, enough)
	}
	var ids []string
	for _, m := range cover.Match {
		if m.IsURL {
			continue // an address of a licence is not its text
		}
		if !slices.Contains(allowed, m.ID) {
			return nil, fmt.Errorf("is under %s, which is not among %s", m.ID, strings.Join(allowed, ", "))
		}
		ids = append(ids, m.ID)
	}
	return ids, nil
}
