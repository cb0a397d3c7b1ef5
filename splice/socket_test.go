package splice

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func tcpOption(t *testing.T, fd, option int) int {
	t.Helper()
	return must[int](t)(unix.GetsockoptInt(fd, unix.IPPROTO_TCP, option))
}

// Both ways to a connection must tune it alike: dialling sets the options, accepting inherits them.
func TestSocketOptionsReachDialledAndAccepted(t *testing.T) {
	o := SocketOptions{UserTimeout: 7 * time.Second, KeepAlive: 9 * time.Second, NotSentLowat: 200 << 10, Congestion: "reno"}
	listener := must[int](t)(Listen(freshAddress(t, "tcp"), o))
	defer CloseFD(listener)
	dialled, pending, errno := Dial(must[Address](t)(LocalAddress(listener)), o)
	if errno != 0 {
		t.Fatalf("dial: %v", errno)
	}
	defer CloseFD(dialled)
	accepted := acceptFD(t, listener)
	defer CloseFD(accepted)
	awaitFD(t, dialled, unix.POLLOUT)
	if errno := ConnectError(dialled); errno != 0 {
		t.Errorf("connect (pending %v): %v", pending, errno)
	}
	options := []struct {
		name         string
		option, want int
	}{
		{"nodelay", unix.TCP_NODELAY, 1},
		{"user timeout, ms", unix.TCP_USER_TIMEOUT, 7000},
		{"keepalive idle, s", unix.TCP_KEEPIDLE, 9},
		{"keepalive interval, s", unix.TCP_KEEPINTVL, 3},
		{"keepalive count", unix.TCP_KEEPCNT, 3},
		{"not sent low water, bytes", unix.TCP_NOTSENT_LOWAT, 200 << 10},
	}
	for side, fd := range map[string]int{"dialled": dialled, "accepted": accepted} {
		for _, x := range options {
			if got := tcpOption(t, fd, x.option); got != x.want {
				t.Errorf("%s, %s: got %d, want %d", side, x.name, got, x.want)
			}
		}
		if got := must[string](t)(unix.GetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION)); got != "reno" {
			t.Errorf("%s, congestion control: got %s, want reno", side, got)
		}
	}
}

func TestDialReportsRefusal(t *testing.T) {
	listener, a := listen(t, "tcp")
	_ = unix.Shutdown(listener, unix.SHUT_RDWR) // the address is known and nobody listens on it
	fd, pending, errno := Dial(a, SocketOptions{})
	if pending {
		awaitFD(t, fd, unix.POLLOUT)
		errno = ConnectError(fd)
		CloseFD(fd)
	}
	if errno != syscall.ECONNREFUSED {
		t.Errorf("tcp: got %v, want %v", errno, syscall.ECONNREFUSED)
	}
	missing := must[Address](t)(ParseAddress("unix:" + filepath.Join(t.TempDir(), "none")))
	if fd, _, errno := Dial(missing, SocketOptions{}); errno != syscall.ENOENT || fd != -1 {
		t.Errorf("unix: got %d, %v, want -1, %v", fd, errno, syscall.ENOENT)
	}
	if _, _, errno := Dial(Address{}, SocketOptions{}); errno == 0 {
		t.Error("no address: got a connection, want an error")
	}
}

func TestDialReportsAFullUnixQueue(t *testing.T) {
	_, a := listen(t, "unix")
	for range backlog + 2 {
		fd, pending, errno := Dial(a, SocketOptions{})
		if errno == syscall.EAGAIN {
			return
		}
		if errno != 0 || pending {
			t.Fatalf("dial: pending %v, %v", pending, errno)
		}
		defer CloseFD(fd)
	}
	t.Errorf("%d connections nobody accepted: got no error, want %v", backlog+2, syscall.EAGAIN)
}

func TestListenReplacesOnlyAbandonedSocketFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	a := must[Address](t)(ParseAddress("unix:" + path))
	first := must[int](t)(Listen(a, SocketOptions{UnixMode: 0o660}))
	if info := must[os.FileInfo](t)(os.Stat(path)); info.Mode().Perm() != 0o660 {
		t.Errorf("mode: got %o, want 660", info.Mode().Perm())
	}
	if _, err := Listen(a, SocketOptions{}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("while it is served: got %v, want %v", err, syscall.EADDRINUSE)
	}
	CloseFD(first)
	second := must[int](t)(Listen(a, SocketOptions{}))
	CloseFD(second)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(a, SocketOptions{}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("over a file: got %v, want %v", err, syscall.EADDRINUSE)
	}
	if got := must[[]byte](t)(os.ReadFile(path)); string(got) != "precious" {
		t.Errorf("the file: got %q, want it untouched", got)
	}
}

func TestListenNamesTheAddressInUse(t *testing.T) {
	_, a := listen(t, "tcp")
	_, err := Listen(a, SocketOptions{})
	if want := "listen on " + a.String() + ": address already in use"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := Listen(freshAddress(t, "tcp"), SocketOptions{Congestion: "nosuch"}); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("unknown congestion control: got %v, want %v", err, syscall.ENOENT)
	}
}

func TestListenOnIPv6(t *testing.T) {
	fd, err := Listen(must[Address](t)(ParseAddress("[::1]:0")), SocketOptions{})
	if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
		t.Logf("not checked, this host has no IPv6: %v", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer CloseFD(fd)
	dialNet(t, must[Address](t)(LocalAddress(fd)))
	CloseFD(acceptFD(t, fd))
}

func TestRawCallsTellEndFromEmpty(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		fd, peer := link(t, network)
		buf := make([]byte, 10)
		if n, errno := Recv(fd, buf); n != 0 || errno != syscall.EAGAIN {
			t.Errorf("%s, empty: got %d, %v, want 0, %v", network, n, errno, syscall.EAGAIN)
		}
		if n, errno := Recv(fd, nil); n != 0 || errno != syscall.EINVAL {
			t.Errorf("%s, no buffer: got %d, %v, want 0, %v", network, n, errno, syscall.EINVAL)
		}
		if errno := ShutdownWrite(fd); errno != 0 {
			t.Errorf("%s, shutdown: %v", network, errno)
		}
		if n, err := peer.Read(buf); n != 0 || err == nil {
			t.Errorf("%s, peer after shutdown: got %d, %v, want the end", network, n, err)
		}
		if n, errno := Send(fd, buf); n != 0 || errno != syscall.EPIPE {
			t.Errorf("%s, send after shutdown: got %d, %v, want 0, %v", network, n, errno, syscall.EPIPE)
		}
		if n, errno := Peek(fd); n > 0 || errno != syscall.EAGAIN {
			t.Errorf("%s, peek at nothing: got %d, %v, want none, %v", network, n, errno, syscall.EAGAIN)
		}
		if _, err := peer.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		awaitFD(t, fd, unix.POLLIN)
		for range 2 {
			if n, errno := Peek(fd); n != 1 || errno != 0 {
				t.Errorf("%s, peek: got %d, %v, want 1, 0", network, n, errno)
			}
		}
		if n, errno := Recv(fd, buf); n != 1 || errno != 0 {
			t.Errorf("%s, after peeking: got %d, %v, want 1, 0", network, n, errno)
		}
		closeWrite(t, peer)
		awaitFD(t, fd, unix.POLLRDHUP)
		if n, errno := Recv(fd, buf); n != 0 || errno != 0 {
			t.Errorf("%s, end: got %d, %v, want 0, 0", network, n, errno)
		}
		CloseFD(fd)
	}
}

func closeWrite(t testing.TB, c net.Conn) {
	t.Helper()
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// On loopback the congestion control for loopback counts, for the dialled and for the accepted socket.
func TestLoopbackCongestion(t *testing.T) {
	want := Unpaced()
	if want == "" {
		t.Fatal("neither cubic nor reno may be used here")
	}
	o := SocketOptions{LoopbackCongestion: want}
	listener := must[int](t)(Listen(freshAddress(t, "tcp"), o))
	t.Cleanup(func() { CloseFD(listener) })
	fd, _, errno := Dial(must[Address](t)(LocalAddress(listener)), o)
	if errno != 0 {
		t.Fatalf("dial: %v", errno)
	}
	t.Cleanup(func() { CloseFD(fd) })
	accepted := acceptFD(t, listener)
	t.Cleanup(func() { CloseFD(accepted) })
	for side, fd := range map[string]int{"dialled": fd, "accepted": accepted} {
		if got := must[string](t)(unix.GetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION)); strings.TrimRight(got, "\x00") != want {
			t.Errorf("%s: got %q, want %q", side, got, want)
		}
	}
}
