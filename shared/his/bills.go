package his

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"gongji/shared/app"
	"gongji/shared/family"
)

// maxDetails bounds the lines of one message.
const maxDetails = family.MaxLines

// useAccount reads acct_used_flag: 0 not at all; 1 and Hunan's 2 alike, own account
// first and then relatives', which is what the law allows; nothing said is 1.
func useAccount(n node) bool {
	switch flag := n.text("acct_used_flag", 3); flag {
	case "0":
		return false
	case "", "1", "2":
	default:
		n.wrong("acct_used_flag", "0, 1 or 2")
	}
	return true
}

// lineOf reads a line of a bill; its number is its place.
func lineOf(n node, no int) (family.Line, string) {
	serial := n.need("feedetl_sn", 30)
	if strings.Trim(serial, "0") == "" {
		n.wrong("feedetl_sn", "a line's number is not 0")
	}
	l := family.Line{
		No: no, Code: n.need("med_list_codg", 50), Name: clip(nameOf(n), 300),
		Quantity: family.Quantity(n.number("cnt", 4)), Amount: n.money("det_item_fee_sumamt"),
	}
	l.UnitPrice = unitPrice(n, l)
	for _, name := range []string{"durg_trac_info", "drug_trac_info", "drugtracinfo"} {
		for _, trace := range n.list(name, family.MaxTraceCodes) {
			if code := trace.text("drug_trac_codg", 100); code != "" {
				l.TraceCodes = append(l.TraceCodes, code)
			}
		}
	}
	return l, serial
}

func nameOf(n node) string {
	for _, name := range []string{"medins_list_name", "medins_list_codg"} {
		if s := n.text(name, 150); s != "" {
			return s
		}
	}
	return ""
}

// clip shortens a text to a number of bytes, between two characters.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// unitPrice returns a line's price in fen. Systems divide the line's total by its
// count and send six decimals (16,6); the total is what counts, so the price is
// rounded to the fen, and made of the total where none was sent.
func unitPrice(n node, l family.Line) family.Fen {
	micro := n.number("pric", 6) // of a yuan: a fen is ten thousand
	if micro == 0 && l.Amount > 0 && l.Quantity > 0 && l.Amount <= family.MaxFen {
		return family.Fen((int64(l.Amount)*10_000 + int64(l.Quantity)/2) / int64(l.Quantity))
	}
	if micro < 0 {
		n.wrong("pric", "a price is not below 0")
	}
	return family.Fen((micro + 5_000) / 10_000)
}

// noted is what this door keeps with a settlement, to answer queries as it answered.
type noted struct {
	Infno    string   `json:"infno"`
	CertType string   `json:"cert,omitempty"`
	Serials  []string `json:"serials,omitempty"` // of the lines, in their order
	Batch    string   `json:"batch,omitempty"`
}

func (n noted) String() string {
	text, err := json.Marshal(n)
	if err != nil {
		panic(err) // plain texts
	}
	return string(text)
}

// noteOf reads what was kept; a settlement of the other door has none.
func noteOf(o app.Outcome) noted {
	var n noted
	_ = json.Unmarshal([]byte(o.Note), &n) // nothing is nothing
	return n
}

// serial names a line of a settlement as its sender did.
func (n noted) serial(i int, l family.PricedLine) string {
	if i < len(n.Serials) {
		return n.Serials[i]
	}
	return fmt.Sprint(l.No)
}

// settled is the output of a settlement or quote.
type settled struct {
	Info    setlinfo   `json:"setlinfo"`
	Details []detail   `json:"setldetail"`
	Lines   []lineinfo `json:"detlcutinfo,omitempty"` // of a purchase; a visit's were told by 2204
}

// tell answers a settlement or quote.
func (c *call) tell(o app.Outcome) (any, error) {
	p, err := c.app.Particulars(c, &o.Settlement)
	if err != nil {
		return nil, err
	}
	note := noteOf(o)
	out := settled{Info: setlinfoOf(o, p, note.CertType), Details: detailsOf(o)}
	if o.Visit == "" {
		for i, l := range o.Settlement.Lines {
			out.Lines = append(out.Lines, lineinfoOf(l, note.serial(i, l)))
		}
	}
	return out, nil
}

// purchase reads a pharmacy's bill (2101, 2102).
func (c *call) purchase() (app.SettleAsk, error) {
	in := c.input.first("druginfo", "data")
	shown, certType := credential(in)
	ask := app.SettleAsk{Credential: shown, Patient: psnNo(in), Bill: family.Bill{
		MedType: family.MedType(in.text("med_type", 6)), Total: in.money("medfee_sumamt"), UseAccount: useAccount(in),
	}}
	if ask.Bill.MedType == "" {
		ask.Bill.MedType = family.PharmacyBuy
	}
	c.timeIn(in, "begntime")
	note := noted{Infno: c.infno, CertType: certType}
	need := family.Need{Diagnoses: diagnosis(nil, in, "dise_codg"), Prescriptions: map[int]family.Prescription{}}
	ask.Need = &need
	seen := map[string]bool{}
	for i, d := range c.input.list("drugdetail", maxDetails) {
		l, serial := lineOf(d, i+1)
		if seen[serial] {
			d.wrong("feedetl_sn", "another line has this number")
		}
		seen[serial] = true
		c.timeIn(d, "fee_ocur_time")
		need.Prescriptions[i+1] = prescription(d)
		ask.Bill.Lines, note.Serials = append(ask.Bill.Lines, l), append(note.Serials, serial)
	}
	c.lines = func(no int) string {
		if no < 1 || no > len(note.Serials) {
			return ""
		}
		return note.Serials[no-1]
	}
	ask.Sent = c.sent
	ask.Sent.Note = note.String()
	if fault := *c.input.fault; fault != nil {
		return ask, fault
	}
	return ask, nil
}

// billReader reads the bill that a transaction is about: a purchase's, which it
// brings, or a visit's, which was charged before.
type billReader func(*call) (app.SettleAsk, error)

// preSettle tells what a bill would be (2101, 2206, 2303). It moves nothing and is
// repeated at will.
func preSettle(bill billReader) transaction {
	return func(c *call) (any, error) {
		ask, err := bill(c)
		if err != nil {
			return nil, err
		}
		o, err := c.app.Quote(c, c.place, ask)
		if err != nil {
			return nil, err
		}
		return c.tell(o)
	}
}

// settle settles a bill (2102, 2207, 2304).
func settle(bill billReader) transaction {
	return func(c *call) (any, error) {
		ask, err := bill(c)
		if err != nil {
			return nil, err
		}
		ask.Message = c.message
		o, err := c.app.Settle(c, c.place, ask)
		if err != nil {
			return nil, err
		}
		return c.tell(o)
	}
}

// messageIn reads the id of a message in a field.
func messageIn(n node, name string) family.MessageID {
	id, err := family.ParseMessageID(n.need(name, 30))
	if err != nil {
		n.wrong(name, err.Error())
	}
	return id
}

// givenBack is the output of what gave a settlement back.
type givenBack struct {
	Info    backinfo `json:"setlinfo"`
	Details []detail `json:"setldetail"`
}

// giveBack gives a whole settlement back (2103, 2208, 2305): the same amounts negated,
// under a number of its own.
func giveBack(c *call) (any, error) {
	in := c.input.first("data")
	original, patient := messageIn(in, "setl_id"), psnNo(in)
	if *in.fault != nil {
		return nil, *in.fault
	}
	c.sent.Note = noted{Infno: c.infno}.String()
	o, err := c.app.ReverseSent(c, c.place, original, c.message, patient, c.sent)
	if err != nil {
		return nil, err
	}
	p, err := c.app.Particulars(c, &o.Settlement)
	if err != nil {
		return nil, err
	}
	info := setlinfoOf(o, p, "")
	return givenBack{backinfo{info, info.PsnCashPay}, detailsOf(o)}, nil
}

// reverse undoes the message that a till lost the answer of (2601). One that never
// came is refused, and cannot come any more.
func reverse(c *call) (any, error) {
	in := c.input.first("data")
	original, patient := messageIn(in, "omsgid"), psnNo(in)
	kind := in.need("oinfno", 6)
	switch kind {
	case "2102", "2207", "2304", "2401":
	default:
		in.wrong("oinfno", "2102, 2207, 2304 or 2401")
	}
	if *in.fault != nil {
		return nil, *in.fault
	}
	if kind == "2401" {
		return empty{}, c.app.UndoOpening(c, c.place, app.VisitRef{ID: original, Patient: patient}, c.message, c.sent)
	}
	c.sent.Note = noted{Infno: c.infno}.String()
	_, err := c.app.ReverseSent(c, c.place, original, c.message, patient, c.sent)
	return empty{}, err
}
