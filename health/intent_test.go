package health

import (
	"slices"
	"testing"
)

// Two intents that are written at the same time reach the disk in any order, and the one that stays there may be that of a plan that
// was given up. So the second waits for the first.
func TestOneIntentAtATime(t *testing.T) {
	s := &plot{pool: served()}
	s.pool.nodes[1].online = true
	s.observe(Observation{Order: &Order{ID: 1, Kind: OrderSwitchover, To: 1}})
	if got := s.wanted(EffectIntend); !slices.Equal(got, []int{1}) {
		t.Fatalf("got intents for %v at the switchover, want one for node 1", got)
	}
	first := s.pool.plan.id
	ahead := s.pool.nodes[2].info
	ahead.AppliedOffset, ahead.ReadOffset = 1001, 1001
	s.observe(Observation{Answer: &Answer{Node: 2, Sent: s.pool.now, Info: ahead}})
	s.kill(0)
	if drains, intents := s.wanted(EffectDrain), s.wanted(EffectIntend); !slices.Equal(drains, []int{1, 2}) || len(intents) != 0 {
		t.Fatalf("got drains of %v and intents for %v at the death, want drains alone while an intent is on its way", drains, intents)
	}
	s.observe(Observation{Result: &Result{Kind: EffectIntend, Plan: first, Node: 1}})
	if got := s.wanted(EffectIntend); !slices.Equal(got, []int{2}) {
		t.Fatalf("got intents for %v when the first was on disk, want one for node 2", got)
	}
	s.done(EffectCut, 0, Info{})
	s.done(EffectDrain, 1, s.drained(1))
	s.done(EffectDrain, 2, s.drained(2))
	if got := s.wanted(EffectPromote); len(got) != 0 {
		t.Fatalf("got promotions of %v before the second intent is on disk", got)
	}
	s.done(EffectIntend, 2, Info{})
	if got := s.wanted(EffectPromote); !slices.Equal(got, []int{2}) {
		t.Errorf("got promotions of %v, want one of node 2", got)
	}
}
