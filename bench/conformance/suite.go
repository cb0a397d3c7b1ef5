package conformance

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// ErrUnknownSuite is returned when a suite has another name than those of Suites.
var ErrUnknownSuite = errors.New("unknown suite")

// Suite is a program of others that tests its own client library, or a program of ours that uses one.
type Suite struct {
	Name    string
	Version string
	// Port is where it insists on finding its server; 0: the endpoint is told to it.
	Port int
	// StandIn: it starts servers of its own, by the name redis-server.
	StandIn bool
	// Fetch puts everything that is needed below dir. It may use the network; nothing after it can.
	Fetch func(ctx context.Context, dir string) error
	// Command runs it once.
	Command func(job Job, address string) command
	// Parse reads what one run printed.
	Parse func(lines []line, job Job) ([]Test, error)
	// Excluded are the tests that are not run, and why.
	Excluded []exclusion
	// Alone are the tests that take it for granted that their server has no replica. The pair alone makes them fail.
	Alone []exclusion
	// Local are the tests that a failover in their midst may fail without an error: they ask for something that belongs to
	// one node, or they count on a pace that a pause breaks.
	Local []exclusion
	// Shaky are the tests that fail directly as well whenever the machine is busy. They are run, and their failures count for
	// nothing.
	Shaky []exclusion
	// Strays are messages that a test gets from what an earlier one left running. They count for nothing either.
	Strays []exclusion
	// Impatient is what the suite says when it ends because its server did not listen in time: a second, on a machine that
	// may have more to do. nil: it never does.
	Impatient *regexp.Regexp
	// FirstDeath is within the life of the servers that the suite starts itself.
	FirstDeath time.Duration
	// Timed: one run lasts as long as it is told to; others are repeated until the time is over.
	Timed bool
}

// innocent reports whether a failure says nothing, of Holdfast or of anybody.
func (s Suite) innocent(t Test) bool {
	return reasonFor(s.Shaky, t.Name) != "" || reasonFor(s.Strays, strings.Join(t.Messages, "\n")) != ""
}

// tooSlow reports whether the suite ended for want of time and said nothing of its server.
func (s Suite) tooSlow(lines []line) bool {
	return s.Impatient != nil && slices.ContainsFunc(lines, func(l line) bool { return s.Impatient.MatchString(l.text) })
}

// exclusion names tests by their names, or failures by their messages, and says why they are special.
type exclusion struct {
	tests  *regexp.Regexp
	reason string
}

// reasonFor returns the reason of the first exclusion that fits, or "".
func reasonFor(list []exclusion, test string) string {
	for _, e := range list {
		if e.tests.MatchString(test) {
			return e.reason
		}
	}
	return ""
}

// command is one run of a suite.
type command struct {
	argv []string
	dir  string
	env  []string // beside the environment of this process
}

// line is one line of output and when it came.
type line struct {
	at   time.Time
	text string
}

// Suites are all of them, the most telling first.
func Suites() []Suite {
	return append(programSuites(), minired(), goRedis(), redigo(), phpRedis())
}

// SuiteNames are the names of all suites.
func SuiteNames() (names []string) {
	for _, s := range Suites() {
		names = append(names, s.Name)
	}
	return names
}

// FindSuite returns the suite of that name.
func FindSuite(name string) (Suite, error) {
	for _, s := range Suites() {
		if s.Name == name {
			return s, nil
		}
	}
	return Suite{}, fmt.Errorf("suite %q: %w; there are %s", name, ErrUnknownSuite, strings.Join(SuiteNames(), ", "))
}
