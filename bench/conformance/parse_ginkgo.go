package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ginkgoSpec is the part of a Ginkgo report that says how one test ended.
type ginkgoSpec struct {
	ContainerHierarchyTexts []string
	LeafNodeType            string
	LeafNodeText            string
	State                   string
	StartTime, EndTime      time.Time
	Failure                 struct{ Message string }
}

// ginkgoReport is where a suite of Ginkgo is told to leave its report.
func ginkgoReport(j Job) string { return filepath.Join(j.Scratch, "ginkgo.json") }

// parseGinkgo reads the report of the run, which says more than what was printed. Without a report the suite died.
func parseGinkgo(lines []line, j Job) ([]Test, error) {
	data, err := os.ReadFile(ginkgoReport(j))
	if err != nil {
		return nil, fmt.Errorf("read report of %s: %w\n%s", j.Suite, err, lastLines(lines))
	}
	var reports []struct{ SpecReports []ginkgoSpec }
	if err := json.Unmarshal(data, &reports); err != nil {
		return nil, fmt.Errorf("decode report of %s: %w", j.Suite, err)
	}
	var tests []Test
	for _, r := range reports {
		for _, spec := range r.SpecReports {
			if t, ok := spec.test(); ok {
				tests = append(tests, t)
			}
		}
	}
	if err := os.Remove(ginkgoReport(j)); err != nil { // so that the next round cannot be taken for this one
		return nil, fmt.Errorf("remove report of %s: %w", j.Suite, err)
	}
	return tests, nil
}

func (s ginkgoSpec) test() (Test, bool) {
	t := Test{Name: strings.Join(append(s.ContainerHierarchyTexts, s.LeafNodeText), " "), Began: s.StartTime, Ended: s.EndTime}
	switch s.State {
	case "passed":
		t.State = Passed
	case "skipped":
		t.State, t.Messages = Skipped, []string{"left out by the selection"}
		if s.Failure.Message != "" {
			t.Messages = []string{s.Failure.Message}
		}
	case "pending":
		t.State, t.Messages = Skipped, []string{"the suite itself calls it pending"}
	default:
		t.State, t.Messages = Failed, []string{s.State + ": " + s.Failure.Message}
	}
	isTest := s.LeafNodeType == "It"
	return t, isTest || t.State == Failed // a failed set-up is no test and must be seen
}
