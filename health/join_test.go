package health

import (
	"testing"
	"time"
)

// A partial copy remembers the lineage before and has the stream go on at once. A full one forgets it.
func TestGoingOnWithoutACopyProvesTheStream(t *testing.T) {
	online := Info{RunID: "ra", Role: "master", ReplID: "L3", Offset: 1000, Followers: []Follower{{Host: "10.0.0.2", Port: 1, Online: true}}}
	for _, c := range []struct {
		name   string
		change func(*Info)
		want   bool
	}{
		{"went on", func(*Info) {}, true},
		{"copied everything", func(i *Info) { i.ReplID2 = "" }, false},
		{"came from elsewhere", func(i *Info) { i.ReplID2 = "X" }, false},
		{"link down", func(i *Info) { i.LinkUp = false }, false},
		{"copies", func(i *Info) { i.Syncing = true }, false},
	} {
		turn := &turn{pool: served()}
		n := &turn.nodes[1]
		n.streaming, n.info.ReplID2 = false, "L2"
		c.change(&n.info)
		if got := turn.streams(1, online); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// What the demoted node says first decides, unless its new master has an answer of its own.
func TestJoin(t *testing.T) {
	joined := Info{RunID: "rb", Role: "slave", ReplID: "L3", ReplID2: "L2", LinkUp: true, Offset: 1000, Priority: 100}
	apart := Info{RunID: "rb", Role: "slave", ReplID: "L2", Offset: 1000, Priority: 100}
	master := Info{RunID: "ra", Role: "master", ReplID: "L3", Offset: 1000}
	with := func(i Info, change func(*Info)) Info { change(&i); return i }
	for _, c := range []struct {
		name string
		says []Info // of the node, and of the master
		at   time.Duration
		want string // why it is no candidate when the master is dead
	}{
		{"went on", []Info{joined}, 0, ""},
		{"went on, seen when the link was down already", []Info{with(joined, func(i *Info) { i.LinkUp = false })}, 0, ""},
		{"went on and lost its link while the master lived", []Info{joined, master}, 0, "was not streaming"},
		{"did not come back after that", []Info{joined, master, joined}, 0, "was not streaming"},
		{"copied everything, unseen", []Info{with(joined, func(i *Info) { i.ReplID2 = "" })}, 0, "was not streaming"},
		{"never met", []Info{apart}, 0, ""},
		{"never met, and copies from who was reborn", []Info{with(apart, func(i *Info) { i.Syncing = true })}, 0, ""},
		{"copies from its living master", []Info{with(apart, func(i *Info) { i.Syncing = true }), master}, 0, "has another lineage"},
		{"does not reach its master", []Info{apart, master}, joinMax + time.Millisecond, "has another lineage"},
		{"loads", []Info{with(apart, func(i *Info) { i.Loading = true }), apart}, 0, "has another lineage"},
		{"restarted", []Info{with(apart, func(i *Info) { i.RunID = "new" })}, 0, "has another lineage"},
	} {
		turn := &turn{pool: served()}
		n := &turn.nodes[1]
		n.streaming, n.info = false, with(apart, func(i *Info) { i.Role = "master" })
		n.joinBy, n.handed = turn.now+joinMax, 1000
		turn.now += c.at
		for _, says := range c.says {
			if says.RunID == "ra" {
				turn.learn(0, says)
				continue
			}
			turn.learn(1, says)
			n.toldAt, n.verdict = turn.now, VerdictSyncing
		}
		if _, got := turn.eligible(1, &plan{hard: true}); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// A replica that was in sync before, and was then seen to have copied its new master, is no candidate by its past.
func TestTheTrustOfAnEarlierEpochEndsWithACopy(t *testing.T) {
	turn := &turn{pool: served()}
	n := &turn.nodes[1]
	n.streaming, n.cold, n.joinBy = false, true, turn.now+joinMax
	turn.learn(1, Info{RunID: "rb", Role: "slave", ReplID: "L3", LinkUp: true, Offset: 1000, Priority: 100})
	if _, got := turn.eligible(1, &plan{hard: true}); got != "was not streaming" {
		t.Errorf("got %q, want that it was not streaming", got)
	}
}
