package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"holdfast/admin"
)

func TestExitCodesOfOrders(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
	}{
		{nil, exitOK},
		{errors.New("dial 10.0.0.1:9001: refused"), exitFailed},
		{fmt.Errorf("pool %q: %w", "cache", admin.ErrNotFound), exitNotFound},
		{fmt.Errorf("switchover cache: a failover is running: %w", admin.ErrConflict), exitConflict},
		{fmt.Errorf("failover cache: 2890 bytes would be lost: %w", admin.ErrRefused), exitRefused},
		{fmt.Errorf("switchover cache: %w", admin.ErrTimeout), exitTimeout},
	} {
		d := sampleDaemon()
		d.fail = c.err
		server := d.start(t, "127.0.0.1:0", "")
		for _, verb := range []string{"switchover", "failover", "hold", "release"} {
			got := runLine(t, verb, "cache", "--server", server)
			if got.code != c.code {
				t.Errorf("%s with %v: got exit %d, want %d", verb, c.err, got.code, c.code)
			}
			want := ""
			if c.err != nil {
				want = "holdfast: " + c.err.Error() + "\n"
			}
			if got.errors != want {
				t.Errorf("%s with %v: stderr: got %q, want %q", verb, c.err, got.errors, want)
			}
			if c.err != nil && got.out != "" {
				t.Errorf("%s with %v: stdout: got %q, want none", verb, c.err, got.out)
			}
		}
	}
}

func TestExitUsage(t *testing.T) {
	for _, line := range []string{
		"", "nonsense", "status extra", "status -o xml", "status --nonsense", "switchover", "switchover a b", "config",
		"config nonsense", "config check", "run", "run -c x --log-level loud",
		"status --server ftp://x", "status --server http://", "status --timeout -1s", "status --timeout 3",
		"demo --clients 0", "demo --clients 100000", "version x", "events x",
		"bench conformance jedis", "bench conformance --modes sideways", "bench conformance --for 0s", "bench conformance --every 1ms",
	} {
		got := runLine(t, strings.Fields(line)...)
		if got.code != exitUsage || got.out != "" || strings.Count(got.errors, "\n") != 1 {
			t.Errorf("%q: got %+v, want exit %d and one line", line, got, exitUsage)
		}
	}
}

func TestExitUnreachableSaysWhatToDo(t *testing.T) {
	gone := deadAddress(t)
	for _, server := range []string{gone, "unix:" + tempPath(t, "none.sock")} {
		for _, line := range []string{"status", "events", "events -f", "hold x", "switchover x"} {
			got := runLine(t, append(strings.Fields(line), "--server", server)...)
			if got.code != exitUnreachable || strings.Count(got.errors, "\n") != 1 || got.out != "" {
				t.Errorf("%s: got %+v, want exit %d and one line", line, got, exitUnreachable)
			}
			for _, want := range []string{server, "holdfast run -c FILE", "--server"} {
				if !strings.Contains(got.errors, want) {
					t.Errorf("%s: got %q, want %q in it", line, got.errors, want)
				}
			}
		}
	}
}

// silentServer accepts connections and says nothing, as a frozen daemon does.
func silentServer(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return "http://" + ln.Addr().String()
}

func TestExitTimeoutOfAFrozenDaemon(t *testing.T) {
	got := runLine(t, "switchover", "cache", "--timeout", "50ms", "--server", silentServer(t))
	if got.code != exitTimeout || !strings.Contains(got.errors, "within 50ms") {
		t.Errorf("got %+v, want exit %d", got, exitTimeout)
	}
}

func TestExitWhenInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := runContext(ctx, "switchover", "cache", "--server", silentServer(t))
	if got.code != exitFailed || !strings.Contains(got.errors, "interrupted") {
		t.Errorf("got %+v, want exit %d", got, exitFailed)
	}
}

func TestExitOfAStrangeServer(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"another service": http.NotFound,
		"a web page":      func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
	} {
		srv := httptest.NewServer(answer)
		got := runLine(t, "status", "--server", srv.URL)
		srv.Close()
		if got.code != exitFailed || !strings.Contains(got.errors, "is it a Holdfast daemon?") {
			t.Errorf("%s: got %+v, want exit %d", name, got, exitFailed)
		}
	}
}

func TestExitOfConfigurations(t *testing.T) {
	good, bad := tempPath(t, "good.toml"), tempPath(t, "bad.toml")
	const pool = `
[[pool]]
name = "cache"
listen = ["127.0.0.1:7001"]
backends = [{ address = "10.0.0.1:9001" }, { address = "10.0.0.2:9001" }]
`
	for path, content := range map[string]string{
		good: `state_dir = "/var/lib/holdfast"` + pool,
		bad:  `nonsense = 1` + pool + "[pool.check]\ninterval = \"1ns\"\n",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := runLine(t, "config", "check", good); got.code != exitOK || got.out != good+": ok, 1 pool\n" {
		t.Errorf("good: got %+v", got)
	}
	check := runLine(t, "config", "check", bad)
	if check.code != exitConfig || strings.Count(check.out, "\n") != 2 || check.errors != "" {
		t.Errorf("bad: got %+v, want two faults and exit %d", check, exitConfig)
	}
	if got := runLine(t, "run", "-c", bad); got.code != exitBadConfig || got.errors != check.out || got.out != "" {
		t.Errorf("run: got %+v, want the same faults and exit %d", got, exitBadConfig)
	}
	denied := tempPath(t, "denied.toml")
	if err := os.WriteFile(denied, []byte(pool+"deny = [\n\"KEYS\",\n\"NOSUCH\"]\nnonsense = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	check = runLine(t, "config", "check", denied)
	want := denied + `:8: pool[0] "cache" deny[1] = "NOSUCH": is no command that Redis knows; allowed: "COMMAND" or "COMMAND SUBCOMMAND"`
	if check.code != exitConfig || !strings.Contains(check.out, want) || strings.Count(check.out, "\n") != 2 {
		t.Errorf("deny: got %+v, want %q, another fault and exit %d", check, want, exitConfig)
	}
	if got := runLine(t, "run", "-c", denied); got.code != exitBadConfig || got.errors != check.out {
		t.Errorf("run with deny: got %+v, want the same faults and exit %d", got, exitBadConfig)
	}
	if got := runLine(t, "config", "check", good+"x"); got.code != exitConfig {
		t.Errorf("no file: got %+v, want exit %d", got, exitConfig)
	}
}

func TestEndOfTheDaemon(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	broken := errors.New("listen 127.0.0.1:7001: address already in use")
	if got := ended(ctx, broken); got != broken {
		t.Errorf("running: got %v, want %v", got, broken)
	}
	signalled := errors.New("terminated")
	cancel(signalled)
	for _, err := range []error{nil, context.Canceled, fmt.Errorf("run: %w", signalled)} {
		if got := ended(ctx, err); got != nil {
			t.Errorf("told to stop, %v: got %v, want nil", err, got)
		}
	}
	if got := ended(ctx, broken); got != broken {
		t.Errorf("told to stop: got %v, want %v", got, broken)
	}
}

func TestHelpAndVersionSucceedOnStdout(t *testing.T) {
	for _, line := range []string{"--help", "help", "switchover --help", "config check --help", "version", "completion bash"} {
		got := runLine(t, strings.Fields(line)...)
		if got.code != exitOK || got.out == "" || got.errors != "" {
			t.Errorf("%s: got %+v", line, got)
		}
	}
}
