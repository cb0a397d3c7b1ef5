package resp

// Conv is what one client connection and its backend owe each other: the requests that are unanswered and the state
// that the server has confirmed. It is pure: the session feeds it requests and reply frames and does what it says.
//
// Invariants: flight == nil exactly while nothing is unanswered; state == nil while everything is as on a fresh
// connection; the head of the flight is never an entry that needs no reply (settle removes those).
type Conv struct {
	flight  *Flight
	state   *State
	queued  uint64 // bytes queued to the current backend connection since it was made
	parts   uint32 // frames of the head's reply seen so far: (un)subscribe confirmations
	want    uint32 // frames the head's reply has; 0 until the first
	skip    uint32 // confirmations to swallow: the client saw them before the connection moved
	refused uint32 // entries from the head on that the backend has refused
	wrote   bool   // a write went to the current backend connection
	moved   bool   // the backend connection was replaced after a write: WAIT would lie
	inBlock bool   // MULTI was taken from the client and its EXEC was not: the view from the client's side
}

// Meaning is what a reply frame is to the client.
type Meaning uint8

const (
	// Deliver the frame as it is.
	Deliver Meaning = iota
	// Swallow the frame; the client has seen its like before.
	Swallow
	// Replace the frame with the answer that Frame returned.
	Replace
	// Refuse: the backend says that it is not a master, so the request was not executed. The frame is not delivered
	// and the request stays unanswered.
	Refuse
	// Stray: a reply that no request asked for. It is delivered and the connection ends after it.
	Stray
	// LeaveFraming: delivered, and from here on bytes are opaque (MONITOR).
	LeaveFraming
)

// Unanswered is the number of requests that wait for a reply.
func (c *Conv) Unanswered() int { return c.flight.Len() }

// Full says that no more requests may be taken before replies arrive.
func (c *Conv) Full() bool { return c.flight.full() }

// Proto is the protocol version that the server has confirmed.
func (c *Conv) Proto() uint8 {
	if c.state == nil {
		return 2
	}
	return c.state.proto
}

// Special says that requests and replies need the careful path.
func (c *Conv) Special() bool { return c.inBlock || (c.state != nil && c.state.special) }

// Listening says that the server may send without being asked: the connection must be moved at once, not at its
// next request.
func (c *Conv) Listening() bool {
	return c.state != nil && (c.state.subscribed() || c.state.tracking != nil)
}

// Take records a request that goes to the backend whole.
func (c *Conv) Take(fl *Flights, cmd Command, req []byte, at uint32) {
	c.queued += uint64(len(req))
	c.push(fl, Entry{end: c.queued, at: at, cmd: cmd}, req)
}

// TakeBig records a request whose bytes are forwarded as they come and not kept.
func (c *Conv) TakeBig(fl *Flights, cmd Command, at uint32) {
	c.push(fl, Entry{end: endOpen, at: at, cmd: cmd}, nil)
}

// Streamed counts n forwarded bytes of the newest request, which TakeBig recorded; done closes it.
func (c *Conv) Streamed(n int, done bool) {
	c.queued += uint64(n)
	if done && c.flight.Len() > 0 {
		c.flight.entries[len(c.flight.entries)-1].end = c.queued
	}
}

// TakeLocal records a request that the backend does not see as it is: see Act.
func (c *Conv) TakeLocal(fl *Flights, cmd Command, act Act, a Answer, at uint32) {
	if act == ActDiscard {
		c.queued += uint64(len(discardRequest))
	}
	c.push(fl, Entry{end: c.queued, at: at, cmd: cmd, act: act, answer: a}, nil)
}

func (c *Conv) push(fl *Flights, e Entry, req []byte) {
	if c.flight == nil {
		c.flight = fl.take()
	}
	c.flight.push(e, req)
}

func (c *Conv) pop(fl *Flights) Command {
	cmd := c.flight.front().cmd
	c.flight.pop()
	c.parts, c.want = 0, 0
	if c.flight.Len() == 0 {
		fl.put(c.flight)
		c.flight = nil
	}
	return cmd
}

// Front describes the oldest unanswered request.
func (c *Conv) Front() (cmd Command, act Act, a Answer, ok bool) {
	if c.flight.Len() == 0 {
		return 0, 0, 0, false
	}
	e := c.flight.front()
	return e.cmd, e.act, e.answer, true
}

// Settle removes the head when it needs no frame from the backend: a local answer, or a command that has no reply.
// It returns the answer to give (AnswerNone: none) and whether a head was removed; call it until ok is false.
func (c *Conv) Settle(fl *Flights) (cmd Command, act Act, a Answer, ok bool) {
	if c.flight.Len() == 0 {
		return 0, 0, 0, false
	}
	e := c.flight.front()
	if e.act == ActLocal || e.act == ActQuit {
		act, a = e.act, c.audible(e.answer)
		return c.pop(fl), act, a, true
	}
	if !c.silent(e) {
		return 0, 0, 0, false
	}
	return c.pop(fl), ActForward, AnswerNone, true
}

// audible drops an answer that the client has asked not to hear.
func (c *Conv) audible(a Answer) Answer {
	if c.state == nil || c.state.reply == replyOn {
		return a
	}
	if c.state.reply == replySkip {
		c.state.reply = replyOn
		c.state.settle()
	}
	return AnswerNone
}

// silent says whether the head has no reply at all, and commits what it did.
func (c *Conv) silent(e *Entry) bool {
	if e.end == endOpen {
		return false
	}
	if e.cmd == CmdClientReply {
		return c.commitReplyMode()
	}
	if e.cmd == CmdReplconf || c.state == nil || c.state.reply == replyOn {
		return false
	}
	if subscriptionKind(e.cmd) >= 0 || e.cmd == CmdReset {
		return false
	}
	if c.state.reply == replySkip {
		c.state.reply = replyOn
		c.state.settle()
	}
	return true
}

// Extra is how many elements more (or fewer) the next reply has than its header says: EXEC of queued SUBSCRIBEs.
func (c *Conv) Extra() int64 {
	if c.state == nil || c.state.execSubs == 0 || c.flight.Len() == 0 || c.flight.front().cmd != CmdExec {
		return 0
	}
	if c.state.proto == 3 {
		return -int64(c.state.execSubs)
	}
	return int64(c.state.execFrames - c.state.execSubs)
}

// Plain says that a frame which begins with first is simply the reply of the head, and removes the head.
// It is the whole of the reply path for ordinary commands.
func (c *Conv) Plain(fl *Flights, first byte) (Command, bool) {
	f := c.flight
	if f == nil || first == '-' || first == '>' || c.refused != 0 || (c.state != nil && c.state.special) {
		return 0, false
	}
	e := f.front()
	if e.act != ActForward || e.cmd.Spec().Flags&Stateful != 0 {
		return 0, false
	}
	return c.pop(fl), true
}

// Frame gives the meaning of one top-level frame. first is its type, frame its bytes (of a big frame only the
// beginning). done says that the head was answered by it; cmd is then its command.
func (c *Conv) Frame(fl *Flights, first byte, frame []byte) (m Meaning, a Answer, cmd Command, done bool) {
	if c.outOfBand(first, frame) {
		return Deliver, AnswerNone, 0, false
	}
	if c.flight.Len() == 0 {
		return Stray, AnswerNone, 0, false
	}
	if c.refused > 0 || (first == '-' && Refusal(frame)) {
		return c.refuse(first, frame)
	}
	e := c.flight.front()
	if subscriptionKind(e.cmd) >= 0 && first != '-' && !c.blockOpen() {
		return c.confirmation(fl, e, frame)
	}
	a, m = e.answer, Deliver
	if e.act == ActDiscard {
		m = Replace
	}
	if c.commit(e, first, frame) == CmdMonitor {
		m = LeaveFraming
	}
	return m, a, c.pop(fl), true
}

// blockOpen: the server queues the head instead of executing it.
func (c *Conv) blockOpen() bool { return c.state != nil && c.state.multi }

// outOfBand: the frame belongs to no request. In RESP3 that is a push which is no (un)subscribe confirmation, in RESP2
// a message in subscribed mode.
func (c *Conv) outOfBand(first byte, frame []byte) bool {
	if first != '>' && (first != '*' || c.Proto() == 3 || c.state == nil || !(c.state.subscribed() || c.state.tracking != nil)) {
		return false
	}
	switch pushKind(frame) {
	case pushMessage:
		return true
	case pushConfirm:
		return c.flight.Len() == 0 || subscriptionKind(c.flight.front().cmd) < 0
	}
	return first == '>'
}

// refuse marks the next unrefused entry as not executed, and everything behind it as undeliverable: the replies of a
// connection are in order, so nothing behind a refused request can be told before it is executed elsewhere.
func (c *Conv) refuse(first byte, frame []byte) (Meaning, Answer, Command, bool) {
	i := c.flight.head + int(c.refused)
	if i >= len(c.flight.entries) {
		return Swallow, AnswerNone, 0, false
	}
	c.flight.entries[i].again = first == '-' && Refusal(frame)
	c.refused++
	return Refuse, AnswerNone, 0, false
}

// confirmation counts one frame of a (un)subscribe command.
func (c *Conv) confirmation(fl *Flights, e *Entry, frame []byte) (Meaning, Answer, Command, bool) {
	if c.want == 0 {
		c.want = c.expected(e)
	}
	c.subscribe(e.cmd, frame)
	c.parts++
	m := Deliver
	if c.skip > 0 {
		c.skip--
		m = Swallow
	}
	if c.parts < c.want {
		return m, AnswerNone, 0, false
	}
	return m, AnswerNone, c.pop(fl), true
}
