package proxy

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"holdfast/proxy/resp"
)

func shaOf(body string) string {
	sum := sha1.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

// wanted is what a server is to be taught, as text.
func wanted(b *scripts, mark uint64) string {
	all, _ := b.since(mark)
	var bodies []string
	for _, s := range all {
		bodies = append(bodies, s.Body)
	}
	return strings.Join(bodies, " ")
}

func TestScriptBook(t *testing.T) {
	b := newScripts()
	b.note(resp.CmdEval, []byte("one"))
	b.note(resp.CmdScriptLoad, []byte("two"))
	b.note(resp.CmdEvalsha, []byte(shaOf("nobody has told us this one")))
	_, mark := b.since(0)
	b.note(resp.CmdEvalRo, []byte("three"))
	b.note(resp.CmdEval, []byte("one"))
	if got, want := wanted(b, 0)+"; "+wanted(b, mark), "one two three; three"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(b.changed) != 1 {
		t.Error("nobody was told")
	}
	b.note(resp.CmdScriptFlush, nil)
	b.note(resp.CmdEvalsha, []byte(shaOf("one")))
	if got := wanted(b, 0); got != "" {
		t.Errorf("after a flush: got %q", got)
	}
	b.note(resp.CmdEval, []byte("four"))
	if got := wanted(b, mark); got != "four" {
		t.Errorf("behind a flush: got %q", got)
	}
}

// A client that makes a new script for each call fills neither our memory nor that of the servers, and pushes out no
// script that is in use.
func TestScriptBookIsBounded(t *testing.T) {
	b := newScripts()
	b.note(resp.CmdScriptLoad, []byte("in use"))
	for i := range 5 * scriptsMax {
		b.note(resp.CmdEval, fmt.Appendf(nil, "return %d", i))
		b.note(resp.CmdEvalsha, []byte(strings.ToUpper(shaOf("in use"))))
	}
	if n := b.order.Len(); n != scriptsMax || len(b.known) != n {
		t.Errorf("got %d and %d scripts, want %d", n, len(b.known), scriptsMax)
	}
	if all := wanted(b, 0); !strings.Contains(all, "in use") {
		t.Error("the script in use was forgotten")
	}
	if _, taught := b.since(0); taught > scriptsMax+1 {
		t.Errorf("%d scripts were taught to servers, want %d at most", taught, scriptsMax)
	}
	last := fmt.Sprintf("return %d", 5*scriptsMax-1)
	b.note(resp.CmdEvalsha, []byte(shaOf(last)))
	if all := wanted(b, 0); !strings.Contains(all, last) {
		t.Error("a script that was used again is not taught")
	}
	for i := range 200 {
		b.note(resp.CmdScriptLoad, fmt.Appendf(nil, "-- %d %s", i, repeat("x", 60<<10)))
	}
	if b.bytes > scriptBytesMax || b.order.Len() > scriptBytesMax/(60<<10)+1 {
		t.Errorf("got %d scripts of %d bytes, want at most %d", b.order.Len(), b.bytes, scriptBytesMax)
	}
}

// What clients do with scripts reaches the book once, over all loops.
func TestScriptsAreSeen(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	c, d := dialClient(t, r.addr), dialClient(t, r.addr)
	c.want(":7", "EVAL", "return 7", "0")
	d.want(shaOf("return 8"), "SCRIPT", "LOAD", "return 8")
	c.want(":8", "EVALSHA", shaOf("return 8"), "0")
	d.do("EVAL", "this is no Lua", "0")
	d.want("+OK", "MULTI")
	d.want("+QUEUED", "EVAL_RO", "return 9", "0")
	if got := wanted(r.scripts, 0); got != "return 7 return 8 return 9" {
		t.Errorf("got %q", got)
	}
	c.want("+OK", "SCRIPT", "FLUSH")
	c.want(":7", "EVAL", "return 7", "0")
	if got := wanted(r.scripts, 0); got != "return 7" {
		t.Errorf("after a flush: got %q", got)
	}
}

// strangeServer has commands that are in no table: its own GET and TIME under other names.
func strangeServer(t *testing.T) *redisServer {
	return startRedis(t, "--rename-command", "TIME", "CLOCK", "--rename-command", "GET", "FETCH")
}

func TestUnknownStateIsMovedOrClosed(t *testing.T) {
	for _, closes := range []bool{false, true} {
		a, b := strangeServer(t), strangeServer(t)
		r := startProxy(t, func(o *PoolOptions) { o.CloseUnknownState = closes }, a, b)
		r.Publish(open(1, 0, a.lineage()))
		c, plain := dialClient(t, r.addr), dialClient(t, r.addr)
		plain.want("-ERR unknown command 'NOSUCH', with args beginning with: ", "NOSUCH")
		if got := c.do("CLOCK"); !strings.HasPrefix(got, "*[") {
			t.Fatalf("got %q", got)
		}
		if got := r.stats().Odd; got != 1 {
			t.Errorf("got %d sessions of unknown state, want 1", got)
		}
		r.shut(1, 0)
		r.cut(1)
		r.Publish(open(2, 1, b.lineage()))
		plain.want("+PONG", "PING")
		if !closes {
			c.want("+PONG", "PING")
			continue
		}
		if !c.ended() || r.stats().Closed[ClosedUnknown] != 1 {
			t.Errorf("the session was not closed: %v", r.stats().Closed)
		}
	}
}

// A read that only the server knows is asked again once the server has said that it is one.
func TestForeignReadsAreAskedAgain(t *testing.T) {
	for _, learned := range []bool{false, true} {
		a, b := strangeServer(t), strangeServer(t)
		r := startProxy(t, nil, a, b)
		if learned {
			r.Learn([]resp.Described{{Name: "fetch", Flags: []string{"readonly", "fast"}, Keyed: true}})
		}
		r.Publish(open(1, 0, a.lineage()))
		b.do("SET", "k", "v")
		c := dialClient(t, r.addr)
		c.want("+PONG", "PING")
		c.send(request("DEBUG", "SLEEP", "10") + request("FETCH", "k"))
		eventually(t, "in flight", func() bool { return r.stats().Unanswered == 1 })
		a.kill()
		r.shut(1, 0)
		r.cut(1)
		r.Publish(open(2, 1, b.lineage()))
		if got := c.read(); !strings.HasPrefix(got, "-UNKNOWNRESULT ") {
			t.Errorf("DEBUG: got %q", got)
		}
		want := "v"
		if !learned {
			want = "-UNKNOWNRESULT "
		}
		if got := c.read(); !strings.HasPrefix(got, want) || r.stats().Odd != 0 {
			t.Errorf("learned %v: got %q, want %q; %d of unknown state", learned, got, want, r.stats().Odd)
		}
	}
}
