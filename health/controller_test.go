package health

import (
	"context"
	"errors"
	"net"
	"strconv"
	"testing"
	"time"
)

// idle is an executor that has nothing to do with any server.
type idle struct{ routes chan Route }

func (x idle) Publish(r Route) {
	select {
	case x.routes <- r:
	default:
	}
}
func (x idle) Load() Load                             { return Load{} }
func (x idle) Execute(context.Context, Effect) Result { return Result{} }
func (x idle) Close() error                           { return nil }

// closedPort is an address where nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func runController(t *testing.T, s Settings) (*Controller, chan Route) {
	t.Helper()
	x := idle{routes: make(chan Route, 100)}
	c, err := New(s, x, Record{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go run(ctx, c, done)
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: got %v, want %v", err, context.Canceled)
		}
		if err := c.Hold(context.Background()); !errors.Is(err, ErrStopped) {
			t.Errorf("order to a stopped controller: got %v, want %v", err, ErrStopped)
		}
	})
	return c, x.routes
}

func run(ctx context.Context, c *Controller, done chan<- error) { done <- c.Run(ctx) }

func TestUnreachableBackendsGiveNoRouteAndAReason(t *testing.T) {
	c, routes := runController(t, Settings{Name: "p", Backends: []Backend{{Name: "a", Address: closedPort(t)}}})
	if r := <-routes; r.Gate != GateShut || r.Backend != noNode {
		t.Errorf("first route: got %+v, want shut and nobody", r)
	}
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for c.Snapshot().State != "no-master" {
		<-ticker.C
	}
	s := c.Snapshot()
	if s.Backends[0].Verdict != "refused" || s.Why == "" || s.Master != "" {
		t.Errorf("snapshot: got %+v", s)
	}
	if _, err := c.Switchover(t.Context(), "a"); !errors.Is(err, ErrNotReady) {
		t.Errorf("switchover: got %v, want %v", err, ErrNotReady)
	}
	if events := c.Events(0); len(events) < 2 || events[0].Seq != 1 {
		t.Errorf("events: got %+v, want at least two from 1 on", events)
	}
}

// Observe must not block, however much comes and whoever listens.
func TestObserveNeverBlocks(t *testing.T) {
	c, err := New(Settings{Name: "p", Backends: []Backend{{Name: "a", Address: "127.0.0.1:1"}}}, idle{}, Record{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 * evidenceMax {
		c.Observe(Evidence{Backend: 0, Epoch: uint64(i), Kind: EvReset})
	}
	if !c.flooded.Load() {
		t.Errorf("evidence beyond the queue left no mark")
	}
}

func TestHistoryIsBoundedAndNumbered(t *testing.T) {
	var c Controller
	s := Settings{Name: "p"}.normalized()
	for i := range eventsMax + 10 {
		c.history.add(s, Event{Kind: "state", Text: strconv.Itoa(i)})
	}
	for i := range receiptsMax + 10 {
		c.history.keep(Receipt{Epoch: uint64(i)})
	}
	if got := c.Events(0); len(got) != eventsMax || got[0].Seq != 11 {
		t.Errorf("events: got %d from %d, want %d from 11", len(got), got[0].Seq, eventsMax)
	}
	if got := c.Events(eventsMax + 8); len(got) != 2 || got[0].Seq != eventsMax+9 {
		t.Errorf("events after a number: got %+v", got)
	}
	if got := c.Receipts(); len(got) != receiptsMax || got[0].Epoch != 10 {
		t.Errorf("receipts: got %d from epoch %d", len(got), got[0].Epoch)
	}
}
