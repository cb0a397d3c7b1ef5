package conformance

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
)

func ran(name string, state State, messages ...string) Test {
	return Test{Name: name, State: state, Messages: messages, Began: at(0), Ended: at(1)}
}

func TestOnlyDifferencesFromTheDirectRunCount(t *testing.T) {
	suite := Suite{Shaky: []exclusion{{regexp.MustCompile("^Shaky$"), "measures"}},
		Strays: []exclusion{{regexp.MustCompile("closed by the suite"), "left running"}}}
	slow := ran("Slow", Passed)
	slow.Ended = at(40)
	for name, c := range map[string]struct {
		direct, through []Test
		want            string // part of what is found; "" for nothing
	}{
		"equal":              {[]Test{ran("A", Passed)}, []Test{ran("A", Passed)}, ""},
		"fails in both":      {[]Test{ran("A", Failed, "at 0x12: port 700")}, []Test{ran("A", Failed, "at 0x99: port 31")}, ""},
		"fails otherwise":    {[]Test{ran("A", Failed, "nil")}, []Test{ran("A", Failed, "EOF")}, "failed here"},
		"fails here":         {[]Test{ran("A", Passed)}, []Test{ran("A", Failed, "EOF")}, "failed here, directly passed"},
		"passes here alone":  {[]Test{ran("A", Failed)}, []Test{ran("A", Passed)}, "passed here"},
		"seen directly once": {[]Test{ran("A", Passed), ran("A", Failed, "x")}, []Test{ran("A", Failed, "x")}, ""},
		"not run":            {[]Test{ran("A", Passed)}, nil, "not run here"},
		"only here":          {nil, []Test{ran("(server)", Failed, "died")}, "no such test"},
		"stuck for a while":  {[]Test{ran("Slow", Passed)}, []Test{slow}, "it took 40s here"},
		"a stray message":    {[]Test{ran("A", Passed)}, []Test{ran("A", Failed, "closed by the suite")}, ""},
		"shaky":              {[]Test{ran("Shaky", Passed)}, []Test{ran("Shaky", Failed)}, ""},
	} {
		got := differences(suite, Result{Tests: c.direct}, Result{Mode: Through, Tests: c.through})
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0].What, c.want)) {
			t.Errorf("%s: got %+v, want %q", name, got, c.want)
		}
	}
}

func TestFailuresUnderFailoversAreExplainedOrFound(t *testing.T) {
	suite := Suite{Alone: []exclusion{{regexp.MustCompile("^Wait$"), "counts replicas"}},
		Local: []exclusion{{regexp.MustCompile("^Scan$"), "a cursor"}}}
	cut := Fault{Killed: at(0), Served: at(0).Add(20 * time.Millisecond), Cut: map[string]int{"unknown": 1}}
	clean := Fault{Killed: at(0), Served: at(0).Add(20 * time.Millisecond), Cut: map[string]int{"unknown": 0}}
	before := Fault{Killed: at(-9), Served: at(-8), Cut: map[string]int{"unknown": 1}}
	for name, c := range map[string]struct {
		test  Test
		fault Fault
		want  string
		found bool
	}{
		"the error shows":              {ran("A", Failed, `real: "-UNKNOWNRESULT master lost" mini: "+OK"`), clean, "UNKNOWNRESULT", false},
		"the receipt knows":            {ran("A", Failed, "false is no array"), cut, "receipt: unknown", false},
		"nothing was cut":              {ran("A", Failed, "1 !== 2"), clean, "unexplained", true},
		"at another time":              {ran("A", Failed, "1 !== 2"), before, calm, true},
		"a lost connection":            {ran("A", Failed, "unexpected EOF"), cut, "broken: EOF", true},
		"a hang":                       {ran("A", Failed, neverEnded), cut, "broken: never ended", true},
		"one node's own":               {ran("Scan", Failed, "4 !== 5"), clean, "as documented: a cursor", false},
		"one node's own, without one":  {ran("Scan", Failed, "4 !== 5"), before, calm, true},
		"a pair is not one server":     {ran("Wait", Failed, "1 !== 0"), before, "a pair: counts replicas", false},
		"a word that only looks alike": {ran("A", Failed, "UNKNOWNRESULTS"), clean, "unexplained", true},
	} {
		got := classify(c.test, suite, []Fault{c.fault})
		if got.class != c.want || got.finding != c.found {
			t.Errorf("%s: got %+v, want %q, finding %v", name, got, c.want, c.found)
		}
	}
}

func TestReportFailsOnFindingsOnly(t *testing.T) {
	fault := Fault{Killed: at(0), Served: at(1), Cut: map[string]int{"unknown": 1}, AtRisk: 2}
	program, broken := Suite{Name: "p", Timed: true}, []Test{ran("list", Failed)}
	lost := func(n int) Result {
		test := ran("list", Passed)
		test.Counts = map[string]int{"lost": n, "error UNKNOWNRESULT": 4}
		return Result{Mode: Failover, Tests: []Test{test}, Faults: []Fault{fault}}
	}
	well := Result{Tests: []Test{ran("list", Passed)}}
	for name, c := range map[string]struct {
		results map[Mode]Result
		want    bool
	}{
		"all well":                 {map[Mode]Result{Direct: well, Failover: lost(2)}, true},
		"more lost than declared":  {map[Mode]Result{Failover: lost(3)}, false},
		"no failover at all":       {map[Mode]Result{Failover: {Mode: Failover, Tests: []Test{ran("list", Passed)}}}, false},
		"a program breaks a vow":   {map[Mode]Result{Failover: {Mode: Failover, Tests: broken, Faults: []Fault{fault}}}, false},
		"denied by default":        {map[Mode]Result{Direct: well, Guarded: {Mode: Guarded, Tests: broken}}, true},
		"through alone, a vow too": {map[Mode]Result{Through: {Mode: Through, Tests: broken}}, false},
	} {
		report := reportOn(program, c.results)
		if got := report.ok(); got != c.want {
			t.Errorf("%s: got ok %v, want %v: %+v", name, got, c.want, report)
		}
	}
	var out bytes.Buffer
	if err := WriteTable(&out, []SuiteReport{reportOn(program, map[Mode]Result{Failover: lost(3)})}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| 1 / 0 / 0", "4 replies UNKNOWNRESULT", "3 acknowledged writes lost, the receipts declare 2 at risk"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
}

func TestNamesAreKnown(t *testing.T) {
	for _, name := range SuiteNames() {
		if _, err := FindSuite(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := FindSuite("jedis"); err == nil {
		t.Error("a suite that is not there was found")
	}
	for _, m := range []Mode{Direct, Through, Failover, Guarded} {
		if got, err := ParseMode(m.String()); got != m || err != nil {
			t.Errorf("mode %s: got %v, %v", m, got, err)
		}
	}
	if _, err := ParseMode("sideways"); err == nil {
		t.Error("a mode that is not there was found")
	}
}
