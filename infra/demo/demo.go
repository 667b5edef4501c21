// Package demo holds a small region to try the house with: a family of five in
// Changsha, a couple in Canton, where papers are asked for, a clinic, a hospital and a
// pharmacy, a few goods and some money. Nobody in it exists: no division begins with
// 99, so no ID number here was ever given out. The ages are those of 2026: a girl of
// 8, a boy of 5 and their grandmother of 70.
//
// The files are what the insurer's own systems would feed in, one record to a line
// (application/x-ndjson). Feeding them again changes nothing.
package demo

import _ "embed"

// Feed is one file and the door that takes it.
type Feed struct {
	Path           string
	NameZH, NameEN string // what its records are
	Records        []byte
}

var (
	//go:embed institutions.ndjson
	institutions []byte
	//go:embed catalogue.ndjson
	catalogue []byte
	//go:embed persons.ndjson
	persons []byte
	//go:embed credits.ndjson
	credits []byte
	//go:embed registry.ndjson
	registry []byte
)

// Feeds returns the files in the order in which they are to be fed.
func Feeds() []Feed {
	return []Feed{
		{"/v1/institutions", "定点医药机构", "institutions", institutions},
		{"/v1/catalogue", "目录项目", "catalogue items", catalogue},
		{"/v1/persons", "参保人", "persons", persons},
		{"/v1/credits", "个人账户入账", "payments into accounts", credits},
		{"/v1/registry", "亲属登记", "entries of the civil registry", registry},
	}
}

// The family. Mother and grandmother are employees in work and retired, with
// accounts of their own; the child is insured as a resident and has none.
const (
	Mother      = "DEMO01" // 王芳
	Father      = "DEMO02" // 李强
	Child       = "DEMO03" // 李小雨
	Grandmother = "DEMO04" // 张桂英, the mother's mother
	Son         = "DEMO05" // 李小川, whom no story binds: he is left to whoever tries the pages
)

// The couple in Canton, both employees, and what one has to know of him to bind him.
const (
	CantonWife      = "DEMO06" // 梁敏
	CantonHusband   = "DEMO07" // 何伟
	CantonHusbandID = "999999198411020036"
)

// What one has to know of the son to bind him.
const (
	SonName = "李小川"
	SonID   = "999999202106150052"
)

// The numbers of two insurance cards.
const (
	MotherCard      = "DEMOCARD01"
	GrandmotherCard = "DEMOCARD04"
)

// The institutions: a community clinic, a hospital of level 二甲 and a pharmacy.
const (
	Clinic   = "H43010299001"
	Hospital = "H43010399002"
	Pharmacy = "P43010299003"
)
