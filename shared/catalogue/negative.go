package catalogue

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"gongji/shared/family"
)

// Category is one category of the negative list: what neither the fund nor a
// personal account may pay, whatever its code, with the law that says so.
type Category struct {
	Name string `json:"name"`
	ZH   string `json:"zh"`
	EN   string `json:"en"`
	// Words in an item's name that make it a suspect of the category.
	Words   []string `json:"words"`
	Sources []struct {
		Text string `json:"text"`
		URL  string `json:"url,omitempty"`
		Kind string `json:"kind"`
	} `json:"sources"`
}

//go:embed negative.json
var embedded []byte

// negative is the list in the program, read when it is first asked for: most functions
// start and never do. A wrong file fails every test.
var negative = sync.OnceValue(func() []Category {
	list, err := load(embedded)
	if err != nil {
		panic(err)
	}
	return list
})

// load reads a negative list. Every category has a law behind it.
func load(data []byte) ([]Category, error) {
	var file struct {
		Categories []Category `json:"categories"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		return nil, fmt.Errorf("catalogue: negative.json: %w", err)
	}
	for i, c := range file.Categories {
		switch {
		case c.Name == "" || c.ZH == "" || c.EN == "" || len(c.Words) == 0:
			return nil, fmt.Errorf("catalogue: negative.json: categories[%d]: a name, both languages and words are needed", i)
		case len(c.Sources) == 0:
			return nil, fmt.Errorf("catalogue: negative.json: %s: no source", c.Name)
		case slices.ContainsFunc(file.Categories[:i], func(d Category) bool { return d.Name == c.Name }):
			return nil, fmt.Errorf("catalogue: negative.json: %s: given twice", c.Name)
		}
	}
	return file.Categories, nil
}

// Negative returns the negative list.
func Negative() []Category { return slices.Clone(negative()) }

// IsCategory tells whether the negative list has a category of that name.
func IsCategory(name string) bool {
	return slices.ContainsFunc(negative(), func(c Category) bool { return c.Name == name })
}

// suspect tells whether an item's name is of the negative list.
func suspect(name string) bool {
	return slices.ContainsFunc(negative(), func(c Category) bool {
		return slices.ContainsFunc(c.Words, func(word string) bool { return strings.Contains(name, word) })
	})
}

// Warnings names the rules against which an item is odd, by which a clerk looks at
// it again: it is taken all the same.
func Warnings(item family.Item) []string {
	var rules []string
	if !Shape(item.ListType, item.Code) {
		rules = append(rules, "catalogue.code_shape")
	}
	if item.Excluded == "" && suspect(item.Name) {
		rules = append(rules, "catalogue.negative_list")
	}
	return rules
}
