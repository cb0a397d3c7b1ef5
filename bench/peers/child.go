package peers

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// answerMax is how long a server or proxy may take until it answers its first PING; all of them need well under 1 s.
	answerMax = 10 * time.Second
	// askEvery is the distance between two looks at something that will soon be so.
	askEvery = 10 * time.Millisecond
	// Ports are taken below 32768, where Linux starts the range for outgoing connections, which come by the ten thousand here.
	portFirst, portLast, portTries = 20000, 31999, 200
)

var (
	errNoPort  = errors.New("find a free loopback port: none in 200 attempts")
	errTooLong = errors.New("it took too long")
	errEnded   = errors.New("it ended")
)

// child is one process of the rig. It has its own process group and dies with its parent.
type child struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{} // closed by reap once the process is gone
}

// startChild starts argv with both outputs in a log file.
func startChild(name, log string, env []string, argv ...string) (*child, error) {
	return startChildAs(0, name, log, env, argv...)
}

// startChildAs starts argv for another user; 0 is the user of the bench.
func startChildAs(user uint32, name, log string, env []string, argv ...string) (*child, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", name, err)
	}
	defer file.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = file, file
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if user != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: user, Gid: user}
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	c := &child{name: name, log: log, cmd: cmd, done: make(chan struct{})}
	go c.reap() // ends with the process; end waits for it
	return c, nil
}

// reap collects the process. How it ended is of no interest: they are all ended on purpose.
func (c *child) reap() {
	_ = c.cmd.Wait()
	close(c.done)
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// end kills the process and returns when it is gone. Nothing here keeps data worth a graceful end.
func (c *child) end() {
	_ = c.cmd.Process.Kill() // an error says that it has ended already
	<-c.done
}

// lastWords are the last lines the process wrote, for the message of a failure.
func (c *child) lastWords() string {
	data, err := os.ReadFile(c.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

// awaitAnswer returns when a PING to address is answered.
func (c *child) awaitAnswer(ctx context.Context, address string) error {
	err := await(ctx, answerMax, func() (bool, error) {
		select {
		case <-c.done:
			return false, errEnded
		default:
			return ping(address) == nil, nil
		}
	})
	if err != nil {
		return fmt.Errorf("start %s on %s: %w\n%s", c.name, address, err, c.lastWords())
	}
	return nil
}

// await asks until the answer is yes, for at most limit.
func await(ctx context.Context, limit time.Duration, ask func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errTooLong)
	defer cancel()
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for {
		done, err := ask()
		if done || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// freeAddress is a loopback address nobody listens on at this moment.
func freeAddress() (string, error) {
	for range portTries {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(portFirst+rand.IntN(portLast-portFirst+1)))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			return "", fmt.Errorf("release %s: %w", address, err)
		}
		return address, nil
	}
	return "", errNoPort
}
