package chaos

import (
	"slices"
	"strings"
)

// outcome is what a client knows about one request. The history is judged by it.
type outcome uint8

const (
	// unknown may have been executed once, at any time from its call on: the documented error, or a lost connection.
	unknown outcome = iota
	// ok was executed once between call and return.
	ok
	// fail was answered with an error that proves that it was not executed.
	fail
	// hung was never answered although the connection stayed open. It may have been executed, and is a fault by itself.
	hung
)

// String is the outcome as reports spell it.
func (o outcome) String() string { return [...]string{"unknown", "ok", "fail", "hung"}[o] }

// unknownClass admits that a write may or may not have been applied.
const unknownClass = "UNKNOWNRESULT"

// documented are the classes of error that every failover may show to a client whose request was in flight or held too long.
func documented() []string { return []string{unknownClass, "TRYAGAIN", "EXECABORT"} }

// classOf is the first word of an error.
func classOf(text string) string {
	class, _, _ := strings.Cut(text, " ")
	return class
}

// answer is one request's end.
type answer struct {
	value     value
	outcome   outcome
	call, ret int64 // ns of the crew's clock; ret is never for what was not answered
}

// never is the return of a request that may be executed at any later time.
const never = int64(1) << 62

// judgeReply turns a reply into an outcome.
func judgeReply(v value) outcome {
	switch {
	case !v.isError():
		return ok
	case classOf(v.text) == unknownClass:
		return unknown
	default:
		return fail
	}
}

// allowed reports whether clients may see an error of this class under a fault that adds more of them.
func allowed(class string, more []string) bool {
	return slices.Contains(documented(), class) || slices.Contains(more, class)
}
