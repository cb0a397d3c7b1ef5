package bench

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// Defaults of a load. Fifty clients that think for 5 ms make some ten thousand commands a second: two processors with
// two servers, a proxy and the load itself on them are busy then, but a gap is still the servers' and not the scheduler's.
const (
	clientsDefault   = 50
	databasesDefault = 4
	thinkDefault     = 5 * time.Millisecond
	hungDefault      = 30 * time.Second
	witnessEvery     = 5 * time.Millisecond
)

// LoadOptions say who connects where, and how fast.
type LoadOptions struct {
	Address   string
	Dial      func(context.Context) (net.Conn, error) // nil: TCP to Address
	Clients   int
	Databases int    // clients SELECT databases 1..Databases; 0 stays empty, so that a forgotten SELECT shows
	Prefix    string // of every key, for a second load on the same data
	Username  string
	Password  string
	Think     time.Duration // closed loop: the pause of a client between two operations
	Interval  time.Duration // > 0: open loop, one operation of each client is due every Interval, waits count from then
	HungAfter time.Duration // a request without an answer for this long is hung
	Seed      uint64        // of the operations' mix; printed in the report
}

func (o LoadOptions) withDefaults() LoadOptions {
	if o.Clients == 0 {
		o.Clients = clientsDefault
	}
	if o.Databases == 0 {
		o.Databases = databasesDefault
	}
	if o.Prefix == "" {
		o.Prefix = "bench"
	}
	if o.Think == 0 {
		o.Think = thinkDefault
	}
	if o.HungAfter == 0 {
		o.HungAfter = hungDefault
	}
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano())
	}
	if o.Dial == nil {
		o.Dial = dialer(o.Address)
	}
	return o
}

func dialer(address string) func(context.Context) (net.Conn, error) {
	var d net.Dialer
	return func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", address) }
}

// Load is many clients that know what each answer must be.
type Load struct {
	opts    LoadOptions
	tally   tally
	clients []*client
	turn    sync.RWMutex // held for reading during each operation; whoever holds it for writing has quiet clients
}

// NewLoad prepares the clients; Run connects them.
func NewLoad(opts LoadOptions) *Load {
	l := &Load{opts: opts.withDefaults()}
	l.tally.start, l.tally.classes = time.Now(), make(map[string]int)
	for i := range l.opts.Clients {
		l.clients = append(l.clients, newClient(l, i))
	}
	return l
}

// Run drives all clients until ctx ends and each has its last answer.
func (l *Load) Run(ctx context.Context) error {
	var clients sync.WaitGroup
	for _, c := range l.clients {
		clients.Add(1)
		go c.run(ctx, &clients) // awaited below
	}
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	var witness sync.WaitGroup
	witness.Add(1)
	go l.witness(watching, &witness) // awaited below
	clients.Wait()
	cancel()
	witness.Wait()
	return nil
}

// witness wakes up at fixed times and notes how late it is. What keeps it waiting keeps the servers waiting too: it tells
// a slow machine from a slow failover.
func (l *Load) witness(ctx context.Context, done *sync.WaitGroup) {
	defer done.Done()
	for {
		due := l.tally.now() + int64(witnessEvery)
		if pause(ctx, witnessEvery) != nil {
			return
		}
		raise(&l.tally.noiseMax, l.tally.now()-due)
	}
}

// Mark begins the window in which the longest gap and stall are measured.
func (l *Load) Mark() { l.tally.mark() }

// Measure begins a window for the time that operations take, and returns when it has lasted for d.
func (l *Load) Measure(ctx context.Context, d time.Duration) (Percentiles, error) {
	l.tally.latency.mark()
	err := pause(ctx, d)
	return l.tally.latency.percentiles(), err
}

// Counts is the present state, for a live display and for reports.
func (l *Load) Counts() Counts { return l.tally.counts() }

// Quiet returns when no request is unanswered, and keeps it so until Resume.
func (l *Load) Quiet() { l.turn.Lock() }

// Resume lets the clients go on.
func (l *Load) Resume() { l.turn.Unlock() }

// WaitServed returns when each client had n more successes than when it was called.
func (l *Load) WaitServed(ctx context.Context, n int64, limit time.Duration) error {
	from := make([]int64, len(l.clients))
	for i, c := range l.clients {
		from[i] = c.oks.Load()
	}
	return await(ctx, limit, pollEvery, func(context.Context) error {
		waiting := 0
		for i, c := range l.clients {
			if c.oks.Load() < from[i]+n {
				waiting++
			}
		}
		if waiting > 0 {
			return fmt.Errorf("%d of %d clients are not served", waiting, len(l.clients))
		}
		return nil
	})
}

// connections returns the present connection of each client; 0 is none.
func (l *Load) connections() []int64 {
	present := make([]int64, len(l.clients))
	for i, c := range l.clients {
		present[i] = c.incarnation.Load()
	}
	return present
}

// kept counts the clients that still have the connection they had then.
func (l *Load) kept(then []int64) int {
	n := 0
	for i, c := range l.clients {
		if then[i] != 0 && c.incarnation.Load() == then[i] {
			n++
		}
	}
	return n
}
