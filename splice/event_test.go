package splice

import (
	"bytes"
	"container/heap"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// backend serves every connection of a plain Go listener with one function and is awaited.
func backend(t testing.TB, network string, serve func(net.Conn)) Address {
	t.Helper()
	var ln net.Listener
	var a Address
	if network == "unix" {
		a = freshAddress(t, network)
		ln = must[net.Listener](t)(net.Listen(network, a.path()))
	} else {
		ln = must[net.Listener](t)(net.Listen(network, "127.0.0.1:0"))
		a = must[Address](t)(ParseAddress(ln.Addr().String()))
	}
	var conns sync.WaitGroup
	conns.Go(func() { acceptAll(ln, &conns, serve) })
	t.Cleanup(func() {
		_ = ln.Close()
		conns.Wait()
	})
	return a
}

func acceptAll(ln net.Listener, conns *sync.WaitGroup, serve func(net.Conn)) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		conns.Go(func() {
			defer c.Close()
			serve(c)
		})
	}
}

// A backend that answers only after it has seen the whole question: the client's end must get through, and the answer after it.
func TestRelayForwardsHalfCloseBothWays(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			at := backend(t, network, func(c net.Conn) {
				question, _ := io.ReadAll(c)
				_, _ = c.Write(bytes.Repeat(question, 2))
			})
			_, a := newRelay(t, network, at, Options{})
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			var clients sync.WaitGroup
			for i := range uint64(8) {
				rng := rand.New(rand.NewPCG(seed, i))
				c, question := dialNet(t, a), randomBytes(rng, rng.IntN(2<<20))
				clients.Go(func() {
					produce(t, c, question, rng)
					answer, err := io.ReadAll(c)
					if err != nil || !bytes.Equal(answer, bytes.Repeat(question, 2)) {
						t.Errorf("answer to %d bytes: got %d, %v", len(question), len(answer), err)
					}
				})
			}
			clients.Wait()
		})
	}
}

// One connection that never stops must not keep the others waiting.
func TestBudgetLetsSmallRequestsThrough(t *testing.T) {
	at := backend(t, "tcp", func(c net.Conn) {
		first := make([]byte, 1)
		if _, err := io.ReadFull(c, first); err != nil {
			return
		}
		if first[0] == 'f' { // flood
			for chunk := make([]byte, 1<<20); ; {
				if _, err := c.Write(chunk); err != nil {
					return
				}
			}
		}
		_, _ = io.Copy(c, c)
	})
	_, a := newRelay(t, "tcp", at, Options{})
	var floods sync.WaitGroup
	defer floods.Wait() // after the connections are closed
	for range 2 {
		c := dialNet(t, a)
		if _, err := c.Write([]byte("f")); err != nil {
			t.Fatal(err)
		}
		floods.Go(func() { _, _ = io.Copy(io.Discard, c) })
		defer c.Close()
	}
	small := dialNet(t, a)
	if _, err := small.Write([]byte("s")); err != nil {
		t.Fatal(err)
	}
	var worst time.Duration
	for range 200 {
		start, msg := time.Now(), make([]byte, 100)
		if _, err := small.Write(msg); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(small, msg); err != nil {
			t.Fatal(err)
		}
		worst = max(worst, time.Since(start))
	}
	t.Logf("slowest of 200 small requests beside two floods: %v", worst)
}

// The heap of timers against the standard library's.
func TestTimerHeapAgreesWithTheObviousOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	var h timerHeap
	var slow slowHeap
	for step := range 20000 {
		if rng.IntN(3) > 0 {
			at := rng.Int64N(1000)
			h.push(timer{at: at, tok: uint64(step)})
			heap.Push(&slow, at)
		} else if len(h) > 0 {
			if got, want := h.pop().at, heap.Pop(&slow).(int64); got != want {
				t.Fatalf("step %d: got %d, want %d", step, got, want)
			}
		}
		if len(h) != slow.Len() {
			t.Fatalf("step %d: got %d timers, want %d", step, len(h), slow.Len())
		}
	}
}

type slowHeap []int64

func (s slowHeap) Len() int           { return len(s) }
func (s slowHeap) Less(i, j int) bool { return s[i] < s[j] }
func (s slowHeap) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *slowHeap) Push(x any)        { *s = append(*s, x.(int64)) }
func (s *slowHeap) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}

func TestMillisUntilRoundsUpAndIsBounded(t *testing.T) {
	tests := []struct {
		at, now int64
		want    int
	}{
		{0, 0, 0}, {5, 10, 0}, {1, 0, 1}, {1_000_000, 0, 1}, {1_000_001, 0, 2}, {1 << 62, 0, 3_600_000},
	}
	for _, tt := range tests {
		if got := millisUntil(tt.at, tt.now); got != tt.want {
			t.Errorf("from %d to %d: got %d, want %d", tt.now, tt.at, got, tt.want)
		}
	}
}
