package splice

// Outcome says why a Mover stopped, and so what it waits for.
type Outcome uint8

const (
	// SrcEmpty: everything read is delivered; run again when the source is readable.
	SrcEmpty Outcome = iota
	// DstFull: bytes are pending; run again when the destination is writable.
	DstFull
	// EOF: the source has ended and everything is delivered. The other direction goes on; the caller shuts the destination down.
	EOF
	// LimitReached: exactly the limit was moved and delivered.
	LimitReached
	// SrcFailed: the source broke; everything it had given is delivered. The errno says how.
	SrcFailed
	// DstFailed: the destination broke; Pending bytes will never arrive. The errno says how.
	DstFailed
	// BudgetSpent: there is more to do, after the others; call Defer and run again.
	BudgetSpent
)

// String is the public name of the outcome.
func (o Outcome) String() string {
	names := [...]string{"source empty", "destination full", "end of stream", "limit reached", "source failed",
		"destination failed", "budget spent"}
	if int(o) < len(names) {
		return names[o]
	}
	return "unknown outcome"
}
