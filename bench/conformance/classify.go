package conformance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// servedSlack is how long after the gate opened a client may still see the failover: its library has to read what it was sent.
const servedSlack = 50 * time.Millisecond

// calm is a failure that no failover can have caused.
const calm = "no failover at that time"

// broken are texts of client libraries for what must never happen: a lost connection, a reply that cannot be read, a reply
// that never came.
var broken = regexp.MustCompile(`(?i)\bEOF\b|connection (reset|refused|closed|lost)|broken pipe|i/o timeout|went away|` +
	`protocol error|invalid (response|reply)|read error on connection|never ended|timed out after|deadline exceeded`)

// cause is why a test failed under failovers.
type cause struct {
	class   string // of a documented error, or what the fact is called
	finding bool   // nothing explains it
}

// classify explains a test that failed under failovers and never without. An error that the test shows speaks for itself.
// Some libraries and some tests swallow it; then a receipt must say that a request was cut in exactly that time, and only
// for a suite whose tests run one after the other does that name the request.
func classify(t Test, suite Suite, faults []Fault) cause {
	if reason := reasonFor(suite.Alone, t.Name); reason != "" {
		return cause{class: "a pair: " + reason}
	}
	text := strings.Join(t.Messages, "\n")
	for _, class := range documentedErrors() {
		if strings.Contains(text, class+" ") {
			return cause{class: class}
		}
	}
	if m := broken.FindString(text); m != "" {
		return cause{class: "broken: " + m, finding: true}
	}
	over := during(t, faults)
	if len(over) == 0 {
		return cause{class: calm, finding: true}
	}
	for _, f := range over {
		for _, class := range []string{"unknown", "aborted"} {
			if f.Cut[class] > 0 {
				return cause{class: "receipt: " + class}
			}
		}
	}
	if reason := reasonFor(suite.Local, t.Name); reason != "" {
		return cause{class: "as documented: " + reason}
	}
	return cause{class: "unexplained", finding: true}
}

// during are the faults whose failover the test lived through, in whole or in part.
func during(t Test, faults []Fault) (over []Fault) {
	for _, f := range faults {
		if !t.Ended.Before(f.Killed) && !t.Began.After(f.Served.Add(servedSlack)) {
			over = append(over, f)
		}
	}
	return over
}

// closedByUs are the reasons for which Holdfast itself ends a connection, of which a failover may cause none. Connections
// that move are the promise; what ends by the wish of a client or with the program says nothing.
func closedByUs(closed map[string]int) (reasons []string) {
	for reason, n := range closed {
		if n > 0 && !slices.Contains([]string{"client", "quit", "shutdown"}, reason) {
			reasons = append(reasons, fmt.Sprintf("%d %s", n, reason))
		}
	}
	slices.Sort(reasons)
	return reasons
}
