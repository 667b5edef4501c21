package main

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"gongji/infra/demo"
	"gongji/shared/family"

	"github.com/go-jose/go-jose/v4"
)

// webClient is the pages' name at the issuer.
const webClient = "gongji-web"

// signIn is OpenID Connect's authorization code flow with PKCE for the one client that
// the pages are. In place of a password it asks whom one would like to be.
type signIn struct {
	tokens   *issuer
	redirect string // the one address that codes are sent to
	guests   []guest
	routes   *http.ServeMux

	mu       sync.Mutex
	codes    map[string]grantedCode
	sessions map[string]claims // by what lies in the browser's cookie
	order    []string          // the sessions, oldest first
}

// grantedCode is a sign-in that the pages have not fetched yet.
type grantedCode struct {
	claims
	challenge, nonce string
	expires          time.Time
}

// Bounds of what is remembered.
const (
	codeLife    = time.Minute
	maxCodes    = 1000
	maxSessions = 1000
	maxCookie   = 16 // people that one browser is signed in as
)

// guest is somebody whom the page offers to be.
type guest struct {
	Who, Icon, NameZH, NameEN, MoreZH, MoreEN string
}

//go:embed signin.html
var signInPage string

//go:embed signin.css
var signInStyle []byte

var signInTemplate = template.Must(template.New("sign-in").Parse(signInPage))

func newSignIn(tokens *issuer, base string, withDemo bool) (*signIn, error) {
	s := &signIn{tokens: tokens, redirect: base + "/", codes: map[string]grantedCode{}, sessions: map[string]claims{}, routes: http.NewServeMux()}
	if withDemo {
		s.guests = demoGuests
	}
	s.guests = append(s.guests[:len(s.guests):len(s.guests)], officers...)
	s.routes.HandleFunc("GET "+issuerPath+"/.well-known/openid-configuration", s.discovery)
	s.routes.HandleFunc("GET "+issuerPath+"/jwks", s.keys)
	s.routes.HandleFunc("GET "+issuerPath+"/authorize", s.ask)
	s.routes.Handle("POST "+issuerPath+"/authorize", http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.chosen)))
	s.routes.HandleFunc("POST "+issuerPath+"/token", s.exchange)
	s.routes.HandleFunc("GET "+issuerPath+"/logout", s.logout)
	s.routes.HandleFunc("GET "+issuerPath+"/style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(signInStyle)
	})
	return s, nil
}

// demoGuests are the demo region's people and places, as infra/demo feeds them.
var demoGuests = []guest{
	{"person:" + demo.Mother, "family", "王芳", "Wang Fang", "母亲，在职，有个人账户", "mother, in work, with an account"},
	{"person:" + demo.Child, "family", "李小雨", "Li Xiaoyu", "女儿，8 岁，居民医保", "daughter, 8, residents' insurance"},
	{"person:" + demo.Father, "family", "李强", "Li Qiang", "父亲，在职，有个人账户", "father, in work, with an account"},
	{"person:" + demo.Grandmother, "family", "张桂英", "Zhang Guiying", "外婆，退休，账户里钱不多", "grandmother, retired, a small account"},
	{"institution:" + demo.Clinic, "till", "长沙示例社区卫生服务中心", "Clinic", "社区医院的收费窗口", "the till of a community clinic"},
	{"institution:" + demo.Hospital, "till", "长沙示例医院", "Hospital", "二级医院的收费窗口", "the till of a hospital"},
	{"institution:" + demo.Pharmacy, "till", "长沙示例大药房", "Pharmacy", "药店的收银台", "the till of a pharmacy"},
}

var officers = []guest{
	{"roles:reviewer", "desk", "审核员", "Reviewer", "审核绑定材料", "reviews the papers of bindings"},
	{"roles:operator,reviewer", "desk", "经办人员", "Operator", "审核、窗口代办、导入、起草规则、更正账户、对账", "reviews, serves the counter, feeds, drafts rules, proves the books"},
	{"roles:operator", "desk", "另一位经办人员", "Another operator", "第二个人：发布规则、给更正入账", "the second person: publishes rules, books adjustments"},
	{"roles:auditor", "desk", "审计员", "Auditor", "每日对账、规则测算", "proofs of the day, what-ifs of rules"},
}

// ServeHTTP implements http.Handler.
func (s *signIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	s.routes.ServeHTTP(w, r)
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone; there is nobody to tell
}

// discovery answers what OpenID Connect Discovery asks.
func (s *signIn) discovery(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, http.StatusOK, map[string]any{
		"issuer":                                s.tokens.name,
		"authorization_endpoint":                s.tokens.name + "/authorize",
		"token_endpoint":                        s.tokens.name + "/token",
		"jwks_uri":                              s.tokens.name + "/jwks",
		"end_session_endpoint":                  s.tokens.name + "/logout",
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported":                      []string{"openid"},
		"code_challenge_methods_supported":      []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"none"},
	})
}

func (s *signIn) keys(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{s.tokens.public}})
}

// known tells whether a request is the pages' own, sent back to the pages. What is not
// is never redirected: an open redirect would send codes anywhere.
func (s *signIn) known(ask url.Values) bool {
	return ask.Get("client_id") == webClient && ask.Get("redirect_uri") == s.redirect
}

// wellFormed tells whether a request asks for a code under PKCE.
func wellFormed(ask url.Values) bool {
	return ask.Get("response_type") == "code" && ask.Get("code_challenge_method") == "S256" && len(ask.Get("code_challenge")) == 43 &&
		len(ask.Get("state")) <= 500 && len(ask.Get("nonce")) <= 500
}

// ask shows whom one can be; with prompt=none it says at once who one is, if it knows.
func (s *signIn) ask(w http.ResponseWriter, r *http.Request) {
	ask := r.URL.Query()
	switch {
	case !s.known(ask):
		http.Error(w, "不认识的网页。An unknown client or redirect address.", http.StatusBadRequest)
	case !wellFormed(ask):
		s.back(w, r, ask, url.Values{"error": {"invalid_request"}})
	case ask.Get("prompt") == "none":
		for _, c := range s.remembered(r) {
			if c.subject() == ask.Get("login_hint") {
				s.grant(w, r, ask, c)
				return
			}
		}
		s.back(w, r, ask, url.Values{"error": {"login_required"}})
	default:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = signInTemplate.Execute(w, struct {
			Ask    url.Values
			Guests []guest
			EN     bool
			Demo   bool
		}{ask, s.guests, ask.Get("ui_locales") == "en", len(s.guests) > len(officers)}) // the client has gone; there is nobody to tell
	}
}

// chosen takes who was chosen, remembers it for the browser and goes back to the pages.
func (s *signIn) chosen(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || !s.known(r.PostForm) || !wellFormed(r.PostForm) {
		http.Error(w, "请从登录页面重新开始。Please start again at the sign-in page.", http.StatusBadRequest)
		return
	}
	who := r.PostForm.Get("who")
	if number := strings.TrimSpace(r.PostForm.Get("number")); number != "" && who == "" {
		who = "person:" + number
		if _, err := family.ParseInstitutionCode(number); err == nil {
			who = "institution:" + number
		}
	}
	c, ok := claimsOf(who)
	if !ok {
		http.Error(w, "没有这个人，也没有这家机构的编码。Neither a person number nor an institution code.", http.StatusBadRequest)
		return
	}
	s.remember(w, r, c)
	s.grant(w, r, r.PostForm, c)
}

// claimsOf reads "person:DEMO01", "institution:H…" or "roles:operator,reviewer".
func claimsOf(who string) (claims, bool) {
	kind, name, _ := strings.Cut(who, ":")
	switch kind {
	case "person":
		_, err := family.ParsePersonNo(name)
		return claims{Person: name}, err == nil
	case "institution":
		_, err := family.ParseInstitutionCode(name)
		return claims{Institution: name}, err == nil
	case "roles":
		for _, o := range officers {
			if o.Who == who {
				return claims{Roles: strings.Split(name, ",")}, true
			}
		}
	}
	return claims{}, false
}

// grant sends a one-time code back to the pages.
func (s *signIn) grant(w http.ResponseWriter, r *http.Request, ask url.Values, c claims) {
	now, code := time.Now(), rand.Text()
	s.mu.Lock()
	for old, g := range s.codes {
		if now.After(g.expires) || len(s.codes) >= maxCodes {
			delete(s.codes, old)
		}
	}
	s.codes[code] = grantedCode{c, ask.Get("code_challenge"), ask.Get("nonce"), now.Add(codeLife)}
	s.mu.Unlock()
	s.back(w, r, ask, url.Values{"code": {code}})
}

func (s *signIn) back(w http.ResponseWriter, r *http.Request, ask, answer url.Values) {
	answer.Set("state", ask.Get("state"))
	answer.Set("iss", s.tokens.name) // RFC 9207
	http.Redirect(w, r, s.redirect+"?"+answer.Encode(), http.StatusSeeOther)
}

// exchange gives tokens for a code, once, to whoever knows what its challenge was made of.
func (s *signIn) exchange(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != "authorization_code" || !s.known(r.PostForm) {
		answerJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_request"})
		return
	}
	s.mu.Lock()
	g, ok := s.codes[r.PostForm.Get("code")]
	delete(s.codes, r.PostForm.Get("code"))
	s.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	proof := base64.RawURLEncoding.EncodeToString(sum[:])
	if !ok || time.Now().After(g.expires) || subtle.ConstantTimeCompare([]byte(proof), []byte(g.challenge)) != 1 {
		answerJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	access, err := s.tokens.token(g.claims)
	if err == nil {
		var id string
		if id, err = s.tokens.idToken(g.claims, webClient, g.nonce); err == nil {
			answerJSON(w, http.StatusOK, map[string]any{"access_token": access, "id_token": id, "token_type": "Bearer", "expires_in": int(tokenLife / time.Second), "scope": "openid"})
			return
		}
	}
	answerJSON(w, http.StatusInternalServerError, map[string]string{"error": "server_error"})
}

// logout forgets who a browser was, of those it was, and goes back to the pages.
func (s *signIn) logout(w http.ResponseWriter, r *http.Request) {
	if hint, err := jose.ParseSignedCompact(r.URL.Query().Get("id_token_hint"), []jose.SignatureAlgorithm{jose.RS256}); err == nil {
		var c standard
		if text, err := hint.Verify(s.tokens.public.Key); err == nil && json.Unmarshal(text, &c) == nil {
			s.mu.Lock()
			for _, id := range cookieOf(r) {
				if known, ok := s.sessions[id]; ok && known.subject() == c.Subject {
					delete(s.sessions, id)
				}
			}
			s.mu.Unlock()
		}
	}
	http.Redirect(w, r, s.redirect, http.StatusSeeOther)
}

// cookieName is the issuer's own cookie. The pages cannot read it.
const cookieName = "gongji_issuer"

func cookieOf(r *http.Request) []string {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return nil
	}
	ids := strings.Split(c.Value, ".")
	return ids[:min(len(ids), maxCookie)]
}

// remembered returns whom a browser has signed in as.
func (s *signIn) remembered(r *http.Request) []claims {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []claims
	for _, id := range cookieOf(r) {
		if c, ok := s.sessions[id]; ok {
			all = append(all, c)
		}
	}
	return all
}

func (s *signIn) remember(w http.ResponseWriter, r *http.Request, c claims) {
	id := rand.Text()
	s.mu.Lock()
	s.sessions[id], s.order = c, append(s.order, id)
	if len(s.order) > maxSessions {
		delete(s.sessions, s.order[0])
		s.order = s.order[1:]
	}
	s.mu.Unlock()
	ids := append([]string{id}, cookieOf(r)...)
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: strings.Join(ids[:min(len(ids), maxCookie)], "."), Path: issuerPath, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
