// Command his is the Lambda function for the systems of hospitals and pharmacies that
// speak the national interface. They sign each request; no token is asked for.
package main

import (
	"net/http"

	"gongji/shared/his"
	"gongji/shared/onaws"
)

func main() {
	onaws.Serve(func(h *onaws.House) http.Handler { return his.New(his.Options{App: h.App, Gate: h.Gate, Log: h.Log}) })
}
