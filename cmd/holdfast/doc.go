// Command holdfast runs the proxy and talks to a running one.
//
// The promise: data on stdout, everything else on stderr, and an exit code that a script can act on (see exit.go). A command
// that gives an order returns when the order is done, refused or out of time, and never pretends.
//
// The invariant: nothing here decides anything about a pool. Commands turn flags into one call and the answer into text.
package main
