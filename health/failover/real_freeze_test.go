package failover

import (
	"testing"
	"time"

	"holdfast/health"
)

// after waits for d; a freeze has a length, not a condition.
func after(d time.Duration) { <-time.After(d) }

func TestShortFreezeChangesNothing(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	for range 3 {
		a.Freeze()
		after(300 * time.Millisecond)
		a.Wake()
		after(300 * time.Millisecond)
	}
	r.awaitServing(a)
	if got := r.Snapshot().Epoch; got != 1 {
		t.Errorf("epoch: got %d, want 1", got)
	}
	if info, err := b.info(); err != nil || !info.IsReplica() {
		t.Errorf("replica: got %+v %v, want a replica still", info.Role, err)
	}
}

func TestFrozenMasterIsReplacedAndDemoted(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	a.must("SET", "before", "1")
	frozen := time.Now()
	a.Freeze()
	r.awaitRoute(time.Second, "shut", func(r health.Route) bool { return r.Gate == health.GateShut })
	_, at := r.awaitRoute(3*time.Second, "epoch 2", openWith(2))
	took := at.Sub(frozen)
	t.Logf("released %s after the freeze", took)
	if took < 800*time.Millisecond || took > 1300*time.Millisecond {
		t.Errorf("released after %s, want 0.8s to 1.3s", took)
	}
	b.must("SET", "after", "1")
	after(3*time.Second - time.Since(frozen))
	a.Wake()
	r.awaitInSync(5*time.Second, a)
	if _, err := a.do("SET", "zombie", "1"); err == nil {
		t.Errorf("the woken master takes writes")
	}
	if got := a.keys(); got != 2 {
		t.Errorf("keys on the woken master: got %d, want 2", got)
	}
	r.awaitServing(b)
	checkRoutes(t, r)
}

// A queued demotion is the first thing a woken master does: nothing that a client sent it meanwhile is executed as a write.
func TestWokenMasterExecutesTheFenceFirst(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	after(100 * time.Millisecond) // the spare connection is opened in the background
	a.Freeze()
	r.awaitServing(b)
	got := make(chan error, 1)
	go write(a, got)
	after(100 * time.Millisecond)
	a.Wake()
	if err := <-got; err == nil {
		t.Errorf("a write queued after the fence was acknowledged")
	}
}

func write(s *server, result chan<- error) {
	_, err := s.do("SET", "late", "1")
	result <- err
}

func TestSlowCommandEarnsPatience(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	r.plane.setSlow(1)
	a.Freeze()
	after(2500 * time.Millisecond)
	if got, want := r.Snapshot().State, "suspect"; got != want {
		t.Errorf("state: got %s, want %s", got, want)
	}
	// The answer of the command overtakes that to our question, which waited behind it.
	r.plane.setSlow(0)
	after(200 * time.Millisecond)
	a.Wake()
	r.awaitServing(a)
	if got := r.Snapshot().Epoch; got != 1 {
		t.Errorf("epoch: got %d, want 1", got)
	}
}

func TestFrozenMasterWithoutReplicaIsWaitedFor(t *testing.T) {
	a := newServer(t, "redis1")
	a.Start()
	r := newRig(t, nil, a)
	r.awaitServing(a)
	a.Freeze()
	after(1500 * time.Millisecond)
	if got, want := r.Snapshot().State, "suspect"; got != want {
		t.Errorf("state: got %s, want %s", got, want)
	}
	a.Wake()
	r.awaitServing(a)
}
