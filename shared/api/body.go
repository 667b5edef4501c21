package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// readBody reads a request's body whole, within its bound, and refuses what JSON
// readers are known to disagree about, before huma validates the rest: names that
// stand twice, and numbers that are no integers (every number of ours is one).
func (d *door) readBody(ctx huma.Context, next func(huma.Context)) {
	op := ctx.Operation()
	if op.RequestBody == nil {
		next(ctx)
		return
	}
	r, w := humago.Unwrap(ctx)
	bound, _ := op.Metadata["bound"].(int64)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bound))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		d.refuse(ctx, &family.Refusal{Code: family.TooLarge, Allowed: strconv.FormatInt(bound, 10) + " bytes"})
		return
	}
	if err != nil {
		d.refuse(ctx, &family.Refusal{Code: family.Malformed, Detail: "the body did not arrive whole"})
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil {
		r.Header.Set("Content-Type", kind) // huma compares capitals too
	}
	_, many := op.Metadata["feed"]
	leftOut := len(body) == 0 && !op.RequestBody.Required
	if !many && !leftOut {
		if refusal := checkJSON(body); refusal != nil {
			refusal.Line = lineNo(body, refusal.Field)
			d.refuse(ctx, refusal)
			return
		}
	}
	next(huma.WithValue(ctx, bodyKey{}, body))
}

// bodyKey is where a request's body lies in its context.
type bodyKey struct{}

// lineNo returns the number (line_no) of the bill's line that a field lies in; 0 is
// none.
func lineNo(body []byte, field string) int {
	var i int
	if n, _ := fmt.Sscanf(field, "lines[%d]", &i); n == 0 {
		return 0
	}
	var bill struct{ Lines []map[string]json.RawMessage }
	_ = json.Unmarshal(body, &bill) // reads what it can: something else is wrong with it
	if i < 0 || i >= len(bill.Lines) {
		return 0
	}
	no, err := strconv.Atoi(string(bill.Lines[i]["line_no"]))
	if err != nil || no < 1 || no > 99_999 {
		return 0
	}
	return no
}

// maxDepth bounds how deep a body nests; the deepest of ours is four.
const maxDepth = 16

// checkJSON refuses a body that is not one JSON value in UTF-8 with every name once
// and every number an integer.
func checkJSON(body []byte) *family.Refusal {
	if !utf8.Valid(body) {
		return &family.Refusal{Code: family.Malformed, Detail: "not UTF-8"}
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if refusal := checkValue(d, "", 0); refusal != nil {
		return refusal
	}
	if _, err := d.Token(); err != io.EOF {
		return &family.Refusal{Code: family.Malformed, Detail: "something follows the JSON value"}
	}
	return nil
}

func checkValue(d *json.Decoder, path string, depth int) *family.Refusal {
	bad := func(detail string) *family.Refusal {
		if !printable(path) {
			path = ""
		}
		return &family.Refusal{Code: family.Malformed, Field: path, Detail: detail}
	}
	if depth > maxDepth {
		return bad("nested too deep")
	}
	token, err := d.Token()
	if err != nil {
		return bad("not JSON")
	}
	switch v := token.(type) {
	case string:
		// No text of ours has a line or a bell in it; a name that has would break
		// the till's line, the log's or the clerk's terminal.
		if strings.ContainsFunc(v, unseen) {
			return bad("control characters")
		}
	case json.Number:
		if _, err := strconv.ParseInt(v.String(), 10, 64); err != nil {
			return bad("a whole number is needed, without point or exponent and not beyond 64 bits")
		}
	case json.Delim:
		seen := map[string]bool{}
		for i := 0; d.More(); i++ {
			var at string
			if v == '[' {
				at = path + "[" + strconv.Itoa(i) + "]"
			} else {
				name, err := d.Token()
				if err != nil {
					return bad("not JSON")
				}
				at = within(path, name.(string))
				if seen[name.(string)] {
					path = at
					return bad("the field stands twice")
				}
				seen[name.(string)] = true
			}
			if refusal := checkValue(d, at, depth+1); refusal != nil {
				return refusal
			}
		}
		if _, err := d.Token(); err != nil {
			return bad("not JSON")
		}
	}
	return nil
}

// unseen tells whether a character is a control, or turns the direction of what
// follows it: both make a text look like another one.
func unseen(r rune) bool {
	return unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// optional is a field that may be left out, be null, or be a value: three things
// that a change tells apart.
type optional[T any] struct {
	Set   bool
	Value *T
}

// UnmarshalJSON implements json.Unmarshaler; it is called for null too.
func (o *optional[T]) UnmarshalJSON(b []byte) error {
	o.Set = true
	return json.Unmarshal(b, &o.Value)
}

// Schema implements huma.SchemaProvider.
func (o optional[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}
