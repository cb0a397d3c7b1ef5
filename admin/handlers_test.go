package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestStatusIsStableJSON(t *testing.T) {
	srv := testServer(t, &fakeDaemon{}, nil)
	resp, body := request{method: "GET", path: "/v1/status"}.send(t, srv.URL)
	if got, want := resp.StatusCode, 200; got != want {
		t.Fatalf("status: got %d, want %d: %s", got, want, body)
	}
	want := `{"version":"v9","runtime":{"goroutines":0,"heap_bytes":0,"pipes":0,"pipes_in_use":0},` +
		`"pools":[{"name":"cache","state":"serving","since":"2025-03-01T12:00:00Z","why":"master answers",` +
		`"epoch":4,"gate":"open","held_by_operator":false,"master":"","listen":[],"protocol":"","failover":"",` +
		`"clients":0,"held":0,"in_flight":0,"failovers":0,"accepted":0,"refused":0,"closed":{},"turned_away":{},` +
		`"unknown_state":0,"listeners":{"moved":0,"gap_max_ms":0,"gap_sum_ms":0},"journal_error":"",` +
		`"backends":[],"last_receipt":null}]}`
	if got := compact(t, body); got != want {
		t.Errorf("body:\n got %s\nwant %s", got, want)
	}
}

func TestEventsAfter(t *testing.T) {
	srv := testServer(t, &fakeDaemon{}, nil)
	for query, want := range map[string]int{"": 3, "?after=0": 3, "?after=2": 1, "?after=3": 0, "?after=99": 0} {
		_, body := request{method: "GET", path: "/v1/events" + query}.send(t, srv.URL)
		var events []Event
		if err := json.Unmarshal([]byte(body), &events); err != nil || events == nil {
			t.Fatalf("events%s: got %q, want a list: %v", query, body, err)
		}
		if got := len(events); got != want {
			t.Errorf("events%s: got %d, want %d", query, got, want)
		}
	}
}

func TestOrdersReachTheOperator(t *testing.T) {
	for _, c := range []struct{ path, body, want, answer string }{
		{"switchover", `{"to":"b"}`, `switchover cache to "b"`, `"phases_ms":{"drain":1.5,"total":2.25}`},
		{"switchover", ``, `switchover cache to ""`, `"epoch":5`},
		{"failover", `{"to":"b","accept_loss":true}`, `failover cache to "b" loss true`, `"trigger":"operator"`},
		{"failover", `{}`, `failover cache to "" loss false`, `"epoch":5`},
		{"hold", ``, `hold cache`, `"name":"cache"`},
		{"release", `{}`, `release cache`, `"name":"cache"`},
	} {
		d := &fakeDaemon{}
		srv := testServer(t, d, nil)
		resp, body := request{"POST", "/v1/pools/cache/" + c.path, c.body, []string{jsonBody}}.send(t, srv.URL)
		if got, want := resp.StatusCode, 200; got != want {
			t.Errorf("%s %s: got %d, want %d: %s", c.path, c.body, got, want, body)
		}
		if got := d.seen(); got != c.want {
			t.Errorf("%s %s: operator got %s, want %s", c.path, c.body, got, c.want)
		}
		if got := compact(t, body); !strings.Contains(got, c.answer) {
			t.Errorf("%s %s: answer %s lacks %s", c.path, c.body, got, c.answer)
		}
	}
}

func TestErrorsBecomeProblems(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		code   Code
	}{
		{fmt.Errorf("pool %q: %w", "cache", ErrNotFound), 404, CodeNotFound},
		{fmt.Errorf("switchover: %w", ErrConflict), 409, CodeConflict},
		{fmt.Errorf("failover: replica is behind: %w", ErrRefused), 422, CodeRefused},
		{fmt.Errorf("switchover: %w", ErrTimeout), 504, CodeTimeout},
		{errors.New("dial 10.0.0.1:6379: refused"), 500, CodeInternal},
	} {
		srv := testServer(t, &fakeDaemon{fail: c.err}, nil)
		resp, body := request{"POST", "/v1/pools/cache/switchover", "", []string{jsonBody}}.send(t, srv.URL)
		p := problemIn(t, resp, body)
		if got := [...]any{resp.StatusCode, p.Status, p.Code, p.Detail}; got != [...]any{c.status, c.status, c.code, c.err.Error()} {
			t.Errorf("%v: got %v", c.err, got)
		}
	}
}

func TestOrderForAPoolThatIsNotThere(t *testing.T) {
	srv := testServer(t, &fakeDaemon{}, nil)
	resp, body := request{"POST", "/v1/pools/other/hold", "", []string{jsonBody}}.send(t, srv.URL)
	if got, want := problemIn(t, resp, body).Code, CodeNotFound; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Whether the end of an order is open is decided by its own deadline, not by that of a step that failed in it.
func TestOnlyTheOrdersOwnDeadlineIsATimeout(t *testing.T) {
	step := fmt.Errorf("catch up: %w", context.DeadlineExceeded)
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		code Code
		want string
	}{
		"given up":          {t.Context(), fmt.Errorf("%w: %w", step, ErrRefused), CodeRefused, "catch up"},
		"a step failed":     {t.Context(), step, CodeInternal, "catch up"},
		"out of time":       {late, step, CodeTimeout, "may still be carried out"},
		"given up, as late": {late, fmt.Errorf("%w: %w", step, ErrRefused), CodeRefused, "catch up"},
		"failed, as late":   {late, errors.New("dial a: refused"), CodeInternal, "dial a"},
	} {
		d := &fakeDaemon{fail: c.err}
		srv := httptest.NewServer(New(Options{Source: d, Operator: d}).handler(c.ctx, false))
		resp, body := request{"POST", "/v1/pools/cache/switchover", "", []string{jsonBody}}.send(t, srv.URL)
		srv.Close()
		if p := problemIn(t, resp, body); p.Code != c.code || !strings.Contains(p.Detail, c.want) {
			t.Errorf("%s: got %+v, want %s and %q", name, p, c.code, c.want)
		}
	}
}

func TestLivezAndReadyz(t *testing.T) {
	var ready error
	srv := testServer(t, &fakeDaemon{}, func(o *Options) {
		o.Ready = func() error { return ready }
		o.Token = "secret"
	})
	for _, c := range []struct {
		path   string
		err    error
		status int
	}{
		{"/livez", nil, 200},
		{"/readyz", nil, 200},
		{"/livez", errors.New("pool cache: the hold budget is spent"), 200},
		{"/readyz", errors.New("pool cache: the hold budget is spent"), 503},
	} {
		ready = c.err
		resp, body := request{method: "GET", path: c.path}.send(t, srv.URL)
		if got, want := resp.StatusCode, c.status; got != want {
			t.Errorf("%s with %v: got %d, want %d: %s", c.path, c.err, got, want, body)
		}
		if c.status == 503 && !strings.Contains(body, c.err.Error()) {
			t.Errorf("%s: %s does not say %v", c.path, body, c.err)
		}
	}
}

func TestProblemsOfTheRequest(t *testing.T) {
	d := &fakeDaemon{}
	srv := testServer(t, d, nil)
	order := "/v1/pools/cache/failover"
	longBody := `{"to":"` + strings.Repeat("b", bodyBytesMax) + `"}`
	for name, c := range map[string]struct {
		request
		status int
		code   Code
	}{
		"unknown path":      {request{method: "GET", path: "/v2/status"}, 404, CodeNotFound},
		"POST to a view":    {request{"POST", "/v1/status", "", []string{jsonBody}}, 405, CodeNoSuchMethod},
		"GET of an order":   {request{method: "GET", path: order}, 405, CodeNoSuchMethod},
		"unknown parameter": {request{"POST", order + "?dryrun=true", "{}", []string{jsonBody}}, 400, CodeBadRequest},
		"parameter twice":   {request{method: "GET", path: "/v1/events?after=1&after=2"}, 400, CodeBadRequest},
		"bad parameter":     {request{method: "GET", path: "/v1/events?after=-1"}, 400, CodeBadRequest},
		"broken query":      {request{method: "GET", path: "/v1/events?after=%zz"}, 400, CodeBadRequest},
		"unknown field":     {request{"POST", order, `{"acceptloss":true}`, []string{jsonBody}}, 400, CodeBadRequest},
		"field of another":  {request{"POST", "/v1/pools/cache/hold", `{"to":"b"}`, []string{jsonBody}}, 400, CodeBadRequest},
		"two objects":       {request{"POST", order, `{}{}`, []string{jsonBody}}, 400, CodeBadRequest},
		"not JSON":          {request{"POST", order, `to=b`, []string{jsonBody}}, 400, CodeBadRequest},
		"no content type":   {request{"POST", order, `{}`, nil}, 415, CodeBadRequest},
		"form content type": {request{"POST", order, `{}`, []string{"Content-Type: text/plain"}}, 415, CodeBadRequest},
		"a long body":       {request{"POST", order, longBody, []string{jsonBody}}, 413, CodeBadRequest},
	} {
		resp, body := c.send(t, srv.URL)
		p := problemIn(t, resp, body)
		if resp.StatusCode != c.status || p.Status != c.status || p.Code != c.code || p.Type != problemType+string(c.code) {
			t.Errorf("%s: got %d %+v, want %d %s", name, resp.StatusCode, p, c.status, c.code)
		}
	}
	if got := d.seen(); got != "" {
		t.Errorf("orders passed on: got %s, want none", got)
	}
}

func problemIn(t *testing.T, resp *http.Response, body string) Problem {
	t.Helper()
	if got, want := resp.Header.Get("Content-Type"), "application/problem+json"; got != want {
		t.Errorf("content type: got %q, want %q: %s", got, want, body)
	}
	var p Problem
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("decode problem %q: %v", body, err)
	}
	return p
}

func compact(t *testing.T, body string) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if name, value, ok := strings.Cut(line, `": `); ok {
			line = name + `":` + value
		}
		b.WriteString(line)
	}
	return b.String()
}
