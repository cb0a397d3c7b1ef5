package admin

import "time"

// Status is the whole picture. The JSON names are a public contract: fields are added, never renamed.
type Status struct {
	Version string `json:"version"`
	Pools   []Pool `json:"pools"`
}

// Pool is one service as its clients meet it.
type Pool struct {
	Name     string    `json:"name"`
	State    string    `json:"state"` // of the failover state machine: serving, suspect, holding, draining, promoting, releasing, stuck
	Since    time.Time `json:"since"` // when the state was entered
	Why      string    `json:"why"`   // the evidence that led into the state
	Epoch    uint64    `json:"epoch"`
	Gate     string    `json:"gate"`   // GateOpen, GateShut or GateRefusing
	Master   string    `json:"master"` // name of the backend that requests are routed to; empty: none is accepted
	Listen   []string  `json:"listen"`
	Protocol string    `json:"protocol"` // redis or tcp
	Failover string    `json:"failover"` // promote, follow, ordered or off

	Clients   int    `json:"clients"`   // connections that clients have open
	Held      int    `json:"held"`      // of these, how many wait at the gate; 0 <= held <= clients
	InFlight  int    `json:"in_flight"` // requests sent and unanswered
	Failovers uint64 `json:"failovers"` // promotions since the daemon started

	Backends    []Backend `json:"backends"`
	LastReceipt *Receipt  `json:"last_receipt"`
}

// The values of Pool.Gate.
const (
	GateOpen     = "open"
	GateShut     = "shut"
	GateRefusing = "refusing"
)

// The values of Backend.Verdict that commands and checks depend on; health may have finer ones.
const (
	VerdictHealthy = "healthy"
	VerdictSuspect = "suspect"
	VerdictFailed  = "failed"
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
	Verdict  string `json:"verdict"` // VerdictHealthy, VerdictSuspect, VerdictFailed or a grade such as loading
	Why      string `json:"why"`     // the evidence for the verdict
	Offset   int64  `json:"offset"`  // replication offset, applied; 0: never seen
	LagBytes int64  `json:"lag_bytes"`
	LinkUp   bool   `json:"link_up"` // a replica's connection to its master
	InSync   bool   `json:"in_sync"` // could be promoted without loss as far as is known
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
	AtRisk         int       `json:"at_risk"`         // writes acknowledged in the old master's last turn: the most that its death can lose
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
}

// Event is one change that the daemon made or saw. Seq grows by one with each event and starts again at 1 with the daemon.
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
