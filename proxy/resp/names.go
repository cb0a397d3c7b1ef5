package resp

import (
	"bytes"
	"strconv"
)

// ownIDs is where the ids begin that we make for connections. A server counts its connections from 1 and never comes
// near, and programs that keep numbers as doubles still read ours without loss: they are below 2^53.
const ownIDs = 1 << 52

// OwnID says that an id was made by a Holdfast, this one or another. No server has a connection of that id.
func OwnID(id uint64) bool { return id >= ownIDs && id < 2*ownIDs }

// MakeOwnID is the id of a connection that a process counts as its n-th. The process is told apart by 20 random bits.
func MakeOwnID(process uint32, n uint32) uint64 {
	return ownIDs | uint64(process&(1<<20-1))<<32 | uint64(n)
}

// Names tells what the present server of a connection calls other connections.
type Names interface {
	// Server is the server's id of the connection with an id of ours; 0 if that connection is not there.
	Server(own uint64) uint64
	// Own is our id of the connection that the server calls so; 0 if it is none of ours, or its client has never seen its id.
	Own(server uint64) uint64
	// Lasting says that an id which a server has given to anybody still means the same connection, because this pool
	// never had another server.
	Lasting() bool
}

// translates says that requests of the command name connections or positions of one server.
func (c *Conv) translates(cmd Command) bool {
	switch cmd {
	case CmdClientKill, CmdClientUnblock, CmdClientTracking, CmdClientList:
		return true
	case CmdScan, CmdHscan, CmdSscan, CmdZscan:
		return c.era != 0
	}
	return false
}

// Translate appends a request in the words of the present server. out is nil if it is the same in both; with an answer,
// the request must not be sent and is answered so.
func (c *Conv) Translate(dst []byte, cmd Command, req []byte, names Names) (out []byte, a Answer) {
	if out, a = c.translate(dst, cmd, req, names); a != AnswerNone {
		c.spoilBlock(AnswerExecSpoilt)
	}
	return out, a
}

func (c *Conv) translate(dst []byte, cmd Command, req []byte, names Names) (out []byte, a Answer) {
	var array [16][]byte
	args, ok := Args(req, array[:0])
	if !ok || !c.translates(cmd) {
		return nil, AnswerNone
	}
	t := translation{args: args, names: names, conv: c}
	switch cmd {
	case CmdClientUnblock:
		t.id(2, AnswerZero)
	case CmdClientKill:
		for i := 2; i+1 < len(args); i += 2 {
			if anyOf(args[i:i+1], "id") {
				t.id(i+1, AnswerZero)
			}
		}
	case CmdClientTracking:
		if i := redirectAt(args); i > 0 {
			t.id(i, AnswerNoSuchID)
		}
	case CmdClientList:
		if len(args) > 3 && anyOf(args[2:3], "id") {
			for i := 3; i < len(args); i++ {
				t.id(i, AnswerNone)
			}
		}
	case CmdScan:
		t.cursor(1)
	default:
		t.cursor(2)
	}
	if t.answer != AnswerNone || !t.changed {
		return nil, t.answer
	}
	return encode(dst, args...), AnswerNone
}

// redirectAt is the place of the id in CLIENT TRACKING ... REDIRECT id; 0: there is none.
func redirectAt(args [][]byte) int {
	for i := 3; i+1 < len(args); i++ {
		switch {
		case anyOf(args[i:i+1], "prefix"):
			i++ // may be any word
		case anyOf(args[i:i+1], "redirect"):
			return i + 1
		}
	}
	return 0
}

// translation is one request under way from the client's words to the server's.
type translation struct {
	args    [][]byte
	names   Names
	conv    *Conv
	changed bool
	answer  Answer
}

// id translates one id. missing is the answer if the connection it names is not there; none: the server may say so. An
// id of the server's own that may be stale could name anybody's connection by now, and is refused.
func (t *translation) id(i int, missing Answer) {
	if i >= len(t.args) || t.names == nil {
		return
	}
	id, err := strconv.ParseUint(string(t.args[i]), 10, 64)
	switch {
	case err != nil:
	case !OwnID(id):
		if missing != AnswerNone && !t.names.Lasting() {
			t.answer = AnswerForeignID
		}
	default:
		if server := t.names.Server(id); server != 0 {
			t.args[i] = strconv.AppendUint(nil, server, 10)
			t.changed = true
		} else if missing != AnswerNone {
			t.answer = missing
		}
	}
}

// Redirect is the id of ours to which the connection sends invalidations; 0: none.
func (c *Conv) Redirect() uint64 {
	if c.state == nil {
		return 0
	}
	return c.state.redirect
}

// Named says that the client has seen the id of its connection: what the server calls it must be known.
func (c *Conv) Named() bool { return c.state != nil && c.state.named }

// Own sets the id by which the client is going to know its connection.
func (c *Conv) Own(id uint64) { c.own = id }

// ID is what Own has set.
func (c *Conv) ID() uint64 { return c.own }

// holdsID says that the reply to the command holds a server's id of a connection.
func holdsID(cmd Command) bool { return cmd == CmdHello || cmd >= CmdClientId && cmd <= CmdClientList }

// tellsID says that the reply to e holds the server's id of a connection.
func (c *Conv) tellsID(e *Entry) bool {
	switch {
	case holdsID(e.cmd):
		return c.own != 0 && !c.blockOpen()
	case e.cmd == CmdExec:
		return c.own != 0 && c.blockOpen() && e.act == ActForward && c.staged(holdsID)
	}
	return false
}

// staged says that a command of the open block fits.
func (c *Conv) staged(fits func(Command) bool) bool {
	for _, g := range c.state.block.staged {
		if fits(g.cmd) {
			return true
		}
	}
	return false
}

// Renamed is the result of the last frame whose meaning was Rename: these bytes stand in place of its first taken ones.
// server is what the server calls the connection, 0 if the frame did not say.
func (p *Flights) Renamed() (instead []byte, taken int, server uint64) {
	return p.renamed, p.taken, p.server
}

// rename puts the connection's own id in place of the server's.
func (c *Conv) rename(fl *Flights, e *Entry, frame []byte) {
	fl.server = 0
	fl.taken = len(frame)
	if e.cmd != CmdExec {
		fl.renamed = c.renameOne(fl, fl.renamed[:0], e.cmd, frame)
	} else {
		c.renameBlock(fl, frame)
	}
	if fl.server != 0 {
		c.edit().named = true
	}
}

// renameBlock does it for each member of EXEC's reply that has an id.
func (c *Conv) renameBlock(fl *Flights, frame []byte) {
	_, k := number(frame[1:])
	if frame[0] != '*' || k <= 0 {
		fl.renamed, fl.taken = fl.renamed[:0], 0
		return
	}
	rest := frame[1+k:]
	fl.renamed = append(fl.renamed[:0], frame[:1+k]...)
	at, staged := int32(0), c.state.block.staged
	for len(rest) > 0 {
		var r Reply
		n, v := r.Scan(rest)
		if v != Whole {
			break
		}
		cmd := Unknown
		if len(staged) > 0 && r.First() != '>' && at == staged[0].at {
			cmd, staged = staged[0].cmd, staged[1:]
		}
		fl.renamed = c.renameOne(fl, fl.renamed, cmd, rest[:n])
		if r.First() != '>' {
			at++
		}
		rest = rest[n:]
	}
	fl.renamed = append(fl.renamed, rest...)
}

// renameOne appends one reply. In each the id is the first number behind a mark that stands for it.
func (c *Conv) renameOne(fl *Flights, dst []byte, cmd Command, frame []byte) []byte {
	own := strconv.AppendUint(nil, c.own, 10)
	switch {
	case cmd == CmdClientId && frame[0] == ':':
		fl.server = firstNumber(frame[1:])
		return append(append(append(dst, ':'), own...), '\r', '\n')
	case cmd == CmdClientGetredir && frame[0] == ':' && c.state != nil && c.state.redirect != 0 && firstNumber(frame[1:]) != 0:
		return append(strconv.AppendUint(append(dst, ':'), c.state.redirect, 10), '\r', '\n')
	case cmd == CmdHello && (frame[0] == '*' || frame[0] == '%'):
		mark := []byte("$2\r\nid\r\n:")
		i := bytes.Index(frame, mark)
		if i < 0 {
			break
		}
		i += len(mark)
		fl.server = firstNumber(frame[i:])
		return append(append(append(dst, frame[:i]...), own...), afterNumber(frame[i:])...)
	case cmd == CmdClientTrackinginfo:
		return c.renameTracking(dst, frame)
	case lists(cmd) && (frame[0] == '$' || frame[0] == '='):
		return c.renameListing(fl, dst, frame, cmd == CmdClientInfo)
	}
	return append(dst, frame...)
}

// firstNumber reads the digits at the start of p.
func firstNumber(p []byte) (n uint64) {
	for _, c := range p {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + uint64(c-'0')
	}
	return n
}

func afterNumber(p []byte) []byte {
	for i, c := range p {
		if c < '0' || c > '9' {
			return p[i:]
		}
	}
	return nil
}
