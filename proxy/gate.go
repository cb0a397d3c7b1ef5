package proxy

import "holdfast/proxy/resp"

// tell passes evidence on to the control plane. What was seen in another epoch says nothing about the present backend.
func (w *worker) tell(v *view, epoch uint64, kind EvidenceKind, busy bool) {
	if report := v.pool.options.OnEvidence; report != nil && epoch == v.seen.Epoch {
		report(Evidence{Backend: v.seen.Backend, Epoch: epoch, Kind: kind, Busy: busy})
	}
}

// nagLater makes sure that the evidence is repeated while sessions wait under an open gate.
func (w *worker) nagLater(v *view) {
	if !v.nagging {
		v.nagging = true
		w.loop.After(nagEvery, token(tokenNag, 0, 0, uint32(v.pool.index)))
	}
}

func (w *worker) nag(v *view) {
	v.nagging = false
	if v.lists[stateHeld].n == 0 {
		return
	}
	if v.seen.Gate == GateOpen && v.seen.Backend >= 0 {
		w.tell(v, v.seen.Epoch, EvidenceEOF, true)
	}
	w.nagLater(v)
}

// follow makes the newest route the one that this view acts on.
func (w *worker) follow(v *view) {
	r := v.pool.route.Load()
	if r == v.seen {
		return
	}
	if r.Epoch != v.seen.Epoch {
		v.guard = guardUnknown
	}
	v.seen, v.suspect = r, false
	w.dialNext(v) // those that wait to dial may have to wait for the gate from now on
	if r.Gate == GateShut || w.stopped {
		return
	}
	w.release(v)
}

// release lets the held sessions go on: listeners first, so that they miss the least, with the receivers that others wait for
// while they dial, and else in the order in which they came. Under a refusing gate they are answered.
func (w *worker) release(v *view) {
	v.lists[stateHeld].putFirst(offAir | receiver)
	for n := v.lists[stateHeld].n; n > 0 && v.lists[stateHeld].n > 0 && !v.suspect; n-- {
		s := v.lists[stateHeld].first
		switch {
		case v.seen.Gate == GateRefusing:
			v.lists[stateHeld].remove(s)
			v.lists[stateHeld].add(s)
			w.advance(s)
		case s.backend >= 0 && s.epoch == v.seen.Epoch && !s.has(refused):
			s.move(stateServing)
			w.advance(s)
		default:
			v.lists[stateHeld].remove(s)
			v.lists[stateHeld].add(s)
			switch {
			case s.backend >= 0:
				s.epoch = 0
				w.cutSession(s, false)
			case w.forsaken(s):
				w.close(s, ClosedByClient)
			default:
				w.want(s)
			}
		}
	}
	if v.seen.Gate == GateOpen {
		w.dropStale(v)
		v.fallen = resp.CutCounts{}
	}
}

// dropStale moves sessions whose backend connection is of an older epoch, for pools whose route changes without a cut.
func (w *worker) dropStale(v *view) {
	for _, st := range [...]state{stateServing, statePiping, stateFinishing, stateDialing} {
		for n, s := v.lists[st].n, v.lists[st].first; n > 0 && s != nil; n-- {
			next := s.next
			if s.epoch != v.seen.Epoch || s.has(refused) {
				w.dropOne(s)
			}
			s = next
		}
	}
}

func (w *worker) dropOne(s *session) {
	if s.epoch = 0; s.state != stateDialing {
		w.cutSession(s, false)
		return
	}
	w.dropBackend(s)
	w.rest(s)
}

// steady says that the route in force is the one that was followed last, and that requests may go on. It changes
// nothing, so that it may be asked in the middle of the scratch buffer.
func (v *view) steady() bool {
	return v.pool.route.Load() == v.seen && v.seen.Gate == GateOpen && !v.suspect
}

// pumpRefusals answers what a held client says while the gate refuses.
func (w *worker) pumpRefusals(s *session) {
	v := s.view
	if v.pool.options.Opaque || (v.seen.Gate != GateRefusing && !s.has(overflow)) {
		return
	}
	if s.backend < 0 {
		v.refused += uint64(s.conv.Unanswered())
		unknown := s.conv.GiveUp()
		v.fallen.Unknown += unknown
		v.cut.Unknown += unknown
		w.settle(s)
	}
	for s.state == stateHeld && s.has(clientReadable|requestsKept) && !s.has(quitting) && s.toward == nil && !s.conv.Full() {
		if n := w.readRefused(s); n < 0 {
			break
		}
	}
	if s.state != stateFree {
		w.account(s)
	}
}

func (w *worker) readRefused(s *session) int {
	data, n := w.read(s)
	if n <= 0 {
		return -1
	}
	for len(data) > 0 && s.state != stateFree && !s.has(quitting|spoilt) {
		if s.has(requestOpen) {
			data = data[w.streamRequest(s, data, 0):]
			continue
		}
		n, verdict := s.req.Scan(data)
		switch verdict {
		case resp.More:
			keep(&s.in, data)
			return 1
		case resp.Whole:
			w.refuse(s, data[:n])
			s.req.Reset()
			w.settle(s)
		case resp.Blank:
			s.req.Reset()
		case resp.Big:
			w.refuse(s, nil)
			s.set(requestOpen|requestDropped, true)
			w.settle(s)
		default:
			w.refuseProtocol(s)
			return -1
		}
		data = data[n:]
	}
	return 1
}

// refuse answers the request at hand as not executed; req is nil if it is too large to be kept.
func (w *worker) refuse(s *session, req []byte) {
	cmd := s.req.Command()
	act, answer := s.conv.AdmitRefusing(cmd, req)
	if act == resp.ActDiscard && s.backend >= 0 {
		w.toBackend(s, resp.DiscardRequest())
	}
	s.set(quitting, act == resp.ActQuit)
	s.conv.TakeLocal(&w.flights, cmd, act, answer, w.now())
	if s.view.pool.care.Slow(cmd) {
		s.view.pool.slow.Add(1)
	}
	s.view.refused++
}
