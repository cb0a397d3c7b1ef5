package sim

import (
	"time"

	"holdfast/health"
)

// outcome is what came of a question.
type outcome uint8

const (
	outcomeDone outcome = iota
	outcomeLost         // the connection ended first
	outcomeLate         // nothing came in time
)

// now is the time as the controller counts it.
func (h *holdfast) now() time.Duration { return h.w.now - h.w.began }

// me is the host of Holdfast.
func (h *holdfast) me() int { return h.w.hosts - 1 }

// dial opens a control connection; done hears once how that ended.
func (h *holdfast) dial(n *node, limit time.Duration, done func(health.FailureKind, bool)) {
	over := false
	end := func(kind health.FailureKind, ok bool) {
		if !over && !h.dead {
			over = true
			done(kind, ok)
		}
	}
	h.w.after(limit, func() { end(health.FailTimeout, false) })
	h.w.travel(h.me(), n.id, func() {
		up := n.up
		h.w.travel(n.id, h.me(), func() { end(health.FailRefused, up) })
	})
}

// query has a process do something in one of its turns, and brings back what it says. The process must be the one that born names;
// if another one is there by now, the connection is known to have ended. limit 0 waits for ever. The function returned ends
// the connection.
func (h *holdfast) query(n *node, born int, limit time.Duration, do func(*node) health.Info, done func(health.Info, outcome)) func() {
	over := false
	var info health.Info
	end := func(out outcome) {
		if !over && !h.dead {
			over = true
			done(info, out)
		}
	}
	if limit > 0 {
		h.w.after(limit, func() { end(outcomeLate) })
	}
	c := &call{w: h.w, done: func(reached bool) {
		if reached {
			end(outcomeDone)
		} else {
			end(outcomeLost)
		}
	}}
	h.w.travel(h.me(), n.id, func() {
		if !n.up || n.born != born {
			h.w.travel(n.id, h.me(), func() { c.finish(false) })
			return
		}
		n.queries = append(n.queries, &query{call: c, do: func(n *node) {
			i := do(n)
			if !over {
				info = i
			}
		}})
		n.wake()
	})
	return func() { h.w.after(0, func() { end(outcomeLost) }) }
}
