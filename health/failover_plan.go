package health

import (
	"fmt"
	"slices"
	"time"
)

// drainHard bounds the drain after a process died on a host that lives: its kernel ends the stream within milliseconds.
const drainHard = 200 * time.Millisecond

// beginFailover holds, cuts, and lets every candidate drain; all at once, because nothing here waits for another.
func (t *turn) beginFailover(p plan) {
	p.kind = planFailover
	t.beginPlan(p)
	t.startCut()
	list := t.heads(t.candidates(&t.plan))
	if len(list) == 0 {
		t.stuck(t.refusals(&t.plan))
		return
	}
	t.drain(list)
	t.intend(t.best(list))
	t.transition(StateDraining, fmt.Sprintf("%s reads what the old master still sent", t.name(t.plan.candidate)))
}

// drain lets each node of list that was not drained in this plan read what the old master had sent, and says whether there was one.
func (t *turn) drain(list []int) bool {
	limit, began := drainHard, false
	if !t.plan.hard {
		limit = t.cfg.DrainMax
	}
	for _, i := range list {
		if t.plan.drained&bit(i) != 0 {
			continue
		}
		began = true
		t.plan.draining |= bit(i)
		t.want(Effect{Kind: EffectDrain, Node: i, Hung: !t.plan.hard, Limit: limit})
	}
	return began
}

// heads leaves out of list who stands behind another one of it. A replica of a replica has nothing that the one before it lacks, and
// its own link stays up when the master dies, so that the end of its drain is never seen.
func (t *turn) heads(list []int) []int {
	behind := func(i int) bool {
		info := t.nodes[i].info
		return info.LinkUp && slices.ContainsFunc(list, func(j int) bool {
			host, port := splitAddress(t.cfg.Backends[j].Address)
			return j != i && info.MasterPort == port && sameHost(info.MasterHost, host)
		})
	}
	heads := slices.DeleteFunc(slices.Clone(list), behind)
	if len(heads) == 0 {
		return list // they say that they follow each other, so none of them can be believed
	}
	return heads
}

// best is the candidate that would be promoted now.
func (t *turn) best(list []int) int {
	best := noNode
	for _, i := range list {
		if best == noNode || better(t.nodes[i].info, t.nodes[best].info) {
			best = i
		}
	}
	return best
}

// intend writes the intent to promote node i; the drain goes on meanwhile. One that is on its way already, also for a plan that was
// given up, is waited for: two on their way could reach the disk in any order.
func (t *turn) intend(i int) {
	t.plan.candidate = i
	if t.intending || t.plan.intended == i {
		return
	}
	t.intending = true
	r := t.reference
	if t.epoch > 0 && t.master != noNode {
		r = t.record()
	}
	b := t.cfg.Backends[i]
	r.Pool = t.cfg.Name
	r.Intent = &Intent{Epoch: t.epoch + 1, Node: b.Name, Address: b.Address, Lineage: t.inherited(i), Offset: t.offset}
	t.want(Effect{Kind: EffectIntend, Node: i, Record: r})
}

// advance moves a plan on as far as its results allow.
func (t *turn) advance() {
	switch t.plan.kind {
	case planAdopt:
		t.advanceAdopt()
	case planSwitchover:
		t.advanceSwitchover()
	case planFailover:
		t.advanceFailover()
	}
}

func (t *turn) advanceFailover() {
	p := &t.plan
	if t.state != StateDraining || p.draining != 0 || !p.cutDone || t.intending {
		return
	}
	// The verdicts of other nodes may have changed while these drained, so the choice is made again, and only now. Who has become a
	// candidate meanwhile is drained first, like everybody.
	list := t.heads(t.candidates(p))
	if len(list) == 0 {
		t.stuck(t.refusals(p))
		return
	}
	if t.drain(list) {
		return
	}
	if i := t.best(list); i != p.intended {
		t.intend(i)
		return
	}
	t.promote()
}

// promote is the point of no return.
func (t *turn) promote() {
	p := &t.plan
	t.transition(StatePromoting, "promoting "+t.name(p.candidate))
	p.promoteAt = t.now
	if old := p.old; old != noNode && old != p.candidate && !p.hard && p.kind == planFailover {
		// It only hangs: what waits in its sockets must find a replica when it wakes.
		p.fenced = true
		t.want(Effect{Kind: EffectFence, Node: old, To: p.candidate})
	}
	lineage := t.inherited(p.candidate)
	p.apart = lineage != t.lineage()
	if p.acceptLoss {
		lineage = ""
	}
	t.want(Effect{Kind: EffectPromote, Node: p.candidate, Lineage: lineage, Relax: t.nodes[p.candidate].info.NeedsReplicas})
}
