package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gongji/shared/family"
)

// file is the shape of a policy file; doc.go explains it. A field marked
// `rule:"-"` says what a group is about; every other field of a struct with
// Sources is a rule, and needs one.
type file struct {
	Region  string `json:"region" rule:"-"`
	Version string `json:"version" rule:"-"`
	From    string `json:"from" rule:"-"`
	To      string `json:"to" rule:"-"`
	Name    name   `json:"name" rule:"-"`

	ConsentAge            int      `json:"consent_age"`
	AccountPaysOutOfScope bool     `json:"account_pays_out_of_scope"`
	Sources               []source `json:"sources" rule:"-"`

	// These a file may leave out: then the default's hold, with their sources.
	Account *account `json:"account,omitempty" rule:"-"`
	Links   *links   `json:"links,omitempty" rule:"-"`
	QR      *qr      `json:"qr,omitempty" rule:"-"`
	HIS     *his     `json:"his,omitempty" rule:"-"`

	// Stays are stays in hospital; left out, the default's holds.
	Stays *stays `json:"stays,omitempty" rule:"-"`

	// Traces a file may leave out: then no trace code is asked for.
	Traces *traces `json:"traces,omitempty" rule:"-"`

	Binding binding `json:"binding" rule:"-"`
	Grants  grants  `json:"grants" rule:"-"`
	// Benefits is a rule too: which classes are paid at all, and why no others.
	Benefits []benefit `json:"benefits"`
}

type name struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// account is what personal accounts may pay for at all.
type account struct {
	Pays    []family.Use `json:"pays"`
	Sources []source     `json:"sources" rule:"-"`
}

type links struct {
	MaxMembers int      `json:"max_members"`
	Sources    []source `json:"sources" rule:"-"`
}

type qr struct {
	LifeSeconds     int      `json:"life_seconds"`
	VisitSeconds    int      `json:"visit_seconds"`
	BadCodesAMinute int      `json:"bad_codes_a_minute"`
	PauseSeconds    int      `json:"pause_seconds"`
	Sources         []source `json:"sources" rule:"-"`
}

// his are the conventions of the national interface that regions read differently.
type his struct {
	FundSumIncludesAccount bool     `json:"fund_sum_includes_account"`
	Sources                []source `json:"sources" rule:"-"`
}

// stays says whose accounts pay for stays in hospital.
type stays struct {
	Accounts family.StayPayers `json:"accounts"`
	Sources  []source          `json:"sources" rule:"-"`
}

// binding is how a binding comes about and ends.
type binding struct {
	Evidence       family.Evidence                   `json:"evidence"`
	Papers         map[family.Kin][]family.PaperKind `json:"papers"`
	GuardianPapers []family.PaperKind                `json:"guardian_papers"`
	GrantAtOnce    bool                              `json:"grant_at_once"`
	RequestDays    int                               `json:"request_days"`
	PaperDays      int                               `json:"paper_days"`
	RebindDays     int                               `json:"rebind_days"`
	RaiseDays      int                               `json:"raise_days"`
	EndedBy        []family.Side                     `json:"ended_by"`
	OnMove         family.OnMove                     `json:"on_move"`
	Sources        []source                          `json:"sources" rule:"-"`
}

type grants struct {
	Kins             []family.Kin              `json:"kins"`
	MaxPerKin        map[family.Kin]int        `json:"max_per_kin"`
	MaxMembers       int                       `json:"max_members"`
	MaxMembersEver   int                       `json:"max_members_ever"`
	MaxGrantors      int                       `json:"max_grantors"`
	DualRole         bool                      `json:"dual_role"`
	GrantorInsutypes []family.Insutype         `json:"grantor_insutypes"`
	InsuredScope     family.Scope              `json:"insured_scope"`
	UsableScope      family.Scope              `json:"usable_scope"`
	Purposes         []family.Purpose          `json:"purposes"`
	Order            family.Order              `json:"order"`
	Money            family.Money              `json:"money"`
	FloorFen         family.Fen                `json:"floor_fen"`
	ConfirmAboveFen  map[family.Kin]family.Fen `json:"confirm_above_fen"`
	ConfirmSeconds   int                       `json:"confirm_seconds"`
	Quota            family.QuotaRule          `json:"quota"`
	Beyond           family.Region             `json:"beyond"`
	Sources          []source                  `json:"sources" rule:"-"`
}

type benefit struct {
	Insutype      family.Insutype             `json:"insutype" rule:"-"`
	PsnTypes      []family.PsnType            `json:"psn_types" rule:"-"`
	MedTypes      []family.MedType            `json:"med_types"`
	DeductibleFen map[family.Grade]family.Fen `json:"deductible_fen"`
	// LaterDeductibleFen is of a second and any later stay in the year.
	LaterDeductibleFen map[family.Grade]family.Fen `json:"later_deductible_fen,omitempty"`
	Ratio              map[family.Grade]string     `json:"ratio"`
	YearlyCapFen       family.Fen                  `json:"yearly_cap_fen"`
	DailyCapFen        family.Fen                  `json:"daily_cap_fen,omitempty"`
	VisitCapFen        family.Fen                  `json:"visit_cap_fen,omitempty"`
	Sources            []source                    `json:"sources" rule:"-"`
}

// traces says for which goods trace codes are asked for.
type traces struct {
	ListTypes   []string `json:"list_types"`
	ExemptCodes []string `json:"exempt_codes"`
	Sources     []source `json:"sources" rule:"-"`
}

// source says where a rule comes from.
type source struct {
	Rule string `json:"rule"`
	Text string `json:"text"`
	URL  string `json:"url,omitempty"`
	Kind string `json:"kind"`
}

var sourceKinds = []string{"statute", "official", "press", "convention", "our_default"}

// parse reads a file's text. It accepts exactly the shape of [file] with a
// source for every rule; what the values mean is left to [file.policy].
func parse(data []byte) (*file, error) {
	var f file
	if err := decode(data, &f); err != nil {
		return nil, err
	}
	if err := sourced("", f, f.Sources); err != nil {
		return nil, err
	}
	if f.Account != nil {
		if err := sourced("account.", *f.Account, f.Account.Sources); err != nil {
			return nil, err
		}
	}
	if f.Links != nil {
		if err := sourced("links.", *f.Links, f.Links.Sources); err != nil {
			return nil, err
		}
	}
	if f.QR != nil {
		if err := sourced("qr.", *f.QR, f.QR.Sources); err != nil {
			return nil, err
		}
	}
	if f.HIS != nil {
		if err := sourced("his.", *f.HIS, f.HIS.Sources); err != nil {
			return nil, err
		}
	}
	if f.Stays != nil {
		if err := sourced("stays.", *f.Stays, f.Stays.Sources); err != nil {
			return nil, err
		}
	}
	if f.Traces != nil {
		if err := sourced("traces.", *f.Traces, f.Traces.Sources); err != nil {
			return nil, err
		}
	}
	if err := sourced("binding.", f.Binding, f.Binding.Sources); err != nil {
		return nil, err
	}
	if err := sourced("grants.", f.Grants, f.Grants.Sources); err != nil {
		return nil, err
	}
	for i, b := range f.Benefits {
		if err := sourced(fmt.Sprintf("benefits[%d].", i), b, b.Sources); err != nil {
			return nil, err
		}
	}
	return &f, nil
}

// leavesOut tells whether the file leaves something to the default.
func (f *file) leavesOut() bool {
	return f.Account == nil || f.Links == nil || f.QR == nil || f.HIS == nil || f.Stays == nil
}

// inherit takes over from the default what the file leaves out.
func (f *file) inherit(def *file) error {
	if f.Account == nil {
		f.Account = def.Account
	}
	if f.Links == nil {
		f.Links = def.Links
	}
	if f.QR == nil {
		f.QR = def.QR
	}
	if f.HIS == nil {
		f.HIS = def.HIS
	}
	if f.Stays == nil {
		f.Stays = def.Stays
	}
	if f.leavesOut() {
		return fmt.Errorf("account, links, qr, his, stays: the default has to say them")
	}
	return nil
}

// sourced checks that each rule of a group has a source and each source a rule.
func sourced(at string, group any, sources []source) error {
	rules := rulesOf(group)
	for i, s := range sources {
		switch {
		case !slices.Contains(rules, s.Rule):
			return fmt.Errorf("%ssources[%d].rule: there is no rule %q here", at, i, s.Rule)
		case strings.TrimSpace(s.Text) == "":
			return fmt.Errorf("%ssources[%d].text: empty", at, i)
		case s.URL != "" && !strings.HasPrefix(s.URL, "https://") && !strings.HasPrefix(s.URL, "http://"):
			return fmt.Errorf("%ssources[%d].url: %q is no address", at, i, s.URL)
		case !slices.Contains(sourceKinds, s.Kind):
			return fmt.Errorf("%ssources[%d].kind: %q is none of %v", at, i, s.Kind, sourceKinds)
		}
	}
	for _, rule := range rules {
		if said(group, rule) && !slices.ContainsFunc(sources, func(s source) bool { return s.Rule == rule }) {
			return fmt.Errorf("%s%s: no source", at, rule)
		}
	}
	return nil
}

// policy turns the file into the law's terms and checks what it says.
func (f *file) policy() (*family.Policy, error) {
	region, err := family.ParseRegion(f.Region)
	if err != nil {
		return nil, fmt.Errorf("region: %w", err)
	}
	if region != region.City() && region != region.Province() {
		// Set.For never looks for one.
		return nil, fmt.Errorf("region: %s is neither a city nor a province", region)
	}
	// The version becomes part of answers, links and file names.
	if strings.Trim(f.Version, "0123456789abcdefghijklmnopqrstuvwxyz-") != "" {
		return nil, fmt.Errorf("version: %q has more than digits, small letters and hyphens", f.Version)
	}
	from, err := family.ParseDay(f.From)
	if err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	var to family.Day
	if f.To != "" {
		if to, err = family.ParseDay(f.To); err != nil {
			return nil, fmt.Errorf("to: %w", err)
		}
	}
	for rule, seconds := range map[string]int{"qr.life_seconds": f.QR.LifeSeconds, "qr.visit_seconds": f.QR.VisitSeconds} {
		if seconds < 0 || seconds > 7*24*60*60 { // beyond, the products below could wrap
			return nil, fmt.Errorf("%s: %d", rule, seconds)
		}
	}
	if f.QR.PauseSeconds < 0 || f.QR.PauseSeconds > 24*60*60 {
		return nil, fmt.Errorf("qr.pause_seconds: %d", f.QR.PauseSeconds)
	}
	if f.Grants.ConfirmSeconds < 0 || f.Grants.ConfirmSeconds > 24*60*60 {
		return nil, fmt.Errorf("grants.confirm_seconds: %d", f.Grants.ConfirmSeconds)
	}
	p := &family.Policy{
		Region:                region,
		Version:               f.Version,
		From:                  from,
		To:                    to,
		NameZH:                f.Name.ZH,
		NameEN:                f.Name.EN,
		ConsentAge:            f.ConsentAge,
		MaxLinks:              f.Links.MaxMembers,
		QRLife:                time.Duration(f.QR.LifeSeconds) * time.Second,
		BadCodes:              f.QR.BadCodesAMinute,
		BadCodesPause:         time.Duration(f.QR.PauseSeconds) * time.Second,
		QRVisitLife:           time.Duration(f.QR.VisitSeconds) * time.Second,
		AccountPays:           f.Account.Pays,
		AccountPaysOutOfScope: f.AccountPaysOutOfScope,
		StayPayers:            f.Stays.Accounts,

		FundSumIncludesAccount: f.HIS.FundSumIncludesAccount,
		Binding: family.BindPolicy{
			Evidence:       f.Binding.Evidence,
			Papers:         f.Binding.Papers,
			GuardianPapers: f.Binding.GuardianPapers,
			GrantAtOnce:    f.Binding.GrantAtOnce,
			RequestDays:    f.Binding.RequestDays,
			PaperDays:      f.Binding.PaperDays,
			RebindDays:     f.Binding.RebindDays,
			RaiseDays:      f.Binding.RaiseDays,
			EndedBy:        f.Binding.EndedBy,
			OnMove:         f.Binding.OnMove,
		},
		Grants: family.GrantPolicy{
			Kins:        f.Grants.Kins,
			MaxPerKin:   f.Grants.MaxPerKin,
			MaxMembers:  f.Grants.MaxMembers,
			MaxEver:     f.Grants.MaxMembersEver,
			MaxGrantors: f.Grants.MaxGrantors,
			DualRole:    f.Grants.DualRole,
			Quota:       f.Grants.Quota,
			Beyond:      f.Grants.Beyond,
			Grantors:    f.Grants.GrantorInsutypes,
			Insured:     f.Grants.InsuredScope,
			Usable:      f.Grants.UsableScope,
			Purposes:    f.Grants.Purposes,
			Order:       f.Grants.Order,
			Money:       f.Grants.Money,
			Floor:       f.Grants.FloorFen,

			ConfirmAbove: f.Grants.ConfirmAboveFen,
			ConfirmLife:  time.Duration(f.Grants.ConfirmSeconds) * time.Second,
		},
	}
	if t := f.Traces; t != nil {
		p.Trace = family.TracePolicy{ListTypes: t.ListTypes, Exempt: t.ExemptCodes}
	}
	for i, b := range f.Benefits {
		law, err := b.law()
		if err == nil {
			err = b.unlike(f.Benefits[:i])
		}
		if err != nil {
			return nil, fmt.Errorf("benefits[%d].%w", i, err)
		}
		p.Benefits = append(p.Benefits, law)
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return p, nil
}

// law turns a benefit into the law's terms.
func (b *benefit) law() (family.Benefit, error) {
	ratios := map[family.Grade]family.Ratio{}
	for _, grade := range family.Grades {
		text, paid := b.Ratio[grade]
		if _, ok := b.DeductibleFen[grade]; ok != paid {
			// A forgotten deductible would be none, a forgotten ratio no payment.
			return family.Benefit{}, fmt.Errorf("deductible_fen and ratio: grade %s is in one of them only", grade)
		}
		if !paid {
			continue
		}
		r, err := family.ParseRatio(text)
		if err == nil && r.String() != text {
			err = fmt.Errorf("%q has not four decimals", text)
		}
		if err != nil {
			return family.Benefit{}, fmt.Errorf("ratio: grade %s: %w", grade, err)
		}
		ratios[grade] = r
	}
	if len(ratios) != len(b.Ratio) {
		return family.Benefit{}, fmt.Errorf("ratio: a grade is none of %v", family.Grades)
	}
	for i, psn := range b.PsnTypes {
		if psn == "" || strings.Trim(string(psn), "0123456789") != "" || slices.Contains(b.PsnTypes[:i], psn) {
			return family.Benefit{}, fmt.Errorf("psn_types: %q", psn)
		}
	}
	return family.Benefit{
		Insutype:        b.Insutype,
		PsnTypes:        b.PsnTypes,
		MedTypes:        b.MedTypes,
		Deductible:      b.DeductibleFen,
		LaterDeductible: b.LaterDeductibleFen,
		Ratio:           ratios,
		YearlyCap:       b.YearlyCapFen,
		DailyCap:        b.DailyCapFen,
		VisitCap:        b.VisitCapFen,
	}, nil
}

// unlike checks that nobody falls under this benefit and an earlier one: the law
// takes the first, and the second would be read by nobody.
func (b *benefit) unlike(earlier []benefit) error {
	for i, e := range earlier {
		if b.Insutype == e.Insutype && meet(b.MedTypes, e.MedTypes) &&
			(len(b.PsnTypes) == 0 || len(e.PsnTypes) == 0 || meet(b.PsnTypes, e.PsnTypes)) {
			return fmt.Errorf("psn_types: benefits[%d] is for some of the same persons and visits", i)
		}
	}
	return nil
}

// meet tells whether two lists have something in common.
func meet[T comparable](a, b []T) bool {
	return slices.ContainsFunc(a, func(v T) bool { return slices.Contains(b, v) })
}
