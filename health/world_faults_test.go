package health

import (
	"slices"
)

// kill ends the process of node i; what its kernel holds is still delivered.
func (w *world) kill(i int) {
	w.note("kill n%d", i)
	w.endStreams(i)
	f := w.nodes[i]
	f.up, f.frozen, f.owed, f.wire, f.link = false, false, nil, nil, false
	if f.copying > 0 {
		f.copying = 0
	}
}

// restart brings node i back: empty, with an older snapshot, or with everything it had.
func (w *world) restart(i int, with []int, lineage string) {
	w.note("restart n%d with %d writes", i, len(with))
	f := w.nodes[i]
	*f = fake{up: true, run: w.id("run"), master: true, replid: w.id("L"), follows: noNode, data: slices.Clone(with), replid2: lineage}
}

func (w *world) freeze(i int) {
	w.note("freeze n%d", i)
	w.nodes[i].frozen, w.nodes[i].frozenAt = true, w.now
}

func (w *world) wake(i int) {
	w.note("wake n%d", i)
	f := w.nodes[i]
	f.frozen = false
	// What was queued on its connections is done first, the fence before everything else.
	w.finishPending()
	owed := f.owed
	f.owed = nil
	for _, o := range owed {
		o.Answer.Info = w.info(i)
		w.observe(o)
	}
}

// checkRoute checks what must hold for every published route.
func (w *world) checkRoute(r Route) {
	if r.Epoch < w.lastEpoch {
		w.fault("epoch went back from %d to %d", w.lastEpoch, r.Epoch)
	}
	w.lastEpoch = r.Epoch
	if r.Gate != GateOpen {
		return
	}
	if other, found := w.masters[r.Epoch]; found && other != r.Backend {
		w.fault("epoch %d has two masters: n%d and n%d", r.Epoch, other, r.Backend)
	}
	w.masters[r.Epoch] = r.Backend
	if r.Backend < 0 || !w.pool.nodes[r.Backend].told {
		w.fault("gate open to a node that never said what it is: %+v", r)
	}
}

// checkPromotion checks the order on disk and the truth about the candidate.
func (w *world) checkPromotion(e Effect, f *fake) {
	if w.intent.Epoch != e.Epoch || w.intent.Node != w.pool.name(e.Node) {
		w.fault("promotion of n%d in epoch %d, but the intent on disk is %+v", e.Node, e.Epoch, w.intent)
	}
	if f.copying > 0 && !w.pool.nodes[e.Node].streaming && !w.pool.handedOver(e.Node) {
		// One that streamed or handed over, and now begins to copy from a reborn master, still has its data.
		w.fault("promotion of n%d in the middle of a copy", e.Node)
	}
	if len(f.wire) > 0 && !f.lagging && w.pool.plan.hard {
		w.fault("promotion of n%d before it read %d writes", e.Node, len(f.wire))
	}
	p := &w.pool.plan
	if p.kind != planFailover || p.trigger != TriggerAutomatic || p.old == noNode {
		return
	}
	old := w.nodes[p.old]
	if old.up && old.master && old.run == w.pool.runID && (!old.frozen && w.now-old.frozenAt > w.cfg.Silence && old.frozenAt == 0) {
		w.fault("promotion of n%d while the master n%d lives", e.Node, p.old)
	}
}

// checkStep checks the core itself.
func (w *world) checkStep(before, after pool) {
	switch {
	case after.faults > before.faults:
		w.fault("illegal transition from %s (%s)", before.state, before.why)
	case after.epoch < before.epoch:
		w.fault("epoch of the pool went back from %d to %d", before.epoch, after.epoch)
	case after.route.Gate == GateOpen && !after.state.passes():
		w.fault("gate open in state %s", after.state)
	}
}

// lost lists the acknowledged writes that the present master does not have.
func (w *world) lost() []int {
	if w.pool.master == noNode {
		return nil
	}
	has := make(map[int]bool)
	for _, id := range w.nodes[w.pool.master].data {
		has[id] = true
	}
	var lost []int
	for _, id := range w.acked {
		if !has[id] {
			lost = append(lost, id)
		}
	}
	return lost
}
