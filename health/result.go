package health

import (
	"fmt"
	"slices"
	"time"
)

// repairPause is the time between two repairs of one node: REPLICAOF is answered at once and shows its effect within a second.
const repairPause = time.Second

// onResult takes over what came of an effect. Results of a plan that is gone change nothing but what they say about the journal.
func (t *turn) onResult(r Result) {
	switch r.Kind {
	case EffectIntend, EffectCommit, EffectNote, EffectKeep:
		t.onJournalled(r)
	case EffectRepoint, EffectDemote, EffectRestore, EffectWarm, EffectPersist, EffectUnpause, EffectFence:
		t.onRepaired(r)
		return
	case EffectCompare:
		t.onCompared(r)
		return
	}
	if r.Kind == EffectCut && t.plan.id != 0 && r.Epoch == t.epoch {
		t.countCut(r) // whichever plan asked: what a cut has found is found only once
	}
	if r.Kind == EffectIntend {
		t.intending = false
	}
	if r.Plan != t.plan.id || t.plan.id == 0 {
		if r.Kind == EffectIntend {
			t.intendNext()
		}
		return
	}
	switch r.Kind {
	case EffectCut:
		t.onCut(r)
	case EffectDrain:
		t.onDrained(r)
	case EffectIntend:
		t.onIntended(r)
	case EffectPromote, EffectVerify:
		t.onPromoted(r)
	case EffectQuiesce, EffectCatchUp:
		t.onPrepared(r)
	}
}

func (t *turn) onJournalled(r Result) {
	if r.Err == nil {
		if r.Kind != EffectNote {
			t.journal = ""
		}
	} else if t.journal != r.Err.Error() {
		t.journal = r.Err.Error()
		t.say("warning", noNode, "the journal cannot be written: "+t.journal)
	}
	if r.Kind == EffectCommit && t.state == StateReleasing && r.Epoch == t.epoch {
		t.transition(StateServing, t.name(t.master)+" serves")
	}
}

// countCut adds what a cut of the present epoch has found to the receipt of its end.
func (t *turn) countCut(r Result) {
	p := &t.plan
	p.cut.Clients, p.cut.Held = r.Cut.Clients, r.Cut.Held
	p.cut.NeverSent += r.Cut.NeverSent
	p.cut.Refused += r.Cut.Refused
	p.cut.RetriedReads += r.Cut.RetriedReads
	if p.kind != planSwitchover || p.force {
		// A switchover has nothing at risk: it waits until everything acknowledged is in the candidate's offset.
		p.cut.AtRisk += r.Cut.AtRisk
		p.cut.SinceAlive += r.Cut.SinceAlive
	}
	p.cut.Acknowledged += r.Cut.Acknowledged
	p.cut.Unknown += r.Cut.Unknown
	p.cut.Aborted += r.Cut.Aborted
}

func (t *turn) onCut(r Result) {
	p := &t.plan
	p.cutting, p.cutDone, p.cutAt = false, true, t.now
	if r.Err != nil {
		// A session that cannot be read to its end belongs to the old epoch; its bytes are dropped by the epoch it carries.
		t.say("warning", p.old, fmt.Sprintf("the cut of epoch %d did not end in time: %v", r.Epoch, r.Err))
	}
}

func (t *turn) onDrained(r Result) {
	p := &t.plan
	p.draining &^= bit(r.Node)
	p.drainedAt = t.now
	if r.Err != nil {
		p.excluded |= bit(r.Node)
		t.say("warning", r.Node, fmt.Sprintf("drain %s: %v", t.name(r.Node), r.Err))
		return
	}
	p.drained |= bit(r.Node)
	if !r.Info.LinkUp {
		p.ended |= bit(r.Node)
	}
	if r.First.Read > 0 && r.First.After <= promptly {
		p.awake = slices.Clone(p.awake) // a plan is copied with its pool
		p.awake[r.Node] = r.First.Read
	}
	t.heardFrom(r)
}

// heardFrom takes over the INFO that came with a result; it is as good as an answer to a probe.
func (t *turn) heardFrom(r Result) {
	n := &t.nodes[r.Node]
	n.heardAt, n.toldAt, n.heard, n.refused = t.now, t.now, true, false
	n.reply = ReplyInfo
	t.learn(r.Node, r.Info)
}

// onIntended allows the promotion. An intent that cannot be written forbids it: after a crash nobody could tell what was done.
func (t *turn) onIntended(r Result) {
	p := &t.plan
	if r.Err != nil {
		t.abort(fmt.Errorf("write the intent: %w", r.Err))
		return
	}
	p.intended = r.Node
}

// intendNext writes the intent that waited for one of a plan that was given up.
func (t *turn) intendNext() {
	p := &t.plan
	if (t.state == StateHolding || t.state == StateDraining) && p.candidate != noNode && p.intended != p.candidate {
		t.intend(p.candidate)
	}
}

func (t *turn) onPromoted(r Result) {
	p := &t.plan
	if r.Relaxed > 0 {
		t.nodes[r.Node].relaxed = r.Relaxed // also after an error: the answer may be lost and the setting changed
	}
	if r.Err == nil {
		if r.Relaxed > 0 {
			t.say("warning", r.Node, fmt.Sprintf("min-replicas-to-write of the lone master %s is relaxed from %d to 0", t.name(r.Node), r.Relaxed))
		}
		t.finish(r.Node, r.Info)
		return
	}
	verb := "promote"
	if p.kind == planAdopt {
		verb = "verify"
	}
	t.say("warning", r.Node, fmt.Sprintf("%s %s: %v", verb, t.name(r.Node), r.Err))
	if p.kind == planAdopt {
		p.verifying, p.candidate, p.intended = false, noNode, noNode
		t.retryAt = t.now + t.cfg.Interval
		if t.master == noNode {
			t.plan = plan{}
			t.transition(StateNoMaster, r.Err.Error())
		}
		return
	}
	p.excluded |= bit(r.Node)
	t.nodes[r.Node].inVain = r.Info.ReplID
	t.stuck(fmt.Sprintf("promote %s: %v", t.name(r.Node), r.Err))
}

func (t *turn) onRepaired(r Result) {
	n := &t.nodes[r.Node]
	switch r.Kind {
	case EffectRepoint, EffectDemote:
		n.repairing, n.repairAt = false, t.now+repairPause
		t.probe(r.Node)
	case EffectPersist:
		n.repairing = false
	case EffectRestore:
		n.repairAt = t.now + repairPause
		if r.Err == nil {
			t.forgetRelaxed(n)
		}
	}
	if r.Err != nil && r.Kind != EffectWarm && r.Kind != EffectPersist {
		t.say("warning", r.Node, fmt.Sprintf("%s %s: %v", r.Kind, t.name(r.Node), r.Err))
	}
}

// forgetRelaxed ends the memory of a setting that is restored, on disk as well. A plan under way writes a record of its own.
func (t *turn) forgetRelaxed(n *node) {
	n.relaxed = 0
	if t.plan.id == 0 && t.epoch > 0 && t.master != noNode {
		t.emit(Effect{Kind: EffectCommit, Epoch: t.epoch, Record: t.record()})
	}
}

// abort gives a plan up before its point of no return.
func (t *turn) abort(err error) {
	p := t.plan
	if p.kind == planSwitchover && !p.cutting && !p.cutDone {
		t.emit(Effect{Kind: EffectUnpause, Node: p.old})
		t.reply(p.order, fmt.Errorf("%w: %w", ErrGivenUp, err))
		t.plan = plan{}
		t.say("warning", p.old, fmt.Sprintf("switchover given up: %v", err))
		t.transition(StateServing, "the switchover was given up; nothing changed")
		return
	}
	if p.kind == planAdopt {
		t.retryAt = t.now + t.cfg.Interval
		t.plan.intended = noNode
		return
	}
	t.stuck(err.Error())
}
