// Package authority says who may decide about a pool, and keeps what was decided.
//
// Its promise: an epoch that was granted is on disk before anybody acts on it, and never comes back, whatever is killed when.
// The local authority is this node alone: one directory, one lock, one checksummed file per pool.
//
// Invariant: the stored epoch never decreases; a damaged file is an error, never a guess.
package authority
