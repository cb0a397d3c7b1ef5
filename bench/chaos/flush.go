package chaos

import (
	"context"
	"fmt"
	"strconv"
)

// flushMany is how many keys lie in the way of a FLUSHALL: enough that freeing them takes tens of ms, and little enough for a node
// to be filled within its silence.
const flushMany = 200_000

// flushStep is how many of them are made at a time: some 30 ms, because whoever fills a node must not freeze it.
const flushStep = 10_000

// flushFaults are a client that deletes everything. It is its right: what it deleted is gone and stays gone, all other promises hold.
func flushFaults() []fault {
	return []fault{
		{name: "flushall", text: "a client deletes everything with FLUSHALL SYNC, 200,000 keys more than the others have", promotions: nobody(),
			gapMax: gapFreeze, prepare: fillNodes, commit: flushAll("SYNC")},
		{name: "flushall-async", text: "a client deletes everything with FLUSHALL ASYNC, 200,000 keys more than the others have",
			promotions: nobody(), gapMax: gapFreeze, prepare: fillNodes, commit: flushAll("ASYNC")},
		{name: "flushall-sigkill", text: "a client deletes everything, and the master is killed as soon as a replica has heard of it",
			promotions: once(), gapMax: gapKill, commit: flushAndKill},
	}
}

// fillNodes gives every node the same keys. They are no part of the stream, so they are made on each.
func fillNodes(ctx context.Context, c *cycle) error {
	for n := range flushMany / flushStep {
		for _, s := range c.servers {
			if _, err := s.Do(ctx, "DEBUG", "POPULATE", strconv.Itoa(flushStep), "rig:many"+strconv.Itoa(n), "16"); err != nil {
				return err
			}
		}
	}
	return nil
}

func flushAll(mode string) func(context.Context, *cycle) error {
	return func(ctx context.Context, c *cycle) error {
		w, err := c.flush(ctx, mode)
		if err != nil {
			return err
		}
		return w.Close()
	}
}

// flush has a client of its own, through the proxy, delete everything, and notes when.
func (c *cycle) flush(ctx context.Context, mode string) (*wire, error) {
	raw, err := c.crew.dial(ctx)
	if err != nil {
		return nil, err
	}
	c.crew.erased.Add(1)
	w, call := newWire(raw), c.crew.tally.now()
	if _, err := w.must("FLUSHALL", mode); err != nil {
		_ = raw.Close() // the first error counts
		return nil, fmt.Errorf("delete everything: %w", err)
	}
	c.flushed = span{call, c.crew.tally.now()}
	return w, nil
}

// flushAndKill waits for a replica, because a flush that only the master has may be lost like any other write.
func flushAndKill(ctx context.Context, c *cycle) error {
	w, err := c.flush(ctx, "ASYNC")
	if err != nil {
		return err
	}
	defer w.Close()
	v, err := w.must("WAIT", "1", strconv.FormatInt(queryMax.Milliseconds(), 10))
	if err != nil {
		return err
	}
	if v.num < 1 {
		return fmt.Errorf("wait for a replica: none has heard of the flush")
	}
	return killMaster(ctx, c)
}

// span is a time of the crew's clock, from a request's first byte to its reply. The zero value is no time at all.
type span struct{ call, ret int64 }

// before reports whether an answer was there before the span: what it said was deleted within it.
func (s span) before(a answer) bool { return a.ret < s.call }

// meets reports whether a request ran at the same time, so that it may have been executed before or after.
func (s span) meets(a answer) bool { return a.call < s.ret && a.ret >= s.call }

// standing is what is left of a history after everything was deleted: what was answered before is gone for good, and what ran
// meanwhile may have been, like a request of unknown outcome.
func (j *judge) standing(records []record) []record {
	if j.flushed == (span{}) {
		return records
	}
	left := make([]record, 0, len(records))
	for _, r := range records {
		if j.flushed.before(r.answer) {
			continue
		}
		if r.outcome == ok && j.flushed.meets(r.answer) {
			r.outcome = unknown
		}
		left = append(left, r)
	}
	return left
}
