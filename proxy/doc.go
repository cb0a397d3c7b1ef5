// Package proxy is the data plane: listeners, sessions, and the gate that holds and releases them.
//
// It promises that a client's connection outlives the backend it is served by. Every session belongs to one event
// loop and to exactly one list of that loop, which names its state; nothing of it is touched from outside. Control and
// data plane meet in two places: the route, an atomic snapshot that every loop reads before it forwards a request, and
// the evidence, by which a loop tells what it saw of a backend.
//
// Invariants:
//   - a request is forwarded only over a connection of the route's epoch, while the gate is open;
//   - a backend connection is read to its end before anything on it is declared cut;
//   - a byte of a backend connection reaches the client only in the order of the requests it answers.
package proxy
