package policy

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"gongji/shared/family"
)

// Default is the region whose file rules wherever no other does.
const Default family.Region = "000000"

// FirstDay is the first day for which there are rules.
const FirstDay family.Day = 20210101

//go:embed regions
var embedded embed.FS

// Set holds every version of every region's policy. It does not change once
// loaded, and the policies that it hands out are shared: read them, do not write.
type Set struct {
	// regions are the versions of each region's policy, in the order of their days.
	regions map[family.Region]func() ([]*family.Policy, error)
}

// Load reads the files that are built into the program. Its error names the file
// and the field.
//
// It reads a region's files when somebody asks for them first: a Lambda function
// starts often and meets few regions. LoadFS finds no fault in the same files, which
// is a test, so nobody meets one later.
func Load() (*Set, error) {
	files, err := fs.Sub(embedded, "regions")
	if err != nil {
		return nil, err
	}
	return list(files)
}

// LoadFS reads every file of a folder.
func LoadFS(files fs.FS) (*Set, error) {
	set, err := list(files)
	if err != nil {
		return nil, err
	}
	for _, region := range slices.Sorted(maps.Keys(set.regions)) {
		if _, err := set.regions[region](); err != nil {
			return nil, err
		}
	}
	if err := covers(set.versions(Default)); err != nil {
		return nil, fmt.Errorf("policy: %s.json: %w", Default, err)
	}
	return set, nil
}

// list finds out which regions a folder has files of.
func list(files fs.FS) (*Set, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	names := map[family.Region][]string{}
	for _, entry := range entries {
		region, _, _ := strings.Cut(strings.TrimSuffix(entry.Name(), ".json"), "@")
		names[family.Region(region)] = append(names[family.Region(region)], entry.Name())
	}
	set := &Set{map[family.Region]func() ([]*family.Policy, error){}}
	for region, names := range names {
		set.regions[region] = sync.OnceValues(func() ([]*family.Policy, error) { return readRegion(files, names) })
	}
	return set, nil
}

// readRegion reads the files of one region.
func readRegion(files fs.FS, names []string) ([]*family.Policy, error) {
	var versions []*family.Policy
	for _, name := range names {
		p, err := readFile(files, name)
		if err == nil && slices.ContainsFunc(versions, func(other *family.Policy) bool { return other.ID() == p.ID() }) {
			err = fmt.Errorf("version: another file is %s", p.ID())
		}
		if err != nil {
			return nil, fmt.Errorf("policy: %s: %w", name, err)
		}
		versions = append(versions, p)
	}
	slices.SortFunc(versions, func(a, b *family.Policy) int { return int(a.From - b.From) })
	if err := follow(versions); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return versions, nil
}

// readFile reads one file, whose name says of which region it is.
func readFile(files fs.FS, name string) (*family.Policy, error) {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	p, err := readText(files, data)
	if err != nil {
		return nil, err
	}
	if name != string(p.Region)+".json" && name != p.ID()+".json" {
		return nil, fmt.Errorf("region: the file of %s is named %s.json, or %s.json once it is closed", p.ID(), p.Region, p.ID())
	}
	return p, nil
}

// versions returns the versions of a region, none where it has no files.
func (s *Set) versions(region family.Region) []*family.Policy {
	read, has := s.regions[region]
	if !has {
		return nil
	}
	versions, err := read()
	if err != nil {
		panic(err) // a file of the program, which the tests have read
	}
	return versions
}

// follow checks that each version begins on the day after the one before ended:
// on a day between two versions the default would rule, unnoticed.
func follow(versions []*family.Policy) error {
	for i, p := range versions[1:] {
		last := versions[i]
		switch {
		case last.To == 0 || p.From <= last.To:
			return fmt.Errorf("%s: from: %s overlaps %s", p.ID(), p.From, last.ID())
		case p.From != next(last.To):
			return fmt.Errorf("%s: from: %s leaves a gap after %s", p.ID(), p.From, last.ID())
		}
	}
	return nil
}

// covers checks that the default's versions leave no day without rules.
func covers(versions []*family.Policy) error {
	switch {
	case len(versions) == 0:
		return fmt.Errorf("the default is missing")
	case versions[0].From > FirstDay:
		return fmt.Errorf("from: the default is needed from %s, not %s", FirstDay, versions[0].From)
	case versions[len(versions)-1].To != 0:
		return fmt.Errorf("to: the default has to stay open")
	}
	return nil
}

// next returns the day after d.
func next(d family.Day) family.Day {
	return family.DayOf(time.Date(d.Year(), time.Month(d/100%100), int(d%100)+1, 0, 0, 0, 0, time.UTC))
}

// For returns the rules of a region on a day: of its city, else of its province,
// else the default. Before the first day of a region's first version, and after
// the last day of its last, the province's or the default rules. It returns nil
// only for days before [FirstDay]. The region is one that [family.ParseRegion] read.
func (s *Set) For(region family.Region, day family.Day) *family.Policy {
	for _, r := range []family.Region{region.City(), region.Province(), Default} {
		for _, p := range s.versions(r) {
			if p.From <= day && (p.To == 0 || day <= p.To) {
				return p
			}
		}
	}
	return nil
}

// Get returns the policy with an ID such as "430100@2026-01", whatever the day:
// a refund follows the rules under which its sale was made.
func (s *Set) Get(id string) (*family.Policy, bool) {
	region, _, _ := strings.Cut(id, "@")
	for _, p := range s.versions(family.Region(region)) {
		if p.ID() == id {
			return p, true
		}
	}
	return nil, false
}

// Read reads the text of a policy file that is not of the set, as strictly as those
// of it.
func (s *Set) Read(text []byte) (*family.Policy, error) {
	files, err := fs.Sub(embedded, "regions")
	if err != nil {
		return nil, err
	}
	return readText(files, text)
}

// readText reads the text of a file; what it leaves out is the default's among files.
func readText(files fs.FS, data []byte) (*family.Policy, error) {
	f, err := parse(data)
	if err != nil {
		return nil, err
	}
	if f.leavesOut() {
		data, err := fs.ReadFile(files, string(Default)+".json")
		if err != nil {
			return nil, fmt.Errorf("it leaves something to the default: %w", err)
		}
		def, err := parse(data)
		if err != nil {
			return nil, fmt.Errorf("it leaves something to the default: %w", err)
		}
		if err := f.inherit(def); err != nil {
			return nil, err
		}
	}
	return f.policy()
}
