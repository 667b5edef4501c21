package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Bad input at every route that takes a body: a good body is spoilt in every way
// at every place, and what comes back is a problem that names the place, with
// nothing written.

// taker is a route that takes a body.
type taker struct {
	route string
	by    func(*house, scene) string // the token
	path  func(scene) string
	good  string // with every field that there is
	want  int    // its answer
	// legal lists what is no fault of form, "path: way, way=code": a way without a
	// code is taken, one with a code is refused so (malformed: with another field
	// than the path). Elements of lists have no number.
	legal string
}

func byPerson(no string) func(*house, scene) string {
	return func(h *house, _ scene) string { return h.person(no) }
}

func byHospital(h *house, _ scene) string { return h.place(hospital) }
func byReviewer(h *house, _ scene) string { return h.role("reviewer") }
func byOperator(h *house, _ scene) string { return h.operator() }

func fixed(path string) func(scene) string { return func(scene) string { return path } }

const goodBill = `"credential":{"type":"id","value":"430102198206110032","name":"李大山"},"med_type":"11","total_fen":2000,` +
	`"lines":[{"line_no":7,"code":"A1","name":"甲","quantity":"2","unit_price_fen":500,"amount_fen":1000,"trace_codes":["T1","T2"]},` +
	`{"line_no":9,"code":"B1","name":"乙","quantity":"2","unit_price_fen":500,"amount_fen":1000,"trace_codes":["T3"]}],"use_account":true,"expected_cash_fen":0}`

const legalBill = `
			credential.name: text=identity_mismatch
			expected_cash_fen: missing, null, one=quote_stale, largest=quote_stale
			use_account: missing, null, false=quote_stale
			total_fen: one=sum_mismatch
			lines[]: missing=sum_mismatch
			lines[].line_no: one
			lines[].code: text=item_not_covered
			lines[].name: text, empty
			lines[].unit_price_fen: one=sum_mismatch, zero=sum_mismatch
			lines[].amount_fen: one=sum_mismatch, zero=sum_mismatch
			lines[].trace_codes: missing, null, list
			lines[].trace_codes[]: missing, text`

var takers = []taker{
	{
		route: "POST /v1/bindings", by: byPerson(mother), path: fixed("/v1/bindings"), want: 201,
		good: `{"name":"陈一二","id_no":"430102197001010017","relation":"75","show":true,"pay":{"purposes":["care","pharmacy"],"monthly_cap_fen":100,"per_settlement_cap_fen":100,"quota_fen":100,"valid_until":"20271231"}}`, legal: `
			name: text=identity_mismatch
			show: false
			pay: missing, null
			pay.purposes[]: missing
			pay.monthly_cap_fen: missing, null, one
			pay.per_settlement_cap_fen: missing, null, one
			pay.quota_fen: missing, null, one
			pay.valid_until: missing, null`,
	},
	{
		route: "PATCH /v1/bindings/{binding_id}", by: byPerson(mother), path: func(s scene) string { return "/v1/bindings/" + s.bound }, want: 200,
		good: `{"show":true,"pay":{"purposes":["care","pharmacy"],"monthly_cap_fen":100,"per_settlement_cap_fen":100,"quota_fen":100,"valid_until":"20271231"},"paused":true}`, legal: `
			show: missing, null, false
			paused: missing, null, false
			pay: missing, null
			pay.purposes[]: missing
			pay.monthly_cap_fen: missing, null, one
			pay.per_settlement_cap_fen: missing, null, one
			pay.quota_fen: missing, null, one
			pay.valid_until: missing, null`,
	},
	{
		route: "POST /v1/bindings/{binding_id}/submit", by: byPerson(mother), path: func(s scene) string { return "/v1/bindings/" + s.draft + "/submit" }, want: 200,
		good: `{"commitment":true,"face_token":"f"}`, legal: `
			face_token: missing, null, empty, text`,
	},
	{
		route: "POST /v1/bindings/{binding_id}/materials", by: byPerson(mother), path: func(s scene) string { return "/v1/bindings/" + s.draft + "/materials" }, want: 201,
		good: `{"kind":"id_card","content_type":"image/png","size":1,"sha256":"` + strings.Repeat("0", 64) + `"}`, legal: `
			content_type: text=paper_wrong, empty=paper_wrong
			size: largest=paper_wrong`,
	},
	{
		route: "POST /v1/counter/bindings", by: byOperator, path: fixed("/v1/counter/bindings"), want: 201,
		good: `{"holder":{"name":"王小芳","id_no":"430102198503070022"},"member":{"name":"陈一二","id_no":"430102197001010017"},"relation":"75","show":true,"pay":{"purposes":["care","pharmacy"],"monthly_cap_fen":100,"per_settlement_cap_fen":100,"quota_fen":100,"valid_until":"20271231"}}`, legal: `
			holder.name: text=identity_mismatch
			member.name: text=identity_mismatch
			show: false
			pay: missing, null
			pay.purposes[]: missing
			pay.monthly_cap_fen: missing, null, one
			pay.per_settlement_cap_fen: missing, null, one
			pay.quota_fen: missing, null, one
			pay.valid_until: missing, null`,
	},
	{
		route: "POST /v1/counter/searches", by: byOperator, path: fixed("/v1/counter/searches"), want: 200,
		good: `{"name":"王小芳","id_no":"430102198503070022"}`, legal: `
			name: text=identity_mismatch`,
	},
	{
		route: "POST /v1/persons/searches", by: byOperator, path: fixed("/v1/persons/searches"), want: 200,
		good: `{"type":"person","value":"` + mother + `"}`, legal: `
			value: text=not_found`,
	},
	{
		route: "POST /v1/counter/bindings/{binding_id}/materials", by: byOperator, path: func(s scene) string { return "/v1/counter/bindings/" + s.served + "/materials" }, want: 201,
		good: `{"kind":"id_card","content_type":"image/png","size":1,"sha256":"` + strings.Repeat("0", 64) + `"}`, legal: `
			content_type: text=paper_wrong, empty=paper_wrong
			size: largest=paper_wrong`,
	},
	{
		route: "POST /v1/counter/bindings/{binding_id}/submit", by: byOperator, path: func(s scene) string { return "/v1/counter/bindings/" + s.served + "/submit" }, want: 422,
		good: `{"signed":true}`,
	},
	{
		route: "POST /v1/counter/bindings/{binding_id}/accept", by: byOperator, path: func(s scene) string { return "/v1/counter/bindings/" + s.served + "/accept" }, want: 409,
		good: `{"signed":true}`,
	},
	{
		route: "POST /v1/counter/bindings/{binding_id}/end", by: byOperator, path: func(s scene) string { return "/v1/counter/bindings/" + s.bound + "/end" }, want: 200,
		good: `{"name":"王小芳","id_no":"430102198503070022"}`, legal: `
			name: text=identity_mismatch`,
	},
	{
		route: "POST /v1/reviews/{binding_id}/approve", by: byReviewer, path: func(s scene) string { return "/v1/reviews/" + s.review + "/approve" }, want: 200,
		good: `{"reason":"齐全"}`, legal: `
			reason: missing, null, empty, text`,
	},
	{
		route: "POST /v1/reviews/{binding_id}/reject", by: byReviewer, path: func(s scene) string { return "/v1/reviews/" + s.review + "/reject" }, want: 200,
		good: `{"reason":"不清楚"}`, legal: `
			reason: text`,
	},
	{
		route: "POST /v1/reviews/{binding_id}/clarify", by: byReviewer, path: func(s scene) string { return "/v1/reviews/" + s.review + "/clarify" }, want: 200,
		good: `{"kind":"marriage_certificate","reason":"缺配偶页"}`, legal: `
			reason: text`,
	},
	{
		route: "POST /v1/registry", by: byOperator, path: fixed("/v1/registry"), want: 201,
		good: `{"id_no":"430102198503070022","name":"王小芳","status":"alive","complete":true,"relations":[{"id_no":"430102198206110032","relation":"11"},{"id_no":"430102201801150017","relation":"30"}]}`, legal: `
			name: text
			complete: missing, null, false
			relations: missing, null, list
			relations[]: missing, twice`,
	},
	{
		route: "PUT /v1/me/grant-order", by: byPerson(granny), path: fixed("/v1/me/grant-order"), want: 200,
		good: `{"order":["{chosen}"]}`,
	},
	{
		route: "POST /v1/qr", by: byPerson(mother), path: fixed("/v1/qr"), want: 201,
		good: `{"binding_id":"{bound}"}`, legal: `
			binding_id: missing, null, empty, text=not_found`,
	},
	{
		route: "POST /v1/checks", by: byPerson(mother), path: fixed("/v1/checks"), want: 200,
		good: `{"binding_id":"{bound}","institution_code":"H43010000001","med_type":"11","lines":[{"line_no":7,"code":"A1","name":"甲","quantity":"2","unit_price_fen":500,"amount_fen":1000,"trace_codes":["T1"]}]}`, legal: `
			binding_id: missing, null, empty, text=not_found
			lines[].line_no: one
			lines[].code: text=item_not_covered
			lines[].name: missing, null, text, empty
			lines[].unit_price_fen: one=sum_mismatch, zero=sum_mismatch
			lines[].amount_fen: one=sum_mismatch, zero=malformed
			lines[].trace_codes: missing, null, list
			lines[].trace_codes[]: missing, text`,
	},
	{
		route: "POST /v1/quotes", by: byHospital, path: fixed("/v1/quotes"), want: 200,
		good: `{"message_id":"{message}",` + goodBill, legal: `
			message_id: missing, null, empty, text` + legalBill,
	},
	{
		route: "POST /v1/settlements", by: byHospital, path: fixed("/v1/settlements"), want: 201,
		good: `{"message_id":"{message}",` + goodBill, legal: legalBill,
	},
	{
		route: "POST /v1/settlements/{settlement_id}/reversal", by: byHospital, path: func(s scene) string { return "/v1/settlements/" + s.sale + "/reversal" }, want: 201,
		good: `{"message_id":"{message}","reason":"开错了"}`, legal: `
			reason: text`,
	},
	{
		route: "POST /v1/settlements/{settlement_id}/refunds", by: byHospital, path: func(s scene) string { return "/v1/settlements/" + s.sale + "/refunds" }, want: 201,
		good: `{"message_id":"{message}","lines":[{"line_no":1,"quantity":"2"},{"line_no":3,"quantity":"1"}]}`, legal: `
			lines[]: missing`,
	},
	{
		route: "POST /v1/persons", by: byOperator, path: fixed("/v1/persons"), want: 201,
		good: `{"person_no":"430100000077","name":"新来","id_no":"430102199111050035","region":"430100","insutype":"310","psn_type":"11","status":"1","card_no":"C77","phone":"13900000000"}`, legal: `
			person_no: text
			name: text
			card_no: missing, null, empty, text
			phone: missing, null, empty, text`,
	},
	{
		route: "POST /v1/institutions", by: byOperator, path: fixed("/v1/institutions"), want: 201,
		good: `{"code":"P43010000009","name":"新店","kind":"pharmacy","level":"11","region":"430100","status":"designated"}`, legal: `
			name: text`,
	},
	{
		route: "POST /v1/catalogue", by: byOperator, path: fixed("/v1/catalogue"), want: 201,
		good: `{"code":"N1","name":"新药","list_type":"101","class":"B","self_pay_ratio":{"310":"0.1000","390":"0.2000"},"ceiling_fen":{"2":8000,"11":100},"effective_from":"20260101","effective_to":"20261231"}`, legal: `
			code: text
			name: text
			list_type: text, empty
			self_pay_ratio: missing, null, object
			self_pay_ratio.310: missing
			self_pay_ratio.390: missing
			ceiling_fen: missing, null, object
			ceiling_fen.2: missing, one
			ceiling_fen.11: missing, one
			ceiling_fen.unknown_field: unknown=malformed
			effective_to: missing, null, empty`,
	},
	{
		route: "POST /v1/institutions/{code}/keys", by: byOperator, path: fixed("/v1/institutions/" + hospital + "/keys"), want: 201,
		good: `{"scheme":"tif","key_id":"AK-1","secret":"a-secret","valid_from":"2026-01-01T00:00:00Z","valid_to":"2027-01-01T00:00:00Z"}`, legal: `
			key_id: text
			valid_from: missing, null
			valid_to: missing, null`,
	},
	{
		route: "POST /v1/rollovers", by: byOperator, path: fixed("/v1/rollovers"), want: 201,
		good: `{"person_no":"` + mother + `","year":2026}`, legal: `
			person_no: text=not_found`,
	},
	{
		route: "POST /v1/credits", by: byOperator, path: fixed("/v1/credits"), want: 201,
		good: `{"reference":"R-1","person_no":"430100000001","amount_fen":100,"pocket":"past"}`, legal: `
			reference: text
			person_no: text=not_found
			amount_fen: one`,
	},
}

// ways are values that stand where another should.
var ways = map[string]string{
	"null": `null`, "text": `"text"`, "empty": `""`, "long": `"` + strings.Repeat("x", 10_000) + `"`, "nul": `"\u0000"`, "line": `"a\nb"`, "turned": `"\u202eb"`,
	"one": `1`, "float": `1.5`, "whole float": `1.0`, "exponent": `1e3`, "negative": `-1`, "zero": `0`,
	"largest": `9223372036854775807`, "larger": `92233720368547758080`, "huge": `1e400`,
	"list": `[]`, "object": `{}`, "true": `true`, "false": `false`,
}

// spoilt is a body with one fault.
type spoilt struct{ path, way, text string }

// spoil returns a body spoilt in every way at every place.
func spoil(t testing.TB, good string) []spoilt {
	t.Helper()
	var all []spoilt
	var walk func(path string, v any, whole func(string) string)
	walk = func(path string, v any, whole func(string) string) {
		text := encode(t, v)
		if path != "" {
			for way, value := range ways {
				if value != text {
					all = append(all, spoilt{path, way, whole(value)})
				}
			}
		}
		switch v := v.(type) {
		case node:
			all = append(all, spoilt{within(path, "unknown_field"), "unknown", whole(text[:len(text)-1] + `,"unknown_field":1}`)})
			for name, of := range v {
				at := within(path, name)
				rest := maps.Clone(v)
				delete(rest, name)
				others := encode(t, rest)
				with := func(s string) string { // the object with s in the field's place
					if len(rest) == 0 {
						return "{" + s + "}"
					}
					return others[:len(others)-1] + "," + s + "}"
				}
				named := func(name string) string { return `"` + name + `":` + encode(t, of) }
				all = append(all,
					spoilt{at, "missing", whole(others)},
					spoilt{at, "twice", whole(with(named(name) + "," + named(name)))},
					spoilt{at, "twice, once escaped", whole(with(named(name) + "," + named(fmt.Sprintf(`\u%04x`, name[0])+name[1:])))})
				if capitals := strings.ToUpper(name); capitals != name {
					all = append(all,
						spoilt{at, "capitals", whole(with(named(capitals)))},
						spoilt{at, "both", whole(with(named(name) + "," + named(capitals)))})
				}
				walk(at, of, func(s string) string { return whole(with(`"` + name + `":` + s)) })
			}
		case []any:
			for i, of := range v {
				elements := func(s ...string) string {
					var texts []string
					for j, other := range v {
						if j == i {
							texts = append(texts, s...)
						} else {
							texts = append(texts, encode(t, other))
						}
					}
					return whole("[" + strings.Join(texts, ",") + "]")
				}
				at := indexed(path, i)
				all = append(all, spoilt{at, "missing", elements()}, spoilt{at, "twice", elements(encode(t, of), encode(t, of))})
				walk(at, of, func(s string) string { return elements(s) })
			}
		}
	}
	v, err := parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	walk("", v, func(s string) string { return s })
	slices.SortFunc(all, func(a, b spoilt) int { return strings.Compare(a.path+" "+a.way, b.path+" "+b.way) })
	return all
}

func encode(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// legalWays reads a table of what is legal.
func legalWays(table string) map[string]string {
	legal := map[string]string{}
	for line := range strings.Lines(table) {
		path, ways, _ := strings.Cut(strings.TrimSpace(line), ": ")
		for _, way := range strings.Split(ways, ", ") {
			if way, code, _ := strings.Cut(way, "="); way != "" {
				legal[path+": "+way] = code
			}
		}
	}
	return legal
}

// fill puts names of the scene into a body.
func (s scene) fill(h *house, text string) string {
	return strings.NewReplacer("{message}", h.messageID(hospital), "{bound}", s.bound, "{chosen}", s.chosen).Replace(text)
}

func TestSpoiltBodies(t *testing.T) {
	s := sceneOf(t)
	for _, route := range takers {
		t.Run(route.route, func(t *testing.T) {
			method, _, _ := strings.Cut(route.route, " ")
			ask := func(h *house, text string) reply {
				h.t.Helper()
				return h.ask(route.by(h, s), method, route.path(s), s.fill(h, text))
			}
			if r := ask(s.open(t), route.good); r.status != route.want {
				t.Fatalf("the good body: %d\n%s", r.status, r.body)
			}
			t.Parallel()
			h, scratch, legal := s.open(t), s.open(t), legalWays(route.legal)
			unused, tried := maps.Clone(legal), 0
			before := h.records()
			for _, c := range spoil(t, route.good) {
				tried++
				name := unnumbered.ReplaceAllString(c.path, "[]") + ": " + c.way
				code, isLegal := legal[name]
				delete(unused, name)
				if isLegal && code != "malformed" {
					if scratch.commits() > 0 {
						scratch = s.open(t) // as it was
					}
					r := ask(scratch, c.text)
					if code == "" && r.status >= 300 || code != "" && r.json(t)["code"] != code {
						t.Errorf("%s: %d, not %q\nsent %.500s\ngot  %s", name, r.status, code, c.text, r.body)
					}
					continue
				}
				commits := h.commits()
				r := ask(h, c.text)
				p := r.problem(t)
				if r.status != 400 || p.Code != "malformed" || p.Field == "" || !c.names(p.Field) && !isLegal {
					t.Errorf("%s: %d of %q\nsent %.500s\ngot  %s", name, r.status, p.Field, c.text, r.body)
				}
				if want := c.lineOf(t, p.Field); p.Line != want {
					t.Errorf("%s: line %d, not %d\nsent %.500s", name, p.Line, want, c.text)
				}
				if h.commits() != commits {
					t.Errorf("%s: something is written", name)
				}
			}
			if after := h.records(); !maps.Equal(before, after) {
				t.Error("the records are others")
			}
			for name := range unused {
				t.Errorf("nothing is %s", name)
			}
			t.Logf("%d bodies", tried)
		})
	}
}

var unnumbered = regexp.MustCompile(`\[\d+\]`)

// names tells whether an answer's field is where the fault is.
func (c spoilt) names(field string) bool {
	switch {
	case field == c.path:
		return true
	case c.way == "capitals" || c.way == "both": // of an optional field it is the capitals that nobody knows
		return strings.EqualFold(field, c.path)
	case c.way == "object": // without what it should have
		return strings.HasPrefix(field, c.path+".")
	case strings.HasSuffix(c.path, "]"): // the list is too short, or a later element is one too many
		return (c.way == "missing" || c.way == "twice") && strings.HasPrefix(field, c.path[:strings.LastIndexByte(c.path, '[')])
	}
	return false
}

// lineOf returns the till's number of the line that a field lies in, 0 where it has
// none.
func (c spoilt) lineOf(t testing.TB, field string) int {
	t.Helper()
	var i int
	if n, _ := fmt.Sscanf(field, "lines[%d]", &i); n == 0 {
		return 0
	}
	v, err := parse([]byte(c.text))
	if err != nil {
		t.Fatal(err)
	}
	line, _ := at(v, "lines").([]any)[i].(node)
	no, _ := line["line_no"].(json.Number)
	n, err := strconv.Atoi(no.String())
	if err != nil || n < 1 || n > 99_999 {
		return 0
	}
	return n
}

// problem reads an answer that must be one.
func (r reply) problem(t testing.TB) (p problem) {
	t.Helper()
	if err := json.Unmarshal(r.body, &p); err != nil || r.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d is no problem: %s", r.status, r.body)
	}
	return p
}

// TestWholeBodies spoils the body as a whole.
func TestWholeBodies(t *testing.T) {
	s := sceneOf(t)
	for _, route := range takers {
		t.Run(route.route, func(t *testing.T) {
			t.Parallel()
			h := s.open(t)
			method, _, _ := strings.Cut(route.route, " ")
			good := s.fill(h, route.good)
			before := h.records()
			bodies := map[string]string{
				"nothing": "", "a blank": " ", "null": "null", "a list": "[" + good + "]", "an empty list": "[]", "a text": `"x"`, "a number": "1", "true": "true",
				"a byte after it": good + "x", "a zero byte after it": good + "\x00", "another after it": good + good, "another line after it": good + "\n" + good, "a brace after it": good + "}",
				"a byte order mark": "\ufeff" + good, "two bytes a character": utf16(good), "a byte that is no UTF-8": strings.Replace(good, `":`, "\xff\":", 1),
				"a cut character": strings.Replace(good, `{"`, "{\"\xe6\xbc", 1), "single quotes": strings.ReplaceAll(good, `"`, `'`), "a comma too many": good[:len(good)-1] + ",}",
				"a comment": good[:len(good)-1] + "/**/}", "no number": good[:len(good)-1] + `,"x":NaN}`, "a number with a zero before it": good[:len(good)-1] + `,"x":01}`,
				"a raw line end in a text": good[:len(good)-1] + ",\"x\":\"a\nb\"}", "seventeen deep": `{"x":` + strings.Repeat("[", 16) + "1" + strings.Repeat("]", 16) + "}",
				"endlessly deep": strings.Repeat(`{"x":[`, 20_000), "an array endlessly deep": strings.Repeat("[", 200_000), "a form": "name=x&id_no=y", "markup": "<settlement/>",
			}
			if strings.Contains(good, `":"`) {
				bodies["a byte that is no UTF-8 in a text"] = strings.Replace(good, `":"`, "\":\"\xff", 1)
			}
			for i := range len(good) {
				bodies[fmt.Sprintf("%d bytes of it", i)] = good[:i]
			}
			if route.route == "POST /v1/reviews/{binding_id}/approve" { // a reviewer may agree without a word
				delete(bodies, "nothing")
				delete(bodies, "0 bytes of it")
			}
			for name, text := range bodies {
				r := h.ask(route.by(h, s), method, route.path(s), text)
				if p := r.problem(t); r.status != 400 || p.Code != "malformed" {
					t.Errorf("%s: %d\n%s", name, r.status, r.body)
				}
			}
			padded := func(size int) string { return strings.Repeat(" ", size-len(good)) + good }
			for name, text := range map[string]string{
				"one byte too many": padded(maxBody + 1), "257 KiB": padded(257 << 10), "a long text": good[:len(good)-1] + `,"x":"` + strings.Repeat("x", maxBody) + `"}`,
				"five megabytes": strings.Repeat("[", 5<<20), "ten thousand lines": `{"lines":[` + strings.Repeat(`{"line_no":1,"quantity":"1"},`, 9_999) + `{"line_no":1,"quantity":"1"}]}`,
			} {
				r := h.ask(route.by(h, s), method, route.path(s), text)
				if p := r.problem(t); r.status != 413 || p.Code != "too_large" || !strings.HasSuffix(p.Allowed, " bytes") {
					t.Errorf("%s: %d\n%s", name, r.status, r.body)
				}
			}
			if h.commits() != 0 || !maps.Equal(before, h.records()) {
				t.Error("something was written")
			}
			for name, text := range map[string]string{"as large as allowed": padded(maxBody), "blanks around it": "\r\n\t " + good + " \n"} {
				h := s.open(t)
				if r := h.ask(route.by(h, s), method, route.path(s), text); r.status != route.want {
					t.Errorf("%s: %d\n%s", name, r.status, r.body)
				}
			}
		})
	}
}

// utf16 writes a text as UTF-16, big end first.
func utf16(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteByte(byte(r >> 8))
		b.WriteByte(byte(r))
	}
	return b.String()
}

// TestContentTypes: JSON by any spelling of its name, or by none; a feed takes NDJSON
// beside it, and reads what calls itself otherwise as one record of JSON.
func TestContentTypes(t *testing.T) {
	s := sceneOf(t)
	for _, route := range takers {
		isFeed := route.route == "POST /v1/persons"
		if !isFeed && route.route != "POST /v1/settlements" {
			continue
		}
		method, _, _ := strings.Cut(route.route, " ")
		for contentType, json := range map[string]bool{
			"application/json": true, "": true, "application/json; charset=utf-8": true, "Application/JSON;charset=UTF-8": true,
			"text/plain": false, "application/x-www-form-urlencoded": false, "multipart/form-data; boundary=x": false, "application/xml": false, "text/json": false,
			"application/jsonx": false, "application/json, text/plain": false,
		} {
			h := s.open(t)
			r := h.ask(route.by(h, s), method, route.path(s), s.fill(h, route.good), "Content-Type", contentType)
			switch {
			case json || isFeed:
				if r.status != route.want {
					t.Errorf("%s as %q: %d\n%s", route.route, contentType, r.status, r.body)
				}
			default:
				if p := r.problem(t); r.status != 400 || p.Code != "malformed" || p.Field != "Content-Type" || h.commits() != 0 {
					t.Errorf("%s as %q: %d of %q\n%s", route.route, contentType, r.status, p.Field, r.body)
				}
			}
		}
	}
}

// TestWrongValues tries values that have the right form and are wrong, one a time.
func TestWrongValues(t *testing.T) {
	s := sceneOf(t)
	h, goods := s.open(t), map[string]taker{}
	for _, route := range takers {
		goods[route.route] = route
	}
	line := func(no int) string {
		return fmt.Sprintf(`{"line_no":%d,"code":"A1","name":"甲","quantity":"1","unit_price_fen":1000000000,"amount_fen":1000000000}`, no)
	}
	lines := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, line(i+1))
		}
		return strings.Join(all, ",")
	}
	boxes := func(from, n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"B%d"`, from+i))
		}
		return strings.Join(all, ",")
	}
	const tail, both = `"message_id":"{message}"`, `"lines":[{"line_no":7,"code":"A1","name":"甲","quantity":"2","unit_price_fen":500,"amount_fen":1000,"trace_codes":["T1","T2"]},{"line_no":9,"code":"B1","name":"乙","quantity":"2","unit_price_fen":500,"amount_fen":1000,"trace_codes":["T3"]}]`
	for _, c := range []struct {
		route, from, to string
		want, field     string
		line            int
	}{
		// ID numbers
		{"POST /v1/bindings", "430102197001010017", "430102197001010018", "400 malformed", "id_no", 0},
		{"POST /v1/bindings", "430102197001010017", "43010219700101001X", "400 malformed", "id_no", 0},
		{"POST /v1/bindings", "430102197001010017", "430102197013010015", "400 malformed", "id_no", 0},
		{"POST /v1/bindings", "430102197001010017", "430102700101001", "400 malformed", "id_no", 0},
		{"POST /v1/bindings", "430102197001010017", "４３０１０２１９７００１０１００１７", "400 malformed", "id_no", 0},
		{"POST /v1/bindings", "430102197001010017", "430102197001010017 ", "400 malformed", "id_no", 0},
		{"POST /v1/bindings", "430102197001010017", "11010519491231002X", "422 identity_mismatch", "", 0},
		{"POST /v1/bindings", "430102197001010017", "11010519491231002x", "422 identity_mismatch", "", 0},
		{"POST /v1/bindings", `"id_no":"430102197001010017"`, `"birth_certificate":"O43000000"`, "400 malformed", "birth_certificate", 0},
		{"POST /v1/bindings", `"id_no":"430102197001010017"`, `"birth_certificate":"4430000000"`, "400 malformed", "birth_certificate", 0},
		{"POST /v1/bindings", `"id_no":"430102197001010017"`, `"birth_certificate":"o430000000"`, "422 identity_mismatch", "", 0},
		{"POST /v1/bindings", `"id_no":"430102197001010017"`, `"id_no":"430102197001010017","birth_certificate":"O430000000"`, "400 malformed", "birth_certificate", 0},
		{"POST /v1/persons", `"id_no":"430102199111050035"`, `"birth_certificate":{"number":"O430000000","mother_id_no":"430102198503070022","born":"20261101","sex":"3"}`, "400 malformed", "birth_certificate.sex", 0},
		{"POST /v1/persons", `"id_no":"430102199111050035"`, `"birth_certificate":{"number":"O430000000","mother_id_no":"430102198503070023","born":"20261101","sex":"2"}`, "400 malformed", "birth_certificate.mother_id_no", 0},
		{"POST /v1/persons", `"id_no":"430102199111050035"`, `"birth_certificate":{"number":"O430000000","mother_id_no":"430102198503070022","born":"20261122","sex":"2"}`, "400 malformed", "birth_certificate.born", 0},
		{"POST /v1/persons", `"id_no":"430102199111050035"`, `"id_no":"430102199111050035","birth_certificate":{"number":"O430000000","mother_id_no":"430102198503070022","born":"20261101","sex":"2"}`, "400 malformed", "birth_certificate", 0},
		{"POST /v1/persons", "430102199111050035", "430102199111050036", "400 malformed", "id_no", 0},
		{"POST /v1/persons", "430102199111050035", "430102199102300031", "400 malformed", "id_no", 0},
		{"POST /v1/persons", "430102199111050035", the(mother).id, "422 already_bound", "id_no", 0},
		{"POST /v1/quotes", "430102198206110032", "430102198206110033", "400 malformed", "credential.value", 0},
		{"POST /v1/settlements", "430102198206110032", "430102198206110033", "400 malformed", "credential.value", 0},
		{"POST /v1/settlements", "430102198206110032", "430102197001010017", "422 identity_mismatch", "credential.name", 0},
		{"POST /v1/settlements", "430102198206110032", "11010519491231002X", "422 identity_mismatch", "credential.value", 0},
		{"POST /v1/settlements", `,"name":"李大山"`, ``, "400 malformed", "credential.name", 0},

		// codes
		{"POST /v1/settlements", `"id","value":"430102198206110032"`, `"qr","value":"8600000000000000000"`, "400 malformed", "credential.value", 0},
		{"POST /v1/settlements", `"id","value":"430102198206110032"`, `"qr","value":"860000000000000000000"`, "400 malformed", "credential.value", 0},
		{"POST /v1/settlements", `"id","value":"430102198206110032"`, `"qr","value":"86000000000000000000"`, "410 qr_invalid", "credential.value", 0},
		{"POST /v1/settlements", `"id","value":"430102198206110032"`, `"qr","value":"86000000000000000005"`, "410 qr_invalid", "credential.value", 0},
		{"POST /v1/settlements", `"id","value":"430102198206110032"`, `"qr","value":"8600000000000000000X"`, "410 qr_invalid", "credential.value", 0},
		{"POST /v1/quotes", `"id","value":"430102198206110032"`, `"qr","value":"86123456789012345670"`, "410 qr_invalid", "credential.value", 0},
		{"POST /v1/settlements", `"id","value":"430102198206110032"`, `"card","value":"nobody's"`, "422 identity_mismatch", "credential.value", 0},

		// message ids
		{"POST /v1/settlements", tail, `"message_id":"` + otherPlace + `202611211000000001"`, "400 malformed", "message_id", 0},
		{"POST /v1/settlements", tail, `"message_id":"` + hospital + `20261121100000001"`, "400 malformed", "message_id", 0},
		{"POST /v1/settlements", tail, `"message_id":"` + hospital + `2026112110000000011"`, "400 malformed", "message_id", 0},
		{"POST /v1/settlements", tail, `"message_id":"` + hospital + `202613211000000001"`, "400 malformed", "message_id", 0},
		{"POST /v1/settlements", tail, `"message_id":"` + hospital + `202611212500000001"`, "400 malformed", "message_id", 0},
		{"POST /v1/settlements", tail, `"message_id":"` + hospital + `20261121100000 001"`, "400 malformed", "message_id", 0},
		{"POST /v1/settlements", tail, `"message_id":"h43010000001202611211000000001"`, "400 malformed", "message_id", 0},
		{"POST /v1/settlements/{settlement_id}/reversal", tail, `"message_id":"` + otherPlace + `202611211000000001"`, "400 malformed", "message_id", 0},
		{"POST /v1/settlements/{settlement_id}/reversal", tail, `"message_id":"` + s.sale + `"`, "400 malformed", "message_id", 0},
		{"POST /v1/settlements/{settlement_id}/refunds", tail, `"message_id":"` + otherPlace + `202611211000000001"`, "400 malformed", "message_id", 0},
		{"POST /v1/settlements/{settlement_id}/refunds", tail, `"message_id":"` + s.sale + `"`, "400 malformed", "message_id", 0},
		{"POST /v1/settlements", tail, `"message_id":"` + s.sale + `"`, "422 message_reused", "", 0},
		{"POST /v1/settlements/{settlement_id}/reversal", tail, `"message_id":"` + s.refused + `"`, "422 message_reused", "", 0},

		// bills
		{"POST /v1/settlements", `"line_no":9`, `"line_no":7`, "400 malformed", "lines[1].line_no", 7},
		{"POST /v1/settlements", `"line_no":9`, `"line_no":0`, "400 malformed", "lines[1].line_no", 0},
		{"POST /v1/settlements", `"line_no":9`, `"line_no":100000`, "400 malformed", "lines[1].line_no", 0},
		{"POST /v1/settlements", `"med_type":"11"`, `"med_type":"2102"`, "400 malformed", "med_type", 0},
		{"POST /v1/settlements", `"total_fen":2000`, `"total_fen":2001`, "422 sum_mismatch", "total_fen", 0},
		{"POST /v1/quotes", `"total_fen":2000`, `"total_fen":1999`, "422 sum_mismatch", "total_fen", 0},
		{"POST /v1/settlements", `"total_fen":2000`, `"total_fen":1000000001`, "400 malformed", "total_fen", 0},
		{"POST /v1/settlements", `"total_fen":2000`, `"total_fen":20.00`, "400 malformed", "total_fen", 0},
		{"POST /v1/settlements", `"amount_fen":1000,"trace_codes":["T3"]`, `"amount_fen":10.00`, "400 malformed", "lines[1].amount_fen", 9},
		{"POST /v1/settlements", `"amount_fen":1000,"trace_codes":["T3"]`, `"amount_fen":1010`, "422 sum_mismatch", "lines[1].amount_fen", 9},
		{"POST /v1/settlements", `"unit_price_fen":500,"amount_fen":1000,"trace_codes":["T3"]`, `"unit_price_fen":1000000000,"amount_fen":1000000000`, "422 sum_mismatch", "lines[1].amount_fen", 9},
		{"POST /v1/settlements", `"quantity":"2","unit_price_fen":500,"amount_fen":1000,"trace_codes":["T3"]`, `"quantity":"1000000","unit_price_fen":1000000000,"amount_fen":1000000000`, "422 sum_mismatch", "lines[1].amount_fen", 9},
		{"POST /v1/settlements", both, `"lines":[` + lines(60) + `]`, "422 sum_mismatch", "total_fen", 0},
		{"POST /v1/settlements", both, `"lines":[` + lines(61) + `]`, "400 malformed", "lines", 0},
		{"POST /v1/settlements", both, `"lines":[` + lines(2000) + `]`, "400 malformed", "lines", 0},
		{"POST /v1/quotes", both, `"lines":[` + lines(2000) + `]`, "400 malformed", "lines", 0},
		{"POST /v1/checks", `"trace_codes":["T1"]}]`, `"trace_codes":["T1"]},` + lines(60) + `]`, "400 malformed", "lines", 0},
		{"POST /v1/checks", `"trace_codes":["T1"]}]`, `"trace_codes":["T1"]},` + lines(2) + `]`, "400 malformed", "lines", 0},
		{"POST /v1/settlements/{settlement_id}/refunds", `"lines":[{"line_no":1,"quantity":"2"},{"line_no":3,"quantity":"1"}]`, `"lines":[` + strings.Repeat(`{"line_no":1,"quantity":"1"},`, 9000) + `{"line_no":1,"quantity":"1"}]`, "400 malformed", "lines", 0},
		{"POST /v1/settlements", `"code":"B1"`, `"code":"nowhere"`, "422 item_not_covered", "lines[1].code", 9},

		// quantities
		{"POST /v1/settlements", `"quantity":"2","unit_price_fen":500,"amount_fen":1000,"trace_codes":["T3"]`, `"quantity":"0","unit_price_fen":500,"amount_fen":1000`, "400 malformed", "lines[1].quantity", 9},
		{"POST /v1/settlements", `"quantity":"2","unit_price_fen":500,"amount_fen":1000,"trace_codes":["T3"]`, `"quantity":"-2","unit_price_fen":500,"amount_fen":1000`, "400 malformed", "lines[1].quantity", 9},
		{"POST /v1/settlements", `"quantity":"2","unit_price_fen":500,"amount_fen":1000,"trace_codes":["T3"]`, `"quantity":"2.00001","unit_price_fen":500,"amount_fen":1000`, "400 malformed", "lines[1].quantity", 9},
		{"POST /v1/settlements", `"quantity":"2","unit_price_fen":500,"amount_fen":1000,"trace_codes":["T3"]`, `"quantity":"2e0","unit_price_fen":500,"amount_fen":1000`, "400 malformed", "lines[1].quantity", 9},
		{"POST /v1/settlements", `"quantity":"2","unit_price_fen":500,"amount_fen":1000,"trace_codes":["T3"]`, `"quantity":"02","unit_price_fen":500,"amount_fen":1000`, "400 malformed", "lines[1].quantity", 9},
		{"POST /v1/settlements", `"quantity":"2","unit_price_fen":500,"amount_fen":1000,"trace_codes":["T3"]`, `"quantity":" 2","unit_price_fen":500,"amount_fen":1000`, "400 malformed", "lines[1].quantity", 9},
		{"POST /v1/settlements", `"quantity":"2","unit_price_fen":500,"amount_fen":1000,"trace_codes":["T3"]`, `"quantity":"２","unit_price_fen":500,"amount_fen":1000`, "400 malformed", "lines[1].quantity", 9},
		{"POST /v1/settlements", `"quantity":"2","unit_price_fen":500,"amount_fen":1000,"trace_codes":["T3"]`, `"quantity":"1000001","unit_price_fen":500,"amount_fen":1000`, "400 malformed", "lines[1].quantity", 9},
		{"POST /v1/settlements", `"quantity":"2","unit_price_fen":500,"amount_fen":1000,"trace_codes":["T3"]`, `"quantity":"99999999999999999999","unit_price_fen":500,"amount_fen":1000`, "400 malformed", "lines[1].quantity", 9},
		{"POST /v1/settlements", `"quantity":"2","unit_price_fen":500,"amount_fen":1000,"trace_codes":["T3"]`, `"quantity":"2.0000","unit_price_fen":500,"amount_fen":1000`, "201", "", 0},
		{"POST /v1/settlements/{settlement_id}/refunds", `"line_no":3,"quantity":"1"`, `"line_no":3,"quantity":"0"`, "400 malformed", "lines[1].quantity", 3},
		{"POST /v1/settlements/{settlement_id}/refunds", `"line_no":3,"quantity":"1"`, `"line_no":1,"quantity":"1"`, "400 malformed", "lines[1].line_no", 1},
		{"POST /v1/settlements/{settlement_id}/refunds", `"line_no":3,"quantity":"1"`, `"line_no":4,"quantity":"1"`, "404 not_found", "lines[1].line_no", 4},
		{"POST /v1/settlements/{settlement_id}/refunds", `"line_no":3,"quantity":"1"`, `"line_no":3,"quantity":"1.0001"`, "409 already_refunded", "lines[1].quantity", 3},
		{"POST /v1/settlements/{settlement_id}/reversal", `开错了`, strings.Repeat("错", 61), "400 malformed", "reason", 0},

		// boxes
		{"POST /v1/settlements", `["T3"]`, `["T1"]`, "400 malformed", "lines[1].trace_codes[0]", 9},
		{"POST /v1/settlements", `["T3"]`, `["T3","T 4"]`, "400 malformed", "lines[1].trace_codes[1]", 9},
		{"POST /v1/settlements", `["T3"]`, `["` + strings.Repeat("9", 101) + `"]`, "400 malformed", "lines[1].trace_codes[0]", 9},
		{"POST /v1/settlements", `["T3"]`, `[` + boxes(0, 81) + `]`, "400 malformed", "lines[1].trace_codes", 9},
		{"POST /v1/settlements", `["T1","T2"]},{`, `[` + boxes(0, 80) + `]},{`, "400 malformed", "lines", 0},

		// bindings
		{"POST /v1/bindings", `"relation":"75"`, `"relation":"7"`, "400 malformed", "relation", 0},
		{"POST /v1/bindings", `"relation":"75"`, `"relation":"75 "`, "400 malformed", "relation", 0},
		{"POST /v1/bindings", `"relation":"75"`, `"relation":"99"`, "422 relation_not_allowed", "", 0},
		{"POST /v1/bindings", `"relation":"75"`, `"relation":"70"`, "422 relation_not_allowed", "", 0},
		{"POST /v1/bindings", `"show":true,"pay":{"purposes":["care","pharmacy"],"monthly_cap_fen":100,"per_settlement_cap_fen":100,"quota_fen":100,"valid_until":"20271231"}`, `"show":false`, "400 malformed", "show", 0},
		{"POST /v1/bindings", `"monthly_cap_fen":100`, `"monthly_cap_fen":1000000001`, "400 malformed", "pay.monthly_cap_fen", 0},
		{"POST /v1/bindings", `"20271231"`, `"20270229"`, "400 malformed", "pay.valid_until", 0},
		{"POST /v1/bindings", `"20271231"`, `"20261120"`, "400 malformed", "pay.valid_until", 0},
		{"POST /v1/bindings", `"20271231"`, `"20261121"`, "201", "", 0},
		{"POST /v1/bindings", `["care","pharmacy"]`, `["care","care"]`, "400 malformed", "pay.purposes", 0},
		{"POST /v1/bindings", `["care","pharmacy"]`, `["rent"]`, "400 malformed", "pay.purposes[0]", 0},
		{"POST /v1/bindings", `"陈一二"`, `"` + strings.Repeat("陈", 51) + `"`, "400 malformed", "name", 0},
		{"PATCH /v1/bindings/{binding_id}", goods["PATCH /v1/bindings/{binding_id}"].good, `{}`, "400 malformed", "", 0},
		{"PATCH /v1/bindings/{binding_id}", goods["PATCH /v1/bindings/{binding_id}"].good, `{"show":null,"paused":null}`, "400 malformed", "", 0},
		{"PATCH /v1/bindings/{binding_id}", `"quota_fen":100`, `"quota_fen":1000000000`, "422 account_empty", "pay.quota_fen", 0},
		{"POST /v1/bindings/{binding_id}/submit", "true", "false", "400 malformed", "commitment", 0},
		{"PUT /v1/me/grant-order", `["{chosen}"]`, `["{chosen}","{chosen}"]`, "400 malformed", "order[1]", 0},
		{"PUT /v1/me/grant-order", `["{chosen}"]`, `[]`, "400 malformed", "order", 0},
		{"PUT /v1/me/grant-order", `["{chosen}"]`, `["1","2","3","4","5","6","7","8","9"]`, "400 malformed", "order", 0},
		{"POST /v1/qr", `"{bound}"`, `"` + strings.Repeat("B", 65) + `"`, "400 malformed", "binding_id", 0},
		{"POST /v1/qr", `{"binding_id":"{bound}"}`, `{}`, "201", "", 0},
		{"POST /v1/checks", hospital, "H99999999999", "403 institution_not_designated", "", 0},
		{"POST /v1/checks", hospital, "H9999999999", "400 malformed", "institution_code", 0},

		// feeds
		{"POST /v1/persons", `"region":"430100"`, `"region":"43010"`, "400 malformed", "region", 0},
		{"POST /v1/persons", `"region":"430100"`, `"region":"43O100"`, "400 malformed", "region", 0},
		{"POST /v1/persons", `"status":"1"`, `"status":"9"`, "400 malformed", "status", 0},
		{"POST /v1/persons", `"insutype":"310"`, `"insutype":"320"`, "400 malformed", "insutype", 0},
		{"POST /v1/persons", `"psn_type":"11"`, `"psn_type":"1a"`, "400 malformed", "psn_type", 0},
		{"POST /v1/persons", `"person_no":"430100000077"`, `"person_no":"4301-77"`, "400 malformed", "person_no", 0},
		{"POST /v1/persons", `"card_no":"C77"`, `"card_no":"` + the(mother).card() + `"`, "422 already_bound", "card_no", 0},
		{"POST /v1/institutions", "P43010000009", "X43010000009", "400 malformed", "code", 0},
		{"POST /v1/institutions", `"level":"11"`, `"level":"12"`, "400 malformed", "level", 0},
		{"POST /v1/catalogue", `"20261231"`, `"20251231"`, "400 malformed", "effective_to", 0},
		{"POST /v1/catalogue", `"20261231"`, `"20261331"`, "400 malformed", "effective_to", 0},
		{"POST /v1/catalogue", `"0.2000"`, `"1.0001"`, "400 malformed", "self_pay_ratio.390", 0},
		{"POST /v1/catalogue", `"0.2000"`, `"-0.2"`, "400 malformed", "self_pay_ratio.390", 0},
		{"POST /v1/catalogue", `"0.2000"`, `"20%"`, "400 malformed", "self_pay_ratio.390", 0},
		{"POST /v1/catalogue", `"390":"0.2000"`, `"李大山":"0.2000"`, "400 malformed", "self_pay_ratio", 0},
		{"POST /v1/catalogue", `"390":"0.2000"`, `"李大山":"x"`, "400 malformed", "self_pay_ratio", 0},
		{"POST /v1/catalogue", `"11":100`, `"12":100`, "400 malformed", "ceiling_fen", 0},
		{"POST /v1/catalogue", `"11":100`, `"11":0`, "400 malformed", "ceiling_fen.11", 0},
		{"POST /v1/catalogue", `"11":100`, `"11":1000000001`, "400 malformed", "ceiling_fen.11", 0},
		{"POST /v1/credits", `"amount_fen":100`, `"amount_fen":0`, "400 malformed", "amount_fen", 0},
		{"POST /v1/credits", `"amount_fen":100`, `"amount_fen":1000000001`, "400 malformed", "amount_fen", 0},
		{"POST /v1/credits", `"R-1"`, `"R 1"`, "400 malformed", "reference", 0},
		{"POST /v1/credits", `"R-1"`, `"回执"`, "400 malformed", "reference", 0},
		{"POST /v1/credits", `"R-1"`, `"2026-0001"`, "422 message_reused", "reference", 0},
	} {
		route := goods[c.route]
		good := strings.Replace(route.good, `,"expected_cash_fen":0`, "", 1) // a quote that is stale comes before sums
		if !strings.Contains(good, c.from) {
			t.Errorf("%s has no %s", c.route, c.from)
			continue
		}
		if h.commits() > 0 {
			h = s.open(t) // as it was
		}
		method, _, _ := strings.Cut(c.route, " ")
		r := h.ask(route.by(h, s), method, route.path(s), s.fill(h, strings.Replace(good, c.from, c.to, 1)))
		got := problem{}
		if r.status >= 300 {
			got = r.problem(t)
		}
		if heard(t, r) != c.want || got.Field != c.field || got.Line != c.line {
			t.Errorf("%s with %.80s: %s of %q on line %d, not %s of %q on line %d\n%s", c.route, c.to, heard(t, r), got.Field, got.Line, c.want, c.field, c.line, r.body)
		}
		if got.Kind == "malformed" && h.commits() != 0 {
			t.Errorf("%s with %.80s: something is written", c.route, c.to)
		}
		// What an institution's message decided is recorded, whatever it was, and a
		// code that nobody was issued is counted.
		if recorded := got.Kind == "decided" && (strings.HasPrefix(c.route, "POST /v1/settlements") || got.Code == "qr_invalid"); recorded != (got.Kind == "decided" && h.commits() == 1) {
			t.Errorf("%s with %.80s: %d commits", c.route, c.to, h.commits())
		}
	}
}

// FuzzBodies sends any bytes to any route that takes a body: what comes back is
// always an answer that the document describes, and never a failure of ours.
func FuzzBodies(f *testing.F) {
	for i, route := range takers {
		f.Add(uint8(i), []byte(strings.NewReplacer("{message}", hospital+"202611211000009000", "{bound}", "x", "{chosen}", "x").Replace(route.good)))
		f.Add(uint8(i), []byte(`{"x":[{"":1e9,"\u0000":"\ud800"}]}`))
	}
	s := sceneOf(f)
	h := s.open(f)
	f.Fuzz(func(t *testing.T, which uint8, text []byte) {
		h.t = t
		route := takers[int(which)%len(takers)]
		method, _, _ := strings.Cut(route.route, " ")
		if r := h.ask(route.by(h, s), method, route.path(s), string(text)); r.status >= 500 {
			t.Errorf("%s: %d\n%s", route.route, r.status, r.body)
		}
	})
}

// TestAFieldsNameIsOursOrNone: the name of a field is repeated where it looks like
// one of ours; what somebody put in its place may be anybody's number or name.
func TestAFieldsNameIsOursOrNone(t *testing.T) {
	h := fedHouse(t)
	for _, c := range []struct{ body, field string }{
		{`{"holder":1}`, "holder"},
		{`{"430102198503070022":1}`, ""},
		{`{"x":{"430102198503070022":1.5}}`, ""},
		{`{"H43010000001":1}`, ""},
		{`{"王小芳":1}`, ""},
		{`{"` + strings.Repeat("a", 33) + `":1}`, ""},
		{`{"x":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}`, "x[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"},
		{`{"a":{"b":{"c":1.5}}}`, "a.b.c"},
		{`{"` + strings.Repeat("a", 32) + `":{"` + strings.Repeat("b", 32) + `":1.5}}`, ""},
	} {
		r := h.ask(h.person(mother), "POST", "/v1/qr", c.body)
		if got, _ := r.json(t)["field"].(string); heard(t, r) != "400 malformed" || got != c.field {
			t.Errorf("%s: field %q, not %q\n%s", c.body, got, c.field, r.body)
		}
		if c.field == "" && strings.Contains(string(r.body), "430102198503070022") {
			t.Errorf("%s: %s", c.body, r.body)
		}
	}
}
