package compare

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// census counts the connections of a group of clients.
type census struct {
	dials       atomic.Int64
	disconnects atomic.Int64 // ended by the other side
}

// dial is what the client library connects with.
func (c *census) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.dials.Add(1)
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn, nil
	}
	return &watched{TCPConn: tcp, census: c}, nil
}

// watched is a connection that tells who ended it. It stays a TCP connection to the library, which looks at the socket itself
// before it uses one again.
type watched struct {
	*net.TCPConn
	census *census
	ended  atomic.Bool
}

// Read notes the end of the stream.
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.TCPConn.Read(b)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
		w.note()
	}
	return n, err
}

// Close looks whether the other side was first.
func (w *watched) Close() error {
	if w.peerEnded() {
		w.note()
	}
	return w.TCPConn.Close()
}

func (w *watched) note() {
	if !w.ended.Swap(true) {
		w.census.disconnects.Add(1)
	}
}

// peerEnded reports whether the end of the stream, or a reset, waits in the socket.
func (w *watched) peerEnded() bool {
	raw, err := w.SyscallConn()
	if err != nil {
		return false
	}
	ended := false
	err = raw.Control(func(fd uintptr) {
		n, _, err := unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
		ended = n == 0 && err == nil || errors.Is(err, syscall.ECONNRESET)
	})
	return err == nil && ended
}
