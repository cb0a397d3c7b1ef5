package main

import (
	"strings"
	"testing"
	"time"

	"holdfast/admin"
)

// setLag makes the replica lag by n bytes.
func setLag(n int64) func(*admin.Pool) { return func(p *admin.Pool) { p.Backends[0].LagBytes = n } }

// setState moves the pool and its gate.
func setState(state, gate, why string) func(*admin.Pool) {
	return func(p *admin.Pool) { p.State, p.Gate, p.Why = state, gate, why }
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*admin.Pool)
		args   string
		code   int
		want   string
	}{
		"healthy": {code: nagiosOK, want: "HOLDFAST OK - cache: master redis2 10.0.0.2:9001, 1/1 replicas in sync" +
			" | cache_lag=120B;1000000;10000000;0 cache_held=0;;;0 cache_clients=50;;;0\n"},
		"own limits": {args: "-w lag=100B -c lag=1MiB", code: nagiosWarning, want: "HOLDFAST WARNING - cache: a replica lags by 120 B" +
			" | cache_lag=120B;100;1048576;0 cache_held=0;;;0 cache_clients=50;;;0\n"},
		"critical lag": {args: "-w lag=10 -c lag=100", code: nagiosCritical, want: "HOLDFAST CRITICAL - cache: a replica lags by 120 B |"},
		"limits off":   {args: "-w lag=0 -c lag=0", change: setLag(1 << 40), code: nagiosOK, want: "HOLDFAST OK"},
		"replica dead": {change: func(p *admin.Pool) { p.Backends[0].Verdict = "refused" }, code: nagiosWarning, want: ", 0/1 replicas"},
		"master degraded": {change: func(p *admin.Pool) { p.Backends[1].Verdict, p.Backends[1].Why = "degraded", "MISCONF" },
			code: nagiosWarning, want: "cache: master redis2 10.0.0.2:9001 is degraded: MISCONF |"},
		"replica not sync": {change: func(p *admin.Pool) { p.Backends[0].InSync = false }, code: nagiosWarning, want: ", 0/1 replicas in sync"},
		"holding": {change: setState("holding", "shut", "master refused"), code: nagiosWarning,
			want: "cache: 0 held, holding: master refused | cache_lag=120B;"},
		"refusing": {change: setState("stuck", "refusing", "hold budget spent"), code: nagiosCritical, want: "stuck: hold budget spent |"},
		"refused":  {change: setState("holding", "refusing", "budget spent"), code: nagiosCritical, want: "refusing clients: budget spent |"},
		"stuck":    {change: setState("stuck", "shut", "a|b\nc"), code: nagiosCritical, want: "stuck: a/b c |"},
		"journal": {change: func(p *admin.Pool) { p.JournalError = "disk full" }, code: nagiosCritical,
			want: "no promotion is possible: disk full |"},
		"no master": {change: func(p *admin.Pool) { p.Master, p.Why = "", "" }, code: nagiosCritical, want: "cache: no master |"},
		"ordered": {change: func(p *admin.Pool) { p.Failover, p.Backends[0].InSync, p.Backends[0].Role = "ordered", false, "" }, code: nagiosOK,
			want: "1/1 others healthy"},
		"quoted name":  {change: func(p *admin.Pool) { p.Name = "my cache=1" }, code: nagiosOK, want: "| 'my cache_1_lag'=120B;"},
		"one pool":     {args: "cache", code: nagiosOK, want: "HOLDFAST OK"},
		"other pool":   {args: "other", code: nagiosUnknown, want: "HOLDFAST UNKNOWN - pool \"other\": not found\n"},
		"bad limit":    {args: "-w lag=1XB", code: nagiosUnknown, want: "want lag=SIZE"},
		"other limit":  {args: "-c load=1", code: nagiosUnknown, want: "want lag=SIZE"},
		"unknown flag": {args: "--nonsense", code: nagiosUnknown, want: "HOLDFAST UNKNOWN - unknown flag"},
		"two pools":    {args: "a b", code: nagiosUnknown, want: "HOLDFAST UNKNOWN"},
	} {
		p := samplePool(time.Now())
		if c.change != nil {
			c.change(&p)
		}
		d := &fakeDaemon{status: admin.Status{Pools: []admin.Pool{p}}}
		args := append([]string{"check", "--server", d.start(t, "127.0.0.1:0", "")}, strings.Fields(c.args)...)
		got := runLine(t, args...)
		if got.code != c.code || !strings.Contains(got.out, c.want) || strings.Count(got.out, "\n") != 1 || got.errors != "" {
			t.Errorf("%s: got %+v, want exit %d and %q", name, got, c.code, c.want)
		}
	}
}

func TestCheckWithoutADaemon(t *testing.T) {
	got := runLine(t, "check", "--server", deadAddress(t))
	if got.code != nagiosUnknown || !strings.HasPrefix(got.out, "HOLDFAST UNKNOWN - no daemon answers") || got.errors != "" {
		t.Errorf("got %+v", got)
	}
}

func TestCheckLineTakesTheWorstAndStaysShort(t *testing.T) {
	pools := make([]admin.Pool, 200)
	for i := range pools {
		pools[i] = samplePool(time.Now())
	}
	pools[150].State = stateStuck
	line, code := checkLine(pools, lagLimits{})
	if code != nagiosCritical || !strings.HasPrefix(line, "HOLDFAST CRITICAL - ") {
		t.Errorf("got %d %.40q", code, line)
	}
	if got := len(line); got > checkLineMax {
		t.Errorf("length: got %d, want at most %d", got, checkLineMax)
	}
	if _, code := checkLine(nil, lagLimits{}); code != nagiosUnknown {
		t.Errorf("no pools: got %d, want %d", code, nagiosUnknown)
	}
}

func FuzzParseSize(f *testing.F) {
	for _, seed := range []string{"1", "1B", "64KB", "64KiB", "1MB", "10GiB", "-1", "9223372036854775807GiB", "1 MB", "", "MB", "1BB"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := parseSize(text); err == nil && (n < 0 || n > 1<<50) {
			t.Errorf("%q: got %d", text, n)
		}
	})
}
