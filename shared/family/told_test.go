package family_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gongji/shared/family"
	"gongji/shared/policy"
)

// untold are the published rules that no scenario of testdata holds, and why.
var untold = map[string]string{
	"100000 grants.usable_scope":           "a grant across provinces pays everywhere (Grant.Nationwide), whatever a file says: rules-100000.txt",
	"310000 grants.insured_scope":          "Shanghai is a city and its province in one, and farther away the nation's rules hold",
	"430100 his.fund_sum_includes_account": "moves no money, and the law never asks: TestGolden of shared/his, without the account",
	"440300 his.fund_sum_includes_account": "as above: TestGuangdong of shared/his, with it",
}

// TestEveryPublishedRuleIsTold changes, one at a time, every rule of every region's
// file that somebody published, and wants a scenario of testdata to fail for it. A rule
// whose source is our_default is nobody's law, and may stay untold.
func TestEveryPublishedRuleIsTold(t *testing.T) {
	set, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	scenarios, _ := filepath.Glob("testdata/*.txt")
	for _, name := range scenarios {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	regions, _ := filepath.Glob("../policy/regions/*.json")
	known := map[string]bool{}
	for _, name := range regions {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		region, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(name), ".json"), "@")
		// Those that play under the region's file; the one that is named after it first.
		tellers := []string{"testdata/rules-" + region + ".txt"}
		for _, name := range scenarios {
			if name != tellers[0] && strings.Contains(texts[name], "\npolicy "+region+"\n") {
				tellers = append(tellers, name)
			}
		}
		for _, name := range tellers {
			if err := playUnder(set, nil, name, texts[name]); err != nil {
				t.Fatal(err) // whatever fails anyhow tells nothing
			}
		}
		told := func(other *family.Policy) bool {
			return slices.ContainsFunc(tellers, func(name string) bool { return playUnder(set, other, name, texts[name]) != nil })
		}
		rules := publishedRules(t, data)
		for _, rule := range rules {
			known[region+" "+strings.Join(rule, ".")] = true
		}
		t.Run(region, func(t *testing.T) {
			t.Parallel()
			for _, rule := range rules {
				name := region + " " + strings.Join(rule, ".")
				tried, missing := 0, ""
				for _, v := range variantsOf(t, data, rule) {
					other, err := set.Read(v.file)
					if err != nil || municipal(other) {
						continue
					}
					tried++
					if !told(other) {
						missing = v.what
						break
					}
				}
				switch _, listed := untold[name]; {
				case tried == 0 && !listed:
					t.Errorf("%s: there is no other rule to try", name)
				case missing != "" && !listed:
					t.Errorf("%s: no scenario of testdata fails when it is %s", name, missing)
				case tried > 0 && missing == "" && listed:
					t.Errorf("%s is told and still listed as untold", name)
				}
			}
		})
	}
	if len(known) < 200 {
		t.Errorf("only %d rules were found", len(known))
	}
	for name := range untold {
		if !known[name] {
			t.Errorf("there is no published rule %s", name)
		}
	}
}

// municipal tells whether a city that is its own province has a scope of the province:
// no scenario can tell the two.
func municipal(p *family.Policy) bool {
	return slices.Contains([]family.Region{"11", "31"}, p.Region[:2]) && (p.Grants.Insured == family.SameProvince || p.Grants.Usable == family.SameProvince)
}

// publishedRules are the paths of a file's rules whose source is somebody else.
func publishedRules(t *testing.T, data []byte) (rules [][]string) {
	t.Helper()
	var walk func(v any, at []string)
	walk = func(v any, at []string) {
		switch v := v.(type) {
		case map[string]any:
			sources, _ := v["sources"].([]any)
			for _, s := range sources {
				s := s.(map[string]any)
				rule := append(slices.Clone(at), s["rule"].(string))
				if _, has := v[rule[len(rule)-1]]; has && s["kind"] != "our_default" && !slices.ContainsFunc(rules, func(r []string) bool { return slices.Equal(r, rule) }) {
					rules = append(rules, rule)
				}
			}
			for _, key := range slices.Sorted(maps.Keys(v)) {
				if key != "sources" {
					walk(v[key], append(slices.Clone(at), key))
				}
			}
		case []any:
			for i, item := range v {
				walk(item, append(slices.Clone(at), fmt.Sprint(i)))
			}
		}
	}
	walk(fileAsJSON(t, data), nil)
	return rules
}

// variant is a file of which one rule is another.
type variant struct {
	what string // what the rule is now
	file []byte
}

// variantsOf returns the file with one rule changed, in each way that makes a difference.
func variantsOf(t *testing.T, data []byte, rule []string) (out []variant) {
	t.Helper()
	root := fileAsJSON(t, data)
	group, key := root, rule[len(rule)-1]
	for _, step := range rule[:len(rule)-1] {
		switch v := group.(type) {
		case map[string]any:
			group = v[step]
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil {
				t.Fatal(err)
			}
			group = v[n]
		}
	}
	rules := group.(map[string]any)
	for _, other := range others(key, rules[key]) {
		rules[key] = other
		text, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, variant{fmt.Sprint(other), text})
	}
	return out
}

// vocabulary are the words that a rule's value may be, or its list may hold.
var vocabulary = map[string][]string{
	"evidence":          {"declaration", "machine", "review"},
	"ended_by":          {"holder", "member"},
	"on_move":           {"hold", "end"},
	"kins":              {"spouse", "parent", "child", "sibling", "grandparent", "grandchild"},
	"purposes":          {"care", "pharmacy", "premium"},
	"pays":              {"care", "pharmacy", "registration", "resident_premium", "ltc_premium"},
	"grantor_insutypes": {"310", "390"},
	"insured_scope":     {"city", "province", "nation"},
	"usable_scope":      {"city", "province", "nation"},
	"order":             {"filing_order", "balance_desc", "user_set"},
	"money":             {"live_balance", "past_years"},
	"quota":             {"may", "must", "never"},
	"accounts":          {"family", "owner", "nobody"},
	"beyond":            {"", "100000"},
}

// others are the values that could stand in the place of a rule's. What no file may
// say is among them.
func others(rule string, v any) (out []any) {
	switch v := v.(type) {
	case bool:
		return []any{!v}
	case json.Number:
		n, _ := v.Int64()
		if rule == "max_grantors" && n == family.MaxGrantors {
			return []any{1} // "one may have several": that they are eight is our bound
		}
		return []any{n - 1, n + 1}
	case string:
		if ratio, err := family.ParseRatio(v); err == nil && len(v) == len("0.0000") {
			return []any{(ratio - 1).String(), (ratio + 1).String()}
		}
		for _, word := range vocabulary[rule] {
			if word != v {
				out = append(out, word)
			}
		}
	case []any:
		for i := range v {
			out = append(out, slices.Delete(slices.Clone(v), i, i+1))
		}
		for _, word := range vocabulary[rule] {
			if !slices.Contains(v, any(word)) {
				out = append(out, append(slices.Clone(v), word))
			}
		}
	case map[string]any: // by kin, or by grade
		for _, key := range slices.Sorted(maps.Keys(v)) {
			for _, other := range others(rule, v[key]) {
				with := maps.Clone(v)
				with[key] = other
				out = append(out, with)
			}
		}
	}
	return out
}

func fileAsJSON(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
