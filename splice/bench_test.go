package splice

import (
	"io"
	"net"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// Allocation is counted for the whole process, so the loop's goroutine is in the number.
func TestPingPongThroughTheLoopAllocatesNothing(t *testing.T) {
	at := backend(t, "tcp", func(c net.Conn) { _, _ = io.Copy(c, struct{ io.Reader }{c}) })
	_, a := newRelay(t, "tcp", at, Options{})
	c := dialNet(t, a)
	msg := make([]byte, 100)
	ping := func() {
		_, _ = c.Write(msg)
		if _, err := io.ReadFull(c, msg); err != nil {
			t.Error(err)
		}
	}
	for range 100 {
		ping()
	}
	if got := allocations(2000, ping); got >= 0.5 {
		t.Errorf("allocations per ping-pong: got %v, want 0", got)
	}
}

// allocations is what one of n calls costs, all goroutines together. It is testing.AllocsPerRun without its change of the number of
// processors, of which the loop needs one of its own.
func allocations(n int, call func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		call()
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(n)
}

// shuttle is a Mover between two plain descriptors, driven by hand.
type shuttle struct {
	l        *Loop
	m        Mover
	in, out  int // the test's ends
	src, dst int // the Mover's ends
}

func newShuttle(t testing.TB, o Options) *shuttle {
	t.Helper()
	s := &shuttle{l: newLoop(t, o)}
	s.in, s.src = plainLink(t)
	s.out, s.dst = plainLink(t)
	s.m.Start(s.src, s.dst, -1)
	t.Cleanup(func() { s.m.Release(s.l) })
	return s
}

func plainLink(t testing.TB) (a, b int) {
	t.Helper()
	listener, at := listen(t, "tcp")
	a, _, errno := Dial(at, SocketOptions{Congestion: "cubic"})
	if errno != 0 {
		t.Fatalf("dial: %v", errno)
	}
	b = acceptFD(t, listener)
	t.Cleanup(func() { CloseFD(a); CloseFD(b) })
	return a, b
}

// carry sends p in, runs the Mover as often as it takes, and reads everything out again.
func (s *shuttle) carry(t testing.TB, p, sink []byte) {
	for sent, got := 0, 0; got < len(p); {
		n, _ := Send(s.in, p[sent:])
		sent += n
		if out, errno := s.m.Run(s.l); errno != 0 {
			t.Fatalf("run: %v, %v", out, errno)
		}
		n, _ = Recv(s.out, sink)
		got += n
	}
}

func TestMoverRunAllocatesNothing(t *testing.T) {
	for name, size := range map[string]int{"small": 100, "bulk": 1 << 20} {
		s := newShuttle(t, Options{})
		p, sink := make([]byte, size), make([]byte, 256<<10)
		for range 20 {
			s.carry(t, p, sink)
		}
		if got := testing.AllocsPerRun(100, func() { s.carry(t, p, sink) }); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}

func BenchmarkPingPongRelay(b *testing.B) {
	at := backend(b, "tcp", func(c net.Conn) { _, _ = io.Copy(c, struct{ io.Reader }{c}) })
	_, a := newRelay(b, "tcp", at, Options{})
	c := dialNet(b, a)
	msg := make([]byte, 100)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = c.Write(msg)
		if _, err := io.ReadFull(c, msg); err != nil {
			b.Fatal(err)
		}
	}
}

// The floor of one small hop: nobody sleeps, only the system calls are left.
func BenchmarkHop100B(b *testing.B) { benchmarkHop(b, 100, Options{}) }

func BenchmarkHop16KiBCopy(b *testing.B) { benchmarkHop(b, 16<<10, Options{PipesMax: -1}) }

func BenchmarkHop1MiBCopy(b *testing.B) { benchmarkHop(b, 1<<20, Options{PipesMax: -1}) }

func BenchmarkHop1MiBSplice(b *testing.B) { benchmarkHop(b, 1<<20, Options{}) }

func benchmarkHop(b *testing.B, size int, o Options) {
	s := newShuttle(b, o)
	for _, fd := range []int{s.in, s.src, s.dst, s.out} {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 8<<20)
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20)
	}
	p, sink := make([]byte, size), make([]byte, 1<<20)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		s.carry(b, p, sink)
	}
	total, spliced := s.m.Moved()
	b.ReportMetric(100*float64(spliced)/float64(max(total, 1)), "%spliced")
}

func BenchmarkPost(b *testing.B) {
	l := newLoop(b, Options{})
	run(b, l, handler{})
	done := make(chan struct{})
	fn := func() { done <- struct{}{} }
	b.ReportAllocs()
	for b.Loop() {
		l.Post(fn)
		<-done
	}
}
