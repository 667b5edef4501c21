package auditor

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"gongji/shared/store"
)

// books are what the auditor has counted himself of every commit, so that no
// counter of the house has to be believed.
type books struct {
	spent    map[grantMonth]int64 // by a grant in a month, refunds taken off
	used     map[grantSince]int64
	pool     map[personYear]int64
	deducted map[personYear]int64
	back     map[string]breakdown // what came back of a sale, negative
	held     int64                // in all accounts
	paidIn   int64                // by the insurer
	moved    int64                // by settlements and premiums, into accounts
	// settledOnce are the charges that a visit's bill has taken, by visit and serial.
	settledOnce map[string]bool
}

type (
	grantSince struct {
		binding string
		since   uint64
	}
	grantMonth struct {
		grantSince
		month int
	}
	personYear struct {
		person, insutype string
		stays            bool
		year             int // or a day
	}
)

func newBooks() books {
	return books{
		spent: map[grantMonth]int64{}, used: map[grantSince]int64{},
		pool: map[personYear]int64{}, deducted: map[personYear]int64{}, back: map[string]breakdown{},
		settledOnce: map[string]bool{},
	}
}

// enter enters a commit in the books and finds what no commit may do, whatever was
// asked.
func (a *Auditor) enter(t *Trip, writes []store.Write, before map[store.Key]store.Record) {
	entries := map[string]*entry{}
	for _, w := range writes {
		if w.Check || !strings.HasPrefix(w.Key.Part, "ACCT#") || w.Key.Sort == "A" {
			continue
		}
		if w.Base != 0 {
			a.fault("%s: an entry was overwritten: %s", t.Request.Op, w.Key.Sort)
		}
		e := shape[entry](a, a.disk.Peek(w.Key))
		if entries[e.Account] != nil || w.Key != entryKey(e.Account, e.Seq) {
			a.fault("%s: two entries, or one in a wrong place: %s", t.Request.Op, w.Key.Sort)
		}
		entries[e.Account] = e
	}
	var change, legs, credited int64
	for _, w := range writes {
		if w.Check {
			continue
		}
		kind, _, _ := strings.Cut(w.Key.Part, "#")
		switch {
		case kind == "ACCT" && w.Key.Sort == "A":
			was := account{}
			if r := before[w.Key]; r.Exists() {
				was = shape[accountRecord](a, r).Account
			}
			is := shape[accountRecord](a, a.disk.Peek(w.Key)).Account
			change += is.Balance.total() - was.Balance.total()
			a.moves(&was, &is, entries[is.Person])
			delete(entries, is.Person)
		case kind == "DAY" && w.Key.Sort[0] == 'S':
			m := shape[messageRecord](a, a.disk.Peek(w.Key))
			if w.Base != 0 {
				a.onlyKeptChanged(before[w.Key], m)
				if shape[messageRecord](a, before[w.Key]).State != "waiting" {
					continue
				}
			}
			if m.Settlement != nil {
				legs += a.entered(t, m.Settlement)
			}
		case kind == "BIND" && w.Key.Sort == "B":
			was := &binding{}
			if r := before[w.Key]; r.Exists() {
				was = &shape[bindingRecord](a, r).Binding
			}
			a.fourEyes(t, was, &shape[bindingRecord](a, a.disk.Peek(w.Key)).Binding)
		case kind == "VISIT":
			was := &visit{}
			if r := before[w.Key]; r.Exists() {
				was = shape[visit](a, r)
			}
			a.visitMoves(t, was, shape[visit](a, a.disk.Peek(w.Key)))
		case kind == "POLICIES" && w.Key.Sort[0] != 'L':
			a.inForce(before[w.Key], shape[policyRecord](a, a.disk.Peek(w.Key)))
		case kind == "PREMIUM":
			legs += a.premiumMoved(before[w.Key], shape[premiumRecord](a, a.disk.Peek(w.Key)).Premium)
		case kind == "CREDIT":
			credited += shape[creditRecord](a, a.disk.Peek(w.Key)).Amount.total()
		case kind == "QR" && before[w.Key].Exists():
			a.codeMoves(t, shape[qrRecord](a, before[w.Key]).Token, shape[qrRecord](a, a.disk.Peek(w.Key)).Token)
		}
	}
	for person := range entries {
		a.fault("an entry of %s without his account", person)
	}
	if change != legs+credited {
		a.fault("%s %s: accounts changed by %d, settlements moved %d and %d was paid in", t.Request.Op, t.Request.Identity, change, legs, credited)
	}
	b := &a.books
	b.held, b.paidIn, b.moved = b.held+change, b.paidIn+credited, b.moved+legs
	if b.held != b.paidIn+b.moved {
		a.fault("accounts hold %d, %d was paid in, settlements moved %d", b.held, b.paidIn, b.moved)
	}
}

// moves finds what one commit may not do to one account.
func (a *Auditor) moves(was, is *account, e *entry) {
	if is.Balance.Current < 0 || is.Balance.Past < 0 {
		a.fault("%s holds %+v", is.Person, is.Balance)
	}
	for _, c := range append([]counter{is.Year}, is.Others...) {
		if c.Deductible < 0 || c.Pool < 0 || c.DayPool < 0 {
			a.fault("%s counts %+v", is.Person, c)
		}
	}
	if is.heldInQuotas() > is.Balance.total() {
		a.fault("%s holds %d and %d is frozen in it", is.Person, is.Balance.total(), is.heldInQuotas())
	}
	for _, g := range is.Given {
		if g.Used < 0 || g.Spent.Spent < 0 || g.Terms.Quota > 0 && g.Used > g.Terms.Quota && g.quotaLeft() != 0 {
			a.fault("the grant %s counts %+v", g.Binding, g)
		}
	}
	if e == nil {
		if is.Balance != was.Balance || is.Seq != was.Seq || is.Head != was.Head || is.Year != was.Year || !slices.Equal(is.Others, was.Others) {
			a.fault("%s moved without an entry", is.Person)
		}
		return
	}
	if e.Seq != was.Seq+1 || is.Seq != e.Seq || e.Prev != was.Head || is.Head != e.hash() {
		a.fault("the chain of %s is broken at entry %d", is.Person, e.Seq)
	}
	if e.After != is.Balance || is.Balance != was.Balance.plus(e.Delta) {
		a.fault("entry %d of %s is not what moved", e.Seq, is.Person)
	}
	if e.Day != 0 {
		key := personYear{is.Person, e.Insutype, e.Stay, e.Day / 10000}
		a.books.deducted[key] += e.Deductible
		a.books.pool[key] += e.Pool
		key.year = e.Day
		a.books.pool[key] += e.Pool
	}
	if g := is.given(e.Grant); g != nil && e.Month != 0 {
		since := grantSince{g.Binding, g.Since}
		a.books.used[since] -= e.Delta.total()
		a.books.spent[grantMonth{since, e.Month}] -= e.Delta.total()
		if e.Kind == "settlement" || e.Kind == "premium" {
			a.withinCaps(was, g, grantMonth{since, e.Month}, max(day(e.At), e.Month*100+1), -e.Delta.total())
		}
	}
}

// withinCaps counts a debit against the limits of its grant by the auditor's own
// books.
func (a *Auditor) withinCaps(payer *account, g *grant, at grantMonth, today int, paid int64) {
	t := g.Terms.on(today, g.Raise)
	if t.MonthlyCap > 0 && a.books.spent[at] > t.MonthlyCap {
		a.fault("the grant %s paid %d in %d, and its cap is %d", g.Binding, a.books.spent[at], at.month, t.MonthlyCap)
	}
	if t.Quota > 0 && a.books.used[at.grantSince] > t.Quota || t.PerSettlementCap > 0 && paid > t.PerSettlementCap {
		a.fault("the grant %s paid %d, %d in all, and its limits are %+v", g.Binding, paid, a.books.used[at.grantSince], t)
	}
	b := shape[bindingRecord](a, a.disk.Peek(bindingKey(g.Binding))).Binding
	if b.State != "active" || b.Pay == nil || b.paused() || payer.Frozen || !payer.insured() {
		a.fault("%d was taken under the binding %s, which is %s, paused %v", paid, g.Binding, b.State, b.paused())
	}
}

// entered enters a settlement, a reversal or a refund and returns what it moved
// into accounts.
func (a *Auditor) entered(t *Trip, s *settlement) (moved int64) {
	var sum int64
	for _, l := range s.Legs {
		sum += l.Delta.total()
		if l.Party == "account" {
			moved += l.Delta.total()
		}
	}
	if sum != 0 {
		a.fault("the legs of %s sum to %d", s.ID, sum)
	}
	p := s.Paid
	if p.Total != p.FundPaid+p.OwnPaid+p.SharedPaid+p.CashDue {
		a.fault("%s: who paid does not sum to the total: %+v", s.ID, p)
	}
	parts := []int64{p.Total, p.OutOfScope, p.OverLimit, p.PreSelfPay, p.InScope, p.Deductible, p.FundPaid, p.OwnPaid, p.SharedPaid, p.CashDue, s.Own.Current, s.Own.Past}
	for _, sh := range s.Shares {
		parts = append(parts, sh.Paid.Current, sh.Paid.Past)
	}
	if s.Kind == "settlement" {
		if slices.Min(parts) < 0 {
			a.fault("%s: a part is below zero: %+v", s.ID, p)
		}
		a.benefitOnce(t, s)
		a.turnOfRules(s)
		return moved
	}
	if slices.Max(parts) > 0 {
		a.fault("%s takes something, and gives back: %+v", s.ID, p)
	}
	sale := shape[messageRecord](a, a.disk.Peek(messageKey(s.Original))).Settlement
	back := a.books.back[s.Original].minus(breakdown{}.minus(p))
	a.books.back[s.Original] = back
	left := []int64{sale.Paid.Total + back.Total, sale.Paid.FundPaid + back.FundPaid, sale.Paid.OwnPaid + back.OwnPaid, sale.Paid.SharedPaid + back.SharedPaid, sale.Paid.CashDue + back.CashDue}
	if slices.Min(left) < 0 {
		a.fault("of %s more came back than was paid: %v", s.Original, left)
	}
	if slices.Max(sale.Kept) == 0 && slices.Max(left) != 0 {
		a.fault("all of %s came back and %v did not", s.Original, left)
	}
	return moved
}

// benefitOnce counts the fund's benefit by the auditor's own books.
func (a *Auditor) benefitOnce(t *Trip, s *settlement) {
	year := personYear{s.Patient, s.Basis.Insutype, isStay(s.MedType), s.Basis.Day / 10000}
	today := personYear{s.Patient, s.Basis.Insutype, isStay(s.MedType), s.Basis.Day}
	if s.Paid.FundPaid > 0 {
		rules := (&view{a: a, trip: t}).rules(s.Basis.InsuredRegion, day(s.At))
		yearly, daily := int64(0), int64(0)
		for _, b := range rules.Benefits {
			if b.Insutype == s.Basis.Insutype && slices.Contains(b.MedTypes, s.MedType) && (len(b.PsnTypes) == 0 || slices.Contains(b.PsnTypes, s.Basis.PsnType)) {
				yearly, daily = b.YearlyCap, b.DailyCap
			}
		}
		if yearly > 0 && a.books.pool[year] > yearly || daily > 0 && a.books.pool[today] > daily {
			// What was paid before under other rules stands; it may fill the cap.
			if s.Paid.FundPaid > max(0, yearly-a.books.pool[year]+s.Paid.FundPaid) && yearly > 0 || s.Paid.FundPaid > max(0, daily-a.books.pool[today]+s.Paid.FundPaid) && daily > 0 {
				a.fault("the fund paid %d for %s, %d in the year and %d on the day, and the most is %d and %d", s.Paid.FundPaid, s.Patient, a.books.pool[year], a.books.pool[today], yearly, daily)
			}
		}
	}
	key := year
	if s.Basis.DeductibleLeft == 0 && a.books.deducted[key] > 0 {
		a.Reached("a year's deductible is used up")
	}
	if s.Basis.PoolCapped && s.Basis.PoolLeft <= s.Paid.FundPaid {
		a.Reached("a year's cap of the fund is used up")
	}
	if s.Paid.OwnPaid > 0 && s.Paid.SharedPaid > 0 && s.Paid.CashDue > 0 {
		a.Reached("own, then relatives, then cash")
	}
	if s.Paid.SharedPaid > 0 && s.Presenter == "" {
		a.Reached("relatives pay without a code")
	}
}

// onlyKeptChanged finds fault with a message that is written again as another.
func (a *Auditor) onlyKeptChanged(before store.Record, m *messageRecord) {
	was := shape[messageRecord](a, before)
	if was.State == "waiting" {
		return // what it becomes is asked for in full
	}
	if was.Settlement == nil || m.Settlement == nil || m.Fingerprint != was.Fingerprint || !m.At.Equal(was.At) || m.State != was.State {
		a.fault("the message %s was overwritten", before.Key.Sort)
		return
	}
	if m.Visit != was.Visit {
		a.fault("the message %s was of the visit %q and is of %q", before.Key.Sort, was.Visit, m.Visit)
	}
	x, y := *was.Settlement, *m.Settlement
	x.Kept, x.Refunds, y.Kept, y.Refunds = nil, nil, nil, nil
	if wrong := sameSale(y, x); wrong != "" {
		a.fault("a sale changed afterwards: %s", wrong)
	}
}

// codeMoves finds what may not become of a code.
func (a *Auditor) codeMoves(t *Trip, was, is token) {
	if was.State != "issued" {
		a.fault("a code that was %s is %s", was.State, is.State)
	}
	if is.State != "spent" {
		return
	}
	a.Reached("a code is spent")
	decoded := t.Request.Credential.Kind == "ec"
	if good := was.good(t.Request.Message, decoded, t.At); !t.At.Before(good) || decoded && was.DecodedBy != t.Request.Place {
		a.fault("a code that was good until %v was spent at %v by %s", good, t.At, t.Request.Place)
	}
	if is.SpentBy != t.Request.Message {
		a.fault("a code spent by %s says that %s spent it", t.Request.Message, is.SpentBy)
	}
	if was.Expires.Sub(t.At) <= time.Second {
		a.Reached("a code is spent in its last second")
	}
}

// Audit walks through all records and derives every balance, counter and chain
// anew, past all that was counted along the way.
func (a *Auditor) Audit() {
	accounts, entries := map[string]*account{}, map[string][]*entry{}
	bindings, people := map[string]*binding{}, map[string]*personRecord{}
	soldBy := map[string]string{}
	sales, adjustments := map[string]*settlement{}, map[string]*adjustmentRecord{}
	policies, last := map[string]*policyRecord{}, map[string]*lastPolicyRecord{}
	codes := map[string]int{}
	var queued []string
	a.disk.Each(func(r store.Record) bool {
		kind, rest, _ := strings.Cut(r.Key.Part, "#")
		switch {
		case kind == "ACCT" && r.Key.Sort == "A":
			accounts[rest] = &shape[accountRecord](a, r).Account
		case kind == "ACCT":
			entries[rest] = append(entries[rest], shape[entry](a, r))
		case kind == "BIND" && r.Key.Sort == "B":
			bindings[rest] = &shape[bindingRecord](a, r).Binding
		case kind == "PERSON" && r.Key.Sort == "P":
			people[rest] = shape[personRecord](a, r)
		case kind == "REVIEWS":
			if q := shape[queueRecord](a, r); !q.Done {
				queued = append(queued, q.Binding)
			}
		case kind == "POLICIES" && r.Key.Sort[0] == 'L':
			last[r.Key.Sort[2:]] = shape[lastPolicyRecord](a, r)
		case kind == "POLICIES":
			policies[r.Key.Sort] = shape[policyRecord](a, r)
		case kind == "ADJUSTMENTS":
			adjustments[r.Key.Sort] = shape[adjustmentRecord](a, r)
		case kind == "TRACE":
			soldBy[rest] = shape[boxRecord](a, r).SoldBy
		case kind == "DAY" && r.Key.Sort[0] == 'S':
			if s := shape[messageRecord](a, r).Settlement; s != nil {
				sales[s.ID] = s
			}
		case kind == "QR":
			if t := shape[qrRecord](a, r).Token; t.State == "spent" {
				codes[t.SpentBy]++
			}
		}
		return true
	})
	var held, credited, moved int64
	for _, no := range slices.Sorted(maps.Keys(accounts)) {
		held += accounts[no].Balance.total()
		a.derive(accounts[no], entries[no])
		for _, e := range entries[no] {
			if e.Kind == "credit" || e.Kind == "adjustment" {
				credited += e.Delta.total()
			} else {
				moved += e.Delta.total()
			}
		}
	}
	if held != credited+moved || held != a.books.held || credited != a.books.paidIn || moved != a.books.moved {
		a.fault("accounts hold %d, %d was paid in and settlements moved %d; the books say %d, %d and %d", held, credited, moved, a.books.held, a.books.paidIn, a.books.moved)
	}
	for by, n := range codes {
		if s := sales[by]; n > 1 || s == nil || s.Kind != "settlement" {
			a.fault("%d codes were spent by %s, which is no sale, or two by one", n, by)
		}
	}
	for _, box := range slices.Sorted(maps.Keys(soldBy)) {
		s := sales[soldBy[box]]
		has := func(l pricedLine) bool { return slices.Contains(l.TraceCodes, box) }
		if soldBy[box] != "" && (s == nil || !slices.ContainsFunc(s.Lines, has)) {
			a.fault("the box %s was sold by %s, which does not say so", box, soldBy[box])
		}
	}
	a.twoPeople(entries, adjustments)
	a.auditVisits()
	a.allPublished(policies, last)
	a.families(accounts, bindings, people, queued)
}

// derive derives an account from its entries.
func (a *Auditor) derive(is *account, entries []*entry) {
	var balance Pockets
	head := ""
	used, spent := map[string]int64{}, map[string]int64{}
	counted := is.copied()
	counted.Year = counter{Year: is.Year.Year, Insutype: is.Year.Insutype, Stays: is.Year.Stays}
	for i, c := range counted.Others {
		counted.Others[i] = counter{Year: c.Year, Insutype: c.Insutype, Stays: c.Stays}
	}
	for i, e := range entries {
		balance = balance.plus(e.Delta)
		if e.Seq != uint64(i)+1 || e.Prev != head || e.After != balance || e.Account != is.Person {
			a.fault("entry %d of %s does not follow from those before it", e.Seq, is.Person)
		}
		head = e.hash()
		if c := counted.counter(e.Day/10000, e.Insutype, e.Stay); c != nil && e.Day != 0 {
			c.add(e.Day, e.Deductible, e.Pool)
		}
		if g := is.given(e.Grant); g != nil && e.Month != 0 && e.Seq > g.Since {
			used[e.Grant] -= e.Delta.total()
			if e.Month == g.Spent.Month {
				spent[e.Grant] -= e.Delta.total()
			}
		}
	}
	if balance != is.Balance || head != is.Head || uint64(len(entries)) != is.Seq {
		a.fault("%s holds %+v at entry %d, and its %d entries make %+v", is.Person, is.Balance, is.Seq, len(entries), balance)
	}
	if counted.Year != is.Year || !slices.Equal(counted.Others, is.Others) {
		a.fault("%s counts %+v %+v, and its entries make %+v %+v", is.Person, is.Year, is.Others, counted.Year, counted.Others)
	}
	for _, g := range is.Given {
		if g.Used != used[g.Binding] || g.Spent.Spent != spent[g.Binding] {
			a.fault("the grant %s counts %+v, and its entries make %d in all and %d in that month", g.Binding, g, used[g.Binding], spent[g.Binding])
		}
	}
}

// families holds bindings, grants, the ways to them and people's lists against one
// another.
func (a *Auditor) families(accounts map[string]*account, bindings map[string]*binding, people map[string]*personRecord, queued []string) {
	type end struct{ person, binding string }
	var ways, grants, live, listed []end
	for no, acct := range accounts {
		for _, g := range acct.Grantors {
			ways = append(ways, end{g.Person, g.Binding})
		}
		for _, g := range acct.Given {
			grants = append(grants, end{no, g.Binding})
			if b := bindings[g.Binding]; b == nil || b.State != "active" || b.Pay == nil || b.Holder != no || b.Member != g.Beneficiary || b.paused() != g.Paused {
				a.fault("the grant %s in the account of %s does not fit its binding", g.Binding, no)
			}
		}
	}
	for no, p := range people {
		for _, b := range p.Bound {
			listed = append(listed, end{no, b.ID})
		}
	}
	active := 0
	var inReview []string
	isListed := func(b *binding) bool {
		return slices.ContainsFunc(people[b.Holder].Bound, func(x bound) bool { return x.ID == b.ID })
	}
	for id, b := range bindings {
		if b.live() && (b.Until == 0 || isListed(b)) { // a request may be over and nobody has looked
			live = append(live, end{b.Holder, id})
		}
		if b.State == "in_review" {
			inReview = append(inReview, id)
		}
		if b.State == "active" && b.Pay != nil {
			active++
		}
	}
	sorted := func(ends []end) []end {
		slices.SortFunc(ends, func(x, y end) int {
			return cmp.Or(strings.Compare(x.person, y.person), strings.Compare(x.binding, y.binding))
		})
		return ends
	}
	if !slices.Equal(sorted(ways), sorted(grants)) || active != len(grants) {
		a.fault("the grants are %v, the ways to them %v, and %d bindings have one", grants, ways, active)
	}
	if !slices.Equal(sorted(live), sorted(listed)) {
		a.fault("the live bindings are %v, and people's lists name %v", live, listed)
	}
	if !slices.Equal(slices.Sorted(slices.Values(queued)), slices.Sorted(slices.Values(inReview))) {
		a.fault("%v are in review, and %v in the queue", inReview, queued)
	}
}
