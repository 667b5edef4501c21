package vault

import "testing"

func TestMaskName(t *testing.T) {
	for name, want := range map[string]string{
		"":                   "",
		"  ":                 "",
		"李":                  "*",
		"A":                  "*",
		"王芳":                 "王*",
		"李小明":                "李**",
		" 李小明\n":             "李**",
		"欧阳娜娜":               "欧***",
		"司马相如是":              "司****",
		"买买提·吐尔逊":            "买****",
		"阿卜杜热西提·阿卜杜克热木":      "阿****",
		"𠮷田":                 "𠮷*",
		"John Smith":         "J****",
		"Li":                 "L*",
		"\xe6\x9d":           "\uFFFD*", // half a character, as it comes off a broken wire
		"110101199003070003": "1****",   // a number in the wrong field shows no more than a name
	} {
		if got := MaskName(name); got != want {
			t.Errorf("MaskName(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestMaskID(t *testing.T) {
	for id, want := range map[string]string{
		"":                     "",
		" ":                    "",
		"1":                    "*",
		"110101900307000":      "***************", // 15, the old kind
		"11010119900307000":    "*****************",
		"110101199003070003":   "110***********0003",
		"11010119900307002X":   "110***********002X",
		" 110101199003070003 ": "110***********0003",
		"1101011990030700031":  "******************",
		"E12345678":            "*********",
		"H1234567890123456789012345678901234567890": "******************",
		"护照E1234567": "**********",
	} {
		if got := MaskID(id); got != want {
			t.Errorf("MaskID(%q) = %q, want %q", id, got, want)
		}
	}
}
