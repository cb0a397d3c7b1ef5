package bench

import (
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// notesMax is how many peculiar answers a report quotes: enough to see the pattern.
const notesMax = 20

// tally counts what all clients of a load see.
type tally struct {
	start       time.Time
	commands    [Hung + 1]atomic.Int64 // by outcome
	readsFailed atomic.Int64           // reads that ended in an error or without an answer
	disconnects atomic.Int64
	connected   atomic.Int64
	lastOK      atomic.Int64 // ns since start
	gapMax      atomic.Int64 // ns, longest time between two OK of anybody since mark
	gapAt       atomic.Int64 // ns since start, when that time began
	stallMax    atomic.Int64 // ns, longest time one client waited for one operation since mark
	noiseMax    atomic.Int64 // ns, how late the machine let a waiting goroutine run since mark
	errorOpsMax atomic.Int64 // most operations with an error that one client had
	latency     latency      // of all operations

	mu      sync.Mutex // guards the rest
	classes map[string]int
	notes   []string
	missing []int64 // when writes were acknowledged that turned out to be lost, in ns since start
	faults  []int64 // when servers were killed or frozen, in ns since start
}

// now is the monotonic time since the load was made.
func (t *tally) now() int64 { return int64(time.Since(t.start)) }

// ok notes a success at the time at, and how long nobody had one before it.
func (t *tally) ok(at int64) {
	t.commands[OK].Add(1)
	before := t.lastOK.Swap(at)
	if raise(&t.gapMax, at-before) {
		t.gapAt.Store(before)
	}
}

// mark begins the measured window. The success before it still counts as the start of a gap, so that a fault committed
// right after mark has its whole pause inside the window.
func (t *tally) mark() {
	t.gapMax.Store(0)
	t.stallMax.Store(0)
	t.noiseMax.Store(0)
}

// gap is the longest time without a success, the one that is still going on included.
func (t *tally) gap() time.Duration {
	return time.Duration(max(t.gapMax.Load(), t.now()-t.lastOK.Load()))
}

// lost notes a lost write by the time at which it was acknowledged.
func (t *tally) lost(acked int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.missing = append(t.missing, acked)
}

// fault notes that a server is stopped now, in the middle of whatever it does.
func (t *tally) fault() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = append(t.faults, t.now())
}

// lossAge is how long before a server was stopped the oldest lost write had been acknowledged. Without a fault that could
// explain a loss, it is the age of the whole load.
func (t *tally) lossAge() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	var oldest int64
	for _, acked := range t.missing {
		age := t.now()
		for _, fault := range t.faults {
			if distance := max(fault-acked, acked-fault); distance < age {
				age = distance
			}
		}
		oldest = max(oldest, age)
	}
	return time.Duration(oldest)
}

// refused counts one error reply by its class.
func (t *tally) refused(class string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.classes[class]++
}

// note keeps a peculiar answer for the report.
func (t *tally) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.notes) < notesMax {
		t.notes = append(t.notes, fmt.Sprintf("%8.3fs ", time.Since(t.start).Seconds())+fmt.Sprintf(format, args...))
	}
}

// Counts is the state of a load at one moment.
type Counts struct {
	OK, Fail, Unknown, Wrong, Stale, Hung int64
	ReadsFailed                           int64
	Disconnects, Connected                int64
	Errors                                map[string]int
	Notes                                 []string
}

func (t *tally) counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Counts{
		OK: t.commands[OK].Load(), Fail: t.commands[Fail].Load(), Unknown: t.commands[Unknown].Load(),
		Wrong: t.commands[Wrong].Load(), Stale: t.commands[Stale].Load(), Hung: t.commands[Hung].Load(), ReadsFailed: t.readsFailed.Load(),
		Disconnects: t.disconnects.Load(), Connected: t.connected.Load(),
		Errors: maps.Clone(t.classes), Notes: append([]string(nil), t.notes...),
	}
}

// raise lifts v to at least x and reports whether it did.
func raise(v *atomic.Int64, x int64) bool {
	for {
		have := v.Load()
		if x <= have {
			return false
		}
		if v.CompareAndSwap(have, x) {
			return true
		}
	}
}
