package app

import (
	"context"
	"fmt"
	"slices"

	"gongji/shared/family"
	"gongji/shared/store"
)

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
	if c.premium != "" {
		premiums, _, err := look(ctx, r.App, premiumKey(c.premium))
		if err != nil || premiums[0] == nil {
			return nil, err
		}
		e := premiumEntry(&premiums[0].Premium, p, seq, before)
		if e == nil {
			return nil, nil
		}
		if e.Kind != family.PremiumBack || e.Grant == "" {
			return []family.Entry{*e}, nil
		}
		late := *e // the grant was given anew meanwhile
		late.Month = 0
		return []family.Entry{*e, late}, nil
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
