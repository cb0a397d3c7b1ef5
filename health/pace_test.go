package health

import (
	"testing"
	"time"
)

// A pool is told the time often exactly while something is in question.
func TestPaceFollowsTheQuestion(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*pool)
		calm   bool
	}{
		{"everybody has answered", func(*pool) {}, true},
		{"a dead replica", func(p *pool) { p.nodes[1].heardAt, p.nodes[1].refused = 0, true }, true},
		{"a late replica", func(p *pool) { p.nodes[1].heardAt -= p.cfg.Interval * 3 / 2 }, false},
		{"a late master", func(p *pool) { p.nodes[0].heardAt -= p.cfg.Interval * 3 / 2 }, false},
		{"a lost connection", func(p *pool) { p.loss.pending = true }, false},
		{"a slow command", func(p *pool) { p.load.Slow = 1 }, false},
		{"a waiting order", func(p *pool) { p.order.ID = 1 }, false},
		{"a probe put off", func(p *pool) { p.nodes[2].askAgain = true }, false},
		{"held by an operator", func(p *pool) { p.held = true }, false},
		{"a failover", func(p *pool) { p.state = StateDraining }, false},
	} {
		p := served()
		c.change(&p)
		if got := p.pace() > tickEvery; got != c.calm {
			t.Errorf("%s: told again after %s, want calm %t", c.name, p.pace(), c.calm)
		}
	}
}

// However the phases of answers and ticks fall, a silent master is suspected as soon as with the shortest pace.
func TestPaceSeesSilenceInTime(t *testing.T) {
	for _, s := range []Settings{
		{}, {Interval: 50 * time.Millisecond, Silence: 200 * time.Millisecond}, {Interval: 40 * time.Millisecond, Silence: 60 * time.Millisecond},
		{Interval: time.Second, Silence: 10 * time.Second}, {Interval: 5 * time.Second, Silence: 20 * time.Second},
	} {
		limit := s.normalized().suspectAfter() + tickEvery
		for phase := range 50 {
			if got := suspectedAfter(t, s, time.Duration(phase)*2*time.Millisecond); got > limit {
				t.Errorf("interval %s, silence %s, phase %d: suspected after %s, want at most %s", s.Interval, s.Silence, phase, got, limit)
			}
		}
	}
}

// suspectedAfter lets time go by without any answer, and returns how long the master had been quiet when the pool noticed.
func suspectedAfter(t *testing.T, s Settings, phase time.Duration) time.Duration {
	t.Helper()
	p := served()
	settings := *p.cfg
	settings.Interval, settings.Silence = s.Interval, s.Silence
	settings = settings.normalized()
	p.cfg, p.ticked, p.notedAt = &settings, true, p.now
	for i := range p.nodes {
		p.nodes[i].refused = i != p.master // nobody else ends the calm
	}
	for due := p.now + phase%settings.Interval; p.state == StateServing; due = p.now + p.pace() {
		p, _ = step(p, Observation{At: due, Tick: &Tick{}})
	}
	if p.why == "this process did not run for a while" {
		t.Errorf("interval %s: the pace itself looks like a process that did not run", settings.Interval)
	}
	return p.quiet(p.master)
}
