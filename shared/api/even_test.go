package api

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// TestARefusalWaitsForTheGrid: who is refused for a number and a name that do not
// belong together is answered at the next line of the grid since he came, however long
// the act took and whoever has the number; at the counter too. Nobody else waits.
func TestARefusalWaitsForTheGrid(t *testing.T) {
	t.Parallel()
	h := fedHouse(t)
	declined := h.bind(mother, granny, "52")
	h.must(200, h.person(granny), "POST", "/v1/bindings/"+declined+"/decline", nil)
	served := h.must(201, h.token(map[string]any{"sub": "who-serves", "roles": []string{"operator"}}), "POST", "/v1/counter/bindings", map[string]any{
		"holder": identity(stranger), "member": identity(granny), "relation": "52", "show": true,
	})["binding_id"].(string)

	began := time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)
	var now time.Time
	var took time.Duration // by the act: each time the door looks at the time it is that much later
	var waits []time.Duration
	h.door.now = func() time.Time { defer func() { now = now.Add(took) }(); return now }
	h.door.waitUntil = func(_ context.Context, at time.Time) { waits = append(waits, at.Sub(began)) }

	misnamed := func(id string) map[string]any { return map[string]any{"name": "不是此人", "id_no": id} }
	ask := func(id string) map[string]any {
		body := misnamed(id)
		body["relation"], body["show"] = "52", true
		return body
	}
	unknown := "11010519491231002X"
	operator := h.token(map[string]any{"sub": "who-serves", "roles": []string{"operator"}})
	for what, asked := range map[string]struct {
		token, path string
		body        any
		want        string
	}{
		"unknown":                {h.person(mother), "/v1/bindings", ask(unknown), "422 identity_mismatch"},
		"known":                  {h.person(mother), "/v1/bindings", ask(the(stranger).id), "422 identity_mismatch"},
		"declined":               {h.person(mother), "/v1/bindings", ask(the(granny).id), "422 identity_mismatch"},
		"nobody's certificate":   {h.person(mother), "/v1/bindings", map[string]any{"name": "不是此人", "birth_certificate": "O430000009", "relation": "30", "show": true}, "422 identity_mismatch"},
		"served, holder":         {operator, "/v1/counter/bindings", map[string]any{"holder": misnamed(unknown), "member": identity(granny), "relation": "52", "show": true}, "422 identity_mismatch"},
		"served, member":         {operator, "/v1/counter/bindings", map[string]any{"holder": identity(mother), "member": misnamed(the(stranger).id), "relation": "52", "show": true}, "422 identity_mismatch"},
		"found at the counter":   {operator, "/v1/counter/searches", misnamed(unknown), "422 identity_mismatch"},
		"ended at the counter":   {operator, "/v1/counter/bindings/" + served + "/end", misnamed(the(stranger).id), "422 identity_mismatch"},
		"no such relation":       {h.person(mother), "/v1/bindings", map[string]any{"name": the(stranger).name, "id_no": the(stranger).id, "relation": "99", "show": true}, ""},
		"nothing wanted":         {h.person(mother), "/v1/bindings", map[string]any{"name": the(father).name, "id_no": the(father).id, "relation": "10", "show": false}, ""},
		"a till, told the field": {h.place(pharmacy), "/v1/quotes", quoteOf(unknown), ""},
	} {
		for spent, line := range map[time.Duration]time.Duration{0: grid, 1: grid, grid - 1: grid, grid: 2 * grid, 5*grid + grid/2: 6 * grid} {
			now, took, waits = began, spent, nil
			r := h.ask(asked.token, "POST", asked.path, asked.body)
			want := []time.Duration{line}
			if asked.want == "" {
				want = nil
			}
			if got := fmt.Sprint(r.status, " ", r.json(t)["code"]); asked.want != "" && got != asked.want || r.status < 400 {
				t.Errorf("%s: %s, not %s", what, got, asked.want)
			}
			if fmt.Sprint(waits) != fmt.Sprint(want) {
				t.Errorf("%s, after %v: waits until %v, not %v", what, spent, waits, want)
			}
		}
	}
}

// TestWhoHangsUpIsNotWaitedFor: an answer is held back no longer than somebody waits
// for it, and not at all when its time has come.
func TestWhoHangsUpIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	waitUntil(gone, time.Now().Add(24*time.Hour))
	waitUntil(t.Context(), time.Now().Add(-time.Hour))
	at := time.Now().Add(3 * time.Millisecond)
	if waitUntil(t.Context(), at); time.Now().Before(at) {
		t.Error("it came back before its time")
	}
}

func identity(person string) map[string]any {
	return map[string]any{"name": the(person).name, "id_no": the(person).id}
}

// quoteOf asks what a bill would come to for whoever has an ID number.
func quoteOf(id string) map[string]any {
	b := bill("", "")
	b["credential"] = map[string]any{"type": "id", "value": id, "name": "不是此人"}
	return b
}
