package health

import (
	"errors"
	"fmt"
	"time"
)

// planKind is how a new master is made.
type planKind uint8

const (
	// planFailover promotes after the old master was lost.
	planFailover planKind = iota
	// planSwitchover promotes while the old master helps.
	planSwitchover
	// planAdopt accepts a master that exists already.
	planAdopt
)

// plan is one change of mastership under way.
//
// Invariants: id == 0 means there is none; a promotion is sent only when intended == candidate, quiet of the old epoch is
// proven (cutDone) and no drain is out.
type plan struct {
	id      uint64
	kind    planKind
	trigger Trigger
	order   uint64
	to      int
	// force goes on where a switchover would give up; acceptLoss takes nodes that cannot be proven.
	force, acceptLoss, hard bool
	old                     int
	cause                   string
	began, troubled         time.Duration
	offsetSeen              int64

	candidate int
	excluded  uint64 // bit set of nodes that failed a drain or a promotion in this plan
	draining  uint64 // bit set of nodes whose drain is out
	drained   uint64 // bit set of nodes whose drain has ended well
	intended  int    // the node whose intent is on disk
	cutting   bool
	cutDone   bool
	cut       CutReport
	fenced    bool
	verifying bool
	// even: while nothing was written the candidate had every byte of the old master. apart: the candidate has nothing of the epoch
	// that ends, because it never met its master.
	even, apart bool
	// died, read and ended choose the bound of the receipt, see bound.
	died  bool
	read  []int64 // by node: the offset that it had read before the trouble; 0: not known
	awake []int64 // by node: the offset it had read when its drain began, if it told so promptly; 0: it did not
	kept  uint64  // bit set of nodes that kept up with the master before the trouble
	ended uint64  // bit set of nodes whose drain has seen the end of the stream

	cutAt, drainedAt, promoteAt time.Duration
}

func bit(i int) uint64 { return 1 << uint(i) }

// beginPlan installs p as the plan of the pool, shuts the gate and says so to the data plane before anything else happens.
func (t *turn) beginPlan(p plan) {
	troubled := t.trouble()
	if p.id != 0 {
		troubled = p.troubled // a retry of a plan that got stuck
	} else {
		p.died, p.kept, p.read = t.died(), t.keepUp(), t.haveRead()
	}
	t.plans++
	p.id, p.old, p.began, p.troubled = t.plans, t.master, t.now, troubled
	p.candidate, p.intended = noNode, noNode
	p.ended, p.awake = 0, make([]int64, len(t.nodes))
	p.excluded, p.draining, p.drained = 0, 0, 0
	p.cutDone, p.cutting, p.verifying = false, false, false
	p.even, p.apart = false, false
	p.offsetSeen = t.offset
	t.plan = p
	t.transition(StateHolding, p.cause)
	t.steer()
}

// want emits an effect of the present plan.
func (t *turn) want(e Effect) {
	e.Plan = t.plan.id
	if e.Epoch == 0 {
		e.Epoch = t.epoch + 1
	}
	t.emit(e)
}

// startCut asks for the end of every connection of the present epoch.
func (t *turn) startCut() {
	if t.plan.cutting || t.plan.cutDone {
		return
	}
	if t.epoch == 0 || t.master == noNode {
		t.plan.cutDone, t.plan.cutAt = true, t.now // nothing was ever routed
		return
	}
	t.plan.cutting = true
	alive := time.Duration(0) // not known
	if t.provedAt > 0 {
		alive = t.now - t.provedAt
	}
	t.want(Effect{Kind: EffectCut, Node: t.master, Epoch: t.epoch, Alive: alive})
}

// candidates lists who may be promoted under p.
func (t *turn) candidates(p *plan) []int {
	var list []int
	for i := range t.nodes {
		if p.excluded&bit(i) != 0 || (p.to != noNode && p.to != i) {
			continue
		}
		if ok, _ := t.eligible(i, p); ok && t.gapAllows(i, p) {
			list = append(list, i)
		}
	}
	return list
}

// gapAllows guards against flapping: within min_gap of the last automatic failover another one needs hard evidence and a
// candidate that was in sync since. A dead master with a synced replica is no flapping.
func (t *turn) gapAllows(i int, p *plan) bool {
	if p.trigger != TriggerAutomatic || t.failedOver == 0 || t.now-t.failedOver >= t.cfg.MinGap {
		return true
	}
	return p.hard && t.nodes[i].syncedAt > t.failedOver
}

// refusals says for every backend why it is not a candidate.
func (t *turn) refusals(p *plan) string {
	text := ""
	for i := range t.nodes {
		ok, why := t.eligible(i, p)
		switch {
		case p.excluded&bit(i) != 0:
			why = "failed in this attempt"
		case ok && !t.gapAllows(i, p):
			why = fmt.Sprintf("the last failover was less than min_gap %s ago and it was not in sync since", t.cfg.MinGap)
		case ok:
			why = "was not asked for"
		}
		if text != "" {
			text += "; "
		}
		text += t.name(i) + " " + why
	}
	return text
}

// stuck gives up the present attempt, says why and what an operator can do, and keeps the plan so that it can be tried again.
func (t *turn) stuck(why string) {
	text := fmt.Sprintf("nobody can be promoted: %s; to accept one with its loss: holdfast failover %s --to NAME --accept-loss",
		why, t.cfg.Name)
	t.retryAt = t.now + t.cfg.Interval
	if t.plan.excluded != 0 {
		t.retryAt = t.now + t.cfg.Silence // somebody looked eligible and was not; trying that all the time would only make noise
	}
	if t.plan.order != 0 {
		t.reply(t.plan.order, errors.New(why))
		t.plan.order = 0
	}
	t.transition(StateStuck, text)
}

// finish makes node the master of the next epoch: first the route, so that clients go on, then everything that can wait.
func (t *turn) finish(i int, info Info) {
	p := t.plan
	receipt := t.receipt(i, info)
	t.epoch++
	t.master, t.runID, t.offset = i, info.RunID, info.Offset
	if p.kind != planAdopt && !p.acceptLoss {
		t.remember(info.ReplID2) // may be a name that a restarted master gave to our lineage just before
	}
	t.remember(info.ReplID)
	t.loss, t.demotion = loss{}, 0
	for j := range t.nodes {
		n := &t.nodes[j]
		n.cold = n.streaming || n.cold
		n.streaming, n.online, n.moves = false, false, 0
		n.repairing, n.repairAt = false, 0
		n.readAt, n.readTo, n.keptUp = 0, 0, false
	}
	t.marks = [2]mark{}
	t.beginJoin(i, info.Offset)
	n := &t.nodes[i]
	n.dirty = false // what it holds is what counts from now on
	n.info, n.told, n.heardAt, n.heard, n.refused, n.lostAt = info, n.told || info.RunID != "", t.now, true, false, 0
	t.provedAt = 0
	if info.RunID != "" {
		n.toldAt, n.reply, t.provedAt = t.now, ReplyInfo, t.now
	}
	// The very first acceptance replaces nobody and leaves no receipt.
	first := p.old == noNode && t.reference.Empty()
	if !first {
		t.failovers++
		t.last = &receipt
	}
	if p.trigger == TriggerAutomatic {
		t.failedOver = t.now
	}
	t.transition(StateReleasing, fmt.Sprintf("%s is master of epoch %d", t.name(i), t.epoch))
	t.steer()
	if p.kind == planSwitchover {
		// Its direct clients are paused and must find a replica when the pause ends.
		t.nodes[p.old].repairing = true
		t.emit(Effect{Kind: EffectDemote, Node: p.old, To: i, Epoch: t.epoch})
	}
	t.emit(Effect{Kind: EffectCommit, Plan: p.id, Epoch: t.epoch, Record: t.record()})
	if p.kind != planAdopt {
		n.repairing = n.relaxed > 0 // else the restoration could come first, and this would take it back
		t.emit(Effect{Kind: EffectPersist, Node: i, Epoch: t.epoch, Offset: n.relaxed})
	}
	if !first {
		t.emit(Effect{Kind: EffectKeep, Epoch: t.epoch, Receipt: receipt})
		t.say("failover", i, fmt.Sprintf("%s took over from %s in %.1f ms, %d bytes lost", receipt.New, orNobody(receipt.Old),
			receipt.Phases.Total, receipt.BytesLost))
	}
	if p.order != 0 {
		t.emit(Effect{Kind: EffectReply, Order: p.order, Receipt: receipt})
	}
	t.plan = plan{}
}

func orNobody(name string) string {
	if name == "" {
		return "nobody"
	}
	return name
}

func (t *turn) receipt(i int, info Info) Receipt {
	p := t.plan
	ready := max(p.cutAt, p.drainedAt, p.began)
	if p.kind == planAdopt {
		ready = t.now
	}
	r := Receipt{Pool: t.cfg.Name, Epoch: t.epoch + 1, Trigger: p.trigger, Old: t.name(p.old), New: t.name(i), Cause: p.cause,
		Cut: p.cut, OffsetSeen: p.offsetSeen, OffsetPromoted: info.Offset, BytesLost: max(0, p.offsetSeen-info.Offset),
		At: t.wall}
	if !t.cfg.verifies() {
		r.OffsetSeen, r.OffsetPromoted, r.BytesLost = 0, 0, 0
	}
	r.AtRiskBound = t.bound(i, info)
	switch r.AtRiskBound {
	case BoundProbe:
		r.Cut.AtRisk = r.Cut.SinceAlive
	case BoundEpoch:
		r.Cut.AtRisk = r.Cut.Acknowledged
	}
	r.Cut.SinceAlive = 0
	r.Phases = Phases{Detect: millis(p.began - p.troubled), Hold: millis(p.cutAt - p.began), Drain: millis(p.drainedAt - p.began),
		Promote: millis(t.now - ready), Total: millis(t.now - p.troubled)}
	return r
}

func millis(d time.Duration) float64 {
	return float64(max(0, d)) / float64(time.Millisecond)
}

func (t *turn) reply(order uint64, err error) {
	t.emit(Effect{Kind: EffectReply, Order: order, Err: err})
}
