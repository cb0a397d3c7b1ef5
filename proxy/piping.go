package proxy

import "holdfast/splice"

// piping carries bytes that are not looked at, both ways. A half-close in one direction leaves the other open.
type piping struct {
	up, down         splice.Mover // client to backend, backend to client
	upDone, downDone bool
	broken           bool // the backend takes no more
}

// drainPiping delivers what the backend has said, as far as the client takes it.
func (w *worker) drainPiping(s *session) {
	s.set(backendReadable, true)
	for p := s.pipe; s.has(backendReadable) && !p.downDone && p.down.Pending() == 0; {
		if !w.pumpOne(s, &p.down, &p.downDone, backendReadable, tokenBackend) {
			return
		}
	}
}

// becomePiping gives framing up. What is buffered goes out first; what was unanswered is answered unseen.
func (w *worker) becomePiping(s *session) {
	p := &piping{}
	p.up.Start(int(s.client), int(s.backend), -1)
	p.down.Start(int(s.backend), int(s.client), -1)
	s.pipe = p
	w.unslow(s)
	w.forget(s)
	if s.in != nil {
		w.toBackend(s, s.in.B)
		drop(&s.in)
	}
	s.move(statePiping)
	s.set(clientReadable|backendReadable, true)
	w.account(s)
	w.dialNext(s.view)
	w.pump(s)
}

// pump moves what can be moved in both directions.
func (w *worker) pump(s *session) {
	w.commit()
	s.heard = w.clock()
	p := s.pipe
	if !flush(s.client, &s.toward) || !flush(s.backend, &s.out) {
		return
	}
	if !p.upDone && !w.pumpOne(s, &p.up, &p.upDone, clientReadable, tokenClient) {
		return
	}
	if !p.downDone && !w.pumpOne(s, &p.down, &p.downDone, backendReadable, tokenBackend) {
		return
	}
	if p.upDone && p.downDone {
		w.close(s, ClosedByClient)
	}
}

// pumpOne runs one direction; false says that the session no longer pipes.
func (w *worker) pumpOne(s *session, m *splice.Mover, done *bool, readable uint32, kind uint64) bool {
	if !s.has(readable) && m.Pending() == 0 {
		return true
	}
	outcome, _ := m.Run(w.loop)
	switch outcome {
	case splice.SrcEmpty, splice.DstFull:
		s.set(readable, outcome == splice.DstFull)
	case splice.BudgetSpent:
		w.loop.Defer(s.token(kind))
	case splice.EOF:
		*done = true
		m.Release(w.loop)
		if kind == tokenBackend {
			return w.onPipedEnd(s)
		}
		splice.ShutdownWrite(int(s.backend))
	case splice.SrcFailed:
		if kind == tokenBackend {
			return w.onPipedLost(s)
		}
		w.close(s, ClosedByClient)
		return false
	case splice.DstFailed:
		if kind == tokenBackend {
			w.close(s, ClosedByClient)
			return false
		}
		s.pipe.broken, *done = true, true // what the backend has said before is still to be delivered
		s.set(backendReadable, true)
	}
	return true
}

// onPipedEnd: the backend sends no more; the client may go on sending.
func (w *worker) onPipedEnd(s *session) bool {
	if s.pipe.broken || s.untouched() {
		return w.onPipedLost(s)
	}
	splice.ShutdownWrite(int(s.client))
	return true
}

// untouched: nothing was exchanged yet, so that another backend does as well.
func (s *session) untouched() bool {
	up, _ := s.pipe.up.Moved()
	down, _ := s.pipe.down.Moved()
	return s.view.pool.options.Opaque && up == 0 && down == 0 && s.pipe.up.Pending() == 0 && !s.pipe.upDone
}

// onPipedLost: the backend is gone. A client that has exchanged nothing waits for the next one, any other is closed.
func (w *worker) onPipedLost(s *session) bool {
	v, epoch := s.view, s.epoch
	w.lost(s)
	w.cutPiping(s)
	w.tell(v, epoch, EvidenceReset, true)
	return false
}

// cutPiping takes the backend away and says whether the session lives on.
func (w *worker) cutPiping(s *session) bool {
	if !s.untouched() {
		w.close(s, ClosedOpaque)
		return false
	}
	w.dropBackend(s)
	w.rest(s)
	return true
}
