package health

// beginAdopt ends the present mastership and waits, in Holding, for the node that is master by now.
func (t *turn) beginAdopt(cause string) {
	t.beginAdoptOf(plan{trigger: TriggerAdopted, cause: cause, to: noNode}, noNode)
}

func (t *turn) beginAdoptOf(p plan, i int) {
	p.kind = planAdopt
	t.beginPlan(p)
	t.plan.candidate = i
	t.startCut()
	for j := range t.nodes {
		if i == noNode && j != t.master && !t.nodes[j].refused {
			t.probe(j) // whoever takes over shall say so now, not with the next interval
		}
	}
	t.advanceAdopt()
}

// advanceAdopt waits for the cut and for a successor, writes the intent, verifies, and routes. Nothing on a server is changed.
func (t *turn) advanceAdopt() {
	p := &t.plan
	if t.state != StateHolding || t.now < t.retryAt {
		return
	}
	if p.candidate == noNode {
		if t.unharmed() {
			return
		}
		i, found := t.successor()
		if !found {
			t.giveUpAdopt()
			return
		}
		p.candidate = i
	}
	if !p.cutDone || t.intending {
		return
	}
	if p.intended != p.candidate {
		t.intend(p.candidate)
		return
	}
	if !p.verifying {
		p.verifying = true
		t.verify()
	}
}

// unharmed goes back to the old master if it is the same after all.
func (t *turn) unharmed() bool {
	if t.master == noNode || !t.plan.cutDone || t.cfg.Mode == Off || !t.nodes[t.master].verdict.serves() {
		return false
	}
	t.plan, t.loss = plan{}, loss{}
	t.confirmed()
	t.transition(StateServing, "the same master answers again")
	return true
}

// giveUpAdopt turns a plan that waits in vain into a failover, where the pool may promote.
func (t *turn) giveUpAdopt() {
	if t.cfg.Mode != Promote || !t.plan.cutDone || t.now-t.plan.began <= t.cfg.Silence {
		return
	}
	again := t.plan
	again.trigger, again.to = TriggerAutomatic, noNode
	t.stuck("no successor shows")
	t.plan = again
}

// verify asks the candidate once more, unless there is nothing about it that could be verified.
func (t *turn) verify() {
	p := &t.plan
	if t.cfg.verifies() {
		lineage := t.nodes[p.candidate].info.ReplID
		t.want(Effect{Kind: EffectVerify, Node: p.candidate, Lineage: lineage})
		return
	}
	t.finish(p.candidate, Info{})
}
