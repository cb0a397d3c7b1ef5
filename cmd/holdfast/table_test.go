package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"holdfast/admin"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// golden compares got with a file of testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatalf("rewrite: %v", err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("read golden file: %v", err)
	}
	if got != string(want) {
		t.Errorf("%s:\n got:\n%s\nwant:\n%s", path, got, want)
	}
}

func troubledPool(now time.Time) admin.Pool {
	p := samplePool(now)
	p.Name, p.State, p.Gate, p.Master = "sessions", "stuck", admin.GateRefusing, ""
	p.Why = "no backend holds the lineage 2c9d3e and redis3 is empty: 'holdfast failover sessions --to redis4 --accept-loss' would accept it"
	p.Held, p.LastReceipt = 50, nil
	p.HeldByOperator, p.JournalError = true, "no space left on device"
	p.Closed = map[string]uint64{"client": 70, "mid-reply": 3, "backend-error": 1, "opaque": 0, "shutdown": 2}
	p.TurnedAway = map[string]uint64{"clients-max": 12, "descriptors": 0}
	p.Backends = []admin.Backend{
		{Name: "redis3", Address: "10.0.0.3:9001", Role: "master", Verdict: "quarantined", LagBytes: -1,
			Why: "restarted empty: its lineage is not ours"},
		{Name: "redis4", Address: "10.0.0.4:9001", Role: "replica", Verdict: "healthy", Offset: 900, LagBytes: 2_100_000},
		{Name: "redis5", Address: "[2001:db8::17]:9001", Verdict: "refused", LagBytes: -1,
			Why: "connection refused since 12:04:31, after 40 minutes without a fault; last offset seen 2977, two replicas were in sync with it"},
		{Name: "redis6", Address: "10.0.0.6:9001", Role: "replica", Verdict: "healthy", LinkUp: true, LagBytes: 70_000,
			Differs: []string{"differs from the master in timeout: '0' there, '300' here; set it with CONFIG SET and in redis.conf"}},
	}
	return p
}

func TestTableGolden(t *testing.T) {
	now := time.Date(2025, 3, 1, 12, 5, 0, 0, time.UTC)
	var b strings.Builder
	table{now: now, width: 80}.write(&b, admin.Status{Pools: []admin.Pool{samplePool(now), troubledPool(now)}})
	golden(t, "status.txt", b.String())
	for line := range strings.Lines(b.String()) {
		if got := len([]rune(strings.TrimSuffix(line, "\n"))); got > 80 {
			t.Errorf("%d columns: %s", got, line)
		}
	}
}

func TestColorsDoNotMoveColumns(t *testing.T) {
	now := time.Date(2025, 3, 1, 12, 5, 0, 0, time.UTC)
	st := admin.Status{Pools: []admin.Pool{samplePool(now), troubledPool(now)}}
	var plain, colored strings.Builder
	table{now: now, width: 80}.write(&plain, st)
	table{now: now, width: 80, color: true}.write(&colored, st)
	stripped := regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAllString(colored.String(), "")
	if colored.String() == plain.String() {
		t.Error("nothing is coloured")
	}
	if stripped != plain.String() {
		t.Errorf("without its colours:\n got:\n%s\nwant:\n%s", stripped, plain.String())
	}
}

func TestTableCannotSteerTheTerminal(t *testing.T) {
	now := time.Now()
	p := troubledPool(now)
	evil := "x\x1b[2J\r\x07\u202e\x00"
	p.Name, p.Why, p.State, p.Gate, p.Listen, p.Protocol = evil, evil, evil, evil, []string{evil}, evil
	p.HeldByOperator, p.JournalError, p.Closed = true, evil, map[string]uint64{evil: 1}
	p.TurnedAway = p.Closed
	p.LastReceipt = &admin.Receipt{Old: evil, New: evil, Trigger: evil, PhasesMS: admin.Phases{{Name: evil, MS: 1}}}
	for i := range p.Backends {
		p.Backends[i] = admin.Backend{Name: evil, Address: evil, Role: evil, Verdict: evil, Why: evil, Differs: []string{evil}}
	}
	var b strings.Builder
	table{now: now, width: 80}.write(&b, admin.Status{Pools: []admin.Pool{p}})
	if got := b.String(); strings.ContainsAny(got, "\x1b\r\x07\u202e\x00") {
		t.Errorf("got control characters in %q", got)
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{count(1, "pool"), "1 pool"}, {count(0, "pool"), "0 pools"}, {count(2, "client"), "2 clients"},
		{bytesText(-1), "-"}, {bytesText(0), "0 B"}, {bytesText(1023), "1023 B"}, {bytesText(1536), "1.5 KiB"},
		{bytesText(3 << 20), "3.0 MiB"}, {bytesText(5 << 30), "5.0 GiB"},
		{age(-time.Second), "0s"}, {age(59 * time.Second), "59s"}, {age(192 * time.Second), "3m12s"}, {age(5*time.Hour + 7*time.Minute), "5h07m"},
		{age(100 * time.Hour), "4d4h"},
		{millis(0.26), "0.3 ms"}, {millis(14.4), "14 ms"}, {millis(1300), "1300 ms"}, {millis(61_000), "61.0 s"},
		{wrap("aa bb cc", "> ", 7), "> aa bb\n> cc"}, {wrap("a-long-word b", "", 4), "a-long-word\nb"}, {wrap("", "> ", 9), ""},
		{printable("a\x1b[31mb\tc\nd"), "a?[31mb c d"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
