package health

import (
	"fmt"
	"slices"
	"time"
)

// turn is one step in the making: the pool after it, and the effects it wants, in order.
type turn struct {
	pool
	effects []Effect
}

// step is the whole core: what was, and what happened, give what is and what is to be done. It has no clock, socket or goroutine.
func step(p pool, o Observation) (pool, []Effect) {
	p.nodes = slices.Clone(p.nodes)
	t := &turn{pool: p}
	t.now, t.wall = max(t.now, o.At), o.Wall
	if gap := o.At - p.now; p.ticked && gap > asleepAfter {
		t.awake(gap)
	}
	switch {
	case o.Tick != nil:
		t.onTick(*o.Tick)
	case o.Answer != nil:
		t.onAnswer(*o.Answer)
	case o.Failure != nil:
		t.onFailure(*o.Failure)
	case o.Evidence != nil:
		t.onEvidence(*o.Evidence)
	case o.Result != nil:
		t.onResult(*o.Result)
	case o.Order != nil:
		t.onOrder(*o.Order)
	}
	t.rejudge()
	t.decide()
	t.rejudge()
	t.steer()
	return t.pool, t.effects
}

// transition moves the pool to next and reports the move under its public name.
func (t *turn) transition(next State, why string) {
	if t.state == next {
		t.why = why
		return
	}
	if !t.state.mayBecome(next) {
		t.faults++
		t.say("warning", noNode, fmt.Sprintf("refused the transition from %s to %s (%s)", t.state, next, why))
		return
	}
	t.emit(Effect{Kind: EffectEvent, Event: Event{Kind: "state", From: t.state.String(), To: next.String(),
		Epoch: t.epoch, Node: t.name(t.master), Text: fmt.Sprintf("%s -> %s: %s", t.state, next, why)}})
	t.state, t.since, t.why = next, t.now, why
}

func (t *turn) emit(e Effect) {
	t.effects = append(t.effects, e)
}

// say reports something that is not a state.
func (t *turn) say(kind string, i int, text string) {
	t.emit(Effect{Kind: EffectEvent, Event: Event{Kind: kind, Epoch: t.epoch, Node: t.name(i), Text: text}})
}

// rejudge brings every verdict up to date and reports those that changed.
func (t *turn) rejudge() {
	for i := range t.nodes {
		n := &t.nodes[i]
		verdict, why := t.judge(i)
		if verdict == n.verdict {
			n.why = why
			continue
		}
		t.emit(Effect{Kind: EffectEvent, Event: Event{Kind: "verdict", From: n.verdict.String(), To: verdict.String(), Epoch: t.epoch,
			Node: t.name(i), Text: fmt.Sprintf("%s is %s: %s", t.name(i), verdict, why)}})
		if verdict.alive() && !n.verdict.alive() {
			n.aliveAt = t.now
		}
		n.verdict, n.why, n.since = verdict, why, t.now
	}
}

// steer publishes the route that belongs to the state, if it is not published already. It is called at the end of every step,
// and earlier where an effect must not overtake the route.
func (t *turn) steer() {
	gate := GateShut
	if t.state.passes() && !t.held && t.master != noNode {
		gate = GateOpen
	}
	if gate == GateOpen {
		t.shutAt = t.now
	} else if t.now-t.shutAt > t.cfg.HoldMaxWait {
		gate = GateRefusing
	}
	route := Route{Epoch: t.epoch, Gate: gate, Backend: t.master, Check: t.check}
	if t.cfg.verifies() && t.cfg.Mode != Off {
		route.Lineage = t.lineage()
	}
	if route == t.route {
		return
	}
	if route.Gate == GateRefusing && t.route.Gate != GateRefusing {
		t.say("warning", t.master, fmt.Sprintf("the hold budget of %s is spent; requests are refused until a master serves", t.cfg.HoldMaxWait))
	}
	t.route = route
	t.emit(Effect{Kind: EffectPublish, Route: route, Epoch: route.Epoch})
}

// probe wants an answer of node i now. Asking more often than once a millisecond finds nothing new, so that what is wanted sooner waits
// for the next tick: the question before it may have been too early for what has happened since.
func (t *turn) probe(i int) {
	n := &t.nodes[i]
	if n.askedAt > 0 && t.now-n.askedAt < time.Millisecond {
		n.askAgain = true
		return
	}
	n.askedAt, n.askAgain = t.now, false
	t.emit(Effect{Kind: EffectProbe, Node: i})
}
