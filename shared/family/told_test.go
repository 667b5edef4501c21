package family_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"gongji/shared/policy"
)

// TestEveryPublishedRuleIsTold spoils, one at a time, every rule of every region's
// file that somebody published, and wants a scenario of testdata to fail for it. A rule
// whose source is our_default is nobody's law, and may stay untold.
func TestEveryPublishedRuleIsTold(t *testing.T) {
	files, texts := fstest.MapFS{}, map[string]string{}
	regions, _ := filepath.Glob("../policy/regions/*.json")
	for _, name := range regions {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = &fstest.MapFile{Data: text}
	}
	scenarios, _ := filepath.Glob("testdata/*.txt")
	for _, name := range scenarios {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	// told tells whether a scenario fails, and whether there was a policy at all.
	told := func(region string, spoilt []byte) (fails, valid bool) {
		other := maps.Clone(files)
		other[region+".json"] = &fstest.MapFile{Data: spoilt}
		set, err := policy.LoadFS(other)
		if err != nil {
			return false, false
		}
		for name, text := range texts {
			if strings.Contains(text, region) && playUnder(set, name, text) != nil {
				return true, true
			}
		}
		return false, true
	}
	rules := 0
	for name, file := range files {
		region := strings.TrimSuffix(name, ".json")
		t.Run(region, func(t *testing.T) {
			t.Parallel()
			for _, rule := range publishedRules(t, file.Data) {
				tried, seen := 0, false
				for _, spoilt := range spoiltBy(t, file.Data, rule) {
					if fails, valid := told(region, spoilt); valid {
						tried++
						if seen = fails; seen {
							break
						}
					}
				}
				if tried > 0 && !seen {
					t.Errorf("%s: no scenario of testdata fails when %s is another", name, strings.Join(rule, "."))
				}
			}
		})
		rules += len(publishedRules(t, file.Data))
	}
	if rules < 200 {
		t.Errorf("only %d rules were found", rules)
	}
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
				if _, group := v[rule[len(rule)-1]]; group && s["kind"] != "our_default" && !slices.ContainsFunc(rules, func(r []string) bool { return slices.Equal(r, rule) }) {
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

// words of the files that can stand for one another.
var alike = [][]string{
	{"declaration", "machine", "review"},
	{"province", "city", "nation"},
	{"user_set", "filed_order", "balance_desc"},
	{"live_balance", "past_years"},
	{"may", "must", "no"},
	{"hold", "end"},
	{"family", "owner", "nobody"},
	{"310", "390"},
	{"holder", "member"},
}

// spoiltBy returns the file with one rule changed, in each way that there is.
func spoiltBy(t *testing.T, data []byte, rule []string) (out [][]byte) {
	t.Helper()
	at := func(root any) (map[string]any, string) {
		for _, key := range rule[:len(rule)-1] {
			switch v := root.(type) {
			case map[string]any:
				root = v[key]
			case []any:
				var i int
				if _, err := fmt.Sscan(key, &i); err != nil {
					t.Fatal(err)
				}
				root = v[i]
			}
		}
		return root.(map[string]any), rule[len(rule)-1]
	}
	group, key := at(fileAsJSON(t, data))
	for _, other := range others(group[key]) {
		root := fileAsJSON(t, data)
		group, key := at(root)
		group[key] = other
		text, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, text)
	}
	return out
}

// others are the values that could stand in place of one.
func others(v any) (out []any) {
	switch v := v.(type) {
	case bool:
		return []any{!v}
	case json.Number:
		n, _ := v.Int64()
		return []any{n + 1, max(0, n-1), n*2 + 100}
	case string:
		for _, words := range alike {
			if slices.Contains(words, v) {
				for _, w := range words {
					if w != v {
						out = append(out, w)
					}
				}
			}
		}
		return append(out, "0.0001")
	case []any:
		for i := range v {
			out = append(out, slices.Delete(slices.Clone(v), i, i+1))
			for _, other := range others(v[i]) {
				with := slices.Clone(v)
				with[i] = other
				out = append(out, with)
			}
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			without := maps.Clone(v)
			delete(without, key)
			out = append(out, without)
			for _, other := range others(v[key]) {
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
