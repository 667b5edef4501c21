package auditor

import (
	"slices"
	"strings"
	"time"
)

// This file is the auditor's own reading of the catalogue.

// goods prices the lines of a bill into a sale, or says why there is none.
func (v *view) goods(s *settlement, r *Request, me *account, place *Place, rules *Rules, today int) string {
	items := map[string]*Item{}
	if len(r.own) > 0 {
		s.Told = &told{OwnExpense: r.own}
	}
	for _, l := range r.Bill.Lines {
		in := v.inForce(l.Code, today)
		if in == nil {
			return "item_not_covered"
		}
		items[l.Code] = in
		p := in.priced(l, me.Insurance.Insutype, place)
		if p.Ceiling > 0 {
			v.a.Reached("a price above its ceiling")
		}
		if slices.Contains(r.own, l.No) && p.Reason != "never_covered" {
			p.Class, p.SelfPay, p.Ceiling, p.Reason = "C", 0, 0, "item_not_covered"
			v.a.Reached("a line that the place did not approve is one's own cost")
		}
		if in.Limits != nil {
			if s.Told == nil {
				s.Told = &told{}
			}
			if s.Told.Why == nil {
				s.Told.Why = map[int]struct{ Rule string }{}
			}
			if in.perPeriod() && !slices.Contains(s.Told.Counted, l.Code) {
				s.Told.Counted = append(s.Told.Counted, l.Code)
			}
			reason, rule := v.beyond(in.Limits, l.No, r.Need, s.Patient, place, today)
			if reason != "" && p.Class != "C" && p.Reason != "never_covered" {
				p.Reason = reason
				s.Told.Why[l.No] = struct{ Rule string }{rule}
				v.a.Reached("a line is one's own cost: " + reason)
			}
		}
		p.Amounts = p.part(l.Quantity)
		s.Lines, s.Kept = append(s.Lines, p), append(s.Kept, l.Quantity)
	}
	for _, l := range r.Bill.Lines {
		if len(l.Boxes) == 0 && slices.Contains(rules.Traced, items[l.Code].ListType) {
			return "trace_missing"
		}
	}
	for _, l := range r.Bill.Lines {
		for _, box := range l.Boxes {
			if b, known := read[boxRecord](v, boxKey(box)); known && b.SoldBy != "" {
				return "trace_already_sold"
			}
		}
	}
	sum := map[string]int64{}
	for _, l := range r.Bill.Lines {
		limits := items[l.Code].Limits
		if limits == nil {
			continue
		}
		sum[l.Code] += l.Quantity
		tooLong := limits.MaxDays > 0 && r.Need.Prescriptions[l.No].Days > limits.MaxDays
		tooMuch := limits.MaxQuantity > 0 && sum[l.Code] > limits.MaxQuantity
		tooOften := items[l.Code].perPeriod() && v.boughtBefore(s.Patient, l.Code, today, limits.PeriodDays)+sum[l.Code] > limits.PeriodQuantity
		if tooLong || tooMuch || tooOften {
			return "quantity_limit"
		}
	}
	return ""
}

// inForce finds the version of an item that counts on a day.
func (v *view) inForce(code string, today int) *Item {
	var in *Item
	if record, known := read[itemRecord](v, itemKey(code)); known {
		for i, version := range record.Versions {
			if version.From <= today && (version.To == 0 || version.To >= today) && (in == nil || in.From < version.From) {
				in = &record.Versions[i]
			}
		}
	}
	return in
}

// priced is a line with what the catalogue says of it where the place lies.
func (i *Item) priced(l Line, insutype string, place *Place) pricedLine {
	says := Variant{i.Class, i.SelfPay, i.Ceiling}
	for _, region := range []string{place.Region[:2] + "0000", (city(place.Region) + "0100")[:4] + "00"} { // the nearer wins
		if region[:2] == city(place.Region) && region[2:] != "0000" {
			region = region[:2] + "0100"
		}
		if other, has := i.In[region]; has {
			says = other
		}
	}
	p := pricedLine{No: l.No, Code: l.Code, Quantity: l.Quantity, UnitPrice: l.UnitPrice, Amount: l.Amount, TraceCodes: l.Boxes, Class: says.Class, Since: i.From}
	p.Reason = map[string]string{"A": "covered_in_full", "B": "covered_in_part", "C": "item_not_covered"}[says.Class]
	if says.Class == "B" {
		p.SelfPay = says.SelfPay[insutype]
	}
	most, has := says.Ceiling[place.Level]
	if !has {
		most = says.Ceiling[grade(place.Level)]
	}
	if most > 0 && l.UnitPrice > most && says.Class != "C" {
		p.Ceiling, p.Reason = most, "ceiling_reached"
	}
	if i.Excluded != "" {
		p.Reason = "never_covered"
	}
	return p
}

// beyond is the limit beyond which a line lies, if any.
func (v *view) beyond(l *Limits, line int, need Need, patient string, place *Place, today int) (reason, rule string) {
	years, sex := 0, ""
	if l.MinAge > 0 || l.MaxAge > 0 || l.Sex != "" {
		if person, known := read[personRecord](v, personKey(patient)); known {
			years = age(person.Born, today)
			if id := v.a.open(patient, person.Key, "id_no", person.IDNo); len(id) == 18 {
				sex = map[bool]string{true: "1", false: "2"}[(id[16]-'0')%2 == 1]
			}
		}
	}
	fits := func(d string) bool {
		return slices.ContainsFunc(l.Diagnoses, func(begin string) bool { return strings.HasPrefix(d, begin) })
	}
	switch {
	case len(l.Kinds) > 0 && !slices.Contains(l.Kinds, place.Kind):
		return "kind_limited", "limits.institution_kinds"
	case len(l.Grades) > 0 && !slices.Contains(l.Grades, grade(place.Level)):
		return "level_limited", "limits.institution_grades"
	case l.Prescription && need.Prescriptions[line].No == "":
		return "prescription_needed", "limits.prescription"
	case years < l.MinAge, l.MaxAge > 0 && years > l.MaxAge:
		return "age_limited", "limits.age"
	case l.Sex != "" && l.Sex != sex:
		return "sex_limited", "limits.sex"
	case len(l.Diagnoses) > 0 && !slices.ContainsFunc(need.Diagnoses, fits):
		return "indication_limited", "limits.indications"
	}
	return "", ""
}

// daysBefore is a day so many days before another.
func daysBefore(day, days int) int {
	t := time.Date(day/10000, time.Month(day/100%100), day%100, 0, 0, 0, 0, time.UTC).AddDate(0, 0, -days)
	return t.Year()*10000 + int(t.Month())*100 + t.Day()
}

// boughtBefore sums what a patient bought of an item within its period.
func (v *view) boughtBefore(patient, code string, today, days int) (sum int64) {
	if record, known := read[boughtRecord](v, boughtKey(patient, code)); known {
		for _, p := range record.Purchases {
			if p.Day <= today && p.Day > daysBefore(today, days) {
				sum += p.Quantity
			}
		}
	}
	return sum
}

// bought asks for what a sale, or a refund of one, counts of items limited by period.
func (v *view) bought(e effects, s *settlement, t *told) {
	if t == nil {
		return
	}
	for _, code := range t.Counted {
		var sum int64
		for _, l := range s.Lines {
			if l.Code == code {
				sum += l.Quantity
			}
		}
		after := boughtRecord{}
		if record, known := read[boughtRecord](v, boughtKey(s.Patient, code)); known {
			for _, p := range record.Purchases {
				if p.Day > daysBefore(s.Basis.Day, 366) {
					after.Purchases = append(after.Purchases, p)
				}
			}
		}
		at := slices.IndexFunc(after.Purchases, func(p purchase) bool { return p.Ref == s.ID || p.Ref == s.Original })
		switch {
		case at >= 0:
			after.Purchases[at].Quantity = max(0, after.Purchases[at].Quantity+sum)
		case s.Kind == "settlement":
			after.Purchases = append(after.Purchases, purchase{s.Basis.Day, s.ID, sum})
		}
		e[boughtKey(s.Patient, code)] = is("what was bought", after)
		v.a.Reached("a purchase is counted by its period")
	}
}

// guessed asks for a bad code to be counted against its place.
func (v *view) guessed(e effects, r *Request, at time.Time) {
	place, _ := read[Place](v, placeKey(r.Place))
	rules := v.rules(place.Region, day(at))
	was := guesses{}
	if record, known := read[guessesRecord](v, guessesKey(r.Place)); known {
		was = record.Guesses
	}
	is1 := guesses{Paused: was.Paused}
	for _, bad := range was.Bad {
		if at.Sub(bad) < time.Minute {
			is1.Bad = append(is1.Bad, bad)
		}
	}
	is1.Bad = append(is1.Bad, at)
	if len(is1.Bad) >= rules.BadCodes {
		is1 = guesses{Paused: at.Add(rules.BadPause)}
		v.a.Reached("bad codes begin a pause")
	}
	e[guessesKey(r.Place)] = is("the bad codes", guessesRecord{is1})
}

// countedBeside tells whether a bad code whose count's answer was lost was counted by
// another's of the same second, which looks like its own.
func (a *Auditor) countedBeside(t *Trip) bool {
	rec := a.disk.Peek(guessesKey(t.Request.Place))
	if !t.Doubted || !rec.Exists() {
		return false
	}
	a.Reached("two bad codes of a second are counted as one")
	g := shape[guessesRecord](a, rec).Guesses
	return t.At.Before(g.Paused) || slices.ContainsFunc(g.Bad, t.At.Equal)
}
