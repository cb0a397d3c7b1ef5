package conformance

import (
	"regexp"
	"strings"
	"time"
)

// neverEnded is the message of a test that began and has no result.
const neverEnded = "it never ended"

var (
	goTestBegins = regexp.MustCompile(`^=== (?:RUN|NAME|CONT)\s+(\S+)`)
	goTestEnds   = regexp.MustCompile(`^\s*--- (PASS|FAIL|SKIP): (\S+)`)
)

// goTests collects what 'go test -v' says of top-level tests; what a subtest prints belongs to its parent.
type goTests struct {
	order   []*Test
	byName  map[string]*Test
	current *Test
	ended   map[string]bool
}

func parseGoTest(lines []line, _ Job) ([]Test, error) {
	g := goTests{byName: map[string]*Test{}, ended: map[string]bool{}}
	for _, l := range lines {
		g.add(l)
	}
	var tests []Test
	for _, t := range g.order {
		if !g.ended[t.Name] {
			t.State, t.Ended = Failed, time.Now()
			t.Messages = append(t.Messages, neverEnded)
		}
		if t.State == Passed {
			t.Messages = nil
		}
		tests = append(tests, *t)
	}
	return tests, nil
}

func (g *goTests) add(l line) {
	if m := goTestBegins.FindStringSubmatch(l.text); m != nil {
		g.current = g.test(m[1], l.at)
		return
	}
	if m := goTestEnds.FindStringSubmatch(l.text); m != nil {
		t := g.test(m[2], l.at)
		if !strings.Contains(m[2], "/") {
			t.State = map[string]State{"PASS": Passed, "FAIL": Failed, "SKIP": Skipped}[m[1]]
			t.Ended = l.at
			g.ended[t.Name] = true
		}
		g.current = t
		return
	}
	if text := strings.TrimSpace(l.text); g.current != nil && text != "" && text != "PASS" && text != "FAIL" {
		g.current.Messages = append(g.current.Messages, text)
	}
}

// test finds the top-level test of a name, or begins it.
func (g *goTests) test(name string, at time.Time) *Test {
	name, _, _ = strings.Cut(name, "/")
	t := g.byName[name]
	if t == nil {
		t = &Test{Name: name, Began: at}
		g.byName[name] = t
		g.order = append(g.order, t)
	}
	return t
}
