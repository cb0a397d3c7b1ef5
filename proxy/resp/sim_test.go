package resp

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// world is a client, its conversation, and the server that it happens to be connected to.
//
// Bytes travel in pieces of any length, so that a cut falls anywhere: into requests, into replies, between execution
// and reply.
type world struct {
	t      testing.TB
	rnd    *rand.Rand
	m      *model
	l      *line
	server *peer
	client *asker
	policy Policy
	heard  []byte
	cuts   int
}

func newWorld(t testing.TB, seed uint64, policy Policy) *world {
	rnd := rand.New(rand.NewPCG(seed, 7))
	m := &model{ran: map[string]int{}}
	w := &world{t: t, rnd: rnd, m: m, l: newLine(t, "SHUTDOWN"), policy: policy, server: newPeer(m, rnd), client: newAsker(t, rnd, m)}
	if rnd.IntN(2) == 0 {
		w.client.proto = 3
		w.ask("HELLO 3")
		w.drain()
	}
	return w
}

func (w *world) ask(text string) {
	w.client.note(asked{args: strings.Fields(text), want: 1})
	w.l.send(text)
	w.listen()
}

// listen lets the client hear what has arrived.
func (w *world) listen() {
	w.heard = append(w.heard, w.l.down...)
	w.l.down = nil
	for len(w.heard) > 0 {
		var r Reply
		n, v := r.Scan(w.heard)
		if v != Whole {
			w.t.Fatalf("the client got %q", w.heard)
		}
		w.client.hear(w.heard[:n])
		w.heard = w.heard[n:]
	}
}

func (w *world) some(n int) int { return min(n, w.rnd.IntN(60)) }

// step is one random event.
func (w *world) step() {
	switch k := w.rnd.IntN(100); {
	case k < 30:
		w.l.send(w.client.say())
	case k < 50:
		n := w.some(len(w.l.up))
		w.server.in = append(w.server.in, w.l.up[:n]...)
		w.l.up = w.l.up[n:]
	case k < 70:
		w.server.step()
	case k < 94:
		n := w.some(len(w.server.out))
		p := w.server.out[:n]
		w.server.out = w.server.out[n:]
		w.l.replyBytes(p)
	case k < 96:
		w.server.publish()
	case k < 98:
		w.server.demoted = w.server.demoted || w.rnd.IntN(4) == 0
	default:
		w.fail()
	}
	w.l.now += uint32(w.rnd.IntN(5 * TicksPerMs))
	w.listen()
}

// fail loses the server and moves the client to one that has executed the same writes.
func (w *world) fail() {
	w.cuts++
	w.client.moves++
	w.l.cut(w.policy, len(w.l.up))
	w.listen()
	switch w.rnd.IntN(4) {
	case 0:
		w.l.c.GiveUp()
		w.l.settle()
		w.listen()
		w.l.refusing = true
		for range w.rnd.IntN(5) {
			w.l.send(w.client.say())
			w.listen()
			w.l.c.GiveUp()
		}
		w.l.settle()
		w.l.refusing = false
	case 1:
		w.l.cut(w.policy, 0) // a dial that came to nothing
	}
	w.listen()
	w.connect()
}

func (w *world) connect() {
	w.server = newPeer(w.m, w.rnd)
	login, _ := w.l.c.ReplayAuth(nil)
	replay, frames := w.l.c.Replay(login, false, nil)
	w.server.in = replay
	for w.server.step() {
	}
	for rest := w.server.out; len(rest) > 0; frames-- {
		var r Reply
		n, v := r.Scan(rest)
		if v != Whole || rest[0] == '-' {
			w.t.Fatalf("replay: got %q", rest)
		}
		rest = rest[n:]
	}
	if frames != 0 {
		w.t.Fatalf("replay: %d frames too many were expected", frames)
	}
	w.server.out = nil
	w.l.up = w.l.c.Resume(nil, w.l.now, nil)
	w.l.settle()
}

// drain lets everything arrive. A server that was demoted never answers the rest, and is lost.
func (w *world) drain() {
	for range 2 {
		w.server.in, w.l.up = append(w.server.in, w.l.up...), nil
		for w.server.step() {
		}
		out := w.server.out
		w.server.out = nil
		w.l.replyBytes(out)
		w.listen()
		if w.l.c.Unanswered() == 0 {
			return
		}
		w.l.cut(w.policy, 0)
		w.listen()
		w.connect()
	}
}

// end checks that everybody was answered and that a last move changes nothing.
func (w *world) end() {
	w.drain()
	if n := w.l.c.Unanswered(); n > 0 || w.l.stray {
		w.t.Fatalf("at the end: got %d unanswered, stray %v", n, w.l.stray)
	}
	w.l.reply("") // nothing is left over
	if w.client.block != 0 {
		w.client.note(asked{args: []string{"DISCARD"}, want: 1})
		w.l.send("DISCARD")
		w.drain()
	}
	w.ask("CLIENT REPLY ON")
	w.drain()
	before := w.server.state()
	w.l.cut(w.policy, 0)
	w.connect()
	if got := w.server.state(); got != before {
		w.t.Fatalf("after a move:\ngot  %s\nwant %s", got, before)
	}
	for _, q := range w.client.open {
		if q.want > 0 {
			w.t.Fatalf("%v was never answered", q.args)
		}
	}
	w.client.judge(w.policy)
}

// TestSimulation plays random histories: one answer to each request in order, no write executed twice, nothing called
// not executed that was executed, the same session after each move. RESP_SEED repeats one history, RESP_RUNS plays more.
func TestSimulation(t *testing.T) {
	runs, seed := 400, rand.Uint64()>>1
	if n, err := strconv.Atoi(os.Getenv("RESP_RUNS")); err == nil {
		runs = n
	}
	if n, err := strconv.ParseUint(os.Getenv("RESP_SEED"), 10, 64); err == nil {
		runs, seed = 1, n
	}
	total, cuts := map[string]int{}, 0
	for i := range uint64(runs) {
		policy := RetryReads
		if (seed+i)%4 == 0 {
			policy = RetryAll
		}
		w := play(t, seed+i, policy)
		cuts += w.cuts
		for kind, n := range w.client.counts {
			total[kind] += n
		}
	}
	t.Logf("seed %d: %d runs, %d cuts, %v", seed, runs, cuts, total)
}

func play(t *testing.T, seed uint64, policy Policy) *world {
	ended := false
	defer func() {
		if !ended {
			t.Logf("repeat with RESP_SEED=%d", seed)
		}
	}()
	w := newWorld(t, seed, policy)
	for range 300 {
		w.step()
	}
	w.end()
	ended = true
	return w
}
