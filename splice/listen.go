package splice

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// backlog, in connections, is how many may wait to be accepted: enough for every client of a host that reconnects at once. The
// kernel caps it at net.core.somaxconn.
const backlog = 4096

// Listen opens a non-blocking listener. The options are set on it once, and every accepted socket inherits them. A unix socket
// file that nobody serves any more is replaced; removing the file at the end is the caller's job.
func Listen(a Address, o SocketOptions) (int, error) {
	fd, err := unix.Socket(int(a.raw.Addr.Family), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open listener %s: %w", a, err)
	}
	if err := o.open(fd, a); err != nil {
		CloseFD(fd)
		return -1, fmt.Errorf("listen on %s: %w", a, err)
	}
	return fd, nil
}

// LocalAddress is where a socket really is: after Listen on port 0 it carries the port that was chosen.
func LocalAddress(fd int) (Address, error) {
	var a Address
	a.size = uint32(unsafe.Sizeof(a.raw))
	_, _, errno := syscall.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&a.raw)),
		uintptr(unsafe.Pointer(&a.size)))
	if errno != 0 {
		return Address{}, fmt.Errorf("find address of descriptor %d: %w", fd, errno)
	}
	return a, nil
}

func (o SocketOptions) open(fd int, a Address) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	if err := o.apply(fd, a); err != nil {
		return err
	}
	if err := bind(fd, a); err != nil {
		return err
	}
	// Until listen is called nobody can connect, so no client slips in before the mode is set.
	if a.IsUnix() && o.UnixMode != 0 {
		if err := os.Chmod(a.path(), o.UnixMode); err != nil {
			return errors.Join(err, os.Remove(a.path()))
		}
	}
	return unix.Listen(fd, backlog)
}

func bind(fd int, a Address) error {
	errno := bindOnce(fd, a)
	if errno == syscall.EADDRINUSE && a.IsUnix() && abandoned(a) {
		if err := os.Remove(a.path()); err != nil {
			return err
		}
		errno = bindOnce(fd, a)
	}
	return asError(errno)
}

func bindOnce(fd int, a Address) syscall.Errno {
	_, _, errno := syscall.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&a.raw)), uintptr(a.size))
	return errno
}

// abandoned is true for a socket file that nobody listens on. Only a refused connection proves it: a full queue, a missing
// permission or a file that is no socket leave it alone.
func abandoned(a Address) bool {
	info, err := os.Lstat(a.path())
	if err != nil || info.Mode().Type() != os.ModeSocket {
		return false
	}
	fd, _, errno := Dial(a, SocketOptions{})
	if fd >= 0 {
		CloseFD(fd)
	}
	return errno == syscall.ECONNREFUSED
}
