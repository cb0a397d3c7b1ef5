package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// daemonStartMax is how long holdfast may take until it serves a healthy pair: it waits up to `silence` for backends that
// do not answer, and a second for the proof that a replica streams.
const daemonStartMax = 15 * time.Second

// Daemon is the built holdfast with a configuration of its own: one pool, one listener, an admin port, a state directory.
type Daemon struct {
	Name    string
	Pool    string
	opts    DaemonOptions
	dir     string
	listen  string
	admin   string
	argv    []string
	proc    *process
	control *http.Client
}

// NewDaemon writes the configuration below dir; Start starts the binary with it.
func NewDaemon(dir string, opts DaemonOptions) (*Daemon, error) {
	if opts.Pool == "" {
		opts.Pool = "drill"
	}
	if opts.Name == "" {
		opts.Name = "holdfast"
	}
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	d := &Daemon{Name: opts.Name, Pool: opts.Pool, opts: opts, dir: filepath.Join(dir, opts.Name), listen: opts.Place.address(ports[0]),
		admin: loopback(ports[1]), control: &http.Client{Timeout: verbMax}}
	if opts.Place.Host != "" {
		d.controlBySocket()
	}
	state := filepath.Join(d.dir, "state")
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, fmt.Errorf("make state directory of %s: %w", d.Name, err)
	}
	if opts.Listen != "" {
		d.listen = opts.Listen
	}
	if err := os.WriteFile(passwordFile(state), []byte(opts.Password), 0o600); err != nil {
		return nil, fmt.Errorf("write password of %s: %w", d.Name, err)
	}
	file := filepath.Join(d.dir, "holdfast.toml")
	if err := os.WriteFile(file, []byte(opts.render(state, d.admin, d.listen)), 0o600); err != nil {
		return nil, fmt.Errorf("write configuration of %s: %w", d.Name, err)
	}
	argv := []string{opts.Binary, "run", "-c", file}
	if opts.Descriptors > 0 {
		limited := fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, opts.Descriptors)
		argv = append([]string{"sh", "-c", limited}, argv...)
	}
	d.argv = append(append([]string(nil), opts.Place.Launch...), argv...)
	return d, nil
}

// controlBySocket moves the admin API to a unix socket, which is reached from everywhere on this machine.
func (d *Daemon) controlBySocket() {
	path := filepath.Join(d.dir, "admin.sock")
	d.admin = "unix:" + path
	d.control.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", path)
	}}
}

// Address is where clients connect.
func (d *Daemon) Address() string { return d.listen }

// Admin is where `holdfast --server` connects.
func (d *Daemon) Admin() string {
	if strings.HasPrefix(d.admin, "unix:") {
		return d.admin
	}
	return "http://" + d.admin
}

// url is where an admin request goes; a unix socket needs some host.
func (d *Daemon) url(path string) string {
	if strings.HasPrefix(d.admin, "unix:") {
		return "http://admin" + path
	}
	return d.Admin() + path
}

// PID is the number of the running process.
func (d *Daemon) PID() int { return d.proc.cmd.Process.Pid }

// Alive reports whether the process is there, frozen or not.
func (d *Daemon) Alive() bool { return d.proc != nil && d.proc.alive() }

// Start starts the process; WaitServing tells when it is of use.
func (d *Daemon) Start() error {
	proc, err := startProcess(d.Name, filepath.Join(d.dir, "daemon.log"), d.argv...)
	if err != nil {
		return err
	}
	d.proc = proc
	return nil
}

// WaitServing returns when the gate is open and, in a pool that promotes, each replica is proven in sync.
func (d *Daemon) WaitServing(ctx context.Context) error {
	err := await(ctx, daemonStartMax, pollEvery, d.serves)
	if err != nil {
		return fmt.Errorf("wait for %s to serve: %w\n%s", d.Name, err, d.Tail(20))
	}
	return nil
}

func (d *Daemon) serves(ctx context.Context) error {
	if !d.proc.alive() {
		return fmt.Errorf("%s ended", d.Name)
	}
	pool, err := d.Status(ctx)
	if err != nil {
		return err
	}
	if pool.Gate != gateOpen || pool.Master == "" {
		return fmt.Errorf("pool is %s, gate %s, master %q: %s", pool.State, pool.Gate, pool.Master, pool.Why)
	}
	if d.opts.Failover == "" || d.opts.Failover == "promote" {
		return pool.synced()
	}
	return nil
}

// Freeze stops the daemon in mid-step.
func (d *Daemon) Freeze() error { return d.proc.signal(syscall.SIGSTOP) }

// Wake lets a frozen daemon go on.
func (d *Daemon) Wake() error { return d.proc.signal(syscall.SIGCONT) }

// Kill is a crash of the proxy.
func (d *Daemon) Kill() error { return d.proc.kill() }

// Stop is a graceful end.
func (d *Daemon) Stop() error { return d.proc.terminate() }

// Tail returns the last lines the daemon wrote.
func (d *Daemon) Tail(lines int) string { return d.proc.tail(lines) }

// Close ends the process.
func (d *Daemon) Close() error {
	d.control.CloseIdleConnections()
	if d.proc == nil {
		return nil
	}
	return d.proc.kill()
}
