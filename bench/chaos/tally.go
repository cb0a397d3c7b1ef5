package chaos

import (
	"fmt"
	"maps"
	"sync"
	"time"
)

// notesMax is how many peculiar events a cycle quotes.
const notesMax = 12

// counts is what all clients saw in one cycle.
type counts struct {
	OK, Unknown, Fail, Hung int
	Requests                int // answered or not
	Errors                  map[string]int
	Disconnects             int
	gapMax                  time.Duration // longest time without a success of anybody
	stallMax                time.Duration // longest time one client waited for one answer
	noiseMax                time.Duration // longest time by which the machine let a waiting goroutine run late
	notes                   []string
}

// tally is filled by all clients at once.
type tally struct {
	start time.Time

	mu       sync.Mutex // guards the rest
	counts   counts
	verdicts verdicts
	lastOK   int64
}

func newTally() *tally {
	return &tally{start: time.Now(), counts: counts{Errors: make(map[string]int)}}
}

// now is the clock of every history.
func (t *tally) now() int64 { return int64(time.Since(t.start)) }

// mark begins the measured window; the success before it starts the gap, so that the fault is inside.
func (t *tally) mark() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.gapMax, t.counts.stallMax, t.counts.noiseMax = 0, 0, 0
}

// late notes how late the machine was.
func (t *tally) late(by time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.noiseMax = max(t.counts.noiseMax, by)
}

// answered counts one answer.
func (t *tally) answered(a answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Requests++
	switch a.outcome {
	case ok:
		t.counts.OK++
		t.counts.gapMax = max(t.counts.gapMax, time.Duration(a.ret-t.lastOK))
		t.lastOK = max(t.lastOK, a.ret)
	case unknown:
		t.counts.Unknown++
	case fail:
		t.counts.Fail++
	case hung:
		t.counts.Hung++
	}
	if a.value.isError() {
		t.counts.Errors[classOf(a.value.text)]++
	}
	if a.ret != never {
		t.counts.stallMax = max(t.counts.stallMax, time.Duration(a.ret-a.call))
	}
}

// told counts an error that a poised connection got; its time says nothing about a pause.
func (t *tally) told(class string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Errors[class]++
	if class == unknownClass {
		t.counts.Unknown++
	}
}

// disconnected counts one connection that was lost.
func (t *tally) disconnected(client string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Disconnects++
	t.noteLocked("%s: disconnected: %v", client, err)
}

// note keeps a peculiar event for the report.
func (t *tally) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.noteLocked(format, args...)
}

func (t *tally) noteLocked(format string, args ...any) {
	if len(t.counts.notes) < notesMax {
		t.counts.notes = append(t.counts.notes, fmt.Sprintf("%8.3fs ", time.Since(t.start).Seconds())+fmt.Sprintf(format, args...))
	}
}

// broken notes a violation that a client saw by itself.
func (t *tally) broken(i Invariant, format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.verdicts.broken(i, format, args...)
}

// checked counts n observations of one invariant.
func (t *tally) checked(i Invariant, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.verdicts.checked(i, n)
}

// take ends a cycle and begins the next. Clients must be quiet.
func (t *tally) take() (counts, verdicts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, v := t.counts, t.verdicts
	c.Errors = maps.Clone(c.Errors)
	t.counts, t.verdicts = counts{Errors: make(map[string]int)}, verdicts{}
	return c, v
}

// resume starts the clock of gaps after a pause that was nobody's fault.
func (t *tally) resume() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lastOK = t.now()
}
