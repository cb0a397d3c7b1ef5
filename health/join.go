package health

import "time"

// joinMax is how long a node may need to be seen behind a new master. A server asks for its master at once, and then every second; who
// is not there after that has trouble of its own, and what it lacks grows.
const joinMax = 2 * time.Second

// beginJoin marks every other node as one that will be seen behind master i, which was just promoted at offset. The one that handed
// over with equal offsets has everything up to there until then.
func (t *turn) beginJoin(i int, offset int64) {
	p := t.plan
	for j := range t.nodes {
		n := &t.nodes[j]
		n.endJoin()
		if j != i && p.kind != planAdopt {
			n.joinBy = t.now + joinMax
		}
		if j == p.old && j != i && p.kind == planSwitchover && p.even {
			n.handed, n.syncedAt = offset, t.now
		}
	}
}

// join ends the wait for node n with the first that it says of its place behind the new master. Whose copy it begins, that of the new
// master or of one that was reborn in its place, it does not say; the new master's own next answer tells them apart (streams).
func (t *turn) join(n *node, info Info) {
	switch {
	case n.joinBy == 0:
	case info.Loading:
		n.endJoin()
	case info.ReplID == t.lineage():
		n.endJoin()
		n.cold = false
		if t.continued(info) {
			n.streaming, n.dirty, n.syncedAt = true, false, t.now
		}
	}
}

// expireJoin ends the wait for node n when the master lives and the node either copies it or stays away.
func (t *turn) expireJoin(n *node) {
	if n.joinBy == 0 {
		return
	}
	if n.info.Syncing || n.info.Loading {
		n.dirty = true // after a full copy the stream is held back
		n.endJoin()
	}
	if t.now > n.joinBy {
		n.endJoin()
	}
}

// endJoin: from now on the node is judged as any other.
func (n *node) endJoin() { n.joinBy, n.handed = 0, 0 }

// inherited is the lineage that a promotion of node i continues.
func (p *pool) inherited(i int) string {
	if p.handedOver(i) {
		return p.previous()
	}
	return p.lineage()
}

// previous is the lineage that the present one continues; empty as long as none is known.
func (p *pool) previous() string {
	if len(p.known) < 2 {
		return ""
	}
	return p.known[1]
}

// continued reports whether a replica went on from the lineage before the present one without a copy. That proves a stream: a full
// copy forgets the former lineage and has the stream held back, a partial one remembers it and has the stream go on at once.
func (p *pool) continued(info Info) bool {
	return info.IsReplica() && info.ReplID == p.lineage() && info.ReplID2 != "" && info.ReplID2 == p.previous()
}

// handedOver reports whether node i was the master until the switchover that made the present one, became a replica, and has neither
// met the new master nor changed since. It has everything that its own epoch acknowledged, and nothing of the present one.
func (p *pool) handedOver(i int) bool {
	n := &p.nodes[i]
	return n.handed > 0 && n.info.IsReplica() && n.info.ReplID == p.previous() && n.info.End() == n.handed
}
