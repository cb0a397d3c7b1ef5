package bench

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Intervals of the live line: smooth where it is rewritten in place, sparse where each one stays.
const (
	liveEvery  = 100 * time.Millisecond
	plainEvery = time.Second
)

// screen writes the demo. On a terminal one live line is rewritten below what has been said; elsewhere lines just follow.
type screen struct {
	color bool
	start time.Time

	mu   sync.Mutex // guards out and live
	out  io.Writer
	live bool // the live line is on the terminal and must be wiped before anything else is written
}

func newScreen(out io.Writer, color bool) *screen {
	return &screen{out: out, color: color, start: time.Now()}
}

// paint wraps text in a colour where there are colours.
func (s *screen) paint(code, text string) string {
	if !s.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s *screen) bold(text string) string  { return s.paint("1", text) }
func (s *screen) dim(text string) string   { return s.paint("2", text) }
func (s *screen) green(text string) string { return s.paint("32", text) }
func (s *screen) red(text string) string   { return s.paint("1;31", text) }

// printf writes lines that stay.
func (s *screen) printf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live {
		fmt.Fprint(s.out, "\r\x1b[K")
		s.live = false
	}
	fmt.Fprintf(s.out, format, args...)
}

// event is one thing that happened, with the time since the demo began.
func (s *screen) event(format string, args ...any) {
	s.printf("  %s  %s\n", s.dim(fmt.Sprintf("%6.2f s", time.Since(s.start).Seconds())), fmt.Sprintf(format, args...))
}

// tick shows the present traffic.
func (s *screen) tick(text string) {
	if !s.color {
		s.event("%s", text)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "\r\x1b[K  %s  %s", s.dim(fmt.Sprintf("%6.2f s", time.Since(s.start).Seconds())), text)
	s.live = true
}

// live shows the traffic until the returned function is called.
func (d *demo) live(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var shown sync.WaitGroup
	shown.Add(1)
	go d.showTraffic(ctx, &shown) // stop waits for it
	return func() {
		cancel()
		shown.Wait()
		d.screen.printf("")
	}
}

// showTraffic samples the clients' successes and the daemon's gate.
func (d *demo) showTraffic(ctx context.Context, shown *sync.WaitGroup) {
	defer shown.Done()
	every := plainEvery
	if d.screen.color {
		every = liveEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	before, at := d.load.Counts(), time.Now()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		now := d.load.Counts()
		rate := float64(now.OK-before.OK) / time.Since(at).Seconds()
		before, at = now, time.Now()
		status, err := d.daemon.Status(ctx)
		if err != nil {
			continue // the daemon is asked again at the next tick
		}
		d.screen.tick(trafficLine(rate, now, status))
	}
}

// trafficLine is the live line: what clients get, and whether they are held.
func trafficLine(rate float64, n Counts, status PoolStatus) string {
	gate := "gate " + status.Gate
	if status.Gate != gateOpen {
		gate = fmt.Sprintf("gate %s, %d held", status.Gate, status.Held)
	}
	return fmt.Sprintf("%7s commands/s   %d connected   errors %s   %s", thousands(int64(rate)), n.Connected, errorText(n.Errors), gate)
}

// thousands groups the digits of a count.
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(digit)
	}
	return b.String()
}
