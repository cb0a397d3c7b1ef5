package health

import (
	"fmt"
	"time"
)

// decide looks at the verdicts and moves the pool on. It is called once in every step.
func (t *turn) decide() {
	switch t.state {
	case StateStarting, StateNoMaster:
		t.start()
	case StateServing, StateSuspect:
		t.watch()
	case StateReleasing:
		t.watch()
		t.tend()
	case StateHolding, StateDraining, StatePromoting:
		t.advance()
	case StateStuck:
		t.reconsider()
	}
	if t.state == StateServing {
		t.beginOrder()
		t.tend()
	}
	t.expireOrder()
}

// watch is the normal life: the master is there, or is missed.
func (t *turn) watch() {
	n := &t.nodes[t.master]
	if n.verdict != VerdictDemoted {
		t.demotion = 0
	}
	switch v := n.verdict; {
	case v.serves():
		t.watchAlive()
	case v == VerdictRefused || v == VerdictReborn:
		t.lose(n.why, true)
	case v == VerdictSilent:
		t.watchSilent(n.why)
	case v == VerdictDemoted:
		t.watchDemoted(n.why)
	default:
		t.suspect(n.why)
	}
}

// watchSilent gives a silent master up only when that helps: when nobody proves it alive, and when there is somebody to go to.
// Until then its connections are kept, because it may still answer what it was asked.
func (t *turn) watchSilent(why string) {
	if t.cfg.Mode != Promote {
		if _, found := t.successor(); found {
			t.beginAdopt(why)
			return
		}
		t.suspect(why)
		return
	}
	if w, alive := t.witness(); alive {
		t.suspect(fmt.Sprintf("%s does not answer us, but %s still receives its stream: only our own path is broken; no promotion",
			t.name(t.master), t.name(w)))
		return
	}
	if i, found := t.unheard(); found {
		if due := t.failing() + t.cfg.Interval; t.now >= due && t.nodes[i].askedAt < due {
			t.probe(i)
		}
		t.suspect(fmt.Sprintf("%s; %s is asked whether it still receives its stream", why, t.name(i)))
		return
	}
	p := plan{trigger: TriggerAutomatic, to: noNode}
	if len(t.candidates(&p)) == 0 {
		t.suspect(why + ", and nobody can be promoted: " + t.refusals(&p))
		return
	}
	t.lose(why, false)
}

func (t *turn) watchAlive() {
	if i, found := t.successor(); found && t.cfg.Mode == Follow {
		t.beginAdopt(fmt.Sprintf("%s is the successor by lineage", t.name(i)))
		return
	}
	overdue := t.loss.pending && t.now-max(t.loss.at, t.loss.confirmAt) > t.cfg.suspectAfter()
	switch {
	case overdue:
		t.suspect("it lost connections and has not answered since")
	case t.state == StateSuspect && !t.loss.pending:
		t.confirmed()
		t.transition(StateServing, "the same master answers again")
	}
}

// suspect shuts the gate until the master is heard or given up.
func (t *turn) suspect(why string) {
	if t.state == StateSuspect && t.why != why {
		t.say("warning", t.master, why)
	}
	t.transition(StateSuspect, why)
	if n := &t.nodes[t.master]; t.now-n.askedAt >= t.cfg.Interval {
		t.probe(t.master)
	}
}

// watchDemoted waits for the successor that somebody else made. When none shows up, the pool has no master and needs one.
func (t *turn) watchDemoted(why string) {
	if t.demotion == 0 {
		t.demotion = t.now
	}
	if _, found := t.successor(); found {
		t.beginAdopt(why)
		return
	}
	if t.now-t.demotion > t.cfg.Silence {
		t.lose(why+", and no successor shows", false)
		return
	}
	t.suspect(why)
}

// lose ends the present mastership in the way the mode asks for.
func (t *turn) lose(cause string, hard bool) {
	if t.cfg.Mode == Promote {
		t.beginFailover(plan{trigger: TriggerAutomatic, cause: cause, hard: hard, to: noNode})
		return
	}
	t.beginAdopt(cause)
}

// successor finds the node that took over without us.
func (t *turn) successor() (int, bool) {
	for i := range t.nodes {
		n := &t.nodes[i]
		if !n.told && t.cfg.verifies() || !n.heard || n.refused || t.quiet(i) > t.cfg.suspectAfter() {
			continue
		}
		if t.succeeds(i, n) {
			return i, true
		}
	}
	return noNode, false
}

func (t *turn) succeeds(i int, n *node) bool {
	switch {
	case t.cfg.Mode == Off:
		return i == t.master && (!t.cfg.verifies() || n.info.IsMaster() && !n.info.Loading)
	case t.cfg.Mode == Ordered:
		// Whoever is chosen must have answered after the trouble began: proxies that share a dead master all fall silent.
		// One that has only just come back may have shared the trouble too.
		v := t.nodes[t.master].verdict
		settled := v == VerdictRefused || t.now-n.aliveAt >= t.cfg.suspectAfter()
		return i != t.master && n.heardAt > t.trouble() && settled
	case i != t.master:
		return n.info.IsMaster() && !n.info.Loading && n.info.ReplID2 != "" && n.info.ReplID2 == t.lineage() &&
			n.info.Offset >= t.offset-t.cfg.MaxLoss
	}
	return t.cfg.Mode == Follow && n.verdict == VerdictReborn && t.rebornAndFollowed(i)
}

// rebornAndFollowed reports whether the restarted master at i was accepted by everybody else: its data continues ours and each
// other node that answers follows it. Only a pool that never promotes asks this.
func (t *turn) rebornAndFollowed(i int) bool {
	m := t.nodes[i].info
	if !m.IsMaster() || m.Loading || !t.continues(m) || m.Offset < t.offset-t.cfg.MaxLoss {
		return false
	}
	followers := 0
	for j := range t.nodes {
		if j == i || !t.nodes[j].verdict.alive() {
			continue
		}
		if t.nodes[j].info.ReplID != m.ReplID || !t.nodes[j].info.LinkUp {
			return false
		}
		followers++
	}
	return followers > 0
}

// continues reports whether the data of info is a continuation of the present lineage.
func (p *pool) continues(info Info) bool {
	return p.lineage() != "" && (info.ReplID == p.lineage() || info.ReplID2 == p.lineage())
}

// trouble is when the present trouble was first noticed.
func (p *pool) trouble() time.Duration {
	at := p.now
	if p.plan.id != 0 {
		at = p.plan.troubled
	}
	if p.loss.pending {
		at = min(at, p.loss.at)
	}
	if p.master != noNode && p.nodes[p.master].heard && p.quiet(p.master) > p.cfg.suspectAfter() {
		at = min(at, p.nodes[p.master].heardAt)
	}
	return at
}

// reconsider looks for a way out of Stuck: the master back as it was, a node that may be promoted by now, or a restarted one
// that is the best there is.
func (t *turn) reconsider() {
	again := t.plan
	again.excluded = 0 // who failed before may have come back
	if t.master != noNode {
		v := t.nodes[t.master].verdict
		if v.serves() && !t.plan.fenced {
			t.plan, t.loss = plan{}, loss{}
			t.confirmed()
			t.transition(StateServing, "the same master answers again")
			return
		}
		again.hard = again.hard || v == VerdictRefused || v == VerdictReborn
	}
	if t.now < t.retryAt {
		return
	}
	if len(t.candidates(&again)) > 0 {
		t.beginFailover(again)
		return
	}
	if i, found := t.survivor(); found {
		again.to, again.trigger = i, TriggerAdopted
		t.beginAdoptOf(again, i)
	}
}

// survivor finds a restarted node to accept when nobody better answers: it continues our lineage, lacks no more than max_loss,
// and had a whole Silence alone, in which a better one could have come back.
func (t *turn) survivor() (int, bool) {
	best := noNode
	for i := range t.nodes {
		n := &t.nodes[i]
		if !n.told || !n.verdict.alive() || n.info.Loading || !n.info.IsMaster() || n.info.Offset <= 0 {
			continue
		}
		if !t.continues(n.info) || n.info.Offset < t.offset-t.cfg.MaxLoss {
			continue
		}
		if i == t.plan.intended && n.info.ReplID2 == t.lineage() {
			return i, true // our own promotion, whose answer was lost
		}
		if t.now-n.aliveAt < t.cfg.Silence {
			continue
		}
		if best == noNode || better(n.info, t.nodes[best].info) {
			best = i
		}
	}
	return best, best != noNode
}
