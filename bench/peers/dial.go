package peers

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// unixPrefix begins the address of a unix socket, as in the configuration of Holdfast. All other addresses are IPv4 and a port.
const unixPrefix = "unix:"

// ping asks once and waits for the answer.
func ping(address string) error {
	network := "tcp"
	path, isUnix := strings.CutPrefix(address, unixPrefix)
	if isUnix {
		network = "unix"
	}
	conn, err := net.DialTimeout(network, path, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := conn.Write(pingRequest); err != nil {
		return err
	}
	answer := make([]byte, len(pongReply))
	if _, err := conn.Read(answer); err != nil {
		return err
	}
	if string(answer) != pongReply {
		return fmt.Errorf("ping %s: got %q", address, answer)
	}
	return nil
}

// dialBlocking makes a plain blocking socket, outside of Go's poller.
func dialBlocking(address string) (int, error) {
	if path, ok := strings.CutPrefix(address, unixPrefix); ok {
		return connectSocket(unix.AF_UNIX, &unix.SockaddrUnix{Name: path}, address)
	}
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return -1, fmt.Errorf("parse address %s: %w", address, err)
	}
	fd, err := connectSocket(unix.AF_INET, &unix.SockaddrInet4{Port: int(target.Port()), Addr: target.Addr().As4()}, address)
	if err != nil {
		return -1, err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("set TCP_NODELAY: %w", err)
	}
	return fd, nil
}

func connectSocket(family int, to unix.Sockaddr, address string) (int, error) {
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("make socket: %w", err)
	}
	err = unix.EINTR
	for errors.Is(err, unix.EINTR) {
		err = unix.Connect(fd, to)
	}
	if err != nil && !errors.Is(err, unix.EISCONN) {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("connect to %s: %w", address, err)
	}
	return fd, nil
}
