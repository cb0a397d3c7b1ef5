package splice

import (
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// yieldEvery is how often a busy loop lets the Go scheduler have its goroutine back, in nanoseconds. The scheduler takes a
// goroutine that has run for 10 ms without a switch for a hog: its monitor then looks at the loop every 20 us, takes its processor
// away in each wait, and the loop moves from thread to thread. See docs/decisions/data-plane.md.
const yieldEvery = int64(8 * time.Millisecond)

// wait fetches the next batch. A busy loop polls with a raw call first, which keeps its processor; only the call that may
// sleep tells the Go scheduler.
func (l *Loop) wait() (int, error) {
	if l.now-l.yielded > yieldEvery {
		runtime.Gosched()
		l.yielded = l.now
	}
	patience := l.patience()
	if patience == 0 || l.lastBatch > 1 {
		n, errno := l.poll()
		if n > 0 || patience == 0 || errno != 0 {
			l.lastBatch = n
			return n, asError(errno)
		}
	}
	if !l.mail.fallAsleep() {
		l.lastBatch = 0
		return 0, nil
	}
	n, errno := l.block(patience)
	l.mail.wakeUp()
	l.lastBatch = n
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

func (l *Loop) poll() (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.epfd), uintptr(unsafe.Pointer(&l.events[0])),
		uintptr(len(l.events)), 0, 0, 0)
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
