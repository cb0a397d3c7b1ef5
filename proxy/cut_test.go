package proxy

import (
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
)

// Ten thousand reads in one pipeline, and the master dies in the middle: one reply for each, in order.
func TestPipelineAcrossTheCut(t *testing.T) {
	r, a, b := pair(t, nil)
	const n = 10_000
	a.do("SET", "k", "v")
	c := dialClient(t, r.addr)
	c.want("+OK", "SET", "k", "v")
	c.want(":1", "WAIT", "1", "5000")
	var pipeline strings.Builder
	for i := range n {
		pipeline.WriteString(request("ECHO", fmt.Sprint(i)))
		pipeline.WriteString(request("GET", "k"))
	}
	sent := make(chan struct{})
	go func() { defer close(sent); c.send(pipeline.String()) }()
	check := func(from, to int) {
		for i := from; i < to; i++ {
			if got, want := c.read()+c.read(), fmt.Sprint(i)+"v"; got != want {
				t.Fatalf("reply %d: got %q, want %q", i, got, want)
			}
		}
	}
	check(0, 100)
	a.signal(syscall.SIGSTOP)
	check(100, 120)
	a.kill()
	report := r.failOver(2, 1, b)
	check(120, n)
	<-sent
	if report.Unknown != 0 {
		t.Fatalf("report: %+v", report)
	}
}

// Writes: whatever was not answered by the master is answered by the proxy, and the counter tells the truth.
func TestPipelinedWritesAcrossTheCut(t *testing.T) {
	r, a, b := pair(t, nil)
	const n = 5000
	c := dialClient(t, r.addr)
	c.want("+PONG", "PING")
	a.signal(syscall.SIGSTOP)
	c.send(strings.Repeat(request("INCR", "n"), n))
	eventually(t, "in flight", func() bool { return r.stats().Unanswered == 1 })
	a.kill()
	report := r.failOver(2, 1, b)
	var executed, unknown, not int
	for range n {
		switch got := c.read(); {
		case strings.HasPrefix(got, ":"):
			executed++
		case strings.HasPrefix(got, "-UNKNOWNRESULT "):
			unknown++
		case strings.HasPrefix(got, "-TRYAGAIN "):
			not++
		default:
			t.Fatalf("got %q", got)
		}
	}
	if unknown != report.Unknown || not != report.Aborted {
		t.Fatalf("the client saw %d unknown and %d aborted, the report says %+v", unknown, not, report)
	}
	if got, want := c.do("INCR", "n"), fmt.Sprintf(":%d", executed+1); got != want {
		t.Fatalf("counter: got %s, want %s", got, want)
	}
}

func TestLargeRequestCutInItsBody(t *testing.T) {
	for _, size := range []int{100 << 10, 40 << 20} {
		r, a, b := pair(t, nil)
		c := dialClient(t, r.addr)
		c.want("+OK", "SET", "k", "v")
		c.want(":1", "WAIT", "1", "5000")
		a.signal(syscall.SIGSTOP)
		whole := request("ECHO", "before") + request("SET", "big", repeat("x", size)) + request("ECHO", "behind")
		sent := make(chan struct{})
		half := len(whole) - len(request("ECHO", "behind")) - 10_000
		go func() { defer close(sent); c.send(whole[:half]) }()
		eventually(t, "in flight", func() bool { return r.stats().Unanswered == 1 })
		if size < 1<<20 {
			<-sent
		}
		r.failOver(2, 1, b)
		<-sent
		c.send(whole[half:])
		if got := c.read(); got != "before" {
			t.Fatalf("size %d: got %q", size, got)
		}
		if got := c.read(); !strings.HasPrefix(got, "-TRYAGAIN ") {
			t.Fatalf("size %d: got %q", size, got)
		}
		if got := c.read(); got != "behind" {
			t.Fatalf("size %d: got %q", size, got)
		}
		c.want("v", "GET", "k")
		c.want(":0", "EXISTS", "big")
		a.kill()
	}
}

// The body goes on while the gate is shut, and what follows it in the same packet waits for the gate.
func TestLargeRequestEndsWhileTheGateIsShut(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	c := dialClient(t, r.addr)
	c.want("+PONG", "PING")
	big := request("SET", "big", repeat("x", 100<<10))
	c.send(big[:80<<10])
	eventually(t, "in flight", func() bool { return r.stats().Unanswered == 1 })
	r.shut(1, 0)
	c.send(big[80<<10:] + request("ECHO", "behind") + request("GET", "no"))
	if got := c.read(); got != "+OK" {
		t.Fatalf("got %q", got)
	}
	eventually(t, "held", func() bool { return r.stats().Held == 1 })
	r.Publish(open(1, 0, s.lineage()))
	if got := c.read() + c.read(); got != "behindnil" {
		t.Fatalf("got %q", got)
	}
}

func TestLargeReplyCutInItsBody(t *testing.T) {
	r, a, _ := pair(t, nil)
	a.do("SET", "big", repeat("x", 60<<20))
	c, d := dialClient(t, r.addr), dialClient(t, r.addr)
	d.want("+PONG", "PING")
	c.send(request("GET", "big"))
	if _, err := io.ReadFull(c.br, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	a.kill()
	r.shut(1, 0)
	r.cut(1)
	if _, err := io.Copy(io.Discard, c.nc); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Fatal(err)
	}
	stats := r.stats()
	if stats.Closed[ClosedMidReply] != 1 || stats.Clients != 1 {
		t.Fatalf("stats: %+v", stats)
	}
}

// Local answers wait for the end of a reply that is half delivered, and so does silence.
func TestNothingIsSaidInTheMiddleOfALargeReply(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, func(o *PoolOptions) { o.Deny = []string{"SHUTDOWN"} }, s)
	r.Publish(open(1, 0, s.lineage()))
	big := repeat("x", 30<<20)
	s.do("SET", "big", big)
	c := dialClient(t, r.addr)
	c.send(request("GET", "big"))
	if _, err := c.br.Peek(1000); err != nil {
		t.Fatal(err)
	}
	c.send(request("SHUTDOWN") + request("ECHO", "x") + request("QUIT"))
	d := dialClient(t, r.addr)
	d.want("+PONG", "PING")
	r.shut(1, 0)
	quiet := make(chan error, 1)
	go func() { quiet <- r.Quiesce(t.Context()) }()
	eventually(t, "the slow reader counts as busy", func() bool { return r.stats().Unanswered == 1 })
	if got := c.read(); got != big {
		t.Fatalf("got %d bytes", len(got))
	}
	if err := <-quiet; err != nil {
		t.Fatal(err)
	}
	r.Publish(open(1, 0, s.lineage()))
	if got := c.read(); !strings.HasPrefix(got, "-NOPERM ") {
		t.Fatalf("got %q", got)
	}
	if got := c.read() + c.read(); got != "x+OK" || !c.ended() {
		t.Fatalf("got %q", got)
	}
}

// Replies that the dead master had sent are delivered, also while a large body is on its way to it.
func TestRepliesAreHarvestedBesideALargeBody(t *testing.T) {
	r, a, b := pair(t, nil)
	c := dialClient(t, r.addr)
	c.send(strings.Repeat(request("INCR", "n"), 1000))
	eventually(t, "executed", func() bool { return a.do("GET", "n") == "1000" })
	eventually(t, "answered", func() bool { return r.stats().Unanswered == 0 })
	a.signal(syscall.SIGSTOP)
	c.send(strings.Repeat(request("INCR", "n"), 10))
	go func() { _, _ = io.WriteString(c.nc, request("SET", "big", repeat("x", 30<<20))[:29<<20]) }()
	eventually(t, "the body is on its way", func() bool { return r.bulks() == 1 })
	a.signal(syscall.SIGCONT)
	a.do("GET", "n")
	a.signal(syscall.SIGSTOP)
	report := r.failOver(2, 1, b)
	for i := range 1010 {
		if got, want := c.read(), fmt.Sprintf(":%d", i+1); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	if got := c.read(); !strings.HasPrefix(got, "-TRYAGAIN ") || report.Unknown != 0 {
		t.Fatalf("got %q, report %+v", got, report)
	}
	a.kill()
}

// A stale master that wakes up executes and answers what it finds in its sockets. Nothing of that reaches a client.
func TestZombieIsNotHeard(t *testing.T) {
	r, a, b := pair(t, nil)
	const n = 20
	clients := make([]*client, n)
	for i := range clients {
		clients[i] = dialClient(t, r.addr)
		clients[i].want("+PONG", "PING")
	}
	a.signal(syscall.SIGSTOP)
	for i, c := range clients {
		c.send(request("SET", fmt.Sprintf("zombie%d", i), "zombie") + request("GET", fmt.Sprintf("zombie%d", i)))
	}
	eventually(t, "in flight", func() bool { return r.stats().Unanswered == n })
	r.failOver(2, 1, b)
	a.signal(syscall.SIGCONT)
	for i, c := range clients {
		key := fmt.Sprintf("zombie%d", i)
		if got := c.read(); !strings.HasPrefix(got, "-UNKNOWNRESULT ") {
			t.Fatalf("write %d: got %q", i, got)
		}
		if got := c.read(); got != "nil" {
			t.Fatalf("read %d: got %q, a byte of the zombie", i, got)
		}
		c.want("+OK", "SET", key, "new")
		c.want("new", "GET", key)
	}
}

// A demoted master refuses writes. They are not lost: they go to whoever the next route names, be it the same node.
func TestRefusedWritesAreSentAgain(t *testing.T) {
	r, a, b := pair(t, nil)
	c := dialClient(t, r.addr)
	c.want(":1", "INCR", "n")
	c.want(":1", "WAIT", "1", "5000")
	b.do("REPLICAOF", "NO", "ONE")
	a.do("REPLICAOF", "127.0.0.1", "1")
	c.send(strings.Repeat(request("INCR", "n"), 50))
	if e := <-r.evidence; e.Kind != EvidenceReadonly || e.Epoch != 1 {
		t.Fatalf("evidence: %+v", e)
	}
	r.shut(1, 0)
	if report := r.cut(1); report.Refused != 50 {
		t.Fatalf("report: %+v", report)
	}
	r.Publish(open(2, 1, b.lineage()))
	for i := range 50 {
		if got, want := c.read(), fmt.Sprintf(":%d", i+2); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

// The same epoch goes on after a refusal: the node was made a replica and a master again under the same lineage.
func TestRefusalUnderTheSameEpoch(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	c := dialClient(t, r.addr)
	c.want(":1", "INCR", "n")
	s.do("REPLICAOF", "127.0.0.1", "1")
	c.send(request("INCR", "n") + request("INCR", "n"))
	<-r.evidence
	s.do("REPLICAOF", "NO", "ONE")
	r.Publish(open(1, 0, s.lineage()))
	if got := c.read() + c.read(); got != ":2:3" {
		t.Fatalf("got %q", got)
	}
}

// A pool may change its route without a cut; sessions follow, wherever the change finds them.
func TestRouteChangesWithoutACut(t *testing.T) {
	a, b := startRedis(t), startRedis(t)
	r := startProxy(t, nil, a, b)
	r.Publish(open(1, 0, a.lineage()))
	c, sub, held := dialClient(t, r.addr), dialClient(t, r.addr), dialClient(t, r.addr)
	c.want("+OK", "SET", "who", "a")
	held.want("+PONG", "PING")
	sub.want("*[subscribe news :1]", "SUBSCRIBE", "news")
	b.do("SET", "who", "b")
	a.signal(syscall.SIGSTOP)
	c.send(request("GET", "who"))
	eventually(t, "in flight", func() bool { return r.stats().Unanswered == 1 })
	r.shut(1, 0)
	held.send(request("GET", "who"))
	eventually(t, "held", func() bool { return r.stats().Held == 1 })
	r.Publish(open(2, 1, b.lineage()))
	if got := c.read() + held.read(); got != "bb" {
		t.Fatalf("got %q", got)
	}
	eventually(t, "the subscription moved", func() bool { return b.do("PUBLISH", "news", "x") == ":1" })
	a.signal(syscall.SIGCONT)
}
