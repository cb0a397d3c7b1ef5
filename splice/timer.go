package splice

import (
	"time"

	"golang.org/x/sys/unix"
)

// clock reads CLOCK_MONOTONIC through the vDSO: a time.Since is 44 ns, the system call of the same name three times that.
type clock struct {
	start time.Time
	base  int64 // CLOCK_MONOTONIC at start, in ns
}

func newClock() clock {
	var ts unix.Timespec
	// The call cannot fail: the clock exists on every Linux and the pointer is valid.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return clock{start: time.Now(), base: ts.Nano()}
}

func (c clock) read() int64 { return c.base + int64(time.Since(c.start)) }

// millisUntil rounds up, so that a wait of that length never ends before at.
func millisUntil(at, now int64) int {
	if at <= now {
		return 0
	}
	const longest = int64(time.Hour) // longer waits only start over; it keeps the number within a C int
	return int((min(at-now, longest) + int64(time.Millisecond) - 1) / int64(time.Millisecond))
}

// timer is a token and the moment from which it is due, in ns of the loop's clock.
type timer struct {
	at  int64
	tok uint64
}

// timerHeap is a binary heap without pointers: the collector does not look into it, and a timer costs 16 bytes.
//
// Invariant: h[(i-1)/2].at <= h[i].at for every i > 0.
type timerHeap []timer

func (h *timerHeap) push(t timer) {
	*h = append(*h, t)
	s := *h
	for i := len(s) - 1; i > 0; {
		up := (i - 1) / 2
		if s[up].at <= s[i].at {
			return
		}
		s[up], s[i] = s[i], s[up]
		i = up
	}
}

func (h *timerHeap) pop() timer {
	s := *h
	first, last := s[0], len(s)-1
	s[0] = s[last]
	s = s[:last]
	*h = s
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if s[child].at < s[least].at {
				least = child
			}
		}
		if least == i {
			return first
		}
		s[i], s[least] = s[least], s[i]
		i = least
	}
}
