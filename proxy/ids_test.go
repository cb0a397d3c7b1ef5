package proxy

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
)

// idOf asks for the id of a connection in every way there is, and wants one answer.
func idOf(t *testing.T, c *client) string {
	t.Helper()
	id := strings.TrimPrefix(c.do("CLIENT", "ID"), ":")
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil || n < 1<<52 || n >= 1<<53 {
		t.Fatalf("CLIENT ID: got %q", id)
	}
	info := strings.TrimPrefix(c.do("CLIENT", "INFO"), "txt:")
	if !strings.HasPrefix(info, "id="+id+" addr=") || !strings.HasSuffix(info, "\n") {
		t.Fatalf("CLIENT INFO: got %q, want id %s", info, id)
	}
	c.want("+OK", "MULTI")
	c.want("+QUEUED", "CLIENT", "ID")
	c.want("+QUEUED", "SET", "k", "v")
	c.want("+QUEUED", "CLIENT", "ID")
	c.want("*[:"+id+" +OK :"+id+"]", "EXEC")
	return id
}

func TestClientIDsLast(t *testing.T) {
	r, a, b := pair(t, nil)
	c, d := dialClient(t, r.addr), dialClient(t, r.addr)
	id, other := idOf(t, c), idOf(t, d)
	if id == other {
		t.Fatalf("both are %s", id)
	}
	for _, hello := range [][]string{{"HELLO", "3"}, {"HELLO", "2"}} {
		if got := c.do(hello...); !strings.Contains(got, " id :"+id+" ") {
			t.Fatalf("HELLO: got %q, want id %s", got, id)
		}
	}
	c.want("+OK", "MULTI")
	c.want("+QUEUED", "HELLO", "3")
	if got := c.do("EXEC"); !strings.Contains(got, " id :"+id+" ") {
		t.Fatalf("HELLO in a block: got %q, want id %s", got, id)
	}
	a.kill()
	r.failOver(2, 1, b)
	if got := idOf(t, c); got != id {
		t.Errorf("after a failover: got %s, want %s", got, id)
	}
	d.want("+RESET", "RESET")
	if got := idOf(t, d); got != other {
		t.Errorf("after RESET: got %s, want %s", got, other)
	}
}

func TestUnblockByID(t *testing.T) {
	r, a, b := pair(t, nil)
	waiter, other, helper := dialClient(t, r.addr), dialClient(t, r.addr), dialClient(t, r.addr)
	id := idOf(t, waiter)
	idOf(t, other)
	idOf(t, helper)
	unblock := func(s *redisServer) {
		t.Helper()
		waiter.send(request("BLPOP", "jobs", "0"))
		other.send(request("BLPOP", "others", "0"))
		eventually(t, "both wait", func() bool { return blocked(s) == 2 })
		helper.want(":1", "CLIENT", "UNBLOCK", id)
		if got := waiter.read(); got != "nil" {
			t.Fatalf("got %q", got)
		}
		waiter.send(request("BLPOP", "jobs", "0"))
		eventually(t, "both wait", func() bool { return blocked(s) == 2 })
		helper.want(":1", "CLIENT", "UNBLOCK", id, "ERROR")
		if got := waiter.read(); got != "-UNBLOCKED client unblocked via CLIENT UNBLOCK" {
			t.Fatalf("got %q", got)
		}
		s.do("RPUSH", "others", "x")
		if got := other.read(); got != "*[others x]" {
			t.Fatalf("got %q", got)
		}
		helper.want(":0", "CLIENT", "UNBLOCK", id)
	}
	unblock(a)
	// It waits on the old master, is moved while it does, and is unblocked on the new one.
	waiter.send(request("BLPOP", "jobs", "0"))
	eventually(t, "it waits", func() bool { return blocked(a) == 1 })
	r.shut(1, 0)
	if err := r.Quiesce(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.failOver(2, 1, b)
	eventually(t, "it waits again", func() bool { return blocked(b) == 1 })
	helper.want(":1", "CLIENT", "UNBLOCK", id)
	if got := waiter.read(); got != "nil" {
		t.Fatalf("got %q", got)
	}
	unblock(b)
	waiter.close()
	eventually(t, "gone", func() bool { return r.stats().Clients == 2 })
	helper.want(":0", "CLIENT", "UNBLOCK", id)
}

// An id that a server gave out counts somebody else on the next one.
func TestServersIDsAreRefusedAfterAMove(t *testing.T) {
	r, a, b := pair(t, nil)
	direct, c := dialClient(t, a.addr), dialClient(t, r.addr)
	id := strings.TrimPrefix(direct.do("CLIENT", "ID"), ":")
	c.want(":0", "CLIENT", "UNBLOCK", id)
	if got := c.do("CLIENT", "LIST", "ID", id); !strings.HasPrefix(got, "id="+id+" ") {
		t.Errorf("CLIENT LIST: got %q", got)
	}
	r.failOver(2, 1, b)
	for _, request := range [][]string{
		{"CLIENT", "UNBLOCK", id}, {"CLIENT", "KILL", "ID", id}, {"CLIENT", "KILL", "TYPE", "normal", "ID", id},
		{"CLIENT", "TRACKING", "ON", "REDIRECT", id},
	} {
		if got := c.do(request...); !strings.HasPrefix(got, "-ERR this id was given out by a server") {
			t.Errorf("%v: got %q", request, got)
		}
	}
	nobody := fmt.Sprint(uint64(1)<<52 | 7)
	c.want(":0", "CLIENT", "UNBLOCK", nobody)
	c.want(":0", "CLIENT", "KILL", "ID", nobody)
	c.want("-ERR The client ID you want redirect to does not exist", "CLIENT", "TRACKING", "ON", "REDIRECT", nobody)
	c.want("+OK", "MULTI")
	c.do("CLIENT", "UNBLOCK", id)
	c.want("-EXECABORT Transaction discarded because of previous errors.", "EXEC")
}

// A client that another one has killed stays killed: its connection is not made again behind its back.
func TestKilledByIDIsClosed(t *testing.T) {
	r, a, b := pair(t, nil)
	c, d := dialClient(t, r.addr), dialClient(t, r.addr)
	id := idOf(t, c)
	a.kill()
	r.failOver(2, 1, b)
	c.want("+PONG", "PING")
	d.want(":1", "CLIENT", "KILL", "ID", id)
	if !c.ended() {
		t.Fatal("the client was not closed")
	}
	if got := r.stats().Closed[ClosedKilled]; got != 1 {
		t.Errorf("killed: got %d", got)
	}
	d.want("+PONG", "PING")
}

// A cache that is invalidated through another connection goes on being so: both are moved, the receiver first, and it is
// told to forget everything.
func TestRedirectedCacheMoves(t *testing.T) {
	r, a, b := pair(t, nil)
	reader, receiver := dialClient(t, r.addr), dialClient(t, r.addr)
	id := idOf(t, receiver)
	receiver.want("*[subscribe __redis__:invalidate :1]", "SUBSCRIBE", "__redis__:invalidate")
	reader.want("+OK", "CLIENT", "TRACKING", "ON", "REDIRECT", id)
	reader.want(":"+id, "CLIENT", "GETREDIR")
	servers := []*redisServer{a, b}
	for i := range 4 {
		s := servers[i%2]
		reader.do("GET", "k")
		s.do("SET", "k", "v")
		if got := receiver.read(); got != "*[message __redis__:invalidate *[k]]" {
			t.Fatalf("round %d: got %q", i, got)
		}
		next := servers[1-i%2]
		r.failOver(uint64(i+2), 1-i%2, next)
		host, port, _ := net.SplitHostPort(next.addr)
		s.do("REPLICAOF", host, port)
		receiver.forgets(4) // at the cut and when it is served again, for itself and for the reader
		reader.want(":"+id, "CLIENT", "GETREDIR")
	}
	if n := r.stats().Clients; n != 2 {
		t.Errorf("got %d clients, want 2", n)
	}
}

// Without its receiver a cache cannot be kept right, and only the end of the connection says so.
func TestRedirectionToAClientThatIsGone(t *testing.T) {
	r, _, b := pair(t, nil)
	reader, receiver := dialClient(t, r.addr), dialClient(t, r.addr)
	id := idOf(t, receiver)
	reader.want("+OK", "CLIENT", "TRACKING", "ON", "REDIRECT", id)
	receiver.close()
	eventually(t, "gone", func() bool { return r.stats().Clients == 1 })
	r.failOver(2, 1, b)
	if !reader.ended() {
		t.Fatal("the client was not closed")
	}
	eventually(t, "the reason is counted", func() bool { return r.stats().Closed[ClosedReplay] == 1 })
}
