package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"gongji/shared/answer"
	"gongji/shared/family"
)

// The document is read here as a client reads it, by nothing but JSON Schema, and
// held against the router and against every answer that any test of this package
// gets: see [house.ask].

// node is a JSON object of the document.
type node = map[string]any

// document is /openapi.json.
type document struct{ root node }

var published struct {
	once sync.Once
	document
}

// document returns the document as the door publishes it.
func (h *house) document() document {
	h.t.Helper()
	published.once.Do(func() {
		r := h.send("", "GET", "/openapi.json", nil)
		if err := json.Unmarshal(r.body, &published.root); err != nil || r.status != http.StatusOK {
			h.t.Fatalf("%d %v\n%.200s", r.status, err, r.body)
		}
	})
	return published.document
}

// at follows names down the document; nil is nothing there.
func at(n any, names ...string) any {
	for _, name := range names {
		object, _ := n.(node)
		n = object[name]
	}
	return n
}

// operation returns what the document says of a request's route, nil of none.
func (d document) operation(method, path string) node {
	best, bestParams := "", 99
	for _, template := range slices.Sorted(maps.Keys(at(d.root, "paths").(node))) {
		fits, params := matches(template, path)
		if fits && params < bestParams && at(d.root, "paths", template, strings.ToLower(method)) != nil {
			best, bestParams = template, params
		}
	}
	op, _ := at(d.root, "paths", best, strings.ToLower(method)).(node)
	return op
}

// matches tells whether a path fits a template, and how many parameters that has.
func matches(template, path string) (fits bool, params int) {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false, 0
	}
	for i := range want {
		if strings.HasPrefix(want[i], "{") {
			params++
		} else if want[i] != got[i] {
			return false, 0
		}
	}
	return true, params
}

// body returns the schema of a media type of a request or a response; nil where
// it is not described.
func body(described any, contentType string) node {
	schema, _ := at(described, "content", contentType, "schema").(node)
	return schema
}

// faults lists what of a value does not fit a schema.
func (d document) faults(schema node, value any, path string) (faults []string) {
	found := func(format string, args ...any) { faults = append(faults, path+": "+fmt.Sprintf(format, args...)) }
	number := func(name string) *big.Rat {
		n, ok := new(big.Rat).SetString(fmt.Sprint(schema[name]))
		if !ok {
			panic(fmt.Sprintf("the document's %s of %s is %v", name, path, schema[name]))
		}
		return n
	}
	limit := func(name string) int { n, _ := number(name).Float64(); return int(n) }
	text, isText := value.(string)
	list, isList := value.([]any)
	object, isObject := value.(node)
	n, isNumber := value.(json.Number)
	properties, _ := schema["properties"].(node)
	for _, keyword := range slices.Sorted(maps.Keys(schema)) {
		said := schema[keyword]
		switch keyword {
		case "description", "default", "examples", "contentMediaType", "contentEncoding", "properties":
			// says nothing, or is read below
		case "$ref":
			named, _ := at(d.root, strings.Split(strings.TrimPrefix(said.(string), "#/"), "/")...).(node)
			if named == nil {
				panic("the document has no " + said.(string))
			}
			faults = append(faults, d.faults(named, value, path)...)
		case "type":
			types, several := said.([]any)
			if !several {
				types = []any{said}
			}
			if !slices.ContainsFunc(types, func(t any) bool { return isOf(t.(string), value) }) {
				found("%v is not of type %v", value, said)
			}
		case "required":
			for _, name := range said.([]any) {
				if _, there := object[name.(string)]; isObject && !there {
					found("%v is missing", name)
				}
			}
		case "additionalProperties":
			for name, v := range object {
				if _, known := properties[name]; known {
					continue
				} else if of, open := said.(node); open {
					faults = append(faults, d.faults(of, v, path+"."+name)...)
				} else if said == false {
					found("%s is not described", name)
				}
			}
		case "items":
			for i, v := range list {
				faults = append(faults, d.faults(said.(node), v, fmt.Sprintf("%s[%d]", path, i))...)
			}
		case "oneOf":
			fitting := 0
			for _, of := range said.([]any) {
				if len(d.faults(of.(node), value, path)) == 0 {
					fitting++
				}
			}
			if fitting != 1 {
				found("fits %d of %d shapes", fitting, len(said.([]any)))
			}
		case "enum":
			if !slices.Contains(said.([]any), value) {
				found("%v is none of %v", value, said)
			}
		case "minLength", "maxLength":
			if isText && outside(keyword, utf8.RuneCountInString(text), limit(keyword)) {
				found("has %d characters, %s %v", utf8.RuneCountInString(text), keyword, said)
			}
		case "minItems", "maxItems":
			if isList && outside(keyword, len(list), limit(keyword)) {
				found("has %d items, %s %v", len(list), keyword, said)
			}
		case "minimum", "maximum":
			if v, _ := new(big.Rat).SetString(n.String()); isNumber && outside(keyword, v.Cmp(number(keyword)), 0) {
				found("%s, %s %v", n, keyword, said)
			}
		case "pattern":
			if isText && !regexp.MustCompile(said.(string)).MatchString(text) {
				found("%q does not fit %v", text, said)
			}
		case "format":
			switch said {
			case "date-time":
				if at, err := time.Parse(time.RFC3339, text); isText && (err != nil || at.Location() != time.UTC || at.Nanosecond() != 0) {
					found("%q is no whole second in UTC", text)
				}
			case "int64", "binary":
			default:
				panic(fmt.Sprintf("the test knows no format %v of %s", said, path))
			}
		default:
			panic(fmt.Sprintf("the test knows no keyword %s of %s", keyword, path))
		}
	}
	for name, of := range properties {
		if v, there := object[name]; there {
			faults = append(faults, d.faults(of.(node), v, path+"."+name)...)
		}
	}
	return faults
}

// outside tells whether a size is beyond a limit of the keyword, a min… or a max….
func outside(keyword string, size, limit int) bool {
	if strings.HasPrefix(keyword, "min") {
		return size < limit
	}
	return size > limit
}

// isOf tells whether a value is of a type of JSON Schema.
func isOf(kind string, value any) bool {
	switch v := value.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case []any:
		return kind == "array"
	case node:
		return kind == "object"
	case json.Number:
		_, err := strconv.ParseInt(v.String(), 10, 64)
		return kind == "number" || kind == "integer" && err == nil
	}
	return false
}

// parse reads JSON with its numbers as they stand.
func parse(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return v, d.Decode(&v)
}

// hold holds an exchange against the document and the conventions: what was taken
// was described, and so was what was answered.
func (h *house) hold(method, target, contentType string, sent []byte, r reply) {
	h.t.Helper()
	wrong := func(format string, args ...any) {
		h.t.Helper()
		h.t.Errorf("%s %.200s: %d: %s\nsent %.500s\ngot  %.2000s", method, target, r.status, fmt.Sprintf(format, args...), sent, r.body)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if got := r.header.Values(name); len(got) != 1 || got[0] != want {
			wrong("%s is %q", name, got)
		}
	}
	if len(r.header.Get("Request-Id")) < 20 {
		wrong("Request-Id is %q", r.header.Get("Request-Id"))
	}
	asked, err := url.ParseRequestURI(target)
	if err != nil {
		wrong("%v", err)
		return
	}
	d := h.document()
	op := d.operation(strings.Replace(method, "HEAD", "GET", 1), asked.EscapedPath())
	got, _, _ := mime.ParseMediaType(r.header.Get("Content-Type"))
	if r.status >= 300 {
		h.holdProblem(asked, r, wrong)
		if at(op, "responses", "default") != nil {
			op = node{"responses": node{strconv.Itoa(r.status): at(op, "responses", "default")}}
		} else {
			op = node{"responses": node{strconv.Itoa(r.status): at(d.operation("GET", "/healthz"), "responses", "default")}}
		}
	}
	schema := body(at(op, "responses", strconv.Itoa(r.status)), got)
	if schema == nil {
		wrong("the document does not describe this answer of type %q", got)
		return
	}
	switch got {
	case "application/json", "application/problem+json":
		value, err := parse(r.body)
		if err != nil {
			wrong("%v", err)
		} else if faults := d.faults(schema, value, "answer"); faults != nil {
			wrong("%v", faults)
		}
	case "application/x-ndjson":
		for line := range bytes.Lines(r.body) {
			value, err := parse(line)
			if err != nil {
				wrong("%v", err)
			} else if faults := d.faults(body(at(op, "responses", "200"), "application/json"), value, "answer"); faults != nil {
				wrong("%v", faults)
			}
		}
	}
	if kind, _, _ := mime.ParseMediaType(contentType); r.status < 300 && sent != nil && kind == "application/json" && at(op, "requestBody") != nil {
		if required, _ := at(op, "requestBody", "required").(bool); len(sent) == 0 {
			if required {
				wrong("it took no body, which the document requires")
			}
			return
		}
		value, err := parse(sent)
		if err != nil {
			wrong("it took what is no JSON: %v", err)
		} else if faults := d.faults(body(at(op, "requestBody"), "application/json"), value, "request"); faults != nil {
			wrong("it took what the document does not allow: %v", faults)
		}
	}
}

// goText returns what only a program says, of which nothing may reach a client; ""
// where there is none.
func goText(answer []byte) string {
	for _, s := range []string{
		"Go struct", "Go value", "unmarshal", "json:", "strconv", "reflect", "runtime error", "goroutine", "panic", ".go:", "family.", "api:", "app:", "store:", "sqlite", "body.",
	} {
		if bytes.Contains(answer, []byte(s)) {
			return s
		}
	}
	return ""
}

// holdProblem holds an error against the catalogue of answers.
func (h *house) holdProblem(asked *url.URL, r reply, wrong func(string, ...any)) {
	h.t.Helper()
	var p problem
	if err := json.Unmarshal(r.body, &p); err != nil {
		wrong("%v", err)
		return
	}
	row := answer.Of(family.Code(p.Code))
	status := row.Status
	if r.status == http.StatusMethodNotAllowed {
		status = http.StatusMethodNotAllowed
	}
	if p.Status != r.status || p.Status != status || p.Code != string(row.Code) || p.Kind != string(row.Kind) || p.Next != string(row.Next) ||
		p.Type != "urn:gongji:problem:"+p.Code || p.Title == "" || p.Detail == "" || p.MessageZH != row.Message.ZH || p.MessageEN != row.Message.EN {
		wrong("the answer is not the catalogue's row %s", row.Code)
	}
	if want := asked.EscapedPath(); p.Instance != want {
		wrong("instance %q, not %q", p.Instance, want)
	}
	says := r.body
	for _, theirs := range []string{p.Field, p.Observed, p.Instance} {
		if theirs != "" {
			says = bytes.ReplaceAll(says, []byte(theirs), nil)
		}
	}
	if got := goText(says); got != "" {
		wrong("it says %q", got)
	}
	after := row.RetryAfter
	if row.Code == family.RateLimited { // what is left of the pause, or until the next token
		after = min(max(1, p.RetryAfter), 60)
	}
	if got, want := r.header.Get("Retry-After"), strings.TrimPrefix(fmt.Sprint(after), "0"); got != want || p.RetryAfter != after {
		wrong("Retry-After %q and retry_after %d, not %q", got, p.RetryAfter, want)
	}
	if got := r.header.Get("WWW-Authenticate"); (r.status == http.StatusUnauthorized) != (got == "Bearer") {
		wrong("WWW-Authenticate %q", got)
	}
	if (p.RequestID != "") != (row.Code == family.Internal) || p.RequestID != "" && p.RequestID != r.header.Get("Request-Id") {
		wrong("request_id %q", p.RequestID)
	}
	for _, person := range cast {
		if bytes.Contains(says, []byte(person.name)) || bytes.Contains(says, []byte(person.id)) {
			wrong("it names somebody")
		}
	}
	if len(r.body) > 4<<10+len(p.Instance) {
		wrong("it says %d bytes", len(r.body))
	}
}

// TestDocument holds the document against the router: what the one has, the other
// has.
func TestDocument(t *testing.T) {
	h := newHouse(t)
	d := h.document()
	if version := at(d.root, "openapi"); version != "3.1.0" {
		t.Errorf("OpenAPI %v", version)
	}
	described := map[string]bool{}
	for path, methods := range at(d.root, "paths").(node) {
		for method := range methods.(node) {
			described[strings.ToUpper(method)+" "+path] = true
		}
	}
	ids := map[string]string{}
	for _, r := range h.door.routes {
		name := r.Method + " " + r.Path
		if !described[name] {
			t.Errorf("%s is not described", name)
			continue
		}
		delete(described, name)
		op := d.operation(r.Method, r.Path)
		id, _ := at(op, "operationId").(string)
		if id == "" || ids[id] != "" {
			t.Errorf("%s and %s share the operationId %q", name, ids[id], id)
		}
		ids[id] = name
		tags, _ := at(op, "tags").([]any)
		if summary, _ := at(op, "summary").(string); summary == "" || len(tags) == 0 {
			t.Errorf("%s has no summary or no tag", name)
		}
		security, guarded := at(op, "security").([]any)
		if guarded != (r.Access != Open) || guarded && at(security[0], "bearer") == nil {
			t.Errorf("%s is for %s and asks for %v", name, r.Access, security)
		}
		if says, _ := at(op, "description").(string); guarded && !strings.Contains(says, "Access: "+string(r.Access)+".") {
			t.Errorf("%s is for %s and says %q", name, r.Access, says)
		}
		if body(at(op, "responses", "default"), "application/problem+json") == nil {
			t.Errorf("%s describes no problem", name)
		}
		for _, param := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(r.Path, -1) {
			parameters, _ := at(op, "parameters").([]any)
			if !slices.ContainsFunc(parameters, func(p any) bool {
				return at(p, "name") == param[1] && at(p, "in") == "path" && at(p, "required") == true
			}) {
				t.Errorf("%s does not describe {%s}", name, param[1])
			}
		}
		if _, pattern := h.door.mux.Handler(&http.Request{Method: r.Method, URL: &url.URL{Path: r.Path}}); pattern != name {
			t.Errorf("%s goes to %q", name, pattern)
		}
	}
	for name := range described {
		t.Errorf("%s is described and nowhere routed", name)
	}
}

// TestEveryRouteIsRegisteredInOnePlace: what goes past the function route is in no
// document and in no table of rights.
func TestEveryRouteIsRegisteredInOnePlace(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range regexp.MustCompile(`\.Handle(Func)?\(|huma\.(Register|AutoRegister|Get|Post|Put|Patch|Delete|Head)\(`).FindAllString(string(text), -1) {
			found = append(found, name+" "+call)
		}
	}
	if want := []string{"api.go huma.Register(", "api.go .Handle("}; !slices.Equal(found, want) {
		t.Errorf("routes are registered by %q", found)
	}
}

// TestDocumentSaysWhatItSays walks every schema: the references lead somewhere,
// the examples and defaults fit, nothing is described that nobody uses.
func TestDocumentSaysWhatItSays(t *testing.T) {
	h := newHouse(t)
	d := h.document()
	used := map[string]bool{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case []any:
			for i, of := range v {
				walk(fmt.Sprintf("%s[%d]", path, i), of)
			}
		case node:
			if ref, isText := v["$ref"].(string); isText {
				used[strings.TrimPrefix(ref, "#/components/schemas/")] = true
			}
			if v["type"] != nil || v["$ref"] != nil {
				examples, _ := v["examples"].([]any)
				if v["default"] != nil {
					examples = append(examples, v["default"])
				}
				for _, example := range examples {
					text, err := json.Marshal(example)
					if err != nil {
						t.Fatal(err)
					}
					value, err := parse(text)
					if err != nil {
						t.Fatal(err)
					}
					if faults := d.faults(v, value, "the example"); faults != nil {
						t.Errorf("%s: %v", path, faults)
					}
				}
			}
			for name, of := range v {
				walk(path+"."+name, of)
			}
		}
	}
	walk("paths", at(d.root, "paths"))
	for name, schema := range at(d.root, "components", "schemas").(node) {
		walk(name, schema)
	}
	for name := range at(d.root, "components", "schemas").(node) {
		if !used[name] {
			t.Errorf("nobody uses %s", name)
		}
	}
}

// TestDocumentIsTheSameEachTime: clients compare it.
func TestDocumentIsTheSameEachTime(t *testing.T) {
	first := newHouse(t).send("", "GET", "/openapi.json", nil).body
	for range 10 {
		handler := New(Options{})
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", "/openapi.json", nil))
		if !bytes.Equal(w.Body.Bytes(), first) {
			t.Fatal("another document")
		}
	}
}

// TestValidatorCanSayNo tries the tests' own validator: one that lets everything
// through would hold nothing.
func TestValidatorCanSayNo(t *testing.T) {
	d := newHouse(t).document()
	schema := at(d.root, "components", "schemas", "SettleAskBody").(node)
	line := `{"line_no":1,"code":"A1","name":"x","quantity":"1","unit_price_fen":1,"amount_fen":1}`
	good := `{"message_id":"m","credential":{"type":"qr","value":"1"},"med_type":"11","total_fen":1,"lines":[` + line + `]}`
	for _, c := range []struct{ from, to, want string }{
		{"", "", ""},
		{`"use_account"`, `"use_account"`, ""},
		{`"total_fen":1`, `"total_fen":1,"use_account":null`, ""},
		{`"total_fen":1`, `"total_fen":1,"more":1`, "more is not described"},
		{`"total_fen":1`, `"total_fen":"1"`, "not of type integer"},
		{`"total_fen":1`, `"total_fen":1.5`, "not of type integer"},
		{`"total_fen":1`, `"total_fen":0`, "minimum 1"},
		{`"total_fen":1`, `"total_fen":1000000001`, "maximum"},
		{`"total_fen":1,`, ``, "total_fen is missing"},
		{`"qr"`, `"fax"`, "none of"},
		{`"value":"1"`, `"value":""`, "minLength"},
		{`"value":"1"`, `"value":"` + strings.Repeat("漢", 65) + `"`, "maxLength"},
		{`[` + line + `]`, `[]`, "minItems"},
		{`[` + line + `]`, `null`, "not of type array"},
		{`"name":"x"`, `"nom":"x"`, "name is missing"},
		{`"name":"x"`, `"name":"x","trace_codes":["a",1]`, "not of type string"},
	} {
		value, err := parse([]byte(strings.Replace(good, c.from, c.to, 1)))
		if err != nil {
			t.Fatal(err)
		}
		faults := strings.Join(d.faults(schema, value, "request"), "; ")
		if (c.want == "") != (faults == "") || !strings.Contains(faults, c.want) {
			t.Errorf("%s → %s: %q, want %q", c.from, c.to, faults, c.want)
		}
	}
}
