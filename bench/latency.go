package bench

import (
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// latencyMax, in microseconds, is the longest wait that is told apart from longer ones: beyond it a request is hung.
const latencyMax = int64(time.Minute / time.Microsecond)

// latency is how long operations took, in a window that mark begins. The zero value is ready.
type latency struct {
	mu    sync.Mutex // guards times
	times *hdrhistogram.Histogram
}

// Percentiles are the figures of one window.
type Percentiles struct {
	N             int64
	P50, P99, Max time.Duration
}

func (p Percentiles) String() string {
	return fmt.Sprintf("p50 %s, p99 %s, max %s of %d", ms(p.P50), ms(p.P99), ms(p.Max), p.N)
}

// note adds an operation that took so many ns.
func (l *latency) note(ns int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.times == nil {
		l.times = hdrhistogram.New(1, latencyMax, 3)
	}
	_ = l.times.RecordValue(min(max(ns/int64(time.Microsecond), 1), latencyMax))
}

// mark forgets what was before.
func (l *latency) mark() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.times != nil {
		l.times.Reset()
	}
}

func (l *latency) percentiles() Percentiles {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.times == nil {
		return Percentiles{}
	}
	at := func(q float64) time.Duration { return time.Duration(l.times.ValueAtQuantile(q)) * time.Microsecond }
	return Percentiles{N: l.times.TotalCount(), P50: at(50), P99: at(99), Max: at(100)}
}
