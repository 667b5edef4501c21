package answer

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"gongji/shared/family"
)

//go:embed catalogue.json
var embedded []byte

// built returns the catalogue in the program, read when it is asked for first and
// without looking for faults again: a test loads the same bytes, so a wrong file never
// leaves the build, and a Lambda function starts often.
var built = sync.OnceValue(func() *Catalogue {
	c, err := read(embedded)
	if err != nil {
		panic(err)
	}
	return c
})

// file is the shape of a catalogue file.
type file struct {
	Rows   []Row   `json:"rows"`
	Rules  []rule  `json:"rules"`
	Events []event `json:"events"`
	Ready  []ready `json:"readiness"`
}

// read reads a catalogue file that has no faults.
func read(data []byte) (*Catalogue, error) {
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	return newCatalogue(f), nil
}

func newCatalogue(f file) *Catalogue {
	c := &Catalogue{rows: f.Rows, rules: f.Rules, events: f.Events, ready: f.Ready, byCode: make(map[family.Code]int, len(f.Rows))}
	for i, r := range f.Rows {
		c.byCode[r.Code] = i
	}
	return c
}

// maxHIS is the most characters that err_msg may have (domain 3.7, number 8).
const maxHIS = 200

// Catalogue is a catalogue file that was read and found whole.
type Catalogue struct {
	rows   []Row
	rules  []rule
	events []event
	ready  []ready
	byCode map[family.Code]int // into rows
}

// event is what happened to a binding.
type event struct {
	Event family.Happening `json:"event"`
	Text
}

// ready is whether a binding would pay.
type ready struct {
	Readiness family.Readiness `json:"readiness"`
	By        string           `json:"by"`
	Action    string           `json:"action"`
	Text
}

// rule is what a rule of the law says.
type rule struct {
	Rule string `json:"rule"`
	Text
}

// Load reads a catalogue file. It accepts nothing but a row for each of
// [family.Codes], in that order, each complete, the rules, and a sentence for each of
// [family.Happenings] and [family.Readinesses]; an error names the row.
func Load(data []byte) (*Catalogue, error) {
	var f file
	if err := exact(data, &f); err != nil {
		return nil, fmt.Errorf("answer: %w", located(data, err))
	}
	for i, r := range f.Rows {
		if i == len(family.Codes) {
			return nil, fmt.Errorf("answer: rows[%d]: there are only %d codes", i, i)
		}
		err := r.check()
		if r.Code != family.Codes[i] {
			err = fmt.Errorf("code: %q stands in its place", r.Code)
		}
		if err != nil {
			return nil, fmt.Errorf("answer: %s: %w", rowName(i), err)
		}
	}
	if n := len(f.Rows); n < len(family.Codes) {
		return nil, fmt.Errorf("answer: %s: missing", rowName(n))
	}
	if len(f.Rules) == 0 {
		return nil, errors.New("answer: rules: none")
	}
	for i, r := range f.Rules {
		err := r.sentence()
		if r.Rule == "" {
			err = errors.New("rule: empty")
		}
		if slices.ContainsFunc(f.Rules[:i], func(other rule) bool { return other.Rule == r.Rule }) {
			err = errors.New("rule: given twice")
		}
		if err != nil {
			return nil, fmt.Errorf("answer: rules[%d] (%s): %w", i, r.Rule, err)
		}
	}
	if len(f.Events) != len(family.Happenings) {
		return nil, fmt.Errorf("answer: events: %d for %d", len(f.Events), len(family.Happenings))
	}
	for i, e := range f.Events {
		err := e.sentence()
		if e.Event != family.Happenings[i] {
			err = fmt.Errorf("%q stands in its place", e.Event)
		}
		if err != nil {
			return nil, fmt.Errorf("answer: events[%d] (%s): %w", i, family.Happenings[i], err)
		}
	}
	if len(f.Ready) != len(family.Readinesses) {
		return nil, fmt.Errorf("answer: readiness: %d for %d", len(f.Ready), len(family.Readinesses))
	}
	for i, r := range f.Ready {
		err := r.sentence()
		if r.Readiness != family.Readinesses[i] {
			err = fmt.Errorf("%q stands in its place", r.Readiness)
		}
		if err != nil {
			return nil, fmt.Errorf("answer: readiness[%d] (%s): %w", i, family.Readinesses[i], err)
		}
	}
	return newCatalogue(f), nil
}

// rowName names a row by its place, and by the code that belongs there.
func rowName(i int) string {
	if i < len(family.Codes) {
		return fmt.Sprintf("rows[%d] (%s)", i, family.Codes[i])
	}
	return fmt.Sprintf("rows[%d]", i)
}

// located returns the fault of the row or rule that keeps a file from being read,
// or the fault of the whole if it is in none of them. The whole is read in one go
// first, since every start pays for that.
func located(data []byte, whole error) error {
	var file struct{ Rows, Rules []json.RawMessage }
	if json.Unmarshal(data, &file) != nil {
		return whole
	}
	for i, raw := range file.Rows {
		if err := exact(raw, new(Row)); err != nil {
			return fmt.Errorf("%s: %w", rowName(i), err)
		}
	}
	for i, raw := range file.Rules {
		if err := exact(raw, new(rule)); err != nil {
			return fmt.Errorf("rules[%d]: %w", i, err)
		}
	}
	return whole
}

// exact reads data into v, and accepts only what v would be written as, but for
// space between tokens: every field once, in order, none missing, none unknown,
// none null. encoding/json alone lets a key stand twice, or in other letter case.
func exact(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:syntax.Offset], []byte("\n")), err)
		}
		return err
	}
	var got, want bytes.Buffer
	if err := json.Compact(&got, data); err != nil {
		return err
	}
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	g, w := got.Bytes(), bytes.TrimSuffix(want.Bytes(), []byte("\n"))
	if bytes.Equal(g, w) {
		return nil
	}
	i := 0
	for i < len(g) && i < len(w) && g[i] == w[i] {
		i++
	}
	from := max(0, i-20)
	return fmt.Errorf("every field stands once, in its order: %q where %q is expected", clip(g[from:]), clip(w[from:]))
}

func clip(b []byte) []byte { return b[:min(len(b), 60)] }

// check reports the first fault of a row.
func (r *Row) check() error {
	fits := false
	switch r.Kind {
	case Malformed:
		fits = r.Status/100 == 4
	case Decided:
		fits = r.Status == 202 || r.Status/100 == 4
	case Unknown:
		fits = r.Status/100 == 5
	case Reason:
		fits = r.Status == 0
	default:
		return fmt.Errorf("kind: %q", r.Kind)
	}
	waits := r.Status == 429 || r.Status == 503
	switch {
	case !fits:
		return fmt.Errorf("status: %d is not for %s", r.Status, r.Kind)
	case r.HIS != 0 && r.HIS != -1:
		return fmt.Errorf("his: %d is neither 0 nor -1", r.HIS)
	case r.HIS == -1 && (r.Kind == Unknown || r.Kind == Reason):
		// What is unknown has to look unlike an answer: tills take any envelope as one.
		return fmt.Errorf("his: %d is not for %s", r.HIS, r.Kind)
	case !slices.Contains([]Next{Fix, RefreshQR, Requote, CollectCash, RetrySameID, DoNothing, Contact}, r.Next):
		return fmt.Errorf("next: %q", r.Next)
	case r.Kind == Reason && r.Next != DoNothing && r.Next != RetrySameID:
		return fmt.Errorf("next: a reason asks for nothing, or for the message again")
	case r.Kind == Unknown && r.Next != RetrySameID:
		return fmt.Errorf("next: what is unknown is asked again under the same id")
	case waits != (r.RetryAfter > 0) || r.RetryAfter < 0:
		return fmt.Errorf("retry_after: %d with status %d", r.RetryAfter, r.Status)
	case r.Reason != (Text{}) && r.Kind != Decided:
		return fmt.Errorf("reason: only a refusal that doubles as a reason has one")
	}
	for _, t := range []struct {
		field string
		text  Text
	}{{"title", r.Title}, {"message", r.Message}, {"cashier", r.Cashier}, {"person", r.Person}, {"reason", r.Reason}, {"mend", r.Mend}} {
		if (t.field == "reason" || t.field == "mend") && t.text == (Text{}) {
			continue
		}
		if err := t.text.check(); err != nil {
			return fmt.Errorf("%s.%w", t.field, err)
		}
	}
	if err := r.Message.sentence(); err != nil {
		return fmt.Errorf("message.%w", err)
	}
	text, ok := strings.CutSuffix(r.HISText, "["+string(r.Code)+"]")
	if !ok {
		return fmt.Errorf("his_text: does not end with [%s]", r.Code)
	}
	if n := utf8.RuneCountInString(r.HISText); n > maxHIS {
		return fmt.Errorf("his_text: %d characters", n)
	}
	if err := chinese(text); err != nil {
		return fmt.Errorf("his_text: %w", err)
	}
	return nil
}

// check reports the first fault of a text.
func (t Text) check() error {
	if err := chinese(t.ZH); err != nil {
		return fmt.Errorf("zh: %w", err)
	}
	if err := plain(t.EN); err != nil {
		return fmt.Errorf("en: %w", err)
	}
	for _, c := range t.EN {
		if c > unicode.MaxASCII {
			return fmt.Errorf("en: %q", c)
		}
	}
	return nil
}

// sentence reports what keeps a text from being one sentence in each language.
func (t Text) sentence() error {
	if err := t.check(); err != nil {
		return err
	}
	if strings.Index(t.ZH, "。") != len(t.ZH)-len("。") || strings.ContainsAny(t.ZH, "！？") {
		return errors.New("zh: not one sentence")
	}
	if strings.Index(t.EN, ".") != len(t.EN)-1 || strings.ContainsAny(t.EN, "!?") {
		return errors.New("en: not one sentence")
	}
	return nil
}

// chinese reports what is wrong with a text in Chinese.
func chinese(s string) error {
	if err := plain(s); err != nil {
		return err
	}
	for _, c := range s {
		if unicode.Is(unicode.Han, c) {
			return nil
		}
	}
	return errors.New("no Chinese")
}

// plain reports what no text has: nothing at all, space around it, a second line,
// or a figure, which would be somebody's balance or a rule that is elsewhere.
func plain(s string) error {
	if s == "" || s != strings.TrimSpace(s) {
		return fmt.Errorf("%q is empty or has space around it", s)
	}
	for _, c := range s {
		switch {
		case 'a' <= c && c <= 'z', '\u4e00' <= c && c <= '\u9fff': // nearly every one, told at once
		case unicode.IsDigit(c):
			return fmt.Errorf("%q is a figure", c)
		case !unicode.IsPrint(c):
			return fmt.Errorf("%q", c)
		}
	}
	return nil
}
