// Package catalogue reads the lists of what insurance pays for: drugs, herbal
// pieces, preparations, treatments and consumables under their national codes, as
// JSON and as a spreadsheet's CSV, one record a version of an item.
//
// A record that says something impossible is refused, naming the field. A record
// that is merely odd is taken with a warning that names the rule: a code without the
// shape of its kind (shape.go), and goods whose name is of the negative list
// (negative.json) though the record does not say so.
package catalogue

import (
	"errors"
	"fmt"
	"strconv"

	"gongji/shared/family"
)

// Entry is one version of an item, as the insurer feeds it.
type Entry struct {
	Code     string             `json:"code" minLength:"1" maxLength:"50"`
	Name     string             `json:"name" minLength:"1" maxLength:"300"`
	ListType string             `json:"list_type" maxLength:"6" doc:"101 drugs … 201 services, 301 consumables"`
	Class    string             `json:"class" enum:"A,B,C"`
	SelfPay  map[string]string  `json:"self_pay_ratio,omitempty" nullable:"true" doc:"先行自付 by insutype, four decimals; absent is nothing"`
	Ceiling  map[string]int64   `json:"ceiling_fen,omitempty" nullable:"true" doc:"Highest unit price that counts, by hosp_lv; a level without one of its own takes its grade's (1, 2 or 3); absent is none"`
	From     string             `json:"effective_from"`
	To       string             `json:"effective_to,omitempty" nullable:"true"`
	In       map[string]Variant `json:"in_regions,omitempty" nullable:"true" doc:"What a city or province says otherwise, by the place's region"`
	Limits   *Limits            `json:"limits,omitempty" doc:"For what and for whom it is paid; absent is for all"`
	Excluded string             `json:"excluded,omitempty" nullable:"true" maxLength:"32" doc:"Category of the negative list: never in scope, whatever the class"`
}

// Variant is how one region classes an item.
type Variant struct {
	Class   string            `json:"class" enum:"A,B,C"`
	SelfPay map[string]string `json:"self_pay_ratio,omitempty" nullable:"true"`
	Ceiling map[string]int64  `json:"ceiling_fen,omitempty" nullable:"true"`
}

// Limits are for what and for whom an item is paid. Beyond the first seven a line is
// the person's own cost; beyond the others it is refused.
type Limits struct {
	_ struct{} `nullable:"true"`

	Prescription bool     `json:"prescription,omitempty" doc:"Only on a prescription"`
	MinAge       int      `json:"min_age,omitempty" minimum:"0" maximum:"150" doc:"In completed years"`
	MaxAge       int      `json:"max_age,omitempty" minimum:"0" maximum:"150" doc:"In completed years; 0 is open"`
	Sex          string   `json:"sex,omitempty" enum:",1,2" doc:"1 male, 2 female"`
	Grades       []string `json:"institution_grades,omitempty" nullable:"true" maxItems:"4" doc:"3, 2, 1, 0"`
	Kinds        []string `json:"institution_kinds,omitempty" nullable:"true" maxItems:"2" doc:"hospital, pharmacy"`
	Diagnoses    []string `json:"indications,omitempty" nullable:"true" maxItems:"100" doc:"How a code of ICD-10 must begin"`

	MaxDays        int    `json:"max_days,omitempty" minimum:"0" maximum:"366" doc:"Of supply, in one line"`
	MaxQuantity    string `json:"max_quantity,omitempty" maxLength:"20" doc:"In one settlement"`
	PeriodDays     int    `json:"period_days,omitempty" minimum:"0" maximum:"366"`
	PeriodQuantity string `json:"period_quantity,omitempty" maxLength:"20" doc:"Within period_days, at all institutions together"`
}

// Item reads the entry. Its error is a [family.Refusal] that names the field.
func (e *Entry) Item() (family.Item, error) {
	item := family.Item{Code: e.Code, Name: e.Name, ListType: e.ListType, Excluded: e.Excluded}
	if !family.IsItemCode(e.Code) {
		return item, family.Faulty("code", errors.New("a code has 1 to 50 letters, digits and signs"))
	}
	if e.Name == "" || len(e.Name) > 300*3 {
		return item, family.Faulty("name", errors.New("a name has 1 to 300 characters"))
	}
	if len(e.ListType) > 6 {
		return item, family.Faulty("list_type", errors.New("a list type has at most 6 characters"))
	}
	var err error
	if item.From, err = family.ParseDay(e.From); err != nil {
		return item, family.Faulty("effective_from", err)
	}
	if e.To != "" {
		if item.To, err = family.ParseDay(e.To); err != nil {
			return item, family.Faulty("effective_to", err)
		}
		if item.To < item.From {
			return item, family.Faulty("effective_to", errors.New("it ends before it begins"))
		}
	}
	if e.Excluded != "" && !IsCategory(e.Excluded) {
		return item, family.Faulty("excluded", errors.New("no category of the negative list has this name"))
	}
	v, err := (&Variant{e.Class, e.SelfPay, e.Ceiling}).variant("")
	if err != nil {
		return item, err
	}
	item.Class, item.SelfPay, item.Ceiling = v.Class, v.SelfPay, v.Ceiling
	for region, in := range e.In {
		r, err := family.ParseRegion(region)
		if err == nil && r != r.City() && r != r.Province() {
			err = errors.New("a region is a city or a province")
		}
		if err != nil {
			return item, family.Faulty("in_regions", err)
		}
		if item.In == nil {
			item.In = map[family.Region]family.Variant{}
		}
		if item.In[r], err = in.variant("in_regions." + region + "."); err != nil {
			return item, err
		}
	}
	item.Limits, err = e.Limits.limits()
	return item, err
}

// variant reads how an item is classed; at is the path of its fields.
func (v *Variant) variant(at string) (family.Variant, error) {
	out := family.Variant{Class: family.Class(v.Class)}
	if out.Class != family.ClassA && out.Class != family.ClassB && out.Class != family.ClassC {
		return out, family.Faulty(at+"class", errors.New("a class is A, B or C"))
	}
	for insutype, text := range v.SelfPay {
		if i := family.Insutype(insutype); i != family.Employee && i != family.Resident {
			return out, family.Faulty(at+"self_pay_ratio", errors.New("an insurance is 310 or 390"))
		}
		ratio, err := family.ParseRatio(text)
		if err != nil {
			return out, family.Faulty(at+"self_pay_ratio."+insutype, err)
		}
		if out.SelfPay == nil {
			out.SelfPay = map[family.Insutype]family.Ratio{}
		}
		out.SelfPay[family.Insutype(insutype)] = ratio
	}
	for level, fen := range v.Ceiling {
		if family.Level(level).Grade() == "" {
			return out, family.Faulty(at+"ceiling_fen", errors.New("a level is 1 to 11"))
		}
		if fen < 1 || fen > int64(family.MaxFen) {
			return out, family.Faulty(at+"ceiling_fen."+level, fmt.Errorf("a ceiling is 1 to %d", int64(family.MaxFen)))
		}
		if out.Ceiling == nil {
			out.Ceiling = map[family.Level]family.Fen{}
		}
		out.Ceiling[family.Level(level)] = family.Fen(fen)
	}
	return out, nil
}

// limits reads the limits; nil is none.
func (l *Limits) limits() (*family.Limits, error) {
	if l == nil {
		return nil, nil
	}
	out := family.Limits{Prescription: l.Prescription, MinAge: l.MinAge, MaxAge: l.MaxAge, Sex: family.Sex(l.Sex), MaxDays: l.MaxDays, PeriodDays: l.PeriodDays}
	if l.MinAge < 0 || l.MinAge > 150 || l.MaxAge < 0 || l.MaxAge > 150 || l.MaxAge > 0 && l.MaxAge < l.MinAge {
		return nil, family.Faulty("limits.max_age", errors.New("ages are 0 to 150, the last not before the first"))
	}
	if out.Sex != "" && out.Sex != family.Male && out.Sex != family.Female {
		return nil, family.Faulty("limits.sex", errors.New("a sex is 1 or 2"))
	}
	for i, g := range l.Grades {
		if g != "0" && g != "1" && g != "2" && g != "3" {
			return nil, family.Faulty(fmt.Sprintf("limits.institution_grades[%d]", i), errors.New("a grade is 0 to 3"))
		}
		out.Grades = append(out.Grades, family.Grade(g))
	}
	for i, k := range l.Kinds {
		if kind := family.InstitutionKind(k); kind != family.Hospital && kind != family.Pharmacy {
			return nil, family.Faulty(fmt.Sprintf("limits.institution_kinds[%d]", i), errors.New("a kind is hospital or pharmacy"))
		}
		out.Kinds = append(out.Kinds, family.InstitutionKind(k))
	}
	for i, d := range l.Diagnoses {
		if !family.IsDiagnosis(d) {
			return nil, family.Faulty(fmt.Sprintf("limits.indications[%d]", i), errors.New("a diagnosis begins with a letter and a digit"))
		}
		out.Diagnoses = append(out.Diagnoses, d)
	}
	if l.MaxDays < 0 || l.MaxDays > 366 {
		return nil, family.Faulty("limits.max_days", errors.New("days are 0 to 366"))
	}
	var err error
	if l.MaxQuantity != "" {
		if out.MaxQuantity, err = family.ParseQuantity(l.MaxQuantity); err != nil {
			return nil, family.Faulty("limits.max_quantity", err)
		}
	}
	if l.PeriodQuantity != "" {
		if out.PeriodQuantity, err = family.ParseQuantity(l.PeriodQuantity); err != nil {
			return nil, family.Faulty("limits.period_quantity", err)
		}
	}
	if (l.PeriodDays > 0) != (l.PeriodQuantity != "") || l.PeriodDays < 0 || l.PeriodDays > 366 {
		return nil, family.Faulty("limits.period_days", errors.New("a quantity by period needs its days, 1 to 366, and the days their quantity"))
	}
	return &out, nil
}

// EntryOf writes an item as an entry; EntryOf∘Item is the item again.
func EntryOf(item family.Item) Entry {
	top := variantOf(family.Variant{Class: item.Class, SelfPay: item.SelfPay, Ceiling: item.Ceiling})
	e := Entry{
		Code: item.Code, Name: item.Name, ListType: item.ListType, Class: top.Class, SelfPay: top.SelfPay, Ceiling: top.Ceiling,
		From: item.From.String(), Excluded: item.Excluded,
	}
	if item.To != 0 {
		e.To = item.To.String()
	}
	for region, v := range item.In {
		if e.In == nil {
			e.In = map[string]Variant{}
		}
		e.In[string(region)] = variantOf(v)
	}
	if l := item.Limits; l != nil {
		e.Limits = &Limits{Prescription: l.Prescription, MinAge: l.MinAge, MaxAge: l.MaxAge, Sex: string(l.Sex), Diagnoses: l.Diagnoses, MaxDays: l.MaxDays, PeriodDays: l.PeriodDays}
		for _, g := range l.Grades {
			e.Limits.Grades = append(e.Limits.Grades, string(g))
		}
		for _, k := range l.Kinds {
			e.Limits.Kinds = append(e.Limits.Kinds, string(k))
		}
		if l.MaxQuantity > 0 {
			e.Limits.MaxQuantity = l.MaxQuantity.String()
		}
		if l.PeriodQuantity > 0 {
			e.Limits.PeriodQuantity = l.PeriodQuantity.String()
		}
	}
	return e
}

func variantOf(v family.Variant) Variant {
	out := Variant{Class: string(v.Class)}
	for insutype, ratio := range v.SelfPay {
		if out.SelfPay == nil {
			out.SelfPay = map[string]string{}
		}
		out.SelfPay[string(insutype)] = ratio.String()
	}
	for level, fen := range v.Ceiling {
		if out.Ceiling == nil {
			out.Ceiling = map[string]int64{}
		}
		out.Ceiling[string(level)] = int64(fen)
	}
	return out
}

// Change is one field that an entry says otherwise than the one in force.
type Change struct{ Field, Was, Is string }

// number writes what is not nothing.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
