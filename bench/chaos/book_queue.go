package chaos

import "strconv"

// popWait is how long a consumer waits for a job; long enough to be waiting when the fault strikes, and short beside a cycle.
const popWait = 200 // ms

// queueBook hands jobs from producers to consumers that wait for them. A job is delivered at most once.
type queueBook struct {
	history
	pops []record // of the consumers; id is the job
}

func (b *queueBook) begin(tag string) {
	b.reset("queue:" + tag)
	b.pops = nil
}

func (b *queueBook) turn(c *client) {
	if c.id%2 == 0 {
		id := b.id(c)
		b.add(c, id, c.one("RPUSH", b.key, id))
		return
	}
	a := c.one("BLPOP", b.key, strconv.FormatFloat(float64(popWait)/1000, 'f', 3, 64))
	r := record{client: c.id, answer: a}
	if a.outcome == ok && len(a.value.items) == 2 {
		r.id = a.value.items[1].text
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pops = append(b.pops, r)
}

func (b *queueBook) check(final *wire, j *judge) error {
	v, err := final.must("LRANGE", b.key, "0", "-1")
	if err != nil {
		return err
	}
	where := make(map[string]int) // how often a job was delivered or is still there
	for _, id := range texts(v) {
		where[id]++
	}
	eaters, delivered := 0, make(map[string]int64)
	for _, p := range b.pops {
		if p.id != "" {
			if where[p.id]++; where[p.id] > 1 {
				// The first delivery was acknowledged and has not happened: the same job is there again.
				first, before := delivered[p.id]
				if !before || p.ret < first {
					first = p.ret
				}
				j.lose(first, "%s: %s was delivered twice, or delivered and kept", b.key, p.id)
			}
			delivered[p.id] = p.ret
		}
		if p.outcome == unknown || p.outcome == hung || b.strained(p, j) {
			eaters++ // what it popped, nobody was told
		}
	}
	j.ops += len(b.records) + len(b.pops)
	j.verdicts.checked(I18, len(b.pops))
	for _, r := range j.standing(b.records) {
		switch n := where[r.id]; {
		case r.outcome == ok && n == 0 && eaters > 0:
			eaters--
			j.eaten++
		case r.outcome == ok && n == 0:
			j.lose(r.ret, "%s: job %s is gone", b.key, r.id)
		case r.outcome == fail && n > 0:
			j.phantoms++
			j.verdicts.broken(I4, "%s: job %s was refused and is there", b.key, r.id)
		}
	}
	return nil
}

// strained pops waited while the fault struck, so they may have been sent again: an element popped for the first sending is gone, as
// it is without a proxy.
func (b *queueBook) strained(p record, j *judge) bool {
	return p.call < j.window[1] && p.ret > j.window[0]
}
