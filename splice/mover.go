package splice

import (
	"syscall"

	"github.com/valyala/bytebufferpool"
)

// BudgetBytes is how much one Run of a Mover reads, in bytes, before the other descriptors have their turn. One chunk may go
// over it. More makes small requests wait behind bulk; less makes bulk pay for more passes.
const BudgetBytes = 1 << 20

const (
	// bigRead, in bytes: a read of that size says that the peer sends bulk. Below it copying is as cheap as splicing.
	bigRead = 128 << 10

	// bigReadsToSplice is how many big reads in a row it takes. One alone is often a single answer that is over by then.
	bigReadsToSplice = 2

	// smallSplice, in bytes: a splice below it ends the bulk, since copying so little costs less than two splices.
	smallSplice = 16 << 10
)

// Mover carries bytes one way, from src to dst, without looking at them. Both descriptors must be non-blocking stream sockets. The
// zero Mover is ready for Start.
//
//	          two big reads, or a known limit
//	Copying ---------------------------------> Splicing
//	   ^                                          |
//	   +------------------------------------------+
//	     a small splice, no pipe to be had, or a socket that cannot
//
// It reads only when nothing is pending, so an EAGAIN is never ambiguous: while reading, the pipe is empty and the source has
// nothing; while writing, the pipe is not and the destination is full.
//
// Invariant: pipe != nil exactly while the pipe holds bytes, rest != nil exactly while copied bytes are unsent, never both.
type Mover struct {
	src, dst int
	unread   int64 // of the limit; below 0: no limit
	total    int64 // bytes delivered
	spliced  int64 // of these, through a pipe

	pipe *Pipe
	rest *bytebufferpool.ByteBuffer
	sent int // of rest

	ended    ending
	endErrno syscall.Errno
	dstErrno syscall.Errno // why the destination broke: a socket tells it once, the Mover every time
	splicing bool
	copyOnly bool // a socket of this pair cannot be spliced
	trusting bool
	bigReads uint8
}

// ending is what is known of the source.
type ending uint8

const (
	endingOpen   ending = iota // more may come
	endingEOF                  // it said that it will send no more
	endingFailed               // it broke; endErrno says how
)

// Start makes the Mover carry limit bytes, or all until the end of the stream if limit is below 0. A Mover that was used
// before must have been released or have come to an end.
func (m *Mover) Start(src, dst int, limit int64) {
	*m = Mover{src: src, dst: dst, unread: max(limit, -1), splicing: limit >= smallSplice, trusting: m.trusting}
}

// TrustShortReads saves the read that only says EAGAIN: a short read then counts as the last. It is for callers who take the
// trust back, with false, before the Run that follows a PeerClosed or Broken event; else the end of the stream goes unseen.
func (m *Mover) TrustShortReads(trust bool) { m.trusting = trust }

// Pending is what was read and is not delivered.
func (m *Mover) Pending() int64 {
	switch {
	case m.pipe != nil:
		return int64(m.pipe.held)
	case m.rest != nil:
		return int64(m.rest.Len() - m.sent)
	default:
		return 0
	}
}

// Left is what of the limit is not delivered, and -1 without a limit.
func (m *Mover) Left() int64 {
	if m.unread < 0 {
		return -1
	}
	return m.unread + m.Pending()
}

// Moved is what was delivered since Start, and how much of it never entered user space.
func (m *Mover) Moved() (total, spliced int64) { return m.total, m.spliced }

// Release gives pipe and buffer back. Pending bytes are lost.
func (m *Mover) Release(l *Loop) {
	m.dropPipe(l)
	m.dropRest()
}

// Run moves what can be moved now. It overwrites the loop's scratch buffer.
func (m *Mover) Run(l *Loop) (Outcome, syscall.Errno) {
	for read := 0; ; {
		if !m.flush(l) {
			return DstFull, 0
		}
		switch {
		case m.dstErrno != 0:
			return DstFailed, m.dstErrno
		case m.unread == 0:
			return LimitReached, 0
		case m.ended == endingEOF:
			return EOF, 0
		case m.ended == endingFailed:
			return SrcFailed, m.endErrno
		case read >= BudgetBytes:
			return BudgetSpent, 0
		}
		n, dry := m.fill(l)
		if n == 0 && dry {
			return SrcEmpty, 0
		}
		read += n
		if dry && m.Pending() == 0 && m.unread != 0 {
			return SrcEmpty, 0
		}
	}
}

// flush delivers what is pending. False means that the destination is full; one that is broken counts as flushed.
func (m *Mover) flush(l *Loop) bool {
	switch {
	case m.dstErrno != 0:
		return true
	case m.pipe != nil:
		return m.flushPipe(l)
	case m.rest != nil:
		return m.flushRest()
	default:
		return true
	}
}

func (m *Mover) flushPipe(l *Loop) bool {
	for m.pipe.held > 0 {
		n, errno := move(m.pipe.r, m.dst, m.pipe.held)
		if errno != 0 {
			return m.onNothingWritten(errno)
		}
		m.pipe.held -= n
		m.total += int64(n)
		m.spliced += int64(n)
	}
	m.dropPipe(l)
	return true
}

func (m *Mover) flushRest() bool {
	for m.sent < m.rest.Len() {
		n, errno := Send(m.dst, m.rest.B[m.sent:])
		if errno != 0 {
			return m.onNothingWritten(errno)
		}
		m.sent += n
		m.total += int64(n)
	}
	m.dropRest()
	return true
}

// fill reads once. dry says that the source has nothing more for now; what it gave may be pending.
func (m *Mover) fill(l *Loop) (n int, dry bool) {
	if m.splicing && !m.copyOnly && m.wanted(smallSplice) == smallSplice {
		if pipe := l.pipes.Take(); pipe != nil {
			return m.fillPipe(l, pipe)
		}
	}
	return m.fillCopy(l)
}

func (m *Mover) fillPipe(l *Loop, pipe *Pipe) (int, bool) {
	n, errno := move(m.src, pipe.w, m.wanted(pipe.size))
	if n > 0 {
		pipe.held = n
		m.pipe = pipe
		m.account(n)
		m.splicing = n >= smallSplice || m.unread >= smallSplice
		return n, false
	}
	l.pipes.Put(pipe)
	if cannotSplice(errno) {
		m.copyOnly = true
		return 0, false
	}
	return 0, m.onNothingRead(errno)
}

func (m *Mover) fillCopy(l *Loop) (int, bool) {
	room := l.scratch[:m.wanted(len(l.scratch))]
	n, errno := Recv(m.src, room)
	if n == 0 {
		return 0, m.onNothingRead(errno)
	}
	m.account(n)
	m.judgeRead(n, len(l.scratch))
	m.deliver(room[:n])
	return n, m.trusting && n < len(room)
}

// deliver sends what was just copied and keeps what the destination does not take.
func (m *Mover) deliver(p []byte) {
	n, errno := Send(m.dst, p)
	m.total += int64(n)
	if n == len(p) {
		return
	}
	if errno != 0 {
		m.onNothingWritten(errno)
	}
	m.rest = bytebufferpool.Get()
	m.rest.B = append(m.rest.B[:0], p[n:]...)
	m.sent = 0
}

// judgeRead turns to splicing after enough big reads. With a scratch buffer below bigRead a full one counts.
func (m *Mover) judgeRead(n, scratch int) {
	if n < min(bigRead, scratch) {
		m.bigReads = 0
		return
	}
	if m.bigReads++; m.bigReads >= bigReadsToSplice {
		m.bigReads, m.splicing = 0, true
	}
}

// onNothingRead notes the end of the source. It returns true while the source only has nothing for now.
func (m *Mover) onNothingRead(errno syscall.Errno) bool {
	switch errno {
	case syscall.EAGAIN:
		return true
	case 0:
		m.ended = endingEOF
	default:
		m.ended, m.endErrno = endingFailed, errno
	}
	return false
}

// onNothingWritten notes that the destination broke. It returns false while the destination is only full.
func (m *Mover) onNothingWritten(errno syscall.Errno) bool {
	if errno == syscall.EAGAIN {
		return false
	}
	m.dstErrno = errno
	return true
}

// wanted is how much to ask for: never beyond the limit, since what follows it belongs to somebody else.
func (m *Mover) wanted(room int) int {
	if m.unread >= 0 && m.unread < int64(room) {
		return int(m.unread)
	}
	return room
}

func (m *Mover) account(n int) {
	if m.unread > 0 {
		m.unread -= int64(n)
	}
}

func (m *Mover) dropPipe(l *Loop) {
	if m.pipe != nil {
		l.pipes.Put(m.pipe)
		m.pipe = nil
	}
}

func (m *Mover) dropRest() {
	if m.rest != nil {
		bytebufferpool.Put(m.rest)
		m.rest, m.sent = nil, 0
	}
}

// cannotSplice is true for the errors that speak of the call and not of the connection: nothing was taken, so copying can go on.
func cannotSplice(errno syscall.Errno) bool {
	switch errno {
	case syscall.EINVAL, syscall.ENOSYS, syscall.EPERM, syscall.ENOMEM:
		return true
	default:
		return false
	}
}
