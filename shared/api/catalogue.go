package api

import (
	"bytes"
	"context"
	"io"
	"iter"
	"mime"
	"net/http"

	"gongji/shared/answer"
	"gongji/shared/app"
	"gongji/shared/catalogue"
	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// warningWire is a rule against which a catalogue item is odd.
type warningWire struct {
	Rule string `json:"rule"`
	ZH   string `json:"zh"`
	EN   string `json:"en"`
}

// changeWire is one field of a catalogue item that is otherwise than in force.
type changeWire struct {
	Field string `json:"field"`
	Was   string `json:"was"`
	Is    string `json:"is"`
}

// maxChunk is how many items are read before they are taken over, in commits of some.
const maxChunk = 500

// catalogueRoute takes over catalogue items: one as JSON, many as NDJSON or as CSV.
func (d *door) catalogueRoute() {
	type ask struct {
		ContentType string `header:"Content-Type" hidden:"true"`
		DryRun      bool   `query:"dry_run" doc:"true: say for each record what it would do, and write nothing"`
		Strict      bool   `query:"strict" doc:"true: refuse what otherwise is taken with a warning"`
		RawBody     []byte `contentType:"application/x-ndjson"`
	}
	var shape feedShape
	op := huma.Operation{
		OperationID: "feed-catalogue", Method: http.MethodPost, Path: "/v1/catalogue", Tags: []string{"operators"}, MaxBodyBytes: maxFeed,
		Summary:     "Catalogue items, a version each",
		Description: "One as JSON, or many as NDJSON or text/csv (docs/rules.md names the columns), answered by a line each.",
	}
	route(d, Operators, op, func(ctx context.Context, in *ask) (*feedAnswer, error) {
		kind, _, _ := mime.ParseMediaType(in.ContentType)
		var records iter.Seq[record[catalogue.Entry]]
		switch kind {
		case "application/x-ndjson":
			records = readRecords[catalogue.Entry](shape, in.RawBody)
		case "text/csv":
			list, err := catalogue.NewReader(bytes.NewReader(in.RawBody))
			if err != nil {
				return nil, err
			}
			records = rows(list)
		default:
			entry, err := readRecord[catalogue.Entry](shape, in.RawBody)
			if err != nil {
				return nil, err
			}
			line, err := d.feedItems(ctx, []record[catalogue.Entry]{{line: 1, value: entry}}, in.DryRun, in.Strict)[0].wire()
			return fedAlone(line, err)
		}
		return fedMany(d.chunks(ctx, records, in.DryRun, in.Strict), func(f fedItem) fedWire {
			line, err := f.wire()
			if err != nil {
				line = d.notFed(ctx, f.line, err)
			}
			return line
		})
	}, func(api huma.API) {
		shape = describeFeed[catalogue.Entry](api, op.Path)
		api.OpenAPI().Paths[op.Path].Post.RequestBody.Content["text/csv"] = &huma.MediaType{Schema: &huma.Schema{Type: "string"}}
	})
}

// rows reads the lines of a CSV list.
func rows(list *catalogue.Reader) iter.Seq[record[catalogue.Entry]] {
	return func(yield func(record[catalogue.Entry]) bool) {
		for {
			entry, line, err := list.Next()
			if err == io.EOF || !yield(record[catalogue.Entry]{line, entry, err}) {
				return
			}
		}
	}
}

// fedItem is what became of one record.
type fedItem struct {
	line int
	item family.Item
	fed  app.FedItem
	dry  bool
}

// chunks takes records over, many at a time, and tells of each in its order.
func (d *door) chunks(ctx context.Context, records iter.Seq[record[catalogue.Entry]], dry, strict bool) iter.Seq[fedItem] {
	return func(yield func(fedItem) bool) {
		var chunk []record[catalogue.Entry]
		flush := func() bool {
			for _, f := range d.feedItems(ctx, chunk, dry, strict) {
				if !yield(f) {
					return false
				}
			}
			chunk = chunk[:0]
			return true
		}
		for r := range records {
			if chunk = append(chunk, r); len(chunk) == maxChunk && !flush() {
				return
			}
		}
		flush()
	}
}

// oddField is the field that a warning is about.
var oddField = map[string]string{"catalogue.code_shape": "code", "catalogue.negative_list": "excluded"}

// feedItems takes over the records of a chunk that can be read.
func (d *door) feedItems(ctx context.Context, chunk []record[catalogue.Entry], dry, strict bool) []fedItem {
	out := make([]fedItem, len(chunk))
	var items []family.Item
	var at []int
	for i, r := range chunk {
		out[i].line, out[i].fed.Err, out[i].dry = r.line, r.err, dry
		if r.err != nil {
			continue
		}
		item, err := r.value.Item()
		if rules := catalogue.Warnings(item); err == nil && strict && len(rules) > 0 {
			err = &family.Refusal{Code: family.Malformed, Field: oddField[rules[0]], Rule: rules[0]}
		}
		if err != nil {
			out[i].fed.Err = err
			continue
		}
		out[i].item = item
		items, at = append(items, item), append(at, i)
	}
	for i, fed := range d.app.FeedItems(ctx, items, dry) {
		out[at[i]].fed = fed
	}
	return out
}

// wire writes what became of a record, or why it was not taken.
func (f fedItem) wire() (fedWire, error) {
	if f.fed.Err != nil {
		return fedWire{}, f.fed.Err
	}
	w := fedOf(f.line, f.fed.Fed)
	if f.dry {
		w.Status = http.StatusOK // nothing was created
	}
	for _, rule := range catalogue.Warnings(f.item) {
		text, _ := answer.Rule(rule)
		w.Warnings = append(w.Warnings, warningWire{rule, text.ZH, text.EN})
	}
	if was := f.fed.Was; was != nil && f.fed.Fed != app.FedUnchanged {
		for _, c := range catalogue.Changes(*was, f.item) {
			w.Changes = append(w.Changes, changeWire(c))
		}
	}
	return w, nil
}
