package chaos

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestSeedDecidesTheOrder(t *testing.T) {
	counts := map[string]int{"sigkill": 30, "sigstop": 5, "reborn-rdb-0ms": 3}
	flat := func(seed uint64) (names []string) {
		for _, list := range schedule(seed, counts) {
			for _, task := range list {
				names = append(names, task.name)
				if task.fault.flavour != list[0].fault.flavour {
					t.Errorf("%s needs another rig than %s", task.name, list[0].name)
				}
			}
		}
		return names
	}
	one, again, other := strings.Join(flat(1), " "), strings.Join(flat(1), " "), strings.Join(flat(2), " ")
	if one != again || one == other || len(flat(1)) != 38 {
		t.Errorf("got %d cycles; the same for the same seed: %v; for another: %v", len(flat(1)), one == again, one == other)
	}
}

func TestCycleIsFoundByItsName(t *testing.T) {
	for _, list := range schedule(7, map[string]int{"sigkill": 3, "sigkill-behind": 3}) {
		for _, want := range list {
			got, found := find(7, want.name)
			if !found || got.seed != want.seed || got.fault.name != want.fault.name {
				t.Errorf("%s: got %s with seed %d, want seed %d", want.name, got.fault.name, got.seed, want.seed)
			}
		}
	}
	for _, name := range []string{"", "sigkill", "sigkill-", "sigkill-x", "nothing-1"} {
		if _, found := find(7, name); found {
			t.Errorf("%q: got a cycle, want none", name)
		}
	}
}

func TestJobsShareEverything(t *testing.T) {
	list := schedule(1, map[string]int{"sigkill": 7})[0]
	seen := make(map[string]bool)
	for i := range 3 {
		for _, task := range share(list, i, 3) {
			seen[task.name] = true
		}
	}
	if len(seen) != 7 {
		t.Errorf("got %d of 7", len(seen))
	}
}

func TestFaultsAreChosenByName(t *testing.T) {
	o := Options{Faults: []string{"loopback", "sigkill=7", "sigterm=0"}, Cycles: 2}
	counts, err := o.chooseFaults()
	if err != nil || counts["sigkill"] != 7 || counts["sigterm"] != 0 || counts["sigstop"] != 2 || counts["zombie"] != 0 {
		t.Errorf("got %v, %v", counts, err)
	}
	for _, name := range []string{"nothing", "sigkill=x", "sigkill=-1"} {
		o := Options{Faults: []string{name}}
		if _, err := o.chooseFaults(); !IsOption(err) {
			t.Errorf("%s: got %v, want it refused", name, err)
		}
	}
	if err := (&Options{Workloads: []string{"nothing"}}).chooseWorkloads(); !IsOption(err) {
		t.Errorf("got %v for an unknown workload", err)
	}
}

func TestFaultsAreWellFormed(t *testing.T) {
	seen := make(map[string]bool)
	for _, f := range faults() {
		bad := f.text == "" || f.commit == nil || f.flavour.nodes < 2 || f.promotions[0] > f.promotions[1]
		if seen[f.name] || bad || strings.ContainsAny(f.name, "=,*") {
			t.Errorf("fault %+v", f)
		}
		if f.gapMax == 0 && !f.denies {
			t.Errorf("%s: no bound for its pause", f.name)
		}
		seen[f.name] = true
	}
}

// TestSweepRemovesWhatTheDeadLeft and nothing of the living.
func TestSweepRemovesWhatTheDeadLeft(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	child := exec.Command("true")
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	own, err := makeDir()
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(filepath.Dir(own), dirPrefix+strconv.Itoa(child.Process.Pid)+"-x")
	if err := os.MkdirAll(filepath.Join(dead, "disk-redis1"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Errorf("got %v, want the leftover gone", err)
	}
	if _, err := os.Stat(own); err != nil {
		t.Errorf("got %v, want our own kept", err)
	}
}

func TestEventsAreShortened(t *testing.T) {
	since := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	log := `{"time":"2025-12-31T23:59:59Z","level":"INFO","msg":"before"}
{"time":"2026-01-01T00:00:01.5Z","level":"WARN","msg":"stuck","epoch":3,"backend":"redis1"}
panic: something
`
	want := "      1.500 WARN stuck (epoch 3, redis1)\n    panic: something\n"
	if got := events(log, since); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestProxyPorts(t *testing.T) {
	list := "id=1 addr=10.77.0.10:4000 name=a\nid=2 addr=10.77.0.12:4001\nid=3 addr=10.77.0.10:4002 flags=N\n"
	if got := proxyPorts(list, "10.77.0.10"); len(got) != 2 || got[0] != 4000 || got[1] != 4002 {
		t.Errorf("got %v, want the proxy's two", got)
	}
}
