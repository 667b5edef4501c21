package checkpoint

import (
	"crypto/rand"
	"strings"
	"testing"

	"gongji/shared/family"

	"golang.org/x/mod/sumdb/note"
)

// TestACheckpointIsSignedAndRead: what was signed reads back the same, and one changed
// letter of the note is not signed by anybody.
func TestACheckpointIsSignedAndRead(t *testing.T) {
	private, public, err := note.GenerateKey(rand.Reader, "house")
	if err != nil {
		t.Fatal(err)
	}
	signer, _ := note.NewSigner(private)
	verifier, _ := note.NewVerifier(public)
	first := Of(20261120, nil, "")
	second := Of(20261121, []Head{{"P2", 1, "aa"}, {"P1", 3, "bb"}, {"P1", 2, "cc"}}, first.Text())
	if second.Accounts != 2 || second.Previous == first.Previous || second.Root == first.Root {
		t.Fatalf("%+v", second)
	}
	signed, err := second.Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	if c, text, err := Open(signed, verifier); err != nil || c != second || text != second.Text() || TextOf(signed) != text {
		t.Fatalf("%+v %q %v", c, text, err)
	}
	for i := range signed {
		altered := []byte(signed)
		altered[i] ^= 1
		if c, _, err := Open(string(altered), verifier); err == nil && c != second {
			t.Fatalf("a note that was changed at %d opens as %+v", i, c)
		}
	}
	for _, text := range []string{"", "gongji checkpoint 1\n", second.Text() + "more\n", strings.Replace(second.Text(), "accounts 2", "accounts  2", 1), strings.Replace(second.Text(), "accounts 2", "accounts +2", 1)} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

// TestAuditFindsEveryChange: the order in which heads come is nothing; a hash, a number
// or an account that is otherwise, or gone, is found; what came to light since is not
// held against anybody.
func TestAuditFindsEveryChange(t *testing.T) {
	kept := []Head{{"P1", 2, "aa"}, {"P1", 3, "bb"}, {"P2", 1, "cc"}, {"P3", 9, "dd"}}
	c := Of(20261120, kept, "")
	now := []Head{{"P3", 9, "dd"}, {"P2", 1, "cc"}, {"P1", 3, "bb"}, {"P1", 2, "aa"}, {"P4", 1, "late"}}
	if found := Audit(c, kept, now); len(found) > 0 {
		t.Fatal(found)
	}
	for i, change := range []func(*Head){
		func(h *Head) { h.Hash = "ee" }, func(h *Head) { h.Seq++ }, func(h *Head) { h.Account = "P9" }, func(h *Head) { h.Hash = family.Hash("") },
	} {
		for _, at := range []int{0, 1, 2} { // P3, P2 and the newest of P1
			altered := append([]Head(nil), now...)
			change(&altered[at])
			if len(Audit(c, kept, altered)) == 0 {
				t.Errorf("change %d of %+v was not seen", i, now[at])
			}
			forged := append([]Head(nil), kept...)
			change(&forged[3-at])
			if len(Audit(c, forged, append(now, forged...))) == 0 {
				t.Errorf("change %d of what was kept was not seen", i)
			}
		}
	}
	if len(Audit(c, kept[:3], now)) == 0 || len(Audit(c, kept, nil)) != 3 {
		t.Error("what is not there was not missed")
	}
}
