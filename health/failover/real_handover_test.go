package failover

import (
	"fmt"
	"testing"
	"time"

	"holdfast/health"
)

// The new master of a switchover dies before it is proven that the demoted node streams from it, or before the two have met at all.
// The demoted node has the data; it goes on, and nobody who comes back empty takes it from it.
func TestMasterKilledRightAfterASwitchover(t *testing.T) {
	for _, c := range []struct {
		after  time.Duration // since the switchover
		reborn bool
	}{{150 * time.Millisecond, false}, {150 * time.Millisecond, true}, {0, false}, {0, true}} {
		t.Run(fmt.Sprintf("after %s, reborn %v", c.after, c.reborn), func(t *testing.T) {
			a, b := pair(t)
			r := newRig(t, nil, a, b)
			r.awaitServing(a)
			r.awaitInSync(5*time.Second, b)
			for i := range 10 {
				a.must("SET", fmt.Sprintf("before:%d", i), "1")
			}
			if _, err := r.Switchover(t.Context(), ""); err != nil {
				t.Fatalf("switchover: %v", err)
			}
			acked := make(chan int, 1)
			if c.after > 0 {
				go writer(t.Context(), b, 0, acked)
				after(c.after)
			} else {
				acked <- 0
			}
			killed := time.Now()
			b.Kill()
			if c.reborn {
				b.Start()
			}
			r.Observe(health.Evidence{Backend: 1, Epoch: 2, Kind: health.EvReset, Busy: true})
			_, at := r.awaitRoute(2*time.Second, "epoch 3", openWith(3))
			t.Logf("released %.1f ms after the kill", float64(at.Sub(killed).Microseconds())/1000)
			r.awaitServing(a)
			// A process that is killed within a turn of its loop takes at most the last write of each client with it.
			if got, want := a.keys(), int64(10+<-acked-1); got < want {
				t.Errorf("keys at the demoted node: got %d, want at least %d", got, want)
			}
			if !c.reborn {
				b.Start()
			}
			keys := a.keys()
			r.awaitInSync(10*time.Second, b)
			if got := b.keys(); got != keys || a.keys() != keys {
				t.Errorf("keys in the end: got %d and %d, want %d", a.keys(), got, keys)
			}
			checkRoutes(t, r)
		})
	}
}
