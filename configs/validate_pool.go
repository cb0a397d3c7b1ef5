package configs

import (
	"fmt"
	"slices"
	"strings"
)

const (
	// nameBytesMax keeps a pool's name usable as a file name, a metric label and a path of the admin API.
	nameBytesMax = 64

	// backendNameBytesMax leaves room for a full DNS name and a port.
	backendNameBytesMax = 260

	// listensMax and backendsMax bound what one pool probes and accepts on; a real one has two or three of each.
	listensMax, backendsMax = 64, 64

	// holdClientsMax is clientsMaxMax: more cannot be connected.
	holdClientsMax = clientsMaxMax

	// maxLossMax is a replication backlog nobody keeps; more than this says that any replica will do.
	maxLossMax = Size(1 << 40)

	// denyWordsMax: a command is known by its name and at most one subcommand; what follows are arguments.
	denyWordsMax = 2

	// silenceIntervals: one lost answer is chance, so failure needs at least this many intervals.
	silenceIntervals = 2
)

const nameForm = "letters, digits, '-', '_' and '.', beginning with a letter or digit"

func (p *Pool) validate(out *faults, path string) {
	if !isWord(p.Name, "-_.") || len(p.Name) > nameBytesMax {
		out.add(join(path, "name"), quoteGiven(p.Name), missingOr(p.Name, "is no name"), fmt.Sprintf("1 to %d of %s", nameBytesMax, nameForm))
	}
	oneOf(out, join(path, "protocol"), p.Protocol, protocols())
	oneOf(out, join(path, "failover"), p.Failover, failovers())
	p.validateProtocol(out, path)
	p.validateListen(out, join(path, "listen"))
	p.validateBackends(out, join(path, "backends"))
	p.validateDeny(out, join(path, "deny"))
	p.Check.validate(out, join(path, "check"))
	within(out, join(path+".hold", "max_wait"), p.Hold.MaxWait, ms(100), ms(600_000))
	within(out, join(path+".hold", "max_clients"), p.Hold.MaxClients, 1, holdClientsMax)
	oneOf(out, join(path+".policy", "in_flight"), p.Policy.InFlight, inFlights())
	oneOf(out, join(path+".policy", "unknown_state"), p.Policy.UnknownState, unknownStates())
	oneOf(out, join(path+".policy", "scan_cursors"), p.Policy.ScanCursors, scanCursors())
	within(out, join(path+".policy", "max_loss"), p.Policy.MaxLoss, 0, maxLossMax)
	within(out, join(path+".policy", "min_gap"), p.Policy.MinGap, 0, ms(24*3600*1000))
	within(out, join(path+".policy", "drain_max"), p.Policy.DrainMax, ms(10), ms(60_000))
}

// validateProtocol refuses what needs roles or commands in a pool whose bytes are opaque.
func (p *Pool) validateProtocol(out *faults, path string) {
	if p.Protocol != ProtocolTCP {
		return
	}
	if p.Failover == FailoverPromote || p.Failover == FailoverFollow {
		out.add(join(path, "failover"), quote(string(p.Failover)), `needs Redis roles, which protocol = "tcp" cannot see`,
			listed([]Failover{FailoverOrdered, FailoverOff}))
	}
	const why = `is given, and protocol = "tcp" knows no commands`
	if len(p.Deny) > 0 {
		out.add(join(path, "deny"), "[...]", why, `leave it out, or protocol = "redis"`)
	}
	if p.Check.Username != "" {
		out.add(join(path+".check", "username"), quote(p.Check.Username), why, `leave it out, or protocol = "redis"`)
	}
	if p.Check.PasswordFile != "" {
		out.add(join(path+".check", "password_file"), quote(p.Check.PasswordFile), why, `leave it out, or protocol = "redis"`)
	}
}

func (p *Pool) validateListen(out *faults, path string) {
	if n := len(p.Listen); n == 0 || n > listensMax {
		out.add(path, "", fmt.Sprintf("has %d addresses", n), fmt.Sprintf("1 to %d of %s", listensMax, addressForm))
	}
	for i, l := range p.Listen {
		if _, err := parseAddress(l); err != nil {
			out.add(index(path, i), quote(l), err.Error(), addressForm)
		}
	}
}

func (p *Pool) validateBackends(out *faults, path string) {
	if n := len(p.Backends); n == 0 || n > backendsMax {
		out.add(path, "", fmt.Sprintf("has %d servers", n), fmt.Sprintf(`1 to %d of { address = "host:port" }`, backendsMax))
	}
	for i := range p.Backends {
		p.validateBackend(out, index(path, i), i)
	}
}

func (p *Pool) validateBackend(out *faults, path string, i int) {
	b := &p.Backends[i]
	where, err := parseAddress(b.Address)
	switch {
	case err != nil:
		out.add(join(path, "address"), quoteGiven(b.Address), err.Error(), addressForm)
	case where.host == "0.0.0.0" || where.host == "::":
		out.add(join(path, "address"), quote(b.Address), "is no address of one server", addressForm)
	}
	if b.Name != b.Address && (!isWord(b.Name, "-_.:") || len(b.Name) > backendNameBytesMax) {
		out.add(join(path, "name"), quote(b.Name), "is no name", nameForm+", or leave it out")
	}
	if b.Machine != "" && (!isWord(b.Machine, "-_.:") || len(b.Machine) > backendNameBytesMax) {
		out.add(join(path, "machine"), quote(b.Machine), "is no name", nameForm+", or leave it out")
	}
	for _, other := range p.Backends[:i] {
		same, otherErr := parseAddress(other.Address)
		switch {
		case err == nil && otherErr == nil && same == where:
			out.add(join(path, "address"), quote(b.Address), fmt.Sprintf("is the server of backend %q too", other.Name),
				"each server once in a pool")
		case b.Name == other.Name && b.Name != "":
			out.add(join(path, "name"), quote(b.Name), "is the name of another backend of the pool", "a name of its own")
		}
	}
}

func (p *Pool) validateDeny(out *faults, path string) {
	for i, command := range p.Deny {
		words := strings.Split(command, " ")
		ok := len(words) <= denyWordsMax && command == strings.ToUpper(command)
		for _, w := range words {
			ok = ok && isWord(w, "-_.")
		}
		key := index(path, i)
		if !ok {
			out.add(key, quote(command), "is no command", `"COMMAND" or "COMMAND SUBCOMMAND"`)
		} else if slices.Contains(p.Deny[:i], command) {
			out.add(key, quote(command), "is there twice", "each command once")
		}
	}
}

// validateCommands notes the names in deny lists that are no commands: denied or not, nothing would come of them.
func (c *Config) validateCommands(out *faults, unknown UnknownCommands) {
	for i := range c.Pools {
		deny := c.Pools[i].Deny
		for _, name := range unknown(deny) {
			path := join(poolPath(i), "deny")
			if at := slices.Index(deny, name); at >= 0 {
				path = index(path, at)
			}
			out.add(path, quote(name), "is no command that Redis knows", `"COMMAND" or "COMMAND SUBCOMMAND"`)
		}
	}
}

func (c *Check) validate(out *faults, path string) {
	within(out, join(path, "interval"), c.Interval, ms(10), ms(10_000))
	within(out, join(path, "silence"), c.Silence, ms(100), ms(60_000))
	within(out, join(path, "patience"), c.Patience, ms(100), ms(600_000))
	if c.Silence < silenceIntervals*c.Interval {
		out.add(join(path, "silence"), shownNumber(c.Silence), "is less than two intervals",
			fmt.Sprintf("at least %s with interval = %q", silenceIntervals*c.Interval, c.Interval))
	}
	if c.Patience < c.Silence {
		out.add(join(path, "patience"), shownNumber(c.Patience), "is less than silence", fmt.Sprintf("%s to 10m", c.Silence))
	}
	if strings.ContainsAny(c.Username, " \t\r\n\x00") {
		out.add(join(path, "username"), quote(c.Username), "has a blank in it", "the name of a Redis ACL user")
	}
	if _, err := secretIn(c.PasswordFile); err != nil {
		out.add(join(path, "password_file"), quote(c.PasswordFile), err.Error(), secretForm)
	}
}

// missingOr is wrong, unless the value is not there at all.
func missingOr(value, wrong string) string {
	if value == "" {
		return "is missing"
	}
	return wrong
}

// quoteGiven is quote, and nothing for a key that is missing or empty.
func quoteGiven(s string) string {
	if s == "" {
		return ""
	}
	return quote(s)
}
