package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decode reads data into the struct that v points to, and accepts nothing but
// its exact shape. encoding/json alone is too kind for rules about money: it
// takes a key twice, in other letter case, or not at all, and null for anything.
func decode(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("the text is not UTF-8")
	}
	w := walker{dec: json.NewDecoder(bytes.NewReader(data)), data: data}
	w.dec.UseNumber()
	if err := w.value(reflect.TypeOf(v).Elem(), ""); err != nil {
		return err
	}
	if _, err := w.dec.Token(); err != io.EOF {
		return fmt.Errorf("line %d: data after the end", w.line())
	}
	return json.Unmarshal(data, v)
}

// walker compares a text with the shape of a Go type, token by token.
type walker struct {
	dec  *json.Decoder
	data []byte
}

// value reads one value of type t; at is its path.
func (w *walker) value(t reflect.Type, at string) error {
	if t.Kind() == reflect.Pointer { // it may be left out, but not be null
		t = t.Elem()
	}
	token, err := w.token(at)
	if err != nil {
		return err
	}
	want, ok := "", false
	switch t.Kind() {
	case reflect.Struct:
		if want, ok = "an object", token == json.Delim('{'); ok {
			return w.fields(t, at)
		}
	case reflect.Map:
		if want, ok = "an object", token == json.Delim('{'); ok {
			return w.entries(t.Elem(), at)
		}
	case reflect.Slice:
		if want, ok = "a list", token == json.Delim('['); ok {
			return w.items(t.Elem(), at)
		}
	case reflect.String:
		want = "text"
		_, ok = token.(string)
	case reflect.Bool:
		want = "true or false"
		_, ok = token.(bool)
	case reflect.Int, reflect.Int64:
		want = "a whole number"
		if number, isNumber := token.(json.Number); isNumber {
			_, err := strconv.ParseInt(number.String(), 10, t.Bits())
			ok = err == nil
		}
	default:
		panic("policy: a file has no " + t.String())
	}
	if !ok {
		return fmt.Errorf("%s: %s is needed, not %s", orTop(at), want, describe(token))
	}
	return nil
}

// fields reads an object with exactly the fields of a struct, after its brace.
func (w *walker) fields(t reflect.Type, at string) error {
	seen := map[string]bool{}
	for w.dec.More() {
		key, path, err := w.key(at, seen)
		if err != nil {
			return err
		}
		i := 0
		for i < t.NumField() && fieldName(t.Field(i)) != key {
			i++
		}
		if i == t.NumField() {
			return fmt.Errorf("%s: unknown field", path)
		}
		if err := w.value(t.Field(i).Type, path); err != nil {
			return err
		}
	}
	if _, err := w.token(at); err != nil {
		return err
	}
	for i := range t.NumField() {
		field := t.Field(i)
		if !seen[fieldName(field)] && !strings.HasSuffix(field.Tag.Get("json"), ",omitempty") {
			return fmt.Errorf("%s: missing", join(at, fieldName(field)))
		}
	}
	return nil
}

// entries reads an object with any keys and values of one type, after its brace.
func (w *walker) entries(t reflect.Type, at string) error {
	seen := map[string]bool{}
	for w.dec.More() {
		_, path, err := w.key(at, seen)
		if err != nil {
			return err
		}
		if err := w.value(t, path); err != nil {
			return err
		}
	}
	_, err := w.token(at)
	return err
}

// items reads a list of values of one type, after its bracket.
func (w *walker) items(t reflect.Type, at string) error {
	for i := 0; w.dec.More(); i++ {
		if err := w.value(t, fmt.Sprintf("%s[%d]", at, i)); err != nil {
			return err
		}
	}
	_, err := w.token(at)
	return err
}

// key reads the next key of an object and refuses one that was seen.
func (w *walker) key(at string, seen map[string]bool) (key, path string, err error) {
	token, err := w.token(at)
	if err != nil {
		return "", "", err
	}
	key = token.(string) // the decoder lets no other key pass
	path = join(at, key)
	if seen[key] {
		return "", "", fmt.Errorf("%s: given twice", path)
	}
	seen[key] = true
	return key, path, nil
}

// token reads one token. A fault of the text is told with its line.
func (w *walker) token(at string) (json.Token, error) {
	token, err := w.dec.Token()
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("%s: line %d: the file ends too early", orTop(at), w.line())
	}
	if err != nil {
		return nil, fmt.Errorf("%s: line %d: %w", orTop(at), w.line(), err)
	}
	return token, nil
}

// line returns the line that the walker has come to.
func (w *walker) line() int { return 1 + bytes.Count(w.data[:w.dec.InputOffset()], []byte("\n")) }

// describe names what was found in place of what was needed.
func describe(token json.Token) string {
	switch token := token.(type) {
	case nil:
		return "null"
	case json.Delim:
		if token == '{' {
			return "an object"
		}
		return "a list"
	case string:
		return strconv.Quote(token)
	}
	return fmt.Sprint(token)
}

func join(at, key string) string {
	if at == "" {
		return key
	}
	return at + "." + key
}

func orTop(at string) string {
	if at == "" {
		return "the file"
	}
	return at
}

// fieldName returns the name of a struct's field in files.
func fieldName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// rulesOf returns the names of a group's fields that are rules.
func rulesOf(group any) (rules []string) {
	t := reflect.TypeOf(group)
	for i := range t.NumField() {
		if field := t.Field(i); field.Tag.Get("rule") != "-" {
			rules = append(rules, fieldName(field))
		}
	}
	return rules
}

// said tells whether a group says a rule: one that a file may leave out is not said
// when it is nothing.
func said(group any, rule string) bool {
	v := reflect.ValueOf(group)
	for i := range v.NumField() {
		if field := v.Type().Field(i); fieldName(field) == rule {
			return !strings.HasSuffix(field.Tag.Get("json"), ",omitempty") || !v.Field(i).IsZero()
		}
	}
	return true
}
