package his

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"gongji/shared/api"
	"gongji/shared/family"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// jsonDoor is the other door of a house, and makes its tokens of institutions.
func jsonDoor(t testing.TB, h *house) (door http.Handler, token func(family.InstitutionCode) string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	token = func(place family.InstitutionCode) string {
		text, err := jwt.Signed(signer).Claims(map[string]any{"iss": "bench", "aud": "gongji", "sub": "x", "fixmedins_code": string(place), "exp": noon.Unix() + 3600}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	verifier := api.NewVerifier("bench", "gongji", &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{&key.PublicKey}}, h.clock.Now)
	return api.New(api.Options{App: h.App, Verifier: verifier}), token
}

// BenchmarkDoors settles the same purchases through both doors, over the same house:
// the national interface aims at 0.8 of the JSON door's settlements a second.
func BenchmarkDoors(b *testing.B) {
	// The store lies in memory where it can, so that a disk's time hides nothing.
	for _, door := range []string{"json", "his"} {
		b.Run(door, func(b *testing.B) {
			h := newHouse(b)
			h.pay(mother, 1_000_000_000)
			other, tokens := jsonDoor(b, h)
			token := tokens(pharmacy)
			line := drug("1", drugA, "1", "0.01", "0.01")
			b.ReportAllocs()
			for n := range b.N {
				id := fmt.Sprintf("%s20261121%06d%04d", pharmacy, (n/10_000)%10_000, n%10_000)
				w := httptest.NewRecorder()
				if door == "his" {
					body, err := json.Marshal(message("2102", id, in{
						"druginfo":   with(in{"psn_no": string(mother), "medfee_sumamt": "0.01", "acct_used_flag": "1", "med_type": "41"}, byID(mother)),
						"drugdetail": []in{line},
					}))
					if err != nil {
						b.Fatal(err)
					}
					r := httptest.NewRequest(http.MethodPost, callService, bytes.NewReader(body))
					h.signed(r, "2102", pharmacy)
					r.Header.Set("_api_timestamp", fmt.Sprint(noon.UnixMilli()+int64(n)%1_000_000))
					r.Header.Set("_api_signature", signAPI("AK"+string(pharmacy), "SK-"+string(pharmacy), "2102", r.Header.Get("_api_timestamp"), "1.0.0"))
					h.door.ServeHTTP(w, r)
					if !bytes.Contains(w.Body.Bytes(), []byte(`"infcode":0`)) {
						b.Fatalf("%d %s", w.Code, w.Body)
					}
					continue
				}
				body, err := json.Marshal(in{
					"message_id": id, "credential": in{"type": "id", "value": the(mother).id, "name": the(mother).name}, "med_type": string(family.PharmacyBuy), "total_fen": 1,
					"lines": []in{{"line_no": 1, "code": drugA, "name": "甲类药", "quantity": "1", "unit_price_fen": 1, "amount_fen": 1}},
				})
				if err != nil {
					b.Fatal(err)
				}
				r := httptest.NewRequest(http.MethodPost, "/v1/settlements", bytes.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Authorization", "Bearer "+token)
				other.ServeHTTP(w, r)
				if w.Code != http.StatusCreated {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
}
