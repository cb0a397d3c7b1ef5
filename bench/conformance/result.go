package conformance

import (
	"slices"
	"time"
)

// State is how one test ended.
type State string

const (
	// Passed is what the suite itself calls so.
	Passed State = "passed"
	// Failed includes tests that never ended.
	Failed State = "failed"
	// Skipped was not run; the reason is the first message.
	Skipped State = "skipped"
)

// Test is one test of a suite in one mode.
type Test struct {
	Name     string    `json:"name"`
	State    State     `json:"state"`
	Messages []string  `json:"messages,omitempty"`
	Began    time.Time `json:"began"`
	Ended    time.Time `json:"ended"`
	// Counts are what a program reports of itself: operations, errors by class and the like.
	Counts map[string]int `json:"counts,omitempty"`
}

// Result is one suite in one mode. A test that ran in several rounds is there several times.
type Result struct {
	Suite   string         `json:"suite"`
	Version string         `json:"version"`
	Mode    Mode           `json:"mode"`
	Command string         `json:"command"`
	Rounds  int            `json:"rounds"`
	Took    time.Duration  `json:"took_ns"`
	Tests   []Test         `json:"tests"`
	Faults  []Fault        `json:"faults,omitempty"`
	Closed  map[string]int `json:"closed,omitempty"`
	Notes   []string       `json:"notes,omitempty"`
}

// count is how many tests ended so, each run of each counted.
func (r Result) count(state State) (n int) {
	for _, t := range r.Tests {
		if t.State == state {
			n++
		}
	}
	return n
}

// everFailed reports whether the test failed in at least one round.
func (r Result) everFailed(name string) bool {
	return slices.ContainsFunc(r.Tests, func(t Test) bool { return t.Name == name && t.State == Failed })
}

// sum adds up one count over all tests.
func (r Result) sum(count string) (n int) {
	for _, t := range r.Tests {
		n += t.Counts[count]
	}
	return n
}

// cut sums the requests that the receipts call cut, by class.
func (r Result) cut() map[string]int {
	all := map[string]int{}
	for _, f := range r.Faults {
		for class, n := range f.Cut {
			all[class] += n
		}
	}
	return all
}

// atRisk is the most acknowledged writes that the faults may have cost, as the receipts declare it.
func (r Result) atRisk() (n int) {
	for _, f := range r.Faults {
		n += f.AtRisk
	}
	return n
}
