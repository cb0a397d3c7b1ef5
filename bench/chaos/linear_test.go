package chaos

import (
	"testing"

	"github.com/anishathalye/porcupine"
)

func write(v string, acked bool, call, ret int64) porcupine.Operation {
	return porcupine.Operation{ClientId: 1, Input: touch{kind: 'w', value: v, acked: acked}, Output: "", Call: call, Return: ret}
}

func read(v string, call, ret int64) porcupine.Operation {
	return porcupine.Operation{ClientId: 2, Input: touch{kind: 'r'}, Output: v, Call: call, Return: ret}
}

// TestRegisterFindsWhatNoOrderExplains: histories with one promotion between 100 and 200, and what the receipt declares at risk.
func TestRegisterFindsWhatNoOrderExplains(t *testing.T) {
	for name, c := range map[string]struct {
		ops    []porcupine.Operation
		atRisk int
		broken bool
		lost   int
		dirty  int
	}{
		"in order":                {[]porcupine.Operation{write("a", true, 1, 2), read("a", 3, 4)}, 0, false, 0, 0},
		"empty at first":          {[]porcupine.Operation{read("", 1, 2), write("a", true, 3, 4)}, 0, false, 0, 0},
		"overlapping":             {[]porcupine.Operation{write("a", true, 1, 9), read("", 2, 3), read("a", 4, 5)}, 0, false, 0, 0},
		"stale read":              {[]porcupine.Operation{write("a", true, 1, 2), write("b", true, 3, 4), read("a", 5, 6)}, 3, true, 0, 0},
		"read that goes back":     {[]porcupine.Operation{write("a", true, 1, 9), read("a", 2, 3), read("", 4, 5)}, 3, true, 0, 0},
		"unknown never happened":  {[]porcupine.Operation{write("a", false, 90, never), read("", 300, 301)}, 0, false, 0, 0},
		"unknown happened":        {[]porcupine.Operation{write("a", false, 90, never), read("a", 300, 301)}, 0, false, 0, 0},
		"lost within the receipt": {[]porcupine.Operation{write("a", true, 90, 91), read("", 300, 301)}, 1, false, 1, 0},
		"lost beyond it":          {[]porcupine.Operation{write("a", true, 90, 91), write("b", true, 92, 93), read("", 300, 301)}, 1, true, 0, 0},
		"lost without a receipt":  {[]porcupine.Operation{write("a", true, 90, 91), read("", 300, 301)}, 0, true, 0, 0},
		"read, unknown, not kept": {[]porcupine.Operation{write("a", false, 90, never), read("a", 91, 92), read("", 300, 301),
			read("", 302, 303)}, 0, false, 0, 1},
		"lost long after": {[]porcupine.Operation{write("a", true, 300, 301), read("", 302, 303)}, 5, true, 0, 0},
		"another's value": {[]porcupine.Operation{read("zombie-7", 1, 2)}, 0, true, 0, 0},
	} {
		b, j := &registerBook{}, &judge{allowance: c.atRisk, rollback: c.atRisk, promotions: 1, window: [2]int64{100, 200}}
		b.judge("key", c.ops, j)
		if got := j.verdicts[I5].Broken > 0; got != c.broken || len(j.losses) != c.lost || j.dirty != c.dirty {
			t.Errorf("%s: got broken %v, %d lost, %d dirty; want %v, %d, %d", name, got, len(j.losses), j.dirty, c.broken, c.lost, c.dirty)
		}
	}
}

func TestRegisterWithoutPromotionIsStrict(t *testing.T) {
	b, j := &registerBook{}, &judge{allowance: 5, rollback: 5}
	b.judge("key", []porcupine.Operation{write("a", true, 90, 91), read("", 300, 301)}, j)
	if j.verdicts[I5].Broken != 1 {
		t.Error("got a lost write excused although nobody was promoted")
	}
}
