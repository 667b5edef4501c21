package main

import (
	"encoding/json"
	"errors"
	"net/http"

	"gongji/shared/answer"
	"gongji/shared/family"
)

// writeProblem answers an error of a door for developers in the house's manner
// (RFC 9457). Only a refusal has content.
func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	refusal := (*family.Refusal)(nil)
	if !errors.As(err, &refusal) {
		refusal = family.Refuse(family.Internal)
	}
	row := answer.Of(refusal.Code)
	detail := refusal.Detail
	if detail == "" {
		detail = row.Message.EN
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(row.Status)
	_ = json.NewEncoder(w).Encode(struct {
		Type      string      `json:"type"`
		Title     string      `json:"title"`
		Status    int         `json:"status"`
		Detail    string      `json:"detail"`
		Instance  string      `json:"instance"`
		Code      family.Code `json:"code"`
		Kind      answer.Kind `json:"kind"`
		MessageZH string      `json:"message_zh"`
		MessageEN string      `json:"message_en"`
		Next      answer.Next `json:"next"`
		Field     string      `json:"field,omitempty"`
		Allowed   string      `json:"allowed,omitempty"`
	}{
		"urn:gongji:problem:" + string(row.Code), row.Title.ZH + " / " + row.Title.EN,
		row.Status, detail, r.URL.Path, row.Code, row.Kind, row.Message.ZH, row.Message.EN, row.Next,
		refusal.Field, refusal.Allowed,
	}) // the client has gone; there is nobody to tell
}
