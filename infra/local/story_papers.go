package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"strings"

	"gongji/infra/demo"
)

// bindWithPapers is the binding as the regions tell it that ask for papers: fill in the
// relative's name and ID number, upload the papers, pass the identity check.
func (s *story) bindWithPapers() error {
	s.chapter("广州的一家：上传材料，人工审核", "A family in Canton: papers and a reviewer")
	s.say("各地要求不同：长沙以承诺为据，广东还要看材料。广州的梁敏绑定丈夫何伟：填姓名、身份证号和关系。",
		"Regions differ: Changsha takes a promise, Guangdong looks at papers too. Liang Min of Canton binds her husband He Wei: name, ID number and relation.")
	const relation = "11"
	b, err := s.boundBefore(s.wife, relation)
	switch {
	case err != nil:
		return err
	case b.State == "active":
		s.say("上次运行时已经绑定，直接沿用。", "They were bound at an earlier start; the binding is used as it is.")
		return nil
	case b.ID == "":
		ask := bindAsk{Name: "何伟", IDNo: demo.CantonHusbandID, Relation: relation, Show: true, Pay: &pay{[]string{"care", "pharmacy"}, 50000}}
		if _, err := s.house.call(s.ctx, request{method: "POST", path: "/v1/bindings", token: s.wife, key: rand.Text(), body: ask}, &b); err != nil {
			return err
		}
	}
	for _, step := range b.Steps {
		if step.Action == "upload" && !step.Done {
			if err := s.upload(b.ID, step.Kind); err != nil {
				return err
			}
		}
	}
	at := "/v1/bindings/" + b.ID
	if _, err := s.house.call(s.ctx, request{method: "POST", path: at + "/submit", token: s.wife, body: map[string]bool{"commitment": true}}, nil); err != nil {
		return err
	}
	s.done("梁敏承诺属实并提交；与登记机关核对两人的姓名、号码和关系", "Liang Min promises that it is true; the civil registry is asked about both and their relation")
	if _, err := s.house.call(s.ctx, request{method: "POST", path: at + "/accept", token: s.husband}, nil); err != nil {
		return err
	}
	s.done("何伟在自己的手机上同意", "He Wei accepts, on his own phone")
	return s.review(b.ID)
}

// review has a reviewer look at each paper and agree to the request.
func (s *story) review(id string) error {
	var seen struct {
		State, Version, Identity string
		Materials                []struct {
			State string
			Door  *struct{ URL string }
		}
	}
	at := "/v1/reviews/" + id
	if _, err := s.house.call(s.ctx, request{method: "GET", path: at, token: s.reviewer}, &seen); err != nil {
		return err
	}
	looked := 0
	for _, m := range seen.Materials {
		if m.Door == nil { // of what was refused or replaced
			continue
		}
		paper, err := s.house.call(s.ctx, request{method: "GET", path: m.Door.URL, token: s.reviewer}, nil)
		if err != nil {
			return err
		}
		if bytes.Contains(paper.body, []byte(whereTaken)) {
			return fmt.Errorf("a reviewer is told where a picture was taken")
		}
		looked++
	}
	var after binding
	if _, err := s.house.call(s.ctx, request{method: "POST", path: at + "/approve", token: s.reviewer, body: map[string]string{"version": seen.Version, "reason": "材料齐全"}}, &after); err != nil {
		return err
	}
	if after.State != "active" {
		return fmt.Errorf("the binding is %s, not active", after.State)
	}
	identity := map[string][2]string{"match": {"一致", "a match"}, "cannot_say": {"无法核实", "it cannot say"}}[seen.Identity]
	s.done(fmt.Sprintf("审核员看了 %d 份材料（登记机关答复：%s），同意", looked, identity[0]),
		fmt.Sprintf("A reviewer, who is none of the family, looks at %d papers (the registry's answer: %s) and agrees", looked, identity[1]))
	s.say("绑定已生效。谁在什么时候看过材料，双方都查得到；期满后材料自动删除。",
		"The binding is active. Both sides can see who looked at the papers and when; they are deleted when their time is over.")
	return nil
}

// upload makes a file up for a kind of paper and sends it straight to where papers lie,
// through the door that was opened for it.
func (s *story) upload(id, kind string) error {
	file, contentType, zh, en, err := madeUp(kind)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(file)
	ask := map[string]any{"kind": kind, "content_type": contentType, "size": len(file), "sha256": hex.EncodeToString(sum[:])}
	var opened struct {
		Upload struct {
			Method, URL string
			Headers     map[string]string
		}
	}
	// A door is good once: where the answer of an upload was lost, the binding says
	// whether it came.
	for range maxTries {
		if _, err := s.house.call(s.ctx, request{method: "POST", path: "/v1/bindings/" + id + "/materials", token: s.wife, body: ask}, &opened); err != nil {
			return err
		}
		up := opened.Upload
		_, status, sent := s.house.once(s.ctx, request{method: up.Method, path: strings.TrimPrefix(up.URL, s.house.base)}, up.Headers["Content-Type"], file)
		if sent == nil && status == http.StatusOK {
			s.done(zh, en)
			return nil
		}
		var b binding
		if _, err := s.house.call(s.ctx, request{method: "GET", path: "/v1/bindings/" + id, token: s.wife}, &b); err != nil {
			return err
		}
		for _, step := range b.Steps {
			if step.Kind == kind && step.Done {
				s.done(zh, en)
				return nil
			}
		}
		if sent == nil && status/100 == 4 {
			return fmt.Errorf("the upload of %s: %d", kind, status)
		}
	}
	return fmt.Errorf("the upload of %s never came", kind)
}

// whereTaken is what the made-up photograph says of the place where it was taken.
const whereTaken = "GPS 23.1291N 113.2644E"

// madeUp returns a file such as families send: a photograph, a scan or a document, with
// nothing on it.
func madeUp(kind string) (file []byte, contentType, zh, en string, err error) {
	page := image.NewGray(image.Rect(0, 0, 320, 200))
	for i := range page.Pix {
		page.Pix[i] = 0xf4
	}
	for y := 30; y < 170; y += 20 { // lines, as of writing
		for x := 30; x < 290-(y*7)%90; x++ {
			page.SetGray(x, y, color.Gray{Y: 0x30 + uint8(len(kind))})
		}
	}
	var b bytes.Buffer
	switch kind {
	case "id_card":
		err = jpeg.Encode(&b, page, nil)
		exif := append([]byte{0xff, 0xe1, 0, byte(2 + 6 + len(whereTaken))}, "Exif\x00\x00"+whereTaken...)
		file = bytes.Join([][]byte{b.Bytes()[:2], exif, b.Bytes()[2:]}, nil)
		return file, "image/jpeg", "上传身份证照片（JPEG；照片里的拍摄地点在审核员看到之前就抹去了）", "Uploads the photograph of the identity cards (JPEG; where it was taken is taken out before anybody sees it)", err
	case "household_register":
		err = png.Encode(&b, page)
		return b.Bytes(), "image/png", "上传户口本扫描件（PNG）", "Uploads the scanned household register (PNG)", err
	case "commitment_letter":
		const pdf = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n" +
			"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] >>\nendobj\ntrailer\n<< /Root 1 0 R /Size 4 >>\n%%EOF\n"
		return []byte(pdf), "application/pdf", "上传签好的承诺书（PDF）", "Uploads the signed promise (PDF)", nil
	}
	return nil, "", "", "", fmt.Errorf("a paper that the story does not know: %s", kind)
}
