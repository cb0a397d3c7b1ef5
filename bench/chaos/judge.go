package chaos

import (
	"fmt"
	"math"
	"strings"
)

// judge collects what the books of one cycle found.
type judge struct {
	verdicts   verdicts
	ops        int // records that were compared
	duplicates int
	phantoms   int
	applied    int // of unknown outcome, and executed
	eaten      int // jobs that were popped for a reply that nobody got
	gaps       int // published messages that a subscriber did not get
	undecided  int // linearizability searches that did not end
	promotions int
	dirty      int // registers in which somebody had read a write of unknown outcome that was not kept
	losses     []loss
	rollback   int      // how many acknowledged writes of one register a failover may take along
	allowance  int      // losses that the receipts of the cycle declare
	flushed    span     // when a client deleted everything
	window     [2]int64 // from the fault until everybody was served again, in ns of the crew's clock
}

// loss is one acknowledged write that is gone.
type loss struct {
	at   int64 // when it was acknowledged; never: nobody can tell
	text string
}

// lose notes a loss.
func (j *judge) lose(at int64, format string, args ...any) {
	j.losses = append(j.losses, loss{at, fmt.Sprintf(format, args...)})
}

// record is one write of a unique id.
type record struct {
	id     string
	client int
	reply  int64
	answer
}

// compare checks a collection of unique ids against their history: acknowledged ones are there once, refused ones are not,
// unknown ones at most once. It returns where each id was found first.
func (j *judge) compare(key string, history []record, have []string) map[string]int {
	places, times := make(map[string]int, len(have)), make(map[string]int, len(have))
	for i, id := range have {
		if times[id]++; times[id] == 1 {
			places[id] = i
		}
	}
	for i := range history {
		r := &history[i]
		n := times[r.id]
		switch {
		case r.outcome == ok && n == 0:
			j.lose(r.ret, "%s: %s was acknowledged and is lost", key, r.id)
		case r.outcome == fail && n > 0:
			j.phantoms++
			j.verdicts.broken(I4, "%s: %s was refused and is there", key, r.id)
		case r.outcome != ok && n > 0:
			j.applied++
		}
		delete(times, r.id)
		if n > 1 {
			j.duplicates += n - 1
			j.verdicts.broken(I3, "%s: %s was executed %d times (%s)", key, r.id, n, r.outcome)
		}
	}
	for id := range times {
		if strings.HasPrefix(id, zombieMark) {
			j.verdicts.broken(I7, "%s: %s was written to a node out of office", key, id)
		} else {
			j.verdicts.broken(I2, "%s: %s, which nobody wrote", key, id)
		}
	}
	j.ops += len(history)
	j.verdicts.checked(I3, len(history))
	j.verdicts.checked(I4, len(history))
	j.verdicts.checked(I5, len(history))
	return places
}

// ordered checks that what returned before another was called stands before it.
func (j *judge) ordered(key string, history []record, places map[string]int) {
	at := make([]*record, 0, len(places))
	byID := make(map[string]*record, len(history))
	for i := range history {
		byID[history[i].id] = &history[i]
	}
	at = at[:0]
	order := make([]string, len(places))
	full := true
	for id, place := range places {
		if place >= len(order) {
			full = false
			continue
		}
		order[place] = id
	}
	if !full {
		return // duplicates, which are a finding by themselves
	}
	for _, id := range order {
		if r := byID[id]; r != nil {
			at = append(at, r)
		}
	}
	latest := int64(math.MinInt64)
	for _, r := range at {
		j.verdicts.checked(I5, 1)
		if r.outcome == ok && r.ret < latest {
			j.verdicts.broken(I5, "%s: %s returned before another was called that stands before it", key, r.id)
		}
		latest = max(latest, r.call)
	}
}

// texts are the elements of a collection.
func texts(v value) []string {
	list := make([]string, 0, len(v.items))
	for _, item := range v.items {
		list = append(list, item.text)
	}
	return list
}
