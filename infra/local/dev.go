package main

import (
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gongji/shared/family"
)

// devDoors are the doors for developers, in front of the house's own. They exist in
// no other composition: with them anybody can be anybody.
type devDoors struct {
	tokens      *issuer
	clock       *clock
	next        http.Handler
	allowRemote bool
}

// ServeHTTP implements http.Handler.
func (d *devDoors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var open func(*http.Request) (any, error)
	switch r.Method + " " + r.URL.Path {
	case "POST /dev/token":
		open = d.token
	case "POST /dev/clock":
		open = d.moveClock
	default:
		d.next.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	answer, err := any(nil), d.checkOrigin(r)
	if err == nil {
		answer, err = open(r)
	}
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // the client has gone; there is nobody to tell
}

// checkOrigin keeps other people's web pages out: a page that the developer has
// open in his browser reaches this machine too, by its address or by a name of its
// own that resolves to it.
func (d *devDoors) checkOrigin(r *http.Request) error {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return &family.Refusal{Code: family.NotPermitted, Detail: "not for the pages of another origin"}
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil { // no port
		host = strings.Trim(r.Host, "[]")
	}
	if ip := net.ParseIP(host); d.allowRemote || host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return &family.Refusal{Code: family.NotPermitted, Field: "Host", Detail: "only under a name of this machine"}
}

// roles are those that a token can carry.
var roles = []string{"operator", "reviewer", "auditor"}

// token answers POST /dev/token.
func (d *devDoors) token(r *http.Request) (any, error) {
	var c claims
	if err := readFields(r, map[string]any{"person_no": &c.Person, "fixmedins_code": &c.Institution, "roles": &c.Roles}); err != nil {
		return nil, err
	}
	if c.Person == "" && c.Institution == "" && len(c.Roles) == 0 {
		return nil, &family.Refusal{Code: family.Malformed, Detail: "name a person_no, a fixmedins_code or roles"}
	}
	if c.Person != "" {
		if _, err := family.ParsePersonNo(c.Person); err != nil {
			return nil, family.Faulty("person_no", err)
		}
	}
	if c.Institution != "" {
		if _, err := family.ParseInstitutionCode(c.Institution); err != nil {
			return nil, family.Faulty("fixmedins_code", err)
		}
	}
	for i, role := range c.Roles {
		if !slices.Contains(roles, role) || slices.Contains(c.Roles[:i], role) {
			return nil, &family.Refusal{Code: family.Malformed, Field: "roles[" + strconv.Itoa(i) + "]", Allowed: "operator, reviewer, auditor, each once"}
		}
	}
	token, err := d.tokens.token(c)
	if err != nil {
		return nil, err
	}
	return struct {
		Token     string `json:"token"`
		ExpiresIn int    `json:"expires_in"`
	}{token, int(tokenLife / time.Second)}, nil
}

// moveClock answers POST /dev/clock.
func (d *devDoors) moveClock(r *http.Request) (any, error) {
	seconds := int64(-1)
	if err := readFields(r, map[string]any{"advance_seconds": &seconds}); err != nil {
		return nil, err
	}
	const most = int64(maxAhead / time.Second)
	if seconds < 0 || seconds > most || !d.clock.advance(time.Duration(seconds)*time.Second) {
		return nil, &family.Refusal{
			Code: family.Malformed, Field: "advance_seconds",
			Allowed: "0 to " + strconv.FormatInt(most, 10) + " in all", Detail: "the clock goes forward only, and not beyond its bound",
		}
	}
	return struct {
		Now string `json:"now"`
	}{d.clock.Now().UTC().Format(time.RFC3339)}, nil
}
