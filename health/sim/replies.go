package sim

import (
	"bytes"
	"slices"

	"holdfast/health"
	"holdfast/proxy/resp"
)

// onBackend handles what the backend connection has to say.
func (s *session) onBackend() {
	if s.state == stateDialing && s.stage == stageConnecting {
		return
	}
	s.pumpReplies()
	if s.state != stateFree && s.backend != nil && s.speaks() {
		s.advance()
	}
}

// pumpReplies reads the backend. It is read to its end before its end counts.
func (s *session) pumpReplies() {
	for s.backend != nil && len(s.backend.in) > 0 {
		data := append(s.back, s.backend.read()...)
		s.back = nil
		s.takeReplies(data)
	}
	if s.backend == nil || s.state == stateFree {
		return
	}
	if s.backend.ended {
		kind := health.EvEOF
		if s.backend.reset {
			kind = health.EvReset
		}
		s.onBackendLost(kind)
		return
	}
	if s.state == stateFinishing {
		s.finish()
	}
}

func (s *session) takeReplies(data []byte) {
	if s.state == stateDialing {
		data = s.takeReplay(data)
	}
	for len(data) > 0 && s.state != stateFree && s.backend != nil {
		if extra := s.conv.Extra(); extra != 0 && s.rep == (resp.Reply{}) {
			s.rep.Expect(extra)
		}
		n, verdict := s.rep.Scan(data)
		if verdict == resp.More {
			s.back = slices.Clone(data)
			break
		}
		if verdict != resp.Whole {
			s.p.w.fault("I1 framing", "a reply was judged %d: %q", verdict, data)
			s.close()
			return
		}
		first := s.rep.First()
		s.rep.Reset()
		s.frame(first, data[:n])
		data = data[n:]
	}
	if s.state != stateFree {
		s.account()
		if len(s.p.quiet) > 0 {
			s.takeBack()
		}
	}
}

// frame handles a whole frame.
func (s *session) frame(first byte, frame []byte) {
	p := s.p
	if cmd, ok := s.conv.Plain(&p.flights, first); ok {
		s.deliver(frame, true)
		s.answered(cmd)
		return
	}
	meaning, answer, cmd, done := s.conv.Frame(&p.flights, first, frame)
	switch meaning {
	case resp.Deliver:
		s.deliver(frame, true)
	case resp.Replace:
		s.deliver([]byte(answer.Text(s.conv.Proto())), false)
	case resp.Refuse:
		s.onRefusal()
	case resp.Stray:
		p.w.fault("I1 owner", "a reply that nobody asked for: %q", frame)
		s.deliver(frame, true)
		s.close()
		return
	}
	if done {
		s.answered(cmd)
	}
}

// answered does what follows when the head of the flight is gone.
func (s *session) answered(cmd resp.Command) {
	s.p.acks.Answered(s.p.care.Acknowledges(cmd), s.conv.AnsweredAt(), s.p.now())
	s.p.acks.Date(s.p.now(), s.p.now()) // passes take no time here
	if _, act, _, ok := s.conv.Front(); ok && (act != resp.ActForward || s.conv.Special()) {
		s.settle()
	}
}

// onRefusal: the backend said that it is no master.
func (s *session) onRefusal() {
	s.refused = true
	s.p.tell(s.epoch, health.EvReadonly)
	s.p.suspect = s.p.suspect || s.epoch == s.p.seen.Epoch
}

// onBackendLost: the backend ended the connection and everything it had sent is delivered.
func (s *session) onBackendLost(kind health.EvidenceKind) {
	p, epoch, busy := s.p, s.epoch, s.owed()
	switch {
	case s.retiring:
		s.epoch = 0
		s.cut(kind == health.EvEOF)
		return
	case s.state == stateDialing:
		s.leave()
	default:
		s.lost()
		p.suspect = p.suspect || busy && epoch == p.seen.Epoch
		s.cut(false)
	}
	p.tell(epoch, kind)
}

// cutOne reads the backend connection to its end and gives it up.
func (s *session) cutOne() {
	if s.state == stateDialing {
		s.dropBackend()
		s.hold()
		return
	}
	for s.backend != nil && len(s.backend.in) > 0 {
		data := append(s.back, s.backend.read()...)
		s.back = nil
		s.takeReplies(data)
	}
	if s.state != stateFree && s.backend != nil {
		s.cut(false)
	}
}

// cut takes the backend connection away. clean: the backend is known to have executed nothing of what is unanswered.
func (s *session) cut(clean bool) {
	if !s.conv.Movable() {
		s.close()
		return
	}
	p, unsent := s.p, len(s.out)
	s.dropBackend()
	policy := resp.RetryReads
	if p.w.opts.Plant == PlantRetryWrites {
		policy = resp.RetryAll
	}
	counts := s.conv.Cut(policy, unsent, p.now(), clean)
	p.fallen.Add(counts)
	p.w.cut.Add(counts)
	s.settle()
	switch {
	case s.state == stateFree:
	case s.state == stateFinishing:
		s.conv.Wipe(&p.flights)
		s.finish()
	case s.owed() || s.conv.Listening() || s.speaks():
		s.rest()
	default:
		s.move(stateFresh)
	}
}

// takeBack half-closes a connection on which a command waits for data: its end without a reply proves that nothing was executed.
func (s *session) takeBack() {
	cmd, _, _, ok := s.conv.Front()
	if !ok || s.backend == nil || len(s.out) > 0 || s.retiring || cmd.Spec().Flags&resp.Blocking == 0 || s.state == stateDialing {
		return
	}
	s.retiring = true
	s.backend.shutdown()
}

// identify checks that a new connection leads to the master that the route means.
func (s *session) identify(first byte, frame []byte) (health.EvidenceKind, bool) {
	if s.p.w.opts.Plant == PlantRoleAlone {
		return health.EvIdentity, bytes.Contains(frame, []byte("role:master\r\n"))
	}
	if first == '-' {
		if resp.Refusal(frame) {
			return health.EvReadonly, false
		}
		return health.EvDialTimeout, false
	}
	if s.p.seen.Epoch != s.epoch {
		return health.EvIdentity, false
	}
	ok := bytes.Contains(frame, []byte("role:master\r\n")) && bytes.Contains(frame, []byte("master_replid:"+s.p.seen.Lineage+"\r\n"))
	return health.EvIdentity, ok
}
