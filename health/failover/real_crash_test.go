package failover

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"holdfast/health"
)

// writer writes numbered keys to a server, one after the other, until it is gone; it counts what was acknowledged.
func writer(ctx context.Context, s *server, id int, acked chan<- int) {
	n := 0
	defer func() { acked <- n }()
	link, err := health.Dial(ctx, health.Settings{}, s.backend)
	if err != nil {
		return
	}
	defer link.Close()
	for ctx.Err() == nil {
		if err := link.Set(ctx, fmt.Sprintf("key:%d:%d", id, n), "value", 0).Err(); err != nil {
			return
		}
		n++
	}
}

func TestKilledMasterIsReplacedWithoutLoss(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	const writers = 10
	acked := make(chan int, writers)
	for i := range writers {
		go writer(t.Context(), a, i, acked)
	}
	eventually(t, 5*time.Second, "writes", func() bool { return a.keys() > 1000 })
	killed := time.Now()
	a.Kill()
	// What the sessions of a data plane would see first.
	r.Observe(health.Evidence{Backend: 0, Epoch: 1, Kind: health.EvEOF, Busy: true})
	route, at := r.awaitRoute(2*time.Second, "epoch 2", openWith(2))
	total := 0
	for range writers {
		total += <-acked
	}
	t.Logf("released %.1f ms after the kill; %d writes acknowledged", float64(at.Sub(killed).Microseconds())/1000, total)
	if got, want := route.Backend, 1; got != want {
		t.Errorf("backend: got %d, want %d", got, want)
	}
	// Within one turn of its event loop a server answers some clients before it writes to its replica. A process that is killed
	// between the two takes at most one write of each client with it; nothing outside can bring those back.
	if got := b.keys(); got < int64(total-writers) {
		t.Errorf("keys on the new master: got %d, want the %d acknowledged, or up to %d less", got, total, writers)
	}
	if info, err := b.info(); err != nil || !info.IsMaster() || info.ReplID != route.Lineage {
		t.Errorf("new master: got %+v %v, want a master with lineage %s", info, err, route.Lineage)
	}
	eventually(t, 2*time.Second, "journal", func() bool { return r.memory.last().Epoch == 2 })
	if got := r.memory.last(); got.Node != "redis2" || got.Intent != nil {
		t.Errorf("journal: got %+v, want redis2 without intent", got)
	}
	receipts := r.Receipts()
	last := receipts[len(receipts)-1]
	t.Logf("receipt: %+v", last)
	if last.New != "redis2" || last.Old != "redis1" || last.BytesLost != 0 || last.Trigger != health.TriggerAutomatic {
		t.Errorf("receipt: got %+v", last)
	}
}

func TestKilledMasterIsNoticedWithoutClients(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	killed := time.Now()
	a.Kill()
	_, at := r.awaitRoute(2*time.Second, "epoch 2", openWith(2))
	if got, want := at.Sub(killed), 300*time.Millisecond; got > want {
		t.Errorf("released after %s, want at most %s: one interval and the failover", got, want)
	}
}

func TestRebornEmptyMasterNeverServes(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	a.must("SET", "canary", "1")
	eventually(t, time.Second, "canary", func() bool { return b.keys() == 1 })
	a.Kill()
	a.Start()
	r.Observe(health.Evidence{Backend: 0, Epoch: 1, Kind: health.EvReset})
	r.awaitServing(b)
	if got := b.keys(); got != 1 {
		t.Fatalf("keys on the new master: got %d, want 1", got)
	}
	r.awaitInSync(10*time.Second, a)
	if got := a.keys(); got != 1 {
		t.Errorf("keys on the reborn node: got %d, want 1", got)
	}
	checkRoutes(t, r)
}

func TestMasterRebornFromOldSnapshotNeverServes(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	a.must("SET", "old", "1")
	a.must("SAVE")
	a.must("SET", "new", "1")
	eventually(t, time.Second, "replication", func() bool { return b.keys() == 2 })
	a.Kill()
	a.Start()
	r.awaitServing(b)
	if got := b.keys(); got != 2 {
		t.Fatalf("keys on the new master: got %d, want 2", got)
	}
	r.awaitInSync(10*time.Second, a)
	if got := a.keys(); got != 2 {
		t.Errorf("keys on the reborn node: got %d, want 2", got)
	}
	checkRoutes(t, r)
}

func TestSecondKillAtOnce(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	a.Kill()
	r.awaitServing(b)
	a.Start()
	r.awaitInSync(10*time.Second, a)
	killed := time.Now()
	b.Kill()
	_, at := r.awaitRoute(2*time.Second, "epoch 3", openWith(3))
	if got, want := at.Sub(killed), 300*time.Millisecond; got > want {
		t.Errorf("second failover after %s, want at most %s", got, want)
	}
}

func TestBothDeadThenMasterBackWithData(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, func(s *health.Settings) { s.HoldMaxWait = 500 * time.Millisecond }, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	a.must("SET", "k", "1")
	a.must("SAVE")
	b.Kill()
	a.Kill()
	r.awaitRoute(3*time.Second, "refusing", func(r health.Route) bool { return r.Gate == health.GateRefusing })
	if got, want := r.Snapshot().State, "stuck"; got != want {
		t.Errorf("state: got %s, want %s", got, want)
	}
	a.Start()
	r.awaitServing(a)
	if got := a.keys(); got != 1 {
		t.Errorf("keys: got %d, want 1", got)
	}
	checkRoutes(t, r)
}

func TestBothDeadThenReplicaBackAlone(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	a.must("SET", "k", "1")
	eventually(t, time.Second, "replication", func() bool { return b.keys() == 1 })
	b.must("SAVE")
	b.Kill()
	a.Kill()
	eventually(t, 2*time.Second, "stuck", func() bool { return r.Snapshot().State == "stuck" })
	b.Start("--replicaof", fmt.Sprintf("127.0.0.1 %d", a.port))
	r.awaitServing(b)
	if got := b.keys(); got != 1 {
		t.Errorf("keys: got %d, want 1", got)
	}
}

func TestBothDeadThenEmptyNeedsAnOperator(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	b.Kill()
	a.Kill()
	eventually(t, 2*time.Second, "stuck", func() bool { return r.Snapshot().State == "stuck" })
	a.Start()
	b.Start()
	eventually(t, 3*time.Second, "both seen", func() bool {
		s := r.Snapshot()
		return s.Backends[0].Verdict == "reborn" && s.Backends[1].Verdict == "stale"
	})
	if _, err := r.Failover(t.Context(), "redis1", false); !errors.Is(err, health.ErrNotReady) {
		t.Errorf("failover without accepting the loss: got %v, want %v", err, health.ErrNotReady)
	}
	receipt, err := r.Failover(t.Context(), "redis1", true)
	if err != nil {
		t.Fatalf("failover: %v", err)
	}
	if receipt.New != "redis1" || receipt.Epoch != 2 {
		t.Errorf("receipt: got %+v", receipt)
	}
	r.awaitServing(a)
	r.awaitInSync(10*time.Second, b)
}

// checkRoutes checks what must hold for every sequence of routes: epochs grow, and each names one master only.
func checkRoutes(t *testing.T, r *rig) {
	t.Helper()
	r.plane.mu.Lock()
	defer r.plane.mu.Unlock()
	epoch, master := uint64(0), map[uint64]int{}
	for _, route := range r.plane.routes {
		if route.Epoch < epoch {
			t.Errorf("epoch went back from %d to %d", epoch, route.Epoch)
		}
		epoch = route.Epoch
		if route.Gate != health.GateOpen {
			continue
		}
		if other, found := master[epoch]; found && other != route.Backend {
			t.Errorf("epoch %d has two masters: %d and %d", epoch, other, route.Backend)
		}
		master[epoch] = route.Backend
	}
}
