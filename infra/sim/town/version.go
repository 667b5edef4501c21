package town

import (
	"bytes"
	"encoding/json"
	"strconv"

	"gongji/shared/store"
)

// A roll-out runs programs of two versions beside one another: records of the one are
// read and written by the other. Its older program wrote no field that is empty, as
// before a field came, and does not know a region's newest rules; its newer one writes
// a field that nobody else knows.

// writer writes bodies as another version of the program would have, and gives the
// program itself its own records as it wrote them.
type writer struct {
	town    *town
	rewrite func(map[string]any)
	// sent are the bodies that the program sent, by how they came to lie there: each
	// holds a stamp, so that none stands under two keys. All are kept: what was sent
	// first may land last.
	sent map[string][]byte
}

// The stamp is the last field of a body, so that it can be cut off and put on.
const (
	stampStart = `,"Stamp":"`
	stampBytes = len(stampStart) + 16 + len(`"}`)
)

func (w *writer) write(writes []store.Write) []store.Write {
	if w == nil {
		return writes
	}
	out := make([]store.Write, len(writes))
	for i, one := range writes {
		if out[i] = one; one.Check {
			continue
		}
		body := append(bytes.Clone(one.Body[:len(one.Body)-stampBytes]), '}')
		fields := map[string]any{}
		numbers := json.NewDecoder(bytes.NewReader(body))
		numbers.UseNumber()
		if err := numbers.Decode(&fields); err != nil {
			panic(err) // the house wrote it
		}
		w.rewrite(fields)
		if len(fields) == 0 {
			continue // a record of nothing but empty fields
		}
		text, err := json.Marshal(fields)
		if err != nil {
			panic(err)
		}
		stamp := w.town.vault.Stamp(text, one.Key.Part, one.Key.Sort, strconv.FormatUint(one.Base+1, 10), strconv.FormatInt(one.Expires.Unix(), 10))
		out[i].Body = append(append(append(text[:len(text)-1], stampStart...), stamp...), `"}`...)
		w.sent[string(out[i].Body)] = one.Body
	}
	return out
}

func (w *writer) own(records []store.Record) []store.Record {
	if w == nil {
		return records
	}
	for i, r := range records {
		if sent, is := w.sent[string(r.Body)]; is {
			records[i].Body = bytes.Clone(sent)
		}
	}
	return records
}

// withoutEmpty takes every empty field out.
func withoutEmpty(fields map[string]any) {
	for name, v := range fields {
		switch v := v.(type) {
		case map[string]any:
			withoutEmpty(v)
		case []any:
			for _, one := range v {
				if inner, is := one.(map[string]any); is {
					withoutEmpty(inner)
				}
			}
		default:
			if name != "Answer" && (v == nil || v == "" || v == false || v == json.Number("0")) { // an answer that is no is one
				delete(fields, name)
			}
		}
	}
}

// withMore adds a field that is not known here.
func withMore(fields map[string]any) {
	fields["Later"] = map[string]any{"What": "nobody knows", "N": 1}
}
