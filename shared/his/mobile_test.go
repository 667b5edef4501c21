package his

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
)

// The vectors of domain 3.6.
const (
	vectorApp    = "0F0822652EB7CB91A644E638FBE9941E"
	vectorSecret = "30BFE2B0C715E516E5EDF21E289DA826"
)

func TestSM4Vectors(t *testing.T) {
	key, err := secKey(vectorApp, vectorSecret)
	if err != nil || key != "1819F24C758EB2EB" {
		t.Fatalf("%s %v", key, err)
	}
	for text, want := range map[string]string{
		"a":                 "C212E76D030FD8B4790096B02EFA9EEC",
		`{"userName":"测试"}`: "B16954387EBFAF8BFE36BFA1CA3A574B5C65A222062E73C1EC3CA5E4C2D90EAD",
	} {
		sealed, err := sm4Seal(key, []byte(text))
		if err != nil || sealed != want {
			t.Errorf("%s: %s %v", text, sealed, err)
		}
		if back, err := sm4Open(key, want); err != nil || string(back) != text {
			t.Errorf("%s: %s %v", want, back, err)
		}
	}
	for _, wrong := range []string{"", "00", "zz", "C212E76D030FD8B4790096B02EFA9EED", "C212E76D030FD8B4790096B02EFA9E"} {
		if text, err := sm4Open(key, wrong); err == nil {
			t.Errorf("%q opens: %q", wrong, text)
		}
	}
}

// TestToSign: names sorted at every level, what is empty left out, compact.
func TestToSign(t *testing.T) {
	data, err := parse([]byte(`{"b":1.50,"a":{"z":"","y":[{"d":null,"c":"<&>"}]},"e":""}`))
	if err != nil {
		t.Fatal(err)
	}
	got := string(toSign("A", "SM4", "SM2", "1", "2.0.1", data, "S"))
	if want := `appId=A&data={"a":{"y":[{"c":"<&>"}]},"b":1.50}&encType=SM4&signType=SM2&timestamp=1&version=2.0.1&key=S`; got != want {
		t.Errorf("%s", got)
	}
}

// phone is an app of the pharmacy's.
type phone struct {
	*house
	theirs *sm2.PrivateKey
	ours   smKeys
}

func newPhone(h *house) *phone {
	pair := func() (*sm2.PrivateKey, string, string) {
		key := ok(sm2.GenerateKey(rand.Reader))(h.t)
		public := ok(smx509.MarshalPKIXPublicKey(&key.PublicKey))(h.t)
		private := ok(smx509.MarshalPKCS8PrivateKey(key))(h.t)
		return key, base64.StdEncoding.EncodeToString(public), base64.StdEncoding.EncodeToString(private)
	}
	theirs, public, _ := pair()
	_, _, private := pair()
	secret := vectorSecret + "." + public + "." + private
	ok(h.FeedSigningKey(h.t.Context(), family.Reviewer{Subject: "operator"}, app.SigningKey{ID: vectorApp, Institution: pharmacy, Scheme: app.SchemeSM, Secret: secret}))(h.t)
	return &phone{h, theirs, ok(parseSMKeys(secret))(h.t)}
}

// ask sends an encrypted message; spoil may change the envelope.
func (p *phone) ask(infno, msgid string, input any, spoil func(object)) response {
	p.t.Helper()
	text, err := json.Marshal(message(infno, msgid, input))
	if err != nil {
		p.t.Fatal(err)
	}
	data := ok(parse(text))(p.t)
	key := ok(secKey(vectorApp, vectorSecret))(p.t)
	at := strconv.FormatInt(p.clock.Now().UnixMilli()+p.sent.Add(1)%60_000, 10)
	env := object{
		"appId": vectorApp, "encType": "SM4", "signType": "SM2", "timestamp": at, "version": "2.0.1", "encData": ok(sm4Seal(key, text))(p.t),
		"signData": ok(smSign(p.theirs, toSign(vectorApp, "SM4", "SM2", at, "2.0.1", data, vectorSecret)))(p.t),
	}
	if spoil != nil {
		spoil(env)
	}
	body, err := json.Marshal(env)
	if err != nil {
		p.t.Fatal(err)
	}
	w := httptest.NewRecorder()
	p.door.ServeHTTP(w, httptest.NewRequest(http.MethodPost, Prefix+mobilePath, bytes.NewReader(body)))
	out := response{status: w.Code, header: w.Header(), body: w.Body.Bytes()}
	var sealed sealedMessage
	if err := json.Unmarshal(out.body, &sealed); err == nil && sealed.EncData != "" {
		out.body = ok(sm4Open(key, sealed.EncData))(p.t)
		back := ok(parse(out.body))(p.t)
		if !smVerify(&p.ours.ours.PublicKey, toSign(sealed.AppID, sealed.EncType, sealed.SignType, sealed.Time, sealed.Version, back, vectorSecret), sealed.SignData) {
			p.t.Error("the answer is not signed by us")
		}
	}
	if err := json.Unmarshal(out.body, &out.reply); err != nil {
		p.t.Fatalf("%v: %s", err, out.body)
	}
	return out
}

// TestMobile: a code is decoded and an order paid through the encrypted envelope.
func TestMobile(t *testing.T) {
	h := newHouse(t)
	h.pay(mother, 10000)
	p := newPhone(h)
	token := p.ask("6101", h.msgid(pharmacy), in{"data": in{"ecQrCode": h.show(mother, h.bind())}}, nil).text("ecToken")
	id := h.msgid(pharmacy)
	order := p.ask("6201", id, purchase(byToken(token), e14...), nil)
	if order.Infcode != 0 || order.text("payOrdId") != id || order.text("ordStas") != "0" || order.text("ownPayAmt") != "97.90" || h.balance(mother) != 10000 {
		t.Fatalf("%s", order.body)
	}
	pay := in{"data": in{"payOrdId": id}}
	for range 2 { // by two messages, and paid once
		paid := p.ask("6202", h.msgid(pharmacy), pay, nil)
		if paid.Infcode != 0 || paid.text("ordStas") != "6" || paid.text("setlinfo", "setl_id") != id || h.balance(mother) != 0 {
			t.Fatalf("%s", paid.body)
		}
	}
	back := p.ask("6203", h.msgid(pharmacy), in{"data": in{"payOrdId": id, "psn_no": string(child), "refdType": "ALL"}}, nil)
	if back.text("refStatus") != "SUCC" || back.text("totlRefdAmt") != "197.90" || h.balance(mother) != 10000 {
		t.Errorf("%s", back.body)
	}
	if found := p.ask("6301", h.msgid(pharmacy), pay, nil); found.text("ordStas") != "7" {
		t.Errorf("%s", found.body)
	}
	h.wantRefused(p.ask("2102", h.msgid(pharmacy), purchase(byToken(token), e14...), nil), family.Unsupported)
	for name, spoil := range map[string]func(object){
		"another's id":       func(o object) { o["appId"] = "0F0822652EB7CB91A644E638FBE99410" },
		"a changed message":  func(o object) { s := o["encData"].(string); o["encData"] = s[32:] + s[:32] },
		"a wrong signature":  func(o object) { o["signData"] = base64.StdEncoding.EncodeToString(make([]byte, 64)) },
		"another's signture": func(o object) { o["version"] = "1.0.0" },
		"too old":            func(o object) { o["timestamp"] = "1700000000" },
	} {
		if got := p.ask("6101", h.msgid(pharmacy), in{"data": in{}}, spoil); got.status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	h.books()
}
