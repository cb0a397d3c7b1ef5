package sim

import (
	"time"
)

// event is something that will happen.
type event struct {
	at  time.Duration
	seq uint64 // events of the same moment happen in the order in which they were planned
	do  func()
}

// clock is virtual time: it stands still while anything happens and jumps to the next event.
//
// Invariant: events is a binary heap by (at, seq), and no event lies before now.
type clock struct {
	now    time.Duration
	seq    uint64
	events []event
}

// after plans do.
func (c *clock) after(d time.Duration, do func()) {
	c.seq++
	c.events = append(c.events, event{at: c.now + max(0, d), seq: c.seq, do: do})
	for i := len(c.events) - 1; i > 0; {
		parent := (i - 1) / 2
		if !c.before(i, parent) {
			return
		}
		c.events[i], c.events[parent] = c.events[parent], c.events[i]
		i = parent
	}
}

func (c *clock) before(i, j int) bool {
	a, b := &c.events[i], &c.events[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

// next lets the earliest event happen, if it lies at or before until, and says whether one did.
func (c *clock) next(until time.Duration) bool {
	if len(c.events) == 0 || c.events[0].at > until {
		return false
	}
	e := c.events[0]
	last := len(c.events) - 1
	c.events[0] = c.events[last]
	c.events[last].do = nil
	c.events = c.events[:last]
	for i := 0; ; {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < last && c.before(child, least) {
				least = child
			}
		}
		if least == i {
			break
		}
		c.events[i], c.events[least] = c.events[least], c.events[i]
		i = least
	}
	c.now = e.at
	e.do()
	return true
}
