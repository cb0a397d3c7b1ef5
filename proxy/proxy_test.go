package proxy

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

func open(epoch uint64, backend int, lineage string) Route {
	return Route{Epoch: epoch, Gate: GateOpen, Backend: backend, Lineage: lineage}
}

func TestForwardsOrdinaryCommands(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	c := dialClient(t, r.addr)
	c.want("+PONG", "PING")
	c.want("+OK", "SET", "a", "1")
	c.want("1", "GET", "a")
	c.send("PING\r\n\r\n*0\r\nECHO hello\r\n")
	if got := c.read() + c.read(); got != "+PONGhello" {
		t.Fatalf("inline: got %q", got)
	}
}

func TestPipelineKeepsOrder(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	c := dialClient(t, r.addr)
	var b strings.Builder
	const n = 20000
	for i := range n {
		b.WriteString(request("ECHO", fmt.Sprint(i)))
	}
	go c.send(b.String())
	for i := range n {
		if got := c.read(); got != fmt.Sprint(i) {
			t.Fatalf("reply %d: got %q", i, got)
		}
	}
}

func TestValuesOfAllSizes(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	c := dialClient(t, r.addr)
	for _, size := range []int{0, 1, 16 << 10, 64<<10 - 40, 64 << 10, 64<<10 + 1, 128 << 10, 300_000, 1 << 20, 9_000_001} {
		value := repeat("x", size)
		c.want("+OK", "SET", "big", value)
		if got := c.do("GET", "big"); got != value {
			t.Fatalf("size %d: got %d bytes", size, len(got))
		}
		t.Logf("size %d", size)
		c.send(request("SET", "big2", value) + request("GET", "big") + request("PING") + request("GET", "big2"))
		if got := c.read(); got != "+OK" {
			t.Fatalf("size %d: got %q", size, got)
		}
		if got := c.read(); got != value {
			t.Fatalf("size %d: pipelined got %d bytes", size, len(got))
		}
		if got := c.read(); got != "+PONG" {
			t.Fatalf("size %d: got %.40q", size, got)
		}
		if got := c.read(); got != value {
			t.Fatalf("size %d: second pipelined got %d bytes", size, len(got))
		}
	}
}

// pair is a master, its replica and a proxy that serves the master in epoch 1.
func pair(t *testing.T, change func(*PoolOptions)) (*rig, *redisServer, *redisServer) {
	a, b := startRedis(t), startRedis(t)
	replicate(t, a, b)
	r := startProxy(t, change, a, b)
	r.Publish(open(1, 0, a.lineage()))
	return r, a, b
}

// failOver does what the control plane does, by hand.
func (r *rig) failOver(epoch uint64, to int, s *redisServer) CutReport {
	r.t.Helper()
	r.Publish(Route{Epoch: epoch - 1, Gate: GateShut, Backend: 1 - to})
	report := r.cut(epoch - 1)
	s.do("REPLICAOF", "NO", "ONE")
	r.Publish(open(epoch, to, s.lineage()))
	return report
}

func TestSessionSurvivesTheMaster(t *testing.T) {
	r, a, b := pair(t, nil)
	c := dialClient(t, r.addr)
	c.want("+OK", "SELECT", "3")
	c.want("+OK", "CLIENT", "SETNAME", "worker")
	c.want("+OK", "SET", "k", "v")
	c.want(":1", "WAIT", "1", "5000")
	sub := dialClient(t, r.addr)
	sub.want("*[subscribe news :1]", "SUBSCRIBE", "news")
	a.kill()
	r.failOver(2, 1, b)
	c.want("v", "GET", "k")
	c.want("worker", "CLIENT", "GETNAME")
	eventually(t, "the subscription is made again", func() bool { return b.do("PUBLISH", "news", "hello") == ":1" })
	if got := sub.read(); got != "*[message news hello]" {
		t.Fatalf("got %q", got)
	}
}

func TestCutWriteIsAnsweredAsUnknown(t *testing.T) {
	r, a, b := pair(t, nil)
	c, d := dialClient(t, r.addr), dialClient(t, r.addr)
	c.want("+OK", "SET", "k", "v")
	c.want(":1", "WAIT", "1", "5000")
	d.want("+PONG", "PING")
	a.signal(syscall.SIGSTOP)
	c.send(request("INCR", "n") + request("GET", "k"))
	d.send(request("GET", "k"))
	eventually(t, "both wait", func() bool { return r.stats().Unanswered == 2 })
	report := r.failOver(2, 1, b)
	if got := c.read(); !strings.HasPrefix(got, "-UNKNOWNRESULT ") {
		t.Fatalf("write: got %q", got)
	}
	if got := c.read() + d.read(); got != "vv" {
		t.Fatalf("reads: got %q", got)
	}
	if report.Unknown != 1 || report.Retried != 2 {
		t.Fatalf("report: got %+v", report)
	}
	a.signal(syscall.SIGCONT)
	c.want("nil", "GET", "n")
}

func TestHeldRequestsAreSentLater(t *testing.T) {
	r, _, _ := pair(t, nil)
	c := dialClient(t, r.addr)
	c.want("+PONG", "PING")
	r.Publish(Route{Epoch: 1, Gate: GateShut, Backend: 0})
	r.cut(1)
	fresh := dialClient(t, r.addr)
	fresh.send(request("INCR", "n"))
	c.send(request("INCR", "n"))
	eventually(t, "both are held", func() bool { return r.stats().Held == 2 })
	route := open(1, 0, "")
	route.Check = 1
	r.Publish(route)
	got := c.read() + fresh.read()
	if got != ":1:2" && got != ":2:1" {
		t.Fatalf("got %q", got)
	}
}

func TestRefusingGateAnswersAndKeepsTheConnection(t *testing.T) {
	r, a, _ := pair(t, nil)
	c := dialClient(t, r.addr)
	c.want("+PONG", "PING")
	r.Publish(Route{Epoch: 1, Gate: GateShut, Backend: 0})
	r.cut(1)
	c.send(request("INCR", "n"))
	eventually(t, "held", func() bool { return r.stats().Held == 1 })
	r.Publish(Route{Epoch: 1, Gate: GateRefusing, Backend: -1})
	if got := c.read(); !strings.HasPrefix(got, "-TRYAGAIN ") {
		t.Fatalf("got %q", got)
	}
	if got := c.do("INCR", "n"); !strings.HasPrefix(got, "-TRYAGAIN ") {
		t.Fatalf("got %q", got)
	}
	r.Publish(Route{Epoch: 2, Gate: GateOpen, Backend: 0, Lineage: a.lineage()})
	c.want(":1", "INCR", "n")
}

func TestWatchedTransactionIsNotExecutedAfterAMove(t *testing.T) {
	r, a, b := pair(t, nil)
	c, d := dialClient(t, r.addr), dialClient(t, r.addr)
	c.want("+OK", "WATCH", "k")
	c.want("+OK", "MULTI")
	c.want("+QUEUED", "SET", "k", "1")
	d.want("+OK", "MULTI")
	d.want("+QUEUED", "SET", "other", "1")
	a.kill()
	r.failOver(2, 1, b)
	c.want("nil", "EXEC")
	c.want("nil", "GET", "k")
	d.want("*[+OK]", "EXEC")
}

func TestNewConnectionToAnotherLineageCarriesNothing(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, strings.Repeat("0", 40)))
	c := dialClient(t, r.addr)
	c.send(request("INCR", "n"))
	if e := <-r.evidence; e.Kind != EvidenceIdentity {
		t.Fatalf("evidence: got %v", e.Kind)
	}
	if got := s.do("GET", "n"); got != "nil" {
		t.Fatalf("the request was executed: %q", got)
	}
}
