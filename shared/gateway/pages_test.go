package gateway

import "testing"

func TestPagesEnv(t *testing.T) {
	for _, c := range []struct {
		name string
		env  map[string]string
		ok   bool
	}{
		{"all", map[string]string{"GONGJI_ISSUER": "https://issuer.example", "GONGJI_WEB_CLIENT": "pages"}, true},
		{"no client", map[string]string{"GONGJI_ISSUER": "https://issuer.example"}, false},
		{"no issuer", map[string]string{"GONGJI_WEB_CLIENT": "pages"}, false},
		{"no TLS", map[string]string{"GONGJI_ISSUER": "http://issuer.example", "GONGJI_WEB_CLIENT": "pages"}, false},
		{"no TLS, on this machine", map[string]string{"GONGJI_ISSUER": "http://127.0.0.1:8080/oidc", "GONGJI_WEB_CLIENT": "pages", "AWS_ENDPOINT_URL_DYNAMODB": "http://dynamodb:8000"}, true},
	} {
		issuer, client, err := pagesEnv(func(name string) string { return c.env[name] })
		if (err == nil) != c.ok || c.ok && (issuer != c.env["GONGJI_ISSUER"] || client != "pages") {
			t.Errorf("%s: %q %q %v", c.name, issuer, client, err)
		}
	}
}
