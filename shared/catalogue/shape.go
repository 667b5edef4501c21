package catalogue

import "strings"

// Shape tells whether a code has the shape of its kind (NHSA 分类与代码, domain 4).
// Lists differ and local codes exist, so a wrong shape is a warning and no refusal.
//
//	101 西药     X + ATC 5 + name 4 + form 4 + pack 4 + company 5        23
//	101 中成药   Z + class 5 + name 5 + pack 4 + company 5               20
//	106 配方颗粒  T …                                                    20
//	102 饮片     T …
//	103 自制剂   S …
//	201 服务项目  15 digits, with a local suffix after a hyphen
//	301 耗材     C …, 20, or 27 with the model's serial number
func Shape(listType, code string) bool {
	switch listType {
	case "101":
		return western(code) || patent(code)
	case "102":
		return strings.HasPrefix(code, "T") && letters(code)
	case "103":
		return strings.HasPrefix(code, "S") && letters(code)
	case "106":
		return len(code) == 20 && code[0] == 'T' && letters(code)
	case "201":
		base, suffix, local := strings.Cut(code, "-")
		return len(base) == 15 && digits(base) && (!local || suffix != "")
	case "301":
		return (len(code) == 20 || len(code) == 27) && code[0] == 'C' && letters(code)
	}
	return true // of other lists no shape is published
}

// western tells a 西药: X · N01BB · A064 · B002 · 0101 · 78765.
func western(code string) bool {
	return len(code) == 23 && code[0] == 'X' && letters(code[1:6]) &&
		letter(code[6]) && digits(code[7:10]) && letter(code[10]) && digits(code[11:14]) && digits(code[14:])
}

// patent tells a 中成药: Z · D03AA · A0043 · 0101 · 00166.
func patent(code string) bool {
	return len(code) == 20 && code[0] == 'Z' && letters(code[1:6]) && letter(code[6]) && digits(code[7:])
}

func letter(c byte) bool { return c >= 'A' && c <= 'Z' }

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// letters tells whether s has capital letters and digits only.
func letters(s string) bool {
	for i := range len(s) {
		if !letter(s[i]) && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s != ""
}
