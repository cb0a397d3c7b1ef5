package proxy

import (
	"net/netip"
	"sync"

	"holdfast/splice"
)

// crowd counts the clients of each IP address. All loops share it; it is asked when a connection comes and when it goes,
// never in between, and not at all without a limit.
//
// Invariant: every host in hosts has 1 <= n <= max.
type crowd struct {
	max   int
	mu    sync.Mutex // guards hosts and what is in them
	hosts map[netip.Addr]*host
}

// host is an address with clients.
type host struct {
	address netip.Addr
	n       int
}

// enter counts a connection; false: its address has as many as it may. The host is nil for what is not counted.
func (c *crowd) enter(client int) (*host, bool) {
	if c.max == 0 {
		return nil, true
	}
	address, ok := splice.PeerIP(client)
	if !ok {
		return nil, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.hosts[address]
	switch {
	case h == nil:
		h = &host{address: address}
		if c.hosts == nil {
			c.hosts = make(map[netip.Addr]*host)
		}
		c.hosts[address] = h
	case h.n >= c.max:
		return nil, false
	}
	h.n++
	return h, true
}

// leave takes back what enter counted.
func (c *crowd) leave(h *host) {
	if h == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.n--; h.n == 0 {
		delete(c.hosts, h.address)
	}
}
