package resp

import "bytes"

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

// expected is how many confirmations the head will get: one for each channel, and for an UNSUBSCRIBE without channels
// one for each subscription, at least one.
func (c *Conv) expected(e *Entry) uint32 {
	var array [16][]byte
	args, _ := Args(c.flight.frontBytes(), array[:0])
	if len(args) > 1 {
		return uint32(len(args) - 1)
	}
	if c.state == nil {
		return 1
	}
	return uint32(max(1, len(c.state.subs[subscriptionKind(e.cmd)].names)))
}

// subscribe commits one confirmation frame.
func (c *Conv) subscribe(cmd Command, frame []byte) {
	var array [4][]byte
	elements, _ := Elements(frame, array[:0])
	name, kind := arg(elements, 1), subscriptionKind(cmd)
	switch cmd {
	case CmdSubscribe, CmdPsubscribe, CmdSsubscribe:
		c.edit().subs[kind].add(name)
	default:
		if c.state != nil {
			c.state.subs[kind].remove(name)
		}
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

var refusals = [...][]byte{[]byte("-READONLY "), []byte("-LOADING "), []byte("-MASTERDOWN "), []byte("-UNBLOCKED "), []byte("-REDIRECT ")}
