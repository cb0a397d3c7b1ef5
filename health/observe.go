package health

import (
	"fmt"
	"slices"
	"time"
)

// asleepAfter is the gap between two observations that means this process did not run: stopped, or its machine suspended. Ticks come
// every 20 ms, or with the answers; a busy machine delays them by tens of milliseconds, not by a second.
const asleepAfter = time.Second

// noteEvery bounds how often the offset of the master is noted on disk.
const noteEvery = time.Second

// warmEvery is how often the connections for commands are looked after.
const warmEvery = 5 * time.Second

func (t *turn) onTick(tick Tick) {
	t.load, t.ticked = tick.Load, true
	if t.load.Slow > 0 {
		t.slowAt = t.now
	}
	for i := range t.nodes {
		n := &t.nodes[i]
		if n.askAgain || n.heard && !n.refused && t.quiet(i) > t.cfg.suspectAfter() && t.now-n.askedAt >= t.cfg.Interval {
			t.probe(i)
		}
		if t.cfg.Mode == Promote && n.told && n.verdict.alive() && (n.warmAt == 0 || t.now-n.warmAt > warmEvery) {
			n.warmAt = t.now
			t.emit(Effect{Kind: EffectWarm, Node: i})
		}
	}
	if t.loss.pending && t.master != noNode && t.now >= t.loss.confirmAt && t.nodes[t.master].askedAt < t.loss.confirmAt {
		t.probe(t.master)
	}
	if t.state == StateServing && t.now-t.notedAt >= noteEvery {
		t.remind()
	}
	t.compare()
}

// remind keeps the journal near the truth between two failovers. After a failed write it writes the whole record, because only that
// proves that the next intent can be written, and only then is the error forgotten.
func (t *turn) remind() {
	switch {
	case t.journal != "":
		t.notedAt = t.now
		t.emit(Effect{Kind: EffectCommit, Epoch: t.epoch, Record: t.record()})
	case t.offset != t.noted && t.cfg.verifies():
		t.notedAt, t.noted = t.now, t.offset
		t.emit(Effect{Kind: EffectNote, Epoch: t.epoch, Offset: t.offset})
	}
}

// awake forgets every suspicion that grew while this process slept, and shuts the gate until the master was heard again: who
// slept does not know what others did meanwhile.
func (t *turn) awake(gap time.Duration) {
	t.say("warning", noNode, fmt.Sprintf("this process did not run for %s; everything is asked again", gap.Round(time.Millisecond)))
	for i := range t.nodes {
		n := &t.nodes[i]
		n.heardAt = t.now
		t.probe(i)
	}
	if t.master != noNode && t.state.passes() {
		t.loss = loss{pending: true, at: t.now, confirmAt: t.now}
		t.transition(StateSuspect, "this process did not run for a while")
	}
}

func (t *turn) onAnswer(a Answer) {
	n := &t.nodes[a.Node]
	if a.Reply == ReplyInfo && (a.Sent < n.toldAt || a.Sent < n.learnedAt && n.overtook(a.Info)) {
		a.Info = n.info // an older answer that came later: it proves life, and its content is history
	}
	n.heard, n.heardAt, n.refused = true, t.now, false
	if !a.Fresh {
		n.control = true
	}
	another := a.Reply == ReplyInfo && n.told && a.Info.RunID != n.info.RunID // it is why the connection was lost
	if !a.Fresh || a.Sent >= n.lostAt || another {
		n.lostAt = 0
	}
	n.reply, n.text = a.Reply, a.Text
	if a.Reply == ReplyInfo {
		t.learn(a.Node, a.Info)
		if a.Sent >= n.toldAt {
			n.toldAt = a.Sent
			t.prove(a)
		}
	}
	t.confirm(a)
}

// overtook reports whether what is known was said after info, which the same process has said on another connection: its offset was
// lower then. Two questions that are out at the same time are answered in any order.
func (n *node) overtook(info Info) bool {
	known := n.info
	return n.told && info.RunID == known.RunID && info.Role == known.Role && info.ReplID == known.ReplID && info.End() < known.End()
}

// learn takes over what node i said of itself.
func (t *turn) learn(i int, info Info) {
	n := &t.nodes[i]
	if n.told && n.info.RunID != info.RunID {
		// A new process: nothing that was proven of the old one holds. With the master away its own word must do.
		n.streaming, n.online, n.dirty, n.moves, n.movedAt, n.warmAt = false, false, false, 0, 0, 0
		n.endJoin()
		n.cold = t.master == noNode || !t.state.passes()
	}
	switch {
	case !info.LinkUp || !n.info.LinkUp || info.ReplID != n.info.ReplID:
		n.moves = 0
	case info.AppliedOffset > n.info.AppliedOffset:
		n.movedAt = t.now
		n.moves++
	}
	if info.Loading {
		n.streaming = false
	}
	if t.state == StateStuck && n.told && n.info.Role != info.Role {
		t.retryAt = t.now // the demoted one may be whom everybody waits for
	}
	t.join(n, info)
	if info.Syncing && !n.streaming && n.handed == 0 {
		n.dirty = true
	}
	n.info, n.told, n.learnedAt = info, true, t.now
	if i == t.master && t.cfg.verifies() {
		if verdict, _ := t.judgeMaster(n); verdict == VerdictHealthy {
			t.learnMaster(info)
		}
	}
}

// learnMaster takes over what the identical master says about its stream and its replicas.
func (t *turn) learnMaster(info Info) {
	t.offset, t.runID = info.Offset, info.RunID
	if info.ReplID != t.lineage() {
		// A master without replicas renames its lineage after repl-backlog-ttl. The same process with all its data is no other.
		t.remember(info.ReplID)
		t.emit(Effect{Kind: EffectCommit, Epoch: t.epoch, Record: t.record()})
	}
	for i := range t.nodes {
		n := &t.nodes[i]
		if i == t.master || !n.told {
			continue
		}
		n.streaming = t.streams(i, info)
		if n.streaming {
			n.dirty, n.syncedAt = false, t.now
		}
	}
}

// remember puts a lineage in front of those known.
func (t *turn) remember(id string) {
	if id == "" || id == t.lineage() {
		return
	}
	known := append([]string{id}, slices.DeleteFunc(slices.Clone(t.known), func(k string) bool { return k == id })...)
	t.known = known[:min(len(known), knownMax)]
}

// ackEvery is how often a replica acknowledges by itself, with a margin for the whole seconds in which servers count lag. Who was
// online for that long, and acknowledged lately, did it while online.
const ackEvery = 2200 * time.Millisecond

// movesProve: one interval of growth may hide a reconnection with a full copy in between, two in a row do not.
const movesProve = 2

// streams reports whether it is proven that the master sends its stream to node i. Neither the replica's "link up" nor the master's
// "online" proves that: after a full copy the stream is held back until the next acknowledgement, and meanwhile every write exists
// only at the master.
func (t *turn) streams(i int, master Info) bool {
	n := &t.nodes[i]
	t.expireJoin(n)
	if n.info.ReplID != t.lineage() || n.info.Loading || n.info.Syncing {
		n.online, n.cold = false, false
		return false
	}
	f, found := t.follower(i, master)
	if !found {
		// The master may know it under another address; a growing offset is proof enough.
		n.online, n.cold = false, false
		return n.info.LinkUp && n.moves >= movesProve && len(master.Followers) > 0
	}
	if !f.Online {
		n.online, n.cold = false, false
		n.endJoin()
		return false
	}
	if !n.online {
		n.online, n.onlineAt, n.ackOffset = true, t.now, f.Offset
	}
	acknowledged := f.Offset > n.ackOffset || t.now-n.onlineAt >= ackEvery && f.Lag <= 1
	return n.streaming || acknowledged || n.moves >= movesProve || n.info.LinkUp && t.continued(n.info)
}

// follower finds node i among the replicas that the master lists.
func (t *turn) follower(i int, master Info) (Follower, bool) {
	host, port := splitAddress(t.cfg.Backends[i].Address)
	var only Follower
	samePort := 0
	for _, f := range master.Followers {
		if f.Port != port {
			continue
		}
		if sameHost(f.Host, host) {
			return f, true
		}
		only = f
		samePort++
	}
	return only, samePort == 1 && t.onlyBackendWithPort(i, port)
}

func (t *turn) onlyBackendWithPort(i, port int) bool {
	for j, b := range t.cfg.Backends {
		if _, other := splitAddress(b.Address); j != i && j != t.master && other == port {
			return false
		}
	}
	return true
}

// confirm ends a loss when the identical master answered a question that was asked after it.
func (t *turn) confirm(a Answer) {
	if a.Node != t.master || !t.loss.pending {
		return
	}
	verdict, _ := t.judge(a.Node)
	if !verdict.serves() {
		return
	}
	if a.Sent < t.loss.confirmAt {
		if t.now >= t.loss.confirmAt {
			t.probe(t.master)
		}
		return
	}
	t.loss = loss{}
	t.confirmed()
}

// confirmed tells the sessions that they may dial the same backend again.
func (t *turn) confirmed() {
	t.check++
	t.checkedAt = t.now
}

func (t *turn) onFailure(f Failure) {
	n := &t.nodes[f.Node]
	n.text = f.Text
	if !f.Fresh {
		n.control = false
	}
	switch f.Kind {
	case FailRefused:
		n.refused = true
	case FailLost:
		if !f.Fresh && n.lostAt == 0 {
			n.lostAt = t.now
			t.probe(f.Node)
		}
	}
	if f.Node == t.master && !t.loss.pending && (f.Kind == FailRefused || f.Kind == FailLost) {
		t.suspectLoss(t.now)
	}
}

// onEvidence hears of a connection that the data plane lost. The master is asked first; nobody is held for one connection.
func (t *turn) onEvidence(e Evidence) {
	if e.Backend != t.master || t.master == noNode || (e.Epoch != 0 && e.Epoch != t.epoch) {
		return
	}
	confirmAt := t.now
	if e.Kind == EvIdentity || (t.checkedAt > 0 && t.now-t.checkedAt < t.cfg.Interval) {
		// The same trouble came back right after a confirmation: asking in a tight loop would only repeat it.
		confirmAt = t.now + t.cfg.Interval
	}
	t.suspectLoss(confirmAt)
	t.probe(t.master)
}

func (t *turn) suspectLoss(confirmAt time.Duration) {
	if !t.loss.pending {
		t.loss = loss{pending: true, at: t.now, confirmAt: confirmAt}
		return
	}
	t.loss.confirmAt = max(t.loss.confirmAt, confirmAt)
}
