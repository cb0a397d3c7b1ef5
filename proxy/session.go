package proxy

import (
	"syscall"

	"holdfast/proxy/resp"
	"holdfast/splice"

	"github.com/valyala/bytebufferpool"
)

// bits of a session.
const (
	clientReadable  uint32 = 1 << iota // the kernel has bytes of the client that were not read
	clientEnded                        // the client has sent its FIN
	backendReadable                    // the kernel has bytes of the backend that were not read
	backendEnded                       // the backend has sent its FIN
	requestOpen                        // a large request is being streamed
	requestDropped                     // ... and thrown away: it was answered already
	replyOpen                          // a large reply is being streamed; part of it has reached the client
	replyDropped                       // ... and thrown away: the client does not want it, or not yet
	retiring                           // our side of the backend connection is half-closed on purpose
	quitting                           // nothing more is taken from the client; the session ends when all is delivered
	counted                            // the session is counted in view.busy
	identity                           // the next replay reply is the backend's INFO
	dialSlot                           // the session holds one of its view's dial slots
	laggard                            // ... and one of those for clients that are behind
	overflow                           // too many clients are held already: this one is answered instead
	requestsKept                       // in holds whole requests that were read and not yet looked at
	clientGone                         // the client reads no more: what it is owed is thrown away
	spoilt                             // the client broke the protocol: it hears so after all that it is owed
	refused                            // the backend said that it is no master; the connection ends with the next route
	known                              // the client has completed a request, or sent enough of a large one
	greeting                           // the kernel has the beginning of a request that was looked at and left there
	unproven                           // the server of this session asks for a password; the conversation knows whether it was given
	loginAwaited                       // in holds a request that depends on the answer to a login
	outrun                             // a subscriber was behind lately: its server may throw away what it does not take
	gathered                           // bytes of the session wait in the worker's gather
	bigRequests                        // the client sent a large body lately: its next head is read by itself
	bigReplies                         // the same of the backend
	offAir                             // the session was subscribed when its connection was lost, and is not yet again
	forgetDue                          // another session has moved that sends its invalidations here: to be told behind the reply under way
	asked                              // the next replay reply is what the server calls the connection
	receiver                           // another session sends its invalidations here
	killed                             // a client of this pool has had the server end the connection: the session ends, too
)

// reset is the half of splice.Broken that says: the connection was reset.
const reset = splice.Events(syscall.EPOLLERR)

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
	lag        *lag  // nil unless the last sweep found the client behind
	host       *host // nil: the client is not counted by its address

	in     *bytebufferpool.ByteBuffer // beginning of a request, from the client
	out    *bytebufferpool.ByteBuffer // not yet taken by the backend's kernel
	back   *bytebufferpool.ByteBuffer // beginning of a reply, from the backend
	toward *bytebufferpool.ByteBuffer // not yet taken by the client's kernel

	epoch           uint64 // of the backend connection, or of the last one
	check           uint64 // the route's check when the last one was lost
	offAirAt        uint32 // ticks when the connection with its subscriptions was lost; counts while the bit offAir is set
	frames          int32  // replay replies still to be swallowed
	client, backend int32
	index           uint32
	heard           uint32 // ms of the loop's clock: since when the client is waited for
	gen             uint16
	dials           uint8
	tries           uint8 // how often a dialling session has looked for the receiver of its invalidations
	bits            uint32
	state           state
	stage           stage
}

func (s *session) token(kind uint64) uint64 { return token(kind, s.gen, s.dials, s.index) }

// listening says that the session must be moved at once, not at its client's next request.
func (s *session) listening() bool { return s.has(receiver) || s.conv.Listening() }

// owed says that the client waits for a reply or for the rest of one.
func (s *session) owed() bool { return s.conv.Unanswered() > 0 || s.has(replyOpen) }

func (s *session) has(bit uint32) bool { return s.bits&bit != 0 }

func (s *session) set(bit uint32, on bool) {
	if on {
		s.bits |= bit
	} else {
		s.bits &^= bit
	}
}

// onClient handles readiness of the client's socket. EPOLLHUP alone is the end of both directions without an error: what
// the client had sent before is still to be read.
func (w *worker) onClient(s *session, ev splice.Events) {
	if s.has(gathered) {
		w.commit()
	}
	w.follow(s.view)
	if s.state == stateFree {
		return
	}
	if ev&splice.Broken != 0 {
		if ev&reset != 0 {
			w.close(s, ClosedByClient)
			return
		}
		s.set(clientGone, s.state != statePiping)
		drop(&s.toward)
	}
	if ev&splice.Readable != 0 {
		s.set(clientReadable, true)
	}
	if ev&(splice.PeerClosed|splice.Broken) != 0 {
		s.set(clientReadable|clientEnded, true)
	}
	if s.state == statePiping {
		w.pump(s)
		return
	}
	if ev&splice.Writable != 0 && (s.toward != nil || s.bulk != nil || s.has(backendReadable)) {
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
	case stateHeld:
		switch {
		case w.forsaken(s):
			w.close(s, ClosedByClient) // it went away: what it had not sent is forgotten with it
		case s.has(overflow) && s.view.pool.options.Opaque:
			w.close(s, ClosedOpaque) // it cannot be told anything
		default:
			w.pumpRefusals(s)
		}
	case stateFinishing:
		w.finish(s)
	}
}

// forsaken says that nobody waits for a held session any more. Only an opaque client may have said everything and wait
// for the answer still.
func (w *worker) forsaken(s *session) bool {
	if !s.has(clientEnded) || s.backend >= 0 {
		return false
	}
	return !s.view.pool.options.Opaque || !s.spoke()
}

// spoke says that the client's kernel buffer holds something that was not read.
func (s *session) spoke() bool {
	n, errno := splice.Peek(int(s.client))
	return n > 0 || errno == syscall.EAGAIN
}
