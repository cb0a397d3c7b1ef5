package load

import (
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/bench/testbed"
)

// TestMain checks that the tests leave neither a goroutine nor a child process behind.
func TestMain(m *testing.M) { os.Exit(testbed.Run(m)) }

// eventually asks until there is no objection.
func eventually(limit time.Duration, ask func() error) error {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(limit)
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-deadline:
			return err
		}
	}
}

// server is a real redis-server that ends with its test.
type server struct {
	t       *testing.T
	address string
	args    []string
	cmd     *exec.Cmd
}

func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	port := freePort(t)
	s := &server{t: t, address: "127.0.0.1:" + port}
	s.args = append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir()}, args...)
	s.start()
	t.Cleanup(s.kill)
	return s
}

// freePort takes a port below the range of outgoing connections: a server that was killed must find it free again.
func freePort(t *testing.T) string {
	t.Helper()
	for range 200 {
		port := strconv.Itoa(20000 + rand.IntN(12000))
		if ln, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			if err := ln.Close(); err != nil {
				t.Fatal(err)
			}
			return port
		}
	}
	t.Fatal("found no free port")
	return ""
}

func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", s.args...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	err := eventually(10*time.Second, func() error {
		c, err := net.Dial("tcp", s.address)
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Write([]byte("PING\r\n")); err != nil {
			return err
		}
		_, err = c.Read(make([]byte, 64)) // any answer will do: it may want a password
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) signal(sig syscall.Signal) {
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Error(err)
	}
}

func (s *server) kill() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}

// ask sends one inline command and returns the answer's first bytes.
func (s *server) ask(line string) string {
	s.t.Helper()
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte(line + "\r\n")); err != nil {
		s.t.Fatal(err)
	}
	buf := make([]byte, 256)
	n, err := c.Read(buf)
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(buf[:n]))
}

func (s *server) keys() int {
	n, err := strconv.Atoi(strings.TrimPrefix(s.ask("DBSIZE"), ":"))
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// after makes something happen beside a load, once it has lasted for so long; the returned function waits for it.
func after(d time.Duration, act func()) (wait func()) {
	done := make(chan struct{})
	timer := time.AfterFunc(d, func() {
		defer close(done)
		act()
	})
	return func() {
		defer timer.Stop()
		<-done
	}
}

// small is a load that a test can afford.
func small(address string) Options {
	return Options{
		Address: address, Rate: 1000, Connections: 10, Duration: time.Second, Timeout: 5 * time.Second, Keys: 100, BigBytes: 70_000, Depth: 4,
	}
}

func mustRun(t *testing.T, o Options) Result {
	t.Helper()
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
