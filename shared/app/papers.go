package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"gongji/shared/family"
	"gongji/shared/papers"
)

// doorOpen is how long a paper's door is open: a slow phone takes minutes for ten
// megabytes.
const doorOpen = 15 * time.Minute

// MaterialAsk is a paper as it is announced.
type MaterialAsk struct {
	Kind        family.PaperKind
	ContentType string
	Size        int64
	SHA256      string
}

// UploadView is a paper's id and the door through which it is sent.
type UploadView struct {
	Material family.MaterialID
	Upload   papers.Upload
}

// errNoShelf is the fault of a house that was put together without a place for
// papers.
var errNoShelf = errors.New("app: there is nowhere to put papers")

// AnnouncePaper notes the paper that a holder is about to upload, and opens its door.
// The same paper again gets the same id and a fresh door.
func (a *App) AnnouncePaper(ctx context.Context, by family.PersonNo, id family.BindingID, in MaterialAsk) (UploadView, error) {
	return a.announce(ctx, id, in, sideOf(by), func(b family.Binding, m family.Material, now time.Time) (family.Binding, family.MaterialID, *family.Refusal) {
		return b.Announce(by, m, now)
	}, family.BySelf, "")
}

type announcing func(family.Binding, family.Material, time.Time) (family.Binding, family.MaterialID, *family.Refusal)

func (a *App) announce(ctx context.Context, id family.BindingID, in MaterialAsk, see func(family.Binding) bool, announce announcing, by family.Side, actor string) (UploadView, error) {
	if a.papers == nil {
		return UploadView{}, errNoShelf
	}
	now := a.now()
	newID, err := a.newID(now)
	if err != nil {
		return UploadView{}, err
	}
	wanted := family.Material{ID: family.MaterialID(newID), Kind: in.Kind, ContentType: in.ContentType, Size: in.Size, SHA256: in.SHA256}
	var material family.MaterialID
	_, err = a.onPair(ctx, id, see, func(p family.Pair, h hand) (family.Pair, error) {
		binding, got, refusal := announce(p.Binding, wanted, h.now)
		if refusal != nil {
			return p, refusal
		}
		material = got
		if got != wanted.ID || len(binding.Materials) == len(p.Binding.Materials) {
			return p, nil // it was announced before
		}
		p.Binding = binding
		p = p.Note(h.now, by, actor, family.PaperAnnounced, string(in.Kind))
		return p, add(h.t, materialKey(got), materialRecord{Binding: id})
	})
	if err != nil {
		return UploadView{}, err
	}
	door, err := a.papers.Door(ctx, string(material), papers.Announced{ContentType: in.ContentType, Size: in.Size, SHA256: in.SHA256}, now.Add(doorOpen))
	return UploadView{material, door}, err
}

// ReceivePaper looks at a paper that may have come: what is as announced is sealed
// and kept, and its step done; what is not is refused and deleted, and the refusal
// says why. One that has not come, or was looked at before, is left alone.
func (a *App) ReceivePaper(ctx context.Context, id family.MaterialID) error {
	if a.papers == nil {
		return errNoShelf
	}
	at, found, err := one(ctx, a, materialKey(id))
	if err != nil || !found {
		return err
	}
	record, found, err := one(ctx, a, bindingKey(at.Binding))
	if err != nil || !found {
		return err
	}
	material, found := record.Binding.Material(id)
	if !found || material.State != family.MaterialAwaited {
		return nil
	}
	var why string
	var wrong *papers.Fault
	file, err := a.papers.Uploaded(ctx, string(id))
	switch {
	case errors.Is(err, papers.ErrNone):
		// Not yet; or sealed by a try of this that was broken off.
		if _, err := a.papers.Kept(ctx, string(id)); errors.Is(err, papers.ErrNone) {
			return nil
		} else if err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		clean, err := papers.Inspect(papers.Announced{ContentType: material.ContentType, Size: material.Size, SHA256: material.SHA256}, file)
		if errors.As(err, &wrong) {
			why = wrong.Rule
			break
		}
		if err != nil {
			return err
		}
		sealed, err := a.vault.Seal(string(clean), paperAt(string(id)))
		if err != nil {
			return err
		}
		if err := a.papers.Keep(ctx, string(id), []byte(sealed)); err != nil {
			return err
		}
	}
	var drop []family.MaterialID
	_, err = a.onPair(ctx, at.Binding, func(family.Binding) bool { return true }, func(p family.Pair, h hand) (family.Pair, error) {
		drop = nil
		if m, _ := p.Binding.Material(id); m.State != family.MaterialAwaited {
			return p, nil
		}
		ruled := why
		if ruled == "" {
			proves, err := a.proves(h.t, material.SHA256, p.Binding)
			if err != nil {
				return p, err
			}
			if !proves {
				ruled = "papers.once"
			}
		}
		if p.Binding, drop = p.Binding.Received(id, ruled, h.now); ruled != "" {
			drop = []family.MaterialID{id}
			return p.Note(h.now, family.ByRules, "", family.PaperRefused, string(material.Kind)), nil
		}
		return p.Note(h.now, family.ByRules, "", family.PaperReceived, string(material.Kind)), nil
	})
	if err != nil {
		return err
	}
	for _, old := range drop {
		if err := a.papers.Discard(ctx, string(old)); err != nil {
			return err
		}
	}
	if slices.Contains(drop, id) {
		refusal := &family.Refusal{Code: family.PaperWrong, Field: "materials." + string(material.Kind), Rule: why, Observed: string(material.Kind)}
		if refusal.Rule == "" {
			refusal.Rule = "papers.once"
		}
		if wrong != nil {
			refusal.Detail = wrong.Detail
		}
		return refusal
	}
	return nil
}

// maxProved bounds how many people one paper may prove relations of: a household
// register names a household.
const maxProved = 16

// proves notes whose relation a paper proves, and tells whether it may: one paper
// does not serve two families that have nobody in common.
func (a *App) proves(t *tx, sum string, b family.Binding) (bool, error) {
	key := proofKey(a.vault.Index("paper", sum))
	if err := t.read(key); err != nil {
		return false, err
	}
	proof, found, err := get(t, key)
	if err != nil {
		return false, err
	}
	people := []family.PersonNo{b.Holder, b.Member}
	known := func(p family.PersonNo) bool { return slices.Contains(proof.People, p) }
	if found && !slices.ContainsFunc(people, known) {
		return false, nil
	}
	for _, p := range people {
		if !known(p) && len(proof.People) < maxProved {
			proof.People = append(proof.People, p)
		}
	}
	return true, put(t, key, proof)
}
