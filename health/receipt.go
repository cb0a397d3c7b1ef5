package health

import "time"

// Trigger says who wanted a new mastership.
type Trigger string

const (
	// TriggerAutomatic is a failover after a loss.
	TriggerAutomatic Trigger = "automatic"
	// TriggerSwitchover is a planned change with a master that cooperates.
	TriggerSwitchover Trigger = "switchover"
	// TriggerOperator is a failover that an operator forced.
	TriggerOperator Trigger = "operator"
	// TriggerAdopted is a master that somebody else made, or that came back, and was accepted.
	TriggerAdopted Trigger = "adopted"
)

// Phases are the parts of a failover in milliseconds.
type Phases struct {
	// Detect runs from the first sign of trouble to the decision.
	Detect float64 `json:"detect"`
	// Hold runs from the decision until every old backend connection is read to its end.
	Hold float64 `json:"hold"`
	// Drain runs from the decision until the candidate has read everything.
	Drain float64 `json:"drain"`
	// Promote runs until the candidate is verified as master; the route is published in that same step.
	Promote float64 `json:"promote"`
	// Total is the time from the first sign of trouble to the new route.
	Total float64 `json:"total"`
}

// Receipt is the record of one failover.
//
// Invariants: BytesLost == max(0, OffsetSeen-OffsetPromoted); what was acknowledged and is lost is in BytesLost or counted in
// Cut.AtRisk.
type Receipt struct {
	Pool           string    `json:"pool"`
	Epoch          uint64    `json:"epoch"`
	Trigger        Trigger   `json:"trigger"`
	Old            string    `json:"old"`
	New            string    `json:"new"`
	Cause          string    `json:"cause"`
	Phases         Phases    `json:"phases_ms"`
	Cut            CutReport `json:"cut"`
	AtRiskBound    Bound     `json:"at_risk_bound,omitempty"`
	OffsetSeen     int64     `json:"offset_seen"`
	OffsetPromoted int64     `json:"offset_promoted"`
	BytesLost      int64     `json:"bytes_lost"`
	At             time.Time `json:"at"`
}
