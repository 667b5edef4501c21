package api

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// policyText is the file of Changsha as another version that begins on a day.
func policyText(version, from string, edits ...string) string {
	text, err := os.ReadFile("../policy/regions/430100.json")
	if err != nil {
		panic(err)
	}
	return strings.NewReplacer(append([]string{`"version": "2026-01"`, `"version": "` + version + `"`, `"from": "20260101"`, `"from": "` + from + `"`}, edits...)...).Replace(string(text))
}

// fileOf is a policy file as a body.
func fileOf(text string) string { return `{"policy":` + text + `}` }

// TestTwoPeoplePublishAPolicy: a clerk drafts, looks at what it would have made of
// the past, another publishes, and from its day on it decides.
func TestTwoPeoplePublishAPolicy(t *testing.T) {
	h := fedHouse(t)
	h.bind(mother, child, "30")
	clerk := h.token(map[string]any{"roles": []string{"operator"}, "sub": "clerk"})
	chief := h.token(map[string]any{"roles": []string{"operator"}, "sub": "chief"})
	settle := func() map[string]any {
		b := bill(h.messageID(hospital), "")
		b["credential"] = map[string]any{"type": "id", "value": the(mother).id, "name": the(mother).name}
		return h.must(201, h.place(hospital), "POST", "/v1/settlements", b)
	}
	sale := settle()
	// The fund pays 80 % in place of 60 % at hospitals of the second grade.
	text := policyText("2026-12", "20261122", `"2": "0.6000"`, `"2": "0.8000"`)
	refused := func(want, token, method, path string, body any) problem {
		t.Helper()
		r := h.ask(token, method, path, body)
		if got := heard(t, r); got != want {
			t.Fatalf("%s %s: %s, want %s\n%s", method, path, got, want, r.body)
		}
		return r.problem(t)
	}
	refused("400 malformed", clerk, "POST", "/v1/policies", fileOf(strings.Replace(text, `"0.8000"`, `"1.8000"`, 1)))
	refused("409 state_forbids", clerk, "POST", "/v1/policies", fileOf(policyText("2026-01", "20270101")))
	draft := h.must(201, clerk, "POST", "/v1/policies", fileOf(text))
	if draft["policy_id"] != "430100@2026-12" || draft["state"] != "draft" || draft["drafted_by"] != "clerk" || draft["in_force"] != false {
		t.Fatalf("%v", draft)
	}

	// What it would have made of yesterday's and today's settlements.
	day := h.clock().In(time.FixedZone("", 8*3600)).Format("20060102")
	report := h.must(200, h.role("auditor"), "POST", "/v1/policies/430100@2026-12/what-if", map[string]any{"from": day, "to": day})
	change := report["change"].(map[string]any)
	// E9: 289.00 above the deductible, 173.40 at 60 % and 231.20 at 80 %.
	if change["settlements"] != 1.0 || change["changed"] != 1.0 || change["fund_paid_fen"] != 5780.0 || change["accounts_paid_fen"] != -5780.0 {
		t.Errorf("%v", report)
	}
	example := report["examples"].([]any)[0].(map[string]any)
	if example["settlement_id"] != sale["settlement_id"] || example["would"].(map[string]any)["fund_paid_fen"] != 23120.0 {
		t.Errorf("%v", example)
	}

	// The one who drafted it does not publish it; and what has begun, nobody does.
	if p := refused("403 not_permitted", clerk, "POST", "/v1/policies/430100@2026-12/approve", nil); p.Rule != "policies.two_people" {
		t.Errorf("%+v", p)
	}
	h.must(201, clerk, "POST", "/v1/policies", fileOf(policyText("2026-11", day)))
	if p := refused("409 state_forbids", chief, "POST", "/v1/policies/430100@2026-11/approve", nil); p.Rule != "policies.from" {
		t.Errorf("%+v", p)
	}
	// He who publishes has read what he publishes.
	read := h.must(200, chief, "GET", "/v1/policies/430100@2026-12", nil)
	h.must(201, clerk, "POST", "/v1/policies", fileOf(strings.Replace(text, `"0.8000"`, `"0.9000"`, 1)))
	saw := map[string]any{"version": read["version"]}
	if p := refused("409 state_forbids", chief, "POST", "/v1/policies/430100@2026-12/approve", saw); p.Rule != "policies.seen" {
		t.Errorf("%+v", p)
	}
	h.must(201, clerk, "POST", "/v1/policies", fileOf(text))
	published := h.must(200, chief, "POST", "/v1/policies/430100@2026-12/approve", saw)
	if published["state"] != "published" || published["published_by"] != "chief" || published["in_force"] != false {
		t.Errorf("%v", published)
	}
	refused("409 state_forbids", clerk, "POST", "/v1/policies", fileOf(text))
	h.must(201, clerk, "POST", "/v1/policies", fileOf(policyText("2026-12b", "20261122")))
	refused("409 state_forbids", chief, "POST", "/v1/policies/430100@2026-12b/approve", nil)

	// Today the old rule decides, tomorrow the new one.
	if s := settle(); s["policy"] != "430100@2026-01" {
		t.Errorf("%v", s["policy"])
	}
	h.advance(24 * time.Hour)
	after := settle()
	if after["policy"] != "430100@2026-12" || after["fund_paid_fen"] != 39120.0 { // the deductible was paid: 80 % of 489.00
		t.Errorf("%v %v", after["policy"], after["fund_paid_fen"])
	}
	list := h.must(200, h.role("auditor"), "GET", "/v1/policies", nil)["items"].([]any)
	if len(list) != 3 || list[1].(map[string]any)["in_force"] != true {
		t.Errorf("%v", list)
	}

	// Both come out as they did, each under its own policy.
	for _, s := range []map[string]any{sale, after} {
		replay := h.must(200, h.role("auditor"), "GET", "/v1/replays/"+s["settlement_id"].(string), nil)
		if replay["same"] != true || replay["policy"] != s["policy"] || replay["inputs"] == "" {
			t.Errorf("%v", replay)
		}
	}
	// A price list that is changed behind a settlement's back is found.
	h.must(200, h.operator(), "POST", "/v1/catalogue", map[string]any{"code": "A1", "name": "甲类药", "list_type": "101", "class": "C", "effective_from": "20260101"})
	replay := h.must(200, h.role("auditor"), "GET", "/v1/replays/"+sale["settlement_id"].(string), nil)
	text2, _ := json.Marshal(replay["differences"])
	if replay["same"] != false || !strings.Contains(string(text2), `{"field":"lines[1].class","is":"C","was":"A"}`) || !strings.Contains(string(text2), `"fund_paid_fen"`) {
		t.Errorf("%s", text2)
	}
}
