package family

import (
	"fmt"
	"time"
)

// TokenID names a QR token to the person who shows it; it is not the code.
type TokenID string

// QRState is what became of a QR token.
type QRState string

// The states of a QR token. Held and expired are never stored: they follow from the
// clock.
const (
	QRStateIssued   QRState = "issued"
	QRStateHeld     QRState = "held" // for a settlement that waits for a grantor's word
	QRStateSpent    QRState = "spent"
	QRStateExpired  QRState = "expired"
	QRStateReplaced QRState = "replaced"
)

// QRToken is a short-lived credential (医保码). It names the patient whose care is
// billed and the presenter who holds the phone, and never who pays: that is
// decided at settlement under the grants as they stand then.
type QRToken struct {
	ID        TokenID
	Patient   PersonNo
	Presenter PersonNo
	// Binding is the link under which it was issued; empty for one's own code.
	Binding BindingID
	// Relation is what the patient is to the presenter; empty for one's own code.
	Relation Relation
	Issued   time.Time
	Expires  time.Time // first moment at which it is no longer good; whole seconds
	State    QRState   // issued, spent or replaced
	SpentBy  MessageID
	// DecodedBy is the institution that read the code for a visit (6101), and
	// DecodedUntil the first moment at which that no longer serves it; Visit is the
	// visit that it opened, if it did.
	DecodedBy    InstitutionCode
	DecodedUntil time.Time
	Visit        MessageID
	// Held is for which settlement the token is kept; nil for none.
	Held *Hold
}

// Hold keeps a token for a settlement that waits for a grantor's word: until then
// it is good for that one alone, and afterwards again for as long as it was.
type Hold struct {
	By    MessageID
	Until time.Time
}

// IssueQR returns a new token for a patient. A link that is not active, is paused
// or does not allow showing refuses; pass no binding for one's own code.
func IssueQR(id TokenID, presenter PersonNo, patient Account, b *Binding, p *Policy, now time.Time) (QRToken, *Refusal) {
	own := b == nil && presenter == patient.Person
	if !own && (b == nil || b.Holder != presenter || b.Member != patient.Person) {
		return QRToken{}, Refuse(NotPermitted)
	}
	if refusal := MayBenefit(patient); refusal != nil {
		return QRToken{}, refusal
	}
	now = now.Truncate(time.Second)
	t := QRToken{
		ID: id, Patient: patient.Person, Presenter: presenter,
		Issued: now, Expires: now.Add(p.QRLife), State: QRStateIssued,
	}
	if b != nil {
		if !b.MayShow() || b.Grown(DayOf(now)) {
			return QRToken{}, &Refusal{
				Code: StateForbids, Field: "binding_id", Observed: b.Standing(), Allowed: "active, show",
				Detail: "the binding does not allow showing the code now",
			}
		}
		t.Binding, t.Relation = b.ID, b.Relation
	}
	return t, nil
}

// MayBenefit refuses who is not insured, has died, or is frozen.
func MayBenefit(patient Account) *Refusal {
	if !patient.Insurance.Insured() || patient.Deceased {
		return Refuse(PersonNotInsured)
	}
	if patient.Frozen {
		return Refuse(PersonFrozen)
	}
	return nil
}

// StateAt returns the state of the token at a time, as its presenter sees it.
func (t QRToken) StateAt(now time.Time) QRState {
	switch {
	case t.State != QRStateIssued:
		return t.State
	case t.Held != nil && now.Before(t.Held.Until):
		return QRStateHeld
	case !now.Before(t.Expires):
		return QRStateExpired
	}
	return QRStateIssued
}

// Replace returns the token after a newer one took its place, or its link ended.
// What an institution has decoded belongs to a visit and stays.
func (t QRToken) Replace() QRToken {
	if t.State == QRStateIssued && t.DecodedBy == "" {
		t.State = QRStateReplaced
	}
	return t
}

// Redeemable refuses a token that a message of an institution cannot redeem at a
// time: by the code itself while it is displayed, or by what decoding it gave
// (decoded) as long as that serves the visit. Whoever decoded it is the only one who
// may, and so is the message for which it is held. A quote has no message.
func (t QRToken) Redeemable(by InstitutionCode, message MessageID, decoded bool, now time.Time) *Refusal {
	expires, rule := t.Expires, "qr.life_seconds"
	if decoded {
		expires, rule = t.DecodedUntil, "qr.visit_seconds"
	}
	held := t.Held != nil && now.Before(t.Held.Until)
	if held && t.Held.By == message && expires.Before(t.Held.Until) {
		expires = t.Held.Until
	}
	switch {
	case !now.Before(expires):
		return &Refusal{Code: QRExpired, Rule: rule, Allowed: fmt.Sprintf("%d s", expires.Sub(t.Issued)/time.Second)}
	case t.State == QRStateReplaced:
		return Refuse(QRReplaced)
	case t.State == QRStateSpent, t.DecodedBy != "" && t.DecodedBy != by, held && t.Held.By != message:
		return Refuse(QRSpent)
	}
	return nil
}

// Decode returns the token after an institution read it for a visit. It is not
// spent by that: money moves at settlement. To decode again changes nothing.
func (t QRToken) Decode(by InstitutionCode, p *Policy, now time.Time) (QRToken, *Refusal) {
	if refusal := t.Redeemable(by, "", false, now); refusal != nil {
		return t, refusal
	}
	if t.DecodedBy == "" {
		t.DecodedBy, t.DecodedUntil = by, now.Truncate(time.Second).Add(p.QRVisitLife)
	}
	return t, nil
}

// Hold returns the token kept for a settlement that has to wait.
func (t QRToken) Hold(by MessageID, until time.Time) QRToken {
	t.Held = &Hold{by, until}
	return t
}

// Spend returns the token after a settlement redeemed it.
func (t QRToken) Spend(by MessageID) QRToken {
	t.State, t.SpentBy, t.Held = QRStateSpent, by, nil
	return t
}

// QRPrefix begins every code. The payment codes of the large wallets begin with
// 10 to 19 and 25 to 30, UnionPay's with 62: a till tells ours at a glance.
const QRPrefix = "86"

// QRDigits completes a code from its 17 random digits: prefix, digits and a check
// digit by ISO/IEC 7064 MOD 11,10, which catches every wrong digit and nearly all
// neighbours swapped.
func QRDigits(random string) string {
	if len(random) != 17 || !digits(random) {
		panic("family: a QR code has 17 random digits")
	}
	body := QRPrefix + random
	return body + string(checkDigit(body))
}

// ParseQRDigits reads a code as a scanner or a hand gave it. What it refuses was
// never issued; the error does not repeat the code.
func ParseQRDigits(s string) (string, error) {
	if len(s) != 20 || !digits(s) {
		return "", fmt.Errorf("the code has 20 digits")
	}
	if s[:2] != QRPrefix || s[19] != checkDigit(s[:19]) {
		return "", fmt.Errorf("the digits of the code do not fit together: one of them was read wrongly")
	}
	return s, nil
}

// checkDigit is ISO/IEC 7064 MOD 11,10.
func checkDigit(body string) byte {
	p := 10
	for i := range len(body) {
		p += int(body[i] - '0')
		p %= 10
		if p == 0 {
			p = 10
		}
		p = p * 2 % 11
	}
	return byte('0' + (11-p)%10)
}
