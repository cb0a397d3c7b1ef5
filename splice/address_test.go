package splice

import (
	"errors"
	"net"
	"strings"
	"testing"
)

func TestParseAddressTable(t *testing.T) {
	long := "/" + strings.Repeat("p", 106)
	tests := []struct{ text, want string }{
		{"127.0.0.1:6379", "127.0.0.1:6379"},
		{"0.0.0.0:0", "0.0.0.0:0"},
		{"localhost:65535", "127.0.0.1:65535"},
		{"[::1]:6379", "[::1]:6379"},
		{"[::ffff:10.0.0.7]:6379", "10.0.0.7:6379"},
		{"[fe80::1%1]:6379", "[fe80::1%1]:6379"},
		{"unix:/run/holdfast/cache.sock", "unix:/run/holdfast/cache.sock"},
		{"unix:" + long, "unix:" + long},
	}
	for _, tt := range tests {
		a, err := ParseAddress(tt.text)
		got := a.String()
		if tt.text == "localhost:65535" && got == "[::1]:65535" {
			continue // the host prefers IPv6
		}
		if err != nil || got != tt.want {
			t.Errorf("%q: got %s, %v, want %s", tt.text, got, err, tt.want)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "host:port"},
		{"127.0.0.1", "host:port"},
		{"127.0.0.1:", "0 to 65535"},
		{"127.0.0.1:65536", "0 to 65535"},
		{"127.0.0.1:redis", "0 to 65535"},
		{"::1:6379", "host:port"},
		{":6379", "host is empty"},
		{"[fe80::1%nosuchnic]:1", "nosuchnic"},
		{"unix:", "absolute"},
		{"unix:relative/path", "absolute"},
		{"unix:/a\x00b", "absolute"},
		{"unix:/" + strings.Repeat("p", 107), "107 bytes"},
	}
	for _, tt := range tests {
		a, err := ParseAddress(tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !a.IsZero() {
			t.Errorf("%q: got %s, %v, want an error about %q", tt.text, a, err, tt.want)
		}
	}
	if _, err := ParseAddress("nonsense"); !errors.Is(err, ErrAddress) {
		t.Errorf("nonsense: got %v, want %v", err, ErrAddress)
	}
}

func TestAddressesOfOneEndpointAreEqual(t *testing.T) {
	same := [][2]string{
		{"10.0.0.7:1", "[::ffff:10.0.0.7]:1"},
		{"[::1]:1", "[0:0:0:0:0:0:0:1]:1"},
		{"unix:/a", "unix:/a"},
	}
	for _, pair := range same {
		if a, b := must[Address](t)(ParseAddress(pair[0])), must[Address](t)(ParseAddress(pair[1])); a != b {
			t.Errorf("%s and %s: got different, want equal", pair[0], pair[1])
		}
	}
	if a, b := must[Address](t)(ParseAddress("unix:/a")), must[Address](t)(ParseAddress("unix:/ab")); a == b {
		t.Error("unix:/a and unix:/ab: got equal, want different")
	}
	if got, want := (Address{}).String(), "no address"; got != want {
		t.Errorf("zero: got %q, want %q", got, want)
	}
}

// What parses prints as something that parses to the same address. Names are left out: the fuzzer must not ask name servers.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"127.0.0.1:1", "[::1]:65535", "[fe80::1%1]:2", "unix:/run/x", "unix:", ":", "[::]:0", "1.2.3.4:99999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if host, _, err := net.SplitHostPort(s); err == nil && !strings.HasPrefix(s, "unix:") && strings.Trim(host, "0123456789.:abcdef%") != "" {
			t.Skip("a name")
		}
		a, err := ParseAddress(s)
		if err != nil {
			return
		}
		again, err := ParseAddress(a.String())
		if err != nil || again != a {
			t.Errorf("%q: printed as %s, which is %s, %v", s, a, again, err)
		}
	})
}
