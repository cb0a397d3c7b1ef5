package resp

import (
	"bytes"
	"strings"
)

// kinds of frames that a subscribed connection receives.
type pushFrame uint8

const (
	pushOther   pushFrame = iota // invalidate, pong, anything else
	pushMessage                  // message, pmessage, smessage
	pushConfirm                  // subscribe, unsubscribe and their relatives
)

// pushKind reads the first element of an array or push frame.
func pushKind(frame []byte) pushFrame {
	var array [4][]byte
	elements, _ := Elements(frame, array[:0])
	switch string(arg(elements, 0)) {
	case "message", "pmessage", "smessage":
		return pushMessage
	case "subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe":
		return pushConfirm
	}
	return pushOther
}

// confirmation counts one frame of a (un)subscribe command.
func (c *Conv) confirmation(fl *Flights, e *Entry, frame []byte) (Meaning, Answer, Command, bool) {
	if c.want == 0 {
		c.want = c.expected(e)
	}
	c.subscribe(e.cmd, frame)
	c.parts++
	m := Deliver
	if c.parts <= c.skip {
		m = Swallow
	}
	if c.parts < c.want {
		return m, AnswerNone, 0, false
	}
	return m, AnswerNone, c.pop(fl), true
}

// expected is how many confirmations the head will get: one for each channel, and for an UNSUBSCRIBE without channels
// one for each subscription, at least one.
func (c *Conv) expected(e *Entry) uint32 {
	if n := c.frontNames(); n > 0 {
		return uint32(n)
	}
	if c.state == nil {
		return 1
	}
	return uint32(max(1, len(c.state.subs[subscriptionKind(e.cmd)])))
}

// frontNames is how many channels the head names.
func (c *Conv) frontNames() int {
	var array [16][]byte
	args, _ := Args(c.flight.frontBytes(), array[:0])
	return len(args) - 1
}

// subscribe commits one confirmation frame.
func (c *Conv) subscribe(cmd Command, frame []byte) {
	var array [4][]byte
	elements, _ := Elements(frame, array[:0])
	name, kind := arg(elements, 1), subscriptionKind(cmd)
	if subscribes(cmd) {
		c.edit().subs[kind].add(name)
	} else if c.state != nil {
		c.state.subs[kind].remove(name)
	}
	c.tidy()
}

// Refusal says that an error reply proves two things: the command was not executed, and the node that said it is not
// a master (any more). Errors raised inside a script are final: earlier effects of the script may stand.
func Refusal(frame []byte) bool {
	for _, p := range refusals {
		if bytes.HasPrefix(frame, p) {
			return !bytes.Contains(frame, []byte(" script: "))
		}
	}
	return false
}

// The reply to CLIENT UNBLOCK begins with UNBLOCKED as well, but it is an answer like any other.
var refusals = [...][]byte{
	[]byte("-READONLY "), []byte("-LOADING "), []byte("-MASTERDOWN "), []byte("-UNBLOCKED force unblock"), []byte("-REDIRECT "),
}

var (
	execAbort   = []byte("-EXECABORT ")
	execBecause = []byte("-EXECABORT Transaction discarded because of: ")
)

// runsScript says that the reply is made by a script of the client's.
func (c Command) runsScript() bool {
	name := c.Spec().Name
	return strings.HasPrefix(name, "eval") || strings.HasPrefix(name, "fcall")
}

// proof says that an error reply to e is a refusal. A script can return any error text after any effect, so its errors
// prove nothing; EXEC wraps the refusal, or aborts because a command of its block was refused.
func (c *Conv) proof(e *Entry, frame []byte) bool {
	switch {
	case e.act != ActForward || e.cmd.runsScript():
		return false
	case e.cmd != CmdExec:
		return Refusal(frame)
	case c.refused > 0:
		return bytes.HasPrefix(frame, execAbort)
	}
	why, ok := bytes.CutPrefix(frame, execBecause)
	return ok && (bytes.HasPrefix(why, []byte("READONLY ")) || bytes.HasPrefix(why, []byte("LOADING ")) ||
		bytes.HasPrefix(why, []byte("MASTERDOWN ")))
}
