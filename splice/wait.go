package splice

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dozeMillis, in milliseconds, is how long the first part of a wait may last. A busy loop is woken long before; an idle one goes
// on to sleep in the second part. It stays below the 10 ms after which the Go scheduler wants a processor back.
const dozeMillis = 5

// wait fetches the next batch. A loop that tells the Go scheduler of each wait is punished for it: the monitor of the runtime
// takes its processor away again and again, wakes up thousands of times a second to do so, and the loop moves from thread to
// thread. So the first part of a wait is a raw call, which keeps the processor; only who finds nothing in it sleeps in a way the
// scheduler knows about. See docs/decisions/data-plane.md.
func (l *Loop) wait() (int, error) {
	patience := l.patience()
	if patience == 0 {
		n, errno := l.doze(0)
		return n, asError(errno)
	}
	if !l.mail.fallAsleep() {
		return 0, nil
	}
	if patience < 0 || patience > dozeMillis {
		patience = dozeMillis
	}
	n, errno := l.doze(patience)
	if n == 0 && errno == 0 {
		n, errno = l.block(l.patience())
	}
	l.mail.wakeUp()
	return n, asError(errno)
}

// patience is how long the next wait may last, in milliseconds: 0 while work is pending, -1 for ever without timers.
func (l *Loop) patience() int {
	if len(l.running) > 0 || l.mail.waiting() {
		return 0
	}
	if len(l.timers) == 0 {
		return -1
	}
	return millisUntil(l.timers[0].at, l.clock.read())
}

func (l *Loop) doze(millis int) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.epfd), uintptr(unsafe.Pointer(&l.events[0])),
		uintptr(len(l.events)), uintptr(millis), 0, 0)
	return waited(n, errno)
}

func (l *Loop) block(millis int) (int, syscall.Errno) {
	n, _, errno := syscall.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.epfd), uintptr(unsafe.Pointer(&l.events[0])),
		uintptr(len(l.events)), uintptr(millis), 0, 0)
	return waited(n, errno)
}

// waited turns the result of a wait into a count. An interruption is an empty batch: the next pass computes a new timeout.
func waited(n uintptr, errno syscall.Errno) (int, syscall.Errno) {
	switch errno {
	case 0:
		return int(n), 0
	case syscall.EINTR:
		return 0, 0
	default:
		return 0, errno
	}
}

// asError keeps a zero Errno from becoming a non-nil error.
func asError(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}
