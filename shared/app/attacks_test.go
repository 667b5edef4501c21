package app

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/papers"
)

// bombPNG is a small PNG of 8 times 8 pixels that unfolds to 32 MB.
func bombPNG(t testing.TB) []byte {
	t.Helper()
	var folded bytes.Buffer
	z := zlib.NewWriter(&folded)
	if _, err := z.Write(make([]byte, 32<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	chunk := func(kind string, body []byte) []byte {
		out := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), kind...)
		out = append(out, body...)
		return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
	}
	return bytes.Join([][]byte{
		[]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", []byte{0, 0, 0, 8, 0, 0, 0, 8, 8, 0, 0, 0, 0}), chunk("IDAT", folded.Bytes()), chunk("IEND", nil),
	}, nil)
}

// TestHarmfulFilesAtTheDoor: a file that is announced with its own checksum and size,
// and so passes the door, is still looked at. What harms is refused by its rule,
// deleted, and proves nothing.
func TestHarmfulFilesAtTheDoor(t *testing.T) {
	h := canton(t)
	ctx := context.Background()
	id := ok(h.RequestBinding(ctx, liang, h.askFor(huang, "12", forAll()), Once{}))(t).Answer.Binding.ID
	for _, c := range []struct {
		what, kind, rule string
		file             []byte
	}{
		{"an executable as PDF", "application/pdf", "papers.type", []byte("MZ\x90\x00%PDF-1.4\n%%EOF\n")},
		{"an executable behind a PDF", "application/pdf", "papers.content", []byte("%PDF-1.4\n%%EOF\nMZ\x90\x00")},
		{"a zip bomb as PNG", "image/png", "papers.content", bombPNG(t)},
	} {
		ask := announced(family.IDCard, c.file)
		ask.ContentType = c.kind
		door := ok(h.AnnouncePaper(ctx, liang, id, ask))(t)
		if status, text := h.send(door, c.file); status == http.StatusOK || !strings.Contains(text, c.rule) {
			t.Errorf("%s: %d %s", c.what, status, text)
		}
		for name, read := range map[string]func(context.Context, string) ([]byte, error){"uploaded": h.shelf.Uploaded, "kept": h.shelf.Kept} {
			if _, err := read(ctx, string(door.Material)); !errors.Is(err, papers.ErrNone) {
				t.Errorf("%s is %s: %v", c.what, name, err)
			}
		}
		same(t, c.what+", at the promise", refused(h.Submit(ctx, liang, id))(t, family.PaperWrong).Rule, c.rule)
	}

	// 11 MB are not announced, and do not come through a door for less.
	large := append(scan(t, 9), make([]byte, 11<<20)...)
	refused(h.AnnouncePaper(ctx, liang, id, announced(family.IDCard, large)))(t, family.PaperWrong)
	door := ok(h.AnnouncePaper(ctx, liang, id, announced(family.IDCard, scan(t, 9))))(t)
	if status, text := h.send(door, large); status == http.StatusOK || !strings.Contains(text, "papers.size") {
		t.Errorf("11 MB: %d %s", status, text)
	}

	// The door of one paper does not open another's place.
	own := ok(h.AnnouncePaper(ctx, liang, id, announced(family.HouseholdRegister, scan(t, 10))))(t)
	moved := door
	moved.Upload.URL = strings.Replace(door.Upload.URL, string(door.Material), string(own.Material), 1)
	if status, _ := h.send(moved, scan(t, 9)); status == http.StatusOK {
		t.Error("a door opened another paper's place")
	}
	if status, text := h.send(door, scan(t, 9)); status != http.StatusOK {
		t.Errorf("the paper itself: %d %s", status, text)
	}
}

// TestADoorThatWasUsedStaysClosed: the door of a paper that was refused, or that another
// one replaced, takes nothing more until it closes; a new announcement has a new door.
func TestADoorThatWasUsedStaysClosed(t *testing.T) {
	h := canton(t)
	ctx := t.Context()
	id := ok(h.RequestBinding(ctx, liang, h.askFor(huang, "12", forAll()), Once{}))(t).Answer.Binding.ID
	closed := func(what string, door UploadView, file []byte) {
		t.Helper()
		if status, text := h.send(door, file); status == http.StatusOK || text != papers.ErrNone.Error() {
			t.Errorf("the door of %s: %d %s", what, status, text)
		}
		if _, err := h.shelf.Uploaded(ctx, string(door.Material)); !errors.Is(err, papers.ErrNone) {
			t.Errorf("something came through the door of %s: %v", what, err)
		}
	}
	forged := []byte("\xff\xd8\xff not a photograph")
	door := ok(h.AnnouncePaper(ctx, liang, id, announced(family.IDCard, forged)))(t)
	if status, text := h.send(door, forged); status == http.StatusOK || !strings.Contains(text, "papers.content") {
		t.Errorf("a forged photograph: %d %s", status, text)
	}
	closed("a refused paper", door, forged)
	again := ok(h.AnnouncePaper(ctx, liang, id, announced(family.IDCard, forged)))(t)
	if again.Material == door.Material {
		t.Error("a refused paper's door is opened once more")
	}

	first, second := scan(t, 1), scan(t, 2)
	door = ok(h.AnnouncePaper(ctx, liang, id, announced(family.IDCard, first)))(t)
	if status, text := h.send(door, first); status != http.StatusOK {
		t.Fatalf("the first paper: %d %s", status, text)
	}
	h.upload(liang, id, family.IDCard, second)
	closed("a replaced paper", door, first)
	if _, err := h.shelf.Kept(ctx, string(door.Material)); !errors.Is(err, papers.ErrNone) {
		t.Errorf("a replaced paper is kept: %v", err)
	}

	// The traces go when their doors have long closed.
	traces := func() int {
		files, err := filepath.Glob(filepath.Join(filepath.Dir(h.path), "papers", "uploaded", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	same(t, "traces", traces(), 2)
	h.clock.add(48 * time.Hour)
	door = ok(h.AnnouncePaper(ctx, liang, id, announced(family.CommitmentLetter, forged)))(t)
	if status, _ := h.send(door, forged); status == http.StatusOK {
		t.Error("a forged letter was taken")
	}
	same(t, "traces two days later", traces(), 1)
}

// TestGuessingPeople: whoever tries numbers and names learns nothing of who is in the
// register: a number that is nobody's, a wrong name and a wrong name of one who
// declined him are the same answer, and leave nothing behind.
func TestGuessingPeople(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	declined := h.request(li, wang, "12", true, forAll())
	ok(h.Submit(ctx, li, declined))(t)
	ok(h.Decline(ctx, wang, declined))(t)
	before := h.dump()
	guess := func(name string, id family.IDNumber) error {
		_, err := h.RequestBinding(ctx, li, BindingAsk{Name: name, ID: id, Relation: "12", Show: true, Pay: forAll()}, Once{})
		return err
	}
	first := guess("王某", idNumber(t, "990102", "19600101", "333"))
	same(t, "the answer", codeOf(first), family.IdentityMismatch)
	for what, err := range map[string]error{
		"another number":                      guess("王某", idNumber(t, "990102", "19600102", "444")),
		"one who declined":                    guess("王某", h.idOf(wang)),
		"one who never heard of it":           guess("周某", h.idOf(zhou)),
		"a child":                             guess("李某", h.idOf(ming)),
		"himself under another name":          guess("李某", h.idOf(li)),
		"the name of one with another's":      guess(h.human(zhou).name, h.idOf(wang)),
		"the name of one, a number of no one": guess(h.human(wang).name, idNumber(t, "990102", "19600101", "333")),
	} {
		same(t, what, err, first)
	}
	h.wantNothingMoved(before)
}
