package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast/health"
)

// Authority is asked before anything irreversible, and remembers it. A refusal forbids the promotion.
type Authority interface {
	// Intend returns when the intent is on disk and this node may go on.
	Intend(health.Record) error
	// Commit returns when the finished mastership is on disk.
	Commit(health.Record) error
	// Note remembers the offset of an epoch cheaply.
	Note(epoch uint64, offset int64) error
	// Keep appends a receipt to the history.
	Keep(health.Receipt) error
}

// Bounds of single effects; Effect.Limit replaces them where the decision knows better.
const (
	// commandMax: a server that needs longer for REPLICAOF hangs.
	commandMax = time.Second
	// promoteMax bounds a promotion; what is slower than this is better tried again elsewhere.
	promoteMax = time.Second
	// cutMax: reading a backend to its end is a matter of microseconds a session, but the loop that does it needs a processor, and half
	// a second without one was seen where fifteen threads shared each. Whoever goes on before the loops have answered helps none of
	// their clients, and writes a receipt without what they count. Beyond this a loop is broken.
	cutMax = 5 * time.Second
	// fenceMax is how long a queued demotion waits for a hung server to wake. After it the bytes still wait in its socket.
	fenceMax = 10 * time.Minute
	// pauseFor outlasts a whole switchover, and ends by itself should this process die.
	pauseFor = 3 * time.Second
)

// Executor carries out the effects of one pool.
type Executor struct {
	settings  health.Settings
	data      DataPlane
	authority Authority
	nodes     []*node
	tutor     *Tutor // nil: nobody teaches
}

var _ health.Executor = (*Executor)(nil)

// New prepares an executor; it dials nothing.
func New(s health.Settings, d DataPlane, a Authority) *Executor {
	x := &Executor{settings: s, data: d, authority: a}
	for _, b := range s.Backends {
		x.nodes = append(x.nodes, &node{settings: s, backend: b})
	}
	return x
}

// Publish hands a route to the data plane.
func (x *Executor) Publish(r health.Route) {
	x.data.Publish(r)
	if x.tutor != nil {
		x.tutor.follow(r)
	}
}

// Load samples the data plane.
func (x *Executor) Load() health.Load {
	connected, held := x.data.Clients()
	return health.Load{Slow: x.data.SlowInFlight(), Connected: connected, Held: held}
}

// Close drops every connection.
func (x *Executor) Close() error {
	var errs []error
	for _, n := range x.nodes {
		errs = append(errs, n.close())
	}
	return errors.Join(errs...)
}

// Execute carries out one effect and says what came of it.
func (x *Executor) Execute(ctx context.Context, e health.Effect) health.Result {
	var r health.Result
	switch e.Kind {
	case health.EffectCut:
		ctx, cancel := context.WithTimeout(ctx, limit(e, cutMax))
		defer cancel()
		r.Cut, r.Err = x.data.Cut(ctx, e.Epoch, e.Alive)
	case health.EffectQuiesce:
		ctx, cancel := context.WithTimeout(ctx, limit(e, commandMax))
		defer cancel()
		r.Err = x.data.Quiesce(ctx)
	case health.EffectIntend:
		r.Err = x.authority.Intend(e.Record)
	case health.EffectCommit:
		r.Err = x.authority.Commit(e.Record)
	case health.EffectNote:
		r.Err = x.authority.Note(e.Epoch, e.Offset)
	case health.EffectKeep:
		r.Err = x.authority.Keep(e.Receipt)
	default:
		r = x.executeNode(ctx, e)
	}
	return r
}

// executeNode carries out the effects that talk to a server.
func (x *Executor) executeNode(ctx context.Context, e health.Effect) (r health.Result) {
	n := x.nodes[e.Node]
	switch e.Kind {
	case health.EffectDrain:
		r.Info, r.First, r.Err = n.drain(ctx, e.Hung, limit(e, commandMax))
	case health.EffectPromote:
		if x.tutor != nil {
			x.tutor.hurry(ctx, n)
		}
		r.Info, r.Relaxed, r.Err = n.promote(ctx, e.Lineage, e.Relax)
	case health.EffectVerify:
		r.Info, r.Err = n.verify(ctx, e.Lineage)
	case health.EffectCatchUp:
		r.Info, r.Err = n.catchUp(ctx, x.nodes[e.To], limit(e, commandMax))
	case health.EffectUnpause:
		r.Err = n.unpause(ctx)
	case health.EffectRepoint:
		r.Err = n.repoint(ctx, x.nodes[e.To].backend)
	case health.EffectDemote:
		r.Err = n.demote(ctx, x.nodes[e.To].backend)
	case health.EffectFence:
		r.Err = n.fence(ctx, x.nodes[e.To].backend)
	case health.EffectRestore:
		r.Err = n.restore(ctx, e.Offset)
	case health.EffectPersist:
		r.Err = n.persist(ctx, e.Offset)
	case health.EffectWarm:
		r.Err = n.warm(ctx)
	case health.EffectCompare:
		r.Differences, r.Err = n.compare(ctx, x.nodes[e.To])
	default:
		r.Err = fmt.Errorf("execute %s: %w", e.Kind, errors.ErrUnsupported)
	}
	return r
}

func limit(e health.Effect, otherwise time.Duration) time.Duration {
	if e.Limit > 0 {
		return e.Limit
	}
	return otherwise
}
