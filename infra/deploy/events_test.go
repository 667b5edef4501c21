package deploy

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gongji/shared/gateway"
	"gongji/shared/onaws"
	"gongji/shared/onaws/onawstest"
	"gongji/shared/vault"
	"gongji/shared/web"

	"github.com/aws/aws-lambda-go/events"
)

// readStrictly reads a JSON file whose fields are all known.
func readStrictly(t *testing.T, into any, path ...string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%v: %v", path, err)
	}
}

// expected is how each event under infra/events is answered in a house that the story
// has fed, with a token where one has to be put: the status, and what its answer holds.
var expected = map[string]struct {
	status int
	holds  string
}{
	"account.json":             {200, `"ok"`},
	"account-find.json":        {200, `"A1"`},
	"binding.json":             {200, `"items":[]`},
	"binding-counter.json":     {200, `"items":[]`},
	"his.json":                 {200, `"infcode":0`},
	"qr.json":                  {201, `"digits"`},
	"review.json":              {200, `"ok":true`},
	"review-adjustment.json":   {201, `"ADJ-1"`},
	"review-policies.json":     {200, `"items":[]`},
	"settlement.json":          {422, `"identity_mismatch"`}, // the card is one of the demonstration's people
	"settlement-premiums.json": {200, `"items":[]`},
	"web.json":                 {200, "<!doctype html>"},
	"web-nothing.json":         {404, ""},
}

// TestEvents: there is an event to try each function with, named after it; it comes by
// a route of that function, and the function's door answers it as it should.
func TestEvents(t *testing.T) {
	tm := readTemplate(t)
	h := open(t, newStore(t))
	handle := gateway.Handler(h.door, slog.New(slog.DiscardHandler))
	pages, err := web.New(web.Options{Issuer: h.issuer.URL, ClientID: "pages"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h.door)
	t.Cleanup(server.Close)
	scene := h.scene(func(q onawstest.Request) onawstest.Reply {
		return onawstest.OverHTTP(t, server.Client(), q.HTTP(t, server.URL))
	})
	scene.Feed()

	files, err := filepath.Glob(filepath.Join(root, "infra", "events", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	routes, tried := tm.routes(), map[string]bool{}
	for _, path := range files {
		file := filepath.Base(path)
		folder, _, _ := strings.Cut(strings.TrimSuffix(file, ".json"), "-")
		tried[folder] = true
		if folder == "expiry" {
			readStrictly(t, &onaws.ExpiryEvent{}, "infra", "events", file)
			continue
		}
		var e events.APIGatewayV2HTTPRequest
		readStrictly(t, &e, "infra", "events", file)
		handle := handle
		if folder == "web" {
			handle = gateway.Handler(pages, slog.New(slog.DiscardHandler))
		} else {
			mux := http.NewServeMux()
			mux.HandleFunc(e.RouteKey, func(http.ResponseWriter, *http.Request) {})
			if _, reached := mux.Handler(httptest.NewRequest(e.RequestContext.HTTP.Method, e.RawPath, nil)); reached != e.RouteKey || folderOf(routes[e.RouteKey].Function) != folder {
				t.Errorf("%s comes by %s", file, e.RouteKey)
			}
		}
		if (folder == "web") != (e.RouteKey == "$default") || e.RouteKey != e.RequestContext.RouteKey || e.RequestContext.HTTP.Path != e.RawPath {
			t.Errorf("%s comes by %s", file, e.RouteKey)
		}
		answer := func() events.APIGatewayV2HTTPResponse {
			out, err := handle(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		token := "Bearer " + h.issuer.Token(t, noon, map[string]any{"person_no": onawstest.Mother, "fixmedins_code": onawstest.Hospital, "roles": []string{"operator"}})
		switch signed := e.Headers["authorization"] != ""; {
		case folder == "his": // signed with the key of the story, at the tests' noon
			if got := answer(); got.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s with a key that nobody knows: %d", file, got.StatusCode)
			}
			scene.Key()
		case signed != (routes[e.RouteKey].Authorizer != ""):
			t.Errorf("%s: whether it has a place for a token is %t", file, signed)
		case signed:
			if got := answer(); got.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s without a token: %d", file, got.StatusCode)
			}
			e.Headers["authorization"] = token
		}
		want, told := expected[file]
		if got := answer(); !told || got.StatusCode != want.status || !strings.Contains(got.Body, want.holds) {
			t.Errorf("%s: %d %.300s", file, got.StatusCode, got.Body)
		}
	}
	for _, function := range tm.functions() {
		if !tried[folderOf(function)] {
			t.Errorf("there is no event for %s", function)
		}
	}
	if len(files) != len(expected)+1 {
		t.Errorf("%d events, of %d it is told how they are answered", len(files), len(expected))
	}
}

// TestLocalKeys: the keys for sam local are a key document.
func TestLocalKeys(t *testing.T) {
	var env struct{ Parameters map[string]string }
	readStrictly(t, &env, "infra", "env.json")
	if _, err := vault.ParseKeys([]byte(env.Parameters["GONGJI_KEYS_DOCUMENT"])); err != nil {
		t.Error(err)
	}
	if env.Parameters["AWS_ENDPOINT_URL_DYNAMODB"] == "" {
		t.Error("sam local would ask the table in an account")
	}
}
