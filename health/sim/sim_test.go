package sim

import (
	"flag"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var (
	seedFlag  = flag.Uint64("sim.seed", 0, "replay this life alone, with its trace")
	timeFlag  = flag.Duration("sim.time", 0, "how long new lives are tried; 0: the same short list as ever")
	faultFlag = flag.String("sim.fault", "", "only faults whose name contains this")
	quietFlag = flag.Bool("sim.quiet", false, "leave what clients say and hear out of the trace")
	traceFlag = flag.Int("sim.trace", 150, "lines of the trace of a broken life that are shown")
)

// livesListed is the length of the list that every change is tried with: four seconds of one processor. A search with new seeds
// is for who has the time to look into what it finds.
const livesListed = 480

// TestSimulation tries lives, and replays the first that breaks an invariant.
func TestSimulation(t *testing.T) {
	if *seedFlag != 0 {
		replay(t, *seedFlag)
		return
	}
	began, cpu := time.Now(), processorTime(t)
	first, more := uint64(began.UnixNano()), func() bool { return time.Since(began) < *timeFlag }
	if *timeFlag == 0 {
		var left atomic.Int64
		left.Store(livesListed)
		first, more = 0, func() bool { return left.Add(-1) >= 0 }
	}
	s := search(first, Options{Fault: *faultFlag}, more)
	if s.err != nil {
		t.Fatal(s.err)
	}
	took, spent := time.Since(began).Seconds(), (processorTime(t) - cpu).Seconds()
	t.Logf("%d lives, %d failovers, %.0f a second, %.0f a second of one processor; %d commands, %d events; %d lost of %d declared or "+
		"excused; %.0f s of virtual time", s.lives, s.failovers, float64(s.failovers)/took, float64(s.failovers)/spent, s.commands,
		s.events, s.lost, s.declared, s.virtual.Seconds())
	t.Logf("requests in flight when a backend was lost: %+v", s.sum.Cut)
	if s.broken != 0 {
		replay(t, s.broken)
	}
}

// searched is the sum of many lives.
type searched struct {
	lives, failovers, commands, lost, declared int
	events                                     uint64
	virtual                                    time.Duration
	sum                                        Result
	broken                                     uint64 // seed of a life that broke an invariant; 0: none
	err                                        error
}

// search lives one life after the other on every processor, until more says no or one is broken.
func search(first uint64, o Options, more func() bool) *searched {
	var mu sync.Mutex // guards s
	var next atomic.Uint64
	s := &searched{}
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // a life leaves only garbage
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for more() {
				r, err := Run(first+next.Add(1), o)
				mu.Lock()
				s.add(r, err)
				stop := s.broken != 0 || s.err != nil
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	workers.Wait()
	return s
}

func (s *searched) add(r Result, err error) {
	s.lives++
	s.failovers += r.Failovers
	s.commands += r.Commands
	s.lost += r.Lost
	s.declared += r.Declared
	s.events += r.Events
	s.virtual += r.Elapsed
	s.sum.Cut.Add(r.Cut)
	if err != nil {
		s.err = err
	}
	if len(r.Faults) > 0 && s.broken == 0 {
		s.broken = r.Seed
	}
}

// replay lives a life again and shows how it came to what it came to.
func replay(t *testing.T, seed uint64) {
	t.Helper()
	r, err := Run(seed, Options{Trace: true, Quiet: *quietFlag, Fault: *faultFlag})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range r.Trace[max(0, len(r.Trace)-*traceFlag):] {
		t.Log(line)
	}
	t.Logf("seed %d: %d failovers, %d commands, %d lost, %d declared, %d events, %s of virtual time", r.Seed, r.Failovers, r.Commands,
		r.Lost, r.Declared, r.Events, r.Elapsed)
	if len(r.Faults) > 0 {
		t.Errorf("replay it with: go test ./health/sim -run TestSimulation -args -sim.seed=%d -sim.fault=%q\n%s", r.Seed, *faultFlag,
			strings.Join(r.Faults, "\n"))
	}
}

// processorTime is what this process has used so far. On a machine that has other things to do it tells more than the clock.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
