// Package family is the law of the house: who may show whose code, who may spend
// from whose personal account, what the fund pays of a bill, whose money pays the
// rest, and how all of it comes back.
//
// It is a functional core. It sees no context, clock, chance, store or
// environment: times, ids and records are arguments, decisions are return values,
// and what it was given it never changes. So a quote, a settlement, an audit and a
// replay of last month under a new policy are the same function, committed or not.
//
// A reader may begin at [Quote], which says in the order of its lines what a till
// is refused, and at reckon beneath it, which divides a bill among those who pay.
// testdata holds stories with numbers that need no Go to be read.
//
// # Words
//
// One word has one meaning. The spellings of the national interface (SPEC) occur
// in comments only.
//
//	Person        参保人      one who is covered by insurance, named by his PersonNo
//	patient       就诊人      the person treated, whose code is shown and whose own
//	                          insurance decides what the fund pays
//	presenter     出示人      the person who holds the phone; never, as such, who pays
//	Binding       绑定        a holder and a member joined by two consents, each its
//	                          own switch: the Link and the Grant
//	Link          亲情账户    the holder may show the member's code; moves no money
//	                          (in code: Binding.Show)
//	Grant         家庭共济    the beneficiary may spend from the account it lies in
//	grantor       授权人      whose account it is; beneficiary 被授权人: who may spend
//	Terms         共济额度…   the limits that a grantor sets: purposes, caps, quota, last day
//	Relation      亲属关系    a code of GB/T 4761: what the other is to me; Kin is its kind
//	Account       个人账户    the money of one person, in two Pockets: credited this
//	                          year (当年账户) and in past years (历年结余)
//	Place         定点医药机构 a hospital or pharmacy, named by its InstitutionCode
//	MessageID     msgid       the identity of an institution's request
//	QRToken       医保码      a short-lived code that names patient and presenter
//	Bill, Line    费用明细    what the till wants settled
//	Item          目录        a drug, treatment or consumable; its Class 甲 A, 乙 B, 丙 C
//	Amounts       政策范围    how a line divides before anybody pays: OutOfScope 全自费,
//	                          OverLimit 超限价, PreSelfPay 先行自付, InScope 符合范围
//	Breakdown     结算信息    who pays what: FundPaid 统筹, OwnPaid 本人账户,
//	                          SharedPaid 共济, CashDue 现金
//	Quote         预结算      a decision without a posting (2206)
//	Settlement    结算        a decision with its postings (2207); Reversal 撤销 (2208,
//	                          2601) and refund are settlements with their signs turned
//	Posting       分录        one leg of a settlement
//	Entry         账户明细    a posting in an account's history, chained to the one before
//	Policy        地方政策    the rules of one region from one day on: data, not code
//	Refusal       拒绝        the answer "no", with its Code
//	Fen           分          money; Ratio and Quantity count in ten-thousandths
//
// # Laws
//
// Each law is held by the test that it names, and no law stands here without one.
//
// Money:
//
// Law 1. The deltas of one settlement sum to zero.
// TestLaw01_PostingsSumToZero
//
// Law 2. No pocket, counter or quota is ever below zero.
// TestLaw02_NothingBelowZero
//
// Law 3. What is frozen in quotas lies in the account, and only the beneficiary
// spends it.
// TestLaw03_QuotasAreHeld
//
// Law 4. Total = fund + burden, burden = own + shared + cash, and total = out of
// scope + over the ceiling + paid first + in scope, for each bill and each line.
// TestLaw04_PartsSumToTheTotal
//
// Law 5. The own account pays first, then relatives in their order, then cash.
// TestLaw05_OwnThenRelativesThenCash
//
// Law 6. Accounts never pay what is out of scope, unless the region says so.
// TestLaw06_AccountsPayInScopeOnly
//
// Law 7. No grant pays beyond its caps, its quota, its purposes or its last day.
// TestLaw07_LimitsOfAGrantHold
//
// Law 8. A year's deductible and a year's cap are used up once, at whatever grade.
// TestLaw08_ABenefitIsUsedUpOnce
//
// Law 9. Who pays is decided at settlement, never by the code that is shown.
// TestLaw09_ThePayerIsDecidedAtSettlement
//
// Law 10. A code is redeemed once, before its time, for its patient, and only the
// newest.
// TestLaw10_ACodeIsRedeemedOnce
//
// Law 11. Who is frozen or not insured neither pays nor benefits.
// TestLaw11_FrozenOrUninsuredNeitherPaysNorBenefits
//
// What comes back:
//
// Law 12. A reversal undoes its settlement: balances, caps and counters are as if
// it had never been; only the history remembers.
// TestLaw12_ReverseUndoesSettle
//
// Law 13. Refunds by line and quantity, in any pieces and any order, end where the
// goods that are kept end.
// TestLaw13_AnySplitOfRefundsIsTheReversal
//
// Law 14. No refund takes anything from anybody, or gives back more than was paid:
// cash comes back first, then relatives' money, then the own.
// TestLaw14_RefundsAreNeverNegativeNorTooMuch
//
// Law 15. What comes back restores caps and counters in the month and year that it
// came from, whatever became of the grant and the people since.
// TestLaw15_ARefundGoesBackToWhereItCameFrom
//
// Deciding:
//
// Law 16. The order of a bill's lines changes nothing.
// TestLaw16_LineOrderChangesNothing
//
// Law 17. A quote is the settlement, but for its postings.
// TestLaw17_AQuoteIsTheSettlement
//
// Law 18. Of two refusals that apply, the one whose code is declared first is the
// answer.
// TestLaw18_RefusalsComeInTheOrderOfCodes
//
// Law 19. No refusal tells a balance, a name or what could not be read.
// TestLaw19_RefusalsTellNoSecrets
//
// Law 20. Deciding changes nothing of what it was given.
// TestLaw20_DecidingTouchesNothing
//
// Law 21. Money never passes through a floating-point number.
// TestLaw21_MoneyNeverFloats
//
// Law 22. The law knows no clock, no chance and no world.
// TestLaw22_NoClockNoChanceNoWorld
//
// The books:
//
// Law 23. Entries are numbered without gaps and chained; all that an account counts
// follows from them, and whatever is changed afterwards is found.
// TestLaw23_TheBooksProve
//
// Law 24. A settlement proves itself, and whatever is changed in its money
// afterwards is found.
// TestLaw24_SettlementsProve
//
// The family:
//
// Law 25. Only near relatives are bound (民法典 1045), and of those whom the region
// allows.
// TestLaw25_OnlyNearRelatives
//
// Law 26. Nobody binds more relatives, or more of a kind, or one twice, nor has more
// grantors, than the region allows.
// TestLaw26_BindingsAreLimited
//
// Law 27. From the age of consent on nothing is shown or spent before the member
// has accepted; below it his guardian, who binds him, consents, but does not give
// again what a child of fourteen took back.
// TestLaw27_TheMemberConsents
//
// Law 28. A code is shown by its owner, or by the holder to whom the owner consents,
// as long as he does.
// TestLaw28_ShownOnlyWithConsent
//
// Law 29. Either side ends a binding at once and for good.
// TestLaw29_EitherSideEndsAtOnce
//
// Asking:
//
// Law 30. Above what his region lets pass unasked, nothing leaves a grantor's account
// for a relative before he has approved it, and never more than he approved.
// TestLaw30_NothingLargeUnasked
//
// Law 31. No account is adjusted but by one person's proposal and another's approval,
// neither of them its owner, and never below zero or below what is frozen in quotas.
// TestLaw31_TwoPeopleAdjust
package family
