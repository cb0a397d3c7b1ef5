package sim

import (
	"time"

	"holdfast/health"
)

// prober asks one node how it is: over a control connection in a fixed rhythm, and on demand over a fresh one.
type prober struct {
	h    *holdfast
	node *node
	open bool
	born int // the process at the other end of the control connection

	asking bool // a question is out on the control connection, sent at asked
	asked  time.Duration
	again  bool // asked for meanwhile
	cut    func()
	fresh  bool // a fresh question is out
}

func (p *prober) tick() {
	if p.h.dead {
		return
	}
	p.h.w.after(p.h.core.Settings().Interval, p.tick)
	p.ask()
}

// poke asks at once, on both connections.
func (p *prober) poke() {
	p.ask()
	if !p.fresh {
		p.fresh = true
		p.askFresh()
	}
}

// ask asks over the control connection, opening it when it is missing. A question that is out is not repeated.
func (p *prober) ask() {
	if p.h.dead {
		return
	}
	if p.asking {
		p.again = true
		return
	}
	p.asking, p.asked = true, p.h.w.now
	if p.open {
		p.question()
		return
	}
	p.h.dial(p.node, p.silence(), func(kind health.FailureKind, ok bool) {
		if !ok {
			p.fail(kind)
			return
		}
		p.open, p.born, p.asked = true, p.node.born, p.h.w.now
		p.question()
	})
}

func (p *prober) silence() time.Duration { return p.h.core.Settings().Silence }

// question has no deadline: silence is measured by the core, and a late answer is worth more than a timeout.
func (p *prober) question() {
	sent := p.h.now()
	p.cut = p.h.query(p.node, p.born, 0, func(n *node) health.Info { return n.info() }, func(info health.Info, out outcome) {
		if out != outcomeDone {
			p.open = false
			p.fail(health.FailLost)
			return
		}
		p.h.report(health.Observation{Answer: &health.Answer{Node: p.node.id, Sent: sent, Info: info}})
		p.done()
	})
}

func (p *prober) fail(kind health.FailureKind) {
	p.h.report(health.Observation{Failure: &health.Failure{Node: p.node.id, Kind: kind, Text: kind.String()}})
	p.done()
}

func (p *prober) done() {
	p.asking, p.cut = false, nil
	if p.again {
		p.again = false
		p.ask()
	}
}

// askFresh asks once over a new connection and gives up after the silence that would be fatal anyway.
func (p *prober) askFresh() {
	end := p.h.w.now + p.silence()
	failed := func(kind health.FailureKind) {
		p.fresh = false
		p.h.report(health.Observation{Failure: &health.Failure{Node: p.node.id, Kind: kind, Fresh: true, Text: kind.String()}})
	}
	p.h.dial(p.node, p.silence(), func(kind health.FailureKind, ok bool) {
		if !ok {
			failed(kind)
			return
		}
		sent := p.h.now()
		p.h.query(p.node, p.node.born, end-p.h.w.now, func(n *node) health.Info { return n.info() }, func(i health.Info, out outcome) {
			switch out {
			case outcomeLate:
				failed(health.FailTimeout)
			case outcomeLost:
				failed(health.FailLost)
			default:
				p.fresh = false
				p.h.report(health.Observation{Answer: &health.Answer{Node: p.node.id, Sent: sent, Fresh: true, Info: i}})
				p.dropDeafControl()
			}
		})
	})
}

// dropDeafControl ends a control connection that stays silent while the server answers others.
func (p *prober) dropDeafControl() {
	if p.asking && p.cut != nil && p.h.w.now-p.asked > p.silence() {
		p.cut()
	}
}
