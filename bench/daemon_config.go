package bench

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// DaemonOptions say which configuration a Daemon is started with. What is zero is left out of the file, so that a drill
// measures the defaults a user would have.
type DaemonOptions struct {
	Binary   string // the built holdfast
	Name     string // of the directory, for rigs with several daemons; default "holdfast"
	Place    Place  // the zero value is loopback; elsewhere the admin API is a unix socket
	Pool     string // default "drill"
	Protocol string
	Failover string
	Backends []BackendRef
	Deny     []string // nil: the daemon's own list
	Interval time.Duration
	Silence  time.Duration
	Patience time.Duration
	MaxWait  time.Duration
	MinGap   time.Duration
	MaxLoss  string
	InFlight string
	// Descriptors is the limit of open files of the process; 0: ours.
	Descriptors int
	Listen      string // default: a free loopback port
	Username    string // of the checks, with Password; "" is the server's default user
	Password    string
}

// BackendRef names one backend in the configuration.
type BackendRef struct{ Name, Address string }

// refs are the backends of a pair, under the names of its servers.
func (p *Pair) refs() []BackendRef {
	var refs []BackendRef
	for _, s := range p.Servers {
		refs = append(refs, BackendRef{Name: s.Name, Address: s.Address()})
	}
	return refs
}

// render writes the options as the TOML of the documented shape.
func (o DaemonOptions) render(stateDir, admin, listen string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "state_dir = %q\n\n[admin]\nlisten = %q\n\n[[pool]]\nname = %q\nlisten = [%q]\n", stateDir, admin, o.Pool, listen)
	line(&b, "protocol", o.Protocol)
	line(&b, "failover", o.Failover)
	if o.Deny != nil {
		fmt.Fprintf(&b, "deny = [%s]\n", quoted(o.Deny))
	}
	b.WriteString("backends = [\n")
	for _, ref := range o.Backends {
		fmt.Fprintf(&b, "  { name = %q, address = %q },\n", ref.Name, ref.Address)
	}
	b.WriteString("]\n[pool.check]\n")
	line(&b, "interval", duration(o.Interval))
	line(&b, "silence", duration(o.Silence))
	line(&b, "patience", duration(o.Patience))
	line(&b, "username", o.Username)
	if o.Password != "" {
		line(&b, "password_file", passwordFile(stateDir))
	}
	b.WriteString("[pool.hold]\n")
	line(&b, "max_wait", duration(o.MaxWait))
	b.WriteString("[pool.policy]\n")
	line(&b, "min_gap", duration(o.MinGap))
	line(&b, "max_loss", o.MaxLoss)
	line(&b, "in_flight", o.InFlight)
	return b.String()
}

// passwordFile is where the password of the checks lies.
func passwordFile(stateDir string) string { return filepath.Join(filepath.Dir(stateDir), "password") }

// line writes one string value, or nothing when it is not set.
func line(b *strings.Builder, key, value string) {
	if value != "" {
		fmt.Fprintf(b, "%s = %q\n", key, value)
	}
}

// duration spells d as the configuration does; zero is not set.
func duration(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func quoted(list []string) string {
	var parts []string
	for _, s := range list {
		parts = append(parts, fmt.Sprintf("%q", s))
	}
	return strings.Join(parts, ", ")
}
