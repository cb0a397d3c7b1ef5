package proxy

import (
	"io"
	"strings"
	"testing"
	"time"
)

// clientHello is how a TLS 1.3 client begins.
const clientHello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"

// foreign are the first bytes of those who have come to the wrong port.
var foreign = map[string]string{
	"GET":            "GET / HTTP/1.1\r\nHost: cache:6379\r\n\r\n",
	"HEAD":           "HEAD /x?y=1 HTTP/1.0\r\n\r\n",
	"PUT":            "PUT /a HTTP/1.1\r\nContent-Length: 20\r\n\r\nSET a b\r\n",
	"POST":           "POST / HTTP/1.1\r\nHost: cache\r\n\r\n*1\r\n$8\r\nFLUSHALL\r\n",
	"OPTIONS":        "OPTIONS * HTTP/1.1\r\n\r\n",
	"CONNECT":        "CONNECT cache:6379 HTTP/1.1\r\n\r\n",
	"HTTP/2":         "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"Host first":     "Host: cache\r\n\r\n",
	"small post":     "post / x\r\n",
	"Post in frames": "*1\r\n$4\r\nPOST\r\n",
	"line feed only": "GET / HTTP/1.1\n\n",
	"TLS":            clientHello,
	"TLS, one byte":  "\x16",
}

// TestForeignProtocols: not one byte of them reaches the server or is answered.
func TestForeignProtocols(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	for name, raw := range foreign {
		c := dialClient(t, r.addr)
		c.send(raw)
		_ = c.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
		if got, err := io.ReadAll(c.br); len(got) > 0 || err != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	r.closedBy(ClosedForeign, uint64(len(foreign)))
	if got := s.do("INFO", "commandstats"); strings.Contains(got, "cmdstat_post") || strings.Contains(got, "cmdstat_flushall") {
		t.Errorf("the server has executed:\n%s", got)
	}
	if n := s.connections(); n != 0 {
		t.Errorf("they have %d connections of the server", n)
	}
}

// What looks like HTTP and is a command passes, and HTTP behind commands is found, too.
func TestForeignBehindCommands(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	c := dialClient(t, r.addr)
	c.send("SET / HTTP/1.1\r\nGET /\r\nPING\r\nGET / HTTP/1.1\r\nFLUSHALL\r\n")
	for _, want := range []string{"+OK", "HTTP/1.1", "+PONG"} {
		if got := c.read(); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	if !c.ended() {
		t.Error("the client is still there")
	}
	r.closedBy(ClosedForeign, 1)
	if got := s.do("GET", "/"); got != "HTTP/1.1" {
		t.Errorf("the key is %q", got)
	}
}
