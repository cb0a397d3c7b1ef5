package splice

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Peek says whether Recv would give something: a count above 0, the end of the stream (0, 0), or an error such as EAGAIN.
// Nothing is taken.
func Peek(fd int) (int, syscall.Errno) {
	var b [1]byte
	return PeekInto(fd, b[:])
}

// PeekInto copies what Recv would give and leaves it there.
func PeekInto(fd int, p []byte) (int, syscall.Errno) {
	if len(p) == 0 {
		return 0, syscall.EINVAL // as in Recv
	}
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
			unix.MSG_DONTWAIT|unix.MSG_PEEK, 0, 0)
		if errno == 0 {
			return int(n), 0
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}
