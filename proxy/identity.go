package proxy

import (
	"bytes"

	"holdfast/proxy/resp"
)

// identify checks that the new connection leads to the master that the route means, not to a node that took its
// address. A client user who may not ask INFO leaves it to the control connection, which broke if the process ended.
func (w *worker) identify(s *session, first byte, frame []byte) (EvidenceKind, bool) {
	if first == '-' {
		if bytes.HasPrefix(frame, []byte("-NOAUTH")) {
			s.learnGuard(true)
			return 0, true
		}
		if bytes.HasPrefix(frame, []byte("-NOPERM")) {
			s.learnGuard(false)
			return 0, true
		}
		if resp.Refusal(frame) {
			return EvidenceReadonly, false
		}
		return EvidenceTimeout, false // no more clients, protected mode: alive, but not for us
	}
	s.learnGuard(false)
	lineage := s.view.seen.Lineage
	if s.view.seen.Epoch != s.epoch {
		return EvidenceIdentity, false
	}
	ok := bytes.Contains(frame, []byte("role:master\r\n")) && bytes.Contains(frame, []byte("master_replid:"+lineage))
	return EvidenceIdentity, ok
}

// onReplayRefused: without the client's login and settings nothing may be forwarded in its name.
func (w *worker) onReplayRefused(s *session, frame []byte) {
	switch {
	case resp.Refusal(frame):
		w.leave(s)
		w.tell(s.view, s.epoch, EvidenceReadonly, true)
		return
	case bytes.HasPrefix(frame, []byte("-ERR max number of clients")):
		w.leave(s) // no verdict on the client: there may be room again under the next check
		w.tell(s.view, s.epoch, EvidenceTimeout, true)
		return
	}
	code, _, _ := bytes.Cut(frame[1:], []byte(" "))
	w.proxy.log.Error("the master refuses a client's login or settings, closing the client: make users and passwords equal on all nodes",
		"pool", s.view.pool.name, "code", string(code))
	w.close(s, ClosedReplay)
}
