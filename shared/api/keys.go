package api

import (
	"context"
	"net/http"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// keyFeed is a key by which an institution signs.
type keyFeed struct {
	Scheme string    `json:"scheme" enum:"api,tif,sm" doc:"api: headers _api_*, HMAC-SHA1; tif: headers x-tif-*, SHA-256; sm: the encrypted mobile envelope"`
	KeyID  string    `json:"key_id" minLength:"1" maxLength:"64" pattern:"^[!-~]+$" doc:"_api_access_key, x-tif-paasid or appId"`
	Secret string    `json:"secret" minLength:"8" maxLength:"512" pattern:"^[!-~]+$" doc:"Sealed on arrival and never shown again. sm: the app's secret, its SM2 public key (PKIX) and the platform's private key for it (PKCS #8), both in Base64, joined by points"`
	From   time.Time `json:"valid_from,omitempty" nullable:"true" doc:"First moment in force; absent is at once"`
	To     time.Time `json:"valid_to,omitempty" nullable:"true" doc:"First moment no longer in force; absent is open"`
}

// keyRoutes are for the keys by which institutions sign at the national interface.
func (d *door) keyRoutes() {
	type ask struct {
		Code        string `path:"code" maxLength:"12"`
		ContentType string `header:"Content-Type" hidden:"true"`
		RawBody     []byte `contentType:"application/x-ndjson"`
	}
	op := huma.Operation{
		OperationID: "feed-keys", Method: http.MethodPost, Path: "/v1/institutions/{code}/keys", MaxBodyBytes: maxFeed,
		Summary: "Keys by which an institution signs at the national interface", Tags: []string{"operators"},
		Description: "An institution may have several at once: give the next one before the last one ends.",
	}
	var shape feedShape
	route(d, Operators, op, func(ctx context.Context, in *ask) (*feedAnswer, error) {
		code, err := family.ParseInstitutionCode(in.Code)
		if err != nil {
			return nil, &family.Refusal{Code: family.NotFound, Field: "code"}
		}
		return takeFeed(ctx, d, shape, in.ContentType, in.RawBody, func(k keyFeed) (app.Fed, error) {
			return d.app.FeedSigningKey(ctx, reviewer(ctx), app.SigningKey{
				ID: k.KeyID, Institution: code, Scheme: app.Scheme(k.Scheme), Secret: k.Secret, From: k.From.UTC(), To: k.To.UTC(),
			})
		})
	}, func(api huma.API) { shape = describeFeed[keyFeed](api, op.Path) })
}
