package compare

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"holdfast/bench/chart"
	"holdfast/bench/load"
)

// TestTapesAreAligned draws two scenes whose faults came at different times.
func TestTapesAreAligned(t *testing.T) {
	early, late := outcome(Holdfast, 1, 0, 0, 0), outcome(Direct, 1, 0, 0, 0)
	early.Tape = Tape{From: -0.1, OK: []int{1, 2, 3}, Errors: []int{0, 0, 9}, Max: []float64{1, 1, 1}}
	late.Tape = Tape{From: -0.304, OK: []int{5, 6, 7, 8}, Errors: []int{0, 0, 0, 1}, Max: []float64{1, 1, 1, 1}}
	r := &Record{Outcomes: []Outcome{early, late}}
	charts := r.overTime(Kill)
	if len(charts) != 3 {
		t.Fatalf("got %d charts, want successes, errors and the slowest request", len(charts))
	}
	ok := charts[0]
	if got, want := len(ok.X), 5; got != want || ok.X[0] != -0.3 {
		t.Fatalf("got %d places from %v, want %d from -0.3", got, ok.X[0], want)
	}
	ours, theirs := ok.Lines[0].Values, ok.Lines[1].Values
	hole := func(v chart.Value) bool { return math.IsNaN(float64(v)) }
	if !hole(ours[1]) || ours[2] != 10 || ours[4] != 30 || theirs[0] != 50 || theirs[3] != 80 || !hole(theirs[4]) {
		t.Errorf("got %v and %v, want both faults at the same place and holes where a scene has nothing", ours, theirs)
	}
	if r.overTime("flood") != nil {
		t.Error("got charts of a fault that was not committed")
	}
}

// TestReportSaysWhatWasNotServed writes all forms of a report with a contender that never came back and a hung request.
func TestReportSaysWhatWasNotServed(t *testing.T) {
	gone := outcome(Direct, 6000, 100, 0, 0)
	gone.Served, gone.Verified, gone.Groups[0].Hung = false, false, 2
	gone.Groups[0].Checked, gone.Groups[1].Checked = 0, 0
	r := &Record{
		Versions: map[string]string{"redis": "x"}, Outcomes: []Outcome{gone, outcome(Holdfast, 10, 0, 0, 0)}, Notes: []string{"a note."},
		Steady: []Block{
			{Contender: Direct, Rate: 5000, Latency: load.Latency{P50: 0.1, P99: 1, P999: 2}, Closed: 70000},
			{Contender: Holdfast, Rate: 5000, Latency: load.Latency{P50: 0.2, P99: 1, P999: 1}, Closed: 40000},
		},
		Configs: map[string]string{"haproxy tuned: haproxy.cfg": "listen redis"},
	}
	var text, page, plain, data bytes.Buffer
	for name, err := range map[string]error{
		"markdown": r.WriteMarkdown(&text), "page": r.WritePage(&page), "text": r.WriteText(&plain), "json": r.writeJSON(&data),
	} {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for _, want := range []string{
		"not served again", "never in 1 of 1", "2 hung", "2 (kill, direct)", "a note.", "listen redis",
		"steady load: direct had the better p50 (0.10 ms against 0.20 ms).", "(70000/s against 40000/s)",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	if strings.Contains(text.String(), "kill: direct") || strings.Contains(text.String(), "better p99.9 (2") {
		t.Error("the report praises somebody for what was not better")
	}
	if !json.Valid(data.Bytes()) {
		t.Errorf("got JSON that is none: %s", data.String())
	}
	width := strings.Count(strings.Join(rowHead(), "|"), "|") + 2
	for line := range strings.Lines(text.String()) {
		if strings.HasPrefix(line, "| direct | 100") && strings.Count(line, "|") != width {
			t.Errorf("got a row of another width than its head: %s", line)
		}
	}
}

func TestEmptyRecordIsValid(t *testing.T) {
	var data bytes.Buffer
	if err := (&Record{}).writeJSON(&data); err != nil || !json.Valid(data.Bytes()) {
		t.Errorf("got %v and %s", err, data.String())
	}
}
