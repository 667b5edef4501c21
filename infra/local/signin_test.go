package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"gongji/infra/demo"
)

// browser is what is needed of one: it keeps cookies and shows where it is sent.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

const verifier = "a-verifier-of-more-than-forty-three-characters"

func signInAsk(base string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{
		"response_type": {"code"}, "client_id": {webClient}, "redirect_uri": {base + "/"}, "scope": {"openid"}, "state": {"st"}, "nonce": {"no"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
}

// send sends a form, or asks with it, and returns the status, where it leads and the text.
func send(t *testing.T, b *http.Client, method, address string, form url.Values) (int, *url.URL, string) {
	t.Helper()
	body := ""
	if method == "GET" {
		address += "?" + form.Encode()
	} else {
		body = form.Encode()
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := b.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(answer.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, to, string(text)
}

// with returns a form with one field changed; an empty value takes it away.
func with(form url.Values, name, value string) url.Values {
	changed := url.Values{}
	for k, v := range form {
		changed[k] = v
	}
	changed.Set(name, value)
	if value == "" {
		changed.Del(name)
	}
	return changed
}

// TestSignIn signs the mother in as the pages do, and then tries what an attacker would.
func TestSignIn(t *testing.T) {
	h := launch(t, "-data", t.TempDir())
	h.hear(t)
	b, ask := browser(t), signInAsk(h.base)
	oidc := h.base + issuerPath

	status, _, page := send(t, b, "GET", oidc+"/authorize", ask)
	if status != http.StatusOK || !strings.Contains(page, "王芳") || !strings.Contains(page, "长沙示例大药房") || strings.Contains(page, "<script") {
		t.Fatalf("%d %s", status, page)
	}
	choose := with(ask, "who", "person:"+demo.Mother)
	status, to, _ := send(t, b, "POST", oidc+"/authorize", choose)
	if status != http.StatusSeeOther || !strings.HasPrefix(to.String(), h.base+"/?") || to.Query().Get("state") != "st" || to.Query().Get("iss") != oidc {
		t.Fatalf("%d %s", status, to)
	}
	exchange := url.Values{"grant_type": {"authorization_code"}, "code": {to.Query().Get("code")}, "redirect_uri": {h.base + "/"}, "client_id": {webClient}, "code_verifier": {verifier}}
	status, _, text := send(t, b, "POST", oidc+"/token", exchange)
	answer := decode[struct {
		Access string `json:"access_token"`
		ID     string `json:"id_token"`
	}](t, []byte(text))
	if status != http.StatusOK || answer.Access == "" {
		t.Fatalf("%d %s", status, text)
	}
	var me struct {
		Person string `json:"person_no"`
	}
	if _, err := h.call(t.Context(), request{method: "GET", path: "/v1/me", token: answer.Access}, &me); err != nil || me.Person != demo.Mother {
		t.Errorf("%+v %v", me, err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(answer.ID, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	if id := decode[map[string]any](t, payload); id["nonce"] != "no" || id["aud"] != webClient || id["iss"] != oidc {
		t.Errorf("the ID token says %v", id)
	}
	// An ID token opens no door: it is for the pages.
	if _, err := h.call(t.Context(), request{method: "GET", path: "/v1/me", token: answer.ID}, nil); err == nil {
		t.Error("the ID token was taken for an access token")
	}

	if status, _, text := send(t, b, "POST", oidc+"/token", exchange); status != http.StatusBadRequest || !strings.Contains(text, "invalid_grant") {
		t.Errorf("the same code again: %d %s", status, text)
	}
	again := func() url.Values {
		_, to, _ := send(t, b, "POST", oidc+"/authorize", choose)
		return with(exchange, "code", to.Query().Get("code"))
	}
	for _, wrong := range [][2]string{{"code_verifier", "another"}, {"code_verifier", ""}, {"redirect_uri", "https://evil.example/"}, {"client_id", "other"}, {"grant_type", "password"}} {
		if status, _, text := send(t, b, "POST", oidc+"/token", with(again(), wrong[0], wrong[1])); status != http.StatusBadRequest || strings.Contains(text, "access_token") {
			t.Errorf("%v: %d %s", wrong, status, text)
		}
	}
	for _, wrong := range [][2]string{{"redirect_uri", "https://evil.example/"}, {"client_id", "other"}} {
		for _, method := range []string{"GET", "POST"} {
			if status, to, _ := send(t, b, method, oidc+"/authorize", with(choose, wrong[0], wrong[1])); status != http.StatusBadRequest || to.String() != "" {
				t.Errorf("%s with %v: %d %s", method, wrong, status, to)
			}
		}
	}
	for _, wrong := range [][2]string{{"code_challenge_method", "plain"}, {"code_challenge", ""}, {"response_type", "token"}} {
		if _, to, _ := send(t, b, "GET", oidc+"/authorize", with(ask, wrong[0], wrong[1])); to.Query().Get("error") != "invalid_request" || to.Query().Has("code") {
			t.Errorf("%v: %s", wrong, to)
		}
	}
	for _, who := range []string{"", "person:", "person:no one", "institution:X", "roles:operator,auditor", "roles:everything"} {
		if status, to, _ := send(t, b, "POST", oidc+"/authorize", with(ask, "who", who)); status != http.StatusBadRequest || to.String() != "" {
			t.Errorf("as %q: %d %s", who, status, to)
		}
	}

	// After a reload the browser is known, as whom it was and nobody else, until it is
	// signed out.
	quiet := with(with(ask, "prompt", "none"), "login_hint", claims{Person: demo.Mother}.subject())
	if _, to, _ := send(t, b, "GET", oidc+"/authorize", quiet); !to.Query().Has("code") {
		t.Errorf("after a reload: %s", to)
	}
	if _, to, _ := send(t, b, "GET", oidc+"/authorize", with(quiet, "login_hint", claims{Person: demo.Father}.subject())); to.Query().Get("error") != "login_required" {
		t.Errorf("as somebody else: %s", to)
	}
	if _, to, _ := send(t, browser(t), "GET", oidc+"/authorize", quiet); to.Query().Get("error") != "login_required" {
		t.Errorf("another browser: %s", to)
	}
	send(t, b, "GET", oidc+"/logout", url.Values{"id_token_hint": {answer.ID}})
	if _, to, _ := send(t, b, "GET", oidc+"/authorize", quiet); to.Query().Get("error") != "login_required" {
		t.Errorf("after signing out: %s", to)
	}

	// Keys and endpoints are where the discovery document says.
	_, _, text = send(t, b, "GET", oidc+"/.well-known/openid-configuration", nil)
	var found struct{ Issuer, JWKS string }
	if err := json.Unmarshal([]byte(strings.Replace(text, `"jwks_uri"`, `"JWKS"`, 1)), &found); err != nil || found.Issuer != oidc {
		t.Fatalf("%s %v", text, err)
	}
	if _, _, keys := send(t, b, "GET", found.JWKS, nil); !strings.Contains(keys, `"kty":"RSA"`) || strings.Contains(keys, `"d":`) {
		t.Errorf("the keys: %s", keys)
	}
}

// TestOneName: a page asked for by another of this machine's names is sent to the one
// that the issuer knows.
func TestOneName(t *testing.T) {
	h := launch(t, "-data", t.TempDir(), "-demo=false")
	port := h.base[strings.LastIndexByte(h.base, ':'):]
	if status, to, _ := send(t, browser(t), "GET", "http://localhost"+port+"/", nil); status != http.StatusTemporaryRedirect || to.String() != h.base+"/" {
		t.Errorf("%d %s", status, to)
	}
	status, _, page := send(t, browser(t), "GET", h.base+"/", nil)
	if status != http.StatusOK || !strings.Contains(page, "<!doctype html>") {
		t.Errorf("%d %s", status, page)
	}
	if status, _, page := send(t, browser(t), "GET", h.base+"/v1/none", nil); status != http.StatusNotFound || !strings.Contains(page, "not_found") {
		t.Errorf("the door's own answer: %d %s", status, page)
	}
}
