package sim

import (
	"time"

	"holdfast/health"
	"holdfast/health/authority"
)

const (
	// queueSpread is how long an observation may wait for the controller, or mail for the loop.
	queueSpread = 100 * time.Microsecond
	// diskMax is the longest a record takes until it is on disk.
	diskMax = 4 * time.Millisecond
)

// holdfast is one process of Holdfast: the core with a model of its controller, probers, executor and data plane.
type holdfast struct {
	w       *world
	dead    bool
	core    *health.Core
	journal *authority.Journal
	plane   *plane
	probers []*prober
	lines   [][2]*line // command and spare connection of each node
	// observed keeps the order of results and answers on their way to the controller.
	observed flow[health.Observation]
	seen     map[health.Evidence]bool // evidence on its way: the same news is told once
	orders   uint64
	due      time.Duration // the next tick; 0: none is set
	cutOffAt time.Duration // when a drain last ran out of its time, with its link up; 0: none has
}

// startHoldfast is a process that begins with what the journal remembers.
func (w *world) startHoldfast() {
	core, err := health.NewCore(w.settings, w.journal.Last())
	if err != nil {
		w.fault("setup", "create core: %v", err)
		return
	}
	h := &holdfast{w: w, core: core, journal: w.journal, seen: map[health.Evidence]bool{}}
	h.observed = flow[health.Observation]{w: w, from: w.hosts - 1, to: w.hosts - 1, deliver: h.observe}
	h.plane = newPlane(h)
	w.hf = h
	w.note("holdfast starts with epoch %d", core.Route().Epoch)
	h.plane.publish(core.Route())
	for i := range w.nodes {
		p := &prober{h: h, node: w.nodes[i]}
		h.probers = append(h.probers, p)
		h.lines = append(h.lines, [2]*line{{h: h, node: w.nodes[i]}, {h: h, node: w.nodes[i]}})
		w.after(time.Duration(w.rnd.Int64N(int64(time.Millisecond))), p.tick)
	}
	h.pace()
}

// crash ends the process: every connection of it is reset or closed, and what it knew is in the journal alone.
func (h *holdfast) crash() {
	h.w.note("holdfast crashes")
	h.dead = true
	h.plane.crash()
}

func (h *holdfast) tick() {
	if h.dead || h.w.now != h.due {
		return // a sooner one has taken its place
	}
	h.due = 0
	connected, held := h.plane.clients()
	h.observe(health.Observation{Tick: &health.Tick{Load: health.Load{Connected: connected, Held: held}}})
}

// pace sets the next tick, or a sooner one than is set.
func (h *holdfast) pace() {
	if due := h.w.now + h.core.Pace(); !h.dead && (h.due == 0 || due < h.due) {
		h.due = due
		h.w.after(h.core.Pace(), h.tick)
	}
}

// report brings an observation to the controller, in order.
func (h *holdfast) report(o health.Observation) {
	if !h.dead {
		h.observed.send(o)
	}
}

// tell brings evidence to the controller, on a queue of its own.
func (h *holdfast) tell(e health.Evidence) {
	e.Busy = false
	if h.dead || h.seen[e] {
		return
	}
	h.seen[e] = true
	h.w.after(time.Duration(h.w.rnd.Int64N(int64(queueSpread))), func() {
		delete(h.seen, e)
		if !h.dead {
			h.observe(health.Observation{Evidence: &e})
		}
	})
}

// observe is one step of the core, and what it wants.
func (h *holdfast) observe(o health.Observation) {
	if h.dead {
		return
	}
	o.At = h.w.now
	if h.w.began > 0 {
		o.At -= h.w.began
	}
	defer h.pace()
	faults := h.core.Faults()
	for _, e := range h.core.Step(o) {
		h.begin(e)
	}
	if h.core.Faults() > faults {
		_, why := h.core.State()
		h.w.fault("core", "illegal transition: %s", why)
	}
}

// begin does at once what the controller does itself, and hands the rest to the executor.
func (h *holdfast) begin(e health.Effect) {
	if h.w.tracing && e.Kind != health.EffectProbe && e.Kind != health.EffectWarm && e.Kind != health.EffectNote {
		h.w.note("  %s", e)
	}
	switch e.Kind {
	case health.EffectPublish:
		h.w.checkRoute(e.Route)
		h.plane.publish(e.Route)
	case health.EffectEvent, health.EffectCompare: // nodes here have no settings to be compared, and no answer is waited for
	case health.EffectKeep:
		h.w.keep(e.Receipt)
		h.execute(e)
	case health.EffectReply:
		h.w.ordered = false
	case health.EffectProbe:
		h.probers[e.Node].poke()
	default:
		h.execute(e)
	}
}

// order is an operator's wish.
func (h *holdfast) order(o health.Order) {
	h.orders++
	o.ID = h.orders
	h.observe(health.Observation{Order: &o})
}
