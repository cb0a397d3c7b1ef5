package resp

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// model is the data of a replicated pair of servers: every executed write is on both.
type model struct{ ran map[string]int }

// peer is one connection to one server of the model. It knows just enough commands.
type peer struct {
	m       *model
	rnd     *rand.Rand
	in, out []byte
	demoted bool // answers writes as a replica does
	db      string
	name    string
	proto   int
	subs    map[string]bool
	multi   bool
	dirty   bool
	queue   [][]string
	watched bool
}

func newPeer(m *model, rnd *rand.Rand) *peer {
	return &peer{m: m, rnd: rnd, db: "0", proto: 2, subs: map[string]bool{}}
}

func (p *peer) say(format string, args ...any) {
	p.out = append(p.out, raw(fmt.Sprintf(format, args...))...)
}

// step executes one whole request, if there is one.
func (p *peer) step() bool {
	var r Request
	n, v := r.Scan(p.in)
	if v != Whole {
		return false
	}
	split, _ := Args(p.in[:n], nil)
	var args []string
	for _, a := range split {
		args = append(args, string(a))
	}
	p.in = p.in[n:]
	p.command(args)
	return true
}

func (p *peer) isWrite(args []string) bool { return args[0] == "GETSET" }

func (p *peer) command(args []string) {
	switch args[0] {
	case "EXEC":
		p.exec()
		return
	case "DISCARD":
		if !p.multi {
			p.say("-ERR DISCARD without MULTI|")
			return
		}
		p.multi, p.queue, p.watched = false, nil, false
		p.say("+OK|")
		return
	case "MULTI":
		if p.multi {
			p.say("-ERR MULTI calls can not be nested|")
			return
		}
		p.multi, p.dirty, p.queue = true, false, nil
		p.say("+OK|")
		return
	case "WATCH":
		if p.multi {
			p.say("-ERR WATCH inside MULTI is not allowed|")
			return
		}
		p.watched = true
		p.say("+OK|")
		return
	}
	if p.demoted && p.isWrite(args) {
		p.dirty = true
		p.say(readonlyText)
		return
	}
	if args[0] == "NOSUCH" {
		p.dirty = true
		p.say("-ERR unknown command|")
		return
	}
	if p.multi {
		p.queue = append(p.queue, args)
		p.say("+QUEUED|")
		return
	}
	p.run(args)
}

func (p *peer) exec() {
	queue := p.queue
	switch {
	case !p.multi:
		p.say("-ERR EXEC without MULTI|")
		return
	case p.dirty:
		p.say("-EXECABORT Transaction discarded because of previous errors.|")
	case p.demoted && slices.ContainsFunc(queue, p.isWrite):
		p.say("-EXECABORT Transaction discarded because of: READONLY You can't write against a read only replica.|")
	default:
		p.say("*%d|", len(queue))
		for _, args := range queue {
			p.run(args)
		}
	}
	p.multi, p.queue, p.watched = false, nil, false
}

func (p *peer) run(args []string) {
	switch args[0] {
	case "GETSET":
		p.m.ran[args[2]]++
		p.say("$%d|w%s|", len(args[2])+1, args[2])
	case "ECHO":
		text := p.where(args[1])
		p.say("$%d|%s|", len(text), text)
	case "SELECT":
		if len(args[1]) > 1 {
			p.say("-ERR DB index is out of range|")
			return
		}
		p.db = args[1]
		p.say("+OK|")
	case "CLIENT":
		p.name = args[2]
		p.say("+OK|")
	case "HELLO":
		p.proto = 3
		p.say("%%1|$5|proto|:3|")
	case "SUBSCRIBE":
		for _, name := range args[1:] {
			p.subs[name] = true
			p.say(">3|$9|subscribe|$%d|%s|:%d|", len(name), name, len(p.subs))
		}
	case "UNSUBSCRIBE":
		p.unsubscribe(args[1:])
	default:
		p.say("-ERR unknown command '%s'|", args[0])
	}
}

func (p *peer) unsubscribe(names []string) {
	if len(names) == 0 {
		if len(p.subs) == 0 {
			p.say(">3|$11|unsubscribe|_|:0|")
		}
		for name := range p.subs { // the order is random, as a server's is
			names = append(names, name)
		}
	}
	for _, name := range names {
		delete(p.subs, name)
		p.say(">3|$11|unsubscribe|$%d|%s|:%d|", len(name), name, len(p.subs))
	}
}

// publish sends a message of nobody's asking.
func (p *peer) publish() {
	for name := range p.subs {
		p.say(">3|$7|message|$%d|%s|$1|m|", len(name), name)
		return
	}
}

// where is ECHO's answer: it shows which session answers.
func (p *peer) where(id string) string { return fmt.Sprintf("e%s db=%s name=%s", id, p.db, p.name) }

func (p *peer) state() string {
	var subs []string
	for name := range p.subs {
		subs = append(subs, name)
	}
	slices.Sort(subs)
	return fmt.Sprintf("db=%s name=%s proto=%d subs=%s multi=%v", p.db, p.name, p.proto, strings.Join(subs, ","), p.multi)
}
