package chaos

import (
	"fmt"
	"slices"
	"testing"
)

func wrote(id string, o outcome, call, ret int64) record {
	return record{id: id, answer: answer{outcome: o, call: call, ret: ret}}
}

// TestCompareFindsEachKindOfFault plants one fault at a time in a collection.
func TestCompareFindsEachKindOfFault(t *testing.T) {
	history := []record{wrote("a", ok, 1, 2), wrote("b", fail, 3, 4), wrote("c", unknown, 5, never), wrote("d", ok, 6, 7)}
	for name, c := range map[string]struct {
		have    []string
		lost    int
		broken  []Invariant
		applied int
	}{
		"clean":            {[]string{"a", "d"}, 0, nil, 0},
		"unknown happened": {[]string{"a", "c", "d"}, 0, nil, 1},
		"lost":             {[]string{"a"}, 1, nil, 0},
		"duplicate":        {[]string{"a", "a", "d"}, 0, []Invariant{I3}, 0},
		"unknown twice":    {[]string{"a", "c", "c", "d"}, 0, []Invariant{I3}, 1},
		"phantom":          {[]string{"a", "b", "d"}, 0, []Invariant{I4}, 0},
		"foreign":          {[]string{"a", "d", "x"}, 0, []Invariant{I2}, 0},
		"zombie":           {[]string{"a", "d", zombieMark + "-1"}, 0, []Invariant{I7}, 0},
	} {
		j := &judge{}
		j.compare("key", history, c.have)
		if len(j.losses) != c.lost || j.applied != c.applied {
			t.Errorf("%s: got %d lost and %d applied, want %d and %d", name, len(j.losses), j.applied, c.lost, c.applied)
		}
		if got := brokenOf(&j.verdicts); !slices.Equal(got, c.broken) {
			t.Errorf("%s: got %v broken, want %v", name, got, c.broken)
		}
	}
}

func brokenOf(v *verdicts) (all []Invariant) {
	for i := I1; i < invariantEnd; i++ {
		if v[i].Broken > 0 {
			all = append(all, i)
		}
	}
	return all
}

func TestOrderFollowsTime(t *testing.T) {
	history := []record{wrote("a", ok, 1, 2), wrote("b", ok, 3, 4), wrote("c", unknown, 1, never), wrote("d", ok, 3, 5)}
	for _, c := range []struct {
		have []string
		want []Invariant
	}{
		{[]string{"a", "b", "d", "c"}, nil},
		{[]string{"c", "a", "d", "b"}, nil},
		{[]string{"b", "a"}, []Invariant{I5}},
	} {
		j := &judge{}
		j.ordered("key", history, j.compare("key", history, c.have))
		if got := brokenOf(&j.verdicts); !slices.Equal(got, c.want) {
			t.Errorf("%v: got %v broken, want %v", c.have, got, c.want)
		}
	}
}

func TestPipelineIsAPrefix(t *testing.T) {
	ids := []string{"a", "b", "c"}
	for _, c := range []struct {
		places map[string]int
		good   bool
	}{
		{map[string]int{}, true},
		{map[string]int{"a": 4, "b": 7}, true},
		{map[string]int{"a": 4, "c": 7}, false},
		{map[string]int{"b": 1}, false},
		{map[string]int{"a": 7, "b": 4}, false},
	} {
		if why := prefix(ids, c.places); (why == "") != c.good {
			t.Errorf("%v: got %q, want good: %v", c.places, why, c.good)
		}
	}
}

// TestLossIsJudgedByTheReceipt: what the receipt declares is reported, what exceeds it breaks I5.
func TestLossIsJudgedByTheReceipt(t *testing.T) {
	for _, c := range []struct {
		lost, allowance   int
		blind             bool
		unreported, blank int
	}{{0, 0, false, 0, 0}, {2, 3, false, 0, 0}, {3, 2, false, 1, 0}, {3, 2, true, 0, 1}} {
		j, res := &judge{allowance: c.allowance}, &Result{}
		for i := range c.lost {
			j.lose(int64(i), "lost")
		}
		cy := &cycle{fault: fault{blind: c.blind}}
		cy.judgeLoss(j, res)
		if res.LostUnreported != c.unreported || res.LostUncounted != c.blank || (j.verdicts[I5].Broken > 0) != (c.unreported > 0) {
			t.Errorf("%+v: got %d unreported, %d uncounted, broken %v", c, res.LostUnreported, res.LostUncounted, brokenOf(&j.verdicts))
		}
	}
}

func TestBigValuesAreCheckedByteByByte(t *testing.T) {
	for _, size := range bigSizes() {
		text := bigValue(7, size)
		if id, why := bigID(value{kind: '$', text: text}); id != 7 || why != "" {
			t.Errorf("size %d: got %d, %q, want 7", size, id, why)
		}
		spoilt := []byte(text)
		spoilt[len(spoilt)-1] ^= 1
		if _, why := bigID(value{kind: '$', text: string(spoilt)}); why == "" {
			t.Errorf("size %d: got a spoilt byte accepted", size)
		}
	}
	if _, why := bigID(value{kind: '$', text: bigValue(7, 100)[:80]}); why == "" {
		t.Error("got a shortened value accepted")
	}
}

func TestAccountsAreBalanced(t *testing.T) {
	items := func(a, b string, n int64) []value {
		return []value{{kind: '$', text: a}, {kind: '$', text: b}, {kind: ':', num: n}}
	}
	for _, c := range []struct {
		items []value
		want  bool
	}{
		{items("-3", "3", 3), true}, {items("-3", "2", 3), false}, {items("-3", "3", 2), false},
		{[]value{{null: true}, {null: true}, {}}, true},
	} {
		if got := balanced(c.items); got != c.want {
			t.Errorf("%v: got %v, want %v", c.items, got, c.want)
		}
	}
}

func TestVerdictsKeepTheFirstFindings(t *testing.T) {
	var a, b verdicts
	for i := range findingsMax + 3 {
		a.broken(I3, "finding %d", i)
	}
	b.add(&a)
	b.checked(I4, 2)
	list := b.list()
	if len(list) != 2 || list[0].Invariant != "I3" || list[0].Broken != findingsMax+3 || len(list[0].Findings) != findingsMax || b.held() {
		t.Errorf("got %+v", list)
	}
	var c verdicts
	c.addNamed(list[0])
	if c[I3].Broken != findingsMax+3 || fmt.Sprint(c[I3].Findings[0]) != "finding 0" {
		t.Errorf("got %+v, want what was named", c[I3])
	}
}
