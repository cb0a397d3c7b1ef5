package proxy

import (
	"syscall"

	"holdfast/proxy/resp"
	"holdfast/splice"

	"github.com/valyala/bytebufferpool"
)

// bits of a session.
const (
	clientReadable  uint16 = 1 << iota // the kernel has bytes of the client that were not read
	clientEnded                        // the client has sent its FIN
	backendReadable                    // the kernel has bytes of the backend that were not read
	backendEnded                       // the backend has sent its FIN
	requestOpen                        // a large request is being streamed
	requestDropped                     // ... and thrown away: it was answered already
	replyOpen                          // a large reply is being streamed; part of it has reached the client
	retiring                           // our side of the backend connection is half-closed on purpose
	quitting                           // nothing more is taken from the client; the session ends when all is delivered
	counted                            // the session is counted in view.busy
	identity                           // the next replay reply is the backend's INFO
	dialSlot                           // the session holds one of its view's dial slots
	overflow                           // too many clients are held already: this one is answered instead
)

// session is one client connection with its backend connection.
//
// Invariants: backend < 0 in stateFresh and stateQueued; a session with backend >= 0 carries requests of epoch only;
// the four buffers are nil while empty, so that an idle session owns nothing but this record.
type session struct {
	req  resp.Request
	rep  resp.Reply
	conv resp.Conv

	view       *view
	prev, next *session
	bulk       *bulk
	pipe       *piping

	in     *bytebufferpool.ByteBuffer // beginning of a request, from the client
	out    *bytebufferpool.ByteBuffer // not yet taken by the backend's kernel
	back   *bytebufferpool.ByteBuffer // beginning of a reply, from the backend
	toward *bytebufferpool.ByteBuffer // not yet taken by the client's kernel

	epoch           uint64 // of the backend connection, or of the last one
	check           uint64 // the route's check when the last one was lost
	frames          int32  // replay replies still to be swallowed
	client, backend int32
	index           uint32
	gen             uint16
	dials           uint8
	bits            uint16
	state           state
	stage           stage
}

func (s *session) token(kind uint64) uint64 { return token(kind, s.gen, s.dials, s.index) }

func (s *session) has(bit uint16) bool { return s.bits&bit != 0 }

func (s *session) set(bit uint16, on bool) {
	if on {
		s.bits |= bit
	} else {
		s.bits &^= bit
	}
}

func buffered(b *bytebufferpool.ByteBuffer) int {
	if b == nil {
		return 0
	}
	return len(b.B)
}

func drop(b **bytebufferpool.ByteBuffer) {
	if *b != nil {
		bytebufferpool.Put(*b)
		*b = nil
	}
}

func keep(b **bytebufferpool.ByteBuffer, p []byte) {
	if len(p) == 0 {
		return
	}
	if *b == nil {
		*b = bytebufferpool.Get()
	}
	(*b).B = append((*b).B, p...)
}

// write sends p behind what is still unsent, and keeps the rest. A broken peer is noticed when it is read.
func write(fd int32, unsent **bytebufferpool.ByteBuffer, p []byte) {
	if *unsent == nil && len(p) > 0 {
		n, _ := splice.Send(int(fd), p)
		p = p[max(n, 0):]
	}
	keep(unsent, p)
}

// flush sends what is unsent; it reports whether nothing is left.
func flush(fd int32, unsent **bytebufferpool.ByteBuffer) bool {
	b := *unsent
	if b == nil {
		return true
	}
	n, errno := splice.Send(int(fd), b.B)
	if errno != 0 || n < len(b.B) {
		b.B = append(b.B[:0], b.B[max(n, 0):]...)
		return false
	}
	drop(unsent)
	return true
}

func (w *worker) onClient(s *session, ev splice.Events) {
	w.follow(s.view)
	if ev&splice.Broken != 0 {
		w.close(s, ClosedByClient)
		return
	}
	if ev&splice.Readable != 0 {
		s.set(clientReadable, true)
	}
	if ev&splice.PeerClosed != 0 {
		s.set(clientReadable|clientEnded, true)
	}
	if s.state == statePiping {
		w.pump(s)
		return
	}
	if ev&splice.Writable != 0 && (s.toward != nil || s.bulk != nil) {
		if flush(s.client, &s.toward) && w.pumpReplies(s) {
			return
		}
	}
	w.advance(s)
}

// advance does what the client side of the session's state allows.
func (w *worker) advance(s *session) {
	switch s.state {
	case stateFresh:
		if s.has(clientReadable) {
			w.onFirstBytes(s)
		}
	case stateServing:
		w.pumpRequests(s)
	case stateHeld, stateQueued:
		if s.has(clientEnded) && s.backend < 0 {
			w.close(s, ClosedByClient) // it went away: what it had not sent is forgotten with it
			return
		}
		w.pumpRefusals(s)
	case stateFinishing:
		w.finish(s)
	}
}

// onFirstBytes: a session without a backend has something to say, or to end.
func (w *worker) onFirstBytes(s *session) {
	if s.has(clientEnded) {
		if n, errno := splice.Peek(int(s.client)); n <= 0 && errno != syscall.EAGAIN {
			w.close(s, ClosedByClient)
			return
		}
	}
	w.want(s)
}

// finish ends a session whose client is done, when everything owed is delivered.
func (w *worker) finish(s *session) {
	if !flush(s.client, &s.toward) {
		return
	}
	if s.has(quitting) && s.conv.Unanswered() == 0 {
		w.close(s, ClosedByQuit)
		return
	}
	if s.backend < 0 && s.conv.Unanswered() == 0 {
		w.close(s, ClosedByClient)
		return
	}
	if s.backend >= 0 && flush(s.backend, &s.out) && s.state == stateFinishing && !s.has(retiring|quitting) {
		s.set(retiring, true)
		splice.ShutdownWrite(int(s.backend))
	}
}

// account keeps the number of busy sessions and tells those who wait for zero.
func (w *worker) account(s *session) {
	busy := s.conv.Unanswered() > 0 && s.backend >= 0 && s.state != stateDialing
	if busy == s.has(counted) {
		return
	}
	s.set(counted, busy)
	v := s.view
	if busy {
		v.busy++
		return
	}
	v.busy--
	v.hush()
}

// hush tells those who wait for silence.
func (v *view) hush() {
	if v.busy == 0 && len(v.quiet) > 0 {
		waiting := v.quiet
		v.quiet = nil
		for _, tell := range waiting {
			tell()
		}
	}
}

// close ends a session for a reason; every session ends here.
func (w *worker) close(s *session, why CloseReason) {
	v := s.view
	v.closed[why]++
	w.dropBackend(s)
	if s.has(counted) {
		s.set(counted, false)
		v.busy--
	}
	w.unslow(s)
	s.conv.Wipe(&w.flights)
	drop(&s.in)
	drop(&s.toward)
	splice.CloseFD(int(s.client))
	s.move(stateFree)
	w.table.put(s)
	w.load.Add(-1)
	v.hush()
	w.dialNext(v)
}

// hold lets the session wait. What the client sends stays in the kernel's buffer.
func (w *worker) hold(s *session) {
	s.move(stateHeld)
	s.set(overflow, s.view.lists[stateHeld].n > s.view.pool.heldMax)
	w.nagLater(s.view)
}

// unslow takes the session's unanswered slow commands out of the pool's count.
func (w *worker) unslow(s *session) {
	if n := s.conv.CountSlow(s.view.pool.care); n > 0 {
		s.view.pool.slow.Add(-int64(n))
	}
}

// dropBackend closes the backend connection and forgets what was on its way in both directions.
func (w *worker) dropBackend(s *session) {
	if s.has(dialSlot) {
		s.set(dialSlot, false)
		s.view.dialing--
	}
	if s.bulk != nil {
		w.dropBulk(s)
	}
	if s.pipe != nil {
		s.pipe.up.Release(w.loop)
		s.pipe.down.Release(w.loop)
		s.pipe = nil
	}
	if s.backend >= 0 {
		splice.CloseFD(int(s.backend))
		s.backend = -1
	}
	drop(&s.out)
	drop(&s.back)
	s.rep.Reset()
	s.set(backendReadable|backendEnded|replyOpen|retiring|identity, false)
	w.account(s)
}
