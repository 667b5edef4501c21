package app

import (
	"context"
	"strings"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
)

// maxStatementDays bounds the days of one statement.
const maxStatementDays = 31

// Statement returns an institution's settlements, reversals and refunds that were
// made on days from first to last, by the time of settlement that it was answered
// with, whenever their messages say they were sent.
func (a *App) Statement(ctx context.Context, place family.InstitutionCode, first, last family.Day) ([]Outcome, error) {
	days, refusal := daysBetween(first, last)
	if refusal != nil {
		return nil, refusal
	}
	var all []Outcome
	for _, day := range days {
		late, err := a.allOf(ctx, dayPart(place, day), latePrefix, maxDay-len(all))
		if err != nil {
			return nil, err
		}
		var elsewhere []ref[messageRecord]
		for _, r := range late {
			id := family.MessageID(strings.TrimPrefix(r.Key.Sort, latePrefix))
			if sent := id.Day(); sent < first || sent > last { // else it is met where it lies
				elsewhere = append(elsewhere, messageKey(id))
			}
		}
		if len(elsewhere) > 0 {
			found, err := many(ctx, a, elsewhere...)
			if err != nil {
				return nil, err
			}
			for _, m := range found {
				if m != nil && m.Settlement != nil {
					all = append(all, m.outcome())
				}
			}
		}
		records, err := a.allOf(ctx, dayPart(place, day), messagePrefix, maxDay-len(all))
		if err != nil {
			return nil, err
		}
		messages, err := decodeAll[messageRecord](records)
		if err != nil {
			return nil, err
		}
		for i := range messages {
			m := &messages[i]
			if m.Settlement == nil {
				continue
			}
			if settled := family.DayOf(m.Settlement.At); settled >= first && settled <= last {
				all = append(all, m.outcome())
			}
		}
	}
	return all, nil
}

// allOf lists a whole range, at most most records of it.
func (a *App) allOf(ctx context.Context, part, prefix string, most int) ([]store.Record, error) {
	r := store.Range{Part: part, Prefix: prefix, Limit: store.MaxList}
	var all []store.Record
	for {
		records, err := a.list(ctx, r)
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
		if len(all) > most {
			return nil, &family.Refusal{Code: family.TooLarge, Field: "stmt_enddate", Detail: "too many settlements for one statement: ask for fewer days"}
		}
		if len(records) < r.Limit {
			return all, nil
		}
		r.After = records[len(records)-1].Key.Sort
	}
}

// daysBetween returns the days from first to last.
func daysBetween(first, last family.Day) ([]family.Day, *family.Refusal) {
	begin, err := time.Parse("20060102", first.String())
	if err != nil || last < first {
		return nil, &family.Refusal{Code: family.Malformed, Field: "stmt_enddate", Detail: "a statement ends before it begins"}
	}
	var days []family.Day
	for at := begin; ; at = at.AddDate(0, 0, 1) {
		y, m, d := at.Date()
		day := family.Day(y*10000 + int(m)*100 + d)
		if day > last {
			return days, nil
		}
		if len(days) == maxStatementDays {
			return nil, &family.Refusal{Code: family.Malformed, Field: "stmt_enddate", Detail: "a statement is of 31 days at most"}
		}
		days = append(days, day)
	}
}

// FileLife is how long a file is kept for its institution.
const FileLife = 7 * 24 * time.Hour

// File is a file exchanged with an institution (9101, 9102), named by the message
// that sent it or asked for it.
type File struct {
	ID   family.MessageID
	Name string
	Body []byte
}

// MaxFile bounds a file, in bytes, so that it fits one record.
const MaxFile = 256 << 10

// PutFile keeps a file for an institution. The same file under the same message is
// kept once, another is refused.
func (a *App) PutFile(ctx context.Context, place family.InstitutionCode, f File) error {
	if len(f.Body) > MaxFile {
		return &family.Refusal{Code: family.TooLarge, Field: "in", Detail: "a file has at most 262144 bytes"}
	}
	fingerprint, err := a.fingerprint("file", f)
	if err != nil {
		return err
	}
	now := a.now()
	_, err = act(ctx, a, func(t *tx) (struct{}, error) {
		key := fileKey(place, f.ID)
		if err := t.read(key); err != nil {
			return struct{}{}, err
		}
		has, found, err := get(t, key)
		switch {
		case err != nil:
			return struct{}{}, err
		case found && has.Fingerprint != fingerprint:
			return struct{}{}, family.Refuse(family.MessageReused)
		case found:
			return struct{}{}, nil
		}
		return struct{}{}, putUntil(t, key, fileRecord{Name: f.Name, Fingerprint: fingerprint, Body: f.Body}, now.Add(FileLife))
	})
	return err
}

// GetFile returns a file to its institution.
func (a *App) GetFile(ctx context.Context, place family.InstitutionCode, id family.MessageID) (File, error) {
	f, found, err := one(ctx, a, fileKey(place, id))
	if err == nil && !found {
		err = &family.Refusal{Code: family.NotFound, Field: "file_qury_no"}
	}
	return File{ID: id, Name: f.Name, Body: f.Body}, err
}
