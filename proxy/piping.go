package proxy

import "holdfast/splice"

// piping carries bytes that are not looked at, both ways. A half-close in one direction leaves the other open.
type piping struct {
	up, down         splice.Mover // client to backend, backend to client
	upDone, downDone bool
}

// becomePiping gives framing up. What is buffered goes out first.
func (w *worker) becomePiping(s *session) {
	p := &piping{}
	p.up.Start(int(s.client), int(s.backend), -1)
	p.down.Start(int(s.backend), int(s.client), -1)
	s.pipe = p
	s.move(statePiping)
	s.set(clientReadable|backendReadable, true)
	w.dialNext(s.view)
	w.pump(s)
}

// pump moves what can be moved in both directions.
func (w *worker) pump(s *session) {
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

// pumpOne runs one direction; false says that the session is gone.
func (w *worker) pumpOne(s *session, m *splice.Mover, done *bool, readable uint16, kind uint64) bool {
	outcome, _ := m.Run(w.loop)
	switch outcome {
	case splice.SrcEmpty:
		s.set(readable, false)
	case splice.BudgetSpent:
		w.loop.Defer(s.token(kind))
	case splice.EOF:
		*done = true
		m.Release(w.loop)
		if kind == tokenClient {
			splice.ShutdownWrite(int(s.backend))
		} else {
			return w.onPipedEnd(s)
		}
	case splice.SrcFailed, splice.DstFailed:
		if (kind == tokenClient) == (outcome == splice.SrcFailed) {
			w.close(s, ClosedByClient)
			return false
		}
		return w.onPipedLost(s)
	}
	return true
}

// onPipedEnd: the backend sends no more; the client may go on sending.
func (w *worker) onPipedEnd(s *session) bool {
	if s.untouched() {
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
	w.tell(s.view, s.epoch, EvidenceReset, true)
	w.lost(s)
	w.cutPiping(s)
	return false
}

func (w *worker) cutPiping(s *session) {
	untouched := s.untouched()
	s.pipe.up.Release(w.loop)
	s.pipe.down.Release(w.loop)
	s.pipe = nil
	if !untouched {
		w.close(s, ClosedOpaque)
		return
	}
	w.dropBackend(s)
	w.hold(s)
}
