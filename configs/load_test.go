package configs

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/go-multierror"
)

const minimal = `
[[pool]]
name     = "cache"
listen   = ["127.0.0.1:7001"]
backends = [{ address = "10.0.0.1:9001" }, { address = "10.0.0.2:9001" }]
`

func TestEveryExampleLoads(t *testing.T) {
	files, err := filepath.Glob("*.toml")
	if err != nil || len(files) < 5 {
		t.Fatalf("examples: got %v, %v, want at least five", files, err)
	}
	for _, file := range files {
		c, err := Load(file)
		if err != nil {
			t.Errorf("%s does not load:\n%v", file, err)
		}
		if got := c.Path(); got != file {
			t.Errorf("%s: got path %q", file, got)
		}
	}
}

func TestMinimalTakesEveryDefault(t *testing.T) {
	c, err := Parse("minimal", []byte(minimal))
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultPool(ProtocolRedis)
	want.Name, want.Listen = "cache", []string{"127.0.0.1:7001"}
	want.Backends = []Backend{
		{Name: "10.0.0.1:9001", Address: "10.0.0.1:9001"}, {Name: "10.0.0.2:9001", Address: "10.0.0.2:9001"},
	}
	if got := c.Pools; !reflect.DeepEqual(got, []Pool{want}) {
		t.Errorf("got pools %+v\nwant %+v", got, want)
	}
	if got := c.Admin.Listen; got != "127.0.0.1:7070" {
		t.Errorf("got admin.listen %q", got)
	}
}

// TestFullExample holds full.toml, the schema and the defaults together: every key is explained there, and where the
// page says that a value is the default it is.
func TestFullExample(t *testing.T) {
	data, err := os.ReadFile("full.toml")
	if err != nil {
		t.Fatal(err)
	}
	uncommented := strings.NewReplacer("# token_file =", "token_file =", "# username =", "username =",
		"# password_file =", "password_file =").Replace(string(data))
	lines := readLines(uncommented)
	var explained []string
	for path := range lines {
		explained = append(explained, schemaOf(path))
	}
	for _, key := range schema() {
		if !slices.Contains(explained, key) {
			t.Errorf("full.toml does not explain %s", key)
		}
	}
	c, err := Load("full.toml")
	if err != nil {
		t.Fatal(err)
	}
	got, want := c.Pools[0], DefaultPool(ProtocolRedis)
	want.Name, want.Listen, want.Backends = got.Name, got.Listen, got.Backends
	if !reflect.DeepEqual(got, want) {
		t.Errorf("full.toml is not the defaults:\ngot  %+v\nwant %+v", got, want)
	}
	if got, want := c.Proxy, Default().Proxy; got != want {
		t.Errorf("full.toml: got proxy %+v, want %+v", got, want)
	}
}

// TestSchemaIsWhatIsRead asks each table for its keys by giving it one that cannot exist.
func TestSchemaIsWhatIsRead(t *testing.T) {
	const odd = "zzzzzzzzzzzz = 1\n"
	text := odd + "[admin]\n" + odd + "[proxy]\n" + odd + "[supervisor]\n" + odd + "[[pool]]\n" + odd + "[pool.check]\n" + odd +
		"[pool.hold]\n" + odd + "[pool.policy]\n" + odd + "[[pool.backends]]\n" + odd
	var read []string
	for _, f := range faultsOf(t, text) {
		table, ok := strings.CutSuffix(f.Key, "zzzzzzzzzzzz")
		if !ok {
			continue
		}
		for _, key := range strings.Split(f.Allowed, ", ") {
			read = append(read, schemaOf(table)+key)
		}
	}
	tables := []string{"admin", "proxy", "pool", "supervisor", "pool.check", "pool.hold", "pool.policy"}
	read = slices.DeleteFunc(read, func(key string) bool { return slices.Contains(tables, key) })
	got, want := slices.Sorted(slices.Values(read)), slices.Sorted(slices.Values(schema()))
	if !slices.Equal(got, want) {
		t.Errorf("the tables read\n%v\nthe schema has\n%v", got, want)
	}
}

func TestDenyNoneIsNotTheDefault(t *testing.T) {
	none, err := Parse("t", []byte(minimal+"deny = []\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := none.Pools[0].Deny; len(got) != 0 {
		t.Errorf("deny = []: got %v, want none", got)
	}
	some, err := Parse("t", []byte(minimal+`deny = ["client  pause", "keys"]`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := some.Pools[0].Deny, []string{"CLIENT PAUSE", "KEYS"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTCPDefaults(t *testing.T) {
	c, err := Parse("t", []byte(minimal+`protocol = "tcp"`))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Pools[0]; got.Failover != FailoverOrdered || len(got.Deny) != 0 {
		t.Errorf("got failover %q deny %v, want ordered and none", got.Failover, got.Deny)
	}
}

func TestLadderDefaultsWithAProvider(t *testing.T) {
	c, err := Parse("t", []byte(minimal+"[supervisor]\nprovider = \"local\""))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Supervisor.Ladder; !slices.Equal(got, steps()) {
		t.Errorf("got ladder %v, want %v", got, steps())
	}
}

func TestAllFaultsAtOnceInOrder(t *testing.T) {
	err := loadText(t, "bad.toml", `state_dir = 7
[admin]
listen = "nowhere"
[[pool]]
name = "cache"
listen = ["127.0.0.1:7001"]
backends = [
  { address = "10.0.0.1:9001" },
  { address = "10.0.0.2" },
]
[pool.check]
interval = "1ms"
silense = "1s"
silence = 5
[pool.policy]
max_loss = "1 MiBi"
`)
	want := []string{
		`bad.toml:1: state_dir = 7: is a number; allowed: a string in quotes`,
		`bad.toml:3: admin.listen = "nowhere": has no port; allowed: "host:port", "[ipv6]:port" or "unix:/path"`,
		`bad.toml:9: pool[0] "cache" backends[1].address = "10.0.0.2": has no port; allowed: ` + addressForm,
		`bad.toml:12: pool[0] "cache" check.interval = "1ms": is too small; allowed: 10ms to 10s`,
		`bad.toml:13: pool[0] "cache" check.silense = "1s": is an unknown key, did you mean "silence"?; ` +
			`allowed: interval, silence, patience, username, password_file`,
		`bad.toml:14: pool[0] "cache" check.silence = 5: has no unit, write "5s" or "5ms"`,
		`bad.toml:16: pool[0] "cache" policy.max_loss = "1 MiBi": is no size, write a whole number and a unit ` +
			`(B, KiB, MiB, GiB, KB, MB, GB) as in "1MiB"`,
	}
	if got := strings.Split(err.Error(), "\n"); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestUnreadableFiles(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.toml"))
	if err == nil || !strings.HasSuffix(err.Error(), "none.toml: cannot be read: no such file or directory") {
		t.Errorf("missing file: got %v", err)
	}
	if _, err := Load("/dev/zero"); err == nil || err.Error() != "/dev/zero: is larger than 4MiB" {
		t.Errorf("endless file: got %v", err)
	}
	_, err = Parse("t", []byte("[[pool]]\nname = \"a\nlisten = 1"))
	var fault *Fault
	if !errors.As(err, &fault) || fault.Line != 2 || strings.Contains(err.Error(), "\n") {
		t.Errorf("broken syntax: got %v, want one line that names line 2", err)
	}
}

// loadText is the error of a file with this text, which must have one.
func loadText(t *testing.T, name, text string) error {
	t.Helper()
	_, err := Parse(name, []byte(text))
	if err == nil {
		t.Fatalf("no fault in:\n%s", text)
	}
	return err
}

func faultsOf(t *testing.T, text string) []*Fault {
	t.Helper()
	err := loadText(t, "t", text)
	var all *multierror.Error
	if !errors.As(err, &all) {
		t.Fatalf("got %v, want a list of faults", err)
	}
	var list []*Fault
	for _, e := range all.Errors {
		f := new(Fault)
		if !errors.As(e, &f) {
			t.Fatalf("got %T, want a Fault", e)
		}
		list = append(list, f)
	}
	return list
}
