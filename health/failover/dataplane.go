package failover

import (
	"context"
	"time"

	"holdfast/health"
)

// CutReport counts what one cut found.
type CutReport = health.CutReport

// DataPlane is what the executor needs from the sessions of a pool.
type DataPlane interface {
	// Publish makes a route visible to every loop. It never blocks.
	Publish(health.Route)
	// Cut returns when every session has read its backend connection of that epoch to the end and has closed it.
	// The backend has answered a probe that was sent alive ago (0: not known).
	Cut(ctx context.Context, epoch uint64, alive time.Duration) (CutReport, error)
	// Quiesce is called while the gate is shut; it returns when no request is unanswered, or when ctx ends.
	Quiesce(ctx context.Context) error
	// SlowInFlight is the number of unanswered commands known to take long.
	SlowInFlight() int
	// Clients is the number of connected clients and of those that are held.
	Clients() (connected, held int)
}
