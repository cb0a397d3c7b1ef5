package sim

import (
	"slices"

	"holdfast/health"
	"holdfast/proxy/resp"
)

// stage is how far a dialling session has come.
type stage uint8

const (
	stageConnecting stage = iota
	stageLogin
	stageReplay
)

// session is one client connection with its backend connection. It calls the conversation as proxy's session does, in the same
// order; what differs is only where bytes come from and go to.
type session struct {
	p    *plane
	req  resp.Request
	rep  resp.Reply
	conv resp.Conv

	client, backend *socket
	zombie          *socket // of a planted bug
	zombieEpoch     uint64
	in              []byte // requests that were read and not looked at, or the beginning of one
	out             []byte // not yet taken by the backend's kernel
	back            []byte // beginning of a reply
	epoch, check    uint64
	node            int
	run             string // the process behind the backend connection
	dials           int
	frames          int
	state           state
	stage           stage
	slot            bool // holds a dial slot
	identity        bool // the next reply of the replay is the backend's INFO
	refused         bool // the backend said that it is no master
	retiring        bool // our side of the backend connection is half-closed on purpose
	gone            bool // the client has left
}

// move puts the session at the end of those in the next state.
func (s *session) move(to state) {
	if s.state == to {
		return
	}
	s.state = to
	p := s.p
	p.sessions = slices.DeleteFunc(p.sessions, func(o *session) bool { return o == s })
	if to != stateFree {
		p.sessions = append(p.sessions, s)
	}
}

func (s *session) owed() bool { return s.conv.Unanswered() > 0 }

// busy: something of the session is with a backend that serves it.
func (s *session) busy() bool { return s.owed() && s.backend != nil && s.state != stateDialing }

// account tells those who wait for silence.
func (s *session) account() {
	if len(s.p.quiet) > 0 {
		s.p.hush()
	}
}

func (s *session) readable(sock *socket) {
	if s.state == stateFree || s.p.h.dead || s.p.late(func() { s.readable(sock) }) {
		return
	}
	if sock == s.client {
		s.p.follow()
		s.advance()
		return
	}
	if sock == s.backend {
		s.onBackend()
	}
	if sock == s.zombie { // planted: the connection of an old epoch is still heard
		s.p.w.checkDelivery(s.zombieEpoch)
		s.client.write(sock.read())
	}
}

func (s *session) writable(sock *socket) {
	if sock != s.backend || s.state == stateFree || s.p.h.dead || s.p.late(func() { s.writable(sock) }) {
		return
	}
	s.flush()
	if len(s.out) == 0 && s.state != stateDialing {
		s.advance()
	}
}

func (s *session) flush() {
	if s.backend != nil && len(s.out) > 0 {
		s.out = s.out[s.backend.write(s.out):]
	}
}

// says whether the client has something to say, or has left.
func (s *session) speaks() bool { return len(s.in) > 0 || len(s.client.in) > 0 || s.client.ended }

// advance does what the client side of the session's state allows.
func (s *session) advance() {
	switch s.state {
	case stateFresh:
		switch {
		case s.client.ended && len(s.client.in) == 0:
			s.close()
		case s.speaks():
			s.want()
		}
	case stateServing:
		s.pumpRequests()
	case stateHeld:
		if s.client.ended && s.backend == nil {
			s.close()
			return
		}
		s.pumpRefusals()
	case stateFinishing:
		s.finish()
	}
}

// pumpRequests reads the client while its session may take requests.
func (s *session) pumpRequests() {
	for s.speaks() {
		if !s.p.openGate() || s.state != stateServing {
			if s.state == stateServing {
				s.hold()
				s.advance()
			}
			return
		}
		if s.conv.Full() || len(s.out) > 0 {
			return
		}
		data := append(s.in, s.client.read()...)
		s.in = nil
		if len(data) == 0 {
			s.onClientEnd()
			return
		}
		if !s.takeRequests(data) {
			return
		}
	}
}

// onClientEnd: the client sends no more. What it is owed is delivered first.
func (s *session) onClientEnd() {
	s.gone = true
	if !s.owed() {
		s.close()
		return
	}
	s.move(stateFinishing)
	s.finish()
}

// takeRequests handles bytes that begin at a request, and says whether there was a whole one.
func (s *session) takeRequests(data []byte) bool {
	whole := false
	for len(data) > 0 {
		n, verdict := s.req.Scan(data)
		if verdict == resp.More {
			s.in = slices.Clone(data)
			break
		}
		if verdict != resp.Whole {
			s.p.w.fault("I1 framing", "a request was judged %d: %q", verdict, data)
			s.close()
			return false
		}
		whole = true
		s.takeRequest(s.req.Command(), data[:n])
		s.req.Reset()
		data = data[n:]
	}
	s.settle()
	if s.state != stateFree {
		s.account()
	}
	return whole && s.state != stateFree
}

func (s *session) takeRequest(cmd resp.Command, req []byte) {
	p := s.p
	act, answer := resp.ActForward, resp.AnswerNone
	if !s.conv.Forward(p.care, cmd) {
		act, answer = s.conv.Admit(p.care, cmd, req)
	}
	switch act {
	case resp.ActForward:
		s.conv.Take(&p.flights, cmd, req, p.now())
		s.toBackend(req)
	case resp.ActDiscard:
		s.conv.TakeLocal(&p.flights, cmd, act, answer, p.now())
		s.toBackend(resp.DiscardRequest())
	default:
		s.conv.TakeLocal(&p.flights, cmd, act, answer, p.now())
	}
}

// toBackend sends requests; the world looks at where they go.
func (s *session) toBackend(p []byte) {
	if len(p) == 0 {
		return
	}
	if s.state == stateServing {
		s.p.w.checkForward(s)
	}
	s.out = append(s.out, p...)
	if s.backend != nil && !s.backend.starved {
		s.flush()
	}
}

// deliver sends bytes to the client; the world looks at where they come from.
func (s *session) deliver(p []byte, fromBackend bool) {
	if len(p) == 0 || s.gone {
		return
	}
	if fromBackend {
		s.p.w.checkDelivery(s.epoch)
	}
	s.client.room = max(s.client.room, len(p)+socketRoom) // slow readers are not modelled
	s.client.write(p)
}

// settle gives the answers whose turn has come and that no backend has to give.
func (s *session) settle() {
	for s.state != stateFree {
		_, act, answer, ok := s.conv.Settle(&s.p.flights)
		if !ok {
			return
		}
		if answer != resp.AnswerNone {
			s.deliver([]byte(answer.Text(s.conv.Proto())), false)
		}
		if act == resp.ActQuit {
			s.move(stateFinishing)
			s.finish()
			return
		}
	}
}

// pumpRefusals answers what a held client says while the gate refuses.
func (s *session) pumpRefusals() {
	p := s.p
	if p.seen.Gate != health.GateRefusing {
		return
	}
	if s.backend == nil {
		p.w.cut.Unknown += s.conv.GiveUp()
		s.settle()
	}
	data := append(s.in, s.client.read()...)
	s.in = nil
	for len(data) > 0 && s.state == stateHeld {
		n, verdict := s.req.Scan(data)
		if verdict != resp.Whole {
			s.in = slices.Clone(data)
			break
		}
		cmd := s.req.Command()
		act, answer := s.conv.AdmitRefusing(cmd, data[:n])
		if act == resp.ActDiscard && s.backend != nil {
			s.toBackend(resp.DiscardRequest())
		}
		s.conv.TakeLocal(&p.flights, cmd, act, answer, p.now())
		s.req.Reset()
		s.settle()
		data = data[n:]
	}
	s.account()
}

// finish ends a session whose client is done, when everything owed is delivered.
func (s *session) finish() {
	if s.backend == nil || !s.owed() {
		s.close()
		return
	}
	s.takeBack()
}

func (s *session) close() {
	s.dropBackend()
	s.conv.Wipe(&s.p.flights)
	s.client.close()
	s.move(stateFree)
	s.account()
	s.p.dialNext()
}
