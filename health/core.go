package health

import (
	"fmt"
	"time"
)

// Core is the decision of one pool by itself: the same step that Controller runs, for whoever has a clock and a world of his own.
// It starts nothing and is used by one goroutine.
type Core struct {
	settings Settings
	pool     pool
}

// NewCore prepares a decision; rec is what the authority remembers of the pool.
func NewCore(s Settings, rec Record) (*Core, error) {
	if err := s.validate(); err != nil {
		return nil, fmt.Errorf("create health core: %w", err)
	}
	c := &Core{settings: s.normalized()}
	c.pool = newPool(&c.settings, rec)
	return c, nil
}

// Step takes what happened and returns what is to be done, in order. Times never go back.
func (c *Core) Step(o Observation) []Effect {
	next, effects := step(c.pool, o)
	c.pool = next
	return effects
}

// Pace is how soon a tick is wanted, counted from the last one or from now if that is sooner.
func (c *Core) Pace() time.Duration { return c.pool.pace() }

// Settings are those in force, with every default filled in.
func (c *Core) Settings() Settings { return c.settings }

// Route is the route in force; the first one is never published.
func (c *Core) Route() Route { return c.pool.route }

// State says how far the pool is, and why.
func (c *Core) State() (State, string) { return c.pool.state, c.pool.why }

// Master is the index of the accepted master, -1 for none.
func (c *Core) Master() int { return c.pool.master }

// InSync reports whether node i is the serving master or proven to stream from it.
func (c *Core) InSync(i int) bool {
	if i == c.pool.master {
		return c.pool.nodes[i].verdict.serves()
	}
	return c.pool.nodes[i].streaming
}

// Faults is the number of refused transitions; anything but zero is a bug.
func (c *Core) Faults() uint64 { return c.pool.faults }

// RunID names the process that was accepted as master.
func (c *Core) RunID() string { return c.pool.runID }
