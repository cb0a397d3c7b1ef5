package health

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// served is a pool of a master (0) and two replicas in sync, ten seconds after its start.
func served() pool {
	s := Settings{Name: "p", Backends: []Backend{{Name: "a", Address: "10.0.0.1:1"}, {Name: "b", Address: "10.0.0.2:1"},
		{Name: "c", Address: "10.0.0.3:1"}}}.normalized()
	p := newPool(&s, Record{})
	p.now, p.epoch, p.master, p.known, p.runID, p.offset = 10*time.Second, 3, 0, []string{"L3", "L2"}, "ra", 1000
	p.state = StateServing
	for i := range p.nodes {
		p.nodes[i] = node{told: true, heard: true, heardAt: p.now, toldAt: p.now, control: true, streaming: i > 0, syncedAt: p.now,
			verdict: VerdictHealthy, info: Info{RunID: "r" + s.Backends[i].Name, Role: "slave", ReplID: "L3", Offset: 1000, ReadOffset: 1000,
				AppliedOffset: 1000, LinkUp: true, Priority: 100}}
	}
	p.nodes[0].info.Role, p.nodes[0].info.LinkUp = "master", false
	return p
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name   string
		node   int
		change func(*pool, *node)
		want   Verdict
	}{
		{"master", 0, func(*pool, *node) {}, VerdictHealthy},
		{"replica", 1, func(*pool, *node) {}, VerdictHealthy},
		{"never heard", 1, func(p *pool, n *node) { p.now = time.Millisecond; *n = node{} }, VerdictUnknown},
		{"never heard for long", 1, func(_ *pool, n *node) { *n = node{} }, VerdictSilent},
		{"quiet for 240 ms", 0, func(p *pool, n *node) { n.heardAt -= 240 * time.Millisecond }, VerdictHealthy},
		{"quiet for 260 ms", 0, func(p *pool, n *node) { n.heardAt -= 260 * time.Millisecond }, VerdictSuspect},
		{"quiet for a second", 0, func(p *pool, n *node) { n.heardAt -= 1001 * time.Millisecond }, VerdictSilent},
		{"quiet with a slow command", 0, func(p *pool, n *node) { n.heardAt -= 3 * time.Second; p.load.Slow = 1 }, VerdictSuspect},
		{"a slow command has an end", 0, func(p *pool, n *node) { n.heardAt -= 10001 * time.Millisecond; p.load.Slow = 1 }, VerdictSilent},
		{"a slow command was just answered", 0, func(p *pool, n *node) {
			n.heardAt, p.slowAt = n.heardAt-3*time.Second, p.now-20*time.Millisecond
		}, VerdictSuspect},
		{"a slow command was answered a second ago", 0, func(p *pool, n *node) {
			n.heardAt, p.slowAt = n.heardAt-3*time.Second, p.now-1001*time.Millisecond
		}, VerdictSilent},
		{"a slow command before the silence", 0, func(p *pool, n *node) {
			n.heardAt, p.slowAt = n.heardAt-1001*time.Millisecond, n.heardAt-2*time.Second
		}, VerdictSilent},
		{"patience is the master's", 1, func(p *pool, n *node) { n.heardAt -= 3 * time.Second; p.load.Slow = 1 }, VerdictSilent},
		{"refused and the control connection gone", 0, func(_ *pool, n *node) { n.refused, n.control = true, false }, VerdictRefused},
		{"refused while the control connection answers", 0, func(_ *pool, n *node) { n.refused = true }, VerdictHealthy},
		{"control connection lost", 0, func(p *pool, n *node) { n.lostAt, n.control = p.now, false }, VerdictSuspect},
		{"busy", 0, func(_ *pool, n *node) { n.reply = ReplyBusy }, VerdictBusy},
		{"disk full", 0, func(_ *pool, n *node) { n.reply = ReplyDegraded }, VerdictDegraded},
		{"wrong password", 0, func(_ *pool, n *node) { n.reply = ReplyDenied }, VerdictDenied},
		{"no connection left", 0, func(_ *pool, n *node) { n.reply = ReplyFull }, VerdictDegraded},
		{"run id changed", 0, func(_ *pool, n *node) { n.info.RunID = "other" }, VerdictReborn},
		{"offset went back", 0, func(_ *pool, n *node) { n.info.Offset = 999 }, VerdictReborn},
		{"foreign lineage", 0, func(_ *pool, n *node) { n.info.ReplID, n.info.ReplID2 = "X", "Y" }, VerdictReborn},
		{"lineage renamed by the same process", 0, func(_ *pool, n *node) { n.info.ReplID = "X" }, VerdictHealthy},
		{"became a replica", 0, func(_ *pool, n *node) { n.info.Role = "slave" }, VerdictDemoted},
		{"restarted and loading", 0, func(_ *pool, n *node) { n.info.RunID, n.info.Loading = "other", true }, VerdictReborn},
		{"another master of our past", 1, func(_ *pool, n *node) { n.info.Role, n.info.ReplID = "master", "L2" }, VerdictStale},
		{"another master of nothing", 1, func(_ *pool, n *node) { n.info.Role, n.info.ReplID = "master", "X" }, VerdictStale},
		{"another master of something", 1, func(_ *pool, n *node) {
			n.info.Role, n.info.ReplID, n.info.Keys = "master", "X", true
		}, VerdictQuarantined},
		{"replica loading", 1, func(_ *pool, n *node) { n.info.Loading = true }, VerdictSyncing},
		{"replica copying", 1, func(_ *pool, n *node) { n.info.Syncing = true }, VerdictSyncing},
		{"replica linked only", 1, func(_ *pool, n *node) { n.streaming = false }, VerdictSyncing},
		{"replica cut off", 1, func(_ *pool, n *node) { n.info.LinkUp = false }, VerdictSyncing},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := served()
			c.change(&p, &p.nodes[c.node])
			if got, why := p.judge(c.node); got != c.want {
				t.Errorf("got %s (%s), want %s", got, why, c.want)
			}
		})
	}
}

// TestASuccessorInTheMakingIsLeftAlone: in a FAILOVER by somebody else both are masters for a moment, and the new one must stay it. One
// that stays beside a master which goes on is made a replica, and so is at once who continues something older.
func TestASuccessorInTheMakingIsLeftAlone(t *testing.T) {
	demoted := func(p pool, at time.Duration, second Info) (pool, bool) {
		p, first := step(p, Observation{At: at, Answer: &Answer{Node: 0, Sent: at, Info: p.nodes[0].info}})
		p, then := step(p, Observation{At: at, Answer: &Answer{Node: 1, Sent: at, Info: second}})
		return p, slices.ContainsFunc(append(first, then...), func(e Effect) bool { return e.Kind == EffectDemote && e.Node == 1 })
	}
	p := served()
	upstart := p.nodes[1].info
	upstart.Role, upstart.ReplID, upstart.ReplID2 = "master", "NEW", p.lineage()
	at, early := p.now, false
	for range 10 {
		at += 90 * time.Millisecond
		if p, early = demoted(p, at, upstart); early {
			t.Fatalf("got a demotion after %s, want none before %s", at-10*time.Second, p.cfg.Silence)
		}
	}
	late := false
	for range 4 {
		at += 90 * time.Millisecond
		p, early = demoted(p, at, upstart)
		late = late || early
	}
	if !late {
		t.Error("got no demotion of a second master beside one that goes on")
	}
	old := upstart
	old.ReplID, old.ReplID2 = "L2", ""
	if _, now := demoted(served(), 10*time.Second+90*time.Millisecond, old); !now {
		t.Error("got no demotion of a master of an older lineage")
	}
}

func TestEligible(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*pool, *node)
		plan   plan
		want   string // part of the reason; empty: eligible
	}{
		{"in sync", func(*pool, *node) {}, plan{}, ""},
		{"silent", func(p *pool, n *node) { n.toldAt -= 2 * time.Second }, plan{}, "answer"},
		{"refused", func(_ *pool, n *node) { n.verdict = VerdictRefused }, plan{}, "answer"},
		{"loading", func(_ *pool, n *node) { n.info.Loading = true }, plan{}, "loading"},
		{"other lineage", func(_ *pool, n *node) { n.info.ReplID = "L2" }, plan{}, "lineage"},
		{"priority 0", func(_ *pool, n *node) { n.info.Priority = 0 }, plan{}, "priority"},
		{"never streamed", func(_ *pool, n *node) { n.streaming = false }, plan{}, "streaming"},
		{"never streamed, offsets will be compared", func(_ *pool, n *node) { n.streaming, n.online = false, true },
			plan{kind: planSwitchover}, ""},
		{"came up alone", func(_ *pool, n *node) { n.streaming, n.cold = false, true }, plan{}, ""},
		{"came up alone after half a copy", func(_ *pool, n *node) { n.streaming, n.cold, n.dirty = false, true, true }, plan{}, "copying"},
		{"copies since the master is reborn", func(_ *pool, n *node) { n.info.Syncing = true }, plan{}, ""},
		{"empty", func(p *pool, n *node) {
			n.streaming, n.cold, n.info = false, true, Info{ReplID: "L3", Role: "slave", Priority: 1}
		},
			plan{}, "no data"},
		{"lags within max_loss", func(p *pool, n *node) { p.offset = 1000 + p.cfg.MaxLoss }, plan{}, ""},
		{"lags beyond max_loss", func(p *pool, n *node) { p.offset = 1001 + p.cfg.MaxLoss }, plan{}, "max_loss"},
		{"handed over and never met its successor", handOver, plan{hard: true}, ""},
		{"handed over to one that only hangs", handOver, plan{}, "lineage"},
		{"handed over and went on", func(p *pool, n *node) { handOver(p, n); n.info.Offset++ }, plan{hard: true}, "lineage"},
		{"handed over and is master still", func(p *pool, n *node) { handOver(p, n); n.info.Role = "master" }, plan{hard: true},
			"master by itself"},
		{"handed over long ago", func(p *pool, n *node) { handOver(p, n); n.endJoin() }, plan{hard: true}, "lineage"},
		{"handed over and lacks too much", func(p *pool, n *node) { handOver(p, n); p.offset = 1001 + p.cfg.MaxLoss }, plan{hard: true},
			"max_loss"},
		{"master by itself", func(_ *pool, n *node) { n.info.Role = "master" }, plan{}, "master by itself"},
		{"anything, by order", func(_ *pool, n *node) { n.info.ReplID, n.streaming = "X", false }, plan{acceptLoss: true}, ""},
		{"silent, by order", func(_ *pool, n *node) { n.verdict = VerdictSilent }, plan{acceptLoss: true}, "answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := served()
			c.change(&p, &p.nodes[1])
			ok, why := p.eligible(1, &c.plan)
			if ok != (c.want == "") || !strings.Contains(why, c.want) {
				t.Errorf("got %v %q, want %q", ok, why, c.want)
			}
		})
	}
}

// handOver makes n the master until a switchover, which has not met its successor.
func handOver(p *pool, n *node) {
	n.streaming, n.info.ReplID, n.info.LinkUp = false, "L2", false
	n.joinBy, n.handed = p.now+joinMax, 1000
}

func TestBetter(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b Info
	}{
		{"offset first", Info{Offset: 2, Priority: 100}, Info{Offset: 1, Priority: 1}},
		{"what was only read is dropped", Info{Offset: 2, ReadOffset: 2, Priority: 100}, Info{Offset: 1, ReadOffset: 9, Priority: 1}},
		{"priority among equals", Info{Offset: 1, Priority: 1, RunID: "z"}, Info{Offset: 1, Priority: 100, RunID: "a"}},
		{"run id at last", Info{Offset: 1, Priority: 1, RunID: "a"}, Info{Offset: 1, Priority: 1, RunID: "b"}},
	} {
		if !better(c.a, c.b) || better(c.b, c.a) {
			t.Errorf("%s: not so", c.name)
		}
	}
}

// Being listed as online proves nothing: after a full copy the master holds the stream back until the next acknowledgement.
func TestOnlineIsNoProofOfStreaming(t *testing.T) {
	p := served()
	p.nodes[1].streaming, p.nodes[1].info.AppliedOffset = false, 1000
	turn := &turn{pool: p}
	online := Info{Followers: []Follower{{Host: "10.0.0.2", Port: 1, Online: true, Offset: 900}}}
	if turn.streams(1, online) {
		t.Fatalf("online at first sight: got streaming")
	}
	turn.now += time.Second
	if turn.streams(1, online) {
		t.Errorf("no acknowledgement: got streaming")
	}
	online.Followers[0].Offset = 1000
	if !turn.streams(1, online) {
		t.Errorf("acknowledged while online: got no stream")
	}
	turn.nodes[1].streaming = true
	online.Followers[0].Online = false
	if turn.streams(1, online) {
		t.Errorf("not online any more: got streaming")
	}
}

func TestWitness(t *testing.T) {
	p := served()
	p.nodes[0].heardAt = p.now - 1100*time.Millisecond
	if _, alive := p.witness(); alive {
		t.Errorf("offsets that stand still: got a witness")
	}
	p.nodes[1].movedAt = p.now - 900*time.Millisecond // what the frozen master had sent before
	if _, alive := p.witness(); alive {
		t.Errorf("movement before the suspicion: got a witness")
	}
	p.nodes[1].movedAt = p.now - 100*time.Millisecond
	if i, alive := p.witness(); !alive || i != 1 {
		t.Errorf("movement since: got %d %v, want 1", i, alive)
	}
}

// However short the silence is, a replica that lives was asked for a whole interval after the suspicion before the master is given up.
func TestAShortSilenceLeavesTimeToTestify(t *testing.T) {
	for _, c := range []struct {
		silence, heard time.Duration // heard: when the replicas were asked last, since the master was heard
		ask            bool
	}{
		{time.Second, 549 * time.Millisecond, true}, {time.Second, 550 * time.Millisecond, false},
		{300 * time.Millisecond, 409 * time.Millisecond, true}, {300 * time.Millisecond, 410 * time.Millisecond, false},
	} {
		p := served()
		p.cfg.Silence = c.silence
		p.nodes[0].heardAt = p.now - max(c.silence, c.heard) - time.Millisecond
		for i := range p.nodes[1:] {
			p.nodes[i+1].toldAt = p.nodes[0].heardAt + c.heard
		}
		at := &turn{pool: p}
		at.rejudge()
		at.decide()
		asked := slices.ContainsFunc(at.effects, func(e Effect) bool { return e.Kind == EffectProbe && e.Node == 1 })
		if given := at.plan.id != 0; asked != c.ask || given == c.ask {
			t.Errorf("silence %s, asked after %s: asked again %v, given up %v", c.silence, c.heard, asked, given)
		}
	}
}

func TestSettings(t *testing.T) {
	s := Settings{}.normalized()
	if s.Interval != defaultInterval || s.suspectAfter() != 250*time.Millisecond || s.Logger == nil {
		t.Errorf("defaults: got %+v", s)
	}
	bad := Settings{Mode: Promote, Probe: ProbeConnect, Backends: []Backend{{Name: "a", Address: "x"}, {Name: "a", Address: "y"}}}
	err := bad.validate()
	for _, want := range []string{"no name", "redis probes", "unique"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("faults: got %v, want %q among them", err, want)
		}
	}
	if _, err := New(Settings{Name: "p"}, nil, Record{}); err == nil || !strings.Contains(err.Error(), "no backends") {
		t.Errorf("New without backends: got %v", err)
	}
}

// Every state can be left, and none leads to itself.
func TestLegalTransitions(t *testing.T) {
	for s := range states {
		out := 0
		for next := range states {
			if s.mayBecome(next) {
				out++
			}
			if next == StateReleasing && s.mayBecome(next) && s != StateHolding && s != StatePromoting {
				t.Errorf("%s becomes %s without a promotion or an adoption", s, next)
			}
		}
		if out == 0 || s.String() == "unknown" {
			t.Errorf("%s: got %d ways out", s, out)
		}
	}
	for k := range effectKinds {
		if k.String() == "" {
			t.Errorf("effect %d has no name", k)
		}
	}
}

func TestRepliesAreGraded(t *testing.T) {
	for text, want := range map[string]Reply{
		"LOADING Redis is loading the dataset in memory": ReplyLoading, "BUSY Redis is busy running a script.": ReplyBusy,
		"MISCONF Redis is configured to save RDB snapshots": ReplyDegraded, "NOAUTH Authentication required.": ReplyDenied,
		"WRONGPASS invalid username-password pair": ReplyDenied, "NOPERM this user has no permissions": ReplyDenied,
		"MASTERDOWN Link with MASTER is down": ReplyStale, "ERR max number of clients reached": ReplyFull,
		"DENIED Redis is running in protected mode": ReplyFull, "ERR something new": ReplyOther,
	} {
		if got, isReply := replyOf(sentError(text)); got != want || !isReply {
			t.Errorf("%s: got %s %v, want %s", text, got, isReply, want)
		}
	}
	if _, isReply := replyOf(errors.New("EOF")); isReply {
		t.Errorf("a broken connection was taken for a reply")
	}
}

// sentError is an error as a server sends it.
type sentError string

func (e sentError) Error() string { return string(e) }
func (e sentError) RedisError()   {}

// The two questions that are out after a loss are answered in any order. Only an answer to a question that was asked after an offset
// was known can show that it went back.
func TestAnswersOvertakeEachOther(t *testing.T) {
	for _, c := range []struct {
		name string
		sent time.Duration // before now, at which the higher offset becomes known
		want Verdict
	}{
		{"asked before the higher offset was known", -time.Microsecond, VerdictHealthy},
		{"asked after it was known", 0, VerdictReborn},
	} {
		s := &plot{pool: served()}
		high, low := s.pool.nodes[0].info, s.pool.nodes[0].info
		high.Offset, low.Offset = 1014, 1012
		asked := s.pool.now
		s.observe(Observation{Answer: &Answer{Node: 0, Sent: asked, Info: high}})
		s.observe(Observation{Answer: &Answer{Node: 0, Fresh: true, Sent: s.pool.now + c.sent, Info: low}})
		if got := s.pool.nodes[0].verdict; got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// The process at the master's place is another one: that its answer was asked for before the loss was noticed changes nothing.
func TestAnotherProcessExplainsTheLoss(t *testing.T) {
	s := &plot{pool: served()}
	asked := s.pool.now
	s.observe(Observation{Evidence: &Evidence{Backend: 0, Epoch: s.pool.epoch, Kind: EvEOF}})
	s.observe(Observation{Failure: &Failure{Node: 0, Kind: FailLost}})
	same := s.pool.nodes[0].info
	s.observe(Observation{Answer: &Answer{Node: 0, Fresh: true, Sent: asked, Info: same}})
	if got := s.pool.nodes[0].verdict; got != VerdictSuspect {
		t.Errorf("the same process, asked before the loss: got %s, want %s", got, VerdictSuspect)
	}
	same.RunID = "other"
	s.observe(Observation{Answer: &Answer{Node: 0, Fresh: true, Sent: asked, Info: same}})
	if got := s.pool.nodes[0].verdict; got != VerdictReborn {
		t.Errorf("another process: got %s, want %s", got, VerdictReborn)
	}
}

// A probe that is wanted right after another one is put off until the next tick, and not forgotten.
func TestAProbeWantedTooSoonIsPutOff(t *testing.T) {
	s := &plot{pool: served()}
	now := s.pool.now
	observe := func(after time.Duration, o Observation) []int {
		o.At = now + after
		s.pool, s.effects = step(s.pool, o)
		return s.wanted(EffectProbe)
	}
	first := observe(0, Observation{Evidence: &Evidence{Backend: 0, Epoch: s.pool.epoch, Kind: EvEOF}})
	soon := observe(100*time.Microsecond, Observation{Failure: &Failure{Node: 0, Kind: FailLost}})
	late := observe(20*time.Millisecond, Observation{Tick: &Tick{}})
	never := observe(40*time.Millisecond, Observation{Tick: &Tick{}})
	if len(first) != 1 || len(soon) != 0 || len(late) != 1 || len(never) != 0 {
		t.Errorf("got probes %v, %v, %v and %v, want one at first and one with the tick", first, soon, late, never)
	}
}
