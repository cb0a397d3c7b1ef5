package proxy

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"holdfast/proxy/resp"
)

// answersWith is a master that answers whatever it is asked with the text, and then ends the connection if it dies.
func answersWith(t *testing.T, text *atomic.Pointer[string], dies bool) string {
	return serve(t, func(nc *net.TCPConn) {
		if _, err := nc.Read(make([]byte, 1<<16)); err != nil {
			return
		}
		_, _ = io.WriteString(nc, *text.Load())
		if !dies {
			_, _ = nc.Read(make([]byte, 1))
		}
	})
}

// bulks is a reply of many small strings, as large as size at most and eight bytes smaller at least.
func bulks(size int) string {
	n := (size - 8) / len("$2\r\nxx\r\n")
	head := fmt.Sprintf("*%d\r\n", n)
	return head + strings.Repeat("$2\r\nxx\r\n", n)
}

// bulkOf is a reply of one string, just as large as size.
func bulkOf(size int) string {
	for n := size - len("$\r\n\r\n"); ; n-- {
		if head := fmt.Sprintf("$%d\r\n", n); len(head)+n+2 == size {
			return head + repeat("v", n) + "\r\n"
		}
	}
}

// Up to 64 KiB a reply is forwarded whole or not at all: what the lost master had sent of it is thrown away, and the
// read is asked again. A larger one costs the connection, and is counted.
func TestReplyCutInTheMiddle(t *testing.T) {
	rows := []struct {
		name, reply string
		whole       bool
	}{
		{"a string of 16 KiB", bulkOf(16 << 10), true},
		{"a string of just 64 KiB", bulkOf(64 << 10), true},
		{"a string one byte larger", bulkOf(64<<10 + 1), false},
		{"a string of 128 KiB", bulkOf(128 << 10), false},
		{"a string of 256 KiB", bulkOf(256 << 10), false},
		{"an array of small strings, 16 KiB", bulks(16 << 10), true},
		{"an array of small strings, 64 KiB", bulks(64 << 10), true},
		{"an array of small strings, 65 KiB", bulks(65 << 10), false},
		{"an array of arrays", "*3\r\n" + bulks(20<<10) + bulks(20<<10) + bulks(20<<10), true},
		{"an array of arrays, larger", "*4\r\n" + bulks(20<<10) + bulks(20<<10) + bulks(20<<10) + bulks(20<<10), false},
		{"a map with a push inside", "*2\r\n>2\r\n+a\r\n+b\r\n%1\r\n" + bulkOf(20<<10) + bulkOf(20<<10) + bulkOf(20<<10), true},
		{"a long error", "-ERR " + repeat("e", 60<<10) + "\r\n", true},
	}
	var part, all atomic.Pointer[string]
	r := startProxy(t, func(o *PoolOptions) { o.Backends = []string{answersWith(t, &part, true), answersWith(t, &all, false)} })
	epoch, costly := uint64(0), uint64(0)
	for _, row := range rows {
		for _, cut := range []int{1, 5, len(row.reply) / 2, len(row.reply) - 1} {
			head := row.reply[:cut]
			part.Store(&head)
			all.Store(&row.reply)
			epoch++
			r.Publish(open(epoch, 0, ""))
			c := dialClient(t, r.addr)
			c.send(request("LRANGE", "k", "0", "-1"))
			eventually(t, "the master is lost", func() bool { s := r.stats(); return s.Held == 1 || s.Closed[ClosedMidReply] > costly })
			epoch++
			r.Publish(open(epoch, 1, ""))
			closed := r.stats().Closed[ClosedMidReply]
			got := make([]byte, len(row.reply))
			k, _ := io.ReadFull(c.br, got)
			switch {
			case closed == costly && string(got[:k]) != row.reply:
				t.Errorf("%s, cut at %d: got %d bytes of another reply", row.name, cut, k)
			case closed != costly && row.whole:
				t.Errorf("%s, cut at %d: the connection was closed", row.name, cut)
			case closed == costly && !row.whole && cut == len(row.reply)/2 && cut > resp.WholeMax:
				t.Errorf("%s, cut at %d: more than 64 KiB were kept", row.name, cut)
			}
			costly = closed
			c.close()
			eventually(t, "the client is gone", func() bool { return r.stats().Clients == 0 })
		}
	}
	if costly == 0 {
		t.Error("no large reply has cost a connection: the test proves nothing")
	}
}

// Halves of replies cost no more than the bytes that have come: nothing is set aside for what a header promises.
func TestHalvesOfRepliesAreBounded(t *testing.T) {
	const clients, have = 200, 60 << 10
	var part atomic.Pointer[string]
	head := bulkOf(64 << 10)[:have]
	part.Store(&head)
	r := startProxy(t, func(o *PoolOptions) { o.Backends = []string{answersWith(t, &part, false)} })
	r.Publish(open(1, 0, ""))
	before := heap()
	for range clients {
		dialClient(t, r.addr).send(request("GET", "k"))
	}
	eventually(t, "all halves have come", func() bool {
		full := 0
		r.each(func(s *session) {
			if buffered(s.back) == have {
				full++
			}
		})
		return full == clients
	})
	grown := (float64(heap()) - float64(before)) / clients / float64(resp.WholeMax)
	t.Logf("%.2f times 64 KiB a client", grown)
	if grown > 2 { // a buffer that grows by appending has up to twice its content
		t.Errorf("got %.2f times 64 KiB a client", grown)
	}
}
