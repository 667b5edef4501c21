package town

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/png"
	"time"

	"gongji/infra/sim/auditor"
	"gongji/shared/app"
	"gongji/shared/family"
	"gongji/shared/papers"
)

// shelf keeps papers in memory.
type shelf struct{ papers map[string]*filed }

// filed is one paper: what came, and what is kept of it.
type filed struct {
	came, kept []byte
	why        string // by which rule what came is none
}

// Door implements papers.Shelf.
func (s *shelf) Door(_ context.Context, id string, _ papers.Announced, until time.Time) (papers.Upload, error) {
	if s.papers[id] == nil {
		s.papers[id] = &filed{}
	}
	return papers.Upload{Method: "PUT", URL: "/" + id, Expires: until}, nil
}

// Uploaded implements papers.Shelf.
func (s *shelf) Uploaded(_ context.Context, id string) ([]byte, error) {
	if f := s.papers[id]; f != nil && f.came != nil && f.kept == nil {
		return f.came, nil
	}
	return nil, papers.ErrNone
}

// Keep implements papers.Shelf.
func (s *shelf) Keep(_ context.Context, id string, sealed []byte) error {
	s.papers[id].kept = sealed
	return nil
}

// Kept implements papers.Shelf.
func (s *shelf) Kept(_ context.Context, id string) ([]byte, error) {
	if f := s.papers[id]; f != nil && f.kept != nil {
		return f.kept, nil
	}
	return nil, papers.ErrNone
}

// Discard implements papers.Shelf.
func (s *shelf) Discard(ctx context.Context, id string) error { return s.Drop(ctx, id) }

// Drop implements papers.Shelf.
func (s *shelf) Drop(_ context.Context, id string) error {
	if f := s.papers[id]; f != nil {
		f.kept = nil
	}
	return nil
}

// truth tells the auditor what came.
func (s *shelf) truth(id string) (string, bool) {
	f := s.papers[id]
	if f == nil || f.came == nil {
		return "", false
	}
	return f.why, true
}

// photograph is a picture; no two shades are the same file.
func photograph(shade uint8) []byte {
	picture := image.NewGray(image.Rect(0, 0, 4, 4))
	for i := range picture.Pix {
		picture.Pix[i] = shade
	}
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		panic(err) // into memory
	}
	return file.Bytes()
}

// announce is a holder who is about to upload a paper, and does.
func (t *town) announce(by, id, kind string) *request {
	r := &request{audit: &auditor.Request{Op: auditor.OpAnnounce, By: by, Binding: id}}
	r = t.uploads(r, kind, func(ctx context.Context, a *app.App, in app.MaterialAsk) (app.UploadView, error) {
		return a.AnnouncePaper(ctx, family.PersonNo(by), family.BindingID(id), in)
	})
	learn := r.learn
	r.learn = func(t *town, a auditor.Answer) {
		learn(t, a)
		if a.Code == "" && t.chance(0.5) {
			t.next = append(t.next, t.onBinding(auditor.OpSubmit, by, id))
		}
	}
	return r
}

// uploads is a request that announces a paper, which then comes.
func (t *town) uploads(r *request, kind string, announce func(context.Context, *app.App, app.MaterialAsk) (app.UploadView, error)) *request {
	file := photograph(uint8(t.rng.IntN(24))) // another family's now and then
	sum := sha256.Sum256(file)
	p := auditor.Paper{Kind: kind, ContentType: "image/png", Size: int64(len(file)), SHA256: hex.EncodeToString(sum[:])}
	if t.chance(0.03) {
		p.Size = family.MaxPaper + 1
	}
	r.audit.Paper = p
	in := app.MaterialAsk{Kind: family.PaperKind(kind), ContentType: p.ContentType, Size: p.Size, SHA256: p.SHA256}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		out, err := announce(ctx, a, in)
		answer := answerOf(err)
		answer.ID = string(out.Material)
		return answer
	}
	r.learn = func(t *town, a auditor.Answer) {
		f := t.shelf.papers[a.ID]
		if a.Code != "" || f == nil || f.came != nil {
			return
		}
		switch {
		case t.calm || t.chance(0.8):
			f.came = file
		case t.chance(0.5):
			f.came, f.why = append(bytes.Clone(file), 0), "papers.size"
		default:
			f.came, f.why = photograph(200), "papers.sha256"
			if len(f.came) != len(file) {
				f.why = "papers.size"
			}
		}
		if t.chance(0.5) {
			t.next = append(t.next, t.receive(a.ID))
		}
	}
	return r
}

// receive is the event that a paper has come.
func (t *town) receive(id string) *request {
	r := &request{audit: &auditor.Request{Op: auditor.OpReceive, Paper: auditor.Paper{ID: id}}, anew: true}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		return answerOf(a.ReceivePaper(ctx, family.MaterialID(id)))
	}
	return r
}

// anyPaper is a holder who uploads what his request waits for, or something else.
func (t *town) anyPaper() *request {
	if len(t.bindings) == 0 {
		return nil
	}
	b := t.bindings[max(0, len(t.bindings)-1-t.rng.IntN(8))]
	_, kind := auditor.StateOf(t.disk.Peek(auditor.BindingKey(b.id)))
	if kind == "" && t.chance(0.7) {
		return t.anyReview()
	}
	if kind == "" || t.chance(0.1) {
		kind = pick(t, []string{"household_register", "marriage_certificate", "id_card"})
	}
	by := b.holder
	if t.chance(0.05) {
		by = b.member
	}
	return t.announce(by, b.id, kind)
}

// anyReview is a reviewer at his queue.
func (t *town) anyReview() *request {
	if len(t.bindings) == 0 {
		return nil
	}
	b := t.bindings[max(0, len(t.bindings)-1-t.rng.IntN(8))]
	for _, other := range t.bindings {
		if state, _ := auditor.StateOf(t.disk.Peek(auditor.BindingKey(other.id))); state == "in_review" && t.chance(0.7) {
			b = other
		}
	}
	by := ""
	if t.chance(0.15) {
		by = pick(t, t.people).No
	}
	op := pick(t, []auditor.Op{auditor.OpLook, auditor.OpLook, auditor.OpClaim, auditor.OpClaim, auditor.OpRelease, auditor.OpApprove, auditor.OpApprove, auditor.OpApprove, auditor.OpReject, auditor.OpClarify})
	return t.review(op, b.id, pick(t, []string{"rev1", "rev2", "rev3", "op1"}), by)
}

// review is an act of a reviewer.
func (t *town) review(op auditor.Op, id, subject, by string) *request {
	r := &request{audit: &auditor.Request{Op: op, By: by, Subject: subject, Binding: id}, anew: true}
	binding, who := family.BindingID(id), family.Reviewer{Subject: subject, Person: family.PersonNo(by)}
	in := app.ReviewAsk{}
	if op == auditor.OpReject || op == auditor.OpClarify || t.chance(0.3) {
		in.Reason = "请补充材料"
		if t.chance(0.05) {
			in.Reason = " "
		}
	}
	if t.chance(0.05) {
		in.Version = "0000"
	}
	if op == auditor.OpClarify {
		in.Kind = pick(t, []family.PaperKind{family.MarriageCertificate, family.HouseholdRegister})
	}
	r.audit.Reason, r.audit.Version, r.audit.Paper.Kind = in.Reason, string(in.Version), string(in.Kind)
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		var err error
		switch op {
		case auditor.OpLook:
			_, err = a.Review(ctx, binding, who)
		case auditor.OpClaim:
			_, err = a.Claim(ctx, binding, who)
		case auditor.OpRelease:
			_, err = a.Release(ctx, binding, who)
		case auditor.OpApprove:
			_, err = a.Approve(ctx, binding, who, in)
		case auditor.OpReject:
			_, err = a.Reject(ctx, binding, who, in)
		case auditor.OpClarify:
			_, err = a.Clarify(ctx, binding, who, in)
		}
		return answerOf(err)
	}
	if op == auditor.OpLook {
		r.learn = func(t *town, a auditor.Answer) {
			if a.Code == "" && t.chance(0.5) {
				t.next = append(t.next, t.review(auditor.OpApprove, id, subject, by))
			}
		}
	}
	return r
}

// feedKin is the civil registry telling of somebody: who his relatives are, that he
// has died, or that he has not after all.
func (t *town) feedKin() *request { return t.feedKinOf(pick(t, t.people)) }

func (t *town) feedKinOf(h *human) *request {
	name := h.Name
	if t.chance(0.1) {
		name = "别人"
	}
	in := app.KinFeed{Identity: app.Identity{Name: name, ID: h.id}, Deceased: t.chance(0.15), Complete: t.chance(0.2)}
	kin := auditor.Kin{Index: h.IDIndex, Name: t.vault.Index("name", name), Deceased: in.Deceased, Complete: in.Complete, Relations: map[string]string{}}
	tell := func(other *human, relation string) {
		if _, told := kin.Relations[other.IDIndex]; !told {
			kin.Relations[other.IDIndex] = relation
			in.Relations = append(in.Relations, app.KinRelation{ID: other.id, Relation: family.Relation(relation)})
		}
	}
	for _, b := range t.bindings {
		if b.holder == h.No && t.chance(0.7) {
			relation := b.relation
			if t.chance(0.15) {
				relation = pick(t, []string{"10", "20", "51", "71"})
			}
			tell(t.human(b.member), relation)
		}
	}
	if t.chance(0.3) {
		tell(pick(t, t.people), pick(t, []string{"10", "20", "51", "71"}))
	}
	r := &request{audit: &auditor.Request{Op: auditor.OpRegistry, Kin: kin}}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer { return fed(a.FeedRegistry(ctx, in)) }
	r.learn = func(t *town, _ auditor.Answer) {
		if t.chance(0.5) {
			t.next = append(t.next, t.tendOf(h.No))
		}
	}
	return r
}

// tend is a look at all bindings of somebody.
func (t *town) tend() *request { return t.tendOf(pick(t, t.people).No) }

func (t *town) tendOf(person string) *request {
	r := &request{audit: &auditor.Request{Op: auditor.OpTend, By: person}, fleeting: true, anew: true}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		_, err := a.TendPerson(ctx, family.PersonNo(person))
		return answerOf(err)
	}
	return r
}

// sweep is the day's look at everything whose day has come.
func (t *town) sweep() *request {
	r := &request{audit: &auditor.Request{Op: auditor.OpSweep}, fleeting: true, anew: true}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		done, err := a.Sweep(ctx)
		answer := answerOf(err)
		if done.Complete {
			answer.State = "complete"
		}
		return answer
	}
	r.learn = func(t *town, a auditor.Answer) { t.swept = a.State == "complete" }
	return r
}

// sweepAll sweeps until all is done, and has the auditor look whether it is.
func (t *town) sweepAll() {
	t.swept = false
	for n := 0; !t.swept && t.right(); n++ {
		if n > 100 {
			t.audit.Panicked(&auditor.Trip{Request: &auditor.Request{Op: auditor.OpSweep}}, "it never comes to its end")
		}
		t.start(t.sweep(), t.processes[0])
		t.settleAll()
	}
	if t.right() {
		t.audit.Tended(t.now.Add(t.processes[0].skew))
	}
}
