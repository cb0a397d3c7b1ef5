package proxy

import (
	"strings"
	"testing"
	"time"
)

// busy runs a script without end on s and returns the client that waits for it.
func busy(t *testing.T, s *redisServer) *client {
	t.Helper()
	script := dialClient(t, s.addr)
	script.send(request("EVAL", endless, "0"))
	eventually(t, "the server is busy", func() bool { return strings.HasPrefix(s.do("PING"), "-BUSY") })
	return script
}

// busyAfter is the shortest time in ms after which a server admits that a script runs.
const busyAfter = "50"

const endless = "while true do end"

// Whoever comes to end a script comes by a new connection, and must not wait for the script to end.
func TestNewClientReachesABusyMaster(t *testing.T) {
	s := startRedis(t, "--busy-reply-threshold", busyAfter)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	script := busy(t, s)
	c := dialClient(t, r.addr)
	if got := c.do("PING"); !strings.HasPrefix(got, "-BUSY") {
		t.Errorf("a new client of a busy master got %q, want what the server says", got)
	}
	c.want("+OK", "SCRIPT", "KILL")
	if got := script.read(); !strings.HasPrefix(got, "-ERR Error running script") && !strings.Contains(got, "killed") {
		t.Errorf("the script ended with %q", got)
	}
	eventually(t, "the script has ended", func() bool { return c.do("PING") == "+PONG" })
}

// The session of a client cannot be made again while a script runs; that is no verdict on the client.
func TestSessionIsMadeAgainAfterTheScript(t *testing.T) {
	s := startRedis(t, "--busy-reply-threshold", busyAfter)
	r := startProxy(t, nil, s)
	lineage := s.lineage()
	r.Publish(open(1, 0, lineage))
	c := dialClient(t, r.addr)
	c.want("+OK", "SELECT", "1")
	c.want("+OK", "SET", "where", "one")
	s.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	wantEvidence(t, r, EvidenceEOF)
	busy(t, s)
	again := open(1, 0, lineage)
	again.Check = 1
	r.Publish(again)
	c.send(request("GET", "where"))
	wantEvidence(t, r, EvidenceTimeout)
	if got := s.do("SCRIPT", "KILL"); got != "+OK" {
		t.Fatalf("SCRIPT KILL answered %q", got)
	}
	eventually(t, "the script has ended", func() bool { return s.do("PING") == "+PONG" })
	again.Check = 2
	r.Publish(again)
	_ = c.nc.SetReadDeadline(time.Now().Add(5 * time.Second))
	if got := c.read(); got != "one" {
		t.Errorf("after the script GET in database 1 got %q, want one", got)
	}
}
