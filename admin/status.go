package admin

import "time"

// Status is the whole picture. The JSON names are a public contract: fields are added, never renamed.
type Status struct {
	Version string  `json:"version"`
	Runtime Runtime `json:"runtime"`
	Pools   []Pool  `json:"pools"`
}

// Runtime is what the process itself holds. After a failover all of it comes back to what it was before.
type Runtime struct {
	Goroutines int    `json:"goroutines"`
	HeapBytes  uint64 `json:"heap_bytes"`   // what the last garbage collection found to be in use
	Pipes      int    `json:"pipes"`        // kernel pipes that the event loops keep
	PipesInUse int    `json:"pipes_in_use"` // of these, how many hold somebody's bytes
}

// Pool is one service as its clients meet it.
type Pool struct {
	Name  string    `json:"name"`
	State string    `json:"state"` // of the failover state machine: serving, suspect ...; docs/operations.md explains each
	Since time.Time `json:"since"` // when the state was entered
	Why   string    `json:"why"`   // the evidence that led into the state
	Epoch uint64    `json:"epoch"`
	Gate  string    `json:"gate"` // GateOpen, GateShut or GateRefusing
	// HeldByOperator: an operator holds the pool, so that the gate stays shut whatever the state is.
	HeldByOperator bool     `json:"held_by_operator"`
	Master         string   `json:"master"` // name of the backend that requests are routed to; empty: none is accepted
	Listen         []string `json:"listen"`
	Protocol       string   `json:"protocol"` // redis or tcp
	Failover       string   `json:"failover"` // promote, follow, ordered or off

	Clients   int    `json:"clients"`   // connections that clients have open
	Held      int    `json:"held"`      // of these, how many wait at the gate; 0 <= held <= clients
	InFlight  int    `json:"in_flight"` // clients that have requests sent and unanswered; not the number of these requests
	Failovers uint64 `json:"failovers"` // promotions since the daemon started

	// The counts since the daemon started. Accepted connections are those that are open and those of Closed.
	Accepted uint64            `json:"accepted"`
	Refused  uint64            `json:"refused"` // requests answered as not executed, because the gate refused
	Closed   map[string]uint64 `json:"closed"`  // ended connections by reason
	// TurnedAway counts connections that were refused before they counted as accepted, by reason.
	TurnedAway map[string]uint64 `json:"turned_away"`

	// UnknownState counts clients that have executed a command of which nobody knows what it changed on their connection.
	UnknownState uint64    `json:"unknown_state"`
	Listeners    Listeners `json:"listeners"`

	JournalError string `json:"journal_error"` // why the journal cannot be written, which forbids promotions; empty: it can

	Backends    []Backend `json:"backends"`
	LastReceipt *Receipt  `json:"last_receipt"`
}

// Listeners are the subscribed clients that were moved to another master, and how long each could hear nothing: from the end of
// the old connection until all its subscriptions were confirmed on the new one.
type Listeners struct {
	Moved    uint64  `json:"moved"` // one for each client and move
	GapMaxMS float64 `json:"gap_max_ms"`
	GapSumMS float64 `json:"gap_sum_ms"`
}

// The values of Pool.Gate.
const (
	GateOpen     = "open"
	GateShut     = "shut"
	GateRefusing = "refusing"
)

// The values of Backend.Role that commands and checks depend on.
const (
	RoleMaster  = "master"
	RoleReplica = "replica"
)

// Backend is one server of a pool and what health thinks of it.
type Backend struct {
	Name     string `json:"name"`
	Address  string `json:"address"`
	Role     string `json:"role"`    // RoleMaster or RoleReplica; empty: not known
	Verdict  string `json:"verdict"` // healthy, suspect, refused ...: the words of health, each explained in docs/operations.md
	Why      string `json:"why"`     // the evidence for the verdict
	Offset   int64  `json:"offset"`  // replication offset, applied; 0: never seen
	LagBytes int64  `json:"lag_bytes"`
	LinkUp   bool   `json:"link_up"` // a replica's connection to its master
	InSync   bool   `json:"in_sync"` // could be promoted without loss as far as is known
	// Differs says in what it would serve clients otherwise than its master does, because servers do not replicate it.
	Differs []string `json:"differs,omitempty"`
}

// Receipt is the record of one change of mastership.
type Receipt struct {
	Epoch          uint64    `json:"epoch"`
	Trigger        string    `json:"trigger"` // automatic, switchover, operator or adopted
	Old            string    `json:"old"`
	New            string    `json:"new"`
	Cause          string    `json:"cause"`
	PhasesMS       Phases    `json:"phases_ms"`
	Clients        int       `json:"clients"`
	Held           int       `json:"held"`
	Cut            Cut       `json:"cut"`
	AtRisk         int       `json:"at_risk"`         // acknowledged writes that may be gone, beside those that are in bytes_lost
	AtRiskBound    string    `json:"at_risk_bound"`   // turn: of the last turn; probe: since offset_seen; epoch: all of it; "": not known
	OffsetSeen     int64     `json:"offset_seen"`     // the last one the old master reported
	OffsetPromoted int64     `json:"offset_promoted"` // the new master's at its promotion
	BytesLost      int64     `json:"bytes_lost"`      // max(0, offset_seen - offset_promoted)
	At             time.Time `json:"at"`
}

// Cut counts, by class, the requests that were in flight when their backend was lost.
type Cut struct {
	NeverSent int `json:"never_sent"` // still with us: sent to the new master
	Refused   int `json:"refused"`    // the old master said that it did not run them: sent to the new master
	Retried   int `json:"retried"`    // reads, run again
	Unknown   int `json:"unknown"`    // may have run: answered with -UNKNOWNRESULT
	Aborted   int `json:"aborted"`    // surely not executed, and answered so: -TRYAGAIN, -EXECABORT or a null EXEC
}

// Event is one change that the daemon made or saw. Seq orders the events of all pools and grows with each, by any amount: it is made
// of the time, so a new daemon goes on above the old one unless the clock was set back.
type Event struct {
	Seq      uint64    `json:"seq"`
	At       time.Time `json:"at"`
	Pool     string    `json:"pool"`
	Epoch    uint64    `json:"epoch"`
	Type     string    `json:"type"`     // public name, such as pool.state or backend.verdict
	Severity string    `json:"severity"` // info, warning or critical
	Subject  string    `json:"subject"`  // what changed: a backend's name, or empty for the pool itself
	Text     string    `json:"text"`     // one line for people
}
