package chaos

import (
	"slices"
	"testing"
)

// TestFlushIsJudged: what was there before a flush must not come back, what came after must be there, what ran meanwhile may be.
func TestFlushIsJudged(t *testing.T) {
	history := []record{wrote("before", ok, 1, 2), wrote("meets", ok, 9, 12), wrote("within", ok, 11, 13), wrote("across", ok, 5, 30),
		wrote("unknown", unknown, 3, never), wrote("after", ok, 21, 22)}
	for name, c := range map[string]struct {
		have   []string
		lost   int
		broken []Invariant
	}{
		"all gone":      {[]string{"after"}, 0, nil},
		"some executed": {[]string{"meets", "within", "across", "unknown", "after"}, 0, nil},
		"came back":     {[]string{"before", "after"}, 0, []Invariant{I2}},
		"lost":          {nil, 1, nil},
		"twice":         {[]string{"meets", "meets", "after"}, 0, []Invariant{I3}},
	} {
		j := &judge{flushed: span{10, 20}}
		j.compare("key", j.standing(history), c.have)
		if got := brokenOf(&j.verdicts); !slices.Equal(got, c.broken) || len(j.losses) != c.lost {
			t.Errorf("%s: got %v broken and %d lost, want %v and %d", name, got, len(j.losses), c.broken, c.lost)
		}
	}
	if j := (&judge{}); len(j.standing(history)) != len(history) {
		t.Error("got a history cut without a flush")
	}
}
