package resp

// Extra is how many elements more (or fewer) the next reply has than its header says: EXEC of queued SUBSCRIBEs.
func (c *Conv) Extra() int64 {
	if c.state == nil || c.state.block.extra == 0 || c.flight == nil {
		return 0
	}
	if e := c.flight.front(); e.cmd != CmdExec || e.act != ActForward {
		return 0
	}
	return int64(c.state.block.extra)
}

// Plain says that a frame which begins with first is simply the reply of the head, and removes the head.
// It is the whole of the reply path for ordinary commands.
func (c *Conv) Plain(fl *Flights, first byte) (Command, bool) {
	f := c.flight
	if f == nil || first == '-' || first == '>' || c.refused != 0 || (c.state != nil && c.state.special) {
		return 0, false
	}
	e := f.front()
	if e.act != ActForward || e.is(markMute|markNamed) || e.cmd.Spec().Flags&(Stateful|Scripted) != 0 {
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
	if c.flight == nil || !c.flight.front().awaited() {
		return Stray, AnswerNone, 0, false
	}
	e := c.flight.front()
	if c.refused > 0 || (first == '-' && c.proof(e, frame)) {
		return c.withhold(first, frame), AnswerNone, 0, false
	}
	if subscriptionKind(e.cmd) >= 0 && first != '-' && !c.blockOpen() {
		return c.confirmation(fl, e, frame)
	}
	a, m = AnswerNone, Deliver
	if e.act == ActDiscard {
		a, m = e.answer, Replace
	}
	if e.is(markMute) {
		a, m = AnswerNone, Swallow
	}
	switch {
	case m != Deliver || first == '-':
	case e.is(markNamed):
		c.markCursor(fl, frame)
		m = Rename
	case c.tellsID(e):
		c.rename(fl, e, frame)
		m = Rename
	}
	if e.cmd.Spec().Flags&Scripted != 0 && first != '-' {
		fl.lesson = lesson{cmd: e.cmd, req: c.flight.frontBytes()}
	}
	if c.commit(e, first, frame) == CmdMonitor {
		m = LeaveFraming
	}
	if e.cmd == CmdAuth || e.cmd == CmdHello {
		clear(c.flight.frontBytes()) // the buffer outlives the connection, the password must not
	}
	return m, a, c.pop(fl), true
}

// blockOpen: the server queues the head instead of executing it.
func (c *Conv) blockOpen() bool { return c.state != nil && c.state.multi }

// outOfBand: the frame belongs to no request. In RESP3 that is a push which is no (un)subscribe confirmation, in RESP2
// a message in subscribed mode.
func (c *Conv) outOfBand(first byte, frame []byte) bool {
	if first != '>' && (first != '*' || c.state == nil || c.state.proto == 3 || !c.state.subscribed()) {
		return false
	}
	switch pushKind(frame) {
	case pushMessage:
		return true
	case pushConfirm:
		return c.refused == 0 && (c.flight == nil || subscriptionKind(c.flight.front().cmd) < 0)
	}
	return first == '>'
}

// withhold keeps a reply from the client: the head was refused, and the replies of a connection are in order, so that
// nothing behind it can be told before it is executed elsewhere. It finds the entry that the frame answers and marks
// it if it was refused, too.
func (c *Conv) withhold(first byte, frame []byte) Meaning {
	live := c.flight.live()
	i := int(c.refused)
	for i < len(live) && !live[i].awaited() {
		i++
	}
	if i >= len(live) || c.blind {
		return Swallow
	}
	e, m := &live[i], Swallow
	if first == '-' && c.proof(e, frame) {
		e.marks |= markAgain
		m = Refuse
	}
	// Confirmations come in any number; what follows them cannot be attributed and stays of unknown outcome.
	c.blind = subscriptionKind(e.cmd) >= 0 && first != '-' && first != '+'
	c.refused = uint32(i + 1)
	return m
}
