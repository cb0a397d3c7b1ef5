package health

import (
	"fmt"
	"time"
)

// EffectKind names what an Effect does.
type EffectKind uint8

const (
	// EffectPublish gives Route to the data plane. It never blocks and is done in order.
	EffectPublish EffectKind = iota
	// EffectEvent reports Event. The controller does it.
	EffectEvent
	// EffectReply answers the operator order numbered Order. The controller does it.
	EffectReply
	// EffectProbe asks Node at once, on its control connection and on a fresh one. The controller does it.
	EffectProbe
	// EffectCut reads every backend connection of Epoch to its end and closes it.
	EffectCut
	// EffectDrain waits until Node has read all that the dead master sent; Hung says that the link will not go down.
	EffectDrain
	// EffectIntend writes Record, with its intent, to disk.
	EffectIntend
	// EffectCommit writes Record as done.
	EffectCommit
	// EffectNote remembers Record.Offset cheaply; losing it loses nothing but precision.
	EffectNote
	// EffectKeep appends Receipt to the history on disk.
	EffectKeep
	// EffectFence queues the demotion of Node under To on a connection that is already open; it does not wait for the answer.
	EffectFence
	// EffectPromote makes Node master and verifies that it continues Lineage (empty: only the role is verified).
	EffectPromote
	// EffectVerify reads role and lineage of Node on a fresh question and changes nothing.
	EffectVerify
	// EffectRepoint makes the replica Node follow To.
	EffectRepoint
	// EffectDemote makes the master Node a replica of To, ends a pause and drops its direct clients.
	EffectDemote
	// EffectQuiesce waits until nothing is unanswered.
	EffectQuiesce
	// EffectCatchUp pauses the writes of Node and waits until To has the same offset.
	EffectCatchUp
	// EffectUnpause ends the pause of Node after an aborted switchover.
	EffectUnpause
	// EffectRestore sets min-replicas-to-write of Node back to Offset, in the process and in its file.
	EffectRestore
	// EffectPersist writes the role of Node into its own configuration file, where it has one, and there min-replicas-to-write
	// as Offset says, if that is set: what a promotion relaxed for now must not outlive the process.
	EffectPersist
	// EffectWarm opens the connection that later carries the commands for Node.
	EffectWarm
	// EffectCompare asks Node and its master To for what they do not replicate and clients depend on.
	EffectCompare
	effectKinds
)

// String names the kind in logs and transcripts.
func (k EffectKind) String() string {
	names := [effectKinds]string{"publish", "event", "reply", "probe", "cut", "drain", "intend", "commit", "note", "keep", "fence",
		"promote", "verify", "repoint", "demote", "quiesce", "catch-up", "unpause", "restore", "persist", "warm",
		"compare"}
	if k < effectKinds {
		return names[k]
	}
	return "unknown"
}

// Effect is one thing to do, as a value. Only the fields that its kind names are set.
type Effect struct {
	Kind EffectKind
	// Plan numbers the plan that wants the effect; results of another plan are dropped. 0: no plan.
	Plan  uint64
	Epoch uint64
	Node  int
	To    int
	// Limit bounds the time the effect may take; 0 means the executor's own bound.
	Limit time.Duration
	// Alive is how long ago the INFO was sent that told the last known offset of the process at Node; 0: not known.
	Alive   time.Duration
	Hung    bool
	Relax   bool // the promoted node must stop asking for replicas, for it has none
	Lineage string
	Offset  int64
	Route   Route
	Record  Record
	Receipt Receipt
	Event   Event
	Order   uint64
	Err     error
}

// String is the form used in transcripts.
func (e Effect) String() string {
	switch e.Kind {
	case EffectPublish:
		r := e.Route
		return fmt.Sprintf("publish epoch=%d gate=%s backend=%d lineage=%s check=%d", r.Epoch, r.Gate, r.Backend, r.Lineage, r.Check)
	case EffectEvent:
		return fmt.Sprintf("event %s %s", e.Event.Kind, e.Event.Text)
	case EffectReply:
		return fmt.Sprintf("reply order=%d err=%v", e.Order, e.Err)
	case EffectKeep:
		r := e.Receipt
		return fmt.Sprintf("keep epoch=%d trigger=%s %s->%s lost=%d bound=%s", r.Epoch, r.Trigger, r.Old, r.New, r.BytesLost, r.AtRiskBound)
	case EffectIntend:
		return fmt.Sprintf("intend epoch=%d node=%s", e.Record.Intent.Epoch, e.Record.Intent.Node)
	case EffectCommit:
		return fmt.Sprintf("%s epoch=%d node=%s", e.Kind, e.Epoch, e.Record.Node)
	case EffectRepoint, EffectDemote, EffectFence, EffectCatchUp, EffectCompare:
		return fmt.Sprintf("%s node=%d to=%d", e.Kind, e.Node, e.To)
	case EffectCut, EffectQuiesce:
		return fmt.Sprintf("%s epoch=%d", e.Kind, e.Epoch)
	}
	return fmt.Sprintf("%s node=%d", e.Kind, e.Node)
}

// FirstAnswer is how far a node had read when it was first heard in its drain, and how long after the drain was wanted.
type FirstAnswer struct {
	Read  int64
	After time.Duration
}

// Result is what came of an Effect.
type Result struct {
	Kind  EffectKind
	Plan  uint64
	Epoch uint64
	Node  int
	Err   error
	// Info is what the node said last (drain, promote, verify, catch-up).
	Info Info
	// First is set by EffectDrain.
	First FirstAnswer
	// Cut is set by EffectCut.
	Cut CutReport
	// Relaxed is the min-replicas-to-write that a promotion set to zero; 0: nothing was relaxed.
	Relaxed int64
	// Differences is set by EffectCompare.
	Differences []Difference
}
