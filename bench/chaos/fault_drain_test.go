package chaos

import (
	"slices"
	"testing"
	"time"
)

// TestUnreadWritesMustSurvive: whatever the receipts declare, a drain that ended by itself has everything. One that its limit ended
// proves nothing, and still counts what is lost.
func TestUnreadWritesMustSurvive(t *testing.T) {
	there, gone := value{kind: '$', text: "u"}, value{kind: '$', null: true}
	for name, c := range map[string]struct {
		values []value
		drain  time.Duration
		lost   int
		broken []Invariant
	}{
		"all there":       {[]value{there, there}, time.Millisecond, 0, nil},
		"one gone":        {[]value{there, gone}, time.Millisecond, 1, []Invariant{I5}},
		"limit of drain":  {[]value{gone, gone}, drainLimit, 2, nil},
		"no drain at all": {[]value{gone, gone}, 0, 2, []Invariant{I5}},
	} {
		u, j := unread{keys: []string{"a", "b"}, acked: 1, drain: c.drain}, &judge{allowance: 1000}
		u.judge(c.values, &cycle{rig: &rig{crew: &crew{tally: newTally()}}}, j)
		if got := brokenOf(&j.verdicts); len(j.losses) != c.lost || !slices.Equal(got, c.broken) {
			t.Errorf("%s: got %d lost and %v broken, want %d and %v", name, len(j.losses), got, c.lost, c.broken)
		}
	}
}
