package splice

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls of this file never sleep, so they go to the kernel without telling the Go scheduler. They take no socket address,
// allocate nothing, and start over when a signal interrupts them.

// Recv reads what is there. 0 bytes with errno 0 is the end of the stream; EAGAIN says that nothing is there now. An error of
// the socket is told once: if Send has already reported the reset, Recv reports the end of the stream.
func Recv(fd int, p []byte) (int, syscall.Errno) {
	if len(p) == 0 {
		return 0, syscall.EINVAL // the kernel would answer 0, which reads as the end of the stream
	}
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
			unix.MSG_DONTWAIT, 0, 0)
		if errno == 0 {
			return int(n), 0
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}

// Send writes what the kernel takes. After a count below len(p), or EAGAIN, a Writable event follows. Sending nothing is 0, 0.
func Send(fd int, p []byte) (int, syscall.Errno) {
	return send(fd, p, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}

// SendHead is Send for bytes that a body follows at once: the kernel keeps them back for it, so that the peer is woken once for
// both. Without a body they leave after 200 ms.
func SendHead(fd int, p []byte) (int, syscall.Errno) {
	return send(fd, p, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL|unix.MSG_MORE)
}

func send(fd int, p []byte, flags uintptr) (int, syscall.Errno) {
	if len(p) == 0 {
		return 0, 0
	}
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
			flags, 0, 0)
		if errno == 0 {
			return int(n), 0
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}

// Accept takes one connection from a listener. EAGAIN says that none waits; ECONNABORTED that one gave up, go on; EMFILE and
// ENFILE that descriptors have run out, back off.
func Accept(fd int) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		if errno == 0 {
			return int(n), 0
		}
		if errno != syscall.EINTR {
			return -1, errno
		}
	}
}

// CloseFD closes a descriptor. There is nothing to do about an error: Linux frees the number in any case.
func CloseFD(fd int) { _, _, _ = syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

// ShutdownWrite sends the end of the stream after what was already sent; reading goes on.
func ShutdownWrite(fd int) syscall.Errno {
	_, _, errno := syscall.RawSyscall(unix.SYS_SHUTDOWN, uintptr(fd), unix.SHUT_WR, 0)
	return errno
}

// ConnectError is the result of a pending Dial, asked for once its socket is Writable or Broken. Asking clears it.
func ConnectError(fd int) syscall.Errno {
	var result int32
	size := uint32(unsafe.Sizeof(result))
	_, _, errno := syscall.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_ERROR,
		uintptr(unsafe.Pointer(&result)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return errno
	}
	return syscall.Errno(result)
}

// move is one splice without SPLICE_F_MORE: that flag corks the receiver and holds small messages back for 200 ms.
func move(from, to, n int) (int, syscall.Errno) {
	for {
		got, _, errno := syscall.RawSyscall6(unix.SYS_SPLICE, uintptr(from), 0, uintptr(to), 0, uintptr(n),
			unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		if errno == 0 {
			return int(got), 0
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}
