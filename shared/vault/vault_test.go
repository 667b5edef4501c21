package vault

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	mrand "math/rand/v2"
	"strings"
	"sync"
	"testing"
)

const place = "PERSON#123/name"

func TestSealOpen(t *testing.T) {
	v := New(mustKeys(t), rand.Reader)
	seen := map[string]bool{}
	for _, plain := range []string{"李小明", "李小明", "110101199003070003", "", "\x00\xff", strings.Repeat("长", 10_000)} {
		sealed, err := v.Seal(plain, place)
		if err != nil {
			t.Fatal(err)
		}
		if seen[sealed] {
			t.Error("the same sealed text twice")
		}
		seen[sealed] = true
		if len(plain) > 2 && strings.Contains(sealed, plain) {
			t.Errorf("%q shows the text", sealed)
		}
		got, err := v.Open(sealed, place)
		if err != nil || got != plain {
			t.Errorf("Open: %.20q, %v, want %.20q", got, err, plain)
		}
		for _, other := range []string{"", "PERSON#124/name", "PERSON#123/id_no", place + " "} {
			if got, err := v.Open(sealed, other); err != ErrNotOpened || got != "" {
				t.Errorf("Open in %q: %q, %v, want ErrNotOpened", other, got, err)
			}
		}
		if _, err := New(mustKeys(t), rand.Reader).Open(sealed, place); err != ErrUnknownKey {
			t.Errorf("Open with another house's keys: %v, want ErrUnknownKey", err)
		}
	}
	if _, err := v.Seal("李小明", ""); err == nil || strings.Contains(err.Error(), "李") {
		t.Errorf("Seal without a place: %v", err)
	}
}

// Sealed by another program from the description in this package (AES-256-GCM
// of a Python library; nonce 200…211). If this fails, nothing stored opens.
const fixedSealed = "v1.0000aaaa.yMnKy8zNzs_Q0dLT9-XvPjZDHbj6kezUyZeQDm1vWf3TWRJmhg"

func TestFormatStays(t *testing.T) {
	nonce, _ := hex.DecodeString("c8c9cacbcccdcecfd0d1d2d3")
	v := New(fixedKeys(t), strings.NewReader(string(nonce)))
	if got, err := v.Open(fixedSealed, place); got != "李小明" || err != nil {
		t.Errorf("Open: %q, %v", got, err)
	}
	if got, err := v.Seal("李小明", place); got != fixedSealed || err != nil {
		t.Errorf("Seal: %q, %v", got, err)
	}
	// Made by the same program with Python's hmac.
	for _, tt := range []struct{ name, got, want string }{
		{"Index", v.Index("id_no", "110101199003070003"), "jQiryjN5xP0iQGfpeZ3Hc4GGIhGKMoIt2yu20irRiYM"},
		{"QRDigits", v.QRDigits("01HZXW5T7M8N9P0Q1R2S3T4V5W"), "12617184704685707"},
		{"QRHash", v.QRHash("62123456789012345678"), "90hYNazC7Ey3RPll28-l2lwlYxS0-1qs8Kd9pzRRweo"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}

func TestOpenFlippedBits(t *testing.T) {
	keys, err := fixedKeys(t).Rotate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	v := New(keys, rand.Reader)
	for i := range len(fixedSealed) {
		for bit := range 8 {
			b := []byte(fixedSealed)
			b[i] ^= 1 << bit
			if got, err := v.Open(string(b), place); err == nil || got != "" {
				t.Errorf("byte %d, bit %d: opened as %q, %v", i, bit, got, err)
			}
		}
		if _, err := v.Open(fixedSealed[:i], place); err == nil {
			t.Errorf("the first %d bytes opened", i)
		}
		for _, more := range []string{"\n", "\r", "A", "=", "."} {
			if _, err := v.Open(fixedSealed[:i]+more+fixedSealed[i:], place); err == nil {
				t.Errorf("%q put in at byte %d opened", more, i)
			}
		}
	}
	// The same bytes under the name of another key that is there.
	if _, err := v.Open(strings.Replace(fixedSealed, "0000aaaa", keys.set().current, 1), place); err != ErrNotOpened {
		t.Errorf("under another key's id: %v, want ErrNotOpened", err)
	}
	for sealed, want := range map[string]error{
		"":                                 ErrNotSealed,
		"李小明":                              ErrNotSealed,
		"v2" + fixedSealed[2:]:             ErrNotSealed,
		"v1.0000aaaa":                      ErrNotSealed,
		"v1.0000aaaa.":                     ErrNotSealed,
		"v1..AAAA":                         ErrNotSealed,
		"v1.0000aaaa.****":                 ErrNotSealed,
		fixedSealed[:40]:                   ErrNotSealed,
		"v1.0000aaab" + fixedSealed[11:]:   ErrUnknownKey,
		"v1.0000aaaa" + fixedSealed[11:52]: ErrNotOpened,
	} {
		if _, err := v.Open(sealed, place); err != want {
			t.Errorf("Open(%q): %v, want %v", sealed, err, want)
		}
	}
}

func TestRotation(t *testing.T) {
	first := fixedKeys(t)
	second, err := first.Rotate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	before, after := New(first, rand.Reader), New(second, rand.Reader)

	if before.Stale(fixedSealed) || !after.Stale(fixedSealed) {
		t.Error("a text is stale before the rotation or not stale after it")
	}
	plain, err := after.Open(fixedSealed, place)
	if err != nil || plain != "李小明" {
		t.Fatalf("after the rotation: %q, %v", plain, err)
	}
	anew, err := after.Seal(plain, place)
	if err != nil {
		t.Fatal(err)
	}
	if after.Stale(anew) || !before.Stale(anew) {
		t.Error("Stale does not know the current key")
	}
	if _, err := before.Open(anew, place); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("keys from before, text from after: %v, want ErrUnknownKey", err)
	}
	for _, junk := range []string{"", "李小明", "v1.", "v1.0000aaab"} {
		if after.Stale(junk) {
			t.Errorf("Stale(%q): what is not sealed cannot be sealed anew", junk)
		}
	}
	if before.Index("id_no", "1") != after.Index("id_no", "1") || before.QRDigits("1") != after.QRDigits("1") || before.QRHash("1") != after.QRHash("1") {
		t.Error("rotation changed an index or the digits of a code")
	}
}

func TestErrorsDoNotRepeat(t *testing.T) {
	v := New(fixedKeys(t), rand.Reader)
	const secret = "李小明110101199003070003"
	sealed, err := v.Seal(secret, place)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{secret, "v1." + secret, "v1.0000aaaa." + secret, sealed, sealed[:len(sealed)-1], "v1.110101199003070." + sealed[12:]} {
		_, err := v.Open(s, "elsewhere")
		if err == nil {
			t.Errorf("Open(%q) opened", s)
			continue
		}
		for _, part := range []string{"李", "11010119900", sealed[20:28], "elsewhere"} {
			if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, part) {
				t.Errorf("the error repeats %q: %s", part, text)
			}
		}
	}
}

func TestDomainsApart(t *testing.T) {
	v := New(mustKeys(t), rand.Reader)
	seen := map[string]string{}
	for name, got := range map[string]string{
		"id_no 12":   v.Index("id_no", "12"),
		"card_no 12": v.Index("card_no", "12"),
		"id_no 1":    v.Index("id_no", "1"),
		"id_no1 2":   v.Index("id_no1", "2"),
		"id_no12":    v.Index("id_no12", ""),
		"NUL":        v.Index("id_no\x0012", ""),
		"hash 12":    v.QRHash("12"),
		"hash":       v.QRHash(""),
	} {
		if len(got) != 43 {
			t.Errorf("%s: %q has not 43 characters", name, got)
		}
		if seen[got] != "" {
			t.Errorf("%s and %s have the same hash", name, seen[got])
		}
		seen[got] = name
	}
	other := New(mustKeys(t), rand.Reader)
	if v.Index("id_no", "12") == other.Index("id_no", "12") || v.QRHash("12") == other.QRHash("12") || v.QRDigits("12") == other.QRDigits("12") {
		t.Error("a hash does not depend on the key")
	}
	// The index and the QR key are not each other.
	k := *mustKeys(t).set()
	swapped := k
	swapped.index, swapped.qr = k.qr, k.index
	a, b := New(wrap(&k), rand.Reader), New(wrap(&swapped), rand.Reader)
	if a.Index("id_no", "1") == b.Index("id_no", "1") || a.QRHash("1") == b.QRHash("1") || a.QRDigits("1") == b.QRDigits("1") {
		t.Error("a hash does not use its own key")
	}
}

// TestStamp: a stamp is of these parts and this body, in this order, under these keys.
func TestStamp(t *testing.T) {
	v := New(fixedKeys(t), rand.Reader)
	const want = "MGquc0rHk9RaDWP9"
	got := v.Stamp([]byte("body"), "ACCT#P1", "A", "7")
	if got != want || len(got) != StampLen {
		t.Errorf("stamp %q, want %q: every record that is stored would be taken for a damaged one", got, want)
	}
	seen := map[string]bool{got: true}
	for _, parts := range [][]string{{""}, {"ACCT#P1", "A", "7"}, {"ACCT#P1", "A7", "", "body"}, {"ACCT#P1", "A", "7", "bodY"}, {"ACCT#P1", "A", "body", "7"}, {"ACCT#P1A", "", "7", "body"}} {
		n := len(parts) - 1
		other := v.Stamp([]byte(parts[n]), parts[:n]...)
		if seen[other] || SameStamp(other, got) {
			t.Errorf("%q have the stamp of others", parts)
		}
		seen[other] = true
	}
	if other := New(mustKeys(t), rand.Reader).Stamp([]byte("body"), "ACCT#P1", "A", "7"); SameStamp(other, got) {
		t.Error("another house's keys give the same stamp")
	}
	if !SameStamp(got, want) {
		t.Error("a stamp is not the same as itself")
	}
}

func TestReduce(t *testing.T) {
	r := mrand.New(newRand(t))
	mod := big.NewInt(digitsMod)
	check := func(hi, lo uint64) {
		n := new(big.Int).Lsh(new(big.Int).SetUint64(hi), 64)
		n.Add(n, new(big.Int).SetUint64(lo))
		if want := n.Mod(n, mod).Uint64(); reduce(hi, lo) != want {
			t.Errorf("reduce(%d, %d) = %d, want %d", hi, lo, reduce(hi, lo), want)
		}
	}
	edges := []uint64{0, 1, digitsMod - 1, digitsMod, digitsMod + 1, 1<<64 - 1}
	for _, hi := range edges {
		for _, lo := range edges {
			check(hi, lo)
		}
	}
	for range 10_000 {
		check(r.Uint64(), r.Uint64())
	}
}

// Every digit in every place as often as every other. The bound, 60 for nine
// degrees of freedom, is passed by chance once in 10⁹.
func TestQRDigitsUniform(t *testing.T) {
	r := newRand(t)
	keys, err := NewKeys(r)
	if err != nil {
		t.Fatal(err)
	}
	v := New(keys, r)
	const n = 20_000
	var count [17][10]int
	seen := map[string]bool{}
	for i := range n {
		// Ids as alike as they come: a counter.
		digits := v.QRDigits(fmt.Sprintf("01HZXW5T7M8N9P0Q1R%08d", i))
		if len(digits) != 17 {
			t.Fatalf("%q has not 17 digits", digits)
		}
		for place, c := range []byte(digits) {
			if c < '0' || c > '9' {
				t.Fatalf("%q has something else than digits", digits)
			}
			count[place][c-'0']++
		}
		seen[digits] = true
	}
	if len(seen) != n {
		t.Errorf("%d tokens have only %d codes", n, len(seen))
	}
	for place := range count {
		chi := 0.0
		for _, c := range count[place] {
			d := float64(c) - n/10
			chi += d * d / (n / 10)
		}
		if chi > 60 {
			t.Errorf("place %d: chi-square %.1f: %v", place, chi, count[place])
		}
	}
}

func TestConcurrent(t *testing.T) {
	r := newRand(t) // not safe for concurrent use by itself
	v := New(mustKeys(t), r)
	index, digits := v.Index("id_no", "1"), v.QRDigits("1")
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for j := range 200 {
				plain := fmt.Sprint(i, j)
				sealed, err := v.Seal(plain, place)
				if err != nil {
					t.Error(err)
				}
				if got, err := v.Open(sealed, place); got != plain || err != nil {
					t.Errorf("Open: %q, %v", got, err)
				}
				if v.Index("id_no", "1") != index || v.QRDigits("1") != digits || v.Stale(sealed) {
					t.Error("another answer than alone")
				}
			}
		})
	}
	wait.Wait()
}

func TestNewWithoutKeys(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("New made a vault of no keys")
		}
	}()
	New(Keys{}, rand.Reader)
}

func FuzzOpen(f *testing.F) {
	v := New(fixedKeys(f), rand.Reader)
	f.Add(fixedSealed, place)
	f.Add(fixedSealed[:len(fixedSealed)-1], place)
	f.Add("v1.0000aaaa.", "")
	f.Add("v1.0000aaaa.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "x")
	f.Fuzz(func(t *testing.T, sealed, where string) {
		v.Stale(sealed)
		plain, err := v.Open(sealed, where)
		if err == nil && (sealed != fixedSealed || where != place) {
			t.Errorf("Open(%q, %q) opened as %q", sealed, where, plain)
		}
		if err != nil && plain != "" {
			t.Errorf("text beside the error: %q", plain)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	v := New(mustKeys(b), rand.Reader)
	for b.Loop() {
		v.Seal("110101199003070003", place)
	}
}

func BenchmarkOpen(b *testing.B) {
	v := New(fixedKeys(b), rand.Reader)
	for b.Loop() {
		v.Open(fixedSealed, place)
	}
}

func BenchmarkIndex(b *testing.B) {
	v := New(mustKeys(b), rand.Reader)
	for b.Loop() {
		v.Index("id_no", "110101199003070003")
	}
}

func BenchmarkQRDigits(b *testing.B) {
	v := New(mustKeys(b), rand.Reader)
	for b.Loop() {
		v.QRDigits("01HZXW5T7M8N9P0Q1R2S3T4V5W")
	}
}

// TestADataKey: what one person's key sealed opens under his key at its place and
// nowhere else; wrapped anew it is the same key; destroyed it opens nothing, and
// neither does a copy of it once the key that wrapped it is gone.
func TestADataKey(t *testing.T) {
	first := fixedKeys(t)
	v := New(first, rand.Reader)
	mine, wrapped, err := v.NewDataKey("1/key")
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := v.NewDataKey("2/key")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := mine.Seal("李小明", place)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		key   DataKey
		place string
		want  error
	}{{mine, place, nil}, {other, place, ErrNotOpened}, {mine, "elsewhere", ErrNotOpened}, {DataKey{}, place, ErrNotOpened}} {
		if plain, err := c.key.Open(sealed, c.place); err != c.want || (plain == "李小明") != (err == nil) {
			t.Errorf("%d: %q, %v", i, plain, err)
		}
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %x", mine, mine, mine, mine, mine)} {
		if !strings.Contains(text, redacted) {
			t.Errorf("a data key prints as %s", text)
		}
	}
	second, err := first.Rotate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	anew, err := New(second, rand.Reader).Reseal(wrapped, "1/key")
	if err != nil || anew == wrapped {
		t.Fatal(err)
	}
	last, err := second.Drop()
	if err != nil {
		t.Fatal(err)
	}
	v = New(last, rand.Reader)
	again, err := v.DataKey(anew, "1/key")
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := again.Open(sealed, place); plain != "李小明" {
		t.Error(plain, err)
	}
	if _, err := v.DataKey(wrapped, "1/key"); err != ErrUnknownKey {
		t.Errorf("a copy of the wrapped key from before: %v", err)
	}
	if _, err := v.DataKey(anew, "2/key"); err != ErrNotOpened {
		t.Errorf("another's place: %v", err)
	}
}

func BenchmarkStamp(b *testing.B) {
	v := New(mustKeys(b), rand.Reader)
	body := []byte(strings.Repeat("0123456789abcdef", 50)) // as an account's
	b.ReportAllocs()
	for b.Loop() {
		v.Stamp(body, "ACCT#430100000000000000", "A", "17", "-62135596800")
	}
}
