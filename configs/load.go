package configs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/BurntSushi/toml"
)

// fileBytesMax is far beyond a thousand pools, and keeps a path such as /dev/zero from filling the memory.
const fileBytesMax = 4 << 20

// UnknownCommands returns those names of a deny list that are no commands. The table of commands belongs to another package, so
// the caller brings it; nil takes every name that looks like one.
type UnknownCommands func(deny []string) []string

// Load reads the file, refuses what it does not know, applies the defaults and validates. It takes any name in a deny list.
func Load(path string) (Config, error) { return LoadWith(path, nil) }

// LoadWith is Load, and refuses the names in deny lists that unknown returns.
func LoadWith(path string, unknown UnknownCommands) (Config, error) {
	file, err := os.Open(path)
	if err != nil {
		return Config{}, &Fault{File: path, Wrong: "cannot be read: " + reason(err)}
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, fileBytesMax+1))
	if err != nil {
		return Config{}, &Fault{File: path, Wrong: "cannot be read: " + reason(err)}
	}
	return parse(path, data, unknown)
}

// Parse is Load for text already in memory; name stands for the file in the faults.
func Parse(name string, data []byte) (Config, error) { return parse(name, data, nil) }

func parse(name string, data []byte, unknown UnknownCommands) (Config, error) {
	if len(data) > fileBytesMax {
		return Config{}, &Fault{File: name, Wrong: fmt.Sprintf("is larger than %s", Size(fileBytesMax))}
	}
	var tree map[string]any
	if _, err := toml.Decode(string(data), &tree); err != nil {
		return Config{}, syntaxFault(name, err)
	}
	lines := readLines(string(data))
	out := newFaults(name, lines)
	c := Default()
	c.path, c.lines = name, lines
	c.read(&table{values: tree, out: out})
	c.validate(out)
	if unknown != nil {
		c.validateCommands(out, unknown)
	}
	if err := out.err(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// Path is the file the configuration was read from, "" when it was built by hand.
func (c *Config) Path() string { return c.path }

func (c *Config) read(t *table) {
	text(t, "state_dir", &c.StateDir)
	admin := t.sub("admin")
	text(admin, "listen", &c.Admin.Listen)
	text(admin, "token_file", &c.Admin.TokenFile)
	admin.done()
	proxy := t.sub("proxy")
	proxy.number("loops", &c.Proxy.Loops)
	proxy.number("clients_max", &c.Proxy.ClientsMax)
	text(proxy, "congestion", &c.Proxy.Congestion)
	proxy.number("clients_per_address", &c.Proxy.ClientsPerAddress)
	proxy.unit("handshake_timeout", &c.Proxy.HandshakeTimeout)
	proxy.unit("request_timeout", &c.Proxy.RequestTimeout)
	proxy.unit("idle_timeout", &c.Proxy.IdleTimeout)
	proxy.unit("output_timeout", &c.Proxy.OutputTimeout)
	proxy.done()
	for _, pool := range t.subs("pool", "[[pool]], in double brackets") {
		c.Pools = append(c.Pools, readPool(pool))
	}
	c.Supervisor.read(t.sub("supervisor"))
	t.done()
}

func readPool(t *table) Pool {
	protocol := ProtocolRedis
	text(t, "protocol", &protocol)
	p := DefaultPool(protocol)
	text(t, "name", &p.Name)
	texts(t, "listen", &p.Listen)
	text(t, "failover", &p.Failover)
	texts(t, "deny", &p.Deny)
	for i, command := range p.Deny {
		p.Deny[i] = strings.ToUpper(strings.Join(strings.Fields(command), " "))
	}
	for _, backend := range t.subs("backends", `[{ address = "host:port" }, ...]`) {
		p.Backends = append(p.Backends, readBackend(backend))
	}
	p.Check.read(t.sub("check"))
	p.Hold.read(t.sub("hold"))
	p.Policy.read(t.sub("policy"))
	t.done()
	return p
}

func readBackend(t *table) Backend {
	var b Backend
	text(t, "address", &b.Address)
	b.Name = b.Address
	text(t, "name", &b.Name)
	text(t, "machine", &b.Machine)
	t.done()
	return b
}

func (c *Check) read(t *table) {
	t.unit("interval", &c.Interval)
	t.unit("silence", &c.Silence)
	t.unit("patience", &c.Patience)
	text(t, "username", &c.Username)
	text(t, "password_file", &c.PasswordFile)
	t.done()
}

func (h *Hold) read(t *table) {
	t.unit("max_wait", &h.MaxWait)
	t.number("max_clients", &h.MaxClients)
	t.done()
}

func (p *Policy) read(t *table) {
	text(t, "in_flight", &p.InFlight)
	text(t, "unknown_state", &p.UnknownState)
	text(t, "scan_cursors", &p.ScanCursors)
	t.unit("max_loss", &p.MaxLoss)
	t.unit("min_gap", &p.MinGap)
	t.unit("drain_max", &p.DrainMax)
	t.done()
}

// read gives a supervisor that names a provider and no ladder the whole ladder, gentlest step first.
func (s *Supervisor) read(t *table) {
	text(t, "provider", &s.Provider)
	if s.Provider != "" {
		s.Ladder = steps()
	}
	texts(t, "ladder", &s.Ladder)
	t.done()
}

// syntaxFault is what the TOML library found, on one line. It stops at the first fault: after broken syntax the rest
// of the file has no certain meaning.
func syntaxFault(name string, err error) error {
	f := &Fault{File: name, Wrong: "is not TOML: " + oneLine(strings.TrimPrefix(err.Error(), "toml: "))}
	var parse toml.ParseError
	if errors.As(err, &parse) {
		f.Line = parse.Position.Line
		f.Wrong = "is not TOML: " + oneLine(parse.Message)
	}
	return f
}

// reason is a file system error without the path, which the fault has already named.
func reason(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
