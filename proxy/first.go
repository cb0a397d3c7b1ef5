package proxy

import (
	"syscall"

	"holdfast/proxy/resp"
	"holdfast/splice"
)

// firstLook is how much of a client's first bytes is looked at before it gets a backend, in bytes. A client that has sent
// this much is served whether its request has ended or not. Less would give connections of the master to clients that
// only announce a request; more is copied for nothing each time another byte arrives.
const firstLook = 4 << 10

// onFirstBytes: a session without a backend has something to say, or to end. It gets a backend for a whole request or for
// enough of a large one; until then its bytes stay in the kernel, so that it costs neither memory nor a connection of the
// master. What is no request never reaches one.
func (w *worker) onFirstBytes(s *session) {
	if s.has(clientEnded) && !s.spoke() {
		w.close(s, ClosedByClient)
		return
	}
	if s.in != nil || s.has(requestsKept|requestOpen) {
		w.want(s) // it goes on with what an earlier backend had the beginning of
		return
	}
	p := w.loop.Scratch()[:firstLook]
	n, errno := splice.PeekInto(int(s.client), p)
	switch {
	case errno == syscall.EAGAIN:
		s.set(clientReadable, false)
	case errno != 0 || n == 0:
		w.close(s, ClosedByClient)
	default:
		w.first(s, p[:n])
	}
}

// first judges the first bytes of a client.
func (w *worker) first(s *session, p []byte) {
	var req resp.Request
	blank, verdict := 0, resp.Blank
	for verdict == resp.Blank && blank < len(p) {
		n := 0
		if n, verdict = s.scan(&req, p[blank:], s.mayBeGuest()); verdict == resp.Blank {
			blank += n
		}
	}
	switch {
	case verdict == resp.Bad && req.GuestFault() && s.view.guard == guardUnknown:
		w.enter(s) // its server will tell
	case verdict == resp.Bad:
		_, _ = splice.Recv(int(s.client), w.loop.Scratch()) // else the kernel would reset the connection and drop our answer
		s.req = req
		w.refuseProtocol(s)
	case verdict == resp.Whole || len(p) == firstLook:
		w.enter(s)
	case s.has(clientEnded):
		w.close(s, ClosedByClient) // the rest will never come
	default:
		if blank > 0 {
			_, _ = splice.Recv(int(s.client), p[:blank])
		}
		w.awaitRest(s, blank < len(p))
	}
}

// enter gives the client a backend, for what it has sent.
func (w *worker) enter(s *session) {
	s.set(known, true)
	s.set(greeting, false)
	w.want(s)
}

// awaitRest leaves the client alone until more comes. A new client's time runs from its first byte, that of one which was
// served before from its last.
func (w *worker) awaitRest(s *session, begun bool) {
	s.set(clientReadable, false)
	if s.has(known) || !s.has(greeting) {
		s.heard = w.clock()
	}
	s.set(greeting, begun)
}
