package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"holdfast/admin"
	"holdfast/configs"
	"holdfast/health"
	"holdfast/proxy"
)

func TestSeverity(t *testing.T) {
	for want, events := range map[string][]health.Event{
		"critical": {{Kind: "state", To: "stuck"}},
		"warning":  {{Kind: "state", To: "no-master"}, {Kind: "warning"}, {Kind: "failover"}},
		"info":     {{Kind: "state", To: "serving"}, {Kind: "verdict", To: "refused"}, {Kind: "order"}},
	} {
		for _, e := range events {
			if got := severity(e); got != want {
				t.Errorf("%+v: got %s, want %s", e, got, want)
			}
		}
	}
}

// Every verdict is sorted on purpose: a new one shows up here.
func TestGradesKnowEveryVerdict(t *testing.T) {
	grades := map[grade]string{
		gradeGood:     "healthy",
		gradeDoubtful: "unknown syncing busy degraded suspect",
		gradeBad:      "denied silent refused reborn demoted stale quarantined",
	}
	for v := health.VerdictUnknown; v == health.VerdictUnknown || v.String() != "unknown"; v++ {
		if !strings.Contains(grades[gradeOf(v.String())], v.String()) {
			t.Errorf("%s: got grade %d", v, gradeOf(v.String()))
		}
	}
}

func TestKindsOfFailure(t *testing.T) {
	for _, c := range []struct{ err, want error }{
		{fmt.Errorf("%w: %w: %w", health.ErrGivenUp, health.ErrNotQuiet, context.DeadlineExceeded), admin.ErrRefused},
		{fmt.Errorf("%w: %w: %w", health.ErrGivenUp, health.ErrBehind, context.DeadlineExceeded), admin.ErrRefused},
		{fmt.Errorf("switch over cache: %w", health.ErrHeld), admin.ErrConflict},
		{health.ErrBusy, admin.ErrConflict},
		{health.ErrNoBackend, admin.ErrNotFound},
		{context.DeadlineExceeded, context.DeadlineExceeded},
	} {
		got := kind(c.err)
		if !errors.Is(got, c.want) || !errors.Is(got, c.err) || errors.Is(got, admin.ErrTimeout) {
			t.Errorf("%v: got %v, want %v", c.err, got, c.want)
		}
	}
}

// samplePoolConfig is a pool whose only listener is a unix socket.
func samplePoolConfig(t *testing.T) configs.Pool {
	cfg := configs.DefaultPool(configs.ProtocolRedis)
	cfg.Name, cfg.Listen = "cache", []string{"unix:" + tempPath(t, "cache.sock")}
	cfg.Backends = []configs.Backend{{Name: "redis1", Address: "127.0.0.1:1"}}
	return cfg
}

func TestPoolSocketIsForOwnerAndGroup(t *testing.T) {
	cfg := samplePoolConfig(t)
	p, err := proxy.New(proxy.Options{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.AddPool(poolOptions(&cfg, configs.Proxy{})); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(strings.TrimPrefix(cfg.Listen[0], "unix:"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode().Perm(), fs.FileMode(0o660); got != want {
		t.Errorf("mode: got %o, want %o", got, want)
	}
}

// idle is an executor with nothing to act on.
type idle struct{}

func (idle) Publish(health.Route)                                 {}
func (idle) Load() health.Load                                    { return health.Load{} }
func (idle) Execute(context.Context, health.Effect) health.Result { return health.Result{} }
func (idle) Close() error                                         { return nil }

func TestStatusHasEveryCloseReason(t *testing.T) {
	cfg := samplePoolConfig(t)
	p := &servedPool{name: cfg.Name, cfg: &cfg}
	loops, err := proxy.New(proxy.Options{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer loops.Close()
	if p.data, err = loops.AddPool(poolOptions(&cfg, configs.Proxy{})); err != nil {
		t.Fatal(err)
	}
	settings := health.Settings{Name: cfg.Name, Backends: []health.Backend{{Name: "redis1", Address: "127.0.0.1:1"}}}
	if p.controller, err = health.New(settings, idle{}, health.Record{}); err != nil {
		t.Fatal(err)
	}
	got := p.status()
	reasons := []string{"client", "quit", "protocol-error", "mid-reply", "opaque", "replay-refused", "backend-error", "shutdown",
		"foreign-protocol", "handshake-timeout", "request-timeout", "idle-timeout", "output-limit", "state-unknown", "killed"}
	for _, reason := range reasons {
		if n, found := got.Closed[reason]; !found || n != 0 {
			t.Errorf("%s: got %d, %v, want a zero", reason, n, found)
		}
	}
	if len(got.Closed) != len(reasons) || len(got.TurnedAway) != 3 || got.HeldByOperator || got.JournalError != "" {
		t.Errorf("got %+v", got)
	}
}

// A receipt of the pool reaches the API whole.
func TestReceiptIsCopiedWhole(t *testing.T) {
	cut := health.CutReport{Clients: 1, Held: 2, NeverSent: 3, Refused: 4, RetriedReads: 5, Unknown: 6, Aborted: 7, AtRisk: 8}
	got := receipt(&health.Receipt{Cut: cut})
	if want := (admin.Cut{NeverSent: 3, Refused: 4, Retried: 5, Unknown: 6, Aborted: 7}); got.Cut != want || got.AtRisk != 8 {
		t.Errorf("got %+v at risk %d, want %+v and 8", got.Cut, got.AtRisk, want)
	}
	var names []string
	for _, phase := range got.PhasesMS {
		names = append(names, phase.Name)
	}
	if got, want := strings.Join(names, " "), "detect hold drain promote total"; got != want {
		t.Errorf("phases: got %s, want %s", got, want)
	}
}
