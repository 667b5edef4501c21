package api

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// unsigned writes a token whose header and signature are as one likes.
func unsigned(t testing.TB, header string, claims map[string]any, signature string) string {
	t.Helper()
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode(text) + "." + signature
}

// signText signs a text that need not be claims.
func signText(t testing.TB, text string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: signingKey()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// TestTokens tries tokens that are wrong in one way each.
func TestTokens(t *testing.T) {
	h := fedHouse(t)
	now := h.clock()
	mothers := map[string]any{"person_no": mother}
	with := func(name string, value any) string {
		return h.token(map[string]any{"person_no": mother, name: value})
	}
	public := signingKey().Public()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	otherKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := h.person(mother)
	parts := strings.Split(good, ".")
	hmac := func(key []byte) string { return sign(t, jose.HS256, key, h.claims(mothers)) }
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})

	for name, c := range map[string]struct {
		token string
		want  string // 200, 401 or 403
	}{
		"good":                               {good, "200"},
		"good, for several audiences":        {with("aud", []string{"others", audience}), "200"},
		"good, valid since now":              {with("nbf", now.Unix()), "200"},
		"good, with claims that nobody asks": {with("scope", "everything"), "200"},
		"good, without a kind of caller":     {h.token(nil), "403"},

		"not signed":                     {unsigned(t, `{"alg":"none"}`, h.claims(mothers), ""), "401"},
		"not signed, in capitals":        {unsigned(t, `{"alg":"None","typ":"JWT"}`, h.claims(mothers), ""), "401"},
		"not signed, with a signature":   {unsigned(t, `{"alg":"none"}`, h.claims(mothers), parts[2]), "401"},
		"no algorithm":                   {unsigned(t, `{}`, h.claims(mothers), parts[2]), "401"},
		"the signature taken off":        {parts[0] + "." + parts[1] + ".", "401"},
		"two parts":                      {parts[0] + "." + parts[1], "401"},
		"four parts":                     {good + "." + parts[2], "401"},
		"another's claims":               {parts[0] + "." + strings.Split(h.person(stranger), ".")[1] + "." + parts[2], "401"},
		"hmac with the public key":       {hmac(der), "401"},
		"hmac with the public key's PEM": {hmac(publicPEM), "401"},
		"hmac with the modulus":          {hmac(signingKey().N.Bytes()), "401"},
		"RS384":                          {sign(t, jose.RS384, signingKey(), h.claims(mothers)), "401"},
		"PS256":                          {sign(t, jose.PS256, signingKey(), h.claims(mothers)), "401"},
		"an unknown key":                 {sign(t, jose.RS256, otherKey, h.claims(mothers)), "401"},
		"a key that it brings itself": {unsigned(t, `{"alg":"RS256","jku":"https://evil.test/keys","jwk":{"kty":"RSA","n":"`+
			base64.RawURLEncoding.EncodeToString(otherKey.N.Bytes())+`","e":"AQAB"}}`, h.claims(mothers), parts[2]), "401"},
		"a critical header": {unsigned(t, `{"alg":"RS256","crit":["b64"],"b64":false}`, h.claims(mothers), parts[2]), "401"},

		"expired":               {with("exp", now.Add(-time.Second).Unix()), "401"},
		"expires never":         {with("exp", nil), "401"},
		"expires at no time":    {with("exp", "tomorrow"), "401"},
		"not yet":               {with("nbf", now.Add(time.Hour).Unix()), "401"},
		"another audience":      {with("aud", "others"), "401"},
		"no audience":           {with("aud", nil), "401"},
		"an empty audience":     {with("aud", []string{}), "401"},
		"another issuer":        {with("iss", "https://evil.test"), "401"},
		"an issuer with a path": {with("iss", issuer+"/"), "401"},
		"no issuer":             {with("iss", nil), "401"},

		"claims that are a list": {signText(t, `["person_no","`+mother+`"]`), "401"},
		"huge":                   {with("pad", strings.Repeat("x", 9000)), "401"},
		"huge rubbish":           {strings.Repeat("A", 1<<20), "401"},
		"rubbish":                {"\x00\x01", "401"},
		"dots":                   {"..", "401"},

		"a person who is a number":       {with("person_no", 430100000001), "401"},
		"a person who is a list":         {with("person_no", []string{mother}), "401"},
		"a person with a blank":          {with("person_no", "430100 000001"), "401"},
		"a person with a path":           {with("person_no", "../"+mother), "401"},
		"a person in other digits":       {with("person_no", "４３０１"), "401"},
		"a person too long":              {with("person_no", strings.Repeat("1", 31)), "401"},
		"a person who is empty":          {with("person_no", ""), "403"},
		"a person who is null":           {with("person_no", nil), "403"},
		"a person in other letters":      {h.token(map[string]any{"Person_No": mother}), "403"},
		"an institution that is none":    {with("fixmedins_code", "H1"), "401"},
		"an institution in small":        {with("fixmedins_code", strings.ToLower(hospital)), "401"},
		"an institution that is a list":  {with("fixmedins_code", []string{hospital}), "401"},
		"roles that are a text":          {with("roles", "operator"), "401"},
		"roles that are numbers":         {with("roles", []int{1}), "401"},
		"a person whom nobody has heard": {h.person("430100999999"), "404"},
	} {
		r := h.ask(c.token, "GET", "/v1/account", nil)
		if !strings.HasPrefix(heard(t, r), c.want) {
			t.Errorf("%s: %d, not %s\n%s", name, r.status, c.want, r.body)
		}
	}
	if heard(t, h.ask(h.role("Operator", "operators", "operator "), "GET", "/v1/proofs/20261121", nil)) != "403 not_permitted" {
		t.Error("a role that is nearly one is one")
	}
	h.advance(time.Hour + time.Second)
	if heard(t, h.ask(good, "GET", "/v1/me", nil)) != "401 unauthenticated" {
		t.Error("the token outlives its hour")
	}
}

// TestTokenStandsInOneHeader: nowhere else is a token looked for, and the first of
// two is the one.
func TestTokenStandsInOneHeader(t *testing.T) {
	h := fedHouse(t)
	token := h.person(mother)
	for name, change := range map[string]func(*http.Request){
		"another scheme":    func(r *http.Request) { r.Header.Set("Authorization", "Basic "+token) },
		"no scheme":         func(r *http.Request) { r.Header.Set("Authorization", token) },
		"the scheme alone":  func(r *http.Request) { r.Header.Set("Authorization", "Bearer") },
		"an empty token":    func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") },
		"in the query":      func(r *http.Request) { r.URL.RawQuery = "access_token=" + token },
		"in a cookie":       func(r *http.Request) { r.Header.Set("Cookie", "token="+token+"; Authorization=Bearer "+token) },
		"in another header": func(r *http.Request) { r.Header.Set("X-Authorization", "Bearer "+token) },
		"for the proxy":     func(r *http.Request) { r.Header.Set("Proxy-Authorization", "Bearer "+token) },
		"second":            func(r *http.Request) { r.Header["Authorization"] = []string{"Bearer x", "Bearer " + token} },
		"two in one":        func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token+", Bearer "+token) },
	} {
		r := httptest.NewRequest("GET", "/v1/me", nil)
		change(r)
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: %d\n%s", name, w.Code, w.Body)
		}
	}
	if r := h.ask("", "GET", "/v1/me", nil, "Authorization", "bearer "+token); r.status != 200 {
		t.Errorf("the scheme in small letters: %d", r.status)
	}
}

// TestClaimsOnly: who asks is what the token says, whatever else the request says.
func TestClaimsOnly(t *testing.T) {
	h := fedHouse(t)
	says := []string{
		"X-Person-No", mother, "Person-No", mother, "person_no", mother, "X-Fixmedins-Code", hospital, "X-Roles", "operator", "X-User-Id", mother,
		"X-Forwarded-User", mother, "X-Amzn-Request-Context", `{"authorizer":{"jwt":{"claims":{"person_no":"` + mother + `"}}}}`,
		"X-Amz-Apigw-Claims", `{"person_no":"` + mother + `"}`, "Cookie", "person_no=" + mother, "X-HTTP-Method-Override", "DELETE", "X-Original-URL", "/v1/account",
	}
	strangers := h.person(stranger)
	for _, path := range []string{"/v1/me", "/v1/me?person_no=" + mother, "/v1/me?sub=" + mother + "&roles=operator"} {
		if me := h.ask(strangers, "GET", path, nil, says...).json(t); me["person_no"] != stranger {
			t.Errorf("%s: the stranger is %v", path, me["person_no"])
		}
	}
	for _, c := range []struct{ token, method, path, body, want, field string }{
		{strangers, "POST", "/v1/bindings", `{"person_no":"` + mother + `","name":"李小乐","id_no":"430102201801150017","relation":"30","show":true}`, "400 malformed", "person_no"},
		{strangers, "POST", "/v1/bindings", `{"holder":{"person_no":"` + mother + `"},"name":"李小乐","id_no":"430102201801150017","relation":"30","show":true}`, "400 malformed", "holder"},
		{strangers, "POST", "/v1/qr", `{"presenter":"` + mother + `"}`, "400 malformed", "presenter"},
		{strangers, "POST", "/v1/qr", `{"patient":"` + mother + `"}`, "400 malformed", "patient"},
		{strangers, "GET", "/v1/proofs/20261121?roles=operator", "", "403 not_permitted", ""},
		{h.place(otherPlace), "POST", "/v1/quotes", strings.Replace(tillBill, `"med_type"`, `"fixmedins_code":"`+hospital+`","med_type"`, 1), "400 malformed", "fixmedins_code"},
		{h.place(otherPlace), "POST", "/v1/settlements", strings.Replace(tillBill, "MESSAGE", h.messageID(hospital), 1), "400 malformed", "message_id"},
		{h.place(otherPlace), "POST", "/v1/settlements/" + h.messageID(otherPlace) + "/reversal", `{"message_id":"` + h.messageID(hospital) + `","reason":"x"}`, "400 malformed", "message_id"},
		{h.place(otherPlace), "POST", "/v1/settlements/" + h.messageID(otherPlace) + "/refunds", `{"message_id":"` + h.messageID(hospital) + `","lines":[{"line_no":1,"quantity":"1"}]}`, "400 malformed", "message_id"},
		{h.place(hospital), "GET", "/v1/me", "", "403 not_permitted", ""},
	} {
		before := h.commits()
		var body any
		if c.body != "" {
			body = c.body
		}
		r := h.ask(c.token, c.method, c.path, body, says...)
		field, _ := r.json(t)["field"].(string)
		if got := heard(t, r); got != c.want || field != c.field || h.commits() != before {
			t.Errorf("%s %s %s: %s of %q, not %s of %q; %d commits\n%s", c.method, c.path, c.body, got, field, c.want, c.field, h.commits()-before, r.body)
		}
	}
}

// TestARememberedTokenEnds: a token that was found good is not verified again within
// the minute; it ends at its time all the same, and with the clock set back it is
// looked at anew. What was found bad is found bad again.
func TestARememberedTokenEnds(t *testing.T) {
	h := fedHouse(t)
	now := h.clock()
	keys := &counting{KeySet: &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{signingKey().Public()}}}
	v := NewVerifier(issuer, audience, keys, func() time.Time { return now })
	verify := func(token string, good bool, asked int) {
		t.Helper()
		c, err := v.verify(t.Context(), "Bearer "+token)
		if (err == nil) != good || good && c.person != mother {
			t.Errorf("%v: %v", c, err)
		}
		if keys.asked != asked {
			t.Errorf("%d signatures were verified, not %d", keys.asked, asked)
		}
	}
	token := h.token(map[string]any{"person_no": mother, "exp": now.Add(90 * time.Second).Unix()})
	verify(token, true, 1)
	verify(token, true, 1)
	verify(token[:len(token)-4]+"AAAA", false, 2)
	verify(token[:len(token)-4]+"AAAA", false, 3)
	now = now.Add(-time.Second)
	verify(token, true, 4)
	now = now.Add(remember)
	verify(token, true, 5)
	now = now.Add(32 * time.Second)
	verify(token, false, 6) // it says itself that it has ended
	for n := range maxKnown + 9 {
		v.keep(sha256.Sum256([]byte{byte(n), byte(n >> 8)}), caller{}, now)
	}
	if len(v.known) > maxKnown {
		t.Errorf("%d tokens are remembered", len(v.known))
	}
}

// counting counts the signatures that a key set verifies.
type counting struct {
	oidc.KeySet
	asked int
}

func (c *counting) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	c.asked++
	return c.KeySet.VerifySignature(ctx, token)
}
