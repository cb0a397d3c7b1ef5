package conformance

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// scenario is what one of our own programs prints at its end, a line for each thing that it did.
type scenario struct {
	Scenario string         `json:"scenario"`
	Ops      int            `json:"ops"`      // answered as they should be
	Errors   map[string]int `json:"errors"`   // error replies by their first word
	Wrong    []string       `json:"wrong"`    // a value, an order or a duplicate that no history explains
	Lost     int            `json:"lost"`     // acknowledged writes that are gone
	Missed   int            `json:"missed"`   // published messages that no subscriber got
	Moved    int            `json:"moved"`    // connections that the library made again
	Hung     int            `json:"hung"`     // requests that were not answered within the program's limit
	Nulls    int            `json:"nulls"`    // transactions that were told of a change
	Skipped  string         `json:"skipped"`  // why the library cannot do it
	Stall    int            `json:"stall_ms"` // the longest wait for one answer
}

// stallCount is the one count of which the largest is of interest, and not the sum.
const stallCount = "stall_ms"

// scenarioPrefix marks the lines of a program that are meant for us.
const scenarioPrefix = "SCENARIO "

// documentedErrors are the first words of the errors that a failover may show to a client. NOSCRIPT is none of them: scripts
// are made known to the next master ahead of time.
func documentedErrors() []string { return []string{"UNKNOWNRESULT", "TRYAGAIN", "EXECABORT"} }

func parseProgram(lines []line, j Job) ([]Test, error) {
	var tests []Test
	for _, l := range lines {
		text, ok := strings.CutPrefix(l.text, scenarioPrefix)
		if !ok {
			continue
		}
		var s scenario
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return nil, fmt.Errorf("decode scenario of %s: %w: %s", j.Suite, err, text)
		}
		t := s.test(j.Mode)
		t.Began, t.Ended = lines[0].at, l.at
		tests = append(tests, t)
	}
	return tests, nil
}

// test judges a scenario. Whether the losses are within what the receipts declare is for the whole program to answer.
func (s scenario) test(m Mode) Test {
	t := Test{Name: s.Scenario, State: Passed, Counts: map[string]int{"ops": s.Ops, "lost": s.Lost, "missed": s.Missed,
		"moved": s.Moved, "hung": s.Hung, "nulls": s.Nulls, "wrong": len(s.Wrong), stallCount: s.Stall}}
	if s.Skipped != "" {
		t.State, t.Messages = Skipped, []string{s.Skipped}
		return t
	}
	object := func(format string, args ...any) {
		t.State = Failed
		t.Messages = append(t.Messages, fmt.Sprintf(format, args...))
	}
	for _, text := range s.Wrong {
		object("wrong: %s", text)
	}
	if s.Hung > 0 {
		object("%d requests were never answered", s.Hung)
	}
	if s.Moved > 0 {
		object("%d connections were lost", s.Moved)
	}
	if s.Ops == 0 {
		object("it did nothing")
	}
	for class, n := range s.Errors {
		t.Counts["error "+class] = n
		if m != Failover || !slices.Contains(documentedErrors(), class) {
			object("%d errors %s", n, class)
		}
	}
	if m != Failover && s.Lost+s.Missed > 0 {
		object("%d writes and %d messages lost without a failover", s.Lost, s.Missed)
	}
	return t
}
