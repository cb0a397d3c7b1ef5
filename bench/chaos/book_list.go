package chaos

import (
	"fmt"
	"sync"
)

// history is the shared part of books whose writes carry unique ids.
type history struct {
	mu      sync.Mutex // guards the rest
	key     string
	records []record
	next    int
}

// reset begins a cycle under a key of its own.
func (h *history) reset(key string) { h.key, h.records, h.next = key, nil, 0 }

// id gives out a unique id.
func (h *history) id(c *client) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next++
	return fmt.Sprintf("%s:%d", c.name, h.next)
}

// add notes how the write of an id ended.
func (h *history) add(c *client, id string, a answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.records = append(h.records, record{id: id, client: c.id, reply: a.value.num, answer: a})
}

// listBook appends to one list. The reply of RPUSH is the place of the id, so it must be found there.
type listBook struct{ history }

func (b *listBook) begin(tag string) { b.reset("list:" + tag) }

func (b *listBook) turn(c *client) {
	id := b.id(c)
	b.add(c, id, c.one("RPUSH", b.key, id))
}

func (b *listBook) check(final *wire, j *judge) error {
	v, err := final.must("LRANGE", b.key, "0", "-1")
	if err != nil {
		return err
	}
	records := j.standing(b.records)
	places := j.compare(b.key, records, texts(v))
	for _, r := range records {
		place, there := places[r.id]
		if r.outcome == ok && there {
			j.verdicts.checked(I1, 1)
			if int64(place) != r.reply-1 {
				j.verdicts.broken(I1, "%s: %s stands at %d, its reply said %d", b.key, r.id, place, r.reply-1)
			}
		}
	}
	j.ordered(b.key, records, places)
	return nil
}

// setBook adds to one set. A reply of 0 to a new id means that it was executed before.
type setBook struct{ history }

func (b *setBook) begin(tag string) { b.reset("set:" + tag) }

func (b *setBook) turn(c *client) {
	id := b.id(c)
	a := c.one("SADD", b.key, id)
	if a.outcome == ok && a.value.num != 1 {
		c.crew.tally.broken(I3, "%s: SADD of the new id %s answered %s", c.name, id, a.value)
	}
	b.add(c, id, a)
}

func (b *setBook) check(final *wire, j *judge) error {
	v, err := final.must("SMEMBERS", b.key)
	if err != nil {
		return err
	}
	j.compare(b.key, j.standing(b.records), texts(v))
	return nil
}
