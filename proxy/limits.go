package proxy

import "time"

// Limits bound what a client may keep Holdfast waiting for, and how many clients one address may have. Zero: no limit.
//
// Time counts only while the client is the one that is waited for: not while it is held, nor while Holdfast or a backend
// is the slower side.
type Limits struct {
	// Handshake is from the first byte of a new client to the end of its first request. A client that has said nothing is
	// spared for ever, since client libraries open pools of idle connections ahead of time.
	Handshake time.Duration
	// Request is how long an unfinished request may stand still.
	Request time.Duration
	// Idle is how long a client may say nothing. Subscribers and clients that wait for a reply are spared.
	Idle time.Duration
	// Output is how long a client may take nothing of what waits for it.
	Output time.Duration
	// PerAddress bounds the clients of one IP address in the whole process. Unix sockets are not counted.
	PerAddress int
}

func (l *Limits) times() [4]time.Duration {
	return [...]time.Duration{l.Handshake, l.Request, l.Idle, l.Output}
}

// patience is for what the session has its client to thank, and for how long that may last. Zero: nothing is waited for, or
// there is no limit.
func (s *session) patience(l *Limits) (time.Duration, CloseReason) {
	switch {
	case s.state == stateFresh && s.has(greeting) && !s.has(known):
		return l.Handshake, ClosedHandshake
	case s.state == stateFresh && (s.has(greeting) || s.in != nil):
		return l.Request, ClosedRequest
	case s.state == stateFresh:
		return l.Idle, ClosedIdle
	case s.state == statePiping:
		return l.Idle, ClosedIdle
	case s.state != stateServing || s.unreadByUs():
		return 0, ClosedRequest
	case s.in != nil || s.has(requestOpen):
		return l.Request, ClosedRequest
	case s.owed() || s.listening():
		return 0, ClosedIdle
	}
	return l.Idle, ClosedIdle
}

// unreadByUs says that the next step is not the client's: there are bytes of it that were not looked at, the gate is shut,
// or the backend does not take what is there.
func (s *session) unreadByUs() bool {
	return s.has(clientReadable|requestsKept) || !s.view.steady() || s.out != nil ||
		(s.bulk != nil && (!s.bulk.request || s.bulk.mover.Pending() > 0))
}

// behind says that something waits for the client in user space, because its kernel takes no more.
func (s *session) behind() bool {
	return s.toward != nil || (s.bulk != nil && !s.bulk.request && s.bulk.mover.Pending() > 0) ||
		(s.pipe != nil && s.pipe.down.Pending() > 0)
}
