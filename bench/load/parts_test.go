package load

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func sscan(line string, keys, expires *int) (int, error) {
	return fmt.Sscanf(line, "keys=%d,expires=%d", keys, expires)
}

func TestParseMix(t *testing.T) {
	for text, want := range map[string]string{
		"get=80,set=15,pipeline=5": "get=80,set=15,pipeline=5",
		"set":                      "set=1",
		" big=2, get ":             "get=1,big=2",
		"get=1,get=2":              "get=3",
		"get=0,script=3":           "script=3",
	} {
		m, err := ParseMix(text)
		if err != nil || m.String() != want {
			t.Errorf("%q: got %s, %v, want %s", text, m, err, want)
		}
	}
	for _, text := range []string{"", "get=", "get=-1", "get=x", "lookup=1", "get=0", "get=9999999"} {
		if m, err := ParseMix(text); !errors.Is(err, ErrMix) {
			t.Errorf("%q: got %s, %v, want %v", text, m, err, ErrMix)
		}
	}
	_, err := ParseMix("lookup=1,set=x")
	if err == nil || !strings.Contains(err.Error(), "lookup") || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("got %v, want both faults", err)
	}
}

// TestWeights draws often and compares.
func TestWeights(t *testing.T) {
	const draws = 100_000
	m := Mix{Get: 70, Set: 20, Script: 10}
	rng := rand.New(rand.NewPCG(1, 2))
	var seen Mix
	for range draws {
		seen[m.pick(rng)]++
	}
	for k, weight := range m {
		got, want := float64(seen[k])/draws, float64(weight)/100
		if math.Abs(got-want) > 0.01 {
			t.Errorf("%s: got %.3f of all, want %.3f", Kind(k), got, want)
		}
	}
}

// TestSchedule checks that workers share the requests, each once, evenly in time.
func TestSchedule(t *testing.T) {
	for _, c := range []struct {
		rate             float64
		conns, threads   int
		duration, warmUp time.Duration
	}{
		{1000, 10, 1, time.Second, 0}, {1000, 10, 3, time.Second, time.Second}, {7, 3, 2, 10 * time.Second, 0},
		{333.3, 50, 4, 3 * time.Second, 0}, {100_000, 1, 1, time.Second, 0},
	} {
		o := Options{Rate: c.rate, Connections: c.conns, Threads: c.threads, Duration: c.duration, WarmUp: c.warmUp}
		var total int64
		for w := range c.threads {
			n := o.share(w)[asks]
			s := newSchedule(o, 0, n, w)
			var sum int64
			for i := range n {
				of := s.of(i)
				sum += of
				if of > 0 && s.due(i, of-1) > s.end+int64(s.gap) {
					t.Errorf("%+v: request %d of asker %d is due after the end", c, of-1, i)
				}
			}
			if sum != s.total {
				t.Errorf("%+v: got %d requests of the askers of worker %d, want %d", c, sum, w, s.total)
			}
			total += s.total
		}
		want := c.rate * (c.duration + c.warmUp).Seconds()
		if math.Abs(float64(total)-want) > float64(c.threads) {
			t.Errorf("%+v: got %d requests, want %.0f", c, total, want)
		}
	}
}

func TestValidateTellsAllFaults(t *testing.T) {
	err := Options{Address: "nowhere", Rate: -1, Connections: -5, Duration: -1, Depth: -1, Churn: -1}.Defaults().Validate()
	if !errors.Is(err, ErrOptions) {
		t.Fatalf("got %v, want %v", err, ErrOptions)
	}
	for _, word := range []string{"rate", "connections", "duration", "depth", "churn", "nowhere"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("got %q, want it to name %s", err, word)
		}
	}
	closed := Options{Address: "127.0.0.1:6379", Closed: true, Rate: 5}.Defaults()
	if err := closed.Validate(); err == nil {
		t.Error("got no error for a closed loop with a rate, want one")
	}
	if err := (Options{Address: "127.0.0.1:6379"}).Defaults().Validate(); err != nil {
		t.Errorf("got %v for the defaults, want none", err)
	}
}

// stream is replies of every form, and what the scanner must say of each.
const stream = "+OK\r\n-ERR no\r\n:12\r\n$5\r\nhello\r\n$-1\r\n*-1\r\n*0\r\n*2\r\n$3\r\nfoo\r\n*2\r\n:1\r\n-READONLY x y\r\n$0\r\n\r\n" +
	"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$24\r\n00000000000000000042abcd\r\n"

var streamClasses = []string{"", "ERR", "", "", "", "", "", "READONLY", "", ""}

// TestScannerAtEverySplit cuts the stream at each place.
func TestScannerAtEverySplit(t *testing.T) {
	for at := range len(stream) + 1 {
		if got := scanAll(t, []byte(stream[:at]), []byte(stream[at:])); !equal(got, streamClasses) {
			t.Fatalf("split at %d: got %q, want %q", at, got, streamClasses)
		}
	}
	var bytewise [][]byte
	for i := range len(stream) {
		bytewise = append(bytewise, []byte{stream[i]})
	}
	if got := scanAll(t, bytewise...); !equal(got, streamClasses) {
		t.Errorf("byte by byte: got %q, want %q", got, streamClasses)
	}
}

func scanAll(t *testing.T, pieces ...[]byte) (classes []string) {
	t.Helper()
	var s scanner
	s.begin()
	for _, data := range pieces {
		for len(data) > 0 {
			rest, complete, err := s.next(data)
			if err != nil {
				t.Fatal(err)
			}
			if data = rest; complete {
				classes = append(classes, s.class())
				if stamp, ok := s.stamp(); ok && stamp != 42 {
					t.Fatalf("got stamp %d, want 42", stamp)
				}
				s.begin()
			}
		}
	}
	return classes
}

func equal(a, b []string) bool {
	return strings.Join(a, ",") == strings.Join(b, ",") && len(a) == len(b)
}

func TestScannerRefusesGarbage(t *testing.T) {
	for _, text := range []string{
		"HTTP/1.1 400\r\n", "\r\n", "$x\r\n", "*-2\r\n", "$9999999999999\r\n", strings.Repeat("*1\r\n", depthLimit+1),
	} {
		var s scanner
		s.begin()
		if _, _, err := s.next([]byte(text)); !errors.Is(err, errGarbled) {
			t.Errorf("%q: got %v, want %v", text, err, errGarbled)
		}
	}
}

// FuzzScanner compares a stream in one piece with the same in two: where it is cut must not matter.
func FuzzScanner(f *testing.F) {
	f.Add([]byte(stream), uint16(7))
	f.Fuzz(func(t *testing.T, data []byte, at uint16) {
		cut := int(at) % (len(data) + 1)
		if got, want := fuzzScan(data[:cut], data[cut:]), fuzzScan(data); !bytes.Equal(got, want) {
			t.Errorf("cut at %d: got %q, want %q", cut, got, want)
		}
	})
}

// fuzzScan writes down what the scanner says.
func fuzzScan(pieces ...[]byte) (log []byte) {
	var s scanner
	s.begin()
	for _, data := range pieces {
		for len(data) > 0 {
			rest, complete, err := s.next(data)
			if err != nil {
				return append(log, "garbled"...)
			}
			if data = rest; complete {
				log = append(append(log, s.class()...), '|')
				s.begin()
			}
		}
	}
	return log
}

// TestFoldJoinsAllWorkers gives two workers' slices out of step.
func TestFoldJoinsAllWorkers(t *testing.T) {
	var points []Point
	c := newCollector(2, newFold(100*time.Millisecond, 2, func(p Point) { points = append(points, p) }))
	piece := func(index int, answered int64, latency time.Duration) slice {
		s := slice{index: index, latency: newRuler(), counts: counts{answered: answered, classes: map[string]int64{"ERR": 1}}}
		s.latency.record(int64(latency))
		return s
	}
	for i := range 3 {
		c.add(piece(i, 10, time.Millisecond))
	}
	if len(points) != 0 {
		t.Fatalf("got %d points from one of two workers, want none", len(points))
	}
	for i := range 3 {
		c.add(piece(i, 30, time.Second))
	}
	c.finish()
	if len(points) != 2 || points[0].Rate != 400 || points[0].Errors != 4 || points[0].Max < 990 || points[1].Until < 0.29 {
		t.Errorf("got %+v, want two points, the first with 400/s, 4 errors and a maximum of 1 s", points)
	}
}
