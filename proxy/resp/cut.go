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

// TicksPerMs is the resolution of the clock that is handed to Take and its relatives: a tick is 62.5 us. Finer than a
// turn of a busy server's event loop, and a uint32 of it wraps after three days, longer than any time-out in use.
const TicksPerMs = 16

// blockedAfter is how long a blocking command must have waited to be taken as still blocked when its backend is lost.
// A pop that was answered is answered within a round trip; after 50 ms the reply would be here.
const blockedAfter = 50 * TicksPerMs

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
// block may have been executed, spoilt what that EXEC is told if it is not to be executed.
type cutter struct {
	c      *Conv
	policy Policy
	sent   uint64 // bytes the backend's kernel accepted
	now    uint32
	clean  bool
	wrote  bool // the client has written on this connection or an earlier one
	block  bool
	sealed bool
	spoilt Answer
	choice int  // where CLIENT CACHING stands that counts for the next command
	watch  bool // the next EXEC would depend on keys that were watched on the lost connection
	behind bool // a write of unknown outcome precedes: no later write is sent again, executed before or not
	writes bool // a write that is sent again precedes
	counts CutCounts
}

// Cut classifies every unanswered request after the backend was read to its end. unsent is the number of queued bytes
// that the backend's kernel has not accepted, now the loop's clock in ticks. clean says that the backend ended
// the connection by itself after our half-close, so nothing unanswered was executed.
//
// Afterwards every entry is either local, answered in its turn, or waits for Resume.
func (c *Conv) Cut(policy Policy, unsent int, now uint32, clean bool) CutCounts {
	sent := c.queued - min(c.queued, uint64(unsent))
	k := cutter{c: c, policy: policy, sent: sent, now: now, clean: clean, wrote: c.wrote || c.moved, choice: c.choice()}
	c.keepSkip()
	k.walk()
	c.moved, c.wrote = c.moved || c.wrote, false
	c.tidy()
	return k.counts
}

func (k *cutter) walk() {
	if s := k.c.state; s != nil {
		k.watch = s.watching
	}
	f := k.c.flight
	if k.c.blockOpen() {
		if k.openBlock(0, k.c.state); k.sealed {
			k.c.state.endBlock()
		}
	}
	for i, off := 0, 0; i < f.Len(); i++ {
		e := &f.live()[i]
		end := off + int(e.size)
		switch e.act {
		case ActForward:
			k.entry(i, e, f.kept[f.keptHead+off:f.keptHead+end])
		case ActDiscard:
			k.block, k.watch = false, false
		}
		k.follow(i, e)
		off = end
	}
	if k.block && k.spoilt != AnswerNone {
		k.c.spoilBlock(k.spoilt)
	}
	if k.watch && k.c.doom == AnswerNone {
		k.c.doom = AnswerNull
	}
}

// openBlock begins a block whose next entry is i; s holds what is queued of it already, if anything is.
func (k *cutter) openBlock(i int, s *State) {
	k.block, k.spoilt = true, AnswerNone
	k.sealed = false
	if k.execMayHaveRun(i) {
		k.sealed = !k.blockRepeatable(i, s)
		k.doubt(i)
	}
	if s != nil && s.block.lost {
		k.spoilt = AnswerExecAbort
	}
}

func (k *cutter) maybeRan(e *Entry) bool { return e.end <= k.sent && !e.is(markAgain) && !k.clean }

func (k *cutter) entry(i int, e *Entry, req []byte) {
	if e.cmd == CmdReset || e.cmd == CmdUnwatch && !k.block {
		k.watch = false
	}
	switch {
	case k.block:
		k.inBlock(e, req)
	case e.cmd == CmdMulti:
		if k.openBlock(i+1, nil); k.sealed {
			k.local(e, AnswerOK)
		} else {
			k.counts.NeverSent++
		}
	case e.is(markAgain):
		k.notRun(e, req, &k.counts.Refused)
	case !k.maybeRan(e):
		k.notRun(e, req, &k.counts.NeverSent)
	default:
		k.unknown(i, e, req)
	}
}

// notRun: the lost backend did not execute the entry.
func (k *cutter) notRun(e *Entry, req []byte, count *int) {
	switch {
	case e.cmd == CmdWait || e.cmd == CmdWaitaof:
		k.wait(e, req, count)
	case k.behind && changes(e.cmd, req), e.size == 0:
		k.abandon(e)
	default:
		k.again(e, req, count)
	}
}

// abandon answers an entry that is not sent again, although it was not executed by this backend.
func (k *cutter) abandon(e *Entry) {
	if e.is(markUnsure) {
		k.fail(e, true)
		return
	}
	k.local(e, AnswerNotExecuted)
	k.counts.Aborted++
}

func (k *cutter) unknown(i int, e *Entry, req []byte) {
	writes := changes(e.cmd, req)
	switch {
	case e.cmd == CmdWait || e.cmd == CmdWaitaof:
		k.wait(e, req, &k.counts.Retried)
	case k.behind && writes:
		k.fail(e, true) // executed again without the one before it, the pipeline would have a hole
	case !k.mayRepeat(classOf(e.cmd, req)) && !k.stillBlocked(i, e, req):
		k.fail(e, writes)
	case e.size == 0 && writes:
		k.fail(e, true)
	case e.size == 0:
		k.abandon(e)
	default:
		if writes {
			e.marks |= markUnsure
		}
		k.again(e, req, &k.counts.Retried)
	}
}

// mayRepeat says whether the policy lets a request of unknown outcome be executed once more.
func (k *cutter) mayRepeat(class Class) bool {
	switch class {
	case SessionState:
		return true
	case Read, ReadLocal, BlockRead:
		return k.policy >= RetryReads
	case WriteSame, WriteState:
		return k.policy >= RetryIdempotent
	case WriteOnce, Conditional, Script, BlockWrite, ClassUnknown:
		return k.policy == RetryAll
	}
	return false
}

// stillBlocked says that a command which waits for data has waited for so long that its reply would be here. Only the
// head of the flight is known to have begun.
func (k *cutter) stillBlocked(i int, e *Entry, req []byte) bool {
	since := e.at
	if e.is(markResent) {
		since = k.c.resumed
	}
	return k.policy >= RetryReads && i == 0 && classOf(e.cmd, req) == BlockWrite && k.now-since >= blockedAfter
}

// wait: WAIT asks for the connection's last write. If that went to the lost backend, the next one knows nothing of it
// and would confirm anything.
func (k *cutter) wait(e *Entry, req []byte, count *int) {
	if k.wrote && !k.writes || e.size == 0 {
		k.local(e, waitAnswer(e.cmd))
		*count++
		return
	}
	k.again(e, req, count)
}

// again leaves the entry for Resume.
func (k *cutter) again(e *Entry, req []byte, count *int) {
	k.writes = k.writes || changes(e.cmd, req)
	*count++
}

func (k *cutter) fail(e *Entry, writes bool) {
	k.local(e, AnswerUnknown)
	k.counts.Unknown++
	k.behind = k.behind || writes
}

func (k *cutter) local(e *Entry, a Answer) { e.act, e.answer = ActLocal, a }

// keepSkip remembers how many confirmations of a (un)subscribe command the client has. An UNSUBSCRIBE of everything
// goes on where it stopped: the channels it has confirmed are not subscribed again.
func (c *Conv) keepSkip() {
	c.skip = max(c.skip, c.parts)
	if c.skip > 0 && c.frontNames() == 0 {
		c.skip = 0
	}
	c.parts, c.want, c.refused, c.blind = 0, 0, 0, false
}

// doomBlock lets the EXEC of the block that the server has open be answered instead of executed, be it in flight or not
// sent by the client yet.
func (c *Conv) doomBlock(a Answer) {
	for i, live := 0, c.flight.live(); i < len(live); i++ {
		e := &live[i]
		switch {
		case e.act == ActDiscard:
			return
		case e.act != ActForward:
		case e.cmd == CmdExec:
			e.discard(a)
			return
		case e.cmd == CmdDiscard, e.cmd == CmdReset:
			return
		}
	}
	c.spoilBlock(a)
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
	if class != Conditional && class != Script && cmd.Spec().Flags&Blocking == 0 || len(req) == 0 {
		return class
	}
	var array [16][]byte
	args, ok := Args(req, array[:0])
	if !ok {
		return class
	}
	return cmd.ClassOf(args)
}

// changes says whether the command may change data.
func changes(cmd Command, req []byte) bool { return classOf(cmd, req).writes() }
