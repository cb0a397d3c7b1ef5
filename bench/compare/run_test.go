package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/bench/testbed"
)

// TestSmoke commits one fault on two contenders and loads one path: a master that is restarted empty. Its numbers must tell the
// two apart, or they would tell nothing apart: whoever follows the role loses everything, and Holdfast loses nothing in silence
// and keeps every connection.
func TestSmoke(t *testing.T) {
	var progress bytes.Buffer
	record, err := Run(t.Context(), Options{
		Holdfast: testbed.Binary(t), Version: "test", Faults: []string{Restart}, Contenders: []string{SentinelClient, Holdfast}, Clients: 10,
		Quick: true, Steady: 200 * time.Millisecond, Rate: 1000, Seed: 1, Progress: &progress,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + progress.String())
	theirs, found := record.row(Restart, SentinelClient)
	ours, ok := record.row(Restart, Holdfast)
	if !found || !ok || theirs.served != 1 || ours.served != 1 {
		t.Fatalf("got %+v and %+v, want both contenders to be served again", theirs, ours)
	}
	if theirs.lost < 100 || theirs.reported != 0 {
		t.Errorf("sentinel client: got %d writes lost, %d reported, want most of %d lost and none reported", theirs.lost,
			theirs.reported, theirs.checked)
	}
	if theirs.cut < int64(theirs.clients) {
		t.Errorf("sentinel client: got %d disconnects of %d clients, want each", theirs.cut, theirs.clients)
	}
	if ours.lost > ours.reported || ours.cut != 0 || ours.duplicates != [2]int{} || ours.phantoms != 0 || ours.hung != 0 {
		t.Errorf("holdfast: got %+v, want no unreported loss, disconnect, duplicate, phantom or hung request", ours)
	}
	if got := ours.failed[0] + ours.failed[1] - ours.errors[0]["UNKNOWNRESULT"] - ours.errors[1]["UNKNOWNRESULT"]; got != 0 {
		t.Errorf("holdfast: got errors %v and %v, want only UNKNOWNRESULT", ours.errors[0], ours.errors[1])
	}
	if ours.checked < 100 || len(record.Steady) != 1 {
		t.Errorf("got %d writes checked and %d blocks of steady load, want hundreds and one", ours.checked, len(record.Steady))
	}
	checkFiles(t, record)
}

// checkFiles writes the report and reads it back.
func checkFiles(t *testing.T, record *Record) {
	t.Helper()
	dir := t.TempDir()
	if err := record.WriteFiles(dir); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "comparison.json"))
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Run      Record    `json:"run"`
		Outcomes []Outcome `json:"outcomes"`
		Steady   []Block   `json:"steady"`
	}
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Outcomes) != len(record.Outcomes) || len(back.Steady) != len(record.Steady) || back.Run.Versions["redis"] == "" {
		t.Errorf("got %d outcomes and %d blocks back, want %d and %d", len(back.Outcomes), len(back.Steady), len(record.Outcomes),
			len(record.Steady))
	}
	for name, wants := range map[string][]string{
		"comparison.md":   {"# Comparison", "| sentinel client |", "| holdfast |", "unreported", "Where somebody was better", "sentinel monitor"},
		"comparison.html": {"new uPlot(options", "restart: successes", "steady load"},
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
	}
}

// TestSceneThatCannotBeMadeIsNoted lets Holdfast be a program that there is not.
func TestSceneThatCannotBeMadeIsNoted(t *testing.T) {
	record, err := Run(t.Context(), Options{
		Holdfast: "/does/not/exist", Faults: []string{Kill}, Contenders: []string{Holdfast}, Quick: true, Steady: -1, Progress: &bytes.Buffer{},
	})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := record.WriteMarkdown(&text); err != nil {
		t.Fatal(err)
	}
	if want := "kill of holdfast could not be measured in round 1"; !strings.Contains(text.String(), want) || len(record.Outcomes) != 0 {
		t.Errorf("got %d outcomes and a report without %q", len(record.Outcomes), want)
	}
}

func TestUnknownNames(t *testing.T) {
	for _, o := range []Options{{Faults: []string{"flood"}}, {Contenders: []string{"envoy"}}} {
		if _, err := Run(t.Context(), o); !errors.Is(err, ErrUnknownName) {
			t.Errorf("%+v: got %v, want %v", o, err, ErrUnknownName)
		}
	}
}
