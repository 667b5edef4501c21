package api

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gongji/shared/family"
)

// questionsPage is read by people and played here.
const questionsPage = "../../docs/questions.md"

// question is one section of the page with its calls.
type question struct {
	title string
	rows  []questionRow
}

type questionRow struct {
	line              int // of the page
	who, call, answer string
}

// TestQuestions asks the running system the twenty-two questions of docs/questions.md
// and holds its answers against what stands there.
func TestQuestions(t *testing.T) {
	t.Parallel()
	questions := readQuestions(t)
	if len(questions) != 1+22 {
		t.Fatalf("%d sections: the family and twenty-two questions are wanted", len(questions))
	}
	h := fedHouse(t)
	family := played{house: h, known: map[string]string{}}
	family.play(questions[0].rows)
	if t.Failed() {
		return
	}
	at := h.freeze()
	for n, q := range questions[1:] {
		t.Run(q.title, func(t *testing.T) {
			t.Parallel()
			if !strings.HasPrefix(q.title, strconv.Itoa(n+1)+". ") {
				t.Errorf("question %d is called %q", n+1, q.title)
			}
			p := played{house: at.open(t), known: maps.Clone(family.known)}
			if p.play(q.rows); p.held < 2 {
				t.Errorf("only %d fields of the answers are held", p.held)
			}
		})
	}
}

// readQuestions reads the tables of the page.
func readQuestions(t *testing.T) []question {
	t.Helper()
	text, err := os.ReadFile(questionsPage)
	if err != nil {
		t.Fatal(err)
	}
	var all []question
	no := 0
	for line := range strings.Lines(string(text)) {
		no++
		line = strings.TrimSpace(line)
		if title, is := strings.CutPrefix(line, "## "); is {
			all = append(all, question{title: title})
		}
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| who ") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		if len(cells) != 3 || len(all) == 0 {
			t.Fatalf("%s:%d: a row has three cells: %q", questionsPage, no, line)
		}
		q := &all[len(all)-1]
		q.rows = append(q.rows, questionRow{no, strings.TrimSpace(cells[0]), strings.Trim(strings.TrimSpace(cells[1]), "`"), strings.TrimSpace(cells[2])})
	}
	return all
}

// played is a house in which rows are played.
type played struct {
	*house
	known map[string]string // what rows have kept
	held  int               // fields that were held against an answer
}

var questionPeople = map[string]string{
	"mother": mother, "father": father, "child": child, "granny": granny, "stranger": stranger, "cantonese": kapok, "husband": husband,
}

var questionPlaces = map[string]string{"hospital": hospital, "pharmacy": pharmacy, "clinic": clinic}

// play makes the calls of rows and holds their answers.
func (p *played) play(rows []questionRow) {
	p.t.Helper()
	for _, row := range rows {
		if fault := p.row(row); fault != "" {
			p.t.Fatalf("%s:%d: %s", questionsPage, row.line, fault)
		}
	}
}

func (p *played) row(row questionRow) string {
	method, rest, _ := strings.Cut(row.call, " ")
	path, text, hasBody := strings.Cut(rest, " ")
	if before, typed, found := strings.Cut(p.filled(path), "?q="); found {
		path = before + "?q=" + url.QueryEscape(typed)
	} else {
		path = before
	}
	place, atPlace := questionPlaces[row.who]
	no, isPerson := questionPeople[row.who]
	token := p.role(row.who)
	switch {
	case atPlace:
		token = p.place(place)
	case isPerson:
		token = p.person(no)
	case row.who != "operator":
		return "nobody is " + row.who
	}
	var body any
	if hasBody {
		v, err := parse([]byte(p.filled(text)))
		whole, ok := v.(node)
		if err != nil || !ok {
			return fmt.Sprintf("the body is no object: %v", err)
		}
		if fault := p.whole(whole, path, place); fault != "" {
			return fault
		}
		body = whole
	}
	r := p.ask(token, method, path, body)
	for i, want := range strings.Split(row.answer, "; ") {
		if i == 0 {
			got := strconv.Itoa(r.status)
			if r.status >= 400 {
				got = heard(p.t, r)
			}
			if got != want {
				return fmt.Sprintf("%s, not %s\n%s", got, want, r.body)
			}
			continue
		}
		answer, err := parse(r.body)
		if err != nil {
			return err.Error()
		}
		if fault := p.holds(answer, want); fault != "" {
			return fmt.Sprintf("%s\n%s", fault, r.body)
		}
	}
	return ""
}

// holds holds one field of an answer, or keeps it.
func (p *played) holds(answer any, want string) string {
	if name, field, is := strings.Cut(want, " := "); is {
		v := fieldAt(answer, field)
		if v == nil {
			return field + " is not there"
		}
		p.known[name] = fmt.Sprint(v)
		return ""
	}
	p.held++
	if field, part, is := strings.Cut(want, " ~ "); is {
		if got := fmt.Sprint(fieldAt(answer, field)); !strings.Contains(got, part) {
			return fmt.Sprintf("%s is %q and does not contain %q", field, got, part)
		}
		return ""
	}
	field, value, is := strings.Cut(want, " = ")
	if !is {
		return "neither =, ~ nor := in " + want
	}
	v := fieldAt(answer, field)
	if got := fmt.Sprint(v); value == "none" && v != nil || value != "none" && (v == nil || got != value) {
		return fmt.Sprintf("%s is %v, not %s", field, v, value)
	}
	return ""
}

var pathStep = regexp.MustCompile(`^(\w+)(?:\[(\d+)\])?$`)

// fieldAt returns a field of an answer such as "shares[0].reason"; nil is not there.
func fieldAt(v any, path string) any {
	for _, step := range strings.Split(path, ".") {
		m := pathStep.FindStringSubmatch(step)
		if m == nil {
			return nil
		}
		v = at(v, m[1])
		if m[2] != "" {
			list, _ := v.([]any)
			i, _ := strconv.Atoi(m[2])
			if i >= len(list) {
				return nil
			}
			v = list[i]
		}
	}
	return v
}

var braces = regexp.MustCompile(`\{(id |name )?(\w+)\}`)

// filled puts what is known, and what stands on people's identity cards, in its place.
func (p *played) filled(text string) string {
	return braces.ReplaceAllStringFunc(text, func(found string) string {
		m := braces.FindStringSubmatch(found)
		switch m[1] {
		case "id ":
			return the(questionPeople[m[2]]).id
		case "name ":
			return the(questionPeople[m[2]]).name
		}
		v, ok := p.known[m[2]]
		if !ok {
			p.t.Fatalf("nothing is known as %s", found)
		}
		return v
	})
}

var shortLine = regexp.MustCompile(`^(?:(\d+) )?(\w+) at (\d+\.\d\d)(?: box (\w+))?$`)

// whole writes out what a row writes short.
func (p *played) whole(body node, path, place string) string {
	if short, is := body["credential"].(string); is {
		how, name, named := strings.Cut(short, " named ")
		kind, value, _ := strings.Cut(how, " ")
		c := node{"type": kind, "value": value}
		switch kind {
		case "id":
			c["value"], c["name"] = the(questionPeople[value]).id, the(questionPeople[value]).name
		case "card":
			c["value"] = the(questionPeople[value]).card()
		}
		if named {
			c["name"] = name
		}
		body["credential"] = c
	}
	if short, is := body["lines"].(string); is {
		var lines []any
		total := family.Fen(0)
		for i, one := range strings.Split(short, ", ") {
			m := shortLine.FindStringSubmatch(one)
			if m == nil {
				return fmt.Sprintf("no line: %q", one)
			}
			units, price := 1, 0
			if m[1] != "" {
				units, _ = strconv.Atoi(m[1])
			}
			price, _ = strconv.Atoi(strings.Replace(m[3], ".", "", 1))
			l := node{"line_no": i + 1, "code": m[2], "name": m[2], "quantity": strconv.Itoa(units), "unit_price_fen": price, "amount_fen": units * price}
			if m[4] != "" {
				l["trace_codes"] = []any{m[4]}
			}
			lines, total = append(lines, l), total+family.Fen(units*price)
		}
		if body["lines"] = lines; path != "/v1/checks" {
			body["total_fen"] = total
		}
	}
	if strings.HasPrefix(path, "/v1/settlements") {
		body["message_id"] = p.messageID(place)
	}
	return ""
}
