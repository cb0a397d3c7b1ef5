package sim

// Bytes a connection holds between two processes: what the writer's kernel takes before the reader reads. Small, so that requests
// are caught half written.
const socketRoom = 400

// reader is told when there is something to do at an end of a connection.
type reader interface {
	readable(*socket)
	writable(*socket)
}

// segment is what travels: a number of bytes of the writer's wire, or the end.
type segment struct {
	n     int
	ended bool
	reset bool
}

// socket is one end of a connection.
//
// Invariants: what was written is in peer.in, in wire, or read; ended and reset are seen after everything that came before them.
type socket struct {
	w       *world
	owner   reader
	peer    *socket
	out     flow[segment]
	wire    []byte // written here, from sent on not yet at the peer
	sent    int
	in      []byte // arrived and not read
	room    int    // bytes the kernel takes beyond those under way
	starved bool   // a write was not taken whole
	ended   bool   // the peer sends no more
	reset   bool   // the connection is gone
	half    bool   // our side sends no more
	closed  bool   // nobody has this end open any more
}

// connect makes a connection between two hosts.
func (w *world) connect(hostA, hostB int, a, b reader) (*socket, *socket) {
	x, y := &socket{w: w, owner: a, room: socketRoom}, &socket{w: w, owner: b, room: socketRoom}
	x.peer, y.peer = y, x
	x.out = flow[segment]{w: w, from: hostA, to: hostB, deliver: y.arrived}
	y.out = flow[segment]{w: w, from: hostB, to: hostA, deliver: x.arrived}
	return x, y
}

// write gives bytes to the kernel and returns how many it took.
func (s *socket) write(p []byte) int {
	if s.closed || s.half || s.reset {
		return 0
	}
	n := min(len(p), s.room)
	s.starved = n < len(p)
	if n == 0 {
		return 0
	}
	s.room -= n
	s.wire = append(s.wire, p[:n]...)
	s.out.send(segment{n: n})
	return n
}

// arrived takes over a segment from the peer.
func (s *socket) arrived(g segment) {
	from := s.peer
	if g.n > 0 {
		p := from.wire[from.sent : from.sent+g.n]
		if !s.closed {
			s.in = append(s.in, p...)
		}
		if from.sent += g.n; from.sent == len(from.wire) {
			from.wire, from.sent = from.wire[:0], 0
		}
	}
	s.ended = s.ended || g.ended || g.reset
	s.reset = s.reset || g.reset
	switch {
	case s.closed && !g.reset && !g.ended:
		s.out.clear()
		s.out.send(segment{reset: true}) // nobody is there to read it
	case !s.closed:
		s.owner.readable(s)
	}
}

// read takes everything that has arrived. The bytes are good until the next event.
func (s *socket) read() []byte {
	p := s.in
	s.in = s.in[:0]
	s.release(len(p))
	return p
}

// release makes room at the peer for n bytes that were read here.
func (s *socket) release(n int) {
	if p := s.peer; n > 0 && !p.closed {
		p.room += n
		if p.starved {
			p.starved = false
			s.w.after(s.w.latency(), func() {
				if !p.closed {
					p.owner.writable(p)
				}
			})
		}
	}
}

// shutdown ends our direction.
func (s *socket) shutdown() {
	if !s.half && !s.closed {
		s.half = true
		s.out.send(segment{ended: true})
	}
}

// close gives this end up: with a reset if something was not read, as kernels do.
func (s *socket) close() {
	if s.closed {
		return
	}
	s.closed = true
	switch {
	case s.reset:
	case len(s.in) > 0:
		s.out.purge()
		s.out.send(segment{reset: true})
	case !s.half:
		s.out.send(segment{ended: true})
	}
	s.in = nil
}

// vanish is the end of a whole host: not a packet leaves it, and once its links are up again nobody is there any more.
func (s *socket) vanish() {
	s.closed, s.in = true, nil
	s.out.clear()
}
