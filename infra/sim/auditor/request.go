package auditor

import (
	"crypto/sha256"
	"fmt"
	"time"

	"gongji/shared/store"
)

// Op is an act of the house.
type Op string

// The acts that a simulation carries out.
const (
	OpPerson  Op = "feed person"
	OpPlace   Op = "feed place"
	OpItem    Op = "feed item"
	OpCredit  Op = "credit"
	OpTurn    Op = "turn"
	OpFreeze  Op = "freeze"
	OpSuspend Op = "suspend"
	OpBind    Op = "bind"
	OpSubmit  Op = "submit"
	OpAccept  Op = "accept"
	OpDecline Op = "decline"
	OpEnd     Op = "end"
	OpChange  Op = "change"
	OpOrder   Op = "order"
	OpIssue   Op = "issue"
	OpQuote   Op = "quote"
	OpCheck   Op = "check"
	OpSettle  Op = "settle"
	OpReverse Op = "reverse"
	OpRefund  Op = "refund"
	OpLookup  Op = "lookup"
	OpProve   Op = "prove"
	OpDecode  Op = "decode"
	OpConfirm Op = "confirm"

	OpAnnounce Op = "announce"
	OpReceive  Op = "receive"
	OpLook     Op = "look"
	OpClaim    Op = "claim"
	OpRelease  Op = "release"
	OpApprove  Op = "approve"
	OpReject   Op = "reject"
	OpClarify  Op = "clarify"
	OpRegistry Op = "registry"
	OpTend     Op = "tend"
	OpSweep    Op = "sweep"
	OpOwe      Op = "owe a premium"
	OpPremium  Op = "pay a premium"
	OpReturn   Op = "return a premium"
	OpPropose  Op = "propose an adjustment"
	OpBook     Op = "book an adjustment"
	OpDrop     Op = "drop an adjustment"
	OpDraft    Op = "draft"
	OpPublish  Op = "publish"

	OpServe         Op = "bind at the counter"
	OpServeSubmit   Op = "submit at the counter"
	OpServeAccept   Op = "accept at the counter"
	OpServeAnnounce Op = "announce at the counter"
	OpServeEnd      Op = "end at the counter"
)

// Request is what a client asked for, told to the auditor in plain words by whoever
// made it up. A client that sends a thing again sends the same Request.
type Request struct {
	Op Op
	// Malformed tells that the client broke the request on purpose.
	Malformed bool
	// Identity names the message, or the person's key, under which a repeat gets the
	// first answer; empty without one. Two requests of one identity are the same
	// thing if their Contents are.
	Identity, Content string

	// A till's request.
	Place, Message, Original string
	Credential               Credential
	Bill                     Bill
	Need                     Need
	Returns                  []Return
	Visit                    *Visit // of a step, or a bill, of a visit; nil without one
	own                      []int  // lines that the place did not approve for insurance

	// A person's request.
	By, Binding string
	Once        store.Key // of the first answer; zero without a key
	Ask         Ask
	Change      Change
	Order       []string
	Says        string // to a sale that waits: approved or declined

	// A reviewer's request, or one of an operator at the counter. By is who he is in the
	// families, if anybody, and Who stands before him.
	Who                      Identity
	Subject, Version, Reason string
	Paper                    Paper // also of a holder who announces one
	Premium                  Premium
	Adjust                   Adjustment
	Policy                   PolicyText

	// An operator's request.
	Person Person
	Amount Pockets
	Code   string // of the place or the item
	Switch bool   // frozen, suspended
	Year   int    // that begins
	Where  Place
	Item   Item
	Kin    Kin
}

// Premium is a premium as an operator tells of it; of what a person asks to be paid, its
// kind, year and amount; of what is given back, its ID.
type Premium struct {
	ID, Kind string
	Year     int
	Amount   int64
	From, To int
}

// Credential is what the patient showed.
type Credential struct {
	Kind string // "qr", "ec" (what decoding a code gave), "id" or "card"
	// Readable tells that the digits of a code fit together.
	Readable bool
	For      string // the place to which what decoding gave was given, and says something
	Key      store.Key
	Name     string // empty is none
}

// Bill is a bill as the till sent it, in fen and ten-thousandths.
type Bill struct {
	MedType    string
	Total      int64
	Lines      []Line
	UseAccount bool
	Expected   *int64
}

// Line is one line of a Bill.
type Line struct {
	No                          int
	Code                        string
	Quantity, UnitPrice, Amount int64
	Boxes                       []string
}

// Need is what a till tells of why the patient needs what is on the bill.
type Need struct {
	Diagnoses     []string
	Prescriptions map[int]Prescription // by line
}

// Prescription is a line's.
type Prescription struct {
	No   string
	Days int
}

// Return is a line of a refund.
type Return struct {
	No       int
	Quantity int64
}

// Ask is a request for a binding.
type Ask struct {
	ID       store.Key // where the index of the member's ID number lies
	Name     string
	Relation string
	Show     bool
	Pay      *Terms
}

// Paper is a paper of which somebody speaks.
type Paper struct {
	ID, Kind, ContentType string
	Size                  int64
	SHA256                string
}

// Kin is what the civil registry is fed of a person.
type Kin struct {
	Index, Name        string // of his ID number
	Deceased, Complete bool
	Relations          map[string]string // by the index of the other's ID number
}

// Change is a change of a binding; nil leaves a thing as it is.
type Change struct {
	Show, Paused *bool
	SetPay       bool
	Pay          *Terms
}

// Person is a person of the insurer's feed.
type Person struct {
	No              string
	Name, Phone     string
	IDKey, CardKey  store.Key // zero without a card
	IDIndex, CardIx string
	Born            int
	Insurance       Insurance
}

// Trip is one time that a request went through the house: the act's clock when it
// began, and every record that it read, as it last read it.
type Trip struct {
	Request *Request
	At      time.Time // as the act's own clock had it
	Reads   map[store.Key]store.Record
	// First are the records as they were read first, of a request at the counter: it finds
	// out who stands there before all else.
	First map[store.Key]store.Record
	// Asked are the reads as they were when the civil registry was asked; nil when it
	// was not.
	Asked map[store.Key]store.Record
	// Rules are those of the program that carries the request out; nil for the newest.
	Rules func(region string, day int) *Rules
	// Doubted tells that the store once did not say what became of its commit: it
	// may then meet its own effect and take it for another's.
	Doubted bool

	doubts   [][sha256.Size]byte // those commits
	landed   int                 // commits of this trip that happened
	waits    int                 // of those, commits that only put a sale off
	receipts int                 // of those, commits that took a paper in
	answered bool                // the caller was told something
	denied   bool                // the caller was told that nothing was done, or nothing will be
}

// Doubt is told of a commit of the trip of which the store did not say what became.
func (t *Trip) Doubt(writes []store.Write) {
	t.Doubted, t.doubts = true, append(t.doubts, commitOf(writes))
}

// commitOf tells commits apart by what they write, and on what.
func commitOf(writes []store.Write) [sha256.Size]byte {
	h := sha256.New()
	for _, w := range writes {
		fmt.Fprintf(h, "%q %q %d %d %d %s\n", w.Key.Part, w.Key.Sort, w.Base, w.Expires.Unix(), len(w.Body), w.Body)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// sets tells whether a request says how something is to stand and not what is to be
// added: doing it again, after another has set it otherwise meanwhile, is what its
// sender asked for.
func (r *Request) sets() bool {
	switch r.Op {
	case OpChange, OpOrder, OpFreeze, OpSuspend, OpPerson, OpPlace, OpItem, OpOwe, OpRegistry, OpLook, OpClaim, OpRelease, OpAnnounce, OpServeAnnounce, OpDraft:
		return true
	}
	return false
}

// Rules are a region's rules from one day on, in plain numbers.
type Rules struct {
	ID     string // as answers name it
	Region string
	From   int

	ConsentAge int

	Evidence       string // declaration, machine or review
	Papers         map[string][]string
	GuardianPapers []string
	AtOnce         bool // a grant alone waits for nobody
	PaperDays      int
	RebindDays     int
	RaiseDays      int
	EndedBy        []string
	EndsOnMove     bool
	DualRole       bool
	// RequestDays is how long a request may wait to be finished.
	RequestDays int
	MaxLinks    int
	QRLife      time.Duration
	VisitLife   time.Duration
	BadCodes    int // of a place in a minute, …
	BadPause    time.Duration
	Traced      []string // list types whose boxes have to be named

	Kins        []string
	MaxPerKin   map[string]int
	MaxMembers  int
	MaxGrantors int
	Grantors    []string // insurances whose accounts may be shared
	Insured     string   // how far apart both sides may be insured: city, province, nation
	Usable      string   // how far from the grantor's region his money may be used
	Purposes    []string
	ByBalance   bool // the fullest account pays first
	Chosen      bool // the beneficiary may choose the order
	PastOnly    bool
	Floor       int64
	// ConfirmAbove is, by what the patient is to the grantor, what passes unasked.
	ConfirmAbove map[string]int64
	ConfirmLife  time.Duration

	Benefits       []Benefit
	PaysOutOfScope bool
	StayPayers     string   // whose accounts pay for stays: "family", "owner", "nobody"
	Pays           []string // what accounts may pay for
}

// Benefit is the fund's share for one class of persons.
type Benefit struct {
	Insutype   string
	PsnTypes   []string
	MedTypes   []string
	Deductible map[string]int64 // by grade
	// LaterDeductible is of a second stay in the year, by grade.
	LaterDeductible map[string]int64
	Ratio           map[string]int64 // by grade, in ten-thousandths
	YearlyCap       int64
	DailyCap        int64
	VisitCap        int64
}
