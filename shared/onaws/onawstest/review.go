package onawstest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/png"
	"time"
)

// The couple of the story with papers, insured where a reviewer looks at them.
const (
	Wife    = "T00000000004"
	Husband = "T00000000005"
)

// Reviewer returns the token of a reviewer.
func (s *Scene) Reviewer() string { return s.Token(map[string]any{"roles": []string{"reviewer"}}) }

// Review tells the story with papers: announced, uploaded, promised, accepted, looked
// at, asked for more, approved; and another that is rejected.
func (s *Scene) Review() {
	s.T.Helper()
	op, reviewer, wife, husband := s.Operator(), s.Reviewer(), s.Person(Wife), s.Person(Husband)
	const wifeID, husbandID = "999999198004050027", "999999197906060035"
	s.Ask(201, op, "POST", "/v1/persons", object{"person_no": Wife, "name": "梁红棉", "id_no": wifeID, "region": "440100", "insutype": "310", "psn_type": "11", "status": "1"})
	s.Ask(201, op, "POST", "/v1/persons", object{"person_no": Husband, "name": "何西关", "id_no": husbandID, "region": "440100", "insutype": "310", "psn_type": "11", "status": "1"})
	s.Ask(201, op, "POST", "/v1/registry", object{"id_no": wifeID, "name": "梁红棉", "status": "alive", "relations": []object{{"id_no": husbandID, "relation": "11"}}})

	ask := func() (binding, review string) {
		b := s.must(201, wife, "POST", "/v1/bindings", object{"name": "何西关", "id_no": husbandID, "relation": "11", "show": true, "pay": object{"purposes": []string{"care"}}})
		id := b["binding_id"].(string)
		binding, review = "/v1/bindings/"+id, "/v1/reviews/"+id
		for i, kind := range []string{"id_card", "household_register", "commitment_letter"} {
			s.upload(wife, binding, kind, uint8(i))
		}
		s.Ask(200, wife, "POST", binding+"/submit", object{"commitment": true})
		s.Ask(200, husband, "POST", binding+"/accept", nil)
		return binding, review
	}
	_, review := ask()
	s.Ask(200, reviewer, "POST", review+"/claim", nil)
	s.Ask(200, reviewer, "POST", review+"/release", nil)
	s.Ask(200, reviewer, "POST", review+"/reject", object{"reason": "照片看不清"})

	binding, review := ask()
	s.Ask(200, reviewer, "GET", "/v1/reviews?region=44", nil)
	s.Ask(200, reviewer, "POST", review+"/clarify", object{"kind": "marriage_certificate", "reason": "户口本上没有配偶页"})
	s.upload(wife, binding, "marriage_certificate", 9)
	s.Ask(200, wife, "POST", binding+"/submit", object{"commitment": true})
	var seen struct {
		Version   string
		Materials []struct{ Door *struct{ URL string } }
	}
	if err := json.Unmarshal(s.Ask(200, reviewer, "GET", review, nil).Body, &seen); err != nil {
		s.T.Fatal(err)
	}
	looked := false
	for _, m := range seen.Materials {
		if m.Door != nil {
			s.Ask(200, reviewer, "GET", m.Door.URL, nil)
			looked = true
		}
	}
	if !looked {
		s.T.Fatal("the reviewer finds no paper")
	}
	s.Ask(200, reviewer, "POST", review+"/approve", object{"version": seen.Version})
	s.Ask(200, husband, "GET", binding+"/history", nil)
	s.Ask(200, husband, "GET", "/v1/notices?limit=5", nil)
	s.Ask(200, op, "POST", "/v1/persons", object{"person_no": Husband, "name": "何西关", "id_no": husbandID, "region": "440100", "insutype": "310", "psn_type": "11", "status": "2"})
	s.Ask(201, op, "POST", "/v1/rollovers", object{"person_no": Wife, "year": s.Now().In(time.FixedZone("", 8*3600)).Year()})
	s.Ask(200, op, "POST", "/v1/sweeps", nil)
	s.counter(object{"name": "梁红棉", "id_no": wifeID})
	s.Ask(200, wife, "DELETE", binding, nil)
}

// counter tells of a wife without a phone, whose sister is bound at the
// counter by an operator, reviewed by another, and not bound any more.
func (s *Scene) counter(holder object) {
	s.T.Helper()
	const sister = "T00000000006"
	member := object{"name": "梁木棉", "id_no": "999999198203010028"}
	first, second := s.Token(object{"sub": "first", "roles": []string{"operator"}}), s.Token(object{"sub": "second", "roles": []string{"operator"}})
	s.Ask(201, first, "POST", "/v1/persons", object{"person_no": sister, "name": member["name"], "id_no": member["id_no"], "region": "440100", "insutype": "310", "psn_type": "11", "status": "1"})
	id := s.must(201, first, "POST", "/v1/counter/bindings", object{"holder": holder, "member": member, "relation": "77", "show": false, "pay": object{"purposes": []string{"care"}}})["binding_id"].(string)
	at := "/v1/counter/bindings/" + id
	for i, kind := range []string{"id_card", "household_register", "commitment_letter"} {
		s.upload(first, at, kind, uint8(100+i))
	}
	s.Ask(200, first, "POST", at+"/submit", object{"signed": true})
	s.Ask(200, first, "POST", at+"/accept", object{"signed": true})
	s.Ask(403, first, "POST", "/v1/reviews/"+id+"/approve", object{})
	s.Ask(200, second, "POST", "/v1/reviews/"+id+"/approve", object{})
	s.Ask(200, first, "GET", at, nil)
	s.Ask(200, second, "POST", "/v1/counter/searches", member)
	s.Ask(200, second, "POST", at+"/end", member)
}

// upload announces a picture of one shade and sends it through its door.
func (s *Scene) upload(token, binding, kind string, shade uint8) {
	s.T.Helper()
	picture := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range picture.Pix {
		picture.Pix[i] = shade
	}
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		s.T.Fatal(err)
	}
	sum := sha256.Sum256(file.Bytes())
	var answer struct {
		Upload struct {
			Method, URL string
			Headers     map[string]string
		}
	}
	reply := s.Ask(201, token, "POST", binding+"/materials", object{"kind": kind, "content_type": "image/png", "size": file.Len(), "sha256": hex.EncodeToString(sum[:])})
	if err := json.Unmarshal(reply.Body, &answer); err != nil {
		s.T.Fatal(err)
	}
	s.Upload(answer.Upload.Method, answer.Upload.URL, answer.Upload.Headers, file.Bytes())
}
