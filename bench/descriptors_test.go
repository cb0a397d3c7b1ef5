package bench

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"holdfast/bench/testbed"
)

const (
	// fewDescriptors carry 41 clients: see descriptorsKept and descriptorsEach in the proxy.
	fewDescriptors, fewClients = 200, 41
	// idleFor is how long a daemon without descriptors is watched, idleMax the processor time that it may use meanwhile.
	idleFor, idleMax = time.Second, 500 * time.Millisecond
)

// askOnce says whether a new connection is served, and what it hears otherwise.
func askOnce(t *testing.T, address string) (*conn, string) {
	t.Helper()
	c, err := dial(t.Context(), address)
	check(t, err)
	t.Cleanup(func() { c.Close() })
	rep, err := c.do(queryMax, "PING")
	if err != nil {
		return c, err.Error()
	}
	return c, rep.text
}

const fullText = "ERR max number of clients reached"

// A daemon with few descriptors serves as many as it can, says so to the others, survives the loss of its master with all of
// them, and neither spins nor ends when there is not one descriptor left.
func TestFewDescriptors(t *testing.T) {
	dir := t.TempDir()
	pair, err := StartPair(t.Context(), dir, PairOptions{})
	check(t, err)
	t.Cleanup(func() { check(t, pair.Close()) })
	d, err := NewDaemon(dir, DaemonOptions{Binary: testbed.Binary(t), Backends: pair.refs(), Descriptors: fewDescriptors})
	check(t, err)
	check(t, d.Start())
	t.Cleanup(func() { check(t, d.Close()) })
	check(t, d.WaitServing(t.Context()))
	var served []*conn
	for i := range 100 {
		c, got := askOnce(t, d.Address())
		want := "PONG"
		if i >= fewClients {
			want = fullText
		}
		if got != want {
			t.Fatalf("client %d: got %q, want %q", i, got, want)
		}
		if want == "PONG" {
			served = append(served, c)
		}
	}
	check(t, pair.Master.Kill())
	for i, c := range served {
		if rep, err := c.do(queryMax, "PING"); err != nil || rep.text != "PONG" {
			t.Fatalf("client %d after the failover: got %v, %v", i, rep, err)
		}
	}
	starve(t, d, served)
	if tail := d.Tail(100); !strings.Contains(tail, "come near their limit") {
		t.Errorf("no warning in\n%s", tail)
	}
}

// starve takes all descriptors with connections to the admin API, which are no clients of a pool.
func starve(t *testing.T, d *Daemon, served []*conn) {
	t.Helper()
	check(t, served[len(served)-1].Close()) // room for one more by the number of clients
	check(t, await(t.Context(), 5*time.Second, pollEvery, func(ctx context.Context) error {
		if p, err := d.Status(ctx); err != nil || p.Clients != fewClients-1 {
			return fmt.Errorf("%d clients, %w", p.Clients, err)
		}
		return nil
	}))
	var idle []net.Conn
	for range fewDescriptors {
		c, err := net.Dial("tcp", strings.TrimPrefix(d.Admin(), "http://"))
		check(t, err)
		idle = append(idle, c)
	}
	check(t, await(t.Context(), 5*time.Second, pollEvery, func(context.Context) error {
		if u, err := d.Usage(); err != nil || u.Descriptors < fewDescriptors-1 {
			return fmt.Errorf("%d descriptors, %w", u.Descriptors, err)
		}
		return nil
	}))
	before, err := d.Usage()
	check(t, err)
	for range 10 {
		if _, got := askOnce(t, d.Address()); got != fullText {
			t.Errorf("without descriptors: got %q, want %q", got, fullText)
		}
	}
	check(t, pause(t.Context(), idleFor))
	after, err := d.Usage()
	check(t, err)
	if used := after.CPU - before.CPU; used > idleMax {
		t.Errorf("without descriptors %s of processor time went by in %s", used, idleFor)
	}
	if p, err := d.Status(t.Context()); err != nil || p.Turned["descriptors"] != 10 { // over the connection it has
		t.Errorf("turned away: got %v, %v", p.Turned, err)
	}
	if rep, err := served[0].do(queryMax, "PING"); err != nil || rep.text != "PONG" {
		t.Errorf("got %v, %v", rep, err)
	}
	for _, c := range idle {
		check(t, c.Close())
	}
	check(t, await(t.Context(), 5*time.Second, pollEvery, func(context.Context) error {
		if _, got := askOnce(t, d.Address()); got != "PONG" {
			return fmt.Errorf("got %q", got)
		}
		return nil
	}))
}
