package town

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"gongji/infra/sim/auditor"
	"gongji/shared/app"
	"gongji/shared/family"
)

// human is one who lives in the town, as the insurer knows him.
type human struct {
	auditor.Person
	id family.IDNumber
	// card is his card's number; empty is none.
	card string
}

// place is a hospital or pharmacy.
type place struct {
	auditor.Place
	clock time.Duration // how wrong the clocks of its tills are
}

// world is what there is in the town.
type world struct {
	people []*human
	places []*place
	goods  []auditor.Item
	boxes  []string
}

// settleDown draws the town: when it is, its rules, its people, places and goods.
func (t *town) settleDown() {
	t.now = time.Date(2026, time.Month(1+t.rng.IntN(12)), 1+t.rng.IntN(28), t.rng.IntN(24), t.rng.IntN(60), t.rng.IntN(60), 0, time.UTC)
	if t.chance(0.3) { // in the last minutes of a month, or a year
		month := time.Month(2 + t.rng.IntN(12))
		if t.chance(0.3) {
			month = 13
		}
		t.now = time.Date(2026, month, 1, 0, 0, 0, 0, time.UTC).Add(-8*time.Hour - t.between(0, 5*time.Minute))
	}
	t.drawLaw()
	for i := range 4 + t.rng.IntN(6) {
		t.people = append(t.people, t.drawHuman(i))
	}
	for i, code := range []string{"H43010000001", "P43010000002", "H11010000003", "P44030000004"} {
		p := &place{clock: t.between(-5*time.Second, 5*time.Second)}
		p.Code, p.Designated = code, true
		p.Region = pick(t, regions)
		p.Kind, p.Level = "hospital", pick(t, []string{"1", "5", "6", "9", "11"})
		if i%2 == 1 {
			p.Kind, p.Level = "pharmacy", "11"
		}
		t.places = append(t.places, p)
	}
	for _, class := range []string{"A", "A", "B", "B", "B", "C"} {
		t.goods = append(t.goods, t.drawItem(fmt.Sprintf("X%s%05d", class, len(t.goods)), class))
	}
	for i := range 30 {
		t.boxes = append(t.boxes, fmt.Sprintf("BOX%d", i))
	}
}

// drawHuman draws somebody; where he is insured and how old he is matter.
func (t *town) drawHuman(i int) *human {
	h := &human{}
	h.No, h.Name = fmt.Sprintf("P%04d", 1000+i), "测试"+string(rune('甲'+i))
	born := t.now.AddDate(-25-t.rng.IntN(60), -t.rng.IntN(12), -t.rng.IntN(28))
	if t.chance(0.3) { // a child, or about to be none
		born = t.now.AddDate(-14-t.rng.IntN(5), 0, t.rng.IntN(4)-1)
	}
	h.Born = dayOf(born)
	h.id = t.idNumber(h.Born, i)
	h.Insurance = t.drawInsurance()
	if t.chance(0.7) {
		h.card = fmt.Sprintf("A%08d", i)
	}
	t.index(h)
	return h
}

// index works out where the house will find the human.
func (t *town) index(h *human) {
	h.IDIndex = t.vault.Index("id_no", string(h.id))
	h.IDKey = auditor.IDKey(h.IDIndex)
	if h.card != "" {
		h.CardIx = t.vault.Index("card_no", h.card)
		h.CardKey = auditor.CardKey(h.CardIx)
	}
}

func (t *town) drawInsurance() auditor.Insurance {
	in := auditor.Insurance{Region: pick(t, regions), Insutype: "310", PsnType: pick(t, []string{"11", "11", "12"}), Active: t.chance(0.96)}
	if t.chance(0.6) { // most live in one city
		in.Region = regions[0]
	}
	switch t.rng.IntN(12) {
	case 0, 1:
		in.Insutype, in.PsnType = "390", "1403"
	case 2:
		if t.chance(0.2) {
			in.Insutype, in.PsnType = "none", ""
		}
	}
	return in
}

// idNumber makes up an ID number. No division begins with 99, so nobody ever was
// given one of these.
func (t *town) idNumber(born, serial int) family.IDNumber {
	for _, check := range "0123456789X" {
		if id, err := family.ParseIDNumber(fmt.Sprintf("990102%08d%03d%c", born, serial, check)); err == nil {
			return id
		}
	}
	panic("town: no ID number for a day that there is")
}

func (t *town) drawItem(code, class string) auditor.Item {
	item := auditor.Item{Code: code, ListType: "101", Class: class, From: 20200101}
	if t.chance(0.1) {
		item.ListType = "102"
	}
	if t.chance(0.08) {
		item.Excluded = "beauty"
	}
	if t.chance(0.1) {
		item.In = map[string]auditor.Variant{pick(t, []string{"430000", "430100", "110100"}): {
			Class: pick(t, []string{"A", "B", "C"}), SelfPay: map[string]auditor.Ratio{"310": 1234}, Ceiling: map[string]int64{"3": 500},
		}}
	}
	if t.chance(0.3) {
		item.Limits = t.drawLimits()
	}
	if class == "B" {
		item.SelfPay = map[string]auditor.Ratio{"310": pick(t, []auditor.Ratio{500, 1000, 3333}), "390": pick(t, []auditor.Ratio{0, 2000, 10_000})}
	}
	if t.chance(0.5) {
		item.Ceiling = map[string]int64{pick(t, []string{"1", "2", "3", "5", "6", "9", "11", "0"}): 1 + t.rng.Int64N(9000)}
	}
	return item
}

// drawLimits draws for whom and how much of an item is paid.
func (t *town) drawLimits() *auditor.Limits {
	l := &auditor.Limits{}
	switch t.rng.IntN(8) {
	case 0:
		l.Prescription = true
	case 1:
		l.MinAge = t.rng.IntN(40)
		if t.chance(0.6) && len(t.people) > 0 { // just the age of somebody
			l.MinAge = (dayOf(t.now) - pick(t, t.people).Born) / 10000
		}
		if t.chance(0.5) {
			l.MaxAge = l.MinAge + t.rng.IntN(40)
		}
	case 2:
		l.Sex = pick(t, []string{"1", "2"})
	case 3:
		l.Grades = []string{"3", "2"}
	case 4:
		l.Kinds = []string{pick(t, []string{"hospital", "pharmacy"})}
	case 5:
		l.Diagnoses = []string{"J0", "E11"}
	case 6:
		l.MaxDays, l.MaxQuantity = 7, 30_000
	case 7:
		l.PeriodDays, l.PeriodQuantity = 1+t.rng.IntN(5), 60_000
	}
	return l
}

// open reads a sealed field for the auditor.
func (t *town) open(person, key, field, sealed string) string {
	if sealed == "" {
		return ""
	}
	data, err := t.vault.DataKey(key, "PERSON#"+person+"/key")
	plain := ""
	if err == nil {
		plain, err = data.Open(sealed, "PERSON#"+person+"/"+field)
	}
	if err != nil {
		t.audit.Panicked(&auditor.Trip{Request: &auditor.Request{}}, "a sealed field does not open: "+err.Error())
	}
	return plain
}

// furnish feeds the house the town and binds its families, before anything goes
// wrong.
func (t *town) furnish() {
	t.calm = true
	rates := t.rates
	t.rates.forget = 0
	do := func(r *request) {
		t.start(r, t.processes[0])
		t.settleAll()
	}
	for _, p := range t.places {
		do(t.feedPlace(p.Place))
	}
	for _, i := range t.goods {
		do(t.feedItem(i))
	}
	for _, h := range t.people {
		do(t.feedPerson(*h))
		if t.chance(0.6) {
			do(t.credit(h.No))
		}
	}
	for _, pair := range t.shape() {
		r := t.bind(t.people[pair[0]], t.people[pair[1]], true)
		do(r)
		if id := t.lastBinding(r); id != "" {
			holder, member := t.people[pair[0]].No, t.people[pair[1]].No
			for range 3 {
				if _, paper := auditor.StateOf(t.disk.Peek(auditor.BindingKey(id))); paper != "" {
					do(t.announce(holder, id, paper))
				}
				do(t.onBinding(auditor.OpSubmit, holder, id))
			}
			do(t.onBinding(auditor.OpAccept, member, id))
			if state, _ := auditor.StateOf(t.disk.Peek(auditor.BindingKey(id))); state == "in_review" {
				do(t.review(auditor.OpLook, id, "rev1", ""))
				do(t.review(auditor.OpApprove, id, "rev1", ""))
			}
		}
	}
	if t.sweeps {
		do(t.sweep())
	}
	t.rates, t.calm = rates, false
}

// shape draws how the families are bound: as a star, a chain, in pairs that pay for
// one another, or anyhow.
func (t *town) shape() (pairs [][2]int) {
	n := len(t.people)
	switch t.rng.IntN(4) {
	case 0:
		t.reached("a family as a star")
		for i := 1; i < n; i++ {
			pairs = append(pairs, [2]int{0, i})
		}
	case 1:
		t.reached("a family as a chain")
		for i := 1; i < n; i++ {
			pairs = append(pairs, [2]int{i - 1, i})
		}
	case 2:
		t.reached("a family that pays for one another")
		for i := 1; i < n; i += 2 {
			pairs = append(pairs, [2]int{i - 1, i}, [2]int{i, i - 1})
		}
	case 3:
		t.reached("many pay for one")
		for i := 1; i < n; i++ {
			pairs = append(pairs, [2]int{i, 0})
		}
	}
	return pairs
}

// proveAll lets the house prove its own books in the end: a proof that cries wolf
// is a fault too.
func (t *town) proveAll() {
	for _, h := range t.people {
		t.start(t.prove(h.No, 0), t.processes[0])
	}
	t.settleAll()
	for _, day := range slices.Sorted(maps.Keys(t.days)) {
		t.start(t.prove("", day), t.processes[0])
		t.settleAll()
	}
}

// prove lets the house prove an account, or a day.
func (t *town) prove(person string, day int) *request {
	r := &request{audit: &auditor.Request{Op: auditor.OpProve, By: person}, fleeting: true}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		var proof app.Proof
		var err error
		if day == 0 {
			proof, err = a.ProveAccount(ctx, family.PersonNo(person))
		} else {
			proof, err = a.ProveDay(ctx, family.Day(day), "")
		}
		answer := answerOf(err)
		for _, f := range proof.Faults {
			answer.Faults = append(answer.Faults, fmt.Sprintf("%+v", f))
		}
		return answer
	}
	return r
}
