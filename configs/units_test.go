package configs

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"100ms": 100 * time.Millisecond, "1m30s": 90 * time.Second, "0s": 0, "1.5s": 1500 * time.Millisecond, "24h": 24 * time.Hour,
	} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || d.Std() != want {
			t.Errorf("%q: got %v, %v, want %v", text, d, err, want)
		}
		if got := d.String(); got != text {
			t.Errorf("%q: written as %q", text, got)
		}
	}
	if got := Duration(10 * time.Minute).String(); got != "10m" {
		t.Errorf("got %q, want 10m", got)
	}
	for _, text := range []string{"", "100", "1.5", "0", "ms", "1 s", "1d", "NaN"} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: got %v, want a fault", text, d)
		}
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{
		"64KiB": 65536, "10MB": 10_000_000, "1 MiB": 1 << 20, "1TiB": 1 << 40, "0B": 0, "7kB": 7000, "-3B": -3,
	} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q: got %d, %v, want %d", text, s.Bytes(), err, want)
		}
		var again Size
		if err := again.UnmarshalText([]byte(s.String())); err != nil || again != s {
			t.Errorf("%q: written as %q, which reads as %d, %v", text, s, again, err)
		}
	}
	for _, text := range []string{"", "1", "1024", "1.5MiB", "MiB", "1Mi", "9223372036854775807KiB", "1e3B"} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: got %v, want a fault", text, s)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"name", "listen", "deny", "max_wait"}
	for key, want := range map[string]string{
		"nam": "name", "Listen": "listen", "lisetn": "listen", "max-wait": "max_wait", "maxwait": "max_wait", "den": "deny",
		"host": "", "": "", "d": "", "wait": "",
	} {
		if got, _ := nearest(key, known); got != want {
			t.Errorf("%q: got %q, want %q", key, got, want)
		}
	}
}
