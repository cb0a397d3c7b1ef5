package health

import (
	"flag"
	"testing"
	"time"
)

var (
	simSeed = flag.Uint64("sim.seed", 0, "run the simulation with this seed only")
	simRuns = flag.Int("sim.runs", 60, "number of simulated lives")
)

// TestSimulation lets invented pairs and triples live through random faults and checks the invariants in every step.
func TestSimulation(t *testing.T) {
	first, runs := uint64(time.Now().UnixNano()), *simRuns
	if *simSeed != 0 {
		first, runs = *simSeed, 1
	}
	steps := 0
	for i := range runs {
		seed := first + uint64(i)
		w := simulate(seed)
		steps += int(w.now / (5 * time.Millisecond))
		if len(w.faults) > 0 {
			tail := w.log[max(0, len(w.log)-60):]
			for _, line := range tail {
				t.Log(line)
			}
			t.Fatalf("seed %d: %v", seed, w.faults)
		}
	}
	t.Logf("first seed %d, %d lives, %d steps", first, runs, steps)
}

// simulate is one life: faults one after the other, each injected when the pair is whole, and none of them may lose a write.
func simulate(seed uint64) *world {
	w := newWorld(seed, 2+int(seed%2), func(s *Settings) { s.MinGap = 3 * time.Second })
	w.pass(3 * time.Second)
	for range 12 {
		w.injectFault()
		if len(w.faults) > 0 {
			return w
		}
		w.settle()
		if lost := w.lost(); len(lost) > 0 {
			w.fault("%d acknowledged writes are lost, the first is %d", len(lost), lost[0])
			return w
		}
	}
	return w
}

// injectFault does one of the things that must not lose a write, as long as the replicas are in sync.
func (w *world) injectFault() {
	m := w.pool.master
	replica := (m + 1) % len(w.nodes)
	spread := time.Duration(w.random.IntN(400)) * time.Millisecond
	switch w.random.IntN(10) {
	case 0: // killed, back empty after a while
		w.kill(m)
		w.pass(spread)
		w.restart(m, nil, "")
	case 1: // killed, back from an older snapshot
		f := w.nodes[m]
		old, id := f.data[:len(f.data)/2], f.replid
		w.kill(m)
		w.pass(spread)
		w.restart(m, old, id)
	case 2: // stays dead for long
		w.kill(m)
		w.pass(2*time.Second + spread)
		w.restart(m, nil, "")
	case 3: // a short freeze: nothing may happen
		epoch := w.pool.epoch
		w.freeze(m)
		w.pass(300 * time.Millisecond)
		w.wake(m)
		w.pass(time.Second)
		if w.pool.epoch != epoch {
			w.fault("a freeze of 300 ms led from epoch %d to %d", epoch, w.pool.epoch)
		}
	case 4: // a long freeze
		w.freeze(m)
		w.pass(1500*time.Millisecond + 4*spread)
		w.wake(m)
	case 5: // a planned switchover
		w.observe(Observation{Order: &Order{ID: uint64(len(w.replies) + 1), Kind: OrderSwitchover, To: noNode}})
		w.pass(spread)
	case 6: // the replica goes and comes
		w.kill(replica)
		w.pass(spread)
		w.restart(replica, nil, "")
	case 7: // the replica lags, then the master dies
		w.nodes[replica].lagging = true
		w.pass(50 * time.Millisecond)
		w.kill(m)
		w.pass(20 * time.Millisecond)
		w.nodes[replica].lagging = false
		w.pass(spread)
		w.restart(m, nil, "")
	case 8: // only a connection is lost
		w.conn.open = false
		w.observe(Observation{Evidence: &Evidence{Backend: m, Epoch: w.pool.epoch, Kind: EvReset}})
	case 9: // a planned switchover, and its new master dies when it has just met the old one
		w.observe(Observation{Order: &Order{ID: uint64(len(w.replies) + 1), Kind: OrderSwitchover, To: noNode}})
		w.pass(60*time.Millisecond + spread)
		m = w.pool.master
		w.kill(m)
		w.pass(spread)
		w.restart(m, nil, "")
	}
}

// settle gives the world time until everybody is in sync again. Not getting there is a fault.
func (w *world) settle() {
	for range 60 {
		w.pass(500 * time.Millisecond)
		if w.whole() {
			return
		}
	}
	w.fault("not whole after 30 s: %s, %s", w.pool.state, w.pool.why)
}

func (w *world) whole() bool {
	if w.pool.state != StateServing || w.pool.route.Gate != GateOpen {
		return false
	}
	for i := range w.nodes {
		if i != w.pool.master && !w.pool.nodes[i].streaming {
			return false
		}
	}
	return true
}
