package policy

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"
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
	byID     map[string]*family.Policy
	byRegion map[family.Region][]*family.Policy // in the order of their days
}

// Load reads the files that are built into the program. Its error names the file
// and the field.
func Load() (*Set, error) {
	files, err := fs.Sub(embedded, "regions")
	if err != nil {
		return nil, err
	}
	return LoadFS(files)
}

// LoadFS reads every file of a folder as Load does.
func LoadFS(files fs.FS) (*Set, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	set := &Set{map[string]*family.Policy{}, map[family.Region][]*family.Policy{}}
	for _, entry := range entries {
		if err := set.add(files, entry.Name()); err != nil {
			return nil, fmt.Errorf("policy: %s: %w", entry.Name(), err)
		}
	}
	for _, region := range slices.Sorted(maps.Keys(set.byRegion)) {
		versions := set.byRegion[region]
		slices.SortFunc(versions, func(a, b *family.Policy) int { return int(a.From - b.From) })
		if err := follow(versions); err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
	}
	if err := covers(set.byRegion[Default]); err != nil {
		return nil, fmt.Errorf("policy: %s.json: %w", Default, err)
	}
	return set, nil
}

// add reads one file into the set.
func (s *Set) add(files fs.FS, name string) error {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	f, err := parse(data)
	if err != nil {
		return err
	}
	p, err := f.policy()
	if err != nil {
		return err
	}
	if name != string(p.Region)+".json" && name != p.ID()+".json" {
		return fmt.Errorf("region: the file of %s is named %s.json, or %s.json once it is closed", p.ID(), p.Region, p.ID())
	}
	if s.byID[p.ID()] != nil {
		return fmt.Errorf("version: another file is %s", p.ID())
	}
	s.byID[p.ID()] = p
	s.byRegion[p.Region] = append(s.byRegion[p.Region], p)
	return nil
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
		for _, p := range s.byRegion[r] {
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
	p, ok := s.byID[id]
	return p, ok
}
