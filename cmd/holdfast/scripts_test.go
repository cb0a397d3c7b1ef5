package main

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"holdfast/configs"
)

// realServer is a redis-server at an address of its own.
func realServer(t *testing.T, address, dir string, args ...string) *exec.Cmd {
	t.Helper()
	_, port, _ := net.SplitHostPort(address)
	all := append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", dir, "--repl-diskless-sync-delay", "0"}, args...)
	cmd := exec.Command("redis-server", all...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start redis-server: %v", err)
	}
	t.Cleanup(func() { kill(cmd) })
	return cmd
}

func kill(cmd *exec.Cmd) {
	if cmd.ProcessState == nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// await polls until ok, at most 15 s.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(15 * time.Second); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("did not happen within 15 s: %s", what)
		}
	}
}

// servedPair is a daemon in this process, in front of a real pair, and a client of it that retries nothing.
func servedPair(t *testing.T, more string) (servers map[string]*exec.Cmd, p *servedPool, client *redis.Client) {
	t.Helper()
	one, two, listen := freeAddress(t), freeAddress(t), freeAddress(t)
	_, port, _ := net.SplitHostPort(one)
	servers = map[string]*exec.Cmd{
		one: realServer(t, one, t.TempDir()),
		two: realServer(t, two, t.TempDir(), "--replicaof", "127.0.0.1 "+port),
	}
	cfg, err := configs.Parse("test", fmt.Appendf(nil, "[admin]\nlisten = %q\n[[pool]]\nname = \"cache\"\nlisten = [%q]\nbackends = "+
		"[{ address = %q }, { address = %q }]\n%s", freeAddress(t), listen, one, two, more))
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{log: slog.New(slog.DiscardHandler)}
	if err := d.open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, d.close()); err != nil {
			t.Errorf("daemon ended: %v", err)
		}
	})
	client = redis.NewClient(&redis.Options{Addr: listen, MaxRetries: -1, ReadTimeout: 20 * time.Second, PoolSize: 20})
	t.Cleanup(func() { client.Close() })
	await(t, "replica in sync", d.pools[0].inSync)
	return servers, d.pools[0], client
}

// inSync says that a backend could be promoted without loss.
func (p *servedPool) inSync() bool {
	for _, b := range p.controller.Snapshot().Backends {
		if b.InSync && b.Role == "replica" {
			return true
		}
	}
	return false
}

// EVALSHA goes on working after the master was killed, however short before that the script was loaded, for scripts that were loaded
// and for scripts that were only evaluated.
func TestScriptsSurviveTheMaster(t *testing.T) {
	servers, p, client := servedPair(t, "")
	const workers, each = 4, 150 // fewer than a pool remembers
	shas := make(chan string, workers*each)
	var working sync.WaitGroup
	for i := range workers {
		working.Go(func() { teach(t.Context(), client, i, each, shas) })
	}
	await(t, "some scripts are loaded", func() bool { return len(shas) > 100 })
	master := p.controller.Snapshot().Master
	kill(servers[master])
	await(t, "another master", func() bool { s := p.controller.Snapshot(); return s.Master != master && s.Gate == "open" })
	working.Wait()
	close(shas)
	t.Logf("%d scripts", len(shas))
	for sha := range shas {
		if err := client.EvalSha(t.Context(), sha, nil).Err(); err != nil {
			t.Fatalf("with %d scripts left: %v", len(shas), err)
		}
	}
}

// teach loads and evaluates scripts, each of them new, and reports those that the server has confirmed.
func teach(ctx context.Context, client *redis.Client, worker, each int, shas chan<- string) {
	for n := range each {
		body := fmt.Sprintf("return '%d %d'", worker, n)
		if n%2 == 0 {
			if sha, err := client.ScriptLoad(ctx, body).Result(); err == nil {
				shas <- sha
			}
			continue
		}
		if err := client.Eval(ctx, body, nil).Err(); err == nil {
			sum := sha1.Sum([]byte(body))
			shas <- hex.EncodeToString(sum[:])
		}
	}
}
