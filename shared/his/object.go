package his

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"gongji/shared/family"
)

// object is a JSON object as it came: strings, json.Number, bool, nil, objects and
// lists. What of it is a number, a text or nothing is decided where it is used, for
// hospitals' systems send all three for each other.
type object map[string]any

// maxDepth bounds how deep a request nests; the deepest of the interface (3101) has
// six levels, each of an object in a list.
const maxDepth = 16

// parse reads one JSON object. Names that stand twice are refused: of two amounts
// nobody can say which was meant.
func parse(text []byte) (object, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := value(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the object")
	}
	o, ok := v.(object)
	if !ok {
		return nil, errors.New("not an object")
	}
	return o, nil
}

func value(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("it nests too deep")
	}
	token, err := d.Token()
	if err != nil {
		return nil, errors.New("not JSON")
	}
	switch token {
	case json.Delim('{'):
		o := object{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, errors.New("not JSON")
			}
			v, err := value(d, depth+1)
			if err != nil {
				return nil, err
			}
			if _, twice := o[name.(string)]; twice {
				return nil, errors.New("a name stands twice")
			}
			o[name.(string)] = v
		}
		_, err := d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := value(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	return token, nil
}

// node is an object of a request with its path in it, such as "drugdetail[2]". The
// first fault of a request is kept, and everything read after it is nothing.
type node struct {
	o     object
	path  string
	fault **family.Refusal
}

func newNode(o object, path string) node { return node{o, path, new(*family.Refusal)} }

func (n node) at(name string) string {
	if n.path == "" {
		return name
	}
	return n.path + "." + name
}

// wrong notes that a field cannot be read.
func (n node) wrong(name, detail string) {
	if *n.fault == nil {
		*n.fault = &family.Refusal{Code: family.Malformed, Field: n.at(name), Detail: detail}
	}
}

// none tells whether a value is one of the ways of saying nothing.
func none(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		s := strings.TrimSpace(v)
		return s == "" || strings.EqualFold(s, "null")
	}
	return false
}

// text returns a text field, at most most characters of it; nothing is "".
func (n node) text(name string, most int) string {
	v := n.o[name]
	if none(v) {
		return ""
	}
	var s string
	switch v := v.(type) {
	case string:
		s = strings.TrimSpace(v)
	case json.Number:
		s = v.String()
	default:
		n.wrong(name, "not a text")
		return ""
	}
	if utf8.RuneCountInString(s) > most {
		n.wrong(name, fmt.Sprintf("more than %d characters", most))
		return ""
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		n.wrong(name, "it holds control characters")
		return ""
	}
	return s
}

// need returns a text field that must be there.
func (n node) need(name string, most int) string {
	s := n.text(name, most)
	if s == "" {
		n.wrong(name, "the field is missing")
	}
	return s
}

// number returns a number with at most the given decimals as an integer of the last
// one; nothing is 0. Zeros beyond are taken, other digits are not: nothing is
// rounded here.
func (n node) number(name string, decimals int) int64 {
	v := n.o[name]
	if none(v) {
		return 0
	}
	var s string
	switch v := v.(type) {
	case string:
		s = strings.TrimSpace(v)
	case json.Number:
		s = v.String()
	default:
		n.wrong(name, "not a number")
		return 0
	}
	i, err := parseNumber(s, decimals)
	if err != nil {
		n.wrong(name, err.Error())
		return 0
	}
	return i
}

// maxNumber bounds a number of the wire, decimals and all.
const maxNumber = 1_000_000_000_000_000_000

// parseNumber reads digits, a point and an exponent exactly. Java writes a BigDecimal
// of a hundred as "1E+2", so exponents are taken.
func parseNumber(s string, decimals int) (int64, error) {
	mantissa, power, scientific := strings.Cut(strings.ToLower(s), "e")
	exponent := 0
	if scientific {
		var err error
		if exponent, err = strconv.Atoi(power); err != nil || exponent < -30 || exponent > 30 {
			return 0, errors.New("not a number")
		}
	}
	body, negative := strings.CutPrefix(mantissa, "-")
	whole, part, point := strings.Cut(body, ".")
	digits := whole + part
	if whole == "" || point && part == "" || len(digits) > 40 || strings.Trim(digits, "0123456789") != "" {
		return 0, errors.New("not a number")
	}
	// The value is digits × 10^(exponent − len(part)); in units of the last decimal,
	// digits × 10^shift.
	shift := exponent - len(part) + decimals
	if shift < 0 {
		cut := max(0, len(digits)+shift)
		if strings.Trim(digits[cut:], "0") != "" {
			return 0, fmt.Errorf("more than %d decimals", decimals)
		}
		digits = digits[:cut]
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return 0, nil
	}
	if shift > 0 {
		if len(digits)+shift > 19 {
			return 0, errors.New("too large")
		}
		digits += strings.Repeat("0", shift)
	}
	v, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || v > maxNumber {
		return 0, errors.New("too large")
	}
	if negative {
		v = -v
	}
	return v, nil
}

// money returns an amount (16,2).
func (n node) money(name string) family.Fen { return family.Fen(n.number(name, 2)) }

// given tells whether a field says anything.
func (n node) given(name string) bool { return !none(n.o[name]) }

// child returns the object under a name; an empty one where there is none. A text
// that holds an object is taken for it.
func (n node) child(name string) node {
	v := n.o[name]
	if s, ok := v.(string); ok && !none(v) {
		o, err := parse([]byte(s))
		if err != nil {
			n.wrong(name, err.Error())
		}
		v = o
	}
	switch v := v.(type) {
	case object:
		return node{v, n.at(name), n.fault}
	case []any: // one element is what many parsers of XML make of an object
		if len(v) == 1 {
			if o, ok := v[0].(object); ok {
				return node{o, n.at(name), n.fault}
			}
		}
		n.wrong(name, "not one object")
	case nil:
	default:
		if !none(v) {
			n.wrong(name, "not an object")
		}
	}
	return node{object{}, n.at(name), n.fault}
}

// list returns the objects of a list, at most most of them. A single object is a
// list of one.
func (n node) list(name string, most int) []node {
	v := n.o[name]
	if none(v) {
		return nil
	}
	if o, ok := v.(object); ok {
		v = []any{o}
	}
	elements, ok := v.([]any)
	if !ok || len(elements) > most {
		n.wrong(name, fmt.Sprintf("not a list of at most %d", most))
		return nil
	}
	nodes := make([]node, len(elements))
	for i, e := range elements {
		o, ok := e.(object)
		if !ok {
			n.wrong(name, "not a list of objects")
			return nil
		}
		nodes[i] = node{o, fmt.Sprintf("%s[%d]", n.at(name), i), n.fault}
	}
	return nodes
}

// first returns the first of several objects that is there: the interface names the
// same thing differently from transaction to transaction, and systems follow.
func (n node) first(names ...string) node {
	for _, name := range names {
		if n.given(name) {
			return n.child(name)
		}
	}
	return n.child(names[0])
}
