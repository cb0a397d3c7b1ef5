package health

import (
	"fmt"
	"slices"
	"strings"
)

// start looks for the master of a pool that has none: by journal and lineage, never by who answers first.
func (t *turn) start() {
	if !t.cfg.verifies() {
		t.startUnverified()
		return
	}
	if !t.allSeen() || t.now < t.retryAt {
		return
	}
	if t.reference.Empty() && t.lineage() == "" {
		t.startFresh()
		return
	}
	t.startJournalled()
}

// allSeen reports whether waiting for another backend could still change the picture.
func (t *turn) allSeen() bool {
	for i := range t.nodes {
		if t.nodes[i].verdict == VerdictUnknown || t.nodes[i].verdict == VerdictSuspect {
			return false
		}
	}
	return true
}

func (t *turn) startUnverified() {
	for i := range t.nodes {
		switch v := t.nodes[i].verdict; {
		case v.serves():
			t.accept(i, "the first healthy backend of the list")
			return
		case v == VerdictUnknown:
			return // an earlier backend of the list goes first, as long as it may still answer
		}
	}
	t.noMaster("no backend answers: " + t.allWhys())
}

// startFresh accepts the only master of backends nobody has a record of.
func (t *turn) startFresh() {
	masters := t.nodesWhere(func(i Info) bool { return i.IsMaster() })
	replicas := t.nodesWhere(func(i Info) bool { return i.IsReplica() })
	if t.cfg.Mode == Off && len(masters) > 0 {
		t.accept(masters[0], "the first master of the list")
		return
	}
	switch len(masters) {
	case 1:
		t.startWithMaster(masters[0], replicas)
	case 0:
		t.startWithReplicas(replicas)
	default:
		if i, found := t.heir(masters); found {
			t.accept(i, "the successor among the masters by lineage")
			return
		}
		t.noMaster(fmt.Sprintf("%s say that they are masters of unrelated data; make one of them a replica of the other with REPLICAOF",
			t.names(masters)))
	}
}

func (t *turn) startWithMaster(master int, replicas []int) {
	m := t.nodes[master].info
	host, port := splitAddress(t.cfg.Backends[master].Address)
	for _, i := range replicas {
		r := t.nodes[i].info
		follows := r.ReplID == m.ReplID || r.MasterPort == port && r.MasterHost == host || r.End() <= 0 || r.Syncing
		if !follows {
			t.noMaster(fmt.Sprintf("%s is a master and %s a replica of something else (%s:%d) with other data; point it at the master "+
				"with REPLICAOF", t.name(master), t.name(i), r.MasterHost, r.MasterPort))
			return
		}
	}
	t.accept(master, "the only master, and its replicas follow it")
}

// startWithReplicas promotes among replicas of one dead master.
func (t *turn) startWithReplicas(replicas []int) {
	var ids []string
	for _, i := range replicas {
		ids = append(ids, t.nodes[i].info.ReplID)
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	switch {
	case t.unreadable() != noNode:
		i := t.unreadable()
		t.noMaster(fmt.Sprintf("%s may be the master and cannot be read: %s", t.name(i), t.nodes[i].why))
	case len(replicas) == 0:
		t.noMaster("no backend can be read: " + t.allWhys())
	case len(ids) > 1:
		t.noMaster(fmt.Sprintf("%s are replicas of unrelated data and no master answers", t.names(replicas)))
	case t.linkUp(replicas):
		t.noMaster(fmt.Sprintf("%s follow a master that is not a backend of this pool; add it", t.names(replicas)))
	case t.now <= t.cfg.Silence:
		// Their master may be starting.
	default:
		t.remember(ids[0])
		t.startOver("only replicas of a lost master answer")
	}
}

// startJournalled continues the recorded lineage.
func (t *turn) startJournalled() {
	rec := t.reference
	masters := t.nodesWhere(func(i Info) bool { return i.IsMaster() && t.continuesRecord(i) })
	for _, i := range masters {
		n := &t.nodes[i]
		if n.info.RunID == rec.RunID && n.info.Offset >= rec.Offset && len(masters) == 1 {
			t.resume(i)
			return
		}
	}
	if i, found := t.heirOfRecord(masters); found && !t.lagsBehindReplica(i) {
		t.accept(i, "the continuation of the recorded lineage")
		return
	}
	replicas := t.nodesWhere(func(i Info) bool { return i.IsReplica() && i.ReplID == rec.Lineage && rec.Lineage != "" })
	if len(replicas) == 0 && len(masters) == 0 {
		t.noMaster(fmt.Sprintf("no backend continues the recorded lineage of epoch %d: %s; to accept one as it is: "+
			"holdfast failover %s --to NAME --accept-loss", rec.Epoch, t.allWhys(), t.cfg.Name))
		return
	}
	if t.now > t.cfg.Silence {
		t.startOver("the recorded master does not answer")
	}
}

// resume goes on with the recorded mastership as if nothing had happened.
func (t *turn) resume(i int) {
	t.master, t.runID, t.offset = i, t.nodes[i].info.RunID, t.nodes[i].info.Offset
	t.provedAt = t.nodes[i].toldAt
	t.remember(t.nodes[i].info.ReplID)
	t.transition(StateServing, t.name(i)+" is the recorded master, unchanged")
}

// accept begins a new mastership of a node that is master already.
func (t *turn) accept(i int, why string) {
	if !t.cfg.verifies() && t.reference.Epoch > 0 && t.reference.Node == t.name(i) {
		t.master = i
		t.transition(StateServing, why)
		return
	}
	t.beginAdoptOf(plan{trigger: TriggerAdopted, cause: t.name(i) + " is " + why, to: i}, i)
}

// startOver treats the recorded master as lost, which it is.
func (t *turn) startOver(cause string) {
	if t.cfg.Mode != Promote {
		t.noMaster(cause + "; a pool that does not promote waits for a master")
		return
	}
	if i := t.unreadable(); i != noNode {
		t.noMaster(fmt.Sprintf("%s may be the master and cannot be read: %s", t.name(i), t.nodes[i].why))
		return
	}
	t.master = t.recordedNode()
	p := plan{trigger: TriggerAutomatic, cause: cause, hard: true, to: noNode}
	if len(t.candidates(&p)) > 0 {
		t.beginFailover(p)
		return
	}
	if i, found := t.survivor(); found {
		p.trigger = TriggerAdopted
		t.beginAdoptOf(p, i)
		return
	}
	t.master = noNode
	t.noMaster(cause + ": " + t.refusals(&p))
}

// recordedNode is the place of the recorded master among the backends; noNode if it is configured no more.
func (t *turn) recordedNode() int {
	for i, b := range t.cfg.Backends {
		if b.Name == t.reference.Node || b.Address == t.reference.Address {
			return i
		}
	}
	return noNode
}

func (t *turn) noMaster(why string) {
	if t.state == StateNoMaster && t.why != why {
		t.say("warning", noNode, why)
	}
	t.transition(StateNoMaster, why)
}

// continuesRecord reports whether a node holds a continuation of the journalled data, the interrupted promotion included.
func (t *turn) continuesRecord(i Info) bool {
	rec := t.reference
	if rec.Intent != nil && rec.Intent.Lineage != "" && i.ReplID2 == rec.Intent.Lineage {
		return true
	}
	// A master renames its lineage when its first replica comes, or when the last was gone for long: the same process, with all
	// its data, is no other.
	if i.RunID == rec.RunID && i.IsMaster() && i.Offset >= rec.Offset && (i.ReplID2 == "" || t.ours(i.ReplID2)) {
		return true
	}
	return rec.Lineage != "" && (i.ReplID == rec.Lineage || i.ReplID2 == rec.Lineage)
}

// heirOfRecord chooses among masters that continue the record: the one we meant to promote, else the one with the most data. One
// that lacks more than max_loss of what was recorded is none.
func (t *turn) heirOfRecord(masters []int) (int, bool) {
	rec := t.reference
	best := noNode
	for _, i := range masters {
		info := t.nodes[i].info
		if info.Offset < rec.Offset-t.cfg.MaxLoss {
			continue
		}
		if rec.Intent != nil && t.name(i) == rec.Intent.Node && info.ReplID2 == rec.Intent.Lineage {
			return i, true
		}
		if best == noNode || better(info, t.nodes[best].info) {
			best = i
		}
	}
	return best, best != noNode
}

// lagsBehindReplica reports whether a replica of the recorded lineage, which does not follow master i, has more data than it: then
// the master restarted from an older snapshot, and the replica is the one to keep.
func (t *turn) lagsBehindReplica(i int) bool {
	m := t.nodes[i].info
	for j := range t.nodes {
		r := t.nodes[j].info
		if j != i && r.IsReplica() && r.ReplID == t.reference.Lineage && r.ReplID != m.ReplID && r.End() > m.Offset {
			return true
		}
	}
	return false
}

// heir finds the one master that continues all the others.
func (t *turn) heir(masters []int) (int, bool) {
	for _, i := range masters {
		continuesAll := true
		for _, j := range masters {
			continuesAll = continuesAll && (i == j || t.nodes[i].info.ReplID2 == t.nodes[j].info.ReplID)
		}
		if continuesAll {
			return i, true
		}
	}
	return noNode, false
}

// unreadable is a backend that lives and does not tell us what it is.
func (t *turn) unreadable() int {
	return slices.IndexFunc(t.nodes, func(n node) bool { return n.verdict.alive() && !n.told })
}

func (t *turn) nodesWhere(is func(Info) bool) []int {
	var list []int
	for i := range t.nodes {
		n := &t.nodes[i]
		if n.told && n.verdict.alive() && !n.info.Loading && is(n.info) {
			list = append(list, i)
		}
	}
	return list
}

func (t *turn) linkUp(list []int) bool {
	return slices.ContainsFunc(list, func(i int) bool { return t.nodes[i].info.LinkUp })
}

func (t *turn) names(list []int) string {
	var names []string
	for _, i := range list {
		names = append(names, t.name(i))
	}
	return strings.Join(names, " and ")
}

func (t *turn) allWhys() string {
	var whys []string
	for i := range t.nodes {
		whys = append(whys, t.name(i)+": "+t.nodes[i].why)
	}
	return strings.Join(whys, "; ")
}
