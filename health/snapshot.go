package health

import "time"

// Snapshot is a copy of everything an administrator wants to know about one pool.
type Snapshot struct {
	Pool      string            `json:"pool"`
	Mode      string            `json:"mode"`
	State     string            `json:"state"`
	Since     time.Duration     `json:"since"` // how long the pool has been in State
	Why       string            `json:"why"`
	Epoch     uint64            `json:"epoch"`
	Gate      string            `json:"gate"`
	Master    string            `json:"master"` // empty: none is accepted
	Address   string            `json:"address"`
	Lineage   string            `json:"lineage"`
	Held      bool              `json:"held"` // an operator holds the pool
	Backends  []BackendSnapshot `json:"backends"`
	Last      *Receipt          `json:"last_failover,omitempty"`
	Failovers uint64            `json:"failovers"`
	Faults    uint64            `json:"faults"` // refused illegal transitions; anything but zero is a bug
	Journal   string            `json:"journal_error,omitempty"`
	Load      Load              `json:"load"`
}

// BackendSnapshot is the view of one backend.
type BackendSnapshot struct {
	Name     string        `json:"name"`
	Address  string        `json:"address"`
	Machine  string        `json:"machine,omitempty"`
	Role     string        `json:"role"`
	Verdict  string        `json:"verdict"`
	Why      string        `json:"why"`
	Offset   int64         `json:"offset"`
	LagBytes int64         `json:"lag_bytes"`
	LinkUp   bool          `json:"link_up"`
	InSync   bool          `json:"in_sync"`
	RunID    string        `json:"run_id"`
	ReplID   string        `json:"replid"`
	Since    time.Duration `json:"since"`             // how long Verdict has been true
	Differs  []string      `json:"differs,omitempty"` // from its master, in what servers do not replicate
}

// Event is one public change. The events of one pool are numbered from 1 without gaps, anew with each controller.
type Event struct {
	Seq   uint64    `json:"seq"`
	At    time.Time `json:"at"`
	Pool  string    `json:"pool"`
	Kind  string    `json:"kind"` // state, verdict, failover, order, warning
	Epoch uint64    `json:"epoch"`
	Node  string    `json:"node,omitempty"`
	From  string    `json:"from,omitempty"`
	To    string    `json:"to,omitempty"`
	Text  string    `json:"text"`
}
