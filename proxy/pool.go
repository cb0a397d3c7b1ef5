package proxy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"holdfast/proxy/resp"
	"holdfast/splice"
)

// ErrUnknownDeny is returned when a deny list names a command that does not exist.
var ErrUnknownDeny = errors.New("deny list names unknown commands")

// PoolOptions configure one pool.
type PoolOptions struct {
	Name     string
	Listen   []string // "host:port" or "unix:/path"
	Backends []string // the same forms; Route.Backend is an index into it
	// Opaque pools move bytes without looking at them: a lost backend closes what cannot be moved.
	Opaque bool
	Deny   []string
	Policy resp.Policy
	// CloseUnknownState ends a session that has executed a command of unknown meaning instead of moving it.
	CloseUnknownState bool
	// RefuseCursors answers a cursor of SCAN that an earlier master has given out with an error.
	RefuseCursors bool
	// HeldMax bounds the clients that wait at a shut gate in one pool; more are answered as not executed.
	HeldMax int
	Socket  splice.SocketOptions // of backend connections
	// ClientSocket is for the listeners, and so for the connections of clients.
	ClientSocket splice.SocketOptions
	// OnEvidence is called from the loops; it must not block.
	OnEvidence func(Evidence)
}

// Pool is one service. Its route is written by the control plane and read by every loop.
type Pool struct {
	name    string
	options PoolOptions
	proxy   *Proxy
	route   atomic.Pointer[Route]
	slow    atomic.Int64 // unanswered commands that are known to run long
	care    *resp.Care
	// vocabulary is what the master knows beyond our table, nil before it was asked.
	vocabulary atomic.Pointer[resp.Vocabulary]
	scripts    *scripts
	ids        *ids
	strangers  strangers
	backends   []splice.Address
	listeners  []listener
	index      int
	heldMax    int // share of one loop
	dialsMax   int // the same
	// laggardsMax is the same.
	laggardsMax int
}

func newPool(p *Proxy, o PoolOptions) (*Pool, error) {
	care, unknown := resp.NewCare(o.Deny)
	if len(unknown) > 0 {
		return nil, fmt.Errorf("pool %q: %w: %s", o.Name, ErrUnknownDeny, strings.Join(unknown, ", "))
	}
	if o.RefuseCursors {
		care.RefuseCursors()
	}
	pool := &Pool{name: o.Name, options: o, proxy: p, care: care, scripts: newScripts(), ids: newIDs(), index: len(p.pools)}
	share := func(of int) int { return max(1, of/len(p.workers)) }
	pool.heldMax, pool.dialsMax, pool.laggardsMax = share(o.HeldMax), share(dialsMax), share(laggardsMax)
	pool.route.Store(&Route{Backend: -1})
	for _, b := range o.Backends {
		a, err := splice.ParseAddress(b)
		if err != nil {
			return nil, fmt.Errorf("pool %q: backend %s: %w", o.Name, b, err)
		}
		pool.backends = append(pool.backends, a)
	}
	for _, l := range o.Listen {
		if err := pool.listen(l); err != nil {
			pool.closeListeners()
			return nil, fmt.Errorf("pool %q: listen on %s: %w", o.Name, l, err)
		}
	}
	for _, w := range p.workers {
		w.addPool(pool)
	}
	return pool, nil
}

// Publish makes r the route and wakes the loops. It never blocks.
func (p *Pool) Publish(r Route) {
	p.route.Store(&r)
	for _, w := range p.proxy.workers {
		w.loop.Post(func() { w.follow(w.views[p.index]) })
	}
}

// Route is the route in force.
func (p *Pool) Route() Route { return *p.route.Load() }

// SlowInFlight is the number of unanswered commands that are known to run long.
func (p *Pool) SlowInFlight() int { return int(p.slow.Load()) }

// CutReport says what became of a lost epoch's sessions.
type CutReport struct {
	Clients int // sessions of the pool
	Held    int // sessions that now wait for the next epoch
	// AtRisk is the number of writes that were acknowledged in the last turn of the backend's event loop: a process that
	// dies or freezes within a turn may never have sent them to a replica. What it sent before does not die with it.
	AtRisk int
	// Acknowledged is the number of writes that were acknowledged since the last cut.
	Acknowledged int
	// SinceAlive is the number of writes that were acknowledged since the backend's last proof of life: the bound where
	// what it sent may be gone, too.
	SinceAlive int
	resp.CutCounts
}

// aliveMargin is taken off the time since the backend's last proof of life, for the way of the order to the loops.
const aliveMargin = 50 * time.Millisecond

// Cut reads every backend connection of epochs up to epoch to its end, closes it and classifies what was unanswered.
// It returns when all loops have done so: from then on no byte of these epochs reaches a client. The gate must be shut.
// The backend has answered a probe that was sent alive ago, which proves older acknowledgements; 0: it is not known.
func (p *Pool) Cut(ctx context.Context, epoch uint64, alive time.Duration) (CutReport, error) {
	if alive <= 0 {
		alive = time.Hour
	}
	var sum CutReport
	asked := time.Now()
	cut := func(v *view, answer chan<- CutReport) {
		answer <- v.worker.cutPool(v, epoch, alive+aliveMargin+time.Since(asked)) // the loop may have been busy
	}
	err := p.ask(ctx, cut, func(r CutReport) {
		sum.Clients += r.Clients
		sum.Held += r.Held
		sum.AtRisk += r.AtRisk
		sum.Acknowledged += r.Acknowledged
		sum.SinceAlive += r.SinceAlive
		sum.Add(r.CutCounts)
	})
	if err != nil {
		return sum, fmt.Errorf("cut epoch %d of pool %q: %w", epoch, p.name, err)
	}
	return sum, nil
}

// Quiesce waits until nothing is unanswered. The gate must be shut. Commands that wait for data (BLPOP and the like)
// are taken back from the backend by a half-close, which proves that they were not executed; they are sent again later.
// Then subscribed sessions give their connections up in the same way, so that they hear all that was published.
func (p *Pool) Quiesce(ctx context.Context) error {
	for _, step := range [...]func(*worker, *view, func()){(*worker).quiesce, (*worker).dismissListeners} {
		err := p.ask(ctx, func(v *view, answer chan<- CutReport) {
			step(v.worker, v, func() { answer <- CutReport{} })
		}, func(CutReport) {})
		if err != nil {
			return fmt.Errorf("wait for unanswered requests of pool %q: %w", p.name, err)
		}
	}
	return nil
}

// ask runs do on every loop and gathers the answers. The channel has room for all, so no loop ever waits.
func (p *Pool) ask(ctx context.Context, do func(*view, chan<- CutReport), gather func(CutReport)) error {
	answers := make(chan CutReport, len(p.proxy.workers))
	for _, w := range p.proxy.workers {
		if !w.loop.Post(func() { do(w.views[p.index], answers) }) {
			return errLoopEnded
		}
	}
	for range p.proxy.workers {
		select {
		case r := <-answers:
			gather(r)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

var errLoopEnded = errors.New("event loop has ended")
