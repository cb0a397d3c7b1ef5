package health

import (
	"testing"
	"time"
)

// The tight bound needs every part of its proof.
func TestBoundOfAReceipt(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*turn)
		want   Bound
	}{
		{"a process died and the replica had read on", func(*turn) {}, BoundTurn},
		{"the master hangs, or its host is gone", func(t *turn) { t.plan.died = false }, BoundProbe},
		{"the end of the stream was not seen", func(t *turn) { t.plan.ended = 0 }, BoundProbe},
		{"the replica was not heard before", func(t *turn) { t.plan.read = []int64{0, 0} }, BoundProbe},
		{"it had so much to read that the master may have kept more", func(t *turn) { t.plan.read[1]-- }, BoundProbe},
		{"so it had, but was seen to read", func(t *turn) { t.plan.read[1]--; t.plan.kept, t.plan.awake[1] = bit(1), 5000 }, BoundTurn},
		{"it did not keep up", func(t *turn) { t.plan.read[1]--; t.plan.awake[1] = 5000 }, BoundProbe},
		{"it slept", func(t *turn) { t.plan.awake[1] = 0 }, BoundProbe},
		{"it slept and had much to read", func(t *turn) { t.plan.read[1]--; t.plan.kept, t.plan.awake[1] = bit(1), 0 }, BoundProbe},
		{"it had too much left", func(t *turn) { t.plan.read[1]--; t.plan.kept, t.plan.awake[1] = bit(1), 4999 }, BoundProbe},
		{"a switchover waits for everything", func(t *turn) { t.plan.kind, t.plan.died = planSwitchover, false }, BoundTurn},
		{"one that was forced does not", func(t *turn) { t.plan.kind, t.plan.died, t.plan.force = planSwitchover, false, true }, BoundProbe},
		{"nobody looks at offsets", func(t *turn) { t.cfg.Mode = Ordered }, ""},
	} {
		s := Settings{Name: "p", Backends: []Backend{{Name: "a", Address: "a:1"}, {Name: "b", Address: "b:1"}}}.normalized()
		at := &turn{pool: newPool(&s, Record{Epoch: 4})}
		at.plan = plan{id: 1, old: 0, died: true, ended: bit(1), read: []int64{0, 5000}, awake: []int64{0, 4000},
			cut: CutReport{AtRisk: 2, SinceAlive: 70}}
		c.change(at)
		r := at.receipt(1, Info{Offset: 5000 + kernelHolds})
		want := 2
		if c.want == BoundProbe {
			want = 70
		}
		if r.AtRiskBound != c.want || r.Cut.AtRisk != want || r.Cut.SinceAlive != 0 {
			t.Errorf("%s: got %d by %q, want %d by %q", c.name, r.Cut.AtRisk, r.AtRiskBound, want, c.want)
		}
	}
}

// What a replica reads after the first sign of trouble says nothing about what it had read before.
func TestReadingStandsStillInTrouble(t *testing.T) {
	w := newWorld(1, 2, nil)
	w.pass(3 * time.Second)
	before := w.pool.nodes[1]
	if before.readAt == 0 || before.readTo == 0 || before.readTo > w.nodes[0].offset() {
		t.Fatalf("got read to %d at %s, want a replica that reads", before.readTo, before.readAt)
	}
	answer := func(p pool, more int64) pool {
		info := w.info(1)
		info.Offset, info.ReadOffset, info.AppliedOffset = info.Offset+more, info.ReadOffset+more, info.AppliedOffset+more
		w.now += time.Millisecond
		p, _ = step(p, Observation{At: w.now, Answer: &Answer{Node: 1, Sent: w.now, Info: info}})
		return p
	}
	calm := answer(w.pool, 10)
	if got := calm.nodes[1]; got.readTo <= before.readTo {
		t.Errorf("got read to %d after an answer, want more than %d", got.readTo, before.readTo)
	}
	trouble, _ := step(calm, Observation{At: w.now, Evidence: &Evidence{Backend: 0, Epoch: calm.epoch, Kind: EvEOF}})
	if got := answer(trouble, 1000).nodes[1]; got.readTo != calm.nodes[1].readTo || got.readAt != calm.nodes[1].readAt {
		t.Errorf("got read to %d after a sign of trouble, want %d as before it", got.readTo, calm.nodes[1].readTo)
	}
}

// An offset that is not taken over, because an older answer overtook its question, moves no proof.
func TestOnlyTheOffsetTakenOverIsProven(t *testing.T) {
	w := newWorld(1, 2, nil)
	w.pass(3 * time.Second)
	p, now := w.pool, w.now+50*time.Millisecond
	proved := p.provedAt
	p.nodes[0].toldAt = now
	p, _ = step(p, Observation{At: now + time.Millisecond, Answer: &Answer{Node: 0, Sent: now - time.Millisecond, Info: w.info(0)}})
	if p.provedAt != proved {
		t.Errorf("got proof of %s by a question older than what is known, want %s", p.provedAt, proved)
	}
}
