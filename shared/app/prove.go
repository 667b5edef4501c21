package app

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"gongji/shared/family"
	"gongji/shared/store"
)

// Proof is what a proof of the books looked at and found. The books are in order
// when there are no faults.
type Proof struct {
	Institutions, Settlements, Accounts, Entries int
	Faults                                       []family.Fault
	// Next is the institution after which the proof of a day goes on; empty at the
	// end.
	Next string
	// suspects are what a repair has to look into.
	suspects suspects
}

// maxProof bounds the settlements that one call proves: it ends with the first
// institution past it.
const maxProof = 5_000

// errLost is the failure of whoever asks for a message that moved money and whose
// record a repair found gone. What became of it nobody can say from the books alone.
var errLost = errors.New("app: the message's record was lost, see its repair")

// suspects are the records that do not agree with others, by what has to be looked
// into together.
type suspects struct {
	// people are those whose books are not whole, with the entries that other
	// records say they have.
	people map[family.PersonNo]claims
	// messages are settlements that others do not agree with, and lost are those
	// that entries name and that are not there, with whom they concern.
	messages map[family.MessageID]bool
	lost     map[family.MessageID]map[family.PersonNo]bool
	// bindings are those whose halves do not agree, with who names them.
	bindings map[family.BindingID]map[family.PersonNo]bool
	// credits are those that entries name and that are not there, or damaged.
	credits map[string]leg
	// records are single ones that are put right from what they follow from, and bought
	// those of what was bought of items with a limit, which follow from sales.
	records, bought map[store.Key]bool
}

// claims are the entries of an account that whole records say are there, by number.
type claims map[uint64]claim

// claim is what says that an entry is there: a settlement's leg, a credit or a premium.
type claim struct {
	message family.MessageID
	credit  string
	premium family.PremiumID
}

func (s *suspects) person(p family.PersonNo) claims {
	if s.people == nil {
		s.people = map[family.PersonNo]claims{}
	}
	if s.people[p] == nil {
		s.people[p] = claims{}
	}
	return s.people[p]
}

func (s *suspects) message(id family.MessageID) {
	if s.messages == nil {
		s.messages = map[family.MessageID]bool{}
	}
	s.messages[id] = true
}

func (s *suspects) gone(id family.MessageID, p family.PersonNo) {
	if s.lost == nil {
		s.lost = map[family.MessageID]map[family.PersonNo]bool{}
	}
	if s.lost[id] == nil {
		s.lost[id] = map[family.PersonNo]bool{}
	}
	s.lost[id][p] = true
}

func (s *suspects) binding(id family.BindingID, people ...family.PersonNo) {
	if s.bindings == nil {
		s.bindings = map[family.BindingID]map[family.PersonNo]bool{}
	}
	if s.bindings[id] == nil {
		s.bindings[id] = map[family.PersonNo]bool{}
	}
	for _, p := range people {
		s.bindings[id][p] = true
	}
}

// leg is an entry by whose it is and its number.
type leg struct {
	person family.PersonNo
	seq    uint64
}

func (s *suspects) credit(reference string, p family.PersonNo, seq uint64) {
	if s.credits == nil {
		s.credits = map[string]leg{}
	}
	s.credits[reference] = leg{p, seq}
}

func (s *suspects) record(k store.Key) {
	if s.records == nil {
		s.records = map[store.Key]bool{}
	}
	s.records[k] = true
}

func (s *suspects) buys(k store.Key) {
	if s.bought == nil {
		s.bought = map[store.Key]bool{}
	}
	s.bought[k] = true
}

// found writes a fault down.
func (p *Proof) found(account family.PersonNo, seq uint64, ref, what string) {
	p.Faults = append(p.Faults, family.Fault{Account: account, Seq: seq, Ref: ref, What: what})
}

// damagedMessage writes down that a message is damaged. Whom it concerns, their
// entries say.
func (p *Proof) damagedMessage(k store.Key) {
	id := strings.TrimPrefix(k.Sort, messagePrefix)
	p.found("", 0, id, "the message is damaged")
	p.suspects.gone(family.MessageID(id), "")
}

// ProveDay proves every settlement of a day after an institution, and the account
// of everybody who took part: legs sum to zero, every leg is an entry, every entry
// is in its chain and has its settlement or credit, balances, caps and counters are
// what the entries say, codes are spent and boxes sold by what was settled.
func (a *App) ProveDay(ctx context.Context, day family.Day, after string) (Proof, error) {
	var proof Proof
	people := map[family.PersonNo]bool{}
	places := store.Range{Part: placesPart, After: after, Limit: store.MaxList}
	for {
		rows, err := a.list(ctx, places)
		if err != nil {
			return proof, err
		}
		for _, row := range rows {
			if proof.Settlements >= maxProof {
				proof.Next = places.After
				return proof, a.proveAll(ctx, &proof, people, day)
			}
			if err := a.proveDayOf(ctx, family.InstitutionCode(row.Key.Sort), day, &proof, people); err != nil {
				return proof, err
			}
			proof.Institutions++
			places.After = row.Key.Sort
		}
		if len(rows) < places.Limit {
			return proof, a.proveAll(ctx, &proof, people, day)
		}
	}
}

func (a *App) proveAll(ctx context.Context, proof *Proof, people map[family.PersonNo]bool, since family.Day) error {
	for _, p := range slices.Sorted(maps.Keys(people)) {
		if err := a.proveAccount(ctx, p, since, proof); err != nil {
			return err
		}
	}
	return nil
}

// ProveAccount derives a person's account from its entries, and finds the cause of
// each entry.
func (a *App) ProveAccount(ctx context.Context, p family.PersonNo) (Proof, error) {
	var proof Proof
	return proof, a.proveAccount(ctx, p, 0, &proof)
}

// proveAccount proves an account, and the causes of its entries from a day on.
func (a *App) proveAccount(ctx context.Context, p family.PersonNo, since family.Day, proof *Proof) error {
	books, err := a.books(ctx, p)
	if err != nil {
		return err
	}
	proof.Accounts++
	proof.Entries += len(books.entries)
	before := len(proof.Faults)
	for _, k := range books.damaged {
		proof.found(p, 0, "", "the entry "+k.Sort+" is damaged")
	}
	switch {
	case books.account == nil && books.unreadable:
		proof.found(p, 0, "", "the account is damaged")
	case books.account == nil:
		proof.found(p, 0, "", "there is no account")
	default:
		proof.Faults = append(proof.Faults, family.ProveAccount(books.account.Account, books.entries)...)
		if books.newest > books.account.Account.Seq {
			proof.found(p, books.newest, "", "the account does not know of its newest entries")
		}
	}
	if len(proof.Faults) > before {
		proof.suspects.person(p)
	}
	return a.proveCauses(ctx, p, books.entries, since, proof)
}

// books are an account with its entries, as far as they are whole.
type books struct {
	account    *accountRecord
	unreadable bool // the account is there and damaged
	entries    []family.Entry
	damaged    []store.Key // entries
	newest     uint64      // entry that is there, whether or not the account knows of it
}

// books reads an account with all of its entries that it knows of. What is settled
// meanwhile is left out.
func (a *App) books(ctx context.Context, p family.PersonNo) (books, error) {
	for range maxAttempts {
		b, moved, err := a.booksOnce(ctx, p)
		if err != nil || !moved {
			return b, err
		}
	}
	return books{}, family.Refuse(family.Busy)
}

func (a *App) booksOnce(ctx context.Context, p family.PersonNo) (b books, moved bool, err error) {
	read := func() (*accountRecord, bool, error) {
		records, damaged, err := look(ctx, a, accountKey(p))
		if err != nil {
			return nil, false, err
		}
		return records[0], damaged[0], nil
	}
	if b.account, b.unreadable, err = read(); err != nil {
		return b, false, err
	}
	r := store.Range{Part: accountKey(p).Part, Prefix: entryPrefix, Limit: store.MaxList}
	for {
		records, err := a.list(ctx, r)
		if err != nil {
			return b, false, err
		}
		page, damaged := whole[family.Entry](records)
		b.damaged = append(b.damaged, damaged...)
		for _, e := range page {
			if b.account == nil || e.Seq <= b.account.Account.Seq {
				b.entries = append(b.entries, e)
			}
			b.newest = max(b.newest, e.Seq)
		}
		if len(records) < r.Limit {
			break
		}
		r.After = records[len(records)-1].Key.Sort
	}
	if b.account != nil && b.newest > b.account.Account.Seq {
		// They came after the account was read, and the account with them; or the
		// account is an older one than they are.
		now, _, err := read()
		if err != nil {
			return b, false, err
		}
		moved = now != nil && now.Account.Seq > b.account.Account.Seq
	}
	return b, moved, nil
}

// proveCauses looks for what made each entry from a day on: a settlement that has
// it as a leg, a credit, or a premium.
func (a *App) proveCauses(ctx context.Context, p family.PersonNo, entries []family.Entry, since family.Day, proof *Proof) error {
	var settled, credited, premiums []family.Entry
	for _, e := range entries {
		switch _, err := family.ParseMessageID(e.Ref); {
		case family.DayOf(e.At) < since:
		case e.Kind.PaidIn():
			credited = append(credited, e)
		case e.Kind == family.PremiumPaid, e.Kind == family.PremiumBack:
			premiums = append(premiums, e)
		case err != nil:
			proof.found(p, e.Seq, e.Ref, "the entry names a message that is none")
		default:
			settled = append(settled, e)
		}
	}
	if err := a.provePremiums(ctx, p, premiums, proof); err != nil {
		return err
	}
	for some := range slices.Chunk(credited, store.MaxWrites) {
		refs := make([]ref[creditRecord], len(some))
		for i, e := range some {
			refs[i] = creditKey(e.Ref)
		}
		credits, _, err := look(ctx, a, refs...)
		if err != nil {
			return err
		}
		for i, e := range some {
			switch c := credits[i]; {
			case c == nil:
				proof.found(p, e.Seq, e.Ref, "the entry's credit is not there, or damaged")
				proof.suspects.credit(e.Ref, p, e.Seq)
			case !c.made(e):
				proof.found(p, e.Seq, e.Ref, "the entry's credit is another")
			}
			if e.Kind == family.Adjusted {
				if err := a.proveAdjusted(ctx, e, proof); err != nil {
					return err
				}
			}
		}
	}
	for some := range slices.Chunk(settled, store.MaxWrites) {
		refs := make([]ref[messageRecord], len(some))
		for i, e := range some {
			refs[i] = messageKey(family.MessageID(e.Ref))
		}
		messages, _, err := look(ctx, a, refs...) // a damaged one is as good as none
		if err != nil {
			return err
		}
		for i, e := range some {
			switch m := messages[i]; {
			case m != nil && m.State == messageLost: // a repair has written that down
			case m == nil, m.Settlement == nil:
				proof.found(p, e.Seq, e.Ref, "the entry's settlement is not there, or damaged")
				proof.suspects.gone(family.MessageID(e.Ref), p)
			case !slices.ContainsFunc(m.Settlement.Legs, func(l family.Posting) bool { return l.Account == p && l.Seq == e.Seq }):
				proof.found(p, e.Seq, e.Ref, "the entry's settlement does not know of it")
				proof.suspects.person(p)
			}
		}
	}
	return nil
}

// proveAdjusted wants two people to stand behind an entry that adjusted an account.
func (a *App) proveAdjusted(ctx context.Context, e family.Entry, proof *Proof) error {
	adjustments, _, err := look(ctx, a, adjustmentKey(e.Ref))
	if err == nil && (adjustments[0] == nil || !adjustments[0].Booked(e)) {
		proof.found(e.Account, e.Seq, e.Ref, "no two people stand behind the adjustment")
	}
	return err
}

// whole returns the bodies of the records that are as the house wrote them, and
// the keys of the others.
func whole[T any](records []store.Record) (bodies []T, damaged []store.Key) {
	for _, r := range records {
		var body T
		if err := decode(ref[T](r.Key), r.Body, &body); err != nil {
			damaged = append(damaged, r.Key)
			continue
		}
		bodies = append(bodies, body)
	}
	return bodies, damaged
}

// look reads records as many does, but goes past those that are damaged.
func look[T any](ctx context.Context, a *App, refs ...ref[T]) (bodies []*T, damaged []bool, err error) {
	keys := make([]store.Key, len(refs))
	for i, r := range refs {
		keys[i] = store.Key(r)
	}
	records, err := act(ctx, a, func(*tx) ([]store.Record, error) { return a.store.Get(ctx, keys...) })
	if err != nil {
		return nil, nil, err
	}
	bodies, damaged = make([]*T, len(refs)), make([]bool, len(refs))
	for i, r := range records {
		if !r.Exists() {
			continue
		}
		var body T
		if damaged[i] = decode(refs[i], r.Body, &body) != nil; !damaged[i] {
			bodies[i] = &body
		}
	}
	return bodies, damaged, nil
}

// proveDayOf proves the settlements of one institution.
func (a *App) proveDayOf(ctx context.Context, place family.InstitutionCode, day family.Day, proof *Proof, people map[family.PersonNo]bool) error {
	r := store.Range{Part: dayPart(place, day), Prefix: messagePrefix, Limit: store.MaxList}
	for {
		records, err := a.list(ctx, r)
		if err != nil {
			return err
		}
		messages, damaged := whole[messageRecord](records)
		for _, k := range damaged {
			proof.damagedMessage(k)
		}
		for _, m := range messages {
			if m.Settlement == nil {
				continue
			}
			for _, leg := range m.Settlement.Legs {
				if leg.Party == family.Personal {
					people[leg.Account] = true
				}
			}
			if err := a.proveMessage(ctx, m, proof); err != nil {
				return err
			}
		}
		if len(records) < r.Limit {
			return nil
		}
		r.After = records[len(records)-1].Key.Sort
	}
}

// proveMessage proves one settlement against everything that its commit wrote, and
// against the refunds that belong to it.
func (a *App) proveMessage(ctx context.Context, m messageRecord, proof *Proof) error {
	proof.Settlements++
	proof.Faults = append(proof.Faults, family.ProveSettlement(*m.Settlement)...)
	for _, prove := range []func(context.Context, messageRecord, *Proof) error{a.proveLegs, a.proveRefunds, a.proveCode, a.proveBoxes, a.proveLate, a.proveBought} {
		if err := prove(ctx, m, proof); err != nil {
			return err
		}
	}
	return nil
}

// proveLegs wants an entry for each leg.
func (a *App) proveLegs(ctx context.Context, m messageRecord, proof *Proof) error {
	s := m.Settlement
	var legs []family.Posting
	var refs []ref[family.Entry]
	for _, leg := range s.Legs {
		if leg.Party == family.Personal {
			legs, refs = append(legs, leg), append(refs, entryKey(leg.Account, leg.Seq))
		}
	}
	entries, damaged, err := look(ctx, a, refs...)
	if err != nil {
		return err
	}
	for i, e := range entries {
		what := ""
		switch {
		case damaged[i]:
			what = "the leg's entry is damaged"
		case e == nil:
			what = "the leg has no entry"
		case !entered(*s, legs[i], *e):
			what = "the leg's entry is another"
		}
		if what != "" {
			proof.found(legs[i].Account, legs[i].Seq, string(s.ID), what)
			proof.suspects.person(legs[i].Account)[legs[i].Seq] = claim{message: s.ID}
		}
	}
	return nil
}

// proveRefunds wants a settlement and what was given back of it to know of each
// other, and to sum up.
func (a *App) proveRefunds(ctx context.Context, m messageRecord, proof *Proof) error {
	s := m.Settlement
	others := s.Refunds
	if s.Kind != family.Settled {
		others = []family.MessageID{s.Original}
	}
	refs := make([]ref[messageRecord], len(others))
	for i, id := range others {
		if _, err := family.ParseMessageID(string(id)); err != nil {
			proof.found("", 0, string(s.ID), "the settlement names a message that is none")
			return nil
		}
		refs[i] = messageKey(id)
	}
	records, _, err := look(ctx, a, refs...) // one that is damaged is as good as none
	if err != nil {
		return err
	}
	var known []family.Settlement
	lost := 0
	for _, r := range records {
		if r != nil && r.Settlement != nil {
			known = append(known, *r.Settlement)
		}
		if r != nil && r.State == messageLost {
			lost++
		}
	}
	switch {
	case lost > 0: // the rest cannot be reckoned, and a repair has written that down
	case s.Kind == family.Settled:
		faults := family.ProveRefunds(*s, known)
		proof.Faults = append(proof.Faults, faults...)
		if len(faults) > 0 {
			for i, r := range records {
				if r == nil || r.Settlement == nil {
					proof.suspects.gone(others[i], s.Patient)
				}
			}
		}
	case len(known) == 0:
		proof.found("", 0, string(s.ID), "the original is not there, or damaged")
		proof.suspects.gone(s.Original, s.Patient)
	case !slices.Contains(known[0].Refunds, s.ID):
		proof.found("", 0, string(s.ID), "the original does not know of it")
		proof.suspects.message(s.ID)
	}
	return nil
}

// proveCode wants the code of a settlement to be spent by it, as long as the store
// keeps it.
func (a *App) proveCode(ctx context.Context, m messageRecord, proof *Proof) error {
	if m.Code == "" {
		return nil
	}
	codes, damaged, err := look(ctx, a, qrKey(a.vault.QRHash(a.digits(m.Code))))
	if err != nil {
		return err
	}
	id := m.Settlement.ID
	switch c := codes[0]; {
	case damaged[0]:
		proof.found("", 0, string(id), "the code of the settlement is damaged")
	case c == nil && a.now().After(m.At.Add(qrKeep)): // the store has forgotten it
		return nil
	case c == nil:
		proof.found("", 0, string(id), "the code of the settlement is not there")
	case c.Token.State != family.QRStateSpent || c.Token.SpentBy != id:
		proof.found("", 0, string(id), "the code is not spent by the settlement")
	default:
		return nil
	}
	proof.suspects.message(id)
	return nil
}

// proveBoxes wants the boxes of a sale to be sold by it as long as they are kept.
func (a *App) proveBoxes(ctx context.Context, m messageRecord, proof *Proof) error {
	s := m.Settlement
	if s.Kind != family.Settled || len(s.Kept) != len(s.Lines) {
		return nil
	}
	for i, l := range s.Lines {
		refs := make([]ref[boxRecord], len(l.TraceCodes))
		for n, code := range l.TraceCodes {
			refs[n] = boxKey(code)
		}
		if len(refs) == 0 {
			continue
		}
		boxes, damaged, err := look(ctx, a, refs...)
		if err != nil {
			return err
		}
		for n, b := range boxes {
			sold := b != nil && b.SoldBy == s.ID
			if !damaged[n] && sold != (s.Kept[i] > 0) {
				// What came back since the sale was read took its boxes with it.
				now, found, err := one(ctx, a, messageKey(s.ID))
				if err != nil {
					return err
				}
				if found && now.Settlement != nil && !slices.Equal(now.Settlement.Kept, s.Kept) {
					return nil
				}
			}
			if damaged[n] || sold != (s.Kept[i] > 0) {
				proof.found("", 0, string(s.ID), "a box of the settlement does not know what became of it")
				proof.suspects.message(s.ID)
			}
		}
	}
	return nil
}

// proveLate wants a settlement of another day than its message's to be found from
// its own day.
func (a *App) proveLate(ctx context.Context, m messageRecord, proof *Proof) error {
	settled := family.DayOf(m.At)
	if settled == m.Settlement.ID.Day() {
		return nil
	}
	late, _, err := look(ctx, a, lateKey(m.Settlement.ID, settled))
	if err == nil && (late[0] == nil || late[0].To != string(m.Settlement.ID)) {
		proof.found("", 0, string(m.Settlement.ID), "the settlement is not listed on its day")
		proof.suspects.message(m.Settlement.ID)
	}
	return err
}

// entered tells whether an entry is the one that a leg of a settlement made.
func entered(s family.Settlement, leg family.Posting, e family.Entry) bool {
	if e.Ref != string(s.ID) || e.Kind != s.Kind || !e.At.Equal(s.At) || e.Delta != leg.Delta {
		return false
	}
	if leg.Account == s.Patient {
		return e.Patient && e.Day == s.Basis.Day && e.Insutype == s.Basis.Insutype && e.Stay == s.MedType.IsStay() && e.Deductible == s.Paid.Deductible && e.Pool == s.Paid.FundPaid
	}
	return slices.ContainsFunc(s.Shares, func(share family.Share) bool {
		return share.Grantor == leg.Account && share.Binding == e.Grant && (e.Month == 0 || e.Month == s.Basis.Day.Month())
	})
}
