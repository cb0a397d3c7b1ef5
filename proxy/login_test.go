package proxy

import (
	"net"
	"strings"
	"testing"
)

// Newer servers do not answer a login that fails while other replies are on their way. So none is sent then.
func TestLoginIsSentAlone(t *testing.T) {
	seen := make(chan string, 10)
	server := serve(t, func(nc *net.TCPConn) {
		p := make([]byte, 1<<16)
		for {
			n, err := nc.Read(p)
			if err != nil {
				return
			}
			got := string(p[:n])
			seen <- got
			for range strings.Count(got, "*") {
				_, _ = nc.Write([]byte("+OK\r\n"))
			}
		}
	})
	r := startProxy(t, func(o *PoolOptions) { o.Backends = []string{server} })
	r.Publish(open(1, 0, ""))
	c := dialClient(t, r.addr)
	first, login, last := request("SET", "a", "1")+request("GET", "a"), request("AUTH", "secret")+request("GET", "b"), request("HELLO", "3")
	c.send(first + login + last)
	for i, want := range []string{first, login, last} {
		if got := <-seen; got != want {
			t.Errorf("part %d: got %q, want %q", i, got, want)
		}
	}
	for range 5 {
		c.read()
	}
}

// To a client a pipeline with logins in it looks as it does at the server.
func TestLoginsInAPipeline(t *testing.T) {
	s := startRedis(t, "--requirepass", "secret")
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, lineageOf(login(t, s.addr))))
	pipeline := request("GET", "a") + request("AUTH", "wrong") + request("AUTH", "secret") + request("SET", "a", "1") +
		request("MULTI") + request("AUTH", "wrong") + request("GET", "a") + request("EXEC") + request("AUTH", "wrong") + request("GET", "a") +
		request("BLPOP", "no", "0.1") + request("HELLO", "3", "AUTH", "default", "secret") + request("GET", "no")
	c, direct := dialClient(t, r.addr), dialClient(t, s.addr)
	c.send(pipeline)
	direct.send(pipeline)
	for i := range 13 {
		got, want := c.read(), direct.read()
		if strings.HasPrefix(got, "%[server") {
			got, want = got[:40], want[:40] // up to the id
		}
		if got != want {
			t.Errorf("reply %d: got %q, want %q", i, got, want)
		}
	}
}
