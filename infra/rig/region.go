package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"gongji/infra/demo"
)

// Region is a made-up region: families of two, a daughter who holds the phone and
// shares her account, and her mother, and institutions for them to go to. Nobody in
// it exists: no division begins with 99.
type Region struct {
	Families, Institutions int
	// Money is what each daughter's account begins with, in fen.
	Money int64
	// Goods are further records of the catalogue, one a line.
	Goods []byte
	// Home says in which region a family is insured, and Place where an institution
	// lies; nil is Changsha.
	Home, Place func(n int) string
}

// Daughter and Mother are the person numbers of a family.
func Daughter(family int) string { return fmt.Sprintf("RIG%05dD", family) }

// Mother is the person number of a family's mother.
func Mother(family int) string { return fmt.Sprintf("RIG%05dM", family) }

// Card is the card number of a person.
func Card(person string) string { return "CARD" + person }

// Institution is the code of an institution: a pharmacy.
func Institution(n int) string { return fmt.Sprintf("P99010%06d", n) }

// person is what the insurer feeds of a person.
func person(no, name, region string, year, n int) map[string]any {
	return map[string]any{
		"person_no": no, "name": name, "id_no": IDNumber(year, n), "region": region,
		"insutype": "310", "psn_type": "11", "status": "1", "card_no": Card(no),
	}
}

const (
	daughterName, daughterBorn = "示例女儿", 1990
	motherName, motherBorn     = "示例母亲", 1960
)

// maxFamilies bounds a region: as many as there are made-up ID numbers for.
const maxFamilies = 100_000

// IDNumber returns the n-th made-up ID number of a year, a woman's.
func IDNumber(year, n int) string {
	day, serial := n/450, n%450*2+2 // even is a woman's
	body := fmt.Sprintf("999999%04d%02d%02d%03d", year, day/28%12+1, day%28+1, serial)
	sum := 0
	for i, weight := range [...]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(body[i]-'0') * weight
	}
	return body + string("10X98765432"[sum%11])
}

// Feed feeds the region through the operators' doors. To feed it again changes
// nothing.
func (r Region) Feed(ctx context.Context, c *Client) error {
	if r.Families > maxFamilies {
		return fmt.Errorf("rig: at most %d families", maxFamilies)
	}
	token, err := c.Token(ctx, Who{Roles: []string{"operator"}})
	if err != nil {
		return err
	}
	var persons, places, credits bytes.Buffer
	in := func(where func(int) string, n int, otherwise string) string {
		if where == nil {
			return otherwise
		}
		return where(n)
	}
	for n := range r.Institutions {
		line(&places, map[string]any{"code": Institution(n), "name": "示例药房", "kind": "pharmacy", "level": "11", "region": in(r.Place, n, "430102"), "status": "designated"})
	}
	for n := range r.Families {
		home := in(r.Home, n, "430100")
		line(&persons, person(Daughter(n), daughterName, home, daughterBorn, n))
		line(&persons, person(Mother(n), motherName, home, motherBorn, n))
		if r.Money > 0 {
			line(&credits, map[string]any{"reference": "RIG-" + Daughter(n), "person_no": Daughter(n), "amount_fen": r.Money, "pocket": "current"})
		}
	}
	for _, feed := range demo.Feeds() {
		if feed.Path == "/v1/catalogue" {
			err = feedAll(ctx, c, token, feed.Path, append(slices.Clip(feed.Records), r.Goods...))
		}
	}
	for _, feed := range []struct {
		path    string
		records []byte
	}{{"/v1/institutions", places.Bytes()}, {"/v1/persons", persons.Bytes()}, {"/v1/credits", credits.Bytes()}} {
		if err != nil {
			return err
		}
		err = feedAll(ctx, c, token, feed.path, feed.records)
	}
	return err
}

func line(b *bytes.Buffer, record any) { b.Write(Encode(record)); b.WriteByte('\n') }

// feedPart is how many bytes of a feed go into one request.
const feedPart = 200 << 10

// feedAll feeds records, some thousand at a time.
func feedAll(ctx context.Context, c *Client, token, path string, records []byte) error {
	for len(records) > 0 {
		n := len(records)
		if n > feedPart {
			n = bytes.LastIndexByte(records[:feedPart], '\n') + 1
		}
		reply := c.Do(ctx, Request{Method: http.MethodPost, Path: path, Token: token, Body: records[:n], NDJSON: true})
		if !reply.OK() {
			return fmt.Errorf("rig: %s: %d %s", path, reply.Status, reply.Body)
		}
		for answer := range bytes.Lines(reply.Body) {
			var fed struct {
				Status int
				Code   string
			}
			if err := json.Unmarshal(answer, &fed); err != nil || fed.Status/100 != 2 {
				return fmt.Errorf("rig: %s: %s", path, answer)
			}
		}
		records = records[n:]
	}
	return nil
}

// Bind makes the daughter of a family her mother's holder and grantor, and returns
// the binding's id. The key is the request's identity.
func (r Region) Bind(ctx context.Context, c *Client, family int, daughter, mother, key string) (string, error) {
	var b struct {
		ID    string `json:"binding_id"`
		State string
	}
	ask := Request{Method: http.MethodPost, Path: "/v1/bindings", Token: daughter, Key: key, Body: BindBody(family)}
	if err := c.Read(ctx, ask, &b); err != nil {
		return "", err
	}
	if err := c.Read(ctx, Request{Method: http.MethodPost, Path: "/v1/bindings/" + b.ID + "/submit", Token: daughter, Body: []byte(`{"commitment":true}`)}, &b); err != nil {
		return "", err
	}
	if err := c.Read(ctx, Request{Method: http.MethodPost, Path: "/v1/bindings/" + b.ID + "/accept", Token: mother}, &b); err != nil {
		return "", err
	}
	if b.State != "active" {
		return "", fmt.Errorf("rig: the binding is %s", b.State)
	}
	return b.ID, nil
}

// BindBody is the request of a family's binding.
func BindBody(family int) []byte {
	return Encode(map[string]any{
		"name": motherName, "id_no": IDNumber(motherBorn, family), "relation": "52", "show": true,
		"pay": map[string]any{"purposes": []string{"care", "pharmacy"}},
	})
}

// Drug is one thing of the catalogue that a pharmacy sells.
type Drug struct{ Code, Name string }

// Medicine is the bill of a pharmacy for one thing that the fund does not pay and
// accounts may; boxes are its trace codes.
func Medicine(message, credentialType, credential string, fen int64, quantity int, boxes ...string) []byte {
	return Drug{"ZC03AAF0258010100004", "复方丹参片"}.Sold(message, credentialType, credential, fen, quantity, boxes...)
}

// Sold is Medicine for another thing.
func (d Drug) Sold(message, credentialType, credential string, fen int64, quantity int, boxes ...string) []byte {
	bill := map[string]any{
		"credential": map[string]string{"type": credentialType, "value": credential}, "med_type": "41", "total_fen": fen * int64(quantity),
		"lines": []map[string]any{{
			"line_no": 1, "code": d.Code, "name": d.Name, "quantity": fmt.Sprint(quantity),
			"unit_price_fen": fen, "amount_fen": fen * int64(quantity), "trace_codes": boxes,
		}},
	}
	if message != "" {
		bill["message_id"] = message
	}
	return Encode(bill)
}
