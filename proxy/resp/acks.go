package resp

// Acks counts the acknowledged writes of which it is not yet proven that they left the master's process.
//
// Redis writes the replies of one turn of its event loop to its clients and the same turn's stream to its replicas, one
// connection after the other. A process that dies in between has acknowledged writes that no replica ever got, and no
// drain can bring them back. What proves a turn finished is the reply to any request that was sent after the turn's
// replies had arrived: it was read in a later turn. So a write is at risk while no request that was taken after its
// reply has been answered. With traffic that is a fraction of a millisecond.
//
// A reply was made before it is read, so it counts as acknowledged when it was read, or later. The ticks that Answered is given
// are those at which a pass of the event loop began; Date corrects them where a pass lasted.
//
// Invariants: ring holds the unproven ticks newest last; what was pushed out of it is counted in older, under the newest
// tick that was pushed out. fresh are the writes since the last Date, of one pass.
type Acks struct {
	proven uint32 // ticks before this one are proven
	began  bool
	head   int
	ring   [acksRing]ack
	older  ack
	all    int // acknowledged writes, proven or not
	fresh  uint32
	// history has every acknowledged write, proven or not.
	history ackHistory
}

// ack is the number of writes acknowledged in one tick.
type ack struct{ tick, n uint32 }

// acksRing covers half a millisecond of a server that never answers what is sent later; beyond it counts are merged,
// which can only make the number too large.
const acksRing = 8

// after compares clock values that wrap.
func after(a, b uint32) bool { return int32(a-b) > 0 }

// Answered notes the reply to a request that was taken at the tick taken.
func (a *Acks) Answered(write bool, taken, now uint32) {
	if after(a.proven, now) {
		*a = Acks{all: a.all} // nothing was answered for half a turn of the clock, 37 hours: its order no longer holds
	}
	if !a.began || after(taken, a.proven) {
		a.proven, a.began = taken, true
	}
	if !write {
		return
	}
	a.all++
	a.fresh++
	if last := &a.ring[a.head]; last.n > 0 && last.tick == now {
		last.n++
		return
	}
	a.head = (a.head + 1) % acksRing
	if out := a.ring[a.head]; out.n > 0 && !after(a.proven, out.tick) {
		if after(a.proven, a.older.tick) {
			a.older.n = 0
		}
		a.older = ack{tick: out.tick, n: a.older.n + out.n}
	}
	a.ring[a.head] = ack{tick: now, n: 1}
}

// longPass is 1 ms, in ticks. Shorter ones are within the margin that is left to a proof of life.
const longPass = TicksPerMs

// Date ends a pass that began at the tick start. Whatever it has acknowledged may have been acknowledged as late as now.
func (a *Acks) Date(start, now uint32) {
	if a.fresh == 0 {
		return
	}
	if !after(now, start+longPass) {
		now = start
	} else if newest := &a.ring[a.head]; newest.tick == start {
		newest.tick = now
	}
	a.history.add(a.fresh, now)
	a.fresh = 0
}

// All is the number of acknowledged writes, proven or not.
func (a *Acks) All() int { return a.all }

// AtRisk is the number of acknowledged writes that are not proven. Ticks before alive are proven by other means: the
// master answered a probe that was sent then. The pass must have been dated, here and for Since.
func (a *Acks) AtRisk(alive uint32) (n int) {
	proven := a.proven
	if after(alive, proven) {
		proven = alive
	}
	for _, k := range a.ring {
		n += k.unless(proven)
	}
	return n + a.older.unless(proven)
}

// Since is the number of writes acknowledged since alive, proven or not: the bound where a proof does not help, because what has
// left the process need not have arrived. It is never below AtRisk of the same moment.
func (a *Acks) Since(alive, now uint32) int { return a.history.since(alive, now) }

// unless is the count, or 0 when the tick is proven.
func (k ack) unless(proven uint32) int {
	if after(proven, k.tick) {
		return 0
	}
	return int(k.n)
}
