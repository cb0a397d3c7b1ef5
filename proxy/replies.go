package proxy

import (
	"syscall"

	"holdfast/proxy/resp"
	"holdfast/splice"
)

// replyBudget bounds the bytes taken from one backend connection in one go.
const replyBudget = 1 << 20

func (w *worker) onBackend(s *session, ev splice.Events) {
	if s.has(gathered) {
		w.commit()
	}
	if ev&(splice.Readable|splice.Broken) != 0 {
		s.set(backendReadable, true)
	}
	if ev&(splice.PeerClosed|splice.Broken) != 0 {
		s.set(backendReadable|backendEnded, true)
	}
	if s.state == stateDialing && s.stage == stageConnecting {
		w.onConnected(s, ev)
		if s.state == stateFree || s.backend < 0 || s.stage == stageConnecting {
			return
		}
	}
	if s.state == statePiping {
		w.pump(s)
		return
	}
	if ev&splice.Writable != 0 && s.out != nil && flush(s.backend, &s.out) && s.state == stateFinishing {
		w.finish(s)
		if s.state == stateFree {
			return
		}
	}
	if w.pumpReplies(s) {
		return
	}
	if s.has(clientReadable|requestsKept) || s.bulk != nil {
		w.advance(s)
	}
}

// pumpReplies reads the backend while the client takes what comes. The replies to a replay are not the client's: were they left
// because it does not read, its dial would never end, and enough of such clients would hold all the slots there are. It reports
// whether the session is gone.
func (w *worker) pumpReplies(s *session) bool {
	if s.bulk != nil && !s.bulk.request {
		if w.runBulk(s); s.state == stateFree || s.bulk != nil {
			return s.state == stateFree
		}
	}
	for budget := replyBudget; s.has(backendReadable) && s.backend >= 0; {
		if s.state != stateDialing && (s.toward != nil || (s.bulk != nil && !s.bulk.request)) {
			s.set(outrun, s.has(outrun) || s.listening())
			break // the client's readiness comes back here
		}
		n := w.readReplies(s)
		if s.state == stateFree {
			return true
		}
		if n < 0 {
			break
		}
		if budget -= n; budget <= 0 {
			w.loop.Defer(s.token(tokenBackend))
			break
		}
	}
	if s.state == stateFinishing {
		w.finish(s)
	}
	return s.state == stateFree
}

// readReplies reads once; -1 means that there is nothing to go on with.
func (w *worker) readReplies(s *session) int {
	p := w.loop.Scratch()
	have := buffered(s.back)
	limited := have == 0 && s.has(bigReplies)
	if limited {
		p = p[:headBytes]
	}
	n, errno := splice.Recv(int(s.backend), p[have:])
	switch {
	case errno == syscall.EAGAIN:
		s.set(backendReadable, s.has(backendEnded))
		if s.has(backendEnded) {
			w.onBackendLost(s, EvidenceReset)
		}
		return -1
	case errno != 0:
		w.onBackendLost(s, EvidenceReset)
		return -1
	case n == 0:
		w.onBackendLost(s, EvidenceEOF)
		return -1
	}
	if n < len(p)-have && !s.has(backendEnded) {
		s.set(backendReadable, false)
	} else if limited {
		s.set(bigReplies, false) // unless this is the head of another large body
	}
	if have > 0 {
		copy(p, s.back.B)
		drop(&s.back)
	}
	w.takeReplies(s, p[:have+n])
	return n
}

// takeReplies handles bytes of the backend. data begins at a reply, or goes on with a streamed one.
func (w *worker) takeReplies(s *session, data []byte) {
	if s.state == stateDialing {
		if data = w.takeReplay(s, data); len(data) == 0 {
			return
		}
	}
	if s.has(replyOpen) {
		n := w.streamReply(s, data, 0)
		if data = data[n:]; len(data) == 0 || s.state == stateFree {
			return
		}
	}
	d := delivery{w: w, s: s, data: data}
	for d.off < len(data) && d.next() {
	}
	if s.state == stateFree {
		return
	}
	d.flush(d.off)
	w.account(s)
	if len(s.view.quiet) > 0 {
		w.takeBack(s) // what waits for data may stand at the head only now
	}
}

// delivery walks over the replies of one read. Replies that the client gets as they are go out in one piece.
//
// Invariant: data[start:off] belongs to the client and is not yet written to it.
type delivery struct {
	w          *worker
	s          *session
	data       []byte
	start, off int
}

func (d *delivery) flush(end int) {
	if d.start < end {
		d.w.deliver(d.s, d.data[d.start:end])
	}
	d.start = end
}

// next handles one frame; false ends the walk.
func (d *delivery) next() bool {
	s, w := d.s, d.w
	if extra := s.conv.Extra(); extra != 0 && s.rep.Fresh() {
		s.rep.Expect(extra)
	}
	if s.rep.Fresh() {
		if n := resp.Simple(d.data[d.off:]); n > 0 {
			return d.frame(d.data[d.off], n)
		}
	}
	n, verdict := s.rep.Scan(d.data[d.off:])
	switch verdict {
	case resp.Whole:
		first := s.rep.First()
		s.rep.Reset()
		return d.frame(first, n)
	case resp.More:
		d.flush(d.off)
		keep(&s.back, d.data[d.off:])
		d.start, d.off = len(d.data), len(d.data)
		return false
	case resp.Big:
		d.big(n)
		return false
	}
	d.flush(d.off)
	w.proxy.log.Error("backend broke the protocol, closing its client", "pool", s.view.pool.name, "fault", s.rep.Fault())
	w.close(s, ClosedByBackend)
	return false
}

// frame handles a whole frame of n bytes.
func (d *delivery) frame(first byte, n int) bool {
	s, w := d.s, d.w
	if cmd, ok := s.conv.Plain(&w.flights, first); ok {
		d.off += n
		d.answered(cmd)
		return true
	}
	if s.conv.Lists() {
		w.flights.Know(naming{s: s})
	}
	meaning, answer, cmd, done := s.conv.Frame(&w.flights, first, d.data[d.off:d.off+n])
	w.flights.Know(nil)
	w.learn(s.view)
	switch meaning {
	case resp.Deliver:
		d.off += n
	case resp.Rename:
		d.renamed()
		d.off += n
	case resp.Swallow, resp.Replace, resp.Refuse:
		d.flush(d.off)
		d.off += n
		d.start = d.off
		if meaning == resp.Replace {
			w.deliver(s, []byte(answer.Text(s.conv.Proto())))
		}
		if meaning == resp.Refuse {
			w.onRefusal(s)
		}
	case resp.Stray:
		d.flush(d.off + n)
		w.close(s, ClosedByBackend)
		return false
	case resp.LeaveFraming:
		d.flush(len(d.data))
		d.off = len(d.data)
		w.becomePiping(s)
		return false
	}
	if done {
		if cmd == resp.Unknown || cmd == resp.CmdClient || cmd == resp.CmdExec {
			w.wonder(s)
		}
		if cmd == resp.CmdClientTracking || cmd == resp.CmdExec {
			w.appoint(s)
		}
		d.answered(cmd)
	}
	return s.state != stateFree && s.backend >= 0
}

// answered does what follows when the head of the flight is gone: the next heads may need no backend.
func (d *delivery) answered(cmd resp.Command) {
	s, v := d.s, d.s.view
	d.w.acknowledged(s, cmd)
	if v.pool.care.Slow(cmd) {
		v.pool.slow.Add(-1)
	}
	if _, act, _, ok := s.conv.Front(); ok && (act != resp.ActForward || s.conv.Special()) {
		d.flush(d.off)
		d.w.settle(s)
	}
}

// big begins the delivery of a frame that is too large to be kept whole. From here on the client holds part of it.
func (d *delivery) big(n int) {
	s, w := d.s, d.w
	first := s.rep.First()
	cmd, ok := s.conv.Plain(&w.flights, first)
	if !ok {
		var meaning resp.Meaning
		meaning, _, cmd, ok = s.conv.Frame(&w.flights, first, d.data[d.off:])
		w.learn(s.view)
		w.wonder(s)
		s.set(replyDropped, meaning == resp.Swallow)
		if meaning == resp.Rename {
			if _, taken, _ := w.flights.Renamed(); taken <= n {
				d.renamed() // a cursor at its head; an id deep inside is not worth looking for
			}
			meaning = resp.Deliver
		}
		if meaning != resp.Deliver && meaning != resp.Swallow {
			d.flush(d.off)
			w.close(s, ClosedByBackend)
			return
		}
	}
	if ok {
		w.acknowledged(s, cmd)
		if s.view.pool.care.Slow(cmd) {
			s.view.pool.slow.Add(-1)
		}
	}
	s.set(replyOpen|bigReplies, true)
	if s.has(replyDropped) {
		d.flush(d.off)
		d.start = d.off + n
	}
	d.off += n
	d.start += w.streamReply(s, d.data[d.start:], d.off-d.start)
	d.off = d.start
	if d.off < len(d.data) && s.state != stateFree && !s.has(replyOpen) {
		w.takeReplies(s, d.data[d.off:])
		d.start, d.off = len(d.data), len(d.data)
	}
}

// onRefusal: the backend said that it is no master. The control plane must know; the session waits for a new route.
func (w *worker) onRefusal(s *session) {
	v := s.view
	s.set(refused, true)
	w.tell(v, s.epoch, EvidenceReadonly, true)
	v.suspect = v.suspect || s.epoch == v.seen.Epoch
}
