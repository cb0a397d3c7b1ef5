package configs

import "fmt"

// Warnings are what is allowed and probably not meant, one line each, in the order of the file. They are for a
// Config without faults.
func (c *Config) Warnings() []string {
	out := newFaults(c.path, c.lines)
	for i := range c.Pools {
		out.pools = append(out.pools, c.Pools[i].Name)
		c.Pools[i].warn(out, poolPath(i), c.StateDir)
	}
	if c.Supervisor.Provider != "" {
		out.add("supervisor.provider", quote(c.Supervisor.Provider),
			"is checked and nothing more: this version does not replace machines yet", "")
	}
	var lines []string
	for _, f := range out.sorted() {
		lines = append(lines, f.Error())
	}
	return lines
}

func (p *Pool) warn(out *faults, path, stateDir string) {
	if p.Failover == FailoverPromote && len(p.Backends) == 1 {
		out.add(join(path, "backends"), "", "has one server, there is nothing to promote when it dies", "")
	}
	if p.Failover == FailoverPromote && stateDir == "" {
		out.add("state_dir", "", "is missing: after a restart the master is known by its role only, not by its history", "")
	}
	if p.Policy.InFlight == InFlightRetryAll {
		out.add(join(path+".policy", "in_flight"), quote(string(p.Policy.InFlight)),
			"may run a write twice when its master is lost", "")
	}
	if needed := p.Check.Silence + p.Policy.DrainMax; p.Failover == FailoverPromote && p.Hold.MaxWait < needed {
		out.add(join(path+".hold", "max_wait"), shownNumber(p.Hold.MaxWait),
			fmt.Sprintf("is less than silence and drain_max together (%s): a frozen master can cost errors", needed), "")
	}
	if p.Check.Username != "" && p.Check.PasswordFile == "" {
		out.add(join(path+".check", "username"), quote(p.Check.Username),
			"has no password_file beside it, only an ACL user with nopass can log in so", "")
	}
}
