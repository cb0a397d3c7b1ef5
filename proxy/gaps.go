package proxy

import (
	"time"

	"holdfast/proxy/resp"
	"holdfast/splice"
)

// Gaps counts the times in which subscribed clients could miss messages: from the loss of the connection, which was
// read to its end, until every subscription was confirmed on the next one. What is published to a channel in between
// reaches nobody who is not subscribed, with or without a proxy; how long that was is all that can be known of it.
//
// Invariant: Longest <= Sum, and both are 0 while Moved is.
type Gaps struct {
	Moved   uint64 // subscribed sessions that were made again
	Sum     time.Duration
	Longest time.Duration
}

// listenersMax is how long a planned change waits for the last messages of its listeners. A server answers the end of a
// connection in its next turn.
const listenersMax = 100 * time.Millisecond

// dismissListeners half-closes the connections of subscribed sessions and calls tell when they have ended. Nobody
// publishes any more on any loop, but the server may have answered a publisher and not yet written the message to the
// listener: only its own end of stream proves that nothing is left. A listener that does not read is not waited for.
func (w *worker) dismissListeners(v *view, tell func()) {
	w.commit()
	for _, st := range [...]state{stateServing, stateHeld} {
		for s := v.lists[st].first; s != nil; s = s.next {
			if s.conv.Subscribed() && s.backend >= 0 && s.out == nil && s.toward == nil && !s.has(retiring|refused) {
				s.set(retiring, true)
				splice.ShutdownWrite(int(s.backend))
				w.account(s)
			}
		}
	}
	v.quiet = append(v.quiet, tell)
	if v.hush(); len(v.quiet) > 0 {
		w.loop.After(listenersMax, token(tokenQuiet, 0, 0, uint32(v.pool.index)))
	}
}

// count notes one gap in ticks.
func (g *Gaps) count(ticks uint32) {
	d := time.Duration(ticks) * (time.Millisecond / resp.TicksPerMs)
	g.Moved++
	g.Sum += d
	g.Longest = max(g.Longest, d)
}

func (g *Gaps) add(o Gaps) {
	g.Moved += o.Moved
	g.Sum += o.Sum
	g.Longest = max(g.Longest, o.Longest)
}
