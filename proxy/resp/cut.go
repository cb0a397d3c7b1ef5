package resp

// Policy says which requests of unknown outcome are sent again on the new master.
type Policy uint8

const (
	// Fail: none, every unknown request is answered with UNKNOWNRESULT.
	Fail Policy = iota
	// RetryReads: those that change nothing. The default.
	RetryReads
	// RetryIdempotent: also writes that leave the same state when executed twice; not linearizable.
	RetryIdempotent
	// RetryAll: everything but commands of control.
	RetryAll
)

// blockedAfterMs is how long a blocking command must have waited to be taken as still blocked when its backend is
// lost. A pop that was answered is answered within a round trip; after this time the reply would be here.
const blockedAfterMs = 50

// CutCounts is what became of the unanswered requests of a lost backend connection.
type CutCounts struct {
	NeverSent int // the backend cannot have seen the whole request: sent again
	Refused   int // the backend said that it did not execute it: sent again
	Retried   int // outcome unknown, but the policy allows to send it again
	Unknown   int // answered with UNKNOWNRESULT
	Aborted   int // answered as surely not executed
}

// Add sums two counts.
func (a *CutCounts) Add(b CutCounts) {
	a.NeverSent += b.NeverSent
	a.Refused += b.Refused
	a.Retried += b.Retried
	a.Unknown += b.Unknown
	a.Aborted += b.Aborted
}

// cutter walks over the flight of a lost connection, oldest first.
//
// Invariant: block says whether the server would queue the entry at hand; sealed says that the EXEC which ends that
// block may have been executed.
type cutter struct {
	c      *Conv
	policy Policy
	sent   uint64 // bytes the backend's kernel accepted
	now    uint32
	clean  bool
	block  bool
	sealed bool
	behind bool // a write of unknown outcome precedes: later writes must not be executed without it
	counts CutCounts
}

// Cut classifies every unanswered request after the backend was read to its end. unsent is the number of queued bytes
// that the backend's kernel has not accepted, now the loop's clock in milliseconds. clean says that the backend ended
// the connection by itself after our half-close, so nothing unanswered was executed.
//
// Afterwards every entry is either local, answered in its turn, or waits for Resume.
func (c *Conv) Cut(policy Policy, unsent int, now uint32, clean bool) CutCounts {
	k := cutter{c: c, policy: policy, sent: c.queued - uint64(unsent), now: now, clean: clean}
	if f := c.flight; f != nil {
		k.block = c.blockOpen()
		k.sealed = k.block && k.execMayHaveRun(f.head)
		if k.sealed {
			c.state.endBlock()
		}
		kept := f.kept[f.keptHead:]
		for i := f.head; i < len(f.entries); i++ {
			e := &f.entries[i]
			if e.act == ActForward {
				k.entry(i, e, kept[:e.size])
			}
			kept = kept[e.size:]
		}
	}
	c.lose()
	return k.counts
}

// execMayHaveRun looks from entry i on for the EXEC that ends the block there.
func (k *cutter) execMayHaveRun(i int) bool {
	for _, e := range k.c.flight.entries[i:] {
		switch e.cmd {
		case CmdExec:
			return e.act == ActForward && k.maybeRan(&e)
		case CmdDiscard, CmdReset:
			return false
		}
	}
	return false
}

func (k *cutter) maybeRan(e *Entry) bool { return e.end <= k.sent && !e.again && !k.clean }

func (k *cutter) entry(i int, e *Entry, req []byte) {
	switch {
	case k.block:
		k.inBlock(e)
	case e.cmd == CmdMulti:
		k.block, k.sealed = true, k.execMayHaveRun(i+1)
		if k.sealed {
			k.local(e, AnswerOK)
		}
	case e.again:
		k.again(e, &k.counts.Refused)
	case !k.maybeRan(e):
		k.neverSent(e, req)
	default:
		k.unknown(e, req)
	}
}

// inBlock: a queued command did nothing yet; the whole block stands or falls with its EXEC.
func (k *cutter) inBlock(e *Entry) {
	switch e.cmd {
	case CmdExec:
		k.block = false
		if k.sealed {
			k.fail(e)
			return
		}
	case CmdDiscard, CmdReset:
		k.block = false
	}
	if k.sealed && k.block {
		k.local(e, AnswerQueued)
		return
	}
	if e.size == 0 {
		k.c.edit().queueLost = true
	}
	k.again(e, &k.counts.NeverSent)
}

func (k *cutter) neverSent(e *Entry, req []byte) {
	if k.behind && changes(e.cmd, req) {
		k.local(e, AnswerNotExecuted)
		k.counts.Aborted++
		return
	}
	k.again(e, &k.counts.NeverSent)
}

func (k *cutter) unknown(e *Entry, req []byte) {
	if e.cmd == CmdWait || e.cmd == CmdWaitaof {
		k.local(e, waitAnswer(e.cmd))
		k.counts.Retried++
		return
	}
	if k.mayRepeat(classOf(e.cmd, req), e) {
		k.again(e, &k.counts.Retried)
		return
	}
	k.fail(e)
}

func (k *cutter) mayRepeat(class Class, e *Entry) bool {
	switch class {
	case SessionState:
		return true
	case Read, ReadLocal, BlockRead:
		return k.policy >= RetryReads
	case BlockWrite:
		return k.policy == RetryAll || (k.policy >= RetryReads && k.now-e.at >= blockedAfterMs)
	case WriteSame, WriteState:
		return k.policy >= RetryIdempotent
	case WriteOnce, Conditional, Script, ClassUnknown:
		return k.policy == RetryAll
	}
	return false
}

// again leaves the entry for Resume, or answers it as not executed when its bytes were not kept.
func (k *cutter) again(e *Entry, count *int) {
	if e.size == 0 {
		k.local(e, AnswerNotExecuted)
		k.counts.Aborted++
		return
	}
	*count++
}

func (k *cutter) fail(e *Entry) {
	k.local(e, AnswerUnknown)
	k.counts.Unknown++
	k.behind = true
}

func (k *cutter) local(e *Entry, a Answer) { e.act, e.answer = ActLocal, a }

// lose turns the state into what stays true without the lost connection.
func (c *Conv) lose() {
	c.skip, c.parts, c.want, c.refused = c.parts+c.skip, 0, 0, 0
	c.moved = c.moved || c.wrote
	c.wrote = false
	s := c.state
	if s == nil {
		return
	}
	switch {
	case s.watching:
		s.watchLost, s.execAnswer = true, AnswerNull
	case s.multi && s.queueLost && s.execAnswer == AnswerNone:
		s.execAnswer = AnswerExecAbort
	}
	c.spoilQueuedExec()
	c.tidy()
}

// spoilQueuedExec replaces an EXEC that waits to be sent again when its answer is already certain.
func (c *Conv) spoilQueuedExec() {
	if c.flight == nil || c.state.execAnswer == AnswerNone {
		return
	}
	for i := c.flight.head; i < len(c.flight.entries); i++ {
		e := &c.flight.entries[i]
		if e.act != ActForward {
			continue
		}
		switch e.cmd {
		case CmdExec:
			e.act, e.answer = ActDiscard, c.state.execAnswer
			return
		case CmdDiscard, CmdReset:
			return
		case CmdUnwatch:
			if !c.state.multi {
				return
			}
		}
	}
}

func waitAnswer(cmd Command) Answer {
	if cmd == CmdWaitaof {
		return AnswerZeroes
	}
	return AnswerZero
}

// classOf resolves the classes that depend on the arguments; without kept arguments the worst is assumed.
func classOf(cmd Command, req []byte) Class {
	class := cmd.Spec().Class
	if class != Conditional || len(req) == 0 {
		return class
	}
	var array [16][]byte
	args, ok := Args(req, array[:0])
	if !ok {
		return Conditional
	}
	return cmd.ClassOf(args)
}

// changes says whether the command may change data.
func changes(cmd Command, req []byte) bool {
	switch classOf(cmd, req) {
	case Read, ReadLocal, BlockRead, SessionState, Wait:
		return false
	}
	return true
}

// GiveUp answers everything that still waits for a backend as not executed: the hold budget is spent. Only for a
// connection that has no backend, so that nothing of it can have been executed.
func (c *Conv) GiveUp() {
	if c.flight == nil {
		return
	}
	for i := c.flight.head; i < len(c.flight.entries); i++ {
		e := &c.flight.entries[i]
		switch {
		case e.act == ActDiscard:
			e.act = ActLocal
		case e.act != ActForward:
		case e.cmd == CmdExec && c.state != nil && c.state.multi:
			e.act, e.answer = ActLocal, AnswerExecAbort
		default:
			e.act, e.answer = ActLocal, AnswerNotExecuted
		}
		if e.cmd == CmdExec && c.state != nil {
			c.state.endBlock()
			c.tidy()
		}
	}
	if c.state != nil && c.state.multi {
		c.state.execAnswer = AnswerExecAbort
		c.state.settle()
	}
}
