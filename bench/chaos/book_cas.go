package chaos

import "strconv"

// casBook counts with WATCH: read, add one, write if nobody else did. Every value is written at most once.
type casBook struct{ history }

func (b *casBook) begin(tag string) { b.reset("cas:" + tag) }

func (b *casBook) turn(c *client) {
	first := c.do([]string{"WATCH", b.key}, []string{"GET", b.key})
	if first[0].outcome != ok || first[1].outcome != ok {
		if c.wire != nil {
			c.one("UNWATCH")
		}
		return
	}
	have, err := number(first[1].value, nil)
	if err != nil {
		c.crew.tally.broken(I2, "%s: the counter is %s", c.name, first[1].value)
		return
	}
	exec := c.do([]string{"MULTI"}, []string{"SET", b.key, strconv.FormatInt(have+1, 10)}, []string{"EXEC"})[2]
	if exec.outcome == ok && exec.value.null {
		exec.outcome = fail
	}
	exec.value.num = have + 1
	b.add(c, "", exec)
}

func (b *casBook) check(final *wire, j *judge) error {
	have, err := number(final.must("GET", b.key))
	if err != nil {
		return err
	}
	var oks, unknowns, repeated int64
	seen := make(map[int64]int64)
	for _, r := range j.standing(b.records) {
		switch r.outcome {
		case ok:
			oks++
			if first, twice := seen[r.reply]; twice {
				repeated++
				j.lose(min(first, r.ret), "%s: %d was written twice", b.key, r.reply)
			}
			seen[r.reply] = r.ret
		case unknown, hung:
			unknowns++
		}
	}
	j.ops += len(b.records)
	j.verdicts.checked(I13, len(b.records))
	for range max(0, oks-have-repeated) {
		j.lose(never, "%s is %d after %d acknowledged", b.key, have, oks)
	}
	if have > oks+unknowns {
		j.verdicts.broken(I13, "%s is %d, at most %d were written", b.key, have, oks+unknowns)
	}
	return nil
}
