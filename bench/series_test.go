package bench

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestSeriesSumsWhatMustBeZeroAndShowsTheWorstGap(t *testing.T) {
	s := Series{Drill: "sigkill"}
	for i, gap := range []time.Duration{9 * time.Millisecond, 80 * time.Millisecond, 4 * time.Millisecond} {
		r := Report{Gap: gap, AtRisk: 2, Verification: Verification{Checked: 100, Lost: i / 2}}
		r.Counts.Errors = map[string]int{unknownClass: 3}
		r.promise(i != 1, "a promise", "seen %d", i)
		s.add(&r)
	}
	var out bytes.Buffer
	if err := WriteSeries(&out, []Series{s}); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(strings.Fields(strings.SplitN(out.String(), "\n", 2)[1]), " ")
	want := "sigkill 2 of 3 9.0 ms 80.0 ms 0.0 ms 0 0 9 0 0 1 6 300 BROKEN sigkill: a promise: seen 1"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
