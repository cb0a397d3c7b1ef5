package chaos

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"holdfast/bench/testbed"
)

// TestFaultsHold commits a few faults of each kind with all workloads. The whole matrix is the business of 'make chaos-short'.
func TestFaultsHold(t *testing.T) {
	names := []string{"sigkill=3", "sigkill-behind", "sigkill-drain", "sigkill-overflow", "switchover", "sigstop-300ms", "proxy-sigkill"}
	if os.Geteuid() == 0 {
		names = append(names, "executed-unacked", "rst-all")
	}
	report := runChaos(t, Options{Seed: 1, Faults: names, Cycles: 1, Jobs: 2})
	if report.Cycles != report.Planned || report.Failed > 0 {
		t.Errorf("got %d of %d cycles, %d failed", report.Cycles, report.Planned, report.Failed)
	}
	var table, data bytes.Buffer
	if err := report.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
	for _, want := range []string{"sigkill ", "3 of 3", "no duplicate execution", "WATCH safety", "pipeline prefix"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("got a table without %q", want)
		}
	}
	var again Report
	if err := report.WriteJSON(&data); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data.Bytes(), &again); err != nil || again.Checked != report.Checked || again.Seed != 1 {
		t.Errorf("got %d operations of seed %d from the JSON, %v; want %d of 1", again.Checked, again.Seed, err, report.Checked)
	}
}

func runChaos(t *testing.T, o Options) *Report {
	t.Helper()
	var progress bytes.Buffer
	o.Binary, o.Progress = testbed.Binary(t), &progress
	report, err := Run(t.Context(), o)
	t.Log(progress.String())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestOneCycleIsRunAgain(t *testing.T) {
	report := runChaos(t, Options{Seed: 9, Cycle: "replica-sigstop-7", Workloads: []string{"list", "register"}})
	if len(report.Rows) != 1 || report.Rows[0].Fault != "replica-sigstop" || report.Planned != 1 {
		t.Errorf("got %d rows of %d cycles, want the one that was named", len(report.Rows), report.Planned)
	}
}

func TestDurationEndsARun(t *testing.T) {
	report := runChaos(t, Options{Seed: 9, Faults: []string{"replica-sigstop=1000"}, Duration: time.Millisecond, Workloads: []string{"set"}})
	if report.Cycles > 1 || report.Planned != 1000 {
		t.Errorf("got %d of %d cycles, want the time to end them", report.Cycles, report.Planned)
	}
	var table bytes.Buffer
	if err := report.WriteTable(&table); err != nil || !strings.Contains(table.String(), "were not begun") {
		t.Errorf("got %v and a table that does not say what was left out:\n%s", err, &table)
	}
}
