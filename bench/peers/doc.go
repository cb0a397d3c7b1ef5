// Package peers measures the data plane of the built holdfast binary side by side with what it replaces: HAProxy in
// several configurations, nginx stream, a proxy made of io.Copy, and no proxy at all. Variants of Holdfast, behind a unix socket
// or as an ordinary user, are held against Holdfast itself.
//
// The promise: one run gives one table, and each number in it can be traced to stored raw samples. Processor time is what
// the kernel's scheduler counted for the threads of the proxy, never what a sampling clock guessed; each ratio is taken
// between neighbours of the same round, so that a machine that gets slower in between moves both.
//
// Invariant: every contender of a round gets the same requests from the same load generator against the same Redis server,
// and in no two successive rounds in the same order; a variant stays out of the cells no row of its own looks into. What could
// not be measured is a row that says so.
package peers
