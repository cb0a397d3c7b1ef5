package proxy

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"

	"holdfast/proxy/resp"
)

// ids are the connections of a pool whose clients have asked for their id. They know it as one of ours, which lasts as
// long as the client's connection; a server's own is gone with it, and counts somebody else on the next server.
//
// Only clients that ask are in it, so that the others pay nothing.
type ids struct {
	mu    sync.Mutex // guards here; taken when such a session comes, moves or goes, and when an id is used
	here  map[uint64]*place
	named map[named]uint64 // our id of each connection that a server has named
	count atomic.Uint32
	own   uint32 // which process made the ids
}

// named is a connection as its server calls it. Servers of two masterships use the same numbers.
type named struct{ epoch, server uint64 }

// place is where a connection is now.
//
// Invariants: server == 0 while it has no backend connection; else ids.named has it.
type place struct {
	server   uint64 // what the server calls it
	epoch    uint64
	worker   *worker
	token    uint64 // of the session, whatever it dials
	killedAt uint32
	killed   bool // a client of this pool has asked the server to end it, at killedAt
}

// killFor is how long after CLIENT KILL the end of a connection is taken for its effect, in ticks: 1 s.
const killFor = 1000 * resp.TicksPerMs

func newIDs() *ids {
	return &ids{here: map[uint64]*place{}, named: map[named]uint64{}, own: rand.Uint32()}
}

// next is an id that was never given out.
func (x *ids) next() uint64 { return resp.MakeOwnID(x.own, x.count.Add(1)) }

// put notes what the server calls a session, and says whether the same server called it otherwise before.
func (x *ids) put(s *session, server uint64) (again bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	p := x.here[s.conv.ID()]
	if p == nil {
		p = &place{worker: s.view.worker, token: token(tokenClient, s.gen, 0, s.index)}
		x.here[s.conv.ID()] = p
	}
	again = p.server == 0 && p.epoch == s.epoch
	delete(x.named, named{p.epoch, p.server})
	p.server, p.epoch, p.killed = server, s.epoch, false
	x.named[named{p.epoch, p.server}] = s.conv.ID()
	return again
}

// lose notes that a session has lost its backend connection, and says whether a client had it killed.
func (x *ids) lose(s *session, now uint32) (killed bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	p := x.here[s.conv.ID()]
	if p == nil {
		return false
	}
	killed = p.killed && int32(now-p.killedAt) < killFor // loops read their clocks at the start of a turn, so it may be negative
	delete(x.named, named{p.epoch, p.server})
	p.server, p.killed = 0, false
	return killed
}

func (x *ids) forget(id uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if p := x.here[id]; p != nil {
		delete(x.named, named{p.epoch, p.server})
	}
	delete(x.here, id)
}

// find returns a copy of the place.
func (x *ids) find(id uint64) (place, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	p, ok := x.here[id]
	if !ok {
		return place{}, false
	}
	return *p, true
}

// ownOf is our id of a connection that the master of an epoch calls so; 0: its client has never seen one.
func (x *ids) ownOf(epoch, server uint64) uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.named[named{epoch, server}]
}

// kill notes that a client wants the connection ended.
func (x *ids) kill(id uint64, now uint32) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if p := x.here[id]; p != nil {
		p.killed, p.killedAt = true, now
	}
}

// naming is resp.Names as one session sees it: a connection is there if it is at the same server.
type naming struct {
	s     *session
	kills bool
}

// Server implements resp.Names.
func (n naming) Server(own uint64) uint64 {
	pool := n.s.view.pool
	p, ok := pool.ids.find(own)
	if !ok || p.epoch != n.s.epoch {
		return 0
	}
	if n.kills {
		pool.ids.kill(own, n.s.view.worker.now())
	}
	return p.server
}

// Own implements resp.Names.
func (n naming) Own(server uint64) uint64 { return n.s.view.pool.ids.ownOf(n.s.epoch, server) }

// Lasting implements resp.Names: the first mastership of a pool has the number one.
func (n naming) Lasting() bool { return n.s.epoch <= 1 }

// translated handles a request that names what belongs to the server.
func (b *batch) translated(cmd resp.Command, req []byte) {
	s, w := b.s, b.w
	out, answer := s.conv.Translate(w.spare[:0], cmd, req, naming{s, cmd == resp.CmdClientKill})
	if answer == resp.AnswerNone && out == nil {
		s.conv.TakeAs(&w.flights, cmd, req, len(req), w.now())
		return
	}
	b.forward(b.off)
	b.start = b.off + len(req)
	if answer != resp.AnswerNone {
		s.conv.TakeLocal(&w.flights, cmd, resp.ActLocal, answer, w.now())
		return
	}
	w.spare = out
	s.conv.TakeAs(&w.flights, cmd, req, len(out), w.now())
	w.toBackend(s, out)
}

// renamed delivers other bytes in place of the beginning of the frame at hand.
func (d *delivery) renamed() {
	instead, taken, server := d.w.flights.Renamed()
	if server != 0 {
		d.s.view.pool.ids.put(d.s, server)
	}
	d.flush(d.off)
	d.w.deliver(d.s, instead)
	d.start = d.off + taken
}

// forget ends the conversation of a session: its secrets, and the id that others may know it by.
func (w *worker) forget(s *session) {
	if s.conv.Named() {
		s.view.pool.ids.forget(s.conv.ID())
	}
	s.conv.Wipe(&w.flights)
}

// nameAgain notes what the next server calls a session whose client has seen its id.
func (w *worker) nameAgain(s *session, frame []byte) {
	id, err := strconv.ParseUint(string(bytes.TrimRight(frame[1:], "\r\n")), 10, 64)
	if err == nil && s.view.pool.ids.put(s, id) && s.has(receiver) {
		w.renewSenders(s)
	}
}
