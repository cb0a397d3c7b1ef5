package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// Latencies are kept in steps of a microsecond up to slowest with three digits; what is slower counts as slowest, and the
	// exact maximum is kept beside.
	fastest, slowest, digits = time.Microsecond, 10 * time.Minute, 3
)

// ruler is a histogram that refuses nothing.
type ruler struct {
	hist *hdrhistogram.Histogram
	max  int64
}

func newRuler() *ruler {
	return &ruler{hist: hdrhistogram.New(int64(fastest), int64(slowest), digits)}
}

func (r *ruler) record(ns int64) {
	r.max = max(r.max, ns)
	_ = r.hist.RecordValue(min(max(ns, int64(fastest)), int64(slowest))) // within its range by now
}

func (r *ruler) merge(other *ruler) {
	r.max = max(r.max, other.max)
	r.hist.Merge(other.hist)
}

func (r *ruler) reset() {
	r.max = 0
	r.hist.Reset()
}

// quantile is the latency that this part of the requests stayed below; of all of them it is the maximum.
func (r *ruler) quantile(q float64) time.Duration {
	if q >= 1 {
		return time.Duration(r.max)
	}
	return min(time.Duration(r.hist.ValueAtQuantile(100*q)), time.Duration(r.max))
}

// delivery is a way by which a request reaches another connection.
type delivery uint8

const (
	byMessage delivery = iota // PUBLISH to SUBSCRIBE
	byJob                     // RPUSH to BLPOP
	deliveries
)

// counts is what a worker has seen.
//
// Invariant: answered + the sum of classes is the number of requests that have ended.
type counts struct {
	answered, commands int64
	classes            map[string]int64
}

func (c *counts) add(other counts) {
	c.answered += other.answered
	c.commands += other.commands
	for class, n := range other.classes {
		c.classes[class] += n
	}
}

func (c *counts) errors() int64 {
	var n int64
	for _, k := range c.classes {
		n += k
	}
	return n
}

// slice is what one worker saw in one interval of the series.
type slice struct {
	index   int
	latency *ruler
	counts
	waiting time.Duration // of the request that had waited longest at its end
}

// meter is what one worker measures. It belongs to the worker's goroutine.
type meter struct {
	from      int64 // requests due earlier are the warm-up, and not counted
	until     int64 // when the last of them ended
	interval  int64 // ns of one slice
	slice     slice
	slices    chan<- slice
	kinds     [kinds]*ruler
	delivered [deliveries]*ruler
	connects  *ruler
	counts
	disconnects, replaced, idleLost int64
	late                            int64 // the longest time by which the worker itself came too late
}

func newMeter(interval time.Duration, slices chan<- slice) *meter {
	m := &meter{interval: int64(interval), slices: slices, connects: newRuler(), counts: counts{classes: map[string]int64{}}}
	for i := range m.kinds {
		m.kinds[i] = newRuler()
	}
	for i := range m.delivered {
		m.delivered[i] = newRuler()
	}
	m.slice = slice{latency: newRuler(), counts: counts{classes: map[string]int64{}}}
	return m
}

// answer counts a request that was answered as it should be.
func (m *meter) answer(r request, due, now int64) {
	if due < m.from {
		return
	}
	m.until = now
	m.kinds[r.kind].record(now - due)
	m.slice.latency.record(now - due)
	m.slice.answered++
	m.slice.commands += int64(r.commands)
}

// fail counts a request that ended otherwise. Whoever waited in vain has a latency all the same: at least that long.
func (m *meter) fail(kind Kind, class string, due, now int64) {
	if due < m.from {
		return
	}
	if class == classTimeout || class == classUnfinished {
		m.kinds[kind].record(now - due)
		m.slice.latency.record(now - due)
	}
	m.until = now
	m.slice.classes[class]++
}

func (m *meter) deliver(d delivery, due, now int64) {
	if due >= m.from {
		m.delivered[d].record(now - due)
	}
}

// rotate hands out the slices that are over at the moment now.
func (m *meter) rotate(now int64, waiting time.Duration) {
	for now >= m.from+int64(m.slice.index+1)*m.interval {
		m.flush(waiting)
	}
}

// flush hands out the present slice.
func (m *meter) flush(waiting time.Duration) {
	m.counts.add(m.slice.counts)
	m.slice.waiting = waiting
	m.slices <- m.slice
	m.slice = slice{index: m.slice.index + 1, latency: newRuler(), counts: counts{classes: map[string]int64{}}}
}
