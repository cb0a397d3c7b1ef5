package health

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrNoBackend is returned when an order names a backend that the pool does not have.
	ErrNoBackend = errors.New("no such backend")
	// ErrBusy is returned when another change of mastership is under way.
	ErrBusy = errors.New("another change of mastership is under way")
	// ErrMode is returned when the mode of the pool forbids the order.
	ErrMode = errors.New("the pool does not promote")
	// ErrNotReady is returned when no backend may become master now.
	ErrNotReady = errors.New("no backend may become master")
	// ErrHeld is returned when a switchover is ordered while an operator holds the pool.
	ErrHeld = errors.New("an operator holds the pool, release it first")
	// ErrGivenUp is returned when a switchover ended before its point of no return; it comes with the reason.
	ErrGivenUp = errors.New("the switchover was given up and nothing was changed")
	// ErrNotQuiet is the reason when requests stayed unanswered for too long.
	ErrNotQuiet = errors.New("requests stay unanswered")
	// ErrBehind is the reason when the replica could not be brought to the master's offset in time.
	ErrBehind = errors.New("the last bytes did not reach the replica")
)

// Bounds of a switchover, chosen so that clients never notice one that is given up.
const (
	// orderWait is how long an order waits for a candidate in sync: a fresh replica may need a second to stream.
	orderWait = 5 * time.Second
	// quiesceMax is how long unanswered requests may keep everybody waiting.
	quiesceMax = time.Second
	// quiesceForced is the same for a forced failover, which goes on without them.
	quiesceForced = 200 * time.Millisecond
	// catchUpMax is how long the replica may need for the last bytes.
	catchUpMax = time.Second
)

func (t *turn) onOrder(o Order) {
	switch o.Kind {
	case OrderHold, OrderRelease:
		t.held = o.Kind == OrderHold
		if t.held && t.order.ID != 0 && t.order.Kind == OrderSwitchover {
			t.refuseHeld(t.order.ID) // it waits for a replica, and would go on waiting for the release
			t.order = Order{To: noNode}
		}
		t.say("order", t.master, "an operator asked to "+map[bool]string{true: "hold", false: "release"}[t.held])
		t.steer()
		t.reply(o.ID, nil)
	case OrderCancel:
		if t.order.ID == o.ID {
			t.order = Order{To: noNode}
		}
	default:
		t.onChange(o)
	}
}

// onChange takes an order for a new master.
func (t *turn) onChange(o Order) {
	switch {
	case t.cfg.Mode != Promote:
		t.reply(o.ID, fmt.Errorf("change the master of %s in mode %s: %w", t.cfg.Name, t.cfg.Mode, ErrMode))
	case o.To >= len(t.nodes) || o.To < noNode:
		t.reply(o.ID, ErrNoBackend)
	case o.AcceptLoss && o.To == noNode:
		t.reply(o.ID, fmt.Errorf("accept a loss: name the backend to take: %w", ErrNoBackend))
	case t.order.ID != 0 || t.state == StateHolding || t.state == StateDraining || t.state == StatePromoting:
		t.reply(o.ID, ErrBusy)
	case o.To != noNode && o.To == t.master && t.nodes[o.To].verdict.serves():
		t.reply(o.ID, fmt.Errorf("%s is the master already: %w", t.name(o.To), ErrNotReady))
	case o.Kind == OrderFailover && (t.master == noNode || !t.nodes[t.master].verdict.serves()):
		t.beginForced(o)
	case o.Kind == OrderSwitchover && t.state != StateServing && t.state != StateReleasing:
		t.reply(o.ID, fmt.Errorf("switch over while %s: %w", t.state, ErrNotReady))
	case o.Kind == OrderSwitchover && t.held:
		t.refuseHeld(o.ID)
	default:
		t.order, t.orderBy = o, t.now+orderWait
	}
}

// refuseHeld answers a switchover of a held pool. Its pause would be the operator's, and so would its release; a failover is not
// refused, because a master that is lost cannot wait for anybody.
func (t *turn) refuseHeld(order uint64) {
	t.reply(order, fmt.Errorf("switch over %s: %w", t.cfg.Name, ErrHeld))
}

// beginForced makes a new master where there is none that could help.
func (t *turn) beginForced(o Order) {
	if t.state == StateStarting {
		t.reply(o.ID, fmt.Errorf("the backends are still being asked: %w", ErrNotReady))
		return
	}
	p := plan{trigger: TriggerOperator, order: o.ID, to: o.To, acceptLoss: o.AcceptLoss, cause: "ordered by an operator"}
	p.fenced = t.plan.fenced
	p.hard = t.master == noNode || t.nodes[t.master].verdict != VerdictSilent
	if list := t.candidates(&p); len(list) == 0 {
		t.reply(o.ID, fmt.Errorf("%w: %s; a backend that is named can be taken with --accept-loss", ErrNotReady, t.refusals(&p)))
		return
	}
	if t.master == noNode {
		t.master = t.recordedNode()
	}
	t.beginFailover(p)
}

// beginOrder starts a waiting order as soon as its candidate is in sync.
func (t *turn) beginOrder() {
	if t.order.ID == 0 {
		return
	}
	o := t.order
	p := plan{kind: planSwitchover, trigger: TriggerSwitchover, order: o.ID, to: o.To, cause: "ordered by an operator"}
	if o.Kind == OrderFailover {
		p.trigger, p.force, p.acceptLoss = TriggerOperator, true, o.AcceptLoss
	}
	list := t.inSync(t.candidates(&p))
	if len(list) == 0 {
		return
	}
	t.order = Order{To: noNode}
	t.beginPlan(p)
	t.intend(t.best(list))
	limit := quiesceMax
	if p.force {
		limit = quiesceForced
	}
	t.want(Effect{Kind: EffectQuiesce, Epoch: t.epoch, Limit: limit})
}

// inSync keeps the candidates that are online with no more to read than one interval brings. Whether they stream need not be
// proven: the switchover compares offsets while nothing is written.
func (t *turn) inSync(list []int) []int {
	var synced []int
	for _, i := range list {
		n := &t.nodes[i]
		caughtUp := n.online && n.info.LinkUp && (n.streaming || n.info.End() >= t.offset)
		if caughtUp || t.order.AcceptLoss {
			synced = append(synced, i)
		}
	}
	return synced
}

// expireOrder answers an order that could not begin.
func (t *turn) expireOrder() {
	if t.order.ID == 0 || t.now < t.orderBy {
		return
	}
	p := plan{to: t.order.To, acceptLoss: t.order.AcceptLoss}
	t.reply(t.order.ID, fmt.Errorf("%w within %s: %s", ErrNotReady, orderWait, t.refusals(&p)))
	t.order = Order{To: noNode}
}

// onPrepared takes over the two preparations of a switchover.
func (t *turn) onPrepared(r Result) {
	p := &t.plan
	if r.Err != nil && !p.force {
		reason := ErrBehind
		if r.Kind == EffectQuiesce {
			reason = ErrNotQuiet
		}
		t.abort(fmt.Errorf("%w: %w", reason, r.Err))
		return
	}
	if r.Kind == EffectQuiesce {
		t.transition(StateDraining, t.name(p.candidate)+" reads the last bytes")
		t.want(Effect{Kind: EffectCatchUp, Node: p.old, To: p.candidate, Limit: catchUpMax})
		return
	}
	if r.Err == nil {
		p.even = true
		p.offsetSeen = max(p.offsetSeen, r.Info.Offset)
	}
	p.drainedAt = t.now
	t.startCut()
}

// advanceSwitchover waits for its results, and turns into a failover when the master dies under it.
func (t *turn) advanceSwitchover() {
	p := &t.plan
	if v := t.nodes[p.old].verdict; t.state != StatePromoting && (v == VerdictRefused || v == VerdictReborn) {
		again := *p
		again.trigger, again.hard, again.to, again.cause = TriggerAutomatic, true, noNode, "the master died during the switchover"
		t.reply(again.order, errors.New(again.cause))
		again.order = 0
		t.transition(StateStuck, again.cause)
		t.beginFailover(again)
		return
	}
	if t.state != StateDraining || !p.cutDone || t.intending || p.intended != p.candidate {
		return
	}
	t.promote()
}
