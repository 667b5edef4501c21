package app

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
	"gongji/shared/vault"
)

var update = flag.Bool("update", false, "write testdata/*.golden anew")

// kind is one kind of record: how its keys begin and what its body is.
type kind struct {
	name       string
	part, sort string // how the key begins
	body       any    // a pointer
	example    store.Key
}

// kinds are all kinds of record that the house writes.
var kinds = []kind{
	{"foundation", "HOUSE", "H", new(foundationRecord), store.Key(foundationKey())},
	{"account", "ACCT#", "A", new(accountRecord), store.Key(accountKey("P1"))},
	{"entry", "ACCT#", "E#", new(family.Entry), store.Key(entryKey("P1", 7))},
	{"person", "PERSON#", "P", new(personRecord), store.Key(personKey("P1"))},
	{"binding pointer", "PERSON#", "B#", new(pointerRecord), store.Key(bindingPointerKey("P1", "B1"))},
	{"current code", "PERSON#", "QR#", new(pointerRecord), store.Key(currentQRKey("P1", "P2"))},
	{"identity index", "ID#", "I", new(pointerRecord), store.Key(idIndexKey("hash"))},
	{"card index", "CARD#", "I", new(pointerRecord), store.Key(cardIndexKey("hash"))},
	{"binding", "BIND#", "B", new(bindingRecord), store.Key(bindingKey("B1"))},
	{"event of a binding", "BIND#", "H#", new(family.Event), store.Key(eventKey("B1", 7))},
	{"notice", "PERSON#", "N#", new(noticeRecord), store.Key(noticeKey("P1", family.Event{Binding: "B1", Seq: 7, At: noon}))},
	{"what is due on a day", "DUE#", "", new(dueRecord), store.Key(dueKey(today, "B1"))},
	{"how far the sweep has come", "SWEPT", "S", new(sweptRecord), store.Key(sweptKey)},
	{"how far sealing anew has come", "SWEPT", "K", new(resealedRecord), store.Key(resealedKey)},
	{"paper", "PAPER#", "P", new(materialRecord), store.Key(materialKey("M1"))},
	{"paper's content", "PROOF#", "P", new(proofRecord), store.Key(proofKey("hash"))},
	{"row of the reviewers' queue", "REVIEWS", "", new(reviewRecord), store.Key(reviewKey(noon, "B1"))},
	{"civil registry", "REGISTRY#", "R", new(registryRecord), store.Key(registryKey("hash"))},
	{"code", "QR#", "Q", new(qrRecord), store.Key(qrKey("hash"))},
	{"message", "DAY#", "S#", new(messageRecord), store.Key(messageKey("P43010000002202603121200000001"))},
	{"message settled on another day", "DAY#", "T#", new(pointerRecord), store.Key(lateKey("P43010000002202603121200000001", 20260313))},
	{"step", "STEP#", "P#", new(stepRecord), store.Key(stepKey("P43010000002202603121200000001", "open"))},
	{"visit", "VISIT#", "V#", new(family.Visit), store.Key(visitKey(pharmacy, "P1", "P43010000002202603121200000001"))},
	{"signature", "SIGN#", "S", new(signatureRecord), store.Key(signatureKey("hash"))},
	{"signing key", "HISKEY#", "K", new(signingKeyRecord), store.Key(signingKeyKey("AK"))},
	{"file", "FILE#", "F#", new(fileRecord), store.Key(fileKey(pharmacy, "P43010000002202603121200000001"))},
	{"answer given once", "ONCE#", "K#", new(onceRecord), store.Key(onceKey("P1", "hash"))},
	{"place", "INST#", "I", new(family.Place), store.Key(placeKey(pharmacy))},
	{"confirmation pointer", "CONFIRM#", "C#", new(pointerRecord), store.Key(confirmationKey("P1", noon, "P43010000002202603121200000001"))},
	{"bad codes", "GUESS#", "G", new(guessesRecord), store.Key(guessesKey(pharmacy))},
	{"place's row", "INSTITUTIONS", "", new(pointerRecord), store.Key(placeRowKey(pharmacy))},
	{"item", "ITEM#", "I", new(catalogueRecord), store.Key(itemKey("X1"))},
	{"term", "FIND#", "", new(pointerRecord), store.Key(termKey(itemShelf, "BLF", "X1"))},
	{"box", "TRACE#", "T", new(boxRecord), store.Key(boxKey("8300"))},
	{"operator's act of a day", "ACTS#", "", new(OperatorAct), store.Key(actKey(actsOfDayPart(today), "A1"))},
	{"operator's act on somebody", "ACTSON#", "", new(OperatorAct), store.Key(actKey(actsOfPersonPart("P1"), "A1"))},
	{"signing key's row", "KEYS#", "", new(pointerRecord), store.Key(keyRowKey(pharmacy, "AK"))},
	{"repair", "REPAIRS", "R#", new(repairRecord), store.Key(repairKey("R1"))},
	{"credit", "CREDIT#", "C", new(creditRecord), store.Key(creditKey("2026-03"))},
	{"adjustment", "ADJUSTMENTS", "", new(family.Adjustment), store.Key(adjustmentKey("R1"))},
	{"premium", "PREMIUM#", "P", new(premiumRecord), store.Key(premiumKey("M1"))},
	{"premium that is owed", "OWED#", "", new(pointerRecord), store.Key(owedKey("P1", 2027, family.ResidentPremium))},
	{"what was bought in a period", "BOUGHT#", "", new(boughtRecord), store.Key(boughtKey("P1", "X1"))},
	{"last day whose rules are closed", "RULES", "R", new(closedRecord), store.Key(closedKey)},
	{"last policy of a region", "POLICIES", "L#", new(lastPolicyRecord), store.Key(lastPolicyKey("430100"))},
	{"policy", "POLICIES", "", new(policyRecord), store.Key(policyKey("430100@2026-07"))},
}

// kindOf returns the kind of a record by its key.
func kindOf(k store.Key) (kind, bool) {
	for _, kind := range kinds {
		exact := kind.sort == "" || !strings.HasSuffix(kind.sort, "#") && k.Sort == kind.sort || strings.HasSuffix(kind.sort, "#") && strings.HasPrefix(k.Sort, kind.sort)
		if strings.HasPrefix(k.Part, kind.part) && exact {
			return kind, true
		}
	}
	return kind{}, false
}

// TestRecordsKeepTheirShape holds the format in which records lie in the store:
// one of each kind, with something in every field. Tables are full of them, so a
// field that is renamed, in the law too, is a change of format: a reader of the
// old one has to go with it. -update writes the file anew.
func TestRecordsKeepTheirShape(t *testing.T) {
	var got bytes.Buffer
	// The answers that are given again are records too.
	answers := []kind{
		{name: "answer to a binding's request", example: store.Key{Part: "inside the answer given once"}, body: new(BindingView)},
		{name: "answer to a code's issue", example: store.Key{Part: "inside the answer given once"}, body: new(QRView)},
		{name: "answer to a premium's payment", example: store.Key{Part: "inside the answer given once"}, body: new(PremiumView)},
	}
	for _, k := range append(answers, kinds...) {
		body := reflect.New(reflect.TypeOf(k.body).Elem())
		fill(t, k.name, body.Elem())
		text, err := json.MarshalIndent(body.Interface(), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "== %s: %s\n%s\n\n", k.name, strings.TrimSpace(k.example.Part+" "+k.example.Sort), text)

		// What was written is read back the same.
		back := reflect.New(body.Type().Elem())
		if err := json.Unmarshal(text, back.Interface()); err != nil {
			t.Fatalf("%s: %v", k.name, err)
		}
		same(t, k.name+", read back", back.Interface(), body.Interface())
		if known, _ := kindOf(k.example); k.part != "" && known.name != k.name {
			t.Errorf("the key of a %s is taken for a %s's", k.name, known.name)
		}
	}
	golden := filepath.Join("testdata", "records.golden")
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the format of the records", got.String(), string(want))
}

// TestAMessageIsKnownAgainByTheNextProgram holds the fingerprints of messages. A
// field that is renamed in what they are made of would make every repeat of an
// older message look like another one.
func TestAMessageIsKnownAgainByTheNextProgram(t *testing.T) {
	h, _, _ := visit(t)
	sale, refund, reversal := h.message(hospital), h.message(hospital), h.message(hospital)
	cash := family.Fen(0)
	b := bill(family.Outpatient, line(1, classA, 2, 100, "KNOWN1"))
	b.ExpectedCash = &cash
	h.pay(wang, 200, 0)
	ok(h.Settle(t.Context(), hospital, SettleAsk{Message: sale, Credential: h.byID(wang), Bill: b}))(t)
	ok(h.Refund(t.Context(), hospital, sale, refund, []family.Return{{LineNo: 1, Quantity: 10_000}}))(t)
	ok(h.Reverse(t.Context(), hospital, sale, reversal, "退药"))(t)
	var got []string
	for _, id := range []family.MessageID{sale, refund, reversal} {
		record, _, err := one(t.Context(), h.App, messageKey(id))
		got = append(got, ok(record, err)(t).Fingerprint)
	}
	same(t, "fingerprints of a sale, a refund and a reversal", got, []string{
		"YOwvViXB0fgdpn7RACa66UNvBJvlxN-La0oIahb5PqA",
		"yys9SBp2nC4lZuYc1SCmAm_M2Rxd58WBgrP84SFO7Oc",
		"3mAZkDjT8f_KflXBp6Mv7H28P-IIkSv0fyzNaVou0hA",
	})
}

// fill puts something into every field of a value.
func fill(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(noon))
		return
	case json.RawMessage:
		v.SetBytes([]byte(`"some answer"`))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("some " + name)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(7)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, name, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, name, v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, name+" key", key)
		fill(t, name, value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				fill(t, f.Name, v.Field(i))
			} else {
				t.Fatalf("%s.%s is not exported and would not be written", v.Type(), f.Name)
			}
		}
	default:
		t.Fatalf("%s is a %s: nothing to put into it", name, v.Type())
	}
}

// canaries are what must not be found in a store by who reads it without the keys.
type canaries map[string]string

// fullStory lives through everything that the house does, and returns the
// personal data that went in.
func fullStory(t *testing.T) (*house, canaries) {
	h := newHouse(t)
	seen := canaries{}
	for _, p := range cast {
		seen["the name of "+string(p.no)] = p.name
		seen["the ID number of "+string(p.no)] = string(h.idOf(p.no))
		seen["the card of "+string(p.no)] = p.card
		seen["the phone of "+string(p.no)] = p.phone
	}
	shown := func(presenter family.PersonNo, id family.BindingID, o Once) string {
		t.Helper()
		qr := ok(h.IssueQR(t.Context(), presenter, id, o))(t).Answer
		seen["the code "+string(qr.Token.ID)] = qr.Digits
		return qr.Digits
	}
	if err := h.CheckKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.pay(wang, 0, 5000)
	h.pay(li, 50000, 12000)
	h.pay(lijun, 50000, 0)

	// Bindings: asked for with a key, refused, declined, changed, paused, ended.
	ask := h.ask(wang, "12", true, forAll())
	seen["a key"] = "the-phones-own-key-0001"
	wife := ok(h.RequestBinding(t.Context(), li, ask, Once{seen["a key"], ask}))(t).Answer.Binding.ID
	ok(h.Submit(t.Context(), li, wife))(t)
	ok(h.Accept(t.Context(), wang, wife))(t)
	wrong := h.ask(chen, "52", true, nil)
	wrong.Name = "陈桂香"
	seen["a wrong name"] = wrong.Name
	refused(h.RequestBinding(t.Context(), li, wrong, Once{"k2", wrong}))(t, family.IdentityMismatch)
	stranger := h.ask(chen, "52", true, nil)
	stranger.ID = idNumber(t, "990102", "19600101", "333")
	seen["an unknown ID number"] = string(stranger.ID)
	refused(h.RequestBinding(t.Context(), li, stranger, Once{"k3", stranger}))(t, family.IdentityMismatch)
	ok(h.Decline(t.Context(), chen, h.request(li, chen, "52", true, nil)))(t)
	mother := h.bind(li, chen, "52", true, forAll())
	child := h.bind(li, ming, "20", true, forAll())
	h.bind(lijun, chen, "52", false, forAll())
	ok(h.ChangeBinding(t.Context(), ming, child, family.Change{Paused: new(true)}))(t)

	// Settlements by every credential, with and without a name, and refused ones.
	settle := func(place family.InstitutionCode, c Credential, b family.Bill) (Outcome, error) {
		return h.Settle(t.Context(), place, SettleAsk{Message: h.message(place), Credential: c, Bill: b})
	}
	her := h.human(wang)
	visit := ok(settle(hospital, Credential{ByQR, shown(li, wife, Once{"k4", wife}), her.name}, clinicVisit()))(t)
	ok(settle(pharmacy, h.byID(chen), medicine(90000, "STORY1")))(t)
	card := ok(settle(pharmacy, Credential{ByCard, her.card, her.name}, medicine(200, "STORY2")))(t)
	_, err := settle(pharmacy, Credential{ByID, string(h.idOf(wang)), "陈桂香"}, medicine(100))
	same(t, "a wrong name", codeOf(err), family.IdentityMismatch)
	_, err = settle(pharmacy, Credential{ByQR, shown(li, wife, Once{}), "李明远"}, medicine(100))
	same(t, "another's name", codeOf(err), family.QRWrongPatient)
	bad := misread(shown(li, wife, Once{}))
	seen["a misread code"] = bad
	_, err = settle(pharmacy, byQR(bad), medicine(100))
	same(t, "a misread code", codeOf(err), family.QRInvalid)
	never := family.QRDigits("12345678901234567")
	seen["a code never issued"] = never
	_, err = settle(pharmacy, byQR(never), medicine(100))
	same(t, "a code never issued", codeOf(err), family.QRInvalid)
	seen["an unknown card"] = "A99999999"
	_, err = settle(pharmacy, Credential{ByCard, "A99999999", ""}, medicine(100))
	same(t, "an unknown card", codeOf(err), family.IdentityMismatch)
	shown(wang, "", Once{"k5", nil})
	ok(h.EndBinding(t.Context(), chen, mother))(t)

	// What the national interface does: a key, a visit by a decoded code, a file, and
	// a settlement that was sent before midnight.
	secret := "SK-of-the-story"
	seen["a signing key's secret"] = secret
	ok(h.FeedSigningKey(t.Context(), anna, SigningKey{ID: "AK1", Institution: hospital, Scheme: SchemeAPI, Secret: secret}))(t)
	decoded := ok(h.Decode(t.Context(), hospital, shown(li, wife, Once{"k6", nil})))(t)
	seen["an ecToken's mark"] = decoded.ECToken[26:]
	sent := func(what string) Sent {
		return Sent{Form: what, Note: "note", Signature: "signature of " + what, SignedUntil: h.clock.Now().Add(time.Hour)}
	}
	byToken := Credential{Type: ByECToken, Value: decoded.ECToken}
	open := ok(h.OpenVisit(t.Context(), hospital, VisitAsk{Message: h.message(hospital), Credential: byToken, Patient: wang, Number: "OP1", Sent: sent("open")}))(t)
	at := VisitRef{ID: open.ID, Patient: wang}
	step := func(op string, change func(family.Visit, time.Time) (family.Visit, *family.Refusal)) {
		ok(h.ChangeVisit(t.Context(), hospital, at, h.message(hospital), op, sent(op), change))(t)
	}
	step("describe", func(v family.Visit, _ time.Time) (family.Visit, *family.Refusal) {
		return v.Describe(family.Outpatient, []string{"J06.900"})
	})
	step("charge", func(v family.Visit, _ time.Time) (family.Visit, *family.Refusal) {
		return v.Charge([]family.Charge{{Serial: "1", Batch: "0", Line: line(0, classB, 2, 3000)}})
	})
	late := h.message(hospital)
	h.clock.add(12 * time.Hour)
	ok(h.Settle(t.Context(), hospital, SettleAsk{
		Message: late, Credential: byToken, Bill: family.Bill{MedType: family.Outpatient, Total: 6000, UseAccount: true},
		Visit: &VisitBill{VisitRef: at, Batch: "0"}, Sent: sent("settle"),
	}))(t)
	ok(0, h.PutFile(t.Context(), hospital, File{ID: h.message(hospital), Name: "a.zip", Body: []byte("zip")}))(t)

	// Back again, asked about, fenced.
	seen["the reason of a reversal"] = "因为患者李明远要求"
	ok(h.Refund(t.Context(), hospital, visit.Settlement.ID, h.message(hospital), []family.Return{{LineNo: 1, Quantity: 10_000}}))(t)
	ok(h.Reverse(t.Context(), pharmacy, card.Settlement.ID, h.message(pharmacy), seen["the reason of a reversal"]))(t)
	ok(h.FindMessage(t.Context(), pharmacy, h.message(pharmacy)))(t)

	// Papers, and a reviewer who asks for another.
	cantonHouse(t, h)
	papers := h.reviewed()
	ok(h.FeedRegistry(t.Context(), KinFeed{Identity: h.identity(liang), Relations: []KinRelation{{h.identity(huang).ID, "10"}}}))(t)
	ok(h.Clarify(t.Context(), papers, anna, ReviewAsk{Kind: family.MarriageCertificate, Reason: "户口本缺页"}))(t)
	ok(h.Sweep(t.Context()))(t)
	seen["a name in the civil registry"] = cantonese[liang].name
	// Asked about on the phone.
	h.addCouple()
	h.waits(herCard(), large)

	// A policy that is drafted, an item that is counted by period, a premium of hers
	// from his account.
	ok(h.DraftPolicy(t.Context(), "clerk", draftFrom(t, "20260701", "2026-07")))(t)
	ok(h.PublishPolicy(t.Context(), "chief", "430100@2026-07", ""))(t)
	h.counted("X9", 30, 5)
	ok(settle(pharmacy, h.byID(wang), bill(family.PharmacyBuy, line(1, "X9", 2, 100))))(t)
	h.pay(li, 1000, 0)
	premium := h.owes(wang, family.ResidentPremium, 2027, 400)
	terms := forAll()
	terms.Purposes = append(terms.Purposes, family.ForPremium)
	ok(h.ChangeBinding(t.Context(), li, wife, family.Change{SetPay: true, Pay: terms}))(t)
	pay := PremiumAsk{wife, family.ResidentPremium, 2027, 400}
	ok(h.PayPremium(t.Context(), li, pay, Once{"k7", pay}))(t)
	ok(h.RefundPremium(t.Context(), anna, premium))(t)
	ok(h.PayPremium(t.Context(), li, pay, Once{"k8", pay}))(t)

	// A record that a restore lost, written again.
	h.restore(store.Key(boxKey("STORY1")), row{})
	if done := h.repairAll().Done; len(done) != 1 {
		t.Fatalf("a lost box was repaired by %q", done)
	}

	// An account put right by two people, one who leaves and whose
	// data are destroyed.
	ok(h.ProposeAdjustment(t.Context(), anna, family.Adjustment{Reference: "story", Person: lijun, Amount: family.Pockets{Current: 100}, Reason: family.MissedCredit}))(t)
	ok(h.ApproveAdjustment(t.Context(), bert, "story"))(t)
	gone := h.feedOf(cantonese[xu])
	gone.Insurance.Active = false
	ok(h.FeedPerson(t.Context(), gone))(t)
	for _, by := range []family.Reviewer{anna, bert} {
		ok(h.Erase(t.Context(), by, xu))(t)
	}
	seen["the name of one who left"], seen["the ID number of one who left"] = gone.Name, string(gone.ID)

	// The house's keys rotate, and what they sealed is sealed anew.
	h.App.vault = vault.New(ok(ok(fixedKeys())(t).Rotate(&draws{n: 7000}))(t), &draws{n: 8000})
	if done := ok(h.Reseal(t.Context()))(t); !done {
		t.Fatal("a small house is not sealed anew at once")
	}

	// A new name, number and card.
	mended := h.human(zhou)
	mended.name, mended.born, mended.card, mended.phone = "周远帆", "19900708", "A10000066", "10000000066"
	h.feed(mended)
	seen["the new name"], seen["the new ID number"], seen["the new card"], seen["the new phone"] = mended.name, string(h.feedOf(mended).ID), mended.card, mended.phone
	for what, text := range seen {
		if text == "" {
			delete(seen, what)
		}
	}
	h.prove()
	return h, seen
}

// TestEveryRecordIsOfAKnownKind lives through the full story and wants every
// record in the store to be of a kind that TestRecordsKeepTheirShape holds, with
// no field beside it.
func TestEveryRecordIsOfAKnownKind(t *testing.T) {
	h, _ := fullStory(t)
	met := map[string]int{}
	for k, r := range h.dump() {
		known, found := kindOf(k)
		if !found {
			t.Errorf("%v is a record of no known kind", k)
			continue
		}
		met[known.name]++
		r.Body = h.unstamped(k, r)
		body := reflect.New(reflect.TypeOf(known.body).Elem()).Interface()
		d := json.NewDecoder(strings.NewReader(r.Body))
		d.DisallowUnknownFields()
		if err := d.Decode(body); err != nil {
			t.Errorf("%v: %v", k, err)
		}
		if again, err := json.Marshal(body); err != nil || string(again) != r.Body {
			t.Errorf("%v is written differently after it was read (%v):\n%s\n%s", k, err, r.Body, again)
		}
	}
	for _, k := range kinds {
		if met[k.name] == 0 {
			t.Errorf("the story has no %s", k.name)
		}
	}
}

// TestNobodyIsNamedInTheStore lives through the full story and looks for names, ID
// numbers, cards, phones, codes and keys in every record and in the bytes of the
// files, where what was deleted or overwritten may linger.
func TestNobodyIsNamedInTheStore(t *testing.T) {
	h, seen := fullStory(t)
	places := map[string]string{"the files": string(h.files())}
	for k, r := range h.dump() {
		places[k.Part+" "+k.Sort] = k.Part + "\n" + k.Sort + "\n" + r.Body
	}
	if !strings.Contains(places["the files"], string(li)) {
		t.Fatal("the files do not hold what is not secret either: they are not the right ones")
	}
	for _, where := range slices.Sorted(maps.Keys(places)) {
		for what, text := range seen {
			escaped := strings.Trim(strings.ToLower(fmt.Sprintf("%+q", text)), `"`)
			if strings.Contains(places[where], text) || strings.Contains(strings.ToLower(places[where]), escaped) {
				t.Errorf("%s is in %s", what, where)
			}
		}
	}
	t.Logf("%d canaries in %d records and %d bytes of files: none found", len(seen), len(places)-1, len(places["the files"]))
}
