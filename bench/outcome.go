package bench

import "strings"

// Outcome is what a client knows about one request when its answer, or the lack of one, is in.
type Outcome uint8

const (
	// Unknown may have been executed once: the documented error says so, or the connection was lost. It is also what a
	// request is as long as nothing has come back.
	Unknown Outcome = iota
	// OK was executed once, and the reply is the right one.
	OK
	// Fail was answered with an error that proves it was not executed.
	Fail
	// Wrong was answered with something no correct server can say: another client's value, an older value, another type.
	Wrong
	// Stale is a right answer from a history in which a write that was acknowledged has not happened: the write is lost.
	Stale
	// Hung was never answered although the connection stayed open. It may have been executed.
	Hung
)

// String is the outcome as reports spell it.
func (o Outcome) String() string {
	return [...]string{"unknown", "ok", "fail", "wrong", "stale", "hung"}[o]
}

// flaw is what a judge has against a reply; the zero value is nothing.
type flaw struct {
	why   string
	stale bool  // the reply is the client's own, but shows that acknowledged writes are missing
	since int64 // when the oldest of them was acknowledged, in ns of the tally's clock
}

func (f flaw) outcome() Outcome {
	switch {
	case f.why == "":
		return OK
	case f.stale:
		return Stale
	default:
		return Wrong
	}
}

// unknownClass is the first word of the error that admits that a write may or may not have been applied.
const unknownClass = "UNKNOWNRESULT"

// classify tells what an error reply proves, and its class: the first word.
func classify(text string) (Outcome, string) {
	class, _, _ := strings.Cut(text, " ")
	if class == unknownClass {
		return Unknown, class
	}
	return Fail, class
}

// documented reports whether clients were told to expect an error of this class around a failover.
func documented(class string) bool {
	return class == unknownClass || class == "TRYAGAIN" || class == "EXECABORT"
}
