package sim

import (
	"bytes"
	"strconv"
	"time"

	"holdfast/proxy/resp"
)

// ask is a request that waits for its reply.
type ask struct {
	args  []string
	judge func(reply)
}

// fate is how a request ended.
type fate uint8

const (
	fateOpen    fate = iota
	fateOK           // executed, and the reply says so
	fateFail         // surely not executed
	fateUnknown      // may have been executed
)

// reply is what the client got; lost says that the connection ended first.
type reply struct {
	text []byte
	fate fate
	lost bool
}

// client is one connection with a shadow of what it wrote and what its session is.
type client struct {
	w       *world
	id      int
	act     func()
	listens bool // it is served by messages, not by replies
	greet   func()
	sock    *socket
	session *session
	rep     resp.Reply
	in      []byte
	open    []ask
	busy    bool // an act is under way
	done    int  // acts that have ended
	failed  bool // the last act met an error

	db    int
	name  string
	proto int
	shadow
}

// addClients puts together a crowd: most do everything, some do one thing that is checked across them.
func (w *world) addClients() {
	add := func(act func(*client), greet func(*client)) *client {
		c := &client{w: w, id: len(w.clients)}
		c.proto = 2 + w.rnd.IntN(2)
		c.act, c.greet = func() { act(c) }, func() { greet(c) }
		w.clients = append(w.clients, c)
		w.after(w.upto(time.Millisecond), c.connect)
		return c
	}
	for range 3 {
		add((*client).anything, (*client).introduce)
	}
	for range 2 {
		add((*client).compareAndSet, (*client).introduce)
	}
	add((*client).consume, (*client).introduce)
	add((*client).listen, (*client).subscribe).listens = true
}

// epoch is that of the backend which gave the last reply.
func (c *client) epoch() uint64 { return c.session.epoch }

// connect opens a connection to whichever process of Holdfast is there.
func (c *client) connect() {
	w := c.w
	if w.hf == nil || w.hf.dead {
		w.after(20*time.Millisecond, c.connect)
		return
	}
	me := w.hosts - 1
	c.rep, c.in, c.open, c.busy = resp.Reply{}, nil, nil, false
	c.session = w.hf.plane.accept(func(r reader) *socket {
		mine, theirs := w.connect(me, me, c, r)
		mine.room = 1 << 20
		c.sock = mine
		return theirs
	})
	c.db, c.name, c.hello3 = 0, "", false
	c.greet()
	c.settleIn(c.sock)
}

// settleIn begins once the session is known to be what it should be: of a write that is lost with its connection, nobody could say
// in which database it may have been executed.
func (c *client) settleIn(sock *socket) {
	c.w.after(c.w.upto(time.Millisecond), func() {
		switch {
		case c.sock != sock:
		case len(c.open) > 0:
			c.settleIn(sock)
		default:
			c.turn()
		}
	})
}

// introduce says who it is and where it works.
func (c *client) introduce() {
	if c.proto == 3 {
		c.send(ask{args: []string{"HELLO", "3"}, judge: c.settles(func() { c.hello3 = true })})
	}
	c.rename()
	c.choose(1)
}

func (c *client) rename() {
	name := c.w.id("c")
	c.send(ask{args: []string{"CLIENT", "SETNAME", name}, judge: c.settles(func() { c.name = name })})
}

func (c *client) choose(db int) {
	c.send(ask{args: []string{"SELECT", strconv.Itoa(db)}, judge: c.settles(func() { c.db = db })})
}

// settles is the judge of a session command: it succeeded or it did nothing, and then it is said again.
func (c *client) settles(then func()) func(reply) {
	return func(r reply) {
		if r.fate == fateOK {
			then()
		} else if !r.lost {
			c.failed = true
		}
	}
}

// turn is one act, and then the next.
func (c *client) turn() {
	if c.sock.closed || c.busy || len(c.open) > 0 {
		return
	}
	c.busy, c.failed = true, false
	c.act()
	if len(c.open) == 0 {
		c.rest()
	}
}

// rest is the time between two acts. Around a fault everybody is in a hurry.
func (c *client) rest() {
	c.busy = false
	c.done++
	think := 100*time.Millisecond + c.w.upto(500*time.Millisecond)
	switch {
	case c.failed:
		think = 20*time.Millisecond + c.w.upto(150*time.Millisecond)
	case c.w.now < c.w.hotUntil:
		think = c.w.upto(400 * time.Microsecond)
	}
	sock := c.sock
	c.w.after(think, func() {
		switch {
		case c.sock != sock:
		case c.w.rnd.IntN(50) == 0:
			c.hop()
		default:
			c.turn()
		}
	})
}

// send writes requests at once.
func (c *client) send(asks ...ask) {
	var out []byte
	for _, a := range asks {
		out = append(out, '*')
		out = strconv.AppendInt(out, int64(len(a.args)), 10)
		out = append(out, "\r\n"...)
		for _, arg := range a.args {
			out = append(out, '$')
			out = strconv.AppendInt(out, int64(len(arg)), 10)
			out = append(out, "\r\n"...)
			out = append(out, arg...)
			out = append(out, "\r\n"...)
		}
		if c.w.tracing && !c.w.opts.Quiet {
			c.w.note("c%d asks %v", c.id, a.args)
		}
	}
	c.open = append(c.open, asks...)
	c.sock.write(out)
}

func (c *client) writable(*socket) {}

func (c *client) readable(s *socket) {
	if s != c.sock || s.closed {
		return
	}
	c.in = append(c.in, s.read()...)
	for len(c.in) > 0 {
		n, verdict := c.rep.Scan(c.in)
		if verdict == resp.More {
			break
		}
		if verdict != resp.Whole {
			c.w.fault("I2 bytes", "c%d got %q", c.id, c.in)
			return
		}
		c.rep.Reset()
		frame := c.in[:n]
		c.in = c.in[n:]
		c.hear(frame)
		if s != c.sock {
			return
		}
	}
	if s.ended {
		c.hangUp()
	}
}

// hangUp: the connection is gone, and with it what was unanswered.
func (c *client) hangUp() {
	c.sock.close()
	if c.w.hf != nil && !c.w.hf.dead && c.session.p.h == c.w.hf {
		c.w.fault("connection", "c%d is disconnected while Holdfast lives", c.id)
		return
	}
	c.w.note("c%d is disconnected with %d open", c.id, len(c.open))
	open := c.open
	c.open = nil
	for _, a := range open {
		a.judge(reply{fate: fateUnknown, lost: true})
	}
	c.w.after(c.w.upto(5*time.Millisecond), c.connect)
}

// hop leaves and comes back on a new connection, if nothing is unanswered.
func (c *client) hop() {
	if c.sock == nil || c.sock.closed || c.busy || len(c.open) > 0 {
		return
	}
	c.w.note("c%d leaves and comes back", c.id)
	c.sock.close()
	c.connect()
}

// hear judges one frame.
func (c *client) hear(frame []byte) {
	if c.isMessage(frame) {
		c.onMessage(frame)
		return
	}
	if c.w.tracing && !c.w.opts.Quiet {
		c.w.note("c%d hears %q", c.id, frame)
	}
	if len(c.open) == 0 {
		c.w.fault("I1 owner", "c%d got %q and asked for nothing", c.id, frame)
		return
	}
	a := c.open[0]
	c.open = c.open[1:]
	r := reply{text: frame, fate: c.grade(a, frame)}
	if r.fate != fateOK {
		c.failed = true
	}
	c.w.result.Commands++
	a.judge(r)
	if len(c.open) == 0 && c.busy {
		c.rest()
	}
}

// grade sorts a reply. Every error that a client sees is one of those that are documented.
func (c *client) grade(a ask, frame []byte) fate {
	switch {
	case a.args[0] == "EXEC" && (bytes.HasPrefix(frame, []byte("*-1")) || frame[0] == '_'):
		return fateFail
	case frame[0] != '-':
		return fateOK
	case bytes.HasPrefix(frame, []byte("-UNKNOWNRESULT")):
		c.w.unknown++
		return fateUnknown
	case bytes.HasPrefix(frame, []byte("-TRYAGAIN")), bytes.HasPrefix(frame, []byte("-EXECABORT")):
		return fateFail
	}
	c.w.fault("I22 documented errors", "c%d asked %v and got %q", c.id, a.args, frame)
	return fateFail
}
