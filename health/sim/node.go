package sim

import (
	"fmt"
	"slices"
	"time"
)

// Length of one turn of a server's event loop: what is read at its beginning is answered at its end, to one receiver after the
// other. A process that ends in between has answered some of them, and replicas are receivers like any other.
const (
	turnMin, turnSpread = 10 * time.Microsecond, 80 * time.Microsecond
	wakeMin, wakeSpread = 2 * time.Microsecond, 20 * time.Microsecond
)

// noNode names no node.
const noNode = -1

// node is one server: a process on a host of its own, with data, a replication stream and connections.
//
// Invariant: offset() is the number of operations since the beginning of the lineage, and log holds the newest of them.
type node struct {
	w  *world
	id int

	up, frozen bool
	gone       bool // the host is down, too
	run        string
	born       int // grows with each process, so that events of an earlier one are known

	isMaster        bool
	replid, replid2 string
	older           string // the lineage before replid2, if no copy came in between; a server forgets it
	secondOffset    int64
	data            dataset
	log             []operation
	base            int64
	saved           snapshot
	pausedUntil     time.Duration

	follows   int
	upstream  *feed         // from the master that it follows; nil: not linked
	loading   bool          // a full copy is on its way
	copyAt    time.Duration // since when
	lostAt    time.Duration // when the link ended by itself; 0: it did not
	reconnect bool          // an attempt to link is planned
	feeds     []*feed       // to its replicas, as master

	conns   []*serverConn
	queries []*query
	answers []*query
	// unanswered are those of the last turn that had any: their asker hears of the end of the process if it comes first.
	unanswered []*query
	asleep     []func() // output that a freeze has caught half written

	planned  bool // a turn is planned
	open     bool // a turn has been executed and its output has not left
	finished bool // the output is due, and the process was frozen before it left
}

// snapshot is what a disk holds.
type snapshot struct {
	data   dataset
	replid string
	offset int64
}

// query is a control command: asked by Holdfast, executed in a turn, answered at its end.
type query struct {
	call *call
	do   func(*node)
}

func newNode(w *world, id int) *node {
	n := &node{w: w, id: id, follows: noNode}
	n.start(snapshot{})
	return n
}

// start is a new process that believes itself a master, with what its disk holds.
func (n *node) start(from snapshot) {
	n.born++
	n.up, n.frozen, n.isMaster, n.follows = true, false, true, noNode
	n.run, n.replid, n.replid2, n.secondOffset = n.w.id("run"), n.w.id("L"), from.replid, from.offset+1
	n.older = ""
	n.data, n.log, n.base = from.data.clone(), nil, from.offset
	n.upstream, n.loading, n.reconnect, n.feeds, n.pausedUntil, n.lostAt = nil, false, false, nil, 0, 0
	n.planned, n.open, n.finished = false, false, false
}

func (n *node) offset() int64 { return n.base + int64(len(n.log)) }

func (n *node) name() string { return fmt.Sprintf("n%d", n.id) }

// save writes a snapshot to the disk.
func (n *node) save() { n.saved = snapshot{data: n.data.clone(), replid: n.replid, offset: n.offset()} }

// wake plans a turn.
func (n *node) wake() {
	if n.planned || n.open || !n.up || n.frozen {
		return
	}
	n.planned = true
	born := n.born
	n.w.after(wakeMin+time.Duration(n.w.rnd.Int64N(int64(wakeSpread))), func() {
		if n.born == born && n.up {
			n.turn()
		}
	})
}

// turn executes what is there, in any order of the connections.
func (n *node) turn() {
	n.planned = false
	if n.frozen {
		return
	}
	n.open = true
	todo := make([]func(), 0, len(n.conns)+2)
	for _, c := range n.conns {
		if len(c.sock.in) > 0 || c.sock.ended {
			todo = append(todo, c.serve)
		}
	}
	if len(n.queries) > 0 {
		todo = append(todo, n.obey)
	}
	if f := n.upstream; f != nil && (len(f.inbox) > 0 || f.ended) {
		todo = append(todo, n.apply)
	}
	n.w.rnd.Shuffle(len(todo), func(i, j int) { todo[i], todo[j] = todo[j], todo[i] })
	for _, do := range todo {
		do()
	}
	born := n.born
	n.w.after(turnMin+time.Duration(n.w.rnd.Int64N(int64(turnSpread))), func() {
		if n.born == born && n.up {
			n.endTurn()
		}
	})
}

// endTurn lets the output leave.
func (n *node) endTurn() {
	if n.frozen {
		n.finished = true
		return
	}
	n.open, n.finished = false, false
	for _, send := range n.outputs() {
		send()
	}
	n.conns = slices.DeleteFunc(n.conns, func(c *serverConn) bool { return c.sock.closed })
	if n.busy() {
		n.wake()
	}
}

func (n *node) busy() bool {
	for _, c := range n.conns {
		if len(c.sock.in) > 0 && !c.stalled || c.sock.ended {
			return true
		}
	}
	return len(n.queries) > 0 || n.upstream != nil && (len(n.upstream.inbox) > 0 || n.upstream.ended)
}

// outputs lists what waits to leave at the end of a turn, one receiver each, in any order.
func (n *node) outputs() []func() {
	var list []func()
	for _, c := range n.conns {
		if len(c.reply) > 0 {
			list = append(list, c.flush)
		}
	}
	for _, f := range n.feeds {
		if len(f.outbox) > 0 {
			list = append(list, f.flush)
		}
	}
	for _, q := range n.answers {
		list = append(list, func() { n.w.travel(n.id, n.w.hosts-1, func() { q.call.finish(true) }) })
	}
	n.answers = nil
	n.w.rnd.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// obey executes control commands.
func (n *node) obey() {
	queries := n.queries
	n.queries = nil
	for _, q := range queries {
		q.do(n)
		n.answers = append(n.answers, q)
	}
	n.unanswered = append(n.unanswered[:0], n.answers...)
}

// interrupt lets a part of an open turn's output leave: the process is stopped while it writes to one receiver after the other.
func (n *node) interrupt() (left []func()) {
	if !n.open {
		return nil
	}
	list := n.outputs()
	k := n.w.rnd.IntN(len(list) + 1)
	for _, send := range list[:k] {
		send()
	}
	return list[k:]
}

// freeze stops the process in the middle of whatever it does. Its kernel goes on.
func (n *node) freeze() {
	n.w.note("freeze %s", n.name())
	if !n.up || n.frozen {
		return
	}
	n.asleep = n.interrupt() // what was not written stays in the process, and leaves when it wakes
	n.frozen = true
}

// thaw lets a frozen process go on.
func (n *node) thaw() {
	n.w.note("thaw %s", n.name())
	if !n.up || !n.frozen {
		return
	}
	n.frozen = false
	left := n.asleep
	n.asleep = nil
	for _, send := range left {
		send()
	}
	if n.finished {
		n.endTurn()
	}
	n.wake()
}

// kill ends the process; its kernel delivers what was written, and says that nobody is there.
func (n *node) kill() {
	n.w.note("kill %s at offset %d", n.name(), n.offset())
	if !n.up {
		return
	}
	if !n.frozen {
		n.interrupt()
	}
	n.stop()
	for _, c := range n.conns {
		c.sock.close()
	}
	for _, f := range n.feeds {
		f.close()
	}
	if n.upstream != nil {
		n.upstream.leave()
	}
	n.conns, n.feeds, n.upstream = nil, nil, nil
}

// vanish ends the process and its host.
func (n *node) vanish() {
	n.w.note("host of %s vanishes at offset %d", n.name(), n.offset())
	for other := range n.w.hosts {
		n.w.setLink(n.id, other, true)
		n.w.setLink(other, n.id, true)
	}
	if !n.up {
		return
	}
	n.stop()
	for _, c := range n.conns {
		c.sock.vanish()
	}
	for _, f := range n.feeds {
		f.flow.clear()
	}
	n.conns, n.feeds, n.upstream, n.gone = nil, nil, nil, true
}

// stop is what the end of the process and of the host have in common.
func (n *node) stop() {
	n.up, n.open, n.planned, n.loading, n.asleep = false, false, false, false, nil
	for _, q := range append(n.queries, n.unanswered...) {
		n.w.travel(n.id, n.w.hosts-1, func() { q.call.finish(false) })
	}
	n.queries, n.answers, n.unanswered = nil, nil, nil
	n.born++
}

// restart brings a node back with what its disk holds: nothing, or its last snapshot.
func (n *node) restart(from snapshot) {
	n.w.note("restart %s with offset %d", n.name(), from.offset)
	if n.up {
		return
	}
	if n.gone {
		n.gone = false
		for other := range n.w.hosts {
			n.w.setLink(n.id, other, false)
			n.w.setLink(other, n.id, false)
		}
	}
	n.start(from)
}
