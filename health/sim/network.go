package sim

import "time"

// Latency of one message on a link that is up. The links of one host are as fast as loopback; reordering between connections needs
// no more than that they differ.
const latencyMin, latencySpread = 10 * time.Microsecond, 60 * time.Microsecond

func (w *world) latency() time.Duration {
	return latencyMin + time.Duration(w.rnd.Int64N(int64(latencySpread)))
}

// link is one direction between two hosts. While it is down nothing arrives; the sender's kernel keeps what was sent and sends it
// again once the link is up.
type link struct {
	down    bool
	waiting []func() // what to do when it is up again, in order
}

func (w *world) link(from, to int) *link { return &w.links[from*(w.hosts)+to] }

// setLink cuts or heals one direction.
func (w *world) setLink(from, to int, down bool) {
	l := w.link(from, to)
	if l.down == down {
		return
	}
	w.note("link %d->%d down=%v", from, to, down)
	l.down = down
	if !down {
		waiting := l.waiting
		l.waiting = nil
		for _, do := range waiting {
			w.after(w.latency(), do)
		}
	}
}

// flow carries messages in order over one link. Different flows overtake each other.
type flow[T any] struct {
	w        *world
	from, to int
	queue    []T
	head     int    // queue[head:] is on its way
	blocked  bool   // the head met a link that was down
	arrives  func() // f.arrive, made once
	last     time.Duration
	deliver  func(T)
}

func (f *flow[T]) send(m T) {
	f.queue = append(f.queue, m)
	if !f.blocked {
		f.plan()
	}
}

// plan lets one more message arrive, behind those before it.
func (f *flow[T]) plan() {
	if f.arrives == nil {
		f.arrives = f.arrive
	}
	f.last = max(f.w.now+f.w.latency(), f.last)
	f.w.after(f.last-f.w.now, f.arrives)
}

func (f *flow[T]) arrive() {
	if f.blocked || f.head == len(f.queue) {
		return
	}
	l := f.w.link(f.from, f.to)
	if l.down {
		f.blocked = true
		l.waiting = append(l.waiting, f.healed)
		return
	}
	m := f.queue[f.head]
	if f.head++; f.head == len(f.queue) {
		f.clear()
	}
	f.deliver(m)
}

// clear forgets what is on its way.
func (f *flow[T]) clear() { f.queue, f.head = f.queue[:0], 0 }

func (f *flow[T]) healed() {
	f.blocked = false
	for range f.queue[f.head:] {
		f.plan()
	}
}

// purge throws away what a kernel still keeps to send again: a reset ends a connection at once.
func (f *flow[T]) purge() {
	if f.blocked {
		f.clear()
	}
}

// call carries a question to a process and its answer back; only one of the two outcomes is told, and only once.
type call struct {
	w    *world
	done func(reached bool)
	over bool
}

// finish tells the outcome.
func (c *call) finish(reached bool) {
	if !c.over {
		c.over = true
		c.done(reached)
	}
}

// travel does something at the far end of a link, when it is up.
func (w *world) travel(from, to int, do func()) {
	w.after(w.latency(), func() { w.pass(from, to, do) })
}

func (w *world) pass(from, to int, do func()) {
	if l := w.link(from, to); l.down {
		l.waiting = append(l.waiting, do)
		return
	}
	do()
}
