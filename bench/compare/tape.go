package compare

import (
	"sync"
	"time"
)

const (
	// bucket is the grain of what is drawn: fine enough to see a gap of a few hundred milliseconds.
	bucket = 100 * time.Millisecond
	// bucketsMax bounds a scene: it is longer than the longest.
	bucketsMax = 2000
)

// Tape is what all clients of a scene saw over time, in buckets of 100 ms.
type Tape struct {
	From   float64   `json:"from"` // seconds from the fault to the first bucket; negative
	OK     []int     `json:"ok"`
	Errors []int     `json:"errors"`
	Max    []float64 `json:"max_ms"` // the longest time from the scheduled moment to the answer, of those that ended then
}

// recorder writes the tape and measures gaps.
//
// Invariant: lastOK <= the moment of every later call, as the clock only goes forward and calls hold the lock.
type recorder struct {
	clock time.Time
	mu    sync.Mutex // guards the rest
	tape  Tape
	// since the mark:
	marked   time.Duration // 0: not yet
	lastOK   time.Duration
	gap      time.Duration
	stall    time.Duration
	firstOK  time.Duration // after the mark, of a request that was due after it; 0: none yet
	requests int
}

func newRecorder() *recorder { return &recorder{clock: time.Now()} }

func (r *recorder) now() time.Duration { return time.Since(r.clock) }

// mark is the moment of the fault.
func (r *recorder) mark() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.marked, r.gap, r.stall, r.requests = r.now(), 0, 0, 0
}

// markedAt is when the fault began; 0 is not yet.
func (r *recorder) markedAt() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.marked
}

// end notes how a request ended. A request that was due before the fault belongs to it only if it had no answer by then.
func (r *recorder) end(due time.Duration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	r.draw(now, now-due, ok)
	if r.marked == 0 {
		if ok {
			r.lastOK = now
		}
		return
	}
	r.requests++
	r.stall = max(r.stall, now-due)
	if !ok {
		return
	}
	r.gap, r.lastOK = max(r.gap, now-r.lastOK), now
	if r.firstOK == 0 && due >= r.marked {
		r.firstOK = now
	}
}

func (r *recorder) draw(now, took time.Duration, ok bool) {
	i := int(now / bucket)
	if i >= bucketsMax {
		return
	}
	for len(r.tape.OK) <= i {
		r.tape.OK, r.tape.Errors, r.tape.Max = append(r.tape.OK, 0), append(r.tape.Errors, 0), append(r.tape.Max, 0)
	}
	if ok {
		r.tape.OK[i]++
	} else {
		r.tape.Errors[i]++
	}
	r.tape.Max[i] = max(r.tape.Max[i], millis(took))
}

// close ends the gap that may still be open, and returns the tape with the fault at zero.
func (r *recorder) close() Tape {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gap = max(r.gap, r.now()-r.lastOK)
	r.tape.From = -r.marked.Seconds()
	return r.tape
}

// millis are milliseconds with as many digits as mean something.
func millis(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}
