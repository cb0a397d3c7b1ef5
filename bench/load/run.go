package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// slicesWaiting is how many slices the collector may be behind before a worker waits for it.
const slicesWaiting = 64

// run is one load.
type run struct {
	opts    Options
	workers []*worker
	slices  chan slice
	ready   chan error      // one message of each worker: its connections are made, or why not
	start   chan struct{}   // closed when all are ready and begun is set
	begun   int64           // ns of the clock
	done    chan workerDone // one message of each worker: it has ended
	clock   time.Time
}

type workerDone struct {
	worker *worker
	err    error
}

// ErrInterrupted is returned, beside the result of what was done until then, when the context ended a load.
var ErrInterrupted = errors.New("interrupted: the result is of what was done until then")

// Run makes the load. A load whose requests fail is a result and no error; an error says that the load could not be made.
func Run(ctx context.Context, o Options) (Result, error) {
	o = o.Defaults()
	if err := o.Validate(); err != nil {
		return Result{}, err
	}
	to, err := resolve(ctx, o.Address)
	if err != nil {
		return Result{}, err
	}
	if err := prepare(ctx, o); err != nil {
		return Result{}, err
	}
	r := &run{
		opts: o, slices: make(chan slice, slicesWaiting), ready: make(chan error, o.Threads), start: make(chan struct{}),
		done: make(chan workerDone, o.Threads), clock: time.Now(),
	}
	for i := range o.Threads {
		r.workers = append(r.workers, newWorker(o, to, i, o.share(i), newMeter(o.interval(), r.slices), r.clock))
	}
	result, err := r.drive(ctx)
	if !o.Keep {
		if removed := r.tidy(); removed != nil {
			result.Note = fmt.Sprintf("the keys %s* could not be removed and expire within %s: %v", prefix,
				time.Duration(o.life())*time.Second, removed)
		}
	}
	return result, err
}

func prepare(ctx context.Context, o Options) error {
	c, err := openControl(ctx, o)
	if err != nil {
		return err
	}
	return errors.Join(c.fill(ctx, o), c.Close())
}

// tidy removes the keys, also when the user has had enough.
func (r *run) tidy() error {
	c, err := openControl(context.Background(), r.opts)
	if err != nil {
		return err
	}
	return errors.Join(c.remove(r.opts), c.Close())
}

// share is how many connections of each role worker i has.
func (o Options) share(i int) roles {
	part := func(n int) int {
		share := n / o.Threads
		if i < n%o.Threads {
			share++
		}
		return share
	}
	s := roles{asks: part(o.Connections), idles: part(o.Idle)}
	if i == 0 && o.Mix[PubSub] > 0 {
		s[subscribes] = feeders
	}
	if i == 0 && o.Mix[Blocking] > 0 {
		s[waitsJobs] = feeders
	}
	return s
}

// drive starts the workers together and waits for them.
func (r *run) drive(parent context.Context) (Result, error) {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	for i, w := range r.workers {
		go r.work(ctx, i, w) // each tells done, which is awaited below
	}
	var errs []error
	for range r.workers {
		errs = append(errs, <-r.ready)
	}
	failed := errors.Join(errs...)
	if failed != nil {
		cancel()
	}
	started, cpu := time.Now(), cpuSeconds()
	r.begun = int64(time.Since(r.clock)) + int64(tickMax)
	close(r.start)
	result := Result{Started: started.UTC().Truncate(time.Millisecond)}
	interval := r.opts.interval()
	folds := []*fold{newFold(interval, r.opts.joinEvery(), func(p Point) { result.Series = append(result.Series, p) })}
	if r.opts.Progress != nil {
		folds = append(folds, newFold(interval, int(max(time.Second/interval, 1)), r.opts.Progress))
	}
	c := newCollector(len(r.workers), folds...)
	for left := len(r.workers); left > 0; {
		select {
		case s := <-r.slices:
			c.add(s)
		case d := <-r.done:
			errs = append(errs, d.err)
			left--
		}
	}
	for len(r.slices) > 0 {
		c.add(<-r.slices)
	}
	c.finish()
	result.CPUSeconds = cpuSeconds() - cpu
	switch err := errors.Join(errs...); {
	case failed != nil:
		return result, failed // the other workers only followed
	case err == nil:
		r.report(&result, c.total, r.opts.Duration)
		return result, nil
	case parent.Err() != nil:
		r.report(&result, c.total, 0)
		return result, ErrInterrupted
	default:
		return result, err
	}
}

// joinEvery is how many intervals one point of the series has.
func (o Options) joinEvery() int {
	return int(math.Ceil(float64(o.Duration/o.interval()) / pointsMax))
}

// work is one worker's thread.
func (r *run) work(ctx context.Context, number int, w *worker) {
	runtime.LockOSThread() // it waits in the kernel all the time, so it would only take a thread from the others
	defer runtime.UnlockOSThread()
	defer w.close()
	err := w.open(ctx)
	r.ready <- err
	<-r.start
	if err == nil {
		err = w.drive(ctx, newSchedule(r.opts, r.begun, len(w.askers), number))
	} else {
		err = nil // ready has told it
	}
	r.done <- workerDone{w, err}
}

// report adds up what the workers saw in at least so much time.
func (r *run) report(result *Result, total *ruler, least time.Duration) {
	o := r.opts
	result.Mode, result.Closed, result.Address, result.Settings = o.mode(), o.Closed, o.Address, o.settings()
	result.Seconds = least.Seconds()
	for _, w := range r.workers { // what could not be answered in time was answered later, at a lower rate
		result.Seconds = max(result.Seconds, time.Duration(w.meter.until-w.meter.from).Seconds())
	}
	all := newMeter(time.Second, nil)
	for _, w := range r.workers {
		m := w.meter
		all.counts.add(m.counts)
		all.connects.merge(m.connects)
		for i := range all.kinds {
			all.kinds[i].merge(m.kinds[i])
		}
		for i := range all.delivered {
			all.delivered[i].merge(m.delivered[i])
		}
		result.Disconnects += m.disconnects
		result.Replaced += m.replaced
		result.IdleLost += m.idleLost
		result.LateMillis = max(result.LateMillis, inMillis(time.Duration(m.late)))
	}
	result.Answered, result.Commands, result.Errors, result.ErrorsTotal = all.answered, all.commands, all.classes, all.counts.errors()
	if !o.Closed {
		result.Scheduled = result.Answered + result.ErrorsTotal
	}
	if result.Seconds > 0 {
		result.Rate = float64(result.Answered) / result.Seconds
	}
	result.Latency = total.latency(true)
	result.Kinds = map[string]Latency{}
	for k, n := range o.Mix {
		if n > 0 {
			result.Kinds[Kind(k).String()] = all.kinds[k].latency(false)
		}
	}
	result.Deliveries = map[string]Latency{}
	for d, k := range map[delivery]Kind{byMessage: PubSub, byJob: Blocking} {
		if o.Mix[k] > 0 {
			result.Deliveries[k.String()] = all.delivered[d].latency(false)
		}
	}
	if o.Churn > 0 {
		l := all.connects.latency(false)
		result.Connects = &l
	}
}

// cpuSeconds is the processor time of this process.
func cpuSeconds() float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / float64(time.Second)
}
