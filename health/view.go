package health

import "time"

// Snapshot returns a copy of the state as it was after the last step. It never waits for the controller.
func (c *Controller) Snapshot() Snapshot {
	p := c.view.Load()
	now := c.clock()
	s := Snapshot{Pool: p.cfg.Name, Mode: p.cfg.Mode.String(), State: p.state.String(), Since: now - p.since, Why: p.why, Epoch: p.epoch,
		Gate: p.route.Gate.String(), Lineage: p.lineage(), Held: p.held, Failovers: p.failovers, Faults: p.faults, Journal: p.journal,
		Load: p.load}
	if p.master != noNode {
		s.Master, s.Address = p.cfg.Backends[p.master].Name, p.cfg.Backends[p.master].Address
	}
	if p.last != nil {
		last := *p.last
		s.Last = &last
	}
	for i := range p.nodes {
		s.Backends = append(s.Backends, p.viewNode(i, now))
	}
	return s
}

func (p *pool) viewNode(i int, now time.Duration) BackendSnapshot {
	n, b := &p.nodes[i], p.cfg.Backends[i]
	v := BackendSnapshot{Name: b.Name, Address: b.Address, Machine: b.Machine, Role: n.info.Role, Verdict: n.verdict.String(), Why: n.why,
		Offset: n.info.End(), LinkUp: n.info.LinkUp, RunID: n.info.RunID, ReplID: n.info.ReplID, Since: now - n.since}
	if v.Role == "slave" {
		v.Role = "replica"
	}
	if i == p.master {
		v.InSync = n.verdict.serves()
		return v
	}
	v.InSync = n.streaming && n.info.LinkUp
	if n.comparison.epoch == p.epoch {
		v.Differs = n.comparison.differs
	}
	if n.told && p.ours(n.info.ReplID) {
		v.LagBytes = max(0, p.offset-n.info.End())
	}
	return v
}
