// Package conformance runs the test suites of client libraries, and small programs written with them, against a fresh
// redis-server three times: directly, through Holdfast, and through Holdfast while the master dies every few seconds. Only
// what differs from the direct run counts.
//
// Foreign code is fetched when it is needed, into a temporary directory, and each run has a network namespace of its own:
// fixed ports disturb nobody, and a suite reaches nothing but its own servers.
//
// Invariant: each test of the direct run is accounted for in the others. Under failovers a test that fails is explained by
// a documented error, by a fact that belongs to one node, or it is a finding; there is no fourth case.
package conformance
