package configs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	// loopsMax is more CPUs than a proxy can keep busy.
	loopsMax = 256

	// clientsMaxMax is what one address of a listener can serve in file descriptors (LimitNOFILE=1048576, two each).
	clientsMaxMax = 500000

	// congestionBytesMax is TCP_CA_NAME_MAX of the kernel without its closing zero.
	congestionBytesMax = 15

	// timeoutMin is how often the limits are looked at; timeoutMax is longer than anybody waits.
	timeoutMin, timeoutMax = Duration(time.Second), Duration(24 * time.Hour)

	// poolsMax is a hundred machines of ten services; each pool costs a goroutine and a connection to every backend.
	poolsMax = 1000
)

// Validate returns every fault at once, as a *multierror.Error of *Fault.
func (c *Config) Validate() error {
	out := newFaults(c.path, c.lines)
	c.validate(out)
	return out.err()
}

func (c *Config) validate(out *faults) {
	for _, p := range c.Pools {
		out.pools = append(out.pools, p.Name)
	}
	if c.StateDir != "" && !filepath.IsAbs(c.StateDir) {
		out.add("state_dir", quote(c.StateDir), "is not absolute", `"/var/lib/holdfast", or "" to keep no state`)
	}
	c.Admin.validate(out)
	c.Proxy.validate(out)
	if n := len(c.Pools); n == 0 || n > poolsMax {
		out.add("pool", "", fmt.Sprintf("there are %d [[pool]] tables", n), fmt.Sprintf("1 to %d", poolsMax))
	}
	for i := range c.Pools {
		c.Pools[i].validate(out, poolPath(i))
	}
	c.validateTogether(out)
	c.Supervisor.validate(out)
}

func (a *Admin) validate(out *faults) {
	where, err := parseAddress(a.Listen)
	if err != nil {
		out.add("admin.listen", quote(a.Listen), err.Error(), addressForm)
	} else if !where.loopback() && a.TokenFile == "" {
		out.add("admin.token_file", "", fmt.Sprintf("is missing, and admin.listen = %q can be reached from other machines",
			a.Listen), secretForm+`, or admin.listen = "127.0.0.1:port" or "unix:/path"`)
	}
	if _, err := secretIn(a.TokenFile); err != nil {
		out.add("admin.token_file", quote(a.TokenFile), err.Error(), secretForm)
	}
}

func (p *Proxy) validate(out *faults) {
	within(out, "proxy.loops", p.Loops, 0, loopsMax)
	within(out, "proxy.clients_max", p.ClientsMax, 0, clientsMaxMax)
	within(out, "proxy.clients_per_address", p.ClientsPerAddress, 0, clientsMaxMax)
	p.validateTimeouts(out)
	if p.Congestion != "" && (!isWord(p.Congestion, "-_") || len(p.Congestion) > congestionBytesMax) {
		out.add("proxy.congestion", quote(p.Congestion), "is no name of a congestion control",
			"one of /proc/sys/net/ipv4/tcp_available_congestion_control, or leave it out")
	}
}

// validateTimeouts allows 0, for ever, and nothing between it and the second in which limits are looked at.
func (p *Proxy) validateTimeouts(out *faults) {
	for _, t := range []struct {
		key string
		v   Duration
	}{
		{"handshake_timeout", p.HandshakeTimeout}, {"request_timeout", p.RequestTimeout},
		{"idle_timeout", p.IdleTimeout}, {"output_timeout", p.OutputTimeout},
	} {
		if t.v != 0 && (t.v < timeoutMin || t.v > timeoutMax) {
			out.add("proxy."+t.key, shownNumber(t.v), "is out of range", fmt.Sprintf("0s for ever, or %s to %s", timeoutMin, timeoutMax))
		}
	}
}

func (s *Supervisor) validate(out *faults) {
	for i, step := range s.Ladder {
		key := index("supervisor.ladder", i)
		oneOf(out, key, step, steps())
		if slices.Contains(s.Ladder[:i], step) {
			out.add(key, quote(string(step)), "is there twice", "each step once")
		}
	}
	const form = `"local" or the absolute path of an executable`
	switch {
	case s.Provider == "" && len(s.Ladder) > 0:
		out.add("supervisor.provider", "", "is missing, and supervisor.ladder needs it", form)
	case s.Provider == "" || s.Provider == "local":
	case !filepath.IsAbs(s.Provider):
		out.add("supervisor.provider", quote(s.Provider), "is not absolute", form)
	default:
		info, err := os.Stat(s.Provider)
		if err != nil {
			out.add("supervisor.provider", quote(s.Provider), reason(err), form)
		} else if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
			out.add("supervisor.provider", quote(s.Provider), "is no executable file", form)
		}
	}
}

// within refuses a number outside of its range.
func within[T int | Size | Duration](out *faults, path string, v, low, high T) {
	if v < low || v > high {
		wrong := "is too small"
		if v > high {
			wrong = "is too large"
		}
		out.add(path, shownNumber(v), wrong, fmt.Sprintf("%v to %v", low, high))
	}
}

// shownNumber is a number as the file would have it: with a unit it stands in quotes.
func shownNumber[T int | Size | Duration](v T) string {
	switch v := any(v).(type) {
	case fmt.Stringer:
		return quote(v.String())
	default:
		return fmt.Sprint(v)
	}
}

// oneOf refuses a word that is none of the list.
func oneOf[T ~string](out *faults, path string, v T, words []T) {
	if slices.Contains(words, v) {
		return
	}
	wrong := "is unknown"
	known := make([]string, len(words))
	for i, w := range words {
		known[i] = string(w)
	}
	if near, ok := nearest(string(v), known); ok {
		wrong += fmt.Sprintf(", did you mean %q?", near)
	}
	out.add(path, quote(string(v)), wrong, listed(words))
}

// ms keeps the tables of ranges short.
func ms(n int64) Duration { return Duration(time.Duration(n) * time.Millisecond) }
