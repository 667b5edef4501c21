package family

import "slices"

// Code names one answer. Codes are declared in order of precedence: where two
// apply to one request, the first declared is the answer. They are append-only;
// package answer gives each its status, its texts and what to do next.
type Code string

// The answers, in order of precedence.
const (
	Malformed       Code = "malformed"
	Unsupported     Code = "unsupported_infno"
	TooLarge        Code = "too_large"
	Unauthenticated Code = "unauthenticated"
	NotPermitted    Code = "not_permitted"
	RateLimited     Code = "rate_limited"
	MessageReused   Code = "message_reused"
	MessageFenced   Code = "message_fenced"
	NotFound        Code = "not_found"
	OriginalUnknown Code = "original_unknown"

	InstitutionNotDesignated Code = "institution_not_designated"
	PersonNotInsured         Code = "person_not_insured"
	PersonFrozen             Code = "person_frozen"
	RelationNotAllowed       Code = "relation_not_allowed"
	BindingLimitReached      Code = "binding_limit_reached"
	IdentityMismatch         Code = "identity_mismatch"
	AlreadyBound             Code = "already_bound"

	QRInvalid      Code = "qr_invalid"
	QRExpired      Code = "qr_expired"
	QRReplaced     Code = "qr_replaced"
	QRSpent        Code = "qr_spent"
	QRWrongPatient Code = "qr_wrong_patient"

	ItemNotCovered   Code = "item_not_covered"
	TraceMissing     Code = "trace_missing"
	TraceAlreadySold Code = "trace_already_sold"
	QuantityLimit    Code = "quantity_limit"

	GrantNone       Code = "grant_none"
	GrantPaused     Code = "grant_paused"
	GrantCapReached Code = "grant_cap_reached"
	GrantScope      Code = "grant_scope"
	AccountEmpty    Code = "account_empty"

	AlreadyReversed    Code = "already_reversed"
	AlreadyRefunded    Code = "already_refunded"
	StateForbids       Code = "state_forbids"
	QuoteStale         Code = "quote_stale"
	SumMismatch        Code = "sum_mismatch"
	ConfirmationNeeded Code = "confirmation_needed"
	Busy               Code = "busy"
	OutcomeUnknown     Code = "outcome_unknown"
	Internal           Code = "internal"

	// Reasons beside a line or a share that are no refusals.
	CoveredInFull  Code = "covered_in_full"   // 甲类: all of it is in scope
	CoveredInPart  Code = "covered_in_part"   // 乙类: the person pays a share first
	CeilingReached Code = "ceiling_reached"   // what is above the price ceiling is his own
	NothingLeft    Code = "nothing_left"      // the bill was paid before this grantor's turn
	AccountUnused  Code = "account_not_asked" // the till asked not to use accounts

	// What became of a message that moved money.
	MessageSettled       Code = "message_settled"
	MessagePartlyUndone  Code = "message_partially_refunded"
	MessageUndone        Code = "message_reversed"
	MessageGaveMoneyBack Code = "message_gave_back" // a reversal or refund

	// Reasons that make a line the person's own cost whatever its class.
	NeverCovered       Code = "never_covered"       // of the negative list
	KindLimited        Code = "kind_limited"        // not at this kind of institution
	LevelLimited       Code = "level_limited"       // not at an institution of this level
	PrescriptionNeeded Code = "prescription_needed" // only on a prescription
	AgeLimited         Code = "age_limited"         // not at this age
	SexLimited         Code = "sex_limited"         // not for this sex
	IndicationLimited  Code = "indication_limited"  // not for this diagnosis

	// The answer to "will it pay?", and what stands in the way beside the above.
	WillPay       Code = "will_pay"
	WillPayPartly Code = "will_pay_partly"
	WillNotPay    Code = "will_not_pay"
	// Of a binding's papers, and of the time between two bindings.
	PaperMissing Code = "paper_missing"
	PaperWrong   Code = "paper_wrong"
	CoolingOff   Code = "cooling_off"
	// What became of a settlement that waited for a grantor's word.
	ConfirmationDeclined Code = "confirmation_declined"
	ConfirmationLapsed   Code = "confirmation_lapsed"
	MessageConfirmed     Code = "message_confirmed" // all have approved: the till sends it again
	// Of what accounts may pay for, and of premiums.
	AccountScope  Code = "account_scope"   // the region lets accounts pay nothing of the kind
	PremiumNotDue Code = "premium_not_due" // not in its days, or paid by another
)

// Codes lists every answer in order of precedence.
var Codes = []Code{
	Malformed, Unsupported, TooLarge, Unauthenticated, NotPermitted, RateLimited, MessageReused, MessageFenced,
	NotFound, OriginalUnknown,
	InstitutionNotDesignated, PersonNotInsured, PersonFrozen, RelationNotAllowed, BindingLimitReached,
	IdentityMismatch, AlreadyBound,
	QRInvalid, QRExpired, QRReplaced, QRSpent, QRWrongPatient,
	ItemNotCovered, TraceMissing, TraceAlreadySold, QuantityLimit,
	GrantNone, GrantPaused, GrantCapReached, GrantScope, AccountEmpty,
	AlreadyReversed, AlreadyRefunded, StateForbids, QuoteStale, SumMismatch, ConfirmationNeeded,
	Busy, OutcomeUnknown, Internal,
	CoveredInFull, CoveredInPart, CeilingReached, NothingLeft, AccountUnused,
	MessageSettled, MessagePartlyUndone, MessageUndone, MessageGaveMoneyBack,
	NeverCovered, KindLimited, LevelLimited, PrescriptionNeeded, AgeLimited, SexLimited, IndicationLimited,
	WillPay, WillPayPartly, WillNotPay,
	PaperMissing, PaperWrong, CoolingOff,
	ConfirmationDeclined, ConfirmationLapsed, MessageConfirmed,
	AccountScope, PremiumNotDue,
}

// Malformed tells whether the code is of the first kind: the request could not be
// taken as one, nothing was decided and nothing is recorded.
func (c Code) Malformed() bool { return slices.Index(Codes, c) <= slices.Index(Codes, MessageReused) }

// Refusal is the answer "no": the one error of the law, and the only kind of
// error whose content reaches a client. It never holds a name, an ID number or a
// balance of anyone.
type Refusal struct {
	Code Code
	// Field is the path of the field at fault, such as "lines[2].quantity".
	Field string
	// Line is the bill's line at fault (line_no); 0 is none.
	Line int
	// Rule names the rule that was applied, such as "grants.max_members", and
	// Policy the policy that holds it, such as "430100@2026-01".
	Rule, Policy string
	// Observed and Allowed say what was found and what would have passed.
	Observed, Allowed string
	// RetryAfter is after how many seconds the same request may pass; 0 leaves
	// that to the code.
	RetryAfter int
	// Detail is a sentence in English for whoever mends the request.
	Detail string
}

// Error implements error.
func (r *Refusal) Error() string {
	s := string(r.Code)
	if r.Field != "" {
		s += " " + r.Field
	}
	if r.Rule != "" {
		s += " (" + r.Rule + ")"
	}
	if r.Detail != "" {
		s += ": " + r.Detail
	}
	return s
}

// Refuse returns a refusal that needs no more than its code.
func Refuse(code Code) *Refusal { return &Refusal{Code: code} }

// Faulty returns the refusal of a field that cannot be read.
func Faulty(field string, err error) *Refusal {
	return &Refusal{Code: Malformed, Field: field, Detail: err.Error()}
}
