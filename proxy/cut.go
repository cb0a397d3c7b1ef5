package proxy

import (
	"holdfast/proxy/resp"
	"holdfast/splice"
)

// onBackendLost: the backend ended the connection and everything it had sent is delivered.
func (w *worker) onBackendLost(s *session, kind EvidenceKind) {
	v := s.view
	busy := s.conv.Unanswered() > 0
	switch {
	case s.state == stateFinishing:
		w.cutSession(s, true)
		return
	case s.has(retiring):
		w.cutSession(s, true)
		return
	case s.state == stateDialing:
		w.leave(s)
	case s.epoch == v.seen.Epoch:
		w.lost(s)
		v.fallen.Add(w.cutSession(s, false))
	default:
		w.cutSession(s, false)
		return
	}
	if busy {
		v.suspect = true
	}
	w.tell(v, v.seen.Epoch, kind, busy)
}

// cutSession takes the backend connection away. What it had sent was read before. clean: the backend is known to have
// executed nothing of what is unanswered.
func (w *worker) cutSession(s *session, clean bool) resp.CutCounts {
	var counts resp.CutCounts
	switch {
	case s.has(replyOpen):
		w.close(s, ClosedMidReply)
		return counts
	case s.state == statePiping:
		w.cutPiping(s)
		return counts
	}
	if s.has(requestOpen) {
		s.set(requestDropped, true)
	}
	unsent := buffered(s.out)
	w.dropBackend(s)
	counts = s.conv.Cut(s.view.pool.options.Policy, unsent, w.now(), clean)
	w.settle(s)
	if s.state == stateFree {
		return counts
	}
	w.account(s)
	if s.state == stateFinishing {
		w.unslow(s)
		s.conv.Wipe(&w.flights)
		w.finish(s)
		return counts
	}
	if s.conv.Unanswered() > 0 || s.conv.Listening() || s.has(clientReadable) || s.has(requestOpen) {
		w.hold(s)
	} else {
		s.move(stateFresh)
	}
	return counts
}

// harvest reads what the backend has sent, although the client may not take it: it is bounded by the kernel's buffer.
func (w *worker) harvest(s *session) {
	if s.bulk != nil {
		w.runBulk(s)
	}
	s.set(backendReadable, true)
	for s.state != stateFree && s.backend >= 0 && s.has(backendReadable) && s.bulk == nil {
		if w.readReplies(s) < 0 {
			return
		}
	}
}

// cutPool ends every backend connection of this view up to an epoch.
func (w *worker) cutPool(v *view, epoch uint64) CutReport {
	w.follow(v)
	report := CutReport{Clients: int(v.connected.Load()), CutCounts: v.fallen}
	v.fallen = resp.CutCounts{}
	for _, st := range [...]state{stateServing, stateHeld, stateFinishing, stateDialing, statePiping} {
		for n, s := v.lists[st].n, v.lists[st].first; n > 0 && s != nil; n-- {
			next := s.next
			if s.epoch <= epoch && s.backend >= 0 {
				report.Add(w.cutOne(s))
			}
			s = next
		}
	}
	report.Held = v.lists[stateHeld].n
	return report
}

func (w *worker) cutOne(s *session) resp.CutCounts {
	if s.state == stateDialing {
		w.dropBackend(s)
		w.hold(s)
		return resp.CutCounts{}
	}
	retired := s.has(retiring)
	if s.state != statePiping {
		w.harvest(s)
	}
	if s.state == stateFree || s.backend < 0 {
		return resp.CutCounts{}
	}
	return w.cutSession(s, retired && s.has(backendEnded))
}

// quiesce calls tell when nothing is unanswered. Commands that wait for data are taken back by a half-close.
func (w *worker) quiesce(v *view, tell func()) {
	w.follow(v)
	for n, s := v.lists[stateServing].n, v.lists[stateServing].first; n > 0 && s != nil; n-- {
		next := s.next
		w.takeBack(s)
		s = next
	}
	for n, s := v.lists[stateHeld].n, v.lists[stateHeld].first; n > 0 && s != nil; n-- {
		next := s.next
		w.takeBack(s)
		s = next
	}
	v.quiet = append(v.quiet, tell)
	v.hush()
}

// takeBack half-closes a connection on which a command waits for data. The server forgets the command at our end of
// stream, and its own end of stream, without a reply before it, proves that nothing was executed.
func (w *worker) takeBack(s *session) {
	cmd, _, _, ok := s.conv.Front()
	if !ok || s.backend < 0 || s.out != nil || s.has(requestOpen|retiring) || cmd.Spec().Flags&resp.Blocking == 0 {
		return
	}
	s.set(retiring, true)
	splice.ShutdownWrite(int(s.backend))
}
