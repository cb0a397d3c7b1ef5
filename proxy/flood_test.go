package proxy

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// heap is what the process holds after a collection, in bytes.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// deafClient has a small receive buffer, so that it is behind soon.
func deafClient(t *testing.T, addr string) *client {
	t.Helper()
	c := dialClient(t, addr)
	if err := c.nc.(*net.TCPConn).SetReadBuffer(16 << 10); err != nil {
		t.Fatal(err)
	}
	return c
}

// Pipelines of large values that nobody reads cost a bounded amount, whatever was asked for, and hold nobody up.
func TestPipelinesThatNobodyReads(t *testing.T) {
	const readers, requests = 20, 300
	s := startRedis(t)
	s.do("SET", "middle", repeat("m", 50<<10))
	r := startProxyWith(t, Options{Loops: 2}, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	neighbour := dialClient(t, r.addr)
	neighbour.want("+PONG", "PING")
	before := heap()
	for range readers {
		deafClient(t, r.addr).send(strings.Repeat(request("GET", "middle"), requests))
	}
	eventually(t, "all of them are behind", func() bool { return r.sessionsBehind() == readers })
	for range 1000 {
		neighbour.want("+PONG", "PING")
	}
	// Per reader: one read of the scratch buffer that its kernel does not take, rounded up by the pool of buffers, and a flight.
	if got, most := r.buffered(), readers*(512<<10); got > most {
		t.Errorf("buffered: %d bytes, want at most %d", got, most)
	}
	if got, most := heap()-before, uint64(readers*(3<<20)); int64(got) > int64(most) {
		t.Errorf("the heap grew by %d bytes, want at most %d", got, most)
	}
}

// sessionsBehind counts the clients for whom something waits in user space.
func (r *rig) sessionsBehind() (n int) {
	r.each(func(s *session) {
		if s.behind() {
			n++
		}
	})
	return n
}

// A subscriber that does not read is given up by its server, as without a proxy. It hears the beginning of what was
// published, in order, and then the end: messages must not be missed in silence.
func TestSubscriberThatDoesNotRead(t *testing.T) {
	s := startRedis(t, "--client-output-buffer-limit", "pubsub 2mb 1mb 1")
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	r.confirm()
	deaf, keen := deafClient(t, r.addr), dialClient(t, r.addr)
	deaf.want("*[subscribe ch :1]", "SUBSCRIBE", "ch")
	keen.want("*[subscribe ch :1]", "SUBSCRIBE", "ch")
	feeder := dialClient(t, r.addr)
	sent := 0
	for {
		message := fmt.Sprintf("%d:%s", sent, repeat("x", 10<<10))
		got := feeder.do("PUBLISH", "ch", message)
		sent++
		if want := "*[message ch " + message + "]"; keen.read() != want {
			t.Fatalf("message %d is not what was sent", sent)
		}
		if got == ":1" {
			break
		}
		if sent > 10000 {
			t.Fatal("the server keeps everything for a subscriber that does not read")
		}
	}
	if got := r.buffered(); got > 1<<20 {
		t.Errorf("buffered: %d bytes", got)
	}
	if err := deaf.nc.(*net.TCPConn).SetReadBuffer(4 << 20); err != nil {
		t.Fatal(err)
	}
	heard := 0
	for ; ; heard++ {
		_ = deaf.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
		got, err := deaf.decode()
		if err != nil {
			break
		}
		if !strings.HasPrefix(got, fmt.Sprintf("*[message ch %d:", heard)) {
			t.Fatalf("message %d: got %.40q", heard, got)
		}
	}
	if heard == 0 || heard >= sent {
		t.Errorf("the deaf subscriber heard %d of %d", heard, sent)
	}
	r.closedBy(ClosedOutput, 1)
	keen.nc.Close()
}

// A subscriber that was behind when its master died is moved like any other: the messages of the gap are lost to all.
func TestSlowSubscriberMoves(t *testing.T) {
	a, b := startRedis(t), startRedis(t)
	replicate(t, a, b)
	r := startProxy(t, nil, a, b)
	r.Publish(open(1, 0, a.lineage()))
	slow := deafClient(t, r.addr)
	slow.want("*[subscribe ch :1]", "SUBSCRIBE", "ch")
	for r.sessionsBehind() == 0 {
		a.do("PUBLISH", "ch", repeat("x", 60<<10))
	}
	a.kill()
	r.shut(1, 0)
	r.cut(1)
	b.do("REPLICAOF", "NO", "ONE")
	r.Publish(open(2, 1, b.lineage()))
	eventually(t, "it has subscribed again", func() bool { return b.do("PUBLISH", "ch", "news") == ":1" })
	for got := ""; got != "*[message ch news]"; {
		got = slow.read()
	}
	if n := r.stats().Closed[ClosedOutput]; n != 0 {
		t.Errorf("%d subscribers were ended", n)
	}
}

// Nothing is allocated for what a header only declares, and the server does not hear of it.
func TestDeclaredLengthsAllocateNothing(t *testing.T) {
	const clients = 2000
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	dialClient(t, r.addr).want("+PONG", "PING") // from here on it is known that the server asks for no password
	dialClient(t, r.addr).want("+PONG", "PING") // on both loops
	before, had := heap(), s.connections()
	for i := range clients {
		c := dialPlainFrom(t, r.addr)
		head := [...]string{"*1048576\r\n$536870912\r\nSET", "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nxyz", "*2147483647\r\n"}[i%3]
		if _, err := io.WriteString(c, head); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "they were looked at", func() bool {
		n := 0
		r.each(func(s *session) {
			if s.has(greeting) {
				n++
			}
		})
		return n == clients-clients/3 && r.stats().Closed[ClosedByProtocol] == clients/3
	})
	if got := heap() - before; int64(got) > clients*2<<10 {
		t.Errorf("the heap grew by %d bytes for %d clients", got, clients)
	}
	if got := s.connections(); got != had {
		t.Errorf("the server has %d connections, had %d", got, had)
	}
}

// dialPlainFrom is a connection without a reader of its own.
func dialPlainFrom(t *testing.T, addr string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}

// Clients that ask for much and read nothing do not make a failover long: what they do not take is not copied for them, and is
// asked for again.
func TestFailoverAmongPipelinesThatNobodyReads(t *testing.T) {
	const readers, requests = 20, 100
	a, b := startRedis(t), startRedis(t)
	replicate(t, a, b)
	a.do("SET", "middle", repeat("m", 50<<10))
	r := startProxy(t, nil, a, b)
	r.Publish(open(1, 0, a.lineage()))
	var clients []*client
	for range readers {
		c := deafClient(t, r.addr)
		c.send(strings.Repeat(request("GET", "middle"), requests))
		clients = append(clients, c)
	}
	eventually(t, "all of them are behind", func() bool { return r.sessionsBehind() == readers })
	eventually(t, "the replica has the value", func() bool { return b.do("EXISTS", "middle") == ":1" })
	a.kill()
	r.shut(1, 0)
	r.cut(1)
	// At most the bound and one read of the scratch buffer beyond it, which the pool of buffers may have rounded up.
	if got, most := r.buffered(), readers*(harvestMax+(256<<10)); got > most {
		t.Errorf("buffered: %d bytes, want at most %d", got, most)
	}
	b.do("REPLICAOF", "NO", "ONE")
	r.Publish(open(2, 1, b.lineage()))
	results := make(chan error, readers)
	for _, c := range clients { // all at once: the longer a window was shut, the later its opening is noticed
		go readAll(c, requests, results) // awaited below
	}
	for range clients {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

// readAll reads n times the value of TestFailoverAmongPipelinesThatNobodyReads.
func readAll(c *client, n int, result chan<- error) {
	_ = c.nc.(*net.TCPConn).SetReadBuffer(4 << 20)
	_ = c.nc.SetReadDeadline(time.Now().Add(20 * time.Second))
	for i := range n {
		if got, err := c.decode(); err != nil || len(got) != 50<<10 {
			result <- fmt.Errorf("reply %d: got %.40q, %w", i, got, err)
			return
		}
	}
	result <- nil
}

// More clients that do not read than a pool may dial at a time: none of them may keep its slot for want of reading, and a client
// that reads is not served after all of them.
func TestClientsThatDoNotReadHoldNoDials(t *testing.T) {
	const readers = dialsMax + 20
	a, b := startRedis(t), startRedis(t)
	replicate(t, a, b)
	a.do("SET", "middle", repeat("m", 20<<10))
	r := startProxyWith(t, Options{Loops: 2}, func(o *PoolOptions) { o.ClientSocket.NotSentLowat = 16 << 10 }, a, b)
	r.Publish(open(1, 0, a.lineage()))
	good := dialClient(t, r.addr)
	good.want("+OK", "CLIENT", "SETNAME", "good")
	for range readers {
		deafClient(t, r.addr).send(strings.Repeat(request("GET", "middle"), 30))
	}
	eventually(t, "all of them are behind", func() bool { return r.sessionsBehind() == readers })
	a.kill()
	r.shut(1, 0)
	r.cut(1)
	good.send(request("PING"))
	b.do("REPLICAOF", "NO", "ONE")
	r.Publish(open(2, 1, b.lineage()))
	if got := good.read(); got != "+PONG" {
		t.Fatalf("got %q", got)
	}
	eventually(t, "all of them have a backend again", func() bool { return r.serving() == readers+1 })
	if n := b.acceptedBefore("good"); n > readers*3/4 { // the other loop may be through with its own
		t.Errorf("%d of %d clients that do not read were served before the one that reads", n, readers)
	}
}

// acceptedBefore is the number of connections that are older than that of the client with the name: servers count ids up.
func (r *redisServer) acceptedBefore(name string) (n int) {
	var ids []int
	limit := 0
	for line := range strings.Lines(r.do("CLIENT", "LIST", "TYPE", "normal")) {
		var id int
		if _, err := fmt.Sscanf(line[strings.Index(line, "id="):], "id=%d", &id); err != nil {
			r.t.Fatal(err)
		}
		if ids = append(ids, id); strings.Contains(line, " name="+name+" ") {
			limit = id
		}
	}
	for _, id := range ids {
		if id < limit {
			n++
		}
	}
	return n
}

// serving is how many clients have a backend and may ask it.
func (r *rig) serving() (n int) {
	r.each(func(s *session) {
		if s.state == stateServing {
			n++
		}
	})
	return n
}
