package sim

import (
	"slices"
	"time"
)

// Times of replication. A real replica asks for its master every second and acknowledges as often; here both are shorter, so that a
// life has more failovers, and never shorter than what they are compared with.
const (
	linkEvery   = 100 * time.Millisecond
	copyMin     = 2 * time.Millisecond
	copySpread  = 120 * time.Millisecond
	ackEvery    = time.Second
	pingEvery   = 10 * time.Second
	holdBackMax = time.Second
	// wipeMin is the least time from the loss of a link to the loss of the data behind it, by a copy of a master that came back
	// empty: measured were 0.68 s with the settings that make it fastest.
	wipeMin = 600 * time.Millisecond
)

// feed is the stream of one master to one replica.
type feed struct {
	w       *world
	master  *node
	replica *node
	born    [2]int // the processes at its ends
	flow    flow[streamed]
	inbox   []operation // arrived and not read by the replica
	outbox  []operation // of the present turn, or held back
	ended   bool        // nothing comes behind inbox
	closed  bool
	// As the master sees the replica. held: after a full copy the stream waits for the next acknowledgement.
	online, held bool
	ackOffset    int64
	ackAt        time.Duration
}

// streamed is an operation on its way, with those joined to it, or the end of the stream.
type streamed struct {
	ops []operation
	end bool
}

// follow makes the node a replica of another one. Its data and its place in the stream stay, to be continued if they can be.
func (n *node) follow(to int) {
	n.w.note("%s follows n%d", n.name(), to)
	if n.upstream != nil {
		n.upstream.leave()
		n.upstream = nil
	}
	for _, f := range n.feeds {
		f.close()
	}
	n.feeds = nil
	n.isMaster, n.follows, n.loading, n.lostAt = false, to, false, 0
	n.seekMaster(0)
}

// promote is REPLICAOF NO ONE.
func (n *node) promote() {
	n.w.note("promote %s at offset %d", n.name(), n.offset())
	if n.isMaster {
		return
	}
	if n.upstream != nil {
		n.upstream.leave()
		n.upstream = nil
	}
	n.isMaster, n.follows, n.loading = true, noNode, false
	n.older, n.replid2, n.secondOffset, n.replid = n.replid2, n.replid, n.offset()+1, n.w.id("L")
	for _, f := range n.feeds {
		f.close()
	}
	n.feeds = nil
}

// seekMaster tries to link, now and then again.
func (n *node) seekMaster(after time.Duration) {
	if n.reconnect {
		return
	}
	n.reconnect = true
	born := n.born
	n.w.after(after, func() {
		if n.born != born {
			return
		}
		n.reconnect = false
		if n.isMaster || n.upstream != nil {
			return
		}
		if !n.frozen {
			n.link()
		}
		if n.upstream == nil {
			n.seekMaster(linkEvery)
		}
	})
}

// link continues the stream of the master where lineage and offset allow it, and copies everything otherwise.
func (n *node) link() {
	m := n.w.nodes[n.follows]
	if m == n || !m.up || m.frozen || n.w.link(n.id, m.id).down || n.w.link(m.id, n.id).down || !m.isMaster && m.upstream == nil {
		return
	}
	f := &feed{w: n.w, master: m, replica: n, born: [2]int{m.born, n.born}, ackAt: n.w.now}
	f.flow = flow[streamed]{w: n.w, from: m.id, to: n.id, deliver: f.arrived}
	n.upstream = f
	m.feeds = append(m.feeds, f)
	at := n.offset() + 1
	same := n.replid == m.replid || n.replid == m.replid2 && at <= m.secondOffset
	if same && n.offset() >= m.base && n.offset() <= m.offset() {
		n.w.note("%s continues the stream of %s at %d", n.name(), m.name(), n.offset())
		if n.replid != m.replid {
			n.older, n.replid, n.replid2, n.secondOffset = n.replid2, m.replid, n.replid, n.offset()+1
		}
		f.online, f.ackOffset = true, n.offset()
		f.send(m.log[n.offset()-m.base:])
		f.acknowledgeLater()
		return
	}
	n.copyFrom(f)
}

// copyFrom is a full copy: the state of the master at its beginning, and the stream from there on.
func (n *node) copyFrom(f *feed) {
	m := f.master
	n.w.note("%s copies %s at %d", n.name(), m.name(), m.offset())
	n.loading, n.copyAt, f.held = true, n.w.now, true
	at := snapshot{data: m.data.clone(), replid: m.replid, offset: m.offset()}
	after := copyMin + time.Duration(n.w.rnd.Int64N(int64(copySpread)))
	if n.lostAt > 0 {
		after = max(after, n.lostAt+wipeMin-n.w.now)
	}
	n.w.after(after, func() {
		if !f.alive() {
			return
		}
		n.loading = false
		n.data, n.log, n.base = at.data, nil, at.offset
		n.replid, n.replid2, n.older, n.secondOffset = at.replid, "", "", 0 // a copy begins a new history
		f.online, f.ackOffset = true, 0
		// The master sends nothing before it hears an acknowledgement.
		wait := time.Duration(0)
		if n.w.rnd.IntN(2) == 0 {
			wait = time.Duration(n.w.rnd.Int64N(int64(holdBackMax)))
		}
		n.w.after(wait, f.acknowledge)
	})
}

// alive says that both ends are still those that made the link.
func (f *feed) alive() bool {
	return !f.closed && f.master.up && f.replica.up && f.master.born == f.born[0] && f.replica.born == f.born[1] && f.replica.upstream == f
}

func (f *feed) acknowledgeLater() { f.w.after(ackEvery, f.acknowledge) }

// acknowledge tells the master how far the replica is, once a second as long as the link lives.
func (f *feed) acknowledge() {
	if !f.alive() {
		return
	}
	f.acknowledgeLater()
	if f.replica.frozen || f.replica.loading {
		return
	}
	offset := f.replica.offset()
	f.w.travel(f.replica.id, f.master.id, func() {
		if f.alive() && !f.master.frozen {
			f.ackOffset, f.ackAt = offset, f.w.now
			if f.held {
				f.held = false
				f.flush()
			}
		}
	})
}

// flush sends the stream of a turn.
func (f *feed) flush() {
	if f.held {
		return
	}
	f.send(f.outbox)
	f.outbox = nil
}

// send lets operations travel, those of one block together.
func (f *feed) send(ops []operation) {
	for len(ops) > 0 {
		n := block(ops)
		f.flow.send(streamed{ops: ops[:n:n]})
		ops = ops[n:]
	}
}

// block is how many operations belong together with the first.
func block(ops []operation) int {
	n := 1
	for n < len(ops) && ops[n].joined {
		n++
	}
	return n
}

func (f *feed) arrived(m streamed) {
	if f.replica.upstream != f || f.replica.born != f.born[1] || f.ended {
		return
	}
	if m.end {
		f.ended = true
	} else {
		f.inbox = append(f.inbox, m.ops...)
	}
	f.replica.wake()
}

// close ends the stream at the master: what was sent arrives first. An acknowledgement that the dead master had not read makes its
// kernel reset the connection instead, and then what a broken link held back is lost.
func (f *feed) close() {
	if f.closed {
		return
	}
	f.closed = true
	if f.w.rnd.IntN(4) == 0 {
		f.flow.purge()
	}
	f.flow.send(streamed{end: true})
}

// leave ends the stream at the replica.
func (f *feed) leave() {
	m := f.master
	f.closed = true
	f.w.travel(f.replica.id, m.id, func() {
		m.feeds = slices.DeleteFunc(m.feeds, func(g *feed) bool { return g == f })
	})
}

// apply is the replica's part of a turn.
func (n *node) apply() {
	f := n.upstream
	if f == nil {
		return // promoted in the same turn
	}
	if n.loading {
		if f.ended {
			n.loading, n.upstream = false, nil
			n.seekMaster(linkEvery)
		}
		return
	}
	k := 0
	for most := n.w.rnd.IntN(len(f.inbox) + 1); k <= most && k < len(f.inbox); {
		k += block(f.inbox[k:])
	}
	for _, op := range f.inbox[:k] {
		n.execute(op)
	}
	f.inbox = f.inbox[k:]
	if f.ended && len(f.inbox) == 0 {
		n.upstream, n.lostAt = nil, n.w.now
		n.seekMaster(n.w.upto(linkEvery))
	}
}

// execute applies an operation of the stream, or one of a client, and hands it on.
func (n *node) execute(op operation) {
	n.data.apply(op)
	n.log = append(n.log, op)
	for _, f := range n.feeds {
		f.outbox = append(f.outbox, op)
	}
}

// pingAtEnd is 1 if the last operation of the node is a ping, which may still be on its way to the replicas, and else 0.
func (n *node) pingAtEnd() int64 {
	if k := len(n.log); k > 0 && n.log[k-1].kind == opPing {
		return 1
	}
	return 0
}

// ping keeps the stream of an idle master moving.
func (n *node) ping() {
	n.w.after(pingEvery, n.ping)
	if n.up && !n.frozen && n.isMaster && len(n.feeds) > 0 {
		n.execute(operation{kind: opPing})
		for _, f := range n.feeds {
			f.flush()
		}
	}
}
