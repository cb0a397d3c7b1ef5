package failover

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/health"
)

func TestTwoUnrelatedMasters(t *testing.T) {
	a, b := newServer(t, "redis1"), newServer(t, "redis2")
	a.Start()
	b.Start()
	a.must("SET", "k", "a")
	b.must("SET", "k", "b")
	r := newRig(t, nil, a, b)
	eventually(t, 3*time.Second, "no master", func() bool { return r.Snapshot().State == "no-master" })
	after(300 * time.Millisecond)
	s := r.Snapshot()
	if s.Gate != "shut" || s.Epoch != 0 || !strings.Contains(s.Why, "REPLICAOF") {
		t.Errorf("snapshot: got %+v, want a shut gate and what to do", s)
	}
	for _, s := range []*server{a, b} {
		if info, err := s.info(); err != nil || !info.IsMaster() {
			t.Errorf("%s: got %+v %v, want it untouched", s.name, info, err)
		}
	}
	b.must("REPLICAOF", "127.0.0.1", fmt.Sprint(a.port)) // what the line said
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
}

func TestWrongPasswordIsNoDeath(t *testing.T) {
	a, b := newServer(t, "redis1", "--requirepass", "right", "--masterauth", "right"), newServer(t, "redis2")
	a.pass = "right"
	a.Start()
	b.Start()
	b.must("CONFIG", "SET", "masterauth", "right")
	b.must("REPLICAOF", "127.0.0.1", fmt.Sprint(a.port))
	a.awaitStreaming(b)
	r := newRig(t, func(s *health.Settings) { s.Password = "wrong" }, a, b)
	eventually(t, 3*time.Second, "denied", func() bool { return r.Snapshot().Backends[0].Verdict == "denied" })
	after(1200 * time.Millisecond)
	s := r.Snapshot()
	if s.Epoch != 0 || s.Gate == "open" {
		t.Errorf("snapshot: got %+v, want no route", s)
	}
	if info, err := b.info(); err != nil || !info.IsReplica() {
		t.Errorf("replica: got %+v %v, want it untouched", info, err)
	}
	if !strings.Contains(s.Why+s.Backends[0].Why, "password_file") {
		t.Errorf("why: got %q %q, want what to set", s.Why, s.Backends[0].Why)
	}
}

// The roles are swapped while nobody watches; the journal knows only the old ones.
func TestRestartWithSwappedRoles(t *testing.T) {
	a, b := pair(t)
	first := newRig(t, nil, a, b)
	first.awaitServing(a)
	first.awaitInSync(5*time.Second, b)
	first.stop()
	b.must("REPLICAOF", "NO", "ONE")
	a.must("REPLICAOF", "127.0.0.1", fmt.Sprint(b.port))
	b.awaitStreaming(a)
	second := newRigWith(t, first.memory, nil, a, b)
	route := second.awaitServing(b)
	if route.Epoch != 2 {
		t.Errorf("epoch: got %d, want 2", route.Epoch)
	}
}

// The journal outweighs who answers first: the old master is a zombie that still says master.
func TestRestartWithAZombie(t *testing.T) {
	a, b := pair(t)
	first := newRig(t, nil, a, b)
	first.awaitServing(a)
	first.awaitInSync(5*time.Second, b)
	first.stop()
	b.must("REPLICAOF", "NO", "ONE")
	b.must("SET", "k", "1")
	second := newRigWith(t, first.memory, nil, a, b)
	second.awaitServing(b)
	second.awaitInSync(5*time.Second, a)
	checkRoutes(t, second)
}

func TestRestartWithTheSameRolesKeepsTheEpoch(t *testing.T) {
	a, b := pair(t)
	first := newRig(t, nil, a, b)
	first.awaitServing(a)
	first.stop()
	second := newRigWith(t, first.memory, nil, a, b)
	if route := second.awaitServing(a); route.Epoch != 1 {
		t.Errorf("epoch: got %d, want 1", route.Epoch)
	}
}

// The master died and came back empty while nobody watched.
func TestRestartWithARebornMaster(t *testing.T) {
	a, b := pair(t, "--repl-diskless-sync", "no")
	first := newRig(t, nil, a, b)
	first.awaitServing(a)
	a.must("SET", "k", "1")
	first.awaitInSync(5*time.Second, b)
	eventually(t, time.Second, "replication", func() bool { return b.keys() == 1 })
	first.stop()
	a.Kill()
	second := newRigWith(t, first.memory, nil, a, b)
	second.awaitServing(b)
	a.Start()
	second.awaitInSync(10*time.Second, a)
	if got := a.keys(); got != 1 {
		t.Errorf("keys on the reborn node: got %d, want 1", got)
	}
}

func TestOnlyAReplicaAnswers(t *testing.T) {
	a, b := pair(t)
	a.must("SET", "k", "1")
	eventually(t, time.Second, "replication", func() bool { return b.keys() == 1 })
	a.Kill()
	r := newRig(t, nil, a, b)
	r.awaitServing(b)
	if got := b.keys(); got != 1 {
		t.Errorf("keys: got %d, want 1", got)
	}
}
