package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"holdfast/admin"
)

func sampleDaemon() *fakeDaemon {
	at := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	return &fakeDaemon{
		status: admin.Status{Pools: []admin.Pool{samplePool(time.Now())}},
		events: []admin.Event{
			{Seq: 1, At: at, Pool: "cache", Epoch: 4, Type: "backend.verdict", Severity: "warning", Subject: "redis1", Text: "failed: refused"},
			{Seq: 2, At: at.Add(time.Second), Pool: "cache", Epoch: 5, Type: "pool.state", Severity: "info", Text: "promoting -> serving"},
		},
	}
}

func TestStatusOverEveryKindOfServer(t *testing.T) {
	d := sampleDaemon()
	tcp, sock := d.start(t, "127.0.0.1:0", ""), d.start(t, "unix:"+tempPath(t, "admin.sock"), "")
	for _, server := range []string{tcp, strings.TrimPrefix(tcp, "http://"), tcp + "/", sock} {
		got := runLine(t, "status", "--server", server)
		if got.code != 0 || got.errors != "" || !strings.HasPrefix(got.out, "cache  serving for 3m1") {
			t.Errorf("%s: got %+v", server, got)
		}
	}
	t.Setenv(serverEnv, tcp)
	if got := runLine(t, "status"); got.code != 0 {
		t.Errorf("%s: got %+v", serverEnv, got)
	}
}

func TestStatusJSONIsTheDaemonsOwn(t *testing.T) {
	d := sampleDaemon()
	got := runLine(t, "status", "-o", "json", "--server", d.start(t, "127.0.0.1:0", ""))
	var st admin.Status
	if err := json.Unmarshal([]byte(got.out), &st); err != nil {
		t.Fatalf("decode %q: %v", got.out, err)
	}
	if got, want := st.Pools[0].LastReceipt.PhasesMS.Total(), 9.4; got != want {
		t.Errorf("total: got %v, want %v", got, want)
	}
	if got, want := st.Version, "v1"; got != want {
		t.Errorf("version: got %q, want %q", got, want)
	}
}

func TestWatchShowsUntilInterrupted(t *testing.T) {
	d := sampleDaemon()
	server := d.start(t, "127.0.0.1:0", "")
	for _, output := range []string{"json", "table"} {
		out := make(lineWriter, 9)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan int, 1)
		go func() { ended <- run(ctx, []string{"status", "-w", "-o", output, "--server", server}, nil, out, out) }()
		for range 2 {
			if got := out.next(t); !strings.Contains(got, "redis2") {
				t.Errorf("%s: got %q", output, got)
			}
		}
		cancel()
		if got, want := <-ended, exitOK; got != want {
			t.Errorf("%s: exit: got %d, want %d", output, got, want)
		}
	}
	if got := runLine(t, "status", "-w", "--server", deadAddress(t)); got.code != exitUnreachable {
		t.Errorf("no daemon from the start: got %+v", got)
	}
}

func TestOrders(t *testing.T) {
	for _, c := range []struct{ line, order, golden string }{
		{"switchover cache", "switchover cache ", "switchover.txt"},
		{"switchover cache --to redis2", "switchover cache redis2", "switchover.txt"},
		{"failover cache", "failover cache ", "switchover.txt"},
		{"failover cache --to redis2 --accept-loss", "failover cache redis2 loss", "switchover.txt"},
		{"switchover cache -o json", "switchover cache ", ""},
		{"hold cache", "hold cache", "hold.txt"},
		{"release cache", "release cache", "hold.txt"},
	} {
		d := sampleDaemon()
		args := append(strings.Fields(c.line), "--server", d.start(t, "127.0.0.1:0", ""))
		got := runLine(t, args...)
		if got.code != 0 || got.errors != "" {
			t.Errorf("%s: got %+v", c.line, got)
		}
		if order := strings.Join(d.orders, ";"); order != c.order {
			t.Errorf("%s: order: got %q, want %q", c.line, order, c.order)
		}
		if c.golden != "" {
			golden(t, c.golden, got.out)
		} else if !json.Valid([]byte(got.out)) {
			t.Errorf("%s: got %s, want JSON", c.line, got.out)
		}
	}
}

func TestEventsOnce(t *testing.T) {
	server := sampleDaemon().start(t, "127.0.0.1:0", "")
	text := runLine(t, "events", "--server", server)
	if got, want := strings.Count(text.out, "\n"), 2; text.code != 0 || got != want {
		t.Fatalf("got %+v, want %d lines", text, want)
	}
	for _, want := range []string{
		"warning  cache/redis1 backend.verdict epoch 4: failed: refused\n",
		"info     cache pool.state epoch 5: promoting -> serving\n",
	} {
		if !strings.Contains(text.out, want) {
			t.Errorf("got %q, want %q in it", text.out, want)
		}
	}
	var e admin.Event
	lines := strings.Split(runLine(t, "events", "-o", "json", "--server", server).out, "\n")
	if err := json.Unmarshal([]byte(lines[1]), &e); err != nil || e.Seq != 2 {
		t.Errorf("got %q, want event 2: %v", lines[1], err)
	}
}

// lineWriter hands each write on, which for events is one line.
type lineWriter chan string

func (w lineWriter) Write(p []byte) (int, error) { w <- string(p); return len(p), nil }

func (w lineWriter) next(t *testing.T) string {
	t.Helper()
	select {
	case line := <-w:
		return line
	case <-time.After(10 * time.Second):
		t.Fatal("no line within 10 s")
		return ""
	}
}

func TestFollowSurvivesARestartOfTheDaemon(t *testing.T) {
	first := sampleDaemon()
	address := "unix:" + tempPath(t, "admin.sock")
	_, stop := first.startStoppable(t, address, "")
	out, errs := make(lineWriter, 9), make(lineWriter, 9)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"events", "-f", "--server", address}, nil, out, errs) }()

	expect := func(want string) {
		t.Helper()
		if got := out.next(t); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
	expect("failed: refused")
	expect("promoting -> serving")
	first.emit(admin.Event{Seq: 3, At: time.Now(), Text: "third"})
	expect("third")
	stop()
	if got, want := errs.next(t), "no daemon answers"; !strings.Contains(got, want) {
		t.Errorf("got %q, want %q in it", got, want)
	}
	second := &fakeDaemon{}
	for seq := range uint64(4) {
		second.emit(admin.Event{Seq: seq + 1, At: time.Now(), Text: fmt.Sprintf("second life %d", seq+1)})
	}
	second.start(t, address, "")
	for seq := range 4 {
		expect(fmt.Sprintf("second life %d", seq+1))
	}
	cancel()
	if got, want := <-ended, exitOK; got != want {
		t.Errorf("exit: got %d, want %d", got, want)
	}
}

func TestToken(t *testing.T) {
	server := sampleDaemon().start(t, "127.0.0.1:0", "secret")
	good, bad, open, empty := tempPath(t, "good"), tempPath(t, "bad"), tempPath(t, "open"), tempPath(t, "empty")
	for path, content := range map[string]string{good: "secret\n", bad: "wrong", open: "secret", empty: "\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		text string
	}{
		{[]string{"--token-file", good}, 0, ""},
		{nil, 1, "name its file with --token-file"},
		{[]string{"--token-file", bad}, 1, "the bearer token is missing or wrong"},
		{[]string{"--token-file", open}, 1, "chmod 600"},
		{[]string{"--token-file", empty}, 1, "is empty"},
		{[]string{"--token-file", good + "x"}, 1, "no such file"},
	} {
		got := runLine(t, append([]string{"status", "--server", server}, c.args...)...)
		if got.code != c.code || !strings.Contains(got.errors, c.text) || strings.Contains(got.errors, "secret\n") {
			t.Errorf("%v: got %+v, want %d %q", c.args, got, c.code, c.text)
		}
	}
	t.Setenv(tokenFileEnv, good)
	if got := runLine(t, "status", "--server", server); got.code != 0 {
		t.Errorf("%s: got %+v", tokenFileEnv, got)
	}
}
