package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	// soakThink is slower than the drills': half an hour of thousands of writes a second would make the data set so large that
	// copying it to the restarted node takes longer than the time between two failovers.
	soakThink = 40 * time.Millisecond
	// soakEvery is the time between two failovers, soakEveryMin the shortest that leaves time to settle and to read: a fresh
	// replica needs up to 2.2 s until its stream is proven.
	soakEvery, soakEveryMin = 10 * time.Second, 4 * time.Second
	// settleFor is how long the proxy is left alone once everybody is served and in sync again, before it is read.
	settleFor = 500 * time.Millisecond
	// readEvery is the time between two readings within a cycle, readingsMin how many a cycle has at least.
	readEvery, readingsMin = 250 * time.Millisecond, 5
	// warmCyclesMax bounds the failovers before the base line, which are a third of all. The history of a pool holds 1000 events and
	// 100 receipts: it is full after 100 failovers, and nearly so after 60. Measured, memory grows by 5 % until then and no more.
	warmCyclesMax = 100
	// cyclesMin: one for the base line, and two to compare with it.
	cyclesMin = 3
	// warmUpWhole is the warm-up after which memory is judged strictly.
	warmUpWhole = 2 * time.Minute
	// servedAgain is how many commands each client must have done before a failover counts as over.
	servedAgain = 3
)

// SoakOptions say how long a proxy is worn.
type SoakOptions struct {
	Binary   string // the built holdfast
	Duration time.Duration
	Every    time.Duration // between two failovers
	Clients  int
	Think    time.Duration
	Seed     uint64
	Progress io.Writer // one line for each failover
}

// soak is one run: the same pair, proxy and clients from the first failover to the last.
type soak struct {
	opts   SoakOptions
	scene  *scene
	result *SoakResult
}

// Soak kills the master again and again under verified load and compares what the proxy holds with what it held before. The error
// says that the run itself could not be done.
func Soak(ctx context.Context, o SoakOptions) (r *SoakResult, err error) {
	if o.Every == 0 {
		o.Every = soakEvery
	}
	if o.Think == 0 {
		o.Think = soakThink
	}
	if o.Every < soakEveryMin || o.Duration < cyclesMin*o.Every {
		return nil, fmt.Errorf("soak for %s with a failover every %s: %w", o.Duration, o.Every, ErrSoakTooShort)
	}
	s, err := newScene(ctx, Options{Binary: o.Binary, Clients: o.Clients, Think: o.Think, Seed: o.Seed}, plan{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	k := &soak{opts: o, scene: s, result: &SoakResult{Clients: o.Clients, Every: o.Every, Seed: s.report.Seed}}
	return k.result, k.run(ctx)
}

// ErrSoakTooShort is returned when a soak has no room for a base line and something to compare it with.
var ErrSoakTooShort = fmt.Errorf("at least %s between failovers and %d failovers are needed", soakEveryMin, cyclesMin)

func (k *soak) run(ctx context.Context) error {
	k.scene.load.Mark()
	began := time.Now()
	total := int(k.opts.Duration / k.opts.Every)
	k.result.WarmUp = max(1, min(warmCyclesMax, total/3))
	for n := range total {
		next := began.Add(time.Duration(n+1) * k.opts.Every)
		cycle, err := k.cycle(ctx, n+1, next)
		if err != nil {
			return fmt.Errorf("failover %d after %s: %w\n%s", n+1, time.Since(began).Round(time.Second), err, k.scene.daemon.Tail(20))
		}
		cycle.At = time.Since(began)
		k.result.Cycles = append(k.result.Cycles, cycle)
		k.result.line(k.opts.Progress, n)
	}
	k.result.Duration = time.Since(began)
	return k.end(ctx)
}

// cycle is one failover and the quiet time behind it.
func (k *soak) cycle(ctx context.Context, n int, until time.Time) (SoakCycle, error) {
	s := k.scene
	victim, err := s.master(ctx)
	if err != nil {
		return SoakCycle{}, err
	}
	if err := s.kill(victim); err != nil {
		return SoakCycle{}, err
	}
	if err := s.waitPromotions(ctx, n); err != nil {
		return SoakCycle{}, err
	}
	status, err := s.daemon.Status(ctx)
	if err != nil {
		return SoakCycle{}, err
	}
	cycle := SoakCycle{Epoch: status.Epoch}
	if status.Receipt != nil {
		cycle.AtRisk, cycle.Took = status.Receipt.AtRisk, status.Receipt.Phases["total"]
	}
	if err := victim.RestartEmpty(ctx); err != nil {
		return SoakCycle{}, err
	}
	if err := errors.Join(s.waitSynced(ctx), s.load.WaitServed(ctx, servedAgain, servedMax), pause(ctx, settleFor)); err != nil {
		return SoakCycle{}, err
	}
	cycle.readings, err = k.read(ctx, until)
	cycle.Holdings, cycle.Readings = median(cycle.readings), len(cycle.readings)
	return cycle, err
}

// read watches the settled proxy until the next failover is due.
func (k *soak) read(ctx context.Context, until time.Time) (readings []Holdings, err error) {
	for len(readings) < readingsMin || time.Now().Before(until) {
		u, err := k.scene.daemon.usage(ctx)
		if err != nil {
			return nil, err
		}
		readings = append(readings, u)
		if err := pause(ctx, readEvery); err != nil {
			return nil, err
		}
	}
	return readings, nil
}

// end stops the clients, reads the proxy once more without them, verifies the data and judges.
func (k *soak) end(ctx context.Context) error {
	s, r := k.scene, k.result
	s.report.Stall = time.Duration(s.load.tally.stallMax.Load())
	s.report.ClientsAfter = int(s.load.Counts().Connected)
	s.stopLoad()
	if err := s.waitStatus(ctx, func(p PoolStatus) error {
		if p.Clients > 0 {
			return fmt.Errorf("%d clients are still connected", p.Clients)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := pause(ctx, settleFor); err != nil {
		return err
	}
	readings, err := k.read(ctx, time.Now())
	if err != nil {
		return err
	}
	r.Idle = median(readings)
	master, err := s.master(ctx)
	if err != nil {
		return err
	}
	if r.Verification, err = s.load.Verify(ctx, master); err != nil {
		return err
	}
	s.report.LossAge = s.load.tally.lossAge()
	r.Counts, r.Stall = s.report.Counts, s.report.Stall
	r.judge(&s.report)
	return nil
}
