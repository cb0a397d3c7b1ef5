package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"

	"holdfast/splice"
)

// Options configure a Proxy.
type Options struct {
	// Loops is the number of event loops; 0: half as many as CPUs, at least one. See docs/decisions/event-loops.md.
	Loops int
	// ClientsMax bounds the client connections of the process; 0: what the descriptor limit carries.
	ClientsMax int
	Limits     Limits
	Logger     *slog.Logger
}

const (
	// descriptorsKept are left for control connections, the journal, pipes and the admin API.
	descriptorsKept = 100
	// descriptorsEach: a client and its backend connection, and a fifth more for those that change: a failover replaces
	// every backend connection at once, and none of them may fail for want of a descriptor.
	descriptorsEach = 2.4
)

// Proxy owns the event loops and the pools that run on them.
type Proxy struct {
	log        *slog.Logger
	workers    []*worker
	pools      []*Pool
	clientsMax int64
	limits     Limits
	crowd      crowd
	crowded    atomic.Bool // it was said that the clients come near their limit
}

// New makes the loops. Nothing listens or runs before Run.
func New(o Options) (*Proxy, error) {
	if o.Loops <= 0 {
		o.Loops = max(1, runtime.GOMAXPROCS(0)/2)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Proxy{log: o.Logger, limits: o.Limits}
	p.crowd.max, p.clientsMax = o.Limits.PerAddress, clientsCarried()
	if o.ClientsMax > 0 {
		p.clientsMax = min(p.clientsMax, int64(o.ClientsMax))
	}
	for i := range o.Loops {
		loop, err := splice.NewLoop(splice.Options{})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("make event loop %d: %w", i, err), p.Close())
		}
		p.workers = append(p.workers, newWorker(i, p, loop))
	}
	return p, nil
}

// AddPool binds the pool's listeners; clients wait in the accept queue until Run. Call it before Run.
func (p *Proxy) AddPool(o PoolOptions) (*Pool, error) {
	pool, err := newPool(p, o)
	if err != nil {
		return nil, err
	}
	p.pools = append(p.pools, pool)
	return pool, nil
}

// Run serves until ctx ends; then every session is closed.
func (p *Proxy) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	errs := make([]error, len(p.workers))
	for i, w := range p.workers {
		running.Go(func() {
			defer cancel()
			errs[i] = w.run(ctx)
		})
	}
	running.Wait()
	return errors.Join(errs...)
}

// Close frees the loops and listeners; call it when Run has returned or was never called.
func (p *Proxy) Close() error {
	var errs []error
	for _, pool := range p.pools {
		pool.closeListeners()
	}
	for _, w := range p.workers {
		errs = append(errs, w.loop.Close())
	}
	return errors.Join(errs...)
}

// clientsCarried is how many clients the process's limit of open files allows.
func clientsCarried() int64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1 << 10
	}
	return max(1, int64(float64(min(limit.Cur, 1<<30)-min(limit.Cur, descriptorsKept))/descriptorsEach))
}

// lightest is the worker with the fewest sessions; ties go to the one that asks, which saves a hand-over.
func (p *Proxy) lightest(asks *worker) *worker {
	best, least := asks, asks.load.Load()
	for _, w := range p.workers {
		if n := w.load.Load(); n < least {
			best, least = w, n
		}
	}
	return best
}
