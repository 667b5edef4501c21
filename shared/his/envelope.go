package his

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"gongji/shared/family"
)

// envelope is what surrounds a transaction's input (SPEC 4.2).
type envelope struct {
	infno   string
	message family.MessageID
	code    family.InstitutionCode // fixmedins_code
	region  string                 // mdtrtarea_admvs
	input   node
}

// provinces are the first two digits of GB/T 2260, and those by which the insurance
// administration writes the nation (000000, 100000).
const provinces = "00 10 11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 66 71 81 82"

// shanghai is the time of the wire. China has one zone and no summer time.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// read takes a message as it came: input may be an object or a text that holds one,
// a byte order mark may stand in front, and what is unknown is passed over.
func (e *envelope) read(body []byte) *family.Refusal {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	o, err := parse(body)
	if err != nil {
		return &family.Refusal{Code: family.Malformed, Detail: err.Error()}
	}
	n := newNode(o, "")
	e.infno = n.need("infno", 6)
	id := n.need("msgid", 30)
	code := n.need("fixmedins_code", 12)
	e.region = n.text("mdtrtarea_admvs", 6)
	if e.message, err = family.ParseMessageID(id); err != nil {
		n.wrong("msgid", err.Error())
	}
	if e.code, err = family.ParseInstitutionCode(code); err != nil {
		n.wrong("fixmedins_code", err.Error())
	}
	if e.region != "" {
		if _, err := family.ParseRegion(e.region); err != nil {
			n.wrong("mdtrtarea_admvs", err.Error())
		} else if !strings.Contains(provinces, e.region[:2]) {
			n.wrong("mdtrtarea_admvs", "no province has this number")
		}
	}
	if *n.fault == nil && e.message.Institution() != e.code {
		n.wrong("msgid", "a message id begins with your own institution code")
	}
	e.input = n.child("input")
	e.input.path = "" // fields are named from here on
	return *n.fault
}

// form is the message's identity: what it asks, whichever way it was written down
// and whenever it was sent again.
func (e *envelope) form() string {
	text, err := json.Marshal(e.input.o)
	if err != nil {
		panic(err) // it was JSON
	}
	return e.infno + "\n" + string(e.message) + "\n" + string(text)
}
