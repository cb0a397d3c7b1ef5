package chaos

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"holdfast/bench"
)

// judge compares all histories with the final master, and what the daemon says with what the clients saw.
func (c *cycle) judge(ctx context.Context, res *Result) error {
	c.crew.quiet.Lock()
	defer c.crew.quiet.Unlock()
	defer c.crew.tally.resume()
	j := &judge{window: c.window, flushed: c.flushed}
	err := c.examine(ctx, j, res)
	counts, seen := c.crew.tally.take()
	j.verdicts.add(&seen)
	c.judgeCounts(j, res, counts)
	res.fill(j, counts)
	if err != nil {
		res.Held = false
		return fmt.Errorf("judge cycle %s: %w", c.name, err)
	}
	return nil
}

// examine asks the daemon and the nodes.
func (c *cycle) examine(ctx context.Context, j *judge, res *Result) error {
	if err := c.judgeReceipts(ctx, j, res); err != nil {
		return err
	}
	master, err := c.master(ctx)
	if err != nil {
		return err
	}
	if c.expect != nil {
		j.verdicts.checked(I9, 1)
		if master != c.expect {
			j.verdicts.broken(I9, "%s was promoted, %s had more", master.Name, c.expect.Name)
		}
	}
	raw, err := master.Dial(ctx)
	if err != nil {
		return fmt.Errorf("dial %s: %w", master.Address(), err)
	}
	defer raw.Close()
	final := newWire(raw)
	if c.poised != nil {
		c.poised.finish(c, j)
	}
	for _, s := range c.crew.shelf {
		if _, err := final.must("SELECT", strconv.Itoa(s.db)); err != nil {
			return err
		}
		if err := s.book.check(final, j); err != nil {
			return fmt.Errorf("check %s: %w", s.name, err)
		}
	}
	if c.poised != nil {
		if err := c.poised.check(final, j); err != nil {
			return err
		}
	}
	if err := c.unread.check(final, c, j); err != nil {
		return err
	}
	for range c.crew.takeMarks() {
		j.lose(never, "a client's mark")
	}
	c.judgeNodes(ctx, j, master)
	c.judgeResources(j)
	return c.forget(final)
}

// judgeReceipts collects what the daemon declared in this cycle.
func (c *cycle) judgeReceipts(ctx context.Context, j *judge, res *Result) error {
	receipts, err := c.daemon.Failovers(ctx)
	if err != nil {
		return err
	}
	status, err := c.daemon.Status(ctx)
	if err != nil {
		return err
	}
	m := mastership{epochs: int(status.Epoch) - int(c.before.Epoch), foreign: c.foreign}
	j.verdicts.checked(I24, 1)
	if status.Epoch < c.before.Epoch {
		j.verdicts.broken(I24, "the epoch went from %d to %d", c.before.Epoch, status.Epoch)
	}
	c.judged = status.Epoch
	for _, r := range receipts {
		if r.Epoch <= c.before.Epoch {
			continue
		}
		m.receipts++
		if r.Trigger == triggerAdopted {
			m.adopted++
		}
		c.unread.drain = max(c.unread.drain, time.Duration(r.Phases["drain"]*float64(time.Millisecond)))
		res.AtRisk += r.AtRisk
		res.BytesLost += r.BytesLost
		res.CutUnknown += r.Cut["unknown"]
		res.Receipts = append(res.Receipts, fmt.Sprintf("epoch %d %s: %s -> %s, %s; unknown %d, at risk %d (%s), bytes lost %d, %.0f ms",
			r.Epoch, r.Trigger, r.Old, r.New, r.Cause, r.Cut["unknown"], r.AtRisk, r.AtRiskBound, r.BytesLost, r.Phases["total"]))
	}
	if m.promoted, err = c.promotedSince(c.logs); err != nil {
		return err
	}
	m.promoted -= c.foreign
	m.judge(j, c.fault, c.reset)
	j.promotions, res.Promotions, res.Adoptions = m.changes(), m.promoted, m.adopted
	j.allowance = res.AtRisk + int(res.BytesLost/writeBytesMin)
	j.rollback = j.allowance
	if c.fault.blind {
		j.rollback = livedMax // the other books say when what was lost had been acknowledged
	}
	c.judgeClosed(status, j, res)
	return nil
}

// writeBytesMin is the least that one write of a client takes in the replication stream, in bytes: "*2 $4 INCR $n key". With
// it a number of bytes is a bound for a number of writes.
const writeBytesMin = 30

// judgeClosed counts the connections that the daemon closed, by its own reasons.
func (c *cycle) judgeClosed(status bench.PoolStatus, j *judge, res *Result) {
	res.Closed = make(map[string]int)
	for reason, n := range status.Closed {
		if !c.reset {
			n -= c.before.Closed[reason]
		}
		if n == 0 || reason == "client" || reason == "quit" {
			continue
		}
		res.Closed[reason] = n
		if reason != "mid-reply" && !slices.Contains(c.fault.closes, reason) {
			j.verdicts.broken(I12, "%d connections were closed: %s", n, reason)
		}
	}
}

// judgeCounts applies the bounds of the fault.
func (c *cycle) judgeCounts(j *judge, res *Result, n counts) {
	f := c.fault
	res.Gap, res.Noise = n.gapMax, n.noiseMax
	if f.gapMax > 0 {
		j.verdicts.checked(I11, 1)
		if limit := f.gapMax + noiseFactor*n.noiseMax; n.gapMax > limit {
			j.verdicts.broken(I11, "longest time without any success %s, want at most %s on a machine that was %s late", n.gapMax, limit,
				n.noiseMax)
		}
	}
	j.verdicts.checked(I20, len(c.crew.clients))
	if limit := f.gapMax + livenessMax + noiseFactor*n.noiseMax; n.stallMax > limit {
		j.verdicts.broken(I20, "a request waited for %s, want at most %s", n.stallMax, limit)
	}
	if !f.drops {
		lost := 0
		for _, n := range res.Closed {
			lost += n
		}
		if n.Disconnects > lost {
			j.verdicts.broken(I12, "%d clients lost their connection, the proxy knows of %d", n.Disconnects, lost)
		}
	}
	if f.clean && n.Unknown+n.Fail > 0 {
		j.verdicts.broken(I4, "a planned change showed errors: %s", classes(n.Errors))
	}
	c.judgeUnknown(j, res, n)
	c.judgeLoss(j, res)
}

// noiseFactor is how many times in a row the machine's lateness may prolong a failover: detection, the cut, the drain, the promotion,
// the dials and the first replies each wait for a processor.
const noiseFactor = 8

// livenessMax is how long one client may wait beyond the pause of everybody.
const livenessMax = 10 * time.Second

// judgeUnknown compares the unknown results of the receipts with those that clients were told. A connection that breaks by itself
// before a failover is in no receipt, so a fault that does that is counted and not judged.
func (c *cycle) judgeUnknown(j *judge, res *Result, n counts) {
	told := n.Errors[unknownClass]
	if c.reset || n.Disconnects > 0 {
		return
	}
	j.verdicts.checked(I22, 1)
	res.Unreceipted = max(0, told-res.CutUnknown)
	if told < res.CutUnknown || res.Unreceipted > 0 && !c.fault.wobbles {
		j.verdicts.broken(I22, "clients were told %d unknown results, the receipts say %d", told, res.CutUnknown)
	}
}

// judgeLoss compares what is gone with what the receipts declared. What cannot be known is counted apart: a proxy may die with its
// counts.
func (c *cycle) judgeLoss(j *judge, res *Result) {
	lost := len(j.losses)
	for _, l := range j.losses {
		if j.promotions > 0 && c.served > 0 && l.at != never && l.at > c.served {
			j.verdicts.broken(I7, "%s (told %.3f ms after its node was replaced)", l.text, float64(l.at-c.served)/1e6)
		}
	}
	res.LostReported = min(lost, j.allowance)
	res.LostUnreported = lost - res.LostReported
	if c.fault.blind {
		res.LostUncounted = res.LostUnreported
	}
	res.LostUnreported -= res.LostUncounted
	if res.LostUnreported > 0 {
		j.verdicts.broken(I5, "%d acknowledged writes are lost, the receipts declare %d at risk and %d bytes lost", lost, res.AtRisk,
			res.BytesLost)
		for _, l := range j.losses[:min(lost, findingsMax)] {
			j.verdicts.broken(I5, "lost: %s (told at %.3f ms from the fault)", l.text, float64(l.at-c.window[0])/1e6)
		}
	}
}

// forget removes the keys of the cycle from all databases.
func (c *cycle) forget(final *wire) error {
	for db := range databases + 1 {
		if _, err := final.must("SELECT", strconv.Itoa(db)); err != nil {
			return err
		}
		v, err := final.must("KEYS", "*:"+c.name+"*")
		if err != nil {
			return err
		}
		for keys := range slices.Chunk(texts(v), 100) {
			if _, err := final.must(append([]string{"UNLINK"}, keys...)...); err != nil {
				return err
			}
		}
	}
	return nil
}
