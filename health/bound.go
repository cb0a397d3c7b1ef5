package health

import "time"

// Bound says what the number of writes at risk in a receipt counts.
type Bound string

const (
	// BoundTurn counts what was acknowledged in the last turn of the old master's event loop: all else it had handed to the kernel
	// of its host, which lived on and delivered it.
	BoundTurn Bound = "turn"
	// BoundProbe counts everything acknowledged since the probe that told OffsetSeen.
	BoundProbe Bound = "probe"
	// BoundEpoch counts everything that the old master acknowledged in its epoch, because the next one has seen nothing of it.
	BoundEpoch Bound = "epoch"
)

// kernelHolds is the least that the two ends of a replication link buffer in their kernels, in bytes: half of the default receive
// buffer of Linux, 128 KiB, with nothing counted for the sender's. While a master keeps stream in its own memory for a replica,
// these buffers are full.
const kernelHolds = 64 << 10

// promptly is how soon a replica answers its drain that was awake at the death: about a millisecond. One that slept then answers when
// it wakes.
const promptly = 5 * time.Millisecond

// bound chooses what counts for a promotion of node i, which was promoted with info. The tight one needs a proof that the master
// had nothing left for i in its own memory, beyond its last turn:
//   - the master has died, and its host told us;
//   - i was awake: it answered its drain at once. To one that slept, the kernels owe more than they have delivered, and the first word
//     of it to the dead master, an acknowledgement that the stream asks for, makes that one's kernel drop all the rest;
//   - i has read its stream to the end, which comes behind everything that the kernels still had;
//   - that was less than the kernels hold, counted from where i stood before the death. If the master had kept any of the stream,
//     they had been full, and i had found more. On a busy link more than that passes between two probes: then it must be less
//     than the kernels hold from where i stood when its drain began, and it must have kept up with the master when it was last heard.
//
// A host or a link that goes takes along what its kernel had. A process that only hangs proves nothing. Both are bounded by what
// the last probe has told, and so is a master that was made by others, whose drain nobody saw.
func (t *turn) bound(i int, info Info) Bound {
	p := &t.plan
	switch {
	case !t.cfg.verifies():
		return "" // offsets say nothing in such a pool
	case p.apart:
		return BoundEpoch
	case p.kind == planSwitchover && !p.force:
		return BoundTurn
	case !p.died || p.ended&bit(i) == 0 || p.read[i] == 0 || p.awake[i] == 0:
		return BoundProbe
	case info.Offset-p.read[i] <= kernelHolds:
		return BoundTurn
	case p.kept&bit(i) != 0 && info.Offset-p.awake[i] <= kernelHolds:
		return BoundTurn
	}
	return BoundProbe
}

// mark is an offset that the master has told, and when.
type mark struct {
	at     time.Duration
	offset int64
}

// keeps reports whether a replica that was asked at sent has read as much as the master had told shortly before.
func (t *turn) keeps(info Info, sent time.Duration) bool {
	for _, m := range t.marks {
		if m.at > 0 && m.at <= sent && sent-m.at <= t.cfg.lately() && info.End() >= m.offset {
			return true
		}
	}
	return false
}

// keepUp lists the nodes that kept up with the master when they were last heard.
func (t *turn) keepUp() (kept uint64) {
	for i := range t.nodes {
		if t.nodes[i].keptUp {
			kept |= bit(i)
		}
	}
	return kept
}

// prove notes what an answer says about the stream: of the master, that what was acknowledged before the question is in the offset;
// of a replica, how far it reads.
func (t *turn) prove(a Answer) {
	n := &t.nodes[a.Node]
	switch {
	case a.Node == t.master:
		if a.Info.RunID == t.runID && a.Info.Offset == t.offset {
			t.provedAt = max(t.provedAt, a.Sent)
			t.marks = [2]mark{{t.now, t.offset}, t.marks[0]}
		}
	case t.plan.id != 0 || t.loss.pending:
		// The master may be dead already, and what is read now was read after its death.
	case n.streaming && a.Info.LinkUp:
		n.readAt, n.readTo, n.keptUp = a.Sent, a.Info.End(), t.keeps(a.Info, a.Sent)
	default:
		n.readAt, n.readTo, n.keptUp = 0, 0, false
	}
}

// died reports whether a host that lives has told the death of the master's process: its connections are refused, or another process
// answers, right after it was heard. After a silence the host may have been another one, or away.
func (t *turn) died() bool {
	if t.master == noNode || t.provedAt == 0 || t.now-t.provedAt > t.cfg.lately() {
		return false
	}
	v := t.nodes[t.master].verdict
	return v == VerdictRefused || v == VerdictReborn
}

// haveRead lists how far each node had read when it was last heard; 0 for one that was not heard lately, or does not stream.
func (t *turn) haveRead() []int64 {
	read := make([]int64, len(t.nodes))
	for i := range t.nodes {
		if n := &t.nodes[i]; i != t.master && n.streaming && n.readAt > 0 && t.now-n.readAt <= t.cfg.lately() {
			read[i] = n.readTo
		}
	}
	return read
}
