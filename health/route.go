package health

import "time"

// Gate says whether requests of clients may go to the backend of a Route.
type Gate uint8

const (
	// GateShut holds clients: what they send stays in the buffers of the kernel. The zero value is shut, because a pool whose
	// master is not verified yet must not forward anything.
	GateShut Gate = iota
	// GateOpen lets requests pass to the backend of the route.
	GateOpen
	// GateRefusing answers each request with the documented error, because the hold budget is spent.
	GateRefusing
)

// String names the gate in logs and in the API.
func (g Gate) String() string {
	switch g {
	case GateShut:
		return "shut"
	case GateOpen:
		return "open"
	case GateRefusing:
		return "refusing"
	}
	return "unknown"
}

// Route is the immutable snapshot that the data plane reads.
//
// Invariant: Gate == GateOpen implies Backend >= 0 and Epoch >= 1.
type Route struct {
	// Epoch is the mastership that this route belongs to; it never goes back.
	Epoch uint64
	// Gate says whether requests may be forwarded.
	Gate Gate
	// Backend is the index into Settings.Backends; -1 means that no backend is accepted.
	Backend int
	// Lineage is the master_replid that a new data connection must report, together with role:master, before its first
	// byte. Empty means that nothing is checked (ordered, off and tcp pools).
	Lineage string
	// Check grows each time the backend was confirmed alive and identical after a loss. A session that lost a backend
	// connection dials again only when Check moved past the value it saw, or Epoch changed.
	Check uint64
}

// EvidenceKind is what the data plane saw happen to a backend.
type EvidenceKind uint8

const (
	// EvRefused is a dial that was refused: the host is up and has no process on the port.
	EvRefused EvidenceKind = iota
	// EvReset is a backend connection that ended in a reset.
	EvReset
	// EvEOF is a backend connection that was closed by the backend.
	EvEOF
	// EvReadonly is a -READONLY, -MASTERDOWN or -LOADING seen from what should be the master.
	EvReadonly
	// EvIdentity is a new data connection that reported another lineage or role than the route demands.
	EvIdentity
	// EvDialTimeout is a dial that got no answer at all.
	EvDialTimeout
)

// String names the kind in logs and events.
func (k EvidenceKind) String() string {
	names := [...]string{"refused", "reset", "eof", "readonly", "identity", "dial-timeout"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Evidence is one passive observation of the data plane, handed to Controller.Observe.
type Evidence struct {
	Backend int
	Epoch   uint64
	Kind    EvidenceKind
	// Busy is true when requests were in flight on the connection.
	Busy bool
}

// CutReport counts what one cut found: clients connected, clients held, and the requests that were in flight by class.
type CutReport struct {
	Clients int `json:"clients"`
	Held    int `json:"held"`
	// NeverSent requests had not reached a backend; they are sent to the next one.
	NeverSent int `json:"never_sent"`
	// Refused requests were answered in a way that proves they did not run; they are sent again.
	Refused int `json:"refused"`
	// RetriedReads have an unknown result and are repeated, because they change nothing.
	RetriedReads int `json:"retried_reads"`
	// Unknown requests may have run; their clients get the documented error.
	Unknown int `json:"unknown"`
	// Aborted requests surely did not run and are not repeated: their clients are told so.
	Aborted int `json:"aborted"`
	// AtRisk writes were acknowledged in the last turn of the old master's event loop. A process that dies within a turn may
	// not have sent them to a replica (hazards of asynchronous replication). In a receipt it is the bound that AtRiskBound names.
	AtRisk int `json:"at_risk"`
	// Acknowledged writes are all of the epoch. They are at risk when the next master has seen nothing of it.
	Acknowledged int `json:"-"`
	// SinceAlive writes were acknowledged since the probe that told the last offset. It is never below AtRisk, and no part of a
	// receipt by itself.
	SinceAlive int `json:"-"`
}

// Load is what the data plane says about itself; the controller samples it with every tick.
type Load struct {
	// Slow counts unanswered commands that are known to take long.
	Slow int
	// Connected and Held count clients.
	Connected, Held int
}

// Clock tells the monotonic time since some start, including the time the machine was suspended.
type Clock func() time.Duration
