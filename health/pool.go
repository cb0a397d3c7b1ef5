package health

import (
	"slices"
	"time"
)

// node is what is known of one backend.
//
// Invariant: streaming implies that the recorded master listed it as online under the present lineage.
type node struct {
	info Info
	// told is true once an INFO was read, at learnedAt for the last time; info is empty before.
	told      bool
	learnedAt time.Duration
	reply     Reply
	text      string
	verdict   Verdict
	why       string
	since     time.Duration
	// heardAt is the time of the last answer of any kind, toldAt that of the last INFO.
	heardAt, toldAt time.Duration
	heard           bool
	// refused: the last dial was refused and nothing answered since. control: the control connection is open.
	refused, control bool
	// lostAt is when the control connection was lost, as long as no answer came since; 0: it was not.
	lostAt time.Duration
	// streaming: proven to receive the stream of the master. syncedAt: when that was last true.
	streaming bool
	syncedAt  time.Duration
	// cold: came up while no master was there to ask about it, so that only its own word and lineage count.
	cold bool
	// dirty: was seen copying a data set and not seen streaming since; what it holds may be half of one.
	dirty bool
	// joinBy: since the promotion of the present master, which this process made, the node was not seen behind it; it should be by
	// then. 0: it was. handed: with this offset it handed mastership over; 0: it did not. handed > 0 implies joinBy > 0.
	joinBy time.Duration
	handed int64
	// online: the master lists it as online, since onlineAt, when it had acknowledged ackOffset. That alone proves no stream.
	online    bool
	onlineAt  time.Duration
	ackOffset int64
	// moves counts intervals in which its offset grew while its link was up all the time.
	moves int
	// movedAt is when its offset last grew while its link was up.
	movedAt time.Duration
	// aliveAt is when it came back after a loss; asked is when a probe was last wanted.
	aliveAt, askedAt time.Duration
	askAgain         bool // a probe was wanted right after another one
	// repairing: a repoint or demotion runs; repairAt is when the next may begin.
	repairing bool
	repairAt  time.Duration
	// readAt is when the last INFO was sent that it answered as a replica that streams, and readTo is how far it had read by then. Both
	// stand still from the first sign of trouble on.
	readAt time.Duration
	readTo int64
	// keptUp: by then it had all that the master had told of itself before it was asked.
	keptUp bool
	// inVain is the lineage that a promotion gave it which could not be verified; empty: there is none.
	inVain string
	// relaxed is the min-replicas-to-write to be set back once a replica streams or the node is one itself; 0: nothing is. It is
	// in every record, because the promotion and the restoration may be seen by different processes.
	relaxed int64
	// warmAt is when its command connections were last looked after; 0: never.
	warmAt time.Duration
	// comparison is how it differs from the present master in what servers do not replicate.
	comparison comparison
}

// loss is a sign of trouble that the master has not answered yet.
type loss struct {
	pending bool
	// at is when it was noticed; an answer counts only if it was asked for after confirmAt.
	at, confirmAt time.Duration
}

// pool is the whole state of the pure core. It is copied, never shared: step takes one and returns the next.
//
// Invariants: epoch only grows; master == -1 or a verified node of this epoch; route.Gate == GateOpen implies state.passes().
type pool struct {
	cfg   *Settings // constant
	now   time.Duration
	wall  time.Time
	state State
	since time.Duration
	why   string

	epoch  uint64
	master int
	// known lists the lineages of this pool, newest first; it is replaced, never changed in place.
	known []string
	runID string
	// offset is the end of the stream when the master was last heard.
	offset int64
	// provedAt is when an INFO was sent whose answer by the accepted process told offset, or one before it; another process at its
	// place proves nothing of it. What was acknowledged before provedAt is in offset.
	provedAt time.Duration
	// marks are the last two offsets that the master has told, newest first.
	marks [2]mark
	// reference is the journal as it was read at the start.
	reference Record

	route     Route
	check     uint64
	checkedAt time.Duration
	shutAt    time.Duration
	held      bool
	loss      loss

	nodes []node
	plan  plan
	plans uint64
	// intending: an intent is on its way to the disk, of this plan or of one that was given up. There is never more than one.
	intending bool
	// order waits for its plan to begin.
	order    Order
	orderBy  time.Duration
	retryAt  time.Duration
	demotion time.Duration // since when the master has been a replica; 0: it is not

	failedOver time.Duration // when the last automatic failover ended
	failovers  uint64
	faults     uint64
	last       *Receipt
	journal    string // the error of the last journal write
	notedAt    time.Duration
	noted      int64
	load       Load
	// slowAt is when a command known to be slow was last seen unanswered; 0: never.
	slowAt time.Duration
	ticked bool
}

// knownMax bounds the remembered lineages: a node that missed more failovers than this is refilled anyway.
const knownMax = 8

func newPool(s *Settings, rec Record) pool {
	p := pool{cfg: s, master: noNode, nodes: make([]node, len(s.Backends)), reference: rec, plan: plan{}}
	p.epoch = rec.Epoch
	if rec.Intent != nil {
		// The intended epoch may have been routed to before the crash, so its number is used up.
		p.epoch = max(rec.Epoch, rec.Intent.Epoch)
	}
	p.known = slices.Clone(rec.Known)
	p.runID, p.offset = rec.RunID, rec.Offset
	p.route = Route{Backend: noNode, Gate: GateShut, Epoch: p.epoch}
	p.order = Order{To: noNode}
	for i := range p.nodes {
		p.nodes[i].cold = true
		p.nodes[i].relaxed = rec.Relaxed[s.Backends[i].Name]
	}
	p.why = "asking the backends"
	return p
}

// noNode is the index that names no backend.
const noNode = -1

// lineage is the replication id that the master must have; empty as long as none is known.
func (p *pool) lineage() string {
	if len(p.known) == 0 {
		return ""
	}
	return p.known[0]
}

// ours reports whether id ever was a lineage of this pool.
func (p *pool) ours(id string) bool {
	return id != "" && slices.Contains(p.known, id)
}

func (p *pool) name(i int) string {
	if i < 0 || i >= len(p.nodes) {
		return ""
	}
	return p.cfg.Backends[i].Name
}

// silence is how long node i may be quiet. A master that works on a command known to be slow gets more; once it has answered that,
// or nobody waits for it any more, the usual time begins anew, because our question was waiting behind the command.
func (p *pool) silence(i int) time.Duration {
	switch {
	case i != p.master:
		return p.cfg.Silence
	case p.load.Slow > 0:
		return p.cfg.Patience
	}
	return p.cfg.Silence + max(0, p.slowAt-p.nodes[i].heardAt)
}

// quiet is how long node i has not answered.
func (p *pool) quiet(i int) time.Duration {
	return p.now - p.nodes[i].heardAt
}

// record is the journal entry of the present mastership.
func (p *pool) record() Record {
	r := Record{Pool: p.cfg.Name, Epoch: p.epoch, RunID: p.runID, Lineage: p.lineage(), Known: p.known, Offset: p.offset}
	if p.master != noNode {
		r.Node, r.Address = p.cfg.Backends[p.master].Name, p.cfg.Backends[p.master].Address
	}
	for i := range p.nodes {
		if n := p.nodes[i].relaxed; n > 0 {
			if r.Relaxed == nil {
				r.Relaxed = map[string]int64{}
			}
			r.Relaxed[p.name(i)] = n
		}
	}
	return r
}
