package conformance

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// SuiteReport is what became of one suite.
type SuiteReport struct {
	Suite    string              `json:"suite"`
	Version  string              `json:"version"`
	Command  string              `json:"command"`
	Columns  map[string]Column   `json:"columns"` // by mode
	Differs  []Difference        `json:"differs,omitempty"`
	Findings []Difference        `json:"findings,omitempty"`
	Under    *UnderFailovers     `json:"under_failovers,omitempty"`
	Skipped  map[string][]string `json:"skipped,omitempty"` // tests by reason
	Denied   []Difference        `json:"denied,omitempty"`  // what the default list of denied commands changes
	Notes    []string            `json:"notes,omitempty"`
}

// Column counts the tests of one mode. Tests that were not even selected are in Skipped of the report only.
type Column struct {
	Passed  int           `json:"passed"`
	Failed  int           `json:"failed"`
	Skipped int           `json:"skipped"`
	Rounds  int           `json:"rounds"`
	Took    time.Duration `json:"took_ns"`
}

// UnderFailovers is what the failovers did to a suite.
type UnderFailovers struct {
	Faults    int                   `json:"faults"`
	Cut       map[string]int        `json:"cut"`
	AtRisk    int                   `json:"at_risk"`
	Closed    []string              `json:"closed,omitempty"`
	Explained map[string]*Explained `json:"explained"`
	Counts    map[string]int        `json:"counts,omitempty"` // of programs that count themselves
}

// reportOn makes the report of one suite from its results, at most one for each mode.
func reportOn(suite Suite, results map[Mode]Result) SuiteReport {
	s := SuiteReport{Suite: suite.Name, Version: suite.Version, Columns: map[string]Column{}, Skipped: map[string][]string{}}
	for _, mode := range slices.Sorted(maps.Keys(results)) {
		r := results[mode]
		s.Command = r.Command
		s.Columns[mode.String()] = Column{r.count(Passed), r.count(Failed), r.count(Skipped) - s.leaveOut(suite, r), r.Rounds, r.Took}
		for _, n := range r.Notes {
			if !slices.Contains(s.Notes, n) {
				s.Notes = append(s.Notes, n)
			}
		}
	}
	direct, hasDirect := results[Direct]
	through, hasThrough := results[Through]
	if hasDirect && hasThrough {
		s.Differs = differences(suite, direct, through)
	}
	if r, ok := results[Guarded]; ok && hasDirect {
		s.Denied = differences(suite, direct, r)
	}
	if r, ok := results[Failover]; ok {
		s.under(suite, r, direct, through)
	}
	if r, ok := results[Through]; ok && suite.Timed && !hasDirect {
		_, s.Differs = explain(suite, r)
	}
	return s
}

func (s *SuiteReport) under(suite Suite, r Result, without ...Result) {
	u := &UnderFailovers{Faults: len(r.Faults), Cut: r.cut(), AtRisk: r.atRisk(), Closed: closedByUs(r.Closed), Counts: map[string]int{}}
	u.Explained, s.Findings = explain(suite, r, without...)
	for _, t := range r.Tests {
		for name, n := range t.Counts {
			if name == stallCount {
				u.Counts[name] = max(u.Counts[name], n)
			} else {
				u.Counts[name] += n
			}
		}
	}
	s.Under = u
	if u.Faults == 0 {
		s.Findings = append(s.Findings, Difference{Test: "(whole run)", Mode: r.Mode, What: "there was no failover"})
	}
}

// leaveOut names the tests that were not run by their reasons, and returns how many of them the selection left out.
func (s *SuiteReport) leaveOut(suite Suite, r Result) (selected int) {
	for _, t := range r.Tests {
		if t.State != Skipped {
			continue
		}
		reason := reasonFor(suite.Excluded, t.Name)
		if reason != "" {
			selected++
		} else {
			reason = strings.Join(t.Messages, "; ")
		}
		if !slices.Contains(s.Skipped[reason], t.Name) {
			s.Skipped[reason] = append(s.Skipped[reason], t.Name)
		}
	}
	return selected
}

// ok reports whether nothing differs from the direct run without an explanation.
func (s SuiteReport) ok() bool { return len(s.Differs) == 0 && len(s.Findings) == 0 }

// WriteTable prints the table of the guarantees, and below it everything that is not as it should be.
func WriteTable(w io.Writer, reports []SuiteReport) error {
	out := tabwriter.NewWriter(w, 0, 8, 1, ' ', 0)
	fmt.Fprintln(out, "| suite\t| direct\t| through\t| differs\t| with failovers\t| failovers\t| failed as documented\t| findings\t|")
	fmt.Fprintln(out, "| ---\t| ---\t| ---\t| ---\t| ---\t| ---\t| ---\t| ---\t|")
	for _, r := range reports {
		fmt.Fprintf(out, "| %s %s\t| %s\t| %s\t| %d\t| %s\t| %s\t| %d\t|\n", r.Suite, r.Version, r.column(Direct), r.column(Through),
			len(r.Differs), r.column(Failover), r.failovers(), len(r.Findings))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	for _, r := range reports {
		for _, d := range slices.Concat(r.Differs, r.Findings) {
			fmt.Fprintf(w, "%s, %s, %s: %s\n", r.Suite, d.Mode, d.Test, d.What)
			for _, m := range d.Messages[:min(len(d.Messages), messagesMax)] {
				fmt.Fprintf(w, "    %s\n", m)
			}
		}
		for _, d := range r.Denied {
			fmt.Fprintf(w, "%s, with the default list of denied commands: %s\n", r.Suite, d.Test)
		}
	}
	return nil
}

// messagesMax keeps one test from filling the screen; the JSON has them all.
const messagesMax = 12

// column is passed / failed / skipped, or a dash for a mode that was not asked for.
func (s SuiteReport) column(m Mode) string {
	c, ok := s.Columns[m.String()]
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%d / %d / %d", c.Passed, c.Failed, c.Skipped)
}

// failovers is how many there were, and what they cost by documented class.
func (s SuiteReport) failovers() string {
	if s.Under == nil {
		return "-\t| -"
	}
	var parts []string
	for _, class := range slices.Sorted(maps.Keys(s.Under.Explained)) {
		parts = append(parts, fmt.Sprintf("%d %s", s.Under.Explained[class].Count, class))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Under.Counts)) {
		if class, ok := strings.CutPrefix(name, "error "); ok {
			parts = append(parts, fmt.Sprintf("%d replies %s", s.Under.Counts[name], class))
		}
	}
	if len(parts) == 0 {
		parts = []string{"none"}
	}
	return fmt.Sprintf("%d\t| %s", s.Under.Faults, strings.Join(parts, ", "))
}
