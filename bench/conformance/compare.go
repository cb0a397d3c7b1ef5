package conformance

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Difference is a test that did not end as it does directly, and nothing explains it.
type Difference struct {
	Test     string   `json:"test"`
	Mode     Mode     `json:"mode"`
	What     string   `json:"what"`
	Messages []string `json:"messages,omitempty"`
}

// changing is what differs between two equal runs: numbers, addresses, paths of temporary files.
var changing = regexp.MustCompile(`/tmp/\S+|0x[0-9a-f]+|[0-9]+(\.[0-9]+)?`)

// differences compares a run through Holdfast with the direct one, test by test. Tests that fail in both must fail alike.
func differences(direct, through Result) (all []Difference) {
	want, got := direct.byName(), through.byName()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		w, g, there := want[name], got[name], true
		if _, there = got[name]; !there {
			all = append(all, Difference{Test: name, Mode: through.Mode, What: fmt.Sprintf("%s directly, not run here", w.State)})
			continue
		}
		switch {
		case w.State != g.State:
			all = append(all, Difference{name, through.Mode, fmt.Sprintf("%s directly, %s here", w.State, g.State), g.Messages})
		case w.State == Failed && alike(w.Messages) != alike(g.Messages):
			all = append(all, Difference{name, through.Mode, "fails directly with: " + strings.Join(w.Messages, "; "), g.Messages})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, there := want[name]; !there && got[name].State == Failed {
			all = append(all, Difference{name, through.Mode, "does not exist directly", got[name].Messages})
		}
	}
	return all
}

// byName is one test for each name: of several rounds the worst, so that nothing is hidden.
func (r Result) byName() map[string]Test {
	all := map[string]Test{}
	for _, t := range r.Tests {
		if old, there := all[t.Name]; !there || t.State == Failed && old.State != Failed {
			all[t.Name] = t
		}
	}
	return all
}

// alike is what two messages of the same failure have in common.
func alike(messages []string) string {
	return changing.ReplaceAllString(strings.Join(messages, "\n"), "#")
}

// Explained is how the failures under failovers came about: by class, how many, and which tests.
type Explained struct {
	Count int      `json:"count"`
	Tests []string `json:"tests"`
}

// explain sorts the failures under failovers into the documented ones and the findings. Tests that fail directly as well
// are left out: the library and the server do not fit together there.
func explain(suite Suite, r Result, without ...Result) (map[string]*Explained, []Difference) {
	explained := map[string]*Explained{}
	var findings []Difference
	for _, t := range r.Tests {
		if t.State != Failed || slices.ContainsFunc(without, func(w Result) bool { return everFailed(w.states()[t.Name]) }) {
			continue
		}
		why := cause{class: "broken promise", finding: true} // a program judges by itself what a failover excuses
		if !suite.Timed {
			why = classify(t, suite, r.Faults)
		}
		if why.finding {
			findings = append(findings, Difference{t.Name, r.Mode, why.class, t.Messages})
			continue
		}
		e := explained[why.class]
		if e == nil {
			e = &Explained{}
			explained[why.class] = e
		}
		if e.Count++; !slices.Contains(e.Tests, t.Name) {
			e.Tests = append(e.Tests, t.Name)
		}
	}
	if lost := r.sum("lost"); lost > r.atRisk() {
		findings = append(findings, Difference{Test: "(whole run)", Mode: r.Mode,
			What: fmt.Sprintf("%d acknowledged writes lost, the receipts declare %d at risk", lost, r.atRisk())})
	}
	return explained, findings
}
