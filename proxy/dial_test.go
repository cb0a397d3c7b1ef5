package proxy

import (
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A thousand clients move at once and none waits for the kernel to repeat a SYN.
func TestThousandClientsMoveAtOnce(t *testing.T) {
	r, a, b := pair(t, nil)
	const n = 1000
	clients := make([]*client, n)
	for i := range clients {
		clients[i] = dialClient(t, r.addr)
		clients[i].want("+OK", "SELECT", "1")
	}
	a.kill()
	r.shut(1, 0)
	r.cut(1)
	for _, c := range clients {
		c.send(request("INCR", "n"))
	}
	eventually(t, "all are held", func() bool { return r.stats().Held == n })
	b.do("REPLICAOF", "NO", "ONE")
	overflows, begin := listenOverflows(t), time.Now()
	r.Publish(open(2, 1, b.lineage()))
	seen := make(map[string]bool, n)
	for _, c := range clients {
		seen[c.read()] = true
	}
	took := time.Since(begin)
	t.Logf("%d clients moved in %v", n, took)
	if len(seen) != n {
		t.Fatalf("%d different replies of %d", len(seen), n)
	}
	if n := listenOverflows(t) - overflows; took > 900*time.Millisecond && n > 0 {
		t.Fatalf("the move took %v: the listen queue overflowed %d times, and who is left out waits a second", took, n)
	}
}

// listenOverflows is how often a connection found no room in a listen queue of this machine.
func listenOverflows(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/net/netstat")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	names, values := strings.Fields(lines[0]), strings.Fields(lines[1])
	n, err := strconv.Atoi(values[slices.Index(names, "ListenOverflows")])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestIdleConnectionsMayEnd(t *testing.T) {
	s := startRedis(t, "--timeout", "1")
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	c, d := dialClient(t, r.addr), dialClient(t, r.addr)
	for _, each := range []*client{c, d} {
		each.want("+OK", "SELECT", "1")
	}
	for range 2 {
		if e := <-r.evidence; e.Kind != EvidenceEOF || e.Busy {
			t.Fatalf("evidence: %+v", e)
		}
	}
	r.confirm()
	r.open(s)
	c.want("+OK", "SET", "k", "v")
	d.want("v", "GET", "k")
}

func TestKilledConnectionIsMadeAgain(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	r.confirm()
	c, sub := dialClient(t, r.addr), dialClient(t, r.addr)
	c.want("+OK", "CLIENT", "SETNAME", "worker")
	sub.want("*[subscribe news :1]", "SUBSCRIBE", "news")
	for range 20 {
		s.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		s.do("CLIENT", "KILL", "TYPE", "pubsub")
		c.want("worker", "CLIENT", "GETNAME")
		eventually(t, "listening again", func() bool { return s.do("PUBLISH", "news", "x") == ":1" })
		if got := sub.read(); got != "*[message news x]" {
			t.Fatalf("got %q", got)
		}
	}
}

func TestEvidence(t *testing.T) {
	s := startRedis(t)
	t.Run("refused", func(t *testing.T) {
		r := startProxy(t, func(o *PoolOptions) { o.Backends = []string{freeAddress(t)} })
		r.Publish(open(1, 0, ""))
		dialClient(t, r.addr).send(request("PING"))
		wantEvidence(t, r, EvidenceRefused)
	})
	t.Run("refused on a unix socket", func(t *testing.T) {
		r := startProxy(t, func(o *PoolOptions) { o.Backends = []string{"unix:" + t.TempDir() + "/none"} })
		r.Publish(open(1, 0, ""))
		dialClient(t, r.addr).send(request("PING"))
		wantEvidence(t, r, EvidenceRefused)
	})
	t.Run("eof", func(t *testing.T) {
		r := startProxy(t, nil, s)
		r.Publish(open(1, 0, ""))
		dialClient(t, r.addr).want("+PONG", "PING")
		s.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		wantEvidence(t, r, EvidenceEOF)
	})
	t.Run("reset", func(t *testing.T) {
		r := startProxy(t, func(o *PoolOptions) { o.Backends = []string{resetter(t)} })
		r.Publish(open(1, 0, ""))
		dialClient(t, r.addr).send(request("PING"))
		if e := wantEvidence(t, r, EvidenceReset); !e.Busy {
			t.Fatalf("evidence: %+v", e)
		}
	})
	t.Run("identity", func(t *testing.T) {
		r := startProxy(t, nil, s)
		r.Publish(open(1, 0, strings.Repeat("a", 40)))
		dialClient(t, r.addr).send(request("PING"))
		wantEvidence(t, r, EvidenceIdentity)
	})
	t.Run("timeout", func(t *testing.T) {
		r := startProxy(t, func(o *PoolOptions) { o.Backends = []string{deaf(t)} })
		r.Publish(open(1, 0, ""))
		dialClient(t, r.addr).send(request("PING"))
		wantEvidence(t, r, EvidenceTimeout)
	})
	t.Run("too many clients", func(t *testing.T) {
		full := startRedis(t, "--maxclients", "1")
		r := startProxy(t, nil, full)
		r.Publish(open(1, 0, full.lineage()))
		hog := dialClient(t, full.addr)
		hog.want("+PONG", "PING")
		c := dialClient(t, r.addr)
		c.send(request("PING"))
		wantEvidence(t, r, EvidenceTimeout)
		hog.close()
		r.confirm()
		if got := c.read(); got != "+PONG" {
			t.Fatalf("got %q", got)
		}
	})
}

func wantEvidence(t *testing.T, r *rig, kind EvidenceKind) Evidence {
	t.Helper()
	select {
	case e := <-r.evidence:
		if e.Kind != kind || e.Epoch != 1 || e.Backend != 0 {
			t.Fatalf("evidence: got %v %+v, want %v", e.Kind, e, kind)
		}
		return e
	case <-time.After(5 * time.Second):
		t.Fatalf("no evidence, want %v", kind)
	}
	return Evidence{}
}

// resetter takes a connection, reads from it and resets it.
func resetter(t *testing.T) string {
	return serve(t, func(nc *net.TCPConn) {
		_, _ = nc.Read(make([]byte, 1))
		_ = nc.SetLinger(0)
	})
}

// serve runs a server for the length of the test; each connection is closed when handle returns.
func serve(t *testing.T, handle func(*net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{l: l, handle: handle, open: map[*net.TCPConn]bool{}}
	s.running.Go(s.accept)
	t.Cleanup(s.stop)
	return l.Addr().String()
}

type server struct {
	l       net.Listener
	handle  func(*net.TCPConn)
	running sync.WaitGroup

	mu   sync.Mutex // guards open
	open map[*net.TCPConn]bool
}

func (s *server) accept() {
	for {
		nc, err := s.l.Accept()
		if err != nil {
			return
		}
		tc := nc.(*net.TCPConn)
		s.mu.Lock()
		s.open[tc] = true
		s.mu.Unlock()
		s.running.Go(func() { s.one(tc) })
	}
}

func (s *server) one(tc *net.TCPConn) {
	defer tc.Close()
	s.handle(tc)
}

// dropAll resets what is open.
func (s *server) dropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for tc := range s.open {
		tc.Close()
	}
}

func (s *server) stop() {
	s.l.Close()
	s.dropAll()
	s.running.Wait()
}

// A route that changes while sessions dial: they end up on the new one, not in a wait for a third.
func TestRouteChangesDuringTheDial(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, func(o *PoolOptions) { o.Backends = []string{deaf(t), s.addr} })
	r.Publish(open(1, 0, ""))
	clients := make([]*client, 300) // more than may dial at a time
	for i := range clients {
		clients[i] = dialClient(t, r.addr)
		clients[i].send(request("INCR", "n"))
	}
	eventually(t, "all slots are taken", func() bool { return r.inState(stateQueued) > 0 })
	r.shut(1, 0)
	r.cut(1)
	r.Publish(open(2, 1, s.lineage()))
	for _, c := range clients {
		if got := c.read(); !strings.HasPrefix(got, ":") {
			t.Fatalf("got %q", got)
		}
	}
}

// The same without a cut: the dials of the old epoch end by themselves.
func TestRouteChangesDuringTheDialWithoutACut(t *testing.T) {
	s := startRedis(t)
	mute := serve(t, func(nc *net.TCPConn) { _, _ = nc.Read(make([]byte, 1)); <-t.Context().Done() })
	r := startProxy(t, func(o *PoolOptions) { o.Backends = []string{mute, s.addr} })
	r.Publish(open(1, 0, strings.Repeat("a", 40)))
	c := dialClient(t, r.addr)
	c.send(request("INCR", "n"))
	eventually(t, "dialling", func() bool { return r.inState(stateDialing) == 1 })
	r.Publish(open(2, 1, s.lineage()))
	if got := c.read(); got != ":1" {
		t.Fatalf("got %q", got)
	}
}

// inState is the number of sessions in one state.
func (r *rig) inState(st state) (n int) {
	r.each(func(s *session) {
		if s.state == st {
			n++
		}
	})
	return n
}

// A master that accepts and never answers: neither login nor replay holds a session for ever.
func TestReplayWithoutAnAnswerIsGivenUp(t *testing.T) {
	s := startRedis(t, "--requirepass", "secret")
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, lineageOf(login(t, s.addr))))
	c, fresh := login(t, r.addr), dialClient(t, r.addr)
	c.want("+OK", "SELECT", "2")
	r.Publish(open(2, 0, lineageOf(login(t, s.addr)))) // the session dials again, and logs in first
	eventually(t, "moved", func() bool { return r.inState(stateFresh) == 2 })
	s.signal(syscall.SIGSTOP)
	c.send(request("SET", "k", "v"))
	fresh.send(request("PING")) // its replay is the question for the lineage
	for range 2 {
		select {
		case e := <-r.evidence:
			if e.Kind != EvidenceTimeout || e.Epoch != 2 {
				t.Fatalf("evidence: %v %+v", e.Kind, e)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("no evidence")
		}
	}
	eventually(t, "both wait", func() bool { return r.stats().Held == 2 })
	s.signal(syscall.SIGCONT)
	route := r.Route()
	route.Check++
	r.Publish(route)
	if got := c.read(); got != "+OK" {
		t.Fatalf("got %q", got)
	}
	if got := fresh.read(); got != "-NOAUTH Authentication required." {
		t.Fatalf("got %q", got)
	}
}
