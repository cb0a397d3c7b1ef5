package peers

import (
	"errors"
	"maps"
	"testing"
	"time"
)

func TestParseSchedstat(t *testing.T) {
	for in, want := range map[string]int64{"123456 789 3\n": 123456, "0 0 0": 0} {
		if got, err := parseSchedstat([]byte(in)); got != want || err != nil {
			t.Errorf("parse %q: got %d, %v, want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "1 2", "x 2 3", "-1 2 3", "1 2 3 4"} {
		if _, err := parseSchedstat([]byte(in)); !errors.Is(err, errProcFormat) {
			t.Errorf("parse %q: got %v, want %v", in, err, errProcFormat)
		}
	}
}

const smapsExample = `5581f0a00000-7ffd3e7f2000 ---p 00000000 00:00 0                          [rollup]
Rss:                3300 kB
Private_Clean:       120 kB
Private_Dirty:      1124 kB
`

func TestParseSmaps(t *testing.T) {
	if got, err := parseSmaps([]byte(smapsExample), "Private_Dirty"); got != 1124<<10 || err != nil {
		t.Errorf("got %d, %v, want %d", got, err, 1124<<10)
	}
	if _, err := parseSmaps([]byte(smapsExample), "Private"); !errors.Is(err, errProcFormat) {
		t.Errorf("half a key: got %v, want %v", err, errProcFormat)
	}
}

func TestParseMachineTicks(t *testing.T) {
	got, err := parseMachineTicks([]byte("cpu  10 1 5 80 2 0 3 7 4 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n"))
	if want := (machineTicks{All: 108, Idle: 82, Steal: 7}); got != want || err != nil {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// straceExample has a line with errors and one without, as strace prints them.
const straceExample = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.12    0.012345           6      2000           recvfrom
 30.00    0.006000           3      2000         7 sendto
  0.88    0.000100           1      1000       500 epoll_pwait
------ ----------- ----------- --------- --------- ----------------
100.00    0.018445           3      5000       507 total
`

func TestParseStrace(t *testing.T) {
	got, err := parseStrace([]byte(straceExample))
	want := calls{"recvfrom": 2000, "sendto": 2000, "epoll_pwait": 1000}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if got, want := got.total(), int64(5000); got != want {
		t.Errorf("total: got %d, want %d", got, want)
	}
	if got, err := parseStrace(nil); len(got) != 0 || err != nil {
		t.Errorf("a process without calls: got %v, %v", got, err)
	}
}

func TestParseGCTrace(t *testing.T) {
	const log = "{\"msg\":\"serves\"}\n" +
		"gc 1 @0.012s 2%: 0.026+0.36+0.010 ms clock, 0.052+0.1/0.2/0.3+0.020 ms cpu, 4->4->1 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P\n" +
		"gc 2 @1.5s 0%: 0.031+9.9+0.120 ms clock, 0.06+0/0/0+0.2 ms cpu, 4->4->1 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P (forced)\n" +
		"gc odd\ngc 3 @2s: 1+2 ms clock\n"
	got := parseGCTrace([]byte(log))
	if want := (pauses{Collections: 2, Largest: 120 * time.Microsecond}); got != want {
		t.Errorf("got %+v, want %+v: the concurrent middle term is no pause", got, want)
	}
}

func FuzzParsers(f *testing.F) {
	for _, seed := range []string{smapsExample, straceExample, "1 2 3", "cpu 1 2 3 4 5 6 7 8 9", "gc 1 @1s 0%: 1e308+2+NaN ms clock,"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if ns, err := parseSchedstat(data); err == nil && ns < 0 {
			t.Errorf("schedstat: got %d", ns)
		}
		if n, err := parseSmaps(data, "Private_Dirty"); err == nil && n < 0 {
			t.Errorf("smaps: got %d", n)
		}
		if counted, err := parseStrace(data); err == nil {
			for name, n := range counted {
				if n < 0 || name == "" {
					t.Errorf("strace: got %q %d", name, n)
				}
			}
		}
		if p := parseGCTrace(data); p.Largest < 0 {
			t.Errorf("gctrace: got %v", p.Largest)
		}
		_, _ = parseMachineTicks(data)
	})
}
