package resp

import "unsafe"

// Limits of one connection's unanswered requests. Above them the client is not read until replies arrive, so that
// a client that pipelines without reading costs a bounded amount of memory.
const (
	flightEntriesMax = 16384
	flightBytesMax   = 1 << 20
	// flightsFreeBytesMax bounds the memory that the free list of one loop keeps. Each flight grows to the largest requests it ever
	// had, so that without a bound a day of clients with values of 60 KiB costs 16 MiB for good. What exceeds it is left to the
	// collector: a few flights serve almost all requests, because the one that came back last is handed out first.
	flightsFreeBytesMax = 1 << 20
	// flightDeadMax is how many answered entries may lie before the head; with it, and with flightBytesMax for their
	// bytes, a pipeline that never runs dry moves each entry about once and keeps twice the bound at most.
	flightDeadMax = flightEntriesMax
	// flightsFreeMax bounds the free list of one loop.
	flightsFreeMax = 256
)

// Act says how an entry is answered.
type Act uint8

const (
	// ActForward: the request goes to the backend and the backend's reply to the client.
	ActForward Act = iota
	// ActLocal: the backend never sees the request; the answer is given when its turn comes.
	ActLocal
	// ActDiscard: the backend sees DISCARD in place of EXEC, and the client sees the entry's answer.
	ActDiscard
	// ActQuit: answered with OK, then the connection ends.
	ActQuit
	// ActOpaque: framing is given up from here on.
	ActOpaque
)

// Entry is one unanswered request.
type Entry struct {
	end    uint64 // backend stream position after its last byte; endOpen while it is still being streamed
	size   uint32 // bytes kept for sending again; 0: not kept
	at     uint32 // ticks of the loop's clock when it was taken from the client; wraps
	cmd    Command
	act    Act
	answer Answer
	marks  mark
}

// mark is what is known of an entry beyond its place.
type mark uint8

const (
	// markAgain: refused by the backend, so not executed.
	markAgain mark = 1 << iota
	// markUnsure: a write that may have been executed by a lost backend and is sent again all the same. It can never
	// be called not executed.
	markUnsure
	// markResent: sent by Resume, so its time with the present backend counts from there.
	markResent
	// markNamed: the reply names a position of the server, see cursor.go.
	markNamed
	// markMute: the client has asked not to hear the answer.
	markMute
)

func (e *Entry) is(m mark) bool { return e.marks&m != 0 }

// awaited says that the backend is going to answer the entry.
func (e *Entry) awaited() bool { return e.act == ActForward || e.act == ActDiscard }

// endOpen marks an entry whose last byte has not been queued yet.
const endOpen = ^uint64(0)

// Flight is the queue of one connection's unanswered requests, oldest first, with a copy of each small one.
//
// Invariant: the sizes of entries[head:] add up to len(kept)-keptHead.
type Flight struct {
	entries  []Entry
	kept     []byte
	head     int
	keptHead int
}

// Flights is the free list of one loop. Connections with nothing in flight own no Flight.
//
// Invariant: bytes is the sum of the sizes of free, at most flightsFreeBytesMax.
type Flights struct {
	free   []*Flight
	bytes  int
	lesson lesson

	renamed []byte // see Renamed
	taken   int
	server  uint64
	names   Names // those of the connection at hand, if its reply may name others
}

func (p *Flights) take() *Flight {
	if n := len(p.free); n > 0 {
		f := p.free[n-1]
		p.free = p.free[:n-1]
		p.bytes -= f.bytes()
		return f
	}
	return &Flight{}
}

func (p *Flights) put(f *Flight) {
	size := f.bytes()
	if len(p.free) >= flightsFreeMax || p.bytes+size > flightsFreeBytesMax {
		return
	}
	f.entries, f.kept, f.head, f.keptHead = f.entries[:0], f.kept[:0], 0, 0
	p.bytes += size
	p.free = append(p.free, f)
}

// bytes is the memory that the flight owns.
func (f *Flight) bytes() int { return cap(f.entries)*int(unsafe.Sizeof(Entry{})) + cap(f.kept) }

// Len is the number of unanswered requests.
func (f *Flight) Len() int {
	if f == nil {
		return 0
	}
	return len(f.entries) - f.head
}

func (f *Flight) full() bool {
	return f != nil && (f.Len() >= flightEntriesMax || len(f.kept)-f.keptHead >= flightBytesMax)
}

func (f *Flight) front() *Entry { return &f.entries[f.head] }

func (f *Flight) frontBytes() []byte { return f.kept[f.keptHead : f.keptHead+int(f.front().size)] }

// push adds an entry with nothing but its size. It is filled in where it lies: a struct of so many small fields is not passed in
// registers, and its way over the stack takes longer than all the rest.
func (f *Flight) push(req []byte) *Entry {
	if f.head > flightDeadMax || f.keptHead > flightBytesMax {
		f.compact()
	}
	f.kept = append(f.kept, req...)
	if len(f.entries) == cap(f.entries) {
		f.entries = append(f.entries, Entry{})
	} else {
		f.entries = f.entries[:len(f.entries)+1]
	}
	e := &f.entries[len(f.entries)-1]
	e.size, e.act, e.answer, e.marks = uint32(len(req)), ActForward, AnswerNone, 0
	return e
}

func (f *Flight) compact() {
	f.entries = f.entries[:copy(f.entries, f.entries[f.head:])]
	f.kept = f.kept[:copy(f.kept, f.kept[f.keptHead:])]
	f.head, f.keptHead = 0, 0
}

func (f *Flight) pop() {
	f.keptHead += int(f.entries[f.head].size)
	f.head++
}

// live are the entries that are unanswered.
func (f *Flight) live() []Entry {
	if f == nil {
		return nil
	}
	return f.entries[f.head:]
}

// CountSlow is the number of unanswered requests that are known to run long.
func (c *Conv) CountSlow(care *Care) (n int) {
	for _, e := range c.flight.live() {
		if care.Slow(e.cmd) {
			n++
		}
	}
	return n
}
