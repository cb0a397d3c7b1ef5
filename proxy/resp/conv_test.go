package resp

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// TestPolicies asks for every class what becomes of a request under each policy and each knowledge of its fate.
func TestPolicies(t *testing.T) {
	const never = RetryAll + 1
	for _, tt := range []struct {
		request string
		from    Policy // the first policy that sends it again when its outcome is unknown
	}{
		{"GET a", RetryReads},
		{"TIME", RetryReads},
		{"EVAL_RO x 0", RetryReads},
		{"XREAD BLOCK 0 STREAMS s 0", RetryReads},
		{"SORT a", RetryReads},
		{"SELECT 1", Fail},
		{"SUBSCRIBE a", Fail},
		{"SET a 1", RetryIdempotent},
		{"SETEX a 1 x", RetryIdempotent},
		{"DEL a", RetryIdempotent},
		{"SET a 1 NX", RetryAll},
		{"INCR a", RetryAll},
		{"PUBLISH a m", RetryAll},
		{"EVAL x 0", RetryAll},
		{"NOSUCH a", RetryAll},
		{"BLPOP q 0", RetryAll},
		{"CONFIG SET a b", never},
		{"CLIENT KILL ID 7", never},
	} {
		for policy := Fail; policy <= RetryAll; policy++ {
			name := fmt.Sprintf("%s under policy %d", tt.request, policy)
			again := func(how string, got CutCounts, want CutCounts, l *line) {
				t.Helper()
				_, _, resent := l.move()
				if got != want || resent != tt.request || len(l.down) != 0 {
					t.Errorf("%s, %s: got %+v, sent again %q, client got %q", name, how, got, resent, l.down)
				}
			}
			l := newLine(t)
			l.send(tt.request)
			again("never sent", l.cut(policy, 1), CutCounts{NeverSent: 1}, l)

			l = newLine(t)
			l.send(tt.request)
			const refusal = "-LOADING Redis is loading|"
			if l.reply(refusal); !strings.HasPrefix(tt.request, "EVAL") {
				again("refused", l.cut(policy, 0), CutCounts{Refused: 1}, l)
			} else if l.refusals != 0 || shown(l.down) != refusal {
				t.Errorf("%s: a script's error was taken for a refusal", name)
			}

			l = newLine(t)
			l.send(tt.request)
			got := l.cut(policy, 0)
			if policy >= tt.from {
				again("unknown", got, CutCounts{Retried: 1}, l)
				continue
			}
			if got.Unknown != 1 || shown(l.down) != unknownText {
				t.Errorf("%s, unknown: got %+v, client got %q", name, got, l.down)
			}
			l.wantMove("", "")
		}
	}
}

// What may have been executed is called so for good, however often its retry fails.
func TestRetriedWriteIsNeverCalledNotExecuted(t *testing.T) {
	l := newLine(t)
	l.send("INCR a")
	l.cut(RetryAll, 0)
	l.move()
	l.cut(RetryAll, 5)
	l.move()
	l.reply(readonlyText)
	l.cut(Fail, 0)
	l.c.GiveUp()
	l.settle()
	l.wantDown(unknownText)
}

// Under a policy that repeats writes, none is repeated behind one that cannot be: the pipeline would be executed with a hole in it.
func TestNoWriteIsRepeatedBehindAnUnknownOne(t *testing.T) {
	for _, tt := range []struct {
		requests, again, down string
		policy                Policy
		counts                CutCounts
	}{
		{"SET a 1;INCR b;SET c 1;GET d", "SET a 1;GET d", "", RetryIdempotent, CutCounts{Retried: 2, Unknown: 2}},
		{"INCR a;SET b 1", "", unknownText + unknownText, RetryIdempotent, CutCounts{Unknown: 2}},
		{"CONFIG SET a b;INCR c;GET d", "GET d", unknownText + unknownText, RetryAll, CutCounts{Retried: 1, Unknown: 2}},
		{"CONFIG SET a b;MULTI;SET c 1;EXEC", "", unknownText + "+OK|+QUEUED|" + unknownText, RetryAll, CutCounts{Unknown: 2}},
	} {
		l := newLine(t)
		l.send(tt.requests)
		if got := l.cut(tt.policy, 0); got != tt.counts {
			t.Errorf("%s: got %+v, want %+v", tt.requests, got, tt.counts)
		}
		l.wantMove("", tt.again)
		l.wantDown(tt.down)
	}
}

func TestReplayOfABlockIsRefused(t *testing.T) {
	l := newLine(t)
	l.send("SELECT 1;MULTI;SET a 1;SET b 1")
	l.reply("+OK|+OK|+QUEUED|+QUEUED|")
	l.send("EXEC")
	l.cut(RetryReads, 100)
	_, frames := l.c.Replay(nil, true, nil)
	if frames != 5 {
		t.Fatalf("frames: got %d, want 5", frames)
	}
	for left, want := range map[int]bool{5: false, 4: false, 3: false, 2: true, 1: true} {
		if got := l.c.ReplayRefused(left); got != want {
			t.Errorf("%d replies left: got %v, want %v", left, got, want)
		}
	}
	l.down = nil
	l.up = l.c.Resume(nil, l.now, nil)
	l.wantUp("DISCARD")
	l.reply("+OK|")
	l.wantDown(abortText)
}

func TestReplayFrameTellsMessagesApart(t *testing.T) {
	var c Conv
	for frame, want := range map[string]bool{
		"+OK|": true, "$1|x|": true, "*3|$9|subscribe|$1|a|:1|": true, ">3|$9|subscribe|$1|a|:1|": true,
		"*3|$7|message|$1|a|$1|m|": false, ">3|$7|message|$1|a|$1|m|": false, ">2|$10|invalidate|_|": false,
		"*4|$8|pmessage|$1|*|$1|a|$1|m|": false,
	} {
		if got := c.ReplayFrame(frame[0], []byte(raw(frame))); got != want {
			t.Errorf("%q: got %v, want %v", frame, got, want)
		}
	}
}

func TestRedirectedTrackingCannotBeMoved(t *testing.T) {
	l := newLine(t)
	l.send("CLIENT TRACKING ON REDIRECT 7")
	l.reply("+OK|")
	if l.c.Movable() {
		t.Error("got movable")
	}
	l.send("CLIENT TRACKING OFF")
	l.reply("+OK|")
	if !l.c.Movable() {
		t.Error("got not movable after OFF")
	}
}

func TestOpaqueCommands(t *testing.T) {
	for _, request := range []string{"SYNC", "PSYNC ? -1", "REPLCONF listening-port 1", "MONITOR"} {
		l := newLine(t)
		var r Request
		req := reqs(request)
		r.Scan(req)
		if act, _ := l.c.Admit(l.care, r.Command(), req); act != ActOpaque {
			t.Errorf("%s: got act %d", request, act)
		}
	}
	l := newLine(t)
	l.send("MONITOR")
	l.reply("+OK|")
	if !l.opaque {
		t.Error("MONITOR: framing goes on")
	}
}

func TestDenyList(t *testing.T) {
	care, unknown := NewCare([]string{"shutdown", "CLIENT KILL", "cluster", "NOSUCH"})
	if len(unknown) != 1 || unknown[0] != "NOSUCH" {
		t.Errorf("unknown: got %q", unknown)
	}
	for request, want := range map[string]Answer{
		"SHUTDOWN NOSAVE": AnswerDenied, "client kill ID 3": AnswerDenied, "CLUSTER NODES": AnswerDenied,
		"CLUSTER": AnswerDenied, "CLIENT ID": AnswerNone, "CLIENT CAPA redirect": AnswerNoCapa,
	} {
		var c Conv
		var r Request
		req := reqs(request)
		r.Scan(req)
		if _, got := c.Admit(care, r.Command(), req); got != want {
			t.Errorf("%s: got answer %d, want %d", request, got, want)
		}
	}
}

func TestPasswordsDoNotOutliveTheConnection(t *testing.T) {
	l := newLine(t)
	l.send("AUTH u verysecret;MULTI;AUTH u verysecret;SET a 1;EXEC")
	l.reply("+OK|+OK|+QUEUED|+QUEUED|*2|+OK|+OK|")
	pass := l.c.state.pass
	l.c.Wipe(&l.fl)
	if bytes.Contains(pass, []byte("secret")) {
		t.Errorf("state: got %q", pass)
	}
	for _, f := range l.fl.free {
		if bytes.Contains(f.kept[:cap(f.kept)], []byte("secret")) {
			t.Error("the copies of requests hold the password")
		}
	}
}

// A pipeline that never runs dry must not make the copies of its answered requests pile up.
func TestEndlessPipelineIsBounded(t *testing.T) {
	l := newLine(t)
	req := encodeWords(nil, "SET k", make([]byte, 60_000))
	var r Request
	r.Scan(req)
	l.c.Take(&l.fl, r.Command(), req, 0)
	for range 2000 {
		l.c.Take(&l.fl, r.Command(), req, 0)
		if _, ok := l.c.Plain(&l.fl, '+'); !ok {
			t.Fatal("not plain")
		}
	}
	if got := cap(l.c.flight.kept); got > 4*flightBytesMax {
		t.Errorf("kept: got %d bytes", got)
	}
	for !l.c.Full() {
		l.c.Take(&l.fl, r.Command(), req, 0)
	}
	if got := l.c.Unanswered(); got > 1+flightBytesMax/60_000 {
		t.Errorf("full at %d requests", got)
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	var c Conv
	var fl Flights
	care, _ := NewCare([]string{"SHUTDOWN"})
	req := reqs("SET key value")
	got := testing.AllocsPerRun(1000, func() {
		for range 16 {
			var r Request
			if _, v := r.Scan(req); v != Whole || !c.Forward(care, r.Command()) {
				t.Fatal("not forwarded")
			}
			c.Take(&fl, r.Command(), req, 7)
		}
		c.Settle(&fl)
		for range 16 {
			if _, ok := c.Plain(&fl, '+'); !ok {
				t.Fatal("not plain")
			}
			c.Settle(&fl)
		}
	})
	if got != 0 {
		t.Errorf("got %v allocations", got)
	}
}

func BenchmarkConv(b *testing.B) {
	var c Conv
	var fl Flights
	care, _ := NewCare(nil)
	req := reqs("SET key value")
	cmd := Lookup([]byte("set"), nil)
	b.ReportAllocs()
	for b.Loop() {
		c.Forward(care, cmd)
		c.Take(&fl, cmd, req, 7)
		c.Plain(&fl, '+')
		c.Settle(&fl)
	}
}
