package sim

import (
	"bytes"
	"slices"

	"holdfast/health"
	"holdfast/proxy/resp"
)

func (s *session) mayDial(r health.Route) bool {
	return r.Gate == health.GateOpen && r.Backend >= 0 && (r.Epoch != s.epoch || r.Check > s.check)
}

// hold lets the session wait.
func (s *session) hold() {
	s.move(stateHeld)
	if s.p.seen.Gate == health.GateRefusing {
		s.p.h.post(s.advance)
	}
	s.p.nagLater()
}

// want gives the session a backend as soon as there may be one.
func (s *session) want() {
	if !s.p.steady() || !s.mayDial(s.p.seen) {
		s.hold()
		s.advance()
		return
	}
	if s.p.dialing >= dialsMax {
		s.move(stateQueued)
		return
	}
	s.dial()
}

// rest lets a session that has lost its backend wait for its turn to dial, or for the next route.
func (s *session) rest() {
	if !s.p.steady() || !s.mayDial(s.p.seen) {
		s.hold()
		return
	}
	s.move(stateQueued)
	s.p.dialNext()
}

// dial connects to the backend of the route.
func (s *session) dial() {
	p, w := s.p, s.p.w
	s.dials++
	dial, n := s.dials, w.nodes[p.seen.Backend]
	s.epoch, s.node = p.seen.Epoch, n.id
	s.stage, s.slot = stageConnecting, true
	p.dialing++
	s.move(stateDialing)
	mine, theirs := w.connect(p.h.me(), n.id, s, nil)
	s.backend, theirs.closed = mine, true // until it is accepted
	waits := func() bool {
		return !p.h.dead && s.dials == dial && s.backend == mine && s.state == stateDialing && s.stage == stageConnecting
	}
	w.travel(p.h.me(), n.id, func() {
		up := n.up && !mine.closed
		if up {
			c := &serverConn{n: n, sock: theirs, proto: 2, epoch: s.epoch}
			theirs.owner, theirs.closed = c, false
			n.conns = append(n.conns, c)
			s.run = n.run
		}
		w.travel(n.id, p.h.me(), func() {
			p.h.deliver(func() {
				if waits() {
					s.onConnected(up)
				}
			})
		})
	})
	w.after(dialTimeout, func() {
		if waits() {
			s.dropBackend()
			s.onDialFailed(health.EvDialTimeout)
			p.dialNext()
		}
	})
}

func (s *session) onConnected(up bool) {
	if !up {
		s.dropBackend()
		s.onDialFailed(health.EvRefused)
		s.p.dialNext()
		return
	}
	if req, login := s.conv.ReplayAuth(nil); login {
		s.stage, s.frames = stageLogin, 1
		s.toBackend(req)
		return
	}
	s.replay()
}

func (s *session) onDialFailed(kind health.EvidenceKind) {
	s.lost()
	s.rest()
	s.p.tell(s.epoch, kind)
}

// lost remembers under which check the session was left without a backend.
func (s *session) lost() {
	s.check = 0
	if s.p.seen.Epoch == s.epoch {
		s.check = s.p.seen.Check
	}
}

func (s *session) replay() {
	check := s.p.seen.Lineage != ""
	req, frames := s.conv.Replay(nil, check, nil)
	if s.p.w.opts.Plant == PlantForgetSelect {
		req, frames = withoutSelect(req, frames)
	}
	s.stage, s.frames, s.identity = stageReplay, frames, check
	s.toBackend(req)
	if frames == 0 {
		s.ready()
	}
}

// takeReplay swallows the replies of the replay and returns what follows them.
func (s *session) takeReplay(data []byte) []byte {
	for s.state == stateDialing && len(data) > 0 {
		n, verdict := s.rep.Scan(data)
		if verdict == resp.More {
			s.back = slices.Clone(data)
			return nil
		}
		first, frame := s.rep.First(), data[:n]
		s.rep.Reset()
		if !s.conv.ReplayFrame(first, frame) {
			s.deliver(frame, true)
		} else if !s.onReplayReply(first, frame) {
			return nil
		}
		data = data[n:]
	}
	if s.state == stateFree || s.backend == nil {
		return nil
	}
	return data
}

// onReplayReply handles one reply; false says that the backend connection is gone.
func (s *session) onReplayReply(first byte, frame []byte) bool {
	if s.stage == stageReplay && s.identity {
		s.identity = false
		if kind, ok := s.identify(first, frame); !ok {
			epoch := s.epoch
			s.leave()
			s.p.tell(epoch, kind)
			return false
		}
	} else if first == '-' && !(s.stage == stageReplay && s.conv.ReplayRefused(s.frames)) {
		s.onReplayRefused(frame)
		return false
	}
	if s.frames--; s.frames > 0 {
		return true
	}
	if s.stage == stageLogin {
		s.replay()
	} else {
		s.ready()
	}
	return s.state != stateFree && s.backend != nil
}

func (s *session) onReplayRefused(frame []byte) {
	if resp.Refusal(frame) {
		epoch := s.epoch
		s.leave()
		s.p.tell(epoch, health.EvReadonly)
		return
	}
	s.p.w.fault("I12 session", "the replay was refused: %q", frame)
	s.close()
}

// leave gives the backend connection up before it served.
func (s *session) leave() {
	s.dropBackend()
	s.lost()
	s.rest()
	s.p.dialNext()
}

func (s *session) endDial() {
	if s.slot {
		s.slot = false
		s.p.dialing--
	}
}

// ready: the backend connection equals the one before. What waited is sent, in order.
func (s *session) ready() {
	p := s.p
	s.endDial()
	if p.seen.Epoch != s.epoch || p.route.Epoch != s.epoch {
		s.park()
		return
	}
	s.move(stateServing)
	s.deliver([]byte(s.conv.Flush()), false)
	again := s.conv.Resume(nil, p.now(), nil)
	if len(again) > 0 && !p.steady() {
		s.park()
		return
	}
	s.toBackend(again)
	s.settle()
	if s.state != stateFree {
		s.account()
		p.h.post(s.advance)
	}
	p.dialNext()
}

// park: the route changed while the session dialled.
func (s *session) park() {
	s.dropBackend()
	s.epoch = 0
	s.rest()
	s.p.dialNext()
}

// dropBackend closes the backend connection and forgets what was on its way in both directions.
func (s *session) dropBackend() {
	s.endDial()
	if s.backend != nil {
		if s.p.w.opts.Plant == PlantZombie && s.owed() {
			s.zombie, s.zombieEpoch = s.backend, s.epoch
		} else {
			s.backend.close()
		}
		s.backend = nil
	}
	s.out, s.back = nil, nil
	s.rep.Reset()
	s.retiring, s.identity, s.refused = false, false, false
	s.account()
}

// withoutSelect is a planted bug: the database of the session is forgotten.
func withoutSelect(req []byte, frames int) ([]byte, int) {
	var kept []byte
	for len(req) > 0 {
		var r resp.Request
		n, _ := r.Scan(req)
		if bytes.Contains(req[:n], []byte("SELECT")) {
			frames--
		} else {
			kept = append(kept, req[:n]...)
		}
		req = req[n:]
	}
	return kept, frames
}
