package proxy

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// logBook keeps what a proxy logs.
type logBook struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBook) count(words string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.text.String(), words)
}

func (b *logBook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// turnedAway says whether a new connection hears that there is no room.
func turnedAway(c *client) bool {
	got, _ := io.ReadAll(c.br)
	return string(got) == fullText
}

func TestClientsMax(t *testing.T) {
	s := startRedis(t)
	var book logBook
	r := startProxyWith(t, Options{Loops: 2, ClientsMax: 10, Logger: book.logger()}, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	var clients []*client
	for i := range 10 {
		if want := min(1, i/8); book.count("come near their limit") != want {
			t.Errorf("%d clients: got %d warnings, want %d", i, book.count("come near their limit"), want)
		}
		clients = append(clients, dialClient(t, r.addr))
		clients[i].want("+PONG", "PING")
	}
	for range 3 {
		if !turnedAway(dialClient(t, r.addr)) {
			t.Error("an eleventh client was not told that there is no room")
		}
	}
	for _, c := range clients[:5] {
		c.close()
	}
	eventually(t, "half of them left", func() bool { return r.stats().Clients == 5 })
	dialClient(t, r.addr).want("+PONG", "PING")
	if got := r.stats().Turned; got != [turnReasonCount]uint64{TurnedFull: 3} {
		t.Errorf("turned away: got %v", got)
	}
	if n := book.count("turned away"); n < 1 || n > 2 { // once for each loop and minute
		t.Errorf("got %d lines about clients that were turned away", n)
	}
}

// dialFrom connects from an address of this host.
func dialFrom(t *testing.T, from, to string) *client {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	nc, err := d.DialContext(t.Context(), "tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	return wrap(t, nc)
}

func TestClientsPerAddress(t *testing.T) {
	s := startRedis(t)
	socket := filepath.Join(t.TempDir(), "front.sock")
	add := func(o *PoolOptions) { o.Listen = append(o.Listen, "unix:"+socket) }
	r := startProxyWith(t, Options{Loops: 2, Limits: Limits{PerAddress: 3}}, add, s)
	r.Publish(open(1, 0, s.lineage()))
	var clients []*client
	for i := range 3 {
		clients = append(clients, dialClient(t, r.addr))
		clients[i].want("+PONG", "PING")
	}
	if !turnedAway(dialClient(t, r.addr)) {
		t.Error("a fourth client of the address was let in")
	}
	dialFrom(t, "127.0.0.2", r.addr).want("+PONG", "PING")
	for range 4 {
		nc, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		wrap(t, nc).want("+PONG", "PING")
	}
	if got := r.stats().Turned; got != [turnReasonCount]uint64{TurnedAddress: 1} {
		t.Errorf("turned away: got %v", got)
	}
	clients[0].close()
	eventually(t, "one of them left", func() bool { return r.stats().Clients == 7 })
	dialClient(t, r.addr).want("+PONG", "PING")
	if !turnedAway(dialClient(t, r.addr)) {
		t.Error("a place was given twice")
	}
	for _, c := range clients {
		c.close()
	}
	eventually(t, "two addresses are counted", func() bool { return r.proxy.crowd.size() == 2 })
}

// Who was counted is forgotten with the last connection, or a crowd of addresses would fill the memory.
func TestAddressesAreForgotten(t *testing.T) {
	s := startRedis(t)
	r := startProxyWith(t, Options{Loops: 2, Limits: Limits{PerAddress: 2}}, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	for i := range 100 {
		c := dialFrom(t, net.IPv4(127, 0, 1, byte(i)).String(), r.addr)
		c.want("+PONG", "PING")
		c.close()
	}
	eventually(t, "nobody is counted", func() bool { return r.proxy.crowd.size() == 0 })
}

func (c *crowd) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.hosts)
}
