package health

import "time"

// Record is what must survive a restart of the proxy: the last mastership, and the one that was being made.
//
// Invariant: Intent == nil or Intent.Epoch > Epoch; neither ever goes back.
type Record struct {
	Pool    string `json:"pool"`
	Epoch   uint64 `json:"epoch"`
	Node    string `json:"node"`
	Address string `json:"address"`
	RunID   string `json:"run_id"`
	// Lineage is the current replication id; Known lists it and those before it, newest first.
	Lineage string   `json:"lineage"`
	Known   []string `json:"known"`
	Offset  int64    `json:"offset"`
	Intent  *Intent  `json:"intent,omitempty"`
	// Relaxed has, by the names of backends, each min-replicas-to-write that a promotion set to 0 and that is to be set back.
	Relaxed map[string]int64 `json:"relaxed,omitempty"`
	At      time.Time        `json:"at"`
}

// Intent is written, and on disk, before a promotion is sent.
type Intent struct {
	Epoch   uint64 `json:"epoch"`
	Node    string `json:"node"`
	Address string `json:"address"`
	Lineage string `json:"lineage"`
	Offset  int64  `json:"offset"`
}

// Empty reports whether nothing was ever recorded.
func (r Record) Empty() bool {
	return r.Epoch == 0 && r.Intent == nil
}
