package proxy

import (
	"syscall"

	"holdfast/proxy/resp"
	"holdfast/splice"
)

// requestBudget bounds the bytes taken from one client in one go, so that its neighbours are not starved.
const requestBudget = 1 << 20

// towardMax bounds the bytes that wait for a client which sends and does not read. Above it the client is not read: its
// requests may be answered without a backend, so that the flight alone bounds nothing.
const towardMax = 1 << 20

// open says whether requests of this view may go on, after the newest route was followed.
func (w *worker) open(v *view) bool {
	if v.pool.route.Load() != v.seen {
		w.follow(v)
	}
	return v.seen.Gate == GateOpen && !v.suspect
}

// pumpRequests reads the client while its session may take requests.
func (w *worker) pumpRequests(s *session) {
	if s.bulk != nil && s.bulk.request {
		if w.runBulk(s); s.state == stateFree || (s.bulk != nil && s.bulk.request) {
			return
		}
	}
	for budget := requestBudget; s.has(clientReadable|requestsKept) && !s.has(quitting|spoilt); {
		if !s.has(requestOpen) && (!w.open(s.view) || s.state != stateServing) {
			if s.state == stateServing {
				w.hold(s)
				w.advance(s)
			}
			return
		}
		if s.conv.Full() || s.awaitsLogin() || s.out != nil || buffered(s.toward) > towardMax || (s.bulk != nil && s.bulk.request) {
			return // the next reply, or the readiness of backend or client, comes back here
		}
		n := w.readRequests(s)
		if n < 0 || s.state == stateFree {
			return
		}
		if budget -= n; budget <= 0 {
			w.loop.Defer(s.token(tokenClient))
			return
		}
	}
}

// readRequests reads once and handles what came. It returns -1 when there is nothing to go on with.
func (w *worker) readRequests(s *session) int {
	data, n := w.read(s)
	if n > 0 {
		w.takeRequests(s, data)
	}
	return n
}

// read returns what the client sent, behind the beginning of a request that is kept, and the number of new bytes; -1
// when there are none. Requests that were read before and not looked at count as new.
func (w *worker) read(s *session) ([]byte, int) {
	p := w.loop.Scratch()
	have := buffered(s.in)
	limited := have == 0 && s.has(bigRequests)
	if limited {
		p = p[:headBytes]
	}
	if s.has(requestsKept) {
		s.set(requestsKept, false)
		copy(p, s.in.B)
		drop(&s.in)
		return p[:have], have
	}
	n, errno := splice.Recv(int(s.client), p[have:])
	switch {
	case errno == syscall.EAGAIN:
		s.set(clientReadable, false)
		return nil, -1
	case errno != 0:
		w.close(s, ClosedByClient)
		return nil, -1
	case n == 0:
		w.onClientEnd(s)
		return nil, -1
	}
	s.heard = w.clock()
	if n < len(p)-have && !s.has(clientEnded) {
		s.set(clientReadable, false) // a short read drained it; the next byte brings a new event
	} else if limited {
		s.set(bigRequests, false) // unless this is the head of another large body
	}
	if have > 0 {
		copy(p, s.in.B)
		drop(&s.in)
	}
	return p[:have+n], n
}

// onClientEnd: the client sends no more. What it is owed is delivered first.
func (w *worker) onClientEnd(s *session) {
	w.commit()
	if !s.owed() && s.toward == nil {
		w.close(s, ClosedByClient)
		return
	}
	s.set(clientReadable, false)
	s.set(clientEnded, true)
	s.move(stateFinishing)
	w.finish(s)
}

// takeRequests handles bytes of the client. data begins at a request, or goes on with a streamed one.
func (w *worker) takeRequests(s *session, data []byte) {
	if s.has(requestOpen) {
		n := w.streamRequest(s, data, 0)
		if data = data[n:]; len(data) == 0 || s.state == stateFree {
			return
		}
		if !s.view.steady() || s.state != stateServing {
			keep(&s.in, data)
			s.set(requestsKept, true)
			return
		}
	}
	b := batch{w: w, s: s, data: data, guest: s.guest()}
	for b.off < len(data) && !s.has(quitting|spoilt) && b.next() {
	}
	if s.state == stateFree || s.state == statePiping {
		return
	}
	b.forward(b.off)
	w.settle(s)
	if s.state != stateFree {
		w.account(s)
	}
}

// batch walks over the requests of one read. Requests that simply go to the backend are sent in one piece.
//
// Invariants: data[start:off] is taken into the conversation and not yet written to the backend; models are offsets of whole
// requests in data, and shapes theirs.
type batch struct {
	w          *worker
	s          *session
	data       []byte
	start, off int
	guest      bool
	shapes     [2]resp.Shape
	models     [2]int
}

// forward writes what was taken up to end.
func (b *batch) forward(end int) {
	if b.start < end {
		b.w.toBackend(b.s, b.data[b.start:end])
	}
	b.start = end
}

// next handles one request; false ends the walk.
func (b *batch) next() bool {
	s := b.s
	for i := range b.shapes {
		if n, ok := b.shapes[i].Fits(b.data[b.models[i]:], b.data[b.off:]); ok {
			return b.whole(b.shapes[i].Command(), n)
		}
	}
	n, verdict := s.scan(&s.req, b.data[b.off:], b.guest)
	switch verdict {
	case resp.Whole:
		b.learn(s.req.Shape())
		more := b.whole(s.req.Command(), n)
		s.req.Reset()
		return more
	case resp.Blank:
		b.forward(b.off)
		b.off += n
		b.start = b.off
		s.req.Reset()
		return true
	case resp.More:
		b.forward(b.off)
		keep(&s.in, b.data[b.off:])
		b.start, b.off = len(b.data), len(b.data)
	case resp.Big:
		return b.big(n)
	case resp.Bad:
		b.forward(b.off)
		if !b.putOff() {
			b.w.refuseProtocol(s)
		}
		b.start, b.off = len(b.data), len(b.data)
	}
	return false
}

// learn remembers the shape of the request at off, for those behind it. Two are enough for a client that reads and writes in turn.
func (b *batch) learn(shape resp.Shape) {
	if b.guest {
		return // whose limits are told by a scan
	}
	b.shapes[1], b.models[1] = b.shapes[0], b.models[0]
	b.shapes[0], b.models[0] = shape, b.off
}

// whole handles one request of n bytes; false ends the walk.
func (b *batch) whole(cmd resp.Command, n int) bool {
	s, w, care := b.s, b.w, b.s.view.pool.care
	req := b.data[b.off : b.off+n]
	if s.conv.Forward(care, cmd) {
		s.conv.Take(&w.flights, cmd, req, w.now())
	} else {
		if b.loginWaits(cmd) {
			return false
		}
		cmd = s.view.pool.vocabulary.Load().Translate(cmd, req)
		switch act, answer := s.conv.Admit(care, cmd, req); {
		case act == resp.ActForward && care.Named(cmd):
			b.translated(cmd, req)
		case act == resp.ActForward:
			s.conv.Take(&w.flights, cmd, req, w.now())
		default:
			b.forward(b.off)
			b.instead(cmd, act, answer, req)
			b.start = b.off + n
		}
	}
	if care.Slow(cmd) {
		s.view.pool.slow.Add(1)
	}
	b.off += n
	return true
}

// loginWaits keeps a login, and all that is behind it, until everything before it was answered. Newer servers do not answer
// one that fails while other replies are on their way, and then each reply would be taken for that of the next request.
func (b *batch) loginWaits(cmd resp.Command) bool {
	s := b.s
	if (cmd != resp.CmdAuth && cmd != resp.CmdHello) || s.conv.Unanswered() == 0 {
		return false
	}
	b.forward(b.off)
	keep(&s.in, b.data[b.off:])
	s.set(requestsKept|loginAwaited, true)
	b.start, b.off = len(b.data), len(b.data)
	return true
}

// instead handles a request that the backend does not get as it is.
func (b *batch) instead(cmd resp.Command, act resp.Act, answer resp.Answer, req []byte) {
	s, w := b.s, b.w
	switch act {
	case resp.ActDiscard:
		s.conv.TakeLocal(&w.flights, cmd, act, answer, w.now())
		w.toBackend(s, resp.DiscardRequest())
	case resp.ActOpaque:
		if cmd == resp.CmdMonitor { // its first reply decides
			s.conv.Take(&w.flights, cmd, req, w.now())
			w.toBackend(s, req)
			return
		}
		w.toBackend(s, b.data[b.off:])
		b.off = len(b.data) - len(req)
		w.becomePiping(s)
	default:
		s.set(quitting, act == resp.ActQuit)
		s.conv.TakeLocal(&w.flights, cmd, act, answer, w.now())
	}
}

// refuseProtocol answers a broken request as Redis does and ends the session once that is delivered.
func (w *worker) refuseProtocol(s *session) {
	s.set(spoilt, true)
	if s.has(requestOpen) && !s.has(requestDropped) {
		if fault := s.req.Fault(); fault != "" && s.stranded() {
			w.deliver(s, []byte("-"+fault+"\r\n"))
		}
		w.close(s, ClosedByProtocol) // the backend has the beginning of it and will never answer
		return
	}
	s.move(stateFinishing)
	if w.settle(s); s.state != stateFree {
		w.account(s)
		w.finish(s)
	}
}

// settle gives the answers whose turn has come and that no backend has to give.
func (w *worker) settle(s *session) {
	for !s.has(replyOpen) {
		cmd, act, answer, ok := s.conv.Settle(&w.flights)
		if !ok {
			return
		}
		if s.view.pool.care.Slow(cmd) {
			s.view.pool.slow.Add(-1)
		}
		if answer != resp.AnswerNone {
			w.deliver(s, []byte(answer.Text(s.conv.Proto())))
		}
		if act == resp.ActQuit {
			s.move(stateFinishing)
			w.account(s)
			w.finish(s)
			return
		}
	}
}
