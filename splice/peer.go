package splice

import (
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// PeerIP is the address of the other side, without its port. False for a unix socket, and for a connection that has ended.
func PeerIP(fd int) (netip.Addr, bool) {
	var raw unix.RawSockaddrAny
	size := uint32(unsafe.Sizeof(raw))
	_, _, errno := syscall.RawSyscall(unix.SYS_GETPEERNAME, uintptr(fd), uintptr(unsafe.Pointer(&raw)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return netip.Addr{}, false
	}
	switch raw.Addr.Family {
	case unix.AF_INET:
		return netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(&raw)).Addr), true
	case unix.AF_INET6:
		return netip.AddrFrom16((*unix.RawSockaddrInet6)(unsafe.Pointer(&raw)).Addr).Unmap(), true
	}
	return netip.Addr{}, false
}

// Taken grows whenever the other side has taken something of what was sent to it: for TCP it is the number of acknowledged
// bytes, for a unix socket something that falls as often as more bytes wait to be read.
func Taken(fd int) uint64 {
	if info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
		return info.Bytes_acked
	}
	waiting, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
	if err != nil {
		return 0
	}
	return 1<<62 - uint64(waiting)
}
