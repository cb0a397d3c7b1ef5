package resp

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// asked is one request of the model's client, and what its answer has to look like.
type asked struct {
	args  []string
	block int // in block number; 0 outside
	seen  int // confirmations that came
	want  int
}

// asker is the client of the simulation: it says something at random and judges every frame that it gets.
type asker struct {
	t       testing.TB
	rnd     *rand.Rand
	m       *model
	open    []asked // unanswered, oldest first
	next    int
	mode    replyMode
	proto   int
	block   int // number of the block that is open for new requests, 0: none
	blocks  int
	content map[int][]asked // by block, in order, only what was answered with QUEUED
	db      string
	name    string
	subs    map[string]bool
	never   []string // writes that were called not executed
	once    []string // writes that were confirmed
	counts  map[string]int
	spoilt  map[int]bool // blocks of which a command was denied
	watched int          // the number of moves at the time of the WATCH in force, -1: none
	moves   int
}

func newAsker(t testing.TB, rnd *rand.Rand, m *model) *asker {
	return &asker{t: t, rnd: rnd, m: m, proto: 2, db: "0", subs: map[string]bool{}, content: map[int][]asked{},
		counts: map[string]int{}, spoilt: map[int]bool{}, watched: -1}
}

// say makes up a request and notes what it has to be answered with.
func (a *asker) say() string {
	a.next++
	id := fmt.Sprint(a.next)
	var text string
	want := 1
	switch k := a.rnd.IntN(100); {
	case k < 35:
		text = "GETSET k " + id
	case k < 60 || (k < 90 && a.mode != replyOn): // what is done in silence must not change the session
		text = "ECHO " + id
	case k < 66:
		text = "SELECT " + []string{"0", "1", "2", "99"}[a.rnd.IntN(4)]
	case k < 68:
		text = "CLIENT SETNAME n" + id
	case k < 78 && a.block == 0:
		text = "MULTI"
	case k < 78:
		text = "EXEC"
	case k < 82:
		text = []string{"SHUTDOWN", "DISCARD", "WATCH k", "NOSUCH", "MULTI", "EXEC"}[a.rnd.IntN(6)]
	case k < 90 && a.proto == 3 && a.block == 0:
		text = []string{"SUBSCRIBE a b c", "SUBSCRIBE a", "UNSUBSCRIBE", "UNSUBSCRIBE a b", "SUBSCRIBE d"}[a.rnd.IntN(5)]
		want = max(1, len(strings.Fields(text))-1)
	case k < 95 && a.block == 0:
		text = "CLIENT REPLY " + []string{"OFF", "ON", "ON", "SKIP"}[a.rnd.IntN(4)]
	default:
		text = "ECHO " + id
	}
	a.note(asked{args: strings.Fields(text), want: want})
	return text
}

// note appends the request to what is unanswered, if an answer is due.
func (a *asker) note(q asked) {
	switch q.args[0] {
	case "MULTI":
		if a.block == 0 {
			a.blocks++
			a.block = a.blocks
			q.block = -a.block
		}
	case "EXEC", "DISCARD":
		q.block, a.block = a.block, 0
	default:
		q.block = a.block
	}
	if q.args[0] == "CLIENT" && q.args[1] == "REPLY" {
		if !a.noteReply(q.args[2]) {
			return
		}
	} else if a.mode != replyOn && q.args[0] != "SUBSCRIBE" && q.args[0] != "UNSUBSCRIBE" {
		q.want = 0
	}
	if a.mode == replySkip {
		a.mode = replyOn
	}
	a.open = append(a.open, q)
}

// noteReply follows CLIENT REPLY and says whether it is answered.
func (a *asker) noteReply(mode string) bool {
	switch {
	case mode == "ON":
		a.mode = replyOn
		return true
	case mode == "OFF":
		a.mode = replyOff
	case a.mode == replyOn:
		a.mode = replySkip
	}
	return false
}

// hear judges one frame.
func (a *asker) hear(frame []byte) {
	text := shown(frame)
	if frame[0] == '>' && pushKind(frame) == pushMessage {
		return
	}
	for len(a.open) > 0 && a.open[0].want == 0 {
		a.open = a.open[1:] // nothing is known of what was done in silence
	}
	if len(a.open) == 0 {
		a.t.Fatalf("nobody asked for %q", text)
	}
	q := &a.open[0]
	if frame[0] == '>' {
		a.confirmed(q, frame, text)
	} else {
		a.answered(q, text)
		q.seen = q.want
	}
	if q.seen == q.want {
		a.open = a.open[1:]
	}
}

func (a *asker) confirmed(q *asked, frame []byte, text string) {
	elements, _ := Elements(frame, nil)
	verb, name := strings.ToUpper(string(elements[0])), string(elements[1])
	if verb != q.args[0] || (len(q.args) > 1 && q.args[1+q.seen] != name) {
		a.t.Fatalf("%v: got %q", q.args, text)
	}
	if q.seen == 0 && len(q.args) == 1 {
		q.want = max(1, len(a.subs))
	}
	if verb == "SUBSCRIBE" {
		a.subs[name] = true
	} else {
		delete(a.subs, name)
	}
	q.seen++
	if want := fmt.Sprint(len(a.subs)); string(elements[2]) != want {
		a.t.Fatalf("%v: got %q, want count %s", q.args, text, want)
	}
}

func (a *asker) answered(q *asked, text string) {
	kind := "answer"
	switch {
	case text == unknownText:
		kind = "unknown"
	case text == tryAgainText:
		kind = "not executed"
	case strings.HasPrefix(text, "-EXECABORT"):
		kind = "aborted"
	case text == "*-1|" || text == "_|":
		kind = "watch lost"
	case text[0] == '-':
		kind = "error"
	}
	a.counts[kind]++
	switch q.args[0] {
	case "EXEC":
		a.execAnswered(q, kind, text)
		return
	case "GETSET", "ECHO", "SELECT":
	case "SHUTDOWN":
		a.spoilt[q.block] = true
		return
	case "WATCH":
		if text == "+OK|" && a.watched < 0 {
			a.watched = a.moves
		}
		return
	case "DISCARD":
		if text == "+OK|" {
			a.watched = -1
		}
		return
	default:
		if q.args[0] == "CLIENT" && q.args[1] == "SETNAME" {
			break
		}
		return
	}
	switch {
	case q.block > 0 && text == "+QUEUED|":
		a.content[q.block] = append(a.content[q.block], *q)
	case q.block > 0 && kind == "answer":
		a.t.Fatalf("%v in a block: got %q", q.args, text)
	case kind == "answer":
		a.effect(q, text)
	case q.args[0] == "GETSET" && kind == "not executed":
		a.never = append(a.never, q.args[2])
	case q.args[0] == "GETSET" && kind == "error" && text != deniedText:
		a.t.Fatalf("%v: got %q", q.args, text)
	}
}

// effect checks the answer of an executed request against the session as the client knows it.
func (a *asker) effect(q *asked, text string) {
	want := "+OK|"
	switch q.args[0] {
	case "GETSET":
		want = fmt.Sprintf("$%d|w%s|", len(q.args[2])+1, q.args[2])
		a.once = append(a.once, q.args[2])
	case "ECHO":
		body := fmt.Sprintf("e%s db=%s name=%s", q.args[1], a.db, a.name)
		want = fmt.Sprintf("$%d|%s|", len(body), body)
	case "SELECT":
		if q.args[1] == "99" {
			want = "-ERR DB index is out of range|"
		} else {
			a.db = q.args[1]
		}
	case "CLIENT":
		a.name = q.args[2]
	}
	if text != want {
		a.t.Fatalf("%v: got %q, want %q", q.args, text, want)
	}
}

// execAnswered: a block is executed as a whole or not at all.
func (a *asker) execAnswered(q *asked, kind, text string) {
	content := a.content[q.block]
	delete(a.content, q.block)
	if q.block == 0 {
		return
	}
	watched := a.watched
	a.watched = -1
	switch kind {
	case "answer":
		if a.spoilt[q.block] || (watched >= 0 && watched != a.moves) {
			a.t.Fatalf("a block that must not be executed (denied %v, moved %v): got %q", a.spoilt[q.block], watched, text)
		}
		rest := []byte(raw(text))
		_, k := number(rest[1:])
		rest = rest[1+k:]
		for _, c := range content {
			for rest[0] == '>' {
				_, n := element(rest)
				rest = rest[n:]
			}
			_, n := element(rest)
			a.effect(&c, shown(rest[:n]))
			rest = rest[n:]
		}
		if len(rest) > 0 {
			a.t.Fatalf("EXEC of %d: %q is left over", len(content), rest)
		}
	case "aborted", "watch lost":
		for _, c := range content {
			if c.args[0] == "GETSET" {
				a.never = append(a.never, c.args[2])
			}
		}
	}
}

// judge compares what the client was told with what was executed.
func (a *asker) judge(policy Policy) {
	for _, id := range a.never {
		if got := a.m.ran[id]; got != 0 {
			a.t.Fatalf("write %s was called not executed: got %d executions", id, got)
		}
	}
	for _, id := range a.once {
		if got := a.m.ran[id]; got == 0 || (got > 1 && policy < RetryIdempotent) {
			a.t.Fatalf("write %s was confirmed: got %d executions", id, got)
		}
	}
	if policy < RetryIdempotent {
		for id, n := range a.m.ran {
			if n > 1 {
				a.t.Fatalf("write %s: got %d executions", id, n)
			}
		}
	}
}
