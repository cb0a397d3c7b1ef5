package compare

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"holdfast/bench"
)

const (
	// hungAfter is when a request counts as hung: longer than any time-out of the library, retries included.
	hungAfter = 30 * time.Second
	// servedAgain is how many successes in a row prove that a client is served again.
	servedAgain = 20
)

// state is what a client knows of one write.
type state uint8

const (
	unknown      state = iota // it may have been executed; also what a write is until its answer is there
	acknowledged              // it was executed, and must be there
	refused                   // the server said no, and nothing was sent twice
)

// group is the clients with the same rule for failures.
type group struct {
	retry   bool
	census  census
	clients []*client

	mu       sync.Mutex // guards the rest
	counting bool       // the fault has begun
	requests int
	classes  map[string]int
	hung     int
}

func (g *group) begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counting = true
}

// note counts the end of one request.
func (g *group) note(class string, took time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.counting {
		return
	}
	g.requests++
	if class != "" {
		g.classes[class]++
	}
	if took > hungAfter {
		g.hung++
	}
}

// client is one application with one connection. It does what is due, one request after the other.
type client struct {
	id     int
	group  *group
	redis  *redis.Client
	tape   *recorder
	every  time.Duration
	rng    *rand.Rand
	list   []state // of the ids that were pushed
	counts [refused + 1]int
	row    atomic.Int64 // successes since the last failure, of requests that were due after the fault
	first  atomic.Int64 // ns on the recorder's clock of the first of them; 0: none
}

// newGroup makes the clients of a scene that share a rule. They connect with their first request.
func newGroup(s *scene, tape *recorder, n int, every time.Duration, retry bool, seed uint64) *group {
	g := &group{retry: retry, classes: map[string]int{}}
	for i := range n {
		id := i
		if retry {
			id += n
		}
		g.clients = append(g.clients, &client{
			id: id, group: g, redis: s.library(g), tape: tape, every: every, rng: rand.New(rand.NewPCG(seed, uint64(id))),
		})
	}
	return g
}

// library is go-redis as it comes, but for two settings: one connection for each client, so that connections can be counted,
// and in one group no retries.
func (s *scene) library(g *group) *redis.Client {
	retries := 0 // the library's default
	if !g.retry {
		retries = -1
	}
	if s.haproxy == nil && s.sentinels != nil {
		sentinels := s.sentinels.Addresses()
		return redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: bench.SentinelMaster, SentinelAddrs: sentinels, MaxRetries: retries, PoolSize: 1,
			Dialer: func(ctx context.Context, network, address string) (net.Conn, error) {
				if slices.Contains(sentinels, address) {
					var d net.Dialer
					return d.DialContext(ctx, network, address)
				}
				return g.census.dial(ctx, network, address)
			},
		})
	}
	return redis.NewClient(&redis.Options{Addr: s.address(), MaxRetries: retries, PoolSize: 1, Dialer: g.census.dial})
}

// run does one request every so often until stop is closed. ctx ends what is still under way then.
func (c *client) run(ctx context.Context, stop <-chan struct{}, done *sync.WaitGroup) {
	defer done.Done()
	due := c.tape.now() + time.Duration(c.rng.Int64N(int64(c.every)))
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(max(due-c.tape.now(), 0))
		select {
		case <-stop:
			return
		case <-timer.C:
		}
		c.request(ctx, due)
		due += c.every
	}
}

// request does one operation and settles what is known of it.
func (c *client) request(ctx context.Context, due time.Duration) {
	began := c.tape.now()
	var err error
	switch n := c.rng.IntN(10); {
	case n < 4:
		id := len(c.list)
		c.list = append(c.list, unknown)
		err = c.redis.RPush(ctx, c.key("list"), id).Err()
		c.list[id] = c.judge(err)
	case n < 6:
		err = c.redis.Incr(ctx, c.key("count")).Err()
		c.counts[c.judge(err)]++
	default:
		if err = c.redis.Get(ctx, c.key("count")).Err(); errors.Is(err, redis.Nil) {
			err = nil
		}
	}
	if ctx.Err() != nil {
		return // the scene is over, and nobody waited for the answer
	}
	c.group.note(classOf(err), c.tape.now()-began)
	c.tape.end(due, err == nil)
	c.settle(due, err == nil)
}

// settle tells how far the client is served again.
func (c *client) settle(due time.Duration, ok bool) {
	marked := c.tape.markedAt()
	if marked == 0 || due < marked {
		return
	}
	if !ok {
		c.row.Store(0)
		return
	}
	if c.row.Add(1) == 1 && c.first.Load() == 0 {
		c.first.Store(int64(c.tape.now()))
	}
}

func (c *client) key(kind string) string { return "compare:" + kind + ":" + strconv.Itoa(c.id) }

// judge says what an answer proves. With retries it proves nothing unless it is a success: an earlier attempt may have been
// executed before its connection was lost.
func (c *client) judge(err error) state {
	var reply redis.Error
	var op *net.OpError
	switch {
	case err == nil:
		return acknowledged
	case c.group.retry:
		return unknown
	case errors.As(err, &reply) && !strings.HasPrefix(err.Error(), "UNKNOWNRESULT"):
		return refused
	case errors.As(err, &op) && op.Op == "dial":
		return refused
	default:
		return unknown
	}
}

// classOf names a failure as an application sees it.
func classOf(err error) string {
	var reply redis.Error
	var op *net.OpError
	var timeout net.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &reply):
		word, _, _ := strings.Cut(err.Error(), " ")
		return word
	case errors.As(err, &op) && op.Op == "dial":
		return "cannot connect"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "time-out"
	case errors.Is(err, net.ErrClosed):
		return "closed by the library" // which has heard of a new master
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &op):
		return "disconnected"
	default:
		return "other"
	}
}
