package proxy

// A receiver is a session to which others, the senders, send their invalidations (CLIENT TRACKING REDIRECT). The server knows
// it by the number of its connection: when that is made again, each sender has to name the new one, or is never told of
// anything again.
//
// Invariant: a sender is served only while its server knows the receiver's present connection, but for half a second after
// the receiver alone has lost its own.

// appoint makes the session a receiver to which s sends its invalidations since its last reply.
func (w *worker) appoint(s *session) {
	id := s.conv.Redirect()
	if id == 0 {
		return
	}
	if p, ok := s.view.pool.ids.find(id); ok {
		p.worker.loop.Post(func() { p.worker.receive(p.token, id) })
	}
}

// receive keeps a session connected from now on, whether its client asks for anything or not.
func (w *worker) receive(tok, id uint64) {
	s := w.table.at(tok)
	if s == nil || s.conv.ID() != id {
		return
	}
	s.set(receiver, true)
	if s.state == stateFresh {
		w.want(s)
	}
}

// renewSenders lets all that send their invalidations to s make their connections again, because s alone has lost its own.
func (w *worker) renewSenders(s *session) {
	id, epoch, pool := s.conv.ID(), s.epoch, s.view.pool.index
	for _, other := range w.proxy.workers {
		other.loop.Post(func() { other.renewAll(other.views[pool], id, epoch) })
	}
}

func (w *worker) renewAll(v *view, id, epoch uint64) {
	for _, st := range [...]state{stateServing, stateHeld, stateDialing} {
		for s := v.lists[st].first; s != nil; s = s.next {
			if s.conv.Redirect() == id && s.epoch == epoch && s.backend >= 0 {
				s.tries = 0
				w.loop.After(0, s.token(tokenRenew))
			}
		}
	}
}

// renew makes a sender's connection again, when nothing is unanswered or after a while in any case. One that is still dialling
// may have named the lost connection or may be about to name the new one.
func (w *worker) renew(s *session) {
	switch {
	case s.backend < 0 || s.stage == stageTarget && s.state == stateDialing:
	case s.state == stateDialing:
		w.dropBackend(s)
		s.epoch = 0
		w.rest(s)
		w.dialNext(s.view)
	case s.state != stateServing && s.state != stateHeld:
	case s.owed() && s.tries < targetTries:
		s.tries++
		w.loop.After(targetEvery, s.token(tokenRenew))
	default:
		s.epoch = 0
		w.cutSession(s, false)
	}
}
