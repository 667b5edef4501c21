package family

import (
	"fmt"
	"strings"
	"time"
)

// PersonNo is the insurer's number of a person covered by insurance (psn_no),
// 1 to 30 letters and digits. It says nothing of the person, so logs may hold it.
type PersonNo string

// ParsePersonNo reads a person number.
func ParsePersonNo(s string) (PersonNo, error) {
	if !alphanumeric(s, 1, 30) {
		return "", fmt.Errorf("a person number has 1 to 30 letters and digits")
	}
	return PersonNo(s), nil
}

// InstitutionCode is the code of a designated institution (fixmedins_code):
// H (hospital) or P (pharmacy), the administrative division and a serial number
// of five, 12 characters in all (domain: codes).
type InstitutionCode string

// ParseInstitutionCode reads an institution code.
func ParseInstitutionCode(s string) (InstitutionCode, error) {
	if len(s) != 12 || s[0] != 'H' && s[0] != 'P' || !digits(s[1:]) {
		return "", fmt.Errorf("an institution code is H or P and 11 digits")
	}
	return InstitutionCode(s), nil
}

// Region is an administrative division (admdvs), six digits of GB/T 2260:
// two for the province, two for the city, two for the county.
type Region string

// ParseRegion reads a region.
func ParseRegion(s string) (Region, error) {
	if len(s) != 6 || !digits(s) {
		return "", fmt.Errorf("a region has 6 digits")
	}
	return Region(s), nil
}

// City returns the city that the region lies in or is: 430102 → 430100. The four
// municipalities are cities by their first two digits: 110105 → 110100.
func (r Region) City() Region {
	switch r[:2] {
	case "11", "12", "31", "50":
		return r[:2] + "0100"
	}
	return r[:4] + "00"
}

// Province returns the province that the region lies in or is: 430102 → 430000.
func (r Region) Province() Region { return r[:2] + "0000" }

// MessageID is the identity of an institution's request (msgid): its code, the
// time of sending yyyyMMddHHmmss in Asia/Shanghai and four digits or letters,
// 30 characters (SPEC 4).
type MessageID string

// ParseMessageID reads a message id.
func ParseMessageID(s string) (MessageID, error) {
	if len(s) != 30 || !alphanumeric(s[26:], 4, 4) {
		return "", fmt.Errorf("a message id has 30 characters: institution code, yyyyMMddHHmmss and 4 more")
	}
	if _, err := ParseInstitutionCode(s[:12]); err != nil {
		return "", fmt.Errorf("a message id begins with an institution code")
	}
	if _, err := time.ParseInLocation("20060102150405", s[12:26], shanghai); err != nil {
		return "", fmt.Errorf("characters 13 to 26 of a message id are a time yyyyMMddHHmmss")
	}
	return MessageID(s), nil
}

// Institution returns the code that the message id begins with.
func (m MessageID) Institution() InstitutionCode { return InstitutionCode(m[:12]) }

// Day returns the day of sending: the day under which the message is filed.
func (m MessageID) Day() Day {
	day, err := ParseDay(string(m[12:20]))
	if err != nil {
		panic("family: a message id that was not parsed")
	}
	return day
}

// IDNumber is a citizen identity number of 18 characters (GB 11643), upper case.
type IDNumber string

// ParseIDNumber reads an identity number. A lower-case x is taken as X. Errors
// never repeat the number.
func ParseIDNumber(s string) (IDNumber, error) {
	s = strings.ToUpper(s)
	if len(s) != 18 || !digits(s[:17]) || !digits(s[17:]) && s[17] != 'X' {
		return "", fmt.Errorf("an ID number has 17 digits and a check character")
	}
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += w * int(s[i]-'0')
	}
	if s[17] != "10X98765432"[sum%11] {
		return "", fmt.Errorf("the check character of the ID number is wrong")
	}
	if _, err := ParseDay(s[6:14]); err != nil || s[6:10] < "1850" {
		return "", fmt.Errorf("the ID number holds an impossible birthday")
	}
	return IDNumber(s), nil
}

// Birthday returns the day of birth.
func (n IDNumber) Birthday() Day {
	day, err := ParseDay(string(n[6:14]))
	if err != nil {
		panic("family: an ID number that was not parsed")
	}
	return day
}

// Sex returns the sex that the number tells by its 17th digit; of none, neither.
func (n IDNumber) Sex() Sex {
	switch {
	case len(n) != 18:
		return ""
	case (n[16]-'0')%2 == 1:
		return Male
	}
	return Female
}

// CertificateNumber is the number of a medical certificate of birth (出生医学证明): a
// letter and nine digits, upper case. It stands for a child who has no ID number yet.
type CertificateNumber string

// ParseCertificateNumber reads the number of a certificate of birth. Errors never
// repeat it.
func ParseCertificateNumber(s string) (CertificateNumber, error) {
	s = strings.ToUpper(s)
	if len(s) != 10 || s[0] < 'A' || s[0] > 'Z' || !digits(s[1:]) {
		return "", fmt.Errorf("the number of a certificate of birth is a letter and nine digits")
	}
	return CertificateNumber(s), nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func alphanumeric(s string, least, most int) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return len(s) >= least && len(s) <= most
}
