package sim

import (
	"bytes"
	"fmt"
	"strconv"
)

// written is one unique write of a client.
type written struct {
	id    int64
	fate  fate
	epoch uint64 // of the backend that acknowledged it
	group int    // the pipeline it was part of; 0: none
}

// shadow is what a client knows that the servers must know, too, in each database it worked in.
type shadow struct {
	own    [databases]own
	group  int
	told   int64     // number of the client's last published message
	heard  [16]int64 // by publisher, the last message that came
	count  int       // messages that came
	hello3 bool
}

// databases in use, 0 among them because that is where a forgotten SELECT leads.
const databases = 3

// own is what belongs to one client in one database.
type own struct {
	register register
	counter  counter
	list, tx []*written
}

// register predicts the value of a key that is overwritten with unique values.
//
// Invariant: maybe[0] is the last value that was confirmed, the rest are later writes of unknown outcome.
type register struct {
	maybe []int64
	epoch uint64
}

// counter predicts the reply of INCR.
//
// Invariant: the true value lies in [seen, seen+unknown+loose].
type counter struct {
	seen, unknown, loose int64
	acked                []uint64 // epochs of the increments that are still believed in
}

// Some places on the dice of anything.
const actSet, actPush, actPipeline, actSteps, actBlock = 0, 40, 60, 70, 80

// anything is one random act.
func (c *client) anything() {
	k := c.w.rnd.IntN(100)
	if c.w.bias >= 0 && c.w.rnd.IntN(5) > 0 {
		k = c.w.bias
	}
	switch {
	case k < 14:
		c.set()
	case k < 26:
		c.get()
	case k < 38:
		c.send(c.increment())
	case k < 50:
		c.send(c.push(0))
	case k < 60:
		c.echo()
	case k < 70:
		c.pipeline()
	case k < 82:
		c.transfer(k < 76)
	case k < 85:
		c.choose(1 + c.w.rnd.IntN(databases-1))
	case k < 87:
		c.rename()
	case k < 92:
		c.publish()
	default:
		c.produce()
	}
}

func (c *client) key(letter string) string { return letter + strconv.Itoa(c.id) }

// read wraps the judge of a command that changes nothing: it is never answered as unknown.
func (c *client) read(args []string, judge func(reply)) ask {
	return ask{args: args, judge: func(r reply) {
		if r.fate == fateUnknown && !r.lost {
			c.w.fault("I22 reads are retried", "c%d asked %v and got %q", c.id, args, r.text)
		}
		if r.fate == fateOK {
			judge(r)
		}
	}}
}

func (c *client) set() {
	c.w.nextID++
	id := c.w.nextID
	c.send(ask{args: []string{"SET", c.key("r"), strconv.FormatInt(id, 10)}, judge: func(r reply) {
		g := &c.own[c.db].register
		switch {
		case r.fate == fateOK && string(r.text) != "+OK\r\n":
			c.wrong("SET", r)
		case r.fate == fateOK:
			g.maybe, g.epoch = append(g.maybe[:0], id), c.epoch()
		case r.fate == fateUnknown:
			g.maybe = append(g.confirmed(), id)
		}
	}})
}

func (g *register) confirmed() []int64 {
	if len(g.maybe) == 0 {
		g.maybe = append(g.maybe, 0)
	}
	return g.maybe
}

func (c *client) get() {
	c.send(c.read([]string{"GET", c.key("r")}, func(r reply) { c.sees(bulkNumber(r.text)) }))
}

// sees judges the value of the client's register.
func (c *client) sees(value int64) {
	g := &c.own[c.db].register
	maybe := g.confirmed()
	for i, m := range maybe {
		if m == value {
			g.maybe[0] = value
			g.maybe = append(g.maybe[:1], maybe[i+1:]...)
			return
		}
	}
	if value > maybe[0] || value < 0 {
		c.w.fault("I1 owner", "c%d reads %d from its register, want one of %v", c.id, value, maybe)
		return
	}
	c.w.lose(g.epoch, "c%d reads %d in place of %v", c.id, value, maybe)
	g.maybe = append(g.maybe[:0], value)
}

func (c *client) increment() ask {
	return ask{args: []string{"INCR", c.key("i")}, judge: func(r reply) {
		n := &c.own[c.db].counter
		switch {
		case r.fate == fateUnknown && r.lost:
			n.loose++
		case r.fate == fateUnknown:
			n.unknown++
		case r.fate == fateOK:
			c.counted(n, lineNumber(r.text))
		}
	}}
}

// counted judges the reply of INCR: too much is a double execution, too little a loss.
func (c *client) counted(n *counter, value int64) {
	low := n.seen + 1
	if high := low + n.unknown + n.loose; value > high {
		c.w.fault("I3 no duplicates", "c%d counts %d, at most %d were sent", c.id, value, high)
	}
	for missing := low - value; missing > 0 && len(n.acked) > 0; missing-- {
		last := len(n.acked) - 1
		c.w.lose(n.acked[last], "c%d counts %d in place of %d", c.id, value, low)
		n.acked = n.acked[:last]
	}
	if late := value - low - n.unknown; late > 0 {
		n.loose = max(0, n.loose-late)
	}
	n.seen, n.unknown = value, 0
	n.acked = append(n.acked, c.epoch())
}

// push appends a unique id to the client's list.
func (c *client) push(group int) ask {
	c.w.nextID++
	entry := &written{id: c.w.nextID, group: group}
	return ask{args: []string{"RPUSH", c.key("l"), strconv.FormatInt(entry.id, 10)}, judge: func(r reply) {
		if r.fate == fateOK && r.text[0] != ':' {
			c.wrong("RPUSH", r)
		}
		entry.fate, entry.epoch = r.fate, c.epoch()
		c.own[c.db].list = append(c.own[c.db].list, entry)
	}}
}

// echo shows which session answers.
func (c *client) echo() {
	nonce := c.w.id("e")
	c.send(c.read([]string{"ECHO", nonce}, func(r reply) {
		proto := 2
		if c.hello3 {
			proto = 3
		}
		text := fmt.Sprintf("%s db=%d name=%s proto=%d", nonce, c.db, c.name, proto)
		if want := fmt.Sprintf("$%d\r\n%s\r\n", len(text), text); string(r.text) != want {
			c.w.fault("I12 session", "c%d got %q, want %q", c.id, r.text, want)
		}
	}))
}

// pipeline sends several commands at once. If one was executed, so were all writes before it.
func (c *client) pipeline() {
	c.group++
	var asks []ask
	for range 3 + c.w.rnd.IntN(5) {
		switch c.w.rnd.IntN(4) {
		case 0:
			asks = append(asks, c.increment())
		default:
			asks = append(asks, c.push(c.group))
		}
	}
	c.send(asks...)
}

// transfer is a block that is executed as a whole or not at all; in steps, it stays open while anything may happen.
func (c *client) transfer(inSteps bool) {
	c.w.nextID++
	entry := &written{id: c.w.nextID}
	id := strconv.FormatInt(entry.id, 10)
	begun := false
	queued := func(r reply) {
		if r.fate == fateOK && begun && string(r.text) != "+QUEUED\r\n" {
			c.w.fault("I14 whole blocks", "c%d: a command of a block is answered with %q", c.id, r.text)
		}
	}
	block := []ask{
		{args: []string{"MULTI"}, judge: func(r reply) { begun = r.fate == fateOK }},
		{args: []string{"RPUSH", c.key("t"), id}, judge: queued},
		{args: []string{"RPUSH", c.key("u"), id}, judge: queued},
		{args: []string{"EXEC"}, judge: func(r reply) {
			entry.fate, entry.epoch = r.fate, c.epoch()
			if r.fate == fateOK && !bytes.HasPrefix(r.text, []byte("*2\r\n:")) {
				c.wrong("EXEC", r)
			}
			c.own[c.db].tx = append(c.own[c.db].tx, entry)
		}},
	}
	if !inSteps {
		c.send(block...)
		return
	}
	c.steps(block)
}

// steps sends the next command when the one before is answered. A block that was not begun is not gone on with.
func (c *client) steps(asks []ask) {
	first, rest := asks[0], asks[1:]
	c.send(ask{args: first.args, judge: func(r reply) {
		first.judge(r)
		if len(rest) > 0 && !r.lost && (first.args[0] != "MULTI" || r.fate == fateOK) {
			c.steps(rest)
		}
	}})
}

func (c *client) wrong(verb string, r reply) {
	c.w.fault("I1 owner", "c%d: %s is answered with %q", c.id, verb, r.text)
}

// lineNumber reads ":12".
func lineNumber(frame []byte) int64 {
	n, err := strconv.ParseInt(string(bytes.TrimSpace(frame[1:])), 10, 64)
	if err != nil || frame[0] != ':' {
		return -1
	}
	return n
}

// bulkNumber reads "$2 12"; a null is 0.
func bulkNumber(frame []byte) int64 {
	if frame[0] == '_' || bytes.HasPrefix(frame, []byte("$-1")) {
		return 0
	}
	_, text, _ := bytes.Cut(frame, []byte("\r\n"))
	n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil {
		return -1
	}
	return n
}
