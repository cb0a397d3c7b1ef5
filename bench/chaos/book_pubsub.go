package chaos

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// pubsubBook publishes numbers and listens to them. What a subscriber hears of one publisher grows; what it misses was published
// while the fault was, and is counted.
type pubsubBook struct {
	mu        sync.Mutex // guards the rest
	tag       string
	published map[int][]answer      // by publisher; the n-th is number n+1
	heard     map[int]map[int][]int // by subscriber and publisher
	listeners map[int]*client
	since     map[int]int64 // when a listener's present subscription was confirmed
}

const pubsubChannel = "news"

func (b *pubsubBook) begin(tag string) {
	b.tag, b.published, b.heard = tag, make(map[int][]answer), make(map[int]map[int][]int)
	if b.since == nil {
		b.since = make(map[int]int64)
	}
}

// sign: every second client listens.
func (b *pubsubBook) sign(c *client) {
	if b.listeners == nil {
		b.listeners = make(map[int]*client)
	}
	if c.id%2 == 1 || len(b.listeners) == 0 {
		b.listeners[c.id] = c
		c.bare = true
		c.pushed = func(v value) { b.hear(c, v) }
	}
}

// greet subscribes. The confirmation is a push in RESP3.
func (b *pubsubBook) greet(c *client) {
	if b.listeners[c.id] == nil {
		return
	}
	_ = c.wire.SetDeadline(time.Now().Add(c.crew.hungAfter)) // a connection that is gone shows at the first reply
	_ = c.wire.send([]string{"SUBSCRIBE", pubsubChannel})
	b.mu.Lock()
	b.since[c.id] = never
	b.mu.Unlock()
	b.listen(c, c.crew.hungAfter, true)
}

func (b *pubsubBook) turn(c *client) {
	if b.listeners[c.id] != nil {
		b.listen(c, 20*time.Millisecond, false)
		return
	}
	b.mu.Lock()
	n := len(b.published[c.id]) + 1
	b.published[c.id] = append(b.published[c.id], answer{})
	b.mu.Unlock()
	a := c.one("PUBLISH", pubsubChannel, fmt.Sprintf("%s:%d:%d", b.tag, c.id, n))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.published[c.id][n-1] = a
}

// listen takes what has come, or waits for the first of it.
func (b *pubsubBook) listen(c *client, limit time.Duration, once bool) {
	for {
		some, err := c.wire.waiting(limit)
		if err == nil && !some {
			return
		}
		if err == nil {
			err = c.wire.SetReadDeadline(time.Now().Add(c.crew.hungAfter))
		}
		var v value
		if err == nil {
			v, err = c.wire.frame(0)
		}
		if err != nil {
			c.lost(err, nil)
			return
		}
		b.hear(c, v)
		c.oks.Add(1)
		if once {
			return
		}
		limit = time.Millisecond
	}
}

// hear takes one message or confirmation.
func (b *pubsubBook) hear(c *client, v value) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(v.items) != 3 || v.items[0].text != "message" {
		if len(v.items) == 3 && v.items[0].text == "subscribe" {
			b.since[c.id] = c.crew.tally.now()
		}
		return
	}
	parts := strings.Split(v.items[2].text, ":")
	if len(parts) != 3 || parts[0] != b.tag {
		return // of the cycle before
	}
	from, err := strconv.Atoi(parts[1])
	n, err2 := strconv.Atoi(parts[2])
	if err != nil || err2 != nil {
		c.crew.tally.broken(I2, "%s: heard %s", c.name, v)
		return
	}
	if b.heard[c.id] == nil {
		b.heard[c.id] = make(map[int][]int)
	}
	b.heard[c.id][from] = append(b.heard[c.id][from], n)
}

// pubsubLinger is how long after everybody was served a subscriber may still miss messages: its connection is moved at the pace of
// all others, a publisher's may have been moved before.
const pubsubLinger = int64(time.Second)

func (b *pubsubBook) check(_ *wire, j *judge) error {
	for _, c := range b.listeners {
		if c.wire == nil {
			continue
		}
		if !b.flush(c) {
			continue
		}
		for from, all := range b.published {
			b.compare(c, from, all, j)
		}
	}
	return nil
}

// flush takes everything that was published before: the answer to a PING comes behind it.
func (b *pubsubBook) flush(c *client) bool {
	if c.proto == 3 {
		_, err := c.wire.ask(queryMax, "PING")
		return err == nil
	}
	if c.wire.SetDeadline(time.Now().Add(queryMax)) != nil || c.wire.send([]string{"PING"}) != nil {
		return false
	}
	for {
		v, err := c.wire.frame(0)
		if err != nil {
			return false
		}
		if len(v.items) == 2 && v.items[0].text == "pong" {
			return true
		}
		b.hear(c, v)
	}
}

func (b *pubsubBook) compare(c *client, from int, all []answer, j *judge) {
	b.mu.Lock()
	defer b.mu.Unlock()
	heard, last := make(map[int]bool), 0
	for _, n := range b.heard[c.id][from] {
		j.verdicts.checked(I17, 1)
		if n <= last {
			j.verdicts.broken(I17, "%s: heard number %d of %d after number %d", c.name, n, from, last)
		}
		last, heard[n] = n, true
	}
	for i, a := range all {
		if heard[i+1] || a.outcome != ok || a.call < b.since[c.id] {
			continue
		}
		j.gaps++
		if a.ret < j.window[0] || a.call > j.window[1]+pubsubLinger {
			j.verdicts.broken(I17, "%s: number %d of %d was published outside of the fault and never heard", c.name, i+1, from)
		}
	}
}
