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
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), 1,
		unix.MSG_DONTWAIT|unix.MSG_PEEK, 0, 0)
	return int(n), errno
}
