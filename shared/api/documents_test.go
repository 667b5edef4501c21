package api

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

// The two documents that this product was asked for with, as stories through the doors:
// each sentence of theirs about binding and paying is a request below, with real files.

// whereTaken stands in the files of these tests where a camera writes the place.
const whereTaken = "GPS 23.1291N 113.2644E"

// photograph is a JPEG as a phone takes it, with the place where it was taken. No two
// shades are the same file.
func photograph(t *testing.T, shade uint8) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, shaded(shade), nil); err != nil {
		t.Fatal(err)
	}
	exif := append([]byte{0xff, 0xe1, 0, byte(2 + 6 + len(whereTaken))}, "Exif\x00\x00"+whereTaken...)
	return bytes.Join([][]byte{b.Bytes()[:2], exif, b.Bytes()[2:]}, nil)
}

// scanned is a PNG as a scanner makes it.
func scanned(t *testing.T, shade uint8) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, shaded(shade)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func shaded(shade uint8) image.Image {
	picture := image.NewGray(image.Rect(0, 0, 48, 32))
	for i := range picture.Pix {
		picture.Pix[i] = shade + uint8(i%5)
	}
	return picture
}

// letter is a PDF of one empty page.
const letter = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n" +
	"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] >>\nendobj\ntrailer\n<< /Root 1 0 R /Size 4 >>\n%%EOF\n"

// paper announces a paper of a holder's and sends it through its door.
func (h *house) paper(holder, binding, kind, contentType string, file []byte) {
	h.t.Helper()
	h.uploadBy(h.person(holder), "/v1", binding, kind, contentType, file)
}

// approve has a reviewer look at each paper of a request and agree to it. He sees as
// many papers, and no place in any of them.
func (h *house) approve(binding string, papers int) {
	h.t.Helper()
	reviewer := h.role("reviewer")
	seen := h.must(200, reviewer, "GET", "/v1/reviews/"+binding, nil)
	looked := 0
	for _, m := range seen["materials"].([]any) {
		door := m.(map[string]any)["door"].(map[string]any)["url"].(string)
		paper := h.ask(reviewer, "GET", door, nil)
		if paper.status != 200 || len(paper.body) == 0 || bytes.Contains(paper.body, []byte(whereTaken)) {
			h.t.Errorf("a reviewer is shown %d, %d bytes", paper.status, len(paper.body))
		}
		looked++
	}
	if looked != papers {
		h.t.Errorf("a reviewer sees %d papers, not %d", looked, papers)
	}
	if b := h.must(200, reviewer, "POST", "/v1/reviews/"+binding+"/approve", map[string]any{"version": seen["version"], "reason": "齐全"}); b["state"] != "active" {
		h.t.Errorf("after the approval it is %v", b["state"])
	}
}

// steps are a binding's steps in order, those that are not done with a question mark.
func steps(b map[string]any) string {
	var all []string
	for _, s := range b["steps"].([]any) {
		step := s.(map[string]any)
		word := step["action"].(string)
		if kind, named := step["kind"].(string); named {
			word += " " + kind
		}
		if step["done"] != true {
			word += "?"
		}
		all = append(all, word)
	}
	return strings.Join(all, ", ")
}

// The people of the documents, beside the cast: a hospital and a pharmacy in Canton, and
// kapok's son of eight, who has no account of his own worth speaking of.
const (
	cantonHospital = "H44010000001"
	cantonPharmacy = "P44010000002"
	son            = "440100000003"
	sonName        = "何小棉"
	sonID          = "440102201801150019"
)

func cantonHouse(t *testing.T) *house {
	t.Helper()
	h := fedHouse(t)
	op := h.operator()
	h.must(201, op, "POST", "/v1/institutions", map[string]any{"code": cantonHospital, "name": "演示羊城医院", "kind": "hospital", "level": "5", "region": "440100", "status": "designated"})
	h.must(201, op, "POST", "/v1/institutions", map[string]any{"code": cantonPharmacy, "name": "演示羊城药房", "kind": "pharmacy", "level": "11", "region": "440100", "status": "designated"})
	h.must(201, op, "POST", "/v1/persons", human{son, sonName, sonID, "440100", "390", "1403"}.wire())
	h.credit(kapok, 50000)
	return h
}

// TestHowALinkedAccountIsUsed is the first document, 《医保卡亲情账户怎么使用》: open
// 亲情账户, fill in the relative's name and ID number, upload the papers, pass the
// identity check; then choose the relative, show the code, and the account pays what is
// within the rules of medical insurance and nothing else.
func TestHowALinkedAccountIsUsed(t *testing.T) {
	t.Parallel()
	h := cantonHouse(t)
	// 按照提示填写家庭成员的姓名、身份证号等信息
	b := h.must(201, h.person(kapok), "POST", "/v1/bindings", map[string]any{
		"name": the(husband).name, "id_no": the(husband).id, "relation": "11", "show": true, "pay": map[string]any{"purposes": []string{"care", "pharmacy"}},
	})
	binding := b["binding_id"].(string)
	if got, want := steps(b), "upload id_card?, upload household_register?, upload commitment_letter?, submit?, accept?, review?"; got != want {
		t.Errorf("the steps are %s, not %s", got, want)
	}
	// 上传相关材料
	h.paper(kapok, binding, "id_card", "image/jpeg", photograph(t, 10))
	if missing := h.ask(h.person(kapok), "POST", "/v1/bindings/"+binding+"/submit", map[string]any{"commitment": true}); missing.status != 422 || missing.json(t)["code"] != "paper_missing" {
		t.Errorf("a promise without the papers: %d %s", missing.status, missing.body)
	}
	h.paper(kapok, binding, "household_register", "image/png", scanned(t, 60))
	h.paper(kapok, binding, "commitment_letter", "application/pdf", []byte(letter))
	// 经过身份验证: the civil registry, the member himself, a reviewer.
	h.must(201, h.operator(), "POST", "/v1/registry", map[string]any{
		"id_no": the(kapok).id, "name": the(kapok).name, "status": "alive", "relations": []map[string]any{{"id_no": the(husband).id, "relation": "11"}},
	})
	h.must(200, h.person(kapok), "POST", "/v1/bindings/"+binding+"/submit", map[string]any{"commitment": true})
	// Nothing before all of it is done.
	if early := h.ask(h.person(kapok), "POST", "/v1/qr", map[string]any{"binding_id": binding}); early.status != 409 {
		t.Errorf("a code before the member agreed: %d %s", early.status, early.body)
	}
	h.must(200, h.person(husband), "POST", "/v1/bindings/"+binding+"/accept", nil)
	h.approve(binding, 3)
	if done := h.must(200, h.person(kapok), "GET", "/v1/bindings/"+binding, nil); strings.Contains(steps(done), "?") || done["state"] != "active" {
		t.Errorf("at the end it is %v: %s", done["state"], steps(done))
	}
	// 点击“亲情账户”，选择要使用的家庭成员，生成医保电子凭证二维码，由工作人员扫码
	digits := h.must(201, h.person(kapok), "POST", "/v1/qr", map[string]any{"binding_id": binding})["digits"].(string)
	// 必须是在医保规定的范围内，不能用于支付非医保项目的费用
	paid := h.must(201, h.place(cantonHospital), "POST", "/v1/settlements", map[string]any{
		"message_id": h.messageID(cantonHospital), "credential": map[string]any{"type": "qr", "value": digits}, "med_type": "11", "total_fen": 15000,
		"lines": []map[string]any{
			{"line_no": 1, "code": "A1", "name": "甲一", "quantity": "1", "unit_price_fen": 10000, "amount_fen": 10000},
			{"line_no": 2, "code": "C1", "name": "丙一", "quantity": "1", "unit_price_fen": 5000, "amount_fen": 5000},
		},
	})
	if paid["shared_paid_fen"].(float64) != 10000 || paid["cash_due_fen"].(float64) != 5000 || paid["patient"].(map[string]any)["person_no"] != husband {
		t.Errorf("for %v her account pays %v, cash is %v", paid["patient"], paid["shared_paid_fen"], paid["cash_due_fen"])
	}
	if left := h.must(200, h.person(kapok), "GET", "/v1/account", nil)["balance_fen"].(float64); left != 40000 {
		t.Errorf("%v left of her 500.00", left)
	}
}

// TestHowAChildUsesASharedAccount is the second document, 《医保共享账户如何给孩子使用》:
// add the family member, have the papers of the child ready, fill in, be verified; at the
// hospital and the pharmacy the child's own card is read, the child's own account pays
// first, then the parent's; what is no basic medical need is not paid.
func TestHowAChildUsesASharedAccount(t *testing.T) {
	t.Parallel()
	h := cantonHouse(t)
	h.credit(son, 1000)
	b := h.must(201, h.person(kapok), "POST", "/v1/bindings", map[string]any{
		"name": sonName, "id_no": sonID, "relation": "20", "show": false, "pay": map[string]any{"purposes": []string{"care", "pharmacy"}},
	})
	binding := b["binding_id"].(string)
	// 准备好相关材料，比如孩子的户口本等; the mother acts for the child, who accepts nothing.
	if got, want := steps(b), "upload id_card?, upload household_register?, upload commitment_letter?, upload birth_certificate?, submit?, review?"; got != want || b["guardian"] != true {
		t.Errorf("the steps are %s, not %s", got, want)
	}
	h.paper(kapok, binding, "household_register", "image/jpeg", photograph(t, 90))
	h.paper(kapok, binding, "id_card", "image/png", scanned(t, 120))
	h.paper(kapok, binding, "birth_certificate", "image/jpeg", photograph(t, 150))
	h.paper(kapok, binding, "commitment_letter", "application/pdf", []byte(letter))
	h.must(200, h.person(kapok), "POST", "/v1/bindings/"+binding+"/submit", map[string]any{"commitment": true})
	h.approve(binding, 4)

	// 刷孩子的医保卡，系统会先从孩子自己的医保账户里扣钱，如果余额不够，就会从你共享给孩子的账户里扣除
	card := map[string]any{"type": "card", "value": human{no: son}.card()}
	buy := func(place, medType string, lines ...map[string]any) map[string]any {
		total := 0
		for i, l := range lines {
			total += l["amount_fen"].(int)
			l["line_no"], l["quantity"], l["unit_price_fen"] = i+1, "1", l["amount_fen"]
		}
		return h.must(201, h.place(place), "POST", "/v1/settlements", map[string]any{
			"message_id": h.messageID(place), "credential": card, "med_type": medType, "total_fen": total, "lines": lines,
		})
	}
	visit := buy(cantonHospital, "11", map[string]any{"code": "A1", "name": "检查", "amount_fen": 6000})
	if visit["own_paid_fen"].(float64) != 1000 || visit["shared_paid_fen"].(float64) != 5000 || visit["cash_due_fen"].(float64) != 0 {
		t.Errorf("at the hospital: own %v, shared %v, cash %v", visit["own_paid_fen"], visit["shared_paid_fen"], visit["cash_due_fen"])
	}
	// 药店买药也是同理; 美容、整形这类非基本医疗需求的费用，就不能用医保共享账户支付
	shop := buy(cantonPharmacy, "41", map[string]any{"code": "A1", "name": "药", "amount_fen": 2000}, map[string]any{"code": "C1", "name": "面膜", "amount_fen": 8800})
	if shop["shared_paid_fen"].(float64) != 2000 || shop["cash_due_fen"].(float64) != 8800 {
		t.Errorf("at the pharmacy: shared %v, cash %v", shop["shared_paid_fen"], shop["cash_due_fen"])
	}
	if left := h.must(200, h.person(kapok), "GET", "/v1/account", nil)["balance_fen"].(float64); left != 50000-5000-2000 {
		t.Errorf("%v left of her 500.00", left)
	}
}
