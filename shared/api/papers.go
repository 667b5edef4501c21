package api

import (
	"time"

	"gongji/shared/app"
	"gongji/shared/family"
)

// materialAsk is a paper as it is announced.
type materialAsk struct {
	Kind        string `json:"kind" enum:"household_register,marriage_certificate,birth_certificate,commitment_letter,id_card,guardianship"`
	ContentType string `json:"content_type" maxLength:"64" doc:"image/jpeg, image/png, application/pdf or image/heic"`
	Size        int64  `json:"size" minimum:"1" doc:"Bytes, at most 10 MiB"`
	SHA256      string `json:"sha256" minLength:"64" maxLength:"64" doc:"Of the file, 64 lower-case hexadecimal digits"`
}

func (a materialAsk) ask() app.MaterialAsk {
	return app.MaterialAsk{Kind: family.PaperKind(a.Kind), ContentType: a.ContentType, Size: a.Size, SHA256: a.SHA256}
}

type uploadAnswer struct {
	Body struct {
		MaterialID string `json:"material_id"`
		Upload     struct {
			Method    string            `json:"method" enum:"PUT"`
			URL       string            `json:"url"`
			Headers   map[string]string `json:"headers" doc:"To be sent exactly so"`
			ExpiresAt time.Time         `json:"expires_at"`
		} `json:"upload" doc:"Send the file as the body of this request, once"`
	}
}

func uploadOf(v app.UploadView, err error) (*uploadAnswer, error) {
	if err != nil {
		return nil, err
	}
	var out uploadAnswer
	b := &out.Body
	b.MaterialID = string(v.Material)
	b.Upload.Method, b.Upload.URL, b.Upload.Headers, b.Upload.ExpiresAt = v.Upload.Method, v.Upload.URL, v.Upload.Headers, v.Upload.Expires
	return &out, nil
}

// materialWire is a paper as both sides and reviewers see that it is there.
type materialWire struct {
	MaterialID  string    `json:"material_id"`
	Kind        string    `json:"kind"`
	ContentType string    `json:"content_type"`
	Size        int64     `json:"size"`
	SHA256      string    `json:"sha256" doc:"As announced"`
	State       string    `json:"state" enum:"awaited,kept,refused,deleted"`
	Rule        string    `json:"rule,omitempty" doc:"By which it was refused"`
	At          time.Time `json:"at"`
	Door        *doorWire `json:"door,omitempty" doc:"For the reviewer who asked, and soon"`
}

type doorWire struct {
	URL       string    `json:"url" doc:"A path of this server, with the same token"`
	ExpiresAt time.Time `json:"expires_at"`
}

func materialsOf(b family.Binding) []materialWire {
	var list []materialWire
	for _, m := range b.Materials {
		list = append(list, materialWire{
			MaterialID: string(m.ID), Kind: string(m.Kind), ContentType: m.ContentType, Size: m.Size, SHA256: m.SHA256,
			State: string(m.State), Rule: m.Why, At: m.At,
		})
	}
	return list
}
