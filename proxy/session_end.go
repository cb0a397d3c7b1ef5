package proxy

import "holdfast/splice"

// finish ends a session whose client is done, when everything owed is delivered.
func (w *worker) finish(s *session) {
	w.commit()
	if !flush(s.client, &s.toward) {
		return
	}
	if s.backend < 0 || !s.owed() || s.stranded() {
		w.close(s, w.farewell(s))
		return
	}
	if s.has(clientEnded) {
		w.takeBack(s) // a server forgets what waits for data when its client leaves
	}
}

// stranded says that all that is unanswered is a request whose end will never come.
func (s *session) stranded() bool {
	return s.has(requestOpen) && !s.has(requestDropped|replyOpen) && s.conv.Unanswered() == 1
}

// farewell says the last word to a client that broke the protocol, and why the session ends.
func (w *worker) farewell(s *session) CloseReason {
	switch {
	case s.has(spoilt):
		if fault := s.req.Fault(); fault != "" {
			w.deliver(s, []byte("-"+fault+"\r\n"))
		}
		if s.req.Foreign() {
			w.noteForeign(s)
			return ClosedForeign
		}
		return ClosedByProtocol
	case s.has(quitting):
		return ClosedByQuit
	}
	return ClosedByClient
}

// account keeps the number of busy sessions and tells those who wait for zero.
func (w *worker) account(s *session) {
	busy := (s.owed() || s.has(retiring)) && s.backend >= 0 && s.state != stateDialing
	if busy == s.has(counted) {
		return
	}
	s.set(counted, busy)
	v := s.view
	if busy {
		v.busy++
		return
	}
	v.busy--
	v.hush()
}

// hush tells those who wait for silence.
func (v *view) hush() {
	if v.busy == 0 && len(v.quiet) > 0 {
		v.tellQuiet()
	}
}

func (v *view) tellQuiet() {
	waiting := v.quiet
	v.quiet = nil
	for _, tell := range waiting {
		tell()
	}
}

// close ends a session for a reason; every session ends here.
func (w *worker) close(s *session, why CloseReason) {
	w.commit()
	v := s.view
	v.closed[why]++
	w.dropBackend(s)
	if s.has(counted) {
		s.set(counted, false)
		v.busy--
	}
	w.unslow(s)
	w.forget(s)
	drop(&s.in)
	drop(&s.toward)
	splice.CloseFD(int(s.client))
	s.move(stateFree)
	w.proxy.crowd.leave(s.host)
	w.table.put(s)
	w.load.Add(-1)
	v.hush()
	w.dialNext(v)
}

// hold lets the session wait. What the client sends stays in the kernel's buffer.
func (w *worker) hold(s *session) {
	v := s.view
	if s.state != stateHeld {
		s.move(stateHeld)
		s.set(overflow, v.lists[stateHeld].n > v.pool.heldMax)
	}
	if s.has(overflow) || v.seen.Gate == GateRefusing {
		w.loop.Defer(s.token(tokenClient)) // to be answered, but not from within the scratch buffer
	}
	w.nagLater(v)
}

// rest lets a session that has lost its backend wait: for its turn to dial if the route in force allows that, else for
// the next route. It reads and dials nothing, so that it may be called in the middle of the scratch buffer.
func (w *worker) rest(s *session) {
	v := s.view
	if !v.steady() || !s.mayDial(v.seen) {
		w.hold(s)
		return
	}
	s.set(overflow, false)
	s.move(stateQueued)
	w.dialNext(v)
}

// unslow takes the session's unanswered slow commands out of the pool's count.
func (w *worker) unslow(s *session) {
	if n := s.conv.CountSlow(s.view.pool.care); n > 0 {
		s.view.pool.slow.Add(-int64(n))
	}
}

// dropBackend closes the backend connection and forgets what was on its way in both directions.
func (w *worker) dropBackend(s *session) {
	w.commit()
	if s.has(dialSlot) {
		w.endDial(s)
	}
	if s.bulk != nil {
		w.dropBulk(s)
	}
	if s.pipe != nil {
		s.pipe.up.Release(w.loop)
		s.pipe.down.Release(w.loop)
		s.pipe = nil
	}
	if s.backend >= 0 {
		splice.CloseFD(int(s.backend))
		s.backend = -1
		if s.conv.Named() && s.view.pool.ids.lose(s, w.now()) {
			s.set(killed, true)
		}
	}
	drop(&s.out)
	drop(&s.back)
	s.rep.Reset()
	s.set(backendReadable|backendEnded|replyOpen|replyDropped|retiring|identity|asked|refused, false)
	w.account(s)
}
