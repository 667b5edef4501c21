package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"gongji/shared/family"
)

// maxDevBody bounds a request to the doors for developers, in bytes.
const maxDevBody = 4 << 10

// readFields reads a request's body, one JSON object whose fields are all known,
// none twice and none null, into the pointers that are given for them.
func readFields(r *http.Request, into map[string]any) error {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxDevBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return &family.Refusal{Code: family.TooLarge, Allowed: strconv.Itoa(maxDevBody) + " bytes"}
	}
	bad := func(field, detail string) error {
		return &family.Refusal{Code: family.Malformed, Field: field, Detail: detail}
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if begin, tokenErr := d.Token(); err != nil || tokenErr != nil || begin != json.Delim('{') {
		return bad("", "one JSON object is needed")
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return bad("", "not JSON")
		}
		name := token.(string) // inside an object nothing else is a token here
		target, known := into[name]
		if !known {
			return bad("", "a field that is not known here")
		}
		if seen[name] {
			return bad(name, "the field stands twice")
		}
		seen[name] = true
		var value json.RawMessage
		if d.Decode(&value) != nil || string(value) == "null" || json.Unmarshal(value, target) != nil {
			return bad(name, "not of the kind that is needed")
		}
	}
	if _, err := d.Token(); err != nil {
		return bad("", "not JSON")
	}
	if _, err := d.Token(); err != io.EOF {
		return bad("", "something follows the JSON object")
	}
	return nil
}
