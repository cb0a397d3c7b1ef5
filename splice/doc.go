// Package splice is the data plane's floor: an edge-triggered event loop, raw socket calls and a mover that carries bytes
// from one socket to another. It knows nothing of Redis.
//
// Promise: an event costs no allocation, no lock, no channel and no timer object, an idle connection costs no buffer, and no
// byte that was read is lost while its destination can still take it.
//
// Invariant: everything a Loop owns is touched by the goroutine inside Run alone. Post is the one door for all others.
package splice
