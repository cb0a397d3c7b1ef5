package bench

import "fmt"

// ledger remembers the outcome of each unique id a client wrote under one key.
//
// Invariant: ids are 0..len(outcomes)-1, given out in the order in which they were written.
type ledger struct {
	outcomes []Outcome
	acked    []int64 // when each id was acknowledged, in ns of the tally's clock; 0: it was not
}

// next gives out an id; until it is settled its outcome is unknown.
func (l *ledger) next() int {
	l.outcomes = append(l.outcomes, Unknown)
	l.acked = append(l.acked, 0)
	return len(l.outcomes) - 1
}

// settle records how the write of an id ended. A wrong or missing reply says nothing about the execution;
// a stale one acknowledges this write and shows that an earlier one is gone.
func (l *ledger) settle(id int, o Outcome, at int64) {
	if o == OK || o == Stale {
		l.outcomes[id], l.acked[id] = OK, at
	} else if o == Fail {
		l.outcomes[id] = Fail
	}
}

func (l *ledger) count(o Outcome) int {
	n := 0
	for _, have := range l.outcomes {
		if have == o {
			n++
		}
	}
	return n
}

// counter predicts the reply of a command that counts its own executions: INCR, or RPUSH by the length it returns.
//
// Invariant: the true value lies in [seen, seen+unknown+loose].
type counter struct {
	seen    int64   // the last value the server confirmed
	unknown int64   // writes since then whose outcome is unknown, sent before anything sent from now on
	loose   int64   // as unknown, but cut off by a lost connection: such a request may still be executed later
	acked   []int64 // when the writes that are still believed in were acknowledged, oldest first
	gone    int     // acknowledged writes that a later reply has shown to be lost
}

// judge checks a reply that came at the time at, and takes it as the new value even when it is wrong: one lost write is
// one finding, not one for each reply that follows.
func (c *counter) judge(r reply, at int64) flaw {
	if r.kind != ':' {
		return flaw{why: fmt.Sprintf("got %s, want a number", r)}
	}
	low, high := c.seen+1, c.seen+1+c.unknown+c.loose
	if late := r.num - low - c.unknown; late > 0 {
		c.loose = max(0, c.loose-late)
	}
	c.seen, c.unknown = r.num, 0
	f := flaw{}
	if r.num < low || r.num > high {
		f.why = fmt.Sprintf("got %s, want %d to %d", r, low, high)
	}
	if missing := min(int(low-r.num), len(c.acked)); missing > 0 {
		kept := len(c.acked) - missing
		f.stale, f.since = true, c.acked[kept]
		c.acked, c.gone = c.acked[:kept], c.gone+missing
	}
	c.acked = append(c.acked, at)
	return f
}

// settle records a write whose reply did not come.
func (c *counter) settle(o Outcome, lost bool) {
	switch {
	case o == OK || o == Fail || o == Stale:
	case lost:
		c.loose++
	default:
		c.unknown++
	}
}

// absent is the id of the value of a register that was never written.
const absent = -1

// register predicts the value of a key that is overwritten with unique values.
//
// Invariant: maybe[0] is the last value that was confirmed, the rest are later writes of unknown outcome, oldest first.
type register struct {
	maybe []int
	acked int64 // when maybe[0] was acknowledged
}

// write notes the outcome of one SET, at the time at.
func (g *register) write(id int, o Outcome, at int64) {
	switch o {
	case OK:
		g.maybe, g.acked = append(g.maybe[:0], id), at
	case Fail:
	default:
		g.maybe = append(g.maybe, id)
	}
}

// read checks the id of the value that the key holds. What is seen is confirmed, and the writes before it are over. An
// older value than the confirmed one means that the confirmed one is lost.
func (g *register) read(id int) flaw {
	for i, have := range g.maybe {
		if have == id {
			g.maybe[0] = id
			g.maybe = append(g.maybe[:1], g.maybe[i+1:]...)
			return flaw{}
		}
	}
	f := flaw{why: fmt.Sprintf("got write %d, want one of %v", id, g.maybe), stale: id < g.maybe[0], since: g.acked}
	if f.stale {
		g.maybe = append(g.maybe[:0], id)
	}
	return f
}
