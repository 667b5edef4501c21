package main

import (
	"errors"
	"net/http"

	"gongji/shared/answer"
	"gongji/shared/family"
)

// writeProblem answers an error of a door for developers in the house's manner.
// Only a refusal has content.
func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	refusal := (*family.Refusal)(nil)
	if !errors.As(err, &refusal) {
		refusal = family.Refuse(family.Internal)
	}
	p := answer.ProblemOf(refusal)
	p.Instance = r.URL.Path
	p.WriteTo(w)
}
