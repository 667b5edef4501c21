package web

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// textsOf reads texts/PART.LANGUAGE.json.
func textsOf(t *testing.T, files map[string]string, name string) map[string]string {
	t.Helper()
	var texts map[string]string
	if err := json.Unmarshal([]byte(files["texts/"+name+".json"]), &texts); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return texts
}

var places = regexp.MustCompile(`\{\w+\}`)

// TestBothLanguages: each text is there in both, with the same places to fill.
func TestBothLanguages(t *testing.T) {
	files := static(t)
	parts := 0
	for name := range files {
		part, isText := strings.CutSuffix(name, ".zh.json")
		if !isText {
			continue
		}
		parts++
		part = path.Base(part)
		zh, en := textsOf(t, files, part+".zh"), textsOf(t, files, part+".en")
		for key, text := range zh {
			other, there := en[key]
			if !there || strings.TrimSpace(text) == "" || strings.TrimSpace(other) == "" {
				t.Errorf("%s: %q in Chinese, %q in English", key, text, other)
			}
			if !regexp.MustCompile(`\p{Han}|^[^\p{L}]*$|\{`).MatchString(text) {
				t.Errorf("%s: %q is no Chinese", key, text)
			}
			if regexp.MustCompile(`\p{Han}`).MatchString(other) {
				t.Errorf("%s: %q is no English", key, other)
			}
			a, b := places.FindAllString(text, -1), places.FindAllString(other, -1)
			for _, place := range slices.Concat(a, b) {
				if !slices.Contains(a, place) || !slices.Contains(b, place) {
					t.Errorf("%s: %s is in one language alone: %q, %q", key, place, text, other)
				}
			}
		}
		for key := range en {
			if zh[key] == "" {
				t.Errorf("%s is in English alone", key)
			}
		}
	}
	if parts < 2 {
		t.Errorf("only %d parts were found", parts)
	}
}

var (
	asked = regexp.MustCompile(`'([a-z]\w*(?:\.\w+)+)'`)               // a key, wherever it is written
	built = regexp.MustCompile("`([a-z]\\w*\\.(?:[\\w.]*\\.)?)\\$\\{") // the beginning of one that is put together
	drawn = regexp.MustCompile(`\$\{words\}(\.\w+)`)
)

// partsOf are the texts that a module's app has loaded.
func partsOf(module string) []string {
	switch folder := path.Dir(module); folder {
	case "desk":
		return []string{"shell", "family", folder} // the counter's forms are the families' own
	case "family", "till":
		return []string{"shell", folder}
	}
	return []string{"shell"}
}

// TestTexts: the pages' modules ask for texts that are there, and for all of them.
func TestTexts(t *testing.T) {
	files := static(t)
	used := map[string]bool{} // "family.home.hello"
	for name, text := range files {
		if path.Ext(name) != ".js" || strings.HasPrefix(name, "lib/") {
			continue
		}
		parts := partsOf(name)
		known := map[string]string{} // key to its part
		for _, part := range parts {
			for key := range textsOf(t, files, part+".zh") {
				known[key] = part
			}
		}
		for _, m := range asked.FindAllStringSubmatch(text, -1) {
			if part, there := known[m[1]]; there {
				used[part+"."+m[1]] = true
			} else if strings.Contains(text, "t('"+m[1]+"'") || strings.Contains(text, "? '"+m[1]+"'") || strings.Contains(text, ": '"+m[1]+"'") {
				t.Errorf("%s asks for %q, which nobody wrote", name, m[1])
			}
		}
		for _, m := range built.FindAllStringSubmatch(text, -1) {
			found := false
			for key, part := range known {
				if strings.HasPrefix(key, m[1]) {
					found, used[part+"."+key] = true, true
				}
			}
			if !found {
				t.Errorf("%s asks for %q…, which nobody wrote", name, m[1])
			}
		}
		for _, m := range drawn.FindAllStringSubmatch(text, -1) {
			for key, part := range known {
				if strings.HasSuffix(key, m[1]) {
					used[part+"."+key] = true
				}
			}
		}
		// Such as elder.size1: put together from a name and a number.
		for _, m := range regexp.MustCompile("`([a-z]\\w*(?:\\.\\w+)+)\\$\\{").FindAllStringSubmatch(text, -1) {
			for key, part := range known {
				if strings.HasPrefix(key, m[1]) {
					used[part+"."+key] = true
				}
			}
		}
	}
	for name := range files {
		if part, isText := strings.CutSuffix(name, ".zh.json"); isText {
			part = path.Base(part)
			for key := range textsOf(t, files, part+".zh") {
				if !used[part+"."+key] {
					t.Errorf("nobody reads %s of %s", key, part)
				}
			}
		}
	}
}
