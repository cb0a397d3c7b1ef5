package admin

import (
	"testing"
)

func TestHostAllowList(t *testing.T) {
	d := &fakeDaemon{}
	srv := testServer(t, d, func(o *Options) { o.Hosts = []string{"Proxy1.example.net"} })
	for host, want := range map[string]int{
		"127.0.0.1:7070":         200,
		"127.0.0.1":              200,
		"[::1]:7070":             200,
		"[::1]":                  200,
		"10.1.2.3:7070":          200,
		"localhost:7070":         200,
		"LOCALHOST":              200,
		"proxy1.example.net:80":  200,
		"proxy1.example.net.:80": 200,
		"evil.example.com":       403,
		"evil.example.com:7070":  403,
		"localhost.evil.com":     403,
		"127.0.0.1.evil.com":     403,
	} {
		for path, method := range map[string]string{"/v1/status": "GET", "/v1/pools/cache/hold": "POST", "/livez": "GET"} {
			resp, body := request{method, path, "", []string{jsonBody, "Host: " + host}}.send(t, srv.URL)
			if got := resp.StatusCode; got != want {
				t.Errorf("%s with host %q: got %d, want %d: %s", path, host, got, want, body)
			}
		}
	}
}

func TestOrdersFromOtherSitesAreForbidden(t *testing.T) {
	for name, c := range map[string]struct {
		headers []string
		want    int
	}{
		"no browser":       {[]string{jsonBody}, 200},
		"own page":         {[]string{jsonBody, "Sec-Fetch-Site: same-origin"}, 200},
		"other site":       {[]string{jsonBody, "Sec-Fetch-Site: cross-site"}, 403},
		"other host, same": {[]string{jsonBody, "Sec-Fetch-Site: same-site"}, 403},
		"old browser":      {[]string{jsonBody, "Origin: http://evil.example.com"}, 403},
		"opaque origin":    {[]string{jsonBody, "Origin: null"}, 403},
	} {
		d := &fakeDaemon{}
		srv := testServer(t, d, nil)
		resp, body := request{"POST", "/v1/pools/cache/hold", "", c.headers}.send(t, srv.URL)
		if got := resp.StatusCode; got != c.want {
			t.Errorf("%s: got %d, want %d: %s", name, got, c.want, body)
		}
		if passed := d.seen() != ""; passed != (c.want == 200) {
			t.Errorf("%s: order passed on: got %v, want %v", name, passed, c.want == 200)
		}
	}
}

func TestBearerToken(t *testing.T) {
	d := &fakeDaemon{}
	srv := testServer(t, d, func(o *Options) { o.Token = "correct horse" })
	for name, c := range map[string]struct {
		header string
		want   int
	}{
		"right":      {"Authorization: Bearer correct horse", 200},
		"lower case": {"Authorization: bearer correct horse", 200},
		"missing":    {"X-Nothing: here", 401},
		"empty":      {"Authorization: Bearer ", 401},
		"wrong":      {"Authorization: Bearer correct", 401},
		"longer":     {"Authorization: Bearer correct horse battery", 401},
		"basic":      {"Authorization: Basic correct horse", 401},
	} {
		for path, method := range map[string]string{"/v1/status": "GET", "/v1/events": "GET", "/v1/pools/cache/hold": "POST"} {
			before := d.seen()
			resp, body := request{method, path, "", []string{jsonBody, c.header}}.send(t, srv.URL)
			if got := resp.StatusCode; got != c.want {
				t.Errorf("%s, %s: got %d, want %d: %s", name, path, got, c.want, body)
			}
			if c.want == 401 && d.seen() != before {
				t.Errorf("%s, %s: the order was passed on", name, path)
			}
		}
	}
}

func TestAnswersCarryProtectiveHeaders(t *testing.T) {
	srv := testServer(t, &fakeDaemon{}, nil)
	for _, path := range []string{"/v1/status", "/nothing"} {
		resp, _ := request{method: "GET", path: path}.send(t, srv.URL)
		for name, want := range map[string]string{
			"Cache-Control":               "no-store",
			"X-Content-Type-Options":      "nosniff",
			"Content-Security-Policy":     "default-src 'none'; frame-ancestors 'none'",
			"Access-Control-Allow-Origin": "",
		} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s of %s: got %q, want %q", name, path, got, want)
			}
		}
	}
}
