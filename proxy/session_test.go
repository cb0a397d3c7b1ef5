package proxy

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// securedPair is a pair that asks for a password.
func securedPair(t *testing.T) (*rig, *redisServer, *redisServer) {
	a := startRedis(t, "--requirepass", "secret", "--masterauth", "secret")
	b := startRedis(t, "--requirepass", "secret", "--masterauth", "secret")
	host, port, _ := net.SplitHostPort(a.addr)
	login(t, b.addr).want("+OK", "REPLICAOF", host, port)
	m := login(t, a.addr)
	eventually(t, "replica in sync", func() bool {
		m.do("SET", "sync", "1")
		return m.do("WAIT", "1", "50") == ":1"
	})
	return startProxy(t, nil, a, b), a, b
}

func login(t *testing.T, addr string) *client {
	c := dialClient(t, addr)
	c.want("+OK", "AUTH", "secret")
	return c
}

func lineageOf(c *client) string {
	_, rest, _ := strings.Cut(c.do("INFO", "replication"), "master_replid:")
	return rest[:40]
}

func TestLoginIsRepeatedOnTheNewMaster(t *testing.T) {
	r, a, b := securedPair(t)
	r.Publish(open(1, 0, lineageOf(login(t, a.addr))))
	c, stranger := login(t, r.addr), dialClient(t, r.addr)
	c.want("+OK", "SELECT", "2")
	c.want("+OK", "SET", "k", "v")
	c.want(":1", "WAIT", "1", "5000")
	stranger.want("-NOAUTH Authentication required.", "GET", "k")
	a.kill()
	r.shut(1, 0)
	r.cut(1)
	nb := login(t, b.addr)
	nb.want("+OK", "REPLICAOF", "NO", "ONE")
	r.Publish(open(2, 1, lineageOf(nb)))
	c.want("v", "GET", "k")
	stranger.want("-NOAUTH Authentication required.", "GET", "k")
}

func TestRefusedLoginClosesTheClient(t *testing.T) {
	r, a, b := securedPair(t)
	r.Publish(open(1, 0, lineageOf(login(t, a.addr))))
	c := login(t, r.addr)
	c.want("+OK", "SET", "k", "v")
	nb := login(t, b.addr)
	nb.want("+OK", "CONFIG", "SET", "requirepass", "other")
	a.kill()
	r.shut(1, 0)
	r.cut(1)
	nb.want("+OK", "REPLICAOF", "NO", "ONE")
	r.Publish(open(2, 1, lineageOf(nb)))
	c.send(request("INCR", "n"))
	if !c.ended() {
		t.Fatal("the client was not closed")
	}
	eventually(t, "the reason is counted", func() bool { return r.stats().Closed[ClosedReplay] == 1 })
	nb.want("nil", "GET", "n")
}

func TestCacheIsFlushedAfterAMove(t *testing.T) {
	r, a, b := pair(t, nil)
	c := dialClient(t, r.addr)
	if got := c.do("HELLO", "3"); !strings.HasPrefix(got, "%[server redis") {
		t.Fatalf("HELLO: got %q", got)
	}
	c.want("+OK", "CLIENT", "TRACKING", "ON")
	c.want("_", "GET", "k")
	a.kill()
	r.failOver(2, 1, b)
	c.forgets(2)
	c.hears("_", "GET", "k")
	b.do("SET", "k", "new")
	c.hears(">[invalidate *[k]]")
}

func TestOpenBlockMoves(t *testing.T) {
	r, a, b := pair(t, nil)
	c := dialClient(t, r.addr)
	c.want("+OK", "SELECT", "1")
	c.want("+OK", "MULTI")
	c.want("+QUEUED", "INCR", "n")
	c.want("+QUEUED", "INCR", "n")
	a.kill()
	r.failOver(2, 1, b)
	c.want("+QUEUED", "GET", "n")
	c.want("*[:1 :2 2]", "EXEC")
	c.want("2", "GET", "n")
}

func TestCommandThatWaitsForDataMoves(t *testing.T) {
	r, a, b := pair(t, func(o *PoolOptions) { o.Policy = 3 })
	c := dialClient(t, r.addr)
	c.send(request("BLPOP", "jobs", "0"))
	eventually(t, "blocked on the old master", func() bool { return blocked(a) == 1 })
	a.kill()
	r.failOver(2, 1, b)
	eventually(t, "blocked on the new master", func() bool { return blocked(b) == 1 })
	b.do("RPUSH", "jobs", "one", "two")
	if got := c.read(); got != "*[jobs one]" {
		t.Fatalf("got %q", got)
	}
	c.want(":1", "LLEN", "jobs")
}

func blocked(s *redisServer) int {
	_, rest, _ := strings.Cut(s.do("INFO", "clients"), "blocked_clients:")
	return int(rest[0] - '0')
}

func TestQuietIncludesWhatWaitsForData(t *testing.T) {
	r, a, b := pair(t, nil)
	c, d, idle := dialClient(t, r.addr), dialClient(t, r.addr), dialClient(t, r.addr)
	idle.want("+PONG", "PING")
	c.send(request("BLPOP", "jobs", "0"))
	d.send(request("PING") + request("BRPOP", "others", "0") + request("INCR", "n"))
	if got := d.read(); got != "+PONG" {
		t.Fatalf("got %q", got)
	}
	eventually(t, "both are blocked", func() bool { return blocked(a) == 2 })
	r.shut(1, 0)
	if err := r.Quiesce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := blocked(a); got != 0 {
		t.Fatalf("blocked on the old master: %d", got)
	}
	if report := r.cut(1); report.Unknown != 0 || report.Aborted != 0 {
		t.Fatalf("report: %+v", report)
	}
	b.do("REPLICAOF", "NO", "ONE")
	b.do("RPUSH", "jobs", "one")
	b.do("RPUSH", "others", "two")
	r.Publish(open(2, 1, b.lineage()))
	if got := c.read() + d.read() + d.read(); got != "*[jobs one]*[others two]:1" {
		t.Fatalf("got %q", got)
	}
	if got := a.do("EXISTS", "n"); got != ":0" {
		t.Fatalf("executed on the old master: %q", got)
	}
}

// A blocking command behind a slow one stands at the head of its connection only after Quiesce was called.
func TestQuietTakesBackWhatBlocksLater(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	c := dialClient(t, r.addr)
	c.want("+PONG", "PING")
	c.send(request("DEBUG", "SLEEP", "0.2") + request("BLPOP", "jobs", "0"))
	eventually(t, "in flight", func() bool { return r.stats().Unanswered == 1 })
	r.shut(1, 0)
	if err := r.Quiesce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := c.read(); got != "+OK" {
		t.Fatalf("got %q", got)
	}
	r.Publish(open(1, 0, s.lineage())) // the switchover was given up: the same epoch goes on
	eventually(t, "blocked again", func() bool { return blocked(s) == 1 })
	s.do("RPUSH", "jobs", "one")
	if got := c.read(); got != "*[jobs one]" {
		t.Fatalf("got %q", got)
	}
}

func TestQuitIsAnsweredInItsTurn(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	c := dialClient(t, r.addr)
	c.send(request("SET", "k", "v") + request("GET", "k") + request("QUIT") + request("INCR", "n"))
	if got := c.read() + c.read() + c.read(); got != "+OKv+OK" {
		t.Fatalf("got %q", got)
	}
	if !c.ended() {
		t.Fatal("the connection is still open")
	}
	if got := s.do("EXISTS", "n"); got != ":0" {
		t.Fatal("a request behind QUIT was executed")
	}
	eventually(t, "the reason is counted", func() bool { return r.stats().Closed[ClosedByQuit] == 1 })
}

func TestMonitorGivesFramingUp(t *testing.T) {
	r, a, _ := pair(t, nil)
	c := dialClient(t, r.addr)
	c.do("CLIENT", "ID") // it is forgotten, too
	c.send(request("ECHO", "x") + request("MONITOR"))
	if got := c.read() + c.read(); got != "x+OK" {
		t.Fatalf("got %q", got)
	}
	a.do("SET", "seen", "1")
	for got := ""; !strings.Contains(got, `"SET" "seen"`); {
		got = c.read()
	}
	r.shut(1, 0)
	if err := r.Quiesce(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.cut(1)
	for c.nc != nil {
		if _, err := c.decode(); err != nil {
			break
		}
	}
	eventually(t, "the reason is counted", func() bool { return r.stats().Closed[ClosedOpaque] == 1 })
}

func TestBrokenProtocolIsAnsweredLast(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	for _, broken := range []string{"*x\r\n", "*1\r\n:1\r\n", "*1\r\n$-5\r\n"} {
		direct, c := dialClient(t, s.addr), dialClient(t, r.addr)
		for _, each := range []*client{direct, c} {
			each.send(request("PING") + request("DEBUG", "SLEEP", "0.05") + request("ECHO", "x") + broken)
		}
		for range 4 {
			if want, got := direct.read(), c.read(); got != want {
				t.Fatalf("%q: got %q, want %q", broken, got, want)
			}
		}
		if !c.ended() {
			t.Fatalf("%q: the connection is still open", broken)
		}
	}
	eventually(t, "the reasons are counted", func() bool { return r.stats().Closed[ClosedByProtocol] == 3 })
}

func TestHalfClosedClientGetsEveryReply(t *testing.T) {
	s := startRedis(t)
	path := filepath.Join(t.TempDir(), "hf.sock")
	r := startProxy(t, func(o *PoolOptions) { o.Listen = append(o.Listen, "unix:"+path) }, s)
	r.Publish(open(1, 0, s.lineage()))
	big := repeat("x", 3_000_000)
	s.do("SET", "big", big)
	for _, where := range [][2]string{{"tcp", r.addr}, {"unix", path}} {
		nc, err := net.Dial(where[0], where[1])
		if err != nil {
			t.Fatal(err)
		}
		c := wrap(t, nc)
		c.send(strings.Repeat(request("ECHO", "x"), 100) + strings.Repeat(request("GET", "big"), 5) + request("PING"))
		if err := nc.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			if got := c.read(); got != "x" {
				t.Fatalf("%s: got %q", where[0], got)
			}
		}
		for range 5 {
			if got := c.read(); got != big {
				t.Fatalf("%s: got %d bytes", where[0], len(got))
			}
		}
		if got := c.read(); got != "+PONG" {
			t.Fatalf("%s: got %q", where[0], got)
		}
		if !c.ended() {
			t.Fatal("the connection is still open")
		}
	}
}

// A worker that dies while it waits for a job must not be served one.
func TestClientThatLeavesIsForgottenByTheServer(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	c := dialClient(t, r.addr)
	c.send(request("BLPOP", "jobs", "0"))
	eventually(t, "blocked", func() bool { return blocked(s) == 1 })
	c.close()
	eventually(t, "forgotten", func() bool { return blocked(s) == 0 })
	eventually(t, "closed", func() bool { return r.stats().Clients == 0 })
}

// What a client of a unix socket sent before it closed is executed, as it is over TCP.
func TestLastWordsAreExecuted(t *testing.T) {
	s := startRedis(t)
	path := filepath.Join(t.TempDir(), "hf.sock")
	r := startProxy(t, func(o *PoolOptions) { o.Listen = append(o.Listen, "unix:"+path) }, s)
	r.Publish(open(1, 0, s.lineage()))
	for i, where := range [][2]string{{"tcp", r.addr}, {"unix", path}} {
		nc, err := net.Dial(where[0], where[1])
		if err != nil {
			t.Fatal(err)
		}
		c := wrap(t, nc)
		c.want("+PONG", "PING")
		c.send(strings.Repeat(request("INCR", "n"+where[0]), 1000))
		c.close()
		eventually(t, "all is executed", func() bool { return s.do("GET", "n"+where[0]) == "1000" })
		eventually(t, "closed", func() bool { return r.stats().Closed[ClosedByClient] == uint64(i+1) })
	}
}
