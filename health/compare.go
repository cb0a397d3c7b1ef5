package health

import (
	"slices"
	"time"
)

const (
	// compareEvery is how often a healthy replica is compared with its master: a dozen small questions to each.
	compareEvery = 10 * time.Second
	// compareAgain is when a comparison is tried again that got no answer.
	compareAgain = time.Second
)

// comparison is what is known of how a replica differs from its master.
type comparison struct {
	running bool
	at      time.Duration // when the next is due
	epoch   uint64        // of the master that it was compared with last
	runID   string        // its own then
	differs []string      // what was found; replaced, never changed in place
}

// compare has the replicas compared with the master: each when it became healthy, or another process, or got another master, and
// now and then.
func (t *turn) compare() {
	if t.cfg.Mode != Promote || t.state != StateServing || t.master == noNode {
		return
	}
	for i := range t.nodes {
		n := &t.nodes[i]
		c := &n.comparison
		due := c.epoch != t.epoch || c.runID != n.info.RunID || t.now >= c.at
		if i == t.master || c.running || n.verdict != VerdictHealthy || !due {
			continue
		}
		c.running = true
		t.emit(Effect{Kind: EffectCompare, Node: i, To: t.master, Epoch: t.epoch})
	}
}

// onCompared reports what was not known before.
func (t *turn) onCompared(r Result) {
	n := &t.nodes[r.Node]
	c := &n.comparison
	c.running = false
	if r.Epoch != t.epoch {
		return // with a master that is none any more
	}
	if c.epoch != t.epoch {
		c.differs = nil
	}
	c.epoch, c.runID, c.at = t.epoch, n.info.RunID, t.now+compareEvery
	if r.Err != nil {
		c.at = t.now + compareAgain
		return
	}
	before := c.differs
	c.differs = nil
	for _, d := range r.Differences {
		if d.Setting == minReplicasToWrite && t.anyRelaxed() {
			continue // our own doing, which is going to be undone
		}
		c.differs = append(c.differs, d.Text)
		if !slices.Contains(before, d.Text) {
			t.say("warning", r.Node, t.name(r.Node)+" "+d.Text)
		}
	}
}

func (t *turn) anyRelaxed() bool {
	return slices.ContainsFunc(t.nodes, func(n node) bool { return n.relaxed > 0 })
}
