package splice

import (
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestPeerIP(t *testing.T) {
	for _, row := range []struct{ network, address, want string }{
		{"tcp4", "127.0.0.1:0", "127.0.0.1"}, {"tcp6", "[::1]:0", "::1"}, {"tcp", "[::]:0", "127.0.0.1"},
		{"unix", filepath.Join(t.TempDir(), "s"), ""},
	} {
		l, err := net.Listen(row.network, row.address)
		if err != nil {
			t.Fatal(err)
		}
		to := l.Addr().String()
		if row.network == "tcp" {
			_, port, _ := net.SplitHostPort(to)
			to = "127.0.0.1:" + port // an IPv4 client of a listener for both
		}
		ours, theirs := connected(t, l, to)
		got, ok := PeerIP(descriptor(t, theirs))
		if ok != (row.want != "") || ok && got.String() != row.want {
			t.Errorf("%s: got %v, %v, want %q", row.network, got, ok, row.want)
		}
		ours.Close()
	}
}

// Taken grows while the peer reads, and only then.
func TestTaken(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		address := "127.0.0.1:0"
		if network == "unix" {
			address = filepath.Join(t.TempDir(), "s")
		}
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		reader, writer := connected(t, l, l.Addr().String())
		fd := descriptor(t, writer)
		fill(t, fd)
		full := Taken(fd)
		for range 10 {
			<-time.After(10 * time.Millisecond)
			if got := Taken(fd); got != full {
				t.Fatalf("%s: grew from %d to %d while nobody read", network, full, got)
			}
		}
		if _, err := reader.Read(make([]byte, 4<<20)); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(5 * time.Second); Taken(fd) <= full; <-time.After(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: did not grow although the peer reads", network)
			}
		}
	}
}

// fill sends until the kernel has taken nothing for a while, so that everything that can be on its way has arrived.
func fill(t *testing.T, fd int) {
	t.Helper()
	p := make([]byte, 64<<10)
	for quiet := 0; quiet < 20; {
		n, errno := Send(fd, p)
		if errno != 0 && errno != syscall.EAGAIN {
			t.Fatal(errno)
		}
		if quiet++; n > 0 {
			quiet = 0
		}
		<-time.After(5 * time.Millisecond)
	}
}

func connected(t *testing.T, l net.Listener, to string) (client, server net.Conn) {
	t.Helper()
	defer l.Close()
	client, err := net.Dial(l.Addr().Network(), to)
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// descriptor is the number of a connection, which stays open as long as the connection is.
func descriptor(t *testing.T, c net.Conn) (fd int) {
	t.Helper()
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(n uintptr) { fd = int(n) }); err != nil {
		t.Fatal(err)
	}
	return fd
}

func TestSpare(t *testing.T) {
	var s Spare
	if s.Give() {
		t.Error("an empty spare gave a descriptor")
	}
	for range 2 {
		if !s.Take() || !s.Take() || !s.Give() || s.Give() {
			t.Error("want one descriptor to be held, and given once")
		}
	}
}

func TestPeekIntoLeavesTheBytes(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := connected(t, l, l.Addr().String())
	fd, p := descriptor(t, theirs), make([]byte, 16)
	if _, errno := PeekInto(fd, p); errno != syscall.EAGAIN {
		t.Errorf("got %v, want EAGAIN", errno)
	}
	if _, err := ours.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		n, errno := PeekInto(fd, p)
		for ; errno == syscall.EAGAIN; n, errno = PeekInto(fd, p) {
			<-time.After(time.Millisecond)
		}
		if string(p[:n]) != "hello" || errno != 0 {
			t.Errorf("got %q, %v", p[:n], errno)
		}
	}
	if n, errno := Recv(fd, p); string(p[:n]) != "hello" || errno != 0 {
		t.Errorf("got %q, %v", p[:n], errno)
	}
}
