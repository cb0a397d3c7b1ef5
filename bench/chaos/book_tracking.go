package chaos

import (
	"strconv"
	"sync"
)

// trackingKeys is how many keys are cached: few, so that each is invalidated often.
const trackingKeys = 8

// trackingBook writes versions and keeps them in caches that follow the server's invalidations. After an answer a cache holds
// nothing older than what was acknowledged before the question.
type trackingBook struct {
	mu     sync.Mutex // guards the rest
	tag    string
	next   int
	latest map[string]version // the newest acknowledged one
	caches map[int]map[string]int
	owner  map[int]*client
}

// version is one write of a key; it holds from at on.
type version struct {
	n  int
	at int64
}

func (b *trackingBook) begin(tag string) {
	b.tag, b.next = tag, 0
	b.latest = make(map[string]version)
	for id := range b.caches {
		b.caches[id] = make(map[string]int)
	}
}

// sign: two of three clients are caches, which need RESP3.
func (b *trackingBook) sign(c *client) {
	if b.caches == nil {
		b.caches, b.owner = make(map[int]map[string]int), make(map[int]*client)
	}
	if len(b.caches) < 2 {
		c.proto = 3
		b.caches[c.id], b.owner[c.id] = make(map[string]int), c
		c.pushed = func(v value) { b.invalidate(c.id, v) }
	}
}

func (b *trackingBook) greet(c *client) {
	if b.owner[c.id] != nil {
		b.mu.Lock()
		b.caches[c.id] = make(map[string]int)
		b.mu.Unlock()
		c.one("CLIENT", "TRACKING", "ON")
	}
}

func (b *trackingBook) key(i int) string { return "tracked:" + b.tag + ":" + strconv.Itoa(i) }

func (b *trackingBook) turn(c *client) {
	key := b.key(c.rng.IntN(trackingKeys))
	if b.owner[c.id] == nil {
		b.write(c, key)
		return
	}
	b.mu.Lock()
	_, cached := b.caches[c.id][key]
	b.mu.Unlock()
	var a answer
	if cached {
		a = c.one("PING")
	} else if a = c.one("GET", key); a.outcome == ok {
		n, _ := number(a.value, nil)
		b.mu.Lock()
		b.caches[c.id][key] = int(n)
		b.mu.Unlock()
	}
	if a.outcome == ok {
		b.coherent(c, a.call)
	}
}

// write has one writer for all keys, so that versions grow.
func (b *trackingBook) write(c *client, key string) {
	b.mu.Lock()
	b.next++
	n := b.next
	b.mu.Unlock()
	if a := c.one("SET", key, strconv.Itoa(n)); a.outcome == ok {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.latest[key] = version{n, a.ret}
	}
}

// invalidate forgets keys, or everything.
func (b *trackingBook) invalidate(id int, v value) {
	if len(v.items) != 2 || v.items[0].text != "invalidate" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if v.items[1].null {
		b.caches[id] = make(map[string]int)
		return
	}
	for _, key := range v.items[1].items {
		delete(b.caches[id], key.text)
	}
}

// coherent compares a cache with what was acknowledged before its last question.
func (b *trackingBook) coherent(c *client, call int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.crew.tally.checked(I16, 1)
	for key, n := range b.caches[c.id] {
		if have := b.latest[key]; n < have.n && have.at < call && b.kept(c, have) {
			c.crew.tally.broken(I16, "%s: its cache holds version %d of %s, %d was acknowledged before it asked", c.name, n, key, have.n)
			delete(b.caches[c.id], key)
		}
	}
}

// kept versions cannot have been lost: no fault has begun, or they were written when it was over.
func (b *trackingBook) kept(c *client, v version) bool {
	calmed := c.crew.calmed.Load()
	return c.crew.struck.Load() == 0 || calmed > 0 && v.at > calmed
}

// check compares the caches with the final master, where nobody writes any more.
func (b *trackingBook) check(final *wire, j *judge) error {
	for i := range trackingKeys {
		v, err := final.must("GET", b.key(i))
		if err != nil {
			return err
		}
		n, _ := number(v, nil)
		j.ops++
		have := b.latest[b.key(i)]
		switch {
		case int(n) == have.n && n > 0 && have.at < j.flushed.call:
			j.verdicts.broken(I5, "%s is version %d, which had been deleted", b.key(i), n)
		case int(n) < have.n && (have.at > j.flushed.ret || n > 0):
			j.lose(have.at, "%s is version %d, %d was acknowledged", b.key(i), n, have.n)
		}
		for id, c := range b.owner {
			b.compare(c, id, b.key(i), int(n), j)
		}
	}
	return nil
}

func (b *trackingBook) compare(c *client, id int, key string, n int, j *judge) {
	if c.wire == nil {
		return
	}
	if _, err := c.wire.ask(queryMax, "PING"); err != nil { // invalidations come before its answer
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	j.verdicts.checked(I16, 1)
	if cached, there := b.caches[id][key]; there && cached != n {
		j.verdicts.broken(I16, "%s: its cache holds version %d of %s, the master %d", c.name, cached, key, n)
	}
}
