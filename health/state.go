package health

// State is how far a pool is on the way from one master to the next. Only turn.transition writes it.
//
//	Starting --> NoMaster <-.            .--------------------------------------------.
//	   |            |       |            v                                            |
//	   +------------+-------+--------> Serving <--> Suspect                           |
//	   |            |                    |  ^          |                              |
//	   |            |                    |  |          v                              |
//	   '------------+--------------------+--+--> Holding --> Draining --> Promoting --> Releasing
//	                                        |      | ^  \       |            |        ^
//	                                        |      v |   \------|------------|--------' (adopt: nothing to promote)
//	                                        '---- Stuck <-------+------------'
//
// Requests pass in Serving and Releasing only, and there only if no operator holds the pool.
type State uint8

const (
	// StateStarting: the backends are asked for the first time; no route. Left when all have answered, were refused, or stayed
	// silent for Settings.Silence.
	StateStarting State = iota
	// StateNoMaster: the backends were seen and none may be accepted as master; an operator or a returning node changes that.
	StateNoMaster
	// StateServing: the master is alive and identical.
	StateServing
	// StateSuspect: the master did not answer for a while or lost a connection; the gate is shut and replies still flow. Left
	// for Serving by an answer of the same master, for Holding by proof or by enough silence.
	StateSuspect
	// StateHolding: the old mastership is over, its connections are being read to their end.
	StateHolding
	// StateDraining: the candidates read what the old master still sent.
	StateDraining
	// StatePromoting: the intent is on disk and one node was told to be master.
	StatePromoting
	// StateReleasing: the new master is verified and routed to; the record of it is being completed on disk.
	StateReleasing
	// StateStuck: nobody may be promoted. Clients are held within their budget, and every answer of a backend is a new chance.
	StateStuck
	states
)

// String names the state in logs, in the API and in the documentation.
func (s State) String() string {
	names := [states]string{"starting", "no-master", "serving", "suspect", "holding", "draining", "promoting", "releasing", "stuck"}
	if s < states {
		return names[s]
	}
	return "unknown"
}

// mayBecome is the table of legal transitions; everything else is a bug.
func (s State) mayBecome(next State) bool {
	switch s {
	case StateStarting, StateNoMaster:
		return next == StateServing || next == StateNoMaster || next == StateHolding
	case StateServing:
		return next == StateSuspect || next == StateHolding
	case StateSuspect:
		return next == StateServing || next == StateHolding
	case StateHolding:
		return next == StateDraining || next == StateReleasing || next == StateServing || next == StateStuck || next == StateNoMaster
	case StateDraining:
		return next == StatePromoting || next == StateServing || next == StateHolding || next == StateStuck
	case StatePromoting:
		return next == StateReleasing || next == StateStuck
	case StateReleasing:
		return next == StateServing || next == StateSuspect || next == StateHolding
	case StateStuck:
		return next == StateServing || next == StateHolding
	}
	return false
}

// passes reports whether requests may go to the backend in this state.
func (s State) passes() bool {
	return s == StateServing || s == StateReleasing
}

// Verdict is what the judge thinks of one backend.
type Verdict uint8

const (
	// VerdictUnknown: not one answer yet.
	VerdictUnknown Verdict = iota
	// VerdictHealthy: the identical master, or a replica that streams from it.
	VerdictHealthy
	// VerdictSyncing: a replica that is not in sync: loading, copying, or its link is down.
	VerdictSyncing
	// VerdictBusy: a script runs; alive.
	VerdictBusy
	// VerdictDegraded: alive and refusing writes.
	VerdictDegraded
	// VerdictDenied: alive, and our credentials are wrong.
	VerdictDenied
	// VerdictSuspect: no answer for a while, or the control connection was lost.
	VerdictSuspect
	// VerdictSilent: no answer for too long.
	VerdictSilent
	// VerdictRefused: the host is up and nothing listens; the process is dead.
	VerdictRefused
	// VerdictReborn: answers from the master's address, and is not the master that was there.
	VerdictReborn
	// VerdictDemoted: the master became a replica without us.
	VerdictDemoted
	// VerdictStale: calls itself master of a lineage that went on without it, or of nothing.
	VerdictStale
	// VerdictQuarantined: a master of other data; it is neither used nor changed.
	VerdictQuarantined
	verdicts
)

// String names the verdict in events and in the API.
func (v Verdict) String() string {
	names := [verdicts]string{"unknown", "healthy", "syncing", "busy", "degraded", "denied", "suspect", "silent", "refused", "reborn",
		"demoted", "stale", "quarantined"}
	if v < verdicts {
		return names[v]
	}
	return "unknown"
}

// serves reports whether a master with this verdict may be written to. Busy, degraded and denied are the master's own answer to
// give, not a reason to take it away.
func (v Verdict) serves() bool {
	return v == VerdictHealthy || v == VerdictBusy || v == VerdictDegraded || v == VerdictDenied
}

// alive reports whether the node answered lately, whatever it said.
func (v Verdict) alive() bool {
	return v != VerdictUnknown && v != VerdictSuspect && v != VerdictSilent && v != VerdictRefused
}
