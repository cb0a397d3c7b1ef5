package resp

import (
	"bytes"
	"strconv"
)

// encode appends one request.
func encode(dst []byte, args ...[]byte) []byte {
	dst = append(dst, '*')
	dst = strconv.AppendInt(dst, int64(len(args)), 10)
	dst = append(dst, '\r', '\n')
	for _, a := range args {
		dst = append(dst, '$')
		dst = strconv.AppendInt(dst, int64(len(a)), 10)
		dst = append(dst, '\r', '\n')
		dst = append(dst, a...)
		dst = append(dst, '\r', '\n')
	}
	return dst
}

func encodeWords(dst []byte, words string, more ...[]byte) []byte {
	return encode(dst, append(bytes.Fields([]byte(words)), more...)...)
}

// ReplayAuth appends the request that must travel alone and first: from Redis 7.2 on, a failing AUTH with other
// replies pending has no reply at all. It reports false when the connection never logged in.
func (c *Conv) ReplayAuth(dst []byte) ([]byte, bool) {
	s := c.state
	if s == nil || !s.authed {
		return dst, false
	}
	if s.user == nil {
		return encodeWords(dst, "AUTH", s.pass), true
	}
	return encodeWords(dst, "AUTH", s.user, s.pass), true
}

// Replay appends everything else that makes a fresh connection equal to the one that was lost, in one round trip:
// identity (INFO replication) first when asked for, then the connection's id at the server if Named, then protocol, database,
// names, tracking, subscriptions and an open block. frames is how many reply frames must be swallowed.
func (c *Conv) Replay(dst []byte, identity bool, names Names) (out []byte, frames int) {
	n := 0
	add := func(words string, more ...[]byte) {
		dst = encodeWords(dst, words, more...)
		n++
	}
	if identity {
		add("INFO replication")
	}
	s := c.state
	if s == nil {
		return dst, n
	}
	if s.named {
		add("CLIENT ID")
	}
	s.replaySettings(add)
	for _, reqs := range s.switches {
		dst = append(dst, reqs...)
		n += countRequests(reqs)
	}
	for rest := s.tracking; len(rest) > 0; n++ {
		var r Request
		k, v := r.Scan(rest)
		if v != Whole {
			break
		}
		dst = c.inServersWords(dst, CmdClientTracking, rest[:k], names)
		rest = rest[k:]
	}
	for kind, verb := range [...]string{"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"} {
		if set := s.subs[kind]; len(set) > 0 {
			names := make([][]byte, 0, len(set))
			for name := range set {
				names = append(names, []byte(name))
			}
			add(verb, names...)
			n += len(names) - 1
		}
	}
	if s.caching != nil {
		dst = append(dst, s.caching...) // counts for the next command only, so nothing may come between
		n++
	}
	c.replayed = 0
	if s.multi {
		add("MULTI")
		if !s.block.lost {
			dst = append(dst, s.block.queue...)
			c.replayed = uint32(s.block.queued)
			n += int(s.block.queued)
		}
	}
	return dst, n
}

// inServersWords appends a request as the present server understands it. What cannot be translated goes there as it is: the
// server knows no such id.
func (c *Conv) inServersWords(dst []byte, cmd Command, req []byte, names Names) []byte {
	if out, _ := c.translate(dst, cmd, req, names); out != nil {
		return out
	}
	return append(dst, req...)
}

// countRequests is the number of whole requests in p.
func countRequests(p []byte) (n int) {
	var r Request
	for len(p) > 0 {
		k, v := r.Scan(p)
		if v != Whole {
			break
		}
		p = p[k:]
		n++
	}
	return n
}

// ReplayRefused says whether an error that came in answer to the replay can be borne; left is how many replies are
// still to come, this one included. An error about a command of the open block makes its EXEC answer EXECABORT, as it
// would have done in the first place. Any other leaves the connection unequal to the lost one.
func (c *Conv) ReplayRefused(left int) bool {
	if left > int(c.replayed) || !c.blockOpen() {
		return false
	}
	c.state.block.lost = true
	c.doomBlock(AnswerExecAbort)
	return true
}

func (s *State) replaySettings(add func(words string, more ...[]byte)) {
	if s.proto == 3 {
		add("HELLO 3")
	}
	if s.db != 0 {
		add("SELECT", strconv.AppendInt(nil, int64(s.db), 10))
	}
	if s.name != nil {
		add("CLIENT SETNAME", s.name)
	}
	if s.libName != nil {
		add("CLIENT SETINFO LIB-NAME", s.libName)
	}
	if s.libVer != nil {
		add("CLIENT SETINFO LIB-VER", s.libVer)
	}
}

// ReplayFrame says whether a frame that arrives during the replay is one of the replies to swallow; a message or an
// invalidation that arrives between them is the client's.
func (c *Conv) ReplayFrame(first byte, frame []byte) bool {
	if first == '>' {
		return pushKind(frame) == pushConfirm
	}
	return first != '*' || pushKind(frame) != pushMessage
}

// Resume appends the kept requests that still want an answer from the backend, in order, and starts their positions
// anew. now is the loop's clock in ticks: the time-out of a command that waits for data shrinks by the time that
// its client has waited. Call it once the replay is answered.
func (c *Conv) Resume(dst []byte, now uint32, names Names) []byte {
	c.queued, c.resumed = 0, now
	f := c.flight
	if f == nil {
		return dst
	}
	start := len(dst)
	kept := f.kept[f.keptHead:]
	inBlock, doomed := c.blockOpen(), false
	for i := f.head; i < len(f.entries); i++ {
		e := &f.entries[i]
		req := kept[:e.size]
		kept = kept[e.size:]
		if e.cmd == CmdExec && e.act == ActForward && doomed {
			e.discard(AnswerExecSpoilt)
		}
		switch {
		case e.act == ActDiscard:
			dst = append(dst, discardRequest...)
		case e.act != ActForward:
		case c.translates(e.cmd):
			dst = c.translateAgain(dst, e, req, names)
			doomed = doomed || inBlock && e.act == ActLocal
		case e.cmd.Spec().Flags&Blocking != 0:
			dst = appendRemaining(dst, e.cmd, req, (now-e.at)/TicksPerMs)
		default:
			dst = append(dst, req...)
		}
		if e.act == ActForward {
			c.wrote = c.wrote || changes(e.cmd, req)
		}
		if e.awaited() && endsBlock(e.cmd) && e.cmd != CmdWatch {
			inBlock = e.cmd == CmdMulti
			doomed = doomed && inBlock
		}
		e.end = uint64(len(dst) - start)
		e.marks = e.marks&^markAgain | markResent
	}
	if doomed {
		c.spoilBlock(AnswerExecSpoilt)
	}
	c.queued = uint64(len(dst) - start)
	return dst
}

// translateAgain is for a request that was sent before, in the words of another server. One that means nothing any more is
// answered.
func (c *Conv) translateAgain(dst []byte, e *Entry, req []byte, names Names) []byte {
	out, a := c.translate(dst, e.cmd, req, names)
	switch {
	case a != AnswerNone:
		e.act, e.answer, e.marks = ActLocal, a, e.marks&^markNamed
		return dst
	case out != nil:
		return out
	}
	return append(dst, req...)
}

// Flush is what a client with a cache must hear after a move: everything it cached may be stale. Empty for others.
func (c *Conv) Flush() string {
	if c.state == nil || c.state.tracking == nil || c.state.proto != 3 || c.state.redirect != 0 {
		return ""
	}
	return flushPush
}

const (
	flushPush    = ">2\r\n$10\r\ninvalidate\r\n_\r\n"
	flushMessage = "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*-1\r\n"
)

// FlushOthers is what the connection must hear to which another one sends its invalidations, after that one has moved.
func (c *Conv) FlushOthers() string {
	if c.Proto() == 3 {
		return flushPush
	}
	if c.state != nil {
		if _, listens := c.state.subs[0]["__redis__:invalidate"]; listens {
			return flushMessage
		}
	}
	return ""
}

// Wipe forgets secrets; call it when the session ends.
func (c *Conv) Wipe(fl *Flights) {
	if c.state != nil {
		c.state.wipe()
	}
	if c.flight != nil {
		clear(c.flight.kept)
		fl.put(c.flight)
	}
	*c = Conv{}
}
