package resp

import (
	"bytes"
	"strconv"
)

// lists says that the reply to the command is text with a line for each connection, which begins with its id.
func lists(cmd Command) bool { return cmd == CmdClientInfo || cmd == CmdClientList }

// Lists says that the reply to the oldest request may name other connections. Frame then wants to know them, see Know.
func (c *Conv) Lists() bool {
	if c.flight == nil {
		return false
	}
	e := c.flight.front()
	return lists(e.cmd) || e.cmd == CmdExec && c.blockOpen() && c.staged(lists)
}

// Know lends the names that the next frame may hold; nil takes them back.
func (p *Flights) Know(names Names) { p.names = names }

// ownOf is our id of the connection that the server calls so; 0: it has none.
func (p *Flights) ownOf(server uint64) uint64 {
	if p.names == nil || server == 0 {
		return 0
	}
	return p.names.Own(server)
}

// renameListing puts ids of ours into the text of CLIENT INFO or CLIENT LIST, and with them another length into its header. self:
// it is about this connection alone.
func (c *Conv) renameListing(fl *Flights, dst, frame []byte, self bool) []byte {
	content, n := text(frame)
	if n == 0 {
		return append(dst, frame...)
	}
	body := make([]byte, 0, len(content)+len(content)/8) // sixteen digits for the few of a server, in lines of a hundred and more
	if rest, marked := bytes.CutPrefix(content, []byte("txt:")); marked {
		body, content = append(body, "txt:"...), rest
	}
	for line := range bytes.Lines(content) {
		body = c.renameLine(fl, body, line, self)
	}
	dst = strconv.AppendInt(append(dst, frame[0]), int64(len(body)), 10)
	return append(append(append(dst, '\r', '\n'), body...), '\r', '\n')
}

// renameLine appends one connection. Its fields are told apart by blanks, which neither names of clients nor of users may have, so
// that no field can look like another.
func (c *Conv) renameLine(fl *Flights, dst, line []byte, self bool) []byte {
	rest, ok := bytes.CutPrefix(line, []byte("id="))
	server, own := firstNumber(rest), c.own
	if !ok || server == 0 {
		return append(dst, line...) // servers count from 1
	}
	if self {
		fl.server = server
	} else if own = fl.ownOf(server); own == 0 {
		own = server
	}
	dst, rest = strconv.AppendUint(append(dst, "id="...), own, 10), afterNumber(rest)
	mark := []byte(" redir=")
	i := bytes.Index(rest, mark)
	if i < 0 {
		return append(dst, rest...)
	}
	i += len(mark)
	target := fl.ownOf(firstNumber(rest[i:]))
	if self && c.Redirect() != 0 {
		target = c.Redirect()
	}
	if target == 0 {
		return append(dst, rest...)
	}
	return append(strconv.AppendUint(append(dst, rest[:i]...), target, 10), afterNumber(rest[i:])...)
}

// renameTracking puts the id of ours to which invalidations go into the reply to CLIENT TRACKINGINFO. Prefixes may be any text, and
// come behind it.
func (c *Conv) renameTracking(dst, frame []byte) []byte {
	mark := []byte("$8\r\nredirect\r\n:")
	i := bytes.Index(frame, mark)
	if i < 0 || c.Redirect() == 0 || firstNumber(frame[i+len(mark):]) == 0 {
		return append(dst, frame...)
	}
	i += len(mark)
	return append(strconv.AppendUint(append(dst, frame[:i]...), c.Redirect(), 10), afterNumber(frame[i:])...)
}
