package proxy

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	seed   = flag.Uint64("seed", 0, "seed of the random test; 0 takes the clock")
	rounds = flag.Int("rounds", 25, "routes that the random test publishes")
)

// valueSizes are the sizes around which code paths change: whole and streamed frames, scratch buffer, splice.
var valueSizes = []int{0, 1, 100, 16 << 10, 64<<10 - 30, 64 << 10, 128 << 10, 256 << 10, 300_000, 1 << 20, 5_000_000}

// Twenty clients read in pipelines of random size while routes come and go between two masters with the same data. Every
// byte of every reply is compared.
func TestRandomRoutes(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d; repeat with -run TestRandomRoutes -seed %d", *seed, *seed)
	a, b := startRedis(t), startRedis(t)
	values := make([]string, len(valueSizes))
	for i, size := range valueSizes {
		values[i] = string(noise(size))
		a.do("SET", strconv.Itoa(i), values[i])
		b.do("SET", strconv.Itoa(i), values[i])
	}
	r := startProxy(t, nil, a, b)
	lineages := [2]string{a.lineage(), b.lineage()}
	r.Publish(open(1, 0, lineages[0]))

	var stop atomic.Bool
	var running sync.WaitGroup
	const readers = 20
	done := make([]int, readers)
	faults := make(chan error, readers)
	for i := range readers {
		x := &reader{r: rand.New(rand.NewPCG(*seed, uint64(i))), addr: r.addr, values: values, stop: &stop}
		running.Go(func() {
			if err := x.run(); err != nil {
				faults <- fmt.Errorf("reader %d: %w", i, err)
			}
			done[i] = x.replies
		})
	}
	dice := rand.New(rand.NewPCG(*seed, 1000))
	at := 0
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for epoch := uint64(2); epoch < uint64(2+*rounds) && len(faults) == 0; epoch++ {
		<-tick.C
		at = r.randomRoute(dice, epoch, at, lineages)
	}
	stop.Store(true)
	running.Wait()
	select {
	case err := <-faults:
		t.Fatal(err)
	default:
	}
	sum := 0
	for _, n := range done {
		sum += n
	}
	t.Logf("%d replies, %+v", sum, r.stats())
}

// randomRoute ends an epoch in one of the ways that exist and returns where the next one is.
func (r *rig) randomRoute(dice *rand.Rand, epoch uint64, at int, lineages [2]string) int {
	next := at
	if dice.IntN(3) > 0 {
		next = 1 - at
	}
	kind := dice.IntN(5)
	if kind > 0 {
		r.shut(epoch-1, at)
	}
	if kind == 4 {
		r.wantQuiet()
	}
	if kind > 1 {
		r.cut(epoch - 1)
	}
	if kind > 2 && dice.IntN(2) == 0 { // announced, and changed again before anybody could follow
		r.Publish(open(epoch, 1-next, lineages[1-next]))
		r.shut(epoch, 1-next)
		r.cut(epoch)
	}
	route := open(epoch, next, lineages[next])
	route.Check = epoch
	r.Publish(route)
	return next
}

// wantQuiet waits for silence; what is cut after that costs nobody anything.
func (r *rig) wantQuiet() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	if err := r.Quiesce(ctx); err != nil {
		r.t.Fatal(err)
	}
	before := r.stats()
	r.cut(r.Route().Epoch)
	if after := r.stats(); after.Closed[ClosedMidReply] != before.Closed[ClosedMidReply] || after.Cut != before.Cut {
		r.t.Fatalf("a cut in silence was not clean: before %+v, after %+v", before, after)
	}
}

// reader checks what it reads. A connection may end only in the middle of a reply that is too large to be kept.
type reader struct {
	r       *rand.Rand
	addr    string
	values  []string
	stop    *atomic.Bool
	replies int
}

func (x *reader) run() error {
	for !x.stop.Load() {
		if err := x.connection(); err != nil {
			return err
		}
	}
	return nil
}

func (x *reader) connection() error {
	c, err := dialPlain(x.addr)
	if err != nil {
		return err
	}
	defer c.close()
	for !x.stop.Load() {
		want := x.pipeline()
		sent := make(chan error, 1)
		go c.write(want, sent)
		for i, k := range want {
			_ = c.nc.SetReadDeadline(time.Now().Add(20 * time.Second))
			got, err := c.decode()
			if err != nil && k >= 0 && len(x.values[k])+64 > 64<<10 && bytes.HasPrefix([]byte(x.values[k]), []byte(got)) {
				c.close()
				<-sent
				return nil
			}
			if err != nil {
				return fmt.Errorf("reply %d of %d after %d: %w", i, len(want), x.replies, err)
			}
			if exp := x.expected(k); got != exp {
				return fmt.Errorf("reply %d of %d after %d: got %.60q (%d bytes), want %.60q (%d)",
					i, len(want), x.replies, got, len(got), exp, len(exp))
			}
			x.replies++
		}
		if err := <-sent; err != nil {
			return err
		}
	}
	return nil
}

// pipeline is a list of keys; -1 stands for ECHO.
func (x *reader) pipeline() []int {
	keys := make([]int, 1+x.r.IntN(20))
	for i := range keys {
		switch n := x.r.IntN(20); {
		case n < 8:
			keys[i] = -1
		case n < 18:
			keys[i] = x.r.IntN(5)
		default:
			keys[i] = x.r.IntN(len(x.values))
		}
	}
	return keys
}

const echoed = "the same in every epoch"

func (x *reader) expected(k int) string {
	if k < 0 {
		return echoed
	}
	return x.values[k]
}

func (c *client) write(keys []int, sent chan<- error) {
	var b bytes.Buffer
	for _, k := range keys {
		if k < 0 {
			b.WriteString(request("ECHO", echoed))
		} else {
			b.WriteString(request("GET", strconv.Itoa(k)))
		}
	}
	_, err := c.nc.Write(b.Bytes())
	sent <- err
}
