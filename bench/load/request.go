package load

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

const (
	// prefix of every key and channel. The load touches nothing else.
	prefix = "holdfast:bench:"
	// bigKeys is how many large values there are: enough that they differ, few enough to fit anywhere.
	bigKeys = 16
	// counters is how many keys transactions and scripts count in.
	counters = 64
	// feeders is how many connections wait for jobs, and how many for messages.
	feeders = 4
	// keyLifeSpare is how long the keys outlive a run that could not remove them.
	keyLifeSpare = 10 * time.Minute
	channel      = prefix + "channel"
	countScript  = "local n = redis.call('INCR', KEYS[1]) redis.call('EXPIRE', KEYS[1], ARGV[1]) return n"
)

// writer builds requests. Each worker has its own.
type writer struct {
	mix        Mix
	keys       int
	depth      int
	life       string // of a key, in seconds
	small, big []byte
	rng        *rand.Rand
	turn       int // of the kinds that alternate
	key        []byte
	stamp      []byte
}

func newWriter(o Options, worker int) *writer {
	return &writer{
		mix: o.Mix, keys: o.Keys, depth: o.Depth, life: strconv.Itoa(o.life()), small: value(o.ValueBytes), big: value(o.BigBytes),
		rng: rand.New(rand.NewPCG(o.Seed, uint64(worker))),
	}
}

// life is how many seconds a key stays when nobody removes it.
func (o Options) life() int {
	return int((o.WarmUp + o.Duration + o.Timeout + keyLifeSpare) / time.Second)
}

// value is a value of some size with a pattern in it.
func value(size int) []byte {
	v := make([]byte, size)
	for i := range v {
		v[i] = "0123456789abcdef"[i%16]
	}
	return v
}

// request is one request on its way.
type request struct {
	kind     Kind
	commands int
	replies  int
}

// next appends a request of the mix to b. due is the moment that jobs and messages carry.
func (w *writer) next(b []byte, due int64) ([]byte, request) {
	kind := w.mix.pick(w.rng)
	w.turn++
	r := request{kind: kind, commands: 1, replies: 1}
	switch kind {
	case Get:
		b = w.get(b)
	case Set:
		b = w.set(b)
	case Pipeline:
		for i := range w.depth {
			if i%4 == 3 {
				b = w.set(b)
			} else {
				b = w.get(b)
			}
		}
		r.commands, r.replies = w.depth, w.depth
	case Big:
		b = w.bigValue(b)
	case PubSub:
		b = appendCommand(b, 3, "PUBLISH", channel)
		b = appendBulk(b, w.stamped(due))
	case Blocking:
		key := w.name("jobs:", w.rng.IntN(feeders))
		b = appendBulk(appendBulk(appendCommand(b, 3, "RPUSH"), key), w.stamped(due))
		b = appendCommand(appendBulk(appendCommand(b, 3, "EXPIRE"), key), 0, w.life)
		r.commands, r.replies = 2, 2
	case Transaction:
		b = appendCommand(b, 1, "MULTI")
		b = w.set(b)
		key := w.name("count:", w.rng.IntN(counters))
		b = appendBulk(appendCommand(b, 2, "INCR"), key)
		b = appendCommand(appendBulk(appendCommand(b, 3, "EXPIRE"), key), 0, w.life)
		b = appendCommand(b, 1, "EXEC")
		r.commands, r.replies = 5, 5
	case Script:
		b = appendBulk(appendCommand(b, 5, "EVAL", countScript, "1"), w.name("count:", w.rng.IntN(counters)))
		b = appendCommand(b, 0, w.life)
	}
	return b, r
}

func (w *writer) get(b []byte) []byte {
	return appendBulk(appendCommand(b, 2, "GET"), w.name("small:", w.rng.IntN(w.keys)))
}

func (w *writer) set(b []byte) []byte {
	return w.store(b, w.name("small:", w.rng.IntN(w.keys)), w.small)
}

func (w *writer) store(b, key, value []byte) []byte {
	b = appendBulk(appendBulk(appendCommand(b, 5, "SET"), key), value)
	return appendCommand(b, 0, "EX", w.life)
}

func (w *writer) bigValue(b []byte) []byte {
	key := w.name("big:", w.rng.IntN(bigKeys))
	if w.turn%2 == 0 {
		return w.store(b, key, w.big)
	}
	return appendBulk(appendCommand(b, 2, "GET"), key)
}

// name is a key; it is good until the next one.
func (w *writer) name(group string, n int) []byte {
	w.key = append(append(w.key[:0], prefix...), group...)
	w.key = strconv.AppendInt(w.key, int64(n), 10)
	return w.key
}

// stamped is the small value with a time at its head.
func (w *writer) stamped(due int64) []byte {
	w.stamp = append(w.stamp[:0], fmt.Sprintf("%0*d", stampBytes, due)...)
	w.stamp = append(w.stamp, w.small[min(stampBytes, len(w.small)):]...)
	return w.stamp
}

// appendCommand begins a request of n words, unless n is 0, and appends the first ones.
func appendCommand(b []byte, n int, words ...string) []byte {
	if n > 0 {
		b = append(b, '*')
		b = strconv.AppendInt(b, int64(n), 10)
		b = append(b, '\r', '\n')
	}
	for _, word := range words {
		b = appendBulk(b, []byte(word))
	}
	return b
}

func appendBulk(b, word []byte) []byte {
	b = append(b, '$')
	b = strconv.AppendInt(b, int64(len(word)), 10)
	b = append(b, '\r', '\n')
	b = append(b, word...)
	return append(b, '\r', '\n')
}
