package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/sys/unix"
)

const unixPrefix = "unix:"

// target is an address that has been looked up once, so that a connection costs no question to a name server.
type target struct {
	family int
	place  unix.Sockaddr
}

// resolve reads HOST:PORT or unix:PATH.
func resolve(ctx context.Context, address string) (target, error) {
	if path, ok := strings.CutPrefix(address, unixPrefix); ok {
		if path == "" {
			return target{}, fmt.Errorf("address %q: want %sPATH", address, unixPrefix)
		}
		return target{family: unix.AF_UNIX, place: &unix.SockaddrUnix{Name: path}}, nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return target{}, fmt.Errorf("address %q: want HOST:PORT or %sPATH", address, unixPrefix)
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil || number == 0 {
		return target{}, fmt.Errorf("address %q: want a port from 1 to 65535", address)
	}
	ips, err := net.DefaultResolver.LookupIP(ctx, "ip", host)
	if err != nil {
		return target{}, fmt.Errorf("address %q: %w", address, err)
	}
	if ip := ips[0].To4(); ip != nil {
		return target{family: unix.AF_INET, place: &unix.SockaddrInet4{Port: number, Addr: [4]byte(ip)}}, nil
	}
	return target{family: unix.AF_INET6, place: &unix.SockaddrInet6{Port: number, Addr: [16]byte(ips[0].To16())}}, nil
}

// own is a copy for one worker: a socket address carries the buffer that is passed to the kernel.
func (t target) own() target {
	switch place := t.place.(type) {
	case *unix.SockaddrInet4:
		t.place = &unix.SockaddrInet4{Port: place.Port, Addr: place.Addr}
	case *unix.SockaddrInet6:
		t.place = &unix.SockaddrInet6{Port: place.Port, Addr: place.Addr}
	case *unix.SockaddrUnix:
		t.place = &unix.SockaddrUnix{Name: place.Name}
	}
	return t
}

// connect begins a connection. It is there when the socket becomes writable and has no error.
func (t target) connect() (int, error) {
	fd, err := unix.Socket(t.family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("make socket: %w", err)
	}
	if t.family != unix.AF_UNIX {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
			_ = unix.Close(fd)
			return -1, fmt.Errorf("set TCP_NODELAY: %w", err)
		}
	}
	err = unix.Connect(fd, t.place)
	if err != nil && !errors.Is(err, unix.EINPROGRESS) && !errors.Is(err, unix.EINTR) {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// socketError takes the error that the kernel keeps for a socket.
func socketError(fd int) error {
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return err
	}
	if n != 0 {
		return unix.Errno(n)
	}
	return nil
}

// classOf names what happened to a connection, as the errors of a report are counted.
func classOf(err error) string {
	switch {
	case errors.Is(err, unix.ECONNREFUSED), errors.Is(err, unix.ENOENT):
		return classRefused
	case errors.Is(err, errTimeout):
		return classTimeout
	case errors.Is(err, errGarbled):
		return classGarbled
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE), errors.Is(err, unix.EADDRNOTAVAIL):
		return classExhausted
	default:
		return classDisconnected
	}
}

// Classes of errors that are no reply of a server. A class of a reply is its first word, in capitals.
const (
	classRefused      = "refused"      // no connection could be made
	classDisconnected = "disconnected" // the connection ended with the request in flight
	classTimeout      = "timeout"      // no answer; the connection was given up with it
	classGarbled      = "garbled"      // the answer was not RESP
	classExhausted    = "exhausted"    // this machine has no descriptor or port left
	classUnfinished   = "unfinished"   // still waiting when the run was over
)

var (
	errTimeout = errors.New("no answer in time")
	errEnded   = errors.New("the other side ended the connection")
)
