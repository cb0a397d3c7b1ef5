package bench

import "fmt"

// ledger remembers the outcome of each unique id a client wrote under one key.
//
// Invariant: ids are 0..len(outcomes)-1, given out in the order in which they were written.
type ledger struct {
	outcomes []Outcome
}

// next gives out an id; until it is settled its outcome is unknown.
func (l *ledger) next() int {
	l.outcomes = append(l.outcomes, Unknown)
	return len(l.outcomes) - 1
}

// settle records how the write of an id ended. A wrong or missing reply says nothing about the execution.
func (l *ledger) settle(id int, o Outcome) {
	if o == OK || o == Fail {
		l.outcomes[id] = o
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
	seen    int64 // the last value the server confirmed
	unknown int64 // writes since then whose outcome is unknown, sent before anything sent from now on
	loose   int64 // as unknown, but cut off by a lost connection: such a request may still be executed later
}

// judge checks a reply and takes it as the new value.
func (c *counter) judge(r reply) string {
	low, high := c.seen+1, c.seen+1+c.unknown+c.loose
	if r.kind != ':' {
		return fmt.Sprintf("got %s, want a number", r)
	}
	if r.num < low || r.num > high {
		c.seen, c.unknown = r.num, 0 // one lost write is one finding, not one for each reply that follows
		return fmt.Sprintf("got %s, want %d to %d", r, low, high)
	}
	if late := r.num - low - c.unknown; late > 0 {
		c.loose -= late
	}
	c.seen, c.unknown = r.num, 0
	return ""
}

// settle records a write whose reply did not come.
func (c *counter) settle(o Outcome, lost bool) {
	switch {
	case o == OK || o == Fail:
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
}

// write notes the outcome of one SET.
func (g *register) write(id int, o Outcome) {
	switch o {
	case OK:
		g.maybe = append(g.maybe[:0], id)
	case Fail:
	default:
		g.maybe = append(g.maybe, id)
	}
}

// read reports whether the key may hold id. What is seen is confirmed, and the writes before it are over.
func (g *register) read(id int) bool {
	for i, have := range g.maybe {
		if have == id {
			g.maybe[0] = id
			g.maybe = append(g.maybe[:1], g.maybe[i+1:]...)
			return true
		}
	}
	return false
}
