package health

import (
	"testing"
	"time"
)

// When a plan takes the place of another, the cut that the first one asked for has found what the second will find no more.
func TestReceiptCountsTheCutOfAnEarlierPlan(t *testing.T) {
	s := Settings{Name: "p", Backends: []Backend{{Name: "a", Address: "a:1"}, {Name: "b", Address: "b:1"}}}.normalized()
	p := newPool(&s, Record{Epoch: 4, Node: "a", RunID: "r", Lineage: "L", Known: []string{"L"}})
	p.master, p.state = 0, StateDraining
	p.plan = plan{id: 2, old: 0, hard: true, cutting: true, draining: bit(1), intended: noNode, to: noNode}
	cut := func(plan uint64, r CutReport) {
		p, _ = step(p, Observation{Result: &Result{Kind: EffectCut, Plan: plan, Epoch: 4, Cut: r}})
	}
	cut(1, CutReport{Clients: 9, Unknown: 3, AtRisk: 5})
	if p.plan.cutDone {
		t.Error("got the cut of plan 2 done by that of plan 1")
	}
	cut(2, CutReport{Clients: 8, Unknown: 1})
	if got, want := p.plan.cut, (CutReport{Clients: 8, Unknown: 4, AtRisk: 5}); got != want || !p.plan.cutDone {
		t.Errorf("got %+v, done %v, want %+v", got, p.plan.cutDone, want)
	}
}

// The answer of a reborn master does not prove that the dead one had finished its last turn.
func TestRebornMasterProvesNothingOfTheDeadOne(t *testing.T) {
	w := newWorld(1, 2, nil)
	w.pass(3 * time.Second)
	if w.pool.state != StateServing || w.pool.provedAt == 0 {
		t.Fatalf("got state %s, proved at %s, want a serving master that was heard", w.pool.state, w.pool.provedAt)
	}
	want := w.pool.provedAt
	reborn := w.info(w.pool.master)
	reborn.RunID = "another"
	now := w.now + 50*time.Millisecond
	_, effects := step(w.pool, Observation{At: now, Answer: &Answer{Node: w.pool.master, Sent: now - time.Millisecond, Info: reborn}})
	for _, e := range effects {
		if e.Kind == EffectCut {
			if got := now - e.Alive; got != want {
				t.Errorf("got life proven at %s, want %s", got, want)
			}
			return
		}
	}
	t.Errorf("got %v, want a cut", effects)
}

// Who never met the lost master has nothing of its epoch: all that it acknowledged is at risk.
func TestReceiptOfOneWhoSawNothingOfTheEpoch(t *testing.T) {
	for apart, want := range map[bool]int{false: 2, true: 30} {
		turn := &turn{pool: served()}
		turn.plan = plan{id: 1, old: 0, apart: apart, cut: CutReport{AtRisk: 2, SinceAlive: 2, Acknowledged: 30}}
		if got := turn.receipt(1, Info{Offset: 1000}).Cut.AtRisk; got != want {
			t.Errorf("apart %v: got %d at risk, want %d", apart, got, want)
		}
	}
}
