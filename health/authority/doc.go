// Package authority says who may decide about a pool, and keeps what was decided.
//
// Its promise: an epoch that was granted is on disk before anybody acts on it, and never comes back, whatever is killed when; and
// that takes no longer than the disk does. The local authority is this node alone: one directory, one lock, and for each pool two
// checksummed slots that are overwritten in place, in turn. Beside them are a note of the offset and the history of receipts.
//
// Invariant: the stored epoch never decreases; a record whose write returned is read back, or the journal is damaged, which is an error
// and never a guess. One case is beyond it: if the disk forgets an intent before the commit that follows, or a commit together with the
// note that knows its number, that looks like a crash during a write. The log says so then.
package authority
