// Package pinyin knows with which letter a Chinese character's reading begins: a
// cashier finds 布洛芬混悬液 by typing BLFHXY.
//
// The letters are those of mozillazg/pinyin-data (MIT), one a character, of the
// reading that it gives first; where drugs and places are read otherwise (参 shēn,
// 长 cháng, 重 chóng, 藏 zàng, 调 tiáo) that reading is taken. They lie in one text and
// not in a Go map, which every Lambda would build at every start.
package pinyin

import (
	_ "embed"
	"strings"
	"unicode"
)

// letters has one letter for each character from 一 on, '-' where nobody knows any.
//
//go:embed initials.txt
var letters string

// The first and the last character of letters.
const first, last = '一', '龥'

// words are read otherwise than their characters are by themselves.
var words = strings.NewReplacer("阿胶", "EJ", "东阿", "DE", "白术", "BZ", "苍术", "CZ", "莪术", "EZ")

// Initials returns the first letters of a name's reading, in capitals. Latin letters
// and digits stand for themselves; what is neither is left out.
func Initials(name string) string {
	var b strings.Builder
	for _, r := range words.Replace(name) {
		switch {
		case r >= first && r <= last:
			if letter := letters[r-first]; letter != '-' {
				b.WriteByte(letter)
			}
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(unicode.ToUpper(r))
		}
	}
	return b.String()
}
