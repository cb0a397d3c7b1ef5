package resp

// Conv is what one client connection and its backend owe each other: the requests that are unanswered and the state
// that the server has confirmed. It is pure: the session feeds it requests and reply frames and does what it says.
//
// Two views are kept apart. What the server has confirmed is in state and lags behind; what the client has asked for,
// up to its newest request, is in the fields from reply on.
//
// Invariants: flight == nil exactly while nothing is unanswered; state == nil while everything is as on a fresh
// connection; phantom implies inBlock; skip > 0 only while the head is a (un)subscribe command.
type Conv struct {
	flight   *Flight
	state    *State
	queued   uint64 // bytes queued to the current backend connection since its replay
	parts    uint32 // frames of the head's reply seen so far: (un)subscribe confirmations
	want     uint32 // frames the head's reply has; 0 until the first
	skip     uint32 // confirmations to swallow: the client saw them before the connection moved
	refused  uint32 // entries from the head on whose replies were withheld, the head having been refused
	replayed uint32 // commands of the open block in the last replay
	resumed  uint32 // the loop's clock in ticks at the last Resume
	own      uint64 // the id by which the client knows its connection
	answered uint32 // when the request that was answered last had been taken
	era      uint16 // the mark of cursors that the present server gives out; 0: they have none
	blind    bool   // behind a refused head, replies can no longer be told apart
	wrote    bool   // a write went to the current backend connection
	moved    bool   // the backend connection was replaced after a write: WAIT would lie

	reply   replyMode // what CLIENT REPLY chose; the server never hears of it
	doom    Answer    // what the next EXEC is told instead of being executed
	inBlock bool      // MULTI was taken from the client and its EXEC was not
	phantom bool      // ... and no server knows of that block: EXEC can only be aborted
}

// replyMode is what CLIENT REPLY chose. It is kept here and not sent on: a server that answers every request leaves
// nothing to guess when it is lost, and a reply that nobody wants is dropped on its way.
type replyMode uint8

const (
	replyOn replyMode = iota
	replyOff
	replySkip // the next command's answer is dropped
)

// Meaning is what a reply frame is to the client.
type Meaning uint8

const (
	// Deliver the frame as it is.
	Deliver Meaning = iota
	// Swallow the frame: the client has seen its like, does not want it, or must not see it yet.
	Swallow
	// Rename the frame: Renamed says what stands in place of its beginning.
	Rename
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

// Special says that replies need the careful path.
func (c *Conv) Special() bool { return c.phantom || (c.state != nil && c.state.special) }

// Listening says that the server may send without being asked: the connection must be moved at once, not at its
// next request.
func (c *Conv) Listening() bool {
	return c.state != nil && (c.state.subscribed() || c.state.tracking != nil)
}

// Subscribed says that the server may send messages of channels.
func (c *Conv) Subscribed() bool { return c.state != nil && c.state.subscribed() }

// Movable says that the connection can be made again on another backend without the client being deceived. It cannot
// while its cache is invalidated through a connection that only the lost server could name.
func (c *Conv) Movable() bool { return c.state == nil || !c.state.bound }

// Take records a request that goes to the backend whole.
func (c *Conv) Take(fl *Flights, cmd Command, req []byte, at uint32) {
	c.queued += uint64(len(req))
	c.push(fl, cmd, c.queued, req, at)
}

// TakeAs is Take for a request that was translated: sent bytes went to the backend in its place.
func (c *Conv) TakeAs(fl *Flights, cmd Command, req []byte, sent int, at uint32) {
	c.queued += uint64(sent)
	e := c.push(fl, cmd, c.queued, req, at)
	if cmd >= CmdScan && cmd <= CmdZscan && !c.inBlock {
		e.marks |= markNamed
	}
}

// TakeBig records a request whose bytes are forwarded as they come and not kept.
func (c *Conv) TakeBig(fl *Flights, cmd Command, at uint32) {
	c.push(fl, cmd, endOpen, nil, at)
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
	e := c.enqueue(fl, cmd, c.queued, nil, at)
	e.act, e.answer = act, a
	c.hush(e)
}

// push records a request that the backend answers.
func (c *Conv) push(fl *Flights, cmd Command, end uint64, req []byte, at uint32) *Entry {
	e := c.enqueue(fl, cmd, end, req, at)
	if c.reply != replyOn {
		c.hush(e)
	}
	return e
}

func (c *Conv) enqueue(fl *Flights, cmd Command, end uint64, req []byte, at uint32) *Entry {
	if c.flight == nil {
		c.flight = fl.take()
	}
	e := c.flight.push(req)
	e.end, e.at, e.cmd = end, at, cmd
	return e
}

// hush marks an entry whose answer CLIENT REPLY OFF or SKIP drops. RESET ends OFF and is heard.
func (c *Conv) hush(e *Entry) {
	switch {
	case c.reply == replyOn:
	case e.cmd == CmdClientReply && e.act == ActLocal && e.answer == AnswerNone:
	case c.reply == replySkip:
		c.reply = replyOn
		e.marks |= markMute
	case e.cmd == CmdReset:
		c.reply = replyOn
	default:
		e.marks |= markMute
	}
}

func (c *Conv) pop(fl *Flights) Command {
	e := c.flight.front()
	cmd := e.cmd
	c.answered = e.at
	c.flight.pop()
	c.parts, c.want, c.skip = 0, 0, 0
	if c.flight.Len() == 0 {
		fl.put(c.flight)
		c.flight = nil
	}
	return cmd
}

// AnsweredAt is when the request that was answered last had been taken from the client.
func (c *Conv) AnsweredAt() uint32 { return c.answered }

// Front describes the oldest unanswered request.
func (c *Conv) Front() (cmd Command, act Act, a Answer, ok bool) {
	if c.flight.Len() == 0 {
		return 0, 0, 0, false
	}
	e := c.flight.front()
	return e.cmd, e.act, e.answer, true
}

// Settle removes the head when it needs no frame from the backend. It returns the answer to give (AnswerNone: none)
// and whether a head was removed; call it until ok is false.
func (c *Conv) Settle(fl *Flights) (cmd Command, act Act, a Answer, ok bool) {
	if c.flight == nil {
		return 0, 0, 0, false
	}
	e := c.flight.front()
	if e.awaited() {
		return 0, 0, 0, false
	}
	act, a = e.act, e.answer
	if e.is(markMute) {
		a = AnswerNone
	}
	return c.pop(fl), act, a, true
}
