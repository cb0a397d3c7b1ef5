// Package resp knows the wire protocol of Redis and what each command means for a session: where a request or a reply
// ends (RESP2, RESP3 and inline), which command it is, and what may be done with it when it is cut.
//
// The promise: both sides of a session see the same boundaries as we do. Framing is therefore stricter than the server's
// and never different from it: what the server would read in another way is refused before a byte of it is forwarded.
//
// The invariant: the verdict on a stream of bytes depends on the bytes only, never on how they were cut into reads; no
// memory is allocated from a length that a peer declared; nothing here does I/O, waits, or starts a goroutine.
package resp
