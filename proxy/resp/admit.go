package resp

import "bytes"

var discardRequest = []byte("*1\r\n$7\r\nDISCARD\r\n")

// Care is the set of commands whose admission needs more than forwarding, and of those a pool refuses.
type Care struct{ fate [1024]uint8 }

const (
	fateLook uint8 = 1 << iota // Admit must be asked
	fateDeny
	fateWrite
	fateSlow
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
		if s.Class != Read && s.Class != ReadLocal && s.Class != SessionState && s.Class != Wait {
			c.fate[cmd] |= fateWrite
		}
		if s.Flags&Slow != 0 {
			c.fate[cmd] |= fateSlow
		}
	}
	return c, c.deny(deny)
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
	if fate&fateLook != 0 || c.Special() {
		return false
	}
	c.wrote = c.wrote || fate&fateWrite != 0
	return true
}

// Admit decides how a request that the client has completed is answered.
func (c *Conv) Admit(care *Care, cmd Command) (Act, Answer) {
	fate := care.fate[cmd]
	if fate&fateDeny != 0 {
		c.spoilBlock()
		return ActLocal, AnswerDenied
	}
	switch cmd {
	case CmdMulti:
		c.inBlock = true
	case CmdDiscard, CmdReset:
		c.inBlock = false
	case CmdExec:
		if c.inBlock && c.state != nil && c.state.execAnswer != AnswerNone {
			c.inBlock = false
			return ActDiscard, c.state.execAnswer
		}
		c.inBlock = false
	case CmdQuit:
		return ActQuit, AnswerOK
	case CmdClientReply:
		if c.inBlock {
			c.spoilBlock()
			return ActLocal, AnswerReplyInBlock
		}
	case CmdWait, CmdWaitaof:
		if c.moved && !c.wrote && !c.inBlock {
			return ActLocal, waitAnswer(cmd)
		}
	case CmdMonitor, CmdSync, CmdPsync:
		return ActOpaque, AnswerNone
	}
	c.wrote = c.wrote || fate&fateWrite != 0
	return ActForward, AnswerNone
}

// spoilBlock makes the EXEC of the block that the client has open answer EXECABORT: one of its commands was refused
// without the server's knowledge.
func (c *Conv) spoilBlock() {
	if c.inBlock {
		c.edit().execAnswer = AnswerExecAbort
		c.state.settle()
	}
}

// AdmitRefusing decides while the hold budget is spent and no backend may be asked: nothing is executed, and a block
// that is open can only be aborted.
func (c *Conv) AdmitRefusing(cmd Command) (Act, Answer) {
	switch cmd {
	case CmdQuit:
		return ActQuit, AnswerOK
	case CmdExec, CmdDiscard:
		if c.inBlock || (c.state != nil && c.state.multi) {
			c.inBlock = false
			if c.state != nil {
				c.state.endBlock()
				c.tidy()
			}
			if cmd == CmdExec {
				return ActLocal, AnswerExecAbort
			}
			return ActLocal, AnswerOK
		}
	}
	c.spoilBlock()
	return ActLocal, AnswerNotExecuted
}

// DiscardRequest is what the backend sees in place of an EXEC that must not be executed.
func DiscardRequest() []byte { return discardRequest }
