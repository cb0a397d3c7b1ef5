package proxy

import (
	"bytes"

	"holdfast/proxy/resp"
)

// identify checks that the new connection leads to the master that the route means, not to a node that took its
// address. A client user who may not ask INFO leaves it to the control connection, which broke if the process ended. So
// does a server that is busy with a script: it answers everybody else with -BUSY, and whoever comes to end the script
// with SCRIPT KILL comes by a new connection. It has been busy for seconds, and a node that took the address is found
// out in less.
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
		if bytes.HasPrefix(frame, []byte(busyReply)) {
			return 0, s.view.seen.Epoch == s.epoch
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

// busyReply begins what a server says while a script runs for too long. It has executed nothing then.
const busyReply = "-BUSY "

// onReplayRefused: without the client's login and settings nothing may be forwarded in its name.
func (w *worker) onReplayRefused(s *session, frame []byte) {
	switch {
	case resp.Refusal(frame):
		w.leave(s)
		w.tell(s.view, s.epoch, EvidenceReadonly, true)
		return
	case bytes.HasPrefix(frame, []byte("-ERR max number of clients")), bytes.HasPrefix(frame, []byte(busyReply)):
		w.leave(s) // no verdict on the client: there may be room again under the next check, or the script has ended
		w.tell(s.view, s.epoch, EvidenceTimeout, true)
		return
	}
	code, _, _ := bytes.Cut(frame[1:], []byte(" "))
	w.proxy.log.Error("the master refuses a client's login or settings, closing the client: make users and passwords equal on all nodes",
		"pool", s.view.pool.name, "code", string(code))
	w.close(s, ClosedReplay)
}
