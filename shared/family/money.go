package family

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Fen is an amount of money in fen, a hundredth of a yuan. It may be negative:
// a reversal is a settlement with its signs turned.
type Fen int64

// MaxFen bounds every amount that enters the house: ten million yuan. Sums of
// [MaxLines] of them are far from the end of an int64.
const MaxFen Fen = 1_000_000_000

// String writes the amount in yuan with two decimals, such as "-4.52".
func (f Fen) String() string {
	sign, u := "", uint64(f)
	if f < 0 {
		sign, u = "-", -u
	}
	return fmt.Sprintf("%s%d.%02d", sign, u/100, u%100)
}

// ParseYuan reads an amount in yuan with at most two decimals, such as "4.52".
func ParseYuan(s string) (Fen, error) {
	v, err := parseDecimal(s, 2, int64(MaxFen))
	return Fen(v), err
}

// Ratio is a share in ten-thousandths, 0 to 1: "0.7000" is 7000.
// The national interface writes ratios with four decimals (SPEC 4, "5,4").
type Ratio int64

// Whole is the ratio 1.
const Whole Ratio = 10_000

// ParseRatio reads a ratio with at most four decimals, 0 to 1, such as "0.1000".
func ParseRatio(s string) (Ratio, error) {
	v, err := parseDecimal(s, 4, int64(Whole))
	if err == nil && v < 0 {
		return 0, fmt.Errorf("the ratio %s is below 0", s)
	}
	return Ratio(v), err
}

// String writes the ratio with four decimals.
func (r Ratio) String() string { return fmt.Sprintf("%d.%04d", r/Whole, r%Whole) }

// MarshalText writes a ratio as every file and wire does: with four decimals.
func (r Ratio) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (r *Ratio) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRatio(string(text))
	return err
}

// Of returns the ratio of an amount that is not negative, rounded half up to
// the fen (as the recorded settlement E1 does: 4.52 × 5 % = 0.226 → 0.23).
func (r Ratio) Of(f Fen) Fen { return Fen(mulDiv(int64(f), int64(r), int64(Whole))) }

// Quantity counts goods in ten-thousandths of a unit: "2.5" is 25000.
// The national interface writes counts with four decimals (SPEC 4, "16,4").
type Quantity int64

const (
	oneUnit Quantity = 10_000
	// MaxQuantity bounds the quantity of one line: a million units.
	MaxQuantity Quantity = 1_000_000 * oneUnit
)

// ParseQuantity reads a quantity above 0 with at most four decimals.
func ParseQuantity(s string) (Quantity, error) {
	v, err := parseDecimal(s, 4, int64(MaxQuantity))
	if err == nil && v <= 0 {
		return 0, fmt.Errorf("the quantity %s is not above 0", s)
	}
	return Quantity(v), err
}

// String writes the quantity with no more decimals than it needs.
func (q Quantity) String() string {
	sign, u := "", uint64(q)
	if q < 0 {
		sign, u = "-", -u
	}
	s := fmt.Sprintf("%s%d.%04d", sign, u/uint64(oneUnit), u%uint64(oneUnit))
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// times returns price × quantity, rounded half up to the fen.
func (q Quantity) times(price Fen) Fen { return Fen(mulDiv(int64(price), int64(q), int64(oneUnit))) }

// mulDiv returns a × b / c rounded half up, for a and b not negative and c
// above 0, through 128 bits so that no product overflows.
func mulDiv(a, b, c int64) int64 {
	if a < 0 || b < 0 || c <= 0 {
		panic("family: mulDiv of a negative")
	}
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	lo, carry := bits.Add64(lo, uint64(c)/2, 0)
	q, _ := bits.Div64(hi+carry, lo, uint64(c))
	return int64(q)
}

// parseDecimal reads digits with at most the given decimals as an integer of
// the last decimal, its size at most limit. No exponent, no spaces, no plus, no
// leading or trailing point: one number has one spelling but for zeros at its end
// and the minus of -0.
func parseDecimal(s string, decimals int, limit int64) (int64, error) {
	body, negative := strings.CutPrefix(s, "-")
	whole, part, point := strings.Cut(body, ".")
	if whole == "" || point && part == "" || len(part) > decimals || len(whole) > 18 {
		return 0, fmt.Errorf("%q is not a number with at most %d decimals", clip(s), decimals)
	}
	if len(whole) > 1 && whole[0] == '0' {
		return 0, fmt.Errorf("%q begins with a zero", clip(s))
	}
	v, err := strconv.ParseUint(whole+part, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number with at most %d decimals", clip(s), decimals)
	}
	for range decimals - len(part) {
		if v > uint64(limit) {
			break
		}
		v *= 10
	}
	if v > uint64(limit) {
		return 0, fmt.Errorf("%q is too large", clip(s))
	}
	if negative {
		return -int64(v), nil
	}
	return int64(v), nil
}

// clip keeps a quoted piece of input short.
func clip(s string) string {
	if len(s) > 32 {
		return s[:32]
	}
	return s
}
