package main

// The files in which bugs are planted.
const (
	settleLaw  = "shared/family/settle.go"
	pricing    = "shared/family/pricing.go"
	itemLaw    = "shared/family/item.go"
	billLaw    = "shared/family/bill.go"
	accountLaw = "shared/family/account.go"
	refundLaw  = "shared/family/refund.go"
	ledger     = "shared/family/ledger.go"
	qrLaw      = "shared/family/qr.go"
	guessLaw   = "shared/family/guess.go"
	purchases  = "shared/family/purchase.go"
	bindingLaw = "shared/family/binding.go"
	pairLaw    = "shared/family/pair.go"
	adjustLaw  = "shared/family/adjust.go"
	adjustApp  = "shared/app/adjust.go"
	counterLaw = "shared/family/counter.go"
	counterApp = "shared/app/counter.go"
	bindPolicy = "shared/family/bindpolicy.go"
	premiumLaw = "shared/family/premium.go"
	moneyLaw   = "shared/family/money.go"
	policyLaw  = "shared/family/policy.go"
	dayLaw     = "shared/family/day.go"
	loop       = "shared/app/loop.go"
	settleApp  = "shared/app/settle.go"
	gatherApp  = "shared/app/gather.go"
	refundApp  = "shared/app/refund.go"
	bindApp    = "shared/app/bind.go"
	issueApp   = "shared/app/issue.go"
	onceApp    = "shared/app/once.go"
	feedApp    = "shared/app/feed.go"
	guessApp   = "shared/app/guess.go"
	rulesApp   = "shared/app/policies.go"
	askApp     = "shared/app/ask.go"
	decodeApp  = "shared/app/ectoken.go"
	papersApp  = "shared/app/papers.go"
	registry   = "shared/app/registry.go"
	confirmApp = "shared/app/confirm.go"
	reviewLaw  = "shared/family/review.go"
	lifeLaw    = "shared/family/life.go"
	confirmLaw = "shared/family/confirm.go"
	erasureLaw = "shared/family/erasure.go"
	eraseApp   = "shared/app/erase.go"
	visitLaw   = "shared/family/visit.go"
	visitApp   = "shared/app/visit.go"
	policyApp  = "shared/app/policies.go"
	lifeApp    = "shared/app/life.go"
	repairApp  = "shared/app/repair.go"
	followsApp = "shared/app/follows.go"
	stampApp   = "shared/app/stamp.go"
	boughtApp  = "shared/app/repairbought.go"
	signHIS    = "shared/his/sign.go"
	throttling = "shared/throttle/throttle.go"
)

// Why towns do not see the bugs of a part.
const (
	noRepair   = "nothing is repaired in towns"
	noHIS      = "nobody in a town speaks through the national door"
	noErasure  = "nobody in a town is erased"
	seldom     = "towns meet it too seldom: sixty did not"
	noPolicies = "planted before towns published policies, and not tried on them"
	noVisits   = "planted before towns played visits, and not tried on them"
	noThrottle = "towns have no doors"
)

// mutants are the planted bugs.
var mutants = []mutant{
	// Who may settle at all.
	{file: settleLaw, old: "	if !c.Place.Designated {\n		return Settlement{}, Refuse(InstitutionNotDesignated)\n	}\n", bad: "", breaks: "a place without agreement is refused a person's check", tests: seldom, test: "shared/family.TestLaw18_RefusalsComeInTheOrderOfCodes"},
	{file: gatherApp, old: "	if err := a.mayLook(t, place, in.Credential, now); err != nil {\n		return fail(err)\n	}\n", bad: "", breaks: "a place without agreement, or that guesses, is not looked at"},
	{file: settleLaw, old: "	if refusal := MayBenefit(c.Patient); refusal != nil {\n		return Settlement{}, refusal\n	}\n", bad: "", breaks: "a patient who is frozen or not insured gets nothing"},
	{file: qrLaw, old: "	if !patient.Insurance.Insured() || patient.Deceased {", bad: "	if patient.Deceased {", breaks: "who is not insured gets nothing"},
	{file: qrLaw, old: "	if patient.Frozen {\n		return Refuse(PersonFrozen)\n	}\n", bad: "", breaks: "who is frozen gets nothing"},

	// Codes.
	{file: qrLaw, old: "case !now.Before(expires):", bad: "case now.After(expires):", breaks: "a code's last moment is not its own", tests: seldom, test: "shared/family.TestLaw10_ACodeIsRedeemedOnce"},
	{file: qrLaw, old: "	case t.State == QRStateReplaced:\n		return Refuse(QRReplaced)\n", bad: "", breaks: "a code that was replaced is dead"},
	{file: qrLaw, old: "case t.State == QRStateSpent, t.DecodedBy", bad: "case t.DecodedBy", breaks: "a code is spent once"},
	{file: qrLaw, old: "t.State, t.SpentBy, t.Held = QRStateSpent, by, nil", bad: "t.SpentBy, t.Held = by, nil", breaks: "a settlement spends its code"},
	{file: qrLaw, old: "Expires: now.Add(p.QRLife)", bad: "Expires: now.Add(p.QRLife + time.Second)", breaks: "a code lives as long as the region says"},
	{file: qrLaw, old: "		if !b.MayShow() || b.Grown(DayOf(now)) {", bad: "		if b.Grown(DayOf(now)) {", breaks: "a code is shown only with consent"},
	{file: qrLaw, old: "if !own && (b == nil || b.Holder != presenter || b.Member != patient.Person) {", bad: "if !own && b == nil {", breaks: "a code is shown by its owner or a holder", tests: "the act asks before: no holder but the right one gets so far", test: "shared/family.TestLaw28_ShownOnlyWithConsent"},
	{file: issueApp, old: "		if err := a.replaceCurrentQR(t, pointerRef, now); err != nil {\n			return QRView{}, err\n		}\n", bad: "", breaks: "the newest code kills the one before"},
	{file: settleApp, old: "		if effects.Token != nil {\n			if err := a.putToken(", bad: "		if effects.Token != nil && now.IsZero() {\n			if err := a.putToken(", breaks: "a spent code is written"},
	{file: guessLaw, old: "	if len(bad) < p.BadCodes {", bad: "	if len(bad) <= p.BadCodes {", breaks: "the last bad code of a minute begins the pause"},
	{file: guessLaw, old: "return !now.Before(at.Add(guessWindow))", bad: "return false", breaks: "bad codes are forgotten after a minute"},
	{file: guessLaw, old: "	if !now.Before(g.Paused) {", bad: "	if !now.Before(g.Paused.Add(-30 * time.Second)) {", breaks: "the pause lasts to its end"},
	{file: guessApp, old: "	if _, err := family.ParseQRDigits(digits); err != nil {\n		return false, refused\n	}\n", bad: "", breaks: "a slip of the hand is no guess"},
	{file: gatherApp, old: "		if !fits && qr != nil {", bad: "		if false {", breaks: "a code with another's name is the wrong patient's"},
	{file: gatherApp, old: "		if !fits {", bad: "		if false {", breaks: "an ID number with another's name names nobody"},

	// Policies that are published.
	{file: rulesApp, old: "max(closed.Through, family.DayOf(", bad: "max(0*closed.Through, family.DayOf(", breaks: "a day whose rules are closed gets no others"},
	{file: rulesApp, old: "if draft.DraftedBy == by {", bad: "if false {", breaks: "who drafted a policy does not publish it"},

	// The catalogue.
	{file: pricing, old: "		p.Reason = ItemNotCovered\n	case ClassB:", bad: "		p.Reason = CoveredInFull\n	case ClassB:", breaks: "丙 is said to be no insurance's"},
	{file: pricing, old: "if p.Class == ClassC || limited(p.Reason) {", bad: "if limited(p.Reason) {", breaks: "丙 is out of scope"},
	{file: pricing, old: "if p.Class == ClassC || limited(p.Reason) {", bad: "if p.Class == ClassC {", breaks: "what a limit hits is out of scope"},
	{file: pricing, old: "c > 0 && l.UnitPrice > c &&", bad: "c > 0 && l.UnitPrice > c+1 &&", breaks: "a price one fen above its ceiling is above it", tests: seldom, test: "shared/family.TestScenarios"},
	{file: pricing, old: "		over := min(p.Amount, p.Quantity.times(p.UnitPrice-p.Ceiling))", bad: "		over := min(p.Amount, p.Quantity.times(p.Ceiling))", breaks: "what is above the ceiling is the person's own"},
	{file: pricing, old: "	if p.Class == ClassB {\n		a.PreSelfPay", bad: "	if p.Class == ClassA {\n		a.PreSelfPay", breaks: "of 乙 the person pays a share first"},
	{file: pricing, old: "v.SelfPay[insutype], CoveredInPart", bad: "v.SelfPay[Employee], CoveredInPart", breaks: "the share paid first is that of the person's insurance"},
	{file: itemLaw, old: "	if c, ok := v.Ceiling[level]; ok {\n		return c\n	}\n", bad: "", breaks: "a ceiling for the very level comes before the grade's"},
	{file: itemLaw, old: "(v.To == 0 || day <= v.To)", bad: "(v.To == 0 || day < v.To)", breaks: "an item's last day in force is in force"},
	{file: itemLaw, old: "v.From > versions[best].From", bad: "v.From < versions[best].From", breaks: "of two versions in force the newer counts"},
	{file: itemLaw, old: "[]Region{region.City(), region.Province()}", bad: "[]Region{region.Province()}", breaks: "the city's own list comes before the province's"},
	{file: pricing, old: "	if i.Excluded != \"\" {", bad: "	if false {", breaks: "the negative list is paid by nobody"},
	{file: pricing, old: "limits.Prescription && c.Need.Prescriptions[line].No == \"\":", bad: "limits.Prescription && c.Need.Prescriptions[line].Days < 0:", breaks: "what needs a prescription is paid on one only"},
	{file: pricing, old: "case age < limits.MinAge || limits.MaxAge > 0 && age > limits.MaxAge:", bad: "case age <= limits.MinAge || limits.MaxAge > 0 && age > limits.MaxAge:", breaks: "the first age that is paid is paid"},
	{file: pricing, old: "case limits.Sex != \"\" && c.Sex != limits.Sex:", bad: "case limits.Sex != \"\" && c.Sex == limits.Sex:", breaks: "an item for one sex is not for the other"},
	{file: pricing, old: "return strings.HasPrefix(d, prefix)", bad: "return strings.HasPrefix(prefix, d)", breaks: "an item for an illness is paid for it only"},
	{file: pricing, old: "case len(limits.Grades) > 0 && !slices.Contains(limits.Grades, grade):", bad: "case false:", breaks: "an item of large hospitals is paid there only"},
	{file: pricing, old: "sum[l.Code] > limits.MaxQuantity {", bad: "l.Quantity > limits.MaxQuantity {", breaks: "two lines of an item count together"},
	{file: pricing, old: "all > limits.PeriodQuantity {", bad: "sum[l.Code] > limits.PeriodQuantity {", breaks: "what was bought before counts"},
	{file: purchases, old: "p.Day > today.After(-days)", bad: "p.Day >= today.After(-days)", breaks: "a period has so many days and not one more", tests: seldom, test: "shared/family.TestScenarios"},
	{file: purchases, old: "kept[i].Quantity = max(0, kept[i].Quantity+sum)", bad: "kept[i].Quantity = max(0, kept[i].Quantity)", breaks: "what came back was not bought"},
	{file: pricing, old: "			if c.Sold[code] != \"\" {", bad: "			if false {", breaks: "a box is sold once"},
	{file: pricing, old: "if len(l.TraceCodes) == 0 && c.Policy.Traces(c.Items[l.Code]) {", bad: "if false {", breaks: "a box has to be named where the region asks for it"},

	// The fund.
	{file: settleLaw, old: "p.Deductible = min(p.InScope, b.DeductibleLeft)", bad: "p.Deductible = min(p.Total, b.DeductibleLeft)", breaks: "the deductible is used up by what is in scope"},
	{file: settleLaw, old: "b.Ratio.Of(p.InScope - p.Deductible)", bad: "b.Ratio.Of(p.InScope)", breaks: "the fund pays after the deductible"},
	{file: settleLaw, old: "	if b.PoolCapped {\n		p.FundPaid = min(p.FundPaid, b.PoolLeft)\n	}\n", bad: "", breaks: "the fund pays up to its caps"},
	{file: settleLaw, old: "	cap(benefit.YearlyCap, b.Used.Pool)\n", bad: "	cap(benefit.YearlyCap, 0)\n", breaks: "what the fund paid before counts on the year's cap"},
	{file: settleLaw, old: "	cap(benefit.DailyCap, b.Used.Day)\n", bad: "	cap(benefit.DailyCap, b.Used.Pool)\n", breaks: "the day's cap counts the day"},
	{file: settleLaw, old: "	cap(benefit.VisitCap, 0)\n", bad: "", breaks: "one settlement has a cap of its own"},
	{file: settleLaw, old: "benefit.Deductible[grade]-b.Used.Deductible", bad: "benefit.Deductible[grade]", breaks: "a year's deductible is used up once"},
	{file: settleLaw, old: "if !found || !paid || b.Kind != Hospital {", bad: "if !found || !paid {", breaks: "the fund pays at hospitals only"},
	{file: policyLaw, old: "(len(b.PsnTypes) == 0 || slices.Contains(b.PsnTypes, psn))", bad: "true", breaks: "each class of persons has its own benefit"},
	{file: accountLaw, old: "		a.Year, a.Others = YearToDate{Year: now, Insutype: i, Stays: stays}, nil\n", bad: "		a.Year.Year, a.Year.Insutype, a.Year.Stays = now, i, stays\n", breaks: "a new year's counters begin at zero"},
	{file: accountLaw, old: "	if a.Year.Year != day.Year() {\n		return\n	}\n", bad: "", breaks: "what comes back of last year leaves this year's counters alone"},
	{file: accountLaw, old: "	y.Pool += s.Paid.FundPaid\n	if y.Day < day {", bad: "	y.Pool += max(0, s.Paid.FundPaid)\n	if y.Day < day {", breaks: "a refund gives the year's cap back"},
	{file: accountLaw, old: "		y.Day, y.DayPool = day, 0\n", bad: "		y.Day = day\n", breaks: "a new day's counter begins at zero"},
	{file: settleLaw, old: "		b.DeductibleLeft = max(0, deductible-b.Used.Stay)\n", bad: "		_ = deductible\n", breaks: "each stay has its own deductible"},
	{file: settleLaw, old: "less && b.Used.Deductible > b.Used.Stay {", bad: "less {", breaks: "only a later stay asks for less"},
	{file: settleLaw, old: "	case c.Bill.MedType.IsStay() && p.Policy.StayPayers != FamilyPaysStays:\n		share.Reason = GrantScope\n", bad: "", breaks: "relatives pay stays only where the region lets them"},
	{file: accountLaw, old: "	if !y.counts(i, stays) {", bad: "	if false {", breaks: "each insurance has its own counters"},
	{file: moneyLaw, old: "uint64(c)/2, 0)", bad: "0, 0)", breaks: "shares are rounded half up"},
	{file: dayLaw, old: "t.In(shanghai).Date()", bad: "t.UTC().Date()", breaks: "a day is China's"},

	// Own account, relatives, cash.
	{file: settleLaw, old: "	p.AccountBase = p.PersonBurden - p.outOfBase(b, lines, r.lines)", bad: "	p.AccountBase = p.PersonBurden", breaks: "accounts pay in scope only"},
	{file: settleLaw, old: "	if !basis.PaysOutOfScope {", bad: "	if basis.PaysOutOfScope {", breaks: "accounts pay out of scope where the region says so"},
	{file: settleLaw, old: "		if lines[i].never() {", bad: "		if false {", breaks: "no account pays for the negative list"},
	{file: settleLaw, old: "	rest -= p.OwnPaid\n", bad: "", breaks: "relatives pay what the own account left"},
	{file: settleLaw, old: "		rest -= r.shares[i].Total()\n", bad: "", breaks: "each relative pays what the one before left", tests: seldom, test: "shared/family.TestLaw04_PartsSumToTheTotal"},
	{file: settleLaw, old: "	if c.Bill.UseAccount && !", bad: "	if !", breaks: "a till may ask for cash"},
	{file: settleLaw, old: "	if c.Policy.Grants.Order == BalanceOrder {", bad: "	if c.Policy.Grants.Order != BalanceOrder {", breaks: "the fullest account pays first where the region says so"},
	{file: settleLaw, old: "i < 0 || p.Account.Given[i].Beneficiary != c.of", bad: "i < 0", breaks: "a grant is its beneficiary's", tests: "the way to a grant and the grant are written in one commit, so none can be met that is another's", test: "shared/family.TestGrantThatIsNotThere"},
	{file: settleLaw, old: "	case !p.Account.Insurance.Insured() || p.Account.Deceased, //", bad: "	case p.Account.Deceased, //", breaks: "a grantor who is not insured pays nothing", tests: seldom, test: "shared/family.TestScenarios"},
	{file: settleLaw, old: "	case p.Account.Frozen:\n		return g, PersonFrozen\n", bad: "", breaks: "nothing leaves a frozen account"},
	{file: settleLaw, old: "g.Terms.ValidUntil < c.day:", bad: "g.Terms.ValidUntil <= c.day:", breaks: "a grant's last day is its own"},
	{file: settleLaw, old: "\n		!slices.Contains(p.Policy.Grants.Grantors, p.Account.Insurance.Insutype):", bad: "\n		false:", breaks: "a grantor whose insurance is no longer one that shares pays nothing", tests: seldom, test: "shared/family.TestScenarios"},
	{file: settleLaw, old: "	case !g.Nationwide && !p.Policy.Grants.Insured.Covers(p.Account.Insurance.Region, c.insured):\n		return g, GrantScope\n", bad: "", breaks: "a grantor who moved too far away pays nothing", tests: seldom, test: "shared/family.TestScenarios"},
	{file: settleLaw, old: "	case g.Paused, g.OfAge", bad: "	case g.OfAge", breaks: "a paused grant pays nothing"},
	{file: settleLaw, old: "!slices.Contains(g.Terms.Purposes, c.purpose) || ", bad: "", breaks: "a grant pays for its purposes"},
	{file: settleLaw, old: " || !g.Nationwide && !p.Policy.Grants.Usable.Covers(p.Account.Insurance.Region, c.at):", bad: ":", breaks: "a grant pays where its region lets it"},
	{file: settleLaw, old: "	if cap := terms.PerSettlementCap; cap > 0 {\n		narrow(cap, \"pay.per_settlement_cap_fen\")\n	}\n", bad: "", breaks: "a grant's cap of one settlement holds"},
	{file: settleLaw, old: "max(0, cap-g.SpentIn(day.Month()))", bad: "cap", breaks: "a grant's cap of a month counts the month"},
	{file: settleLaw, old: "	if g.Terms.Quota > 0 {\n		narrow(g.QuotaLeft(), \"pay.quota_fen\")\n	}\n", bad: "", breaks: "why a quota pays no more is told"},
	{file: policyLaw, old: "case kind == Pharmacy || med == PharmacyBuy:", bad: "case kind == Pharmacy:", breaks: "medicine bought at a hospital is a pharmacy's purpose"},
	{file: accountLaw, old: "	if rules.Money == PastYears && !g.Nationwide {", bad: "	if false {", breaks: "where only past years' money is shared, this year's is not"},
	{file: accountLaw, old: "from.Total()-rules.Floor)", bad: "from.Total())", breaks: "nothing is shared below the floor"},
	{file: accountLaw, old: "past := min(a.Balance.Past, held)", bad: "past := min(a.Balance.Past, 0*held)", breaks: "a quota is held in past years' money first"},
	{file: accountLaw, old: "		sum += g.QuotaLeft()\n", bad: "		sum += g.Terms.Quota\n", breaks: "what is used of a quota is no longer frozen"},
	{file: accountLaw, old: "	current := min(p.Current, amount)\n", bad: "	current := amount - min(p.Past, amount)\n", breaks: "this year's money is taken first"},
	{file: billLaw, old: "l.Amount-product > tolerance ||", bad: "l.Amount-product > tolerance+1 ||", breaks: "a line is its price by its quantity"},
	{file: billLaw, old: "	if sum != b.Total {", bad: "	if sum > b.Total {", breaks: "a bill's total is its lines'"},
	{file: settleLaw, old: "*c.Bill.ExpectedCash != s.Paid.CashDue", bad: "*c.Bill.ExpectedCash < s.Paid.CashDue", breaks: "a stale quote is refused"},
	{file: billLaw, old: "l.Quantity <= 0 || l.Quantity > MaxQuantity", bad: "l.Quantity < 0 || l.Quantity > MaxQuantity", breaks: "nothing of something is no line"},

	// Booking.
	{file: settleLaw, old: "		payer = payer.clone()\n", bad: "", breaks: "deciding touches nothing that was read", tests: "what was read is not looked at again", test: "shared/family.TestLaw03_QuotasAreHeld"},
	{file: accountLaw, old: "	if g.Spent.Month < month {\n		g.Spent = MonthSpent{Month: month}\n	}\n", bad: "", breaks: "a new month begins at zero"},
	{file: accountLaw, old: "	g.Used += paid\n", bad: "", breaks: "a quota is used up"},
	{file: settleLaw, old: "return i < 0 || sold[i].Seq > g.Since", bad: "return i < 0 || true", breaks: "a grant that was given again begins anew"},
	{file: settleLaw, old: "{Party: Fund, Delta: Pockets{Current: -s.Paid.FundPaid}},", bad: "{Party: Fund, Delta: Pockets{Current: -s.Paid.FundPaid - s.Paid.Deductible}},", breaks: "legs sum to zero"},
	{file: ledger, old: "	a.Seq++\n", bad: "	a.Seq += 1 + a.Seq/7\n", breaks: "entries have no gaps"},
	{file: ledger, old: "	a.Head = e.Hash()\n", bad: "", breaks: "entries are chained"},
	{file: ledger, old: "e.Account, e.Seq, e.After, e.Prev = a.Person, a.Seq, a.Balance, a.Head", bad: "e.Account, e.Seq, e.After, e.Prev = a.Person, a.Seq, a.Balance.Minus(e.Delta), a.Head", breaks: "an entry says what stood after it"},

	// What comes back.
	{file: refundLaw, old: "	case !slices.ContainsFunc(s.Kept, func(q Quantity) bool { return q > 0 }):\n		return Refuse(AlreadyReversed)\n", bad: "", breaks: "a sale is reversed once"},
	{file: refundLaw, old: "		return Refuse(OriginalUnknown)\n", bad: "		return nil\n", breaks: "a reversal is not reversed"},
	{file: refundLaw, old: "		if r.Quantity > kept[at] {", bad: "		if r.Quantity > original.Lines[at].Quantity {", breaks: "no more comes back than is left"},
	{file: refundLaw, old: "	before := reckon(original.Basis, original.Lines, original.Kept, original.Own, limits)", bad: "	before := reckon(original.Basis, original.Lines, quantities(original.Lines), original.Own, limits)", breaks: "what came back before does not come back again"},
	{file: refundLaw, old: "		limits[i] = share.Paid\n	}\n	before", bad: "		limits[len(limits)-1-i] = share.Paid\n	}\n	before", breaks: "what comes back goes where it came from"},
	{file: refundLaw, old: "		if kept[i] > 0 {\n			l.TraceCodes = nil", bad: "		if kept[i] < 0 {\n			l.TraceCodes = nil", breaks: "a box comes back when all of its line does"},
	{file: refundLaw, old: "original.Refunds = append(slices.Clone(original.Refunds), id)", bad: "original.Refunds = []MessageID{id}", breaks: "a sale knows all its refunds"},
	{file: refundApp, old: "				if err := put(t, boxKey(code), boxRecord{}); err != nil {\n					return messageRecord{}, err\n				}\n", bad: "", breaks: "a box that came back can be sold again"},
	{file: refundApp, old: "		sale.Settlement = &after\n", bad: "", breaks: "a sale says what is left of it"},
	{file: refundApp, old: "			if err := put(t, originalRef, sale); err != nil {\n				return messageRecord{}, err\n			}\n		}\n", bad: "		}\n", breaks: "a reversal of what was never seen fences it"},
	{file: refundApp, old: "	if original.Institution() != place {\n		return Outcome{}, family.Refuse(family.OriginalUnknown) // another's looks like a missing one\n	}\n", bad: "", breaks: "another's sale looks like a missing one"},

	// The family.
	{file: bindingLaw, old: "if q.Holder.Person == q.Member.Person || !slices.Contains(q.Policy.Grants.Kins, kin) {", bad: "if !slices.Contains(q.Policy.Grants.Kins, kin) {", breaks: "nobody binds himself"},
	{file: bindingLaw, old: "if q.Holder.Person == q.Member.Person || !slices.Contains(q.Policy.Grants.Kins, kin) {", bad: "if q.Holder.Person == q.Member.Person {", breaks: "only near relatives are bound"},
	{file: bindingLaw, old: "age < q.Policy.ConsentAge {", bad: "age <= q.Policy.ConsentAge {", breaks: "from the age of consent on one may bind"},
	{file: bindingLaw, old: "if ageOn(q.MemberBorn, day) < q.Policy.ConsentAge {", bad: "if ageOn(q.MemberBorn, day) <= q.Policy.ConsentAge {", breaks: "from the age of consent on a member consents"},
	{file: bindingLaw, old: "case q.Show && links >= q.Policy.MaxLinks:", bad: "case q.Show && links > q.Policy.MaxLinks:", breaks: "no more codes are shown than the region allows"},
	{file: bindingLaw, old: "case q.Pay != nil && grants >= g.MaxMembers:", bad: "case q.Pay != nil && grants > g.MaxMembers:", breaks: "no more grants are given than the region allows"},
	{file: bindingLaw, old: "case limited && ofKin >= limit:", bad: "case limited && ofKin > limit:", breaks: "no more of a kind are bound than the region allows"},
	{file: bindingLaw, old: "		if other.Member == q.Member.Person {", bad: "		if other.ID == q.ID {", breaks: "nobody is bound twice"},
	{file: bindingLaw, old: "	case n < most:\n", bad: "	case n <= most:\n", breaks: "nobody has more grantors than the region allows"},
	{file: bindingLaw, old: "if !slices.Contains(p.Grants.Grantors, holder.Insurance.Insutype) {", bad: "if false {", breaks: "only some insurances' accounts are shared"},
	{file: bindingLaw, old: "if !p.Grants.Insured.Covers(holder.Insurance.Region, member.Insurance.Region) {", bad: "if false {", breaks: "both sides are insured near enough"},
	{file: bindingLaw, old: "	if holder.Frozen || member.Frozen {", bad: "	if holder.Frozen {", breaks: "who is frozen is not bound"},
	{file: pairLaw, old: "	case next >= 0 && b.Steps[next].Action == action:", bad: "	case next >= 0:", breaks: "steps are done in their order"},
	{file: pairLaw, old: "	if pair.Binding.SideOf(by) != ByMember {", bad: "	if pair.Binding.SideOf(by) == \"\" {", breaks: "the member himself accepts"},
	{file: pairLaw, old: "	b := &pair.Binding\n	if refusal := mayBind(pair.Holder, pair.Member, b.Pay != nil, p); refusal != nil {\n		return pair, refusal\n	}\n", bad: "	b := &pair.Binding\n", breaks: "what was true at the request is true at the consent", tests: seldom, test: "shared/family.TestLaw27_TheMemberConsents"},
	{file: pairLaw, old: "		before := pair.Holder\n		pair = pair.grant(*b.Pay)\n		if refusal := pair.quotasHeld(before, p); refusal != nil {\n			return pair, refusal\n		}\n", bad: "		pair = pair.grant(*b.Pay)\n", breaks: "a quota lies in the account"},
	{file: pairLaw, old: "	case b.State == BindingActive || b.State == BindingEnded:\n		return pair, stateForbids(*b)\n", bad: "", breaks: "a member declines what waits for him"},
	{file: pairLaw, old: "	pair = pair.ungrant()\n", bad: "", breaks: "the end of a binding ends its grant"},
	{file: pairLaw, old: "	case c.SetPay && side == ByMember:\n", bad: "	case c.SetPay && side == \"\":\n", breaks: "only the grantor sets what his account pays"},
	{file: pairLaw, old: "b.State == BindingActive && !b.ShowAgreed && !consentsFor:", bad: "b.State == BindingActive && !b.ShowAgreed && consentsFor:", breaks: "a holder cannot show what the member never agreed to", tests: seldom, test: "shared/family.TestLaw27_TheMemberConsents"},
	{file: pairLaw, old: "asksLink && n >= p.MaxLinks {", bad: "asksLink && n > p.MaxLinks {", breaks: "a switch is no way round the limit of links", tests: "towns meet it too seldom: nobody in a hundred of them has shown as many as he may and asks for one more by a switch", test: "shared/family.TestLaw26_BindingsAreLimited"},
	{file: pairLaw, old: "		changed = changed.grant(*b.Pay) // carries the pause into the grant\n", bad: "		_ = b\n", breaks: "a pause stops the money"},
	{file: pairLaw, old: "		if side == ByMember || consentsFor {\n", bad: "		if side == BySelf || consentsFor {\n", breaks: "consent to be shown is the member's"},
	{file: pairLaw, old: "Since: pair.Holder.Seq}", bad: "Since: 0}", breaks: "a grant counts from when it was given"},
	{file: pairLaw, old: "	if p.Grants.Order != ChosenOrder {", bad: "	if false {", breaks: "an order is chosen where the region lets people"},
	{file: bindApp, old: "	if before.Binding.MayShow() && !after.Binding.MayShow() {", bad: "	if false {", breaks: "a code that is being shown dies with its binding"},
	{file: bindApp, old: "person.Bound, person.Former = rebound, former", bad: "person.Former = former", breaks: "a binding that ended leaves its place"},
	{file: bindApp, old: "		if in.Certificate != \"\" && memberPerson.Mother != holderPerson.IDIndex {", bad: "		if false {", breaks: "a newborn is bound by the mother whom the certificate names", tests: "no newborn in a town is without an ID number", test: "shared/app.TestACertificateOfBirthServesOneMother"},
	{file: bindApp, old: "		if name != in.Name || !registered {\n", bad: "		_ = name\n		if !registered {\n", breaks: "a member is named by number and name"},

	// The acts.
	{file: loop, old: "			checks = append(checks, store.Write{Key: s.record.Key, Base: s.record.Version, Check: true})\n", bad: "", breaks: "what decided an act is checked at its commit"},
	{file: loop, old: "			if fate == pending {\n				continue\n			}\n", bad: "", breaks: "\"nothing was written\" is not said while a commit may land", tests: "towns meet it too seldom: the acts under every fault do", test: "shared/app.TestNothingIsDeniedWhileACommitMayLand"},
	{file: loop, old: "	if len(open) > 0 {\n		return family.Refuse(family.OutcomeUnknown)\n	}\n", bad: "", breaks: "a timeout is unknown and no refusal"},
	{file: loop, old: "			if refusal != nil && fate == buried {\n				return none, gaveUp(open)\n			}\n", bad: "", breaks: "what was perhaps done is not denied", tests: "towns meet it too seldom: the races of two acts do", test: "shared/app.TestALostAnswerIsNotDenied"},
	{file: loop, old: "		if fate == happened {\n			return landed, nil\n		}\n", bad: "		_ = landed\n", breaks: "what was done is not denied", tests: seldom, test: "shared/app.TestEveryFaultAtEveryCall"},
	{file: settleApp, old: "		case found && first.State == messageFenced:\n			return answered{}, family.Refuse(family.MessageFenced)\n", bad: "", breaks: "a fenced message cannot land"},
	{file: settleApp, old: "		case found && first.Fingerprint != fingerprint:\n			return answered{}, family.Refuse(family.MessageReused)\n", bad: "", breaks: "an id with other content is refused"},
	{file: settleApp, old: "		if errors.As(err, &refusal) && !refusal.Code.Malformed() {", bad: "		if errors.As(err, &refusal) && false {", breaks: "a refusal is final"},
	{file: settleApp, old: "				if err := put(t, boxKey(code), boxRecord{SoldBy: s.ID}); err != nil {\n					return messageRecord{}, err\n				}\n", bad: "				_ = code\n", breaks: "a sold box is written"},
	{file: settleApp, old: "		if err := put(t, accountKey(account.Person), record); err != nil {\n			return err\n		}\n", bad: "", breaks: "accounts and entries are written together"},
	{file: gatherApp, old: "share.Reason == family.NothingLeft || share.Reason == family.AccountUnused", bad: "share.Reason != family.CoveredInFull", breaks: "a grantor who was asked is checked at the commit"},
	{file: gatherApp, old: "	if g.Policy.Grants.Order == family.BalanceOrder {\n		return\n	}\n", bad: "", breaks: "who decides the order is checked at the commit", tests: seldom, test: "shared/app.TestWhoIsRichestIsDecidedAtTheCommit"},
	{file: askApp, old: "return MessageView{Message: id, Fenced: true}, put(t, messageRef, messageRecord{State: messageFenced, At: now})", bad: "return MessageView{Message: id, Fenced: true}, nil", breaks: "a message that is not there is fenced"},
	{file: onceApp, old: "			if first.Fingerprint != fingerprint {", bad: "			if false {", breaks: "a key with other content is refused", tests: "towns seldom use a key of the same person twice"},
	{file: onceApp, old: "		return outcome{Answered[A]{Answer: answer}, record.Refusal}, putUntil(t, key, record, now.Add(onceLife))", bad: "		return outcome{Answered[A]{Answer: answer}, record.Refusal}, nil", breaks: "the first answer is recorded"},
	{file: feedApp, old: "		case found && (booked.Person != person || booked.Amount != amount || booked.kind() != family.Credited):\n			return \"\", &family.Refusal{Code: family.MessageReused, Field: \"reference\"}\n", bad: "		case booked.Person != person && false:\n			return \"\", nil\n", breaks: "a reference with another payment is refused"},
	{file: feedApp, old: "		case found:\n			return FedUnchanged, nil\n		}\n		account, known, err := get(t, accountRef)", bad: "		}\n		account, known, err := get(t, accountRef)", breaks: "a payment is booked once"},
	{file: feedApp, old: "amount.Current < 0 || amount.Past < 0 ||", bad: "amount.Past < 0 ||", breaks: "a credit takes nothing"},
	{file: feedApp, old: "	case found && at.To != \"\":\n		return &family.Refusal{Code: family.AlreadyBound, Field: field, Detail: \"another person has this number\"}\n", bad: "", breaks: "a number is one person's"},
	{file: feedApp, old: "		if known && person.IDIndex != idIndex {", bad: "		if false {", breaks: "a number that was given up names nobody", tests: "nobody in a town gets another ID number", test: "shared/app.TestANewNumberFreesTheOldOne"},

	// Adjustments.
	{file: adjustLaw, old: "by.Subject == \"\" || by.Subject == j.ProposedBy ||", bad: "by.Subject == \"\" ||", breaks: "two people adjust"},
	{file: adjustLaw, old: "by.Person != \"\" && by.Person == j.Proposer", bad: "false", breaks: "one human with two tokens is one", tests: "towns meet it too seldom: few operators are people of the town", test: "shared/family.TestLaw31_TwoPeopleAdjust"},
	{file: adjustLaw, old: "after.Current < 0 || after.Past < 0 || ", bad: "", breaks: "no pocket is adjusted below zero"},
	{file: adjustLaw, old: " || after.Total() < a.FrozenQuota()", bad: "", breaks: "what is frozen for relatives stays", tests: "towns meet it too seldom: a thousand did not", test: "shared/app.TestTwoPeopleAdjustAnAccount"},

	// Asking grantors, what was decoded, reviewers, papers, the civil registry and time.
	{file: confirmLaw, old: "asks && share.Paid.Total() > tier {", bad: "asks && share.Paid.Total() > 2*tier+1000 {", breaks: "what is above a tier is asked about", tests: "towns meet it too seldom: a hundred did not"},
	{file: confirmLaw, old: "\tcase slices.ContainsFunc(c.Asked, said(ConsentRefused)):\n\t\treturn Refuse(ConfirmationDeclined)\n", bad: "", breaks: "one who says no is enough"},
	{file: confirmLaw, old: "\tcase !now.Before(c.Until):\n", bad: "\tcase now.After(c.Until.Add(time.Minute)):\n", breaks: "a question lapses", tests: seldom, test: "shared/family.TestLaw30_NothingLargeUnasked"},
	{file: confirmLaw, old: "\tcase slices.ContainsFunc(c.Asked, said(\"\")):\n", bad: "\tcase !slices.ContainsFunc(c.Asked, said(ConsentGiven)):\n", breaks: "all who are asked have to approve", tests: "towns meet it too seldom: two are seldom asked about one sale", test: "shared/family.TestLaw30_NothingLargeUnasked"},
	{file: confirmLaw, old: "\t\t\tmost = max(most, a.Amount)\n", bad: "\t\t\tmost = MaxFen\n", breaks: "no more is taken than was approved", tests: "towns meet it too seldom: what was approved seldom becomes dearer", test: "shared/app.TestNobodyPaysMoreThanHeApproved"},
	{file: confirmLaw, old: "\t\tif c.Asked[i].Grantor == by {\n", bad: "\t\tif true {\n", breaks: "a grantor speaks for himself", tests: seldom, test: "shared/app.TestAllWhoAreAskedMustApprove"},
	{file: qrLaw, old: "if held && t.Held.By == message && expires.Before(t.Held.Until) {", bad: "if false {", breaks: "a held code is good for its sale after its time", tests: seldom, test: "shared/app.TestALargeShareWaitsForItsOwner"},
	{file: qrLaw, old: ", held && t.Held.By != message:", bad: ":", breaks: "a held code is good for its sale alone"},
	{file: qrLaw, old: "\t\tt.DecodedBy, t.DecodedUntil = by,", bad: "\t\tt.DecodedBy, t.DecodedUntil = t.DecodedBy,", breaks: "a decoded code belongs to who decoded it"},
	{file: qrLaw, old: ", t.DecodedBy != \"\" && t.DecodedBy != by,", bad: ",", breaks: "what one place decoded no other redeems"},
	{file: qrLaw, old: "t.State == QRStateIssued && t.DecodedBy == \"\" {", bad: "t.State == QRStateIssued {", breaks: "a decoded code is not replaced"},
	{file: settleLaw, old: "if c.Link != nil && !c.Link.MayShow() {", bad: "if c.Link != nil && false {", breaks: "a held code dies with its link", tests: "towns meet it too seldom: a hundred did not"},
	{file: settleLaw, old: "!p.Account.Insurance.Insured() || p.Account.Deceased,", bad: "!p.Account.Insurance.Insured(),", breaks: "a dead grantor's account pays nothing"},
	{file: qrLaw, old: "if !patient.Insurance.Insured() || patient.Deceased {", bad: "if !patient.Insurance.Insured() {", breaks: "who has died gets no benefit"},
	{file: confirmApp, old: "\t\tcase record.State != messageWaits:\n", bad: "\t\tcase false:\n", breaks: "what was decided is not asked about any more"},
	{file: confirmApp, old: "\tc.Confirmation = waited\n", bad: "", breaks: "what was said holds"},
	{file: refundApp, old: "if !found || sale.State == messageWaits {", bad: "if !found {", breaks: "a sale that waits can be withdrawn", tests: "a town seldom withdraws one that waits", test: "shared/app.TestHowAWaitEnds"},
	{file: askApp, old: "\t\t\t\treturn MessageView{Message: id, Refusal: refusal}, put(t, messageRef, record)\n", bad: "\t\t\t\treturn MessageView{Message: id, Refusal: refusal}, nil\n", breaks: "the end that was told is written down", tests: "towns meet it too seldom: few ask what became of a wait that lapsed"},
	{file: decodeApp, old: "return id, a.ecToken(place, id) == token", bad: "return id, true", breaks: "what decoding gave is worth nothing elsewhere"},
	{file: lifeLaw, old: "case pair.Holder.Deceased || pair.Member.Deceased:", bad: "case pair.Holder.Deceased:", breaks: "a death ends a binding"},
	{file: lifeLaw, old: "case f.Registry == NoMatch && pair.Binding.State == BindingActive:", bad: "case false:", breaks: "a divorce ends a binding"},
	{file: lifeLaw, old: "case p.Binding.OnMove == MoveEnds && pair.Binding.Pay != nil && pair.misfit(p):", bad: "case false:", breaks: "an insurance that moved ends a binding", tests: "towns meet it too seldom: a hundred and fifty did not"},
	{file: lifeLaw, old: "if b.Pay != nil && b.Pay.ValidUntil != 0 && b.Pay.ValidUntil < day {\n\t\tb.Pay", bad: "if b.Pay != nil && b.Pay.ValidUntil != 0 && b.Pay.ValidUntil <= day {\n\t\tb.Pay", breaks: "a grant's last day is not its end"},
	{file: lifeLaw, old: "b.Raise.From != 0 && b.Raise.From <= day {", bad: "b.Raise.From != 0 && b.Raise.From < day {", breaks: "a raised cap comes on its day", tests: "towns meet it too seldom: few sweep on the very day, and a settlement asks for it itself"},
	{file: lifeLaw, old: "b.Guardian, b.OfAge, b.ShowAgreed = false, 0, false", bad: "b.Guardian, b.OfAge = false, 0", breaks: "a guardian's consent ends when the child is of age", tests: seldom, test: "shared/app.TestWhoTurnsSixteenIsAskedHimself"},
	{file: lifeLaw, old: "DayOf(now) < at.plus(p.Binding.PaperDays) {", bad: "DayOf(now) <= at.plus(p.Binding.PaperDays) {", breaks: "papers are kept so long and no longer", tests: "towns meet it too seldom: few sweep on the very day"},
	{file: registry, old: "\taccount.Account.Deceased = deceased\n", bad: "\taccount.Account.Deceased = false\n", breaks: "a death stands in the account"},
	{file: reviewLaw, old: "case r.Person != \"\" && b.SideOf(r.Person) != \"\", r.Kin:", bad: "case r.Person != \"\" && b.SideOf(r.Person) != \"\":", breaks: "nobody reviews his relatives"},
	{file: reviewLaw, old: "b.Review.By != \"\" && b.Review.By != r.Subject && now.Before(b.Review.Lease) {", bad: "b.Review.By != \"\" && b.Review.By != r.Subject {", breaks: "a reviewer's lease ends", tests: seldom, test: "shared/app.TestAReviewersLeaseEnds"},
	{file: reviewLaw, old: "if version != \"\" && version != face {", bad: "if version == face && version == \"\" {", breaks: "what changed is looked at again"},
	{file: pairLaw, old: "\t\tif pair.Registry == NoMatch {\n", bad: "\t\tif false {\n", breaks: "what the registry denies is no relation"},
	{file: pairLaw, old: "p.Binding.Evidence == Checked && pair.Registry != Match", bad: "p.Binding.Evidence == Checked && pair.Registry == NoMatch", breaks: "what the registry cannot say a reviewer decides"},
	{file: papersApp, old: "if found && !slices.ContainsFunc(people, known) {", bad: "if found && len(people) == 0 && !slices.ContainsFunc(people, known) {", breaks: "one paper does not serve two families"},
	{file: bindingLaw, old: "day < again {", bad: "day <= again {", breaks: "a pair cools off and no longer", tests: seldom, test: "shared/family.TestScenarios"},
	{file: accountLaw, old: "if is != 0 && (asked == 0 || asked > is) {", bad: "if is != 0 && asked > is {", breaks: "no cap at all is a higher one"},
	{file: pairLaw, old: "case !asked || !b.Live() || b.Expired(now):", bad: "case !asked || !b.Live():", breaks: "a request that is over is not finished", tests: seldom, test: "shared/app.TestARequestThatNobodyFinishesEnds"},
	{file: bindingLaw, old: "func(b Bound) bool { return b.Until != 0 && b.Until < day })", bad: "func(b Bound) bool { return b.Until != 0 && b.Until <= day })", breaks: "a request holds its place on its last day", tests: seldom, test: "shared/app.TestARequestThatNobodyFinishesEnds"},
	{file: pairLaw, old: "!slices.Contains(p.Binding.EndedBy, side) {", bad: "false {", breaks: "only those end a binding whom the region lets"},
	{file: bindingLaw, old: "case !p.Grants.DualRole && len(member.Given) > 0:", bad: "case false:", breaks: "nobody is grantor and beneficiary at once where the region forbids it"},
	{file: bindingLaw, old: "f.Member == q.Member.Person && !f.Fate &&", bad: "f.Member == q.Member.Person &&", breaks: "fate keeps nobody waiting", tests: seldom, test: "shared/family.TestLaw26_BindingsAreLimited"},

	// The counter, four eyes, and references of adjustments.
	{file: counterLaw, old: "case r.Person != \"\" && b.SideOf(r.Person) != \"\", r.Kin:", bad: "case r.Kin:", breaks: "nobody serves himself"},
	{file: counterLaw, old: "if r.Person != \"\" && b.SideOf(r.Person) != \"\" || r.Kin {", bad: "if false {", breaks: "nobody ends a binding of his own at the counter"},
	{file: reviewLaw, old: "case b.Assisted != \"\" && b.Assisted == r.Subject:", bad: "case false:", breaks: "who filled it in does not review it"},
	{file: bindPolicy, old: "if p.Binding.Evidence == Reviewed || assisted != \"\" {", bad: "if p.Binding.Evidence == Reviewed {", breaks: "what was filled in at the counter is reviewed"},
	{file: bindPolicy, old: "papers = append(papers, IDCard, CommitmentLetter)", bad: "papers = append(papers, CommitmentLetter)", breaks: "who stood at the counter had his card"},
	{file: counterApp, old: "	if name != who.Name {", bad: "	if name != who.Name && false {", breaks: "a number alone names nobody at the counter"},
	{file: counterApp, old: "return b.Assisted != \"\" && b.Assisted == r.Subject }", bad: "return b.Assisted != \"\" }", breaks: "who filled it in goes on with it"},
	{file: adjustApp, old: "case found && !has.Same(in), !found && t.version(creditKey(in.Reference)) != 0:", bad: "case found && !has.Same(in):", breaks: "an adjustment has no payment's reference", tests: seldom, test: "shared/app.TestTwoPeopleAdjustAnAccount"},
	{file: adjustApp, old: "case j.State == to && j.DecidedBy == by.Subject:", bad: "case j.State == to:", breaks: "another's decision is not one's own", tests: seldom, test: "shared/app.TestTwoPeopleAdjustAnAccount"},

	// Premiums.
	{file: premiumLaw, old: "	case p.Standing() > 0:\n		return refuse(&Refusal{Code: PremiumNotDue, Rule: \"premiums.paid\"})\n", bad: "", breaks: "a premium is paid once", tests: "towns meet it too seldom: a hundred did not"},
	{file: premiumLaw, old: "case today < p.From || today > p.To:", bad: "case today < p.From:", breaks: "a premium's last day is its last", tests: seldom, test: "shared/family.TestScenarios"},
	{file: premiumLaw, old: "case c.Amount != p.Amount:", bad: "case false:", breaks: "who pays a premium was told what it is", tests: "towns meet it too seldom: a hundred did not"},
	{file: premiumLaw, old: "case !rules.Pays(use):", bad: "case false:", breaks: "accounts pay for what the region says", tests: seldom, test: "shared/family.TestScenarios"},
	{file: premiumLaw, old: "case limit.Total() < p.Amount:", bad: "case payer.Balance.Total() < p.Amount:", breaks: "a premium is paid from what is free", tests: "towns meet it too seldom: a hundred did not"},
	{file: premiumLaw, old: "if p.Standing() > 0 && told.Amount != p.Amount {", bad: "if false {", breaks: "what is paid does not become dearer", tests: "towns meet it too seldom: a hundred did not"},
	{file: premiumLaw, old: "		payer.Given[payer.grant(paid.Binding)].spend(paid.Month, p.Amount)\n", bad: "", breaks: "a premium counts on the grant's cap", tests: seldom, test: "shared/family.TestLaw23_TheBooksProve"},

	// Repair and proof.
	{file: repairApp, old: "account.Account.Frozen, account.Quarantine = true, why", bad: "account.Quarantine = why", breaks: "who is set apart is frozen", tests: noRepair, test: "shared/app.TestAFreezeByARepairIsTold"},
	{file: repairApp, old: "if err == nil && froze {", bad: "if err == nil && !froze {", breaks: "a freeze is told at once", tests: noRepair, test: "shared/app.TestAFreezeByARepairIsTold"},
	{file: followsApp, old: "if b.State == family.BindingInReview {", bad: "if b.State == family.BindingActive {", breaks: "the row of the queue of reviewers follows from a request", tests: noRepair, test: "shared/app.TestWhatFollowsIsWrittenAgain"},
	{file: followsApp, old: "\t\t\tif !e.Told(side) {\n\t\t\t\tcontinue\n\t\t\t}\n", bad: "", breaks: "a notice follows for who is told", tests: noRepair, test: "shared/app.TestWhatFollowsIsWrittenAgain"},
	{file: followsApp, old: "if m.State == family.MaterialKept {", bad: "if m.State == family.MaterialDeleted {", breaks: "what a paper proves follows from it while it is kept", tests: noRepair, test: "shared/app.TestWhatFollowsIsWrittenAgain"},
	{file: followsApp, old: "t.slots[f.key].write.Expires = e.At.Add(noticeKeep)", bad: "t.slots[f.key].write.Expires = e.At.Add(2 * noticeKeep)", breaks: "a notice that is written again ends as the first did", tests: noRepair, test: "shared/app.TestWhatFollowsIsWrittenAgain"},
	{file: stampApp, old: "strconv.FormatUint(r.Version, 10)", bad: "strconv.FormatUint(r.Version*0, 10)", breaks: "a stamp is of one version", tests: noRepair, test: "shared/app.TestEveryChangedFieldIsSeen"},
	{file: stampApp, old: "strconv.FormatInt(r.Expires.Unix(), 10)", bad: "strconv.FormatInt(r.Expires.Unix()*0, 10)", breaks: "a stamp is of one expiry", tests: noRepair, test: "shared/app.TestEveryChangedFieldIsSeen"},
	{file: stampApp, old: "s.vault.Stamp(r.Body, r.Key.Part, r.Key.Sort, ", bad: "s.vault.Stamp(r.Body, r.Key.Part[:1], r.Key.Sort[:0], ", breaks: "a stamp is of one place", tests: noRepair, test: "shared/app.TestEveryChangedFieldIsSeen"},
	{file: boughtApp, old: "(seq > 0 || damaged || m != nil && m.State == messageLost)", bad: "damaged", breaks: "what was bought in a lost sale stands", tests: noRepair, test: "shared/app.TestPurchasesAreCountedAgain"},
	{file: boughtApp, old: "\treturn purchases[i] == bought\n", bad: "\treturn true\n", breaks: "a purchase is counted as its sale has it", tests: noRepair, test: "shared/app.TestPurchasesAreCountedAgain"},
	{file: boughtApp, old: "\"what is counted as bought is not what was sold\")\n\t\tproof.suspects.buys(k)\n", bad: "\"what is counted as bought is not what was sold\")\n", breaks: "a purchase that nobody made is taken out", tests: noRepair, test: "shared/app.TestPurchasesAreCountedAgain"},
	{file: purchases, old: "bought.Quantity += s.Kept[i]", bad: "bought.Quantity += l.Quantity + 0*s.Kept[i]", breaks: "the proof of purchases knows what came back", tests: noRepair, test: "shared/app.TestPurchasesAreCountedAgain"},

	// The national door, and visits and stays behind it.
	{file: signHIS, old: "skew > window || skew < -window", bad: "skew < -window", breaks: "an old signature is refused", tests: noHIS, test: "shared/his.TestGateway"},
	{file: signHIS, old: "skew > window || skew < -window", bad: "skew > window", breaks: "a signature of tomorrow is refused", tests: noHIS, test: "shared/his.TestGateway"},
	{file: signHIS, old: "key.Scheme != scheme || ", bad: "", breaks: "a key is of one convention", tests: noHIS, test: "shared/his.TestGateway"},
	{file: signHIS, old: " || !key.ValidAt(d.now()) {", bad: " {", breaks: "a key out of force signs nothing", tests: noHIS, test: "shared/his.TestKeysRotate"},
	{file: signHIS, old: "timestamp + token + nonce + timestamp", bad: "timestamp + token + timestamp", breaks: "a nonce is signed", tests: noHIS, test: "shared/his.TestSignatureVectors"},
	{file: signHIS, old: "s.together = scheme == app.SchemeAPI", bad: "s.together = true", breaks: "a signature with a nonce serves one message", tests: noHIS, test: "shared/his.TestANonceServesOneMessage"},
	{file: signHIS, old: "subtle.ConstantTimeCompare([]byte(sign(key.Secret)), []byte(signed)) == 0", bad: "signed == \"\"", breaks: "a signature is its key's", tests: noHIS, test: "shared/his.TestGateway"},
	{file: gatherApp, old: "	if qr != nil && qr.Token.Visit != \"\" && qr.Token.Visit != in.visit() {", bad: "	if false {", breaks: "a visit's code buys nothing beside it"},
	{file: visitApp, old: "			qr.Token.Visit = in.Message\n", bad: "", breaks: "a code that opened a visit is that visit's"},
	{file: visitApp, old: "if _, opened, err := get(t, key); opened || err != nil {", bad: "if _, _, err := get(t, key); err != nil {", breaks: "an opening that comes late empties no visit"},
	{file: visitApp, old: "case kind == family.Registration && !visit.Inpatient:", bad: "case kind == family.Registration:", breaks: "a stay is no registration"},
	{file: visitApp, old: "			return false, putUntil(t, opening, stepRecord{Fingerprint: fencedStep}, now.Add(stepLife))\n", bad: "			return false, nil\n", breaks: "an opening that was undone comes no more"},
	{file: visitLaw, old: "if kind.IsStay() != v.Inpatient {", bad: "if kind.IsStay() && !v.Inpatient {", breaks: "a stay is no outpatient's visit", tests: noVisits, test: "shared/his.TestStaysAndVisitsAreTwo"},
	{file: visitLaw, old: "if kind.IsStay() != v.Inpatient {", bad: "if !kind.IsStay() && v.Inpatient {", breaks: "an outpatient's visit is no stay", tests: noVisits, test: "shared/his.TestStaysAndVisitsAreTwo"},
	{file: visitLaw, old: "\tif len(v.Charges) > 0 {\n", bad: "\tif len(v.Charges) > MaxCharges {\n", breaks: "a visit with charges is not undone", tests: noVisits, test: "shared/his.TestOutOfOrder"},
	{file: visitLaw, old: "\tv.Deducted += s.stayDeductible()\n", bad: "", breaks: "a stay's deductible is used up", tests: noVisits, test: "shared/his.TestAStayIsSettled"},
	{file: visitLaw, old: "if c.SettledBy != \"\" || batch != EveryBatch", bad: "if batch != EveryBatch", breaks: "a charge is settled once", tests: noVisits, test: "shared/his.TestBadVisits"},
	{file: visitLaw, old: "if c.SettledBy != \"\" && chosen(c) {", bad: "if c.SettledBy == \"-\" && chosen(c) {", breaks: "a settled charge is not undone", tests: noVisits, test: "shared/his.TestGolden"},
	{file: visitLaw, old: "if !has.same(c) {", bad: "if false {", breaks: "a serial number is one charge's", tests: noVisits, test: "shared/his.TestOutOfOrder"},

	// Erasure.
	{file: erasureLaw, old: "case by.Person == a.Person:", bad: "case false:", breaks: "nobody erases himself", tests: noErasure, test: "shared/app.TestAPersonsKeyIsDestroyedAndTheBooksProve"},
	{file: erasureLaw, old: "a.Insurance.Insured() || a.Balance", bad: "a.Balance", breaks: "who is insured is not erased", tests: noErasure, test: "shared/app.TestAPersonsKeyIsDestroyedAndTheBooksProve"},
	{file: erasureLaw, old: " || a.Balance.Total() != 0 || bound", bad: " || bound", breaks: "who has money is not erased", tests: noErasure, test: "shared/app.TestAPersonsKeyIsDestroyedAndTheBooksProve"},
	{file: erasureLaw, old: " != 0 || bound:", bad: " != 0:", breaks: "who is bound is not erased", tests: noErasure, test: "shared/app.TestAPersonsKeyIsDestroyedAndTheBooksProve"},
	{file: erasureLaw, old: " || !now.Before(e.ProposedAt.Add(erasureStands)):", bad: ":", breaks: "a proposal of long ago is none", tests: noErasure, test: "shared/app.TestAPersonsKeyIsDestroyedAndTheBooksProve"},
	{file: erasureLaw, old: "case by.Subject == e.ProposedBy:", bad: "case false:", breaks: "two people erase", tests: noErasure, test: "shared/app.TestAPersonsKeyIsDestroyedAndTheBooksProve"},
	{file: eraseApp, old: "put(t, personRef, personRecord{Erasure: asked})", bad: "put(t, personRef, personRecord{Key: person.Key, Name: person.Name, Erasure: asked})", breaks: "nothing of who was erased is left", tests: noErasure, test: "shared/app.TestAPersonsKeyIsDestroyedAndTheBooksProve"},
	{file: eraseApp, old: "\taccount.Masked = erasedName\n", bad: "", breaks: "who was erased has no masked name", tests: noErasure, test: "shared/app.TestAPersonsKeyIsDestroyedAndTheBooksProve"},
	{file: eraseApp, old: "\t\t\tif err := dropIndex(t, index); err != nil {\n\t\t\t\treturn asked, err\n\t\t\t}\n", bad: "\t\t\t_ = index\n", breaks: "who was erased is not found by his number", tests: noErasure, test: "shared/app.TestAPersonsKeyIsDestroyedAndTheBooksProve"},

	// Policies that are published.
	{file: policyApp, old: "if saw != \"\" && saw != draft.version() {", bad: "if saw != \"\" && draft.Text == \"\" {", breaks: "who publishes has read what he publishes", tests: "whoever publishes in a town says no version", test: "shared/api.TestTwoPeoplePublishAPolicy"},
	{file: policyApp, old: "; through >= p.From {", bad: "; through > p.From+10000 {", breaks: "what has begun is not published", tests: noPolicies, test: "shared/api.TestTwoPeoplePublishAPolicy"},
	{file: policyApp, old: "if found && last.From >= p.From {", bad: "if found && last.From > p.From {", breaks: "a region has one policy on a day", tests: noPolicies, test: "shared/api.TestTwoPeoplePublishAPolicy"},
	{file: policyApp, old: "if found && has.State == PolicyPublished {", bad: "if found && has.State == \"\" {", breaks: "what is published is not drafted anew", tests: noPolicies, test: "shared/api.TestTwoPeoplePublishAPolicy"},
	{file: policyApp, old: "p.From <= day {", bad: "p.From < day {", breaks: "a policy decides from its first day", tests: noPolicies, test: "shared/api.TestTwoPeoplePublishAPolicy"},
	{file: policyApp, old: "\t\tif draft.State != PolicyPublished {\n\t\t\tcontinue\n\t\t}\n", bad: "", breaks: "a draft decides nothing", tests: noPolicies, test: "shared/api.TestTwoPeoplePublishAPolicy"},

	// Rates.
	{file: throttling, old: "r.CancelAt(now)", bad: "_ = r.OK()", breaks: "who is refused does not push his time back", tests: noThrottle, test: "shared/throttle.TestARateIsKept"},
	{file: throttling, old: "ip = ip.Unmap()", bad: "ip = ip", breaks: "an address is one in both spellings", tests: noThrottle, test: "shared/throttle.TestAddressesOfOneNetwork"},
	{file: throttling, old: "ip.Prefix(64)", bad: "ip.Prefix(128)", breaks: "a network has one bucket", tests: noThrottle, test: "shared/throttle.TestAddressesOfOneNetwork"},
	{file: throttling, old: "if b.recent.Len() >= b.keys {", bad: "if b.recent.Len() > 2*b.keys {", breaks: "buckets are bounded", tests: noThrottle, test: "shared/throttle.TestMemoryIsBounded"},
	{file: throttling, old: "\t\tb.recent.MoveToFront(at)\n", bad: "\t\t_ = at\n", breaks: "the bucket that was used last is kept longest", tests: noThrottle, test: "shared/throttle.TestMemoryIsBounded"},

	// Guesses and the sweep.
	{file: guessApp, old: "\treturn a.mayTry(t, place, now)\n", bad: "\t_ = place\n\treturn nil\n", breaks: "a pause is a pause for quotes too", tests: "towns seldom quote in a pause", test: "shared/app.TestGuessingCodesIsStopped"},
	{file: lifeApp, old: "sweptRecord{Day: dayAfter(today, -1)}", bad: "sweptRecord{Day: today}", breaks: "what began before midnight is looked at after it", tests: "towns meet it too seldom: one seed in a million", test: "shared/app.TestWhatBeganBeforeMidnightIsLookedAtAfterIt"},
	{file: lifeApp, old: "\t\t\t\tn, err = a.TendPerson(ctx, family.PersonNo(person))\n", bad: "\t\t\t\t_ = person\n", breaks: "the sweep looks at people too", tests: "towns look at people at once", test: "shared/app.TestWhatBeganBeforeMidnightIsLookedAtAfterIt"},
}
