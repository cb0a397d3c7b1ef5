package failover

import (
	"errors"
	"testing"
	"time"

	"holdfast/health"
)

// A master that is restarted with all its data gives its lineage a new name, and a replica that goes on with it has that name when it is
// promoted. One that copied from a master of other data has it, too, and holds nothing of ours.
func TestPromotionOfOneThatWentOnWithARestartedMaster(t *testing.T) {
	for _, c := range []struct {
		name string
		save bool
		want error
	}{{"went on", true, nil}, {"copied", false, ErrUnverified}} {
		t.Run(c.name, func(t *testing.T) {
			a, b := pair(t)
			a.must("SET", "key", "value")
			a.awaitStreaming(b)
			before, err := b.info()
			if err != nil {
				t.Fatal(err)
			}
			if c.save {
				a.do("SHUTDOWN", "SAVE") //nolint:errcheck // it answers by ending the connection
				<-a.exited
			} else {
				a.Kill()
			}
			a.Start()
			a.must("SET", "other", "value")
			eventually(t, 10*time.Second, "a replica behind the restarted master", func() bool {
				info, err := b.info()
				return err == nil && info.LinkUp && info.ReplID != before.ReplID
			})
			n := &node{settings: health.Settings{Silence: time.Second}, backend: b.backend}
			defer n.close()
			info, _, err := n.promote(t.Context(), before.ReplID, false)
			if !errors.Is(err, c.want) || !info.IsMaster() {
				t.Fatalf("got %v as a %s, want %v as a master", err, info.Role, c.want)
			}
			if got, want := b.keys(), map[bool]int64{true: 2, false: 1}[c.save]; got != want {
				t.Errorf("keys: got %d, want %d", got, want)
			}
		})
	}
}
