package splice

import (
	"syscall"
	"testing"
)

// relay is a whole proxy of opaque bytes in a few lines: what the tests and benchmarks drive, and an example of how a Mover is
// used. Tokens are the index of the pair times two, plus one for the backend side; the listener has relayListener.
type relay struct {
	t        testing.TB
	loop     *Loop
	listener int
	backend  Address
	pairs    []*pair
}

const relayListener = 1 << 40

// pair is a client, its backend, and a Mover for each direction. Sides are 0 for the client, 1 for the backend; way[s] reads
// from side s.
type pair struct {
	index int
	fds   [2]int
	way   [2]direction
}

type direction struct {
	Mover
	full    bool // waits for its destination
	closing bool // its source has said that it ends: short reads prove nothing any more
	over    bool
	again   bool // is deferred
}

func newRelay(t testing.TB, network string, backend Address, o Options) (*relay, Address) {
	t.Helper()
	listener, a := listen(t, network)
	r := &relay{t: t, loop: newLoop(t, o), listener: listener, backend: backend}
	if err := r.loop.Watch(listener, relayListener); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.closeAll) // runs after the loop has ended
	run(t, r.loop, r)
	return r, a
}

func (r *relay) OnTimer(uint64) {}

func (r *relay) OnEvent(tok uint64, ev Events) {
	if tok == relayListener {
		r.accept()
		return
	}
	p, side := r.pairs[tok/2], int(tok%2)
	in, out := &p.way[side], &p.way[1-side]
	if ev&(PeerClosed|Broken) != 0 {
		in.closing = true
		in.TrustShortReads(false)
	}
	if ev == 0 {
		in.again = false
	}
	if ev == 0 || ev&(Readable|PeerClosed|Broken) != 0 {
		r.move(p, side)
	}
	if out.full && ev&(Writable|Broken) != 0 {
		r.move(p, 1-side)
	}
}

func (r *relay) accept() {
	for {
		client, errno := Accept(r.listener)
		if errno == syscall.EAGAIN {
			return
		}
		if errno != 0 {
			r.t.Errorf("accept: %v", errno)
			return
		}
		r.start(client)
	}
}

func (r *relay) start(client int) {
	backend, _, errno := Dial(r.backend, SocketOptions{})
	if errno != 0 {
		r.t.Errorf("dial %s: %v", r.backend, errno)
		CloseFD(client)
		return
	}
	p := &pair{index: len(r.pairs), fds: [2]int{client, backend}}
	for side := range p.way {
		p.way[side].TrustShortReads(true)
		p.way[side].Start(p.fds[side], p.fds[1-side], -1)
	}
	r.pairs = append(r.pairs, p)
	for side, fd := range p.fds {
		if err := r.loop.Watch(fd, r.token(p, side)); err != nil {
			r.t.Error(err)
		}
	}
}

func (r *relay) move(p *pair, side int) {
	way := &p.way[side]
	if way.over || p.fds[0] < 0 || way.again {
		return
	}
	out, errno := way.Run(r.loop)
	way.full = out == DstFull
	switch out {
	case SrcEmpty, DstFull:
	case BudgetSpent:
		way.again = true
		r.loop.Defer(r.token(p, side))
	case EOF, DstFailed:
		// What comes the other way is still wanted: a backend that takes no more may have answered already.
		way.over = true
		_ = ShutdownWrite(p.fds[1-side])
		if p.way[1-side].over {
			r.close(p)
		}
	case SrcFailed:
		r.close(p)
	default:
		r.t.Errorf("unexpected outcome %v: %v", out, errno)
	}
}

func (r *relay) token(p *pair, side int) uint64 { return uint64(p.index)*2 + uint64(side) }

func (r *relay) closeAll() {
	for _, p := range r.pairs {
		if p.fds[0] >= 0 {
			r.close(p)
		}
	}
	if got := r.loop.Pipes().Stats().InUse; got != 0 {
		r.t.Errorf("pipes in use at the end: got %d, want 0", got)
	}
}

func (r *relay) close(p *pair) {
	for side := range p.fds {
		p.way[side].Release(r.loop)
		CloseFD(p.fds[side])
		p.fds[side] = -1
	}
}
