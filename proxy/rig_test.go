package proxy

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// redisServer is a real redis-server on a loopback port.
type redisServer struct {
	t    testing.TB
	addr string
	cmd  *exec.Cmd
}

func startRedis(t testing.TB, args ...string) *redisServer {
	t.Helper()
	addr := freeAddress(t)
	_, port, _ := net.SplitHostPort(addr)
	all := append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(), "--loglevel", "warning",
		"--repl-diskless-sync-delay", "0", "--enable-debug-command", "yes"}, args...)
	r := &redisServer{t: t, addr: addr, cmd: exec.Command("redis-server", all...)}
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		t.Fatalf("start redis-server (the package redis-server is needed): %v", err)
	}
	t.Cleanup(r.kill)
	eventually(t, "redis-server answers on "+addr, func() bool {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return false
		}
		defer c.Close()
		fmt.Fprint(c, "PING\r\n")
		line, _ := bufio.NewReader(c).ReadString('\n')
		return line == "+PONG\r\n" || strings.HasPrefix(line, "-NOAUTH ")
	})
	return r
}

func (r *redisServer) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

func (r *redisServer) signal(sig os.Signal) {
	if err := r.cmd.Process.Signal(sig); err != nil {
		r.t.Fatal(err)
	}
}

// do asks the server directly.
func (r *redisServer) do(args ...string) string {
	r.t.Helper()
	c := dialClient(r.t, r.addr)
	defer c.close()
	return c.do(args...)
}

// lineage is the server's replication id.
func (r *redisServer) lineage() string {
	_, rest, _ := strings.Cut(r.do("INFO", "replication"), "master_replid:")
	return rest[:40]
}

// lineageWith is lineage for a server that asks for a password.
func (r *redisServer) lineageWith(password string) string {
	r.t.Helper()
	c := dialClient(r.t, r.addr)
	defer c.close()
	c.want("+OK", "AUTH", password)
	_, rest, _ := strings.Cut(c.do("INFO", "replication"), "master_replid:")
	return rest[:40]
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// eventually waits for a condition, with a fresh look every millisecond.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("did not happen within 10 s: %s", what)
		}
	}
}

// client is a raw connection with a decoder that turns a reply into text.
type client struct {
	t  testing.TB
	nc net.Conn
	br *bufio.Reader
}

func dialClient(t testing.TB, addr string) *client {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return wrap(t, nc)
}

func wrap(t testing.TB, nc net.Conn) *client {
	t.Cleanup(func() { nc.Close() })
	return &client{t: t, nc: nc, br: bufio.NewReaderSize(nc, 1<<16)}
}

// dialPlain is for goroutines other than the test's.
func dialPlain(addr string) (*client, error) {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{nc: nc, br: bufio.NewReaderSize(nc, 1<<16)}, nil
}

func (c *client) close() { c.nc.Close() }

func request(args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	return b.String()
}

func (c *client) send(raw string) {
	c.t.Helper()
	if _, err := io.WriteString(c.nc, raw); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) do(args ...string) string {
	c.t.Helper()
	c.send(request(args...))
	return c.read()
}

// read gives the next frame: bulks as their text, lines as they are, aggregates in brackets.
func (c *client) read() string {
	c.t.Helper()
	_ = c.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	text, err := c.decode()
	if err != nil {
		c.t.Fatalf("read reply: %v", err)
	}
	return text
}

func (c *client) decode() (string, error) {
	line, err := c.br.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSuffix(line, "\r\n")
	n, _ := strconv.Atoi(line[1:])
	switch line[0] {
	case '$', '=':
		if n < 0 {
			return "nil", nil
		}
		p := make([]byte, n+2)
		got, err := io.ReadFull(c.br, p)
		return string(p[:min(got, n)]), err
	case '*', '>', '%', '~':
		if n < 0 {
			return "nil", nil
		}
		if line[0] == '%' {
			n *= 2
		}
		parts := make([]string, n)
		for i := range parts {
			if parts[i], err = c.decode(); err != nil {
				return "", err
			}
		}
		return line[:1] + "[" + strings.Join(parts, " ") + "]", nil
	}
	return line, nil
}

// want fails unless the reply is as expected.
func (c *client) want(want string, args ...string) {
	c.t.Helper()
	if got := c.do(args...); got != want {
		c.t.Fatalf("%s: got %.200q, want %.200q", strings.Join(args, " "), got, want)
	}
}

// ended says whether the connection was closed by the other side.
func (c *client) ended() bool {
	_ = c.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err := c.br.ReadByte()
	return err != nil && !os.IsTimeout(err)
}

// rig is a proxy with one pool in front of real servers.
type rig struct {
	*Pool
	t        testing.TB
	addr     string
	evidence chan Evidence
}

func startProxy(t testing.TB, change func(*PoolOptions), servers ...*redisServer) *rig {
	t.Helper()
	return startProxyWith(t, Options{Loops: 2}, change, servers...)
}

func startProxyWith(t testing.TB, options Options, change func(*PoolOptions), servers ...*redisServer) *rig {
	t.Helper()
	p, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, addr: freeAddress(t), evidence: make(chan Evidence, 1024)}
	o := PoolOptions{Name: "test", Listen: []string{r.addr}, HeldMax: 1000, Policy: 1, OnEvidence: func(e Evidence) {
		select {
		case r.evidence <- e:
		default:
		}
	}}
	for _, s := range servers {
		o.Backends = append(o.Backends, s.addr)
	}
	if change != nil {
		change(&o)
	}
	if r.Pool, err = p.AddPool(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("proxy ended: %v", err)
		}
		wantBooksBalanced(t, p)
		_ = p.Close()
	})
	return r
}

// wantBooksBalanced checks what must hold for every proxy that has ended, whatever happened to it before.
func wantBooksBalanced(t testing.TB, p *Proxy) {
	t.Helper()
	for _, w := range p.workers {
		if n := w.load.Load(); n != 0 {
			t.Errorf("loop %d: %d sessions are still counted", w.id, n)
		}
		if s := w.loop.Pipes().Stats(); s.InUse != 0 {
			t.Errorf("loop %d: %d pipes were not given back", w.id, s.InUse)
		}
		for _, v := range w.views {
			closed := uint64(0)
			for _, n := range v.closed {
				closed += n
			}
			if v.accepted != closed {
				t.Errorf("loop %d: %d accepted, %d closed", w.id, v.accepted, closed)
			}
			if v.busy != 0 || v.dialing != 0 || v.laggards != 0 || v.connected.Load() != 0 {
				t.Errorf("loop %d: busy %d, dialing %d, connected %d", w.id, v.busy, v.dialing, v.connected.Load())
			}
		}
	}
	for _, pool := range p.pools {
		if n := len(pool.ids.here); n != 0 {
			t.Errorf("pool %s: %d ids of sessions that have ended are still known", pool.name, n)
		}
		if n := pool.SlowInFlight(); n != 0 {
			t.Errorf("pool %s: %d slow commands are still counted", pool.name, n)
		}
	}
}

// confirm plays a control plane that finds the backend well whenever something was seen: the same route, a newer check.
func (r *rig) confirm() {
	done, ended := make(chan struct{}), make(chan struct{})
	r.t.Cleanup(func() { close(done); <-ended })
	go r.answerEvidence(done, ended)
}

func (r *rig) answerEvidence(done <-chan struct{}, ended chan<- struct{}) {
	defer close(ended)
	for {
		select {
		case <-done:
			return
		case <-r.evidence:
			route := r.Route()
			route.Check++
			r.Publish(route)
		}
	}
}

// shut closes the gate of an epoch.
func (r *rig) shut(epoch uint64, backend int) {
	r.Publish(Route{Epoch: epoch, Gate: GateShut, Backend: backend})
}

func (r *rig) cut(epoch uint64) CutReport {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 5*time.Second)
	defer cancel()
	report, err := r.Cut(ctx, epoch, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	return report
}

func (r *rig) stats() Stats {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 5*time.Second)
	defer cancel()
	s, err := r.Stats(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// replicate makes b a replica of a and waits until a write has arrived there.
func replicate(t testing.TB, a, b *redisServer) {
	t.Helper()
	host, port, _ := net.SplitHostPort(a.addr)
	b.do("REPLICAOF", host, port)
	eventually(t, "replica in sync", func() bool {
		c := dialClient(t, a.addr)
		defer c.close()
		c.do("SET", "sync", "1")
		return c.do("WAIT", "1", "50") == ":1"
	})
}

func repeat(s string, n int) string { return string(bytes.Repeat([]byte(s), n)) }
