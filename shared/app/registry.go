package app

import (
	"context"
	"errors"
	"strings"

	"gongji/shared/family"
)

// Identity is a person by both factors, as the civil registry knows people.
type Identity struct {
	Name string
	ID   family.IDNumber
}

// RegistryQuestion is what the civil registry is asked: are these two who they are
// said to be, and is the member to the holder what is said?
type RegistryQuestion struct {
	Holder, Member Identity
	Relation       family.Relation
	// Face is a token of the holder's face, passed through as it came; empty where
	// the region asks for none.
	Face string
}

// Registry is a civil registry outside the house. It answers in its own time bound:
// what fails, or takes too long, cannot say.
type Registry interface {
	Ask(context.Context, RegistryQuestion) family.RegistryAnswer
}

// KinFeed is what the civil registry tells of a person, as operators feed it in.
type KinFeed struct {
	Identity
	Deceased bool
	// Complete tells that Relations are all that there are.
	Complete  bool
	Relations []KinRelation
}

// KinRelation is one relative: what he is to the person.
type KinRelation struct {
	ID       family.IDNumber
	Relation family.Relation
}

// maxRelations bounds the relatives of one person in the registry.
const maxRelations = 50

// FeedRegistry takes over what the civil registry says of a person. It replaces what
// was there, so a wrong entry is corrected by the right one. Of bindings that it no
// longer carries nothing is paid to or by the dead from then on; [App.TendPerson] or
// the next sweep ends them.
func (a *App) FeedRegistry(ctx context.Context, in KinFeed) (Fed, error) {
	if in.Name == "" || len(in.Name) > maxNameBytes {
		return "", &family.Refusal{Code: family.Malformed, Field: "name", Detail: "a name has 1 to 150 bytes"}
	}
	if len(in.Relations) > maxRelations {
		return "", &family.Refusal{Code: family.Malformed, Field: "relations", Detail: "at most 50 relatives"}
	}
	next := registryRecord{Name: a.vault.Index("name", in.Name), Deceased: in.Deceased, Complete: in.Complete, Relations: map[string]family.Relation{}}
	for _, r := range in.Relations {
		next.Relations[a.vault.Index("id_no", string(r.ID))] = r.Relation
	}
	index, today := a.vault.Index("id_no", string(in.ID)), family.DayOf(a.now())
	return act(ctx, a, func(t *tx) (Fed, error) {
		ref, personIndex := registryKey(index), idIndexKey(index)
		if err := t.load([]keyed{ref}, []keyed{personIndex}); err != nil {
			return "", err
		}
		pointer, _, err := get(t, personIndex)
		if err != nil {
			return "", err
		}
		person := family.PersonNo(pointer.To) // insured under the number, if anybody is
		has, known, err := get(t, ref)
		if err != nil || known && has.equal(next) {
			return FedUnchanged, err
		}
		if err := put(t, ref, next); err != nil {
			return "", err
		}
		if person != "" {
			if err := bury(t, person, next.Deceased); err != nil {
				return "", err
			}
			if err := remind(t, today, ofPerson+string(person)); err != nil {
				return "", err
			}
		}
		if known {
			return FedUpdated, nil
		}
		return FedCreated, nil
	})
}

// bury notes in a person's account that he has died, or that he has not after all.
func bury(t *tx, p family.PersonNo, deceased bool) error {
	ref := accountKey(p)
	if err := t.read(ref); err != nil {
		return err
	}
	account, found, err := get(t, ref)
	if err != nil || !found || account.Account.Deceased == deceased {
		return err
	}
	account.Account.Deceased = deceased
	return put(t, ref, account)
}

func (r registryRecord) equal(s registryRecord) bool {
	if r.Name != s.Name || r.Deceased != s.Deceased || r.Complete != s.Complete || len(r.Relations) != len(s.Relations) {
		return false
	}
	for index, relation := range r.Relations {
		if s.Relations[index] != relation {
			return false
		}
	}
	return true
}

// says returns what the registry's table says of a relation between two of whom at
// least one is known: the name index is compared where it is given. A member without an
// ID number has no index: the registry does not know him yet.
func says(holder, member *registryRecord, holderName, memberName, holderIndex, memberIndex string, relation family.Relation) family.RegistryAnswer {
	for _, side := range []struct {
		record *registryRecord
		name   string
	}{{holder, holderName}, {member, memberName}} {
		if side.record != nil && (side.record.Deceased || side.name != "" && side.record.Name != side.name) {
			return family.NoMatch
		}
	}
	said := family.CannotSay
	if memberIndex == "" {
		return said
	}
	look := func(of *registryRecord, other string, kin family.Kin) {
		if of == nil {
			return
		}
		known, found := of.Relations[other]
		switch {
		case found && known.Kin() == kin:
			if said == family.CannotSay {
				said = family.Match
			}
		case found, of.Complete:
			said = family.NoMatch
		}
	}
	look(holder, memberIndex, relation.Kin())
	look(member, holderIndex, relation.Kin().Inverse())
	return said
}

// asked asks the table, and what it cannot say the registry outside.
func (a *App) asked(ctx context.Context, q RegistryQuestion) (family.RegistryAnswer, error) {
	holderIndex, memberIndex := a.vault.Index("id_no", string(q.Holder.ID)), a.vault.Index("id_no", string(q.Member.ID))
	records, err := many(ctx, a, registryKey(holderIndex), registryKey(memberIndex))
	if err != nil {
		return "", err
	}
	if q.Member.ID == "" {
		return says(records[0], nil, a.vault.Index("name", q.Holder.Name), "", holderIndex, "", q.Relation), nil
	}
	said := says(records[0], records[1], a.vault.Index("name", q.Holder.Name), a.vault.Index("name", q.Member.Name), holderIndex, memberIndex, q.Relation)
	if said == family.CannotSay && a.registry != nil {
		said = a.registry.Ask(ctx, q)
	}
	return said, nil
}

// maxFace bounds a face token, which nobody here reads.
const maxFace = 8 << 10

// examine does what has to be done outside the store before a promise is taken: it
// looks at papers that have come, and asks the civil registry. Only whom mine lets
// see the binding causes any of it.
func (a *App) examine(ctx context.Context, id family.BindingID, face string, mine func(family.Binding) bool) (family.RegistryAnswer, error) {
	if len(face) > maxFace || strings.ContainsAny(face, "\r\n\x00") {
		return "", &family.Refusal{Code: family.Malformed, Field: "face_token", Detail: "at most 8192 bytes in one line"}
	}
	if !id.Valid() {
		return family.CannotSay, nil // the act says so
	}
	record, found, err := one(ctx, a, bindingKey(id))
	if err != nil || !found || !mine(record.Binding) || record.Binding.State != family.BindingDraft {
		return family.CannotSay, err
	}
	for _, paper := range record.Binding.Awaited() {
		refusal := (*family.Refusal)(nil)
		if err := a.ReceivePaper(ctx, paper); err != nil && !errors.As(err, &refusal) {
			return "", err
		} else if refusal != nil && refusal.Code.Malformed() {
			return "", refusal
		}
	}
	q := RegistryQuestion{Relation: record.Binding.Relation, Face: face}
	sides := []family.PersonNo{record.Binding.Holder, record.Binding.Member}
	people, err := many(ctx, a, personKey(sides[0]), personKey(sides[1]))
	if err != nil {
		return "", err
	}
	for i, identity := range []*Identity{&q.Holder, &q.Member} {
		id, err := a.unseal(sides[i], *people[i], "id_no")
		if err != nil {
			return "", err
		}
		identity.ID = family.IDNumber(id)
		if identity.Name, err = a.unseal(sides[i], *people[i], "name"); err != nil {
			return "", err
		}
	}
	said, err := a.asked(ctx, q)
	if said == family.CannotSay && people[1].Mother != "" && people[1].Mother == people[0].IDIndex {
		said = family.Match // so says the certificate of birth
	}
	return said, err
}
