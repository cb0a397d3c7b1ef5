package load

import "time"

const (
	// intervalShort is fine enough to see a failover of a few hundred milliseconds. A run of more than shortMax uses seconds.
	intervalShort = 100 * time.Millisecond
	shortMax      = time.Minute
	// pointsMax bounds the series of a run of days; intervals are joined until it holds.
	pointsMax = 3600
)

// interval is the length of one slice of a run.
func (o Options) interval() time.Duration {
	if o.Duration <= shortMax {
		return intervalShort
	}
	return time.Second
}

// fold joins slices of all workers into points of a fixed number of intervals.
type fold struct {
	interval time.Duration
	per      int // intervals of one point
	emit     func(Point)
	from     int // intervals before the present point
	until    int // intervals so far
	waiting  time.Duration
	latency  *ruler
	answered int64
	errors   int64
}

func newFold(interval time.Duration, per int, emit func(Point)) *fold {
	return &fold{interval: interval, per: per, emit: emit, latency: newRuler()}
}

// add takes one interval, of all workers together.
func (f *fold) add(s slice) {
	f.latency.merge(s.latency)
	f.answered += s.answered
	f.errors += s.errors()
	f.until, f.waiting = s.index+1, s.waiting
	if f.until-f.from == f.per {
		f.finish()
	}
}

// finish emits what has been added since the last point.
func (f *fold) finish() {
	if f.until == f.from {
		return
	}
	length := float64(f.until-f.from) * f.interval.Seconds()
	f.emit(Point{
		From: float64(f.from) * f.interval.Seconds(), Until: float64(f.until) * f.interval.Seconds(),
		Rate: float64(f.answered) / length, Errors: f.errors, P50: inMillis(f.latency.quantile(0.5)),
		P99: inMillis(f.latency.quantile(0.99)), Max: inMillis(f.latency.quantile(1)), Waiting: inMillis(f.waiting),
	})
	f.from, f.answered, f.errors = f.until, 0, 0
	f.latency.reset()
}

// collector joins what the workers saw in the same interval, in order.
type collector struct {
	workers int
	open    map[int]*joined
	next    int
	folds   []*fold
	total   *ruler
}

// joined is one interval of which some workers have told.
type joined struct {
	slice
	told int
}

func newCollector(workers int, folds ...*fold) *collector {
	return &collector{workers: workers, open: map[int]*joined{}, folds: folds, total: newRuler()}
}

func (c *collector) add(s slice) {
	have, ok := c.open[s.index]
	if !ok {
		have = &joined{slice: s}
		c.open[s.index] = have
	} else {
		have.latency.merge(s.latency)
		have.counts.add(s.counts)
		have.waiting = max(have.waiting, s.waiting)
	}
	have.told++
	for {
		first, ok := c.open[c.next]
		if !ok || first.told < c.workers {
			return
		}
		c.pass(first.slice)
		delete(c.open, c.next)
		c.next++
	}
}

// finish passes on what is left: one worker may have ended an interval before another.
func (c *collector) finish() {
	for len(c.open) > 0 {
		if have, ok := c.open[c.next]; ok {
			c.pass(have.slice)
			delete(c.open, c.next)
		}
		c.next++
	}
	for _, f := range c.folds {
		f.finish()
	}
}

func (c *collector) pass(s slice) {
	c.total.merge(s.latency)
	for _, f := range c.folds {
		f.add(s)
	}
}
