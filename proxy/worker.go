package proxy

import (
	"context"
	"sync/atomic"
	"time"

	"holdfast/proxy/resp"
	"holdfast/splice"
)

// Kinds of tokens that a worker gives to its loop.
const (
	tokenListener uint64 = iota + 1
	tokenClient
	tokenBackend
	tokenAcceptAgain
	tokenNag
	tokenDials
	tokenSweep
	tokenQuiet
	tokenTarget
	tokenForget
	tokenRenew
)

// nagEvery is how often a worker repeats its evidence while clients wait for a lost backend to be confirmed: evidence
// is coalesced on its way, and a session must never depend on a single message.
const nagEvery = 250 * time.Millisecond

// token packs a kind, the generation of a record, the number of its dial and its index, so that an event of a closed
// session or of an earlier backend connection is not taken for its successor's.
func token(kind uint64, gen uint16, dial uint8, index uint32) uint64 {
	return kind<<56 | uint64(gen)<<40 | uint64(dial)<<32 | uint64(index)
}

// worker is the handler of one event loop: it owns the sessions on it. Everything but load belongs to the loop's
// goroutine.
type worker struct {
	id      int
	proxy   *Proxy
	loop    *splice.Loop
	views   []*view // by pool index
	table   table
	flights resp.Flights
	gather  gather
	acked   *view  // has acknowledged writes in this pass that are not dated
	spare   []byte // for replays and resends; valid within one callback
	load    atomic.Int64
	spareFD splice.Spare
	swept   int // the slab that was swept last
	stopped bool
	// sweeping: the timer of the next sweep is set.
	sweeping bool
}

// view is one worker's part of one pool.
type view struct {
	worker *worker
	pool   *Pool
	seen   *Route // the route that was followed last
	// suspect: a connection broke under unanswered requests. Nothing is forwarded until the control plane publishes
	// a route, which it does for every evidence.
	suspect  bool
	guard    guard
	nagging  bool
	dialsDue bool // dialQueued will be called in this pass
	lists    [stateCount]list
	dialing  int // sessions in stateDialing that hold a dial slot
	laggards int // of these, sessions whose client was behind
	busy     int // sessions with unanswered requests
	quiet    []func()
	// fallen counts what became of sessions that lost their backend by themselves since the last release; a cut reports
	// it with its own.
	fallen  resp.CutCounts
	acks    resp.Acks
	gaps    Gaps   // since the start
	odd     uint64 // sessions that have executed a command of unknown meaning, since the start
	lessons lessons
	cut     resp.CutCounts // the same since the start
	// connected and held mirror the lengths of the lists for readers outside the loop.
	connected, held atomic.Int64
	accepted        uint64
	refused         uint64
	turned          [turnReasonCount]uint64
	turnedNote      rarely
	foreignNote     rarely
	closed          [closeReasonCount]uint64
}

// acknowledged notes the reply to the oldest request of a session.
func (w *worker) acknowledged(s *session, cmd resp.Command) {
	v := s.view
	write := v.pool.care.Acknowledges(cmd)
	v.acks.Answered(write, s.conv.AnsweredAt(), w.now())
	if write && w.acked != v {
		w.dateAcks()
		w.acked = v
	}
}

// dateAcks says when the writes of this pass were acknowledged at the latest.
func (w *worker) dateAcks() {
	if w.acked != nil {
		w.acked.acks.Date(w.now(), ticks(w.loop.Clock()))
		w.acked = nil
	}
}

func newWorker(id int, p *Proxy, loop *splice.Loop) *worker {
	return &worker{id: id, proxy: p, loop: loop, spare: make([]byte, 0, 4096)}
}

func (w *worker) addPool(p *Pool) {
	w.views = append(w.views, &view{worker: w, pool: p, seen: p.route.Load()})
}

func (w *worker) run(ctx context.Context) error {
	for _, v := range w.views {
		for i := range v.pool.listeners {
			if i%len(w.proxy.workers) == w.id {
				if err := w.loop.Watch(v.pool.listeners[i].fd, listenerToken(tokenListener, v, i)); err != nil {
					return err
				}
			}
		}
	}
	w.spareFD.Take()
	defer w.spareFD.Give()
	err := w.loop.Run(ctx, w)
	w.stopped = true
	for _, v := range w.views {
		for st := range v.lists {
			for s := v.lists[st].first; s != nil; s = v.lists[st].first {
				w.close(s, ClosedShutdown)
			}
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func listenerToken(kind uint64, v *view, i int) uint64 {
	return token(kind, uint16(v.pool.index), 0, uint32(i))
}

// OnEvent implements splice.Handler.
func (w *worker) OnEvent(tok uint64, ev splice.Events) {
	switch tok >> 56 {
	case tokenClient:
		if s := w.table.at(tok); s != nil {
			w.onClient(s, ev)
		}
	case tokenBackend:
		if s := w.table.at(tok); s != nil && s.backend >= 0 && s.dials == uint8(tok>>32) {
			w.onBackend(s, ev)
		}
	case tokenListener:
		w.accept(tok)
	case tokenDials:
		w.dialQueued(w.views[uint32(tok)])
	}
}

// OnTimer implements splice.Handler.
func (w *worker) OnTimer(tok uint64) {
	switch tok >> 56 {
	case tokenAcceptAgain:
		w.acceptAgain(tok)
	case tokenSweep:
		w.sweep()
	case tokenNag:
		w.nag(w.views[uint32(tok)])
	case tokenTarget:
		if s := w.table.at(tok); s != nil && s.dials == uint8(tok>>32) && s.state == stateDialing && s.stage == stageTarget {
			w.replay(s)
		}
	case tokenForget:
		if s := w.table.at(tok); s != nil && s.dials == uint8(tok>>32) {
			w.onForget(s)
		}
	case tokenRenew:
		if s := w.table.at(tok); s != nil && s.dials == uint8(tok>>32) {
			w.renew(s)
		}
	case tokenQuiet:
		w.views[uint32(tok)].tellQuiet()
	case tokenBackend:
		if s := w.table.at(tok); s != nil && s.dials == uint8(tok>>32) {
			w.onDialTimeout(s)
		}
	}
}

// now is the loop's clock in ticks of 1/resp.TicksPerMs milliseconds; it wraps.
func (w *worker) now() uint32 { return ticks(w.loop.Now()) }

func ticks(nanoseconds int64) uint32 {
	return uint32(nanoseconds / (int64(time.Millisecond) / resp.TicksPerMs))
}

// table holds the session records of one worker. Records are made in slabs and never move.
type table struct {
	slabs [][]session
	free  []uint32
}

const slabSize = 256

func (t *table) get() *session {
	if len(t.free) == 0 {
		slab, base := make([]session, slabSize), uint32(len(t.slabs)*slabSize)
		t.slabs = append(t.slabs, slab)
		for i := range slab {
			slab[i].index, slab[i].client, slab[i].backend = base+uint32(i), -1, -1
			t.free = append(t.free, base+uint32(slabSize-1-i))
		}
	}
	i := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	return &t.slabs[i/slabSize][i%slabSize]
}

func (t *table) put(s *session) {
	*s = session{index: s.index, gen: s.gen + 1, client: -1, backend: -1}
	t.free = append(t.free, s.index)
}

func (t *table) at(tok uint64) *session {
	i := uint32(tok)
	s := &t.slabs[i/slabSize][i%slabSize]
	if s.state == stateFree || s.gen != uint16(tok>>40) {
		return nil
	}
	return s
}
