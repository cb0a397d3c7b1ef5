package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// streamMax bounds one stream of a drill: a few MiB over loopback.
const streamMax = 20 * time.Second

// errBytes is returned when a stream did not carry exactly the bytes that were put in.
var errBytes = errors.New("the bytes differ")

func dialStream(ctx context.Context, address string) (*net.TCPConn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	tcp := c.(*net.TCPConn)
	return tcp, tcp.SetDeadline(time.Now().Add(streamMax))
}

// echoStream sends size bytes, ends its direction, and expects the same bytes and the server's end.
func echoStream(ctx context.Context, address string, seed uint64, size int) error {
	c, err := dialStream(ctx, address)
	if err != nil {
		return err
	}
	defer c.Close()
	sent := pattern(seed, size)
	var wrote error
	var writer sync.WaitGroup
	writer.Add(1)
	go writeStream(c, sent, &wrote, &writer) // awaited below
	got, err := io.ReadAll(c)
	writer.Wait()
	if err := errors.Join(wrote, err); err != nil {
		return fmt.Errorf("echo %d bytes: %w", size, err)
	}
	if !bytes.Equal(got, sent) {
		return fmt.Errorf("echo: %w: got %d bytes, want %d", errBytes, len(got), size)
	}
	return nil
}

func writeStream(c *net.TCPConn, data []byte, err *error, done *sync.WaitGroup) {
	defer done.Done()
	if _, *err = c.Write(append([]byte{streamEcho}, data...)); *err == nil {
		*err = c.CloseWrite()
	}
}

// giveStream reads the server's bytes to their end, and sends its own only then.
func giveStream(ctx context.Context, address string, size int) error {
	c, err := dialStream(ctx, address)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write([]byte{streamGive}); err != nil {
		return fmt.Errorf("ask for bytes: %w", err)
	}
	got, err := io.ReadAll(c)
	if err != nil {
		return fmt.Errorf("read %d bytes: %w", streamGift, err)
	}
	if !bytes.Equal(got, pattern(0, streamGift)) {
		return fmt.Errorf("read: %w: got %d bytes, want %d", errBytes, len(got), streamGift)
	}
	if _, err := c.Write(pattern(1, size)); err != nil {
		return fmt.Errorf("write after the server's end: %w", err)
	}
	return c.CloseWrite()
}

// askName asks the server at the other end of a connection for its name.
func askName(c net.Conn) (string, error) {
	if _, err := c.Write([]byte{streamName}); err != nil {
		return "", fmt.Errorf("ask for the name: %w", err)
	}
	line := make([]byte, 64)
	n, err := c.Read(line)
	if err != nil {
		return "", fmt.Errorf("read the name: %w", err)
	}
	return strings.TrimRight(string(line[:n]), "\n"), nil
}
