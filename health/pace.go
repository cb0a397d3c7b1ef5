package health

import "time"

// tickEvery is how often a pool with something in question is told the time: the resolution of silence. 20 ms keep a detection
// within 2 % of the default.
const tickEvery = 20 * time.Millisecond

// paceMax keeps a tick that is a little late from looking like a process that did not run.
const paceMax = asleepAfter / 4

// pace is how soon the pool must be told the time again. While nothing is in question the answers of its nodes come more often than
// anything falls due, and each useless wake-up costs the machine the more the less there is to do. A node that is late ends the
// calm; it is noticed one pace later, which is before it becomes suspect.
func (p *pool) pace() time.Duration {
	if !p.calm() {
		return tickEvery
	}
	noticed := p.cfg.suspectAfter() - p.cfg.late() - tickEvery
	return max(tickEvery, min(p.cfg.Interval, noticed, paceMax))
}

// calm reports whether the master serves, every node has given its last answer in time, and nothing is planned.
func (p *pool) calm() bool {
	if p.state != StateServing || p.held || p.loss.pending || p.demotion != 0 || p.load.Slow > 0 || p.order.ID != 0 {
		return false
	}
	for i := range p.nodes {
		if n := &p.nodes[i]; n.askAgain || n.repairing || p.quiet(i) > p.cfg.late() && !n.refused {
			return false
		}
	}
	return true
}

// late is the age of a last answer from which the next one is overdue. A quarter of an interval is room for a busy machine.
func (s Settings) late() time.Duration { return s.Interval * 5 / 4 }
