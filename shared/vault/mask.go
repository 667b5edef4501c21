package vault

import (
	"strings"
	"unicode/utf8"
)

// maskedID is the length, in characters, of a resident ID number: the one kind
// of number of which MaskID leaves something to see.
const maskedID = 18

// MaskName leaves the first character of a name and stars for the rest, four at
// most: 李小明 gives 李**, 王芳 gives 王*, John Smith gives J****. A single
// character is starred too, and nothing gives nothing.
func MaskName(name string) string {
	runes := []rune(strings.TrimSpace(name))
	switch len(runes) {
	case 0:
		return ""
	case 1:
		return "*"
	}
	return string(runes[0]) + strings.Repeat("*", min(len(runes)-1, 4))
}

// MaskID leaves the first three and the last four of the 18 characters of a
// resident ID number (110***********0003), as is customary. Any other number is
// starred whole, to 18 stars at most: of a short one those seven would be too
// much.
func MaskID(id string) string {
	id = strings.TrimSpace(id)
	n := utf8.RuneCountInString(id)
	if n != maskedID {
		return strings.Repeat("*", min(n, maskedID))
	}
	runes := []rune(id)
	return string(runes[:3]) + strings.Repeat("*", maskedID-7) + string(runes[maskedID-4:])
}
