package sim

import (
	"slices"
	"time"

	"holdfast/health"
	"holdfast/proxy/resp"
)

const (
	// nagEvery and dialTimeout are those of proxy.
	nagEvery    = 250 * time.Millisecond
	dialTimeout = 2 * time.Second
	// aliveMargin is taken off the time since the last proof of life, as proxy does.
	aliveMargin = 50 * time.Millisecond
	// dialsMax is small, so that sessions wait for their turn here, too.
	dialsMax = 4
)

// state is where a session stands; the names are those of proxy.
type state uint8

const (
	stateFree state = iota
	stateFresh
	stateHeld
	stateQueued
	stateDialing
	stateServing
	stateFinishing
)

// plane is the data plane: one event loop with the sessions of one pool.
type plane struct {
	h       *holdfast
	w       *world
	route   health.Route // what the control plane has published
	seen    health.Route // what was followed last
	suspect bool
	nagging bool
	dialing int
	care    *resp.Care
	flights resp.Flights
	acks    resp.Acks
	fallen  resp.CutCounts
	// busyUntil: the loop does something else until then; sockets and mail wait.
	busyUntil time.Duration
	// sessions are in the order in which they came into their present state.
	sessions []*session
	quiet    []func()
}

func newPlane(h *holdfast) *plane {
	care, _ := resp.NewCare(nil)
	return &plane{h: h, w: h.w, care: care}
}

// now is the loop's clock in ticks.
func (p *plane) now() uint32 { return ticks(p.w.now) }

func ticks(d time.Duration) uint32 { return uint32(d / (time.Millisecond / resp.TicksPerMs)) }

// late puts something off while the loop is busy, behind what was put off before, and says so.
func (p *plane) late(do func()) bool {
	if p.w.now >= p.busyUntil {
		return false
	}
	p.w.after(p.busyUntil-p.w.now, do)
	return true
}

// publish makes a route visible at once, and wakes the loop.
func (p *plane) publish(r health.Route) {
	p.route = r
	p.h.post(p.follow)
}

// accept takes a new client.
func (p *plane) accept(sock func(reader) *socket) *session {
	s := &session{p: p, state: stateFresh}
	s.client = sock(s)
	p.sessions = append(p.sessions, s)
	return s
}

func (p *plane) clients() (connected, held int) {
	for _, s := range p.sessions {
		if s.state == stateHeld {
			held++
		}
	}
	return len(p.sessions), held
}

// list is a copy of the sessions in a state, in order.
func (p *plane) list(in ...state) (found []*session) {
	for _, s := range p.sessions {
		if slices.Contains(in, s.state) {
			found = append(found, s)
		}
	}
	return found
}

// tell passes evidence on. What was seen in another epoch says nothing about the present backend.
func (p *plane) tell(epoch uint64, kind health.EvidenceKind) {
	if epoch == p.seen.Epoch {
		p.h.tell(health.Evidence{Backend: p.seen.Backend, Epoch: epoch, Kind: kind})
	}
}

func (p *plane) nagLater() {
	if p.nagging {
		return
	}
	p.nagging = true
	p.w.after(nagEvery, func() {
		p.nagging = false
		if p.h.dead || len(p.list(stateHeld)) == 0 {
			return
		}
		if p.seen.Gate == health.GateOpen && p.seen.Backend >= 0 {
			p.tell(p.seen.Epoch, health.EvEOF)
		}
		p.nagLater()
	})
}

// steady says that the route in force is the one that was followed last, and that requests may go on.
func (p *plane) steady() bool {
	return p.route == p.seen && p.seen.Gate == health.GateOpen && !p.suspect
}

// open says whether requests may go on, after the newest route was followed.
func (p *plane) openGate() bool {
	p.follow()
	return p.seen.Gate == health.GateOpen && !p.suspect
}

// follow makes the newest route the one that is acted on.
func (p *plane) follow() {
	if p.route == p.seen || p.h.dead {
		return
	}
	p.seen, p.suspect = p.route, false
	p.dialNext()
	if p.seen.Gate != health.GateShut {
		p.release()
	}
}

// release lets the held sessions go on; under a refusing gate they are answered.
func (p *plane) release() {
	for _, s := range p.list(stateHeld) {
		if p.suspect || s.state != stateHeld {
			continue
		}
		switch {
		case p.seen.Gate == health.GateRefusing:
			s.advance()
		case s.backend != nil && s.epoch == p.seen.Epoch && !s.refused:
			s.move(stateServing)
			s.advance()
		case s.backend != nil:
			s.epoch = 0
			s.cut(false)
		default:
			s.want()
		}
	}
	if p.seen.Gate == health.GateOpen {
		p.dropStale()
		p.fallen = resp.CutCounts{}
	}
}

// dropStale moves sessions whose backend connection is of an older epoch.
func (p *plane) dropStale() {
	for _, s := range p.list(stateServing, stateFinishing, stateDialing) {
		if s.epoch == p.seen.Epoch && !s.refused {
			continue
		}
		if s.epoch = 0; s.state != stateDialing {
			s.cut(false)
			continue
		}
		s.dropBackend()
		s.rest()
	}
}

// dialNext starts the dials that wait for their turn, in the next pass of the loop.
func (p *plane) dialNext() {
	if len(p.list(stateQueued)) == 0 {
		return
	}
	p.h.post(func() {
		for _, s := range p.list(stateQueued) {
			if p.dialing >= dialsMax && p.steady() {
				return
			}
			s.want()
		}
	})
}

// cut ends every backend connection up to an epoch, each after it was read to its end.
func (p *plane) cut(epoch uint64, alive time.Duration) health.CutReport {
	p.follow()
	for _, s := range p.list(stateServing, stateHeld, stateFinishing, stateDialing) {
		if s.epoch <= epoch && s.backend != nil {
			s.cutOne()
		}
	}
	if alive <= 0 {
		alive = time.Hour
	}
	connected, held := p.clients()
	c := p.fallen
	report := health.CutReport{Clients: connected, Held: held, NeverSent: c.NeverSent, Refused: c.Refused, RetriedReads: c.Retried,
		Unknown: c.Unknown, Aborted: c.Aborted, Acknowledged: p.acks.All()}
	proven := ticks(p.w.now - alive - aliveMargin)
	report.AtRisk, report.SinceAlive = p.acks.AtRisk(proven), p.acks.Since(proven, p.now())
	p.fallen, p.acks = resp.CutCounts{}, resp.Acks{}
	p.w.note("  cut of epoch %d: %+v", epoch, report)
	return report
}

// quiesce calls tell when nothing is unanswered.
func (p *plane) quiesce(tell func()) {
	p.follow()
	for _, s := range p.list(stateServing, stateHeld) {
		s.takeBack()
	}
	p.quiet = append(p.quiet, tell)
	p.hush()
}

// hush tells those who wait for silence.
func (p *plane) hush() {
	for _, s := range p.sessions {
		if s.busy() {
			return
		}
	}
	quiet := p.quiet
	p.quiet = nil
	for _, tell := range quiet {
		tell()
	}
}

// crash is the end of the process.
func (p *plane) crash() {
	for _, s := range p.sessions {
		s.client.close()
		if s.backend != nil {
			s.backend.close()
		}
		s.state = stateFree
	}
	p.sessions = nil
}
