package resp

import (
	"bytes"
	"strconv"
)

// edit returns the state, making one when the connection still was as fresh.
func (c *Conv) edit() *State {
	if c.state == nil {
		c.state = newState()
	}
	return c.state
}

// tidy drops a state that says nothing and recomputes what is derived.
func (c *Conv) tidy() {
	if c.state == nil {
		return
	}
	c.state.settle()
	if c.state.fresh() {
		c.state = nil
	}
}

// commit applies what the head's reply proves. It returns the command, or 0 when nothing was to commit.
func (c *Conv) commit(e *Entry, first byte, frame []byte) Command {
	if e.cmd.Spec().Flags&Stateful == 0 && !c.blockOpen() {
		return 0
	}
	defer c.tidy()
	var array [16][]byte
	args, _ := Args(c.flight.frontBytes(), array[:0])
	if c.blockOpen() && !endsBlock(e.cmd) {
		if first == '+' {
			c.state.enqueue(e.cmd, c.flight.frontBytes(), len(args))
		} else {
			c.state.queueLost = true
		}
		return 0
	}
	if e.cmd == CmdExec || e.cmd == CmdDiscard {
		c.commitBlock(e, first, frame)
		return e.cmd
	}
	if first == '-' {
		return 0
	}
	if !c.commitBlockWords(e.cmd) {
		c.commitSession(e.cmd, args)
	}
	return e.cmd
}

func endsBlock(cmd Command) bool {
	return cmd == CmdExec || cmd == CmdDiscard || cmd == CmdReset || cmd == CmdQuit || cmd == CmdMulti || cmd == CmdWatch
}

// commitBlock ends a MULTI block. Session commands that were queued in it took effect when EXEC succeeded.
func (c *Conv) commitBlock(e *Entry, first byte, frame []byte) {
	s := c.state
	if s == nil || !s.multi {
		return
	}
	queue := bytes.Clone(s.queue)
	lost := s.queueLost
	s.endBlock()
	if e.cmd != CmdExec || e.act == ActDiscard || first != '*' || lost || bytes.HasPrefix(frame, []byte("*-1")) {
		return
	}
	elements, _ := Elements(frame, nil)
	var r Request
	for i := 0; len(queue) > 0; i++ {
		n, v := r.Scan(queue)
		if v != Whole {
			return
		}
		ok := i >= len(elements) || !bytes.HasPrefix(elements[i], []byte("ERR"))
		if args, split := Args(queue[:n], nil); split && ok && r.Command().Spec().Flags&Stateful != 0 {
			c.commitSession(r.Command(), args)
		}
		queue = queue[n:]
		r.Reset()
	}
}

// commitBlockWords applies MULTI, WATCH, UNWATCH and RESET, and says whether cmd was one of them.
func (c *Conv) commitBlockWords(cmd Command) bool {
	switch cmd {
	case CmdMulti:
		c.edit().multi = true
	case CmdWatch:
		c.edit().watching = true
	case CmdUnwatch:
		if s := c.state; s != nil {
			s.watching, s.watchLost = false, false
			if s.execAnswer == AnswerNull {
				s.execAnswer = AnswerNone
			}
		}
	case CmdReset:
		if c.state != nil {
			c.state.wipe()
		}
		c.state, c.inBlock = nil, false
	default:
		return false
	}
	return true
}

func (c *Conv) commitSession(cmd Command, args [][]byte) {
	switch cmd {
	case CmdAuth:
		c.edit().login(args[1:])
	case CmdHello:
		c.edit().hello(args[1:])
	case CmdSelect:
		if db, err := strconv.Atoi(string(arg(args, 1))); err == nil {
			c.edit().db = int32(db)
		}
	case CmdClientSetname:
		c.edit().name = orNil(arg(args, 2))
	case CmdClientSetinfo:
		c.edit().setInfo(arg(args, 2), arg(args, 3))
	case CmdClientNoEvict:
		c.edit().noEvict = isOn(arg(args, 2))
	case CmdClientNoTouch:
		c.edit().noTouch = isOn(arg(args, 2))
	case CmdClientTracking:
		c.edit().tracking = nil
		if isOn(arg(args, 2)) {
			c.edit().tracking = encode(nil, args...)
		}
	}
}

func arg(args [][]byte, i int) []byte {
	if i < len(args) {
		return args[i]
	}
	return nil
}

func orNil(p []byte) []byte {
	if len(p) == 0 {
		return nil
	}
	return bytes.Clone(p)
}

func isOn(p []byte) bool { return bytes.EqualFold(p, []byte("on")) }

// login keeps what AUTH or HELLO AUTH proved: [user] password.
func (s *State) login(args [][]byte) {
	s.wipe()
	s.user, s.authed = nil, true
	if len(args) > 1 {
		s.user = bytes.Clone(args[0])
		args = args[1:]
	}
	s.pass = bytes.Clone(arg(args, 0))
}

func (s *State) hello(args [][]byte) {
	if len(args) == 0 {
		return
	}
	s.proto = 2
	if string(args[0]) == "3" {
		s.proto = 3
	}
	for i := 1; i < len(args); i++ {
		switch {
		case bytes.EqualFold(args[i], []byte("auth")) && i+2 < len(args):
			s.login(args[i+1 : i+3])
			i += 2
		case bytes.EqualFold(args[i], []byte("setname")) && i+1 < len(args):
			s.name = orNil(args[i+1])
			i++
		}
	}
}

func (s *State) setInfo(attribute, value []byte) {
	if bytes.EqualFold(attribute, []byte("lib-name")) {
		s.libName = orNil(value)
	} else {
		s.libVer = orNil(value)
	}
}

// commitReplyMode applies CLIENT REPLY OFF and SKIP, which have no reply; false for ON and for a syntax error, which
// have one.
func (c *Conv) commitReplyMode() bool {
	var array [4][]byte
	args, _ := Args(c.flight.frontBytes(), array[:0])
	switch mode := arg(args, 2); {
	case bytes.EqualFold(mode, []byte("off")):
		c.edit().reply = replyOff
	case bytes.EqualFold(mode, []byte("skip")):
		if c.edit().reply == replyOn {
			c.state.reply = replySkip
		}
	case bytes.EqualFold(mode, []byte("on")):
		if c.state != nil {
			c.state.reply = replyOn
			c.tidy()
		}
		return false
	default:
		return c.state != nil && c.state.reply == replyOff
	}
	c.state.settle()
	return true
}
