// Package policy holds the rules of each region, as files, and reads them.
//
// # How a file reads
//
// A file holds the rules of one region of insurance, a city or a province, from
// one day on. It is named after the region: regions/430100.json is Changsha.
//
//	"region", "version"   together the name that every answer quotes: 430100@2026-01
//	"from", "to"          first and last day in force, YYYYMMDD; "to": "" is open
//	"name"                what people call the region, zh and en
//	"consent_age"         from this age a member accepts a binding himself
//	"account_pays_out_of_scope"
//	                      whether a personal account may pay 自费 and what exceeds a ceiling
//	"account"             what personal accounts may pay for: care, pharmacy, registration,
//	                      resident_premium, ltc_premium
//	"links"               亲情账户: how many members one holder may show
//	"qr"                  how long a displayed code can be redeemed
//	"binding"             what is shown of a relation, who consents, who ends it, how long things wait
//	"grants"              家庭共济: who, how many, whose accounts, where, what for, in what order
//	"stays"               whose accounts pay for stays in hospital: "family", "owner" or "nobody"
//	"benefits"            what the fund pays, one entry for each class of persons, and
//	                      others for stays (med_types 21, 2101, 22, 28)
//
// A file may leave out "account", "links", "qr", "his" and "stays": then the default's hold.
//
// A deductible of a stay is paid for each admission; "later_deductible_fen" is what
// who has paid one in the year pays for another. Persons without a benefit for stays
// cannot settle any here: where nobody published one, none is made up.
//
// Money is a whole number of fen and its name ends in _fen: 180000 is 1800 yuan.
// A ratio is text with four decimals: "0.7000" is 70 %. Grades are "3" 三级,
// "2" 二级, "1" 一级, "0" 无等级 (community and village clinics); a grade that is
// not named is not paid. "psn_types": [] is every class of persons, and
// "yearly_cap_fen": 0 is no cap.
//
// # Sources
//
// No rule stands without its source. Every group has "sources" beside its rules,
// and each source names the one rule that it speaks of:
//
//	statute      a law or regulation of the state
//	official     a government document or site, an official specification
//	press        a newspaper, agency or city portal that reports the rule
//	convention   what the trade does without a text that says so
//	our_default  nobody published it, or sources conflict: our choice, with the reason
//
// The text is a short quotation or statement, the url where it was read. A
// source without a url is one whose address is not known.
//
// # Changing a rule
//
// The rule of a past day never changes: refunds are computed by the policy of
// the day of sale. So a new rule is a new version. Close the old file with its
// last day in "to", rename it to <region>@<version>.json (430100@2026-01.json),
// and write the new 430100.json with a new version that begins on the next day.
// Versions of one region follow each other without a gap or an overlap.
//
// The file 000000.json is the default: it rules wherever no file of the city or
// the province is in force, and so it covers every day since [FirstDay].
//
// A wrong file fails the package's tests, and the start of every program.
package policy
