package app

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"gongji/shared/family"
	"gongji/shared/store"
)

// This file is the only place that knows where a record lies and how it is
// written. Bodies are the law's own types as plain JSON: the names of their
// fields are a format, which TestRecordsKeepTheirShape holds.

// accountRecord is a personal account. The masked name rides along because every
// settlement shows it and none may need the vault.
type accountRecord struct {
	Account family.Account
	Masked  string
	// Quarantine is why a repair froze the account; empty when none did.
	Quarantine string `json:",omitempty"`
}

// personRecord is who a person is: sealed, but for what the law needs.
type personRecord struct {
	// Key is the person's data key, wrapped, and what it seals. Without a key they are
	// sealed under the house's, as it was before people had keys.
	Key               string `json:",omitempty"`
	Name, IDNo, Phone string
	// IDIndex is the keyed hash of his ID number; while he has none, of the number of
	// his certificate of birth.
	IDIndex, CardIdx string
	Born             family.Day
	// Mother is the keyed hash of the ID number of the mother whom the certificate
	// names, and Sex what it says of the child; empty once he has an ID number.
	Mother string     `json:",omitempty"`
	Sex    family.Sex `json:",omitempty"`
	// Bound are the live bindings that the person holds: the record on which two
	// requests for the last free place meet.
	Bound []family.Bound
	// Former are the relatives whom the person had bound before.
	Former []family.Former `json:",omitempty"`
	// Erasure is how far it has come that all of this be destroyed. Once it is done
	// nothing else is left.
	Erasure family.Erasure `json:",omitzero"`
}

// pointerRecord points at what its key's last part names.
type pointerRecord struct{ To string }

// bindingRecord is a binding with both masked names, which answers show.
type bindingRecord struct {
	Binding                    family.Binding
	HolderMasked, MemberMasked string
}

// qrRecord is a QR token under the keyed hash of its digits.
type qrRecord struct {
	Token                          family.QRToken
	PresenterMasked, PatientMasked string
	// Grantors are the patient's when the code was issued. They decide nothing: a
	// settlement reads them ahead, together with the patient.
	Grantors []family.PersonNo `json:",omitempty"`
}

// messageRecord is an institution's message: its fingerprint and first answer,
// which for a settlement is the settlement itself.
type messageRecord struct {
	Fingerprint string
	State       messageState
	At          time.Time
	Refusal     *family.Refusal    `json:",omitempty"`
	Settlement  *family.Settlement `json:",omitempty"`
	// Confirmation is what the settlement waits for, or has waited for.
	Confirmation *family.Confirmation `json:",omitempty"`
	// Names are the masked names of all who took part.
	Names map[family.PersonNo]string `json:",omitempty"`
	// Code is the token by which the patient was told; empty without one.
	Code family.TokenID `json:",omitempty"`
	// Visit is the visit that the settlement is of; empty without one.
	Visit family.MessageID `json:",omitempty"`
	// Note is what the door that took the message keeps with it.
	Note string `json:",omitempty"`
}

// outcome returns the settlement of a message that has one.
func (m *messageRecord) outcome() Outcome {
	return Outcome{Settlement: *m.Settlement, Names: m.Names, Visit: m.Visit, Note: m.Note}
}

type messageState string

const (
	messageSettled messageState = "settled"
	messageRefused messageState = "refused"
	messageFenced  messageState = "fenced"
	messageWaits   messageState = "waiting" // for a grantor's word; nothing has moved
	// messageLost is a message that moved money and whose record is gone: a repair
	// wrote it down, so that the message cannot be carried out once more.
	messageLost messageState = "lost"
)

// stepRecord is the first answer to a message of an institution that moves no
// money, such as a step of a visit.
type stepRecord struct {
	Fingerprint string
	Answer      json.RawMessage `json:",omitempty"`
}

// signatureRecord is a signature with the messages that it served, each by its
// fingerprint.
type signatureRecord struct {
	Fingerprint string
	At          time.Time // when it served first
	More        []string  `json:",omitempty"` // that were signed in the same moment
}

// signingKeyRecord is a key by which an institution signs, its secret sealed.
type signingKeyRecord struct {
	Institution family.InstitutionCode
	Scheme      Scheme
	Secret      string
	From, To    time.Time // zero is open
}

// fileRecord is a file that an institution sent, or that was made for it.
type fileRecord struct {
	Name        string
	Fingerprint string
	Body        []byte
}

// onceRecord is the first answer to a person's request that carried an
// Idempotency-Key.
type onceRecord struct {
	Fingerprint string
	Refusal     *family.Refusal `json:",omitempty"`
	Answer      json.RawMessage `json:",omitempty"`
}

// catalogueRecord holds every version of one item.
type catalogueRecord struct{ Versions []family.Item }

// boxRecord is a box by its trace code: the settlement that sold it, empty after
// it came back.
type boxRecord struct{ SoldBy family.MessageID }

// boughtRecord is what a patient bought of an item that is limited by period.
type boughtRecord struct{ Purchases []family.Purchase }

// policyRecord is a policy that is drafted or published, as the text of its file.
type policyRecord struct {
	ID, Text    string
	State       PolicyState
	DraftedBy   string // subjects of tokens
	DraftedAt   time.Time
	PublishedBy string
	PublishedAt time.Time
}

// creditRecord is a payment into an account, or an adjustment of it, by the
// insurer's reference.
type creditRecord struct {
	Person family.PersonNo
	Amount family.Pockets
	// At is when it was booked and Seq the number of its entry.
	At  time.Time
	Seq uint64
	// Reason is why the account was adjusted; empty of a payment.
	Reason family.AdjustmentReason `json:",omitempty"`
	// Turn tells that nobody paid in: a year's money became past years'.
	Turn bool `json:",omitempty"`
}

// kind is the kind of the entry that the record is the cause of.
func (c *creditRecord) kind() family.EntryKind {
	switch {
	case c.Turn:
		return family.RolledOver
	case c.Reason != "":
		return family.Adjusted
	}
	return family.Credited
}

// made tells whether the record is the cause of an entry.
func (c *creditRecord) made(e family.Entry) bool {
	return c.Person == e.Account && c.Amount == e.Delta && c.At.Equal(e.At) && c.Seq == e.Seq && c.Reason == e.Reason && c.kind() == e.Kind
}

// premiumRecord is a premium with all that was paid of it.
type premiumRecord struct {
	Premium family.Premium
	// Masked is the masked name of him whose premium it is.
	Masked string
	// Lost tells that a repair found the record gone: what was paid only the entries
	// say, and nothing more is paid or given back of it.
	Lost bool `json:",omitempty"`
}

// view is what is shown of the premium.
func (r *premiumRecord) view() PremiumView { return PremiumView{r.Premium, r.Masked} }

// repairRecord is one repair: what was found and what was done about it.
type repairRecord struct {
	At time.Time
	// By is who had it done.
	By   string
	What string
	// Keys are the records that were written, and Was the bodies that damaged ones
	// had, as they lay in the store.
	Keys []store.Key
	Was  []string `json:",omitempty"`
}

func accountKey(p family.PersonNo) ref[accountRecord] {
	return ref[accountRecord]{Part: "ACCT#" + string(p), Sort: "A"}
}

const entryPrefix = "E#"

func entryKey(p family.PersonNo, seq uint64) ref[family.Entry] {
	return ref[family.Entry]{Part: accountKey(p).Part, Sort: fmt.Sprintf("%s%012d", entryPrefix, seq)}
}

func personKey(p family.PersonNo) ref[personRecord] {
	return ref[personRecord]{Part: "PERSON#" + string(p), Sort: "P"}
}

const bindingPrefix = "B#"

// bindingPointerKey lists a binding under one of its sides.
func bindingPointerKey(p family.PersonNo, id family.BindingID) ref[pointerRecord] {
	return ref[pointerRecord]{Part: personKey(p).Part, Sort: bindingPrefix + string(id)}
}

// currentQRKey points at the token that a presenter shows for a patient.
func currentQRKey(presenter, patient family.PersonNo) ref[pointerRecord] {
	return ref[pointerRecord]{Part: personKey(presenter).Part, Sort: "QR#" + string(patient)}
}

func idIndexKey(index string) ref[pointerRecord] {
	return ref[pointerRecord]{Part: "ID#" + index, Sort: "I"}
}

func cardIndexKey(index string) ref[pointerRecord] {
	return ref[pointerRecord]{Part: "CARD#" + index, Sort: "I"}
}

func bindingKey(id family.BindingID) ref[bindingRecord] {
	return ref[bindingRecord]{Part: "BIND#" + string(id), Sort: "B"}
}

const eventPrefix = "H#"

// eventKey is a line of a binding's history.
func eventKey(id family.BindingID, seq uint64) ref[family.Event] {
	return ref[family.Event]{Part: bindingKey(id).Part, Sort: fmt.Sprintf("%s%08d", eventPrefix, seq)}
}

const noticePrefix = "N#"

// noticeRecord is an event of which one side is told.
type noticeRecord struct{ Event family.Event }

// noticeKey is where a person finds what he is told: by time, then by event.
func noticeKey(p family.PersonNo, e family.Event) ref[noticeRecord] {
	return ref[noticeRecord]{Part: personKey(p).Part, Sort: fmt.Sprintf("%s%s#%s#%08d", noticePrefix, e.At.UTC().Format("20060102T150405"), e.Binding, e.Seq)}
}

// dueRecord is a binding, or "P#" and a person, to be looked at on a day.
type dueRecord struct{ What string }

func duePart(d family.Day) string { return "DUE#" + d.String() }

func dueKey(d family.Day, what string) ref[dueRecord] {
	return ref[dueRecord]{Part: duePart(d), Sort: what}
}

// sweptRecord is how far the sweep has come.
type sweptRecord struct {
	Day   family.Day
	After string
}

var sweptKey = ref[sweptRecord]{Part: "SWEPT", Sort: "S"}

// materialRecord points from a paper to its binding.
type materialRecord struct{ Binding family.BindingID }

func materialKey(id family.MaterialID) ref[materialRecord] {
	return ref[materialRecord]{Part: "PAPER#" + string(id), Sort: "P"}
}

// proofRecord says whose relation a paper proved, under a keyed hash of its content.
type proofRecord struct{ People []family.PersonNo }

func proofKey(hash string) ref[proofRecord] {
	return ref[proofRecord]{Part: "PROOF#" + hash, Sort: "P"}
}

// reviewRecord is a binding's place in the queue of the reviewers.
type reviewRecord struct {
	Binding family.BindingID
	Region  family.Region // in which the holder is insured
	Done    bool
}

// reviewsPart lists what waits for a reviewer, the oldest first.
const reviewsPart = "REVIEWS"

func reviewKey(since time.Time, id family.BindingID) ref[reviewRecord] {
	return ref[reviewRecord]{Part: reviewsPart, Sort: since.UTC().Format("20060102T150405") + "#" + string(id)}
}

// registryRecord is what the civil registry knows of a person, by the keyed hash of
// his ID number: nothing in it names anybody.
type registryRecord struct {
	Name      string // keyed hash
	Deceased  bool
	Complete  bool // the relations are all that there are
	Relations map[string]family.Relation
}

func registryKey(index string) ref[registryRecord] {
	return ref[registryRecord]{Part: "REGISTRY#" + index, Sort: "R"}
}

func qrKey(hash string) ref[qrRecord] { return ref[qrRecord]{Part: "QR#" + hash, Sort: "Q"} }

const messagePrefix = "S#"

func dayPart(code family.InstitutionCode, day family.Day) string {
	return "DAY#" + string(code) + "#" + day.String()
}

// messageKey computes where a message lies from the id alone, so that the
// settlement, its message's record and its row in the day's list are one record.
func messageKey(id family.MessageID) ref[messageRecord] {
	return ref[messageRecord]{Part: dayPart(id.Institution(), id.Day()), Sort: messagePrefix + string(id)}
}

// lateKey points at a message that was settled on another day than it was sent on,
// from the day on which it was settled. Such are few; the rest are found where
// they lie.
const latePrefix = "T#"

func lateKey(id family.MessageID, settled family.Day) ref[pointerRecord] {
	return ref[pointerRecord]{Part: dayPart(id.Institution(), settled), Sort: latePrefix + string(id)}
}

func stepKey(id family.MessageID, op string) ref[stepRecord] {
	return ref[stepRecord]{Part: "STEP#" + string(id), Sort: "P#" + op}
}

const visitPrefix = "V#"

func visitsPart(place family.InstitutionCode, patient family.PersonNo) string {
	return "VISIT#" + string(place) + "#" + string(patient)
}

func visitKey(place family.InstitutionCode, patient family.PersonNo, id family.MessageID) ref[family.Visit] {
	return ref[family.Visit]{Part: visitsPart(place, patient), Sort: visitPrefix + string(id)}
}

func signatureKey(index string) ref[signatureRecord] {
	return ref[signatureRecord]{Part: "SIGN#" + index, Sort: "S"}
}

func signingKeyKey(id string) ref[signingKeyRecord] {
	return ref[signingKeyRecord]{Part: "HISKEY#" + id, Sort: "K"}
}

func fileKey(place family.InstitutionCode, id family.MessageID) ref[fileRecord] {
	return ref[fileRecord]{Part: "FILE#" + string(place), Sort: "F#" + string(id)}
}

func onceKey(p family.PersonNo, key string) ref[onceRecord] {
	return ref[onceRecord]{Part: "ONCE#" + string(p), Sort: "K#" + key}
}

func placeKey(code family.InstitutionCode) ref[family.Place] {
	return ref[family.Place]{Part: "INST#" + string(code), Sort: "I"}
}

const confirmationPrefix = "C#"

func confirmationPart(p family.PersonNo) string { return "CONFIRM#" + string(p) }

// confirmationKey lists a settlement that waits under a grantor who is asked, by
// the time at which it asked.
func confirmationKey(p family.PersonNo, at time.Time, id family.MessageID) ref[pointerRecord] {
	return ref[pointerRecord]{Part: confirmationPart(p), Sort: fmt.Sprintf("%s%010d#%s", confirmationPrefix, at.Unix(), id)}
}

// confirmationCursor is the form of what follows the prefix in such a key.
var confirmationCursor = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[0-9]{10}#[HP][0-9A-Za-z]{29}$`)
})

func guessesKey(code family.InstitutionCode) ref[guessesRecord] {
	return ref[guessesRecord]{Part: "GUESS#" + string(code), Sort: "G"}
}

// placesPart lists all institutions, for the proof of a day.
const placesPart = "INSTITUTIONS"

func placeRowKey(code family.InstitutionCode) ref[pointerRecord] {
	return ref[pointerRecord]{Part: placesPart, Sort: string(code)}
}

func itemKey(code string) ref[catalogueRecord] {
	return ref[catalogueRecord]{Part: "ITEM#" + code, Sort: "I"}
}

// termKey points at a thing by something that it is found by. The terms that begin
// with the same character lie together, so that one range holds what was typed.
func termKey(on shelf, term, code string) ref[pointerRecord] {
	part, prefix := termRange(on, term)
	return ref[pointerRecord]{Part: part, Sort: prefix + "#" + code}
}

func termRange(on shelf, term string) (part, prefix string) {
	first, _ := utf8.DecodeRuneInString(term)
	return "FIND#" + string(on) + "#" + string(first), term
}

func boxKey(code string) ref[boxRecord] { return ref[boxRecord]{Part: "TRACE#" + code, Sort: "T"} }

// policiesPart lists all policies of the table.
const policiesPart = "POLICIES"

func policyKey(id string) ref[policyRecord] { return ref[policyRecord]{Part: policiesPart, Sort: id} }

// lastPolicyKey is of the policy of a region that was published last. These lie
// behind all policies, whose ids begin with a digit.
func lastPolicyKey(region family.Region) ref[lastPolicyRecord] {
	return ref[lastPolicyRecord]{Part: policiesPart, Sort: "L#" + string(region)}
}

// closedKey is of the last day whose rules are closed. It lies apart from the policies:
// who closes a day need not be able to write a rule.
var closedKey = ref[closedRecord]{Part: "RULES", Sort: "R"}

const boughtPrefix = "BOUGHT#"

func boughtKey(p family.PersonNo, code string) ref[boughtRecord] {
	return ref[boughtRecord]{Part: boughtPrefix + string(p), Sort: code}
}

func creditKey(reference string) ref[creditRecord] {
	return ref[creditRecord]{Part: "CREDIT#" + reference, Sort: "C"}
}

// adjustmentsPart lists all adjustments by their references: they are few.
const adjustmentsPart = "ADJUSTMENTS"

func adjustmentKey(reference string) ref[family.Adjustment] {
	return ref[family.Adjustment]{Part: adjustmentsPart, Sort: reference}
}

// checkpointRecord is the signed checkpoint of a day.
type checkpointRecord struct{ Note string }

// checkpointsPart lists the signed days.
const checkpointsPart = "CHECKPOINTS"

func checkpointKey(day family.Day) ref[checkpointRecord] {
	return ref[checkpointRecord]{Part: checkpointsPart, Sort: day.String()}
}

func premiumKey(id family.PremiumID) ref[premiumRecord] {
	return ref[premiumRecord]{Part: "PREMIUM#" + string(id), Sort: "P"}
}

func owedPart(p family.PersonNo) string { return "OWED#" + string(p) }

// owedKey points at a person's premium of a kind for a year: the newest year is listed
// last.
func owedKey(p family.PersonNo, year int, kind family.PremiumKind) ref[pointerRecord] {
	return ref[pointerRecord]{Part: owedPart(p), Sort: fmt.Sprintf("%04d#%s", year, kind)}
}

// The trail of operators' acts: by day, by whom and by what it is about.
func actsOfDayPart(day family.Day) string { return "ACTS#" + day.String() }

func actsOfPersonPart(p family.PersonNo) string { return "ACTSON#P#" + string(p) }

func actsOfPlacePart(code family.InstitutionCode) string { return "ACTSON#I#" + string(code) }

func actKey(part, id string) ref[OperatorAct] { return ref[OperatorAct]{Part: part, Sort: id} }

func keysOfPart(code family.InstitutionCode) string { return "KEYS#" + string(code) }

// keyRowKey lists a signing key under its institution.
func keyRowKey(code family.InstitutionCode, id string) ref[pointerRecord] {
	return ref[pointerRecord]{Part: keysOfPart(code), Sort: id}
}

// repairsPart lists all repairs by the time-ordered id that each has.
const repairsPart = "REPAIRS"

func repairKey(id string) ref[repairRecord] {
	return ref[repairRecord]{Part: repairsPart, Sort: "R#" + id}
}

// decode reads a record's body. A body that cannot be read is a damaged table,
// and the error names the kind of record only.
func decode[T any](r ref[T], body []byte, into *T) error {
	if len(body) == 0 { // its stamp was not right
		return &DamagedError{store.Key(r)}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("app: the record %.4s… does not decode: %w", r.Part, err)
	}
	return nil
}

// decodeAll reads the bodies of listed records.
func decodeAll[T any](records []store.Record) ([]T, error) {
	out := make([]T, len(records))
	for i, r := range records {
		if err := decode(ref[T](r.Key), r.Body, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// seqCursor reads a cursor that is an entry's number.
func seqCursor(after string) (uint64, *family.Refusal) {
	if after == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(after, 10, 40)
	if err != nil {
		return 0, &family.Refusal{Code: family.Malformed, Field: "after", Detail: "not a cursor of this list"}
	}
	return n, nil
}
