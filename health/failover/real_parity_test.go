package failover

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/health"
)

// differs is what the status says of a node.
func (r *rig) differs(s *server) []string {
	for _, b := range r.Snapshot().Backends {
		if b.Name == s.name {
			return b.Differs
		}
	}
	return nil
}

// warned counts the warnings about a node with that text.
func (r *rig) warned(s *server, text string) (n int) {
	for _, e := range r.Events(0) {
		if e.Kind == "warning" && e.Node == s.name && strings.Contains(e.Text, text) {
			n++
		}
	}
	return n
}

// What a client would miss after a promotion is said before it: once as an event, and in the status as long as it lasts.
func TestReplicaThatDiffersFromItsMaster(t *testing.T) {
	a, b := pair(t)
	a.must("CONFIG", "SET", "notify-keyspace-events", "KEA")
	a.must("ACL", "SETUSER", "app", "on", ">topsecret", "~*", "+@all")
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	says := func(s *server, text string) func() bool {
		return func() bool {
			return slices.ContainsFunc(r.differs(s), func(d string) bool { return strings.Contains(d, text) })
		}
	}
	const events, users = "differs from the master in notify-keyspace-events: 'AKE' there, '' here", "ACL users: 1 missing here"
	eventually(t, 5*time.Second, "the setting is reported", says(b, events))
	eventually(t, 5*time.Second, "the user is reported", says(b, users))
	b.must("CONFIG", "SET", "notify-keyspace-events", "AKE")
	b.must("ACL", "SETUSER", "app", "on", ">topsecret", "~*", "+@all")
	eventually(t, 15*time.Second, "alike", func() bool { return len(r.differs(b)) == 0 })
	if got, of := r.warned(b, events), r.warned(b, users); got != 1 || of != 1 {
		t.Errorf("got %d and %d warnings, want one each", got, of)
	}
	a.Kill()
	r.Observe(health.Evidence{Backend: 0, Epoch: 1, Kind: health.EvEOF, Busy: true})
	r.awaitRoute(5*time.Second, "epoch 2", openWith(2))
	if got := r.differs(b); got != nil {
		t.Errorf("the master differs from itself: %v", got)
	}
	// The old master has lost what was only set in its process, and is compared as soon as it is a healthy replica.
	a.Start("--replicaof", fmt.Sprintf("127.0.0.1 %d", b.port))
	eventually(t, 10*time.Second, "the restarted node is compared", says(a, "notify-keyspace-events: 'AKE' there, '' here"))
	for _, e := range r.Events(0) {
		if strings.Contains(e.Text, "topsecret") || strings.Contains(e.Text, "user app") {
			t.Errorf("an event tells a secret: %s", e.Text)
		}
	}
}

// A user who may not ask is told so once, and nothing else suffers.
func TestComparisonWithoutPermission(t *testing.T) {
	a, b := pair(t)
	for _, s := range []*server{a, b} {
		s.must("ACL", "SETUSER", "hf", "on", ">pw", "~*", "&*", "+@all", "-acl", "-config|get")
	}
	b.must("CONFIG", "SET", "notify-keyspace-events", "KEA")
	r := newRig(t, func(s *health.Settings) { s.Username, s.Password = "hf", "pw" }, a, b)
	r.awaitServing(a)
	eventually(t, 5*time.Second, "said", func() bool {
		return r.warned(b, "refuses: CONFIG GET: NOPERM") == 2 && r.warned(b, "refuses: ACL LIST: NOPERM") == 2
	})
	if got := r.warned(b, "differs"); got != 0 {
		t.Errorf("got %d differences that nobody could know", got)
	}
}
