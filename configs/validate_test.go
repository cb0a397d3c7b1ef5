package configs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pool is a good pool with one line of it replaced, or lines added when old is empty.
func pool(old, now string) string {
	good := `[[pool]]
name = "cache"
listen = ["127.0.0.1:7001"]
backends = [{ address = "10.0.0.1:9001" }, { address = "10.0.0.2:9001" }]
`
	if old == "" {
		return good + now
	}
	lines := strings.Split(good, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, old+" ") {
			lines[i] = now
		}
	}
	return strings.Join(lines, "\n")
}

const second = `
[[pool]]
name = "queue"
listen = ["127.0.0.1:7002"]
backends = [{ address = "10.0.0.3:9001" }, { address = "10.0.0.4:9001" }]
`

// TestEachFault has one row for every way to be wrong. want is the end of "key = value: wrong" of the only fault.
func TestEachFault(t *testing.T) {
	long := strings.Repeat("x", 108)
	rows := []struct{ name, text, want string }{
		{"no pool", "", "pool: there are 0 [[pool]] tables"},
		{"single brackets", strings.ReplaceAll(pool("", ""), "[[pool]]", "[pool]"), "pool = {...}: is a table"},
		{"unknown key", pool("", "nmae = 1"), `pool[0] "cache" nmae = 1: is an unknown key, did you mean "name"?`},
		{"dash for underscore", pool("", "[pool.hold]\nmax-wait = \"1s\""),
			`pool[0] "cache" hold.max-wait = "1s": is an unknown key, did you mean "max_wait"?`},
		{"key of another table", pool("", `interval = "1s"`),
			`pool[0] "cache" interval = "1s": is an unknown key here, did you mean "pool.check.interval"?`},
		{"unlike any key", "colour = true\n" + pool("", ""), "colour = true: is an unknown key"},
		{"state_dir", "state_dir = \"state\"\n" + pool("", ""), `state_dir = "state": is not absolute`},

		{"admin public", "[admin]\nlisten = \"10.0.0.9:7070\"\n" + pool("", ""),
			`admin.token_file: is missing, and admin.listen = "10.0.0.9:7070" can be reached from other machines`},
		{"admin by name", "[admin]\nlisten = \"proxy1:7070\"\n" + pool("", ""),
			`admin.token_file: is missing, and admin.listen = "proxy1:7070" can be reached from other machines`},
		{"token missing", "[admin]\ntoken_file = \"/none/token\"\n" + pool("", ""),
			`admin.token_file = "/none/token": no such file or directory`},
		{"loops", "[proxy]\nloops = -1\n" + pool("", ""), "proxy.loops = -1: is too small"},
		{"loops type", "[proxy]\nloops = \"two\"\n" + pool("", ""), `proxy.loops = "two": is a string`},
		{"clients_max", "[proxy]\nclients_max = 500001\n" + pool("", ""), "proxy.clients_max = 500001: is too large"},
		{"clients_per_address", "[proxy]\nclients_per_address = -1\n" + pool("", ""),
			"proxy.clients_per_address = -1: is too small"},
		{"handshake_timeout", "[proxy]\nhandshake_timeout = \"999ms\"\n" + pool("", ""),
			`proxy.handshake_timeout = "999ms": is out of range`},
		{"request_timeout", "[proxy]\nrequest_timeout = 60\n" + pool("", ""),
			"proxy.request_timeout = 60: has no unit, write \"60s\" or \"60ms\""},
		{"idle_timeout", "[proxy]\nidle_timeout = \"24h1s\"\n" + pool("", ""), `proxy.idle_timeout = "24h0m1s": is out of range`},
		{"output_timeout", "[proxy]\noutput_timeout = \"-1s\"\n" + pool("", ""), `proxy.output_timeout = "-1s": is out of range`},
		{"congestion", "[proxy]\ncongestion = \"a b\"\n" + pool("", ""), `congestion = "a b": is no name of a congestion control`},

		{"no name", pool("name", ""), "pool[0].name: is missing"},
		{"bad name", pool("name", `name = "a/b"`), `pool[0] "a/b" name = "a/b": is no name`},
		{"same name", pool("", "") + strings.Replace(second, "queue", "cache", 1),
			`pool[1] "cache" name = "cache": is the name of pool[0] too`},
		{"protocol", pool("", `protocol = "rediss"`), `protocol = "rediss": is unknown, did you mean "redis"?`},
		{"failover", pool("", `failover = "auto"`), `failover = "auto": is unknown`},
		{"tcp promote", pool("", "protocol = \"tcp\"\nfailover = \"promote\""),
			`failover = "promote": needs Redis roles, which protocol = "tcp" cannot see`},
		{"tcp deny", pool("", "protocol = \"tcp\"\ndeny = [\"KEYS\"]"),
			`deny = [...]: is given, and protocol = "tcp" knows no commands`},
		{"tcp username", pool("", "protocol = \"tcp\"\n[pool.check]\nusername = \"a\""),
			`check.username = "a": is given, and protocol = "tcp" knows no commands`},
		{"deny word", pool("", `deny = ["A B C"]`), `deny[0] = "A B C": is no command`},
		{"deny twice", pool("", `deny = ["keys", "KEYS"]`), `deny[1] = "KEYS": is there twice`},
		{"deny type", pool("", `deny = "KEYS"`), `deny = "KEYS": is a string`},
		{"deny element", pool("", `deny = [1]`), `deny[0] = 1: is a number`},

		{"no listen", pool("listen", ""), `pool[0] "cache" listen: has 0 addresses`},
		{"listen no host", pool("listen", `listen = [":7001"]`),
			`listen[0] = ":7001": has no host, write "0.0.0.0:7001" for every IPv4 address of this machine`},
		{"listen port", pool("listen", `listen = ["127.0.0.1:70010"]`), `"127.0.0.1:70010": has no port from 1 to 65535`},
		{"listen path", pool("listen", `listen = ["/run/x.sock"]`), `"/run/x.sock": is a path, write "unix:/run/x.sock"`},
		{"relative socket", pool("listen", `listen = ["unix:x.sock"]`), `"unix:x.sock": has a path that is not absolute`},
		{"long socket", pool("listen", `listen = ["unix:/`+long+`"]`),
			`has a path of 109 bytes, a unix socket carries at most 107`},
		{"bare ipv6", pool("listen", `listen = ["::1:7001"]`), `listen[0] = "::1:7001": is no address`},
		{"listen twice", pool("", "") + strings.Replace(second, "7002", "7001", 1),
			`pool[1] "queue" listen[0] = "127.0.0.1:7001": is taken by pool "cache" ("127.0.0.1:7001")`},
		{"listen covered", pool("", "") + strings.Replace(second, "127.0.0.1:7002", "0.0.0.0:7001", 1),
			`listen[0] = "0.0.0.0:7001": is taken by pool "cache" ("127.0.0.1:7001")`},
		{"listen covers", strings.Replace(pool("", ""), "127.0.0.1", "[::]", 1) + strings.Replace(second, "7002", "7001", 1),
			`listen[0] = "127.0.0.1:7001": is taken by pool "cache" ("[::]:7001")`},
		{"listen where admin is", pool("listen", `listen = ["localhost:7070"]`),
			`listen[0] = "localhost:7070": is taken by the admin API ("127.0.0.1:7070")`},

		{"no backends", pool("backends", ""), `backends: has 0 servers`},
		{"backends as strings", pool("backends", `backends = ["10.0.0.1:9001"]`), `backends[0] = "10.0.0.1:9001": is a string`},
		{"no address", pool("backends", `backends = [{ name = "a" }]`), `backends[0].address: is missing`},
		{"bad host", pool("backends", `backends = [{ address = "10.0.0:1" }]`),
			`address = "10.0.0:1": has a host that is neither an IP address nor a name`},
		{"every address", pool("backends", `backends = [{ address = "0.0.0.0:9001" }]`), `is no address of one server`},
		{"server twice", pool("backends", `backends = [{ address = "LOCALHOST:9001" }, { address = "127.0.0.1:9001" }]`),
			`backends[1].address = "127.0.0.1:9001": is the server of backend "LOCALHOST:9001" too`},
		{"backend name twice", pool("backends", `backends = [{ name = "a", address = "h1:1" }, { name = "a", address = "h2:1" }]`),
			`backends[1].name = "a": is the name of another backend of the pool`},
		{"backend name", pool("backends", `backends = [{ name = "a b", address = "h1:1" }]`), `name = "a b": is no name`},
		{"machine", pool("backends", `backends = [{ machine = "a b", address = "h1:1" }]`), `machine = "a b": is no name`},
		{"backend is listener", pool("backends", `backends = [{ address = "127.0.0.1:7001" }]`), `is where the pool itself listens`},
		{"promoted by two", pool("", "") + strings.Replace(second, "10.0.0.3", "10.0.0.1", 1),
			`backends[0].address = "10.0.0.1:9001": is promoted by pool "cache" already`},

		{"interval", pool("", "[pool.check]\ninterval = \"11s\"\nsilence = \"30s\"\npatience = \"30s\""), `interval = "11s": is too large`},
		{"silence", pool("", "[pool.check]\ninterval = \"30ms\"\nsilence = \"70ms\""), `silence = "70ms": is too small`},
		{"silence and interval", pool("", "[pool.check]\ninterval = \"600ms\""), `silence = "1s": is less than two intervals`},
		{"patience and silence", pool("", "[pool.check]\nsilence = \"20s\""), `patience = "10s": is less than silence`},
		{"username", pool("", "[pool.check]\nusername = \"a b\""), `username = "a b": has a blank in it`},
		{"no unit", pool("", "[pool.check]\ninterval = \"100\""), `interval = "100": has no unit, write "100s" or "100ms"`},
		{"unit type", pool("", "[pool.check]\ninterval = true"), `interval = true: is true or false`},
		{"relative password", pool("", "[pool.check]\npassword_file = \"p\""),
			`password_file = "p": is relative and CREDENTIALS_DIRECTORY is not set, write an absolute path`},
		{"max_wait", pool("", "[pool.hold]\nmax_wait = \"0s\""), `hold.max_wait = "0s": is too small`},
		{"max_clients", pool("", "[pool.hold]\nmax_clients = 0"), `hold.max_clients = 0: is too small`},
		{"in_flight", pool("", "[pool.policy]\nin_flight = \"retry-read\""),
			`in_flight = "retry-read": is unknown, did you mean "retry-reads"?`},
		{"max_loss", pool("", "[pool.policy]\nmax_loss = \"-1B\""), `max_loss = "-1B": is too small`},
		{"min_gap", pool("", "[pool.policy]\nmin_gap = \"25h\""), `min_gap = "25h": is too large`},
		{"drain_max", pool("", "[pool.policy]\ndrain_max = \"1ms\""), `drain_max = "1ms": is too small`},

		{"no provider", pool("", "[supervisor]\nladder = [\"replace-machine\"]"), `provider: is missing, and supervisor.ladder needs it`},
		{"provider", pool("", "[supervisor]\nprovider = \"aws\""), `provider = "aws": is not absolute`},
		{"provider file", pool("", "[supervisor]\nprovider = \"/none\""), `provider = "/none": no such file or directory`},
		{"provider directory", pool("", "[supervisor]\nprovider = \"/usr\""), `provider = "/usr": is no executable file`},
		{"ladder", pool("", "[supervisor]\nprovider = \"local\"\nladder = [\"reboot\"]"), `ladder[0] = "reboot": is unknown`},
		{"ladder twice", pool("", "[supervisor]\nprovider = \"local\"\nladder = [\"replace-machine\", \"replace-machine\"]"),
			`ladder[1] = "replace-machine": is there twice`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			faults := faultsOf(t, row.text)
			if len(faults) != 1 {
				t.Errorf("got %d faults, want one", len(faults))
			}
			got, _, _ := strings.Cut(faults[0].Error(), "; allowed: ")
			if !strings.HasSuffix(got, row.want) {
				t.Errorf("got  %s\nwant %s", faults[0], row.want)
			}
		})
	}
}

func TestGoodVariants(t *testing.T) {
	for name, text := range map[string]string{
		"ipv6":             pool("listen", `listen = ["[::1]:7001", "127.0.0.1:7001"]`),
		"ipv4 and ipv6":    pool("listen", `listen = ["0.0.0.0:7001", "[2001:db8::1]:7001"]`),
		"unix backend":     pool("backends", `backends = [{ address = "unix:/run/redis.sock" }]`),
		"shared, one acts": pool("", "") + strings.Replace(second, "10.0.0.3", "10.0.0.1", 1) + `failover = "follow"`,
		"admin socket":     "[admin]\nlisten = \"unix:/run/a.sock\"\n" + pool("", ""),
		"admin ipv6":       "[admin]\nlisten = \"[::1]:7070\"\n" + pool("", ""),
		"headers":          pool("backends", "[[pool.backends]]\naddress = \"h:1\"\n[[pool.backends]]\naddress = \"h:2\""),
		"executable":       pool("", "[supervisor]\nprovider = \"/bin/sh\""),
	} {
		if _, err := Parse("t", []byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestValidateByHand(t *testing.T) {
	c := Default()
	c.Pools = []Pool{DefaultPool(ProtocolRedis)}
	err := c.Validate()
	want := []string{"config: pool[0].name: is missing", "config: pool[0].listen: has 0", "config: pool[0].backends: has 0"}
	got := strings.Split(err.Error(), "\n")
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
}

func TestWarnings(t *testing.T) {
	c, err := Parse("t", []byte(`[[pool]]
name = "cache"
listen = ["127.0.0.1:7001"]
backends = [{ address = "10.0.0.1:9001" }]
[pool.check]
username = "u"
[pool.hold]
max_wait = "1500ms"
[pool.policy]
in_flight = "retry-all"
[supervisor]
provider = "local"
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`t: state_dir: is missing`, `t:4: pool[0] "cache" backends: has one server`, `t:6: pool[0] "cache" check.username = "u": has no`,
		`t:8: pool[0] "cache" hold.max_wait = "1.5s": is less than silence and drain_max together (2s)`,
		`t:10: pool[0] "cache" policy.in_flight = "retry-all": may run a write twice`, `t:12: supervisor.provider = "local": is checked`,
	}
	got := c.Warnings()
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	quiet, err := Load("proxy-tier-follower.toml")
	if got := quiet.Warnings(); err != nil || len(got) != 0 {
		t.Errorf("a good file: got %v, %v, want none", got, err)
	}
}

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	read := func(name string) (string, error) {
		p := Pool{Check: Check{PasswordFile: name}}
		return p.Password()
	}
	for _, row := range []struct{ name, path, want, fault string }{
		{"none", "", "", ""},
		{"one newline goes", write("a", "se#cret \n\n", 0o600), "se#cret \n", ""},
		{"no newline", write("b", "secret", 0o400), "secret", ""},
		{"for the group", write("c", "secret", 0o640), "", "may be used by others than its owner (mode 0640)"},
		{"for the world", write("d", "secret", 0o604), "", "may be used by others than its owner (mode 0604)"},
		{"empty", write("e", "\n", 0o600), "", "is empty"},
		{"too large", write("f", strings.Repeat("x", secretBytesMax+1), 0o600), "", "is larger than 4096 bytes"},
		{"directory", dir, "", "is no regular file"},
	} {
		got, err := read(row.path)
		if got != row.want || (err == nil) != (row.fault == "") || err != nil && !strings.HasSuffix(err.Error(), row.fault) {
			t.Errorf("%s: got %q, %v, want %q, %q", row.name, got, err, row.want, row.fault)
		}
	}
	t.Setenv(credentialsDirectory, dir)
	if got, err := read("c"); got != "secret" || err != nil {
		t.Errorf("credential: got %q, %v, want it whatever its group rights", got, err)
	}
	if _, err := read("../etc/passwd"); err == nil {
		t.Error("a credential outside of its directory was read")
	}
	a := Admin{TokenFile: "b"}
	if got, err := a.Token(); got != "secret" || err != nil {
		t.Errorf("token: got %q, %v", got, err)
	}
}
