package proxy

import (
	"strings"
	"testing"
)

// A server that obeys SHUTDOWN ends without an answer: the client is told that nobody knows, and stays connected.
func TestShutdownThatIsAllowed(t *testing.T) {
	a, b := startRedis(t), startRedis(t)
	r := startProxy(t, func(o *PoolOptions) { o.Deny = []string{} }, a, b)
	r.Publish(open(1, 0, a.lineage()))
	c := dialClient(t, r.addr)
	c.want("+PONG", "PING")
	if got := c.do("SHUTDOWN", "NOSAVE"); !strings.HasPrefix(got, "-UNKNOWNRESULT ") {
		t.Errorf("got %q", got)
	}
	r.Publish(open(2, 1, b.lineage()))
	c.want("+PONG", "PING")
}

// With an empty deny list the server itself says what it thinks of each command.
func TestNothingIsDeniedByAnEmptyList(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, func(o *PoolOptions) { o.Deny = []string{} }, s)
	r.Publish(open(1, 0, s.lineage()))
	c, direct := dialClient(t, r.addr), dialClient(t, s.addr)
	for _, request := range []string{
		"DEBUG SLEEP 0", "DEBUG JMAP", "CLUSTER RESET", "CLUSTER INFO", "CLIENT PAUSE 1 WRITE", "CLIENT UNPAUSE", "CLIENT KILL ID 77777",
		"CLIENT KILL TYPE replica", "ACL SETUSER eve on >pw ~* +@all", "ACL DELUSER nobody", "ACL LOAD", "ACL SAVE", "MODULE LOAD /nosuch.so",
		"MODULE UNLOAD nosuch", "CONFIG REWRITE", "FAILOVER ABORT", "REPLICAOF a b c", "SLAVEOF NO ONE", "REPLICAOF NO ONE", "SHUTDOWN MAYBE",
		"PSYNC", "CLIENT CAPA redirect", "CLIENT REPLY MAYBE",
	} {
		words := strings.Fields(request)
		if got, want := c.do(words...), direct.do(words...); got != want {
			t.Errorf("%s: got %q, want %q", request, got, want)
		}
	}
}
