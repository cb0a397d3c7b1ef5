package splice

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds every wait of the tests: far above what a loaded machine needs, so that running into it means a hang.
const patience = 30 * time.Second

// TestMain fails the run when a descriptor or a goroutine stays behind.
func TestMain(m *testing.M) {
	warmUp()
	before := openFDs()
	code := m.Run()
	if code == 0 && !becomes(func() bool { runtime.GC(); return len(openFDs()) <= len(before) }) { // io.Copy pools pipes until then.
		fmt.Fprintf(os.Stderr, "leaked descriptors: had %v, have %v\n", before, openFDs())
		code = 1
	}
	if stacks, ok := loopStacks(); code == 0 && !ok {
		fmt.Fprintf(os.Stderr, "leaked loops:\n%s\n", stacks)
		code = 1
	}
	os.Exit(code)
}

// warmUp makes the Go runtime open its own poller before the descriptors are counted.
func warmUp() {
	if ln, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		_ = ln.Close()
	}
}

func openFDs() []string {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	var fds []string
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name())); err == nil {
			fds = append(fds, e.Name()+"="+to)
		}
	}
	return fds
}

func loopStacks() (string, bool) {
	buf := make([]byte, 1<<20)
	gone := becomes(func() bool {
		return !strings.Contains(string(buf[:runtime.Stack(buf, true)]), "splice.(*Loop).Run")
	})
	return string(buf), gone
}

// becomes waits until cond holds, and returns false when it does not within patience.
func becomes(cond func() bool) bool {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
	return true
}

func receive[T any](t testing.TB, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("timed out waiting for %s", what)
		panic("unreachable")
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newLoop(t testing.TB, o Options) *Loop {
	t.Helper()
	l := must[*Loop](t)(NewLoop(o))
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close loop: %v", err)
		}
	})
	return l
}

// run serves the loop until the test ends and waits for it.
func run(t testing.TB, l *Loop, h Handler) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx, h) }() // awaited in the cleanup
	t.Cleanup(func() {
		cancel()
		if err := receive(t, ended, "the loop to end"); !errors.Is(err, context.Canceled) {
			t.Errorf("Run: got %v, want %v", err, context.Canceled)
		}
	})
}

// onLoop runs fn on the loop and waits for it.
func onLoop(t testing.TB, l *Loop, fn func()) {
	t.Helper()
	done := make(chan struct{})
	if !l.Post(func() { defer close(done); fn() }) {
		t.Fatal("post: the loop has ended")
	}
	receive(t, done, "a posted function")
}

// handler makes a Handler of two functions; nil ones ignore their calls.
type handler struct {
	event func(tok uint64, ev Events)
	timer func(tok uint64)
}

func (h handler) OnEvent(tok uint64, ev Events) {
	if h.event != nil {
		h.event(tok, ev)
	}
}

func (h handler) OnTimer(tok uint64) {
	if h.timer != nil {
		h.timer(tok)
	}
}

// freshAddress is an address of the network that the next Listen can take.
func freshAddress(t testing.TB, network string) Address {
	t.Helper()
	if network == "unix" {
		dir := must[string](t)(os.MkdirTemp("", "splice"))
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		return must[Address](t)(ParseAddress("unix:" + filepath.Join(dir, "s")))
	}
	return must[Address](t)(ParseAddress("127.0.0.1:0"))
}

func listen(t testing.TB, network string) (int, Address) {
	t.Helper()
	fd := must[int](t)(Listen(freshAddress(t, network), SocketOptions{}))
	t.Cleanup(func() { CloseFD(fd) })
	return fd, must[Address](t)(LocalAddress(fd))
}

func dialNet(t testing.TB, a Address) net.Conn {
	t.Helper()
	network, address := "tcp", a.String()
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	c := must[net.Conn](t)(net.DialTimeout(network, address, patience))
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

// acceptFD waits for a connection on a listener that no loop watches.
func acceptFD(t testing.TB, listener int) int {
	t.Helper()
	awaitFD(t, listener, unix.POLLIN)
	fd, errno := Accept(listener)
	if errno != 0 {
		t.Fatalf("accept: %v", errno)
	}
	return fd
}

func awaitFD(t testing.TB, fd int, events int16) {
	t.Helper()
	set := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		n, err := unix.Poll(set, int(patience.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			t.Fatalf("poll descriptor %d: %d ready, %v", fd, n, err)
		}
		return
	}
}

// link is a connection with a plain descriptor on one side and a net.Conn on the other. The caller closes fd.
func link(t testing.TB, network string) (fd int, peer net.Conn) {
	t.Helper()
	listener, a := listen(t, network)
	peer = dialNet(t, a)
	return acceptFD(t, listener), peer
}
