package sim

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// crowd is what clients do together: a counter that is changed by comparison, a queue, a channel.
type crowd struct {
	cas   [databases]casCounter
	jobs  map[int64]*job
	order []*job // as they were made
	// popped counts pops of unknown outcome by database: each may have taken a job that nobody saw.
	popped [databases]int
	// missing counts the jobs that nobody got, by database and by the epoch they were acknowledged in.
	missing [databases]map[uint64]int
}

// casCounter is a number that is only changed by who saw its last value.
type casCounter struct {
	ok, unknown int64
	by          map[int64]uint64 // values that were written, with the epoch of the reply
}

// job is an entry of the queue.
type job struct {
	written
	db        int
	delivered uint64 // the epoch in which a consumer got it; 0: none did
}

const (
	casKey   = "s0"
	queueKey = "q0"
	channel  = "ch0"
)

// compareAndSet adds one to the shared number if nobody else did meanwhile.
func (c *client) compareAndSet() {
	seen := int64(-1)
	watched := false
	c.send(ask{args: []string{"WATCH", casKey}, judge: func(r reply) { watched = r.fate == fateOK }},
		c.read([]string{"GET", casKey}, func(r reply) {
			if seen = bulkNumber(r.text); watched {
				c.setIfSame(seen + 1)
			}
		}))
}

func (c *client) setIfSame(value int64) {
	ignore := func(reply) {}
	c.send(ask{args: []string{"MULTI"}, judge: ignore},
		ask{args: []string{"SET", casKey, strconv.FormatInt(value, 10)}, judge: ignore},
		ask{args: []string{"EXEC"}, judge: func(r reply) {
			n := &c.w.crowd.cas[c.db]
			switch r.fate {
			case fateUnknown:
				n.unknown++
			case fateOK:
				if n.by == nil {
					n.by = map[int64]uint64{}
				}
				if before, twice := n.by[value]; twice {
					// Only a number that went back can be reached again.
					c.w.lose(before, "the shared number was %d before", value)
					n.ok--
				}
				n.by[value] = c.epoch()
				n.ok++
			}
		}})
}

// produce puts a job into the queue.
func (c *client) produce() {
	c.w.nextID++
	j := &job{written: written{id: c.w.nextID}}
	c.send(ask{args: []string{"RPUSH", queueKey, strconv.FormatInt(j.id, 10)}, judge: func(r reply) {
		j.fate, j.epoch, j.db = r.fate, c.epoch(), c.db
	}})
	c.w.crowd.jobs[j.id] = j
	c.w.crowd.order = append(c.w.crowd.order, j)
}

// consume waits for a job.
func (c *client) consume() {
	c.send(ask{args: []string{"BLPOP", queueKey, "0"}, judge: func(r reply) {
		switch r.fate {
		case fateUnknown:
			c.w.crowd.popped[c.db]++
		case fateOK:
			c.deliver(r.text)
		}
	}})
}

func (c *client) deliver(frame []byte) {
	lines := bytes.Split(frame, []byte("\r\n"))
	if len(lines) != 6 || string(lines[2]) != queueKey {
		c.w.fault("I1 owner", "c%d: BLPOP is answered with %q", c.id, frame)
		return
	}
	id, _ := strconv.ParseInt(string(lines[4]), 10, 64)
	j := c.w.crowd.jobs[id]
	switch {
	case j == nil:
		c.w.fault("I18 queue", "c%d got job %d, which nobody made", c.id, id)
		return
	case j.fate == fateFail:
		c.w.fault("I4 refused means not executed", "job %d was refused and delivered", id)
	case j.delivered != 0:
		c.w.lose(j.delivered, "job %d was taken before", id)
	}
	j.delivered = max(1, c.epoch())
}

// subscribe asks for the messages of the channel.
func (c *client) subscribe() {
	if c.proto == 3 && !c.hello3 {
		c.send(ask{args: []string{"HELLO", "3"}, judge: c.settles(func() { c.hello3 = true })})
	}
	sock := c.sock
	c.send(ask{args: []string{"SUBSCRIBE", channel}, judge: func(r reply) {
		switch {
		case r.fate == fateOK && !bytes.Contains(r.text, []byte("subscribe")):
			c.wrong("SUBSCRIBE", r)
		case r.fate == fateFail:
			c.w.after(20*time.Millisecond, func() {
				if c.sock == sock && !sock.closed {
					c.subscribe()
				}
			})
		}
	}})
}

// listen does nothing: messages come by themselves.
func (c *client) listen() {}

func (c *client) publish() {
	c.told++
	text := fmt.Sprintf("%d:%d", c.id, c.told)
	c.send(ask{args: []string{"PUBLISH", channel, text}, judge: func(reply) {}})
}

// announce publishes as soon as the client has nothing else to do.
func (c *client) announce() {
	if !c.busy && len(c.open) == 0 && !c.sock.closed {
		c.busy = true
		c.publish()
	}
}

// isMessage tells what comes unasked from a reply.
func (c *client) isMessage(frame []byte) bool {
	return (frame[0] == '>' || frame[0] == '*') && bytes.HasPrefix(frame[1:], []byte("3\r\n$7\r\nmessage\r\n"))
}

// onMessage: the messages of one publisher come in order, and none twice.
func (c *client) onMessage(frame []byte) {
	lines := bytes.Split(frame, []byte("\r\n"))
	from, seq, found := bytes.Cut(lines[len(lines)-2], []byte(":"))
	publisher, _ := strconv.Atoi(string(from))
	n, err := strconv.ParseInt(string(seq), 10, 64)
	if !found || err != nil || n <= c.heard[publisher] {
		c.w.fault("I17 messages", "c%d got %q after message %d of c%d", c.id, frame, c.heard[publisher], publisher)
		return
	}
	c.heard[publisher] = n
	c.count++
}
