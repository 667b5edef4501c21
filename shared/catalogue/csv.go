package catalogue

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"gongji/shared/family"
)

// column is one column of a list as a spreadsheet holds it: how a cell is read into
// an entry and written from one. Lists in a cell are separated by a vertical bar;
// what is said of single regions has no column and needs JSON.
type column struct {
	name  string
	read  func(*Entry, string) error
	write func(*Entry) string
}

// Columns are the names of the columns, in the order in which they are written.
// A file has code, name, list_type, class and effective_from, and of the others
// those that it needs, in any order.
func Columns() []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

var needed = []string{"code", "name", "list_type", "class", "effective_from"}

var columns = append([]column{
	text("code", func(e *Entry) *string { return &e.Code }),
	text("name", func(e *Entry) *string { return &e.Name }),
	text("list_type", func(e *Entry) *string { return &e.ListType }),
	text("class", func(e *Entry) *string { return &e.Class }),
	ratio("310"), ratio("390"),
	text("effective_from", func(e *Entry) *string { return &e.From }),
	text("effective_to", func(e *Entry) *string { return &e.To }),
	text("excluded", func(e *Entry) *string { return &e.Excluded }),
	{"prescription", func(e *Entry, s string) (err error) { e.limits().Prescription, err = strconv.ParseBool(s); return err }, func(e *Entry) string {
		if e.Limits != nil && e.Limits.Prescription {
			return "true"
		}
		return ""
	}},
	whole("min_age", func(l *Limits) *int { return &l.MinAge }),
	whole("max_age", func(l *Limits) *int { return &l.MaxAge }),
	limit("sex", func(l *Limits) *string { return &l.Sex }),
	list("institution_grades", func(l *Limits) *[]string { return &l.Grades }),
	list("institution_kinds", func(l *Limits) *[]string { return &l.Kinds }),
	list("indications", func(l *Limits) *[]string { return &l.Diagnoses }),
	whole("max_days", func(l *Limits) *int { return &l.MaxDays }),
	limit("max_quantity", func(l *Limits) *string { return &l.MaxQuantity }),
	whole("period_days", func(l *Limits) *int { return &l.PeriodDays }),
	limit("period_quantity", func(l *Limits) *string { return &l.PeriodQuantity }),
}, ceilings()...)

// limits returns the entry's limits, made if there are none.
func (e *Entry) limits() *Limits {
	if e.Limits == nil {
		e.Limits = &Limits{}
	}
	return e.Limits
}

func text(name string, field func(*Entry) *string) column {
	return column{name, func(e *Entry, s string) error { *field(e) = s; return nil }, func(e *Entry) string { return *field(e) }}
}

func limit(name string, field func(*Limits) *string) column {
	return column{
		name, func(e *Entry, s string) error { *field(e.limits()) = s; return nil },
		func(e *Entry) string {
			if e.Limits == nil {
				return ""
			}
			return *field(e.Limits)
		},
	}
}

func whole(name string, field func(*Limits) *int) column {
	return column{
		name, func(e *Entry, s string) (err error) { *field(e.limits()), err = strconv.Atoi(s); return err },
		func(e *Entry) string {
			if e.Limits == nil {
				return ""
			}
			return number(*field(e.Limits))
		},
	}
}

func list(name string, field func(*Limits) *[]string) column {
	return column{
		name, func(e *Entry, s string) error { *field(e.limits()) = strings.Split(s, "|"); return nil },
		func(e *Entry) string {
			if e.Limits == nil {
				return ""
			}
			return strings.Join(*field(e.Limits), "|")
		},
	}
}

func ratio(insutype string) column {
	return column{
		"self_pay_ratio." + insutype,
		func(e *Entry, s string) error {
			if e.SelfPay == nil {
				e.SelfPay = map[string]string{}
			}
			e.SelfPay[insutype] = s
			return nil
		},
		func(e *Entry) string { return e.SelfPay[insutype] },
	}
}

func ceilings() []column {
	all := make([]column, 0, len(family.Levels))
	for _, level := range family.Levels {
		all = append(all, column{
			"ceiling_fen." + string(level),
			func(e *Entry, s string) error {
				fen, err := strconv.ParseInt(s, 10, 64)
				if e.Ceiling == nil {
					e.Ceiling = map[string]int64{}
				}
				e.Ceiling[string(level)] = fen
				return err
			},
			func(e *Entry) string {
				if fen, ok := e.Ceiling[string(level)]; ok {
					return strconv.FormatInt(fen, 10)
				}
				return ""
			},
		})
	}
	return all
}

// Reader reads a list from CSV (RFC 4180) in UTF-8, with or without the mark that
// spreadsheets put at its beginning.
type Reader struct {
	csv     *csv.Reader
	columns []*column
}

// NewReader reads the head of a list. Its error is a [family.Refusal].
func NewReader(r io.Reader) (*Reader, error) {
	out := &Reader{csv: csv.NewReader(r)}
	out.csv.ReuseRecord = true
	head, err := out.csv.Read()
	if err != nil {
		return nil, family.Faulty("", errors.New("the list has no first line with the names of the columns"))
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	for i, name := range head {
		at := slices.IndexFunc(columns, func(c column) bool { return c.name == strings.TrimSpace(name) })
		if at < 0 || slices.Contains(out.columns, &columns[at]) {
			return nil, &family.Refusal{Code: family.Malformed, Line: 1, Allowed: strings.Join(Columns(), ", "), Detail: fmt.Sprintf("column %d has no name of the list's, or one that stands twice", i+1)}
		}
		out.columns = append(out.columns, &columns[at])
	}
	for _, name := range needed {
		if !slices.ContainsFunc(out.columns, func(c *column) bool { return c.name == name }) {
			return nil, &family.Refusal{Code: family.Malformed, Field: name, Line: 1, Detail: "the column is missing"}
		}
	}
	return out, nil
}

// Next reads the next entry and tells its line; io.EOF after the last. A line that
// cannot be read is a [family.Refusal], and the next call reads on.
func (r *Reader) Next() (Entry, int, error) {
	var e Entry
	row, err := r.csv.Read()
	if err == io.EOF {
		return e, 0, err
	}
	line, _ := r.csv.FieldPos(0)
	if err != nil {
		if parse := (*csv.ParseError)(nil); errors.As(err, &parse) {
			line = parse.StartLine
		}
		return e, line, &family.Refusal{Code: family.Malformed, Detail: "the line is no line of CSV with as many cells as there are columns"}
	}
	for i, c := range r.columns {
		cell := strings.TrimSpace(row[i])
		if cell == "" {
			continue
		}
		if err := c.read(&e, strings.Clone(cell)); err != nil {
			return e, line, &family.Refusal{Code: family.Malformed, Field: c.name, Detail: "a whole number, or true or false, is needed"}
		}
	}
	return e, line, nil
}

// Changes tells in which fields an entry differs from the one in force, by the names
// of their columns; what is said of single regions is one field.
func Changes(was, is family.Item) []Change {
	before, after := EntryOf(was), EntryOf(is)
	var changes []Change
	for _, c := range columns {
		if a, b := c.write(&before), c.write(&after); a != b {
			changes = append(changes, Change{c.name, a, b})
		}
	}
	if a, b := fmt.Sprint(before.In), fmt.Sprint(after.In); a != b {
		changes = append(changes, Change{"in_regions", a, b})
	}
	return changes
}
