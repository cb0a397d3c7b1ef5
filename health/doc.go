// Package health watches the backends of a pool, judges them and decides which of them may be written to.
//
// Its promise: at every moment at most one backend is routed to per epoch, and it is one whose identity (run id, lineage and
// offset) was verified. The core is the pure function step; probes surround it on one side, an Executor on the other, and the
// Controller is the goroutine between them that owns the state of one pool.
//
// Invariant: a published Route with GateOpen names a backend that answered, under that epoch, as the continuation of the
// lineage known before; epochs only grow.
package health
