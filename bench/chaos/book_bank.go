package chaos

// bankBook moves money between two accounts. The sum is always zero, and the journal has one line for each transfer.
type bankBook struct{ history }

func (b *bankBook) begin(tag string) { b.reset("bank:" + tag) }

func (b *bankBook) turn(c *client) {
	if c.rng.IntN(3) == 0 {
		b.audit(c)
		return
	}
	id := b.id(c)
	steps := [][]string{{"MULTI"}, {"DECRBY", b.key + ":a", "1"}, {"INCRBY", b.key + ":b", "1"}, {"RPUSH", b.key + ":journal", id}, {"EXEC"}}
	if c.rng.IntN(2) == 0 {
		b.settle(c, id, c.do(steps...)[4])
		return
	}
	for _, step := range steps[:4] {
		if a := c.one(step...); a.outcome != ok {
			b.giveUp(c, id, a)
			return
		}
	}
	b.settle(c, id, c.one("EXEC"))
}

// settle notes how EXEC ended; null means that nothing was executed.
func (b *bankBook) settle(c *client, id string, exec answer) {
	if exec.outcome == ok && exec.value.null {
		exec.outcome = fail
	}
	if exec.outcome == ok && len(exec.value.items) != 3 {
		c.crew.tally.broken(I14, "%s: EXEC answered %s", c.name, exec.value)
	}
	b.add(c, id, exec)
}

// giveUp: EXEC was never sent. If the connection lives, the block must be left.
func (b *bankBook) giveUp(c *client, id string, a answer) {
	a.outcome = fail
	b.add(c, id, a)
	if c.wire != nil {
		if v, err := c.wire.ask(c.crew.hungAfter, "DISCARD"); err != nil || v.kind == 0 {
			c.hangUp()
		}
	}
}

// audit reads both accounts at one moment.
func (b *bankBook) audit(c *client) {
	exec := c.do([]string{"MULTI"}, []string{"GET", b.key + ":a"}, []string{"GET", b.key + ":b"}, []string{"LLEN", b.key + ":journal"},
		[]string{"EXEC"})[4]
	if exec.outcome != ok || exec.value.null {
		return
	}
	if len(exec.value.items) != 3 {
		c.crew.tally.broken(I14, "%s: EXEC answered %s", c.name, exec.value)
		return
	}
	c.crew.tally.checked(I14, 1)
	if !balanced(exec.value.items) {
		c.crew.tally.broken(I14, "%s: the accounts are %s", c.name, exec.value)
	}
}

// balanced compares the accounts with each other and with the journal.
func balanced(items []value) bool {
	a, errA := number(items[0], nil)
	b, errB := number(items[1], nil)
	return errA == nil && errB == nil && a+b == 0 && b == items[2].num
}

func (b *bankBook) check(final *wire, j *judge) error {
	v, err := final.must("LRANGE", b.key+":journal", "0", "-1")
	if err != nil {
		return err
	}
	j.compare(b.key, j.standing(b.records), texts(v))
	from, err := final.must("GET", b.key+":a")
	if err != nil {
		return err
	}
	to, err := final.must("GET", b.key+":b")
	if err != nil {
		return err
	}
	j.verdicts.checked(I14, 1)
	if !balanced([]value{from, to, {num: int64(len(v.items))}}) {
		j.verdicts.broken(I14, "%s: %s, %s and %d lines in the journal", b.key, from, to, len(v.items))
	}
	return nil
}
