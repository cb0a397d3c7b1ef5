package proxy

import (
	"holdfast/proxy/resp"
	"holdfast/splice"
)

const (
	// bulkMin is the body length from which a body stays out of user space: below it a copy through the scratch buffer is
	// cheaper than the pipe. See docs/decisions/data-plane.md.
	bulkMin = 32 << 10

	// headBytes is how much is read where another large body is expected: its head, and little of what a pipe moves for less.
	headBytes = 1 << 10
)

// bulk moves one large body without looking at it.
type bulk struct {
	mover   splice.Mover
	limit   int64
	request bool // client to backend; else backend to client
}

// streamRequest goes on with a request that is too large to be kept. The first lead bytes of data were taken before and are
// not sent yet. It returns how many bytes of data are done with.
func (w *worker) streamRequest(s *session, data []byte, lead int) int {
	n, skip, verdict := s.req.Stream(data[lead:])
	whole := verdict == resp.Whole
	if verdict == resp.Bad {
		w.refuseProtocol(s)
		return len(data)
	}
	if s.has(requestDropped) {
		skip = 0
	} else {
		s.conv.Streamed(n, whole)
		if skip < bulkMin {
			w.toBackend(s, data[:lead+n])
		} else {
			w.startBulk(s, true, data, skip)
		}
	}
	if whole {
		w.endRequest(s)
	}
	return lead + n
}

func (w *worker) endRequest(s *session) {
	s.req.Reset()
	s.set(requestOpen|requestDropped, false)
}

// big begins a request that is forwarded as it comes; n bytes of it are scanned. It reports whether the request ended
// within the batch, so that the walk goes on behind it.
func (b *batch) big(n int) bool {
	s, w, care := b.s, b.w, b.s.view.pool.care
	cmd, act, answer := s.req.Command(), resp.ActForward, resp.AnswerNone
	if !s.conv.Forward(care, cmd) {
		act, answer = s.conv.Admit(care, cmd, nil)
	}
	if care.Slow(cmd) {
		s.view.pool.slow.Add(1)
	}
	s.set(requestOpen|bigRequests, true)
	if act == resp.ActForward || act == resp.ActOpaque {
		s.conv.TakeBig(&w.flights, cmd, w.now())
		s.conv.Streamed(n, false)
		b.off += n
	} else {
		b.forward(b.off)
		b.instead(cmd, act, answer, nil)
		s.set(requestDropped, true)
		b.off += n
		b.start = b.off
	}
	b.start += w.streamRequest(s, b.data[b.start:], b.off-b.start)
	b.off = b.start
	return s.state != stateFree && !s.has(requestOpen)
}

// streamReply goes on with a reply that is too large to be kept. The first lead bytes of data were taken before and are not
// delivered yet. It returns how many bytes of data are done with.
func (w *worker) streamReply(s *session, data []byte, lead int) int {
	n, skip, verdict := s.rep.Stream(data[lead:])
	n += lead
	if verdict == resp.Bad {
		w.close(s, ClosedByBackend)
		return len(data)
	}
	switch {
	case s.has(replyDropped):
	case skip >= bulkMin && n == len(data):
		w.startBulk(s, false, data, skip)
	default:
		w.deliver(s, data[:n])
	}
	if verdict == resp.Whole {
		s.rep.Reset()
		s.set(replyOpen|replyDropped, false)
		if s.has(forgetDue) {
			w.tellReceiver(s.token(tokenClient), s.conv.ID())
		}
		w.settle(s)
		if s.state != stateFree {
			w.account(s)
		}
	}
	return n
}

// startBulk sends the head of a body, and then the body itself as it comes.
func (w *worker) startBulk(s *session, request bool, head []byte, limit int64) {
	w.commit()
	from, to, unsent := s.backend, s.client, &s.toward
	expected := bigReplies
	if request {
		from, to, unsent = s.client, s.backend, &s.out
		expected = bigRequests
	}
	if s.bulk != nil || *unsent != nil || s.has(clientGone) {
		write(to, unsent, head) // the other direction is at it, or what goes before is not sent yet
		return
	}
	if n, _ := splice.SendHead(int(to), head); n < len(head) {
		keep(unsent, head[max(n, 0):])
		return
	}
	s.set(expected, true)
	s.bulk = &bulk{limit: limit, request: request}
	s.bulk.mover.Start(int(from), int(to), limit)
	w.runBulk(s)
}

// runBulk goes on moving the body; it ends, or waits for readiness. True says that there is more to do at once.
func (w *worker) runBulk(s *session) bool {
	b := s.bulk
	source, target := uint32(backendReadable), tokenBackend
	if b.request {
		source, target = clientReadable, tokenClient
	}
	outcome, _ := b.mover.Run(w.loop)
	if b.request {
		s.heard = w.clock()
	}
	switch outcome {
	case splice.SrcEmpty:
		s.set(source, false)
	case splice.DstFull:
	case splice.BudgetSpent:
		w.loop.Defer(s.token(target))
		return true
	case splice.LimitReached:
		w.endBulk(s)
	case splice.EOF, splice.SrcFailed:
		if b.request {
			w.close(s, ClosedByClient)
		} else {
			w.onBackendLost(s, lossOf(outcome))
		}
	case splice.DstFailed:
		if b.request {
			w.loseBulk(s)
		} else {
			w.close(s, ClosedByClient)
		}
	}
	return false
}

// loseBulk: the backend does not take the body any more. What it has sent before is read, then it is lost.
func (w *worker) loseBulk(s *session) {
	w.dropBulk(s)
	s.set(backendReadable|backendEnded, true)
	w.pumpReplies(s)
}

func lossOf(outcome splice.Outcome) EvidenceKind {
	if outcome == splice.EOF {
		return EvidenceEOF
	}
	return EvidenceReset
}

// endBulk: the body is through; the framing goes on behind it.
func (w *worker) endBulk(s *session) {
	b := s.bulk
	s.bulk = nil
	b.mover.Release(w.loop)
	if b.request {
		s.req.Skipped(b.limit)
		s.conv.Streamed(int(b.limit), false)
		s.set(clientReadable, true)
		w.streamRequest(s, nil, 0)
		return
	}
	s.rep.Skipped(b.limit)
	s.set(backendReadable, true)
	w.streamReply(s, nil, 0)
}

// dropBulk ends a body that cannot be delivered. What the client has already sent of a request body is skipped; the
// rest is thrown away as it comes.
func (w *worker) dropBulk(s *session) {
	b := s.bulk
	s.bulk = nil
	if b.request {
		taken := b.limit - b.mover.Left() + b.mover.Pending()
		s.req.Skipped(taken)
		s.set(clientReadable, true)
		if _, _, verdict := s.req.Stream(nil); verdict == resp.Whole {
			w.endRequest(s) // all of it was taken, so nothing is left to throw away
		}
	}
	b.mover.Release(w.loop)
}
