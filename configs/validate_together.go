package configs

import "fmt"

// place is an address and the key that names it.
type place struct {
	address
	key  string // path of the key
	text string // as the file has it
	who  string // for people
}

// validateTogether refuses what is right in each pool by itself and wrong in sum.
func (c *Config) validateTogether(out *faults) {
	names := make(map[string]int)
	for i, p := range c.Pools {
		if first, taken := names[p.Name]; taken && p.Name != "" {
			out.add(join(poolPath(i), "name"), quote(p.Name), fmt.Sprintf("is the name of pool[%d] too", first), "a name of its own")
			continue
		}
		names[p.Name] = i
	}
	c.validateListeners(out)
	c.validateServers(out)
}

// validateListeners refuses two listeners on one address, the admin API's included, and a pool that is its own backend:
// each connection would open the next one until the file descriptors are gone.
func (c *Config) validateListeners(out *faults) {
	taken := places(nil, "admin.listen", c.Admin.Listen, "the admin API")
	for i, p := range c.Pools {
		first := len(taken)
		for j, l := range p.Listen {
			taken = places(taken, index(join(poolPath(i), "listen"), j), l, fmt.Sprintf("pool %q", p.Name))
		}
		for j, b := range p.Backends {
			where, err := parseAddress(b.Address)
			for _, own := range taken[first:] {
				if err == nil && where == own.address {
					out.add(join(index(join(poolPath(i), "backends"), j), "address"), quote(b.Address),
						"is where the pool itself listens", "the address of a server")
				}
			}
		}
	}
	for i, l := range taken {
		for _, other := range taken[:i] {
			if l.overlaps(other.address) {
				out.add(l.key, quote(l.text), fmt.Sprintf("is taken by %s (%q)", other.who, other.text), "an address of its own")
			}
		}
	}
}

// validateServers refuses two pools that would both give a server its role. A server that is twice in one pool has its
// fault already, which covers the one found here.
func (c *Config) validateServers(out *faults) {
	owner := make(map[address]string)
	for i, p := range c.Pools {
		if p.Failover != FailoverPromote {
			continue
		}
		for j, b := range p.Backends {
			where, err := parseAddress(b.Address)
			if err != nil {
				continue
			}
			if other, taken := owner[where]; taken {
				out.add(join(index(join(poolPath(i), "backends"), j), "address"), quote(b.Address),
					fmt.Sprintf("is promoted by pool %q already", other), `one pool with failover = "promote" for each server`)
				continue
			}
			owner[where] = p.Name
		}
	}
}

// places appends an address that can be read; one that cannot has its fault already.
func places(list []place, key, text, who string) []place {
	if where, err := parseAddress(text); err == nil {
		list = append(list, place{address: where, key: key, text: text, who: who})
	}
	return list
}
