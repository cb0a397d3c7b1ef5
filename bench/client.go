package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// probeEvery is how many operations pass between two proofs that the session is still the same.
	probeEvery = 16
	// redialEvery is the pause between two attempts to connect, and after an error reply: a client that spins on errors
	// would take the processor from those it waits for.
	redialEvery = 20 * time.Millisecond
	// registers is how many overwritten keys a client has; the last one holds large values.
	registers = 4
)

// client is one connection with a shadow of everything it wrote. All fields but the atomic ones belong to its goroutine
// until Run has returned, and to the verification afterwards.
type client struct {
	load *Load
	id   int
	name string // as CLIENT SETNAME set it
	db   int
	rng  *rand.Rand
	conn *conn // nil: not connected

	oks         atomic.Int64 // successful commands
	incarnation atomic.Int64 // number of the present connection, 0 when there is none
	dials       int64

	list, set, tx  ledger
	listLen        counter
	incr           counter
	incrs          ledger // one entry per INCR; only the outcomes matter
	txLen, txIncr  counter
	regs           [registers]register
	regNext        int
	pipelines      []span // of list ids, where not every reply was a success
	operations     int
	errorOps       int64
	erred, dropped bool // in the present operation: an error reply; the connection was lost
}

// span is the range [from, to) of ids that one pipeline wrote.
type span struct{ from, to int }

func newClient(l *Load, id int) *client {
	c := &client{load: l, id: id, name: "c" + strconv.Itoa(id), db: 1 + id%l.opts.Databases}
	c.rng = rand.New(rand.NewPCG(l.opts.Seed, uint64(id)))
	for i := range c.regs {
		c.regs[i].maybe = []int{absent}
	}
	return c
}

// key is a key of this client alone.
func (c *client) key(kind string) string {
	return c.load.opts.Prefix + ":" + kind + ":" + strconv.Itoa(c.id)
}

// run works until ctx ends, then proves once more that the session is its own.
func (c *client) run(ctx context.Context, clients *sync.WaitGroup) {
	defer clients.Done()
	pace := max(c.load.opts.Think, c.load.opts.Interval)
	due := c.load.tally.now() + c.rng.Int64N(int64(pace)) // so that fifty clients do not march in step
	for ctx.Err() == nil {
		if c.conn == nil {
			if c.connect(ctx) != nil {
				_ = pause(ctx, redialEvery) // the loop looks at ctx
			}
			continue
		}
		if pause(ctx, time.Duration(due-c.load.tally.now())) != nil {
			break
		}
		c.turn(due)
		due = c.next(due)
	}
	if c.conn != nil {
		c.probe()
	}
	if c.conn != nil { // the probe may have lost it
		c.hangUp()
	}
}

// next is when the following operation is due, in ns of the tally's clock.
func (c *client) next(due int64) int64 {
	now := c.load.tally.now()
	switch {
	case c.erred:
		return now + int64(redialEvery)
	case c.load.opts.Interval > 0:
		return due + int64(c.load.opts.Interval)
	default:
		think := int64(c.load.opts.Think)
		return now + think/2 + c.rng.Int64N(think)
	}
}

// turn is one operation, timed from when it was due (open loop) or from its first byte (closed loop).
func (c *client) turn(due int64) {
	c.load.turn.RLock()
	defer c.load.turn.RUnlock()
	began := c.load.tally.now()
	if c.load.opts.Interval > 0 {
		began = due
	}
	c.erred, c.dropped = false, false
	if c.operations%probeEvery == 0 {
		c.probe()
	} else {
		c.operate()
	}
	c.operations++
	took := c.load.tally.now() - began
	raise(&c.load.tally.stallMax, took)
	c.load.tally.latency.note(took)
	if c.erred {
		c.errorOps++
		raise(&c.load.tally.errorOpsMax, c.errorOps)
	}
}

// connect opens the session: who, which name, which database, and a mark to know that database by.
func (c *client) connect(ctx context.Context) error {
	raw, err := c.load.opts.Dial(ctx)
	if err != nil {
		return err
	}
	fresh := newConn(raw)
	for _, args := range c.greeting() {
		rep, err := fresh.do(c.load.opts.HungAfter, args...)
		if err == nil && rep.isError() {
			_, class := classify(rep.text)
			c.load.tally.refused(class)
			err = fmt.Errorf("%s: %w: %s", args[0], errReply, rep.text)
		}
		if err != nil {
			return errors.Join(err, fresh.Close())
		}
	}
	c.conn = fresh
	c.dials++
	c.incarnation.Store(c.dials)
	c.load.tally.connected.Add(1)
	return nil
}

func (c *client) greeting() [][]string {
	var all [][]string
	if o := c.load.opts; o.Username != "" {
		all = append(all, []string{"AUTH", o.Username, o.Password})
	} else if o.Password != "" {
		all = append(all, []string{"AUTH", o.Password})
	}
	return append(all, []string{"CLIENT", "SETNAME", c.name}, []string{"SELECT", strconv.Itoa(c.db)},
		[]string{"SET", c.key("mark"), c.markValue()})
}

// markValue names the client and the database it wrote it in.
func (c *client) markValue() string { return fmt.Sprintf("%s@%d", c.name, c.db) }

// hangUp closes the connection on the client's own wish.
func (c *client) hangUp() {
	_ = c.conn.Close() // nothing is unanswered, and nobody is left to tell
	c.conn = nil
	c.load.tally.connected.Add(-1)
}

// drop notes that the connection was lost, or that an answer never came.
func (c *client) drop(err error) Outcome {
	o := Unknown
	if errors.Is(err, os.ErrDeadlineExceeded) {
		o = Hung
		c.load.tally.note("%s: no answer within %s", c.name, c.load.opts.HungAfter)
	} else {
		c.load.tally.disconnects.Add(1)
		c.load.tally.note("%s: disconnected: %v", c.name, err)
	}
	c.dropped = true
	c.incarnation.Store(0)
	c.hangUp()
	return o
}

// exchange writes all commands at once and takes their replies in order. It reports whether each succeeded.
func (c *client) exchange(commands ...command) bool {
	buf := c.conn.w[:0]
	for _, cmd := range commands {
		buf = appendRequest(buf, cmd.args...)
	}
	c.conn.w = buf
	if err := c.conn.SetDeadline(time.Now().Add(c.load.opts.HungAfter)); err == nil {
		_, _ = c.conn.Write(buf) // replies may be here although the write failed; reading to the end tells
	}
	all := true
	for i := range commands {
		rep, err := readReply(c.conn.r)
		if err != nil {
			o := c.drop(err)
			for _, lost := range commands[i:] {
				c.settle(lost, o, true)
			}
			return false
		}
		all = c.settle(commands[i], c.judge(commands[i], rep), false) == OK && all
	}
	return all
}

// judge turns a reply into an outcome.
func (c *client) judge(cmd command, rep reply) Outcome {
	if rep.isError() {
		o, class := classify(rep.text)
		if cmd.lenient {
			return Fail
		}
		c.erred = true
		c.load.tally.refused(class)
		if !documented(class) {
			c.load.tally.note("%s: %s answered -%s", c.name, cmd.args[0], rep.text)
		}
		return o
	}
	if rep.null && cmd.nullRefuses {
		c.erred = true
		c.load.tally.refused("EXEC-NIL")
		return Fail
	}
	f := cmd.judge(rep)
	if o := f.outcome(); o != OK {
		c.load.tally.note("%s: %s reply to %s %s: %s", c.name, o, cmd.args[0], cmd.args[min(1, len(cmd.args)-1)], f.why)
		if o == Stale {
			c.load.tally.lost(f.since)
		}
		return o
	}
	return OK
}

// settle counts one outcome and tells the shadow. lost says that the connection went with the answer.
func (c *client) settle(cmd command, o Outcome, lost bool) Outcome {
	if o == OK {
		c.oks.Add(1)
		c.load.tally.ok(c.load.tally.now())
	} else if !cmd.lenient {
		c.load.tally.commands[o].Add(1)
		if cmd.read && o != Wrong && o != Stale {
			c.load.tally.readsFailed.Add(1)
		}
	}
	if cmd.settle != nil {
		cmd.settle(o, lost)
	}
	return o
}
