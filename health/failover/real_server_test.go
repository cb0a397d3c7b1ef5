package failover

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"holdfast/health"
)

// server is a real redis-server on a loopback port that keeps its address over restarts.
type server struct {
	t       *testing.T
	name    string
	port    int
	dir     string
	args    []string
	cmd     *exec.Cmd
	exited  chan struct{}
	backend health.Backend
	pass    string
	file    string // its configuration file; empty: it has none
}

func newServer(t *testing.T, name string, args ...string) *server {
	t.Helper()
	port := freePort(t)
	s := &server{t: t, name: name, port: port, dir: t.TempDir(), args: args,
		backend: health.Backend{Name: name, Address: "127.0.0.1:" + strconv.Itoa(port)}}
	t.Cleanup(s.Kill)
	return s
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Start runs the server and waits until it answers, loading included.
func (s *server) Start(more ...string) {
	s.t.Helper()
	args := append([]string{"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--save", "", "--dir", s.dir,
		"--repl-diskless-sync-delay", "0", "--enable-debug-command", "yes", "--logfile", "server.log"}, s.args...)
	if s.file != "" {
		args = append([]string{s.file}, args...)
	}
	s.cmd = exec.Command("/usr/bin/redis-server", append(args, more...)...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("start redis-server %s: %v", s.name, err)
	}
	s.exited = make(chan struct{})
	go waitFor(s.cmd, s.exited)
	eventually(s.t, 10*time.Second, "start of "+s.name, func() bool {
		info, err := s.info()
		return err == nil && !info.Loading
	})
}

func waitFor(cmd *exec.Cmd, exited chan struct{}) {
	cmd.Wait() //nolint:errcheck // killed servers do not exit well
	close(exited)
}

// StartReplica runs the server as a replica and waits until master streams to it.
func (s *server) StartReplica(master *server, more ...string) {
	s.t.Helper()
	s.Start(append([]string{"--replicaof", fmt.Sprintf("127.0.0.1 %d", master.port)}, more...)...)
	master.awaitStreaming(s)
}

// awaitStreaming waits until this master streams to the replica r: the replica has acknowledged a write. Being listed as online
// is less than that.
func (s *server) awaitStreaming(r *server) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	link, err := health.Dial(ctx, health.Settings{Password: s.pass}, s.backend)
	if err != nil {
		s.t.Fatalf("dial %s: %v", s.name, err)
	}
	defer link.Close()
	eventually(s.t, 10*time.Second, r.name+" streams from "+s.name, func() bool {
		if err := link.Publish(ctx, "canary", "1").Err(); err != nil {
			return false
		}
		return link.Wait(ctx, 1, 50*time.Millisecond).Val() >= 1
	})
}

// Kill ends the process at once, as a crash does.
func (s *server) Kill() {
	if s.cmd == nil {
		return
	}
	s.signal(syscall.SIGKILL)
	<-s.exited
	s.cmd = nil
}

// Freeze stops the process without ending it; Wake lets it go on.
func (s *server) Freeze() { s.signal(syscall.SIGSTOP) }
func (s *server) Wake()   { s.signal(syscall.SIGCONT) }

func (s *server) signal(sig syscall.Signal) {
	if s.cmd != nil {
		s.cmd.Process.Signal(sig) //nolint:errcheck // it may be dead already, which is what tests look at
	}
}

// do sends one command over its own connection.
func (s *server) do(args ...any) (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	link, err := health.Dial(ctx, health.Settings{Password: s.pass}, s.backend)
	if err != nil {
		return nil, err
	}
	defer link.Close()
	if err := link.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return nil, err
	}
	return link.Do(ctx, args...).Result()
}

func (s *server) must(args ...any) any {
	s.t.Helper()
	got, err := s.do(args...)
	if err != nil {
		s.t.Fatalf("%s: %v: %v", s.name, args, err)
	}
	return got
}

func (s *server) info() (health.Info, error) {
	text, err := s.do("INFO")
	if err != nil {
		return health.Info{}, err
	}
	return health.ParseInfo(text.(string)), nil
}

func (s *server) keys() int64 {
	s.t.Helper()
	return s.must("DBSIZE").(int64)
}

// eventually polls until a condition holds.
func eventually(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}
