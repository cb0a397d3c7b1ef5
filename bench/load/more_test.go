package load

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestRequestsAreWellFormed reads what each kind sends as a server would, and counts.
func TestRequestsAreWellFormed(t *testing.T) {
	for kind := range kinds {
		var o Options
		o.Mix[kind] = 1
		o = o.Defaults()
		w := newWriter(o, 0)
		for range 50 {
			b, r := w.next(nil, 123456789)
			commands := parseRequests(t, b)
			if r.kind != kind || len(commands) != r.commands || r.replies != r.commands {
				t.Fatalf("%s: got %d commands, said %d with %d replies", kind, len(commands), r.commands, r.replies)
			}
			for _, words := range commands {
				for _, word := range words[1:min(2, len(words))] {
					if words[0] != "EVAL" && !strings.HasPrefix(word, prefix) {
						t.Fatalf("%s: %q touches %q, want only names that begin with %s", kind, words[0], word, prefix)
					}
				}
			}
		}
	}
}

// parseRequests reads multibulk requests to the end.
func parseRequests(t *testing.T, b []byte) (commands [][]string) {
	t.Helper()
	number := func(first byte) int {
		line, rest, ok := bytes.Cut(b, []byte("\r\n"))
		if !ok || len(line) < 2 || line[0] != first {
			t.Fatalf("got %q, want a header that begins with %c", b[:min(20, len(b))], first)
		}
		n, err := strconv.Atoi(string(line[1:]))
		if err != nil {
			t.Fatal(err)
		}
		b = rest
		return n
	}
	for len(b) > 0 {
		var words []string
		for range number('*') {
			n := number('$')
			words, b = append(words, string(b[:n])), b[n+2:]
		}
		commands = append(commands, words)
	}
	return commands
}

// TestStampComesBack sends a moment through a message and reads it again.
func TestStampComesBack(t *testing.T) {
	o := Options{Mix: Mix{PubSub: 1}, ValueBytes: stampBytes}.Defaults()
	w := newWriter(o, 0)
	body := w.stamped(987654321)
	var s scanner
	s.begin()
	message := fmt.Appendf(nil, "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$%d\r\n%s\r\n", len(body), body)
	if _, complete, err := s.next(message); err != nil || !complete {
		t.Fatalf("got complete %t, %v", complete, err)
	}
	if got, ok := s.stamp(); !ok || got != 987654321 {
		t.Errorf("got %d, %t, want 987654321", got, ok)
	}
}

// TestRulerRefusesNothing records what lies outside of the histogram.
func TestRulerRefusesNothing(t *testing.T) {
	r := newRuler()
	for _, d := range []time.Duration{0, -time.Second, time.Nanosecond, time.Hour} {
		r.record(int64(d))
	}
	l := r.latency(true)
	if l.Count != 4 || l.Max != inMillis(time.Hour) {
		t.Errorf("got %d values, at most %.0f ms, want 4 and an hour", l.Count, l.Max)
	}
	last := -1.0
	for _, q := range l.Quantiles {
		if q.Millis < last {
			t.Errorf("got a curve that falls to %f at %f", q.Millis, q.Part)
		}
		last = q.Millis
	}
	if last != l.Max {
		t.Errorf("got a curve that ends at %f, want the maximum", last)
	}
}

// TestSeriesStaysBounded looks at runs of a second to a week.
func TestSeriesStaysBounded(t *testing.T) {
	for _, d := range []time.Duration{time.Second, time.Minute, time.Hour, 5 * time.Hour, durationMax} {
		o := Options{Duration: d}
		points := int(d/o.interval()) / o.joinEvery()
		if points > pointsMax || points < 1 {
			t.Errorf("%s: got %d points, want 1 to %d", d, points, pointsMax)
		}
	}
}

// TestProgressNamesTheClosedLoop reads one line of each.
func TestProgressNamesTheClosedLoop(t *testing.T) {
	for closed, want := range map[bool]int{false: 0, true: 1} {
		var b bytes.Buffer
		Options{Closed: closed}.ShowProgress(&b)(Point{Until: 1, Rate: 1000, P50: 0.1, P99: 2, Max: 2000})
		if got := strings.Count(b.String(), "closed loop"); got != want || strings.Count(b.String(), "\n") != 1 {
			t.Errorf("closed %t: got %q", closed, b.String())
		}
		if !strings.Contains(b.String(), "2.00 s") {
			t.Errorf("got %q, want the maximum as 2.00 s", b.String())
		}
	}
}

// TestSharesAddUp divides connections of all roles among threads.
func TestSharesAddUp(t *testing.T) {
	o := Options{Connections: 10, Idle: 7, Threads: 4, Mix: Mix{PubSub: 1, Blocking: 1}}
	var sum roles
	for i := range o.Threads {
		share := o.share(i)
		for r, n := range share {
			sum[r] += n
		}
		if share[asks] < 2 {
			t.Errorf("thread %d: got %d connections, want 2 or 3", i, share[asks])
		}
	}
	if want := (roles{asks: 10, waitsJobs: feeders, subscribes: feeders, idles: 7}); sum != want {
		t.Errorf("got %v, want %v", sum, want)
	}
}
