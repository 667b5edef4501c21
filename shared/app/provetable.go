package app

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"gongji/shared/family"
	"gongji/shared/store"
)

// TableProof is the proof of a part of the whole table.
type TableProof struct {
	Proof
	Records int
	// After is the key after which the proof goes on, and Complete tells that there
	// is nothing after it.
	After    store.Key
	Complete bool
}

// ProveTable proves at most limit records after a key, the zero Key for the first,
// each against every other that its commit wrote. It reads the store from end to
// end, which DynamoDB takes dear: it is for a table that was restored. An account is
// proved with all of its entries when its first record comes.
func (a *App) ProveTable(ctx context.Context, after store.Key, limit int) (TableProof, error) {
	proof := TableProof{After: after}
	for proof.Records < limit {
		records, err := act(ctx, a, func(*tx) ([]store.Record, error) {
			return a.store.Scan(ctx, proof.After, min(store.MaxList, limit-proof.Records))
		})
		if err != nil {
			return proof, err
		}
		if len(records) == 0 {
			proof.Complete = true
			break
		}
		for _, r := range records {
			if err := a.proveRecord(ctx, r, proof.After.Part != r.Key.Part, &proof.Proof); err != nil {
				return proof, err
			}
			proof.Records, proof.After = proof.Records+1, r.Key
		}
	}
	return proof, nil
}

// proveRecord proves one record; first tells that it is the first of its part.
func (a *App) proveRecord(ctx context.Context, r store.Record, first bool, proof *Proof) error {
	kind, name, _ := strings.Cut(r.Key.Part, "#")
	if kind == "ACCT" {
		if !first {
			return nil // proved with the first
		}
		return a.proveHolder(ctx, family.PersonNo(name), proof)
	}
	if len(r.Body) == 0 {
		return a.proveDamaged(ctx, r.Key, proof)
	}
	switch {
	case kind == "DAY" && strings.HasPrefix(r.Key.Sort, messagePrefix):
		return proveAs(r, func(m messageRecord) error {
			if m.Settlement == nil {
				return a.proveAsked(ctx, family.MessageID(strings.TrimPrefix(r.Key.Sort, messagePrefix)), m, proof)
			}
			return a.proveMessage(ctx, m, proof)
		})
	case kind == "CREDIT":
		return proveAs(r, func(c creditRecord) error { return a.proveCredit(ctx, name, c, proof) })
	case r.Key.Part == adjustmentsPart:
		return proveAs(r, func(j family.Adjustment) error { return a.proveAdjustment(ctx, j, proof) })
	case kind == "PREMIUM":
		return proveAs(r, func(p premiumRecord) error { return a.provePremium(ctx, p, proof) })
	case kind == "BIND" && r.Key.Sort == "B":
		return proveAs(r, func(b bindingRecord) error {
			if err := a.proveBinding(ctx, b.Binding, proof); err != nil {
				return err
			}
			return a.proveFollowers(ctx, b.Binding.ID, proof)
		})
	case kind == "PERSON" && r.Key.Sort == "P":
		return proveAs(r, func(p personRecord) error { return a.provePerson(ctx, family.PersonNo(name), p, proof) })
	case kind == "PERSON" && strings.HasPrefix(r.Key.Sort, bindingPrefix):
		id := family.BindingID(strings.TrimPrefix(r.Key.Sort, bindingPrefix))
		return proveAs(r, func(to pointerRecord) error {
			if to.To == "" { // a repair has let it go
				return nil
			}
			return a.proveNamed(ctx, family.PersonNo(name), id, proof)
		})
	case kind == "PERSON" && strings.HasPrefix(r.Key.Sort, noticePrefix):
		return proveAs(r, func(n noticeRecord) error { return a.proveNotice(ctx, r.Key, name, n, proof) })
	case kind == "ID" || kind == "CARD":
		return proveAs(r, func(to pointerRecord) error { return a.proveIndex(ctx, r.Key, name, to.To, proof) })
	case kind == "QR":
		return proveAs(r, func(q qrRecord) error { return a.proveToken(ctx, r.Key, name, q.Token, proof) })
	case kind == "TRACE":
		return proveAs(r, func(b boxRecord) error { return a.proveBox(ctx, r.Key, name, b, proof) })
	case kind == "BOUGHT":
		return proveAs(r, func(b boughtRecord) error { return a.provePurchases(ctx, r.Key, b, proof) })
	case kind == "INST":
		rows, _, err := look(ctx, a, placeRowKey(family.InstitutionCode(name)))
		if err == nil && (rows[0] == nil || rows[0].To != name) {
			proof.found("", 0, name, "the institution is not listed")
			proof.suspects.record(placeRowKey(family.InstitutionCode(name)).storeKey())
		}
		if err != nil {
			return err
		}
		return proveAs(r, func(p family.Place) error { return a.proveTerms(ctx, placeShelf, p.Name, name, proof) })
	case kind == "ITEM":
		return proveAs(r, func(c catalogueRecord) error {
			for _, v := range c.Versions {
				if err := a.proveTerms(ctx, itemShelf, v.Name, name, proof); err != nil {
					return err
				}
			}
			return nil
		})
	case kind == "FIND":
		return proveAs(r, func(to pointerRecord) error { return a.proveTerm(ctx, r.Key, to.To, proof) })
	case r.Key.Part == placesPart:
		places, damaged, err := look(ctx, a, placeKey(family.InstitutionCode(r.Key.Sort)))
		if err == nil && places[0] == nil && !damaged[0] {
			proof.found("", 0, r.Key.Sort, "the institution that is listed is not there")
			proof.suspects.record(placeKey(family.InstitutionCode(r.Key.Sort)).storeKey())
		}
		return err
	case kind == "ONCE":
		return proveAs(r, func(o onceRecord) error { return a.proveOnce(ctx, r.Key, o, proof) })
	}
	return nil // its stamp is right, and nothing else follows from it
}

// proveAs proves a record whose body is a T.
func proveAs[T any](r store.Record, prove func(T) error) error {
	var body T
	if err := decode(ref[T](r.Key), r.Body, &body); err != nil {
		return err
	}
	return prove(body)
}

// nameOf returns what a record is told of by: what its part names, or where one part
// holds them for the whole house, its place there.
func nameOf(k store.Key) string {
	_, name, _ := strings.Cut(k.Part, "#")
	return cmp.Or(name, k.Sort)
}

// proveDamaged tells of a damaged record, and what is to be looked into for it.
func (a *App) proveDamaged(ctx context.Context, k store.Key, proof *Proof) error {
	kind, name, _ := strings.Cut(k.Part, "#")
	what := "a record of kind " + kind + " is damaged"
	switch {
	case kind == "DAY" && strings.HasPrefix(k.Sort, messagePrefix):
		// Whom it concerns, their entries say.
		proof.damagedMessage(k)
		return nil
	case kind == "PERSON":
		proof.found(family.PersonNo(name), 0, "", what)
	default:
		proof.found("", 0, nameOf(k), what)
	}
	if kind == "BIND" && k.Sort == "B" {
		proof.suspects.binding(family.BindingID(name))
		return nil
	}
	if kind == "BOUGHT" {
		proof.suspects.buys(k)
		return nil
	}
	proof.suspects.record(k)
	return nil
}

// proveHolder proves an account, the bindings behind its grants, and that its owner
// is known.
func (a *App) proveHolder(ctx context.Context, p family.PersonNo, proof *Proof) error {
	if err := a.proveAccount(ctx, p, 0, proof); err != nil {
		return err
	}
	accounts, _, err := look(ctx, a, accountKey(p))
	if err != nil || accounts[0] == nil {
		return err
	}
	persons, damaged, err := look(ctx, a, personKey(p))
	if err != nil {
		return err
	}
	if persons[0] == nil && !damaged[0] {
		proof.found(p, 0, "", "nobody is known whose account this is")
		proof.suspects.record(personKey(p).storeKey())
	}
	for _, g := range accounts[0].Account.Given {
		if err := a.proveNamed(ctx, p, g.Binding, proof); err != nil {
			return err
		}
	}
	for _, g := range accounts[0].Account.Grantors {
		if err := a.proveNamed(ctx, p, g.Binding, proof); err != nil {
			return err
		}
	}
	return nil
}

// proveNamed wants a binding that a person's record names to be there and to agree.
func (a *App) proveNamed(ctx context.Context, p family.PersonNo, id family.BindingID, proof *Proof) error {
	bindings, _, err := look(ctx, a, bindingKey(id))
	if err != nil {
		return err
	}
	if b := bindings[0]; b == nil || b.Binding.SideOf(p) == "" {
		proof.found(p, 0, string(id), "the person's binding is not there, or damaged")
		proof.suspects.binding(id, p)
		return nil
	}
	return a.proveBinding(ctx, bindings[0].Binding, proof)
}

// proveBinding wants both sides of a binding to agree with it.
func (a *App) proveBinding(ctx context.Context, b family.Binding, proof *Proof) error {
	halves, err := a.halvesOf(ctx, b)
	if err != nil {
		return err
	}
	if what := halves.fault(b); what != "" {
		proof.found(b.Holder, 0, string(b.ID), what)
		proof.suspects.binding(b.ID, b.Holder, b.Member)
	}
	whole, err := a.historyWhole(ctx, b)
	if err == nil && !whole {
		proof.found(b.Holder, 0, string(b.ID), "the binding's history is not whole")
		proof.suspects.binding(b.ID, b.Holder, b.Member)
	}
	return err
}

// historyWhole tells whether a binding's history leads to it without a gap. A longer
// one than a list holds is not gone through.
func (a *App) historyWhole(ctx context.Context, b family.Binding) (bool, error) {
	if b.Events >= store.MaxList {
		return true, nil
	}
	records, err := a.list(ctx, store.Range{Part: bindingKey(b.ID).Part, Prefix: eventPrefix, Limit: store.MaxList})
	if err != nil {
		return false, err
	}
	events, damaged := whole[family.Event](records)
	return len(damaged) == 0 && len(family.ProveHistory(b, events)) == 0, nil
}

// halves are the records of both sides that tell of a binding.
type halves struct {
	holder, member *accountRecord
	person         *personRecord
	pointers       [2]*pointerRecord
}

func (a *App) halvesOf(ctx context.Context, b family.Binding) (h halves, err error) {
	accounts, _, err := look(ctx, a, accountKey(b.Holder), accountKey(b.Member))
	if err != nil {
		return h, err
	}
	persons, _, err := look(ctx, a, personKey(b.Holder))
	if err != nil {
		return h, err
	}
	pointers, _, err := look(ctx, a, bindingPointerKey(b.Holder, b.ID), bindingPointerKey(b.Member, b.ID))
	if err != nil {
		return h, err
	}
	return halves{accounts[0], accounts[1], persons[0], [2]*pointerRecord(pointers)}, nil
}

// fault says what of the halves does not agree with the binding; "" when all does.
// What is damaged or not there is told of where it lies.
func (h *halves) fault(b family.Binding) string {
	if h.holder != nil && h.member != nil && !granted(b, h.holder.Account, h.member.Account) {
		return "the binding and the accounts do not agree on the grant"
	}
	if h.person != nil && !slices.Equal(reboundOf(h.person.Bound, b), h.person.Bound) {
		return "the holder's limits do not count the binding as it is"
	}
	for _, p := range h.pointers {
		if p == nil || p.To != string(b.ID) {
			return "the binding is not listed on both sides"
		}
	}
	return ""
}

// granted tells whether both accounts hold the grant exactly as the binding has it.
func granted(b family.Binding, holder, member family.Account) bool {
	given := slices.IndexFunc(holder.Given, func(g family.Grant) bool { return g.Binding == b.ID })
	used := slices.Contains(member.Grantors, family.Grantor{Person: b.Holder, Binding: b.ID})
	if b.State != family.BindingActive || b.Pay == nil {
		return given < 0 && !used
	}
	if given < 0 || !used {
		return false
	}
	g, t := holder.Given[given], *b.Pay
	return g.Beneficiary == b.Member && g.Relation == b.Relation && g.Paused == b.Paused() && slices.Equal(g.Terms.Purposes, t.Purposes) &&
		g.Terms.MonthlyCap == t.MonthlyCap && g.Terms.PerSettlementCap == t.PerSettlementCap && g.Terms.Quota == t.Quota && g.Terms.ValidUntil == t.ValidUntil
}

// reboundOf returns a holder's live bindings with one as it is.
func reboundOf(bound []family.Bound, b family.Binding) []family.Bound {
	next := family.Rebound(bound, b)
	if b.Live() && !slices.ContainsFunc(next, func(o family.Bound) bool { return o.ID == b.ID }) {
		next = append(next, family.Bound{ID: b.ID, Member: b.Member, Relation: b.Relation, Show: b.Show, Pay: b.Pay != nil})
	}
	return next
}

// provePerson wants a person to have an account, to be found by his numbers, and
// the bindings that he counts to be there.
func (a *App) provePerson(ctx context.Context, p family.PersonNo, person personRecord, proof *Proof) error {
	accounts, damaged, err := look(ctx, a, accountKey(p))
	if err != nil {
		return err
	}
	if accounts[0] == nil && !damaged[0] {
		proof.found(p, 0, "", "the person has no account")
		proof.suspects.person(p)
	}
	var indexes []ref[pointerRecord]
	if person.IDIndex != "" {
		indexes = append(indexes, idIndexKey(person.IDIndex))
	}
	if person.CardIdx != "" {
		indexes = append(indexes, cardIndexKey(person.CardIdx))
	}
	if len(indexes) > 0 {
		to, _, err := look(ctx, a, indexes...)
		if err != nil {
			return err
		}
		for i := range indexes {
			if to[i] == nil || to[i].To != string(p) {
				proof.found(p, 0, "", "the person is not found by his number")
				proof.suspects.record(personKey(p).storeKey())
			}
		}
	}
	for _, b := range person.Bound {
		if err := a.proveNamed(ctx, p, b.ID, proof); err != nil {
			return err
		}
	}
	return nil
}

// proveIndex wants whom an index points at to have that number.
func (a *App) proveIndex(ctx context.Context, k store.Key, index, to string, proof *Proof) error {
	if to == "" {
		return nil
	}
	persons, damaged, err := look(ctx, a, personKey(family.PersonNo(to)))
	if err != nil || damaged[0] {
		return err
	}
	if p := persons[0]; p == nil || p.IDIndex != index && p.CardIdx != index {
		proof.found(family.PersonNo(to), 0, "", "an index points at a person who does not have that number")
		proof.suspects.record(k)
	}
	return nil
}

// proveCredit wants a credit's entry.
func (a *App) proveCredit(ctx context.Context, reference string, c creditRecord, proof *Proof) error {
	entries, _, err := look(ctx, a, entryKey(c.Person, c.Seq))
	if err != nil {
		return err
	}
	if e := entries[0]; e == nil || e.Ref != reference || !c.made(*e) {
		proof.found(c.Person, c.Seq, reference, "the credit has no entry, or another")
		proof.suspects.person(c.Person)[c.Seq] = claim{credit: reference}
	}
	return nil
}

// proveAdjustment wants the entry of an adjustment that is booked.
func (a *App) proveAdjustment(ctx context.Context, j family.Adjustment, proof *Proof) error {
	if j.State != family.AdjustmentBooked {
		return nil
	}
	entries, _, err := look(ctx, a, entryKey(j.Person, j.Seq))
	if err == nil && (entries[0] == nil || !j.Booked(*entries[0])) {
		proof.found(j.Person, j.Seq, j.Reference, "the adjustment has no entry, or another")
		proof.suspects.person(j.Person)[j.Seq] = claim{credit: j.Reference}
	}
	return err
}

// proveToken wants a spent code's settlement, and wants a code that is good to be
// the one that its presenter shows.
func (a *App) proveToken(ctx context.Context, k store.Key, hash string, t family.QRToken, proof *Proof) error {
	switch {
	case t.State == family.QRStateSpent:
		messages, damaged, err := look(ctx, a, messageKey(t.SpentBy))
		if err != nil {
			return err
		}
		if m := messages[0]; !damaged[0] && (m == nil || m.State != messageLost && m.Confirmation == nil && m.Code != t.ID) {
			proof.found("", 0, string(t.SpentBy), "a code is spent by a settlement that is not there")
			proof.suspects.record(k)
		}
	case t.StateAt(a.now()) == family.QRStateIssued:
		shown, damaged, err := look(ctx, a, currentQRKey(t.Presenter, t.Patient))
		if err != nil {
			return err
		}
		if damaged[0] || shown[0] == nil || shown[0].To != hash {
			proof.found("", 0, "", "a code is good that is not the newest")
			proof.suspects.record(k)
		}
	}
	return nil
}

// proveBox wants a sold box's settlement.
func (a *App) proveBox(ctx context.Context, k store.Key, code string, b boxRecord, proof *Proof) error {
	if b.SoldBy == "" {
		return nil
	}
	messages, damaged, err := look(ctx, a, messageKey(b.SoldBy))
	if err != nil {
		return err
	}
	if damaged[0] || messages[0] != nil && (messages[0].State == messageLost || sells(messages[0].Settlement, code)) {
		return nil
	}
	proof.found("", 0, string(b.SoldBy), "a box is sold by a settlement that did not sell it")
	proof.suspects.record(k)
	return nil
}

// sells tells whether a settlement sold a box that has not come back.
func sells(s *family.Settlement, code string) bool {
	if s == nil || len(s.Kept) != len(s.Lines) {
		return false
	}
	for i, l := range s.Lines {
		if s.Kept[i] > 0 && slices.Contains(l.TraceCodes, code) {
			return true
		}
	}
	return false
}

// proveOnce wants what a person was answered to be there.
func (a *App) proveOnce(ctx context.Context, k store.Key, o onceRecord, proof *Proof) error {
	if o.Answer == nil {
		return nil
	}
	var answer struct {
		Binding family.Binding
		Token   family.QRToken
	}
	if err := json.Unmarshal(o.Answer, &answer); err != nil {
		return nil // the answer to something that makes neither
	}
	there := true
	if answer.Binding.ID != "" {
		bindings, damaged, err := look(ctx, a, bindingKey(answer.Binding.ID))
		if err != nil {
			return err
		}
		there = bindings[0] != nil || damaged[0]
	}
	if id := answer.Token.ID; id != "" && a.now().Before(answer.Token.Expires.Add(qrKeep)) {
		codes, damaged, err := look(ctx, a, qrKey(a.vault.QRHash(a.digits(id))))
		if err != nil {
			return err
		}
		there = codes[0] != nil || damaged[0]
	}
	if !there {
		proof.found("", 0, "", "what a person was answered is not there")
		proof.suspects.record(k)
	}
	return nil
}

// join adds what another part of the same proof found.
func (p *Proof) join(o Proof) {
	p.Institutions += o.Institutions
	p.Settlements += o.Settlements
	p.Accounts += o.Accounts
	p.Entries += o.Entries
	p.Faults = append(p.Faults, o.Faults...)
	p.suspects.join(o.suspects)
}

func (s *suspects) join(o suspects) {
	for p, claimed := range o.people {
		maps.Copy(s.person(p), claimed)
	}
	for id := range o.messages {
		s.message(id)
	}
	for id, people := range o.lost {
		for p := range people {
			s.gone(id, p)
		}
	}
	for id, people := range o.bindings {
		s.binding(id, slices.Collect(maps.Keys(people))...)
	}
	for reference, at := range o.credits {
		s.credit(reference, at.person, at.seq)
	}
	for k := range o.records {
		s.record(k)
	}
	for k := range o.bought {
		s.buys(k)
	}
}
