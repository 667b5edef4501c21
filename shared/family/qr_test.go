package family_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gongji/shared/family"
)

// mod1110 is ISO/IEC 7064 MOD 11,10 written down a second time, as the standard
// checks a whole string: the last product plus the check digit is 1 modulo 10.
func mod1110(whole string) bool {
	p := 10
	for i, c := range whole {
		s := (p + int(c-'0')) % 10
		if i == len(whole)-1 {
			return s == 1
		}
		if s == 0 {
			s = 10
		}
		p = 2 * s % 11
	}
	return false
}

// codes returns some codes; the same on every run.
func codes(n int) []string {
	random := rand.New(rand.NewPCG(1, 2))
	all := []string{strings.Repeat("0", 17), strings.Repeat("9", 17), "12345678901234567"}
	for len(all) < n {
		all = append(all, fmt.Sprintf("%017d", random.Uint64N(1e17)))
	}
	return all
}

func TestQRDigits(t *testing.T) {
	// The standard's own example: 0794 takes the check digit 5.
	if !mod1110("07945") || mod1110("07944") {
		t.Fatal("the test's own reading of the standard is wrong")
	}
	if got := family.CheckDigit("0794"); got != '5' {
		t.Errorf("the check digit of 0794 is %c, want 5", got)
	}
	for _, random := range codes(500) {
		code := family.QRDigits(random)
		if len(code) != 20 || code[:2] != family.QRPrefix || code[2:19] != random || !mod1110(code) {
			t.Fatalf("%s became %s", random, code)
		}
		if got, err := family.ParseQRDigits(code); err != nil || got != code {
			t.Fatalf("%s: %v", code, err)
		}
	}
	for _, s := range []string{"", "86", strings.Repeat("0", 20), "8612345678901234567", "861234567890123456789", "86 2345678901234567 ", "8612345678901234567X", "２" + strings.Repeat("0", 17)} {
		if _, err := family.ParseQRDigits(s); err == nil {
			t.Errorf("%q passed", s)
		}
	}
	// Another's prefix is not ours, even with a check digit that fits.
	for _, prefix := range []string{"62", "28", "13"} {
		body := prefix + strings.Repeat("7", 17)
		if _, err := family.ParseQRDigits(body + string(family.CheckDigit(body))); err == nil {
			t.Errorf("a code that begins with %s passed", prefix)
		}
	}
	for _, random := range []string{"", "1234567890123456", "123456789012345678", "1234567890123456a"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q became a code", random)
				}
			}()
			family.QRDigits(random)
		}()
	}
}

// TestQRSlips counts what a reader or a hand may get wrong. Every single wrong
// digit is caught. Neighbours swapped pass only where the arithmetic lets them,
// which the standard allows; their number is printed.
func TestQRSlips(t *testing.T) {
	swaps, missed := 0, 0
	for _, random := range codes(300) {
		code := family.QRDigits(random)
		for i := range code {
			for d := byte('0'); d <= '9'; d++ {
				wrong := code[:i] + string(d) + code[i+1:]
				if _, err := family.ParseQRDigits(wrong); wrong != code && err == nil {
					t.Fatalf("%s passed for %s", wrong, code)
				}
			}
			if i > 0 && code[i-1] != code[i] {
				swaps++
				if _, err := family.ParseQRDigits(code[:i-1] + string(code[i]) + string(code[i-1]) + code[i+1:]); err == nil {
					missed++
				}
			}
		}
	}
	t.Logf("%d of %d swaps of neighbours were not caught", missed, swaps)
	if missed*20 > swaps {
		t.Errorf("more than one in twenty")
	}
}
