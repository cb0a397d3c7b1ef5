package splice

import (
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// SocketOptions tune a connection. Zero leaves the host's default, except for TCP_NODELAY, which is always set.
type SocketOptions struct {
	// UserTimeout ends a TCP connection whose sent bytes stay unacknowledged for so long.
	UserTimeout time.Duration
	// KeepAlive is the silence after which the peer is probed; it is given up after about as long again. Whole seconds.
	KeepAlive time.Duration
	// NotSentLowat bounds, in bytes, what the kernel keeps unsent for a slow reader.
	NotSentLowat int
	// Congestion names the congestion control of TCP, "cubic" for example.
	Congestion string
	// LoopbackCongestion is used instead for loopback addresses, unless it is empty.
	LoopbackCongestion string
	// UnixMode is the permission of a unix socket that Listen creates.
	UnixMode os.FileMode
}

// keepAliveProbes is how many probes may stay unanswered. They are spread over one more KeepAlive: fewer give up too early on
// a lossy path, more take longer than the option promises.
const keepAliveProbes = 3

// Dial starts to connect and does not wait. With pending the answer comes as an event, and ConnectError tells it. An errno
// other than 0 means that there is no connection and no descriptor; nothing is tried again, also not the EAGAIN of a unix
// listener whose queue is full.
func Dial(a Address, o SocketOptions) (fd int, pending bool, errno syscall.Errno) {
	fd, err := unix.Socket(int(a.raw.Addr.Family), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, false, errnoOf(err)
	}
	// A connection that is not tuned as wished is better than none: Listen and configuration complain, a dial must not count
	// against the backend.
	_ = o.apply(fd, a)
	_, _, errno = syscall.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&a.raw)), uintptr(a.size))
	switch errno {
	case 0:
		return fd, false, 0
	case syscall.EINPROGRESS, syscall.EINTR:
		return fd, true, 0
	default:
		CloseFD(fd)
		return -1, false, errno
	}
}

// apply sets every option it can and returns all that failed.
func (o SocketOptions) apply(fd int, a Address) error {
	if a.IsUnix() {
		return nil
	}
	errs := []error{setTCP(fd, unix.TCP_NODELAY, 1)}
	if o.KeepAlive > 0 {
		idle := max(1, int(o.KeepAlive/time.Second))
		errs = append(errs,
			os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)),
			setTCP(fd, unix.TCP_KEEPIDLE, idle),
			setTCP(fd, unix.TCP_KEEPINTVL, max(1, idle/keepAliveProbes)),
			setTCP(fd, unix.TCP_KEEPCNT, keepAliveProbes))
	}
	if o.UserTimeout > 0 {
		errs = append(errs, setTCP(fd, unix.TCP_USER_TIMEOUT, max(1, int(o.UserTimeout.Milliseconds()))))
	}
	if o.NotSentLowat > 0 {
		errs = append(errs, setTCP(fd, unix.TCP_NOTSENT_LOWAT, o.NotSentLowat))
	}
	congestion := o.Congestion
	if o.LoopbackCongestion != "" && a.isLoopback() {
		congestion = o.LoopbackCongestion
	}
	if congestion != "" {
		err := unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, congestion)
		errs = append(errs, os.NewSyscallError("set congestion control "+congestion, err))
	}
	return errors.Join(errs...)
}

// Unpaced is a congestion control that this process may use and that sends as fast as the receiver takes it: "cubic" or "reno",
// and "" when the kernel grants neither. Between two sockets of one machine there is no queue to spare, and one that paces, as
// "bbr" does, only burns a timer for each piece: 2 to 3 times the CPU for values of 1 MiB.
func Unpaced() string {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer CloseFD(fd)
	for _, name := range []string{"cubic", "reno"} {
		if unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, name) == nil {
			return name
		}
	}
	return ""
}

func setTCP(fd, option, value int) error {
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.IPPROTO_TCP, option, value))
}

// errnoOf unwraps the error of a system call. Anything else would be a bug of this package and reads as EINVAL.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return syscall.EINVAL
}
