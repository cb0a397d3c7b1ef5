package health

import (
	"slices"
	"testing"
	"time"
)

// plot is a pool that hears one thing after the other, and what it wanted last.
type plot struct {
	pool    pool
	effects []Effect
}

func (s *plot) observe(o Observation) {
	s.pool.now += time.Millisecond
	o.At = s.pool.now
	s.pool, s.effects = step(s.pool, o)
}

func (s *plot) kill(i int) {
	s.observe(Observation{Failure: &Failure{Node: i, Kind: FailLost}})
	s.observe(Observation{Failure: &Failure{Node: i, Kind: FailRefused, Fresh: true}})
}

// wanted lists the nodes of the effects of a kind.
func (s *plot) wanted(kind EffectKind) (nodes []int) {
	for _, e := range s.effects {
		if e.Kind == kind {
			nodes = append(nodes, e.Node)
		}
	}
	return nodes
}

// done tells that an effect of the present plan succeeded.
func (s *plot) done(kind EffectKind, node int, info Info) {
	s.observe(Observation{Result: &Result{Kind: kind, Plan: s.pool.plan.id, Epoch: s.pool.epoch, Node: node, Info: info}})
}

// drained is what node i says when it has read the stream to its end.
func (s *plot) drained(i int) Info {
	info := s.pool.nodes[i].info
	info.LinkUp = false
	return info
}

// A replica of a replica has nothing that the one before it lacks, and its link never goes down: waiting for that would only take time.
func TestWhoStandsBehindACandidateIsNotDrained(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*pool)
		want   []int
	}{
		{"both follow the master", func(*pool) {}, []int{1, 2}},
		{"one follows the other", func(p *pool) { p.nodes[2].info.MasterHost, p.nodes[2].info.MasterPort = "10.0.0.2", 1 }, []int{1}},
		{"it only seeks the other", func(p *pool) {
			p.nodes[2].info.MasterHost, p.nodes[2].info.MasterPort, p.nodes[2].info.LinkUp = "10.0.0.2", 1, false
		}, []int{1, 2}},
		{"the other is no candidate", func(p *pool) {
			p.nodes[2].info.MasterHost, p.nodes[2].info.MasterPort, p.nodes[1].info.Priority = "10.0.0.2", 1, 0
		}, []int{2}},
		{"each follows the other", func(p *pool) {
			p.nodes[2].info.MasterHost, p.nodes[2].info.MasterPort = "10.0.0.2", 1
			p.nodes[1].info.MasterHost, p.nodes[1].info.MasterPort = "10.0.0.3", 1
		}, []int{1, 2}},
	} {
		s := &plot{pool: served()}
		c.change(&s.pool)
		s.kill(0)
		if got := s.wanted(EffectDrain); !slices.Equal(got, c.want) {
			t.Errorf("%s: got drains of %v, want %v", c.name, got, c.want)
		}
	}
}

// The one before it fails: then the replica of a replica is the candidate, and is drained like everybody before it is promoted.
func TestEverybodyIsDrainedBeforeThePromotion(t *testing.T) {
	s := &plot{pool: served()}
	s.pool.nodes[2].info.MasterHost, s.pool.nodes[2].info.MasterPort = "10.0.0.2", 1
	s.kill(0)
	s.done(EffectIntend, 1, Info{})
	s.done(EffectCut, 0, Info{})
	s.observe(Observation{Result: &Result{Kind: EffectDrain, Plan: s.pool.plan.id, Node: 1, Err: errAway}})
	if drains, promotions := s.wanted(EffectDrain), s.wanted(EffectPromote); !slices.Equal(drains, []int{2}) || len(promotions) != 0 {
		t.Fatalf("got drains of %v and promotions of %v when node 1 had failed, want a drain of node 2 first", drains, promotions)
	}
	s.done(EffectDrain, 2, s.drained(2))
	if intents := s.wanted(EffectIntend); !slices.Equal(intents, []int{2}) {
		t.Fatalf("got intents for %v, want one for node 2", intents)
	}
	s.done(EffectIntend, 2, Info{})
	if promotions := s.wanted(EffectPromote); !slices.Equal(promotions, []int{2}) {
		t.Errorf("got promotions of %v, want one of node 2", promotions)
	}
}

// An operator accepts one that was copying. What it has is the data from then on, so that its past says nothing against it any more.
func TestWhoIsAcceptedIsWhole(t *testing.T) {
	s := &plot{pool: served()}
	for i := range s.pool.nodes[1:] {
		s.pool.nodes[i+1].dirty, s.pool.nodes[i+1].streaming = true, false
	}
	s.kill(0)
	if s.pool.state != StateStuck {
		t.Fatalf("got state %s with replicas that were copying, want stuck", s.pool.state)
	}
	s.observe(Observation{Order: &Order{ID: 1, Kind: OrderFailover, To: 1, AcceptLoss: true}})
	s.done(EffectCut, 0, Info{})
	s.done(EffectDrain, 1, s.drained(1))
	s.done(EffectIntend, 1, Info{})
	s.done(EffectPromote, 1, Info{RunID: "rb", Role: "master", ReplID: "L4", ReplID2: "L3", Offset: 1000})
	if n := s.pool.nodes[1]; s.pool.master != 1 || n.dirty {
		t.Errorf("got master %d, still copying %v; want 1 that is whole", s.pool.master, n.dirty)
	}
}

// promoting is a pool whose master has died, and whose node 1 was told to be master.
func promoting(t *testing.T) *plot {
	t.Helper()
	s := &plot{pool: served()}
	s.kill(0)
	s.done(EffectIntend, 1, Info{})
	s.done(EffectCut, 0, Info{})
	s.done(EffectDrain, 1, s.drained(1))
	s.done(EffectDrain, 2, s.drained(2))
	if got := s.wanted(EffectPromote); !slices.Equal(got, []int{1}) {
		t.Fatalf("got promotions of %v, want one of node 1", got)
	}
	return s
}

// The dead master was back and had taken the candidate along. The promotion could not be verified, and what it made is ours to undo.
func TestWhoWasPromotedInVainIsDemoted(t *testing.T) {
	s := promoting(t)
	made := Info{RunID: "rb", Role: "master", ReplID: "X2", ReplID2: "X1", Offset: 1000, Keys: true}
	s.observe(Observation{Result: &Result{Kind: EffectPromote, Plan: s.pool.plan.id, Node: 1, Info: made, Err: errAway}})
	s.observe(Observation{Answer: &Answer{Node: 1, Sent: s.pool.now, Info: made}})
	if got := s.pool.nodes[1].verdict; got != VerdictStale {
		t.Errorf("got %s, want %s", got, VerdictStale)
	}
	made.ReplID = "X3"
	s.observe(Observation{Answer: &Answer{Node: 1, Sent: s.pool.now, Info: made}})
	if got := s.pool.nodes[1].verdict; got != VerdictQuarantined {
		t.Errorf("with another lineage: got %s, want %s", got, VerdictQuarantined)
	}
}

// The restarted master gave our lineage another name, under which the candidate went on. That name is the one before the present.
func TestTheNameThatARestartedMasterGaveIsKnown(t *testing.T) {
	s := promoting(t)
	s.done(EffectPromote, 1, Info{RunID: "rb", Role: "master", ReplID: "L5", ReplID2: "L4", Offset: 1000})
	if got, want := s.pool.known, []string{"L5", "L4", "L3", "L2"}; !slices.Equal(got, want) {
		t.Errorf("got the lineages %v, want %v", got, want)
	}
}
