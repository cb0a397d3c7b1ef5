package health

import (
	"fmt"
	"time"
)

// judge says what node i is, from what is known at this moment. It changes nothing.
func (p *pool) judge(i int) (Verdict, string) {
	n := &p.nodes[i]
	quiet := p.quiet(i)
	switch {
	case n.refused && !n.control:
		return VerdictRefused, "connection refused: no process listens"
	case !n.heard && quiet <= p.cfg.Silence:
		return VerdictUnknown, "no answer yet"
	case quiet > p.silence(i):
		return VerdictSilent, fmt.Sprintf("no answer for %s", p.silence(i))
	case quiet > p.cfg.suspectAfter():
		return VerdictSuspect, fmt.Sprintf("no answer for %s", p.cfg.suspectAfter())
	case n.lostAt > 0:
		return VerdictSuspect, "control connection lost"
	}
	switch n.reply {
	case ReplyBusy:
		return VerdictBusy, "a script runs: " + n.text
	case ReplyDegraded:
		return VerdictDegraded, n.text
	case ReplyDenied:
		return VerdictDenied, "it refuses the credentials of check.username and check.password_file; set them right: " + n.text
	case ReplyFull:
		return VerdictDegraded, "it has no connection left for us: " + n.text
	case ReplyLoading:
		return VerdictSyncing, "loading its data"
	case ReplyAlive, ReplyStale, ReplyOther:
		if p.cfg.verifies() && !n.told {
			return VerdictDegraded, n.text
		}
	}
	if !p.cfg.verifies() {
		return VerdictHealthy, "answers"
	}
	if i == p.master {
		return p.judgeMaster(n)
	}
	return p.judgeOther(n)
}

// judgeMaster compares the node at the master's place with the master that was accepted there: identity is run id, lineage and
// an offset that does not go back, never address and role.
func (p *pool) judgeMaster(n *node) (Verdict, string) {
	i := n.info
	switch {
	case p.cfg.Mode == Off && i.IsMaster():
		return VerdictHealthy, "master"
	case p.runID != "" && i.RunID != p.runID:
		return VerdictReborn, "restarted: its run id changed"
	case i.IsReplica():
		return VerdictDemoted, fmt.Sprintf("it became a replica of %s:%d", i.MasterHost, i.MasterPort)
	case i.Offset < p.offset:
		return VerdictReborn, fmt.Sprintf("its offset went back from %d to %d", p.offset, i.Offset)
	case i.ReplID != p.lineage() && i.ReplID2 != "" && !p.ours(i.ReplID2):
		return VerdictReborn, "its lineage is not ours"
	case i.Loading:
		return VerdictSyncing, "loading its data"
	}
	return VerdictHealthy, "master"
}

func (p *pool) judgeOther(n *node) (Verdict, string) {
	i := n.info
	switch {
	case i.IsMaster() && p.lineage() == "":
		return VerdictHealthy, "says it is master; nothing is known to compare it with"
	case i.IsMaster() && (p.ours(i.ReplID) || p.ours(i.ReplID2)):
		return VerdictStale, "master of a lineage that went on without it"
	case i.IsMaster() && i.ReplID == n.inVain:
		return VerdictStale, "promoted by us with data that is not this pool's"
	case i.IsMaster() && !i.Keys:
		return VerdictStale, "master of nothing"
	case i.IsMaster():
		return VerdictQuarantined, "master of other data than this pool's; it is left alone until it is made a replica by hand (REPLICAOF)"
	case i.Loading:
		return VerdictSyncing, "loading its data"
	case i.Syncing:
		return VerdictSyncing, "copying the data of its master"
	case n.streaming && i.LinkUp:
		return VerdictHealthy, "in sync"
	case i.LinkUp:
		return VerdictSyncing, "linked and not streaming yet"
	}
	return VerdictSyncing, "its link to the master is down"
}

// eligible says whether node i may be promoted under plan o, and if not, why. Every condition is one way to lose data.
func (p *pool) eligible(i int, o *plan) (bool, string) {
	n := &p.nodes[i]
	fresh := n.told && p.now-n.toldAt <= p.cfg.Silence && n.verdict.alive()
	// A master that somebody made a replica, and that has its data still, is its own best successor.
	demoted := i == p.master && n.info.RunID == p.runID
	// In a switchover the offsets are compared while nothing is written; that proves more than a stream does.
	handed := o.hard && p.handedOver(i)
	proven := n.streaming || n.cold || demoted || handed || o.kind == planSwitchover && n.online
	switch {
	case !fresh:
		return false, "does not answer"
	case n.info.Loading:
		return false, "is loading"
	case o.acceptLoss:
		return true, ""
	case i == p.master && n.info.RunID == p.runID && n.info.IsMaster():
		return false, "is the master already"
	case n.info.IsMaster():
		return false, "is a master by itself"
	case n.info.ReplID != p.lineage() && !handed:
		return false, "has another lineage"
	case n.info.Priority == 0:
		return false, "has priority 0"
	case n.dirty && !n.streaming:
		return false, "was copying and never finished"
	case !proven:
		return false, "was not streaming"
	case n.info.End() <= 0 && !n.streaming:
		return false, "has no data"
	case n.info.End() < p.offset-p.cfg.MaxLoss:
		return false, fmt.Sprintf("lacks %d bytes, more than max_loss %d", p.offset-n.info.End(), p.cfg.MaxLoss)
	}
	return true, ""
}

// better orders candidates: offset first, because it is data, and of that what is applied, because a promotion drops what was only read;
// priority only among equals; the run id so that the choice is one.
func better(a, b Info) bool {
	if a.Applied() != b.Applied() {
		return a.Applied() > b.Applied()
	}
	if a.Priority != b.Priority {
		return a.Priority < b.Priority
	}
	return a.RunID < b.RunID
}

// witnessMargin is how long after the first suspicion a movement must be seen to count: what a frozen master had already
// sent still reaches its replica for some milliseconds. A short silence takes a part of itself instead.
const witnessMargin, witnessPart = 200 * time.Millisecond, 5

// witnessPeriod is how long one movement vouches for the master. An idle master pings its replicas every ten seconds.
const witnessPeriod = 12 * time.Second

// witness returns a replica that proves the silent master alive: its stream went on after our probes began to fail.
func (p *pool) witness() (int, bool) {
	if p.master == noNode {
		return noNode, false
	}
	failing := p.failing()
	for i := range p.nodes {
		if n := &p.nodes[i]; p.mayTestify(i) && n.movedAt > failing && p.now-n.movedAt < witnessPeriod {
			return i, true
		}
	}
	return noNode, false
}

// failing is from when on a movement of a replica proves that the silent master lives.
func (p *pool) failing() time.Duration {
	return p.nodes[p.master].heardAt + p.cfg.suspectAfter() + min(witnessMargin, p.cfg.Silence/witnessPart)
}

// mayTestify reports whether the stream of node i is that of the master.
func (p *pool) mayTestify(i int) bool {
	n := &p.nodes[i]
	return i != p.master && n.info.LinkUp && n.info.ReplID == p.lineage()
}

// unheard returns a replica that lives and had no time to testify: what it read since the master is failing for good was not asked
// for a whole interval later, which a live master needs to write something. Only a short silence ends before that.
func (p *pool) unheard() (int, bool) {
	due := p.failing() + p.cfg.Interval
	for i := range p.nodes {
		if n := &p.nodes[i]; p.mayTestify(i) && n.verdict.alive() && n.toldAt < due {
			return i, true
		}
	}
	return noNode, false
}
