package chaos

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestMastershipIsToldByThree: each account that does not fit the others breaks the invariant it belongs to.
func TestMastershipIsToldByThree(t *testing.T) {
	failover, restarted := fault{promotions: once()}, fault{promotions: once(), adoptions: perhaps()}
	for name, c := range map[string]struct {
		m       mastership
		f       fault
		reset   bool
		want    []Invariant
		changes int
	}{
		"failover":               {mastership{epochs: 1, receipts: 1, promoted: 1}, failover, false, nil, 1},
		"by somebody else":       {mastership{epochs: 1, receipts: 1, adopted: 1, foreign: 1}, fault{adoptions: once()}, false, nil, 1},
		"found after a restart":  {mastership{epochs: 2, receipts: 2, adopted: 1, promoted: 1}, restarted, true, nil, 1},
		"its receipt died":       {mastership{epochs: 2, receipts: 1, adopted: 1, promoted: 1}, restarted, true, nil, 1},
		"promoted twice":         {mastership{epochs: 2, receipts: 2, promoted: 2}, failover, false, []Invariant{I10}, 2},
		"twice after a restart":  {mastership{epochs: 2, receipts: 2, promoted: 2}, restarted, true, []Invariant{I10}, 2},
		"twice in one epoch":     {mastership{epochs: 1, receipts: 1, promoted: 2}, failover, false, []Invariant{I6, I10, I22}, 1},
		"in silence":             {mastership{promoted: 1}, failover, false, []Invariant{I6, I22}, 0},
		"not at all":             {mastership{}, failover, false, []Invariant{I10}, 0},
		"claimed":                {mastership{epochs: 1, receipts: 1}, failover, false, []Invariant{I10, I22}, 1},
		"adopted without reason": {mastership{epochs: 2, receipts: 2, adopted: 1, promoted: 1}, failover, false, []Invariant{I10}, 1},
		"without a receipt":      {mastership{epochs: 1, promoted: 1}, failover, false, []Invariant{I22}, 1},
	} {
		j := &judge{}
		c.m.judge(j, c.f, c.reset)
		if got := brokenOf(&j.verdicts); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v broken, want %v", name, got, c.want)
		}
		if got := c.m.changes(); got != c.changes {
			t.Errorf("%s: got %d changes, want %d", name, got, c.changes)
		}
	}
}

func TestLogsAreReadFromTheMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.log")
	if err := os.WriteFile(path, []byte("before\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := readFrom(path, 7); err != nil || got != "after\n" {
		t.Errorf("got %q, %v, want what came after the mark", got, err)
	}
}

func TestDifferencesAreNamed(t *testing.T) {
	a, b := map[string]string{"1/same": "x", "1/other": "x", "2/gone": "x"}, map[string]string{"1/same": "x", "1/other": "y", "3/more": "x"}
	if got, want := differences(a, b), []string{"1/other", "2/gone", "3/more"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
