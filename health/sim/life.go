package sim

import (
	"time"

	"holdfast/health"
)

const (
	// settleMax is how long a world may need to be whole again once its last fault is over: liveness.
	settleMax = 30 * time.Second
	// operatorAfter is how long a pool that needs an operator waits for one.
	operatorAfter = 5 * time.Second
	// wholeFor is how long it must stay so.
	wholeFor = 30 * time.Millisecond
	// servedMax is how long a client may wait in a whole world.
	servedMax = 10 * time.Second
)

// Run is one life: faults one after the other, most of them when the world is whole, and the data in the end.
func Run(seed uint64, o Options) (Result, error) {
	if o.Faults == 0 {
		o.Faults = faultsDefault
	}
	w, err := newWorld(seed, o)
	if err != nil {
		return Result{}, err
	}
	w.settle()
	for i := 0; i < o.Faults && len(w.faults) == 0; i++ {
		w.commitFault()
	}
	if len(w.faults) == 0 {
		w.quiet()
	}
	if len(w.faults) == 0 {
		w.verify()
	}
	r := w.result
	r.Faults, r.Trace, r.Events, r.Cut, r.Elapsed = w.faults, w.trace, w.seq, w.cut, w.now
	return r, nil
}

// settle gives the world time until it is whole: one master, everybody in sync, the gate open, and everybody served.
func (w *world) settle() {
	if len(w.faults) > 0 {
		return
	}
	end := w.now + settleMax
	for since := w.now; w.now-since < wholeFor; {
		w.run(5 * time.Millisecond)
		if len(w.faults) > 0 {
			return
		}
		if !w.whole() {
			since = w.now
		}
		if w.hard && w.now > operatorAfter+end-settleMax {
			w.operate()
		}
		if w.now > end {
			state, why := w.hf.core.State()
			w.fault("I19 convergence", "not whole after %s: %s, %s", settleMax, state, why)
			return
		}
	}
	w.serveAll()
}

// operate is an operator who accepts what is left: once in a while, and only after faults that may need one.
func (w *world) operate() {
	state, _ := w.hf.core.State()
	if w.now < w.operatedAt+operatorAfter {
		return
	}
	if state == health.StateServing {
		w.attach()
		return
	}
	if state != health.StateStuck && state != health.StateNoMaster {
		return
	}
	best := noNode
	for _, n := range w.nodes {
		if n.up && !n.frozen && !n.loading && (best == noNode || n.offset() > w.nodes[best].offset()) {
			best = n.id
		}
	}
	if best == noNode {
		return
	}
	w.operatedAt = w.now
	w.note("the operator accepts n%d", best)
	w.result.Operated++
	w.excusedBelow = w.opened + 1
	w.hf.order(health.Order{Kind: health.OrderFailover, To: best, AcceptLoss: true})
}

// attach makes a master of other data a replica by hand, as the verdict on it asks for.
func (w *world) attach() {
	master := w.hf.core.Master()
	for _, n := range w.nodes {
		if n.up && !n.frozen && n.isMaster && n.id != master {
			w.operatedAt = w.now
			w.note("the operator attaches %s", n.name())
			w.result.Operated++
			n.surrender(master, false)
		}
	}
}

// whole is the state without a fault.
func (w *world) whole() bool {
	if w.hf == nil || w.hf.dead {
		return false
	}
	r := w.hf.core.Route()
	if state, _ := w.hf.core.State(); state != health.StateServing || r.Gate != health.GateOpen || w.ordered {
		return false
	}
	for i, n := range w.nodes {
		if !n.up || n.frozen || !w.hf.core.InSync(i) || n.isMaster != (i == r.Backend) {
			return false
		}
	}
	return true
}

// serveAll waits until each client has had an answer, and the listener a message.
func (w *world) serveAll() {
	before := make([]int, len(w.clients))
	for i, c := range w.clients {
		before[i] = c.served()
		if sock := c.sock; sock != nil {
			w.after(w.upto(5*time.Millisecond), func() {
				if c.sock == sock {
					c.turn()
				}
			})
		}
	}
	for end := w.now + servedMax; len(w.faults) == 0; {
		waiting := noNode
		for i, c := range w.clients {
			if c.served() == before[i] && !w.mayWait(c) {
				waiting = i
			}
			if c.listens && c.served() == before[i] {
				w.clients[0].announce()
			}
		}
		switch {
		case waiting == noNode:
			return
		case w.now > end:
			c := w.clients[waiting]
			w.fault("I20 liveness", "c%d is not served within %s: %d open, session %d of epoch %d", waiting, servedMax, len(c.open),
				c.session.state, c.session.epoch)
			return
		}
		w.run(10 * time.Millisecond)
	}
}

// served counts what a client lives for.
func (c *client) served() int {
	if c.listens {
		return c.count
	}
	return c.done
}

// mayWait: a consumer waits for a job, as long as there is none.
func (w *world) mayWait(c *client) bool {
	if len(c.open) != 1 || c.open[0].args[0] != "BLPOP" {
		return false
	}
	m := w.nodes[w.hf.core.Master()]
	return len(m.data[key{kind: 'q', db: int8(c.db)}]) == 0
}

// quiet lets everybody finish: no new act begins, and what is unanswered is answered, but for those who wait for data.
func (w *world) quiet() {
	for _, c := range w.clients {
		c.act = func() {}
	}
	for end := w.now + servedMax; len(w.faults) == 0; {
		open := 0
		for _, c := range w.clients {
			if !w.mayWait(c) {
				open += len(c.open)
			}
		}
		if open == 0 {
			break
		}
		if w.now > end {
			w.fault("I20 liveness", "%d requests are never answered", open)
		}
		w.run(5 * time.Millisecond)
	}
	w.run(50 * time.Millisecond)
	if len(w.faults) > 0 {
		return
	}
	master := w.nodes[w.hf.core.Master()]
	for _, n := range w.nodes {
		if n.up && n.offset() != master.offset() && n.offset() != master.offset()-master.pingAtEnd() {
			w.fault("I19 convergence", "%s is at %d, its master %s at %d", n.name(), n.offset(), master.name(), master.offset())
		}
	}
}
