package conformance

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
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

// slower is how much longer a test may take through Holdfast than twice the longest that it took directly: more than any
// pause of a shared machine, less than the time-outs of the libraries, behind which a request that is never answered hides.
const slower = 15 * time.Second

// differences compares what happened through Holdfast with what happened directly, test by test: each outcome must have
// been seen directly too, failures with the same messages.
func differences(suite Suite, direct, through Result) (all []Difference) {
	want, got := direct.byName(), through.byName()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if len(got[name]) == 0 {
			all = append(all, Difference{Test: name, Mode: through.Mode, What: "it was not run here"})
		}
		for _, t := range got[name] {
			if what := differs(want[name], t); what != "" && !suite.innocent(t) {
				all = append(all, Difference{name, through.Mode, what, t.Messages})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if len(want[name]) == 0 && got[name][0].State == Failed {
			all = append(all, Difference{name, through.Mode, "there is no such test directly", got[name][0].Messages})
		}
	}
	return all
}

// differs says in what a test differs from all its direct runs, or "".
func differs(direct []Test, t Test) string {
	longest := time.Duration(0)
	seen := false
	for _, d := range direct {
		longest = max(longest, d.Ended.Sub(d.Began))
		seen = seen || d.State == t.State && (t.State != Failed || alike(d.Messages) == alike(t.Messages))
	}
	if !seen {
		return fmt.Sprintf("%s here, directly %s: %s", t.State, direct[0].State, strings.Join(direct[0].Messages, "; "))
	}
	if took := t.Ended.Sub(t.Began); took > 2*longest+slower {
		return fmt.Sprintf("it took %s here, directly at most %s", took.Round(time.Second), longest.Round(time.Second))
	}
	return ""
}

// byName are the runs of each test.
func (r Result) byName() map[string][]Test {
	all := map[string][]Test{}
	for _, t := range r.Tests {
		all[t.Name] = append(all[t.Name], t)
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
		failsAnyway := slices.ContainsFunc(without, func(w Result) bool { return w.everFailed(t.Name) })
		if t.State != Failed || failsAnyway || suite.innocent(t) {
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
