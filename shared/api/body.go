package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"

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
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, op.MaxBodyBytes))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		d.refuse(ctx, &family.Refusal{Code: family.TooLarge, Allowed: strconv.FormatInt(op.MaxBodyBytes, 10) + " bytes"})
		return
	}
	if err != nil {
		d.refuse(ctx, &family.Refusal{Code: family.Malformed, Detail: "the body did not arrive whole"})
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if _, many := op.Metadata["feed"]; !many {
		if refusal := checkJSON(body); refusal != nil {
			d.refuse(ctx, refusal)
			return
		}
	}
	next(ctx)
}

// maxDepth bounds how deep a body nests; the deepest of ours is four.
const maxDepth = 16

// checkJSON refuses a body that is not one JSON value with every name once and
// every number an integer.
func checkJSON(body []byte) *family.Refusal {
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
	case json.Number:
		if _, err := strconv.ParseInt(v.String(), 10, 64); err != nil {
			return bad("a whole number is needed, without point or exponent and not beyond 64 bits")
		}
	case json.Delim:
		seen := map[string]bool{}
		for i := 0; d.More(); i++ {
			at := fmt.Sprintf("%s[%d]", path, i)
			if v == '{' {
				name, err := d.Token()
				if err != nil {
					return bad("not JSON")
				}
				at = name.(string)
				if path != "" {
					at = path + "." + at
				}
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
