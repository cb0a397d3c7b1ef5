package chaos

// waitBook asks after each write how many replicas have it. What one has must survive every fault that leaves a node.
type waitBook struct {
	history
	safe map[string]bool
}

func (b *waitBook) begin(tag string) {
	b.reset("wait:" + tag)
	b.safe = make(map[string]bool)
}

func (b *waitBook) turn(c *client) {
	id := b.id(c)
	wait := []string{"WAIT", "1", "50"}
	var write, waited answer
	if c.rng.IntN(2) == 0 {
		both := c.do([]string{"RPUSH", b.key, id}, wait)
		write, waited = both[0], both[1]
	} else {
		write = c.one("RPUSH", b.key, id)
		if write.outcome == ok {
			waited = c.do(wait)[0]
		}
	}
	b.add(c, id, write)
	if write.outcome == ok && waited.outcome == ok && waited.value.num >= 1 {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.safe[id] = true
	}
}

func (b *waitBook) check(final *wire, j *judge) error {
	v, err := final.must("LRANGE", b.key, "0", "-1")
	if err != nil {
		return err
	}
	records := j.standing(b.records)
	places := j.compare(b.key, records, texts(v))
	for _, r := range records {
		if r.outcome != ok || !b.safe[r.id] {
			continue
		}
		j.verdicts.checked(I15, 1)
		if _, there := places[r.id]; !there {
			j.verdicts.broken(I15, "%s: %s was confirmed by a replica and is lost", b.key, r.id)
		}
	}
	return nil
}
