package conformance

import (
	"regexp"
	"slices"
)

var (
	phpBegins  = regexp.MustCompile(`^(test\w+)\s`)
	phpEnds    = regexp.MustCompile(`\[(PASSED|FAILED|SKIPPED)\]\s*$`)
	phpMessage = regexp.MustCompile(`^(?:Assertion failed|Skipped test|Uncaught exception).*\((test\w+)\)`)
)

// parsePHP reads the runner of php-redis: the name of each test, whatever PHP has to say meanwhile, the state in brackets,
// and at the end the messages of all tests.
func parsePHP(lines []line, _ Job) ([]Test, error) {
	var tests []Test
	open := false
	for _, l := range lines {
		if m := phpMessage.FindStringSubmatch(l.text); m != nil && !open {
			addMessage(tests, m[1], l.text)
			continue
		}
		if m := phpBegins.FindStringSubmatch(l.text + " "); m != nil && !open {
			tests = append(tests, Test{Name: m[1], State: Failed, Began: l.at})
			open = true
		}
		if !open {
			continue
		}
		last := &tests[len(tests)-1]
		last.Ended = l.at
		if m := phpEnds.FindStringSubmatch(l.text); m != nil {
			last.State = map[string]State{"PASSED": Passed, "FAILED": Failed, "SKIPPED": Skipped}[m[1]]
			open = false
		} else {
			last.Messages = append(last.Messages, l.text)
		}
	}
	if open {
		last := &tests[len(tests)-1]
		last.Messages = append(last.Messages, neverEnded)
	}
	for i := range tests {
		if tests[i].State == Passed {
			tests[i].Messages = nil
		}
	}
	return tests, nil
}

// addMessage gives a message to its test. A message may name a helper that a test has called; then it belongs to nobody,
// and the test has its state all the same.
func addMessage(tests []Test, name, text string) {
	i := slices.IndexFunc(tests, func(t Test) bool { return t.Name == name })
	if i >= 0 {
		tests[i].Messages = append(tests[i].Messages, text)
	}
}
