// Package bench starts real Redis pairs and the built holdfast binary, loads them with clients that remember what they
// were promised, breaks the servers, and reads the surviving master to see whether each promise held.
//
// It drives everything from outside, over sockets and signals, as a user's machines would, and imports no other package of
// the project: what it measures can be repeated against any proxy that speaks to the same servers.
//
// Invariant: each operation of a client ends in exactly one Outcome, and the final verification explains every id that
// was ever written: acknowledged ids are present once, refused ids are absent, unknown ids are present at most once.
package bench
