// Package failover is the acting half of health: it carries out the effects that were decided (cut, drain, promote, verify,
// repoint, demote, fence) and reports what came of each.
//
// Its promise: every effect is idempotent, bounded in time, and its result can be checked on the servers; nothing is decided here.
//
// Invariant: a promotion is sent only after its intent, with the same epoch, is on disk.
package failover
