package proxy

import (
	"syscall"
	"time"

	"holdfast/proxy/resp"
	"holdfast/splice"
)

const (
	// dialsMax is the number of connections that one pool makes at a time, all loops together. A listening Redis queues
	// 511 (tcp-backlog); what exceeds the queue waits a second for the kernel's next SYN. Half is left to others.
	dialsMax = 256
	// laggardsMax is how many of these may belong to clients that have not read what they already have. What such a client
	// asked for is sent to the new master all at once, and hundreds of them would keep it busy before anybody else is served;
	// so they come a few at a time, and last.
	laggardsMax = 8
	// dialTimeout is when a dial is given up that has not come to its end: connect, login and replay together. A host that
	// hangs is judged by the control plane long before; this is for a process that accepts and does not answer.
	dialTimeout = 2 * time.Second
)

// stage is how far a dialling session has come.
//
//	connecting -> login (AUTH alone) -> replay (everything else, one round trip) -> Serving
//	                                    target (until the receiver of invalidations is there) -> replay
type stage uint8

const (
	stageConnecting stage = iota
	stageLogin
	stageReplay
	stageTarget
)

const (
	// targetEvery and targetTries: a session that sends its invalidations to another one waits for that to be moved first,
	// half a second at most. Then the server says that there is no such connection, and the client is closed.
	targetEvery = 10 * time.Millisecond
	targetTries = 50
)

// mayDial says whether the route lets the session have a backend now.
func (s *session) mayDial(r *Route) bool {
	return r.Gate == GateOpen && r.Backend >= 0 && (r.Epoch != s.epoch || r.Check > s.check)
}

// want gives the session a backend as soon as there may be one. A route that was not followed yet comes back here.
func (w *worker) want(s *session) {
	if !s.view.steady() || !s.mayDial(s.view.seen) {
		w.hold(s)
		w.advance(s)
		return
	}
	s.set(overflow, false)
	if s.view.dialing >= s.view.pool.dialsMax || (s.toward != nil && s.view.laggards >= s.view.pool.laggardsMax) {
		s.move(stateQueued)
		return
	}
	w.dial(s)
}

// dialNext sees to it that the dials which wait for a slot are started in this pass of the loop. Not at once: the
// caller may be in the middle of the scratch buffer.
func (w *worker) dialNext(v *view) {
	if v.lists[stateQueued].n > 0 && !v.dialsDue {
		v.dialsDue = true
		w.loop.Defer(token(tokenDials, 0, 0, uint32(v.pool.index)))
	}
}

func (w *worker) dialQueued(v *view) {
	v.dialsDue = false
	queue := &v.lists[stateQueued]
	for n := queue.n; n > 0 && queue.n > 0 && (v.dialing < v.pool.dialsMax || !v.steady()); n-- {
		s := queue.first
		queue.remove(s) // one that has to wait on lets the others pass
		queue.add(s)
		w.want(s)
	}
}

func (w *worker) dial(s *session) {
	v := s.view
	r := v.seen
	if s.has(outrun) && r.Epoch == s.epoch {
		w.close(s, ClosedOutput) // its server lives and gave it up: what was thrown away must not be missed in silence
		return
	}
	s.set(outrun, false)
	s.dials++
	fd, pending, errno := splice.Dial(v.pool.backends[r.Backend], v.pool.options.Socket)
	if errno == 0 {
		if err := w.loop.Watch(fd, s.token(tokenBackend)); err != nil {
			splice.CloseFD(fd)
			errno = syscall.EMFILE
		}
	}
	s.epoch = r.Epoch
	if errno != 0 {
		w.onDialFailed(s, errno)
		return
	}
	s.backend, s.stage = int32(fd), stageConnecting
	w.beginDial(s)
	s.move(stateDialing)
	w.loop.After(dialTimeout, s.token(tokenBackend))
	if !pending {
		w.onConnected(s, splice.Writable)
	}
}

// onDialTimeout: nothing of the client was sent over the connection yet, so that giving it up cuts no request.
func (w *worker) onDialTimeout(s *session) {
	if s.state == stateDialing {
		w.dropBackend(s)
		w.onDialFailed(s, syscall.ETIMEDOUT)
		w.dialNext(s.view)
	}
}

// onDialFailed: the session waits until the control plane has looked at the backend.
func (w *worker) onDialFailed(s *session, errno syscall.Errno) {
	w.lost(s)
	w.rest(s)
	switch errno {
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL:
		// The fault is on our side and says nothing of the backend. The repeated evidence brings the next attempt.
	case syscall.ECONNREFUSED, syscall.ENOENT:
		w.tell(s.view, s.epoch, EvidenceRefused, s.conv.Unanswered() > 0)
	default:
		w.tell(s.view, s.epoch, EvidenceTimeout, s.conv.Unanswered() > 0)
	}
}

// lost remembers under which check the session was left without a backend.
func (w *worker) lost(s *session) {
	s.check = 0
	if s.view.seen.Epoch == s.epoch {
		s.check = s.view.seen.Check
	}
}

func (w *worker) onConnected(s *session, ev splice.Events) {
	if ev&splice.Broken != 0 {
		errno := splice.ConnectError(int(s.backend))
		w.dropBackend(s)
		w.onDialFailed(s, max(errno, syscall.Errno(1)))
		w.dialNext(s.view)
		return
	}
	if ev&splice.Writable == 0 {
		return
	}
	if s.view.pool.options.Opaque {
		if !s.view.steady() || s.view.seen.Epoch != s.epoch {
			w.park(s)
			return
		}
		w.endDial(s)
		w.becomePiping(s)
		return
	}
	req, login := s.conv.ReplayAuth(w.spare[:0])
	if login {
		s.stage, s.frames = stageLogin, 1
		w.toBackend(s, req)
		w.spare = req
		clear(req)
		return
	}
	w.replay(s)
}

func (w *worker) replay(s *session) {
	if s.stage != stageTarget {
		s.tries = 0
	}
	if id := s.conv.Redirect(); id != 0 && s.tries < targetTries && (naming{s: s}).Server(id) == 0 {
		s.stage = stageTarget
		s.tries++
		w.loop.After(targetEvery, s.token(tokenTarget))
		return
	}
	check := s.view.seen.Lineage != ""
	if s.view.pool.options.RefuseCursors {
		s.conv.SetEra(resp.Era(s.epoch))
	}
	req, frames := s.conv.Replay(w.spare[:0], check, naming{s: s})
	w.spare = req
	s.stage, s.frames = stageReplay, int32(frames)
	s.set(identity, check)
	s.set(asked, s.conv.Named())
	w.toBackend(s, req)
	if frames == 0 {
		w.ready(s)
	}
}

// takeReplay swallows the replies of login and replay and returns what follows them.
func (w *worker) takeReplay(s *session, data []byte) []byte {
	for s.state == stateDialing && len(data) > 0 {
		n, verdict := s.rep.Scan(data)
		if verdict == resp.More {
			keep(&s.back, data)
			return nil
		}
		if verdict != resp.Whole {
			w.close(s, ClosedByBackend)
			return nil
		}
		first, frame := s.rep.First(), data[:n]
		s.rep.Reset()
		if !s.conv.ReplayFrame(first, frame) {
			w.deliver(s, frame)
		} else if !w.onReplayReply(s, first, frame) {
			return nil
		}
		data = data[n:]
	}
	if s.state == stateFree || s.backend < 0 {
		return nil
	}
	return data
}

// onReplayReply handles one reply; false says that the backend connection is gone.
func (w *worker) onReplayReply(s *session, first byte, frame []byte) bool {
	if s.stage == stageReplay && s.has(identity) {
		s.set(identity, false)
		if kind, ok := w.identify(s, first, frame); !ok {
			w.leave(s)
			w.tell(s.view, s.epoch, kind, s.conv.Unanswered() > 0)
			return false
		}
	} else if s.stage == stageReplay && s.has(asked) {
		s.set(asked, false) // a user who may not ask has no names at this server
		if first == ':' {
			w.nameAgain(s, frame)
		}
	} else if first == '-' && !(s.stage == stageReplay && s.conv.ReplayRefused(int(s.frames))) {
		w.onReplayRefused(s, frame)
		return false
	}
	if s.frames--; s.frames > 0 {
		return true
	}
	if s.stage == stageLogin {
		w.replay(s)
	} else {
		w.ready(s)
	}
	return s.state != stateFree && s.backend >= 0
}

// leave gives the backend connection up before it served; the session waits.
func (w *worker) leave(s *session) {
	w.dropBackend(s)
	w.lost(s)
	w.rest(s)
	w.dialNext(s.view)
}

func (w *worker) beginDial(s *session) {
	s.set(dialSlot, true)
	s.view.dialing++
	if s.toward != nil {
		s.set(laggard, true)
		s.view.laggards++
	}
}

func (w *worker) endDial(s *session) {
	s.set(dialSlot, false)
	s.view.dialing--
	if s.has(laggard) {
		s.set(laggard, false)
		s.view.laggards--
	}
}

// ready: the backend connection equals the one before. What waited is sent, in order.
func (w *worker) ready(s *session) {
	v := s.view
	w.endDial(s)
	if v.seen.Epoch != s.epoch || v.pool.route.Load().Epoch != s.epoch {
		w.park(s)
		return
	}
	s.move(stateServing)
	if s.has(offAir) {
		s.set(offAir, false)
		v.gaps.count(w.now() - s.offAirAt)
	}
	w.tellCache(s)
	w.tellCacheAgain(s)
	again := s.conv.Resume(w.spare[:0], w.now(), naming{s: s})
	w.spare = again[:0]
	if len(again) > 0 && !v.steady() {
		w.park(s)
		return
	}
	w.toBackend(s, again)
	w.settle(s)
	if s.state != stateFree {
		w.account(s)
		w.loop.Defer(s.token(tokenClient))
	}
	w.dialNext(v)
}

// park: the route changed while the session dialled. Its requests are not sent; it dials again when it may.
func (w *worker) park(s *session) {
	w.dropBackend(s)
	s.epoch = 0
	w.rest(s)
	w.dialNext(s.view)
}
