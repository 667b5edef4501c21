package auditor

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"gongji/shared/store"
)

// The shapes of the records, as far as the auditor looks into them. They are typed
// in again and not imported: what the law calls a thing must be what is stored.

// Pockets is money of an account: this year's and past years', in fen.
type Pockets struct{ Current, Past int64 }

func (p Pockets) total() int64           { return p.Current + p.Past }
func (p Pockets) plus(q Pockets) Pockets { return Pockets{p.Current + q.Current, p.Past + q.Past} }
func (p Pockets) negative() Pockets      { return Pockets{-p.Current, -p.Past} }

// upTo takes an amount out of p, this year's money first.
func (p Pockets) upTo(amount int64) Pockets {
	var out Pockets
	out.Current = min(amount, p.Current)
	out.Past = min(amount-out.Current, p.Past)
	return out
}

// Insurance is how a person is insured.
type Insurance struct {
	Region, Insutype, PsnType string
	Active                    bool
}

func (i Insurance) insured() bool { return i.Active && (i.Insutype == "310" || i.Insutype == "390") }

// Terms are the limits of a grant; 0 is none.
type Terms struct {
	Purposes         []string
	MonthlyCap       int64
	PerSettlementCap int64
	Quota            int64
	ValidUntil       int
}

type grant struct {
	Binding     string
	Beneficiary string
	Relation    string
	Terms       Terms
	Raise       raise
	Since       uint64
	Spent       struct {
		Month int
		Spent int64
	}
	Used   int64
	Paused bool
	OfAge  int
}

func (g *grant) quotaLeft() int64 {
	if g.Terms.Quota <= g.Used {
		return 0
	}
	return g.Terms.Quota - g.Used
}

// raise are higher caps and the day from which they hold.
type raise struct {
	From                         int
	MonthlyCap, PerSettlementCap int64
}

// on are terms with caps that were raised, if their day has come.
func (t Terms) on(today int, r raise) Terms {
	if r.From != 0 && r.From <= today {
		t.MonthlyCap, t.PerSettlementCap = r.MonthlyCap, r.PerSettlementCap
	}
	return t
}

type grantor struct{ Person, Binding string }

type account struct {
	Person    string
	Insurance Insurance
	Frozen    bool
	Deceased  bool
	Balance   Pockets
	Seq       uint64
	Head      string
	Year      counter
	Others    []counter
	Given     []grant
	Grantors  []grantor
}

// counter counts a year's benefit under one insurance, in hospital stays or elsewhere.
type counter struct {
	Year             int
	Insutype         string
	Stays            bool
	Deductible, Pool int64
	Day              int
	DayPool          int64
}

// add counts what a sale or a refund of a day came to.
func (c *counter) add(day int, deductible, pool int64) {
	c.Deductible += deductible
	c.Pool += pool
	if day > c.Day {
		c.Day, c.DayPool = day, 0
	}
	if day == c.Day {
		c.DayPool += pool
	}
}

// insured tells whether somebody is insured and alive.
func (a *account) insured() bool { return a.Insurance.insured() && !a.Deceased }

// counter returns the counter of a year, an insurance and stays or other care, or nil.
func (a *account) counter(year int, insutype string, stays bool) *counter {
	if a.Year.Year == year && a.Year.Insutype == insutype && a.Year.Stays == stays {
		return &a.Year
	}
	for i := range a.Others {
		if c := &a.Others[i]; c.Year == year && c.Insutype == insutype && c.Stays == stays {
			return c
		}
	}
	return nil
}

func (a *account) heldInQuotas() (sum int64) {
	for i := range a.Given {
		sum += a.Given[i].quotaLeft()
	}
	return sum
}

func (a *account) given(binding string) *grant {
	for i := range a.Given {
		if a.Given[i].Binding == binding {
			return &a.Given[i]
		}
	}
	return nil
}

func (a account) copied() account {
	a.Given = append([]grant(nil), a.Given...)
	a.Grantors = append([]grantor(nil), a.Grantors...)
	a.Others = append([]counter(nil), a.Others...)
	return a
}

type accountRecord struct {
	Account account
	Masked  string
}

type entry struct {
	Account string
	Seq     uint64
	At      time.Time
	Kind    string
	Ref     string
	Patient bool
	Delta   Pockets
	After   Pockets

	Day              int
	Insutype         string
	Stay             bool
	Deductible, Pool int64
	Grant            string
	Month            int
	Reason           string // of an adjustment
	Prev             string
}

// hash is the chain's hash, in the auditor's own hand.
func (e *entry) hash() string {
	h := sha256.New()
	fmt.Fprintf(h, "gongji entry 2\n%s\n%d\n%s\n%s\n%q\n%t\n", e.Account, e.Seq, e.At.UTC().Format(time.RFC3339Nano), e.Kind, e.Ref, e.Patient)
	fmt.Fprintf(h, "%d %d\n%d %d\n", e.Delta.Current, e.Delta.Past, e.After.Current, e.After.Past)
	fmt.Fprintf(h, "%d %s %d %d\n%s %d\n%s\n", e.Day, e.Insutype, e.Deductible, e.Pool, e.Grant, e.Month, e.Prev)
	if e.Stay {
		fmt.Fprint(h, "stay\n")
	}
	if e.Reason != "" {
		fmt.Fprintf(h, "%q\n", e.Reason)
	}
	return hex.EncodeToString(h.Sum(nil))
}

type amounts struct{ Total, OutOfScope, OverLimit, PreSelfPay, InScope int64 }

func (a amounts) minus(b amounts) amounts {
	return amounts{a.Total - b.Total, a.OutOfScope - b.OutOfScope, a.OverLimit - b.OverLimit, a.PreSelfPay - b.PreSelfPay, a.InScope - b.InScope}
}

type breakdown struct {
	amounts
	Deductible, FundPaid, PersonBurden, AccountBase, OwnPaid, SharedPaid, CashDue int64
}

// UnmarshalJSON reads the flat object in which a breakdown is stored.
func (b *breakdown) UnmarshalJSON(text []byte) error {
	var flat struct {
		Total, OutOfScope, OverLimit, PreSelfPay, InScope                             int64
		Deductible, FundPaid, PersonBurden, AccountBase, OwnPaid, SharedPaid, CashDue int64
	}
	err := json.Unmarshal(text, &flat)
	*b = breakdown{
		amounts{flat.Total, flat.OutOfScope, flat.OverLimit, flat.PreSelfPay, flat.InScope},
		flat.Deductible, flat.FundPaid, flat.PersonBurden, flat.AccountBase, flat.OwnPaid, flat.SharedPaid, flat.CashDue,
	}
	return err
}

func (b breakdown) minus(c breakdown) breakdown {
	return breakdown{
		b.amounts.minus(c.amounts), b.Deductible - c.Deductible, b.FundPaid - c.FundPaid, b.PersonBurden - c.PersonBurden,
		b.AccountBase - c.AccountBase, b.OwnPaid - c.OwnPaid, b.SharedPaid - c.SharedPaid, b.CashDue - c.CashDue,
	}
}

// Ratio is a share in ten-thousandths.
type Ratio int64

// UnmarshalText reads a ratio as it is stored, "0.7000".
func (r *Ratio) UnmarshalText(text []byte) error {
	var whole, part int64
	if _, err := fmt.Sscanf(string(text), "%1d.%4d", &whole, &part); err != nil || len(text) != 6 {
		return fmt.Errorf("the ratio %q", text)
	}
	*r = Ratio(whole*10_000 + part)
	return nil
}

type pricedLine struct {
	No                int
	Code              string
	Quantity          int64
	UnitPrice, Amount int64
	TraceCodes        []string
	Class             string
	SelfPay           Ratio
	Ceiling           int64
	Since             int
	Amounts           amounts
	Reason            string
}

// told is what a settlement keeps of what limits made of its lines.
type told struct {
	Counted    []string
	Why        map[int]struct{ Rule string }
	OwnExpense []int
}

type share struct {
	Grantor, Binding, Relation string
	Paid, Limit                Pockets
	Reason, Rule               string
}

type leg struct {
	Party, Account string
	Seq            uint64
	Delta          Pockets
}

type basis struct {
	Day                     int
	PsnType, Kind, Level    string
	Used                    struct{ Deductible, Pool, Day, Stay int64 }
	DeductibleLeft          int64
	Ratio                   Ratio
	PoolCapped              bool
	PoolLeft                int64
	PaysOutOfScope          bool
	NoAccount               bool
	InsuredRegion, Insutype string
}

type settlement struct {
	ID, Kind, Original        string
	At                        time.Time
	Place, Patient, Presenter string
	MedType, Policy           string
	Basis                     basis
	Lines                     []pricedLine
	Told                      *told
	Paid                      breakdown
	Own, Free                 Pockets
	Shares                    []share
	Legs                      []leg
	Kept                      []int64
	Refunds                   []string
}

type refusal struct {
	Code string
}

type messageRecord struct {
	Fingerprint string
	State       string
	At          time.Time
	Refusal     *refusal
	Settlement  *settlement
	// Confirmation is what it waits for, or has waited for.
	Confirmation *confirmation
	Visit        string // that it is of
}

// confirmation is what a sale waits for.
type confirmation struct {
	Patient   string
	At, Until time.Time
	Asked     []question
}

type question struct {
	Grantor, Binding, Relation string
	Amount                     int64
	Said                       string
}

// of returns what somebody is asked, or nil.
func (c *confirmation) of(person string) *question {
	if c == nil {
		return nil
	}
	for i := range c.Asked {
		if c.Asked[i].Grantor == person {
			return &c.Asked[i]
		}
	}
	return nil
}

// word is what the grantors' words come to at a time; empty lets the sale go on.
func (c *confirmation) word(at time.Time) string {
	open := false
	for _, q := range c.Asked {
		if q.Said == "declined" {
			return "confirmation_declined"
		}
		open = open || q.Said == ""
	}
	switch {
	case !at.Before(c.Until):
		return "confirmation_lapsed"
	case open:
		return "confirmation_needed"
	}
	return ""
}

type token struct {
	ID, Patient, Presenter, Binding, Relation string
	Issued, Expires                           time.Time
	State, SpentBy                            string
	DecodedBy                                 string
	DecodedUntil                              time.Time
	Visit                                     string
	Held                                      *hold
}

// hold keeps a code for a sale that waits.
type hold struct {
	By    string
	Until time.Time
}

// heldBy is the message for which a code is kept at a time; empty is none.
func (t *token) heldBy(at time.Time) string {
	if t.Held != nil && at.Before(t.Held.Until) {
		return t.Held.By
	}
	return ""
}

// good tells until when a code is good for a message: as it is displayed, or by what
// decoding it gave.
func (t *token) good(message string, decoded bool, at time.Time) time.Time {
	until := t.Expires
	if decoded {
		until = t.DecodedUntil
	}
	if message != "" && t.heldBy(at) == message && until.Before(t.Held.Until) {
		until = t.Held.Until
	}
	return until
}

// redeemed is what refuses a code that a place redeems.
func (t *token) redeemed(place, message string, decoded bool, at time.Time) string {
	held := t.heldBy(at)
	switch {
	case !at.Before(t.good(message, decoded, at)):
		return "qr_expired"
	case t.State == "replaced":
		return "qr_replaced"
	case t.State == "spent", t.DecodedBy != "" && t.DecodedBy != place, held != "" && held != message:
		return "qr_spent"
	}
	return ""
}

type qrRecord struct {
	Token    token
	Grantors []string
}

type step struct {
	Action, By, Kind string
	Done             bool
}

// material is a paper of a binding.
type material struct {
	ID, Kind, ContentType string
	Size                  int64
	SHA256, State, Why    string
	At                    time.Time
}

// review is a binding's way through the hands of reviewers.
type review struct {
	Since  time.Time
	By     string
	Lease  time.Time
	Looks  []look
	Reason string
}

type look struct{ By, Face string }

type registryRecord struct {
	Name               string
	Deceased, Complete bool
	Relations          map[string]string
}

type materialRecord struct{ Binding string }

type proofRecord struct{ People []string }

type queueRecord struct {
	Binding, Region string
	Done            bool
}

type former struct {
	Member    string
	Ended     int
	Pay, Fate bool
}

type binding struct {
	ID, Holder, Member, Relation   string
	State                          string
	Steps                          []step
	Guardian                       bool
	Assisted                       string // by whom it was filled in at the counter
	OfAge                          int
	Show, ShowAgreed               bool
	Materials                      []material
	Identity                       string
	Review                         review
	Pay                            *Terms
	Raise                          raise
	PausedByHolder, PausedByMember bool
	Activated, Ended               time.Time
	EndedBy, EndWhy                string
	Until                          int
	Obstacle                       string
}

// lapsed tells whether a request's time is over.
func (b *binding) lapsed(today int) bool { return b.live() && b.Until != 0 && b.Until < today }

// next is the number of the first step that is not done, or -1.
func (b *binding) next() int {
	for i, s := range b.Steps {
		if !s.Done {
			return i
		}
	}
	return -1
}

// nextIs tells whether an action is the next one.
func (b *binding) nextIs(action string) bool {
	i := b.next()
	return i >= 0 && b.Steps[i].Action == action
}

// face is a hash over what a reviewer judges, in the auditor's own hand.
func (b *binding) face() string {
	h := sha256.New()
	fmt.Fprintf(h, "gongji review 1\n%s %s %s %s %t %t %s\n", b.ID, b.Holder, b.Member, b.Relation, b.Show, b.Guardian, b.Identity)
	if p := b.Pay; p != nil {
		fmt.Fprintf(h, "%v %d %d %d %08d\n", p.Purposes, p.MonthlyCap, p.PerSettlementCap, p.Quota, p.ValidUntil)
	}
	for _, m := range b.Materials {
		if m.State == "kept" {
			fmt.Fprintf(h, "%s %s %s\n", m.ID, m.Kind, m.SHA256)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (b binding) copied() binding {
	b.Steps = append([]step(nil), b.Steps...)
	b.Materials = append([]material(nil), b.Materials...)
	b.Review.Looks = append([]look(nil), b.Review.Looks...)
	return b
}

// grown tells whether the member has come of age, and his guardian's consent is over.
func (b *binding) grown(today int) bool { return b.Guardian && b.OfAge != 0 && today >= b.OfAge }

func (b *binding) paused() bool  { return b.PausedByHolder || b.PausedByMember }
func (b *binding) live() bool    { return b.State != "declined" && b.State != "ended" }
func (b *binding) mayShow() bool { return b.State == "active" && b.Show && !b.paused() }

type bindingRecord struct{ Binding binding }

type bound struct {
	ID, Member, Relation string
	Show, Pay            bool
	Until                int
}

type personRecord struct {
	Key               string
	Name, IDNo, Phone string
	IDIndex, CardIdx  string
	Born              int
	Bound             []bound
	Former            []former
}

type pointerRecord struct{ To string }

type boxRecord struct{ SoldBy string }

type creditRecord struct {
	Person string
	Amount Pockets
	Reason string // of an adjustment
	Turn   bool   // of a year
}

type onceRecord struct {
	Refusal *refusal
	Answer  json.RawMessage
}

// Place is an institution as it is stored, its name aside.
type Place struct {
	Code, Kind, Level, Region string
	Designated                bool
}

// Item is a version of a catalogue entry as it is stored, its name aside.
type Item struct {
	Code, ListType string
	Class          string
	SelfPay        map[string]Ratio
	Ceiling        map[string]int64
	In             map[string]Variant // by city or province
	Limits         *Limits
	Excluded       string
	From, To       int
}

// Variant is how a region classes an item.
type Variant struct {
	Class   string
	SelfPay map[string]Ratio
	Ceiling map[string]int64
}

// Limits are for what and for whom an item is paid.
type Limits struct {
	Prescription   bool
	MinAge, MaxAge int
	Sex            string
	Grades, Kinds  []string
	Diagnoses      []string

	MaxDays        int
	MaxQuantity    int64
	PeriodDays     int
	PeriodQuantity int64
}

func (i *Item) perPeriod() bool { return i.Limits != nil && i.Limits.PeriodQuantity > 0 }

type purchase struct {
	Day      int
	Ref      string
	Quantity int64
}

type boughtRecord struct{ Purchases []purchase }

type guesses struct {
	Bad    []time.Time
	Paused time.Time
}

type guessesRecord struct{ Guesses guesses }

type itemRecord struct{ Versions []Item }

// Where records lie.
func accountKey(p string) store.Key { return store.Key{Part: "ACCT#" + p, Sort: "A"} }

func entryKey(p string, seq uint64) store.Key {
	return store.Key{Part: "ACCT#" + p, Sort: fmt.Sprintf("E#%012d", seq)}
}
func personKey(p string) store.Key     { return store.Key{Part: "PERSON#" + p, Sort: "P"} }
func pointerKey(p, b string) store.Key { return store.Key{Part: "PERSON#" + p, Sort: "B#" + b} }
func currentKey(presenter, patient string) store.Key {
	return store.Key{Part: "PERSON#" + presenter, Sort: "QR#" + patient}
}
func bindingKey(id string) store.Key { return store.Key{Part: "BIND#" + id, Sort: "B"} }
func messageKey(id string) store.Key {
	return store.Key{Part: "DAY#" + id[:12] + "#" + id[12:20], Sort: "S#" + id}
}
func placeKey(code string) store.Key { return store.Key{Part: "INST#" + code, Sort: "I"} }
func itemKey(code string) store.Key  { return store.Key{Part: "ITEM#" + code, Sort: "I"} }
func boxKey(code string) store.Key   { return store.Key{Part: "TRACE#" + code, Sort: "T"} }
func boughtKey(p, code string) store.Key {
	return store.Key{Part: "BOUGHT#" + p, Sort: code}
}
func registryKey(index string) store.Key { return store.Key{Part: "REGISTRY#" + index, Sort: "R"} }
func paperKey(id string) store.Key       { return store.Key{Part: "PAPER#" + id, Sort: "P"} }
func proofKey(index string) store.Key    { return store.Key{Part: "PROOF#" + index, Sort: "P"} }
func guessesKey(place string) store.Key  { return store.Key{Part: "GUESS#" + place, Sort: "G"} }

// lateKey is where a message is listed that was settled on another day than it was
// sent on.
func lateKey(id string, settled int) store.Key {
	return store.Key{Part: fmt.Sprintf("DAY#%s#%d", id[:12], settled), Sort: "T#" + id}
}
func creditKey(ref string) store.Key { return store.Key{Part: "CREDIT#" + ref, Sort: "C"} }

// QRKey is where the code with a hash lies.
func QRKey(hash string) store.Key { return store.Key{Part: "QR#" + hash, Sort: "Q"} }

// IDKey and CardKey are where an index points at a person.
func IDKey(index string) store.Key { return store.Key{Part: "ID#" + index, Sort: "I"} }

// CardKey is where a card number's index lies.
func CardKey(index string) store.Key { return store.Key{Part: "CARD#" + index, Sort: "I"} }

// OnceKey is where a person's first answer to a keyed request lies.
func OnceKey(person, index string) store.Key {
	return store.Key{Part: "ONCE#" + person, Sort: "K#" + index}
}

// confirmationKey is where a grantor finds a sale that waits for him.
func confirmationKey(person string, at time.Time, id string) store.Key {
	return store.Key{Part: "CONFIRM#" + person, Sort: fmt.Sprintf("C#%010d#%s", at.Unix(), id)}
}

// MessageKey is where a message lies.
func MessageKey(id string) store.Key { return messageKey(id) }

// AskedOf returns for whom a message waits, and who is asked.
func AskedOf(r store.Record) (patient string, asked []string) {
	var m messageRecord
	if json.Unmarshal(r.Body, &m) != nil || m.Confirmation == nil {
		return "", nil
	}
	for _, q := range m.Confirmation.Asked {
		asked = append(asked, q.Grantor)
	}
	return m.Confirmation.Patient, asked
}

// AccountKey is where a person's account lies.
func AccountKey(person string) store.Key { return accountKey(person) }

// BindingKey is where a binding lies.
func BindingKey(id string) store.Key { return bindingKey(id) }

// StateOf returns a binding's state, and the kind of paper that it waits for next.
func StateOf(r store.Record) (state, paper string) {
	var b bindingRecord
	if json.Unmarshal(r.Body, &b) != nil {
		return "", ""
	}
	if b.Binding.nextIs("upload") {
		paper = b.Binding.Steps[b.Binding.next()].Kind
	}
	return b.Binding.State, paper
}

// GrantorsOf returns the bindings under which others pay for an account's owner.
func GrantorsOf(r store.Record) []string {
	var a accountRecord
	if json.Unmarshal(r.Body, &a) != nil {
		return nil
	}
	var ids []string
	for _, g := range a.Account.Grantors {
		ids = append(ids, g.Binding)
	}
	return ids
}
