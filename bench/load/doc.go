// Package load drives a Redis address with many connections and tells how long each request took from the moment at which
// it was due.
//
// The promise: a server that stands still is charged with every request that was due meanwhile, whether it could be sent or
// not. Requests are scheduled by the clock and never by the last answer, unless the closed loop is asked for, and then every
// output says so.
//
// Invariant: each scheduled request ends in exactly one of four ways: answered, answered with an error, cut off with its
// connection, or unfinished when the run ended. scheduled = answered + errors + unfinished.
package load
