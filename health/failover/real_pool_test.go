package failover

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"holdfast/health"
)

// plane is a data plane without clients: it acknowledges, and remembers the routes.
type plane struct {
	mu      sync.Mutex
	routes  []health.Route
	times   []time.Time
	changed chan struct{}
	slow    int
}

func (p *plane) Publish(r health.Route) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.routes, p.times = append(p.routes, r), append(p.times, time.Now())
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *plane) Cut(context.Context, uint64, time.Duration) (CutReport, error) {
	return CutReport{Clients: 3, Unknown: 1}, nil
}
func (p *plane) Quiesce(context.Context) error  { return nil }
func (p *plane) Clients() (connected, held int) { return 3, 0 }

func (p *plane) SlowInFlight() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.slow
}

func (p *plane) setSlow(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slow = n
}

// last returns the present route, when it was published, and a channel that is closed with the next one.
func (p *plane) last() (health.Route, time.Time, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.routes) == 0 {
		return health.Route{Backend: -1}, time.Time{}, p.changed
	}
	return p.routes[len(p.routes)-1], p.times[len(p.times)-1], p.changed
}

// memory is an authority that keeps its records for the test to look at.
type memory struct {
	mu       sync.Mutex
	record   health.Record
	intended []health.Record
}

func (m *memory) Intend(r health.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.record, m.intended = r, append(m.intended, r)
	return nil
}

func (m *memory) Commit(r health.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.record = r
	return nil
}

func (m *memory) Note(epoch uint64, offset int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.record.Epoch == epoch {
		m.record.Offset = offset
	}
	return nil
}

func (m *memory) Keep(health.Receipt) error { return nil }

func (m *memory) last() health.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.record
}

// rig is a pool under test: servers, controller, executor, data plane, authority.
type rig struct {
	*health.Controller
	t       *testing.T
	plane   *plane
	memory  *memory
	cancel  context.CancelFunc
	done    chan error
	servers []*server
}

func newRig(t *testing.T, change func(*health.Settings), servers ...*server) *rig {
	t.Helper()
	return newRigWith(t, &memory{}, change, servers...)
}

func newRigWith(t *testing.T, m *memory, change func(*health.Settings), servers ...*server) *rig {
	t.Helper()
	s := health.Settings{Name: "test", Logger: slog.New(slog.NewTextHandler(testWriter{t}, nil))}
	for _, server := range servers {
		s.Backends = append(s.Backends, server.backend)
	}
	if change != nil {
		change(&s)
	}
	r := &rig{t: t, plane: &plane{changed: make(chan struct{})}, memory: m, servers: servers, done: make(chan error, 1)}
	c, err := health.New(s, New(s, r.plane, r.memory), m.last())
	if err != nil {
		t.Fatalf("create controller: %v", err)
	}
	r.Controller = c
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go r.run(ctx)
	t.Cleanup(r.stop)
	return r
}

func (r *rig) run(ctx context.Context) { r.done <- r.Run(ctx) }

// stop ends the controller and checks that it ends well.
func (r *rig) stop() {
	if r.cancel == nil {
		return
	}
	r.cancel()
	r.cancel = nil
	select {
	case err := <-r.done:
		if !errors.Is(err, context.Canceled) {
			r.t.Errorf("Run: got %v, want %v", err, context.Canceled)
		}
	case <-time.After(5 * time.Second):
		r.t.Errorf("Run did not end")
	}
	if got := r.Snapshot().Faults; got != 0 {
		r.t.Errorf("illegal transitions: got %d, want 0", got)
	}
}

// awaitRoute waits for a route and returns when it was published.
func (r *rig) awaitRoute(within time.Duration, what string, want func(health.Route) bool) (health.Route, time.Time) {
	r.t.Helper()
	deadline := time.After(within)
	for {
		route, at, changed := r.plane.last()
		if want(route) {
			return route, at
		}
		select {
		case <-changed:
		case <-deadline:
			r.t.Fatalf("no route within %s: %s; last %+v, state %+v", within, what, route, r.Snapshot())
		}
	}
}

// awaitServing waits until the pool serves from s and everybody else is in sync.
func (r *rig) awaitServing(s *server) health.Route {
	r.t.Helper()
	route, _ := r.awaitRoute(10*time.Second, "open to "+s.name, func(route health.Route) bool {
		return route.Gate == health.GateOpen && route.Backend >= 0 && r.servers[route.Backend] == s
	})
	eventually(r.t, 5*time.Second, "serving", func() bool { return r.Snapshot().State == "serving" })
	return route
}

func (r *rig) awaitInSync(within time.Duration, s *server) {
	r.t.Helper()
	eventually(r.t, within, s.name+" in sync", func() bool {
		for _, b := range r.Snapshot().Backends {
			if b.Name == s.name {
				return b.InSync && b.Role == "replica"
			}
		}
		return false
	})
}

func openWith(epoch uint64) func(health.Route) bool {
	return func(r health.Route) bool { return r.Gate == health.GateOpen && r.Epoch == epoch }
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}

// pair starts a master with a replica that streams.
func pair(t *testing.T, args ...string) (a, b *server) {
	t.Helper()
	t.Parallel() // these tests wait more than they work
	a, b = newServer(t, "redis1", args...), newServer(t, "redis2", args...)
	a.Start()
	b.StartReplica(a)
	return a, b
}
