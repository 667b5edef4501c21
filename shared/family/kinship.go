package family

import "fmt"

// Relation is a kinship code of GB/T 4761: what the other person is to me.
// In a binding it is what the member is to the holder; in a grant what the
// beneficiary is to the grantor.
type Relation string

// kinship lists the codes that name a near relative in the sense of 民法典
// art. 1045: spouse, parents, children, brothers and sisters, grandparents and
// grandchildren on both sides. In-laws are not, nor great-grandparents; the
// headings (40, 50, 60, 70) name no person and cannot be bound.
var kinship = map[Relation]struct {
	kin    Kin
	zh, en string
}{
	"10": {Spouse, "配偶", "spouse"},
	"11": {Spouse, "夫", "husband"},
	"12": {Spouse, "妻", "wife"},
	"20": {Child, "子", "son"},
	"21": {Child, "独生子", "only son"},
	"22": {Child, "长子", "eldest son"},
	"23": {Child, "次子", "second son"},
	"24": {Child, "三子", "third son"},
	"25": {Child, "四子", "fourth son"},
	"26": {Child, "五子", "fifth son"},
	"27": {Child, "养子或继子", "adopted son or stepson"},
	"30": {Child, "女", "daughter"},
	"31": {Child, "独生女", "only daughter"},
	"32": {Child, "长女", "eldest daughter"},
	"33": {Child, "二女", "second daughter"},
	"34": {Child, "三女", "third daughter"},
	"35": {Child, "四女", "fourth daughter"},
	"36": {Child, "五女", "fifth daughter"},
	"37": {Child, "养女或继女", "adopted daughter or stepdaughter"},
	"41": {Grandchild, "孙子", "grandson"},
	"42": {Grandchild, "孙女", "granddaughter"},
	"43": {Grandchild, "外孙子", "daughter's son"},
	"44": {Grandchild, "外孙女", "daughter's daughter"},
	"51": {Parent, "父亲", "father"},
	"52": {Parent, "母亲", "mother"},
	"57": {Parent, "继父或养父", "stepfather or adoptive father"},
	"58": {Parent, "继母或养母", "stepmother or adoptive mother"},
	"61": {Grandparent, "祖父", "paternal grandfather"},
	"62": {Grandparent, "祖母", "paternal grandmother"},
	"63": {Grandparent, "外祖父", "maternal grandfather"},
	"64": {Grandparent, "外祖母", "maternal grandmother"},
	"71": {Sibling, "兄", "elder brother"},
	"73": {Sibling, "弟", "younger brother"},
	"75": {Sibling, "姐", "elder sister"},
	"77": {Sibling, "妹", "younger sister"},
}

// Kin is one of the kinds of near relative that the rules speak of.
type Kin string

// The kinds of near relative.
const (
	Spouse      Kin = "spouse"
	Parent      Kin = "parent"
	Child       Kin = "child"
	Sibling     Kin = "sibling"
	Grandparent Kin = "grandparent"
	Grandchild  Kin = "grandchild"
)

// Kins lists every kind of near relative.
var Kins = []Kin{Spouse, Parent, Child, Sibling, Grandparent, Grandchild}

// ParseRelation reads a two-digit code. It does not ask whether the code names
// a near relative: that is a rule, and its answer a refusal.
func ParseRelation(s string) (Relation, error) {
	if len(s) != 2 || !digits(s) {
		return "", fmt.Errorf("a relation is a two-digit code of GB/T 4761")
	}
	return Relation(s), nil
}

// Kin returns the kind of near relative that the code names, or "" for none.
func (r Relation) Kin() Kin { return kinship[r].kin }

// Names returns the relation's name in Chinese and English.
func (r Relation) Names() (zh, en string) {
	k, ok := kinship[r]
	if !ok {
		return "其他", "other"
	}
	return k.zh, k.en
}

// Inverse returns the kind that I am to whom is of this kind to me.
func (k Kin) Inverse() Kin {
	switch k {
	case Parent:
		return Child
	case Child:
		return Parent
	case Grandparent:
		return Grandchild
	case Grandchild:
		return Grandparent
	}
	return k
}
