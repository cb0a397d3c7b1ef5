package main

import (
	"bytes"
	"context"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/admin"
)

// fakeDaemon stands behind a real admin.Server: what commands meet is the real API with invented pools.
type fakeDaemon struct {
	mu     sync.Mutex
	status admin.Status
	events []admin.Event
	fail   error // what orders answer
	orders []string
}

func (d *fakeDaemon) Status() admin.Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.status
}

func (d *fakeDaemon) Failovers(string) ([]admin.Receipt, error) { return nil, nil }

func (d *fakeDaemon) Events(after uint64) []admin.Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, e := range d.events {
		if e.Seq > after {
			return append([]admin.Event(nil), d.events[i:]...)
		}
	}
	return nil
}

func (d *fakeDaemon) emit(events ...admin.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, events...)
}

func (d *fakeDaemon) order(words ...string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.orders = append(d.orders, strings.Join(words, " "))
	return d.fail
}

func (d *fakeDaemon) Switchover(_ context.Context, pool, to string) (*admin.Receipt, error) {
	if err := d.order("switchover", pool, to); err != nil {
		return nil, err
	}
	return sampleReceipt(time.Now()), nil
}

func (d *fakeDaemon) Failover(_ context.Context, pool string, o admin.FailoverOrder) (*admin.Receipt, error) {
	words := []string{"failover", pool, o.To}
	if o.AcceptLoss {
		words = append(words, "loss")
	}
	if err := d.order(words...); err != nil {
		return nil, err
	}
	return sampleReceipt(time.Now()), nil
}

func (d *fakeDaemon) Hold(_ context.Context, pool string) error    { return d.order("hold", pool) }
func (d *fakeDaemon) Release(_ context.Context, pool string) error { return d.order("release", pool) }

// start serves the fake's API on address until the test ends, and returns the address for --server.
func (d *fakeDaemon) start(t *testing.T, address, token string) string {
	t.Helper()
	server, _ := d.startStoppable(t, address, token)
	return server
}

func (d *fakeDaemon) startStoppable(t *testing.T, address, token string) (string, func()) {
	t.Helper()
	ln, err := admin.Listen(t.Context(), address)
	if err != nil {
		t.Fatalf("start fake daemon: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- admin.New(admin.Options{Source: d, Operator: d, Token: token, Version: "v1"}).Serve(ctx, ln)
	}()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("fake daemon: %v", err)
		}
	})
	t.Cleanup(stop)
	if strings.HasPrefix(address, unixPrefix) {
		return address, stop
	}
	return "http://" + ln.Addr().String(), stop
}

// deadAddress is an address on which nobody listens any more.
func deadAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return "http://" + ln.Addr().String()
}

// result is what one command line left behind.
type result struct {
	code        int
	out, errors string
}

func runLine(t *testing.T, args ...string) result {
	t.Helper()
	return runContext(t.Context(), args...)
}

func runContext(ctx context.Context, args ...string) result {
	var out, errs bytes.Buffer
	code := run(ctx, args, strings.NewReader(""), &out, &errs)
	return result{code: code, out: out.String(), errors: errs.String()}
}

func tempPath(t *testing.T, name string) string { return filepath.Join(t.TempDir(), name) }

func sampleReceipt(at time.Time) *admin.Receipt {
	return &admin.Receipt{
		Epoch: 5, Trigger: "switchover", Old: "redis1", New: "redis2", Cause: "asked for by an operator",
		PhasesMS: admin.Phases{{Name: "detect", MS: 0.8}, {Name: "cut", MS: 1.4}, {Name: "drain", MS: 2.25}, {Name: "promote", MS: 3},
			{Name: "total", MS: 9.4}},
		Clients: 50, Held: 49, Cut: admin.Cut{NeverSent: 1, Refused: 2, Retried: 3, Unknown: 4, Aborted: 5}, AtRisk: 6,
		OffsetSeen: 2977, OffsetPromoted: 2977, At: at,
	}
}

// samplePool is a healthy pair that failed over three minutes before now.
func samplePool(now time.Time) admin.Pool {
	return admin.Pool{
		Name: "cache", State: "serving", Since: now.Add(-192500 * time.Millisecond), Why: "promoted redis2", Epoch: 5, Gate: admin.GateOpen,
		Master: "redis2", Listen: []string{"127.0.0.1:7001", "unix:/run/holdfast/cache.sock"}, Protocol: "redis", Failover: "promote",
		Clients: 50, InFlight: 12, Failovers: 1,
		Backends: []admin.Backend{
			{Name: "redis1", Address: "10.0.0.1:9001", Role: "replica", Verdict: "healthy", Offset: 5000, LagBytes: 120, LinkUp: true, InSync: true},
			{Name: "redis2", Address: "10.0.0.2:9001", Role: "master", Verdict: "healthy", Offset: 5120},
		},
		LastReceipt: sampleReceipt(now.Add(-192500 * time.Millisecond)),
	}
}
