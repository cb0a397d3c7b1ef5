package splice

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// resolveTimeout is how long a name may take to resolve. Addresses are parsed when configuration is read or a backend is
// registered, never on the way of a request.
const resolveTimeout = 5 * time.Second

// ErrAddress is returned when the text is not an address.
var ErrAddress = errors.New("want host:port, [v6]:port or unix:/path")

// Address is where to connect or to listen: a socket address as the kernel takes it. Two addresses are == when they name the
// same endpoint, whatever text they came from.
//
// Invariant: the bytes of raw past size are zero, which is what makes == work.
type Address struct {
	raw  unix.RawSockaddrAny
	size uint32 // 0: no address
}

// ParseAddress reads "host:port", "[v6]:port" or "unix:/path". A name is resolved here, once, to its first address.
func ParseAddress(s string) (Address, error) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		return unixAddress(s, path)
	}
	host, service, err := net.SplitHostPort(s)
	if err != nil {
		return Address{}, fmt.Errorf("parse address %q: %w", s, ErrAddress)
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return Address{}, fmt.Errorf("parse address %q: port must be 0 to 65535: %w", s, ErrAddress)
	}
	ip, err := resolve(host)
	if err != nil {
		return Address{}, fmt.Errorf("parse address %q: %w", s, err)
	}
	return tcpAddress(netip.AddrPortFrom(ip.Unmap(), uint16(port)))
}

// String is "ip:port", "[v6]:port" or "unix:/path".
func (a Address) String() string {
	switch a.raw.Addr.Family {
	case unix.AF_INET, unix.AF_INET6:
		return a.addrPort().String()
	case unix.AF_UNIX:
		return "unix:" + a.path()
	default:
		return "no address"
	}
}

// IsUnix tells sockets of the file system from TCP.
func (a Address) IsUnix() bool { return a.raw.Addr.Family == unix.AF_UNIX }

// isLoopback says that the other end is on this machine for sure.
func (a Address) isLoopback() bool { return !a.IsUnix() && a.addrPort().Addr().IsLoopback() }

// IsZero is true for the Address that nobody has parsed.
func (a Address) IsZero() bool { return a.size == 0 }

func resolve(host string) (netip.Addr, error) {
	if host == "" {
		return netip.Addr{}, errors.New("host is empty: write 0.0.0.0 or [::] to listen everywhere")
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), resolveTimeout)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("resolve name: %w", err)
	}
	if len(found) == 0 {
		return netip.Addr{}, errors.New("resolve name: no address")
	}
	return found[0], nil
}

func tcpAddress(ap netip.AddrPort) (Address, error) {
	var a Address
	if ap.Addr().Is4() {
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&a.raw))
		sa.Family, sa.Addr = unix.AF_INET, ap.Addr().As4()
		putPort(&sa.Port, ap.Port())
		a.size = unix.SizeofSockaddrInet4
		return a, nil
	}
	sa := (*unix.RawSockaddrInet6)(unsafe.Pointer(&a.raw))
	sa.Family, sa.Addr = unix.AF_INET6, ap.Addr().As16()
	putPort(&sa.Port, ap.Port())
	if zone := ap.Addr().Zone(); zone != "" {
		index, err := zoneIndex(zone)
		if err != nil {
			return Address{}, fmt.Errorf("parse address %s: %w", ap, err)
		}
		sa.Scope_id = index
	}
	a.size = unix.SizeofSockaddrInet6
	return a, nil
}

func unixAddress(text, path string) (Address, error) {
	var a Address
	sa := (*unix.RawSockaddrUnix)(unsafe.Pointer(&a.raw))
	if !strings.HasPrefix(path, "/") || strings.IndexByte(path, 0) >= 0 {
		return Address{}, fmt.Errorf("parse address %q: the path must be absolute: %w", text, ErrAddress)
	}
	if longest := len(sa.Path) - 1; len(path) > longest {
		return Address{}, fmt.Errorf("parse address %q: the path may have %d bytes: %w", text, longest, ErrAddress)
	}
	sa.Family = unix.AF_UNIX
	for i := range len(path) {
		sa.Path[i] = int8(path[i])
	}
	a.size = uint32(unsafe.Offsetof(sa.Path)) + uint32(len(path)) + 1
	return a, nil
}

func (a Address) path() string {
	sa := (*unix.RawSockaddrUnix)(unsafe.Pointer(&a.raw))
	var b strings.Builder
	for _, c := range sa.Path {
		if c == 0 {
			break
		}
		b.WriteByte(byte(c))
	}
	return b.String()
}

func (a Address) addrPort() netip.AddrPort {
	if a.raw.Addr.Family == unix.AF_INET {
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&a.raw))
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), port(&sa.Port))
	}
	sa := (*unix.RawSockaddrInet6)(unsafe.Pointer(&a.raw))
	ip := netip.AddrFrom16(sa.Addr)
	if sa.Scope_id != 0 {
		ip = ip.WithZone(strconv.FormatUint(uint64(sa.Scope_id), 10))
	}
	return netip.AddrPortFrom(ip, port(&sa.Port))
}

// zoneIndex turns the zone of a link-local address, a name or a number, into the index of the interface.
func zoneIndex(zone string) (uint32, error) {
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n), nil
	}
	nic, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, fmt.Errorf("find interface %s: %w", zone, err)
	}
	return uint32(nic.Index), nil
}

// putPort and port hide that the kernel keeps a port in network order inside a number of the host's order.
func putPort(field *uint16, value uint16) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(field))[:], value)
}

func port(field *uint16) uint16 { return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(field))[:]) }
