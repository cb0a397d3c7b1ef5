package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// CopyProxy is the proxy every Go programmer would write first: two goroutines and two io.Copy per connection. It is the
// control that shows what an event loop is worth, and it runs in a process of its own like any other contender.
func CopyProxy(ctx context.Context, listen, backend string) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", listen, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	var relays sync.WaitGroup
	defer relays.Wait()
	for {
		client, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept on %s: %w", listen, err)
		}
		relays.Go(func() { relay(ctx, client, backend) })
	}
}

// relay copies both directions and ends when both have ended.
func relay(ctx context.Context, client net.Conn, backend string) {
	defer client.Close()
	server, err := (&net.Dialer{}).DialContext(ctx, "tcp", backend)
	if err != nil {
		return // the client sees its connection close, as it would with any proxy without a backend
	}
	defer server.Close()
	stop := context.AfterFunc(ctx, func() {
		_ = client.Close()
		_ = server.Close()
	})
	defer stop()
	var requests sync.WaitGroup
	requests.Go(func() { copyHalf(server, client) })
	copyHalf(client, server)
	requests.Wait()
}

// copyHalf copies until the source ends and passes the end on.
func copyHalf(to, from net.Conn) {
	_, _ = io.Copy(to, from) // an error here is the end of the connection, like its end
	if half, ok := to.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
}
