package proxy

import (
	"context"
	"fmt"
	"sync"

	"holdfast/proxy/resp"
	"holdfast/splice"
)

// CloseReason says why a session ended. Every session ends with exactly one.
type CloseReason uint8

const (
	ClosedByClient   CloseReason = iota // end of stream or reset from the client
	ClosedByQuit                        // QUIT
	ClosedByProtocol                    // the client broke the protocol
	ClosedMidReply                      // the backend was lost with a large reply half delivered
	ClosedOpaque                        // bytes nobody looks at: the backend was lost, or too many wait for one
	ClosedReplay                        // the new master refused the session's login or settings
	ClosedByBackend                     // the backend broke the protocol or answered what nobody asked
	ClosedShutdown                      // Holdfast ends
	ClosedForeign                       // the client speaks HTTP or TLS
	ClosedHandshake                     // a new client did not complete its first request in time
	ClosedRequest                       // an unfinished request stood still for too long
	ClosedIdle                          // the client said nothing for too long
	ClosedOutput                        // the client did not read, or so slowly that its server gave it up
	ClosedUnknown                       // the backend was lost, and with it state of the session that nobody knows
	ClosedKilled                        // by CLIENT KILL ID of another client
	closeReasonCount
)

var closeReasonNames = [closeReasonCount]string{
	"client", "quit", "protocol-error", "mid-reply", "opaque", "replay-refused", "backend-error", "shutdown",
	"foreign-protocol", "handshake-timeout", "request-timeout", "idle-timeout", "output-limit",
	"state-unknown", "killed",
}

func (r CloseReason) String() string { return closeReasonNames[r] }

// Stats is a count of one pool's sessions at one moment of each loop.
type Stats struct {
	Clients    int
	Held       int
	Unanswered int // sessions with unanswered requests
	Accepted   uint64
	Closed     [closeReasonCount]uint64
	Turned     [turnReasonCount]uint64
	Refused    uint64         // requests answered as not executed because the gate refused
	Cut        resp.CutCounts // unanswered requests of lost backend connections
	Gaps       Gaps
	Odd        uint64 // sessions that have executed a command of unknown meaning
}

func (s *Stats) add(o Stats) {
	s.Clients += o.Clients
	s.Held += o.Held
	s.Unanswered += o.Unanswered
	s.Accepted += o.Accepted
	s.Refused += o.Refused
	s.Cut.Add(o.Cut)
	for i, n := range o.Turned {
		s.Turned[i] += n
	}
	s.Gaps.add(o.Gaps)
	s.Odd += o.Odd
	for i, n := range o.Closed {
		s.Closed[i] += n
	}
}

// Stats asks every loop; a loop that does not answer before ctx ends is left out and the error says so.
func (p *Pool) Stats(ctx context.Context) (Stats, error) {
	var mu sync.Mutex // guards sum: loops answer in parallel
	var sum Stats
	err := p.ask(ctx, func(v *view, answer chan<- CutReport) {
		s := v.stats()
		mu.Lock()
		sum.add(s)
		mu.Unlock()
		answer <- CutReport{}
	}, func(CutReport) {})
	mu.Lock()
	defer mu.Unlock()
	return sum, err
}

// Pipes counts the kernel pipes of all loops; a loop that does not answer before ctx ends is left out and the error says so.
func (p *Proxy) Pipes(ctx context.Context) (splice.PipeStats, error) {
	answers := make(chan splice.PipeStats, len(p.workers)) // room for all, so no loop ever waits
	var sum splice.PipeStats
	for _, w := range p.workers {
		if !w.loop.Post(func() { answers <- w.loop.Pipes().Stats() }) {
			return sum, errLoopEnded
		}
	}
	for range p.workers {
		select {
		case s := <-answers:
			sum.Open += s.Open
			sum.InUse += s.InUse
		case <-ctx.Done():
			return sum, fmt.Errorf("count pipes: %w", context.Cause(ctx))
		}
	}
	return sum, nil
}

// Clients is the number of connected and of held clients. It reads counters and never waits for a loop.
func (p *Pool) Clients() (connected, held int) {
	for _, w := range p.proxy.workers {
		v := w.views[p.index]
		connected += int(v.connected.Load())
		held += int(v.held.Load())
	}
	return connected, held
}

func (v *view) stats() Stats {
	s := Stats{Held: v.lists[stateHeld].n, Unanswered: v.busy, Accepted: v.accepted, Closed: v.closed, Refused: v.refused,
		Turned: v.turned, Cut: v.cut, Gaps: v.gaps, Odd: v.odd}
	for _, l := range v.lists {
		s.Clients += l.n
	}
	return s
}
