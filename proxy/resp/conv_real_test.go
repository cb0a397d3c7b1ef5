package resp

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// endMark ends a conversation with a real server: its reply is read last.
const endMark = "mark-of-the-end"

// hearAll sends p and reads until a line with the mark has come back.
func hearAll(t *testing.T, conn net.Conn, p []byte, mark string) []byte {
	t.Helper()
	if _, err := conn.Write(p); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(ioTimeout))
	var got []byte
	for buf := make([]byte, 4096); !bytes.Contains(got, []byte(mark)) || !bytes.HasSuffix(got, []byte("\r\n")); {
		n, err := conn.Read(buf)
		if got = append(got, buf[:n]...); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("after %q: %v", got, err)
		}
	}
	return got
}

func dialPlain(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// TestSameAsWithoutProxy compares what a client hears from a real server directly and through a conversation.
func TestSameAsWithoutProxy(t *testing.T) {
	addr := realServer(t)
	for _, story := range []string{
		"SET a 1;GET a;NOSUCH;GET",
		"CLIENT REPLY OFF;SET a 1;NOSUCH;CLIENT REPLY ON;GET a",
		"CLIENT REPLY SKIP;SET a 1;GET a;CLIENT REPLY SKIP;CLIENT REPLY SKIP;GET a;PING",
		"CLIENT REPLY SKIP;CLIENT REPLY ON;PING",
		"CLIENT REPLY SKIP;RESET;PING;CLIENT REPLY OFF;CLIENT REPLY SKIP;RESET;PING",
		"CLIENT REPLY MAYBE;CLIENT REPLY;CLIENT REPLY OFF;CLIENT REPLY MAYBE;CLIENT REPLY ON",
		"CLIENT REPLY SKIP;SUBSCRIBE a;RESET",
		"CLIENT REPLY OFF;SUBSCRIBE a b;UNSUBSCRIBE a b;CLIENT REPLY ON",
		"SUBSCRIBE a b a;PSUBSCRIBE p*;PING;GET a;UNSUBSCRIBE b a;PUNSUBSCRIBE;UNSUBSCRIBE;GET a",
		"HELLO 3;SUBSCRIBE a;PUBLISH a m;MULTI;PUBLISH a m;GET k;EXEC;GET k",
		"MULTI;SUBSCRIBE a b;UNSUBSCRIBE b;SET k v;EXEC;UNSUBSCRIBE a;PING",
		"HELLO 3;MULTI;SUBSCRIBE a b;UNSUBSCRIBE a;SET k v;EXEC;PING",
		"MULTI;HELLO 3;SUBSCRIBE a;SET k v;EXEC;PING",
		"MULTI;MULTI;WATCH k;SELECT 2;SELECT 99;EXEC;DISCARD;EXEC",
		"MULTI;NOSUCH;SET k v;EXEC;MULTI;SET k v;DISCARD x;EXEC;PING",
		"WATCH k;SET k 2;MULTI;GET k;EXEC;HELLO 3;WATCH k;SET k 3;MULTI;EXEC",
		"MULTI;BLPOP q 0;WAIT 0 0;EXEC;BLPOP q 0.01;BRPOPLPUSH q r 0.01",
		"HELLO 3;DEBUG PROTOCOL attrib;PING;DEBUG PROTOCOL push;GET k",
		"DEBUG PROTOCOL attrib;DEBUG PROTOCOL null;DEBUG PROTOCOL map;PING",
		"HELLO 3;DEBUG PROTOCOL bignum;DEBUG PROTOCOL double;DEBUG PROTOCOL true;DEBUG PROTOCOL set;DEBUG PROTOCOL verbatim;DEBUG PROTOCOL null",
		"HELLO 3;MULTI;DEBUG PROTOCOL push;GET k;EXEC;GET k",
		"SELECT 3;MULTI;SELECT 4;RESET;GET a;EXEC;WATCH k;RESET;MULTI;EXEC",
		"MULTI;MONITOR;EXEC;READONLY;READWRITE;ASKING;CLIENT GETNAME;CLIENT SETNAME x;CLIENT GETNAME;CLIENT NO-EVICT ON",
		"SUBSCRIBE a b c;UNSUBSCRIBE;UNSUBSCRIBE;PUNSUBSCRIBE;SUNSUBSCRIBE;SUBSCRIBE;PING",
		"HELLO 3;SET k 3;CLIENT TRACKING ON;GET k;SET k 4;GET k;MULTI;SET k 5;GET k;EXEC;CLIENT TRACKING OFF",
		"HELLO 3;BLPOP none 0.01;BLMOVE none other LEFT LEFT 0.01",
		"BLPOP none 0.01;BLMOVE none other LEFT LEFT 0.01",
		"HELLO 4;HELLO 3 AUTH x y;AUTH bad;CLIENT CAPA redirect;CLIENT SETINFO a b",
	} {
		p := append(reqs(story), reqs("ECHO "+endMark)...)
		direct := dialPlain(t, addr)
		want := hearAll(t, direct, p, endMark)
		hearAll(t, direct, reqs("RESET"), "+RESET") // it must not be subscribed any more
		l := newLine(t)
		conn := dialPlain(t, addr)
		for rest := p; len(rest) > 0; { // the client pipelines in pieces
			var r Request
			n, _ := r.Scan(rest)
			l.sendBytes(rest[:n])
			rest = rest[n:]
		}
		replies := hearAll(t, conn, l.up, endMark)
		for _, c := range replies { // the server's bytes come one by one
			l.replyBytes([]byte{c})
		}
		if got := withoutID(l.down); got != withoutID(want) {
			t.Errorf("%s:\ngot  %q\nwant %q", story, got, withoutID(want))
		}
		if n := l.c.Unanswered(); n != 0 || l.stray {
			t.Errorf("%s: %d unanswered, stray %v", story, n, l.stray)
		}
	}
}

// withoutID takes the connection's number out of HELLO's reply.
func withoutID(p []byte) string {
	text := shown(p)
	before, after, found := strings.Cut(text, "$2|id|:")
	if !found {
		return text
	}
	_, after, _ = strings.Cut(after, "|")
	return before + "$2|id|:N|" + after
}

// TestDemotedMasterRefuses asks a real server that loses its role under an open block and a blocked command.
func TestDemotedMasterRefuses(t *testing.T) {
	addr := realServer(t)
	other := dialReal(t, addr)
	block, pop := newLine(t), newLine(t)
	blockConn, popConn := dialPlain(t, addr), dialPlain(t, addr)
	pop.send("BLPOP q 0")
	popConn.Write(pop.up)
	block.send("MULTI;SET a 1;ECHO mark")
	blockConn.Write(block.up)
	read := func(l *line, conn net.Conn, until func() bool) {
		t.Helper()
		conn.SetReadDeadline(time.Now().Add(ioTimeout))
		for buf := make([]byte, 4096); !until(); {
			n, err := conn.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			l.replyBytes(buf[:n])
		}
	}
	read(block, blockConn, func() bool { return block.c.Unanswered() == 0 })
	other.exchange(t, reqs("REPLICAOF 127.0.0.1 1"))
	block.up = nil
	block.send("EXEC")
	blockConn.Write(block.up)
	read(block, blockConn, func() bool { return block.refusals == 1 })
	read(pop, popConn, func() bool { return pop.refusals == 1 })
	block.cut(RetryReads, 0)
	block.wantMove("MULTI;SET a 1;ECHO mark", "EXEC")
	pop.cut(Fail, 0)
	pop.wantMove("", "BLPOP q 0")
}
