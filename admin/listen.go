package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
)

// unixPrefix marks the address of a unix socket.
const unixPrefix = "unix:"

// socketMode lets the daemon's user and group give orders and nobody else: on the socket the file's mode is the password.
const socketMode = 0o660

// Listen opens address, which is host:port or unix:/path. A socket file that nobody answers on any more, as a killed daemon
// leaves it behind, is replaced; one that is answered on is somebody else's and an error.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	path, isUnix := strings.CutPrefix(address, unixPrefix)
	if !isUnix {
		ln, err := lc.Listen(ctx, "tcp", address)
		if err != nil {
			return nil, fmt.Errorf("listen for admin on %s: %w", address, err)
		}
		return ln, nil
	}
	if err := removeStale(ctx, path); err != nil {
		return nil, fmt.Errorf("listen for admin on %s: %w", address, err)
	}
	ln, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen for admin on %s: %w", address, err)
	}
	if err := os.Chmod(path, socketMode); err != nil {
		return nil, errors.Join(fmt.Errorf("listen for admin on %s: %w", address, err), ln.Close())
	}
	return ln, nil
}

// removeStale deletes the socket at path if connecting to it is refused. Whatever else is there stays, and listening reports it.
func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != fs.ModeSocket {
		return nil
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if err == nil {
		return errors.Join(fmt.Errorf("another process answers on it: %w", syscall.EADDRINUSE), c.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	return os.Remove(path)
}
