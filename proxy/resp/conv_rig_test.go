package resp

import (
	"strings"
	"testing"
)

// line is one client connection as a session drives it, without sockets: what goes to the backend and to the client is
// collected. "|" stands for the line end in all texts.
type line struct {
	t        testing.TB
	c        Conv
	fl       Flights
	care     *Care
	names    Names
	rep      Reply
	up, down []byte // bytes for the backend, for the client
	unread   []byte // beginning of a reply
	drop     bool   // the rest of a big reply goes nowhere
	streams  bool   // a big reply is under way
	now      uint32
	quit     bool
	stray    bool
	opaque   bool
	refusals int
	refusing bool
}

func newLine(t testing.TB, deny ...string) *line {
	care, unknown := NewCare(deny)
	if len(unknown) > 0 {
		t.Fatalf("unknown commands %v", unknown)
	}
	return &line{t: t, care: care, now: 1000}
}

func raw(s string) string { return strings.ReplaceAll(s, "|", "\r\n") }

func shown(p []byte) string { return strings.ReplaceAll(string(p), "\r\n", "|") }

// reqs encodes requests that are separated by ";".
func reqs(text string) []byte {
	var out []byte
	for one := range strings.SplitSeq(text, ";") {
		out = encodeWords(out, one)
	}
	return out
}

// send is what the client says.
func (l *line) send(text string) { l.t.Helper(); l.sendBytes(reqs(text)) }

func (l *line) sendBytes(p []byte) {
	l.t.Helper()
	for len(p) > 0 && !l.quit {
		var r Request
		n, v := r.Scan(p)
		req := p[:n]
		switch v {
		case Whole:
			l.take(r.Command(), req, req)
		case Big: // the rest is in p as well
			k, _, _ := r.Stream(p[n:])
			n += k
			l.take(r.Command(), nil, p[:n])
		default:
			l.t.Fatalf("request %.60q: %v", p, v)
		}
		p = p[n:]
	}
	l.settle()
}

func (l *line) take(cmd Command, kept, whole []byte) {
	act, a := ActForward, AnswerNone
	if l.refusing {
		act, a = l.c.AdmitRefusing(cmd, kept)
	} else if !l.c.Forward(l.care, cmd) {
		act, a = l.c.Admit(l.care, cmd, kept)
	}
	switch act {
	case ActForward, ActOpaque:
		if act == ActForward && kept != nil && l.care.Named(cmd) {
			l.takeNamed(cmd, kept)
			return
		}
		l.up = append(l.up, whole...)
		if kept != nil {
			l.c.Take(&l.fl, cmd, kept, l.now)
			return
		}
		l.c.TakeBig(&l.fl, cmd, l.now)
		l.c.Streamed(len(whole), true)
		return
	case ActDiscard:
		l.up = append(l.up, DiscardRequest()...)
	case ActQuit:
		l.quit = true
	}
	l.c.TakeLocal(&l.fl, cmd, act, a, l.now)
}

// takeNamed is for a request that names what belongs to the server.
func (l *line) takeNamed(cmd Command, kept []byte) {
	out, a := l.c.Translate(nil, cmd, kept, l.names)
	if a != AnswerNone {
		l.c.TakeLocal(&l.fl, cmd, ActLocal, a, l.now)
		return
	}
	if out == nil {
		out = kept
	}
	l.up = append(l.up, out...)
	l.c.TakeAs(&l.fl, cmd, kept, len(out), l.now)
}

func (l *line) settle() {
	for !l.streams {
		_, _, a, ok := l.c.Settle(&l.fl)
		if !ok {
			return
		}
		if a != AnswerNone {
			l.down = append(l.down, a.Text(l.c.Proto())...)
		}
	}
}

// reply is what the backend says.
func (l *line) reply(text string) { l.t.Helper(); l.replyBytes([]byte(raw(text))) }

func (l *line) replyBytes(p []byte) {
	l.t.Helper()
	p = append(l.unread, p...)
	l.unread = nil
	for len(p) > 0 {
		n, v := 0, Whole
		if l.streams {
			n, _, v = l.rep.Stream(p)
			if !l.drop {
				l.down = append(l.down, p[:n]...)
			}
			l.streams = v != Whole
		} else {
			if extra := l.c.Extra(); extra != 0 && l.rep == (Reply{}) {
				l.rep.Expect(extra)
			}
			n, v = l.rep.Scan(p)
			if v == More {
				l.unread = append([]byte(nil), p...)
				return
			}
			if v == Bad {
				l.t.Fatalf("reply %.60q: %v", p, v)
			}
			l.frame(l.rep.First(), p[:n], p, v == Big)
		}
		p = p[n:]
		if v == Whole {
			l.rep.Reset()
			l.settle()
		}
	}
}

func (l *line) frame(first byte, head, all []byte, big bool) {
	if big {
		l.streams, l.drop = true, false
	}
	if _, ok := l.c.Plain(&l.fl, first); ok {
		l.down = append(l.down, head...)
		return
	}
	frame := head
	if big {
		frame = all
	}
	m, a, _, _ := l.c.Frame(&l.fl, first, frame)
	switch m {
	case Deliver, Stray, LeaveFraming:
		l.down = append(l.down, head...)
		l.stray, l.opaque = l.stray || m == Stray, l.opaque || m == LeaveFraming
	case Rename:
		instead, taken, _ := l.fl.Renamed()
		l.down = append(append(l.down, instead...), head[taken:]...)
	case Replace:
		l.down = append(l.down, a.Text(l.c.Proto())...)
	case Refuse:
		l.refusals++
	}
	l.drop = m == Swallow
}

// cut loses the backend when unsent bytes had not left.
func (l *line) cut(p Policy, unsent int) CutCounts { return l.cutAs(p, unsent, false) }

func (l *line) cutAs(p Policy, unsent int, clean bool) CutCounts {
	l.t.Helper()
	n := l.c.Cut(p, unsent, l.now, clean)
	l.up, l.unread, l.rep, l.streams, l.drop = nil, nil, Reply{}, false, false
	l.settle()
	return n
}

// move makes the session again; it returns the replay and the requests that are sent again.
func (l *line) move() (replay string, frames int, again string) {
	login, _ := l.c.ReplayAuth(nil)
	rest, n := l.c.Replay(nil, false, l.names)
	if len(login) > 0 {
		n++
	}
	resent := l.c.Resume(nil, l.now, l.names)
	l.up = append([]byte(nil), resent...)
	l.down = append(l.down, l.c.Flush()...)
	l.settle()
	return short(append(login, rest...)), n, short(resent)
}

// short writes requests as send takes them.
func short(p []byte) string {
	var out []string
	for len(p) > 0 {
		var r Request
		n, v := r.Scan(p)
		if v != Whole {
			return "?" + string(p)
		}
		args, _ := Args(p[:n], nil)
		var words []string
		for _, a := range args {
			words = append(words, string(a))
		}
		out = append(out, strings.Join(words, " "))
		p = p[n:]
	}
	return strings.Join(out, ";")
}

// wantUp and wantDown compare what has gone out since they were asked last.
func (l *line) wantUp(want string) {
	l.t.Helper()
	if got := short(l.up); got != want {
		l.t.Fatalf("to the backend:\ngot  %q\nwant %q", got, want)
	}
	l.up = nil
}

func (l *line) wantDown(want string) {
	l.t.Helper()
	if got := shown(l.down); got != want {
		l.t.Fatalf("to the client:\ngot  %.300q\nwant %q", got, want)
	}
	l.down = nil
}

// wantMove moves and compares.
func (l *line) wantMove(replay, again string) {
	l.t.Helper()
	r, frames, a := l.move()
	if r != replay || a != again {
		l.t.Fatalf("move:\ngot  %q, %q\nwant %q, %q", r, a, replay, again)
	}
	if want := strings.Count(replay, ";") + 1; replay != "" && frames < want {
		l.t.Fatalf("frames: got %d, want at least %d", frames, want)
	}
}

func (l *line) wantIdle() {
	l.t.Helper()
	if n := l.c.Unanswered(); n != 0 {
		l.t.Fatalf("unanswered: got %d", n)
	}
}

const (
	unknownText  = "-UNKNOWNRESULT master lost while the command was executing, it MAY OR MAY NOT have been applied|"
	tryAgainText = "-TRYAGAIN failover in progress, command was NOT executed, safe to retry|"
	abortText    = "-EXECABORT Transaction discarded because of failover, nothing was executed|"
	spoiltText   = "-EXECABORT Transaction discarded because of previous errors.|"
	deniedText   = "-NOPERM this command is refused by the proxy; the pool's deny list in its configuration decides|"
	readonlyText = "-READONLY You can't write against a read only replica.|"
)
