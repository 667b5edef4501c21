// Command web is the Lambda function that serves the pages. It holds no keys and
// reads no table: what the pages show they ask the other functions for.
package main

import (
	"net/http"

	"gongji/shared/gateway"
	"gongji/shared/web"
)

func main() {
	gateway.ServePages(func(issuer, client, uploads string) (http.Handler, error) {
		return web.New(web.Options{Issuer: issuer, ClientID: client, Uploads: uploads})
	})
}
