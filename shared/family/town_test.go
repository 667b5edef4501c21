package family_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"gongji/shared/family"
)

// shanghai is the time of the trade.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// at returns a time of day in Shanghai.
func at(year, month, day, hour, minute int) time.Time {
	return time.Date(year, time.Month(month), day, hour, minute, 0, 0, shanghai)
}

// yuan reads an amount of a test.
func yuan(s string) family.Fen {
	f, err := family.ParseYuan(s)
	if err != nil {
		panic(err)
	}
	return f
}

// town keeps the records of some families, places and goods, and carries out the
// law's decisions on them, as a store does. It decides nothing itself.
type town struct {
	rules    func(family.Region, family.Day) *family.Policy
	now      time.Time
	accounts map[family.PersonNo]family.Account
	entries  map[family.PersonNo][]family.Entry
	born     map[family.PersonNo]family.Day
	sex      map[family.PersonNo]family.Sex
	bought   map[family.PersonNo]map[string][]family.Purchase
	bindings map[family.BindingID]family.Binding
	bound    map[family.PersonNo][]family.Bound
	former   map[family.PersonNo][]family.Former
	places   map[family.InstitutionCode]family.Place
	items    map[string]family.Item
	sold     map[string]family.MessageID
	sales    map[family.MessageID]family.Settlement   // as they stand after refunds
	given    map[family.MessageID][]family.Settlement // reversals and refunds, by sale
	premiums map[family.PremiumID]family.Premium
	registry family.RegistryAnswer // what the civil registry says of everybody
	serial   int
}

func newTown(now time.Time, rules func(family.Region, family.Day) *family.Policy) *town {
	return &town{
		rules: rules, now: now,
		accounts: map[family.PersonNo]family.Account{},
		entries:  map[family.PersonNo][]family.Entry{},
		born:     map[family.PersonNo]family.Day{},
		sex:      map[family.PersonNo]family.Sex{},
		bought:   map[family.PersonNo]map[string][]family.Purchase{},
		bindings: map[family.BindingID]family.Binding{},
		bound:    map[family.PersonNo][]family.Bound{},
		former:   map[family.PersonNo][]family.Former{},
		places:   map[family.InstitutionCode]family.Place{},
		items:    map[string]family.Item{},
		sold:     map[string]family.MessageID{},
		sales:    map[family.MessageID]family.Settlement{},
		given:    map[family.MessageID][]family.Settlement{},
		premiums: map[family.PremiumID]family.Premium{},
	}
}

// people returns all persons in a fixed order.
func (w *town) people() []family.PersonNo { return slices.Sorted(maps.Keys(w.accounts)) }

// policyOf returns the policy of a person's region today.
func (w *town) policyOf(p family.PersonNo) *family.Policy {
	return w.rules(w.accounts[p].Insurance.Region, family.DayOf(w.now))
}

// beyond returns the rules of grants across provinces, nil where a region gives none.
func (w *town) beyond(p *family.Policy) *family.Policy {
	if p.Grants.Beyond == "" {
		return nil
	}
	return w.rules(p.Grants.Beyond, family.DayOf(w.now))
}

// rulesOf returns the policy that rules a binding.
func (w *town) rulesOf(b family.Binding) *family.Policy {
	p := w.policyOf(b.Holder)
	if beyond := w.beyond(p); b.Nationwide && beyond != nil {
		return beyond
	}
	return p
}

// message returns a fresh message id of a place.
func (w *town) message(place family.InstitutionCode) family.MessageID {
	w.serial++
	id, err := family.ParseMessageID(fmt.Sprintf("%s%s%04d", place, w.now.In(shanghai).Format("20060102150405"), w.serial%10000))
	if err != nil {
		panic(err)
	}
	return id
}

// enrol adds a person without money.
func (w *town) enrol(p family.PersonNo, born family.Day, i family.Insurance) {
	w.accounts[p] = family.Account{Person: p, Insurance: i}
	w.born[p] = born
}

// credit pays money into an account.
func (w *town) credit(p family.PersonNo, amount family.Pockets) {
	w.serial++
	account, entry := family.Credit(w.accounts[p], fmt.Sprintf("credit-%d", w.serial), amount, w.now)
	w.accounts[p], w.entries[p] = account, append(w.entries[p], entry)
}

// turn rolls an account over into the year that it is.
func (w *town) turn(p family.PersonNo) {
	since := slices.Clone(w.entries[p])
	since = slices.DeleteFunc(since, func(e family.Entry) bool { return family.DayOf(e.At).Year() < family.DayOf(w.now).Year() })
	account, entry := family.Rollover(w.accounts[p], since, w.now)
	w.accounts[p], w.entries[p] = account, append(w.entries[p], entry)
}

// request asks for a binding and records it.
func (w *town) request(holder, member family.PersonNo, relation family.Relation, show bool, pay *family.Terms) (family.BindingID, *family.Refusal) {
	w.serial++
	id := family.BindingID(fmt.Sprintf("B%04d", w.serial))
	b, refusal := family.RequestBinding(family.BindingRequest{
		ID: id, Holder: w.accounts[holder], Member: w.accounts[member], HolderBorn: w.born[holder], MemberBorn: w.born[member],
		Relation: relation, Show: show, Pay: pay, Bound: w.bound[holder], Former: w.former[holder], Policy: w.policyOf(holder), Beyond: w.beyond(w.policyOf(holder)), Now: w.now,
	})
	if refusal != nil {
		return "", refusal
	}
	w.bindings[id] = b
	w.bound[holder] = append(w.bound[holder], family.Bound{ID: id, Member: member, Relation: relation, Show: show, Pay: pay != nil})
	return id, nil
}

// papers has the holder upload whatever the binding waits for.
func (w *town) papers(id family.BindingID) {
	b := w.bindings[id]
	for _, s := range b.Steps {
		if s.Action != family.StepUpload || s.Done {
			continue
		}
		w.serial++
		m := family.Material{
			ID: family.MaterialID(fmt.Sprintf("M%025d", w.serial)), Kind: family.PaperKind(s.Kind), ContentType: "image/png", Size: 1, SHA256: fmt.Sprintf("%064d", w.serial),
		}
		next, at, refusal := b.Announce(b.Holder, m, w.now)
		if refusal != nil {
			panic(refusal)
		}
		b, _ = next.Received(at, "", w.now)
	}
	w.bindings[id] = b
}

// bind asks for a binding and takes all steps of its sides.
func (w *town) bind(holder, member family.PersonNo, relation family.Relation, show bool, pay *family.Terms) (family.BindingID, *family.Refusal) {
	id, refusal := w.request(holder, member, relation, show, pay)
	if refusal != nil {
		return "", refusal
	}
	w.papers(id)
	rules := w.rulesOf(w.bindings[id])
	if refusal := w.on(id, func(p family.Pair) (family.Pair, *family.Refusal) { return p.Submit(holder, rules, w.now) }); refusal != nil {
		return id, refusal
	}
	if w.bindings[id].State != family.BindingAwaiting {
		return id, nil
	}
	return id, w.on(id, func(p family.Pair) (family.Pair, *family.Refusal) { return p.Accept(member, rules, w.now) })
}

// pair returns a binding with the accounts of both sides.
func (w *town) pair(id family.BindingID) family.Pair {
	b := w.bindings[id]
	return family.Pair{Binding: b, Holder: w.accounts[b.Holder], Member: w.accounts[b.Member], MemberBorn: w.born[b.Member], Registry: w.registry}
}

// on carries out an act on a binding.
func (w *town) on(id family.BindingID, act func(family.Pair) (family.Pair, *family.Refusal)) *family.Refusal {
	after, refusal := act(w.pair(id))
	if refusal != nil {
		return refusal
	}
	b := after.Binding
	w.bindings[id], w.accounts[b.Holder], w.accounts[b.Member] = b, after.Holder, after.Member
	w.bound[b.Holder], w.former[b.Holder] = family.Rebound(w.bound[b.Holder], b), family.Bygones(w.former[b.Holder], b)
	return nil
}

// change changes a binding for one of its sides.
func (w *town) change(by family.PersonNo, id family.BindingID, c family.Change) *family.Refusal {
	return w.on(id, func(p family.Pair) (family.Pair, *family.Refusal) {
		holder := p.Binding.Holder
		return p.Change(by, c, w.bound[holder], w.rulesOf(p.Binding), w.now)
	})
}

// end ends a binding for one of its sides.
func (w *town) end(by family.PersonNo, id family.BindingID) *family.Refusal {
	return w.on(id, func(p family.Pair) (family.Pair, *family.Refusal) {
		return p.End(by, w.rulesOf(p.Binding), w.now)
	})
}

// sweep does to all bindings what time and the insurer have brought upon them.
func (w *town) sweep() {
	for _, id := range slices.Sorted(maps.Keys(w.bindings)) {
		_ = w.on(id, func(p family.Pair) (family.Pair, *family.Refusal) {
			return p.Tend(family.Facts{MemberBorn: p.MemberBorn}, w.rulesOf(p.Binding), w.now), nil
		})
	}
}

// caseOf gathers all that decides a bill now.
func (w *town) caseOf(patient family.PersonNo, place family.InstitutionCode, bill family.Bill, token *family.QRToken) family.Case {
	account := w.accounts[patient]
	c := family.Case{
		Now: w.now, Place: w.places[place], Patient: account, Token: token, Bill: bill,
		Items: w.items, Sold: w.sold, Policy: w.policyOf(patient), Born: w.born[patient], Sex: w.sex[patient], Bought: map[string]family.Quantity{},
	}
	for code, item := range w.items {
		if item.PerPeriod() {
			c.Bought[code] = family.Bought(w.bought[patient][code], family.DayOf(w.now), item.Limits.PeriodDays)
		}
	}
	for _, g := range account.Grantors {
		rules := w.policyOf(g.Person)
		c.Payers = append(c.Payers, family.Payer{Grantor: g, Account: w.accounts[g.Person], Policy: rules, Beyond: w.beyond(rules)})
	}
	return c
}

// settle settles a case under a fresh message and records what it did.
func (w *town) settle(c family.Case) (family.Settlement, *family.Refusal) {
	c.Message = w.message(c.Place.Code)
	s, effects, refusal := family.Settle(c)
	if refusal != nil {
		return family.Settlement{}, refusal
	}
	w.apply(effects)
	for _, l := range s.Lines {
		for _, code := range l.TraceCodes {
			w.sold[code] = s.ID
		}
	}
	w.sales[s.ID] = s
	w.buy(s, s.Told)
	if c.Token != nil {
		*c.Token = *effects.Token
	}
	return s, nil
}

// buy counts what was bought, or came back, of items that are limited by period.
func (w *town) buy(s family.Settlement, told *family.Told) {
	if told == nil {
		return
	}
	for _, code := range told.Counted {
		bought := maps.Clone(w.bought[s.Patient])
		if bought == nil {
			bought = map[string][]family.Purchase{}
		}
		bought[code] = family.Buy(bought[code], s, code)
		w.bought[s.Patient] = bought
	}
}

// reverse reverses a sale.
func (w *town) reverse(sale family.MessageID) (family.Settlement, *family.Refusal) {
	s := w.sales[sale]
	back, after, effects, refusal := family.Reverse(w.message(s.Place), s, w.accounts[s.Patient], w.payersOf(s), w.now)
	return w.took(back, after, effects, refusal)
}

// refund takes back part of a sale.
func (w *town) refund(sale family.MessageID, returns ...family.Return) (family.Settlement, *family.Refusal) {
	s := w.sales[sale]
	back, after, effects, refusal := family.Refund(w.message(s.Place), s, returns, w.accounts[s.Patient], w.payersOf(s), w.now)
	return w.took(back, after, effects, refusal)
}

func (w *town) took(back, after family.Settlement, effects family.Effects, refusal *family.Refusal) (family.Settlement, *family.Refusal) {
	if refusal != nil {
		return family.Settlement{}, refusal
	}
	w.apply(effects)
	for _, l := range back.Lines {
		for _, code := range l.TraceCodes {
			delete(w.sold, code)
		}
	}
	w.buy(back, after.Told)
	w.sales[after.ID] = after
	w.given[after.ID] = append(w.given[after.ID], back)
	return back, nil
}

// payersOf returns the accounts that paid for a sale.
func (w *town) payersOf(s family.Settlement) map[family.PersonNo]family.Account {
	payers := map[family.PersonNo]family.Account{}
	for _, share := range s.Shares {
		if share.Paid != (family.Pockets{}) {
			payers[share.Grantor] = w.accounts[share.Grantor]
		}
	}
	return payers
}

func (w *town) apply(effects family.Effects) {
	for i, account := range effects.Accounts {
		w.accounts[account.Person] = account
		w.entries[account.Person] = append(w.entries[account.Person], effects.Entries[i])
	}
}

// prove proves all accounts and settlements and returns what does not agree.
func (w *town) prove() []family.Fault {
	var faults []family.Fault
	for _, p := range w.people() {
		faults = append(faults, family.ProveAccount(w.accounts[p], w.entries[p])...)
	}
	for _, id := range slices.Sorted(maps.Keys(w.premiums)) {
		p := w.premiums[id]
		faults = append(faults, family.ProvePremium(p)...)
		entered := 0
		for _, person := range w.people() {
			for _, e := range w.entries[person] {
				if p.Entered(e) {
					entered++
				}
			}
		}
		booked := 2 * len(p.Payments)
		if p.Standing() > 0 {
			booked--
		}
		if entered != booked {
			faults = append(faults, family.Fault{Ref: string(id), What: "the premium's payments are not the entries of it"})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(w.sales)) {
		faults = append(faults, family.ProveSettlement(w.sales[id])...)
		for _, back := range w.given[id] {
			faults = append(faults, family.ProveSettlement(back)...)
		}
		faults = append(faults, family.ProveRefunds(w.sales[id], w.given[id])...)
	}
	return faults
}

// clone returns a town that goes its own way from here on. The law never writes
// into what it was given, so the maps are copied and nothing beneath them.
func (w *town) clone() *town {
	c := *w
	c.bought = maps.Clone(w.bought)
	c.accounts, c.born, c.bindings = maps.Clone(w.accounts), maps.Clone(w.born), maps.Clone(w.bindings)
	c.places, c.items, c.sold, c.sales = maps.Clone(w.places), maps.Clone(w.items), maps.Clone(w.sold), maps.Clone(w.sales)
	c.premiums = maps.Clone(w.premiums)
	c.entries, c.bound, c.given = cloneLists(w.entries), cloneLists(w.bound), cloneLists(w.given)
	return &c
}

// premiumID is how the town names a premium.
func premiumID(p family.PersonNo, kind family.PremiumKind, year int) family.PremiumID {
	return family.PremiumID(fmt.Sprintf("%s %s %d", p, kind, year))
}

// owe takes over what somebody owes.
func (w *town) owe(p family.Premium) *family.Refusal {
	if refusal := p.Check(); refusal != nil {
		return refusal
	}
	p.ID = premiumID(p.Person, p.Kind, p.Year)
	if has, known := w.premiums[p.ID]; known {
		told, refusal := has.Owe(p)
		if refusal != nil {
			return refusal
		}
		p = told
	}
	w.premiums[p.ID] = p
	return nil
}

// payPremium pays a premium from an account, under a binding or from the owner's own.
func (w *town) payPremium(payer family.PersonNo, binding family.BindingID, id family.PremiumID) *family.Refusal {
	p := w.premiums[id]
	premium, account, entry, refusal := family.PayPremium(family.PremiumCase{
		Now: w.now, Premium: p, Owner: w.accounts[p.Person], Amount: p.Amount,
		Payer: family.Payer{Grantor: family.Grantor{Person: payer, Binding: binding}, Account: w.accounts[payer], Policy: w.policyOf(payer), Beyond: w.beyond(w.policyOf(payer))},
	})
	return w.tookPremium(premium, account, entry, refusal)
}

// refundPremium gives back what was paid of a premium.
func (w *town) refundPremium(id family.PremiumID) *family.Refusal {
	p := w.premiums[id]
	var payer family.Account
	if n := p.Standing(); n > 0 {
		payer = w.accounts[p.Payments[n-1].Payer]
	}
	premium, account, entry, refusal := family.RefundPremium(p, payer, w.now)
	return w.tookPremium(premium, account, entry, refusal)
}

func (w *town) tookPremium(p family.Premium, account family.Account, entry family.Entry, refusal *family.Refusal) *family.Refusal {
	if refusal == nil {
		w.premiums[p.ID], w.accounts[account.Person] = p, account
		w.entries[account.Person] = append(w.entries[account.Person], entry)
	}
	return refusal
}

func cloneLists[K cmp.Ordered, V any](m map[K][]V) map[K][]V {
	c := make(map[K][]V, len(m))
	for k, v := range m {
		c[k] = slices.Clip(v)
	}
	return c
}

// refusedWith fails unless a refusal has a code; "" is no refusal.
func refusedWith(t testing.TB, refusal *family.Refusal, want family.Code) {
	t.Helper()
	var got family.Code
	if refusal != nil {
		got = refusal.Code
	}
	if got != want {
		t.Fatalf("refused with %q, want %q (%v)", got, want, refusal)
	}
}
