package main

import (
	"net"
	"net/http"
	"strings"

	"gongji/shared/his"
	"gongji/shared/web"
)

// frontDoor shares one address among the pages, the issuer's sign-in and the house's
// own doors, as API Gateway does with its default route.
type frontDoor struct {
	base   string
	signIn *signIn
	pages  *web.Pages
	his    http.Handler
	next   http.Handler
}

// ServeHTTP implements http.Handler.
func (f *frontDoor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, issuerPath+"/"):
		f.signIn.ServeHTTP(w, r)
	case r.URL.Path == "/" && r.Method == http.MethodGet && f.byAnotherName(r):
		http.Redirect(w, r, f.base+"/", http.StatusTemporaryRedirect)
	case strings.HasPrefix(r.URL.Path, his.Prefix):
		f.his.ServeHTTP(w, r)
	case f.pages.Has(r.URL.Path):
		f.pages.ServeHTTP(w, r)
	default:
		f.next.ServeHTTP(w, r)
	}
}

// byAnotherName tells whether a page was asked for at another of this machine's names
// than the issuer's. A page at localhost and an issuer at 127.0.0.1 are two origins to
// a browser, and the one may not ask the other for a token.
func (f *frontDoor) byAnotherName(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return (host == "localhost" || ip != nil && ip.IsLoopback()) && "http://"+r.Host != f.base
}
