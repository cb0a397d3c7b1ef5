package sim

// verify compares the data of the final master with what the clients know.
func (w *world) verify() {
	master := w.nodes[w.hf.core.Master()]
	for _, c := range w.clients {
		for db := range c.own {
			c.verifyOwn(master, db)
		}
	}
	w.verifyCrowd(master)
	if len(w.faults) == 0 {
		w.checkLosses()
	}
}

func (c *client) verifyOwn(m *node, db int) {
	o := &c.own[db]
	k := func(letter byte) key { return key{kind: letter, n: int32(c.id), db: int8(db)} }
	c.verifyList("list", o.list, m.data[k('l')])
	c.verifyList("first half of a block", o.tx, m.data[k('t')])
	halves := [2][]int64{m.data[k('t')], m.data[k('u')]}
	if len(halves[0]) != len(halves[1]) {
		c.w.fault("I14 whole blocks", "c%d, database %d: %d first halves and %d second ones", c.id, db, len(halves[0]), len(halves[1]))
		return
	}
	for i, id := range halves[0] {
		if halves[1][i] != id {
			c.w.fault("I14 whole blocks", "c%d, database %d: %d beside %d", c.id, db, id, halves[1][i])
		}
	}
	if n := m.data.number(k('i')); n > o.counter.seen+o.counter.unknown+o.counter.loose {
		c.w.fault("I3 no duplicates", "c%d, database %d: the counter is %d, %d were sent at most", c.id, db, n,
			o.counter.seen+o.counter.unknown+o.counter.loose)
	} else {
		for range min(o.counter.seen-n, int64(len(o.counter.acked))) {
			last := len(o.counter.acked) - 1
			c.w.lose(o.counter.acked[last], "c%d, counter is %d in the end", c.id, n)
			o.counter.acked = o.counter.acked[:last]
		}
	}
	was := c.db
	c.db = db
	c.sees(m.data.number(k('r')))
	c.db = was
}

// verifyList compares a list of unique ids with their fates, in the order in which they were written.
func (c *client) verifyList(what string, wrote []*written, have []int64) {
	at := make(map[int64]int, len(have))
	for i, id := range have {
		if _, twice := at[id]; twice {
			c.w.fault("I3 no duplicates", "c%d: id %d is twice in its %s", c.id, id, what)
			return
		}
		at[id] = i
	}
	last, hole, group := -1, int64(0), 0
	for _, e := range wrote {
		i, present := at[e.id]
		delete(at, e.id)
		if e.group != group {
			hole, group = 0, e.group
		}
		switch {
		case present && e.fate == fateFail:
			c.w.fault("I4 refused means not executed", "c%d: id %d was refused and is in its %s", c.id, e.id, what)
		case present && i < last:
			c.w.fault("I23 order", "c%d: id %d is before one that was written earlier", c.id, e.id)
		case present && hole != 0 && group != 0:
			c.w.fault("I23 order", "c%d: id %d of a pipeline was executed, %d before it was not", c.id, e.id, hole)
		case !present && e.fate == fateOK:
			c.w.lose(e.epoch, "c%d: id %d of its %s", c.id, e.id, what)
		}
		switch {
		case present:
			last = i
		case e.fate != fateOK: // one that was acknowledged and is gone is a loss, counted as such
			hole = e.id
		}
	}
	for id := range at {
		if !c.mayStillCome(id) {
			c.w.fault("I1 owner", "c%d: id %d in its %s was never sent", c.id, id, what)
		}
	}
}

// mayStillCome says that an id belongs to a request that is unanswered yet.
func (c *client) mayStillCome(int64) bool { return len(c.open) > 0 }

// verifyCrowd checks what clients did together.
func (w *world) verifyCrowd(m *node) {
	for db := range w.crowd.cas {
		n := &w.crowd.cas[db]
		value := m.data.number(key{kind: 's', db: int8(db)})
		if open := w.openAsks("EXEC"); value > n.ok+n.unknown+int64(open) {
			w.fault("I13 watch", "database %d: the shared number is %d after %d changes and %d unknown ones", db, value, n.ok, n.unknown)
		}
		for v, epoch := range n.by {
			if v > value {
				w.lose(epoch, "the shared number is %d, it was %d", value, v)
			}
		}
		w.verifyQueue(m, db)
	}
}

// verifyQueue: each job was delivered, waits, or was taken by somebody who does not know it.
func (w *world) verifyQueue(m *node, db int) {
	waiting := map[int64]bool{}
	for _, id := range m.data[key{kind: 'q', db: int8(db)}] {
		if waiting[id] {
			w.fault("I3 no duplicates", "job %d waits twice", id)
		}
		waiting[id] = true
		if j := w.crowd.jobs[id]; j == nil || j.fate == fateFail {
			w.fault("I4 refused means not executed", "job %d waits, and it was refused or never made", id)
		} else if j.delivered != 0 {
			w.lose(j.delivered, "job %d was taken and waits", id)
		}
	}
	missing := 0
	for _, j := range w.crowd.order {
		if j.db == db && j.fate == fateOK && j.delivered == 0 && !waiting[j.id] {
			missing++
			w.crowd.missing[db][j.epoch]++
			w.lose(j.epoch, "job %d", j.id)
		}
	}
	w.result.Lost -= min(missing, w.crowd.popped[db])
}

// taken is how many of need losses of an epoch are jobs that a pop of unknown outcome may have taken. Each pop explains one.
func (w *world) taken(epoch uint64, need int) (n int) {
	for db := range w.crowd.popped {
		k := min(need-n, w.crowd.missing[db][epoch], w.crowd.popped[db])
		w.crowd.missing[db][epoch] -= k
		w.crowd.popped[db] -= k
		n += k
	}
	return n
}

// openAsks counts the requests of a kind that are unanswered.
func (w *world) openAsks(verb string) (n int) {
	for _, c := range w.clients {
		for _, a := range c.open {
			if a.args[0] == verb {
				n++
			}
		}
	}
	return n
}
