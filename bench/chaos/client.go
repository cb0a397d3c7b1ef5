package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// probeEvery is how many turns pass between two proofs that the session is still the same.
	probeEvery = 12
	// redialEvery is the pause between two attempts to connect, and after an error: a client that spins takes the processor
	// from those it waits for.
	redialEvery = 20 * time.Millisecond
)

// client is one connection with one kind of work. All but the atomic fields belong to its goroutine while it takes its turn,
// and to the judge while the crew is quiet.
type client struct {
	crew  *crew
	book  book
	id    int
	name  string
	db    int
	proto int
	user  string // "": the default user
	rng   *rand.Rand
	wire  *wire // nil: not connected
	bare  bool  // in subscribed mode, where only a few commands are allowed

	pushed func(value) // takes the pushes of RESP3
	oks    atomic.Int64
	dials  atomic.Int64
	turns  int
	erred  bool  // the last turn saw an error
	erased int64 // the crew's erased when its mark was written
}

// run works until ctx ends.
func (c *client) run(ctx context.Context, done *sync.WaitGroup) {
	defer done.Done()
	for ctx.Err() == nil {
		wait := c.crew.think/2 + time.Duration(c.rng.Int64N(int64(c.crew.think)))
		if c.erred || c.wire == nil && c.turns > 0 {
			wait = redialEvery
		}
		if pause(ctx, wait) != nil {
			break
		}
		c.take(ctx)
	}
	c.hangUp()
}

// take is one turn; nobody has one while the crew is quiet.
func (c *client) take(ctx context.Context) {
	c.crew.quiet.RLock()
	defer c.crew.quiet.RUnlock()
	c.erred = false
	switch {
	case c.wire == nil:
		if err := c.connect(ctx); err != nil {
			c.erred = true
		}
	case c.turns%probeEvery == 0 && !c.bare:
		c.probe()
	default:
		c.book.turn(c)
	}
	c.turns++
}

// connect opens the session and makes it distinguishable from every other.
func (c *client) connect(ctx context.Context) error {
	raw, err := c.crew.dial(ctx)
	if err != nil {
		return err
	}
	c.wire = newWire(raw)
	c.wire.pushed = c.pushed
	c.dials.Add(1)
	greeting := c.greeting()
	c.erased = c.crew.erased.Load()
	for _, a := range c.do(greeting...) {
		if a.outcome != ok {
			c.hangUp()
			return errReply
		}
	}
	if g, isGreeter := c.book.(greeter); isGreeter {
		g.greet(c)
	}
	return nil
}

// greeter is a book whose clients do something more when they connect.
type greeter interface{ greet(c *client) }

func (c *client) greeting() (all [][]string) {
	if c.user != "" {
		all = append(all, []string{"AUTH", c.user, userPassword})
	}
	if c.proto == 3 {
		all = append(all, []string{"HELLO", "3"})
	}
	return append(all, []string{"CLIENT", "SETNAME", c.name}, []string{"SELECT", strconv.Itoa(c.db)}, []string{"SET", c.markKey(), c.mark()})
}

func (c *client) markKey() string { return "mark:" + c.name }

// mark names the client and the database that it wrote it in.
func (c *client) mark() string { return fmt.Sprintf("%s@%d", c.name, c.db) }

// hangUp closes the connection on the client's own wish.
func (c *client) hangUp() {
	if c.wire != nil {
		_ = c.wire.Close() // nothing is unanswered
		c.wire = nil
	}
}

// do writes all requests at once and takes their replies in order.
func (c *client) do(requests ...[]string) []answer {
	answers := make([]answer, len(requests))
	call := c.crew.tally.now()
	for i := range answers {
		answers[i] = answer{call: call, ret: never}
	}
	if c.wire == nil {
		return answers
	}
	if err := c.wire.SetDeadline(time.Now().Add(c.crew.hungAfter)); err == nil {
		_ = c.wire.send(requests...) // replies may be here although the write failed; reading to the end tells
	}
	for i := range answers {
		v, err := c.wire.read()
		if err != nil {
			c.lost(err, answers[i:])
			break
		}
		answers[i].value, answers[i].ret, answers[i].outcome = v, c.crew.tally.now(), judgeReply(v)
		c.account(requests[i], answers[i])
		if answers[i].outcome == unknown {
			answers[i].ret = never // it may be executed after its error
		}
	}
	return answers
}

// one is do for a single request.
func (c *client) one(args ...string) answer { return c.do(args)[0] }

func (c *client) account(request []string, a answer) {
	c.crew.tally.answered(a)
	if a.outcome == ok {
		c.oks.Add(1)
		return
	}
	c.erred = true
	if class := classOf(a.value.text); !allowed(class, c.crew.excused()) {
		c.crew.tally.broken(I1, "%s: %s answered -%s", c.name, request[0], clip(a.value.text))
	}
}

// lost is the end of the connection with answers outstanding.
func (c *client) lost(err error, rest []answer) {
	c.erred = true
	late := errors.Is(err, os.ErrDeadlineExceeded)
	for i := range rest {
		if late {
			rest[i].outcome = hung
		}
		c.crew.tally.answered(rest[i])
	}
	switch {
	case late:
		c.crew.tally.broken(I20, "%s: no answer within %s", c.name, c.crew.hungAfter)
	case errors.Is(err, errFraming):
		c.crew.tally.broken(I2, "%s: %v", c.name, err)
	default:
		c.crew.tally.disconnected(c.name, err)
	}
	c.hangUp()
}

// probe proves that the session is the one that was opened: its own replies, name, database, user and protocol.
func (c *client) probe() {
	nonce := strconv.FormatUint(c.rng.Uint64(), 36)
	answers := c.do([]string{"ECHO", nonce}, []string{"CLIENT", "INFO"}, []string{"GET", c.markKey()})
	t := c.crew.tally
	if a := answers[0]; a.outcome == ok {
		t.checked(I1, 1)
		if a.value.text != nonce {
			t.broken(I1, "%s: ECHO %s answered %s", c.name, nonce, a.value)
		}
	}
	if a := answers[1]; a.outcome == ok {
		t.checked(I12, 1)
		if missing := c.strange(a.value.text); missing != "" {
			t.broken(I12, "%s: its session lacks %s: %s", c.name, missing, a.value.text)
		}
	}
	if a := answers[2]; a.outcome == ok {
		t.checked(I8, 1)
		if a.value.null {
			c.missed()
		} else if a.value.text != c.mark() {
			t.broken(I12, "%s: its mark is %s", c.name, a.value)
		}
	}
}

// missed writes the mark again, which is gone. It was acknowledged, so it counts among the lost writes, unless a client has deleted
// everything since it was written.
func (c *client) missed() {
	if now := c.crew.erased.Load(); c.erased != now {
		c.erased = now
	} else {
		c.crew.markLost()
	}
	c.one("SET", c.markKey(), c.mark())
}

// strange compares CLIENT INFO with what the session must be and returns what is missing.
func (c *client) strange(info string) string {
	user := c.user
	if user == "" {
		user = "default"
	}
	fields := strings.Fields(info)
	for _, want := range []string{"name=" + c.name, "db=" + strconv.Itoa(c.db), "user=" + user, "resp=" + strconv.Itoa(c.proto)} {
		found := false
		for _, f := range fields {
			found = found || f == want
		}
		if !found {
			return want
		}
	}
	return ""
}
