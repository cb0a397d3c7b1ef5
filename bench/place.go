package bench

import (
	"context"
	"net"
	"strconv"
)

// Place says where a process lives and how the rig reaches it. The zero value is this machine's loopback.
type Place struct {
	Host   string   // what it listens on; "": 127.0.0.1
	Launch []string // put before its command line, such as nsenter with its options
	Dial   Dialer   // nil: as this process dials
}

// Dialer connects to an address from some place.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

func (p Place) host() string {
	if p.Host == "" {
		return "127.0.0.1"
	}
	return p.Host
}

func (p Place) address(port int) string { return net.JoinHostPort(p.host(), strconv.Itoa(port)) }

func (p Place) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if p.Dial != nil {
		return p.Dial(ctx, network, address)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}
