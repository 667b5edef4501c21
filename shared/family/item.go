package family

import (
	"maps"
	"slices"
)

// Class is a catalogue class.
type Class string

// The classes: 甲 in scope whole, 乙 after a share that the person pays first,
// 丙 not in scope (用药管理暂行办法).
const (
	ClassA Class = "A"
	ClassB Class = "B"
	ClassC Class = "C"
)

// Item is one version of a catalogue entry: a drug, a treatment or a consumable
// under its national code.
type Item struct {
	Code     string
	Name     string
	ListType string
	Class    Class
	// SelfPay is what the person pays first of a class B item (先行自付), by
	// insurance; absent is nothing.
	SelfPay map[Insutype]Ratio
	// Ceiling is the highest unit price that counts, by hospital level; a level
	// without one of its own takes its grade's; absent is no ceiling.
	Ceiling map[Level]Fen
	// In holds what a region says otherwise, by city or province of the place:
	// abroad the place's catalogue counts (就医地目录), at home the own.
	In map[Region]Variant
	// Limits say for what and for whom it is paid; nil is for all.
	Limits *Limits
	// Excluded is the category of the negative list under which the item falls,
	// whatever its class: never in scope, and never paid from an account, not even
	// where a region lets accounts pay 自费 (国办发〔2021〕14号). Empty is none.
	Excluded string
	From     Day // first day in force: the version's name
	To       Day // last day in force; 0 is open
}

// Variant is how one region classes an item.
type Variant struct {
	Class   Class
	SelfPay map[Insutype]Ratio
	Ceiling map[Level]Fen
}

// Sex is a person's sex (gend).
type Sex string

// The sexes of the dictionary that an ID number can tell.
const (
	Male   Sex = "1"
	Female Sex = "2"
)

// Limits are for what and for whom an item is paid (限定支付范围). Beyond the first
// group a line is the person's own cost; beyond the second it is refused.
type Limits struct {
	Prescription bool              // 凭处方
	MinAge       int               // completed years
	MaxAge       int               // completed years, the last that is paid; 0 is open
	Sex          Sex               // empty is both
	Grades       []Grade           // of the institution; empty is all
	Kinds        []InstitutionKind // empty is both
	Diagnoses    []string          // how a diagnosis must begin; empty is any

	MaxDays        int      // of supply in one line, where the till tells them; 0 is none
	MaxQuantity    Quantity // of the item in one settlement; 0 is none
	PeriodDays     int      // within so many days, today among them, …
	PeriodQuantity Quantity // … the patient buys no more; 0 is none
}

// Equal tells whether two limits are the same.
func (l *Limits) equal(m *Limits) bool {
	if l == nil || m == nil {
		return l == m
	}
	return l.Prescription == m.Prescription && l.MinAge == m.MinAge && l.MaxAge == m.MaxAge && l.Sex == m.Sex &&
		slices.Equal(l.Grades, m.Grades) && slices.Equal(l.Kinds, m.Kinds) && slices.Equal(l.Diagnoses, m.Diagnoses) &&
		l.MaxDays == m.MaxDays && l.MaxQuantity == m.MaxQuantity && l.PeriodDays == m.PeriodDays && l.PeriodQuantity == m.PeriodQuantity
}

// AsksWho tells whether the item is paid by age or sex, so that who decides has to
// know the patient's.
func (i *Item) AsksWho() bool {
	return i.Limits != nil && (i.Limits.MinAge > 0 || i.Limits.MaxAge > 0 || i.Limits.Sex != "")
}

// PerPeriod tells whether the item counts what the patient bought before.
func (i *Item) PerPeriod() bool { return i.Limits != nil && i.Limits.PeriodQuantity > 0 }

// Equal tells whether two versions say the same.
func (i Item) Equal(j Item) bool {
	return i.Code == j.Code && i.Name == j.Name && i.ListType == j.ListType && i.Class == j.Class &&
		i.From == j.From && i.To == j.To && maps.Equal(i.SelfPay, j.SelfPay) && maps.Equal(i.Ceiling, j.Ceiling) &&
		i.Excluded == j.Excluded && i.Limits.equal(j.Limits) && maps.EqualFunc(i.In, j.In, func(v, w Variant) bool {
		return v.Class == w.Class && maps.Equal(v.SelfPay, w.SelfPay) && maps.Equal(v.Ceiling, w.Ceiling)
	})
}

// IsItemCode tells whether an item can have the code (med_list_codg, 50): printable
// ASCII without spaces, as every national code and local suffix is (domain 4).
func IsItemCode(code string) bool {
	for i := range len(code) {
		if code[i] <= ' ' || code[i] > '~' {
			return false
		}
	}
	return len(code) >= 1 && len(code) <= 50
}

// ItemOn returns the version that is in force on a day, the latest begun if
// several are.
func ItemOn(versions []Item, day Day) (Item, bool) {
	best := -1
	for i, v := range versions {
		if v.From <= day && (v.To == 0 || day <= v.To) && (best < 0 || v.From > versions[best].From) {
			best = i
		}
	}
	if best < 0 {
		return Item{}, false
	}
	return versions[best], true
}

// in returns how the item is classed where a place lies: by its city, else its
// province, else by the item itself.
func (i *Item) in(region Region) Variant {
	if len(i.In) > 0 {
		for _, r := range []Region{region.City(), region.Province()} {
			if v, ok := i.In[r]; ok {
				return v
			}
		}
	}
	return Variant{i.Class, i.SelfPay, i.Ceiling}
}

// ceilingAt returns the ceiling at a level; 0 is none. Price lists name either
// the level (hosp_lv) or only the grade, 1 to 3, of a hospital.
func (v Variant) ceilingAt(level Level) Fen {
	if c, ok := v.Ceiling[level]; ok {
		return c
	}
	return v.Ceiling[Level(level.Grade())]
}
