package proxy

import (
	"time"

	"holdfast/proxy/resp"
	"holdfast/splice"
)

// onBackendLost: the backend ended the connection and everything it had sent is delivered.
func (w *worker) onBackendLost(s *session, kind EvidenceKind) {
	v, epoch, busy := s.view, s.epoch, s.owed()
	switch {
	case s.has(retiring):
		s.epoch = 0 // an end that was asked for says nothing against the backend
		w.cutSession(s, kind == EvidenceEOF)
		return
	case s.state == stateDialing:
		w.leave(s)
	default:
		w.lost(s)
		v.suspect = v.suspect || (busy && epoch == v.seen.Epoch)
		w.cutSession(s, false)
	}
	w.tell(v, epoch, kind, busy)
}

// cutSession takes the backend connection away and says whether the session lives on. What the backend had sent was
// read before. clean: the backend is known to have executed nothing of what is unanswered.
func (w *worker) cutSession(s *session, clean bool) bool {
	switch {
	case s.has(replyOpen) && !s.has(replyDropped):
		w.close(s, ClosedMidReply)
		return false
	case !s.conv.Movable():
		w.close(s, ClosedReplay)
		return false
	case s.conv.Odd() && s.view.pool.options.CloseUnknownState:
		w.close(s, ClosedUnknown)
		return false
	case s.state == statePiping:
		return w.cutPiping(s)
	}
	w.commit()
	v, unsent := s.view, buffered(s.out)
	if s.conv.Subscribed() && !s.has(offAir) {
		s.set(offAir, true)
		s.offAirAt = w.now()
	}
	s.set(requestDropped, s.has(requestOpen))
	if w.dropBackend(s); s.has(killed) {
		w.close(s, ClosedKilled)
		return false
	}
	counts := s.conv.Cut(v.pool.options.Policy, unsent, w.now(), clean)
	v.fallen.Add(counts)
	v.cut.Add(counts)
	w.tellCache(s)
	if w.settle(s); s.state == stateFree {
		return false
	}
	switch {
	case s.state == stateFinishing:
		w.unslow(s)
		w.forget(s)
		w.finish(s)
	case s.conv.Unanswered() > 0 || s.listening() || s.has(clientReadable|requestsKept|requestOpen):
		w.rest(s)
	default:
		s.move(stateFresh)
	}
	return s.state != stateFree
}

const (
	// harvestMax bounds what is read for a client that does not take it, in bytes. The requests behind it are cut: reads are
	// sent again and writes are told to be unknown, which is true of them. Above it, a crowd of clients that ask for
	// much and read nothing would have all the others wait until everything that it asked for is copied.
	harvestMax = resp.WholeMax
	// harvestOpenMax is the same while a large reply is under way, which costs the connection unless it comes to its end.
	harvestOpenMax = 256 << 10
)

// harvest reads what the backend has sent, although the client may not take it.
func (w *worker) harvest(s *session) {
	for s.bulk != nil && !s.bulk.request && w.runBulk(s) {
	}
	s.set(backendReadable, s.state != stateFree && s.backend >= 0)
	for s.has(backendReadable) && s.backend >= 0 && (s.bulk == nil || s.bulk.request) {
		if buffered(s.toward) > s.harvestRoom() || w.readReplies(s) < 0 {
			return
		}
	}
}

func (s *session) harvestRoom() int {
	if s.has(replyOpen) {
		return harvestOpenMax
	}
	return harvestMax
}

// cutPool ends every backend connection of this view up to an epoch. What was lost since the last release counts, too.
func (w *worker) cutPool(v *view, epoch uint64, alive time.Duration) CutReport {
	w.follow(v)
	for _, st := range [...]state{stateServing, stateHeld, stateFinishing, stateDialing, statePiping} {
		for n, s := v.lists[st].n, v.lists[st].first; n > 0 && s != nil; n-- {
			next := s.next
			if s.epoch <= epoch && s.backend >= 0 {
				w.cutOne(s)
			}
			s = next
		}
	}
	report := CutReport{Clients: int(v.connected.Load()), Held: v.lists[stateHeld].n, CutCounts: v.fallen}
	report.Acknowledged = v.acks.All()
	w.dateAcks()
	now := w.loop.Clock()
	proven := ticks(now - int64(alive))
	report.AtRisk, report.SinceAlive = v.acks.AtRisk(proven), v.acks.Since(proven, ticks(now))
	v.fallen, v.acks = resp.CutCounts{}, resp.Acks{}
	w.commit() // from now on no byte of these epochs is on its way to a client
	return report
}

func (w *worker) cutOne(s *session) {
	switch s.state {
	case stateDialing:
		w.dropBackend(s)
		w.hold(s)
		return
	case statePiping:
		if s.toward == nil {
			w.drainPiping(s)
		}
	default:
		w.harvest(s)
	}
	if s.state != stateFree && s.backend >= 0 {
		w.cutSession(s, false)
	}
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
	w.commit()
	cmd, _, _, ok := s.conv.Front()
	if !ok || s.backend < 0 || s.out != nil || s.has(requestOpen|retiring) || cmd.Spec().Flags&resp.Blocking == 0 {
		return
	}
	s.set(retiring, true)
	splice.ShutdownWrite(int(s.backend))
}
