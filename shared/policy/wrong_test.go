package policy

import (
	"io/fs"
	"strings"
	"testing"
)

// edit replaces texts of a file once each: old, new, old, new, …
func edit(t testing.TB, file string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(file, pairs[i]) {
			t.Fatalf("nothing to edit: %s", pairs[i])
		}
		file = strings.Replace(file, pairs[i], pairs[i+1], 1)
	}
	return file
}

// faults are single mutations of Changsha's file, each with the error it earns.
var faults = []struct{ old, new, want string }{
	// The text.
	{`"region"`, `region`, "the file: line 2: invalid character 'r'"},
	{`"zh": "长沙市",`, `"zh": "长沙市"`, "name: line 6: invalid character"},
	{`"长沙市"`, "\"\xff\"", "the text is not UTF-8"},
	{"{\n  \"region\"", "[{\n  \"region\"", "the file: an object is needed, not a list"},

	// The shape.
	{`"max_grantors": 8,`, `"max_grantors": 8, "max_payers": 8,`, "grants.max_payers: unknown field"},
	{`"consent_age": 16,`, `"Consent_Age": 16,`, "Consent_Age: unknown field"},
	{`"max_grantors": 8,`, `"max_grantors": 8, "max_grantors": 8,`, "grants.max_grantors: given twice"},
	{`"max_grantors": 8,`, `"max_grantors": 8, "max\u005fgrantors": 8,`, "grants.max_grantors: given twice"},
	{`{"0": 0, "1": 0, "2": 20000,`, `{"0": 0, "1": 0, "1": 20000,`, "benefits[0].deductible_fen.1: given twice"},
	{`"consent_age": 16,`, ``, "consent_age: missing"},
	{`"to": "",`, ``, "to: missing"},
	{`"order": "filing_order",`, ``, "grants.order: missing"},
	{`"yearly_cap_fen": 150000,`, ``, "benefits[0].yearly_cap_fen: missing"},
	{`, "en": "Changsha"`, ``, "name.en: missing"},
	{`"rule": "consent_age",`, ``, "sources[0].rule: missing"},
	{`"floor_fen": 0,`, `"floor_fen": 0.0,`, "grants.floor_fen: a whole number is needed, not 0.0"},
	{`"yearly_cap_fen": 150000,`, `"yearly_cap_fen": 1.5e5,`, "benefits[0].yearly_cap_fen: a whole number is needed, not 1.5e5"},
	{`"yearly_cap_fen": 150000,`, `"yearly_cap_fen": "150000",`, `benefits[0].yearly_cap_fen: a whole number is needed, not "150000"`},
	{`"2": 20000,`, `"2": 200.00,`, "benefits[0].deductible_fen.2: a whole number is needed, not 200.00"},
	{`"floor_fen": 0,`, `"floor_fen": 99999999999999999999,`, "grants.floor_fen: a whole number is needed"},
	{`"floor_fen": 0,`, `"floor_fen": null,`, "grants.floor_fen: a whole number is needed, not null"},
	{`"2": "0.6000"`, `"2": 0.6`, "benefits[0].ratio.2: text is needed, not 0.6"},
	{`"account_pays_out_of_scope": false`, `"account_pays_out_of_scope": 0`, "account_pays_out_of_scope: true or false is needed, not 0"},
	{`"purposes": ["care", "pharmacy", "premium"]`, `"purposes": "care"`, `grants.purposes: a list is needed, not "care"`},
	{`"links": {`, `"links": [], "l": {`, "links: an object is needed, not a list"},
	{`"from": "20260101"`, `"from": 20260101`, "from: text is needed, not 20260101"},

	// The head.
	{`"430100"`, `"43010"`, "region: a region has 6 digits"},
	{`"430100"`, `"430102"`, "region: 430102 is neither a city nor a province"},
	{`"430100"`, `"430200"`, "region: the file of 430200@2026-01 is named 430200.json"},
	{`"2026-01"`, `""`, "version: 1 to 16 characters"},
	{`"2026-01"`, `"2026/01"`, `version: "2026/01"`},
	{`"from": "20260101"`, `"from": "20260230"`, "from:"},
	{`"from": "20260101"`, `"from": "2026-01-01"`, "from:"},
	{`"to": ""`, `"to": "20261301"`, "to:"},
	{`"to": ""`, `"to": "20251231"`, "effective days: 20260101 to 20251231"},
	{`"长沙市"`, `""`, "name: both languages are needed"},

	// The rules.
	{`"consent_age": 16`, `"consent_age": 0`, "consent_age: 0"},
	{`"max_members": 5`, `"max_members": 0`, "links.max_members: 0"},
	{`"life_seconds": 60`, `"life_seconds": 5`, "qr.life_seconds: 5"},
	{`"life_seconds": 60`, `"life_seconds": 36893488207`, "qr.life_seconds: 36893488207"}, // × 1e9 wraps to 60 s or so
	{`"life_seconds": 60`, `"life_seconds": -60`, "qr.life_seconds: -60"},
	{`"bad_codes_a_minute": 5`, `"bad_codes_a_minute": 0`, "qr.bad_codes_a_minute: 0"},
	{`"bad_codes_a_minute": 5`, `"bad_codes_a_minute": 101`, "qr.bad_codes_a_minute: 101"},
	{`"pause_seconds": 60`, `"pause_seconds": 9`, "qr.pause_seconds: 9s"},
	{`"pause_seconds": 60`, `"pause_seconds": 3601`, "qr.pause_seconds: 1h0m1s"},
	{`"pause_seconds": 60`, `"pause_seconds": 36893488207`, "qr.pause_seconds: 36893488207"},
	{`"pause_seconds": 60`, `"pause_seconds": -60`, "qr.pause_seconds: -60"},
	{`"max_members": 10`, `"max_members": 1000`, "grants.max_members: 1000"},
	{`"max_grantors": 8`, `"max_grantors": 9`, "grants.max_grantors: 9"},
	{`"kins": ["spouse"`, `"kins": ["cousin"`, "grants.kins: [cousin"},
	{`"kins": ["spouse"`, `"kins": ["parent"`, "grants.kins: [parent parent"},
	{`{"spouse": 1`, `{"cousin": 1`, "grants.max_per_kin: cousin"},
	{`{"spouse": 1`, `{"spouse": 0`, "grants.max_per_kin: spouse: 0"},
	{`["310"]`, `["none"]`, "grants.grantor_insutypes: [none]"},
	{`["310"]`, `[]`, "grants.grantor_insutypes: []"},
	{`"insured_scope": "province"`, `"insured_scope": "county"`, `grants.insured_scope: "county"`},
	{`"usable_scope": "province"`, `"usable_scope": ""`, `grants.usable_scope: ""`},
	{`"purposes": ["care"`, `"purposes": ["gym"`, "grants.purposes: [gym"},
	{`"order": "filing_order"`, `"order": "random"`, `grants.order: "random"`},
	{`"accounts": "family"`, `"accounts": "aunts"`, `stays.accounts: "aunts"`},
	{`"rule": "accounts"`, `"rule": "account"`, `stays.sources[0].rule: there is no rule "account" here`},
	{`["21", "2101", "22", "28"]`, `["21", "41"]`, "benefits[3].med_types: [21 41]"},
	{`"later_deductible_fen": {"0": 10000`, `"later_deductible_fen": {"0": 20001`, "benefits[3].later_deductible_fen: 0: 20001"},
	{`"money": "live_balance"`, `"money": "pool"`, `grants.money: "pool"`},
	{`"confirm_seconds": 180`, `"confirm_seconds": 29`, "grants.confirm_seconds: 29s"},
	{`"confirm_seconds": 180`, `"confirm_seconds": 601`, "grants.confirm_seconds: 10m1s"},
	{`"confirm_seconds": 180`, `"confirm_seconds": 36893488207`, "grants.confirm_seconds: 36893488207"},
	{`"confirm_above_fen": {}`, `"confirm_above_fen": {"cousin": 1}`, "grants.confirm_above_fen: cousin"},
	{`"confirm_above_fen": {}`, `"confirm_above_fen": {"spouse": -1}`, "grants.confirm_above_fen: spouse: -1"},
	{`"confirm_above_fen": {}`, `"confirm_above_fen": {"spouse": 1.5}`, "grants.confirm_above_fen.spouse: a whole number"},
	{`"floor_fen": 0`, `"floor_fen": -1`, "grants.floor_fen: -1"},

	// The benefits.
	{`"insutype": "310"`, `"insutype": "510"`, `benefits[0].insutype: "510"`},
	{`"psn_types": ["11"]`, `"psn_types": ["active"]`, `benefits[0].psn_types: "active"`},
	{`"psn_types": ["11"]`, `"psn_types": ["11", "11"]`, `benefits[0].psn_types: "11"`},
	{`"psn_types": ["12"]`, `"psn_types": ["11"]`, "benefits[1].psn_types: benefits[0] is for some of the same persons"},
	{`"psn_types": ["11"]`, `"psn_types": []`, "benefits[1].psn_types: benefits[0] is for some of the same persons"},
	{`["11", "12", "13"]`, `["11", "41"]`, "benefits[0].med_types: [11 41]"},
	{`["11", "12", "13"]`, `["11", "11"]`, "benefits[0].med_types: [11 11]"},
	{`"2": 20000, `, ``, "benefits[0].deductible_fen and ratio: grade 2 is in one of them only"},
	{`"2": "0.6000", `, ``, "benefits[0].deductible_fen and ratio: grade 2 is in one of them only"},
	{`"2": 20000, `, `"2": -1, `, "benefits[0].deductible_fen: 2: -1"},
	{`"2": 20000, `, `"2": 20000, "4": 0, `, "benefits[0].deductible_fen: 4: 0"},
	{`"2": "0.6000", `, `"2": "0.6000", "4": "0.6000", `, "benefits[0].ratio: a grade is none of"},
	{`"2": "0.6000"`, `"2": "0.6"`, `benefits[0].ratio: grade 2: "0.6" has not four decimals`},
	{`"2": "0.6000"`, `"2": "60%"`, "benefits[0].ratio: grade 2:"},
	{`"2": "0.6000"`, `"2": "1.6000"`, "benefits[0].ratio: grade 2:"},
	{`"2": "0.6000"`, `"2": "-0.6000"`, "benefits[0].ratio: grade 2:"},
	{`{"0": 0, "1": 0, "2": 20000, "3": 30000},
      "ratio": {"0": "0.7000", "1": "0.7000", "2": "0.6000", "3": "0.6000"}`, `{}, "ratio": {}`, "benefits[0].ratio: none"},
	{`"yearly_cap_fen": 150000`, `"yearly_cap_fen": -1`, "benefits[0].yearly_cap_fen: -1"},

	// The sources.
	{`"rule": "consent_age"`, `"rule": "account_pays_out_of_scope"`, "consent_age: no source"},
	{`"rule": "benefits"`, `"rule": "consent_age"`, "benefits: no source"},
	{`"rule": "max_members"`, `"rule": "max_member"`, `links.sources[0].rule: there is no rule "max_member" here`},
	{`"rule": "consent_age"`, `"rule": "region"`, `sources[0].rule: there is no rule "region" here`},
	{`"rule": "order"`, `"rule": "money"`, "grants.order: no source"},
	{`"rule": "yearly_cap_fen"`, `"rule": "ratio"`, "benefits[0].yearly_cap_fen: no source"},
	{`"text": "没有找到官方秒数；多数资料称“每分钟刷新”，默认取60秒。"`, `"text": " "`, "qr.sources[0].text: empty"},
	{`"url": "http://m.we54`, `"url": "we54`, "sources[0].url:"},
	{`"kind": "press"`, `"kind": "rumour"`, `sources[0].kind: "rumour" is none of`},
}

func TestWrongFiles(t *testing.T) {
	good := text(t, "430100")
	check := func(file, want string) {
		t.Helper()
		_, err := LoadFS(folder("000000.json", text(t, "000000"), "430100.json", file))
		if err == nil {
			t.Errorf("accepted; want %s", want)
		} else if !strings.Contains(err.Error(), "policy: 430100.json: "+want) {
			t.Errorf("got  %v\nwant policy: 430100.json: %s", err, want)
		}
	}
	for _, f := range faults {
		check(edit(t, good, f.old, f.new), f.want)
	}
	check("", "the file: line 1: the file ends too early")
	check("null", "the file: an object is needed, not null")
	check(good[:len(good)/2], "")
	check(good+"{}", "line ")
	check(good+"}", "line ")
	check(good+good, "line ")
}

// No file is accepted that ends before its end.
func TestTruncatedFiles(t *testing.T) {
	good := strings.TrimSpace(text(t, "000000"))
	for n := 0; n < len(good); n += 7 {
		if _, err := parse([]byte(good[:n])); err == nil {
			t.Fatalf("accepted the first %d of %d bytes", n, len(good))
		}
	}
}

// Files that are right one by one and wrong together.
func TestWrongFolders(t *testing.T) {
	base, city := text(t, "000000"), text(t, "430100")
	closed := edit(t, city, `"to": ""`, `"to": "20260630"`)
	later := edit(t, city, `"2026-01"`, `"2026-07"`, `"20260101"`, `"20260701"`)
	for _, c := range []struct {
		why   string
		files fs.FS
		want  string
	}{
		{"the default is missing", folder("430100.json", city), "policy: 000000.json: the default is missing"},
		{"nothing at all", folder(), "policy: 000000.json: the default is missing"},
		{
			"the default begins late", folder("000000.json", edit(t, base, `"20210101"`, `"20210102"`)),
			"policy: 000000.json: from: the default is needed from 20210101, not 20210102",
		},
		{
			"the default ends", folder("000000.json", edit(t, base, `"to": ""`, `"to": "20991231"`)),
			"policy: 000000.json: to: the default has to stay open",
		},
		{
			"the default has a gap", folder(
				"000000@2021-01.json", edit(t, base, `"to": ""`, `"to": "20251230"`),
				"000000.json", edit(t, base, `"2021-01"`, `"2026-01"`, `"20210101"`, `"20260101"`)),
			"policy: 000000@2026-01: from: 20260101 leaves a gap after 000000@2021-01",
		},
		{
			"the older is still open", folder("000000.json", base, "430100@2026-01.json", city, "430100.json", later),
			"policy: 430100@2026-07: from: 20260701 overlaps 430100@2026-01",
		},
		{
			"they share a day", folder("000000.json", base, "430100@2026-01.json", closed,
				"430100.json", edit(t, later, `"20260701"`, `"20260630"`)),
			"policy: 430100@2026-07: from: 20260630 overlaps 430100@2026-01",
		},
		{"they begin on one day", folder("000000.json", base, "430100@2026-01.json", closed,
			"430100.json", edit(t, later, `"20260701"`, `"20260101"`)), "overlaps 430100@2026-0"},
		{
			"a day lies between", folder("000000.json", base, "430100@2026-01.json", closed,
				"430100.json", edit(t, later, `"20260701"`, `"20260702"`)),
			"policy: 430100@2026-07: from: 20260702 leaves a gap after 430100@2026-01",
		},
		{
			"one ID twice", folder("000000.json", base, "430100@2026-01.json", closed,
				"430100.json", edit(t, later, `"2026-07"`, `"2026-01"`)),
			"policy: 430100@2026-01.json: version: another file is 430100@2026-01",
		},
		{
			"a file of another version's name", folder("000000.json", base, "430100@2026-02.json", city),
			"policy: 430100@2026-02.json: region: the file of 430100@2026-01 is named 430100.json",
		},
		{"a file that is no policy", folder("000000.json", base, "430100.json.bak", city), "policy: 430100.json.bak: region: the file of"},
		{"a folder in the folder", folder("000000.json", base, "old/430100.json", city), "policy: old: "},
	} {
		if _, err := LoadFS(c.files); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got  %v\nwant %s", c.why, err, c.want)
		}
	}
}
