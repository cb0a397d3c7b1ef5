package failover

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"holdfast/health"
)

func TestFollowNeverPromotes(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, func(s *health.Settings) { s.Mode = health.Follow }, a, b)
	r.awaitServing(a)
	after(200 * time.Millisecond)
	a.Kill()
	r.awaitRoute(2*time.Second, "shut", func(route health.Route) bool { return route.Gate == health.GateShut })
	after(1500 * time.Millisecond)
	if info, err := b.info(); err != nil || !info.IsReplica() {
		t.Fatalf("replica: got %+v %v, want it untouched", info, err)
	}
	b.must("REPLICAOF", "NO", "ONE")
	r.awaitServing(b)
	a.Start()
	after(500 * time.Millisecond)
	r.awaitServing(b)
	if info, err := a.info(); err != nil || !info.IsMaster() {
		t.Errorf("reborn node: got %+v %v, want it untouched", info, err)
	}
	if _, err := r.Switchover(t.Context(), ""); !errors.Is(err, health.ErrMode) {
		t.Errorf("switchover: got %v, want %v", err, health.ErrMode)
	}
	checkRoutes(t, r)
}

func TestSomebodyElseFailsOver(t *testing.T) {
	for _, mode := range []health.Mode{health.Promote, health.Follow} {
		t.Run(mode.String(), func(t *testing.T) {
			a, b := pair(t)
			r := newRig(t, func(s *health.Settings) { s.Mode = mode }, a, b)
			r.awaitServing(a)
			r.awaitInSync(5*time.Second, b)
			a.must("FAILOVER", "TO", "127.0.0.1", fmt.Sprint(b.port), "TIMEOUT", "2000")
			r.Observe(health.Evidence{Backend: 0, Epoch: 1, Kind: health.EvReadonly})
			r.awaitServing(b)
			receipts := r.Receipts()
			if got := receipts[len(receipts)-1].Trigger; got != health.TriggerAdopted {
				t.Errorf("trigger: got %s, want %s", got, health.TriggerAdopted)
			}
			checkRoutes(t, r)
		})
	}
}

func TestOrderedTakesTheNextOnlyWhenTheCurrentFails(t *testing.T) {
	for _, probe := range []health.Probe{health.ProbeRedis, health.ProbeConnect} {
		t.Run(fmt.Sprint(probe), func(t *testing.T) {
			a, b := newServer(t, "redis1"), newServer(t, "redis2")
			a.Start()
			b.Start()
			r := newRig(t, func(s *health.Settings) { s.Mode, s.Probe = health.Ordered, probe }, a, b)
			if route := r.awaitServing(a); route.Lineage != "" {
				t.Errorf("lineage: got %q, want none", route.Lineage)
			}
			a.Kill()
			r.awaitServing(b)
			a.Start()
			after(300 * time.Millisecond)
			r.awaitServing(b) // no failing back
			checkRoutes(t, r)
		})
	}
}

func TestOffWaitsForItsOwnMaster(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, func(s *health.Settings) { s.Mode = health.Off }, a, b)
	r.awaitServing(a)
	a.Kill()
	r.awaitRoute(2*time.Second, "shut", func(route health.Route) bool { return route.Gate == health.GateShut })
	after(1200 * time.Millisecond)
	if info, err := b.info(); err != nil || !info.IsReplica() {
		t.Errorf("replica: got %+v %v, want it untouched", info, err)
	}
	a.Start()
	r.awaitServing(a)
}

// documentedUser is the command of the operations manual that makes the control user.
func documentedUser(t *testing.T, password string) (command []any) {
	t.Helper()
	manual, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(manual), "\n    ACL SETUSER holdfast ")
	block, _, ended := strings.Cut(rest, "\n\n")
	if !found || !ended {
		t.Fatal("the manual has no ACL SETUSER holdfast")
	}
	for _, word := range strings.Fields("ACL SETUSER holdfast " + strings.Replace(block, ">PASSWORD", ">"+password, 1)) {
		command = append(command, word)
	}
	return command
}

// The documented control user can do everything that is done here, and cannot read one key.
func TestTheControlUserIsEnough(t *testing.T) {
	a, b := pair(t)
	for _, s := range []*server{a, b} {
		s.must(documentedUser(t, "secret")...)
	}
	r := newRig(t, func(s *health.Settings) { s.Username, s.Password = "holdfast", "secret" }, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	eventually(t, 5*time.Second, "compared", func() bool {
		stats, err := b.do("INFO", "commandstats")
		return err == nil && strings.Contains(fmt.Sprint(stats), "cmdstat_acl|list")
	})
	if _, err := r.Switchover(t.Context(), "redis2"); err != nil {
		t.Fatalf("switchover: %v", err)
	}
	r.awaitInSync(5*time.Second, a)
	b.Kill()
	r.awaitServing(a)
	for _, e := range r.Events(0) {
		if e.Kind == "warning" {
			t.Errorf("warning: %s", e.Text)
		}
	}
}
