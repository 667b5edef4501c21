package family

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Insutype is a kind of insurance (insutype).
type Insutype string

// The kinds of insurance that the house knows (SPEC 3.5).
const (
	Employee Insutype = "310"  // 职工基本医疗保险
	Resident Insutype = "390"  // 城乡居民基本医疗保险
	NoCover  Insutype = "none" // 未参保
)

// PsnType is a person class (psn_type), such as "11" in work, "12" retired,
// "1403" pupil.
type PsnType string

// MedType is a kind of visit (med_type).
type MedType string

// The kinds of visit that are offered (SPEC 3.5). Of stays those that are paid by
// the item: what is paid by a fixed price (2102 单病种) needs the prices.
const (
	Outpatient   MedType = "11"   // 普通门诊
	Registration MedType = "12"   // 挂号
	Emergency    MedType = "13"   // 急诊
	PharmacyBuy  MedType = "41"   // 定点药店购药
	Stay         MedType = "21"   // 住院, as the baseline names them all
	OrdinaryStay MedType = "2101" // 普通住院
	InjuryStay   MedType = "22"   // 外伤住院
	DaySurgery   MedType = "28"   // 日间手术
)

// MedTypes lists the kinds of visit that are offered.
var MedTypes = []MedType{Outpatient, Registration, Emergency, PharmacyBuy, Stay, OrdinaryStay, InjuryStay, DaySurgery}

// IsStay tells whether the kind is one of a stay in hospital, which has a benefit of
// its own: its deductible is paid for each admission, and the year's counters of
// outpatient care know nothing of it.
func (m MedType) IsStay() bool {
	return m == Stay || m == OrdinaryStay || m == InjuryStay || m == DaySurgery
}

// StayPayers says whose personal accounts pay for stays in hospital.
type StayPayers string

// Whose accounts pay. The national texts know no exception for stays, and SPEC 2304
// has the fields for both; some regions keep accounts out of them.
const (
	FamilyPaysStays StayPayers = "family" // the patient's, then his relatives'
	OwnerPaysStays  StayPayers = "owner"  // the patient's alone
	NobodyPaysStays StayPayers = "nobody"
)

// Purpose is what a grant may be used for.
type Purpose string

// The purposes (国办发〔2021〕14号, 国办发〔2024〕38号).
const (
	ForCare     Purpose = "care"     // 定点医疗机构就医
	ForPharmacy Purpose = "pharmacy" // 定点零售药店购药
	ForPremium  Purpose = "premium"  // 居民医保、长期护理保险个人缴费
)

// Purposes lists every purpose.
var Purposes = []Purpose{ForCare, ForPharmacy, ForPremium}

// Use is what personal accounts of a region may pay for at all, whoever's need it is.
// A grant's purposes lie within it.
type Use string

// The uses (domain 1.2). Registration fees are told apart because an institution
// settles them by themselves (med_type 12).
const (
	UseCare            Use = "care"             // 门急诊; 住院 too, by StayPayers
	UsePharmacy        Use = "pharmacy"         // 药店购药、医疗器械、医用耗材
	UseRegistration    Use = "registration"     // 挂号
	UseResidentPremium Use = "resident_premium" // 居民医保个人缴费
	UseLTCPremium      Use = "ltc_premium"      // 长期护理保险个人缴费
)

// Uses lists every use.
var Uses = []Use{UseCare, UsePharmacy, UseRegistration, UseResidentPremium, UseLTCPremium}

// useOf returns what an account pays for when it pays a bill of a kind of visit at a
// kind of institution.
func useOf(med MedType, kind InstitutionKind) Use {
	switch {
	case kind == Pharmacy || med == PharmacyBuy:
		return UsePharmacy
	case med == Registration:
		return UseRegistration
	}
	return UseCare
}

// Level is a hospital level (hosp_lv), "1" to "11".
type Level string

// Levels lists every level: 三特 三甲 三乙 三丙 · 二甲 二乙 二丙 · 一甲 一乙 一丙 · 无等级.
var Levels = []Level{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"}

// Grade is the coarse level by which benefits differ: "3" for 三级, "2" for
// 二级, "1" for 一级, "0" for 无等级 (community and village clinics).
type Grade string

// Grades lists every grade.
var Grades = []Grade{"0", "1", "2", "3"}

// Grade returns the grade of a level, or "" for what is no level.
func (l Level) Grade() Grade {
	switch l {
	case "1", "2", "3", "4":
		return "3"
	case "5", "6", "7":
		return "2"
	case "8", "9", "10":
		return "1"
	case "11":
		return "0"
	}
	return ""
}

// Scope is how far two regions may lie apart.
type Scope string

// The scopes.
const (
	SameCity     Scope = "city"
	SameProvince Scope = "province"
	SameNation   Scope = "nation"
)

// Covers tells whether a and b lie together within the scope.
func (s Scope) Covers(a, b Region) bool {
	switch s {
	case SameCity:
		return a.City() == b.City()
	case SameProvince:
		return a.Province() == b.Province()
	}
	return s == SameNation
}

// Order is the rule by which several grantors pay one bill.
type Order string

// The orders (domain 1.2: Beijing in the order of filing, Shenzhen by balance).
const (
	FilingOrder  Order = "filing_order"
	BalanceOrder Order = "balance_desc"
	// ChosenOrder is the order of filing until the beneficiary chooses his own.
	ChosenOrder Order = "user_set"
)

// Money says which part of a grantor's account his grants may draw on.
type Money string

// The money models. Frozen quotas are a matter of the single grant.
const (
	LiveBalance Money = "live_balance"
	PastYears   Money = "past_years" // 历年结余 only (Shanghai, Zhejiang)
)

// Policy holds the rules of one region of insurance from one day on. It is data:
// one file for each region, with the source of every rule beside it.
type Policy struct {
	Region  Region // "000000" is the default of every region without a file
	Version string
	From    Day // first day in force
	To      Day // last day in force; 0 is open
	NameZH  string
	NameEN  string

	// ConsentAge is the age in years from which a member accepts for himself.
	ConsentAge int
	// MaxLinks is how many members one holder may show at once.
	MaxLinks int
	// QRLife is how long a displayed code can be redeemed.
	QRLife time.Duration
	// BadCodes is how many codes that were never issued an institution of the
	// region may send in a minute, and BadCodesPause how long after the last of
	// them no code of it is looked at.
	BadCodes      int
	BadCodesPause time.Duration
	// QRVisitLife is how long a code that an institution decoded serves its visit.
	QRVisitLife time.Duration

	Binding  BindPolicy
	Grants   GrantPolicy
	Benefits []Benefit
	// AccountPays is all that personal accounts of the region may pay for.
	AccountPays []Use
	// AccountPaysOutOfScope lets the account pay 自费 and what exceeds a ceiling.
	AccountPaysOutOfScope bool
	// StayPayers says whose accounts pay for stays: of the patient's region for his
	// own, of a grantor's for the grantor's.
	StayPayers StayPayers
	// FundSumIncludesAccount tells how the platform of this region's institutions
	// sums up fund_pay_sumamt at the national interface: with the personal account
	// (Guangdong) or without (Hunan). It moves no money.
	FundSumIncludesAccount bool
	// Trace says which boxes have to be named by their trace codes.
	Trace TracePolicy
}

// TracePolicy says for which goods a till has to send the trace codes (追溯码) of
// the boxes. Those that it sends are checked whatever the region asks for.
type TracePolicy struct {
	ListTypes []string // of the catalogue (list_type); empty is none
	// Exempt are beginnings of national codes that have no trace codes, such as
	// herbal pieces sold loose.
	Exempt []string
}

// Traces tells whether the boxes of an item have to be named.
func (p *Policy) Traces(i Item) bool {
	return slices.Contains(p.Trace.ListTypes, i.ListType) &&
		!slices.ContainsFunc(p.Trace.Exempt, func(prefix string) bool { return strings.HasPrefix(i.Code, prefix) })
}

// GrantPolicy holds a region's rules of 家庭共济.
type GrantPolicy struct {
	Kins        []Kin       // who may be bound
	MaxPerKin   map[Kin]int // how many of a kind one holder may bind; absent is any
	MaxMembers  int         // grants that one grantor may have given at once
	MaxEver     int         // relatives he may ever have granted to; 0 is any number
	MaxGrantors int         // grantors that one beneficiary may have at once
	Grantors    []Insutype  // whose accounts may be shared
	Insured     Scope       // how far apart grantor and beneficiary may be insured
	Usable      Scope       // how far from the grantor's region care may be paid
	Purposes    []Purpose
	Order       Order
	Money       Money
	// ConfirmAbove is, by what the patient is to the grantor, up to what amount the
	// grantor's account pays in one settlement without asking him; a kind that is
	// absent is never asked about.
	ConfirmAbove map[Kin]Fen
	// ConfirmLife is how long a settlement of the region waits for his word.
	ConfirmLife time.Duration
	Floor       Fen // balance below which nothing is shared (Fujian: 2000 yuan)
	// DualRole lets a grantor have grantors himself.
	DualRole bool
	Quota    QuotaRule
	// Beyond is the region whose file rules grants to relatives who are insured
	// farther away than Insured; empty where none are given.
	Beyond Region
}

// Benefit is the fund's share for one class of persons.
type Benefit struct {
	Insutype Insutype
	PsnTypes []PsnType // empty is every class
	MedTypes []MedType
	// Deductible is what the person pays first in a year, by grade; what was
	// paid at one grade counts at every other. For stays it is paid anew for each.
	Deductible map[Grade]Fen
	// LaterDeductible is what he pays first of a stay if he has paid a deductible
	// for another one in the year; a grade without one asks for the full.
	LaterDeductible map[Grade]Fen
	// Ratio is the fund's share after that; a grade without one is not paid.
	Ratio map[Grade]Ratio
	// YearlyCap, DailyCap and VisitCap are the most the fund pays in a year, on a day
	// and for one settlement; 0 is no cap.
	YearlyCap, DailyCap, VisitCap Fen
}

// Pays tells whether personal accounts of the region may pay for a use.
func (p *Policy) Pays(u Use) bool { return slices.Contains(p.AccountPays, u) }

// ID names the policy in answers, such as "430100@2026-01".
func (p *Policy) ID() string { return string(p.Region) + "@" + p.Version }

// Benefit returns the benefit of a class of persons for a kind of visit.
func (p *Policy) Benefit(i Insutype, psn PsnType, med MedType) (Benefit, bool) {
	for _, b := range p.Benefits {
		if b.Insutype == i && slices.Contains(b.MedTypes, med) &&
			(len(b.PsnTypes) == 0 || slices.Contains(b.PsnTypes, psn)) {
			return b, true
		}
	}
	return Benefit{}, false
}

// Bounds of what a policy may allow, so that the largest settlement still fits
// one commit: its message, the QR token, the patient's account and entry, an
// account and an entry for each grantor, and a record for each box.
const (
	MaxGrantors   = 8
	MaxTraceCodes = 80
	MaxMembers    = 20
)

// Validate reports the first fault of the policy, naming the rule.
func (p *Policy) Validate() error {
	g := p.Grants
	switch {
	case len(p.Region) != 6 || !digits(string(p.Region)):
		return fmt.Errorf("region: %q has not 6 digits", p.Region)
	case p.Version == "" || len(p.Version) > 16:
		return fmt.Errorf("version: 1 to 16 characters")
	case p.NameZH == "" || p.NameEN == "":
		return fmt.Errorf("name: both languages are needed")
	case p.From == 0 || p.To != 0 && p.To < p.From:
		return fmt.Errorf("effective days: %s to %s", p.From, p.To)
	case p.ConsentAge < 1 || p.ConsentAge > 18:
		return fmt.Errorf("consent_age: %d is not in 1..18", p.ConsentAge)
	case p.MaxLinks < 1 || p.MaxLinks > MaxMembers:
		return fmt.Errorf("links.max_members: %d is not in 1..%d", p.MaxLinks, MaxMembers)
	case p.QRLife < 10*time.Second || p.QRLife > 10*time.Minute || p.QRLife%time.Second != 0:
		return fmt.Errorf("qr.life_seconds: %v is not in 10..600", p.QRLife)
	case p.BadCodes < 1 || p.BadCodes > 100:
		return fmt.Errorf("qr.bad_codes_a_minute: %d is not in 1..100", p.BadCodes)
	case p.BadCodesPause < 10*time.Second || p.BadCodesPause > 60*time.Minute || p.BadCodesPause%time.Second != 0:
		return fmt.Errorf("qr.pause_seconds: %v is not in 10..3600", p.BadCodesPause)
	case p.QRVisitLife < p.QRLife || p.QRVisitLife > 72*60*time.Minute || p.QRVisitLife%time.Second != 0:
		return fmt.Errorf("qr.visit_seconds: %v is not in %d..259200", p.QRVisitLife, p.QRLife/time.Second)
	case !knownAll(p.AccountPays, Uses):
		return fmt.Errorf("account.pays: %v", p.AccountPays)
	case g.MaxMembers < 1 || g.MaxMembers > MaxMembers:
		return fmt.Errorf("grants.max_members: %d is not in 1..%d", g.MaxMembers, MaxMembers)
	case g.MaxGrantors < 1 || g.MaxGrantors > MaxGrantors:
		return fmt.Errorf("grants.max_grantors: %d is not in 1..%d", g.MaxGrantors, MaxGrantors)
	case g.MaxEver != 0 && (g.MaxEver < g.MaxMembers || g.MaxEver > MaxEver):
		return fmt.Errorf("grants.max_members_ever: %d is not in %d..%d", g.MaxEver, g.MaxMembers, MaxEver)
	case !slices.Contains([]QuotaRule{QuotaMay, QuotaMust, QuotaNever}, g.Quota):
		return fmt.Errorf("grants.quota: %q", g.Quota)
	case g.Beyond != "" && (len(g.Beyond) != 6 || !digits(string(g.Beyond)) || g.Insured == SameNation):
		return fmt.Errorf("grants.beyond: %q", g.Beyond)
	case g.Floor < 0 || g.Floor > MaxFen:
		return fmt.Errorf("grants.floor_fen: %d", g.Floor)
	case !knownAll(g.Kins, Kins):
		return fmt.Errorf("grants.kins: %v", g.Kins)
	case !knownAll(g.Grantors, []Insutype{Employee, Resident}):
		return fmt.Errorf("grants.grantor_insutypes: %v", g.Grantors)
	case !knownAll(g.Purposes, Purposes):
		return fmt.Errorf("grants.purposes: %v", g.Purposes)
	case !slices.Contains([]Scope{SameCity, SameProvince, SameNation}, g.Insured):
		return fmt.Errorf("grants.insured_scope: %q", g.Insured)
	case !slices.Contains([]Scope{SameCity, SameProvince, SameNation}, g.Usable):
		return fmt.Errorf("grants.usable_scope: %q", g.Usable)
	case !slices.Contains([]Order{FilingOrder, BalanceOrder, ChosenOrder}, g.Order):
		return fmt.Errorf("grants.order: %q", g.Order)
	case !slices.Contains([]Money{LiveBalance, PastYears}, g.Money):
		return fmt.Errorf("grants.money: %q", g.Money)
	case !slices.Contains([]StayPayers{FamilyPaysStays, OwnerPaysStays, NobodyPaysStays}, p.StayPayers):
		return fmt.Errorf("stays.accounts: %q", p.StayPayers)
	}
	if err := p.Binding.validate(); err != nil {
		return fmt.Errorf("binding.%w", err)
	}
	if g.ConfirmLife < 30*time.Second || g.ConfirmLife > 10*time.Minute || g.ConfirmLife%time.Second != 0 {
		return fmt.Errorf("grants.confirm_seconds: %v is not in 30..600", g.ConfirmLife)
	}
	for kin, tier := range g.ConfirmAbove {
		if !slices.Contains(Kins, kin) || tier < 0 || tier > MaxFen {
			return fmt.Errorf("grants.confirm_above_fen: %s: %d", kin, tier)
		}
	}
	for kin, n := range g.MaxPerKin {
		if !slices.Contains(Kins, kin) || n < 1 {
			return fmt.Errorf("grants.max_per_kin: %s: %d", kin, n)
		}
	}
	for i, b := range p.Benefits {
		if err := b.validate(); err != nil {
			return fmt.Errorf("benefits[%d].%w", i, err)
		}
	}
	return nil
}

func (b *Benefit) validate() error {
	if b.Insutype != Employee && b.Insutype != Resident {
		return fmt.Errorf("insutype: %q", b.Insutype)
	}
	if !knownAll(b.MedTypes, MedTypes) || slices.Contains(b.MedTypes, PharmacyBuy) {
		return fmt.Errorf("med_types: %v", b.MedTypes)
	}
	stays := b.MedTypes[0].IsStay()
	if slices.ContainsFunc(b.MedTypes, func(m MedType) bool { return m.IsStay() != stays }) {
		return fmt.Errorf("med_types: %v: stays have a benefit of their own", b.MedTypes)
	}
	for grade, d := range b.LaterDeductible {
		if first, paid := b.Deductible[grade]; !stays || !paid || d < 0 || d > first {
			return fmt.Errorf("later_deductible_fen: %s: %d", grade, d)
		}
	}
	for grade, d := range b.Deductible {
		if !slices.Contains(Grades, grade) || d < 0 || d > MaxFen {
			return fmt.Errorf("deductible_fen: %s: %d", grade, d)
		}
	}
	if len(b.Ratio) == 0 {
		return fmt.Errorf("ratio: none")
	}
	for grade, r := range b.Ratio {
		if !slices.Contains(Grades, grade) || r < 0 || r > Whole {
			return fmt.Errorf("ratio: %s: %d", grade, r)
		}
	}
	for rule, cap := range map[string]Fen{"yearly_cap_fen": b.YearlyCap, "daily_cap_fen": b.DailyCap, "visit_cap_fen": b.VisitCap} {
		if cap < 0 || cap > MaxFen {
			return fmt.Errorf("%s: %d", rule, cap)
		}
	}
	return nil
}

// knownAll tells whether list is not empty, has nothing twice and only what is known.
func knownAll[T comparable](list, known []T) bool {
	for i, v := range list {
		if !slices.Contains(known, v) || slices.Contains(list[:i], v) {
			return false
		}
	}
	return len(list) > 0
}
