package sim

import (
	"slices"
	"strconv"
	"strings"

	"holdfast/proxy/resp"
)

// serverConn is one client connection of a node, with what Redis keeps for it.
type serverConn struct {
	n     *node
	sock  *socket
	req   resp.Request
	reply []byte
	unput []byte // replies that the socket did not take yet

	db      int8
	name    string
	proto   int
	multi   bool
	dirty   bool // a queued command was refused: EXEC aborts
	touched bool // a watched key has changed
	watched []key
	queue   [][][]byte
	channel string
	waits   *key // BLPOP
	inExec  bool // a block is being executed
	joined  bool // ... and what it writes belongs to an operation before
	stalled bool // nothing more is executed for now: it waits, or writes are paused
	ending  bool // ends when its replies have left
	epoch   uint64
}

func (c *serverConn) readable(*socket) { c.n.wake() }

func (c *serverConn) writable(s *socket) { c.push() }

// flush gives the replies of a turn to the kernel.
func (c *serverConn) flush() {
	c.unput = append(c.unput, c.reply...)
	c.reply = nil
	c.push()
}

func (c *serverConn) push() {
	c.unput = c.unput[c.sock.write(c.unput):]
	if c.ending && len(c.unput) == 0 {
		c.sock.close()
	}
}

// serve is this connection's part of a turn.
func (c *serverConn) serve() {
	if c.sock.closed {
		return
	}
	c.stalled = c.waits != nil
	for len(c.sock.in) > 0 && !c.stalled && !c.ending {
		n, verdict := c.req.Scan(c.sock.in)
		if verdict != resp.Whole {
			break
		}
		frame := c.sock.in[:n]
		args, _ := resp.Args(frame, nil)
		if c.n.pausedUntil > c.n.w.now && writes(string(args[0])) {
			c.stalled = true
			c.n.w.after(c.n.pausedUntil-c.n.w.now, c.n.wake)
			c.req.Reset()
			return
		}
		c.req.Reset()
		c.command(args)
		c.sock.in = c.sock.in[n:]
		c.sock.release(n)
	}
	if c.sock.ended && (c.stalled || len(c.sock.in) == 0 || c.waits != nil) {
		c.leave()
	}
}

// leave is the end of a connection: what it waited for is forgotten.
func (c *serverConn) leave() {
	c.waits = nil
	if len(c.reply) > 0 {
		c.flush()
	}
	c.sock.close()
}

func (c *serverConn) say(parts ...string) {
	for _, p := range parts {
		c.reply = append(c.reply, p...)
	}
}

func (c *serverConn) bulk(text string) { c.say("$", strconv.Itoa(len(text)), "\r\n", text, "\r\n") }

func (c *serverConn) number(n int64) { c.say(":", strconv.FormatInt(n, 10), "\r\n") }

const readonly = "READONLY You can't write against a read only replica."

// writes says whether the server refuses the command as a replica.
func writes(name string) bool {
	return name == "SET" || name == "INCR" || name == "RPUSH" || name == "BLPOP"
}

func (c *serverConn) command(args [][]byte) {
	name := string(args[0])
	switch {
	case name == "EXEC" || name == "DISCARD" || name == "MULTI" || name == "WATCH":
		c.blockWord(name, args)
	case writes(name) && !c.n.isMaster:
		c.dirty = c.dirty || c.multi
		c.say("-", readonly, "\r\n")
	case c.n.loading && name != "INFO":
		c.dirty = c.dirty || c.multi
		c.say("-LOADING Redis is loading the dataset in memory\r\n")
	case c.multi:
		kept := make([][]byte, len(args))
		for i, a := range args {
			kept[i] = slices.Clone(a)
		}
		c.queue = append(c.queue, kept)
		c.say("+QUEUED\r\n")
	default:
		c.run(name, args)
	}
}

// blockWord is what is executed at once in a block, too.
func (c *serverConn) blockWord(name string, args [][]byte) {
	switch {
	case name == "MULTI":
		c.multi, c.dirty, c.queue = true, false, nil
		c.say("+OK\r\n")
	case name == "WATCH":
		for _, a := range args[1:] {
			c.watched = append(c.watched, parseKey(a, c.db))
		}
		c.say("+OK\r\n")
	case !c.multi:
		c.say("-ERR ", name, " without MULTI\r\n")
	case name == "DISCARD":
		c.endBlock()
		c.say("+OK\r\n")
	default:
		c.exec()
	}
}

func (c *serverConn) endBlock() {
	c.multi, c.dirty, c.touched, c.queue, c.watched = false, false, false, nil, nil
}

func (c *serverConn) exec() {
	queue, dirty, touched := c.queue, c.dirty, c.touched
	refuses := !c.n.isMaster && slices.ContainsFunc(queue, func(args [][]byte) bool { return writes(string(args[0])) })
	c.endBlock()
	switch {
	case dirty:
		c.say("-EXECABORT Transaction discarded because of previous errors.\r\n")
	case refuses:
		c.say("-EXECABORT Transaction discarded because of: ", readonly, "\r\n")
	case touched && c.proto == 3:
		c.say("_\r\n")
	case touched:
		c.say("*-1\r\n")
	default:
		c.say("*", strconv.Itoa(len(queue)), "\r\n")
		c.inExec, c.joined = true, false
		for _, args := range queue {
			c.run(string(args[0]), args)
		}
		c.inExec, c.joined = false, false
	}
}

// run executes a command.
func (c *serverConn) run(name string, args [][]byte) {
	switch name {
	case "SET", "INCR", "RPUSH":
		c.change(name, args)
	case "GET":
		if list := c.n.data[parseKey(args[1], c.db)]; len(list) > 0 {
			c.bulk(strconv.FormatInt(list[0], 10))
		} else if c.proto == 3 {
			c.say("_\r\n")
		} else {
			c.say("$-1\r\n")
		}
	case "ECHO":
		c.bulk(string(args[1]) + " " + c.session())
	case "BLPOP":
		c.pop(parseKey(args[1], c.db))
	case "PUBLISH":
		c.number(c.n.publish(string(args[1]), string(args[2])))
	case "INFO":
		role := "slave"
		if c.n.isMaster {
			role = "master"
		}
		c.bulk("# Replication\r\nrole:" + role + "\r\nmaster_replid:" + c.n.replid + "\r\n")
	default:
		c.runSession(name, args)
	}
}

// session is how ECHO shows which session answers.
func (c *serverConn) session() string {
	return "db=" + strconv.Itoa(int(c.db)) + " name=" + c.name + " proto=" + strconv.Itoa(c.proto)
}

func (c *serverConn) runSession(name string, args [][]byte) {
	switch name {
	case "SELECT":
		db, _ := strconv.Atoi(string(args[1]))
		c.db = int8(db)
		c.say("+OK\r\n")
	case "CLIENT":
		c.name = string(args[2])
		c.say("+OK\r\n")
	case "HELLO":
		c.proto = 3
		c.say("%1\r\n$5\r\nproto\r\n:3\r\n")
	case "SUBSCRIBE":
		c.channel = string(args[1])
		kind := "*3"
		if c.proto == 3 {
			kind = ">3"
		}
		c.say(kind, "\r\n$9\r\nsubscribe\r\n")
		c.bulk(c.channel)
		c.number(1)
	default:
		c.dirty = c.dirty || c.multi
		c.say("-ERR unknown command '", strings.ToLower(name), "'\r\n")
	}
}

// change executes a write and puts it on the stream.
func (c *serverConn) change(name string, args [][]byte) {
	op := operation{key: parseKey(args[1], c.db)}
	switch name {
	case "SET":
		op.kind = opSet
		op.value, _ = strconv.ParseInt(string(args[2]), 10, 64)
		c.say("+OK\r\n")
	case "INCR":
		op.kind = opIncr
		c.number(c.n.data.number(op.key) + 1)
	case "RPUSH":
		op.kind = opPush
		op.value, _ = strconv.ParseInt(string(args[2]), 10, 64)
		c.number(int64(len(c.n.data[op.key]) + 1))
	}
	c.perform(op)
	if name == "RPUSH" {
		c.n.serveWaiting(op.key)
	}
}

// perform executes an operation for a client, after the world has looked at who may write here.
func (c *serverConn) perform(op operation) {
	c.n.w.checkWrite(c)
	op.joined = c.joined
	c.joined = c.inExec
	c.n.execute(op)
	for _, other := range c.n.conns {
		other.touched = other.touched || slices.Contains(other.watched, op.key)
	}
}

// pop is BLPOP: it answers at once, or waits.
func (c *serverConn) pop(k key) {
	if len(c.n.data[k]) == 0 {
		c.waits, c.stalled = &k, true
		return
	}
	value := c.n.data[k][0]
	c.perform(operation{kind: opPop, key: k})
	c.say("*2\r\n")
	c.bulk("q" + strconv.Itoa(int(k.n)))
	c.bulk(strconv.FormatInt(value, 10))
}

// serveWaiting gives what was pushed to whoever waits for it.
func (n *node) serveWaiting(k key) {
	for _, c := range n.conns {
		if c.waits != nil && *c.waits == k && len(n.data[k]) > 0 && !c.sock.closed {
			c.waits, c.stalled = nil, false
			c.pop(k)
		}
	}
}

func (n *node) publish(channel, text string) (receivers int64) {
	for _, c := range n.conns {
		if c.channel == channel && !c.sock.closed {
			kind := "*3"
			if c.proto == 3 {
				kind = ">3"
			}
			c.say(kind, "\r\n$7\r\nmessage\r\n")
			c.bulk(channel)
			c.bulk(text)
			receivers++
		}
	}
	return receivers
}

// expel ends the connections of clients, as CLIENT KILL TYPE normal does; those that wait for data are told when the role changes.
func (n *node) expel(onlyWaiting bool) {
	for _, c := range n.conns {
		switch {
		case c.waits != nil:
			c.waits = nil
			c.say("-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n")
			c.ending = true
		case !onlyWaiting && c.channel == "":
			c.ending = true
			if len(c.reply)+len(c.unput) == 0 {
				c.sock.close()
			}
		}
	}
}
