package town

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"gongji/infra/sim/auditor"
	"gongji/shared/app"
	"gongji/shared/family"
)

// drawBill draws a bill, now and then one that does not add up.
func (t *town) drawBill(p *place) auditor.Bill {
	b := auditor.Bill{MedType: pick(t, []string{"11", "11", "12", "13", "41", "21", "2101"}), UseAccount: t.chance(0.93)}
	if p.Kind == "pharmacy" && t.chance(0.8) {
		b.MedType = "41"
	}
	for no := range 1 + t.rng.IntN(4) {
		l := auditor.Line{No: no + 1, Code: pick(t, t.goods).Code, Quantity: int64(1+t.rng.IntN(5)) * 10_000, UnitPrice: t.rng.Int64N(pick(t, []int64{300, 2_000, 12_000}))}
		if t.chance(0.3) {
			l.Quantity = 1 + t.rng.Int64N(60_000)
		}
		if t.chance(0.02) {
			l.Code = "NOSUCH"
		}
		exact := l.UnitPrice * l.Quantity
		l.Amount = (exact + 5_000) / 10_000
		slack := (l.Quantity+10_000)/20_000 + 1
		switch t.rng.IntN(20) {
		case 0:
			l.Amount = max(0, l.Amount-slack) // the least and the most that rounding allows
		case 1:
			l.Amount += slack
		case 2:
			if t.chance(0.3) {
				l.Amount += slack + 1
			} else if t.chance(0.3) {
				l.Amount = max(0, l.Amount-slack-1)
			}
		}
		if t.chance(0.25) {
			l.Boxes = append(l.Boxes, pick(t, t.boxes))
		}
		b.Lines = append(b.Lines, l)
		b.Total += l.Amount
	}
	seen := map[string]bool{}
	for i := range b.Lines {
		b.Lines[i].Boxes = slices.DeleteFunc(b.Lines[i].Boxes, func(box string) bool {
			was := seen[box]
			seen[box] = true
			return was
		})
	}
	b.Total = max(1, b.Total)
	if t.chance(0.02) {
		b.Total++
	}
	return b
}

// billOf writes a bill as the house takes it.
func billOf(b auditor.Bill) family.Bill {
	out := family.Bill{MedType: family.MedType(b.MedType), Total: family.Fen(b.Total), UseAccount: b.UseAccount}
	if b.Expected != nil {
		cash := family.Fen(*b.Expected)
		out.ExpectedCash = &cash
	}
	for _, l := range b.Lines {
		out.Lines = append(out.Lines, family.Line{
			No: l.No, Code: l.Code, Name: "货品", Quantity: family.Quantity(l.Quantity), UnitPrice: family.Fen(l.UnitPrice),
			Amount: family.Fen(l.Amount), TraceCodes: l.Boxes,
		})
	}
	return out
}

// drawNeed draws what a till tells of why the patient needs what is on the bill.
func (t *town) drawNeed(b auditor.Bill) (n auditor.Need) {
	if t.chance(0.3) {
		n.Diagnoses = []string{pick(t, []string{"J01.1", "E11.9", "I10.x"})}
	}
	for _, l := range b.Lines {
		if t.chance(0.3) {
			if n.Prescriptions == nil {
				n.Prescriptions = map[int]auditor.Prescription{}
			}
			n.Prescriptions[l.No] = auditor.Prescription{No: "RX1", Days: 1 + t.rng.IntN(9)}
		}
	}
	return n
}

func needOf(n auditor.Need) *family.Need {
	out := &family.Need{Diagnoses: n.Diagnoses}
	for line, p := range n.Prescriptions {
		if out.Prescriptions == nil {
			out.Prescriptions = map[int]family.Prescription{}
		}
		out.Prescriptions[line] = family.Prescription{No: p.No, Days: p.Days}
	}
	return out
}

// credential draws what a patient shows, and says how the auditor is to see it.
func (t *town) credential() (app.Credential, auditor.Credential) {
	h := pick(t, t.people)
	switch n := t.rng.IntN(20); {
	case n < 10 && len(t.codes) > 0:
		c := t.codes[max(0, len(t.codes)-1-min(t.rng.IntN(5), t.rng.IntN(5)))]
		digits := c.digits
		readable := true
		if t.chance(0.03) { // one digit read wrongly
			at := 2 + t.rng.IntN(18)
			digits = digits[:at] + string('0'+(digits[at]-'0'+1)%10) + digits[at+1:]
			readable = false
		} else if t.chance(0.01) { // a code that fits and was never issued
			digits = family.QRDigits(fmt.Sprintf("%017d", t.rng.Int64N(1e16)))
		}
		return t.byCode(digits, readable)
	case n < 19 || h.card == "":
		return t.byID(h)
	}
	return app.Credential{Type: app.ByCard, Value: h.card}, auditor.Credential{Kind: "card", Key: h.CardKey}
}

// byID is somebody told by his ID number and name, now and then by wrong ones.
func (t *town) byID(h *human) (app.Credential, auditor.Credential) {
	out := app.Credential{Type: app.ByID, Value: strings.ToLower(string(h.id)), Name: h.Name}
	key := h.IDKey
	if t.chance(0.05) {
		out.Name = "别人"
	}
	if t.chance(0.03) {
		out.Value = string(t.idNumber(h.Born, 900))
		key = auditor.IDKey(t.vault.Index("id_no", out.Value))
	}
	return out, auditor.Credential{Kind: "id", Key: key, Name: out.Name}
}

// byCode is a code that a till scans, now and then with a name typed in beside it.
func (t *town) byCode(digits string, readable bool) (app.Credential, auditor.Credential) {
	out := app.Credential{Type: app.ByQR, Value: digits}
	if t.chance(0.08) {
		out.Name = pick(t, t.people).Name
	}
	return out, auditor.Credential{Kind: "qr", Readable: readable, Key: auditor.QRKey(t.vault.QRHash(digits)), Name: out.Name}
}

// decode is a till that reads a code for a visit, the newest one if there is any.
func (t *town) decode() *request {
	if len(t.codes) == 0 {
		return nil
	}
	digits := t.codes[max(0, len(t.codes)-1-t.rng.IntN(3))].digits
	p := pick(t, t.places)
	if t.chance(0.05) {
		digits = family.QRDigits(fmt.Sprintf("%017d", t.rng.Int64N(1e16)))
	}
	_, seen := t.byCode(digits, true)
	seen.Name = ""
	r := &request{audit: &auditor.Request{Op: auditor.OpDecode, Place: p.Code, Credential: seen}}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		out, err := a.Decode(ctx, family.InstitutionCode(p.Code), digits)
		answer := answerOf(err)
		answer.ECToken = out.ECToken
		return answer
	}
	r.learn = func(t *town, a auditor.Answer) {
		if a.ECToken == "" {
			return
		}
		t.decoded = append(t.decoded, decoded{a.ECToken, p.Code, digits})
		if t.chance(0.6) {
			t.next = append(t.next, t.visitDecoded())
		}
	}
	return r
}

// visitDecoded is a patient whose code was decoded before, now and then at a place to
// which that says nothing.
func (t *town) visitDecoded() *request {
	d := t.decoded[max(0, len(t.decoded)-1-t.rng.IntN(4))]
	p := t.placeOf(d.place)
	if t.chance(0.06) {
		p = pick(t, t.places)
	}
	shown, seen := t.byCode(d.digits, true)
	shown.Type, shown.Value = app.ByECToken, d.token
	seen.Kind, seen.For = "ec", d.place
	return t.visitAt(p, shown, seen)
}

// visit is a patient at a till.
func (t *town) visit(shown app.Credential, seen auditor.Credential) *request {
	return t.visitAt(pick(t, t.places), shown, seen)
}

func (t *town) visitAt(p *place, shown app.Credential, seen auditor.Credential) *request {
	bill := t.drawBill(p)
	need := t.drawNeed(bill)
	if t.chance(0.1) {
		cash := t.rng.Int64N(bill.Total + 1)
		if t.chance(0.5) {
			cash = 0
		}
		bill.Expected = &cash
	}
	r := &request{audit: &auditor.Request{Op: auditor.OpSettle, Place: p.Code, Message: t.message(p), Credential: seen, Bill: bill, Need: need}}
	in := app.SettleAsk{Message: family.MessageID(r.audit.Message), Credential: shown, Bill: billOf(bill), Need: needOf(need)}
	if t.chance(t.rates.altered) && len(t.sales) > 0 { // another bill under an id that was used
		old := pick(t, t.sales)
		r.audit.Place, r.audit.Message, in.Message = old.place, old.message, family.MessageID(old.message)
	}
	if t.chance(t.rates.malformed) {
		r.audit.Malformed = true
		t.breakAsk(&in)
	}
	r.audit.Identity, r.audit.Content = r.audit.Message, told("settle", in)
	t.settles(r, in)
	if !r.audit.Malformed {
		t.sells(r, bill)
	}
	return r
}

// sells notes a sale that a till hopes to make.
func (t *town) sells(r *request, bill auditor.Bill) {
	s := &sale{r.audit.Message, r.audit.Place, bill}
	t.hoped = append(t.hoped, s)
	r.learn = func(t *town, a auditor.Answer) {
		if a.Code == "" && !slices.Contains(t.sales, s) {
			t.sales = append(t.sales, s)
			t.helps(s, a.Settlement)
		}
		if a.Code == "confirmation_needed" && t.chance(0.8) {
			t.waits(r)
		}
	}
}

// waits lets those be asked for whom a sale waits, and the till come again.
func (t *town) waits(r *request) {
	patient, asked := auditor.AskedOf(t.disk.Peek(auditor.MessageKey(r.audit.Message)))
	for _, grantor := range asked {
		if t.chance(0.8) {
			t.next = append(t.next, t.confirms(r.audit.Message, grantor))
		}
		if t.chance(0.1) { // he thinks again
			t.next = append(t.next, t.confirms(r.audit.Message, grantor))
		}
	}
	s := &sale{r.audit.Message, r.audit.Place, r.audit.Bill}
	switch t.rng.IntN(6) {
	case 0, 1: // they take their time
		t.now = t.now.Add(t.between(10*time.Second, 100*time.Second))
	case 2: // what he has of his own goes elsewhere meanwhile
		if patient != "" {
			t.next = append(t.next, t.visit(t.byID(t.human(patient))))
		}
	case 3:
		t.next = append(t.next, t.lookupOf(s))
	case 4:
		if t.chance(0.6) {
			t.next = append(t.next, t.reverseOf(s))
		}
	}
	t.next = append(t.next, r)
}

// settles lets a request settle.
func (t *town) settles(r *request, in app.SettleAsk) {
	place := family.InstitutionCode(r.audit.Place)
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		out, err := a.Settle(ctx, place, in)
		return outcome(out, err)
	}
}

// outcome is an answer that holds a settlement.
func outcome(out app.Outcome, err error) auditor.Answer {
	a := answerOf(err)
	a.Replay = out.Replay
	if err == nil {
		text, err := json.Marshal(out.Settlement)
		if err != nil {
			return auditor.Answer{Broken: err}
		}
		a.Settlement = text
	}
	return a
}

// quote asks what would be paid, and settles exactly that if the till goes on.
func (t *town) quote() *request {
	p := pick(t, t.places)
	bill := t.drawBill(p)
	need := t.drawNeed(bill)
	if t.chance(0.3) {
		return t.check(p, bill, need)
	}
	shown, seen := t.credential()
	r := &request{fleeting: true, audit: &auditor.Request{Op: auditor.OpQuote, Place: p.Code, Credential: seen, Bill: bill, Need: need}}
	in := app.SettleAsk{Credential: shown, Bill: billOf(bill), Need: needOf(need)}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		out, err := a.Quote(ctx, family.InstitutionCode(p.Code), in)
		return outcome(out, err)
	}
	r.learn = func(t *town, a auditor.Answer) {
		if a.Code != "" || t.chance(0.3) {
			return
		}
		var s struct{ Paid struct{ CashDue int64 } }
		if err := json.Unmarshal(a.Settlement, &s); err != nil {
			panic(err) // the house wrote it
		}
		bill.Expected = &s.Paid.CashDue
		next := &request{audit: &auditor.Request{Op: auditor.OpSettle, Place: p.Code, Message: t.message(p), Credential: seen, Bill: bill, Need: need}}
		ask := app.SettleAsk{Message: family.MessageID(next.audit.Message), Credential: shown, Bill: billOf(bill), Need: needOf(need)}
		next.audit.Identity, next.audit.Content = next.audit.Message, told("settle", ask)
		t.settles(next, ask)
		t.sells(next, bill)
		t.next = append(t.next, next)
		t.reached("a settlement of what was quoted")
	}
	return r
}

// check is somebody who asks whether a bill would be paid.
func (t *town) check(p *place, bill auditor.Bill, need auditor.Need) *request {
	r := &request{fleeting: true, audit: &auditor.Request{Op: auditor.OpCheck, By: pick(t, t.people).No, Place: p.Code, Bill: bill, Need: need}}
	if len(t.bindings) > 0 && t.chance(0.6) {
		b := pick(t, t.bindings)
		r.audit.Binding = b.id
		if t.chance(0.8) {
			r.audit.By = b.holder
		}
	}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		out, err := a.Check(ctx, family.PersonNo(r.audit.By), family.BindingID(r.audit.Binding), family.InstitutionCode(p.Code), billOf(bill), *needOf(need))
		return outcome(out, err)
	}
	return r
}

// soldSomething is a sale of late, or one that a till only believes to have made.
func (t *town) soldSomething() (*sale, bool) {
	if t.chance(0.02) {
		p := pick(t, t.places)
		return &sale{message: t.message(p), place: p.Code}, true
	}
	from := t.sales
	if t.chance(0.15) {
		from = t.hoped
	}
	if len(from) == 0 {
		return nil, false
	}
	return from[max(0, len(from)-1-t.rng.IntN(10))], true
}

func (t *town) placeOf(code string) *place {
	return t.places[slices.IndexFunc(t.places, func(p *place) bool { return p.Code == code })]
}

// reverse takes a sale back, as a till does that is not sure either.
func (t *town) reverse() *request {
	s, found := t.soldSomething()
	if !found {
		return nil
	}
	return t.reverseOf(s)
}

func (t *town) reverseOf(s *sale) *request {
	p := t.placeOf(s.place)
	if t.chance(0.03) { // of another place
		p = pick(t, t.places)
	}
	r := &request{audit: &auditor.Request{Op: auditor.OpReverse, Place: p.Code, Message: t.message(p), Original: s.message}}
	r.audit.Identity, r.audit.Content = r.audit.Message, told("reverse", s.message)
	if t.chance(0.03) {
		t.sales = append(t.sales, &sale{r.audit.Message, p.Code, s.bill}) // to be taken back in turn
	}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		out, err := a.Reverse(ctx, family.InstitutionCode(p.Code), family.MessageID(s.message), family.MessageID(r.audit.Message), "")
		return outcome(out, err)
	}
	return r
}

// refund takes part of a sale back: some lines, whole or in part.
func (t *town) refund() *request {
	s, found := t.soldSomething()
	if !found || len(s.bill.Lines) == 0 {
		return nil
	}
	return t.refundOf(s)
}

func (t *town) refundOf(s *sale) *request {
	p := t.placeOf(s.place)
	r := &request{audit: &auditor.Request{Op: auditor.OpRefund, Place: p.Code, Message: t.message(p), Original: s.message}}
	var returns []family.Return
	for _, l := range s.bill.Lines {
		if t.chance(0.4) && len(returns) > 0 {
			continue
		}
		back := auditor.Return{No: l.No, Quantity: l.Quantity}
		if t.chance(0.6) {
			back.Quantity = 1 + t.rng.Int64N(l.Quantity)
		}
		if t.chance(0.03) {
			back.Quantity = l.Quantity + 1
		}
		if t.chance(0.02) {
			back.No = 77
		}
		r.audit.Returns = append(r.audit.Returns, back)
		returns = append(returns, family.Return{LineNo: back.No, Quantity: family.Quantity(back.Quantity)})
	}
	if t.chance(t.rates.malformed) {
		r.audit.Malformed = true
		switch t.rng.IntN(3) {
		case 0:
			returns[0].Quantity = 0
		case 1:
			returns = append(returns, returns[0])
		case 2:
			returns = nil
		}
	} else if slices.ContainsFunc(returns, func(x family.Return) bool {
		n := 0
		for _, y := range returns {
			if x.LineNo == y.LineNo {
				n++
			}
		}
		return n > 1
	}) {
		r.audit.Malformed = true
	}
	r.audit.Identity, r.audit.Content = r.audit.Message, told("refund", s.message, returns)
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		out, err := a.Refund(ctx, family.InstitutionCode(p.Code), family.MessageID(s.message), family.MessageID(r.audit.Message), returns)
		return outcome(out, err)
	}
	return r
}

// lookup asks what became of a message, perhaps before it arrives.
func (t *town) lookup() *request {
	s, found := t.soldSomething()
	if !found {
		return nil
	}
	return t.lookupOf(s)
}

func (t *town) lookupOf(s *sale) *request {
	r := &request{audit: &auditor.Request{Op: auditor.OpLookup, Place: s.place, Message: s.message, Identity: s.message, Content: "lookup"}}
	r.run = func(ctx context.Context, a *app.App) auditor.Answer {
		view, err := a.FindMessage(ctx, family.InstitutionCode(s.place), family.MessageID(s.message))
		answer := answerOf(err)
		switch {
		case err != nil:
		case view.Fenced:
			answer.State = "fenced"
		case view.Confirmed:
			answer.State = "confirmed"
		case view.Waits != nil:
			answer.State = "waiting"
		case view.Refusal != nil:
			answer.State = "refused"
		case view.Settled != nil:
			answer.State = "settled"
		}
		return answer
	}
	return r
}

// breakAsk makes a settlement that cannot be read as one.
func (t *town) breakAsk(in *app.SettleAsk) {
	b := &in.Bill
	l := &b.Lines[len(b.Lines)-1]
	many := func(n int, boxes bool) {
		b.Lines = slices.Clone(b.Lines)
		for i := range n {
			extra := family.Line{No: 1000 + i, Code: b.Lines[0].Code, Quantity: 10_000}
			if boxes {
				extra.TraceCodes = []string{fmt.Sprintf("MANY%d", i)}
			}
			b.Lines = append(b.Lines, extra)
		}
	}
	breaks := []func(){
		func() { b.MedType = "2102" },
		func() { b.Total = 0 },
		func() { b.Total = family.MaxFen + 1 },
		func() { b.Lines = nil },
		func() { many(family.MaxLines, false) },
		func() { many(family.MaxTraceCodes+1, true) },
		func() { l.No = 0 },
		func() { l.No = 100_000 },
		func() { b.Lines = append(slices.Clone(b.Lines), *l); b.Lines[len(b.Lines)-1].TraceCodes = nil },
		func() { l.Code = "A B" },
		func() { l.Code = "" },
		func() { l.Name = strings.Repeat("x", 301) },
		func() { l.Quantity = 0 },
		func() { l.Quantity = family.MaxQuantity + 1 },
		func() { l.UnitPrice = -1 },
		func() { l.UnitPrice = family.MaxFen + 1 },
		func() { l.Amount = -1 },
		func() { l.Amount = family.MaxFen + 1 },
		func() { l.TraceCodes = []string{"A-1"} },
		func() { l.TraceCodes = []string{"TWICE", "TWICE"} },
		func() { in.Credential = app.Credential{Type: app.ByQR, Value: "8600000000000000000"} },
		func() { in.Credential = app.Credential{Type: "face", Value: "x"} },
		func() { in.Credential = app.Credential{Type: app.ByID, Value: "990102198504120001", Name: "甲"} },
		func() { in.Credential = app.Credential{Type: app.ByID, Value: string(t.people[0].id)} },
		func() { in.Credential = app.Credential{Type: app.ByCard} },
		func() { in.Credential = app.Credential{Type: app.ByCard, Value: strings.Repeat("9", 65)} },
	}
	pick(t, breaks)()
}
