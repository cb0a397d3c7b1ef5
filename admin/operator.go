package admin

import (
	"context"
	"errors"
)

// Source tells what the daemon believes. Both methods return copies, never block on the network and may be called from any goroutine.
type Source interface {
	Status() Status
	// Events returns the events that are still remembered and whose sequence number is greater than after, oldest first.
	Events(after uint64) []Event
	// Failovers returns the receipts of a pool that are still remembered, oldest first, or ErrNotFound.
	Failovers(pool string) ([]Receipt, error)
}

// Operator carries out orders. Each method returns when the order is done or cannot be done any more; the context ends when
// the caller's patience or the daemon does, and is not cancelled by a client that hangs up, because half a failover is worse than one.
type Operator interface {
	// Switchover hands the mastership to a healthy replica: to names it, and empty means the best one.
	Switchover(ctx context.Context, pool, to string) (*Receipt, error)
	// Failover promotes without the master's help.
	Failover(ctx context.Context, pool string, order FailoverOrder) (*Receipt, error)
	// Hold shuts the gate of the pool until Release, within the hold budget of the pool.
	Hold(ctx context.Context, pool string) error
	// Release takes Hold back. It is never refused; the gate opens if a master serves, else with the next one that does.
	Release(ctx context.Context, pool string) error
}

// FailoverOrder is what an operator may say about a forced failover.
type FailoverOrder struct {
	To         string `json:"to,omitempty"`          // name of the backend to promote; empty: the best one
	AcceptLoss bool   `json:"accept_loss,omitempty"` // promote although writes are known or feared to be lost
}

// The kinds of failure. An Operator wraps one of them; any other error counts as a plain failure.
var (
	// ErrNotFound is returned when there is no such pool or backend.
	ErrNotFound = errors.New("not found")
	// ErrConflict is returned when the pool is in a state in which the order makes no sense, such as a failover that is already running
	// or a hold that has to be released first.
	ErrConflict = errors.New("conflict")
	// ErrRefused is returned when a safety rule forbids the order; nothing was changed.
	ErrRefused = errors.New("refused by a safety rule")
	// ErrTimeout is returned when the order is still under way and the caller's time is up.
	ErrTimeout = errors.New("timed out")
)
