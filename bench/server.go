package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// startMax is how long a redis-server may take until it answers; an empty one needs about 30 ms.
const startMax = 10 * time.Second

// ServerOptions say how one redis-server is started. Persistence is off unless Args turn it on.
type ServerOptions struct {
	Name      string
	Place     Place    // the zero value is loopback
	ReplicaOf *Server  // nil: a master
	Port      int      // 0: a free one
	Args      []string // added last, so they win over the defaults
}

// Server is a real redis-server on its own loopback port and in its own directory, with one verb per fault.
//
// Verbs are for one goroutine at a time; Do and Info may be used beside them.
type Server struct {
	Name   string
	place  Place
	port   int
	dir    string
	args   []string
	master *Server  // whom it follows from its next start on; nil: nobody
	proc   *process // nil before the first Start
}

// NewServer prepares a server below dir; Start starts it.
func NewServer(dir string, opts ServerOptions) (*Server, error) {
	port, err := opts.Port, error(nil)
	if port == 0 {
		port, err = freePort()
	}
	if err != nil {
		return nil, err
	}
	s := &Server{Name: opts.Name, place: opts.Place, port: port, dir: filepath.Join(dir, opts.Name), master: opts.ReplicaOf}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory of %s: %w", s.Name, err)
	}
	program, err := exec.LookPath("redis-server") // as a path, because DEBUG RESTART looks for itself where it was started from
	if err != nil {
		return nil, fmt.Errorf("find the server of %s: %w", s.Name, err)
	}
	s.args = []string{program, "--port", strconv.Itoa(port), "--bind", s.place.host(), "--save", "", "--appendonly", "no",
		"--dir", s.dir, "--repl-diskless-sync-delay", "0"}
	s.args = append(s.args, opts.Args...)
	return s, nil
}

// Follow sets whom the server follows from its next start on; nil makes it a master then. A running one is not touched.
func (s *Server) Follow(master *Server) { s.master = master }

// DelayCopies lets the server wait 5 s from its next start on before it copies its data to a replica, as servers do by default. Ours
// wait for nothing, so that scenes are ready soon; but a master that comes back empty must not empty its replica sooner than anywhere else.
func (s *Server) DelayCopies() { s.args = append(s.args, "--repl-diskless-sync-delay", "5") }

// argv is the command line of the next start.
func (s *Server) argv() []string {
	argv := append(append([]string(nil), s.place.Launch...), s.args...)
	if s.master != nil {
		argv = append(argv, "--replicaof", s.master.place.host(), strconv.Itoa(s.master.port))
	}
	return argv
}

// Address is where the server listens, before and after every restart.
func (s *Server) Address() string { return s.place.address(s.port) }

// Start starts the process and returns when it answers anything at all, -LOADING included.
func (s *Server) Start(ctx context.Context) error {
	if s.proc != nil && s.proc.alive() {
		return fmt.Errorf("start %s: it runs already", s.Name)
	}
	proc, err := startProcess(s.Name, filepath.Join(s.dir, "server.log"), s.argv()...)
	if err != nil {
		return err
	}
	s.proc = proc
	if err := await(ctx, startMax, 2*time.Millisecond, s.answers); err != nil {
		return fmt.Errorf("start %s: %w\n%s", s.Name, err, proc.tail(10))
	}
	return nil
}

func (s *Server) answers(ctx context.Context) error {
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.do(queryMax, "PING")
	return err
}

// Kill is a crash: SIGKILL, and the process is gone when it returns.
func (s *Server) Kill() error { return s.proc.kill() }

// Freeze stops the process in mid-step; its kernel goes on accepting connections and bytes.
func (s *Server) Freeze() error { return s.proc.signal(syscall.SIGSTOP) }

// Wake lets a frozen process go on, with everything that reached its sockets meanwhile.
func (s *Server) Wake() error { return s.proc.signal(syscall.SIGCONT) }

// PID is the number of the process that was started last.
func (s *Server) PID() int { return s.proc.cmd.Process.Pid }

// Alive reports whether the process is there, frozen or not.
func (s *Server) Alive() bool { return s.proc != nil && s.proc.alive() }

// Dir is where the server keeps its files and its log.
func (s *Server) Dir() string { return s.dir }

// Terminate is a graceful stop.
func (s *Server) Terminate() error { return s.proc.terminate() }

// RestartEmpty is what a service manager does on a machine without persistence: the same address, role and arguments at
// once, and no data.
func (s *Server) RestartEmpty(ctx context.Context) error {
	if err := s.Kill(); err != nil {
		return err
	}
	if err := os.Remove(s.snapshot()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove snapshot of %s: %w", s.Name, err)
	}
	return s.Start(ctx)
}

// RestartFromSnapshot is RestartEmpty for a machine whose last Save is still on its disk.
func (s *Server) RestartFromSnapshot(ctx context.Context) error {
	if err := s.Kill(); err != nil {
		return err
	}
	if _, err := os.Stat(s.snapshot()); err != nil {
		return fmt.Errorf("restart %s from its snapshot: %w", s.Name, err)
	}
	return s.Start(ctx)
}

func (s *Server) snapshot() string { return filepath.Join(s.dir, "dump.rdb") }

// Close ends the process, frozen or not. Its directory belongs to whoever made the parent.
func (s *Server) Close() error {
	if s.proc == nil {
		return nil
	}
	return s.proc.kill()
}

// Tail returns the last lines the server wrote.
func (s *Server) Tail(lines int) string {
	if s.proc == nil {
		return ""
	}
	return s.proc.tail(lines)
}
