package proxy

import "time"

// A cache on the client's side is kept right by its server. When that is lost, whatever the client has cached may be stale
// from the first write of the next mastership on, and nobody is left who would say so but us.
//
// Invariant: a client is told to forget what it cached before the cut of its session is reported, and so before anybody
// is served by the next master; and again when its own session is served, before the first reply.

// forgetAgainAfter is when a cache is told once more that has moved. A client that finds a reply of the old master and the
// news behind it in one read may empty its cache first and put the reply into it then, for good (node-redis does). What was
// read by then was read by the new master, which keeps it right. Longer than the pauses of a busy client, in milliseconds, and
// short enough for a user to bear a stale value.
const forgetAgainAfter = 500 * time.Millisecond

// tellCache tells the client of a session that was cut or has moved, or the connection to which it sends its invalidations.
func (w *worker) tellCache(s *session) {
	news := s.conv.Flush()
	if news == "" && s.has(receiver) {
		news = s.conv.FlushOthers()
	}
	w.deliver(s, []byte(news))
	id := s.conv.Redirect()
	if id == 0 {
		return
	}
	if p, ok := s.view.pool.ids.find(id); ok {
		p.worker.loop.Post(func() { p.worker.tellReceiver(p.token, id) })
	}
}

// tellCacheAgain sees to it that tellCache is repeated. Who is told through another connection has two streams to put in order
// anyway, and one of them may be told by thousands.
func (w *worker) tellCacheAgain(s *session) {
	if s.conv.Flush() != "" {
		w.loop.After(forgetAgainAfter, s.token(tokenForget))
	}
}

// onForget repeats the news, unless the session has moved again since: that has a timer of its own.
func (w *worker) onForget(s *session) {
	switch {
	case s.state != stateServing && s.state != stateHeld || s.backend < 0:
	case s.has(replyOpen):
		w.loop.After(forgetAgainAfter, s.token(tokenForget))
	default:
		w.tellCache(s)
	}
}

// tellReceiver delivers the news of another session, behind the reply that is under way.
func (w *worker) tellReceiver(tok, id uint64) {
	s := w.table.at(tok)
	if s == nil || s.conv.ID() != id || s.state == statePiping {
		return
	}
	if s.has(replyOpen) {
		s.set(forgetDue, true)
		return
	}
	s.set(forgetDue, false)
	w.deliver(s, []byte(s.conv.FlushOthers()))
}
