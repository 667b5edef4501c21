package app

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gongji/shared/family"
	"gongji/shared/store"
)

// Repaired is what a repair did and what it had to leave.
type Repaired struct {
	// Done says in words what was done, one line a repair.
	Done []string
	// Quarantined are the people whose accounts it froze, each with the reason.
	Quarantined map[family.PersonNo]string
	// Left are the faults that it could do nothing about: records that are damaged
	// and that nothing else holds.
	Left []family.Fault
}

// Repair puts right what a proof found. What can be written again from records that
// are whole is: an entry from its settlement, an account from its entries, a code, a
// box, a list, an index from what they follow from. Where the halves of a binding do
// not agree, the narrower stands, for a grant needs both. What cannot be known any
// more is set apart: the account is frozen, a message whose record is gone is closed,
// so that nothing moves until somebody has looked into it. No repair moves money, and
// each is written down beside what it wrote, in the same commit; done again it does
// nothing.
//
// quarantine tells whether what stays wrong is frozen now. Whoever repairs a range
// of days does so when all of them are mended: what is missing on one day may follow
// from another. by says who had it done.
func (a *App) Repair(ctx context.Context, proof Proof, quarantine bool, by string) (Repaired, error) {
	r := &repairer{App: a, by: by, credits: proof.suspects.credits, out: Repaired{Quarantined: map[family.PersonNo]string{}}}
	s := proof.suspects
	for _, id := range slices.Sorted(maps.Keys(s.messages)) {
		if err := r.message(ctx, id); err != nil {
			return r.out, err
		}
	}
	for _, reference := range slices.Sorted(maps.Keys(s.credits)) {
		if err := r.credit(ctx, reference, s.credits[reference]); err != nil {
			return r.out, err
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(s.records), compareKeys) {
		if err := r.record(ctx, k); err != nil {
			return r.out, err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.bindings)) {
		if err := r.binding(ctx, id, slices.Sorted(maps.Keys(s.bindings[id]))); err != nil {
			return r.out, err
		}
	}
	for _, p := range slices.Sorted(maps.Keys(s.people)) {
		if err := r.account(ctx, p, s.people[p], quarantine); err != nil {
			return r.out, err
		}
	}
	if !quarantine {
		return r.out, nil
	}
	for _, id := range slices.Sorted(maps.Keys(s.lost)) {
		if err := r.lost(ctx, id, slices.Sorted(maps.Keys(s.lost[id]))); err != nil {
			return r.out, err
		}
	}
	return r.out, nil
}

func compareKeys(a, b store.Key) int {
	return cmp.Or(cmp.Compare(a.Part, b.Part), cmp.Compare(a.Sort, b.Sort))
}

// repairer carries out the repairs of one proof.
type repairer struct {
	*App
	by      string
	credits map[string]leg
	out     Repaired
}

// mend carries out one repair: decide puts what is to be written, and says what it
// did; nothing put is nothing to repair.
func (r *repairer) mend(ctx context.Context, decide func(*tx) (string, error)) error {
	now := r.now()
	id, err := r.newID(now)
	if err != nil {
		return err
	}
	what, err := act(ctx, r.App, func(t *tx) (string, error) {
		what, err := decide(t)
		if err != nil || what == "" {
			return "", err
		}
		record := repairRecord{At: now, By: r.by, What: what}
		for _, s := range t.order {
			if s.write == nil {
				continue
			}
			record.Keys = append(record.Keys, s.record.Key)
			if s.record.Exists() && len(s.record.Body) == 0 {
				was, err := r.raw(ctx, s.record.Key)
				if err != nil {
					return "", err
				}
				record.Was = append(record.Was, was)
			}
		}
		if record.Keys == nil {
			return "", nil
		}
		return what, add(t, repairKey(id), record)
	})
	if err == nil && what != "" {
		r.out.Done = append(r.out.Done, what)
	}
	return err
}

// maxWas bounds what is kept of a damaged body, in bytes.
const maxWas = 64 << 10

// raw returns a damaged record's body as it lies in the store, so that whoever looks
// into it still has it.
func (r *repairer) raw(ctx context.Context, k store.Key) (string, error) {
	records, err := r.store.store.Get(ctx, k)
	if err != nil {
		return "", err
	}
	return string(records[0].Body[:min(len(records[0].Body), maxWas)]), nil
}

// half returns a record that was read, if it is there and whole.
func half[T any](t *tx, r ref[T]) (*T, bool) {
	body, found, err := get(t, r)
	if err != nil || !found {
		return nil, false
	}
	return &body, true
}

// account rebuilds a person's books: entries that are missing or damaged from what
// says that they are there, and what the account counts from the entries.
func (r *repairer) account(ctx context.Context, p family.PersonNo, claimed claims, quarantine bool) error {
	for { // a commit has room for so many entries at a time
		b, err := r.books(ctx, p)
		if err != nil {
			return err
		}
		rebuilt, why, err := r.rebuild(ctx, p, b, claimed)
		if err != nil {
			return err
		}
		if why != "" {
			if quarantine {
				return r.freeze(ctx, p, why)
			}
			return nil
		}
		some := rebuilt.missing[:min(len(rebuilt.missing), maxMended)]
		if err := r.mend(ctx, func(t *tx) (string, error) { return r.putBooks(t, p, rebuilt, some) }); err != nil {
			return err
		}
		if len(some) == len(rebuilt.missing) {
			return nil
		}
	}
}

// maxMended bounds the entries that one commit writes again.
const maxMended = 50

// rebuiltBooks are an account's entries as they must have been.
type rebuiltBooks struct {
	entries []family.Entry
	missing []family.Entry // of them, that are not there or damaged
}

// rebuild says what the books of a person must be, or why nobody can know.
func (r *repairer) rebuild(ctx context.Context, p family.PersonNo, b books, claimed claims) (out rebuiltBooks, why string, err error) {
	newest := b.newest
	if b.account != nil {
		newest = max(newest, b.account.Account.Seq)
	}
	for seq := range claimed {
		newest = max(newest, seq)
	}
	// Past the account's newest, too, entries may be there.
	all, err := r.entriesOf(ctx, p)
	if err != nil {
		return out, "", err
	}
	for _, k := range b.damaged {
		var seq uint64
		if _, err := fmt.Sscanf(k.Sort, entryPrefix+"%d", &seq); err == nil {
			newest = max(newest, seq)
		}
	}
	var before family.Entry
	for seq := uint64(1); seq <= newest; seq++ {
		e, there := all[seq]
		if there && e.Account == p && e.Follows(before) {
			out.entries, before = append(out.entries, e), e
			continue
		}
		candidates, err := r.candidates(ctx, p, seq, before, claimed)
		if err != nil {
			return out, "", err
		}
		at := slices.IndexFunc(candidates, func(c family.Entry) bool {
			if next, found := all[seq+1]; found {
				return next.Prev == c.Hash()
			}
			return b.account == nil || b.account.Account.Seq != seq || b.account.Account.Head == c.Hash()
		})
		switch {
		case there:
			return out, fmt.Sprintf("entry %d does not follow from the one before it", seq), nil
		case at < 0:
			return out, fmt.Sprintf("entry %d is missing, and nothing says what it was", seq), nil
		}
		e = candidates[at]
		out.entries, out.missing, before = append(out.entries, e), append(out.missing, e), e
	}
	if faults := family.ProveAccount(derived(p, b.account, out.entries).Account, out.entries); len(faults) > 0 {
		return out, faults[0].What, nil
	}
	return out, "", nil
}

// entriesOf returns all whole entries of a person, by number, also those of which
// the account does not know.
func (r *repairer) entriesOf(ctx context.Context, p family.PersonNo) (map[uint64]family.Entry, error) {
	all := map[uint64]family.Entry{}
	list := store.Range{Part: accountKey(p).Part, Prefix: entryPrefix, Limit: store.MaxList}
	for {
		records, err := r.list(ctx, list)
		if err != nil {
			return nil, err
		}
		for i := range records {
			var e family.Entry
			if decode(ref[family.Entry](records[i].Key), records[i].Body, &e) == nil {
				all[e.Seq] = e
			}
		}
		if len(records) < list.Limit {
			return all, nil
		}
		list.After = records[len(records)-1].Key.Sort
	}
}

// candidates returns the entries that can have stood at a number, by what says that
// one did; the one that the grant as it stands speaks for comes first.
func (r *repairer) candidates(ctx context.Context, p family.PersonNo, seq uint64, before family.Entry, claimed claims) ([]family.Entry, error) {
	c := claimed[seq]
	if c.credit != "" {
		credits, _, err := look(ctx, r.App, creditKey(c.credit))
		if err != nil || credits[0] == nil {
			return nil, err
		}
		e := family.Entry{
			Account: p, Seq: seq, At: credits[0].At, Kind: credits[0].kind(), Ref: c.credit, Reason: credits[0].Reason,
			Delta: credits[0].Amount, After: before.After.Plus(credits[0].Amount),
		}
		if before.Seq > 0 {
			e.Prev = before.Hash()
		}
		return []family.Entry{e}, nil
	}
	if c.message == "" {
		return nil, nil
	}
	messages, _, err := look(ctx, r.App, messageKey(c.message))
	if err != nil || messages[0] == nil || messages[0].Settlement == nil {
		return nil, err
	}
	s := messages[0].Settlement
	at := slices.IndexFunc(s.Legs, func(l family.Posting) bool { return l.Account == p && l.Seq == seq })
	if at < 0 {
		return nil, nil
	}
	candidates := s.EntriesOf(s.Legs[at], before)
	if len(candidates) == 2 {
		counts, err := r.countsOn(ctx, p, s)
		if err != nil {
			return nil, err
		}
		if !counts {
			slices.Reverse(candidates)
		}
	}
	return candidates, nil
}

// countsOn tells whether what comes back to a grantor counts on his grant as it
// stands: whether it was given before the sale.
func (r *repairer) countsOn(ctx context.Context, p family.PersonNo, back *family.Settlement) (bool, error) {
	sales, _, err := look(ctx, r.App, messageKey(back.Original))
	if err != nil || sales[0] == nil || sales[0].Settlement == nil {
		return true, err
	}
	accounts, _, err := look(ctx, r.App, accountKey(p))
	if err != nil || accounts[0] == nil {
		return true, err
	}
	for _, g := range accounts[0].Account.Given {
		for _, leg := range sales[0].Settlement.Legs {
			if leg.Account == p && slices.ContainsFunc(back.Shares, func(s family.Share) bool { return s.Binding == g.Binding }) {
				return leg.Seq > g.Since, nil
			}
		}
	}
	return false, nil
}

// putBooks writes missing entries, and with the last of them the account.
func (r *repairer) putBooks(t *tx, p family.PersonNo, rebuilt rebuiltBooks, some []family.Entry) (string, error) {
	accountRef := accountKey(p)
	keys := []keyed{accountRef}
	for _, e := range some {
		keys = append(keys, entryKey(p, e.Seq))
	}
	if err := t.read(keys...); err != nil {
		return "", err
	}
	account, whole := half(t, accountRef)
	if whole && account.Account.Seq > uint64(len(rebuilt.entries)) {
		return "", nil // something was settled meanwhile: the next proof sees it
	}
	for _, e := range some {
		if err := put(t, entryKey(p, e.Seq), e); err != nil {
			return "", err
		}
	}
	if len(some) < len(rebuilt.missing) {
		return fmt.Sprintf("%d entries of %s are written again", len(some), p), nil
	}
	next := derived(p, account, rebuilt.entries)
	if next.Quarantine != "" {
		r.out.Quarantined[p] = next.Quarantine
	}
	if len(some) == 0 && whole && len(family.ProveAccount(account.Account, rebuilt.entries)) == 0 {
		return "", nil
	}
	return fmt.Sprintf("%d entries of %s are written again, and the account is as its %d entries say", len(some), p, len(rebuilt.entries)), put(t, accountRef, next)
}

// derived returns an account as its entries say. How a person is insured and what he
// granted nobody else holds: where the account is gone he is frozen until the insurer
// has fed him again, and grants are given anew.
func derived(p family.PersonNo, account *accountRecord, entries []family.Entry) accountRecord {
	if account == nil {
		account = &accountRecord{Account: family.Account{Person: p, Frozen: true}, Quarantine: "the account was lost or damaged: feed the person again"}
	}
	next := *account
	next.Account = family.Derive(account.Account, entries)
	if next.Account.Year.Year < account.Account.Year.Year && next.Account.Year == (family.YearToDate{}) {
		next.Account.Year.Year = account.Account.Year.Year
	}
	return next
}

// freeze freezes an account with the reason. One that is not whole is left: nobody
// can spend from it.
func (r *repairer) freeze(ctx context.Context, p family.PersonNo, why string) error {
	r.out.Quarantined[p] = why
	return r.mend(ctx, func(t *tx) (string, error) {
		accountRef := accountKey(p)
		if err := t.read(accountRef); err != nil {
			return "", err
		}
		account, whole := half(t, accountRef)
		if !whole || account.Account.Frozen && account.Quarantine != "" {
			return "", nil
		}
		account.Account.Frozen, account.Quarantine = true, why
		return fmt.Sprintf("%s is frozen: %s", p, why), put(t, accountRef, *account)
	})
}

// lost closes a message whose record is gone while entries of it stand, and freezes
// those it concerns.
func (r *repairer) lost(ctx context.Context, id family.MessageID, people []family.PersonNo) error {
	err := r.mend(ctx, func(t *tx) (string, error) {
		messageRef := messageKey(id)
		if err := t.read(messageRef); err != nil {
			return "", err
		}
		if m, whole := half(t, messageRef); whole && (m.Settlement != nil || m.State == messageLost) {
			return "", nil
		}
		return fmt.Sprintf("the message %s moved money and its record is lost: it is closed", id), put(t, messageRef, messageRecord{State: messageLost, At: r.now()})
	})
	if err != nil {
		return err
	}
	for _, p := range people {
		if p == "" {
			continue // a damaged message that moved nothing, or whose entries are told of by themselves
		}
		if err := r.freeze(ctx, p, "the record of "+string(id)+" is lost: ask the institution for it"); err != nil {
			return err
		}
	}
	return nil
}

// message puts right what follows from a settlement: its code, its boxes, its place
// in the list of its day, and the sale that it gave back.
func (r *repairer) message(ctx context.Context, id family.MessageID) error {
	return r.mend(ctx, func(t *tx) (string, error) {
		messageRef := messageKey(id)
		if err := t.read(messageRef); err != nil {
			return "", err
		}
		m, whole := half(t, messageRef)
		if !whole || m.Settlement == nil {
			return "", nil
		}
		for _, put := range []func(*tx, *messageRecord) error{r.putCode, r.putBoxes, r.putLate, r.putOriginal} {
			if err := put(t, m); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("what the settlement %s did to its code, boxes, list and original", id), nil
	})
}

func (r *repairer) putCode(t *tx, m *messageRecord) error {
	if m.Code == "" || r.now().After(m.At.Add(qrKeep)) {
		return nil
	}
	codeRef := qrKey(r.vault.QRHash(r.digits(m.Code)))
	if err := t.read(codeRef); err != nil {
		return err
	}
	s := m.Settlement
	code, whole := half(t, codeRef)
	switch {
	case whole && code.Token.State == family.QRStateSpent:
		return nil // as it should be, or by another: both stand, and the proof says so
	case !whole:
		code = &qrRecord{Token: family.QRToken{ID: m.Code, Patient: s.Patient, Presenter: s.Presenter, Issued: s.At, Expires: s.At}}
	}
	code.Token = code.Token.Spend(s.ID)
	return putUntil(t, codeRef, *code, code.Token.Expires.Add(qrKeep))
}

func (r *repairer) putBoxes(t *tx, m *messageRecord) error {
	s := m.Settlement
	if s.Kind != family.Settled || len(s.Kept) != len(s.Lines) {
		return nil
	}
	for i, l := range s.Lines {
		for _, code := range l.TraceCodes {
			boxRef := boxKey(code)
			if err := t.read(boxRef); err != nil {
				return err
			}
			box, whole := half(t, boxRef)
			sold := whole && box.SoldBy == s.ID
			switch {
			case s.Kept[i] > 0 && !sold && (!whole || box.SoldBy == ""):
				if err := put(t, boxRef, boxRecord{SoldBy: s.ID}); err != nil {
					return err
				}
			case s.Kept[i] == 0 && (sold || !whole):
				if err := put(t, boxRef, boxRecord{}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *repairer) putLate(t *tx, m *messageRecord) error {
	settled := family.DayOf(m.At)
	if settled == m.Settlement.ID.Day() {
		return nil
	}
	lateRef := lateKey(m.Settlement.ID, settled)
	if err := t.read(lateRef); err != nil {
		return err
	}
	if to, whole := half(t, lateRef); whole && to.To == string(m.Settlement.ID) {
		return nil
	}
	return put(t, lateRef, pointerRecord{To: string(m.Settlement.ID)})
}

// putOriginal tells a sale of a refund of it.
func (r *repairer) putOriginal(t *tx, m *messageRecord) error {
	back := m.Settlement
	if back.Kind == family.Settled {
		return nil
	}
	if _, err := family.ParseMessageID(string(back.Original)); err != nil {
		return nil
	}
	saleRef := messageKey(back.Original)
	if err := t.read(saleRef); err != nil {
		return err
	}
	sale, whole := half(t, saleRef)
	if !whole || sale.Settlement == nil || slices.Contains(sale.Settlement.Refunds, back.ID) {
		return nil
	}
	after := sale.Settlement.Redo([]family.Settlement{*back})
	if len(family.ProveSettlement(after)) > 0 {
		return nil
	}
	sale.Settlement = &after
	return put(t, saleRef, *sale)
}

// binding lets the narrower of a binding's halves stand: a grant that both accounts
// and the binding do not hold alike ends, and the lists and limits follow the binding.
func (r *repairer) binding(ctx context.Context, id family.BindingID, named []family.PersonNo) error {
	gone := false
	err := r.mend(ctx, func(t *tx) (string, error) {
		bindingRef := bindingKey(id)
		if err := t.read(bindingRef); err != nil {
			return "", err
		}
		bound, whole := half(t, bindingRef)
		gone = t.slots[store.Key(bindingRef)].record.Exists() && !whole
		people := slices.Clone(named)
		if whole {
			people = append(people, bound.Binding.Holder, bound.Binding.Member)
		}
		slices.Sort(people)
		people = slices.Compact(people)
		if err := r.narrow(t, id, bindingRef, bound, people); err != nil {
			return "", err
		}
		for _, p := range people {
			if err := r.relist(t, p, id, bound); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("the binding %s: where its records did not agree, the narrower stands", id), nil
	})
	if err != nil {
		return err
	}
	bindings, _, err := look(ctx, r.App, bindingKey(id))
	if err == nil && bindings[0] != nil {
		whole, err := r.historyWhole(ctx, bindings[0].Binding)
		if err != nil {
			return err
		}
		if !whole {
			return r.freeze(ctx, bindings[0].Binding.Holder, "the history of his binding "+string(id)+" is not whole")
		}
	}
	if gone {
		r.out.Left = append(r.out.Left, family.Fault{Ref: string(id), What: "a damaged binding: it grants and shows nothing any more, and can be asked for anew"})
	}
	return err
}

// narrow ends the grant of a binding in all accounts that do not hold it as the
// binding does.
func (r *repairer) narrow(t *tx, id family.BindingID, bindingRef ref[bindingRecord], bound *bindingRecord, people []family.PersonNo) error {
	accounts := map[family.PersonNo]*accountRecord{}
	for _, p := range people {
		if err := t.read(accountKey(p)); err != nil {
			return err
		}
		if account, whole := half(t, accountKey(p)); whole {
			accounts[p] = account
		}
	}
	if bound != nil && accounts[bound.Binding.Holder] != nil && accounts[bound.Binding.Member] != nil &&
		granted(bound.Binding, accounts[bound.Binding.Holder].Account, accounts[bound.Binding.Member].Account) {
		return nil
	}
	for _, p := range people {
		account := accounts[p]
		if account == nil {
			continue
		}
		next := *account
		next.Account.Given = slices.DeleteFunc(slices.Clone(account.Account.Given), func(g family.Grant) bool { return g.Binding == id })
		next.Account.Grantors = slices.DeleteFunc(slices.Clone(account.Account.Grantors), func(g family.Grantor) bool { return g.Binding == id })
		if len(next.Account.Given) != len(account.Account.Given) || len(next.Account.Grantors) != len(account.Account.Grantors) {
			if err := put(t, accountKey(p), next); err != nil {
				return err
			}
		}
	}
	if bound != nil && bound.Binding.State == family.BindingActive && bound.Binding.Pay != nil {
		bound.Binding.Pay = nil
		return put(t, bindingRef, *bound)
	}
	return nil
}

// relist makes a side's list and limits follow the binding; one that is not there or
// damaged is let go.
func (r *repairer) relist(t *tx, p family.PersonNo, id family.BindingID, bound *bindingRecord) error {
	pointerRef, personRef := bindingPointerKey(p, id), personKey(p)
	if err := t.read(pointerRef, personRef); err != nil {
		return err
	}
	want := pointerRecord{}
	if bound != nil && bound.Binding.SideOf(p) != "" {
		want.To = string(id)
	}
	if has, whole := half(t, pointerRef); !whole && want.To != "" || whole && *has != want {
		if err := put(t, pointerRef, want); err != nil {
			return err
		}
	}
	person, whole := half(t, personRef)
	if !whole {
		return nil
	}
	next := slices.DeleteFunc(slices.Clone(person.Bound), func(b family.Bound) bool { return b.ID == id })
	if bound != nil && bound.Binding.Holder == p {
		next = reboundOf(person.Bound, bound.Binding)
	}
	if slices.Equal(next, person.Bound) {
		return nil
	}
	person.Bound = next
	return put(t, personRef, *person)
}

// record puts a single record right from what it follows from, or makes it one that
// does no harm.
func (r *repairer) record(ctx context.Context, k store.Key) error {
	kind, name, _ := strings.Cut(k.Part, "#")
	switch {
	case kind == "QR":
		return r.deadCode(ctx, ref[qrRecord](k))
	case kind == "TRACE":
		return r.freeBox(ctx, ref[boxRecord](k))
	case kind == "ID" || kind == "CARD":
		return r.index(ctx, ref[pointerRecord](k), name)
	case k.Part == placesPart:
		return rewrite(ctx, r, ref[pointerRecord](k), pointerRecord{To: k.Sort}, "the institution "+k.Sort+" is listed again")
	case kind == "INST":
		return rewrite(ctx, r, ref[family.Place](k), family.Place{Code: family.InstitutionCode(name)}, "the institution "+name+" is suspended until it is fed again")
	case kind == "ITEM":
		return rewrite(ctx, r, ref[catalogueRecord](k), catalogueRecord{}, "the item "+name+" is out of the catalogue until it is fed again")
	case kind == "GUESS":
		return rewrite(ctx, r, ref[guessesRecord](k), guessesRecord{}, "the bad codes of "+name+" are counted anew")
	case kind == "ONCE":
		return rewrite(ctx, r, ref[onceRecord](k), onceRecord{Fingerprint: "lost"}, "an answer that was given once is not given again")
	case kind == "CREDIT" && r.credits[name] != (leg{}):
		return nil // its entry has it
	case kind == "PERSON" && k.Sort == "P":
		return r.person(ctx, family.PersonNo(name))
	case kind == "PERSON" && strings.HasPrefix(k.Sort, bindingPrefix):
		id := strings.TrimPrefix(k.Sort, bindingPrefix)
		return rewrite(ctx, r, ref[pointerRecord](k), pointerRecord{To: id}, "the binding "+id+" is listed again")
	case kind == "PERSON":
		return rewrite(ctx, r, ref[pointerRecord](k), pointerRecord{}, "no code is taken for the one that "+name+" shows")
	}
	r.out.Left = append(r.out.Left, family.Fault{Ref: name, What: "a damaged record of kind " + kind + ": nothing else holds what it held"})
	return nil
}

// rewrite writes a record that is damaged or not there.
func rewrite[T any](ctx context.Context, r *repairer, k ref[T], body T, what string) error {
	return r.mend(ctx, func(t *tx) (string, error) {
		if err := t.read(k); err != nil {
			return "", err
		}
		if _, whole := half(t, k); whole {
			return "", nil
		}
		return what, putUntil(t, k, body, t.slots[store.Key(k)].record.Expires)
	})
}

// deadCode takes a code out of use that no settlement has spent, or that is not the
// newest: whoever shows it is asked for another.
func (r *repairer) deadCode(ctx context.Context, k ref[qrRecord]) error {
	return r.mend(ctx, func(t *tx) (string, error) {
		if err := t.read(k); err != nil {
			return "", err
		}
		code, whole := half(t, k)
		if !whole {
			code = &qrRecord{Token: family.QRToken{Issued: r.now(), Expires: r.now()}}
		}
		if whole && code.Token.State == family.QRStateSpent {
			if err := t.read(messageKey(code.Token.SpentBy)); err != nil {
				return "", err
			}
			if m, whole := half(t, messageKey(code.Token.SpentBy)); whole && (m.Code == code.Token.ID || m.Confirmation != nil || m.State == messageLost) {
				return "", nil
			}
		}
		code.Token.State, code.Token.SpentBy = family.QRStateReplaced, ""
		return "a code that nothing says anything about is out of use", putUntil(t, k, *code, code.Token.Expires.Add(qrKeep))
	})
}

// freeBox frees a box that no settlement sold.
func (r *repairer) freeBox(ctx context.Context, k ref[boxRecord]) error {
	return r.mend(ctx, func(t *tx) (string, error) {
		if err := t.read(k); err != nil {
			return "", err
		}
		_, code, _ := strings.Cut(k.Part, "#")
		if box, whole := half(t, k); whole {
			if box.SoldBy == "" {
				return "", nil
			}
			if err := t.read(messageKey(box.SoldBy)); err != nil {
				return "", err
			}
			if m, whole := half(t, messageKey(box.SoldBy)); whole && (m.State == messageLost || sells(m.Settlement, code)) {
				return "", nil
			}
		}
		return "a box that no settlement sold is free", put(t, k, boxRecord{})
	})
}

// index makes an index point at nobody who does not have that number; the person's
// own repair points it at him again.
func (r *repairer) index(ctx context.Context, k ref[pointerRecord], index string) error {
	return r.mend(ctx, func(t *tx) (string, error) {
		if err := t.read(k); err != nil {
			return "", err
		}
		if to, whole := half(t, k); whole {
			person := personKey(family.PersonNo(to.To))
			if to.To == "" {
				return "", nil
			}
			if err := t.read(person); err != nil {
				return "", err
			}
			if p, whole := half(t, person); whole && (p.IDIndex == index || p.CardIdx == index) {
				return "", nil
			}
		}
		return "a number is nobody's until its person is fed again", put(t, k, pointerRecord{})
	})
}

// credit writes a credit again from the entry that names it.
func (r *repairer) credit(ctx context.Context, reference string, at leg) error {
	return r.mend(ctx, func(t *tx) (string, error) {
		creditRef, entryRef := creditKey(reference), entryKey(at.person, at.seq)
		if err := t.read(creditRef, entryRef); err != nil {
			return "", err
		}
		e, there := half(t, entryRef)
		if _, whole := half(t, creditRef); whole || !there || e.Ref != reference {
			return "", nil
		}
		return "the credit " + reference + " as its entry has it", put(t, creditRef, creditRecord{at.person, e.Delta, e.At, e.Seq, e.Reason, e.Kind == family.RolledOver})
	})
}

// person makes a person's indexes point at him; one who is not there or damaged is
// nobody until the insurer has fed him again, and his account is frozen.
func (r *repairer) person(ctx context.Context, p family.PersonNo) error {
	known := false
	err := r.mend(ctx, func(t *tx) (string, error) {
		personRef := personKey(p)
		if err := t.read(personRef); err != nil {
			return "", err
		}
		person, whole := half(t, personRef)
		if known = whole; !whole {
			return fmt.Sprintf("%s is to be fed again", p), put(t, personRef, personRecord{})
		}
		for _, index := range []ref[pointerRecord]{idIndexKey(person.IDIndex), cardIndexKey(person.CardIdx)} {
			if strings.HasSuffix(index.Part, "#") {
				continue
			}
			if err := t.read(index); err != nil {
				return "", err
			}
			if to, whole := half(t, index); !whole || to.To == "" {
				if err := put(t, index, pointerRecord{To: string(p)}); err != nil {
					return "", err
				}
			}
		}
		return fmt.Sprintf("%s is found by his numbers again", p), nil
	})
	if err != nil || known {
		return err
	}
	return r.freeze(ctx, p, "who he is was lost or damaged: feed the person again")
}
