package conformance

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

func stringReader(text string) io.Reader { return strings.NewReader(text) }

// at is a moment of an imagined run.
func at(seconds int) time.Time { return time.Unix(1_000_000+int64(seconds), 0) }

func textLines(text string) (lines []line) {
	for i, t := range strings.Split(strings.TrimSpace(text), "\n") {
		lines = append(lines, line{at(i), t})
	}
	return lines
}

// summary is a test without its times.
func summary(tests []Test) string {
	var b strings.Builder
	for _, t := range tests {
		fmt.Fprintf(&b, "%s %s %q\n", t.Name, t.State, t.Messages)
	}
	return b.String()
}

func TestParseGoTest(t *testing.T) {
	tests, err := parseGoTest(textLines(`
=== RUN   TestGood
    good_test.go:1: said and forgotten
--- PASS: TestGood (0.00s)
=== RUN   TestParent
=== RUN   TestParent/child
    parent_test.go:9: real: "+OK" mini: "-ERR"
--- FAIL: TestParent (0.10s)
    --- FAIL: TestParent/child (0.05s)
=== RUN   TestLater
    later_test.go:3: not today
--- SKIP: TestLater (0.00s)
=== RUN   TestHangs
panic: test timed out after 1s
`), Job{})
	if err != nil {
		t.Fatal(err)
	}
	want := `TestGood passed []
TestParent failed ["parent_test.go:9: real: \"+OK\" mini: \"-ERR\""]
TestLater skipped ["later_test.go:3: not today"]
TestHangs failed ["panic: test timed out after 1s" "it never ended"]
`
	if got := summary(tests); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if began, ended := tests[1].Began, tests[1].Ended; began != at(3) || ended != at(6) {
		t.Errorf("TestParent ran from %v to %v, want %v to %v", began, ended, at(3), at(6))
	}
}

func TestParsePHP(t *testing.T) {
	tests, err := parsePHP(textLines(`
Note: these tests might take up to a minute. Don't worry :-)
testGood                [PASSED]
testNoisy               PHP Deprecated:  Creation of a property in RedisTest.php on line 39

[PASSED]
testBad                 [FAILED]
testNot                 [SKIPPED]
testDies                Fatal error: Uncaught TypeError

Skipped test: /x/RedisTest.php:10 (testNot) online test
Assertion failed (1 !== 2): /x/RedisTest.php:20 (testBad)
`), Job{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tests[4].State, Failed; got != want {
		t.Errorf("a test without a result is %s, want %s", got, want)
	}
	tests, err = parsePHP(textLines("testBad    [FAILED]\ntestNot   [SKIPPED]\n\nSkipped test: R.php:10 (testNot) online\n"+
		"Assertion failed (1 !== 2): R.php:20 (testBad)\nAssertion failed: R.php:20 (aHelper)"), Job{})
	want := "testBad failed [\"Assertion failed (1 !== 2): R.php:20 (testBad)\"]\n" +
		"testNot skipped [\"Skipped test: R.php:10 (testNot) online\"]\n"
	if got := summary(tests); err != nil || got != want {
		t.Errorf("got\n%s%vwant\n%s", got, err, want)
	}
}

func TestParseGinkgo(t *testing.T) {
	j := Job{Suite: "go-redis", Scratch: t.TempDir()}
	report := `[{"SpecReports": [
		{"LeafNodeType": "BeforeSuite", "State": "passed"},
		{"ContainerHierarchyTexts": ["Commands", "keys"], "LeafNodeType": "It", "LeafNodeText": "should Del", "State": "passed"},
		{"ContainerHierarchyTexts": ["Commands"], "LeafNodeType": "It", "LeafNodeText": "should Bad", "State": "panicked",
		 "Failure": {"Message": "EOF"}},
		{"LeafNodeType": "It", "LeafNodeText": "later", "State": "pending"},
		{"LeafNodeType": "It", "LeafNodeText": "Ring", "State": "skipped"},
		{"LeafNodeType": "AfterSuite", "State": "failed", "Failure": {"Message": "left behind"}}]}]`
	if err := os.WriteFile(ginkgoReport(j), []byte(report), 0o600); err != nil {
		t.Fatal(err)
	}
	tests, err := parseGinkgo(nil, j)
	want := `Commands keys should Del passed []
Commands should Bad failed ["panicked: EOF"]
later skipped ["the suite itself calls it pending"]
Ring skipped ["left out by the selection"]
 failed ["failed: left behind"]
`
	if got := summary(tests); err != nil || got != want {
		t.Errorf("got\n%s%v\nwant\n%s", got, err, want)
	}
	if _, err := parseGinkgo(nil, j); err == nil {
		t.Error("the report of one round was read again for the next")
	}
}

func TestProgramsAreJudged(t *testing.T) {
	for name, c := range map[string]struct {
		mode Mode
		line string
		want State
	}{
		"clean":                      {Direct, `{"scenario":"list","ops":9}`, Passed},
		"documented error":           {Failover, `{"scenario":"list","ops":9,"errors":{"UNKNOWNRESULT":2}}`, Passed},
		"the same without a fault":   {Through, `{"scenario":"list","ops":9,"errors":{"UNKNOWNRESULT":2}}`, Failed},
		"other error":                {Failover, `{"scenario":"list","ops":9,"errors":{"WRONGTYPE":1}}`, Failed},
		"wrong value":                {Failover, `{"scenario":"list","ops":9,"wrong":["entry 3 is there twice"]}`, Failed},
		"hung":                       {Failover, `{"scenario":"list","ops":9,"hung":1}`, Failed},
		"connection lost":            {Failover, `{"scenario":"list","ops":9,"moved":1}`, Failed},
		"did nothing":                {Direct, `{"scenario":"list"}`, Failed},
		"lost with a fault":          {Failover, `{"scenario":"list","ops":9,"lost":1}`, Passed},
		"lost without a fault":       {Through, `{"scenario":"list","ops":9,"lost":1}`, Failed},
		"missed message, no fault":   {Direct, `{"scenario":"publish","ops":9,"missed":1}`, Failed},
		"the library cannot do that": {Direct, `{"scenario":"caching","skipped":"RESP2"}`, Skipped},
	} {
		tests, err := parseProgram([]line{{at(0), "noise"}, {at(1), scenarioPrefix + c.line}}, Job{Mode: c.mode})
		if err != nil || len(tests) != 1 || tests[0].State != c.want {
			t.Errorf("%s: got %+v, %v, want %s", name, tests, err, c.want)
		}
	}
	if _, err := parseProgram([]line{{at(0), scenarioPrefix + "{"}}, Job{}); err == nil {
		t.Error("half a line was taken")
	}
}
