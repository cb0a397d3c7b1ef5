package splice

import (
	"golang.org/x/sys/unix"
)

const (
	// pipesMaxDefault, pipes per loop: a mover keeps one only while its reader is slow, so a few serve every connection. More
	// eat the pipe memory that Linux allows an unprivileged user; with fewer, slow readers push the others back to copying.
	pipesMaxDefault = 8

	// pipeBytesPrivileged, in bytes, is the size a privileged process asks for: a hop of 1 MiB in two calls.
	pipeBytesPrivileged = 1 << 20

	// pipeBytesMin, in bytes, is the size an unprivileged process asks for, and the least that is accepted: below it copying is
	// as fast. Once a user is past 64 MiB of pipes, Linux hands out 8 KiB and splicing is many times slower than copying.
	pipeBytesMin = 256 << 10

	// pipeRefusedTakes, in calls of Take, is how many are answered at once after the kernel refused a pipe: asking costs four
	// system calls, and pipe memory does not come back within microseconds.
	pipeRefusedTakes = 1024
)

// Pipe is a kernel buffer between two sockets.
type Pipe struct {
	r, w int
	size int
	held int // bytes inside; 0 <= held <= size
}

// Pipes is a bounded pool of pipes of one loop.
//
// Invariant: len(free) + inUse == open <= max, and every free pipe is empty.
type Pipes struct {
	free    []*Pipe
	inUse   int
	open    int
	max     int
	want    int // bytes to ask for
	refused int // calls of Take to answer with nil before the kernel is asked again
}

// PipeStats says how many pipes exist and how many of them hold somebody's bytes.
type PipeStats struct{ Open, InUse int }

// Stats is for leak checks and metrics.
func (p *Pipes) Stats() PipeStats { return PipeStats{Open: p.open, InUse: p.inUse} }

// Take hands out an empty pipe of at least 256 KiB, or nil when none is to be had: then copying is the better way.
func (p *Pipes) Take() *Pipe {
	if last := len(p.free) - 1; last >= 0 {
		pipe := p.free[last]
		p.free = p.free[:last]
		p.inUse++
		return pipe
	}
	if p.open >= p.max {
		return nil
	}
	if p.refused > 0 {
		p.refused--
		return nil
	}
	pipe := openPipe(p.want)
	if pipe == nil {
		p.refused = pipeRefusedTakes
		return nil
	}
	p.open++
	p.inUse++
	return pipe
}

// Put takes a pipe back. One that still holds bytes is closed: they belong to a connection that is gone.
func (p *Pipes) Put(pipe *Pipe) {
	p.inUse--
	if pipe.held != 0 || p.max == 0 {
		pipe.close()
		p.open--
		return
	}
	p.free = append(p.free, pipe)
}

func (p *Pipes) init(limit int) {
	p.max = max(limit, 0)
	p.want = pipeBytesMin
	if pipeLimitsLifted() {
		p.want = pipeBytesPrivileged
	}
}

// close frees the pool. Pipes that come back later are closed by Put.
func (p *Pipes) close() {
	for _, pipe := range p.free {
		pipe.close()
		p.open--
	}
	p.free, p.max = nil, 0
}

// openPipe returns nil for every reason alike: the answer is to copy.
func openPipe(want int) *Pipe {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		return nil
	}
	pipe := &Pipe{r: fds[0], w: fds[1]}
	for size := want; size >= pipeBytesMin; size /= 2 {
		if _, err := unix.FcntlInt(uintptr(pipe.w), unix.F_SETPIPE_SZ, size); err == nil {
			break
		}
	}
	got, err := unix.FcntlInt(uintptr(pipe.w), unix.F_GETPIPE_SZ, 0)
	if err != nil || got < pipeBytesMin {
		pipe.close()
		return nil
	}
	pipe.size = got
	return pipe
}

func (p *Pipe) close() {
	CloseFD(p.r)
	CloseFD(p.w)
}

// pipeLimitsLifted tells whether this process is exempt from the limits on pipe memory. Being root is not the question: in a
// container root often lacks both capabilities.
func pipeLimitsLifted() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return false
	}
	const exempt = 1<<unix.CAP_SYS_RESOURCE | 1<<unix.CAP_SYS_ADMIN
	return sets[0].Effective&exempt != 0
}
