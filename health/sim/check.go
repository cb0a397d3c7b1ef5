package sim

import (
	"maps"
	"slices"
	"time"

	"holdfast/health"
	"holdfast/proxy/resp"
)

// ledger is what the world has seen of epochs: who was master, what was forwarded, what was declared.
type ledger struct {
	masters  map[uint64]int    // by epoch
	runs     map[uint64]string // the process that was accepted, by epoch
	opened   uint64            // the newest epoch that was released
	sent     uint64            // the newest epoch in which a request was forwarded
	lineage  string            // of the newest epoch that was released
	former   string            // of the one before it
	recorded uint64            // the newest epoch on disk
	intended *health.Intent
	receipts []health.Receipt
	excused  map[uint64]bool // epochs of which a fault may lose more than a receipt can know
	// excusedBelow: an operator has accepted a loss in that epoch, which may reach back to the beginning.
	excusedBelow uint64
	lost         map[uint64]int // acknowledged writes that are gone, by the epoch that acknowledged them
	cut          resp.CutCounts
	unknown      int // answers of unknown outcome that clients have seen
}

func newLedger() ledger {
	return ledger{masters: map[uint64]int{}, runs: map[uint64]string{}, excused: map[uint64]bool{}, lost: map[uint64]int{}}
}

// checkRoute: one master for each epoch, the same process, and epochs never go back, also over a crash of Holdfast.
func (w *world) checkRoute(r health.Route) {
	if r.Epoch < w.opened {
		w.fault("I24 monotonic epochs", "epoch %d is published after %d was released", r.Epoch, w.opened)
	}
	if r.Gate != health.GateOpen {
		return
	}
	run := w.hf.core.RunID()
	if other, found := w.masters[r.Epoch]; found && (other != r.Backend || w.runs[r.Epoch] != run) {
		w.fault("I6 one master per epoch", "epoch %d has n%d (%s) and n%d (%s)", r.Epoch, other, w.runs[r.Epoch], r.Backend, run)
	}
	if r.Epoch > w.opened {
		w.checkLineage(r)
	}
	w.masters[r.Epoch], w.runs[r.Epoch] = r.Backend, run
	w.opened = max(w.opened, r.Epoch)
	if s, _ := w.hf.core.State(); s != health.StateServing && s != health.StateReleasing {
		w.fault("core", "the gate is open while %s", s)
	}
}

// checkLineage: a new master continues the data of the one before it, as its own process says at that moment. Who handed over in a
// switchover, and never met his successor, continues what he handed over. Who went on with a master that was restarted with its
// data, until the moment of his promotion, continues what that process had called its lineage; a copy would have ended that name.
func (w *world) checkLineage(r health.Route) {
	n, before := w.nodes[r.Backend], w.lineage
	handed := w.handedOver(n) && n.replid2 == w.former
	went := n.older == before
	if before != "" && n.run == w.hf.core.RunID() && !w.hard && n.replid != before && n.replid2 != before && !handed && !went {
		w.fault("I9 eligible", "%s of lineage %s, before %s, is master of epoch %d after %s", n.name(), n.replid, n.replid2, r.Epoch, before)
	}
	w.lineage, w.former = r.Lineage, before
}

// handedOver: the last that happened to the node was a switchover away from it.
func (w *world) handedOver(n *node) bool {
	k := len(w.receipts) - 1
	return k >= 0 && w.receipts[k].Trigger == health.TriggerSwitchover && w.receipts[k].Old == n.name()
}

// checkForward: requests go to the master of the route in force, and those of an epoch end before the first of the next.
func (w *world) checkForward(s *session) {
	r := s.p.route
	switch {
	case s.epoch < w.sent:
		w.fault("I6 one master per epoch", "a request of epoch %d is forwarded after one of epoch %d", s.epoch, w.sent)
	case r.Gate != health.GateOpen || r.Epoch != s.epoch:
		w.fault("I6 one master per epoch", "a request is forwarded in epoch %d under the route of epoch %d, gate %s", s.epoch, r.Epoch, r.Gate)
	case w.runs[s.epoch] != s.run:
		w.fault("I8 identity fence", "a request of epoch %d goes to process %s, the master is %s", s.epoch, s.run, w.runs[s.epoch])
	case w.masters[s.epoch] != s.node:
		w.fault("I6 one master per epoch", "a request of epoch %d goes to n%d, the master is n%d", s.epoch, s.node, w.masters[s.epoch])
	}
	w.sent = max(w.sent, s.epoch)
}

// checkDelivery: once a new epoch is released, no byte of an older one reaches a client.
func (w *world) checkDelivery(epoch uint64) {
	if epoch < w.opened && epoch != 0 {
		w.fault("I7 no zombie bytes", "a reply of epoch %d is delivered after epoch %d was released", epoch, w.opened)
	}
}

// checkWrite: a client's write is executed by the process that was accepted as master, and by no other.
func (w *world) checkWrite(c *serverConn) {
	if run, found := w.runs[c.epoch]; found && run != c.n.run || !found {
		w.fault("I8 identity fence", "%s (%s) executes a write of epoch %d, whose master is %s", c.n.name(), c.n.run, c.epoch, run)
	}
}

// checkIntent: what cannot be taken back is on disk before it is sent.
func (w *world) checkIntent(e health.Effect) {
	if w.intended == nil || w.intended.Epoch != e.Epoch || w.intended.Node != w.nodes[e.Node].name() {
		w.fault("I24 monotonic epochs", "n%d is promoted in epoch %d, and the intent on disk is %+v", e.Node, e.Epoch, w.intended)
	}
}

// blindMax is how long before its promotion a node was seen last: the intent is written in between. A copy that begins meanwhile is
// broken off by the promotion, and the node still has all its data, because a copy replaces it at its end.
const blindMax = diskMax + time.Millisecond

// checkPromotion: who is promoted has the data of the lineage, whole, and as much of it as anybody who could be promoted.
func (w *world) checkPromotion(e health.Effect, n *node) {
	if n.isMaster {
		return // once more, after an answer that got lost
	}
	if n.loading && w.now-n.copyAt > blindMax && !w.hf.core.InSync(n.id) && !(w.handedOver(n) && n.replid == w.former) {
		w.fault("I9 eligible", "%s is promoted in the middle of a full copy", n.name())
	}
	w.checkPrefix(n)
	if cut := w.hf.cutOffAt; cut > 0 && w.now-cut <= blindMax {
		return // links that come back after the time for the drain is over bring bytes to anybody; they are declared
	}
	for _, o := range w.nodes {
		able := o != n && o.up && !o.frozen && !o.isMaster && !o.loading && o.replid == n.replid && w.reachable(o) && w.hf.core.InSync(o.id)
		if able && o.upstream == nil && o.offset() > n.offset() {
			w.fault("I9 eligible", "%s is promoted at %d while %s has %d", n.name(), n.offset(), o.name(), o.offset())
		}
	}
}

// checkPrefix: the data of who is promoted is what the lineage's master had at some moment.
func (w *world) checkPrefix(n *node) {
	for _, o := range w.nodes {
		if o == n || o.replid != n.replid || !o.isMaster || o.offset() < n.offset() {
			continue
		}
		at := n.offset()
		if at-1 < n.base || at-1 < o.base {
			continue
		}
		if mine, theirs := n.log[at-1-n.base], o.log[at-1-o.base]; mine != theirs {
			w.fault("I5 prefix", "%s has %+v at %d, its master %s %+v", n.name(), mine, at, o.name(), theirs)
		}
	}
}

func (w *world) reachable(n *node) bool {
	me := w.hosts - 1
	return !w.link(me, n.id).down && !w.link(n.id, me).down
}

// keep takes over a receipt.
func (w *world) keep(r health.Receipt) {
	if r.BytesLost != max(0, r.OffsetSeen-r.OffsetPromoted) {
		w.fault("I5 receipt", "%d bytes lost of %d, promoted at %d", r.BytesLost, r.OffsetSeen, r.OffsetPromoted)
	}
	w.receipts = append(w.receipts, r)
	w.result.Declared += r.Cut.AtRisk
	w.result.Failovers++
}

// excuse ends a fault; after a blind one the epochs since from may have lost what no receipt can count.
func (w *world) excuse(from uint64, blind bool) {
	for e := from; blind && e <= w.opened; e++ {
		w.excused[e] = true
	}
	w.hard = false
}

// lose notes an acknowledged write that is gone.
func (w *world) lose(epoch uint64, format string, args ...any) {
	w.note("lost in epoch %d: "+format, append([]any{epoch}, args...)...)
	w.lost[epoch]++
	w.result.Lost++
}

// checkLosses: what is gone was declared by the receipt that ended its epoch, at risk or as bytes, of which a write takes some.
func (w *world) checkLosses() {
	for _, epoch := range slices.Sorted(maps.Keys(w.lost)) {
		n := w.lost[epoch]
		declared, ended := 0, false
		for i := range w.receipts {
			if w.receipts[i].Epoch > epoch {
				declared, ended = w.receipts[i].Cut.AtRisk+int(w.receipts[i].BytesLost), true
				break
			}
		}
		if w.excused[epoch] || epoch < w.excusedBelow {
			continue
		}
		if n > declared && n-w.taken(epoch, n-declared) > declared {
			w.fault("I5 declared losses", "%d acknowledged writes of epoch %d are gone, declared at risk are %d (ended: %v)", n, epoch, declared,
				ended)
		}
	}
	if w.unknown > w.cut.Unknown {
		w.fault("I22 counted", "clients saw %d unknown results, the cuts counted %d", w.unknown, w.cut.Unknown)
	}
}
