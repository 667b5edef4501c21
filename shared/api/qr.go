package api

import (
	"context"
	"net/http"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"
	"gongji/shared/qrimage"

	"github.com/danielgtaylor/huma/v2"
)

// qrWire is a code as the one who shows it sees it.
type qrWire struct {
	TokenID    string      `json:"token_id"`
	State      string      `json:"state" enum:"issued,held,spent,expired,replaced" doc:"held: for a settlement that waits for a confirmation"`
	Digits     string      `json:"digits,omitempty" doc:"The 20 digits of the code, only while it can be redeemed"`
	IssuedAt   time.Time   `json:"issued_at"`
	ExpiresAt  time.Time   `json:"expires_at"`
	Life       int         `json:"life_seconds"`
	Patient    patientWire `json:"patient"`
	BindingID  string      `json:"binding_id,omitempty"`
	Settlement string      `json:"settlement_id,omitempty" doc:"The settlement that spent it"`
	SVG        string      `json:"svg_url"`
	PNG        string      `json:"png_url"`
	Code128    string      `json:"code128_url"`
}

func qrOf(v app.QRView) qrWire {
	t := v.Token
	url := "/v1/qr/" + string(t.ID)
	return qrWire{
		TokenID: string(t.ID), State: string(t.StateAt(v.Now)), Digits: v.Digits, IssuedAt: t.Issued, ExpiresAt: t.Expires,
		Life: int(t.Expires.Sub(t.Issued) / time.Second), Patient: patientWire{NameMasked: v.PatientMasked},
		BindingID: string(t.Binding), Settlement: string(t.SpentBy),
		SVG: url + "/image.svg", PNG: url + "/image.png", Code128: url + "/code128.svg",
	}
}

// qrRoutes are for people: the code that is shown.
func (d *door) qrRoutes() {
	tags := []string{"people"}
	type issue struct {
		IdempotencyKey string `header:"Idempotency-Key" maxLength:"128"`
		Body           struct {
			BindingID string `json:"binding_id,omitempty" nullable:"true" maxLength:"64" doc:"The member whose code is shown; leave it out for my own"`
		}
	}
	type qrAnswer struct {
		Replay string `header:"Idempotent-Replay"`
		Body   qrWire
	}
	route(d, Persons, huma.Operation{
		OperationID: "issue-qr", Method: http.MethodPost, Path: "/v1/qr", DefaultStatus: http.StatusCreated,
		Summary: "A code for a bound member or for myself; it replaces the one before", Tags: tags,
	},
		func(ctx context.Context, in *issue) (*qrAnswer, error) {
			done, err := d.app.IssueQR(ctx, person(ctx), family.BindingID(in.Body.BindingID), app.Once{Key: in.IdempotencyKey, Content: in.Body})
			if err != nil {
				return nil, replayed(err, done.Replay)
			}
			return &qrAnswer{Replay: replayHeader(done.Replay), Body: qrOf(done.Answer)}, nil
		})

	type tokenPath struct {
		TokenID string `path:"token_id" maxLength:"26"`
	}
	route(d, Persons, huma.Operation{OperationID: "get-qr", Method: http.MethodGet, Path: "/v1/qr/{token_id}", Summary: "What became of a code", Tags: tags},
		func(ctx context.Context, in *tokenPath) (*qrAnswer, error) {
			view, err := d.app.GetQR(ctx, person(ctx), family.TokenID(in.TokenID))
			if err != nil {
				return nil, err
			}
			return &qrAnswer{Body: qrOf(view)}, nil
		})

	type picture struct {
		ContentType string `header:"Content-Type" hidden:"true"`
		Body        []byte
	}
	pictures := []struct {
		id, name, contentType, summary string
		draw                           func(string) ([]byte, error)
	}{
		{"qr-svg", "image.svg", "image/svg+xml", "The code as a QR picture, SVG", qrimage.SVG},
		{"qr-png", "image.png", "image/png", "The code as a QR picture, PNG", func(s string) ([]byte, error) { return qrimage.PNG(s, pngModule) }},
		{"qr-code128", "code128.svg", "image/svg+xml", "The code as a Code 128 bar code, SVG", qrimage.Code128SVG},
	}
	for _, p := range pictures {
		route(d, Persons, huma.Operation{
			OperationID: p.id, Method: http.MethodGet, Path: "/v1/qr/{token_id}/" + p.name, Summary: p.summary + "; only while it can be redeemed", Tags: tags,
			Responses: answers(p.contentType, &huma.Schema{Type: huma.TypeString, Format: "binary"}),
		},
			func(ctx context.Context, in *tokenPath) (*picture, error) {
				view, err := d.app.GetQR(ctx, person(ctx), family.TokenID(in.TokenID))
				if err != nil {
					return nil, err
				}
				if view.Digits == "" {
					return nil, family.Refuse(goneAs[view.Token.StateAt(view.Now)])
				}
				image, err := p.draw(view.Digits)
				return &picture{ContentType: p.contentType, Body: image}, err
			})
	}
}

// pngModule is the side of one module of a PNG, in pixels: 29 modules make 348,
// sharp on a phone at twice its density.
const pngModule = 12

// goneAs is the answer for the picture of a code that cannot be redeemed.
var goneAs = map[family.QRState]family.Code{
	family.QRStateSpent:    family.QRSpent,
	family.QRStateHeld:     family.QRSpent,
	family.QRStateExpired:  family.QRExpired,
	family.QRStateReplaced: family.QRReplaced,
}
