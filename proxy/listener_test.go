package proxy

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestUnixSocketsOnBothSides(t *testing.T) {
	dir := t.TempDir()
	front, back := filepath.Join(dir, "front.sock"), filepath.Join(dir, "back.sock")
	s := startRedis(t, "--unixsocket", back)
	r := startProxy(t, func(o *PoolOptions) { o.Listen, o.Backends = []string{"unix:" + front}, []string{"unix:" + back} })
	r.Publish(open(1, 0, s.lineage()))
	r.confirm()
	nc, err := net.Dial("unix", front)
	if err != nil {
		t.Fatal(err)
	}
	c := wrap(t, nc)
	c.want("+OK", "SELECT", "4")
	big := repeat("x", 3<<20)
	c.want("+OK", "SET", "k", big)
	c.want(big, "GET", "k")
	s.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	c.want(big, "GET", "k")
	c.want("+OK", "CLIENT", "SETNAME", "x")
}

func TestLoopsShareConnections(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	const n = 100
	for range n {
		dialClient(t, r.addr).want("+PONG", "PING")
	}
	for _, w := range r.proxy.workers {
		if got := w.load.Load(); got < n/2-1 || got > n/2+1 {
			t.Errorf("loop %d has %d of %d connections", w.id, got, n)
		}
	}
}

// starvedChild, set in the environment, makes the test binary run the part that needs few descriptors.
const starvedChild = "HOLDFAST_STARVED"

// Without descriptors connections are told so and ended; the listener neither spins nor ends. The limit is for a whole process, so
// the test runs in its own.
func TestListenerSurvivesWithoutDescriptors(t *testing.T) {
	if os.Getenv(starvedChild) != "" {
		starve(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestListenerSurvivesWithoutDescriptors$", "-test.v")
	cmd.Env = append(os.Environ(), starvedChild+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// early is the number of clients that are connected before the limit falls.
const early = 40

func starve(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	r.confirm()
	c := dialClient(t, r.addr)
	c.want("+PONG", "PING")
	var clients []*client
	for range early {
		clients = append(clients, dialClient(t, r.addr))
		clients[len(clients)-1].want("+PONG", "PING")
	}
	var late [10]int // sockets that exist before the limit falls, and connect after it
	for i := range late {
		late[i] = rawSocket(t)
	}
	lowest, err := syscall.Dup(0) // the number that the next descriptor would have
	if err != nil {
		t.Fatal(err)
	}
	limit := syscall.Rlimit{Cur: uint64(lowest), Max: uint64(lowest)}
	_ = syscall.Close(lowest)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	begin := cpuTime(t)
	to := addressOf(t, r.addr)
	for _, fd := range late {
		if err := syscall.Connect(fd, to); err != nil {
			t.Fatal(err)
		}
		if _, err := syscall.Write(fd, []byte("PING\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	for _, fd := range late {
		wantTurnedAway(t, fd)
	}
	<-time.After(500 * time.Millisecond) // ten rests of the listener; one that spins burns all of it
	if got := cpuTime(t) - begin; got > 250*time.Millisecond {
		t.Errorf("waiting took %v of CPU time", got)
	}
	c.want("+PONG", "PING")
	if got := r.stats().Turned[TurnedDescriptors]; got != uint64(len(late)) {
		t.Errorf("turned away: got %d, want %d", got, len(late))
	}
	for _, each := range clients {
		each.close()
	}
	eventually(t, "room again", func() bool { return r.stats().Clients == 1 })
	dialClient(t, r.addr).want("+PONG", "PING")
	c.want("+PONG", "PING")
}

// wantTurnedAway reads Redis's own text, and the end of the connection.
func wantTurnedAway(t *testing.T, fd int) {
	t.Helper()
	p := make([]byte, 128)
	n, err := syscall.Read(fd, p)
	if err != nil || string(p[:n]) != fullText {
		t.Fatalf("got %q, %v", p[:max(n, 0)], err)
	}
}

func rawSocket(t *testing.T) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Sec: 10}); err != nil {
		t.Fatal(err)
	}
	return fd
}

func addressOf(t *testing.T, addr string) syscall.Sockaddr {
	t.Helper()
	tcp, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return &syscall.SockaddrInet4{Port: tcp.Port, Addr: [4]byte(tcp.IP.To4())}
}

func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
