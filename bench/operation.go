package bench

import "fmt"

// pipelineMax is the most commands one write of a pipeline carries; eight is what a busy web request sends.
const pipelineMax = 8

// operate picks one operation of the mix.
func (c *client) operate() {
	switch n := c.rng.IntN(20); {
	case n < 4:
		c.exchange(c.push())
	case n < 7:
		c.exchange(c.count())
	case n < 10:
		c.exchange(c.store(c.register()))
	case n < 13:
		c.exchange(c.fetch(c.register()))
	case n < 14:
		c.exchange(c.add())
	case n < 15:
		c.exchange(c.echo())
	case n < 16:
		c.exchange(c.tail())
	case n < 18:
		c.pipeline()
	case n < 19:
		c.exchange(c.transaction()...)
	default:
		c.interactive()
	}
}

// register picks a key; the one with the large values rarely, so that the small ones set the pace.
func (c *client) register() int {
	if c.rng.IntN(8) == 0 {
		return registers - 1
	}
	return c.rng.IntN(registers - 1)
}

// probe proves that the session is the one that was opened: its name, its database, its own replies.
func (c *client) probe() {
	c.exchange(
		command{args: []string{"CLIENT", "GETNAME"}, read: true, judge: want('$', c.name)},
		command{args: []string{"GET", c.key("mark")}, read: true, judge: want('$', c.markValue())},
		c.echo())
}

// pipeline writes several commands at once. Those that were executed must be a prefix of it.
func (c *client) pipeline() {
	from := len(c.list.outcomes)
	commands := make([]command, 0, pipelineMax)
	for range 2 + c.rng.IntN(pipelineMax-1) {
		switch c.rng.IntN(5) {
		case 0:
			commands = append(commands, c.echo())
		case 1:
			commands = append(commands, c.count())
		default:
			commands = append(commands, c.push())
		}
	}
	if !c.exchange(commands...) {
		c.pipelines = append(c.pipelines, span{from, len(c.list.outcomes)})
	}
}

// transaction is MULTI to EXEC in one write.
func (c *client) transaction() []command {
	id := c.tx.next()
	queued := want('+', "QUEUED")
	return []command{
		{args: []string{"MULTI"}, judge: want('+', "OK")},
		{args: []string{"RPUSH", c.key("txlist"), fmt.Sprint(id)}, judge: queued},
		{args: []string{"INCR", c.key("txctr")}, judge: queued},
		{args: []string{"EXEC"}, nullRefuses: true, judge: c.executed, settle: func(o Outcome, lost bool) {
			c.note(&c.tx, id, o)
			c.txLen.settle(o, lost)
			c.txIncr.settle(o, lost)
		}},
	}
}

// executed judges the reply of EXEC.
func (c *client) executed(r reply) flaw {
	if r.kind != '*' || len(r.items) != 2 {
		return flaw{why: fmt.Sprintf("got %s, want two results", r)}
	}
	length, count := c.counts(&c.txLen)(r.items[0]), c.counts(&c.txIncr)(r.items[1])
	if length.why != "" {
		return length
	}
	return count
}

// interactive is the same transaction, one round trip for each step. A transaction whose EXEC was never sent has not
// happened, whatever else went wrong.
func (c *client) interactive() {
	steps := c.transaction()
	exec := steps[len(steps)-1]
	for i, step := range steps {
		ok := c.exchange(step)
		if i == len(steps)-1 || ok {
			continue
		}
		if c.dropped || i == 0 {
			exec.settle(Fail, false)
		}
		if c.dropped {
			return
		}
		if i == 0 {
			c.exchange(command{args: []string{"DISCARD"}, lenient: true, judge: func(reply) flaw { return flaw{} }})
			return
		}
	}
}
