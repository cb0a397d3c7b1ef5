package failover

import (
	"errors"
	"testing"
	"time"

	"holdfast/health"
)

func TestThreeSwitchoversInARow(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	acked := make(chan int, 1)
	go writer(t.Context(), a, 0, acked) // bypasses the proxy
	eventually(t, 5*time.Second, "writes", func() bool { return a.keys() > 100 })
	from, to := a, b
	for i := range 3 {
		receipt, err := r.Switchover(t.Context(), "")
		if err != nil {
			t.Fatalf("switchover %d: %v", i, err)
		}
		t.Logf("switchover %d: %+v", i, receipt.Phases)
		if receipt.New != to.name || receipt.BytesLost != 0 || receipt.Trigger != health.TriggerSwitchover {
			t.Errorf("receipt: got %+v", receipt)
		}
		if i == 0 {
			if got, want := b.keys(), int64(<-acked); got < want {
				t.Errorf("keys on the new master: got %d, want at least %d", got, want)
			}
		}
		if got := receipt.Phases.Total; got > 50 {
			t.Errorf("gap: got %.1f ms, want at most 50", got)
		}
		from, to = to, from
	}
	r.awaitServing(from)
	r.awaitInSync(5*time.Second, to)
	checkRoutes(t, r)
}

func TestSwitchoverRefusals(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	if _, err := r.Switchover(t.Context(), "nobody"); !errors.Is(err, health.ErrNoBackend) {
		t.Errorf("unknown backend: got %v, want %v", err, health.ErrNoBackend)
	}
	if _, err := r.Switchover(t.Context(), "redis1"); !errors.Is(err, health.ErrNotReady) {
		t.Errorf("to the master: got %v, want %v", err, health.ErrNotReady)
	}
	b.Kill()
	if _, err := r.Switchover(t.Context(), ""); !errors.Is(err, health.ErrNotReady) {
		t.Errorf("without a replica: got %v, want %v", err, health.ErrNotReady)
	}
	if info, err := a.info(); err != nil || !info.IsMaster() {
		t.Errorf("master: got %+v %v, want it unchanged", info, err)
	}
}

// A replica that cannot catch up ends a switchover with nothing changed.
func TestSwitchoverIsGivenUp(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	b.Freeze()
	_, err := r.Switchover(t.Context(), "redis2")
	if err == nil {
		t.Fatalf("switchover to a frozen replica succeeded")
	}
	t.Logf("refused: %v", err)
	b.Wake()
	r.awaitServing(a)
	a.must("SET", "k", "1")
	if got := r.Snapshot().Epoch; got != 1 {
		t.Errorf("epoch: got %d, want 1", got)
	}
}

func TestForcedFailoverOfALivingMaster(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	receipt, err := r.Failover(t.Context(), "", false)
	if err != nil {
		t.Fatalf("failover: %v", err)
	}
	if receipt.Trigger != health.TriggerOperator || receipt.New != "redis2" {
		t.Errorf("receipt: got %+v", receipt)
	}
	r.awaitInSync(5*time.Second, a)
}

func TestHoldAndRelease(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	if err := r.Hold(t.Context()); err != nil {
		t.Fatalf("hold: %v", err)
	}
	if route, _, _ := r.plane.last(); route.Gate != health.GateShut {
		t.Errorf("gate after hold: got %s, want shut", route.Gate)
	}
	if err := r.Release(t.Context()); err != nil {
		t.Fatalf("release: %v", err)
	}
	if route, _, _ := r.plane.last(); route.Gate != health.GateOpen {
		t.Errorf("gate after release: got %s, want open", route.Gate)
	}
}

func TestLostConnectionOfALivingMasterOnlyRaisesCheck(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	before := r.awaitServing(a)
	r.Observe(health.Evidence{Backend: 0, Epoch: before.Epoch, Kind: health.EvEOF})
	after, _ := r.awaitRoute(time.Second, "check", func(route health.Route) bool { return route.Check > before.Check })
	before.Check = after.Check
	if after != before {
		t.Errorf("route: got %+v, want %+v", after, before)
	}
	a.must("CLIENT", "KILL", "TYPE", "normal")
	r.awaitRoute(time.Second, "open again", func(route health.Route) bool {
		return route.Gate == health.GateOpen && route.Check > before.Check
	})
	if got := r.Snapshot().Epoch; got != 1 {
		t.Errorf("epoch: got %d, want 1", got)
	}
}
