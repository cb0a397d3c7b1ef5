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
	open := c.blockOpen()
	if s := c.state; s != nil && s.caching != nil && !open && usesCaching(e.cmd) && e.cmd != CmdMulti {
		s.caching = nil // it counted for this command
		defer c.tidy()
	}
	if e.cmd.Spec().Flags&Stateful == 0 && !open {
		return 0
	}
	defer c.tidy()
	var array [16][]byte
	args, _ := Args(c.flight.frontBytes(), array[:0])
	if open && !endsBlock(e.cmd) {
		if first == '+' {
			c.state.enqueue(e.cmd, c.flight.frontBytes(), args)
		} else {
			c.state.block.lost = true
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

// endsBlock: the server does not queue the command. MULTI and WATCH are errors in a block that leave it as it is.
func endsBlock(cmd Command) bool {
	return cmd == CmdExec || cmd == CmdDiscard || cmd == CmdReset || cmd == CmdMulti || cmd == CmdWatch
}

// commitBlockWords applies MULTI, WATCH, UNWATCH and RESET, and says whether cmd was one of them.
func (c *Conv) commitBlockWords(cmd Command) bool {
	switch cmd {
	case CmdMulti:
		s := c.edit()
		s.multi, s.block.proto = true, s.proto
	case CmdWatch:
		c.edit().watching = true
	case CmdUnwatch:
		if c.state != nil {
			c.state.watching = false
		}
	case CmdReset:
		if s := c.state; s != nil {
			s.wipe()
			if c.state = nil; s.named {
				c.edit().named = true // RESET leaves the connection its id
			}
		}
	default:
		return false
	}
	return true
}

func (c *Conv) commitSession(cmd Command, args [][]byte) {
	switch cmd {
	case CmdAuth:
		if len(args) > 1 {
			c.edit().login(args[1:])
		}
	case CmdHello:
		if len(args) > 1 {
			c.edit().hello(args[1:])
		}
	case CmdSelect:
		if db, err := strconv.Atoi(string(arg(args, 1))); err == nil {
			c.edit().db = int32(db)
		}
	case CmdClientSetname:
		c.edit().name = orNil(arg(args, 2))
	case CmdClientSetinfo:
		c.edit().setInfo(arg(args, 2), arg(args, 3))
	case CmdClientNoEvict:
		c.edit().toggle(switchNoEvict, args)
	case CmdClientNoTouch:
		c.edit().toggle(switchNoTouch, args)
	case CmdClientImportSource:
		c.edit().toggle(switchImportSource, args)
	case CmdClientMaintNotifications:
		c.edit().toggle(switchMaintNotifications, args)
	case CmdClientTracking:
		c.edit().track(args)
	case CmdClientCaching:
		c.edit().caching = encode(nil, args...)
	case Unknown, CmdClient:
		c.edit().wonder(args)
	}
}

// oddMax is how much of a name is kept; it comes from a client and goes to the log.
const oddMax = 48

// wonder remembers a command that is not known and that the server has executed. It may have changed the connection in a
// way that will be missing after a move.
func (s *State) wonder(args [][]byte) {
	if s.odd != nil {
		return
	}
	name := arg(args, 0)
	if len(args) > 1 && bytes.EqualFold(name, []byte("client")) {
		name = bytes.Join(args[:2], []byte(" "))
	}
	s.odd, s.oddNews = bytes.ToLower(name[:min(len(name), oddMax)]), true
}

// Odd says that a command of unknown meaning was executed on this connection: more than its known state may be lost when
// it moves.
func (c *Conv) Odd() bool { return c.state != nil && c.state.odd != nil }

// OddNews returns the name of that command, once.
func (c *Conv) OddNews() (name string, ok bool) {
	if c.state == nil || !c.state.oddNews {
		return "", false
	}
	c.state.oddNews = false
	return string(c.state.odd), true
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
	s.user, s.authed = nil, true // the default user
	if len(args) > 1 {
		s.user = bytes.Clone(args[0])
		args = args[1:]
	}
	s.pass = bytes.Clone(arg(args, 0))
}

func (s *State) hello(args [][]byte) {
	s.proto = protoOf(args[0])
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

// toggle keeps a request that switched something on, and forgets it when it is switched off.
func (s *State) toggle(place int, args [][]byte) {
	s.switches[place] = nil
	if isOn(arg(args, 2)) {
		s.switches[place] = encode(nil, args...)
	}
}

// track keeps CLIENT TRACKING ON. The prefixes of several such requests add up, all else is as the last one says. A
// redirection can be moved if it goes to a connection of ours.
func (s *State) track(args [][]byte) {
	before, bound := s.tracking, s.bound
	s.tracking, s.bound, s.redirect = nil, false, 0
	if !isOn(arg(args, 2)) {
		s.caching = nil
		return
	}
	req := encode(nil, args...)
	if anyOf(args[3:], "bcast") {
		s.tracking, s.bound = without(before, req), bound
	}
	if i := redirectAt(args); i > 0 {
		if id, err := strconv.ParseUint(string(args[i]), 10, 64); err == nil && OwnID(id) {
			s.redirect = id
		} else if id != 0 {
			s.bound = true
		}
	}
	s.bound = s.bound || len(s.tracking)+len(req) > trackingBytesMax
	if !s.bound || s.tracking == nil {
		s.tracking = append(s.tracking, req...)
	}
}

// without is a list of requests, of which one is taken out: the last of them decides, so that it has to be at the end.
func without(reqs, req []byte) []byte {
	var kept []byte
	for len(reqs) > 0 {
		var r Request
		k, v := r.Scan(reqs)
		if v != Whole {
			break
		}
		if !bytes.Equal(reqs[:k], req) {
			kept = append(kept, reqs[:k]...)
		}
		reqs = reqs[k:]
	}
	return kept
}
