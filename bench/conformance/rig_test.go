package conformance

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/bench/testbed"
)

// ask sends one inline command on a connection of its own.
func ask(address, command string) (string, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fprintf(c, "%s\r\n", command); err != nil {
		return "", err
	}
	reply, err := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(reply), err
}

func TestMasterDiesAgainAndAgain(t *testing.T) {
	r, err := newRig(t.Context(), filepath.Join(t.TempDir(), "rig"), rigOptions{Mode: Failover, Binary: testbed.Binary(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.close(); err != nil {
			t.Error(err)
		}
	}()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	faults := make(chan Fault, 8)
	done := make(chan error, 1)
	go runBreaker(ctx, &breaker{rig: r, first: time.Millisecond, every: time.Millisecond, saw: func(f Fault) { faults <- f }}, done)
	for i := range 2 {
		f := <-faults
		if f.Served.Sub(f.Killed) > 5*time.Second {
			t.Errorf("death %d: served %v later", i, f.Served.Sub(f.Killed))
		}
		if got, err := ask(r.address, "PING"); got != "+PONG" {
			t.Errorf("after death %d PING got %q, %v", i, got, err)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The stand-in is what a suite starts: a script in PATH, which must end with the signal that ends a server.
func TestStandInIsAServer(t *testing.T) {
	for _, mode := range []Mode{Through, Failover} {
		t.Run(mode.String(), func(t *testing.T) { standIn(t, mode) })
	}
}

func standIn(t *testing.T, mode Mode) {
	dir := t.TempDir()
	notes := filepath.Join(dir, "notes")
	job := standInJob{Mode: mode, Binary: testbed.Binary(t), Every: time.Minute, First: time.Millisecond, Dir: dir, Notes: notes}
	env, err := job.install(dir)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "bin", "redis-server"), "-")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	cmd.Stdin = strings.NewReader("port " + port + "\nbind 127.0.0.1\nrequirepass secret\n")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}()
	address := "127.0.0.1:" + port
	eventually(t, "it serves", func() bool { got, err := ask(address, "AUTH secret"); return err == nil && got == "+OK" })
	if got, err := ask(address, "GET x"); !strings.HasPrefix(got, "-NOAUTH") {
		t.Errorf("a client without the password got %q, %v", got, err)
	}
	if mode == Failover {
		eventually(t, "a death is noted", func() bool { all, err := readNotes(notes); return err == nil && len(all) == 1 && all[0].Fault != nil })
	}
}

// A suite that dies leaves its servers to nobody.
func TestSuiteLeavesNoProcessBehind(t *testing.T) {
	dir := t.TempDir()
	j := Job{Suite: "orphan", Log: filepath.Join(dir, "log")}
	pidFile := filepath.Join(dir, "pid")
	script := "tail -f /dev/null >/dev/null 2>&1 & echo $! >" + pidFile
	if _, err := j.execute(t.Context(), command{argv: []string{"sh", "-c", script}, dir: dir}, nil); err != nil {
		t.Fatal(err)
	}
	pid, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the orphan is gone", func() bool {
		state, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/stat")
		return err != nil || strings.Contains(string(state), ") Z ")
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}
