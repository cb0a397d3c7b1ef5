// Package sim lives through random faults with the whole pure core at once, in virtual time: the framing and the conversations of
// many clients (proxy/resp), the decisions (health), the journal's rules (health/authority), and around them a model of everything
// that has a clock, a socket or a process: links, servers with a replication stream, probes, the executor, the event loop.
//
// Its promise: a life depends on its seed and its options alone, so that a broken invariant is replayed by its number. DESIGN.md
// lists what is modelled, what is checked, and what this cannot find.
//
// Invariant: whatever a model does was allowed by the real thing; a model that is kinder than a server or a kernel would hide bugs.
package sim
