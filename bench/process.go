package bench

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// terminateMax is how long a process may take to obey SIGTERM before it is killed: redis-server waits up to 10 s for its
// replicas, so less would turn every graceful stop into a crash.
const terminateMax = 12 * time.Second

// process is one child with the verbs of a fault. It belongs to its own process group, so that a key press at the
// terminal does not reach it, and it dies with its parent, so that a crashed drill leaves nothing behind.
type process struct {
	name    string
	logPath string
	cmd     *exec.Cmd
	done    chan struct{} // closed by reap once the child is gone
}

// startProcess starts argv with both outputs appended to logPath.
func startProcess(name, logPath string, argv ...string) (*process, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", name, err)
	}
	defer log.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, logPath: logPath, cmd: cmd, done: make(chan struct{})}
	go p.reap() // ends with the child; kill and terminate wait for it
	return p, nil
}

// reap collects the child. How it ended is of no interest: most children here are killed on purpose.
func (p *process) reap() {
	_ = p.cmd.Wait()
	close(p.done)
}

// alive reports whether the child has not been collected yet.
func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// signal sends sig to the child alone.
func (p *process) signal(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("send %s to %s: %w", sig, p.name, err)
	}
	return nil
}

// kill ends the child with SIGKILL, frozen or not, and returns when it is collected.
func (p *process) kill() error {
	err := p.signal(syscall.SIGKILL)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	if err != nil {
		return err
	}
	<-p.done
	return nil
}

// terminate asks with SIGTERM and kills after terminateMax.
func (p *process) terminate() error {
	if err := p.signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	timer := time.NewTimer(terminateMax)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		return errors.Join(fmt.Errorf("terminate %s: still there after %s", p.name, terminateMax), p.kill())
	}
}

// tail returns the last lines of the child's output, for the message of a failure.
func (p *process) tail(lines int) string {
	data, err := os.ReadFile(p.logPath)
	if err != nil {
		return err.Error()
	}
	data = bytes.TrimRight(data, "\n")
	at := len(data)
	for ; lines > 0 && at >= 0; lines-- {
		at = bytes.LastIndexByte(data[:at], '\n')
	}
	return string(data[at+1:])
}
