package pinyin

import "testing"

func TestInitials(t *testing.T) {
	if len(letters) != last-first+1 {
		t.Fatalf("%d letters for %d characters", len(letters), last-first+1)
	}
	for i, letter := range letters {
		if letter != '-' && (letter < 'A' || letter > 'Z') {
			t.Fatalf("%c has the letter %q", rune(first+i), letter)
		}
	}
	for name, want := range map[string]string{
		"布洛芬混悬液": "BLFHXY", "阿莫西林胶囊": "AMXLJN", "复方丹参片": "FFDSP", "硝苯地平控释片": "XBDPKSP", "血细胞分析": "XXBFX",
		"胸部CT平扫": "XBCTPS", "西洋参片": "XYSP", "阿胶": "EJ", "炒白术": "CBZ", "长沙示例大药房": "CSSLDYF", "重组人胰岛素": "CZRYDS",
		"0.9%氯化钠": "09LHN", "α-干扰素": "GRS", "vitamin C 片": "VITAMINCP", "": "", "——（）": "", "龥": "Y", "\U00020000": "",
	} {
		if got := Initials(name); got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
}
