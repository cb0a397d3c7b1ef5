package resp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ioTimeout bounds every wait for the real server, so that a hang is a failure and not a hang.
const ioTimeout = 10 * time.Second

// realServer starts a redis-server for one test and returns its address.
func realServer(t testing.TB) string {
	t.Helper()
	for range 5 { // a free port may be taken by somebody else before the server binds it
		probe, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := probe.Addr().String()
		probe.Close()
		_, port, _ := net.SplitHostPort(addr)
		cmd := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(),
			"--enable-debug-command", "yes")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatalf("start redis-server: %v", err)
		}
		ready := false
		for lines := bufio.NewScanner(out); !ready && lines.Scan(); {
			ready = strings.Contains(lines.Text(), "Ready to accept connections")
		}
		if ready {
			t.Cleanup(func() {
				cmd.Process.Kill()
				cmd.Wait()
			})
			return addr
		}
		cmd.Wait()
	}
	t.Fatal("redis-server did not start on five ports")
	return ""
}

// realConn is a plain client: it reads replies in the simplest way there is.
type realConn struct {
	*net.TCPConn
	in *bufio.Reader
}

func dialReal(t testing.TB, addr string) *realConn {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, ioTimeout)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(ioTimeout))
	return &realConn{TCPConn: c.(*net.TCPConn), in: bufio.NewReader(c)}
}

// exchange sends all of p, ends the sending side, and reads replies until the server closes.
func (c *realConn) exchange(t testing.TB, p []byte) (replies []any) {
	t.Helper()
	defer c.Close()
	if _, err := c.Write(p); err != nil {
		t.Fatal(err)
	}
	c.CloseWrite()
	for {
		r, err := c.reply()
		if errors.Is(err, io.EOF) || err != nil && strings.Contains(err.Error(), "reset by peer") {
			return replies
		}
		if err != nil {
			t.Fatalf("%.200q: %v", p, err)
		}
		replies = append(replies, r)
	}
}

// realError is an error reply.
type realError string

// reply reads one reply of RESP2: nil, int, string, realError or []any.
func (c *realConn) reply() (any, error) {
	line, err := c.in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	kind, rest := line[0], strings.TrimSuffix(line[1:], "\r\n")
	switch kind {
	case '+':
		return rest, nil
	case '-':
		return realError(rest), nil
	}
	n, err := strconv.Atoi(rest)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read number of %q: %w", line, err)
	case kind == ':':
		return n, nil
	case n < 0:
		return nil, nil
	case kind == '$':
		p := make([]byte, n+2)
		_, err := io.ReadFull(c.in, p)
		return string(p[:n]), err
	}
	members := []any{}
	for range n {
		m, err := c.reply()
		if err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	return members, nil
}
