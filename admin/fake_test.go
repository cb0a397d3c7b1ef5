package admin

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeDaemon is a Source and an Operator that remembers its orders.
type fakeDaemon struct {
	mu     sync.Mutex
	orders []string
	fail   error         // what the next orders answer
	block  chan struct{} // if set: closed when an order arrives, which then lasts until its context ends
	ended  chan struct{} // closed when that order ends
}

func (d *fakeDaemon) Status() Status {
	since := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	return Status{Pools: []Pool{{Name: "cache", State: "serving", Since: since, Why: "master answers", Epoch: 4, Gate: GateOpen}}}
}

func (d *fakeDaemon) Events(after uint64) []Event {
	var events []Event
	for seq := after + 1; seq <= 3; seq++ {
		events = append(events, Event{Seq: seq, Pool: "cache", Type: "pool.state"})
	}
	return events
}

func (d *fakeDaemon) Failovers(pool string) ([]Receipt, error) {
	if pool != "cache" {
		return nil, ErrNotFound
	}
	return []Receipt{{Epoch: 2, Trigger: "automatic", AtRisk: 3}}, nil
}

func (d *fakeDaemon) order(ctx context.Context, format string, args ...any) error {
	d.mu.Lock()
	d.orders = append(d.orders, fmt.Sprintf(format, args...))
	block, fail := d.block, d.fail
	d.mu.Unlock()
	if block != nil {
		close(block)
		<-ctx.Done()
		close(d.ended)
		return ctx.Err()
	}
	return fail
}

func (d *fakeDaemon) Switchover(ctx context.Context, pool, to string) (*Receipt, error) {
	if err := d.order(ctx, "switchover %s to %q", pool, to); err != nil {
		return nil, err
	}
	return &Receipt{Epoch: 5, Trigger: "switchover", Old: "a", New: "b", PhasesMS: Phases{{"drain", 1.5}, {"total", 2.25}}}, nil
}

func (d *fakeDaemon) Failover(ctx context.Context, pool string, o FailoverOrder) (*Receipt, error) {
	if err := d.order(ctx, "failover %s to %q loss %v", pool, o.To, o.AcceptLoss); err != nil {
		return nil, err
	}
	return &Receipt{Epoch: 5, Trigger: "operator"}, nil
}

func (d *fakeDaemon) Hold(ctx context.Context, pool string) error {
	return d.order(ctx, "hold %s", pool)
}

func (d *fakeDaemon) Release(ctx context.Context, pool string) error {
	return d.order(ctx, "release %s", pool)
}

func (d *fakeDaemon) seen() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.orders, "; ")
}

func testServer(t *testing.T, d *fakeDaemon, change func(*Options)) *httptest.Server {
	t.Helper()
	o := Options{Source: d, Operator: d, Version: "v9", Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	srv := httptest.NewServer(New(o).handler(t.Context(), false))
	t.Cleanup(srv.Close)
	return srv
}

// request is one HTTP request as a table row: headers are "Name: value", and a Host header sets the host.
type request struct {
	method, path, body string
	headers            []string
}

// jsonBody is the header that every order must carry.
const jsonBody = "Content-Type: application/json"

func (q request) send(t *testing.T, base string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), q.method, base+q.path, strings.NewReader(q.body))
	if err != nil {
		t.Fatalf("build request: %v", err)
	}
	for _, line := range q.headers {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("send request: %v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("read answer: %v", err)
	}
	return resp, string(body)
}
