package proxy

import "holdfast/proxy/resp"

// A server that asks for a password takes only small requests from whoever has not given it. Holdfast keeps to the same
// limits and gives the same answers: were it the server that closed the connection, that would look like a server in
// trouble, and other clients would pay for it.

// guard is what the connections of a view without a login were told last.
type guard uint8

const (
	guardUnknown guard = iota // there was none yet, or the pool's servers are not asked who they are
	guardOpen                 // the server asks for no password
	guardAsks                 // the server asks for one
)

// guest says that the session's server asks for a password and has not been given it.
func (s *session) guest() bool { return s.has(unproven) && !s.conv.Authed() }

// mayBeGuest is guest for a session that has no server yet, by what others have seen of it.
func (s *session) mayBeGuest() bool { return s.view.guard != guardOpen && !s.conv.Authed() }

// scan looks at a request within the limits of a guest, or the ordinary ones.
func (s *session) scan(req *resp.Request, p []byte, guest bool) (int, resp.Verdict) {
	if guest {
		return req.ScanGuest(p)
	}
	return req.Scan(p)
}

// learnGuard notes what a connection without a login was told: the frame is the server's answer to its first question.
func (s *session) learnGuard(asksPassword bool) {
	if !s.conv.Authed() {
		s.set(unproven, asksPassword)
		s.view.guard = guardOpen
		if asksPassword {
			s.view.guard = guardAsks
		}
	}
}

// putOff keeps a request that only a guest may not send, while the answer to a login may still be on its way. It is looked
// at again when everything before it is answered.
func (b *batch) putOff() bool {
	s := b.s
	if !s.req.GuestFault() || s.conv.Unanswered() == 0 {
		return false
	}
	s.req.Reset()
	keep(&s.in, b.data[b.off:])
	s.set(requestsKept|loginAwaited, true)
	return true
}

// awaitsLogin says that nothing more is read before a login is answered.
func (s *session) awaitsLogin() bool {
	if s.has(loginAwaited) && s.conv.Unanswered() == 0 {
		s.set(loginAwaited, false)
	}
	return s.has(loginAwaited)
}
