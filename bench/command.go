package bench

import (
	"fmt"
	"strconv"
	"strings"
)

// command is one request together with the knowledge of what its answer must be.
type command struct {
	args        []string
	read        bool                       // changes nothing, so it must never end in an error
	lenient     bool                       // an error reply is as good as success: DISCARD after a failed MULTI
	nullRefuses bool                       // a null reply proves that nothing was executed: EXEC
	judge       func(reply) flaw           // says what is wrong with a reply
	settle      func(o Outcome, lost bool) // tells the shadow; nil when there is none
}

// want builds a judge that knows the reply beforehand.
func want(kind byte, text string) func(reply) flaw {
	return func(r reply) flaw {
		if r.kind != kind || r.null || r.text != text {
			return flaw{why: fmt.Sprintf("got %.60s, want %.60q", r, text)}
		}
		return flaw{}
	}
}

// counts builds a judge for a reply that counts.
func (c *client) counts(n *counter) func(reply) flaw {
	return func(r reply) flaw { return n.judge(r, c.load.tally.now()) }
}

// note settles an id in its ledger.
func (c *client) note(l *ledger, id int, o Outcome) { l.settle(id, o, c.load.tally.now()) }

// push appends a unique id to the client's list; the reply counts the executions.
func (c *client) push() command {
	id := c.list.next()
	return command{args: []string{"RPUSH", c.key("list"), strconv.Itoa(id)}, judge: c.counts(&c.listLen),
		settle: func(o Outcome, lost bool) {
			c.note(&c.list, id, o)
			c.listLen.settle(o, lost)
		}}
}

// add puts a unique id into the client's set; a reply of 0 means that somebody was there before.
func (c *client) add() command {
	id := c.set.next()
	return command{args: []string{"SADD", c.key("set"), strconv.Itoa(id)}, settle: func(o Outcome, _ bool) { c.note(&c.set, id, o) },
		judge: func(r reply) flaw {
			if r.kind != ':' || r.num != 1 {
				return flaw{why: fmt.Sprintf("got %s for a new id, want 1", r)}
			}
			return flaw{}
		}}
}

// count increments the client's counter.
func (c *client) count() command {
	id := c.incrs.next()
	return command{args: []string{"INCR", c.key("ctr")}, judge: c.counts(&c.incr), settle: func(o Outcome, lost bool) {
		c.note(&c.incrs, id, o)
		c.incr.settle(o, lost)
	}}
}

// store overwrites one register with a value nobody else writes.
func (c *client) store(reg int) command {
	id := c.regNext
	c.regNext++
	return command{args: []string{"SET", c.regKey(reg), c.regValue(reg, id)}, judge: want('+', "OK"),
		settle: func(o Outcome, _ bool) { c.regs[reg].write(id, o, c.load.tally.now()) }}
}

// fetch reads a register: it holds the last acknowledged value or a later one of unknown outcome.
func (c *client) fetch(reg int) command {
	return command{args: []string{"GET", c.regKey(reg)}, read: true, judge: func(r reply) flaw { return c.holds(reg, r) }}
}

// holds checks the value of a register against the shadow.
func (c *client) holds(reg int, r reply) flaw {
	id := absent
	if !r.null {
		var err error
		head, _, _ := strings.Cut(r.text, " ")
		id, err = strconv.Atoi(head[strings.LastIndexByte(head, ':')+1:])
		if r.kind != '$' || err != nil || id < 0 || r.text != c.regValue(reg, id) {
			return flaw{why: fmt.Sprintf("got %.60s, want a value of %s", r, c.regKey(reg))}
		}
	}
	return c.regs[reg].read(id)
}

func (c *client) regKey(reg int) string { return c.key("reg" + strconv.Itoa(reg)) }

// regValue is the unique value of one write, of a size that depends on the id alone: some hundred bytes, and in the last
// register 16 to 60 KiB, so that bodies are moved by every path the proxy has. Replies above 64 KiB are left out: a proxy
// need not keep them whole, and one that is cut in its middle can only end its connection.
func (c *client) regValue(reg, id int) string {
	size := id * 37 % 300
	if reg == registers-1 {
		size = 16<<10 + id*7919%(44<<10)
	}
	return fmt.Sprintf("%s:%d:%d ", c.name, reg, id) + strings.Repeat("x", size)
}

// echo carries a nonce: the reply to anything else is noticed at once.
func (c *client) echo() command {
	nonce := fmt.Sprintf("%s-%016x", c.name, c.rng.Uint64())
	return command{args: []string{"ECHO", nonce}, read: true, judge: want('$', nonce)}
}

// tail reads the end of the list: nothing that was acknowledged may be missing there.
func (c *client) tail() command {
	return command{args: []string{"LRANGE", c.key("list"), "-1", "-1"}, read: true, judge: c.ends}
}

// ends judges the last entry of the list.
func (c *client) ends(r reply) flaw {
	if r.kind != '*' {
		return flaw{why: fmt.Sprintf("got %s, want an array", r)}
	}
	last := absent
	if len(r.items) > 0 {
		n, err := strconv.Atoi(r.items[0].text)
		if err != nil {
			return flaw{why: fmt.Sprintf("got %s, want an id", r)}
		}
		last = n
	}
	if last >= len(c.list.outcomes) || last >= 0 && c.list.outcomes[last] == Fail {
		return flaw{why: fmt.Sprintf("the list ends at id %d, which was never written", last)}
	}
	for id := last + 1; id < len(c.list.outcomes); id++ {
		if c.list.outcomes[id] == OK {
			return flaw{fmt.Sprintf("the list ends at id %d, but %d was acknowledged", last, id), true, c.list.acked[id]}
		}
	}
	return flaw{}
}
