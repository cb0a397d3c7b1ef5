package configs

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
)

// socketPathMax is sun_path of unix(7), 108 bytes, without its closing zero.
const socketPathMax = 107

// addressForm is the allowed text of an address.
const addressForm = `"host:port", "[ipv6]:port" or "unix:/path"`

// address is an address taken apart, so that two spellings of one place compare equal.
type address struct {
	path string // of a unix socket; host and port are unset then
	host string // lower case; an IP address in its shortest form
	port uint16
}

func parseAddress(s string) (address, error) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		return parseSocketPath(path)
	}
	host, port, err := net.SplitHostPort(s)
	switch {
	case s == "":
		return address{}, errors.New("is missing")
	case strings.HasPrefix(s, "/"):
		return address{}, fmt.Errorf("is a path, write %q", "unix:"+s)
	case err != nil && !strings.Contains(s, ":"):
		return address{}, errors.New("has no port")
	case err != nil:
		return address{}, errors.New("is no address")
	case host == "":
		return address{}, fmt.Errorf(`has no host, write "0.0.0.0:%s" for every IPv4 address of this machine`, port)
	case !isHost(host):
		return address{}, fmt.Errorf("has a host that is neither an IP address nor a name")
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return address{}, errors.New("has no port from 1 to 65535")
	}
	return address{host: canonicalHost(host), port: uint16(n)}, nil
}

func parseSocketPath(path string) (address, error) {
	switch {
	case !filepath.IsAbs(path):
		return address{}, errors.New("has a path that is not absolute")
	case len(path) > socketPathMax:
		return address{}, fmt.Errorf("has a path of %d bytes, a unix socket carries at most %d", len(path), socketPathMax)
	case strings.ContainsRune(path, 0):
		return address{}, errors.New("has a zero byte in its path")
	}
	return address{path: filepath.Clean(path)}, nil
}

// loopback says that nobody on another machine can reach the address. Names are not looked up: what a name means
// can change after the check.
func (a address) loopback() bool {
	ip, err := netip.ParseAddr(a.host)
	return a.path != "" || err == nil && ip.IsLoopback()
}

// overlaps says that both cannot be listened on at once.
func (a address) overlaps(b address) bool {
	if a.path != "" || b.path != "" || a.port != b.port {
		return a == b
	}
	return a.host == b.host || a.covers(b) || b.covers(a)
}

// covers says that a stands for every address of the machine, that of b included. "::" takes the IPv4 ones too.
func (a address) covers(b address) bool {
	ip, err := netip.ParseAddr(b.host)
	v6 := err == nil && ip.Is6()
	return a.host == "::" || a.host == "0.0.0.0" && !v6
}

// canonicalHost gives localhost its address: servers and listeners that differ only in this are the same.
func canonicalHost(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" {
		return "127.0.0.1"
	}
	return host
}

// hostBytesMax is the length of a DNS name.
const hostBytesMax = 253

func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return len(host) <= hostBytesMax && isWord(host, "-._") && strings.Trim(host, "0123456789.") != ""
}

// isWord says that s begins with a letter or digit and consists of those and of also.
func isWord(s, also string) bool {
	for i, c := range s {
		alphanumeric := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alphanumeric && (i == 0 || !strings.ContainsRune(also, c)) {
			return false
		}
	}
	return s != ""
}
