package proxy

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// short is a limit for tests: longer than the pauses of a busy machine, and looked at four times while it lasts.
const short = 400 * time.Millisecond

func startLimited(t *testing.T, l Limits, servers ...*redisServer) *rig {
	t.Helper()
	r := startProxyWith(t, Options{Loops: 2, Limits: l}, nil, servers...)
	r.Publish(open(1, 0, servers[0].lineage()))
	r.confirm()
	return r
}

// closedBy waits until so many sessions have ended for the reason, and none for another one that is not the client's.
func (r *rig) closedBy(why CloseReason, n uint64) {
	r.t.Helper()
	eventually(r.t, why.String(), func() bool { return r.stats().Closed[why] == n })
}

// connections is the number of clients that the server has, ourselves excluded.
func (r *redisServer) connections() int {
	return strings.Count(r.do("CLIENT", "LIST", "TYPE", "normal"), "id=") - 1
}

// drip sends raw in so many pieces, a while between them, and returns the longest pause that there was: a busy machine makes its own.
func (c *client) drip(raw string, pieces int, every time.Duration) (pause time.Duration, err error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	last := time.Now()
	for i := range pieces {
		pause = max(pause, time.Since(last))
		if _, err := io.WriteString(c.nc, raw[i*len(raw)/pieces:(i+1)*len(raw)/pieces]); err != nil {
			return pause, err
		}
		last = time.Now()
		<-tick.C
	}
	return pause, nil
}

// steadily makes try, and again with another client as long as this machine pauses for so long that it proves nothing.
func steadily(t *testing.T, r *rig, try func(c *client) (pause time.Duration, err error)) *client {
	t.Helper()
	for {
		c := dialClient(t, r.addr)
		pause, err := try(c)
		switch {
		case pause >= short/2:
			t.Logf("a pause of %v (%v); once more", pause, err)
		case err != nil:
			t.Fatalf("%v, with pauses of at most %v", err, pause)
		default:
			return c
		}
	}
}

func TestHandshakeTimeout(t *testing.T) {
	s := startRedis(t)
	r := startLimited(t, Limits{Handshake: short}, s)
	silent, half, slow := dialClient(t, r.addr), dialClient(t, r.addr), dialClient(t, r.addr)
	half.send("*1\r\n$4\r\nPI")
	begin := time.Now()
	_, _ = slow.drip(strings.Repeat(" ", 1000), 1000, 20*time.Millisecond) // its bytes do not buy it time
	if took := time.Since(begin); took < short || took > 10*time.Second {
		t.Errorf("the slow client was ended after %v", took)
	}
	if !half.ended() {
		t.Error("the half-open client is still there")
	}
	r.closedBy(ClosedHandshake, 2)
	if n := s.connections(); n != 0 {
		t.Errorf("clients without a request have %d connections of the server", n)
	}
	silent.want("+PONG", "PING")
}

// Blank lines are no request, and nothing to wait for.
func TestBlankLinesBeginNothing(t *testing.T) {
	s := startRedis(t)
	r := startLimited(t, Limits{Handshake: short}, s)
	c := dialClient(t, r.addr)
	c.send("\r\n\r\n*0\r\n")
	<-time.After(2 * short)
	c.send("\r\n*1\r\n$4\r\nPI")
	c.send("NG\r\n")
	if got := c.read(); got != "+PONG" {
		t.Fatalf("got %q", got)
	}
}

func TestRequestTimeout(t *testing.T) {
	s := startRedis(t)
	r := startLimited(t, Limits{Handshake: short, Request: short}, s)
	stuck, large := dialClient(t, r.addr), dialClient(t, r.addr)
	stuck.want("+PONG", "PING")
	large.want("+PONG", "PING")
	stuck.send("*2\r\n$4\r\nECHO\r\n$3\r\na")
	large.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\n" + repeat("x", 300000))
	r.closedBy(ClosedRequest, 2)
	if !stuck.ended() || !large.ended() {
		t.Error("a client that stands still is still there")
	}
}

func TestEachByteStartsTheTimeAgain(t *testing.T) {
	s := startRedis(t)
	r := startLimited(t, Limits{Handshake: short, Request: short}, s)
	c := steadily(t, r, func(c *client) (time.Duration, error) {
		c.want("+PONG", "PING")
		slow := request("ECHO", "slow")
		return c.drip(slow, len(slow), short/8)
	})
	if got := c.read(); got != "slow" {
		t.Errorf("got %q", got)
	}
}

// A body that leaves user space makes progress, too.
func TestLargeUploadMayTakeItsTime(t *testing.T) {
	const size, pieces = 1 << 20, 32
	s := startRedis(t)
	r := startLimited(t, Limits{Request: short}, s)
	c := steadily(t, r, func(c *client) (time.Duration, error) {
		c.want("+PONG", "PING")
		c.send(fmt.Sprintf("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n", size))
		return c.drip(repeat("x", size)+"\r\n", pieces, short/8)
	})
	if got := c.read(); got != "+OK" {
		t.Fatalf("got %q", got)
	}
}

// The time of a client does not run while it is Holdfast that does not read.
func TestTimeDoesNotRunAtAShutGate(t *testing.T) {
	s := startRedis(t)
	r := startLimited(t, Limits{Handshake: short, Request: short, Idle: short}, s)
	c, fresh := dialClient(t, r.addr), dialClient(t, r.addr)
	c.want("+PONG", "PING")
	r.shut(1, 0)
	fresh.send(request("PING"))
	c.send(request("PING") + "*1\r\n$4\r\nPI")
	<-time.After(3 * short)
	c.send("NG\r\n")
	r.Publish(open(1, 0, s.lineage()))
	for _, each := range []*client{c, c, fresh} {
		if got := each.read(); got != "+PONG" {
			t.Fatalf("got %q", got)
		}
	}
}

func TestIdleTimeout(t *testing.T) {
	s := startRedis(t)
	r := startLimited(t, Limits{Idle: short}, s)
	idle, listener, blocked := dialClient(t, r.addr), dialClient(t, r.addr), dialClient(t, r.addr)
	idle.want("+PONG", "PING")
	listener.want("*[subscribe ch :1]", "SUBSCRIBE", "ch")
	blocked.send(request("BLPOP", "list", "0"))
	if !idle.ended() {
		t.Error("the idle client is still there")
	}
	r.closedBy(ClosedIdle, 1)
	<-time.After(2 * short)
	s.do("PUBLISH", "ch", "hi")
	s.do("RPUSH", "list", "x")
	if got := listener.read(); got != "*[message ch hi]" {
		t.Errorf("got %q", got)
	}
	if got := blocked.read(); got != "*[list x]" {
		t.Errorf("got %q", got)
	}
}

// A client that takes nothing is ended; one that takes little is not.
func TestOutputTimeout(t *testing.T) {
	s := startRedis(t)
	s.do("SET", "big", repeat("x", 32<<20))
	r := startLimited(t, Limits{Output: short}, s)
	deaf, slow := dialClient(t, r.addr), dialClient(t, r.addr)
	for _, c := range []*client{deaf, slow} {
		if err := c.nc.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
			t.Fatal(err)
		}
		c.send(request("GET", "big"))
	}
	tick := time.NewTicker(short / 8)
	defer tick.Stop()
	taken := 0
	for end := time.Now().Add(4 * short); time.Now().Before(end); <-tick.C {
		n, err := io.ReadFull(slow.br, make([]byte, 64<<10))
		if err != nil {
			t.Fatalf("the slow client was ended after %d bytes: %v", taken, err)
		}
		taken += n
	}
	r.closedBy(ClosedOutput, 1)
	if n, err := io.Copy(io.Discard, deaf.br); err == nil && n > 32<<20 {
		t.Errorf("the deaf client got everything, %d bytes", n)
	}
	if n, err := io.CopyN(io.Discard, slow.br, 32<<20+13-int64(taken)); err != nil {
		t.Errorf("the slow client got only %d bytes more: %v", n, err)
	}
}
