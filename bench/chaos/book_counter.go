package chaos

import "strconv"

// counterBook counts. Every reply is a number that nobody else may get, unless the first who got it was lost.
type counterBook struct{ history }

func (b *counterBook) begin(tag string) { b.reset("counter:" + tag) }

func (b *counterBook) turn(c *client) { b.add(c, "", c.one("INCR", b.key)) }

func (b *counterBook) check(final *wire, j *judge) error {
	have, err := number(final.must("GET", b.key))
	if err != nil {
		return err
	}
	var oks, unknowns int64
	seen := make(map[int64]int64) // reply -> when it was told
	repeated := 0
	for _, r := range j.standing(b.records) {
		switch r.outcome {
		case ok:
			oks++
			if first, twice := seen[r.reply]; twice {
				repeated++
				j.lose(min(first, r.ret), "%s: two clients were told %d", b.key, r.reply)
			}
			seen[r.reply] = r.ret
		case unknown, hung:
			unknowns++
		}
	}
	j.ops += len(b.records)
	j.verdicts.checked(I3, len(b.records))
	j.verdicts.checked(I5, len(b.records))
	for range max(0, oks-have-int64(repeated)) {
		j.lose(never, "%s is %d after %d acknowledged", b.key, have, oks)
	}
	if over := have - oks - unknowns; over > 0 {
		j.duplicates += int(over)
		j.verdicts.broken(I3, "%s is %d, at most %d were sent", b.key, have, oks+unknowns)
	}
	j.applied += int(max(0, min(have-oks, unknowns)))
	return nil
}

// number reads a counter; a key that does not exist is 0.
func number(v value, err error) (int64, error) {
	if err != nil || v.null {
		return 0, err
	}
	return strconv.ParseInt(v.text, 10, 64)
}
