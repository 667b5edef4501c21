package app

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"gongji/shared/family"
	"gongji/shared/pinyin"
	"gongji/shared/store"
)

// Things are found by how their name, what follows within it, the pinyin initials of
// both, or their code begin, or the code's last digits. Each such beginning is a record
// of its own, which points at the thing, so a search reads one range however many things
// there are; what is found is read from the thing itself, so a pointer that a change of
// name left behind finds nothing. What was fed before a thing had so many is found by
// the rest when its name changes, or when the table is proved and repaired.

// shelf is what is searched.
type shelf string

const (
	itemShelf  shelf = "ITEM"
	placeShelf shelf = "INST"
)

const (
	maxTerm  = 40 // bounds a term, in characters
	maxTails = 6  // bounds from how many places within its name a thing is found
	minTail  = 2  // what is shorter than two characters finds too much
	codeTail = 6  // how many characters of a code people read off its end
)

// term returns a text as it is searched by: without what one cannot see, small
// letters as capitals, not too long.
func term(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n == maxTerm || unicode.IsControl(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar {
			continue
		}
		b.WriteRune(unicode.ToUpper(r))
		n++
	}
	return b.String()
}

// termsOf returns what a thing is found by.
func termsOf(name, code string) []string {
	var terms []string
	add := func(s string) {
		if s = term(s); s != "" && !slices.Contains(terms, s) {
			terms = append(terms, s)
		}
	}
	add(name)
	add(pinyin.Initials(name))
	add(code)
	for _, tail := range tailsOf(name) {
		add(tail)
		add(pinyin.Initials(tail))
	}
	if len(code) > codeTail {
		add(code[len(code)-codeTail:])
	}
	return terms
}

// tailsOf returns what of a name begins within it: at each Chinese character, and where
// other letters or digits begin, from the left, at most maxTails.
func tailsOf(name string) []string {
	runes := []rune(name)
	var tails []string
	for i := 1; i <= len(runes)-minTail && len(tails) < maxTails; i++ {
		latin := func(r rune) bool { return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
		if unicode.Is(unicode.Han, runes[i]) || latin(runes[i]) && !latin(runes[i-1]) {
			tails = append(tails, string(runes[i:]))
		}
	}
	return tails
}

// index has a thing found by its terms, by those too that it was not found by before.
func (t *tx) index(on shelf, name, code string) error {
	var refs []ref[pointerRecord]
	var keys []keyed
	for _, s := range termsOf(name, code) {
		r := termKey(on, s, code)
		refs, keys = append(refs, r), append(keys, r)
	}
	if err := t.refer(keys...); err != nil { // it decides nothing
		return err
	}
	for _, r := range refs {
		if _, known, err := get(t, r); err != nil {
			return err
		} else if known {
			continue
		}
		if err := put(t, r, pointerRecord{To: code}); err != nil {
			return err
		}
	}
	return nil
}

// search returns the codes of things that something typed may mean, each once.
func (a *App) search(ctx context.Context, on shelf, typed string, limit int) ([]string, error) {
	typed = term(typed)
	if typed == "" {
		return nil, nil
	}
	part, prefix := termRange(on, typed)
	// A thing may stand there by two terms, and one by a name that it had.
	records, err := a.list(ctx, store.Range{Part: part, Prefix: prefix, Limit: min(2*limit+10, store.MaxList)})
	if err != nil {
		return nil, err
	}
	pointers, err := decodeAll[pointerRecord](records)
	if err != nil {
		return nil, err
	}
	var codes []string
	for _, p := range pointers {
		if !slices.Contains(codes, p.To) {
			codes = append(codes, p.To)
		}
	}
	return codes, nil
}

// meant tells whether a thing may be meant by something typed, as it is called now.
func meant(typed, name, code string) bool {
	typed = term(typed)
	return slices.ContainsFunc(termsOf(name, code), func(s string) bool { return strings.HasPrefix(s, typed) })
}

// SearchItems returns catalogue items in force today that are found by what was typed: at
// most limit, in the order of what they were found by.
func (a *App) SearchItems(ctx context.Context, typed string, limit int) ([]family.Item, error) {
	codes, err := a.search(ctx, itemShelf, typed, limit)
	if err != nil || len(codes) == 0 {
		return nil, err
	}
	refs := make([]ref[catalogueRecord], len(codes))
	for i, code := range codes {
		refs[i] = itemKey(code)
	}
	found, err := many(ctx, a, refs...)
	if err != nil {
		return nil, err
	}
	today := family.DayOf(a.now())
	var items []family.Item
	for _, record := range found {
		if record == nil || len(items) == limit {
			continue
		}
		if item, inForce := family.ItemOn(record.Versions, today); inForce && meant(typed, item.Name, item.Code) {
			items = append(items, item)
		}
	}
	return items, nil
}

// SearchPlaces is SearchItems for designated institutions, or for all.
func (a *App) SearchPlaces(ctx context.Context, typed string, limit int, all bool) ([]family.Place, error) {
	codes, err := a.search(ctx, placeShelf, typed, limit)
	if err != nil || len(codes) == 0 {
		return nil, err
	}
	refs := make([]ref[family.Place], len(codes))
	for i, code := range codes {
		refs[i] = placeKey(family.InstitutionCode(code))
	}
	found, err := many(ctx, a, refs...)
	if err != nil {
		return nil, err
	}
	var places []family.Place
	for _, place := range found {
		if place != nil && len(places) < limit && (all || place.Designated) && meant(typed, place.Name, string(place.Code)) {
			places = append(places, *place)
		}
	}
	return places, nil
}
