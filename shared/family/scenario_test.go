package family_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/policy"
)

// TestScenarios plays every scenario of testdata. README.md there explains how a
// scenario reads.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := play(file, string(text)); err != nil {
				t.Error(err)
			}
		})
	}
}

// statement is a line of a scenario with the indented lines under it.
type statement struct {
	line    int
	words   []string
	details []statement
}

// misfit is what goes wrong in a scenario, thrown from wherever it is found.
type misfit struct {
	line int
	what string
}

// play plays a scenario. Its error begins with file:line.
func play(file, text string) error {
	set, err := policy.Load()
	if err != nil {
		return err
	}
	return playUnder(set, nil, file, text)
}

// playUnder plays a scenario under the policies of a set, of which one may be another;
// nil is none.
func playUnder(set *policy.Set, other *family.Policy, file, text string) (err error) {
	defer func() {
		switch thrown := recover().(type) {
		case nil:
		case misfit:
			err = fmt.Errorf("%s:%d: %s", file, thrown.line, thrown.what)
		default:
			panic(thrown)
		}
	}()
	s := &stage{
		set:      set,
		other:    other,
		invented: map[family.Region]*family.Policy{},
		bindings: map[[2]string]family.BindingID{},
		sales:    map[string]family.MessageID{},
		codes:    map[string]*family.QRToken{},
	}
	s.town = newTown(at(2026, 3, 10, 10, 0), s.rules)
	statements := readScenario(text)
	if len(statements) == 0 {
		throw(1, "an empty scenario")
	}
	for _, st := range statements {
		s.do(st)
		for _, fault := range s.town.prove() {
			throw(st.line, "the books do not prove: %s %d %s: %s", fault.Account, fault.Seq, fault.Ref, fault.What)
		}
	}
	if !s.expected {
		throw(statements[len(statements)-1].line, "the scenario expects nothing")
	}
	return nil
}

func throw(line int, what string, args ...any) { panic(misfit{line, fmt.Sprintf(what, args...)}) }

// readScenario splits a text into statements. What follows # is a remark.
func readScenario(text string) []statement {
	var statements []statement
	for i, raw := range strings.Split(text, "\n") {
		body, _, _ := strings.Cut(raw, "#")
		words := strings.Fields(body)
		if len(words) == 0 {
			continue
		}
		st := statement{line: i + 1, words: words}
		if body[0] != ' ' && body[0] != '\t' {
			statements = append(statements, st)
			continue
		}
		if len(statements) == 0 {
			throw(st.line, "an indented line under nothing")
		}
		last := &statements[len(statements)-1]
		last.details = append(last.details, st)
	}
	return statements
}

// words reads the words of one line, each exactly once.
type words struct {
	line int
	rest []string
}

// next returns the next word.
func (w *words) next(what string) string {
	if len(w.rest) == 0 {
		throw(w.line, "%s is missing", what)
	}
	word := w.rest[0]
	w.rest = w.rest[1:]
	return word
}

// has reads a word if it is the next one.
func (w *words) has(word string) bool {
	if len(w.rest) == 0 || w.rest[0] != word {
		return false
	}
	w.rest = w.rest[1:]
	return true
}

// must reads a word that has to be the next one.
func (w *words) must(word string) {
	if !w.has(word) {
		throw(w.line, "expected %q before %q", word, strings.Join(w.rest, " "))
	}
}

// done fails if words are left.
func (w *words) done() {
	if len(w.rest) > 0 {
		throw(w.line, "what is %q?", strings.Join(w.rest, " "))
	}
}

// read reads the next word with a parser of the law.
func read[T any](w *words, what string, parse func(string) (T, error)) T {
	word := w.next(what)
	v, err := parse(word)
	if err != nil {
		throw(w.line, "%s: %v", what, err)
	}
	return v
}

func (w *words) yuan() family.Fen { return read(w, "an amount in yuan", family.ParseYuan) }

func (w *words) number(what string) int { return read(w, what, strconv.Atoi) }

// oneOf reads a word that has to be one of a list.
func oneOf[T ~string](w *words, what string, known []T) T {
	word := T(w.next(what))
	if !slices.Contains(known, word) {
		throw(w.line, "%s: %q is none of %v", what, word, known)
	}
	return word
}

// stage is a town in which a scenario is played.
type stage struct {
	town     *town
	set      *policy.Set
	other    *family.Policy // stands in the place of the set's of the same ID
	region   family.Region  // of persons who name none
	invented map[family.Region]*family.Policy
	bindings map[[2]string]family.BindingID
	sales    map[string]family.MessageID
	codes    map[string]*family.QRToken
	bill     *family.Case // the bill on the table: patient, place, token and lines
	expected bool         // something was expected and met
}

// rules returns the policy of a region: an invented one, else the file's.
func (s *stage) rules(r family.Region, day family.Day) *family.Policy {
	if p := s.invented[r.City()]; p != nil {
		return p
	}
	return s.filed(r, day)
}

// filed returns the policy of a region's file.
func (s *stage) filed(r family.Region, day family.Day) *family.Policy {
	p := s.set.For(r, day)
	if s.other != nil && p.ID() == s.other.ID() {
		return s.other
	}
	return p
}

// do carries out one statement.
func (s *stage) do(st statement) {
	w := &words{line: st.line, rest: st.words}
	verb := w.next("a statement")
	took := false // the details
	var refusal *family.Refusal
	switch verb {
	case "policy":
		took = s.policy(w, st)
	case "day":
		day := read(w, "a day", family.ParseDay)
		clock := "10:00"
		if len(w.rest) > 0 {
			clock = w.next("a time of day")
		}
		now, err := time.ParseInLocation("20060102 15:04", day.String()+" "+clock, shanghai)
		if err != nil {
			throw(st.line, "%v", err)
		}
		s.town.now = now
	case "wait":
		s.town.now = s.town.now.Add(read(w, "how long", time.ParseDuration))
	case "institution":
		s.institution(w)
	case "suspend":
		code := read(w, "an institution", family.ParseInstitutionCode)
		place, ok := s.town.places[code]
		if !ok {
			throw(st.line, "there is no institution %s", code)
		}
		place.Designated = false
		s.town.places[code] = place
	case "person":
		s.person(w)
	case "insurance":
		p := s.who(w)
		account := s.town.accounts[p]
		if w.has("is") {
			account.Insurance.Insutype = oneOf(w, "an insurance", []family.Insutype{family.Employee, family.Resident, family.NoCover})
			account.Insurance.PsnType = family.PsnType(w.next("a person class"))
		} else if w.has("region") {
			account.Insurance.Region = family.Region(w.next("a region"))
		} else {
			account.Insurance.Active = oneOf(w, "what became of it", []string{"active", "stopped"}) == "active"
		}
		s.town.accounts[p] = account
	case "freeze", "unfreeze":
		p := s.who(w)
		account := s.town.accounts[p]
		account.Frozen = verb == "freeze"
		s.town.accounts[p] = account
	case "credit":
		p, amount := s.who(w), w.yuan()
		if w.has("past") {
			s.town.credit(p, family.Pockets{Past: amount})
		} else {
			s.town.credit(p, family.Pockets{Current: amount})
		}
	case "turn":
		s.town.turn(s.who(w))
	case "item":
		s.item(w)
	case "grant", "link":
		refusal = s.bind(w, verb)
	case "approve", "reject":
		refusal = s.review(w, verb)
	case "terms", "stop", "pause", "resume", "hide", "unhide", "end":
		refusal = s.change(w, verb)
	case "registry":
		s.town.registry = oneOf(w, "an answer", []family.RegistryAnswer{family.Match, family.NoMatch, family.CannotSay})
	case "sweep":
		s.town.sweep()
	case "order":
		p := s.who(w)
		var order []family.BindingID
		for len(w.rest) > 0 {
			order = append(order, s.binding(w, s.who(w), p))
		}
		var account family.Account
		if account, refusal = family.ChooseOrder(s.town.accounts[p], order, s.town.policyOf(p)); refusal == nil {
			s.town.accounts[p] = account
		}
	case "show":
		refusal = s.show(w)
	case "owes":
		premium := family.Premium{Person: s.who(w)}
		premium.Kind = family.PremiumKind(w.next("a kind of premium"))
		premium.Year, premium.Amount = w.number("a year"), w.yuan()
		w.must("from")
		premium.From = read(w, "a day", family.ParseDay)
		w.must("to")
		premium.To = read(w, "a day", family.ParseDay)
		refusal = s.town.owe(premium)
	case "premium":
		payer, binding := s.who(w), family.BindingID("")
		owner := payer
		if w.has("->") {
			owner = s.who(w)
			binding = s.binding(w, payer, owner)
		}
		refusal = s.town.payPremium(payer, binding, s.premium(w, owner))
	case "refund-premium":
		refusal = s.town.refundPremium(s.premium(w, s.who(w)))
	case "bill":
		s.putBill(w, st)
		took = true
	case "check":
		if len(st.details) == 0 {
			throw(st.line, "checks nothing")
		}
	case "quote", "settle", "reverse", "refund":
		var done family.Settlement
		done, refusal = s.act(verb, w)
		w.done()
		if len(st.details) == 0 {
			throw(st.line, "nothing is expected of it")
		}
		s.expect(st, &done, refusal)
		return
	default:
		throw(st.line, "what is %q?", verb)
	}
	w.done()
	if !took {
		s.expect(st, nil, refusal)
	}
}

// policy lays down which region's rules are played: the file's, or invented ones
// that differ from the national default where the details say so.
func (s *stage) policy(w *words, st statement) bool {
	s.region = read(w, "a region", family.ParseRegion)
	if !w.has("invented") {
		if p := s.set.For(s.region, family.DayOf(s.town.now)); p.Region != s.region {
			throw(st.line, "no file has the rules of %s; it may be invented", s.region)
		}
		return false
	}
	p := *s.filed(policy.Default, family.DayOf(s.town.now))
	p.Region, p.Version, p.NameZH, p.NameEN = s.region, "invented", "虚构", "invented"
	for _, d := range st.details {
		w := &words{line: d.line, rest: d.words}
		switch rule := w.next("a rule"); rule {
		case "floor":
			p.Grants.Floor = w.yuan()
		case "money":
			p.Grants.Money = family.Money(w.next("a money model"))
		case "order":
			p.Grants.Order = family.Order(w.next("an order"))
		case "usable":
			p.Grants.Usable = family.Scope(w.next("a scope"))
		case "insured":
			p.Grants.Insured = family.Scope(w.next("a scope"))
		case "max_grantors":
			p.Grants.MaxGrantors = w.number("a number")
		case "max_members":
			p.Grants.MaxMembers = w.number("a number")
		case "max_members_ever":
			p.Grants.MaxEver = w.number("a number")
		case "rebind_days":
			p.Binding.RebindDays = w.number("days")
		case "raise_days":
			p.Binding.RaiseDays = w.number("days")
		case "one_role":
			p.Grants.DualRole = false
		case "account_pays_out_of_scope":
			p.AccountPaysOutOfScope = true
		case "stays":
			p.StayPayers = family.StayPayers(w.next("whose accounts"))
		case "account_pays":
			p.AccountPays = nil
			for _, u := range strings.Split(w.next("uses"), ",") {
				p.AccountPays = append(p.AccountPays, family.Use(u))
			}
		case "traces":
			p.Trace.ListTypes = strings.Split(w.next("list types"), ",")
			if w.has("but") {
				p.Trace.Exempt = strings.Split(w.next("beginnings of codes"), ",")
			}
		case "benefit":
			b := family.Benefit{Insutype: family.Insutype(w.next("an insurance")), MedTypes: []family.MedType{family.Outpatient}}
			if w.has("stays") {
				b.MedTypes = []family.MedType{family.Stay, family.OrdinaryStay}
			}
			w.must("deductible")
			deductible := w.yuan()
			if w.has("later") {
				later := w.yuan()
				b.LaterDeductible = map[family.Grade]family.Fen{"0": later, "1": later, "2": later, "3": later}
			}
			w.must("ratio")
			ratio := read(w, "a ratio", family.ParseRatio)
			b.Deductible, b.Ratio = map[family.Grade]family.Fen{}, map[family.Grade]family.Ratio{}
			for _, g := range family.Grades {
				b.Deductible[g], b.Ratio[g] = deductible, ratio
			}
			if w.has("cap") {
				b.YearlyCap = w.yuan()
			}
			if w.has("daily") {
				b.DailyCap = w.yuan()
			}
			if w.has("visit") {
				b.VisitCap = w.yuan()
			}
			p.Benefits = append(p.Benefits, b)
		default:
			throw(d.line, "there is no rule %q", rule)
		}
		w.done()
	}
	if err := p.Validate(); err != nil {
		throw(st.line, "%v", err)
	}
	s.invented[s.region.City()] = &p
	return true
}

func (s *stage) institution(w *words) {
	place := family.Place{Code: read(w, "an institution", family.ParseInstitutionCode), Designated: true}
	place.Kind = oneOf(w, "a kind", []family.InstitutionKind{family.Hospital, family.Pharmacy})
	if place.Kind == family.Hospital {
		w.must("level")
		place.Level = oneOf(w, "a level", family.Levels)
	}
	w.must("region")
	place.Region = read(w, "a region", family.ParseRegion)
	s.town.places[place.Code] = place
}

func (s *stage) person(w *words) {
	p := family.PersonNo(w.next("a name"))
	if _, known := s.town.accounts[p]; known {
		throw(w.line, "%s is here already", p)
	}
	w.must("insutype")
	i := family.Insurance{Insutype: oneOf(w, "an insurance", []family.Insutype{family.Employee, family.Resident, family.NoCover}), Active: true, Region: s.region}
	w.must("psn_type")
	i.PsnType = family.PsnType(w.next("a person class"))
	if w.has("region") {
		i.Region = read(w, "a region", family.ParseRegion)
	}
	if i.Region == "" {
		throw(w.line, "%s needs a region, or a policy before", p)
	}
	born := family.Day(19800101)
	if w.has("born") {
		born = read(w, "a birthday", family.ParseDay)
	}
	s.town.enrol(p, born, i)
	if w.has("sex") {
		s.town.sex[p] = oneOf(w, "a sex", []family.Sex{family.Male, family.Female})
	}
	if w.has("balance") {
		s.town.credit(p, family.Pockets{Current: w.yuan()})
	}
	if w.has("past") {
		s.town.credit(p, family.Pockets{Past: w.yuan()})
	}
}

// who reads the name of a person who is here.
func (s *stage) who(w *words) family.PersonNo {
	p := family.PersonNo(w.next("a name"))
	if _, known := s.town.accounts[p]; !known {
		throw(w.line, "nobody is called %q", p)
	}
	return p
}

// two reads "A -> B".
func (s *stage) two(w *words) (a, b family.PersonNo) {
	a = s.who(w)
	w.must("->")
	return a, s.who(w)
}

// binding returns the latest binding of two persons.
func (s *stage) binding(w *words, holder, member family.PersonNo) family.BindingID {
	id, ok := s.bindings[[2]string{string(holder), string(member)}]
	if !ok {
		throw(w.line, "%s never bound %s", holder, member)
	}
	return id
}

func (s *stage) item(w *words) {
	item := family.Item{Code: w.next("a code"), From: policy.FirstDay}
	item.Class = oneOf(w, "a class", []family.Class{family.ClassA, family.ClassB, family.ClassC})
	if item.Class == family.ClassB {
		ratio := read(w, "the share paid first", family.ParseRatio)
		item.SelfPay = map[family.Insutype]family.Ratio{family.Employee: ratio, family.Resident: ratio}
	}
	if w.has("ceiling") {
		item.Ceiling = map[family.Level]family.Fen{}
		ceiling := w.yuan()
		for _, level := range family.Levels {
			item.Ceiling[level] = ceiling
		}
	}
	if w.has("list") {
		item.ListType = w.next("a list type")
	}
	if w.has("excluded") {
		item.Excluded = w.next("a category of the negative list")
	}
	if w.has("only") {
		item.Limits = limits(w)
	}
	s.town.items[item.Code] = item
}

// limits reads for what and for whom an item is paid.
func limits(w *words) *family.Limits {
	l := &family.Limits{}
	for len(w.rest) > 0 {
		switch what := w.next("a limit"); what {
		case "prescription":
			l.Prescription = true
		case "ages":
			l.MinAge = w.number("the first age")
			w.must("to")
			l.MaxAge = w.number("the last age")
		case "sex":
			l.Sex = oneOf(w, "a sex", []family.Sex{family.Male, family.Female})
		case "grades":
			for _, g := range strings.Split(w.next("grades"), ",") {
				l.Grades = append(l.Grades, family.Grade(g))
			}
		case "kind":
			l.Kinds = []family.InstitutionKind{oneOf(w, "a kind", []family.InstitutionKind{family.Hospital, family.Pharmacy})}
		case "diagnoses":
			l.Diagnoses = strings.Split(w.next("diagnoses"), ",")
		case "days":
			l.MaxDays = w.number("days")
		case "each":
			l.MaxQuantity = read(w, "a quantity", family.ParseQuantity)
		case "period":
			l.PeriodQuantity = read(w, "a quantity", family.ParseQuantity)
			w.must("in")
			l.PeriodDays = w.number("days")
			w.must("days")
		default:
			throw(w.line, "there is no limit %q", what)
		}
	}
	return l
}

// terms reads the terms of a grant.
func terms(w *words) *family.Terms {
	t := &family.Terms{}
	for _, p := range strings.Split(w.next("purposes"), ",") {
		if !slices.Contains(family.Purposes, family.Purpose(p)) {
			throw(w.line, "there is no purpose %q", p)
		}
		t.Purposes = append(t.Purposes, family.Purpose(p))
	}
	for {
		switch {
		case w.has("monthly"):
			t.MonthlyCap = w.yuan()
		case w.has("each"):
			t.PerSettlementCap = w.yuan()
		case w.has("quota"):
			t.Quota = w.yuan()
		case w.has("until"):
			t.ValidUntil = read(w, "a day", family.ParseDay)
		default:
			return t
		}
	}
}

func (s *stage) bind(w *words, verb string) *family.Refusal {
	holder, member := s.two(w)
	w.must("relation")
	relation := read(w, "a relation", family.ParseRelation)
	show, pay := true, (*family.Terms)(nil)
	if verb == "grant" {
		pay = terms(w)
		show = w.has("show")
	}
	id, refusal := s.town.bind(holder, member, relation, show, pay)
	if id != "" {
		s.bindings[[2]string{string(holder), string(member)}] = id
	}
	return refusal
}

// reviewer is whoever reviews in scenarios.
var reviewer = family.Reviewer{Subject: "reviewer"}

func (s *stage) review(w *words, verb string) *family.Refusal {
	holder, member := s.two(w)
	return s.town.on(s.binding(w, holder, member), func(p family.Pair) (family.Pair, *family.Refusal) {
		if verb == "reject" {
			return p.Reject(reviewer, "", "the papers do not show it", s.town.now)
		}
		return p.Approve(reviewer, "", "", s.town.rulesOf(p.Binding), s.town.now)
	})
}

func (s *stage) change(w *words, verb string) *family.Refusal {
	holder, member := s.two(w)
	id := s.binding(w, holder, member)
	c, yes, no := family.Change{}, true, false
	switch verb {
	case "terms":
		c.SetPay, c.Pay = true, terms(w)
	case "stop":
		c.SetPay = true
	case "pause":
		c.Paused = &yes
	case "resume":
		c.Paused = &no
	case "hide":
		c.Show = &no
	case "unhide":
		c.Show = &yes
	}
	by := holder
	if w.has("by") {
		by = s.who(w)
	}
	if verb == "end" {
		return s.town.end(by, id)
	}
	return s.town.change(by, id, c)
}

// show issues a code: "show A -> B as Q" for a relative, "show B as Q" for oneself.
func (s *stage) show(w *words) *family.Refusal {
	presenter := s.who(w)
	patient, binding := presenter, (*family.Binding)(nil)
	if w.has("->") {
		patient = s.who(w)
		b := s.town.bindings[s.binding(w, presenter, patient)]
		binding = &b
	}
	w.must("as")
	name := w.next("a name for the code")
	token, refusal := family.IssueQR(family.TokenID(name), presenter, s.town.accounts[patient], binding, s.town.policyOf(patient), s.town.now)
	if refusal != nil {
		return refusal
	}
	for _, older := range s.codes {
		if older.Patient == patient && older.Presenter == presenter {
			*older = older.Replace()
		}
	}
	s.codes[name] = &token
	return nil
}

// putBill puts a bill on the table, for quotes and settlements that follow.
func (s *stage) putBill(w *words, st statement) {
	c := family.Case{Bill: family.Bill{UseAccount: true}}
	patient := s.who(w)
	c.Patient.Person = patient
	w.must("at")
	code := read(w, "an institution", family.ParseInstitutionCode)
	if _, known := s.town.places[code]; !known {
		throw(st.line, "there is no institution %s", code)
	}
	c.Place.Code = code
	w.must("kind")
	c.Bill.MedType = family.MedType(w.next("a kind of visit"))
	for _, d := range st.details {
		l := s.line(d, &c.Need)
		c.Bill.Lines = append(c.Bill.Lines, l)
		c.Bill.Total += l.Amount
	}
	for len(w.rest) > 0 {
		switch {
		case w.has("with"):
			if c.Token = s.codes[w.next("a code")]; c.Token == nil {
				throw(st.line, "nobody showed that code")
			}
		case w.has("without-accounts"):
			c.Bill.UseAccount = false
		case w.has("expected-cash"):
			cash := w.yuan()
			c.Bill.ExpectedCash = &cash
		case w.has("total"):
			c.Bill.Total = w.yuan()
		case w.has("diagnosed"):
			c.Need.Diagnoses = strings.Split(w.next("diagnoses"), ",")
		default:
			w.done()
		}
	}
	s.bill = &c
}

// line reads a line of a bill: "1 X1 12.50 x 4 = 50.00 boxes a,b".
func (s *stage) line(d statement, need *family.Need) family.Line {
	w := &words{line: d.line, rest: d.words}
	l := family.Line{No: w.number("a line number"), Code: w.next("a code")}
	l.UnitPrice = w.yuan()
	w.must("x")
	l.Quantity = read(w, "a quantity", family.ParseQuantity)
	// The scenario's own arithmetic: price × quantity, half a fen up.
	l.Amount = (l.UnitPrice*family.Fen(l.Quantity) + 5_000) / 10_000
	if w.has("=") {
		l.Amount = w.yuan()
	}
	if w.has("boxes") {
		l.TraceCodes = strings.Split(w.next("boxes"), ",")
	}
	var p family.Prescription
	if w.has("prescription") {
		p.No = w.next("a prescription's number")
	}
	if w.has("days") {
		p.Days = w.number("days of supply")
	}
	if p != (family.Prescription{}) {
		if need.Prescriptions == nil {
			need.Prescriptions = map[int]family.Prescription{}
		}
		need.Prescriptions[l.No] = p
	}
	w.done()
	return l
}

// act quotes, settles, reverses or refunds.
func (s *stage) act(verb string, w *words) (family.Settlement, *family.Refusal) {
	if verb == "reverse" || verb == "refund" {
		sale := s.sale(w)
		if verb == "reverse" {
			return s.town.reverse(sale)
		}
		var returns []family.Return
		for {
			r := family.Return{LineNo: w.number("a line number")}
			w.must("x")
			r.Quantity = read(w, "a quantity", family.ParseQuantity)
			returns = append(returns, r)
			if !w.has("and") {
				return s.town.refund(sale, returns...)
			}
		}
	}
	if s.bill == nil {
		throw(w.line, "there is no bill to %s", verb)
	}
	c := s.town.caseOf(s.bill.Patient.Person, s.bill.Place.Code, s.bill.Bill, s.bill.Token)
	c.Need = s.bill.Need
	if verb == "quote" {
		return family.Quote(c)
	}
	name := w.next("a name for the settlement")
	done, refusal := s.town.settle(c)
	if refusal == nil {
		s.sales[name] = done.ID
	}
	return done, refusal
}

// premium reads the kind and the year of somebody's premium.
func (s *stage) premium(w *words, owner family.PersonNo) family.PremiumID {
	kind := family.PremiumKind(w.next("a kind of premium"))
	id := premiumID(owner, kind, w.number("a year"))
	if _, owed := s.town.premiums[id]; !owed {
		throw(w.line, "%s owes no such premium", owner)
	}
	return id
}

// sale reads the name of a settlement.
func (s *stage) sale(w *words) family.MessageID {
	name := w.next("a settlement")
	id, ok := s.sales[name]
	if !ok {
		throw(w.line, "there is no settlement %q", name)
	}
	return id
}

// amounts are the words for the parts of a settlement.
var amounts = map[string]func(*family.Settlement) family.Fen{
	"total":        func(s *family.Settlement) family.Fen { return s.Paid.Total },
	"out_of_scope": func(s *family.Settlement) family.Fen { return s.Paid.OutOfScope },
	"over_limit":   func(s *family.Settlement) family.Fen { return s.Paid.OverLimit },
	"pre_self_pay": func(s *family.Settlement) family.Fen { return s.Paid.PreSelfPay },
	"in_scope":     func(s *family.Settlement) family.Fen { return s.Paid.InScope },
	"deductible":   func(s *family.Settlement) family.Fen { return s.Paid.Deductible },
	"fund":         func(s *family.Settlement) family.Fen { return s.Paid.FundPaid },
	"burden":       func(s *family.Settlement) family.Fen { return s.Paid.PersonBurden },
	"base":         func(s *family.Settlement) family.Fen { return s.Paid.AccountBase },
	"own":          func(s *family.Settlement) family.Fen { return s.Paid.OwnPaid },
	"shared":       func(s *family.Settlement) family.Fen { return s.Paid.SharedPaid },
	"accounts":     func(s *family.Settlement) family.Fen { return s.Paid.OwnPaid + s.Paid.SharedPaid },
	"cash":         func(s *family.Settlement) family.Fen { return s.Paid.CashDue },
}

// expect holds what was expected against what happened: a refusal, the parts of
// the settlement that was made, and how the town stands now.
func (s *stage) expect(st statement, done *family.Settlement, refusal *family.Refusal) {
	foreseen, shares := false, 0
	for _, d := range st.details {
		w := &words{line: d.line, rest: d.words}
		key := w.next("an expectation")
		part, isAmount := amounts[key]
		ofSettlement := isAmount || key == "pays" || key == "line" || key == "rules" || key == "will"
		switch {
		case ofSettlement && done == nil:
			throw(d.line, "%q is expected of a settlement", key)
		case ofSettlement && refusal != nil:
			throw(d.line, "there is no %q: %v", key, refusal)
		case isAmount:
			if want, got := w.yuan(), part(done); got != want {
				throw(d.line, "%s is %v, expected %v", key, got, want)
			}
		case key == "refused":
			s.expectRefusal(w, refusal)
			foreseen = true
		case key == "pays":
			s.expectShare(w, done, shares)
			shares++
		case key == "line":
			s.expectLine(w, done)
		case key == "will":
			s.expectVerdict(w, done)
		case key == "rules":
			if want := w.next("a policy"); done.Policy != want {
				throw(d.line, "settled under %s, expected %s", done.Policy, want)
			}
		default:
			s.expectState(key, w)
		}
		w.done()
		s.expected = true
	}
	if refusal != nil && !foreseen {
		throw(st.line, "refused: %v", refusal)
	}
	if shares > 0 && shares != len(done.Shares) {
		throw(st.line, "%d grantors are expected, there are %d: %+v", shares, len(done.Shares), done.Shares)
	}
}

func (s *stage) expectRefusal(w *words, refusal *family.Refusal) {
	want := oneOf(w, "a code", family.Codes)
	line, rule := 0, ""
	if w.has("line") {
		line = w.number("a line number")
	}
	if w.has("rule") {
		rule = w.next("a rule")
	}
	switch {
	case refusal == nil:
		throw(w.line, "it was not refused, expected %s", want)
	case refusal.Code != want || line != 0 && refusal.Line != line || rule != "" && refusal.Rule != rule:
		throw(w.line, "refused with line %d %v", refusal.Line, refusal)
	}
}

// expectShare reads "pays 妻 120.00 account_empty": the next grantor in order.
func (s *stage) expectShare(w *words, done *family.Settlement, i int) {
	p, paid := s.who(w), w.yuan()
	reason := family.Code("")
	if len(w.rest) > 0 {
		reason = oneOf(w, "a reason", family.Codes)
	}
	if i >= len(done.Shares) {
		throw(w.line, "there are only %d grantors", len(done.Shares))
	}
	if got := done.Shares[i]; got.Grantor != p || got.Paid.Total() != paid || got.Reason != reason {
		throw(w.line, "grantor %d is %s, pays %v %s", i+1, got.Grantor, got.Paid.Total(), got.Reason)
	}
}

// expectLine reads "line 3 ceiling_reached over 15.00 pre 16.00 in 64.00".
// expectVerdict reads "will pay", "will pay_partly item_not_covered 390.00 line 4" or
// "will not_pay …": the answer to "will it pay?" and what stands in the way.
func (s *stage) expectVerdict(w *words, done *family.Settlement) {
	v := done.Verdict()
	want := oneOf(w, "an answer", []string{"pay", "pay_partly", "not_pay"})
	if string(v.Code) != "will_"+want {
		throw(w.line, "it %s, expected will_%s", v.Code, want)
	}
	if v.Condition == nil {
		return
	}
	if code := oneOf(w, "a reason", family.Codes); v.Condition.Code != code {
		throw(w.line, "%s stands in the way, expected %s", v.Condition.Code, code)
	}
	if fen := w.yuan(); v.Condition.Fen != fen {
		throw(w.line, "it keeps %v out, expected %v", v.Condition.Fen, fen)
	}
	if line := v.Condition.Line; line != 0 {
		w.must("line")
		if no := w.number("a line number"); no != line {
			throw(w.line, "it is of line %d, expected %d", line, no)
		}
	}
}

func (s *stage) expectLine(w *words, done *family.Settlement) {
	no := w.number("a line number")
	i := slices.IndexFunc(done.Lines, func(l family.PricedLine) bool { return l.No == no })
	if i < 0 {
		throw(w.line, "there is no line %d", no)
	}
	l := done.Lines[i]
	if want := oneOf(w, "a reason", family.Codes); l.Reason != want {
		throw(w.line, "line %d is %s, expected %s", no, l.Reason, want)
	}
	for len(w.rest) > 0 {
		var got family.Fen
		switch part := w.next("a part"); part {
		case "out":
			got = l.Amounts.OutOfScope
		case "over":
			got = l.Amounts.OverLimit
		case "pre":
			got = l.Amounts.PreSelfPay
		case "in":
			got = l.Amounts.InScope
		default:
			throw(w.line, "a line has no part %q", part)
		}
		if want := w.yuan(); got != want {
			throw(w.line, "it is %v, expected %v", got, want)
		}
	}
}

// expectState holds a record of the town against what is expected of it.
func (s *stage) expectState(key string, w *words) {
	same := func(what string, got, want any) {
		if got != want {
			throw(w.line, "%s is %v, expected %v", what, got, want)
		}
	}
	switch key {
	case "balance":
		account := s.town.accounts[s.who(w)]
		same("the balance", account.Balance.Total(), w.yuan())
		if w.has("past") {
			same("past years' money", account.Balance.Past, w.yuan())
		}
	case "free":
		account := s.town.accounts[s.who(w)]
		same("what is free", account.Free().Total(), w.yuan())
	case "year":
		account := s.town.accounts[s.who(w)]
		year := account.Year
		same("the year", year.Year, w.number("a year"))
		stays, insutype := w.has("stays"), account.Year.Insutype
		if w.has("under") {
			insutype = family.Insutype(w.next("an insurance"))
		}
		if year.Insutype != insutype || year.Stays != stays {
			i := slices.IndexFunc(account.Others, func(y family.YearToDate) bool { return y.Insutype == insutype && y.Stays == stays })
			if i < 0 {
				throw(w.line, "nothing is counted under %s", insutype)
			}
			year = account.Others[i]
		}
		w.must("deductible")
		same("the deductible paid", year.Deductible, w.yuan())
		w.must("fund")
		same("what the fund paid", year.Pool, w.yuan())
	case "spent", "used":
		holder, member := s.two(w)
		id := s.binding(w, holder, member)
		given := s.town.accounts[holder].Given
		i := slices.IndexFunc(given, func(g family.Grant) bool { return g.Binding == id })
		if i < 0 {
			throw(w.line, "%s has no grant for %s", holder, member)
		}
		if key == "used" {
			same("what was used", given[i].Used, w.yuan())
			return
		}
		same("what was spent", given[i].Spent.Spent, w.yuan())
		w.must("in")
		same("the month", int(given[i].Spent.Month), w.number("a month"))
	case "sale":
		sale := s.town.sales[s.sale(w)]
		same("the sale", string(sale.State()), w.next("a state"))
	case "binding":
		holder, member := s.two(w)
		b := s.town.bindings[s.binding(w, holder, member)]
		same("the binding", b.Standing(), strings.Join(w.rest, " "))
		w.rest = nil
	case "steps":
		holder, member := s.two(w)
		var steps []string
		for _, step := range s.town.bindings[s.binding(w, holder, member)].Steps {
			steps = append(steps, cmp.Or(step.Kind, string(step.Action)))
		}
		same("what the binding takes", strings.Join(steps, " "), strings.Join(w.rest, " "))
		w.rest = nil
	case "code":
		name := w.next("a code")
		token := s.codes[name]
		if token == nil {
			throw(w.line, "nobody showed %q", name)
		}
		same("the code", string(token.StateAt(s.town.now)), w.next("a state"))
	default:
		throw(w.line, "what is %q?", key)
	}
}

// TestScenarioMistakes checks that the player of scenarios itself can fail: each
// slip in a good scenario is reported with its file and line.
func TestScenarioMistakes(t *testing.T) {
	const good = `# a good scenario
policy 430100
institution H43010000001 hospital level 5 region 430100
person 夫 insutype 310 psn_type 11 balance 50.00
person 妻 insutype 310 psn_type 11 balance 120.00
grant 妻 -> 夫 relation 11 care monthly 100.00
item X1 A
bill 夫 at H43010000001 kind 11
  1 X1 90.00 x 1
settle S1
  total 90.00
  pays 妻 40.00
  balance 夫 0.00
  balance 妻 80.00
refund S1 1 x 0.5
  cash 0.00
check
  sale S1 partially_refunded
`
	if err := play("good.txt", good); err != nil {
		t.Fatal(err)
	}
	for _, slip := range []struct{ old, new, want string }{
		{"total 90.00", "total 90.01", "good.txt:11: total is 90.00, expected 90.01"},
		{"total 90.00", "totl 90.00", `good.txt:11: what is "totl"?`},
		{"total 90.00", "total 90.000", "good.txt:11: an amount in yuan"},
		{"total 90.00", "total", "good.txt:11: an amount in yuan is missing"},
		{"total 90.00", "total 90.00 yuan", `good.txt:11: what is "yuan"?`},
		{"pays 妻 40.00", "pays 妻 40.00 account_empty", "good.txt:12: grantor 1 is 妻, pays 40.00"},
		{"pays 妻 40.00", "pays 妻 40.00\n  pays 妻 0.00", "good.txt:13: there are only 1 grantors"},
		{"pays 妻 40.00", "pays 女 40.00", `good.txt:12: nobody is called "女"`},
		{"pays 妻 40.00", "refused busy", "good.txt:12: it was not refused, expected busy"},
		{"pays 妻 40.00", "refused bussy", "good.txt:12: a code"},
		{"balance 夫 0.00", "balance 夫 0.00 past 1.00", "good.txt:13: past years' money is 0.00, expected 1.00"},
		{"  balance 夫 0.00", "balance 夫 0.00", `good.txt:13: what is "balance"?`},
		{"refund S1 1 x 0.5", "refund S1 1 x 2", "good.txt:16: there is no \"cash\": already_refunded"},
		{"refund S1 1 x 0.5", "refund S1 2 x 1", "good.txt:16: there is no \"cash\": not_found"},
		{"refund S1 1 x 0.5", "refund S2 1 x 1", `good.txt:15: there is no settlement "S2"`},
		{"refund S1 1 x 0.5", "refund S1 1 by 0.5", `good.txt:15: expected "x" before "by 0.5"`},
		{"  sale S1 partially_refunded", "  sale S1 reversed", "good.txt:18: the sale is partially_refunded, expected reversed"},
		{"  sale S1 partially_refunded", "", "good.txt:17: checks nothing"},
		{"settle S1\n  total 90.00\n", "settle S1\nquote\n  total 90.00\n", "good.txt:10: nothing is expected of it"},
		{"relation 11", "relation 55", "good.txt:6: refused: relation_not_allowed"},
		{"monthly", "montly", `good.txt:6: what is "montly 100.00"?`},
		{"care", "card", `good.txt:6: there is no purpose "card"`},
		{"policy 430100", "policy 430200", "good.txt:2: no file has the rules of 430200"},
		{"policy 430100", "policy 430100 invented\n  flor 2.00", `good.txt:3: there is no rule "flor"`},
		{"policy 430100", "policy 430100 invented\n  floor -2.00", "good.txt:2: grants.floor_fen"},
		{"level 5", "level 12", "good.txt:3: a level"},
		{"item X1 A", "item X1 D", "good.txt:7: a class"},
		{"item X1 A", "item X1 B", "good.txt:7: the share paid first is missing"},
		{"1 X1 90.00 x 1", "1 X1 90.00 * 1", `good.txt:9: expected "x"`},
		{"1 X1 90.00 x 1", "1 X2 90.00 x 1", `good.txt:11: there is no "total": item_not_covered`},
		{"# a good scenario", "  total 90.00", "good.txt:1: an indented line under nothing"},
		{"bill 夫 at H43010000001", "bill 夫 at H43010000002", "good.txt:8: there is no institution"},
		{"balance 120.00", "balance 120", ""}, // fewer decimals are no slip
	} {
		if !strings.Contains(good, slip.old) {
			t.Fatalf("the good scenario has no %q", slip.old)
		}
		err := play("good.txt", strings.Replace(good, slip.old, slip.new, 1))
		if slip.want == "" && err != nil || slip.want != "" && (err == nil || !strings.HasPrefix(err.Error(), slip.want)) {
			t.Errorf("%q for %q: %v, want %s", slip.new, slip.old, err, slip.want)
		}
	}
	for _, text := range []string{"", "# nothing\n", "policy 430100\n"} {
		if err := play("empty.txt", text); err == nil {
			t.Errorf("%q passed", text)
		}
	}
}

// TestScenariosCoverReasons checks that the scenarios show a clerk every reason
// for which a grantor pays nothing, or not all, and every refusal of the till.
func TestScenariosCoverReasons(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	missing := map[family.Code]bool{}
	for _, code := range []family.Code{
		family.GrantNone, family.GrantPaused, family.GrantCapReached, family.GrantScope, family.AccountEmpty, family.NothingLeft,
		family.PersonNotInsured, family.PersonFrozen,
		family.InstitutionNotDesignated, family.QRExpired, family.QRReplaced, family.QRSpent, family.QRWrongPatient,
		family.ItemNotCovered, family.TraceAlreadySold, family.QuoteStale, family.SumMismatch,
		family.AlreadyReversed, family.AlreadyRefunded, family.NotFound,
		family.RelationNotAllowed, family.BindingLimitReached, family.AlreadyBound, family.StateForbids, family.NotPermitted,
		family.CoveredInFull, family.CoveredInPart, family.CeilingReached,
		family.NeverCovered, family.KindLimited, family.LevelLimited, family.PrescriptionNeeded, family.AgeLimited, family.SexLimited, family.IndicationLimited,
		family.TraceMissing, family.QuantityLimit,
	} {
		missing[code] = true
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range readScenario(string(text)) {
			for _, d := range st.details {
				for _, word := range d.words {
					delete(missing, family.Code(word))
				}
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("no scenario shows %v", slices.Sorted(maps.Keys(missing)))
	}
}

// TestEveryRegionHasScenarios: whoever adds a region's file adds a scenario that a clerk
// can read, under its own rules.
func TestEveryRegionHasScenarios(t *testing.T) {
	told := map[string]bool{}
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range readScenario(string(text)) {
			if len(st.words) == 2 && st.words[0] == "policy" {
				told[st.words[1]] = true
			}
		}
	}
	regions, err := filepath.Glob("../policy/regions/*.json")
	if err != nil || len(regions) < 10 {
		t.Fatalf("%d regions: %v", len(regions), err)
	}
	for _, file := range regions {
		if region := strings.TrimSuffix(filepath.Base(file), ".json"); !told[region] {
			t.Errorf("no scenario in testdata plays under the rules of %s", region)
		}
	}
}
