package resp

// execMayHaveRun looks from entry i on for the EXEC that ends the block there.
func (k *cutter) execMayHaveRun(i int) bool {
	for live := k.c.flight.live(); i < len(live); i++ {
		e := &live[i]
		switch {
		case e.act == ActDiscard:
			return false
		case e.act != ActForward:
		case e.cmd == CmdExec:
			return k.maybeRan(e)
		case e.cmd == CmdDiscard, e.cmd == CmdReset:
			return false
		}
	}
	return false
}

// blockRepeatable says whether a block that may have been executed is executed once more: all of it is kept and the
// policy allows it for each command. A block that hangs on watched keys is never repeated, because what they were
// compared with is gone, and never one behind a write of unknown outcome.
func (k *cutter) blockRepeatable(i int, s *State) bool {
	if k.behind || k.watch {
		return false
	}
	if s != nil && (s.block.lost || !k.queueRepeatable(s.block.queue)) {
		return false
	}
	f, off := k.c.flight, 0
	for j := range f.live() {
		e := &f.live()[j]
		req := f.kept[f.keptHead+off : f.keptHead+off+int(e.size)]
		off += int(e.size)
		switch {
		case j < i, e.act != ActForward:
		case e.cmd == CmdExec:
			return true
		case e.size == 0 || !k.mayRepeat(classOf(e.cmd, req)):
			return false
		}
	}
	return true
}

func (k *cutter) queueRepeatable(queue []byte) bool {
	var r Request
	for len(queue) > 0 {
		n, v := r.Scan(queue)
		if v != Whole || !k.mayRepeat(classOf(r.Command(), queue[:n])) {
			return false
		}
		queue = queue[n:]
	}
	return true
}

// doubt marks a block that may have been executed and may change data, from entry i to its EXEC.
func (k *cutter) doubt(i int) {
	if k.policy < RetryIdempotent {
		return // only reads are repeated
	}
	for live := k.c.flight.live(); i < len(live); i++ {
		e := &live[i]
		e.marks |= markUnsure
		if e.cmd == CmdExec {
			return
		}
	}
}

// inBlock: a queued command did nothing yet; the whole block stands or falls with its EXEC.
func (k *cutter) inBlock(e *Entry, req []byte) {
	switch e.cmd {
	case CmdExec:
		k.endExec(e)
		return
	case CmdDiscard, CmdReset:
		k.block, k.watch = false, false
	default:
		if k.sealed {
			k.local(e, AnswerQueued)
			return
		}
	}
	if e.size == 0 {
		k.spoilt = AnswerExecAbort
		k.abandon(e)
		return
	}
	k.again(e, req, &k.counts.NeverSent)
}

// endExec decides about an EXEC in flight.
func (k *cutter) endExec(e *Entry) {
	watch := k.watch
	k.block, k.watch = false, false
	switch {
	case k.sealed:
		k.fail(e, true)
		if watch {
			k.c.state.watching = false // executed or not, EXEC ended the watch
		}
	case watch:
		e.discard(AnswerNull)
		k.counts.Aborted++
	case k.spoilt == AnswerNone && k.behind:
		k.spoilt = AnswerExecAbort
		fallthrough
	case k.spoilt != AnswerNone:
		e.discard(k.spoilt)
		k.counts.Aborted++
	case e.is(markAgain):
		k.counts.Refused++
	case k.maybeRan(e):
		k.counts.Retried++
	default:
		k.counts.NeverSent++
	}
}

// discard lets an EXEC be answered instead of executed. What may have been executed before is never called undone.
func (e *Entry) discard(a Answer) {
	e.act, e.answer = ActDiscard, a
	if e.is(markUnsure) {
		e.answer = AnswerUnknown
	}
}

// GiveUp answers everything that still waits for a backend as not executed: the hold budget is spent. Only for a
// connection that has no backend, so that nothing of it can be executed any more. A block stays open for the client,
// as a phantom: its EXEC will be told the truth.
//
// A (un)subscribe command that the client holds a part of the answer to cannot be given up; it waits on, and all behind
// it.
//
// unknown is how many were answered as of unknown outcome all the same: they were sent again after one backend may have executed
// them, so that Cut has not counted them as such.
func (c *Conv) GiveUp() (unknown int) {
	if c.skip > 0 {
		return 0
	}
	block, ended := c.blockOpen(), false
	live := c.flight.live()
	for i := range live {
		if usesCaching(live[i].cmd) {
			c.forgo(c.choice())
		}
		if live[i].awaited() {
			before := block
			block = live[i].giveUp(before)
			ended = ended || before && !block
			if live[i].answer == AnswerUnknown {
				unknown++
			}
		}
	}
	if s := c.state; s != nil && (s.multi || ended) {
		watching := s.watching && !ended
		s.endBlock()
		s.watching = watching
		c.tidy()
	}
	if block {
		c.inBlock, c.phantom = true, true
	}
	c.tidy()
	return unknown
}

// giveUp makes the entry local. block says whether it stands in a block; the result, whether the next one does.
func (e *Entry) giveUp(block bool) bool {
	if e.act == ActDiscard {
		e.act = ActLocal
		return false
	}
	e.act, e.answer = ActLocal, AnswerNotExecuted
	switch {
	case e.is(markUnsure) && block && e.cmd != CmdExec:
		e.answer = AnswerQueued
		return true
	case e.is(markUnsure):
		e.answer = AnswerUnknown
		return false
	case e.cmd == CmdMulti && !block:
		e.answer = AnswerOK
		return true
	case e.cmd == CmdExec && block:
		e.answer = AnswerExecAbort
		return false
	case e.cmd == CmdDiscard && block:
		e.answer = AnswerOK
		return false
	}
	return block
}
