package resp

import "bytes"

var discardRequest = []byte("*1\r\n$7\r\nDISCARD\r\n")

// Care is the set of commands whose admission needs more than forwarding, and of those a pool refuses.
type Care struct{ fate [commandCount]uint8 }

const (
	fateLook uint8 = 1 << iota // Admit must be asked
	fateDeny
	fateWrite
	fateSlow
	fateAcknowledge
	fateName
)

// NewCare prepares the fates for a deny list of command names ("SHUTDOWN", "CLIENT KILL", "CLUSTER" with everything
// in it). It returns the names that no table entry matches.
func NewCare(deny []string) (*Care, []string) {
	c := &Care{}
	for cmd := range Command(commandCount) {
		s := cmd.Spec()
		if s.Flags&Stateful != 0 || s.Class == Opaque || s.Class == Wait {
			c.fate[cmd] |= fateLook
		}
		if s.Class.writes() {
			c.fate[cmd] |= fateWrite | fateAcknowledge
		}
		if s.Flags&Slow != 0 {
			c.fate[cmd] |= fateSlow
		}
	}
	c.fate[CmdExec] |= fateAcknowledge
	for _, cmd := range [...]Command{CmdClientKill, CmdClientUnblock, CmdClientTracking, CmdClientList} {
		c.fate[cmd] |= fateLook | fateName
	}
	return c, c.deny(deny)
}

// RefuseCursors lets cursors of SCAN and its relatives be marked, so that those of an earlier master are refused.
func (c *Care) RefuseCursors() {
	for cmd := CmdScan; cmd <= CmdZscan; cmd++ {
		c.fate[cmd] |= fateLook | fateName
	}
}

// Named says that a request of the command must be translated before it is sent.
func (c *Care) Named(cmd Command) bool { return c.fate[cmd]&fateName != 0 }

// Acknowledges says that the reply to the command may confirm a change of data: its own, or for EXEC that of its whole block.
func (c *Care) Acknowledges(cmd Command) bool { return c.fate[cmd]&fateAcknowledge != 0 }

// writes says whether a command of the class may change data.
func (c Class) writes() bool {
	switch c {
	case Read, ReadLocal, BlockRead, SessionState, Wait:
		return false
	}
	return true
}

func (c *Care) deny(names []string) (unknown []string) {
	for _, name := range names {
		want, found := bytes.ToLower([]byte(name)), false
		want = bytes.ReplaceAll(want, []byte(" "), []byte("|"))
		for cmd := range Command(commandCount) {
			full := []byte(cmd.Spec().Name)
			if bytes.Equal(full, want) || bytes.HasPrefix(full, append(want[:len(want):len(want)], '|')) {
				c.fate[cmd] |= fateLook | fateDeny
				found = true
			}
		}
		if !found {
			unknown = append(unknown, name)
		}
	}
	return unknown
}

// Slow says that the command is known to run long.
func (c *Care) Slow(cmd Command) bool { return c.fate[cmd]&fateSlow != 0 }

// Forward is the short way of Admit: true for a request that simply goes to the backend.
func (c *Conv) Forward(care *Care, cmd Command) bool {
	fate := care.fate[cmd]
	if fate&fateLook != 0 || c.phantom {
		return false
	}
	c.wrote = c.wrote || fate&fateWrite != 0
	return true
}

// Admit decides how a request that the client has completed is answered. req is nil for a request that is forwarded as
// it comes and not kept.
func (c *Conv) Admit(care *Care, cmd Command, req []byte) (Act, Answer) {
	c.resync()
	fate := care.fate[cmd]
	switch {
	case fate&fateDeny != 0:
		return c.refuse(AnswerDenied)
	case c.phantom && cmd != CmdReset:
		return c.admitPhantom(cmd)
	case req == nil && (mustKeep(cmd) || fate&fateName != 0):
		return c.refuse(AnswerTooLarge)
	}
	switch cmd {
	case CmdMulti, CmdExec, CmdDiscard, CmdUnwatch, CmdReset:
		return c.admitBlockWords(cmd)
	case CmdQuit:
		return ActQuit, AnswerOK
	case CmdClientReply:
		return c.admitReply(req)
	case CmdClientCapa:
		return c.refuse(AnswerNoCapa)
	case CmdWait, CmdWaitaof:
		if c.moved && !c.wrote && !c.inBlock {
			return ActLocal, waitAnswer(cmd)
		}
	case CmdMonitor, CmdSync, CmdPsync, CmdReplconf:
		return ActOpaque, AnswerNone
	}
	c.wrote = c.wrote || fate&fateWrite != 0
	return ActForward, AnswerNone
}

// mustKeep says that the reply to the command cannot be understood without its arguments.
func mustKeep(cmd Command) bool {
	return subscriptionKind(cmd) >= 0 || (cmd >= CmdAuth && cmd <= CmdClientMaintNotifications)
}

// refuse answers a request in the backend's stead. A block that it belongs to must not be executed without it.
func (c *Conv) refuse(a Answer) (Act, Answer) {
	c.spoilBlock(AnswerExecSpoilt)
	return ActLocal, a
}

// spoilBlock lets the EXEC of the block that the client has open be answered instead of executed.
func (c *Conv) spoilBlock(a Answer) {
	if c.inBlock && c.doom == AnswerNone {
		c.doom = a
	}
}

// resync trusts the server when nothing is on its way: it may have refused a MULTI.
func (c *Conv) resync() {
	if c.flight != nil || c.phantom {
		return
	}
	c.inBlock = c.blockOpen()
	if !c.inBlock && c.doom != AnswerNull {
		c.doom = AnswerNone
	}
}

// endBlock: the client's EXEC, DISCARD or RESET ends its block and its watches.
func (c *Conv) endBlock() (doom Answer) {
	doom = c.doom
	c.inBlock, c.phantom, c.doom = false, false, AnswerNone
	return doom
}

// admitBlockWords follows the client's view of its block.
func (c *Conv) admitBlockWords(cmd Command) (Act, Answer) {
	switch {
	case cmd == CmdMulti:
		c.inBlock = true
	case cmd == CmdReset:
		c.endBlock()
	case cmd == CmdUnwatch:
		if !c.inBlock && c.doom == AnswerNull {
			c.doom = AnswerNone
		}
	case c.inBlock:
		if doom := c.endBlock(); cmd == CmdExec && doom != AnswerNone {
			return ActDiscard, doom
		}
	}
	return ActForward, AnswerNone
}

// admitReply obeys CLIENT REPLY. What the server would answer with an error goes there.
func (c *Conv) admitReply(req []byte) (Act, Answer) {
	if c.inBlock {
		return c.refuse(AnswerReplyInBlock)
	}
	var array [4][]byte
	args, _ := Args(req, array[:0])
	if len(args) != 3 {
		return ActForward, AnswerNone
	}
	switch {
	case anyOf(args[2:], "on"):
		c.reply = replyOn
		return ActLocal, AnswerOK
	case anyOf(args[2:], "off"):
		c.reply = replyOff
	case anyOf(args[2:], "skip"):
		if c.reply == replyOn {
			c.reply = replySkip
		}
	default:
		return ActForward, AnswerNone
	}
	return ActLocal, AnswerNone
}

// admitPhantom goes on with a block that no server knows of, to its end: what is in it is never executed.
func (c *Conv) admitPhantom(cmd Command) (Act, Answer) {
	switch cmd {
	case CmdQuit:
		return ActQuit, AnswerOK
	case CmdExec, CmdDiscard:
		c.endBlock()
		if c.state != nil {
			c.state.watching = false
			c.tidy()
		}
		if cmd == CmdExec {
			return ActLocal, AnswerExecAbort
		}
		return ActLocal, AnswerOK
	}
	return ActLocal, AnswerNotExecuted
}

// AdmitRefusing decides while the hold budget is spent and no backend may be asked: nothing is executed, and a block
// that is open can only be aborted. A MULTI is taken: were it refused, the gate might open before the rest of the
// block arrives, and that would be executed command by command.
//
// ActDiscard is for a connection that still has its backend: the block there must end, too.
func (c *Conv) AdmitRefusing(cmd Command, req []byte) (Act, Answer) {
	c.resync()
	switch {
	case cmd == CmdQuit:
		return ActQuit, AnswerOK
	case c.phantom:
		return c.admitPhantom(cmd)
	case cmd == CmdClientReply:
		if act, a := c.admitReply(req); act == ActLocal {
			return act, a
		}
	case cmd == CmdMulti && !c.inBlock:
		c.inBlock, c.phantom = true, true
		return ActLocal, AnswerOK
	case cmd == CmdExec && c.inBlock:
		c.endBlock()
		return ActDiscard, AnswerExecAbort
	case cmd == CmdDiscard && c.inBlock:
		c.endBlock()
		return ActDiscard, AnswerOK
	}
	c.spoilBlock(AnswerExecAbort)
	return ActLocal, AnswerNotExecuted
}

// DiscardRequest is what the backend sees in place of an EXEC that must not be executed.
func DiscardRequest() []byte { return discardRequest }
