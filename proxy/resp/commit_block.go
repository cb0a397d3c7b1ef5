package resp

import "bytes"

// commitBlock ends a MULTI block. Session commands that were queued in it took effect when EXEC succeeded, each unless
// its own reply is an error.
func (c *Conv) commitBlock(e *Entry, first byte, frame []byte) {
	s := c.state
	if s == nil || !s.multi || (e.cmd == CmdDiscard && first == '-') {
		return
	}
	b := s.block
	s.block.queue = nil
	s.endBlock()
	s.block.queue = b.queue[:0]
	defer clear(b.queue)
	if e.cmd != CmdExec || e.act == ActDiscard || first != '*' || bytes.HasPrefix(frame, []byte("*-1")) {
		return
	}
	_, k := number(frame[1:])
	replies := execReplies{rest: frame[1+max(k, 0):]}
	next := int32(0)
	for _, g := range b.staged {
		for ; next < g.at; next++ {
			replies.next(false)
		}
		next++
		if subscriptionKind(g.cmd) >= 0 {
			for range g.frames {
				replies.next(true)
			}
			continue
		}
		if replies.next(false) == '-' {
			continue
		}
		args, _ := Args(g.req, nil)
		if g.cmd != CmdClientCaching { // it counted up to the end of the block
			c.commitSession(g.cmd, args)
		}
		clear(g.req)
	}
	if b.subs != nil {
		s.subs = *b.subs
	}
}

// execReplies walks over the members of EXEC's reply as far as they were kept.
type execReplies struct{ rest []byte }

// next is the type of the next member, 0 if it is not there. Pushes stand between the members and are passed over,
// unless they are what a queued SUBSCRIBE answers with.
func (x *execReplies) next(pushes bool) byte {
	for {
		var r Reply
		n, v := r.Scan(x.rest)
		if v != Whole {
			x.rest = nil
			return 0
		}
		x.rest = x.rest[n:]
		if r.First() != '>' || pushes {
			return r.First()
		}
	}
}
