package bench

import (
	"testing"
	"time"
)

func TestLatencyHasItsWindow(t *testing.T) {
	var l latency
	if got := l.percentiles(); got != (Percentiles{}) {
		t.Errorf("got %v before anything happened", got)
	}
	l.note(int64(time.Minute))
	l.mark()
	for i := range 100 {
		l.note(int64(time.Duration(i+1) * time.Millisecond))
	}
	got := l.percentiles()
	for _, c := range []struct {
		name      string
		got, want time.Duration
	}{{"p50", got.P50, 50 * time.Millisecond}, {"p99", got.P99, 99 * time.Millisecond}, {"max", got.Max, 100 * time.Millisecond}} {
		if c.got < c.want || c.got > c.want+c.want/500 { // three digits are kept
			t.Errorf("%s: got %v, want %v", c.name, c.got, c.want)
		}
	}
	if got.N != 100 {
		t.Errorf("got %d operations, want 100", got.N)
	}
	l.note(int64(time.Hour))
	if got := l.percentiles().Max; got < time.Minute-time.Second || got > time.Minute+time.Second {
		t.Errorf("a wait of an hour counts as %v, want a minute", got)
	}
}
