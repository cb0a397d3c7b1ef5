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
// identity (INFO replication) first when asked for, then protocol, database, names, tracking, subscriptions, an open
// block, and the reply mode last. frames is how many reply frames must be swallowed.
func (c *Conv) Replay(dst []byte, identity bool) (out []byte, frames int) {
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
	s.replaySettings(add)
	if s.tracking != nil {
		dst = append(dst, s.tracking...)
		n++
	}
	for kind, verb := range [...]string{"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"} {
		if names := s.subs[kind].names; len(names) > 0 {
			add(verb, names...)
			n += len(names) - 1
		}
	}
	if s.multi {
		add("MULTI")
		if !s.queueLost && s.execAnswer == AnswerNone {
			dst = append(dst, s.queue...)
			n += int(s.queued)
		}
	}
	switch s.reply {
	case replyOff:
		dst = encodeWords(dst, "CLIENT REPLY OFF")
	case replySkip:
		dst = encodeWords(dst, "CLIENT REPLY SKIP")
	}
	return dst, n
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
	if s.noEvict {
		add("CLIENT NO-EVICT ON")
	}
	if s.noTouch {
		add("CLIENT NO-TOUCH ON")
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
// anew. Call it once the replay is answered.
func (c *Conv) Resume(dst []byte) []byte {
	c.queued = 0
	f := c.flight
	if f == nil {
		return dst
	}
	kept := f.kept[f.keptHead:]
	for i := f.head; i < len(f.entries); i++ {
		e := &f.entries[i]
		req := kept[:e.size]
		kept = kept[e.size:]
		switch e.act {
		case ActForward:
			dst = append(dst, req...)
			c.queued += uint64(len(req))
		case ActDiscard:
			dst = append(dst, discardRequest...)
			c.queued += uint64(len(discardRequest))
		}
		e.end, e.again = c.queued, false
	}
	return dst
}

// Flush is what a client with a cache must hear after a move: everything it cached may be stale. Empty for others.
func (c *Conv) Flush() string {
	if c.state == nil || c.state.tracking == nil || c.state.reply == replyOff {
		return ""
	}
	if c.state.proto == 3 {
		return ">2\r\n$10\r\ninvalidate\r\n_\r\n"
	}
	return ""
}

// Wipe forgets secrets; call it when the session ends.
func (c *Conv) Wipe(fl *Flights) {
	if c.state != nil {
		c.state.wipe()
	}
	if c.flight != nil {
		fl.put(c.flight)
	}
	*c = Conv{}
}
