package proxy

import (
	"time"

	"holdfast/splice"
)

const (
	// sweepEvery is how often each session is looked at, and so how late a limit may be kept; a limit below four times as
	// much is kept more exactly. No session has a timer of its own: what is rarely reached must not cost anything.
	sweepEvery = time.Second
	// sweepSlabs is the number of slabs that are looked at in one go: a thousand sessions, less than 0.1 ms. A loop with more
	// of them looks more often, so that nobody waits for a long look.
	sweepSlabs = 4
	// outrunFor is how long after it has caught up a subscriber is taken to have been given up by its server, should that end the
	// connection. The end may be told so late: a server's kernel can forget a closed connection whose window was shut, and
	// then it is found by keep-alive, which takes up to twice the minute that is usual.
	outrunFor = 2 * time.Minute
)

// lag is kept of a client that is behind, from the first sweep that finds it so, and of a subscriber that was.
type lag struct {
	since uint32 // ms of the loop's clock at which it took something last, or was seen to have caught up
	taken uint64 // as splice.Taken; caughtUp when it is not behind
}

const caughtUp = ^uint64(0)

// clock is the loop's time in ms; it wraps after 49 days, and only differences of it are used.
func (w *worker) clock() uint32 { return uint32(w.loop.Now() / int64(time.Millisecond)) }

// sweepLater arms the one timer of all limits. It rests while there are no sessions.
func (w *worker) sweepLater() {
	if !w.sweeping {
		w.sweeping = true
		w.loop.After(w.sweepPause(), token(tokenSweep, 0, 0, 0))
	}
}

// sweepPause is such that the hand comes around once in sweepEvery.
func (w *worker) sweepPause() time.Duration {
	every := sweepEvery
	for _, limit := range w.proxy.limits.times() {
		if limit > 0 {
			every = min(every, limit/4)
		}
	}
	return every / time.Duration(max(1, (len(w.table.slabs)+sweepSlabs-1)/sweepSlabs))
}

// sweep looks at the next few slabs of sessions, like the hand of a clock.
func (w *worker) sweep() {
	w.sweeping = false
	slabs := w.table.slabs
	if w.load.Load() == 0 || w.stopped {
		return
	}
	now := w.clock()
	for range min(sweepSlabs, len(slabs)) {
		if w.swept++; w.swept >= len(slabs) {
			w.swept = 0
		}
		for i := range slabs[w.swept] {
			if s := &slabs[w.swept][i]; s.state != stateFree {
				w.inspect(s, now)
			}
		}
	}
	w.sweepLater()
}

// inspect ends a session whose client has used up a limit. A client that is not waited for has its clock set back, which is
// generous by at most one sweep.
func (w *worker) inspect(s *session, now uint32) {
	limits := &w.proxy.limits
	if w.stalls(s, now) {
		w.close(s, ClosedOutput)
		return
	}
	limit, why := s.patience(limits)
	if limit == 0 || s.behind() {
		s.heard = now
	} else if now-s.heard >= milliseconds(limit) {
		w.close(s, why)
	}
}

// stalls says that the client has taken nothing for as long as the limit allows. A client that reads slowly is behind for
// ever and stalls never.
func (w *worker) stalls(s *session, now uint32) bool {
	taken := uint64(caughtUp)
	switch {
	case s.behind():
		taken = splice.Taken(int(s.client))
	case !s.has(outrun):
		s.lag = nil
		return false
	}
	if s.lag == nil || s.lag.taken < taken || (s.lag.taken == caughtUp && taken != caughtUp) {
		s.lag = &lag{since: now, taken: taken}
		return false
	}
	if taken != caughtUp {
		limit := w.proxy.limits.Output
		return limit > 0 && now-s.lag.since >= milliseconds(limit)
	}
	if now-s.lag.since >= milliseconds(outrunFor) {
		s.set(outrun, false)
	}
	return false
}

func milliseconds(d time.Duration) uint32 { return uint32(d.Milliseconds()) }
