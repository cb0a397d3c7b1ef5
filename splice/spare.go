package splice

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Spare is a descriptor that is kept for the moment in which no other is left: given back, it lets one connection be
// accepted, told that there is no room, and closed. The zero Spare holds nothing.
type Spare struct {
	held bool
	fd   int
}

// Take reserves a descriptor unless one is held. False: there was none.
func (s *Spare) Take() bool {
	if !s.held {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
		s.held, s.fd = err == nil, fd
	}
	return s.held
}

// Give closes what is held. False: nothing was.
func (s *Spare) Give() bool {
	if !s.held {
		return false
	}
	s.held = false
	CloseFD(s.fd)
	return true
}

// OutOfDescriptors says that an error means: no descriptor was left, in this process or on the machine.
func OutOfDescriptors(errno syscall.Errno) bool {
	return errno == syscall.EMFILE || errno == syscall.ENFILE
}
