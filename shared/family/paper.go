package family

import (
	"slices"
	"strconv"
	"time"
)

// PaperKind is a kind of paper that proves a relation.
type PaperKind string

// The kinds of paper.
const (
	HouseholdRegister   PaperKind = "household_register"   // 户口本
	MarriageCertificate PaperKind = "marriage_certificate" // 结婚证
	BirthCertificate    PaperKind = "birth_certificate"    // 出生医学证明
	CommitmentLetter    PaperKind = "commitment_letter"    // 个人承诺书
	IDCard              PaperKind = "id_card"              // 居民身份证
	Guardianship        PaperKind = "guardianship"         // 监护证明
)

// PaperKinds lists every kind of paper.
var PaperKinds = []PaperKind{HouseholdRegister, MarriageCertificate, BirthCertificate, CommitmentLetter, IDCard, Guardianship}

// PaperTypes are the types of file that a paper may be.
var PaperTypes = []string{"image/jpeg", "image/png", "application/pdf", "image/heic"}

// Bounds of the papers of one binding.
const (
	MaxPaper  = 10 << 20 // bytes
	MaxPapers = 12       // of one binding, those that were replaced included
)

// MaterialID names one paper that was, or is to be, uploaded: 26 letters and digits.
type MaterialID string

// Valid tells whether a material can have the id.
func (id MaterialID) Valid() bool { return alphanumeric(string(id), 26, 26) }

// MaterialState is what became of a paper.
type MaterialState string

// The states of a paper.
const (
	MaterialAwaited MaterialState = "awaited" // its upload was signed
	MaterialKept    MaterialState = "kept"    // it was looked at and sealed
	MaterialRefused MaterialState = "refused" // it was not what was announced
	MaterialDeleted MaterialState = "deleted" // its time is over
)

// Material is one paper of a binding: what was announced of it, and what became of
// it. Its content never lies here.
type Material struct {
	ID          MaterialID
	Kind        PaperKind
	ContentType string
	Size        int64
	SHA256      string // lower-case hex, of the file as announced
	State       MaterialState
	Why         string // the rule by which it was refused, such as "papers.type"
	At          time.Time
}

// check refuses a paper that cannot be announced so.
func (m *Material) check() *Refusal {
	switch {
	case !slices.Contains(PaperKinds, m.Kind):
		return &Refusal{Code: Malformed, Field: "kind", Detail: "no kind of paper"}
	case !slices.Contains(PaperTypes, m.ContentType):
		return &Refusal{Code: PaperWrong, Field: "content_type", Rule: "papers.type", Allowed: "image/jpeg, image/png, application/pdf, image/heic"}
	case m.Size < 1:
		return &Refusal{Code: Malformed, Field: "size", Detail: "a paper has at least one byte"}
	case m.Size > MaxPaper:
		return &Refusal{Code: PaperWrong, Field: "size", Rule: "papers.size", Observed: strconv.FormatInt(m.Size, 10), Allowed: strconv.Itoa(MaxPaper)}
	case len(m.SHA256) != 64 || !lowerHex(m.SHA256):
		return &Refusal{Code: Malformed, Field: "sha256", Detail: "64 lower-case hexadecimal digits"}
	}
	return nil
}

func lowerHex(s string) bool {
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && (s[i] < 'a' || s[i] > 'f') {
			return false
		}
	}
	return true
}

// Announce adds a paper that the holder is about to upload. The same paper again is
// the one that is there; another of the same kind takes its place once it has come.
func (b Binding) Announce(by PersonNo, m Material, now time.Time) (Binding, MaterialID, *Refusal) {
	if b.SideOf(by) != BySelf {
		return b, "", Refuse(NotPermitted)
	}
	return b.announce(m, now)
}

func (b Binding) announce(m Material, now time.Time) (Binding, MaterialID, *Refusal) {
	if refusal := m.check(); refusal != nil {
		return b, "", refusal
	}
	if b.State != BindingDraft || b.Expired(now) {
		return b, "", stateForbids(b)
	}
	for _, other := range b.Materials {
		if other.Kind == m.Kind && other.SHA256 == m.SHA256 && other.ContentType == m.ContentType && other.Size == m.Size &&
			(other.State == MaterialAwaited || other.State == MaterialKept) {
			return b, other.ID, nil
		}
	}
	if len(b.Materials) >= MaxPapers {
		return b, "", &Refusal{Code: TooLarge, Field: "materials", Observed: strconv.Itoa(len(b.Materials)), Allowed: strconv.Itoa(MaxPapers)}
	}
	m.State, m.At = MaterialAwaited, now
	b.Materials = append(slices.Clone(b.Materials), m)
	return b, m.ID, nil
}

// Material returns the binding's paper with an id.
func (b *Binding) Material(id MaterialID) (Material, bool) {
	i := slices.IndexFunc(b.Materials, func(m Material) bool { return m.ID == id })
	if i < 0 {
		return Material{}, false
	}
	return b.Materials[i], true
}

// Received notes what became of an upload: kept, or refused by a rule. A paper that
// is kept does the upload's step and replaces an older one of its kind; the ids of
// those are returned, for their content to be deleted.
func (b Binding) Received(id MaterialID, why string, now time.Time) (Binding, []MaterialID) {
	b.Materials, b.Steps = slices.Clone(b.Materials), slices.Clone(b.Steps)
	i := slices.IndexFunc(b.Materials, func(m Material) bool { return m.ID == id })
	if i < 0 || b.Materials[i].State != MaterialAwaited {
		return b, nil
	}
	m := &b.Materials[i]
	m.At, m.State = now, MaterialKept
	if why != "" {
		m.State, m.Why = MaterialRefused, why
		return b, nil
	}
	var replaced []MaterialID
	for j := range b.Materials {
		if other := &b.Materials[j]; j != i && other.Kind == m.Kind && other.State == MaterialKept {
			other.State = MaterialDeleted
			replaced = append(replaced, other.ID)
		}
	}
	for j := range b.Steps {
		if s := &b.Steps[j]; s.Action == StepUpload && s.Kind == string(m.Kind) {
			s.Done = true
		}
	}
	return b, replaced
}

// Awaited returns the papers whose upload was signed and that have not come.
func (b *Binding) Awaited() []MaterialID {
	var ids []MaterialID
	for _, m := range b.Materials {
		if m.State == MaterialAwaited {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// Papers returns the papers that are kept.
func (b *Binding) Papers() []Material {
	var kept []Material
	for _, m := range b.Materials {
		if m.State == MaterialKept {
			kept = append(kept, m)
		}
	}
	return kept
}

// missingPaper names the next paper that a step waits for, and what is known of it.
func (b *Binding) missingPaper() *Refusal {
	for _, s := range b.Steps {
		if s.Action != StepUpload || s.Done {
			continue
		}
		for _, m := range slices.Backward(b.Materials) {
			if string(m.Kind) == s.Kind && m.State == MaterialRefused {
				return &Refusal{Code: PaperWrong, Field: "materials." + s.Kind, Rule: m.Why, Observed: s.Kind}
			}
		}
		return &Refusal{Code: PaperMissing, Field: "materials." + s.Kind, Observed: "none", Allowed: s.Kind}
	}
	return nil
}
