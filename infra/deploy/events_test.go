package deploy

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"gongji/shared/app"
	"gongji/shared/family"
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

// TestEvents: there is an event to try each function with; it comes by a route of
// that function, and the door takes it for what it is: with a token in the place
// where one has to be put, it is answered.
func TestEvents(t *testing.T) {
	tm := readTemplate(t)
	h := open(t, newStore(t))
	handle := gateway.Handler(h.door, slog.New(slog.DiscardHandler))
	routes := tm.routes()
	for _, function := range tm.functions() {
		file := folderOf(function) + ".json"
		if function == "ExpiryFunction" {
			readStrictly(t, &onaws.ExpiryEvent{}, "infra", "events", file)
			continue
		}
		var e events.APIGatewayV2HTTPRequest
		readStrictly(t, &e, "infra", "events", file)
		if function == "WebFunction" {
			pages, err := web.New(web.Options{Issuer: h.issuer.URL, ClientID: "pages"})
			if err != nil {
				t.Fatal(err)
			}
			if out, err := gateway.Handler(pages, slog.New(slog.DiscardHandler))(t.Context(), e); err != nil || out.StatusCode != http.StatusOK || e.RouteKey != "$default" {
				t.Errorf("%s by %s: %d %v", file, e.RouteKey, out.StatusCode, err)
			}
			continue
		}
		mux := http.NewServeMux()
		mux.HandleFunc(e.RouteKey, func(http.ResponseWriter, *http.Request) {})
		_, reached := mux.Handler(httptest.NewRequest(e.RequestContext.HTTP.Method, e.RawPath, nil))
		if routes[e.RouteKey].Function != function || e.RouteKey != e.RequestContext.RouteKey || reached != e.RouteKey || e.RequestContext.HTTP.Path != e.RawPath {
			t.Errorf("%s comes by %s", file, e.RouteKey)
		}
		status := func() int {
			out, err := handle(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			return out.StatusCode
		}
		if function == "HisFunction" { // signed with the key of the story, at the tests' noon
			if got := status(); got != http.StatusUnauthorized {
				t.Errorf("%s with a key that nobody knows: %d", file, got)
			}
			hospital := family.Place{Code: onawstest.Hospital, Name: "示例", Kind: family.Hospital, Level: "5", Region: "430100", Designated: true}
			if _, err := h.app.FeedPlace(t.Context(), hospital); err != nil {
				t.Fatal(err)
			}
			key := app.SigningKey{ID: onawstest.HISKey, Institution: hospital.Code, Scheme: app.SchemeTIF, Secret: onawstest.HISToken}
			if _, err := h.app.FeedSigningKey(t.Context(), family.Reviewer{Subject: "operator"}, key); err != nil {
				t.Fatal(err)
			}
		}
		if e.Headers["authorization"] == "" {
			if got := status(); got != http.StatusOK {
				t.Errorf("%s: %d", file, got)
			}
			continue
		}
		if got := status(); got != http.StatusUnauthorized {
			t.Errorf("%s without a token: %d", file, got)
		}
		e.Headers["authorization"] = "Bearer " + h.issuer.Token(t, noon, map[string]any{"person_no": onawstest.Mother, "fixmedins_code": onawstest.Hospital, "roles": []string{"operator"}})
		if got := status(); got == http.StatusUnauthorized || got == http.StatusBadRequest || got >= 500 {
			t.Errorf("%s with a token: %d", file, got)
		}
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
