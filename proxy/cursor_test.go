package proxy

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// scan follows a cursor to its end and counts the keys; stop ends it early and returns where it stood.
func scan(t *testing.T, c *client, cursor string, command []string, stop int) (next string, keys map[string]bool) {
	t.Helper()
	keys = map[string]bool{}
	for {
		request := append(append([]string{}, command...), cursor, "COUNT", "100")
		reply := c.do(request...)
		head, rest, ok := strings.Cut(strings.TrimPrefix(reply, "*["), " *[")
		if !ok || reply[0] == '-' {
			return reply, keys
		}
		for _, key := range strings.Fields(strings.TrimRight(rest, "]")) {
			keys[key] = true
		}
		if cursor = head; cursor == "0" || len(keys) >= stop {
			return cursor, keys
		}
		if n, err := strconv.ParseUint(cursor, 10, 64); err != nil || n >= 1<<53 {
			t.Fatalf("cursor %q is too large for programs that keep numbers as doubles", cursor)
		}
	}
}

const stale = "-ERR SCAN cursor invalidated by failover, restart with cursor 0"

func TestCursorsAreRefusedAfterAFailover(t *testing.T) {
	r, a, b := pair(t, func(o *PoolOptions) { o.RefuseCursors = true })
	c, pooled := dialClient(t, r.addr), dialClient(t, r.addr)
	const n = 5000
	for i := range n {
		c.send(request("SET", fmt.Sprintf("key%d", i), "v") + request("HSET", "hash", fmt.Sprintf("field%d", i), "v"))
	}
	for range n {
		if got := c.read() + c.read(); got != "+OK:1" {
			t.Fatalf("got %q", got)
		}
	}
	c.want(":1", "WAIT", "1", "5000")
	for _, command := range [][]string{{"SCAN"}, {"HSCAN", "hash"}} {
		if cursor, keys := scan(t, c, "0", command, 1<<30); cursor != "0" || len(keys) < n {
			t.Fatalf("%v: got %d keys up to %s", command, len(keys), cursor)
		}
	}
	cursor, _ := scan(t, c, "0", []string{"SCAN"}, 1000)
	field, _ := scan(t, c, "0", []string{"HSCAN", "hash"}, 1000)
	if more, _ := scan(t, pooled, cursor, []string{"SCAN"}, 1000); strings.HasPrefix(more, "-") {
		t.Fatalf("another connection, before the failover: got %q", more)
	}
	a.kill()
	r.failOver(2, 1, b)
	late := dialClient(t, r.addr)
	for _, each := range []*client{c, pooled, late} { // a pool of connections mixes them, and those that are new know no better
		each.want(stale, "SCAN", cursor)
		each.want(stale, "HSCAN", "hash", field)
		each.want(stale, "SCAN", "17")
	}
	if cursor, keys := scan(t, late, "0", []string{"SCAN"}, 1<<30); cursor != "0" || len(keys) < n {
		t.Errorf("from the beginning: got %d keys up to %s", len(keys), cursor)
	}
	c.want("+OK", "MULTI")
	c.want(stale, "SCAN", cursor)
	c.want("-EXECABORT Transaction discarded because of previous errors.", "EXEC")
}

// A large page is marked, too, and a scan that was cut in flight is not asked again with an old cursor.
func TestCursorsOfLargePagesAndOfCutScans(t *testing.T) {
	r, a, b := pair(t, func(o *PoolOptions) { o.RefuseCursors = true })
	c := dialClient(t, r.addr)
	const n = 8000
	for i := range n {
		c.send(request("SET", fmt.Sprintf("key%d%s", i, repeat("x", 40)), "v"))
	}
	for range n {
		c.read()
	}
	c.want(":1", "WAIT", "1", "5000")
	reply := c.do("SCAN", "0", "COUNT", "4000")
	cursor, _, _ := strings.Cut(strings.TrimPrefix(reply, "*["), " ")
	if number, err := strconv.ParseUint(cursor, 10, 64); err != nil || number>>40 == 0 || len(reply) < 100<<10 {
		t.Fatalf("got %.60q, %d bytes", reply, len(reply))
	}
	if reply := c.do("SCAN", cursor, "COUNT", "8000"); !strings.HasPrefix(reply, "*[0 *[") {
		t.Fatalf("got %.60q", reply)
	}
	c.send(request("DEBUG", "SLEEP", "10") + request("SCAN", cursor) + request("SCAN", "0", "COUNT", "1"))
	eventually(t, "in flight", func() bool { return r.stats().Unanswered == 1 })
	a.kill()
	r.failOver(2, 1, b)
	if got := c.read() + c.read(); !strings.HasSuffix(got, stale) {
		t.Errorf("got %q", got)
	}
	if got := c.read(); !strings.HasPrefix(got, "*[") {
		t.Errorf("got %q", got)
	}
}

// Unless the pool says so, cursors are the server's.
func TestCursorsArePassed(t *testing.T) {
	r, a, _ := pair(t, nil)
	c, direct := dialClient(t, r.addr), dialClient(t, a.addr)
	for i := range 1000 {
		c.want("+OK", "SET", fmt.Sprintf("key%d", i), "v")
	}
	if got, want := c.do("SCAN", "0"), direct.do("SCAN", "0"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
