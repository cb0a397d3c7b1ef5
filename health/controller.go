package health

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Executor carries out effects. Execute blocks until the effect is done or failed and is called from many goroutines; Publish and
// Load never block.
type Executor interface {
	Publish(Route)
	Load() Load
	Execute(context.Context, Effect) Result
	Close() error
}

// Bounds of the controller's queues.
const (
	// observedMax: a full queue makes probes wait, which is what they should do.
	observedMax = 256
	// evidenceMax: evidence beyond it is merged into one bit, because it says the same thing again.
	evidenceMax = 64
)

// ErrStopped is returned to operators when the controller ends before their order is done.
var ErrStopped = errors.New("the controller of the pool has stopped")

// Controller owns the state of one pool. One goroutine, Run, reads and writes it; everybody else sends observations or reads the
// copy that Run publishes.
type Controller struct {
	settings Settings
	executor Executor
	clock    Clock

	observed chan Observation
	evidence chan Evidence
	// flooded is set when evidence did not fit its queue.
	flooded atomic.Bool
	stopped chan struct{}

	pool    pool // of Run
	probers []*prober
	view    atomic.Pointer[pool]
	waiting waiting
	history history
	workers sync.WaitGroup
}

// New prepares a controller; rec is what the authority remembers of the pool.
func New(s Settings, x Executor, rec Record) (*Controller, error) {
	if err := s.validate(); err != nil {
		return nil, fmt.Errorf("create health controller: %w", err)
	}
	s = s.normalized()
	c := &Controller{settings: s, executor: x, clock: newClock(), stopped: make(chan struct{}),
		observed: make(chan Observation, observedMax), evidence: make(chan Evidence, evidenceMax)}
	c.waiting.replies = make(map[uint64]chan reply)
	c.pool = newPool(&c.settings, rec)
	for i := range s.Backends {
		c.probers = append(c.probers, newProber(s, i, c.clock, c.report))
	}
	c.publishView()
	return c, nil
}

// newClock counts from now on the clock that goes on while the machine is suspended, so that sleeping is seen as a gap.
func newClock() Clock {
	boot := func() time.Duration {
		var ts unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
			panic(fmt.Sprintf("read CLOCK_BOOTTIME: %v", err)) // every supported kernel has it
		}
		return time.Duration(ts.Nano())
	}
	start := boot()
	return func() time.Duration { return boot() - start }
}

// Run probes, decides and acts until ctx ends.
func (c *Controller) Run(ctx context.Context) error {
	defer close(c.stopped)
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		c.workers.Wait()
		c.executor.Close() //nolint:errcheck // the connections are thrown away
	}()
	c.executor.Publish(c.pool.route)
	for _, p := range c.probers {
		c.workers.Add(1)
		go c.runProber(ctx, p)
	}
	return c.serve(ctx)
}

// serve takes observations, and ticks at the pace that the pool wants. A tick that is nearly due is taken together with an answer,
// so that a calm pool wakes the process once for both.
func (c *Controller) serve(ctx context.Context) error {
	set, ticked := c.pool.pace(), c.pool.now
	timer := time.NewTimer(set)
	defer timer.Stop()
	for {
		due := false
		select {
		case o := <-c.observed:
			c.apply(ctx, o)
			due = c.pool.now-ticked > set*3/4
		case e := <-c.evidence:
			c.applyEvidence(ctx, e)
		case <-timer.C:
			due = true
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if due {
			c.apply(ctx, Observation{At: c.clock(), Tick: &Tick{Load: c.executor.Load()}})
			ticked = c.pool.now
		}
		if pace := c.pool.pace(); due || pace < set {
			set = pace
			timer.Reset(pace)
		}
	}
}

// Observe takes evidence from the data plane. It never blocks.
func (c *Controller) Observe(e Evidence) {
	select {
	case c.evidence <- e:
	default:
		c.flooded.Store(true)
	}
}

func (c *Controller) runProber(ctx context.Context, p *prober) {
	defer c.workers.Done()
	p.Run(ctx)
}

// ask wants an answer now, from both connections.
func (c *Controller) ask(ctx context.Context, p *prober) {
	if p.Poke() {
		c.workers.Add(1) // Run waits for it.
		go c.runFresh(ctx, p)
	}
}

func (c *Controller) runFresh(ctx context.Context, p *prober) {
	defer c.workers.Done()
	p.AskFresh(ctx)
}

func (c *Controller) report(ctx context.Context, o Observation) {
	select {
	case c.observed <- o:
	case <-ctx.Done():
		// Late failures of a fresh question whose own time ended still matter while the controller lives.
		select {
		case c.observed <- o:
		case <-c.stopped:
		default:
		}
	}
}

// applyEvidence merges what is queued: a thousand sessions that lost the same backend are one piece of news.
func (c *Controller) applyEvidence(ctx context.Context, e Evidence) {
	seen := map[Evidence]bool{}
	for more := true; more; {
		e.Busy = false // it changes nothing for the judge
		if !seen[e] {
			seen[e] = true
			c.apply(ctx, Observation{At: c.clock(), Evidence: &e})
		}
		select {
		case e = <-c.evidence:
		default:
			more = false
		}
	}
	if c.flooded.Swap(false) && c.pool.master != noNode {
		again := Evidence{Backend: c.pool.master, Epoch: c.pool.epoch, Kind: EvEOF}
		c.apply(ctx, Observation{At: c.clock(), Evidence: &again})
	}
}

// apply is the bridge between deciding and acting.
func (c *Controller) apply(ctx context.Context, o Observation) {
	o.Wall = time.Now()
	next, effects := step(c.pool, o)
	c.pool = next
	for _, e := range effects {
		switch e.Kind {
		case EffectPublish:
			c.executor.Publish(e.Route)
		case EffectEvent:
			c.history.add(c.settings, e.Event)
		case EffectReply:
			c.waiting.answer(e.Order, reply{receipt: e.Receipt, err: e.Err})
		case EffectProbe:
			c.ask(ctx, c.probers[e.Node])
		default:
			c.begin(ctx, e)
		}
	}
	c.publishView()
}

func (c *Controller) begin(ctx context.Context, e Effect) {
	if e.Kind == EffectKeep {
		c.history.keep(e.Receipt)
	}
	c.workers.Add(1) // Run waits for it.
	go c.execute(ctx, e)
}

// execute runs one effect and brings its result back.
func (c *Controller) execute(ctx context.Context, e Effect) {
	defer c.workers.Done()
	r := c.executor.Execute(ctx, e)
	r.Kind, r.Plan, r.Epoch, r.Node = e.Kind, e.Plan, e.Epoch, e.Node
	c.report(ctx, Observation{At: c.clock(), Result: &r})
}

func (c *Controller) publishView() {
	view := c.pool
	c.view.Store(&view)
}
