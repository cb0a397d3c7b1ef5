package proxy

// gather collects the small writes of one turn of the loop and sends them at its end, one after the other. A write
// wakes whoever sleeps at the other end, and that costs the writer more than the write itself; a server that is sent
// many requests in a row sleeps once for all of them.
//
// Invariants: a session with gathered bytes is alive, has the bit gathered, and is touched again only after commit;
// nothing is gathered behind bytes that the kernel did not take.
type gather struct {
	bytes []byte
	parts []part
}

// part is one write: the bytes up to end, from the end of the part before it.
type part struct {
	s        *session
	end      int32
	toClient bool
}

const (
	// gatherPartMax is the largest write that is gathered. Above it the copy costs more than the wake-up saves.
	gatherPartMax = 4 << 10
	// gatherMax bounds what waits; it stays in the processor's cache.
	gatherMax = 64 << 10
)

// toBackend sends p to the backend, at the latest at the end of the loop's turn.
func (w *worker) toBackend(s *session, p []byte) {
	if s.out != nil || len(p) > gatherPartMax {
		w.commit()
		write(s.backend, &s.out, p)
		return
	}
	w.add(s, p, false)
}

// deliver sends p to the client, behind what it has not taken yet, at the latest at the end of the loop's turn.
func (w *worker) deliver(s *session, p []byte) {
	if s.has(clientGone) {
		return
	}
	if s.toward != nil || len(p) > gatherPartMax {
		w.commit()
		write(s.client, &s.toward, p)
		return
	}
	w.add(s, p, true)
}

func (w *worker) add(s *session, p []byte, toClient bool) {
	if len(p) == 0 {
		return
	}
	g := &w.gather
	if len(g.bytes)+len(p) > gatherMax {
		w.commit()
	}
	s.set(gathered, true)
	g.bytes = append(g.bytes, p...)
	g.parts = append(g.parts, part{s: s, end: int32(len(g.bytes)), toClient: toClient})
}

// commit sends what was gathered, to the backends first and then to the clients. Writes in turn to both would let either fall asleep
// between two of them, and each that is asleep costs a wake-up. What the kernel does not take becomes the session's unsent bytes.
func (w *worker) commit() {
	g := &w.gather
	if len(g.parts) == 0 {
		return
	}
	g.send(false)
	g.send(true)
	clear(g.parts)
	g.bytes, g.parts = g.bytes[:0], g.parts[:0]
}

// send sends the parts of one direction.
func (g *gather) send(toClient bool) {
	start := int32(0)
	for i := range g.parts {
		p := &g.parts[i]
		bytes := g.bytes[start:p.end]
		start = p.end
		switch {
		case p.toClient != toClient:
		case toClient:
			write(p.s.client, &p.s.toward, bytes)
		default:
			write(p.s.backend, &p.s.out, bytes)
		}
		p.s.set(gathered, false)
	}
}

// OnPassEnd implements splice.Finisher.
func (w *worker) OnPassEnd() {
	w.commit()
	w.dateAcks()
}
