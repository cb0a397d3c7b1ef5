package health

import "net"

// tend brings the other backends behind the master: one at a time, because a full copy costs the master a fork.
func (t *turn) tend() {
	if t.cfg.Mode != Promote || t.master == noNode {
		return
	}
	for i := range t.nodes {
		if t.nodes[i].repairing {
			return
		}
	}
	for i := range t.nodes {
		n := &t.nodes[i]
		if !n.told || n.toldAt < t.since || !n.verdict.alive() || t.now < n.repairAt {
			continue
		}
		if i != t.master && t.repair(i, n) {
			return
		}
		t.restore(i, n)
	}
}

// repair makes node i a replica of the master if it is ours and is not one. A master of other data is never touched.
func (t *turn) repair(i int, n *node) bool {
	e := Effect{Kind: EffectRepoint, Node: i, To: t.master, Epoch: t.epoch}
	switch {
	case n.info.Loading || n.verdict == VerdictQuarantined:
		return false
	case n.verdict == VerdictStale:
		if t.maySucceed(i, n) {
			return false
		}
		e.Kind = EffectDemote
	case n.info.IsReplica() && !t.follows(n.info):
		if t.anySyncing() {
			return false
		}
	default:
		return false
	}
	n.repairing = true
	t.emit(e)
	return true
}

// maySucceed reports whether a second master may be the successor that somebody else is just making: in a FAILOVER the old master says
// that it is one until the new one has answered it. Whoever demoted that one then would leave two replicas of each other. It has a
// whole Silence, from when it was first seen, for the old master to become its replica.
func (t *turn) maySucceed(i int, n *node) bool {
	return t.succeeds(i, n) && t.now-n.since <= t.cfg.Silence
}

func (t *turn) anySyncing() bool {
	for i := range t.nodes {
		if i != t.master && t.nodes[i].info.Syncing && t.nodes[i].verdict.alive() {
			return true
		}
	}
	return false
}

// follows reports whether a replica is on its way to, or behind, the present master.
func (t *turn) follows(info Info) bool {
	host, port := splitAddress(t.cfg.Backends[t.master].Address)
	if info.MasterPort == port && sameHost(info.MasterHost, host) {
		return true
	}
	// Another name for the master, or a replica in between: what counts is whose stream arrives.
	return info.LinkUp && info.ReplID == t.lineage()
}

// sameHost compares two names of a host as far as that is possible without asking anybody.
func sameHost(a, b string) bool {
	if a == b {
		return true
	}
	x, y := net.ParseIP(a), net.ParseIP(b)
	return x != nil && x.Equal(y)
}

// restore gives node i the min-replicas-to-write back that its promotion relaxed: the master once a replica streams, and one that
// has become a replica at once, because there the setting forbids nothing.
func (t *turn) restore(i int, n *node) {
	due := i == t.master && t.anyStreaming() || i != t.master && n.info.IsReplica() && t.follows(n.info)
	if n.relaxed == 0 || !due {
		return
	}
	n.repairAt = t.now + repairPause
	t.emit(Effect{Kind: EffectRestore, Node: i, Offset: n.relaxed, Epoch: t.epoch})
}

func (t *turn) anyStreaming() bool {
	for i := range t.nodes {
		if i != t.master && t.nodes[i].streaming {
			return true
		}
	}
	return false
}
