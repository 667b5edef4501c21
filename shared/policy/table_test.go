package policy

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"gongji/shared/family"
)

var update = flag.Bool("update", false, "write the table of docs/binding.md anew")

// bindingTable is the table region by rule of docs/binding.md.
func bindingTable(set *Set) string {
	var b strings.Builder
	b.WriteString("| region | relatives | at once | grantors of one | both roles | insured within | evidence | papers | a grant alone | money | floor (yuan) | quota | order | ended by | when insurance moves | beyond |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, region := range slices.Sorted(maps.Keys(set.regions)) {
		for _, p := range set.versions(region) {
			g, r := p.Grants, p.Binding
			relatives := "near relatives"
			if len(g.Kins) != len(family.Kins) {
				relatives = words(g.Kins)
			}
			consent := "the member accepts"
			if r.GrantAtOnce {
				consent = "at once"
			}
			papers := "none"
			if list := r.Papers[family.Spouse]; len(list) > 0 {
				papers = words(list)
			}
			roles := "yes"
			if !g.DualRole {
				roles = "no"
			}
			beyond := "none"
			if g.Beyond != "" {
				beyond = string(g.Beyond)
			}
			fmt.Fprintf(&b, "| %s %s | %s | %d | %d | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n",
				p.ID(), p.NameZH, relatives, g.MaxMembers, g.MaxGrantors, roles, g.Insured, r.Evidence, papers, consent,
				g.Money, g.Floor, g.Quota, g.Order, words(r.EndedBy), r.OnMove, beyond)
		}
	}
	return b.String()
}

func words[T ~string](list []T) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = string(v)
	}
	return strings.Join(texts, ", ")
}

// TestBindingTable holds the table of docs/binding.md to the files.
func TestBindingTable(t *testing.T) {
	const path, from, to = "../../docs/binding.md", "<!-- table -->\n", "<!-- end -->"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(page), from)
	_, tail, ends := strings.Cut(rest, to)
	if !found || !ends {
		t.Fatal("the page has no place for the table")
	}
	want := head + from + bindingTable(load(t)) + to + tail
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(page) {
		t.Error("docs/binding.md is not what the files say: go test ./shared/policy -run TestBindingTable -update")
	}
}
