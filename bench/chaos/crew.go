package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// hungAfter is when a request counts as hung. The model says 30 s; no fault here excuses more than that.
	hungAfter = 30 * time.Second
	// thinkTime is the mean pause of a client between two turns: with some forty clients a few thousand requests a second,
	// which leaves two processors to two rigs.
	thinkTime = 10 * time.Millisecond
	// userName is the ACL user of every fifth client.
	userName, userPassword = "app", "secret"
)

// book is the work of some clients and the history of what they did.
//
// begin and check are called while no client has a turn.
type book interface {
	// begin forgets the last cycle; keys of the new one carry its tag.
	begin(tag string)
	// turn is one operation of one client.
	turn(c *client)
	// check compares the history with what the final master holds. Its connection is in the book's database.
	check(final *wire, j *judge) error
}

// crew is all clients of a rig. It lives as long as the rig: connections survive many faults.
type crew struct {
	think     time.Duration
	hungAfter time.Duration
	dial      func(context.Context) (net.Conn, error)
	tally     *tally
	shelf     []shelved
	clients   []*client
	quiet     sync.RWMutex // held for reading during each turn; whoever holds it for writing has quiet clients

	struck atomic.Int64 // when the fault of this cycle began; 0: it has not
	calmed atomic.Int64 // when everybody was served again after it
	erased atomic.Int64 // how often a client was about to delete everything

	mu    sync.Mutex // guards the rest
	more  []string   // classes of error that the present fault adds
	marks int        // marks that were found missing in this cycle
}

// shelved is a book with its place.
type shelved struct {
	name string
	book book
	db   int
}

// databases is how many databases the books are spread over; 0 stays empty, so that a forgotten SELECT shows.
const databases = 6

// newCrew prepares the clients of the chosen workloads.
func newCrew(seed uint64, chosen []workload, dial func(context.Context) (net.Conn, error)) *crew {
	w := &crew{think: thinkTime, hungAfter: hungAfter, dial: dial, tally: newTally()}
	for i, l := range chosen {
		s := shelved{name: l.name, book: l.open(w), db: 1 + i%databases}
		w.shelf = append(w.shelf, s)
		for range l.clients {
			w.clients = append(w.clients, w.newClient(seed, s))
		}
	}
	return w
}

func (w *crew) newClient(seed uint64, s shelved) *client {
	id := len(w.clients)
	c := &client{crew: w, book: s.book, id: id, name: fmt.Sprintf("%s-%d", s.name, id), db: s.db, proto: 2 + id%2}
	c.rng = rand.New(rand.NewPCG(seed, uint64(id)))
	if id%5 == 4 {
		c.user = userName
	}
	if s, ok := s.book.(signer); ok {
		s.sign(c)
	}
	return c
}

// signer is a book that wants to know its clients before they begin.
type signer interface{ sign(c *client) }

// noiseEvery is how often the machine's lateness is looked at.
const noiseEvery = 5 * time.Millisecond

// listen notes how late the machine lets a goroutine run that waits: what keeps it waiting keeps servers and proxy waiting, too.
func (w *crew) listen(ctx context.Context, done *sync.WaitGroup) {
	defer done.Done()
	for {
		due := time.Now().Add(noiseEvery)
		if pause(ctx, noiseEvery) != nil {
			return
		}
		w.tally.late(time.Since(due))
	}
}

// run drives all clients until ctx ends.
func (w *crew) run(ctx context.Context) {
	var clients sync.WaitGroup
	clients.Add(1)
	go w.listen(ctx, &clients) // awaited below
	for _, c := range w.clients {
		clients.Add(1)
		go c.run(ctx, &clients) // awaited below
	}
	clients.Wait()
}

// served returns when each client had n more successes than now.
func (w *crew) served(ctx context.Context, n int64, limit time.Duration) error {
	from := make([]int64, len(w.clients))
	for i, c := range w.clients {
		from[i] = c.oks.Load()
	}
	return await(ctx, limit, func(context.Context) error {
		var waiting []string
		for i, c := range w.clients {
			if c.oks.Load() < from[i]+n {
				waiting = append(waiting, c.name)
			}
		}
		if len(waiting) > 0 {
			return fmt.Errorf("%d of %d clients are not served: %v", len(waiting), len(w.clients), waiting[:min(5, len(waiting))])
		}
		return nil
	})
}

// excuse sets which classes of error the present fault adds to the documented ones.
func (w *crew) excuse(classes []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.more = slices.Clone(classes)
}

func (w *crew) excused() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.more
}

// markLost counts one client's mark that is gone.
func (w *crew) markLost() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.marks++
}

// takeMarks returns and forgets how many marks were missing.
func (w *crew) takeMarks() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.marks
	w.marks = 0
	return n
}

// begin lets every book forget the last cycle. Nobody has a turn meanwhile, or there are no clients yet.
func (w *crew) begin(tag string) {
	for _, s := range w.shelf {
		s.book.begin(tag)
	}
}
