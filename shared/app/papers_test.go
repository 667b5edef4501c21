package app

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"gongji/shared/family"
)

// The people of Guangdong, where papers are uploaded and reviewed.
const (
	liang family.PersonNo = "P2001" // employee
	huang family.PersonNo = "P2002" // his wife, employee
	xu    family.PersonNo = "P2003" // a stranger to both, employee
)

// canton is a house in which the people of Guangdong live too.
func canton(t testing.TB) *house {
	t.Helper()
	h := newHouse(t)
	cantonHouse(t, h)
	return h
}

func cantonHouse(t testing.TB, h *house) {
	t.Helper()
	for _, p := range threeOfCanton {
		h.feed(p)
	}
}

var threeOfCanton = []human{
	{liang, "梁志强", "19800101", family.Insurance{Region: "440100", Insutype: family.Employee, PsnType: "11", Active: true}, "", ""},
	{huang, "黄美玲", "19820202", family.Insurance{Region: "440100", Insutype: family.Employee, PsnType: "11", Active: true}, "", ""},
	{xu, "许文", "19850303", family.Insurance{Region: "440100", Insutype: family.Employee, PsnType: "11", Active: true}, "", ""},
}

var cantonese = map[family.PersonNo]human{liang: threeOfCanton[0], huang: threeOfCanton[1], xu: threeOfCanton[2]}

// askFor is a request for a binding with one of the Cantonese.
func (h *house) askFor(member family.PersonNo, relation family.Relation, pay *family.Terms) BindingAsk {
	p := cantonese[member]
	return BindingAsk{Name: p.name, ID: h.feedOf(p).ID, Relation: relation, Show: true, Pay: pay}
}

// scan is a small photograph; no two shades are the same file.
func scan(t testing.TB, shade uint8) []byte {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, 24, 16))
	for i := range picture.Pix {
		picture.Pix[i] = shade + uint8(i%7)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func announced(kind family.PaperKind, file []byte) MaterialAsk {
	sum := sha256.Sum256(file)
	return MaterialAsk{Kind: kind, ContentType: "image/jpeg", Size: int64(len(file)), SHA256: hex.EncodeToString(sum[:])}
}

// send sends a file through an open door and returns the answer's status and text.
func (h *house) send(door UploadView, file []byte) (int, string) {
	h.t.Helper()
	r := httptest.NewRequest(door.Upload.Method, door.Upload.URL, bytes.NewReader(file))
	for name, value := range door.Upload.Headers {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.shelf.ServeHTTP(w, r)
	return w.Code, strings.TrimSpace(w.Body.String())
}

// upload announces a paper of a holder's and sends it.
func (h *house) upload(by family.PersonNo, id family.BindingID, kind family.PaperKind, file []byte) {
	h.t.Helper()
	door := ok(h.AnnouncePaper(h.t.Context(), by, id, announced(kind, file)))(h.t)
	if status, text := h.send(door, file); status != http.StatusOK {
		h.t.Fatalf("the upload of %s: %d %s", kind, status, text)
	}
}

// withPapers asks for liang's binding with huang and uploads what is demanded.
func (h *house) withPapers() family.BindingID {
	h.t.Helper()
	id := ok(h.RequestBinding(h.t.Context(), liang, h.askFor(huang, "12", forAll()), Once{}))(h.t).Answer.Binding.ID
	for i, kind := range []family.PaperKind{family.IDCard, family.HouseholdRegister, family.CommitmentLetter} {
		h.upload(liang, id, kind, scan(h.t, uint8(40*i)))
	}
	return id
}

// reviewed is withPapers, promised and accepted: it waits for a reviewer.
func (h *house) reviewed() family.BindingID {
	h.t.Helper()
	id := h.withPapers()
	ok(h.Submit(h.t.Context(), liang, id))(h.t)
	ok(h.Accept(h.t.Context(), huang, id))(h.t)
	return id
}

var anna, bert = family.Reviewer{Subject: "anna"}, family.Reviewer{Subject: "bert"}

func doneSteps(b family.Binding) string {
	var s []string
	for _, step := range b.Steps {
		word := string(step.Action)
		if step.Kind != "" {
			word += " " + step.Kind
		}
		if !step.Done {
			word += "?"
		}
		s = append(s, word)
	}
	return strings.Join(s, ", ")
}

func TestPapersAreUploadedReviewedAndApproved(t *testing.T) {
	h := canton(t)
	id := ok(h.RequestBinding(t.Context(), liang, h.askFor(huang, "12", forAll()), Once{}))(t).Answer.Binding.ID
	view := ok(h.GetBinding(t.Context(), liang, id))(t)
	same(t, "steps", doneSteps(view.Binding), "upload id_card?, upload household_register?, upload commitment_letter?, submit?, accept?, review?")
	missing := refused(h.Submit(t.Context(), liang, id))(t, family.PaperMissing)
	same(t, "the missing paper", missing.Field, "materials.id_card")
	h.upload(liang, id, family.IDCard, scan(t, 1))
	h.upload(liang, id, family.CommitmentLetter, scan(t, 2))
	missing = refused(h.Submit(t.Context(), liang, id))(t, family.PaperMissing)
	same(t, "the missing paper", missing.Field, "materials.household_register")
	h.upload(liang, id, family.HouseholdRegister, scan(t, 3))
	same(t, "state", ok(h.Submit(t.Context(), liang, id))(t).Binding.State, family.BindingAwaiting)
	if page := ok(h.Reviews(t.Context(), ReviewFilter{}, "", 10))(t); len(page.Items) != 0 {
		t.Fatal("a reviewer sees it before the member agreed")
	}
	refused(h.Review(t.Context(), id, anna))(t, family.NotFound)
	same(t, "state", ok(h.Accept(t.Context(), huang, id))(t).Binding.State, family.BindingInReview)

	page := ok(h.Reviews(t.Context(), ReviewFilter{Region: "44"}, "", 10))(t)
	if len(page.Items) != 1 || page.Items[0].Binding.ID != id || page.Items[0].HolderMasked != "梁**" {
		t.Fatalf("the queue is %+v", page.Items)
	}
	same(t, "another province's queue", len(ok(h.Reviews(t.Context(), ReviewFilter{Region: "43"}, "", 10))(t).Items), 0)
	same(t, "the old", len(ok(h.Reviews(t.Context(), ReviewFilter{Older: time.Hour}, "", 10))(t).Items), 0)

	// One holds it for half an hour; the other waits.
	ok(h.Claim(t.Context(), id, anna))(t)
	refused(h.Claim(t.Context(), id, bert))(t, family.StateForbids)
	refused(h.Approve(t.Context(), id, bert, ReviewAsk{}))(t, family.StateForbids)
	same(t, "the free ones", len(ok(h.Reviews(t.Context(), ReviewFilter{Free: true}, "", 10))(t).Items), 0)
	same(t, "anna's", len(ok(h.Reviews(t.Context(), ReviewFilter{Mine: true, Subject: "anna"}, "", 10))(t).Items), 1)

	seen := ok(h.Review(t.Context(), id, anna))(t)
	for _, m := range seen.Binding.Papers() {
		key, until := h.PaperDoor(anna, m.ID, seen.Now)
		paper := ok(h.SeePaper(t.Context(), m.ID, anna, key))(t)
		if !bytes.HasPrefix(paper.Content, []byte("\xff\xd8\xff")) || paper.ContentType != "image/jpeg" {
			t.Errorf("%s is %d bytes of %s", m.Kind, len(paper.Content), paper.ContentType)
		}
		refused(h.SeePaper(t.Context(), m.ID, bert, key))(t, family.NotFound) // another's door
		refused(h.SeePaper(t.Context(), m.ID, anna, strings.Replace(key, "-", "0-", 1)))(t, family.NotFound)
		h.clock.add(until.Sub(seen.Now))
		refused(h.SeePaper(t.Context(), m.ID, anna, key))(t, family.NotFound) // closed
		h.clock.add(-until.Sub(seen.Now))
	}
	same(t, "state", ok(h.Approve(t.Context(), id, anna, ReviewAsk{Reason: "材料齐全"}))(t).Binding.State, family.BindingActive)
	same(t, "the queue after", len(ok(h.Reviews(t.Context(), ReviewFilter{}, "", 10))(t).Items), 0)

	history := ok(h.History(t.Context(), huang, id, "", 100))(t).Items
	var what []string
	for _, e := range history {
		what = append(what, string(e.What))
	}
	same(t, "the history", strings.Join(what, " "), "requested paper_announced paper_received paper_announced paper_received paper_announced paper_received "+
		"submitted accepted review_claimed paper_seen paper_seen paper_seen review_approved activated")
	if faults := family.ProveHistory(ok(h.GetBinding(t.Context(), liang, id))(t).Binding, history); len(faults) > 0 {
		t.Error(faults)
	}
	refused(h.History(t.Context(), xu, id, "", 100))(t, family.NotFound)
	h.prove()
}

func TestAReviewerAsksForOnePaper(t *testing.T) {
	h := canton(t)
	id := h.reviewed()
	ok(h.Review(t.Context(), id, anna))(t)
	refused(h.Clarify(t.Context(), id, anna, ReviewAsk{Kind: family.MarriageCertificate}))(t, family.Malformed) // no reason
	back := ok(h.Clarify(t.Context(), id, anna, ReviewAsk{Kind: family.MarriageCertificate, Reason: "户口本上没有配偶页"}))(t)
	same(t, "state", back.Binding.State, family.BindingDraft)
	missing := refused(h.Submit(t.Context(), liang, id))(t, family.PaperMissing)
	same(t, "the missing paper", missing.Field, "materials.marriage_certificate")
	h.upload(liang, id, family.MarriageCertificate, scan(t, 99))
	same(t, "state", ok(h.Submit(t.Context(), liang, id))(t).Binding.State, family.BindingInReview)
	same(t, "the same request", ok(h.Reviews(t.Context(), ReviewFilter{}, "", 10))(t).Items[0].Binding.ID, id)
	// What she saw first is no longer what there is.
	refused(h.Approve(t.Context(), id, anna, ReviewAsk{}))(t, family.StateForbids)
	ok(h.Review(t.Context(), id, anna))(t)
	same(t, "state", ok(h.Approve(t.Context(), id, anna, ReviewAsk{}))(t).Binding.State, family.BindingActive)
}

// TestAReviewersLeaseEnds: who took a request keeps others from it for half an hour
// from his last word, and no longer.
func TestAReviewersLeaseEnds(t *testing.T) {
	h := canton(t)
	id := h.reviewed()
	ok(h.Claim(t.Context(), id, anna))(t)
	h.clock.add(family.LeaseTime - time.Second)
	same(t, "what", refused(h.Claim(t.Context(), id, bert))(t, family.StateForbids).Observed, "claimed")
	h.clock.add(time.Second)
	ok(h.Claim(t.Context(), id, bert))(t)
	refused(h.Approve(t.Context(), id, anna, ReviewAsk{}))(t, family.StateForbids)
	ok(h.Approve(t.Context(), id, bert, ReviewAsk{}))(t)
}

func TestAReviewerRejects(t *testing.T) {
	h := canton(t)
	id := h.reviewed()
	refused(h.Reject(t.Context(), id, anna, ReviewAsk{}))(t, family.Malformed)
	done := ok(h.Reject(t.Context(), id, anna, ReviewAsk{Reason: "照片看不清"}))(t).Binding
	same(t, "the end", []string{string(done.State), string(done.EndedBy), string(done.EndWhy)}, []string{"declined", "reviewer", "rejected"})
	refused(h.Approve(t.Context(), id, anna, ReviewAsk{}))(t, family.StateForbids)
	ok(h.RequestBinding(t.Context(), liang, h.askFor(huang, "12", nil), Once{}))(t) // he may ask again
}

func TestNobodyReviewsHisOwnFamily(t *testing.T) {
	h := canton(t)
	id := h.reviewed()
	for _, own := range []family.PersonNo{liang, huang} {
		r := refused(h.Review(t.Context(), id, family.Reviewer{Subject: "x", Person: own}))(t, family.NotPermitted)
		same(t, "the rule", r.Rule, "review.own_family")
	}
	xus := family.Reviewer{Subject: "x", Person: xu}
	ok(h.Review(t.Context(), id, xus))(t)
	// By a binding, then by the register alone.
	brother := ok(h.RequestBinding(t.Context(), xu, h.askFor(liang, "71", nil), Once{}))(t).Answer.Binding.ID
	refused(h.Approve(t.Context(), id, xus, ReviewAsk{}))(t, family.NotPermitted)
	ok(h.EndBinding(t.Context(), xu, brother))(t)
	ok(h.FeedRegistry(t.Context(), KinFeed{Identity: h.identity(xu), Relations: []KinRelation{{h.identity(huang).ID, "77"}}}))(t)
	refused(h.Approve(t.Context(), id, xus, ReviewAsk{}))(t, family.NotPermitted)
	ok(h.Approve(t.Context(), id, anna, ReviewAsk{}))(t)
}

func (h *house) identity(p family.PersonNo) Identity {
	return Identity{cantonese[p].name, h.feedOf(cantonese[p]).ID}
}

func TestTheRegistrySaysMatchNoMatchOrCannotSay(t *testing.T) {
	h := canton(t)
	id := h.withPapers()
	ok(h.FeedRegistry(t.Context(), KinFeed{Identity: h.identity(liang), Relations: []KinRelation{{h.identity(huang).ID, "75"}}}))(t) // a sister
	refused(h.Submit(t.Context(), liang, id))(t, family.IdentityMismatch)
	same(t, "a repeat", ok(h.FeedRegistry(t.Context(), KinFeed{Identity: h.identity(liang), Relations: []KinRelation{{h.identity(huang).ID, "75"}}}))(t), FedUnchanged)
	// Corrected, the same request goes on.
	same(t, "a correction", ok(h.FeedRegistry(t.Context(), KinFeed{Identity: h.identity(liang), Relations: []KinRelation{{h.identity(huang).ID, "10"}}}))(t), FedUpdated)
	same(t, "verdict", ok(h.Submit(t.Context(), liang, id))(t).Binding.Identity, family.Match)
}

func TestForgedAndMistakenPapers(t *testing.T) {
	h := canton(t)
	id := h.withPapers()
	// The same file for another family: nobody in common.
	other := ok(h.RequestBinding(t.Context(), xu, h.askFor(liang, "71", nil), Once{}))(t).Answer.Binding.ID
	h.upload(xu, other, family.IDCard, scan(t, 0)) // liang is in both
	stranger := human{"P2004", "赵无关", "19900101", family.Insurance{Region: "440100", Insutype: family.Employee, PsnType: "11", Active: true}, "", ""}
	friend := human{"P2005", "钱无关", "19910101", stranger.insurance, "", ""}
	h.feed(stranger)
	h.feed(friend)
	cantonese[friend.no] = friend
	third := ok(h.RequestBinding(t.Context(), stranger.no, h.askFor(friend.no, "12", nil), Once{}))(t).Answer.Binding.ID
	door := ok(h.AnnouncePaper(t.Context(), stranger.no, third, announced(family.IDCard, scan(t, 40))))(t)
	if status, text := h.send(door, scan(t, 40)); status == http.StatusOK || !strings.Contains(text, "papers.once") {
		t.Errorf("a paper of another family: %d %s", status, text)
	}
	same(t, "what is said at the promise", refused(h.Submit(t.Context(), stranger.no, third))(t, family.PaperWrong).Rule, "papers.once")

	// Doors: replayed, changed, closed, another's.
	file := scan(t, 200)
	door = ok(h.AnnouncePaper(t.Context(), stranger.no, third, announced(family.IDCard, file)))(t)
	again := ok(h.AnnouncePaper(t.Context(), stranger.no, third, announced(family.IDCard, file)))(t)
	same(t, "the same paper again", again.Material, door.Material)
	refused(h.AnnouncePaper(t.Context(), friend.no, third, announced(family.IDCard, file)))(t, family.NotPermitted)
	refused(h.AnnouncePaper(t.Context(), xu, third, announced(family.IDCard, file)))(t, family.NotFound)
	if status, _ := h.send(door, append(slices.Clone(file), 0)); status == http.StatusOK {
		t.Error("a file that is longer than announced was taken")
	}
	if status, _ := h.send(door, scan(t, 201)); status == http.StatusOK {
		t.Error("another file than announced was taken")
	}
	changed := door
	changed.Upload.URL = strings.Replace(door.Upload.URL, "size=", "size=1", 1)
	if status, _ := h.send(changed, file); status == http.StatusOK {
		t.Error("a door that was changed was open")
	}
	h.clock.add(doorOpen)
	if status, _ := h.send(door, file); status == http.StatusOK {
		t.Error("a door was open for ever")
	}
	h.clock.add(-doorOpen)
	if status, text := h.send(door, file); status != http.StatusOK {
		t.Errorf("the door: %d %s", status, text)
	}
	if status, _ := h.send(door, file); status == http.StatusOK {
		t.Error("a door was open twice")
	}

	// What cannot be announced.
	for _, c := range []struct {
		change func(*MaterialAsk)
		code   family.Code
	}{
		{func(m *MaterialAsk) { m.Size = 11 << 20 }, family.PaperWrong},
		{func(m *MaterialAsk) { m.ContentType = "text/html" }, family.PaperWrong},
		{func(m *MaterialAsk) { m.Kind = "passport" }, family.Malformed},
		{func(m *MaterialAsk) { m.SHA256 = strings.ToUpper(m.SHA256) }, family.Malformed},
		{func(m *MaterialAsk) { m.Size = 0 }, family.Malformed},
	} {
		ask := announced(family.CommitmentLetter, scan(t, 5))
		c.change(&ask)
		refused(h.AnnouncePaper(t.Context(), stranger.no, third, ask))(t, c.code)
	}
	_ = id
}

// TestAReviewerDecidesOnWhatHeSaw: what changed under him between his look and his word
// is refused, whether he sends the version that he saw or none, until he looks again.
func TestAReviewerDecidesOnWhatHeSaw(t *testing.T) {
	h := canton(t)
	ctx := t.Context()
	id := h.reviewed()
	look := ok(h.Review(ctx, id, anna))(t)
	seen := look.Binding.Face()
	ok(h.Clarify(ctx, id, bert, ReviewAsk{Kind: family.IDCard, Reason: "照片看不清"}))(t)
	h.upload(liang, id, family.IDCard, scan(t, 200)) // another file in the place of the one seen
	ok(h.Submit(ctx, liang, id))(t)
	for _, version := range []family.Hash{seen, ""} {
		changed := refused(h.Approve(ctx, id, anna, ReviewAsk{Version: version}))(t, family.StateForbids)
		same(t, "what", changed.Field, "version")
		refused(h.Reject(ctx, id, anna, ReviewAsk{Version: version, Reason: "不"}))(t, family.StateForbids)
	}
	look = ok(h.Review(ctx, id, anna))(t)
	now := look.Binding.Face()
	same(t, "state", ok(h.Approve(ctx, id, anna, ReviewAsk{Version: now}))(t).Binding.State, family.BindingActive)
}

// TestAcceptByTheWrongAndAfterTheEnd: a stranger, the holder and a reviewer accept
// nothing, and after the holder took his request back the member does not either.
func TestAcceptByTheWrongAndAfterTheEnd(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	id := h.request(li, wang, "12", true, forAll())
	ok(h.Submit(ctx, li, id))(t)
	refused(h.Accept(ctx, zhou, id))(t, family.NotFound)
	refused(h.Accept(ctx, li, id))(t, family.NotPermitted)
	refused(h.AcceptAtCounter(ctx, anna, id))(t, family.NotFound)
	ok(h.EndBinding(ctx, li, id))(t)
	before := h.dump()
	refused(h.Accept(ctx, wang, id))(t, family.StateForbids)
	h.wantNothingMoved(before)
	same(t, "grants", len(h.account(li).Given), 0)
}
