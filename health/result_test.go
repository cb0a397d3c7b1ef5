package health

import "testing"

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
