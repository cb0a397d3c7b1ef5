package proxy

import "fmt"

// Gate says whether requests may go on.
type Gate uint8

const (
	// GateShut holds requests in the clients' socket buffers.
	GateShut Gate = iota
	// GateOpen lets requests go to the route's backend.
	GateOpen
	// GateRefusing answers requests as not executed: the hold budget is spent.
	GateRefusing
)

// Route is the immutable snapshot by which the data plane is led.
type Route struct {
	// Epoch is the number of the current mastership; connections of another epoch carry no request.
	Epoch uint64
	Gate  Gate
	// Backend is an index into the pool's backends, -1 for none.
	Backend int
	// Lineage is the replication id that a new backend connection must report, together with the role of master,
	// before its first request; empty: not checked.
	Lineage string
	// Check grows each time the backend was confirmed alive and the same after a loss. A session whose backend
	// connection broke dials the same epoch again only under a newer check.
	Check uint64
}

// EvidenceKind is what a loop saw of a backend.
type EvidenceKind uint8

const (
	EvidenceRefused  EvidenceKind = iota // a dial was refused
	EvidenceReset                        // a connection was reset
	EvidenceEOF                          // a connection was closed by the backend
	EvidenceReadonly                     // an error reply said that the node is no master
	EvidenceIdentity                     // a new connection reported another lineage or role
	EvidenceTimeout                      // a dial was not answered
)

var evidenceNames = [...]string{"refused", "reset", "eof", "readonly", "identity", "timeout"}

func (k EvidenceKind) String() string {
	if int(k) < len(evidenceNames) {
		return evidenceNames[k]
	}
	return fmt.Sprintf("evidence(%d)", uint8(k))
}

// Evidence is passive: it costs no probe.
type Evidence struct {
	Backend int
	Epoch   uint64
	Kind    EvidenceKind
	Busy    bool // requests were unanswered
}
