package proxy

import (
	"io"
	"strings"
	"syscall"
	"testing"
)

func heldRig(t *testing.T, change func(*PoolOptions)) (*rig, *redisServer) {
	s := startRedis(t)
	r := startProxy(t, change, s)
	r.shut(1, 0)
	return r, s
}

// release opens the gate of epoch 1.
func (r *rig) open(s *redisServer) {
	route := open(1, 0, s.lineage())
	route.Check = r.Route().Check + 1
	r.Publish(route)
}

func TestHeldClientThatLeavesIsForgotten(t *testing.T) {
	r, s := heldRig(t, nil)
	c, d := dialClient(t, r.addr), dialClient(t, r.addr)
	c.send(request("INCR", "n"))
	d.send(request("INCR", "n"))
	eventually(t, "both are held", func() bool { return r.stats().Held == 2 })
	c.close()
	eventually(t, "one is forgotten", func() bool { return r.stats().Held == 1 })
	r.open(s)
	if got := d.read(); got != ":1" {
		t.Fatalf("got %q: the request of the client that left was executed", got)
	}
}

// A client that sends and leaves at once is forgotten as well.
func TestHeldLastWordsAreForgotten(t *testing.T) {
	r, s := heldRig(t, nil)
	c := dialClient(t, r.addr)
	c.send(request("INCR", "n"))
	c.close()
	eventually(t, "forgotten", func() bool { st := r.stats(); return st.Accepted == 1 && st.Clients == 0 })
	r.open(s)
	d := dialClient(t, r.addr)
	d.want(":1", "INCR", "n")
}

func TestTooManyHeldClientsAreAnswered(t *testing.T) {
	r, s := heldRig(t, func(o *PoolOptions) { o.HeldMax = 4 })
	clients := make([]*client, 10)
	for i := range clients {
		clients[i] = dialClient(t, r.addr)
		clients[i].send(request("INCR", "n"))
	}
	eventually(t, "six are answered", func() bool { return r.stats().Refused == 6 })
	r.Publish(Route{Epoch: 1, Gate: GateOpen, Backend: -1}) // a route that lets nobody dial changes nothing
	for range 10 {
		if got := r.stats().Refused; got != 6 {
			t.Fatalf("refused: %d, want 6", got)
		}
	}
	r.open(s)
	refused := 0
	for _, c := range clients {
		if got := c.read(); strings.HasPrefix(got, "-TRYAGAIN ") {
			refused++
		} else if !strings.HasPrefix(got, ":") {
			t.Fatalf("got %q", got)
		}
		c.want("+PONG", "PING")
	}
	if got := s.do("GET", "n"); refused != 6 || got != "4" {
		t.Fatalf("refused %d, executed %s", refused, got)
	}
}

// Requests that were cut and would be sent again are answered as well, when too many wait or nobody may wait any more.
func TestCutRequestsAreAnsweredWhenTheyMayNotWait(t *testing.T) {
	r, a, _ := pair(t, func(o *PoolOptions) { o.HeldMax = 4 })
	clients := make([]*client, 10)
	for i := range clients {
		clients[i] = dialClient(t, r.addr)
		clients[i].want("+PONG", "PING")
	}
	a.signal(syscall.SIGSTOP)
	for _, c := range clients {
		c.send(request("GET", "k"))
	}
	eventually(t, "in flight", func() bool { return r.stats().Unanswered == 10 })
	a.kill()
	r.shut(1, 0)
	r.cut(1)
	eventually(t, "six are answered", func() bool { return r.stats().Refused == 6 })
	r.Publish(Route{Epoch: 1, Gate: GateRefusing, Backend: -1})
	for _, c := range clients {
		if got := c.read(); !strings.HasPrefix(got, "-TRYAGAIN ") {
			t.Fatalf("got %q", got)
		}
	}
}

// Sessions that wait for their turn to dial wait for the gate when it falls, and are answered when it refuses.
func TestWaitToDialBecomesWaitAtTheGate(t *testing.T) {
	r := startProxy(t, func(o *PoolOptions) { o.Backends = []string{deaf(t)} })
	r.Publish(open(1, 0, ""))
	clients := make([]*client, 300)
	for i := range clients {
		clients[i] = dialClient(t, r.addr)
		clients[i].send(request("PING"))
	}
	eventually(t, "some wait for a turn", func() bool { return r.inState(stateQueued) > 0 })
	r.shut(1, 0)
	r.cut(1)
	eventually(t, "all wait at the gate", func() bool { return r.stats().Held == len(clients) })
	r.Publish(Route{Epoch: 1, Gate: GateRefusing, Backend: -1})
	for _, c := range clients {
		if got := c.read(); !strings.HasPrefix(got, "-TRYAGAIN ") {
			t.Fatalf("got %q", got)
		}
	}
}

// Every request gets its answer and framing is kept, whatever its size and however it is cut into packets.
func TestRefusingGateKeepsFraming(t *testing.T) {
	r, s := heldRig(t, nil)
	r.Publish(Route{Epoch: 1, Gate: GateRefusing, Backend: -1})
	c := dialClient(t, r.addr)
	for _, size := range []int{10, 70_000, 300_000, 2_000_000} {
		c.send(request("ECHO", "a") + request("SET", "k", repeat("x", size)) + request("KEYS", "*") + "PING\r\n")
		for i := range 4 {
			if got := c.read(); !strings.HasPrefix(got, "-TRYAGAIN ") {
				t.Fatalf("size %d, reply %d: got %q", size, i, got)
			}
		}
	}
	if got := r.SlowInFlight(); got != 0 {
		t.Fatalf("slow commands in flight: %d", got)
	}
	r.open(s)
	c.want("nil", "GET", "k")
	c.want("+OK", "SET", "k", "v")
	r.Publish(Route{Epoch: 1, Gate: GateRefusing, Backend: -1})
	c.send(request("SET", "k", repeat("x", 100_000)) + request("QUIT"))
	if got := c.read(); !strings.HasPrefix(got, "-TRYAGAIN ") {
		t.Fatalf("got %q", got)
	}
	if got := c.read(); got != "+OK" || !c.ended() {
		t.Fatalf("got %q", got)
	}
}

func TestRefusingGateAnswersBrokenProtocol(t *testing.T) {
	r, _ := heldRig(t, nil)
	r.Publish(Route{Epoch: 1, Gate: GateRefusing, Backend: -1})
	c := dialClient(t, r.addr)
	c.send("PING\r\n*1\r\n:1\r\n")
	if got := c.read(); !strings.HasPrefix(got, "-TRYAGAIN ") {
		t.Fatalf("got %q", got)
	}
	if got := c.read(); got != "-ERR Protocol error: expected '$', got ':'" || !c.ended() {
		t.Fatalf("got %q", got)
	}
}

// A client that sends what the proxy answers itself, and never reads, costs a bounded amount of memory.
func TestAnswersToAClientThatDoesNotReadAreBounded(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, func(o *PoolOptions) { o.Deny = []string{"SHUTDOWN"} }, s)
	r.Publish(open(1, 0, s.lineage()))
	c, neighbour := dialClient(t, r.addr), dialClient(t, r.addr)
	chunk := strings.Repeat(request("SHUTDOWN"), 10_000)
	const chunks = 40
	sent := make(chan error, 1)
	go func() {
		for range chunks {
			if _, err := io.WriteString(c.nc, chunk); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	eventually(t, "the client is no longer read", func() bool { return r.buffered() > towardMax })
	for range 100 {
		neighbour.want("+PONG", "PING")
		if got := r.buffered(); got > 4*towardMax {
			t.Fatalf("buffered: %d bytes", got)
		}
	}
	for range chunks * 10_000 {
		if got := c.read(); !strings.HasPrefix(got, "-NOPERM ") {
			t.Fatalf("got %q", got)
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
}

// buffered is the number of bytes that all sessions of the pool hold in user space.
func (r *rig) buffered() (n int) {
	r.each(func(s *session) { n += buffered(s.in) + buffered(s.out) + buffered(s.back) + buffered(s.toward) })
	return n
}

// bulks is the number of large bodies on their way.
func (r *rig) bulks() (n int) {
	r.each(func(s *session) {
		if s.bulk != nil {
			n++
		}
	})
	return n
}

// each looks at every session, on its loop.
func (r *rig) each(look func(*session)) {
	for _, w := range r.proxy.workers {
		done := make(chan struct{})
		w.loop.Post(func() {
			defer close(done)
			for _, l := range w.views[r.index].lists {
				for s := l.first; s != nil; s = s.next {
					look(s)
				}
			}
		})
		<-done
	}
}

func TestSlowReaderOfALargeValue(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	const size = 100 << 20
	big := repeat("0123456789", size/10)
	s.do("SET", "big", big)
	c, neighbour := dialClient(t, r.addr), dialClient(t, r.addr)
	c.send(request("GET", "big") + request("PING"))
	if _, err := c.br.Peek(10); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		neighbour.want("+PONG", "PING")
		if got := r.buffered(); got > 1<<20 {
			t.Fatalf("buffered: %d bytes", got)
		}
	}
	if got := c.read(); got != big[:size/10*10] {
		t.Fatalf("got %d bytes", len(got))
	}
	if got := c.read(); got != "+PONG" {
		t.Fatalf("got %q", got)
	}
}
