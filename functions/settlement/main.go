// Command settlement is the Lambda function for hospitals and pharmacies: quotes,
// settlements, reversals, refunds and what became of a message.
//
// It serves the whole JSON door. template.yaml says which paths reach it and what it
// may do to the table.
package main

import (
	"net/http"
	"time"

	"gongji/shared/api"
	"gongji/shared/onaws"
)

func main() {
	onaws.Serve(func(h *onaws.House) http.Handler {
		return api.New(api.Options{
			App:      h.App,
			Verifier: api.NewVerifier(h.Issuer, h.Audience, h.KeySet, time.Now),
			Gate:     h.Gate,
			Log:      h.Log,
		})
	})
}
